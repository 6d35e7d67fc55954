/*
 * test-stdout_text.c: text that is written whole, and text that memory was missing for. /dev/full
 * stands in for a stream that cannot keep what is printed to it.
 */
#include "base/stdio_guard.h"
#include "base/stdout_text.h"
#include "base/write_queue.h"
#include "support/capture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum lack { NO_LACK, NO_STREAM, NO_ROOM };

static enum lack lack;

FILE *__real_open_memstream(char **bytes, size_t *size);
FILE *__wrap_open_memstream(char **bytes, size_t *size);

FILE *__wrap_open_memstream(char **bytes, size_t *size)
{
    errno = ENOMEM;
    return lack == NO_STREAM ? NULL
           : lack == NO_ROOM ? fopen("/dev/full", "w")
                             : __real_open_memstream(bytes, size);
}

static int write_text(struct stdout_text *text)
{
    return stdout_text_write(text, STDIO_GUARD_PATIENCE_MS);
}

static int put_text(struct stdout_text *text)
{
    struct write_queue queue = {.fd = STDOUT_FILENO};
    int error = stdout_text_put(text, &queue);

    assert_int_equal(write_queue_end(&queue), error == ENOMEM ? 0 : error);
    return error;
}

static int (*const ways[])(struct stdout_text *text) = {write_text, put_text};
enum { WAYS = sizeof ways / sizeof *ways };

/* Prints lines to standard output. Returns 0 or errno. */
static int print_lines(unsigned lines, int (*end)(struct stdout_text *text))
{
    struct stdout_text text;

    assert_int_equal(stdout_text_open(&text), lack != NO_STREAM);
    for (unsigned i = 0; text.stream && i < lines; i++)
        fprintf(text.stream, "line %03u\n", i);
    return end(&text);
}

static void test_whole_texts(void **state)
{
    static const unsigned counts[] = {0, 1, 1000}; /* the last one is longer than PIPE_BUF */
    (void)state;

    lack = NO_LACK;
    for (size_t i = 0; i < WAYS * sizeof counts / sizeof *counts; i++) {
        static struct capture capture;
        unsigned count = counts[i / WAYS];

        capture_begin(&capture);
        int error = print_lines(count, ways[i % WAYS]);
        capture_end(&capture);

        assert_int_equal(error, 0);
        assert_int_equal(strlen(capture.text_out), count * strlen("line 000\n"));
        for (unsigned line = 0; line < count; line++) {
            char expected[32];

            snprintf(expected, sizeof expected, "line %03u\n", line);
            assert_memory_equal(capture.text_out + line * strlen(expected), expected,
                                strlen(expected));
        }
    }
}

/* The stream's buffer hides the lack from a short text until the end. */
static void test_texts_that_cannot_be_kept(void **state)
{
    static const struct {
        enum lack lack;
        unsigned lines;
    } rows[] = {{NO_STREAM, 0}, {NO_ROOM, 1}, {NO_ROOM, 1000}};
    (void)state;

    for (size_t i = 0; i < WAYS * sizeof rows / sizeof *rows; i++) {
        static struct capture capture;

        lack = rows[i / WAYS].lack;
        capture_begin(&capture);
        int error = print_lines(rows[i / WAYS].lines, ways[i % WAYS]);
        capture_end(&capture);

        assert_int_equal(error, ENOMEM);
        assert_string_equal(capture.text_out, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_texts),
        cmocka_unit_test(test_texts_that_cannot_be_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
