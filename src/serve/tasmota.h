/*
 * tasmota.h: boards with Tasmota that are told to fetch from here.
 *
 *   Status 2 -> Status 5 (its MAC) -> OtaUrl (remembered) -> OtaUrl OURS -> Upgrade 1 -> the board
 *   asks the server, restarts -> Status 2 tells another firmware -> OtaUrl OLD
 *
 * The board reads OtaUrl at each of its four tries, so it gets the old one back only once they are
 * over; else it would fetch from there.
 */
#ifndef ESP_OTA_SERVE_TASMOTA_H
#define ESP_OTA_SERVE_TASMOTA_H

#include "base/loop.h"
#include "crypto/auth.h"
#include "discovery/mdns_client.h"
#include "discovery/target.h"
#include "esp-ota/error.h"
#include "image/image.h"
#include "serve/book.h"

struct tasmotas;

/* Everything must outlive the boards. */
struct tasmotas_config {
    struct loop *loop;
    struct mdns_client *mdns;
    const struct book *book;
    struct rollout_rules rules;
    int64_t reply_us; /* limit for a reply to a command */
    int64_t fetch_us; /* limit for a board to ask, and for its return with the image */
    bool force;       /* an image for another chip is sent, too */
    /* Called from the loop; message is printable. */
    void (*on_note)(struct book_board *board, bool is_important, const char *message,
                    void *userdata);
    /* The board gets its password itself, as it asks for it by Basic. */
    void (*on_basic)(struct book_board *board, void *userdata);
    /* The board has not asked for the password that was given for it. */
    void (*on_unasked)(struct book_board *board, void *userdata);
    /* The page of the board has answered, so where it is and its MAC are known. host: its host on
     * multicast DNS, "": unknown. Returns false with a failure if the board must not be told. */
    bool (*on_found)(struct book_board *board, const char *host, struct ota_failure *failure,
                     void *userdata);
    /* The board is the same one as another, which is told, has confirmed already, or demands
     * something else: it is not told, and has no on_done. It may be one that asks by itself. */
    void (*on_same)(struct book_board *board, struct book_board *same, void *userdata);
    void (*on_done)(struct book_board *board, enum ota_phase phase,
                    const struct ota_failure *failure, void *userdata);
    void (*on_all_done)(void *userdata);
    /* A download takes too long: ends those of the board, and serves it no more. */
    void (*on_late)(struct book_board *board, void *userdata);
    void *userdata;
};

/* A board of the book, by the URL of its page. */
struct tasmota_order {
    struct book_board *board;
    const struct target *target;
    const struct image *image;
    const char *user, *password; /* NULL: Tasmota's user; none */
    enum auth_scheme min_auth;   /* AUTH_SHA256: the password is not given away */
};

/* Loads libcurl. NULL and a failure (OTA_E_INTERNAL) without it, or without memory. */
struct tasmotas *tasmotas_new(const struct tasmotas_config *config, struct ota_failure *failure);

/* False: memory ran out. */
bool tasmotas_add(struct tasmotas *all, const struct tasmota_order *order);

/* Tells the boards, as many at a time as may download. at: where the server listens, with its port;
 * an unspecified address stands for the one that a board sees. */
void tasmotas_start(struct tasmotas *all, const struct address *at);

/* A board has a result, also one that asks by itself: tells those to fetch whose turn it is now.
 * After the last one, on_all_done is called. NULL is allowed. */
void tasmotas_go_on(struct tasmotas *all);

/* The server has closed. Gives the boards their OtaUrl back that have ours, as soon as they do not
 * try to fetch any more. Returns whether on_all_done will be called. NULL is allowed. */
bool tasmotas_end(struct tasmotas *all);

/* Names the boards that still have our OtaUrl. NULL is allowed. */
void tasmotas_free(struct tasmotas *all);

#endif
