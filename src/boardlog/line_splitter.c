/*
 * line_splitter.c: collects the bytes of a line until its end, up to LINE_SPLITTER_MAX of them.
 */
#include "boardlog/line_splitter.h"

#include <string.h>

/* Returns how many of the last bytes form an incomplete UTF-8 sequence. */
static size_t count_incomplete(const unsigned char *bytes, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char byte = bytes[length - back];
        size_t size = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;

        if (byte >= 0xC0 || byte < 0x80)
            return size > back && byte <= 0xF4 ? back : 0;
    }
    return 0;
}

/* Removes the bytes that the previous call handed out. */
static void drop_handed_out(struct line_splitter *lines)
{
    lines->length -= lines->handed_out;
    memmove(lines->bytes, lines->bytes + lines->handed_out, lines->length);
    lines->handed_out = 0;
}

static void describe_line(struct line_splitter *lines, size_t length, bool is_unfinished,
                          struct line *line)
{
    *line = (struct line){.bytes = lines->bytes,
                          .length = length,
                          .shown = lines->shown,
                          .is_continuation = lines->is_continuation,
                          .is_unfinished = is_unfinished};
    lines->shown = length;
}

/* Hands out a line that is over or too long. The next bytes begin another piece. */
static bool hand_over_line(struct line_splitter *lines, size_t length, bool is_unfinished,
                           struct line *line)
{
    describe_line(lines, length, is_unfinished, line);
    lines->handed_out = length;
    lines->shown = 0;
    lines->is_continuation = is_unfinished;
    return true;
}

bool line_splitter_next(struct line_splitter *lines, const unsigned char **data, size_t *length,
                        struct line *line)
{
    drop_handed_out(lines);
    for (; *length > 0; (*data)++, (*length)--) {
        unsigned char byte = **data;
        bool after_return = lines->after_return;
        bool is_end = byte == '\n' || byte == '\r';

        if (!is_end && lines->length == LINE_SPLITTER_MAX)
            return hand_over_line(
                lines, LINE_SPLITTER_MAX - count_incomplete(lines->bytes, LINE_SPLITTER_MAX), true,
                line);

        lines->after_return = byte == '\r';
        if (after_return && is_end)
            continue;
        if (is_end) {
            (*data)++;
            (*length)--;
            return hand_over_line(lines, lines->length, false, line);
        }

        lines->bytes[lines->length++] = byte;
    }
    return false;
}

bool line_splitter_peek(struct line_splitter *lines, struct line *line)
{
    drop_handed_out(lines);
    size_t length = lines->length - count_incomplete(lines->bytes, lines->length);
    if (length <= lines->shown)
        return false;

    describe_line(lines, length, true, line);
    line->comes_again = true;
    return true;
}

bool line_splitter_finish(struct line_splitter *lines, struct line *line)
{
    drop_handed_out(lines);
    lines->after_return = false;
    if (lines->length == 0 && !lines->is_continuation)
        return false;

    hand_over_line(lines, lines->length, false, line);
    line->is_cut = true;
    return true;
}
