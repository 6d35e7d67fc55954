/*
 * test-transfer.c: the back-channel over a real TCP connection, against a board played by a table.
 */
#include "base/address.h"
#include "base/loop.h"
#include "support/failing.h"
#include "support/outage_wraps.h"
#include "support/requirement.h"
#include "upload/espota/transfer.h"
#include "upload/reason.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    IMAGE_SIZE = 300000,
    END_NONE,
    END_FIN,
    END_RESET,
    END_RESTART, /* the board is absent for AWAY_US, and then resets the connection */
    END_LATE_FIN /* the board answers probes for AWAY_US, and then closes the connection */
};

static const int64_t AWAY_US = 2300 * INT64_C(1000);

/* The board reads `after` bytes, sends text, and ends the connection. */
struct script {
    const char *name;
    size_t block; /* as in struct transfer_config */
    size_t after;
    const char *text;
    int end;
    enum ota_error expected;
    const char *phrase; /* part of the message */
};

struct board {
    const struct script *script;
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer deadline;
    struct loop_timer leave_timer, return_timer; /* start and end of its absence */
    int fd;
    size_t received;
    unsigned char *bytes;
    size_t largest_read;
    bool acted;
    struct ota_failure failure;
    int ends;
    size_t last_progress;
};

static unsigned outages; /* of this computer, during the whole transfer */
static const struct source *watched_source;

void __wrap_outage_start(struct outage *outage, struct loop *loop, const struct address *address,
                         const struct source *source)
{
    assert_non_null(outage);
    assert_non_null(loop);
    assert_true(address_is_loopback(address));
    watched_source = source;
}

unsigned __wrap_outage_after(struct outage *outage, int64_t time_us)
{
    assert_non_null(outage);
    assert_true(time_us <= loop_now_us());
    return outages;
}

static void leave(struct board *board, bool with_reset)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (with_reset)
        setsockopt(board->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    loop_watch_stop(&board->watch);

    close(board->fd);
    board->fd = -1;
}

static void on_return(void *userdata)
{
    struct board *board = userdata;
    leave(board, board->script->end == END_RESTART);
}

/* The TCP of this socket receives no more packets, and so does not answer. Returns false if this
 * user may not have that. */
static bool drop_everything(int fd)
{
    struct sock_filter drop = {.code = BPF_RET | BPF_K, .k = 0};
    const struct sock_fprog program = {.len = 1, .filter = &drop};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

/* Makes the board absent once its data is acknowledged. Otherwise its TCP would resend the data,
 * which is a sign of life. */
static void go_away(void *userdata)
{
    struct board *board = userdata;
    int unacknowledged = 0;

    assert_int_equal(ioctl(board->fd, SIOCOUTQ, &unacknowledged), 0);
    if (unacknowledged) {
        loop_timer_start(&board->leave_timer, 1000);
        return;
    }
    assert_true(drop_everything(board->fd));
    loop_timer_init(&board->return_timer, board->loop, on_return, board);
    loop_timer_start(&board->return_timer, AWAY_US);
}

static void act(struct board *board)
{
    const struct script *script = board->script;

    board->acted = true;
    if (send(board->fd, script->text, strlen(script->text), MSG_NOSIGNAL) < 0)
        fail_msg("the board cannot speak");
    switch (script->end) {
    case END_NONE:
        break;
    case END_RESTART:
        loop_timer_init(&board->leave_timer, board->loop, go_away, board);
        loop_timer_start(&board->leave_timer, 0);
        break;
    case END_LATE_FIN:
        loop_timer_init(&board->return_timer, board->loop, on_return, board);
        loop_timer_start(&board->return_timer, AWAY_US);
        break;
    default:
        leave(board, script->end == END_RESET);
    }
}

static void on_board_readable(unsigned events, void *userdata)
{
    (void)events;
    struct board *board = userdata;
    size_t want = 1460;

    if (!board->acted && board->script->after - board->received < want)
        want = board->script->after - board->received;
    ssize_t got = want ? recv(board->fd, board->bytes + board->received, want, 0) : 0;
    if (got < 0 || (got == 0 && want)) {
        loop_watch_change(&board->watch, 0);
        return;
    }
    board->received += (size_t)got;
    if ((size_t)got > board->largest_read)
        board->largest_read = (size_t)got;
    if (!board->acted && board->received == board->script->after)
        act(board);
    else if (board->fd >= 0 && !board->acted)
        assert_int_equal(send(board->fd, "1460", 4, MSG_NOSIGNAL), 4);
}

static void on_progress(size_t acknowledged, void *userdata)
{
    struct board *board = userdata;
    assert_true(acknowledged > board->last_progress);
    board->last_progress = acknowledged;
}

static void on_transfer_done(const struct ota_failure *failure, void *userdata)
{
    struct board *board = userdata;
    board->failure = *failure;
    board->ends++;
    loop_quit(board->loop);
}

static void on_transfer_deadline(void *userdata)
{
    (void)userdata;
    fail_msg("the transfer did not end");
}

static void connect_pair(int *host, int *board)
{
    struct address local;

    assert_true(address_parse(&local, "127.0.0.1"));
    socklen_t length = address_length(&local);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, &local.any, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, &local.any, &length), 0);
    *board = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(*board, &local.any, length), 0);
    int on = 1; /* an "OK" that TCP holds back would be lost with the reset after it */
    setsockopt(*board, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *host = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    assert_true(*host >= 0);
    close(listener);
}

static struct image make_image(size_t size)
{
    struct image image = {.size = size, .data = malloc(size)};
    assert_non_null(image.data);
    for (size_t i = 0; i < size; i++)
        image.data[i] = (unsigned char)(i * 2654435761U >> 13);
    return image;
}

static struct board play_transfer(const struct script *script, const struct image *image)
{
    struct board board = {.script = script, .loop = loop_new(), .bytes = malloc(image->size + 1)};
    int host;

    assert_non_null(board.loop);
    assert_non_null(board.bytes);
    connect_pair(&host, &board.fd);
    assert_int_equal(loop_watch_start(&board.watch, board.loop, board.fd, LOOP_READABLE,
                                      on_board_readable, &board),
                     0);
    loop_timer_init(&board.deadline, board.loop, on_transfer_deadline, &board);
    loop_timer_start(&board.deadline, 30 * INT64_C(1000000));

    const struct source source = {.interface = "lo"};
    const struct transfer_config config = {
        .loop = board.loop, .image = image, .source = &source, .block = script->block};
    const struct transfer_callbacks callbacks = {
        .on_progress = on_progress, .on_done = on_transfer_done, .userdata = &board};
    struct transfer *transfer = transfer_start(&config, host, &callbacks);
    assert_non_null(transfer);
    assert_ptr_equal(watched_source, &source);
    assert_int_equal(loop_run(board.loop), 0);

    transfer_free(transfer);
    if (board.fd >= 0)
        close(board.fd);
    loop_free(board.loop);
    return board;
}

static const struct script scripts[] = {
    {"OK after everything", 0, IMAGE_SIZE, "784OK", END_FIN, OTA_OK, ""},
    {"OK and an open connection", 0, IMAGE_SIZE, "784OK", END_NONE, OTA_OK, ""},
    {"OK then a reset", 0, IMAGE_SIZE, "OK", END_RESET, OTA_OK, ""},
    {"OK in the middle", 0, 100000, "1460OK", END_NONE, OTA_E_EARLY_OK, "of 300000 bytes"},
    {"a reason at the end", 0, IMAGE_SIZE, "600ERROR[7]: MD5 verification failed\n", END_FIN,
     OTA_E_BOARD, "the board says: ERROR[7]: MD5 verification failed"},
    {"a reason without line end", 0, IMAGE_SIZE, "MD5 Check Failed", END_FIN, OTA_E_BOARD,
     "MD5 Check Failed"},
    {"a reason in the middle, connection open", 0, 50000, "1460Flash Write Failed\r\n", END_NONE,
     OTA_E_BOARD, "Flash Write Failed"},
    {"half a reason in the middle, connection open", 0, 50000, "1460Flash Wri", END_NONE,
     OTA_E_BOARD, "Flash Wri"},
    {"closed in the middle", 0, 50000, "1460", END_FIN, OTA_E_LOST, "of 300000 bytes"},
    {"reset in the middle", 0, 50000, "1460", END_RESET, OTA_E_LOST, "reset"},
    {"closed after everything", 0, IMAGE_SIZE, "1460", END_FIN, OTA_E_UNKNOWN, "closed"},
    {"reset after everything", 0, IMAGE_SIZE, "1460", END_RESET, OTA_E_UNKNOWN, "all 300000 bytes"},
    {"busy, and its TCP answers the probes", 0, IMAGE_SIZE, "1460", END_LATE_FIN, OTA_E_UNKNOWN,
     "closed"},
    {"a lone O", 0, IMAGE_SIZE, "1460O", END_FIN, OTA_E_UNKNOWN, "closed"},
    {"escapes", 0, IMAGE_SIZE, "1460\x1b[2J\x07\r\n", END_FIN, OTA_E_BOARD, "\\x1b[2J\\"},
    {"lock-step to OK", 1460, IMAGE_SIZE, "784OK", END_FIN, OTA_OK, ""},
    {"lock-step yields the reason", 1460, 51100, "1460Flash Write Failed\r\n", END_FIN, OTA_E_BOARD,
     "Flash Write Failed"},
};

static const struct script restarts[] = {
    {"back after a restart", 0, IMAGE_SIZE, "1460", END_RESTART, OTA_E_UNKNOWN,
     "the board left the network and has restarted: 2."},
    {"back after a restart in the middle", 1460, 51100, "1460", END_RESTART, OTA_E_LOST, "reset"},
};

/* During an outage of this computer a silence, and so the reset after it, shows no restart. */
static const struct script unseen[] = {
    {"a reset after an outage", 0, IMAGE_SIZE, "1460", END_RESTART, OTA_E_UNKNOWN,
     "the board's verdict did not come: the board reset the connection"},
};

static void play_all(const struct script *all, size_t count)
{
    struct image image = make_image(IMAGE_SIZE);

    for (size_t i = 0; i < count; i++) {
        const struct script *script = &all[i];
        struct board board = play_transfer(script, &image);

        print_message("  %s: %s\n", script->name, board.failure.message);
        assert_int_equal(board.failure.error, script->expected);
        assert_non_null(strstr(board.failure.message, script->phrase));
        if (script->expected == OTA_E_BOARD)
            assert_int_equal(board.failure.cause, reason_cause(script->phrase));
        if (script->expected == OTA_E_UNKNOWN)
            assert_int_equal(board.failure.cause, script->end == END_RESTART && !outages
                                                      ? OTA_CAUSE_RESTARTED
                                                      : OTA_CAUSE_NONE);
        assert_int_equal(board.ends, 1);
        assert_memory_equal(board.bytes, image.data, board.received);
        if (script->expected == OTA_OK) {
            assert_int_equal(board.received, image.size);
            assert_int_equal(board.last_progress, image.size);
        }
        if (script->block)
            assert_true(board.largest_read <= script->block);
        free(board.bytes);
    }
    free(image.data);
}

static void test_transfer_scripts(void **state)
{
    (void)state;
    play_all(scripts, sizeof scripts / sizeof *scripts);
}

static void test_restarts(void **state)
{
    (void)state;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool may_drop = drop_everything(probe);

    close(probe);
    if (!may_drop)
        requirement_skip("socket filters for this user");
    play_all(restarts, sizeof restarts / sizeof *restarts);
    for (outages = OUTAGE_LINK; outages <= OUTAGE_STOP; outages++)
        play_all(unseen, sizeof unseen / sizeof *unseen);
    outages = 0;
}

static void test_smallest_image(void **state)
{
    (void)state;
    struct image image = make_image(16);
    const struct script script = {"small", 0, 16, "16OK", END_FIN, OTA_OK, ""};
    struct board board = play_transfer(&script, &image);

    assert_int_equal(board.failure.error, OTA_OK);
    assert_int_equal(board.received, 16);
    free(board.bytes);
    free(image.data);
}

/* Bytes that the board sent before it got any are read before any is sent: such an OK is early,
 * also if the whole image would fit the board's window, and behind more digits than one turn
 * reads. */
static void test_ok_before_the_first_byte(void **state)
{
    (void)state;
    static const struct {
        size_t size, digits;
    } rows[] = {{16, 0}, {2000, 0}, {2000, 3}, {20000, 4096}, {2000, 40000}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct image image = make_image(rows[i].size);
        struct board board = {.loop = loop_new()};
        const struct transfer_config config = {
            .loop = board.loop, .image = &image, .source = &source_any};
        const struct transfer_callbacks callbacks = {
            .on_progress = on_progress, .on_done = on_transfer_done, .userdata = &board};
        int host;

        connect_pair(&host, &board.fd);
        for (size_t sent = 0; sent < rows[i].digits; sent++)
            assert_int_equal(send(board.fd, "1", 1, 0), 1);
        assert_int_equal(send(board.fd, "OK", 2, 0), 2);
        struct transfer *transfer = transfer_start(&config, host, &callbacks);

        assert_int_equal(loop_run(board.loop), 0);
        assert_int_equal(board.failure.error, OTA_E_EARLY_OK);
        assert_non_null(strstr(board.failure.message, "said OK when it had only 0 of"));
        transfer_free(transfer);
        close(board.fd);
        loop_free(board.loop);
        free(image.data);
    }
}

/* What this computer lacks is not the board's fault, and has a remedy of its own. */
static void test_no_memory_to_send(void **state)
{
    static const struct script script = {.after = IMAGE_SIZE, .text = "OK"};
    struct image image = make_image(IMAGE_SIZE);
    (void)state;

    failing_start(FAILING_SEND, 0, ENOBUFS);
    struct board board = play_transfer(&script, &image);
    assert_true(failing_stop());
    assert_int_equal(board.failure.error, OTA_E_INTERNAL);
    assert_int_equal(board.failure.cause, OTA_CAUSE_OUT_OF_MEMORY);
    assert_non_null(strstr(board.failure.message, "No buffer space"));
    free(board.bytes);
    free(image.data);
}

/* transfer_free() closes the connection with FIN, not with a reset, which may be lost. */
static void test_freeing_closes_with_fin(void **state)
{
    (void)state;
    struct image image = make_image(1000);
    struct loop *loop = loop_new();
    const struct transfer_config config = {.loop = loop, .image = &image, .source = &source_any};
    const struct transfer_callbacks callbacks = {.on_progress = on_progress,
                                                 .on_done = on_transfer_done};
    int host, board;
    char bytes[2000];

    connect_pair(&host, &board);
    /* With unread data, close() alone would reset the connection. */
    assert_int_equal(send(board, "1460", 4, 0), 4);
    struct transfer *transfer = transfer_start(&config, host, &callbacks);
    assert_int_equal(recv(board, bytes, 1000, MSG_WAITALL), 1000);
    assert_true(transfer_all_sent(transfer));

    transfer_free(transfer);
    assert_int_equal(recv(board, bytes, sizeof bytes, 0), 0);
    close(board);
    loop_free(loop);
    free(image.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfer_scripts),  cmocka_unit_test(test_restarts),
        cmocka_unit_test(test_smallest_image),    cmocka_unit_test(test_ok_before_the_first_byte),
        cmocka_unit_test(test_no_memory_to_send), cmocka_unit_test(test_freeing_closes_with_fin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
