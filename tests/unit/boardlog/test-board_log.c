/*
 * test-board_log.c: a board's log over real TCP connections. The test plays the board.
 */
#include "base/loop.h"
#include "boardlog/board_log.h"
#include "net/source.h"
#include "support/requirement.h"
#include "support/watch_limit.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    CROWD = 4,
    COST_US = 2000, /* of a line that takes long */
    LONG_US =
        30 * 1000 * 1000, /* enough on a busy machine; the kernel's own timeouts are minutes */
};

/* One test. record has the callbacks of the log in their order: "[line]", "[line..." for an
 * unfinished line, "...line]" for a continuation, and a letter for each state. */
struct scene {
    struct loop *loop;
    struct address address;
    int listener;
    struct loop_watch watch;
    struct loop_timer deadline;
    struct board_log *log;
    int number;         /* an errno, of the last state */
    const char *reason; /* likewise */
    char record[512];
    size_t used;
    const char *wanted;
    size_t enough; /* length of the record at which the loop ends; 0: at wanted */
    char free_at;  /* character of the record at which the log is freed */
    int called;    /* the board's end of the last connection */
    int board;     /* the board's end of the connection that the test watches */
    struct loop_timer drip;
    size_t bytes;        /* total length of the lines */
    size_t bytes_before; /* value of bytes when the turn began */
    size_t flood;        /* value of bytes at which the loop ends; 0: none */
    size_t turn_max;     /* of a flood: the most bytes in a turn of the loop */
    bool is_costly;      /* each line takes COST_US */
    bool is_full;        /* there is no room for more lines */
    bool was_full;       /* that was told; the loop has ended */
};

static void append_to_record(struct scene *scene, const void *text, size_t length)
{
    assert_true(scene->used + length < sizeof scene->record);
    memcpy(scene->record + scene->used, text, length);
    scene->used += length;
    scene->record[scene->used] = '\0';

    if (scene->free_at && memchr(text, scene->free_at, length)) {
        board_log_free(scene->log);
        scene->log = NULL;
        scene->free_at = '\0';
        loop_quit(scene->loop);
    }

    if ((scene->wanted && strcmp(scene->record, scene->wanted) == 0) ||
        (scene->enough && scene->used >= scene->enough))
        loop_quit(scene->loop);
}

static void on_log_line(const struct line *line, void *userdata)
{
    struct scene *scene = userdata;
    char text[LINE_SPLITTER_MAX + 8];
    int length =
        snprintf(text, sizeof text, "%s%.*s%s", line->is_continuation ? "..." : "[",
                 (int)line->length, (const char *)line->bytes, line->is_unfinished ? "..." : "]");

    const int64_t started_us = loop_now_us();

    while (scene->is_costly && loop_now_us() - started_us < COST_US)
        ;
    scene->bytes += line->length;
    if (scene->bytes < sizeof scene->record / 2)
        append_to_record(scene, text, (size_t)length);
    if (scene->flood)
        assert_true(scene->bytes - scene->bytes_before <= scene->turn_max);
    if (scene->flood && scene->bytes >= scene->flood)
        loop_quit(scene->loop);
}

static void on_state(enum board_log_state state, int number, const char *reason, void *userdata)
{
    static const char letters[] = {'C', 'L', 'T', 'R', 'U'};
    struct scene *scene = userdata;

    assert_non_null(reason);
    scene->number = number;
    scene->reason = reason;
    append_to_record(scene, &letters[state], 1);
}

static bool has_room(void *userdata)
{
    struct scene *scene = userdata;

    if (scene->is_full && !scene->was_full) {
        scene->was_full = true;
        loop_quit(scene->loop);
    }
    return !scene->is_full;
}

static void on_log_deadline(void *userdata)
{
    const struct scene *scene = userdata;
    fail_msg("the record is \"%s\"", scene->record);
}

static void on_call(unsigned events, void *userdata)
{
    struct scene *scene = userdata;
    (void)events;

    scene->called = accept4(scene->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(scene->called >= 0);
    loop_watch_change(&scene->watch, 0);
    loop_quit(scene->loop);
}

static void start_listening(struct scene *scene, int backlog)
{
    int on = 1;
    socklen_t length = address_length(&scene->address);

    scene->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(scene->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(scene->listener, &scene->address.any, length), 0);
    assert_int_equal(listen(scene->listener, backlog), 0);
    assert_int_equal(getsockname(scene->listener, &scene->address.any, &length), 0);
    assert_int_equal(
        loop_watch_start(&scene->watch, scene->loop, scene->listener, 0, on_call, scene), 0);
}

static void stop_listening(struct scene *scene)
{
    loop_watch_stop(&scene->watch);
    close(scene->listener);
    scene->listener = -1;
}

static void start_log(struct scene *scene)
{
    const struct board_log_callbacks callbacks = {
        .on_line = on_log_line, .on_state = on_state, .has_room = has_room, .userdata = scene};
    scene->log = board_log_start(scene->loop, &scene->address, &source_any, false, &callbacks);
    assert_non_null(scene->log);
    assert_int_equal(scene->used, 0);
}

static void open_scene(struct scene *scene)
{
    *scene = (struct scene){.loop = loop_new(), .called = -1};
    assert_non_null(scene->loop);
    assert_true(address_parse(&scene->address, "127.0.0.1"));
    loop_timer_init(&scene->deadline, scene->loop, on_log_deadline, scene);
    start_listening(scene, 4);
    start_log(scene);
}

static void close_scene(struct scene *scene)
{
    board_log_free(scene->log);
    if (scene->listener >= 0)
        stop_listening(scene);
    loop_free(scene->loop);
}

static void run_board_log(struct scene *scene)
{
    loop_timer_start(&scene->deadline, 15 * INT64_C(1000000));
    assert_int_equal(loop_run(scene->loop), 0);
    loop_timer_stop(&scene->deadline);
}

/* Runs the loop until the record is this. */
static void run_log_until(struct scene *scene, const char *record)
{
    scene->wanted = record;
    if (strcmp(scene->record, record) != 0)
        run_board_log(scene);
    scene->wanted = NULL;
    assert_string_equal(scene->record, record);
}

/* Runs the loop until the log connects. Returns the board's end of the connection. */
static int take_call(struct scene *scene)
{
    loop_watch_change(&scene->watch, LOOP_READABLE);
    run_board_log(scene);
    return scene->called;
}

static void say_to_log(int board, const char *text)
{
    int on = 1;
    setsockopt(board, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    assert_int_equal(send(board, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void test_log_lines(void **state)
{
    struct scene scene;
    (void)state;

    open_scene(&scene);
    int board = take_call(&scene);
    say_to_log(board, "\xff\xfb\x01\x1b[32mone\x1b[m\r\ntw");
    run_log_until(&scene, "C[one]");
    say_to_log(board, "o\r\n");
    run_log_until(&scene, "C[one][two]");

    close(board);
    run_log_until(&scene, "C[one][two]L");
    close_scene(&scene);
}

/* A prompt does not end its line. It is handed out unfinished, after 200 ms. */
static void test_a_prompt(void **state)
{
    struct scene scene;
    (void)state;

    open_scene(&scene);
    int board = take_call(&scene);
    run_log_until(&scene, "C");
    int64_t start_us = loop_now_us();
    say_to_log(board, "name: ");
    run_log_until(&scene, "C[name: ...");
    assert_true(loop_now_us() - start_us >= 200000);

    say_to_log(board, "x\n");
    run_log_until(&scene, "C[name: ...[name: x]");
    say_to_log(board, "half");
    close(board);
    run_log_until(&scene, "C[name: ...[name: x][half]L");
    close_scene(&scene);
}

static void on_drip(void *userdata)
{
    struct scene *scene = userdata;
    say_to_log(scene->called, ".");
    loop_timer_start(&scene->drip, 50000);
}

/* Dots that come one by one without a line end are handed out as they come. */
static void test_dots(void **state)
{
    struct scene scene;
    (void)state;

    open_scene(&scene);
    int board = take_call(&scene);
    run_log_until(&scene, "C");
    loop_timer_init(&scene.drip, scene.loop, on_drip, &scene);
    loop_timer_start(&scene.drip, 0);
    scene.enough = 3;
    run_board_log(&scene);
    assert_memory_equal(scene.record, "C[..", 4);
    close(board);
    close_scene(&scene);
}

static void test_connects_again(void **state)
{
    struct scene scene;
    (void)state;

    open_scene(&scene);
    int board = take_call(&scene);
    run_log_until(&scene, "C");
    stop_listening(&scene);
    close(board);
    run_log_until(&scene, "CLR"); /* several refusals, reported once */
    start_listening(&scene, 4);
    board = take_call(&scene);
    say_to_log(board, "back\n");
    run_log_until(&scene, "CLRC[back]");
    close(board);
    close_scene(&scene);
}

/* A board that serves another client closes the connection at once. */
static void test_turned_away(void **state)
{
    static const int64_t pauses_us[] = {0, 200000, 400000, 800000};
    struct scene scene;
    int64_t last_us = loop_now_us();
    (void)state;

    open_scene(&scene);
    for (size_t i = 0; i < sizeof pauses_us / sizeof *pauses_us; i++) {
        int board = take_call(&scene);
        assert_true(loop_now_us() - last_us >= pauses_us[i]);
        last_us = loop_now_us();
        close(board);
    }
    assert_string_equal(scene.record, "T");

    int board = take_call(&scene);
    run_log_until(&scene, "TC");
    close(board); /* after a connection that was kept, the pauses are short again */
    last_us = loop_now_us();
    close(take_call(&scene));
    assert_true(loop_now_us() - last_us < 1600000); /* the next longer pause */
    close_scene(&scene);
}

/* The connection is there, but the kernel allows no watch for it: which is said, and tried
 * again. */
static void test_no_more_watches(void **state)
{
    struct scene scene;
    (void)state;

    open_scene(&scene);
    watch_limit_is_reached = true;
    int refused = take_call(&scene);
    run_log_until(&scene, "U");
    watch_limit_is_reached = false;
    assert_int_equal(scene.number, ENFILE);
    assert_string_equal(scene.reason, strerror(ENFILE));

    int board = take_call(&scene);
    run_log_until(&scene, "UC");
    close(board);
    close(refused);
    close_scene(&scene);
}

static void test_silent_log(void **state)
{
    struct scene scene;
    int crowd[CROWD];
    (void)state;

    open_scene(&scene);
    stop_listening(&scene);
    start_listening(&scene, 0);
    for (size_t i = 0; i < CROWD; i++) {
        crowd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(crowd[i], &scene.address.any, address_length(&scene.address));
    }
    int64_t start_us = loop_now_us();
    run_log_until(&scene, "U");
    assert_in_range(loop_now_us() - start_us, 2000000, LONG_US);
    for (size_t i = 0; i < CROWD; i++)
        close(crowd[i]);
    close_scene(&scene);
}

static void read_all(int board, const char *expected)
{
    char text[64];
    size_t length = strlen(expected);

    for (size_t used = 0; used < length;) {
        ssize_t got = recv(board, text + used, sizeof text - used, 0);
        assert_true(got > 0);
        used += (size_t)got;
        assert_true(used <= length);
        assert_memory_equal(text, expected, used);
    }
}

/* Boards discard early input, and would treat telnet negotiation as input. */
static void test_sends_when_the_board_listens(void **state)
{
    struct scene scene;
    struct pollfd readable = {.events = POLLIN};
    (void)state;

    open_scene(&scene);
    assert_true(board_log_send(scene.log, "one", 3));
    int board = take_call(&scene);
    int64_t start_us = loop_now_us();
    readable.fd = board;
    assert_true(board_log_send(scene.log, "", 0));
    say_to_log(board, "\xff\xfd\x18welcome\n");
    run_log_until(&scene, "C[welcome]");
    assert_true(board_log_send(scene.log, "", 0));
    int arrived = poll(&readable, 1, 10);
    if (loop_now_us() - start_us < 150000)
        assert_int_equal(arrived, 0);
    say_to_log(board, "prompt"); /* handed out after 200 ms, so the loop runs until then */
    run_log_until(&scene, "C[welcome][prompt...");
    read_all(board, "one\r\n\r\n\r\n");
    assert_true(board_log_send(scene.log, "two", 3));
    read_all(board, "two\r\n");
    assert_int_equal(poll(&readable, 1, 0), 0);
    close(board);
    close_scene(&scene);
}

static void test_the_queue_is_bounded(void **state)
{
    struct scene scene;
    char line[BOARD_LOG_QUEUE_MAX] = {0};
    (void)state;

    open_scene(&scene);
    assert_false(board_log_send(scene.log, line, BOARD_LOG_QUEUE_MAX));
    assert_false(board_log_send(scene.log, line, BOARD_LOG_QUEUE_MAX - 1));
    assert_true(board_log_send(scene.log, line, BOARD_LOG_QUEUE_MAX - 4));
    assert_false(board_log_send(scene.log, line, 1));
    assert_true(board_log_send(scene.log, line, 0));
    assert_false(board_log_send(scene.log, line, 0));
    close_scene(&scene);
}

static void on_much(unsigned events, void *userdata)
{
    struct scene *scene = userdata;
    char buffer[4096];
    (void)events;

    ssize_t got = recv(scene->board, buffer, sizeof buffer, 0);
    assert_true(got > 0 && (size_t)got <= scene->bytes);
    scene->bytes -= (size_t)got;
    if (scene->bytes == 0)
        loop_quit(scene->loop);
}

/* A queue that TCP cannot take at once is sent in parts. */
static void test_a_slow_board_gets_all(void **state)
{
    struct scene scene;
    static const char line[1000];
    int small = 4096;
    (void)state;

    open_scene(&scene);
    setsockopt(scene.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    int board = take_call(&scene);
    run_log_until(&scene, "C");
    while (board_log_send(scene.log, line, sizeof line))
        scene.bytes += sizeof line + 2;

    struct loop_watch watch = {0};
    scene.board = board;
    assert_int_equal(loop_watch_start(&watch, scene.loop, board, LOOP_READABLE, on_much, &scene),
                     0);
    run_board_log(&scene);
    assert_int_equal(scene.bytes, 0);
    loop_watch_stop(&watch);
    close(board);
    close_scene(&scene);
}

/* A line that was queued for a connection is not sent over the next one. */
static void test_a_lost_connection_takes_its_queue_along(void **state)
{
    struct scene scene;
    static char line[BOARD_LOG_QUEUE_MAX - 2];
    int small = 4096;
    (void)state;

    memset(line, 'x', sizeof line);
    open_scene(&scene);
    setsockopt(scene.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    int board = take_call(&scene);
    run_log_until(&scene, "C");
    while (board_log_send(scene.log, line, sizeof line))
        ; /* fill the buffers of both ends */
    close(board);
    run_log_until(&scene, "CL");

    assert_true(board_log_send(scene.log, "new", 3));
    board = take_call(&scene);
    run_log_until(&scene, "CLC");
    read_all(board, "new\r\n");
    close(board);
    close_scene(&scene);
}

static void test_freed_in_its_callbacks(void **state)
{
    static const char moments[] = "CoewdL"; /* the state, each line, the last line, and the end */
    (void)state;

    for (size_t i = 0; i < sizeof moments - 1; i++) {
        struct scene scene;

        open_scene(&scene);
        scene.free_at = moments[i];
        int board = take_call(&scene);
        say_to_log(board, "o\ne\nw\nend");
        close(board);
        run_board_log(&scene);
        assert_null(scene.log);
        assert_int_equal(scene.record[scene.used - 1], moments[i] < 'a' ? moments[i] : ']');
        close_scene(&scene);
    }
}

enum { FLOOD_LINE = 64 }; /* with its end */

static void on_flood(unsigned events, void *userdata)
{
    static char lines[1024 * FLOOD_LINE];
    const struct scene *scene = userdata;
    (void)events;

    memset(lines, 'x', sizeof lines);
    for (size_t end = FLOOD_LINE; end <= sizeof lines; end += FLOOD_LINE)
        lines[end - 1] = '\n';
    (void)!send(scene->board, lines, sizeof lines, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_new_turn(void *userdata)
{
    struct scene *scene = userdata;

    scene->bytes_before = scene->bytes;
    loop_timer_start(&scene->drip, 0);
}

/* The board sends as fast as it can, until the log has told of so many bytes. */
static void flood_log(bool is_costly, size_t turn_max, size_t bytes)
{
    struct scene scene;
    struct loop_watch watch = {0};

    open_scene(&scene);
    scene.board = take_call(&scene);
    scene.is_costly = is_costly;
    scene.turn_max = turn_max;
    scene.flood = bytes;
    assert_int_equal(
        loop_watch_start(&watch, scene.loop, scene.board, LOOP_WRITABLE, on_flood, &scene), 0);
    loop_timer_init(&scene.drip, scene.loop, on_new_turn, &scene);
    loop_timer_start(&scene.drip, 0);
    run_board_log(&scene);

    loop_watch_stop(&watch);
    close(scene.board);
    close_scene(&scene);
}

/* A flood from one board leaves time for the others in each turn of the loop. */
static void test_a_flood_starves_nobody(void **state)
{
    (void)state;

    flood_log(false, (size_t)32 * 1024, (size_t)4 * 1000 * 1000);
}

/* Nor does one whose lines take long to be looked at: a turn has one read, and perhaps the line
 * that was unfinished before it. */
static void test_a_costly_flood_starves_nobody(void **state)
{
    enum { READ = 512 };
    (void)state;

    flood_log(true, READ + FLOOD_LINE, (size_t)20 * READ);
}

/* Without room, neither the flood nor the end of the connection is read; typed lines are kept. */
static void test_no_room(void **state)
{
    struct scene scene;
    char heard[16] = "";
    struct pollfd poll_board = {.events = POLLIN};
    (void)state;

    open_scene(&scene);
    int board = poll_board.fd = take_call(&scene);
    run_log_until(&scene, "C");
    assert_false(board_log_is_behind(scene.log));

    scene.is_full = true;
    say_to_log(board, "one\ntwo\n");
    run_board_log(&scene);
    assert_true(board_log_is_behind(scene.log));
    assert_true(board_log_send(scene.log, "hi", 2));
    scene.was_full = false;
    run_board_log(&scene); /* it looks again, and nothing has changed */
    assert_string_equal(scene.record, "C");

    scene.is_full = false;
    run_log_until(&scene, "C[one][two]");
    assert_int_equal(poll(&poll_board, 1, 15000), 1);
    assert_int_equal(recv(board, heard, sizeof heard, 0), 4);
    assert_string_equal(heard, "hi\r\n");

    scene.is_full = true;
    scene.was_full = false;
    say_to_log(board, "three\n");
    close(board);
    run_board_log(&scene);
    assert_true(board_log_is_behind(scene.log));
    assert_string_equal(scene.record, "C[one][two]");
    scene.is_full = false;
    run_log_until(&scene, "C[one][two][three]L");
    assert_false(board_log_is_behind(scene.log));

    /* It may be freed meanwhile. */
    scene.is_full = true;
    scene.was_full = false;
    board = take_call(&scene);
    say_to_log(board, "four\n");
    run_board_log(&scene);
    close(board);
    close_scene(&scene);
}

/* A board that restarts forgets its connections without closing them, and resets them later. */
static void test_a_restart_is_noticed(void **state)
{
    struct scene scene;
    int on = 1;
    (void)state;

    open_scene(&scene);
    int board = take_call(&scene);
    run_log_until(&scene, "C");
    if (setsockopt(board, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) < 0) {
        close(board);
        close_scene(&scene);
        requirement_skip("TCP_REPAIR needs root");
    }

    close(board);
    int64_t start_us = loop_now_us();
    run_log_until(&scene, "CL");
    assert_true(loop_now_us() - start_us < LONG_US);
    board = take_call(&scene);
    run_log_until(&scene, "CLC");
    close(board);
    close_scene(&scene);
}

static void set_loopback(bool up)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = (short)(up ? IFF_UP : 0)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

/* A board that is out of reach answers nothing. It is noticed as quickly if a line waits for its
 * acknowledgement. The test moves the process into its own network namespace. */
static void test_a_lost_network_is_noticed(void **state)
{
    (void)state;

    if (unshare(CLONE_NEWNET) < 0)
        requirement_skip("unshare() needs root");

    for (int sends = 0; sends < 2; sends++) {
        struct scene scene;

        set_loopback(true);
        open_scene(&scene);
        int board = take_call(&scene);
        run_log_until(&scene, "C");

        set_loopback(false);
        int64_t start_us = loop_now_us();
        if (sends)
            assert_true(board_log_send(scene.log, "x", 1));
        scene.enough = 2;
        run_board_log(&scene);
        assert_memory_equal(scene.record, "CL", 2);
        assert_true(loop_now_us() - start_us < LONG_US);
        close(board);
        close_scene(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_lines),
        cmocka_unit_test(test_a_prompt),
        cmocka_unit_test(test_dots),
        cmocka_unit_test(test_connects_again),
        cmocka_unit_test(test_turned_away),
        cmocka_unit_test(test_no_more_watches),
        cmocka_unit_test(test_silent_log),
        cmocka_unit_test(test_sends_when_the_board_listens),
        cmocka_unit_test(test_the_queue_is_bounded),
        cmocka_unit_test(test_a_slow_board_gets_all),
        cmocka_unit_test(test_a_lost_connection_takes_its_queue_along),
        cmocka_unit_test(test_freed_in_its_callbacks),
        cmocka_unit_test(test_a_flood_starves_nobody),
        cmocka_unit_test(test_a_costly_flood_starves_nobody),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_a_restart_is_noticed),
        cmocka_unit_test(test_a_lost_network_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
