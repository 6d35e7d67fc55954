/*
 * upload.h: one image to one board, by any protocol. A protocol is a folder (upload/espota) that
 * implements struct upload_protocol, and a row of the table in protocols.c. Jobs and fleets know
 * only this interface.
 *
 *   service   a protocol in one command, with what its uploads share: a listener, a queue
 *   upload    one board, with what is known of it from all of its attempts
 *   attempt   from upload_start() to on_done, or to upload_stop()
 */
#ifndef ESP_OTA_UPLOAD_UPLOAD_H
#define ESP_OTA_UPLOAD_UPLOAD_H

#include "base/loop.h"
#include "crypto/auth.h"
#include "discovery/service.h"
#include "esp-ota/error.h"
#include "esp-ota/event.h"
#include "image/image_fit.h"
#include "upload/endpoints.h"
#include "upload/trust.h"
#include "upload/upload_settings.h"

#include <stdint.h>

struct board;
struct echo;
struct image;
struct kind_family;
struct mdns_client;
struct resolution;
struct target;
struct upload;
struct upload_protocol;

/* What a confirmed upload proves. */
enum upload_proof {
    UPLOAD_PROOF_BOARD,    /* the board said that the image is good */
    UPLOAD_PROOF_RECEIVED, /* the board has the bytes; nothing says that it accepted them */
    UPLOAD_PROOF_READBACK, /* the board runs what was sent: it was asked afterwards */
};

/* "board", "received", "readback": for programs. */
const char *upload_proof_name(enum upload_proof proof);
/* "the board has received the image": what a reply with this proof means, for people. */
const char *upload_proof_text(enum upload_proof proof);

/* The first member of each protocol's own struct. Everything must outlive the service. */
struct upload_service {
    const struct upload_protocol *protocol;
    struct loop *loop;
    const struct upload_settings *settings;
    struct upload_service *next; /* in a list of services; the caller's */
};

/* The board. Everything must outlive the upload. */
struct upload_config {
    struct upload_service *service;
    struct mdns_client *mdns;            /* for what the board announces after the upload */
    const struct target *target;         /* as the user gave it */
    const char *board;                   /* its name, escaped, for messages */
    const unsigned char *encryption_key; /* ENCRYPTION_KEY_SIZE bytes; NULL: none was given */
    enum auth_scheme min_auth;           /* --min-auth: AUTH_MD5, or AUTH_SHA256: nothing weaker */
    struct echo *echo; /* answers, and hashes of passwords, that the board must not show */
    const struct upload_own *own; /* what its line of --hosts sets; NULL: nothing */
};

/* What may change from one attempt to the next. Everything must outlive the attempt. */
struct upload_attempt {
    const struct image *image;
    const struct endpoints *endpoints; /* where the board may listen */
    const struct resolution *found;    /* what its announcement says */
    const char *password;              /* NULL or "": none was given */
};

/* All are called from the loop. */
struct upload_callbacks {
    /* The events INVITED to NOTE. Their type, phase and the fields of the type are filled in; the
     * caller fills in the others. Also called from within upload_start(). */
    ota_event_fn *on_event;
    /* At most once in an attempt: the board answers at this endpoint. */
    void (*on_endpoint)(size_t endpoint, void *userdata);
    /* At most once, right before an on_done() whose failure is about this endpoint: no endpoint has
     * answered. */
    void (*on_blamed)(size_t endpoint, void *userdata);
    /* The board asks for a password and none is known; answer with upload_set_password(). */
    void (*on_password)(void *userdata);
    /* Once, at the end of an attempt; failure->error is OTA_OK only if the upload is confirmed.
     * upload_phase() and upload_all_sent() still tell of the attempt; upload_stop() or
     * upload_free() follow, perhaps from within the call. */
    void (*on_done)(const struct ota_failure *failure, void *userdata);
    void *userdata;
};

/* The first member of each protocol's own struct. */
struct upload {
    const struct upload_protocol *protocol;
    struct upload_config config;
    struct upload_callbacks callbacks;
    struct trust trust; /* what the board asked for and got, in all attempts */
    bool is_running;    /* between upload_start() and upload_stop() */
};

/* A default port of the boards that have one of these chips (a set, image/kind.h; "": any). */
struct upload_port {
    const char *chips;
    uint16_t number;
    const char *source; /* the port in words: "the default port of ESP8266 boards" */
    bool is_rare;       /* not tried if the chips of board and image are unknown */
};

/* A protocol. Only functions of which it is said may be NULL; those of an upload are described at
 * their callers below. */
struct upload_protocol {
    const char *name;                /* as --protocol and JSON spell it */
    const char *title;               /* what a board with it has, in words: "an update page" */
    enum ota_cause announced_cause;  /* of the failure of another protocol at such a board */
    const struct upload_port *ports; /* tried in this order; equal numbers are neighbors */
    size_t port_count;
    bool takes_encryption_key;
    bool takes_uf2;          /* some of its boards take UF2 files */
    unsigned services;       /* a set: these announcements tell about the board */
    bool is_announced;       /* the port there is the board's; else only where serves() says so */
    bool is_unchecked;       /* boards start any image, so a wrong one needs a cable */
    bool reads_announcement; /* read_back() needs the announcement from before the upload */
    /* One for each upload_own_key, NULL for those that mean nothing here; NULL: none does. */
    upload_own_check_fn *const *own_checks;

    /* Whether a board with this announcement takes uploads by this protocol. */
    bool (*serves)(const struct board *board);

    /* Whether an image that suits the board's chip may still be meant for another board, by what
     * the image and the announcement say. The reason is a printable sentence. NULL: never. */
    bool (*doubt)(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                  const struct resolution *found);

    /* Acquires what all uploads of a command share, before any board is asked for anything. NULL,
     * and failure: OTA_E_NO_PORT, OTA_E_INTERNAL, ... */
    struct upload_service *(*open)(struct loop *loop, const struct upload_settings *settings,
                                   struct ota_failure *failure);
    void (*close)(struct upload_service *service); /* never NULL */

    /* Allocates the struct of an upload, which upload_free() frees; NULL when memory ran out.
     * upload_new() fills in the first member afterwards. */
    struct upload *(*create)(const struct upload_config *config);
    bool (*is_busy)(const struct upload *upload,
                    const struct endpoints *endpoints); /* NULL: never */
    bool (*start)(struct upload *upload, const struct upload_attempt *attempt);
    void (*stop)(struct upload *upload);
    void (*set_password)(struct upload *upload, const char *password);
    const char *(*adapt)(struct upload *upload, const struct ota_failure *failure); /* NULL: "" */
    enum ota_phase (*phase)(const struct upload *upload);
    bool (*all_sent)(const struct upload *upload);
    enum upload_proof (*proof)(const struct upload *upload);
    int64_t (*restart_us)(const struct upload *upload);
    bool (*restart_proves)(const struct kind_family *family);
    bool (*read_back)(struct upload *upload); /* NULL: no board tells its version */
};

/* Whether a board's port says something of its chip: there are default ports for some chips. */
bool upload_ports_tell_chips(const struct upload_protocol *protocol);

/* Opens the protocol's service. NULL, and failure: those of open(), or OTA_E_USAGE if the settings
 * demand a version, which boards do not tell by this protocol. */
struct upload_service *upload_service_open(const struct upload_protocol *protocol,
                                           struct loop *loop,
                                           const struct upload_settings *settings,
                                           struct ota_failure *failure);

/* The service of this protocol in a list; NULL if there is none. */
struct upload_service *upload_service_find(struct upload_service *first,
                                           const struct upload_protocol *protocol);
/* Closes each service of a list, which may be NULL. */
void upload_services_close(struct upload_service *first);

/* NULL when memory ran out. */
struct upload *upload_new(const struct upload_config *config,
                          const struct upload_callbacks *callbacks);

/* Whether an attempt at these endpoints has to wait for another upload, for a moment. */
bool upload_is_busy(const struct upload *upload, const struct endpoints *endpoints);

/* Begins an attempt; none is running. Returns false and fills in failure when memory ran out or
 * libcrypto failed. Other failures are reported by on_done, never from within this call. */
bool upload_start(struct upload *upload, const struct upload_attempt *attempt,
                  struct ota_failure *failure);
/* Between upload_start() and upload_stop(). False for NULL. */
bool upload_is_running(const struct upload *upload);

/* Closes every connection, so that the board does not wait forever; on_done is not called any more.
 * Allowed at any time, also from on_done, but not from the other callbacks. Does nothing if no
 * attempt is running, or for NULL. */
void upload_stop(struct upload *upload);

/* The reply to on_password, at once or later. NULL: the user gave none. The upload keeps the
 * pointer. on_done follows at once when memory ran out. */
void upload_set_password(struct upload *upload, const char *password);

/* The user has typed another password, after the board rejected one: see trust_begin_again(). */
void upload_begin_again(struct upload *upload);
/* Removes the addresses of a board's name that must not get its password, and so no attempt: see
 * trust_told(). */
void upload_narrow(const struct upload *upload, struct endpoints *endpoints);
/* From now on the board gets no answer to a challenge with a weaker scheme. */
void upload_require_auth(struct upload *upload, enum auth_scheme least);
/* Whether the board got an answer with MD5. */
bool upload_has_given_md5(const struct upload *upload);

/* An attempt has failed and another one will follow. Returns how that will be different, for
 * people: "in lock-step"; "" if it will not be. */
const char *upload_adapt(struct upload *upload, const struct ota_failure *failure);

/* Of the attempt that is running. */
enum ota_phase upload_phase(const struct upload *upload);
/* Whether the whole image has left this host. If so, the outcome of an interruption is unknown. */
bool upload_all_sent(const struct upload *upload);

/* After a confirmation, or when the verdict was lost. What the confirmation proves; how long after
 * it the board has restarted for sure. */
enum upload_proof upload_proof(const struct upload *upload);
int64_t upload_restart_us(const struct upload *upload);
/* Whether boards of this family (NULL: unknown) restart only after a success: a restart that is
 * seen can then stand in for a verdict that was lost. */
bool upload_restart_proves(const struct upload *upload, const struct kind_family *family);

/* After a confirmation or a lost verdict, when the board was seen to restart: asks it for the
 * version that it runs, for as long as a reply may take. on_done follows as for an attempt, at once
 * or later: OTA_OK, with what the board runs as a part of a sentence; OTA_E_UNPROVEN if that cannot
 * be what was sent; OTA_E_TLS if whoever answers has no trusted certificate; any other failure
 * means that nothing was learnt. upload_proof() then includes it. False if boards with this
 * protocol, or this one, do not tell. */
bool upload_read_back(struct upload *upload);

void upload_free(struct upload *upload);

#endif
