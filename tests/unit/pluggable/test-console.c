/*
 * test-console.c: a conversation on a pipe in place of standard input, and what ends it.
 */
#include "base/json_memory.h"
#include "pluggable/console.h"
#include "support/capture.h"
#include "support/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HELLO "HELLO 1 \"test\"\n"
#define GREETED "{\"eventType\":\"hello\",\"protocolVersion\":1,\"message\":\"OK\"}\n"
#define GONE "{\"eventType\":\"quit\",\"message\":\"OK\"}\n"
#define STARTED "{\"eventType\":\"start\",\"message\":\"OK\"}\n"
#define COMMAND_ERROR(text)                                                                        \
    "{\"eventType\":\"command_error\",\"error\":true,\"message\":\"" text "\"}\n"

enum { LINE_MAX_BYTES = 1024 };

static struct world {
    struct loop *loop;
    struct console *console;
    struct ota_failure failure;
    unsigned lists, starts; /* requests */
    int writer;             /* of the input: QUIT comes when the third START is answered; 0: none */
    int failing_watch;      /* errno of the next watch of the input; 0: it succeeds */
    struct capture capture;
} world;

static bool is_list_or_start(enum request_verb verb)
{
    return verb == REQUEST_LIST || verb == REQUEST_START;
}

static void resume_later(void *userdata)
{
    (void)userdata;
    console_send_ok(world.console, "start");
    console_resume(world.console);
    if (world.failing_watch)
        failing_start(FAILING_EPOLL_CTL, 0, world.failing_watch);
}

static struct loop_timer later, at_last;

static void quit_at_last(void *userdata)
{
    (void)userdata;
    assert_int_equal(write(world.writer, "QUIT\n", 5), 5);
}

/* The reply to START takes time; with a writer, only the first one. */
static void on_console_request(const struct request *request, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    if (request->verb == REQUEST_LIST) {
        world.lists++;
        console_send_ok(world.console, "list");
    } else {
        world.starts++;
        console_pause(world.console);
        if (world.writer && world.starts > 1)
            resume_later(NULL);
        else
            loop_timer_start(&later, 0);
        if (world.writer && world.starts == 3)
            loop_timer_start(&at_last, 0);
    }
}

static const struct console_callbacks callbacks = {
    .is_known = is_list_or_start, .on_request = on_console_request, .userdata = &world};

/* Talks to the console, whose standard input is file, until it ends the loop. Closes file. */
static void talk(int file)
{
    const int saved = dup(STDIN_FILENO);

    assert_true(saved >= 0 && dup2(file, STDIN_FILENO) == STDIN_FILENO);
    close(file);
    world.loop = loop_new();
    assert_non_null(world.loop);
    loop_timer_init(&later, world.loop, resume_later, NULL);
    loop_timer_init(&at_last, world.loop, quit_at_last, NULL);

    capture_begin(&world.capture);
    world.console = console_start(world.loop, &callbacks, &world.failure);
    const int result = world.console ? loop_run(world.loop) : 0;
    failing_stop();
    console_free(world.console);
    capture_end(&world.capture);

    loop_free(world.loop);
    assert_int_equal(result, 0);
    assert_true(dup2(saved, STDIN_FILENO) == STDIN_FILENO);
    close(saved);
}

/* The reading end of a pipe that has text, and then ends. */
static int make_input(const char *text)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
    close(ends[1]);
    return ends[0];
}

static void test_conversations(void **state)
{
    static const struct {
        const char *said, *answers;
        unsigned lists, starts;
    } rows[] = {
        {"", "", 0, 0},
        {HELLO "QUIT\nLIST\n", GREETED GONE, 0, 0},
        {HELLO "LIST\nlist\r\n",
         GREETED "{\"eventType\":\"list\",\"message\":\"OK\"}\n"
                 "{\"eventType\":\"list\",\"message\":\"OK\"}\n",
         2, 0},
        {HELLO "START\nQUIT\n", GREETED STARTED GONE, 0, 1},
        {HELLO "START\nQUIT", GREETED STARTED GONE, 0, 1}, /* the last line has no end */
        {HELLO "START\n", GREETED STARTED, 0, 1},
        {HELLO HELLO,
         GREETED
         "{\"eventType\":\"hello\",\"error\":true,\"message\":\"HELLO was already sent\"}\n",
         0, 0},
        {"LIST\n", COMMAND_ERROR("First command must be HELLO, but got LIST"), 0, 0},
        {HELLO "OPEN a b\n\n\x1b[1m\n",
         GREETED COMMAND_ERROR("Unknown command OPEN a b") COMMAND_ERROR("Unknown command ")
             COMMAND_ERROR("Unknown command \\\\x1b[1m"),
         0, 0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world = (struct world){.failure.error = OTA_OK};
        talk(make_input(rows[i].said));
        assert_string_equal(world.capture.text_out, rows[i].answers);
        assert_int_equal(world.lists, rows[i].lists);
        assert_int_equal(world.starts, rows[i].starts);
        assert_int_equal(world.failure.error, OTA_OK);
    }
}

/* A line that fills the buffer before its end has come gets one answer, and its rest none. */
static void test_long_lines(void **state)
{
    static const size_t lengths[] = {LINE_MAX_BYTES - 1, LINE_MAX_BYTES, LINE_MAX_BYTES + 1,
                                     (size_t)3 * LINE_MAX_BYTES};
    (void)state;

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char text[4 * LINE_MAX_BYTES];
        bool is_long = lengths[i] >= LINE_MAX_BYTES;

        memset(text, 'x', lengths[i]);
        snprintf(text + lengths[i], sizeof text - lengths[i], "\n" HELLO "QUIT\n");
        world = (struct world){.failure.error = OTA_OK};
        talk(make_input(text));

        const char *answer =
            is_long ? "\"Unknown command, longer than a line may be: xxx" : "\"Unknown command xxx";
        const char *found = strstr(world.capture.text_out, answer);
        assert_non_null(found);
        assert_null(strstr(found + 2, "Unknown command"));
        assert_non_null(strstr(found, GREETED GONE));
    }
}

static void test_an_input_that_cannot_be_read(void **state)
{
    (void)state;
    world = (struct world){.failure.error = OTA_OK};
    talk(open("/", O_RDONLY));
    assert_string_equal(world.capture.text_out, "");
    assert_int_equal(world.failure.error, OTA_E_INTERNAL);
    assert_string_equal(world.failure.message, "standard input cannot be read: Is a directory");
}

static void test_a_console_that_cannot_start(void **state)
{
    static const struct {
        enum failing_call call;
        int error;
        const char *message;
    } rows[] = {
        {FAILING_ALLOCATION, ENOMEM, "out of memory"},
        {FAILING_EPOLL_CTL, ENOSPC,
         "standard input cannot be watched: Too many open files in system"},
    };
    struct loop *loop = loop_new();
    (void)state;

    assert_non_null(loop);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ota_failure failure = {.error = OTA_OK};

        failing_start(rows[i].call, 0, rows[i].error);
        struct console *console = console_start(loop, &callbacks, &failure);
        assert_true(failing_stop());
        assert_null(console);
        assert_int_equal(failure.error, OTA_E_INTERNAL);
        assert_string_equal(failure.message, rows[i].message);
    }
    loop_free(loop);
}

static void test_an_input_that_cannot_be_watched_again(void **state)
{
    int ends[2];
    (void)state;

    world = (struct world){.failing_watch = ENOMEM};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], HELLO "START\n", strlen(HELLO "START\n")),
                     strlen(HELLO "START\n"));
    talk(ends[0]); /* which goes on: only the failure ends the conversation */
    close(ends[1]);
    assert_string_equal(world.capture.text_out, GREETED STARTED);
    assert_int_equal(world.failure.error, OTA_E_INTERNAL);
    assert_string_equal(world.failure.message,
                        "standard input cannot be watched: Cannot allocate memory");
}

/* The second START is answered while the console resumes after the first one. The input stays open,
 * and has QUIT only when nothing else is left to do: the console must have watched it again. */
static void test_a_pause_within_a_resumption(void **state)
{
    static const char said[] = HELLO "START\nSTART\nSTART\n";
    int ends[2];
    (void)state;

    assert_int_equal(pipe(ends), 0);
    world = (struct world){.writer = ends[1]};
    assert_int_equal(write(ends[1], said, strlen(said)), strlen(said));
    talk(ends[0]);
    close(ends[1]);
    assert_string_equal(world.capture.text_out, GREETED STARTED STARTED STARTED GONE);
    assert_int_equal(world.failure.error, OTA_OK);
}

/* The first answer cannot be written, and nothing is answered after it. */
static void test_an_output_that_takes_nothing(void **state)
{
    (void)state;
    world = (struct world){.failure.error = OTA_OK};
    failing_start(FAILING_WRITE, 1, ENOSPC); /* the first one is make_input()'s */
    talk(make_input(HELLO "LIST\n"));
    assert_string_equal(world.capture.text_out, "");
    assert_int_equal(world.lists, 0);
    assert_int_equal(world.failure.error, OTA_E_OUTPUT);
    assert_string_equal(world.failure.message,
                        "cannot write to standard output: No space left on device");
}

/* A message that memory was missing for ends the conversation; those after it are dropped. */
static void test_a_message_without_memory(void **state)
{
    struct loop *loop = loop_new();
    struct ota_failure failure = {.error = OTA_OK};
    struct console *console = loop ? console_start(loop, &callbacks, &failure) : NULL;
    (void)state;

    assert_non_null(console);
    capture_begin(&world.capture);
    console_send(console, NULL);
    console_send_ok(console, "list");
    console_free(console);
    capture_end(&world.capture);

    loop_free(loop);
    assert_string_equal(world.capture.text_out, "");
    assert_int_equal(failure.error, OTA_E_INTERNAL);
    assert_string_equal(failure.message, "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversations),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_an_input_that_cannot_be_read),
        cmocka_unit_test(test_a_console_that_cannot_start),
        cmocka_unit_test(test_an_input_that_cannot_be_watched_again),
        cmocka_unit_test(test_a_pause_within_a_resumption),
        cmocka_unit_test(test_an_output_that_takes_nothing),
        cmocka_unit_test(test_a_message_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
