/* multipart/form-data as three kinds of servers read it. Fed with bytes; knows no sockets.
 *
 * The servers of the cores read by position: the name is what follows the first `=' of the
 * Content-Disposition, the file name what follows the second. The ESP8266's takes the line after a
 * part's Content-Type for the empty line, so a third header's line ends up in the data; the ESP32's
 * skips lines until an empty one. Both stop at the closing boundary and do not look at the length.
 * The asynchronous servers look for parameters by name. */
#ifndef DEVICE_MULTIPART_H
#define DEVICE_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FORM_LINE = 1024, FORM_DELIMITER = 256, FORM_VALUE = 256 };

enum form_manner { FORM_ESP8266, FORM_ESP32, FORM_BY_NAME };

enum form_state {
    FORM_OPENING,     /* expects the first boundary */
    FORM_DISPOSITION, /* looks for a Content-Disposition */
    FORM_HEADERS,     /* reads the part's further headers */
    FORM_BLANK,       /* takes one line for the empty one */
    FORM_FIELD,
    FORM_FILE,
    FORM_AFTER_FILE, /* reads what follows the boundary */
    FORM_DONE,
    FORM_BROKEN,
};

struct form_part {
    char name[FORM_VALUE];
    char file[FORM_VALUE]; /* the file's name */
    bool is_file;
    char headers[FORM_VALUE]; /* the names of its headers in their order, separated by commas */
};

struct form_events {
    void (*field)(void *owner, const struct form_part *part, const char *value);
    void (*file_begins)(void *owner, const struct form_part *part);
    void (*file_data)(void *owner, const void *bytes, size_t length);
    void (*file_ends)(void *owner);
};

struct form {
    enum form_manner manner;
    enum form_state state;
    const struct form_events *events;
    void *owner;
    char delimiter[FORM_DELIMITER]; /* CR, LF, two hyphens, the boundary */
    size_t delimiter_length;
    size_t matched; /* bytes of the delimiter that the last bytes of the file may be */
    char line[FORM_LINE];
    size_t line_length;
    bool in_line_end;    /* after CR, up to LF */
    uint64_t fed;        /* bytes of the body so far */
    uint64_t closing_at; /* how many up to the closing boundary's first hyphen; 0: not yet */
    bool timed_out;      /* the line after the file has no end */
    unsigned tries;      /* empty lines and time-outs before the first boundary */
    struct form_part part;
    char value[FORM_LINE];
};

/* Begins a body of this Content-Type. The events' owner is given to each of them. */
void form_begin(struct form *form, enum form_manner manner, const char *content_type,
                const struct form_events *events, void *owner);

/* The body's next bytes; those after the end are ignored. */
void form_feed(struct form *form, const char *bytes, size_t length);

/* The client has been silent for 5 s: a server that reads lines takes what it has for one. */
void form_timed_out(struct form *form);

#endif
