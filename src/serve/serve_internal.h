/*
 * serve_internal.h: shared by the files of the server for boards.
 */
#ifndef ESP_OTA_SERVE_SERVE_INTERNAL_H
#define ESP_OTA_SERVE_SERVE_INTERNAL_H

#include "base/address_set.h"
#include "serve/fetcher.h"
#include "serve/resource.h"
#include "serve/serve.h"

/* Boards that are in no list; see serve_events.c. */
struct serve_strangers {
    size_t told, counted; /* boards that are told of, and boards that are only counted */
    int64_t told_us;      /* monotonic: since when */
};

/* What a client does that gets nothing; see serve_warn(). */
enum serve_warning {
    SERVE_WARNING_PASSWORD,   /* it sends a wrong one, or none */
    SERVE_WARNING_RESOURCE,   /* it asks for nothing that there is, or that is for it */
    SERVE_WARNING_NO_REQUEST, /* it connects and asks for nothing */
    SERVE_WARNINGS,
};

struct serve {
    struct serve_config config;
    struct httpd *http;
    struct serve_download *downloads;          /* that run */
    const char **names;                        /* of the offers */
    struct address_set warned[SERVE_WARNINGS]; /* that a warning of the kind has named */
    struct serve_strangers strangers;
    bool has_told_stop; /* that the roll-out has stopped */
    struct ota_totals totals;
    struct serve_document { /* the last one; see serve.c */
        struct httpd_document *text;
        int64_t drawn_us;
    } page, status;
    int64_t started_us;
    struct loop_timer publish_timer;
    enum ota_error outcome; /* of the results so far */
    int exit_status;
};

/* An image on its way to a board. */
struct serve_download {
    struct serve_download *next;
    struct serve *serve;
    struct address address;    /* that asked: the board's may change meanwhile */
    struct book_board *board;  /* that asked; boards without an entry are not followed */
    const struct image *image; /* that is sent */
    size_t size;
    int64_t started_us;
    bool is_claimed; /* another address has asked with the MAC of the board; reported once */
};

/* serve_image.c: answers a request for an image, or for one of its sidecars. */
void serve_image(struct serve *serve, struct httpd_request *request,
                 const struct resource *resource);
void serve_on_progress(void *tag, size_t bytes, void *userdata);
void serve_on_end(void *tag, bool is_whole, void *userdata);

/* serve_events.c: what is told of a board. */
void serve_tell_news(struct serve *serve, struct book_board *board, enum book_news news);
void serve_tell_answer(struct serve *serve, struct book_board *board, const struct answer *answer,
                       const char *old_reason);
void serve_tell_start(struct serve *serve, const struct serve_download *download);
void serve_tell_progress(struct serve *serve, const struct serve_download *download);
void serve_tell_end(struct serve *serve, const struct serve_download *download, bool is_whole);
void serve_tell_claim(struct serve *serve, struct book_board *board,
                      struct serve_download *download, const struct address *address);
void serve_tell_lookup(struct book_board *board, const char *text, void *userdata);
void serve_tell_outcome(struct serve *serve, struct book_board *board);
void serve_tell_strangers(struct serve *serve);

/* Reads what the request says of its board; fetcher starts with what is known of it otherwise. */
void serve_read_fetcher(struct fetcher *fetcher, const struct httpd_request *request);

/* A request gets nothing. If it seems to be a listed board's, its book entry says so; why is
 * printable, and belongs behind "it got nothing: ". */
void serve_note_refusal(struct serve *serve, const struct httpd_request *request,
                        const struct fetcher *fetcher, enum ota_error refusal, const char *why);

/* Answers with a line of text, given without its end: a digest, or why there is nothing else. */
void serve_respond_text(struct httpd_request *request, unsigned status, const char *text);

/* Warns of a client that gets nothing until somebody changes its sketch or the command line: the
 * address, and what it does. Of each kind once for an address, and only of the first ones, so that
 * one does not hide another. */
void serve_warn(struct serve *serve, enum serve_warning kind, const struct address *address,
                const char *what);

/* The page has something new to show. */
void serve_publish(struct serve *serve);

/* page.c, status.c: what the server knows, for people and programs. The caller frees the text; NULL
 * if memory runs out. */
char *serve_page(struct serve *serve);
char *serve_status_json(struct serve *serve);
char *serve_manifest_json(const struct offer *offer);
extern const char SERVE_STYLE[], SERVE_SCRIPT[];

#endif
