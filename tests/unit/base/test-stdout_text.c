/*
 * test-stdout_text.c: text that is written whole, and text that memory was missing for.
 */
#include "base/stdio_guard.h"
#include "base/stdout_text.h"
#include "base/write_queue.h"
#include "support/capture.h"
#include "support/failing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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

    stdout_text_open(&text);
    for (unsigned i = 0; text.stream && i < lines; i++)
        fprintf(text.stream, "line %03u\n", i);
    return end(&text);
}

static void test_whole_texts(void **state)
{
    static const unsigned counts[] = {0, 1, 1000}; /* the last one is longer than PIPE_BUF */
    (void)state;

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

/* Each allocation fails in turn. */
static void test_texts_that_cannot_be_kept(void **state)
{
    (void)state;

    for (size_t i = 0; i < WAYS; i++) {
        bool has_failed = true;

        for (int after = 0; has_failed; after++) {
            static struct capture capture;

            capture_begin(&capture);
            failing_start(FAILING_ALLOCATION, after, ENOMEM);
            int error = print_lines(1000, ways[i]);
            has_failed = failing_stop();
            capture_end(&capture);

            assert_int_equal(error, has_failed ? ENOMEM : 0);
            assert_int_equal(strlen(capture.text_out),
                             has_failed ? 0 : 1000 * strlen("line 000\n"));
            assert_true(has_failed || after > 1); /* it came into memory piece by piece */
        }
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
