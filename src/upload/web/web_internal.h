/*
 * web_internal.h: the state of an upload through a web page, and what the web*.c call of each
 * other.
 */
#ifndef ESP_OTA_UPLOAD_WEB_WEB_INTERNAL_H
#define ESP_OTA_UPLOAD_WEB_WEB_INTERNAL_H

#include "discovery/esphome_record.h"
#include "http/authority.h"
#include "http/http_client.h"
#include "http/status.h"
#include "net/outage.h"
#include "upload/endpoint_failures.h"
#include "upload/readback.h"
#include "upload/upload.h"
#include "upload/web/page_find.h"
#include "upload/web/page_verdict.h"
#include "upload/web/web_settings.h"

enum { WEB_PATH_MAX = 512, WEB_INSTANCE_MAX = 128 };

struct announced_service;
struct services_at;
struct web;

/* Takes the reply to a GET, unless it is a challenge to be answered. */
typedef void web_reply_fn(struct web *web, const struct http_reply *reply);
/* A GET got no reply. Returns false if this is a failure; it always is if this computer failed, or
 * did not trust the certificate. */
typedef bool web_lost_fn(struct web *web, const struct http_outcome *outcome);

struct web_service {
    struct upload_service service;
    struct http_client *client;
};

/* What the next attempt has to know. */
struct web_history {
    int64_t broken_us;    /* an upload was seen to break off then, and the page's updater may still
                           * be running; 0: none */
    bool is_started_over; /* a refusal was taken to be about another upload */
    bool is_weak_told[CHALLENGE_DIGEST_SHA256]; /* by scheme */
    bool is_unasked_told;
    bool was_heard; /* a request got a reply; with https, its certificate was trusted */
    /* The challenge of the last upload's 401, if the page itself asks for no password. Each further
     * upload answers it. CHALLENGE_NONE: there was none. */
    struct challenge upload_challenge;
    bool is_unlocked; /* the board took the PIN, after which its page stays open for a while */
    /* The GET whose reply asked for the password or the PIN last; "": none did. */
    char asked_path[WEB_PATH_MAX];
};

/* What became of the answer to the board's last challenge. */
enum web_answer {
    WEB_ANSWER_NONE, /* no request has had it */
    WEB_ANSWER_SENT,
    WEB_ANSWER_UNCLEAR, /* a GET with it was not accepted, or got no reply */
    WEB_ANSWER_DENIED,  /* the reply to a GET with it denies access */
    WEB_ANSWER_ACCEPTED,
};

/* All but the first three members begin as zero with each attempt. */
struct web {
    struct upload upload;
    struct web_history history;
    struct loop_timer timer;
    void (*on_timer)(struct web *web);

    /* Where the attempt stands. */
    struct upload_attempt attempt;
    enum ota_phase phase;
    struct http_request *request; /* NULL: none is open */

    /* Where the board is. */
    size_t endpoint;                   /* they are tried in their order */
    struct endpoint_failures failures; /* while it is not heard */
    bool is_heard;                     /* it has replied at this endpoint */
    char authority[HTTP_AUTHORITY_MAX];

    /* The request. */
    char path[WEB_PATH_MAX];
    const struct multipart *question; /* the body of a POST before the upload; NULL: it is a GET */
    web_reply_fn *on_reply;
    web_lost_fn *on_lost; /* NULL: no reply is a failure */
    struct web_command {
        const char *path;
        web_reply_fn *on_reply;
    } command;          /* Tasmota's, to be sent again after the page with the challenge */
    bool is_door_asked; /* that page was asked for */

    /* Authentication. */
    struct challenge challenge; /* the last one; CHALLENGE_NONE: the board has not asked */
    char *authorization;        /* the header of the request; see secret.h; NULL: none */
    const char *password;       /* NULL or "": none */
    bool is_password_awaited;
    unsigned unasked; /* the status of the reply to asked_path if that does not ask; 0: none came */
    enum web_answer answer;
    unsigned refusal; /* the status of the reply that did not accept it; 0: none came */
    enum challenge_scheme accepted; /* the scheme of which the last event has told */
    unsigned nonces_replaced; /* by somebody else's request, or first given by the upload's 401 */
    char *pin;                /* the PIN's request body; see secret.h; NULL: none */
    unsigned pins_sent;
    bool is_pin_awaited; /* the password asked for is a PIN */

    /* The page, and the upload to it. */
    struct page_finder finder;
    struct multipart body;
    bool is_posted;           /* the upload has begun */
    bool is_all_sent;         /* the whole image has left this host */
    bool is_acknowledged;     /* the board's TCP has all of it */
    unsigned starts;          /* of an ElegantOTA upload */
    int64_t restart_until_us; /* the board restarts, and is waited for until then; 0: not now */
    unsigned unrestarted;     /* replies of a WLED that show no restart */

    /* Reading the version after the upload. */
    bool is_reading;
    bool told_before; /* the path that is asked then has told the version before the upload, too */
    char version_before[PAGE_FACT_MAX]; /* may repeat a secret: not to be shown as it is */
    const char *expected_version;       /* of --expect-version; NULL: any */
    int64_t read_until_us;
    struct services_at *asking; /* for the announcement, before the upload; NULL: not now */
    char announced_as[WEB_INSTANCE_MAX]; /* the instance, escaped; "": no announcement was seen */
    struct esphome_record announced;
    struct readback *readback; /* of the announcement; NULL: not now */
    bool has_returned;         /* upload_read_back() asks; else --expect-version, at once */
    struct outage outage;      /* of this computer, while the version is read */
    int64_t asked_us;          /* when the version, or the uptime, was last asked for */
    bool was_away;             /* the board was off the network in between, or had no page */
    /* The recovery firmware's version, once the page has told that instead of the image's. */
    char recovery[PAGE_FACT_MAX];
    bool is_read_back; /* it told the expected version, or another one than before */
};

/* -- web.c -- */

const struct web_settings *web_settings_of(const struct web *web);
const struct upload_settings *web_common_settings(const struct web *web);

/* What the board's line of --hosts or the command line says. NULL: the page is looked for; the
 * field is the page's. */
const struct page *web_forced_page(const struct web *web);
const char *web_field(const struct web *web);

/* Emits an event; its phase is filled in. */
void web_emit(struct web *web, struct ota_event event);
void web_note(struct web *web, const char *message);

/* Ends the attempt. The web may have been freed then. */
void web_finish(struct web *web, const struct ota_failure *failure);
void web_fail(struct web *web, enum ota_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void web_fail_no_memory(struct web *web);

/* Calls on_timer after delay_us. */
void web_wait(struct web *web, int64_t delay_us, void (*on_timer)(struct web *web));

/* "10.0.0.7:80 (the default port of web servers)" */
const char *web_place(const struct web *web, char text[ENDPOINTS_TEXT_MAX]);

/* Whether text contains a part of an answer that the board was given. */
bool web_repeats_answer(const struct web *web, const char *text);
/* Text from the board, without what it repeats of the password and the answers to it. What is in
 * one message has to come in the order in which it is shown. */
const char *web_hide_secrets(const struct web *web, const char *text);
/* The same for a text that begins with words of ours: nothing of it counts for what comes next. */
const char *web_hide_own(const struct web *web, const char *text);
/* The page_status_text() of a reply, without secrets; text is its page_text(), likewise. */
const char *web_status_text(const struct web *web, char status[PAGE_STATUS_MAX],
                            const struct http_reply *reply, const char *text);
/* A path, which the board's form may have given, escaped and without them. */
const char *web_show_path(const struct web *web, char shown[WEB_PATH_MAX], const char *path);

/* -- web_request.c: single requests -- */

/* Chooses an endpoint. */
void web_choose_endpoint(struct web *web, size_t endpoint);

bool web_is_tls(const struct web *web);

/* Sends a GET; its reply goes to on_reply, after authentication if the board asks for it. */
void web_get(struct web *web, const char *path, web_reply_fn *on_reply, web_lost_fn *on_lost);
/* Like web_get(), but by POST; body must outlive the request. */
void web_ask(struct web *web, const char *path, const struct multipart *body,
             web_reply_fn *on_reply);
/* Sends web->body to a path. */
void web_post(struct web *web, const char *path);
/* A challenge has come. What the board has said of an earlier answer no longer counts. Returns
 * false if it cannot or may not be answered; the attempt has ended. */
bool web_take_challenge(struct web *web, const struct challenge *challenge);
/* The reply to the last GET asks for the password or the PIN. */
void web_note_asking(struct web *web);
/* The password itself, or the PIN, is about to be sent to the board. */
void web_note_told(struct web *web);
/* The board has rejected the password. Ends the attempt. */
void web_fail_rejected(struct web *web);
/* Notes that the answer was accepted, if the reply says so. */
void web_note_authenticated(struct web *web, const struct http_reply *reply);
/* Whether the board has accepted the answer to its last challenge, or may have, as each page that
 * got it is missing. Otherwise the attempt has ended. */
bool web_check_accepted(struct web *web);
bool web_has_password(const struct web *web);
/* No password was given: asks for one. web_take_password() follows. */
void web_ask_for_password(struct web *web);
/* The password that was asked for has come, or is missing. */
void web_take_password(struct web *web, const char *password);

/* -- web_pin.c -- */

/* The page asks for its PIN: sends the password, after asking for it if there is none, and looks
 * for the page again. */
void web_unlock(struct web *web);
/* The page is open, whether it wanted its PIN or not. */
void web_note_open(struct web *web);
/* Frees the PIN that was sent. */
void web_forget_pin(struct web *web);

/* -- web_page.c: from the first GET to the upload -- */

/* Finds out which page the board has, and goes on until the upload. */
void web_find_page(struct web *web);

/* -- web_prepare.c: what a page wants before an upload -- */

/* Does it, and then sends the image. */
void web_start_upload(struct web *web);

/* -- web_upload.c: the upload and its verdict -- */

void web_send_image(struct web *web);
/* Whether a board may start the mixture of a part of an image and what is sent after it, or drop
 * the latter and say that it was a success. */
bool web_may_keep_part(const struct web *web);
/* Whether a reply to the POST, which may be incomplete, says what became of the image. */
bool web_is_verdict(const struct web *web, const struct http_reply *reply);
/* Whether a confirmation by this page, for this image, proves PAGE_PROOF_RECEIVED only. */
bool web_proves_receipt_only(const struct web *web);
/* The POST has ended. */
void web_judge_upload(struct web *web, const struct http_outcome *outcome);

/* -- web_readback.c -- */

/* Cancels what waits for an announcement. */
void web_forget_announcement(struct web *web);
/* Whether the board tells its version, as far as is known before the upload. */
bool web_tells_version(const struct web *web);
/* The path that tells more of the board; NULL: none. */
const char *web_facts_path(const struct web *web);

/* The upload is confirmed: ends the attempt once the page tells the version of --expect-version, or
 * does not. */
void web_expect_version(struct web *web);
/* Of the protocol: the board is back. */
bool web_read_back(struct upload *upload);

#endif
