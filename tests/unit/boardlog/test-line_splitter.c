/*
 * test-line_splitter.c: a stream gives the same lines with every segmentation.
 */
#include "boardlog/line_splitter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal) literal, sizeof(literal) - 1

/* The lines so far, as text: "<" at the beginning of a line, ">" at its end. */
struct record {
    char text[128];
    size_t used;
};

static void write_down(struct record *record, const struct line *line)
{
    assert_true(line->shown <= line->length && line->length <= LINE_SPLITTER_MAX);
    assert_true(record->used + line->length + 2 < sizeof record->text);
    if (!line->is_continuation && line->shown == 0)
        record->text[record->used++] = '<';
    memcpy(record->text + record->used, line->bytes + line->shown, line->length - line->shown);
    record->used += line->length - line->shown;
    if (!line->is_unfinished)
        record->text[record->used++] = '>';
}

static void feed(struct line_splitter *lines, struct record *record, const void *data,
                 size_t length)
{
    const unsigned char *bytes = data;
    struct line line;
    while (line_splitter_next(lines, &bytes, &length, &line))
        write_down(record, &line);
    assert_int_equal(length, 0);
}

static const struct {
    const char *source;
    size_t length;
    const char *lines;
    size_t lines_length;
} rows[] = {
    {BYTES(""), BYTES("")},
    {BYTES("one\ntwo\n"), BYTES("<one><two>")},
    {BYTES("one\r\ntwo\r\n"), BYTES("<one><two>")},
    {BYTES("one\rtwo\r"), BYTES("<one><two>")},
    {BYTES("one\r\r\ntwo\r\r\r\n"), BYTES("<one><two>")},
    {BYTES("\n\r\n\n"), BYTES("<><><>")},
    {BYTES("a\0b\n\0c\n"), BYTES("<a\0b><\0c>")},
    {BYTES("no end"), BYTES("<no end>")},
    {BYTES("a\xff\xc3\n\x80\n"), BYTES("<a\xff\xc3><\x80>")},
    {BYTES("\xc3\xbc\xe2\x82"), BYTES("<\xc3\xbc\xe2\x82>")},
};

static void test_lines_cut_anywhere(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t cut = 0; cut <= rows[i].length; cut++) {
            struct line_splitter lines = {0};
            struct record record = {.used = 0};
            struct line line;
            feed(&lines, &record, rows[i].source, cut);
            feed(&lines, &record, rows[i].source + cut, rows[i].length - cut);
            if (line_splitter_finish(&lines, &line))
                write_down(&record, &line);
            assert_false(line_splitter_finish(&lines, &line));
            assert_int_equal(record.used, rows[i].lines_length);
            assert_memory_equal(record.text, rows[i].lines, record.used);
        }
}

static void assert_line(const struct line *line, const char *bytes, size_t shown, bool unfinished)
{
    assert_int_equal(line->length, strlen(bytes));
    assert_memory_equal(line->bytes, bytes, line->length);
    assert_int_equal(line->shown, shown);
    assert_int_equal(line->is_unfinished, unfinished);
    assert_int_equal(line->comes_again, unfinished);
    assert_false(line->is_continuation);
}

/* A prompt is handed out before its line ends, and again as part of the whole line. */
static void test_peek(void **state)
{
    struct line_splitter lines = {0};
    struct record record = {.used = 0};
    const unsigned char rest[] = "\xbc?\r\n";
    const unsigned char *data = rest;
    size_t length = sizeof rest - 1;
    struct line line;
    (void)state;

    assert_false(line_splitter_peek(&lines, &line));
    feed(&lines, &record, "log", 3);
    assert_true(line_splitter_peek(&lines, &line));
    assert_line(&line, "log", 0, true);
    assert_false(line_splitter_peek(&lines, &line));
    feed(&lines, &record, "in\xc3", 3);
    assert_true(line_splitter_peek(&lines, &line));
    assert_line(&line, "login", 3, true); /* the incomplete character is held back */
    assert_false(line_splitter_peek(&lines, &line));
    assert_true(line_splitter_next(&lines, &data, &length, &line));
    assert_line(&line, "login\xc3\xbc?", 5, false);
    assert_false(line_splitter_peek(&lines, &line));
    assert_false(line_splitter_next(&lines, &data, &length, &line));
    feed(&lines, &record, "a", 1);
    assert_true(line_splitter_peek(&lines, &line));
    assert_true(line_splitter_finish(&lines, &line)); /* no new bytes, but the line ends */
    assert_line(&line, "a", 1, false);
}

static void test_a_connection_that_ends_in_a_return_is_forgotten(void **state)
{
    struct line_splitter lines = {0};
    struct record record = {.used = 0};
    struct line line;
    (void)state;
    feed(&lines, &record, "a\r", 2);
    assert_false(line_splitter_finish(&lines, &line));
    feed(&lines, &record, "\nb\n", 3);
    assert_memory_equal(record.text, "<a><><b>", record.used);
}

/* An endless line: the bytes at the border, and the length of the first piece. */
static void test_long_log_lines(void **state)
{
    static const struct {
        const char *border; /* bytes at the border of the first piece */
        size_t before;      /* how many of them fit into the first piece */
        size_t first;       /* length of the first piece */
    } borders[] = {
        {"xy", 0, LINE_SPLITTER_MAX},
        {"\xc3\xbc", 1, LINE_SPLITTER_MAX - 1},
        {"\xe2\x82\xac", 1, LINE_SPLITTER_MAX - 1},
        {"\xe2\x82\xac", 2, LINE_SPLITTER_MAX - 2},
        {"\xf0\x9f\x92\xa1", 3, LINE_SPLITTER_MAX - 3},
        {"\xf0\x9f\x92\xa1", 4, LINE_SPLITTER_MAX},
        {"\xf8\x9f\x92\xa1", 3, LINE_SPLITTER_MAX}, /* not UTF-8 */
        {"\xbf\xbf\xbf\xbf", 3, LINE_SPLITTER_MAX},
    };
    (void)state;

    for (size_t i = 0; i < sizeof borders / sizeof *borders; i++)
        for (size_t cut = 0; cut <= LINE_SPLITTER_MAX; cut += LINE_SPLITTER_MAX / 4) {
            unsigned char source[LINE_SPLITTER_MAX + 8];
            struct line_splitter lines = {0};
            struct record record = {.used = 0};
            struct line line;
            size_t border = strlen(borders[i].border);
            size_t whole = LINE_SPLITTER_MAX - borders[i].before + border;

            memset(source, '.', sizeof source);
            memcpy(source + whole - border, borders[i].border, border);
            memcpy(source + whole, "z\n", 2);
            feed(&lines, &record, source, cut);

            const unsigned char *data = source + cut;
            size_t left = whole + 2 - cut;
            assert_true(line_splitter_next(&lines, &data, &left, &line));
            assert_int_equal(line.length, borders[i].first);
            assert_true(line.is_unfinished && !line.is_continuation && !line.comes_again);
            assert_true(line_splitter_next(&lines, &data, &left, &line));
            assert_int_equal(line.length, whole + 1 - borders[i].first);
            assert_memory_equal(line.bytes, source + borders[i].first, line.length);
            assert_true(line.is_continuation && !line.is_unfinished && line.shown == 0);
        }
}

/* A line of exactly the maximum length is one piece, and its end does not make a second line. */
static void test_the_longest_line(void **state)
{
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    unsigned char source[LINE_SPLITTER_MAX + 2];
    (void)state;

    memset(source, '.', sizeof source);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct line_splitter lines = {0};
        struct line line;
        const unsigned char *data = source;
        size_t left = LINE_SPLITTER_MAX + strlen(ends[i]);
        memcpy(source + LINE_SPLITTER_MAX, ends[i], strlen(ends[i]));
        assert_true(line_splitter_next(&lines, &data, &left, &line));
        assert_int_equal(line.length, LINE_SPLITTER_MAX);
        assert_false(line.is_unfinished);
        assert_false(line_splitter_next(&lines, &data, &left, &line));
        assert_false(line_splitter_finish(&lines, &line));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_cut_anywhere),
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_a_connection_that_ends_in_a_return_is_forgotten),
        cmocka_unit_test(test_long_log_lines),
        cmocka_unit_test(test_the_longest_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
