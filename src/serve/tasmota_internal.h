/*
 * tasmota_internal.h: a board that is told to fetch, and what tasmota*.c call of each other.
 */
#ifndef ESP_OTA_SERVE_TASMOTA_INTERNAL_H
#define ESP_OTA_SERVE_TASMOTA_INTERNAL_H

#include "base/units.h"
#include "discovery/resolve.h"
#include "http/authority.h"
#include "http/http_client.h"
#include "secrets/echo.h"
#include "serve/tasmota.h"
#include "serve/tasmota_command.h"
#include "upload/trust.h"
#include "upload/web/page_facts.h"

/* The pause before a command is repeated; and how long a board gets for its OtaUrl at the end. */
#define TASMOTA_AGAIN_US MILLISECONDS(500)
#define TASMOTA_RESTORE_US SECONDS(30)

enum { TASMOTA_NOTE_MAX = OTA_MESSAGE_MAX, TASMOTA_OLD_SHOWN_MAX = 400 };

struct tasmota;

typedef void tasmota_reply_fn(struct tasmota *tasmota, const struct http_reply *reply);
typedef void tasmota_lost_fn(struct tasmota *tasmota, const struct ota_failure *failure);

struct tasmota {
    struct tasmotas *all;
    struct tasmota_order order;
    bool is_started, is_done;
    enum ota_phase phase;
    struct loop_timer timer;
    void (*on_timer)(struct tasmota *tasmota);

    /* Where the board is, and the request to it. */
    struct resolver *resolver;
    struct address found[RESOLVE_ADDRESSES_MAX]; /* where it may be; without ports */
    size_t found_count, tried;
    struct address address;   /* that of found[tried], with the port */
    char host[MDNS_NAME_MAX]; /* on multicast DNS; "": unknown */
    char authority[HTTP_AUTHORITY_MAX];
    struct http_request *request; /* NULL: none is open */
    char path[TASMOTA_PATH_MAX];
    struct trust trust;  /* in all requests */
    char *authorization; /* NULL: the board has not asked for the password; see secret.h */
    struct echo echo;    /* secrets to hide in its replies */
    tasmota_reply_fn *on_reply;
    tasmota_lost_fn *on_lost;

    /* What it runs, and where it fetches from. */
    struct page_facts facts;
    unsigned rank;              /* in which the pages were asked for their MACs; 0: not yet */
    const struct tasmota *twin; /* another one with its MAC, of a lower rank; NULL: none */
    char old_url[TASMOTA_URL_MAX], url[TASMOTA_URL_MAX];
    bool has_our_url;                /* its OtaUrl is or may be ours */
    bool is_upgrading;               /* it may still try to fetch */
    struct ota_failure upgrade_lost; /* why the command got no reply; OTA_OK: it got one */

    /* The wait for it. */
    int64_t ordered_us;                 /* when it was told to fetch; 0: not yet */
    bool is_late;                       /* its downloads were ended */
    unsigned requests_before, requests; /* of it that the server has seen */
    int64_t last_download_us;           /* start of the last one that is waited for; 0: not yet */
    int64_t moved_us;                   /* its last request, or the end of its download */
    int64_t taken_us;                   /* when the wait for its return began */
    int64_t until_us;                   /* the end of the wait */
    bool was_away;                      /* it has not answered since it took the image */
    bool is_in_safeboot;
    struct ota_failure outcome;
    enum ota_phase outcome_phase; /* what follows is only the old OtaUrl */
};

struct tasmotas {
    struct tasmotas_config config;
    struct http_client *client;
    struct address at;
    struct tasmota **list;
    size_t count, capacity;
    unsigned ranks; /* that were given */
    bool is_ending;
};

/* -- tasmota.c: from the lookup of a board to the order -- */

void tasmota_start(struct tasmota *tasmota);

/* -- tasmota_watch.c -- */

/* The board has, or may have, got the order: waits until it runs the image, or has failed. */
void tasmota_watch(struct tasmota *tasmota);
/* Whether the board has not asked since the order; if so, fills in the outcome. */
bool tasmota_has_never_asked(struct tasmota *tasmota);

/* -- tasmota_end.c -- */

void tasmota_note(const struct tasmota *tasmota, bool is_important, const char *message);
/* Returns a text of the board, or a note if that repeats a part of the password. A hash may be
 * spread over several texts, so they have to come in the order in which they are shown. */
const char *tasmota_hide_secrets(struct tasmota *tasmota, const char *text);
/* The board's former OtaUrl, printable. */
const char *tasmota_show_old_url(struct tasmota *tasmota, char shown[TASMOTA_OLD_SHOWN_MAX]);

/* Calls on_timer after delay_us. */
void tasmota_wait(struct tasmota *tasmota, int64_t delay_us,
                  void (*on_timer)(struct tasmota *tasmota));

/* Tells the user how to restore the board's OtaUrl. */
void tasmota_note_left_url(struct tasmota *tasmota);

/* The outcome is known: restores the board's OtaUrl if it is ours, and ends. */
void tasmota_conclude(struct tasmota *tasmota);
void tasmota_fail(struct tasmota *tasmota, enum ota_error error, const char *message);
void tasmota_fail_lost(struct tasmota *tasmota, const struct ota_failure *failure);
/* Reports the outcome, and goes on with the other boards. */
void tasmota_finish(struct tasmota *tasmota);
/* Only reports it. */
void tasmota_report_outcome(struct tasmota *tasmota);

/* -- tasmota_request.c -- */

/* Sends a command; value: NULL: it only asks. Its reply goes to on_reply, after authentication if
 * the board asks for it; without a reply, or without the right password, on_lost is called. */
void tasmota_ask(struct tasmota *tasmota, const char *name, const char *value,
                 tasmota_reply_fn *on_reply, tasmota_lost_fn *on_lost);

#endif
