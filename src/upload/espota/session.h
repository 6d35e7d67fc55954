/*
 * session.h: one upload to one board, from the invitation to the verdict. It emits events and
 * prints nothing; every state has a deadline.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_SESSION_H
#define ESP_OTA_UPLOAD_ESPOTA_SESSION_H

#include "base/loop.h"
#include "base/work_queue.h"
#include "discovery/namesakes.h"
#include "image/image.h"
#include "net/listener.h"
#include "secrets/echo.h"
#include "upload/espota/endpoints.h"
#include "upload/espota/trust.h"

struct session;

/* What is worth saying once in an upload, however many sessions it takes. */
enum notice {
    NOTICE_SILENCE = 1 << 0,
    NOTICE_REFUSED = 1 << 1,
    NOTICE_UNREACHABLE = 1 << 2,
    NOTICE_WEAK = 1 << 3,
    NOTICE_OBJECTION = 1 << 4,
    NOTICE_EARLY = 1 << 5,
    NOTICE_NOT_ASKED = 1 << 6,
    NOTICE_REVOKED = 1 << 7,
};

/* Everything a session needs; the pointers must outlive it. */
struct session_config {
    struct loop *loop;
    struct listener *listener;
    struct work_queue *work_queue;
    const struct image *image;
    enum ota_command command;
    const char *board;                 /* what the user calls it, escaped, for messages */
    const struct endpoints *endpoints; /* where the board may listen */
    const struct source *source;       /* -I: this computer's end; NULL: any */
    const struct claims *heard;        /* where the board was announced; NULL: unknown */
    const struct address *peer; /* --peer: who may connect; NULL: the addresses of endpoints */
    bool peer_any;              /* --peer any */
    bool md5_target;            /* -m: the board stores an MD5 hash */
    enum auth_scheme min_auth;  /* --min-auth: AUTH_MD5, or AUTH_SHA256: nothing weaker */
    bool announces_password;    /* the board says that it asks for one */
    const char *password;       /* NULL or "": none was given */
    int64_t accept_timeout_us;  /* -t */
    size_t block;               /* as in struct transfer_config */
    /* What speaks against the image if the board sends a SHA-256 challenge; NULL: nothing. */
    const char *sha256_objection;
    bool is_forced;      /* --force: it is sent nevertheless */
    unsigned *notices;   /* enum notice: those that were given, also by sessions before */
    struct trust *trust; /* what the board got and showed, also in sessions before */
    struct echo *echo;   /* what is not shown of its words */
};

/* The events INVITED to NOTE go to on_event while the session runs; type, phase and what belongs to
 * the type are filled in, the rest is the caller's. When it ends, on_done is called once, from the
 * loop: failure->error is OTA_OK only when the board confirmed. on_password is called when the
 * board asks for a password and none is known: answer with session_set_password(); NULL means
 * nobody can be asked. */
struct session_callbacks {
    ota_event_fn *on_event;
    /* The board answers at this endpoint, or has connected from its address; once. */
    void (*on_endpoint)(size_t endpoint, void *userdata);
    void (*on_password)(struct session *session, void *userdata);
    void (*on_done)(struct session *session, const struct ota_failure *failure, void *userdata);
    void *userdata;
};

/* Starts; NULL when memory ran out. Failures come through on_done, never from within this call. */
struct session *session_start(const struct session_config *config,
                              const struct session_callbacks *callbacks);

/* The answer to on_password, at once or later; NULL: the user gave none. The session keeps the
 * pointer. */
void session_set_password(struct session *session, const char *password);

/* Closes every socket (so that the board does not wait for ever) and frees the session; on_done is
 * not called any more. Allowed at any time, also from on_done, but not from the other callbacks. */
void session_free(struct session *session);

enum ota_phase session_phase(const struct session *session);
/* Whether the whole image has left this host: an interruption then leaves the outcome unknown. */
bool session_all_sent(const struct session *session);

#endif
