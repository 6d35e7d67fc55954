/*
 * test-connection.c: an exchange over a real TCP connection, against a board played by a table.
 */
#include "upload/esphome/connection.h"

#include "base/address.h"
#include "base/loop.h"
#include "base/units.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { IMAGE_SIZE = 3000000, STEPS_SIZE = 5 + 1 + 4 + 32, ACTS_MAX = 8, PIECE = 16384 };
/* More than the kernel takes from us before the board reads. */
enum { PART = 20000 };

enum end { END_NONE, END_FIN, END_RESET, END_READING /* it reads no more */ };

/* When the board has read `after` bytes in all, it sends these bytes. */
struct act {
    size_t after;
    const char *bytes;
    size_t length;
    enum end end;
};

#define SAY(after, bytes)                                                                          \
    {                                                                                              \
        after, bytes, sizeof(bytes) - 1, END_NONE                                                  \
    }
#define CHALLENGE                                                                                  \
    "\x40\x01"                                                                                     \
    "0123456789abcdef0123456789abcdef"
#define UNTIL_READY SAY(5, "\0\2"), SAY(6, "\x40\x41"), SAY(10, "\x42"), SAY(STEPS_SIZE, "\x43")

struct script {
    const char *name;
    struct act acts[ACTS_MAX];
    enum ota_error expected;
    const char *phrase; /* a part of the message */
    bool is_all_sent;
};

static const struct script scripts[] = {
    {"installed", {UNTIL_READY, SAY(STEPS_SIZE + IMAGE_SIZE, "\x47\x44\x45")}, OTA_OK, "", true},
    {"error in mid-transfer, unread data behind it",
     {UNTIL_READY, {STEPS_SIZE + PART, "\x83", 1, END_FIN}},
     OTA_E_BOARD,
     "0x83",
     false},
    {"error after the image, then a reset",
     {UNTIL_READY, {STEPS_SIZE + IMAGE_SIZE, "\x44\x8B", 2, END_RESET}},
     OTA_E_BOARD,
     "0x8B",
     true},
    {"lost",
     {UNTIL_READY, {STEPS_SIZE + PART, "", 0, END_FIN}},
     OTA_E_LOST,
     "of 3000000 bytes",
     false},
    {"verdict lost",
     {UNTIL_READY, {STEPS_SIZE + IMAGE_SIZE, "\x44", 1, END_FIN}},
     OTA_E_UNKNOWN,
     "all 3000000 bytes were sent",
     true},
    {"45 too early",
     {UNTIL_READY, SAY(STEPS_SIZE + PART, "\x44")},
     OTA_E_EARLY_OK,
     "when it had only",
     false},
    {"closed at once", {{5, "", 0, END_FIN}}, OTA_E_NO_ANSWER, "its part of the greeting", false},
    {"closed instead of 42",
     {SAY(5, "\0\2"), SAY(6, "\x40\x41"), {10, "", 0, END_FIN}},
     OTA_E_NO_ANSWER,
     "its flash is ready",
     false},
    {"refused",
     {SAY(5, "\0\2"), SAY(6, "\x40\x41"), {10, "\x89", 1, END_FIN}},
     OTA_E_REFUSED,
     "0x89",
     false},
    {"accepted together with the challenge",
     {SAY(5, "\0\2"), SAY(6, CHALLENGE "\x41")},
     OTA_E_REFUSED,
     "0x41 before it could have the answer",
     false},
    {"accepted after the answer",
     {SAY(5, "\0\2"), SAY(6, CHALLENGE), {6 + 64, "\x41\x89", 2, END_FIN}},
     OTA_E_REFUSED,
     "0x89",
     false},
    {"silent", {{0}}, OTA_E_NO_ANSWER, "was silent", false},
};

struct board {
    const struct script *script;
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer limit;
    int fd;
    size_t received, acts;
    struct connection *connection;
    struct ota_failure failure;
    size_t progress;
    bool is_ready;
    bool is_asked; /* for an answer with MD5, by what has no password */
};

static const struct act *next_act(const struct board *board)
{
    const struct act *act = &board->script->acts[board->acts];

    return board->acts < ACTS_MAX && act->after > 0 ? act : NULL;
}

static void perform(struct board *board, const struct act *act)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    board->acts++;
    if (act->length > 0)
        assert_int_equal(send(board->fd, act->bytes, act->length, MSG_NOSIGNAL), act->length);
    if (act->end == END_NONE)
        return;

    loop_watch_stop(&board->watch);
    if (act->end == END_READING)
        return;
    if (act->end == END_RESET)
        setsockopt(board->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(board->fd);
    board->fd = -1;
}

static void on_board_readable(unsigned events, void *userdata)
{
    static unsigned char bytes[PIECE];
    struct board *board = userdata;
    const struct act *act = next_act(board);
    size_t want =
        act && act->after - board->received < PIECE ? act->after - board->received : PIECE;
    ssize_t got = recv(board->fd, bytes, want, 0);

    (void)events;
    if (got <= 0) {
        loop_watch_change(&board->watch, 0);
        return;
    }
    board->received += (size_t)got;
    if (act && board->received == act->after)
        perform(board, act);
}

static void on_event(enum exchange_event event, const struct exchange *exchange, void *userdata)
{
    struct board *board = userdata;

    assert_non_null(exchange);
    board->is_ready |= event == EXCHANGE_READY;
    board->is_asked |= event == EXCHANGE_NO_PASSWORD && exchange->scheme == AUTH_MD5;
}

/* The connection's clock, which goes forward at each progress from this one on; the loop's does
 * not. With a trickle, each look finds one byte more acknowledged. */
static struct {
    int64_t step_us;
    size_t from;
    bool has_trickle;
    int64_t ahead_us;
    size_t trickled;
} warp;

int64_t __real_loop_now_us(void);
int64_t __wrap_loop_now_us(void);

int64_t __wrap_loop_now_us(void)
{
    return __real_loop_now_us() + warp.ahead_us;
}

size_t __real_tcp_unacknowledged(int fd);
size_t __wrap_tcp_unacknowledged(int fd);

size_t __wrap_tcp_unacknowledged(int fd)
{
    const size_t queued = __real_tcp_unacknowledged(fd);

    warp.trickled += warp.has_trickle;
    return queued > warp.trickled ? queued - warp.trickled : 0;
}

static void on_progress(size_t acknowledged, void *userdata)
{
    struct board *board = userdata;

    assert_true(acknowledged > board->progress && acknowledged <= IMAGE_SIZE);
    board->progress = acknowledged;
    if (acknowledged >= warp.from)
        warp.ahead_us += warp.step_us;
}

static void on_done(const struct ota_failure *failure, void *userdata)
{
    struct board *board = userdata;

    board->failure = *failure;
    loop_quit(board->loop);
}

static void on_limit(void *userdata)
{
    (void)userdata;
    fail_msg("the exchange did not end");
}

static void connect_pair(int *host, int *board)
{
    struct address local;
    socklen_t length = sizeof local;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(address_parse(&local, "127.0.0.1"));
    assert_int_equal(bind(listener, &local.any, address_length(&local)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, &local.any, &length), 0);
    *host = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(connect(*host, &local.any, length) == 0 || errno == EINPROGRESS);
    *board = accept(listener, NULL, NULL);
    assert_true(*board >= 0);
    close(listener);
}

static const char *host_password = "secret";

/* The host receives no more at once, and may be unable to send. */
static int host_socket, host_send_error;
static size_t host_piece;

ssize_t __real_recv(int fd, void *buffer, size_t length, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t length, int flags);

ssize_t __wrap_recv(int fd, void *buffer, size_t length, int flags)
{
    const bool is_cut = fd == host_socket && host_piece < length;

    return __real_recv(fd, buffer, is_cut ? host_piece : length, flags);
}

ssize_t __real_send(int fd, const void *buffer, size_t length, int flags);
ssize_t __wrap_send(int fd, const void *buffer, size_t length, int flags);

ssize_t __wrap_send(int fd, const void *buffer, size_t length, int flags)
{
    if (fd != host_socket || !host_send_error)
        return __real_send(fd, buffer, length, flags);
    errno = host_send_error;
    return -1;
}

/* Returns the cause of the failure. */
static enum ota_cause run_script(const struct script *script, size_t piece)
{
    static unsigned char image[IMAGE_SIZE];
    struct trust trust = {0};
    struct board board = {.script = script, .loop = loop_new()};
    const struct exchange_config config = {
        .plain = {image, sizeof image, "0123456789abcdef0123456789abcdef"},
        .password = host_password,
        .trust = &trust};
    const struct connection_callbacks callbacks = {
        .on_event = on_event, .on_progress = on_progress, .on_done = on_done, .userdata = &board};
    int host;

    assert_non_null(board.loop);
    connect_pair(&host, &board.fd);
    host_socket = host;
    host_piece = piece;
    loop_timer_init(&board.limit, board.loop, on_limit, NULL);
    loop_timer_start(&board.limit, SECONDS(50));
    assert_int_equal(loop_watch_start(&board.watch, board.loop, board.fd, LOOP_READABLE,
                                      on_board_readable, &board),
                     0);
    board.connection = connection_start(board.loop, host, &config, MILLISECONDS(300), &callbacks);
    assert_non_null(board.connection);
    loop_run(board.loop);

    if (board.failure.error != script->expected ||
        !strstr(board.failure.message, script->phrase ? script->phrase : ""))
        fail_msg("%s: %s, \"%s\"", script->name, ota_error_name(board.failure.error),
                 board.failure.message);
    assert_int_equal(connection_all_sent(board.connection), script->is_all_sent);
    assert_int_equal(board.is_ready, script->acts[3].after > 0);
    assert_int_equal(board.is_asked, !host_password);
    if (script->expected == OTA_OK) {
        assert_int_equal(board.progress, IMAGE_SIZE);
        assert_true(connection_all_acknowledged(board.connection));
    }

    connection_free(board.connection);
    loop_watch_stop(&board.watch);
    loop_timer_stop(&board.limit);
    if (board.fd >= 0)
        close(board.fd);
    loop_free(board.loop);
    return board.failure.cause;
}

static void test_scripts(void **state)
{
    static const size_t pieces[] = {PIECE, sizeof CHALLENGE - 1}; /* what follows it stays behind */

    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        for (size_t piece = 0; piece < sizeof pieces / sizeof *pieces; piece++)
            run_script(&scripts[i], pieces[piece]);
}

static void test_limits(void **state)
{
    static const struct {
        struct script script;
        int64_t step_us;
        size_t from;
        bool has_trickle;
    } rows[] = {
        {{"no verdict",
          {UNTIL_READY, SAY(STEPS_SIZE + IMAGE_SIZE, "\x44")},
          OTA_E_UNKNOWN,
          "the board had the last byte for 90 s, and gave no verdict",
          true},
         SECONDS(90),
         IMAGE_SIZE,
         false},
        {{"stalled",
          {UNTIL_READY, {STEPS_SIZE + PART, "", 0, END_READING}},
          OTA_E_STALLED,
          "the board stopped taking data after",
          false},
         SECONDS(90),
         0,
         false},
        {{"slow",
          {UNTIL_READY, {STEPS_SIZE + PART, "", 0, END_READING}},
          OTA_E_STALLED,
          "the board takes less than 512 bytes/s after",
          false},
         SECONDS(90 + IMAGE_SIZE / 512 + 1),
         0,
         true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        warp.step_us = rows[i].step_us;
        warp.from = rows[i].from;
        warp.has_trickle = rows[i].has_trickle;
        run_script(&rows[i].script, PIECE);
        memset(&warp, 0, sizeof warp);
    }
}

/* What this computer lacks is not the board's fault, and has a remedy of its own. */
static void test_no_memory_to_send(void **state)
{
    static const struct script script = {
        "no memory to send", {{0}}, OTA_E_INTERNAL, "No buffer space", false};

    (void)state;
    host_send_error = ENOBUFS;
    assert_int_equal(run_script(&script, PIECE), OTA_CAUSE_OUT_OF_MEMORY);
    host_send_error = 0;
}

/* The board's scheme is known before the connection ends, so that it can be told before somebody is
 * asked for the password. */
static void test_no_password(void **state)
{
    static const struct script script = {
        "no password", {SAY(5, "\0\2"), SAY(6, CHALLENGE)}, OTA_E_PASSWORD_NEEDED, NULL, false};

    (void)state;
    host_password = NULL;
    run_script(&script, PIECE);
    host_password = "secret";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_memory_to_send),
        cmocka_unit_test(test_no_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
