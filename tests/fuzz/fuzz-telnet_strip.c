/*
 * fuzz-telnet_strip.c: the lines of a stream do not depend on the size of its reads, or on peeks at
 * an unfinished line. They are bounded, and none is invented. The first byte of the input chooses
 * the size of the reads. A byte behind a mark is repeated, so that short inputs make long lines.
 */
#include "boardlog/line_splitter.h"
#include "boardlog/sgr_strip.h"
#include "boardlog/telnet_strip.h"
#include "require.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct record {
    unsigned char *bytes; /* all complete pieces, each with "\n" or, if another one follows, "\\" */
    size_t used;
    size_t room;
    size_t shown; /* the length of the last peek */
    bool is_unfinished;
};

static void append(struct record *record, const void *bytes, size_t length)
{
    require(length <= record->room - record->used);
    memcpy(record->bytes + record->used, bytes, length);
    record->used += length;
}

/* Checks a piece, and records it if it is complete; a peek only counts as shown. */
static void record_piece(struct record *record, const struct line *line, bool is_complete)
{
    require(line->length <= LINE_SPLITTER_MAX && line->shown == record->shown);
    require(line->shown <= line->length);
    require(line->is_continuation == record->is_unfinished);
    record->shown = is_complete ? 0 : line->length;
    if (!is_complete)
        return;

    record->is_unfinished = line->is_unfinished;
    append(record, line->bytes, line->length);
    append(record, line->is_unfinished ? "\\" : "\n", 1);
}

static void feed(struct record *record, const uint8_t *data, size_t size, size_t piece, bool peeks)
{
    struct telnet_strip telnet = {0};
    struct sgr_strip colors = {.held = 0};
    struct line_splitter lines = {0};
    struct line line;
    unsigned char *text = malloc(size + 2);
    unsigned char *plain = malloc(size + 2 + SGR_STRIP_MAX);

    require(text != NULL && plain != NULL);
    for (size_t done = 0; done < size; done += piece) {
        size_t length = piece < size - done ? piece : size - done;
        const unsigned char *rest = plain;

        size_t left = telnet_strip(&telnet, text, data + done, length);
        require(left <= length + 1);
        left = sgr_strip(&colors, plain, text, left);
        require(left <= length + 1 + SGR_STRIP_MAX);

        while (line_splitter_next(&lines, &rest, &left, &line))
            record_piece(record, &line, true);
        require(left == 0);

        if (peeks && line_splitter_peek(&lines, &line))
            record_piece(record, &line, false);
    }

    if (line_splitter_finish(&lines, &line))
        record_piece(record, &line, true);
    require(!line_splitter_finish(&lines, &line) && !line_splitter_peek(&lines, &line));
    free(text);
    free(plain);
}

/* Repeats the byte behind a mark 300 times. All other bytes come once: if each IAC (255) were
 * repeated, there would be no commands. */
static size_t repeat(uint8_t *target, size_t capacity, const uint8_t *data, size_t size)
{
    enum { MARK = 0x1d, TIMES = 300 };
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        bool is_mark = data[i] == MARK && i + 1 < size;

        if (is_mark)
            i++;
        for (size_t n = is_mark ? TIMES : 1; n > 0 && used < capacity; n--)
            target[used++] = data[i];
    }
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t stream[4 * LINE_SPLITTER_MAX];
    static unsigned char first[3 * sizeof stream];
    static unsigned char second[3 * sizeof stream];
    struct record whole = {.bytes = first, .room = sizeof first};
    struct record cut = {.bytes = second, .room = sizeof second};

    if (size == 0)
        return 0;

    size_t length = repeat(stream, sizeof stream, data + 1, size - 1);
    feed(&whole, stream, length, length + 1, false);
    feed(&cut, stream, length, 1 + data[0] % 64, data[0] >= 128);
    require(whole.used == cut.used && memcmp(first, second, whole.used) == 0);
    require(whole.used <= 2 * length + 1);
    return 0;
}
