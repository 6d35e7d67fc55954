/*
 * serve.h: the place that boards fetch from: it answers their requests, and keeps book of what
 * becomes of each of them.
 */
#ifndef ESP_OTA_SERVE_SERVE_H
#define ESP_OTA_SERVE_SERVE_H

#include "base/loop.h"
#include "esp-ota/error.h"
#include "esp-ota/event.h"
#include "esp-ota/totals.h"
#include "serve/book.h"
#include "serve/httpd.h"
#include "serve/names.h"
#include "serve/offer.h"
#include "serve/rollout.h"

struct serve;

/* Everything must outlive the server, except the identity. */
struct serve_config {
    struct loop *loop;
    struct address address;                /* to listen at */
    const struct httpd_identity *identity; /* NULL: no TLS */
    const char *user;                      /* NULL: any */
    const char *password;                  /* NULL or "": none is asked for */
    struct rollout_rules rules;
    unsigned attempts_max; /* how often a board may take the image */
    const struct offer *offers;
    size_t offer_count;
    const struct offer *rest; /* for boards that are not in the book; NULL: they get nothing */
    struct book *book;        /* has the boards that are listed, each with its offer */
    struct names *names;      /* those of them that are listed by name */
    ota_event_fn *on_event;
    void (*on_confirmed)(void *userdata); /* a board has confirmed */
    void *userdata;
};

/* Fails as httpd_open() does. */
enum ota_error serve_open(struct serve **serve, const struct serve_config *config,
                          struct ota_failure *failure);
uint16_t serve_port(const struct serve *serve);
enum ota_error serve_reload(struct serve *serve, const struct httpd_identity *identity,
                            struct ota_failure *failure);

/* Whether a warning has named somebody who asked and got nothing. */
bool serve_has_warned(const struct serve *serve);

const struct ota_totals *serve_totals(struct serve *serve);

/* Tells of each board that downloads now. */
void serve_tell(const struct serve *serve, ota_standing_fn *tell, void *userdata);

/* Tells something of a board of the book; message is printable. */
void serve_note(struct serve *serve, struct book_board *board, bool is_important,
                const char *message);

/* Tells that a board gets its password itself, as it asks for it by Basic. */
void serve_note_basic(struct serve *serve, struct book_board *board);

/* Tells that a board did not ask for the password that was given for it. */
void serve_note_unasked(struct serve *serve, struct book_board *board);

/* Tells that a board has confirmed in an earlier run. message is printable. */
void serve_tell_resumed(struct serve *serve, struct book_board *board, const char *message);

/* A listed board turned out to be the same one as another: tells so, and expects it no more.
 * message is printable. */
void serve_leave_out(struct serve *serve, struct book_board *board, const char *message);

/* Ends the downloads of a board, and serves it nothing more. */
void serve_give_up(struct serve *serve, struct book_board *board);

/* A board that was told to fetch has an outcome: its return was seen, or will not be. */
void serve_settle(struct serve *serve, struct book_board *board, enum ota_phase phase,
                  const struct ota_failure *failure);

/* Closes all connections; no board is served any more. */
void serve_stop(struct serve *serve);

/* Does the same, and emits the results that are missing. Returns what the results of the
 * listed boards amount to, with its exit status, as fleet_outcome() does. */
enum ota_error serve_end(struct serve *serve, int *exit_status);
void serve_free(struct serve *serve); /* NULL is allowed */

#endif
