/*
 * line_splitter.h: cuts a stream of bytes into lines.
 */
#ifndef ESP_OTA_BOARDLOG_LINE_SPLITTER_H
#define ESP_OTA_BOARDLOG_LINE_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>

/* The longest piece of a line, in bytes. Longer lines are handed out in pieces, so that the input
 * of a regular expression is bounded. */
enum { LINE_SPLITTER_MAX = 2048 };

/* A line or a piece of one, unchanged but for its missing end. */
struct line {
    const unsigned char *bytes; /* valid until the next call */
    size_t length;
    size_t shown;         /* how many of the bytes were in the previous piece as well */
    bool is_continuation; /* the line began before these bytes */
    bool is_unfinished;   /* the line goes on after these bytes */
    bool comes_again;     /* the next piece begins with these bytes */
    bool is_cut;          /* the stream ended after these bytes, perhaps within the line */
};

/* The line that is being collected. All zero: at the beginning of a stream. */
struct line_splitter {
    size_t length;
    size_t shown;
    size_t handed_out; /* bytes to remove in the next call */
    bool is_continuation;
    bool after_return;
    unsigned char bytes[LINE_SPLITTER_MAX];
};

/* Takes bytes off the front of *data until a line is complete. Returns false if the bytes are used
 * up before. Lines end with LF, with CR LF, or with any number of CR. A stream may be cut into
 * calls anywhere. A line of more than LINE_SPLITTER_MAX bytes is handed out in pieces; none of them
 * ends within a UTF-8 sequence. */
bool line_splitter_next(struct line_splitter *lines, const unsigned char **data, size_t *length,
                        struct line *line);

/* Hands out an unfinished line, perhaps a prompt, and keeps its bytes as the beginning of the next
 * piece. Returns false if nothing was added since it was last handed out. */
bool line_splitter_peek(struct line_splitter *lines, struct line *line);

/* Hands out the last line of a stream that has ended. Returns false if there is none. */
bool line_splitter_finish(struct line_splitter *lines, struct line *line);

#endif
