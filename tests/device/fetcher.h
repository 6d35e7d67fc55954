/* The libraries with which boards fetch firmware: what each one sends, how long it waits, and how
 * it reacts to a reply. One constant row each. */
#ifndef DEVICE_FETCHER_H
#define DEVICE_FETCHER_H

#include <stdbool.h>
#include <stddef.h>

enum fetcher_way {
    FETCHER_ARDUINO, /* one request */
    FETCHER_IDF,     /* one request; after a broken download for the rest of the image */
    FETCHER_PIECES,  /* HEAD, then a request and a connection for each piece */
    FETCHER_ESPHOME, /* the MD5, or a manifest, and then the image */
};

/* The reaction to a status. */
enum fetcher_meaning {
    FETCHER_CONTENT,
    FETCHER_UNCHANGED, /* there is no update */
    FETCHER_LOGIN,     /* asks again with its password, if it has not sent it */
    FETCHER_AGAIN,     /* asks again for the whole image */
    FETCHER_ERROR,
};

struct fetcher {
    const char *name;
    const char *help;
    enum fetcher_way way;
    /* The lines of a request, up to a NULL. "%" and a letter stand for what fetch.c writes there; a
     * line whose "%" stands for nothing is left out. */
    const char *const *request;
    const char *const *side_request; /* for a digest or a manifest */
    const char *beginnings;          /* first bytes of an image that it takes; NULL: any */
    bool reads_digests;              /* in headers of the reply: x-MD5, and an ESP32 x-SHA256 */
    bool is_shy;                     /* sends its password only after a request for it */
    size_t login_size;         /* it reads at least so much of a 401, and hangs if there is less */
    unsigned head_ms, body_ms; /* longest silence before and within the content; 0: no limit */
};

/* NULL for an unknown name. */
const struct fetcher *fetcher_find(const char *name);

/* The reaction to a status of a reply, and for an error the library's text. */
enum fetcher_meaning fetcher_judge(const struct fetcher *fetcher, unsigned status,
                                   const char **error);

/* The table, for --help. */
void fetcher_help(void);

#endif
