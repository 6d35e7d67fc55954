/*
 * session.h: one upload to one board, from the invitation to the verdict. Progress and notices are
 * emitted as events. Every state has a deadline.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_SESSION_H
#define ESP_OTA_UPLOAD_ESPOTA_SESSION_H

#include "base/address_set.h"
#include "base/loop.h"
#include "base/work_queue.h"
#include "discovery/namesakes.h"
#include "esp-ota/command.h"
#include "esp-ota/error.h"
#include "esp-ota/event.h"
#include "image/image.h"
#include "net/listener.h"
#include "secrets/echo.h"
#include "upload/endpoints.h"
#include "upload/trust.h"
#include "upload/upload.h"

#include <stdint.h>

struct session;

/* The notices. Each is given once in an upload, which may take several sessions. */
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

/* Everything that a session needs. The pointers must outlive it. */
struct session_config {
    struct loop *loop;
    struct listener *listener;
    struct work_queue *work_queue;
    const struct image *image;
    enum ota_command command;
    const char *board;                 /* the user's name for the board, escaped, for messages */
    const struct endpoints *endpoints; /* where the board may listen */
    const struct source *source;       /* -I: address or interface to send from */
    const struct claims *heard;        /* where the board was announced; NULL: unknown */
    const struct address *peer; /* --peer: address that may connect; NULL: those of endpoints */
    bool peer_any;              /* --peer any */
    bool md5_target;            /* -m: the board stores an MD5 hash */
    bool announces_password;    /* the board announces that it asks for a password */
    const char *password;       /* NULL or "": none was given */
    int64_t accept_timeout_us;  /* -t */
    size_t block;               /* see struct transfer_config */
    /* Why the image is wrong for a board that sends a SHA-256 challenge; NULL: it is not wrong. */
    const char *sha256_objection;
    bool is_forced;      /* --force: objections become notices */
    unsigned *notices;   /* bits of enum notice: those given so far, also by earlier sessions */
    struct trust *trust; /* state of authentication, shared with earlier sessions */
    /* Addresses that sent a challenge with SHA-256, at any port; shared by all boards. */
    struct address_set *sha256_addresses;
    struct echo *echo; /* answers that must not be shown if the board repeats them */
};

/* Starts an upload. The callbacks are those of the attempt; on_blamed is not called. Returns NULL
 * when memory ran out. Other failures are reported by on_done, never from within this call. */
struct session *session_start(const struct session_config *config,
                              const struct upload_callbacks *callbacks);

/* The reply to on_password, at once or later. NULL: the user gave none. The session keeps the
 * pointer. */
void session_set_password(struct session *session, const char *password);

/* Closes every socket, so that the board does not wait forever, and frees the session; on_done is
 * not called any more. Allowed at any time, also from on_done, but not from the other callbacks. */
void session_free(struct session *session);

enum ota_phase session_phase(const struct session *session);
/* Whether the whole image has left this host. If so, the outcome of an interruption is unknown. */
bool session_all_sent(const struct session *session);

#endif
