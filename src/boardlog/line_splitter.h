/*
 * line_splitter.h: cuts a stream of bytes into lines.
 */
#ifndef ESP_OTA_BOARDLOG_LINE_SPLITTER_H
#define ESP_OTA_BOARDLOG_LINE_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>

/* A longer line comes in pieces. It bounds what one regular expression has to look at. */
enum { LINE_SPLITTER_MAX = 2048 };

/* A line, or a piece of one, as it came but for its end. */
struct line {
    const unsigned char *bytes; /* valid until the next call */
    size_t length;
    size_t shown;         /* so many of the bytes were in the previous piece as well */
    bool is_continuation; /* the line began before these bytes */
    bool is_unfinished;   /* and goes on after them */
    bool comes_again;     /* all of it, at the beginning of the next piece */
};

/* The line that is being collected. All zero: at the beginning of a stream. */
struct line_splitter {
    size_t length;
    size_t shown;
    size_t handed_out; /* bytes that the next call removes */
    bool is_continuation;
    bool after_return;
    unsigned char bytes[LINE_SPLITTER_MAX];
};

/* Takes bytes off the front of *data until a line is complete. Returns false when they are used up
 * before. Lines end with LF, with CR LF, or with any number of CR. It does not matter how a stream
 * is cut into calls. A line of more than LINE_SPLITTER_MAX bytes is handed out in pieces, none of which
 * ends within a UTF-8 sequence. */
bool line_splitter_next(struct line_splitter *lines, const unsigned char **data, size_t *length,
                        struct line *line);

/* What has come of an unfinished line, a prompt perhaps; it stays, and is the beginning of what
 * comes next. False when nothing came since it was last handed out. */
bool line_splitter_peek(struct line_splitter *lines, struct line *line);

/* The stream has ended, and the line with it. False when there is none. */
bool line_splitter_finish(struct line_splitter *lines, struct line *line);

#endif
