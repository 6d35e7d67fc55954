/*
 * tasmota_internal.h: shared by tasmota.c and tasmota_request.c.
 */
#ifndef ESP_OTA_SERVE_TASMOTA_INTERNAL_H
#define ESP_OTA_SERVE_TASMOTA_INTERNAL_H

#include "discovery/resolve.h"
#include "http/authority.h"
#include "http/http_client.h"
#include "secrets/echo.h"
#include "serve/tasmota.h"
#include "serve/tasmota_command.h"
#include "upload/trust.h"
#include "upload/web/page_facts.h"

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
    struct address address; /* that of found[tried], with the port */
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
    char old_url[TASMOTA_URL_MAX], url[TASMOTA_URL_MAX];
    bool has_our_url;                /* its OtaUrl is or may be ours */
    bool is_upgrading;               /* it may still try to fetch */
    struct ota_failure upgrade_lost; /* why the command got no reply; OTA_OK: it got one */

    /* The wait for it. */
    int64_t ordered_us;                 /* when it was told to fetch */
    bool is_late;                       /* its downloads were ended */
    unsigned requests_before, requests; /* of it that the server has seen */
    int64_t last_download_us;           /* start of the last one that is waited for; 0: not yet */
    int64_t moved_us;                   /* its last request, or the end of its download */
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
    bool is_ending;
};

/* Sends a command; value: NULL: it only asks. Its reply goes to on_reply, after authentication if
 * the board asks for it; without a reply, or without the right password, on_lost is called. */
void tasmota_ask(struct tasmota *tasmota, const char *name, const char *value,
                 tasmota_reply_fn *on_reply, tasmota_lost_fn *on_lost);

#endif
