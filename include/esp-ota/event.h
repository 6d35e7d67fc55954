/*
 * event.h: the steps of the work on one board, as reported to the output.
 */
#ifndef ESP_OTA_EVENT_H
#define ESP_OTA_EVENT_H

#include "esp-ota/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ota_event_type {
    OTA_EVENT_START,         /* work on a board begins, perhaps once more with another image */
    OTA_EVENT_RESOLVED,      /* address, port and their source are known */
    OTA_EVENT_INVITED,       /* an invitation was sent; attempt counts from 1 */
    OTA_EVENT_AUTHENTICATED, /* the board accepted the password, or the encryption key; scheme,
                              * evidence and is_by_key are set */
    OTA_EVENT_CONNECTED,     /* the back-channel is open */
    OTA_EVENT_PROGRESS,      /* bytes of total were acknowledged by the board's TCP */
    OTA_EVENT_NOTE,          /* something a person should know; message is set; scheme ("MD5",
                              * "Basic" or "PIN") where the board asks in this weak way, password
                              * where it was not asked for */
    OTA_EVENT_RESULT,        /* the end of the work on this board; failure is set */
    OTA_EVENT_LOG,           /* the board's log has a line; line is set */
    OTA_EVENT_SKIPPED,       /* no upload to this board; skip and message are set */
};

/* Why a board of a fleet gets no upload. */
enum ota_skip {
    OTA_SKIP_UNTRIED,   /* the roll-out has stopped */
    OTA_SKIP_DUPLICATE, /* it is the same board as another one */
    OTA_SKIP_CONFIRMED, /* an earlier run has updated it */
    OTA_SKIP_INSTALLED, /* it runs the image already */
    OTA_SKIP_DRY_RUN,   /* nothing speaks against it, but nothing is to be sent */
};

struct address; /* base/address.h */
struct image;
struct line; /* boardlog/line_splitter.h */
struct ota_totals;

/* What happened to one board. Every pointer is valid only during the call; every string is escaped
 * and safe to show. Fields that a type does not name above may be NULL or 0. */
struct ota_event {
    enum ota_event_type type;
    enum ota_phase phase;
    const char *board;                 /* its name for people: assignment_label() */
    const char *target;                /* its name or address for programs; NULL: equal to board */
    uint16_t target_port;              /* OTA_EVENT_RESULT: the port that target lacks; 0: none */
    const struct image *image;         /* what goes to it; NULL: only its log is followed */
    const char *protocol;              /* by which that goes; NULL: only its log is followed */
    const char *address;               /* numeric address, once resolved */
    uint16_t port;                     /* UDP port of the board, once resolved */
    const struct address *addresses;   /* all that belong to the name, in no order */
    size_t address_count;              /* 0: they are not known */
    const char *chips;                 /* OTA_EVENT_RESULT: what the board has one of (kind.h); ""
                                        * where nobody knows */
    const char *source;                /* how the address was found, for people */
    const char *port_source;           /* and which port it is, in words */
    unsigned attempt;                  /* the number of the invitation, or of the attempt */
    const char *scheme;                /* "MD5", "SHA-256", "Basic", ...: esp-ota-json(7) has all */
    const char *evidence;              /* "reply", or "connection", where the OK was lost */
    bool is_by_key;                    /* the key was accepted; the password is another question */
    const char *password;              /* "not-asked" */
    bool is_important;                 /* OTA_EVENT_NOTE: said of each board of a fleet, too */
    bool is_warning;                   /* OTA_EVENT_NOTE: and also with -q */
    size_t bytes;                      /* acknowledged so far */
    size_t total;                      /* size of the image */
    int64_t elapsed_us;                /* since OTA_EVENT_START; a result: of the whole upload */
    int64_t transfer_us;               /* since the connection was accepted */
    int64_t sent_us;                   /* from then until the board's TCP had all; 0: it has not */
    const char *message;               /* OTA_EVENT_NOTE, OTA_EVENT_SKIPPED */
    const struct line *line;           /* OTA_EVENT_LOG: as it came from the board */
    enum ota_skip skip;                /* OTA_EVENT_SKIPPED */
    const struct ota_failure *failure; /* OTA_EVENT_RESULT; error OTA_OK is success, and its message
                                        * what was proven after it, or "" */
    bool is_verdict_lost;              /* OTA_EVENT_RESULT: proof has taken its place */
    const char *verified;              /* OTA_EVENT_RESULT: what a success proves: "board"; NULL: it
                                        * is no success, or its verdict was lost */
    int exit_status;                   /* OTA_EVENT_RESULT */
    const struct ota_totals *totals;   /* of the fleet */
};
typedef void ota_event_fn(const struct ota_event *event, void *userdata);

#endif
