/* One HTTP request of a board that fetches, and the reply to it: an image goes to the updater, a
 * text and a size to the caller. */
#ifndef DEVICE_FETCH_H
#define DEVICE_FETCH_H

#include "address.h"
#include "digest.h"
#include "loop.h"

struct board;
struct fault;
struct fetcher;

enum {
    FETCH_URL_ROOM = 256,
    FETCH_HEAD_ROOM = 4096,
    FETCH_TEXT_ROOM = 2048,
    FETCH_VERSION_ROOM = 64,
    FETCH_DESCRIPTION = 24 + 8 + 256, /* header of the image and of a segment, esp_app_desc_t */
    FETCH_TIMERS = 2                  /* including the one of update_check.c */
};

enum fetch_purpose {
    FETCH_IMAGE,
    FETCH_TEXT, /* a digest or a manifest */
    FETCH_SIZE, /* HEAD */
};

enum fetch_end {
    FETCH_INSTALLED,
    FETCH_UNCHANGED, /* there is no update */
    FETCH_PART,      /* a part of the image has come, and more is needed */
    FETCH_TOLD,      /* the text or the size is there */
    FETCH_ANEW,      /* the server sends no ranges: the whole image must be requested */
    FETCH_FAILED,
};

/* What the caller fills in before fetch_begin(). */
struct fetch_request {
    const struct fetcher *fetcher;
    enum fetch_purpose purpose;
    bool is_filesystem;
    char url[FETCH_URL_ROOM];
    char version[FETCH_VERSION_ROOM]; /* of the running sketch; "": not told */
    char md5[HEX_ROOM];               /* expected of the image; "": taken from the reply */
    size_t first, last;               /* of the range; last is SIZE_MAX for all the rest */
    bool has_range;
    size_t whole; /* the size of the image, if it is known; 0: the reply's */
    const char *password;
    const char *user;
    unsigned hurry; /* time-outs are divided by this */
};

/* Facts of a sketch that requests tell. */
struct fetch_sketch {
    size_t size;
    char md5[HEX_ROOM], sha256[HEX_ROOM];
    char description[FETCH_DESCRIPTION]; /* of an ESP32's image: it has the version */
};

struct fetch {
    struct fetch_request request;
    int fd; /* -1: not connected */
    struct watch watch;
    struct timer timer;
    bool is_connecting, is_content, is_left_behind, sends_password;
    unsigned status;
    char description[FETCH_DESCRIPTION];
    size_t left; /* bytes of the content that have not come */
    char head[FETCH_HEAD_ROOM];
    size_t head_length;
    char text[FETCH_TEXT_ROOM]; /* what FETCH_TEXT has brought */
    size_t text_length;
    size_t size;           /* what FETCH_SIZE has brought */
    char sha256[HEX_ROOM]; /* expected of the image; "": any */
    struct digest *digest;
    struct fetch_sketch running, installed;
    void (*ended)(struct board *board, enum fetch_end end, const char *reason);
};

void fetch_set_up(struct board *board);

/* Makes the request in the board's struct fetch. ended() is called once, unless the board restarts
 * before. reason belongs to the library, or is "". */
void fetch_begin(struct board *board);

/* The board leaves the air; comes back without its connection; ends with the process. */
void fetch_leave(struct board *board);
void fetch_come_back(struct board *board);
void fetch_abandon(struct board *board);

/* Whether the URL has the form http://ADDRESS[:PORT]/PATH. */
bool fetch_url_is_good(const char *url);

/* An image was installed: keeps its facts for the requests after the restart. */
void fetch_note_installed(struct board *board);
void fetch_start_installed(struct board *board);

/* Applies a fault that is due at this byte of the image. True if it stops or interrupts the
 * fetch. */
bool fetch_apply_fault(struct board *board, const struct fault *fault);

#endif
