/*
 * fleet_internal.h: shared by fleet.c and fleet_password.c only.
 */
#ifndef ESP_OTA_FLEET_FLEET_INTERNAL_H
#define ESP_OTA_FLEET_FLEET_INTERNAL_H

#include "esp-ota/error.h"
#include "esp-ota/totals.h"
#include "fleet/fleet.h"
#include "secrets/prompt.h"

enum { REJECTIONS_MAX = 3 };

enum state {
    UNTRIED,
    RUNNING,
    RESTING, /* between two attempts */
    PARKED,  /* until another board has accepted the typed password */
    READY,   /* queued for a slot */
    ENDED
};

struct member {
    struct fleet *fleet;
    const struct assignment *assignment;
    enum state state;
    bool has_rested;            /* an attempt has failed, so the next one is a retry */
    struct job *job;            /* from the start to the end */
    struct member *next_ready;  /* in the queue of those that are READY */
    bool asks;                  /* for a password, while its session waits */
    const char *was_given;      /* the password that was typed, in this attempt */
    struct endpoints claimed;   /* with all addresses of its name; none before it is resolved */
    struct endpoints endpoints; /* those it may be found at; none before the claim is granted */
    char host[MDNS_NAME_MAX];   /* the board's on multicast DNS, then; "": unknown */
    const struct member *rival; /* was RUNNING when this board claimed its address; or NULL */
    const struct member *taker; /* was found at an address that this board may not try; or NULL */
    bool is_found;              /* at the only endpoint that is left */
    bool has_given_md5;         /* the board got an answer with MD5 */
    size_t bytes;
    size_t total;
    enum ota_error error; /* of its result; OTA_E_INTERNAL while there is none */
    int exit_status;      /* for error */
};

struct fleet {
    struct fleet_config config;
    struct member *members;
    size_t places; /* for boards that run at a time */
    size_t begun;  /* of the members, in their order */
    size_t open;   /* begun, and not ended */
    bool is_done;  /* on_done has been called */
    struct member *ready;
    struct member **ready_end;
    struct loop_timer turn;  /* when slots may have to be filled */
    size_t canaries;         /* number of canaries; grows when one is skipped */
    const char *why_stopped; /* NULL: goes on */
    int signal_number;
    struct ota_totals totals;

    /* fleet_password.c */
    struct prompt *prompt;
    struct member *prover; /* the board that the password is tried on; NULL: none for now */
    char *typed_password;  /* NULL: none */
    char *rejected[REJECTIONS_MAX]; /* a board whose image was sent may still use one */
    unsigned rejections;
    bool is_settled; /* a board has accepted it, or nobody is asked any more */
};

/* Schedules the fleet's next step, which runs from the loop. */
void fleet_look_later(struct fleet *fleet);
void fleet_set_state(struct member *member, enum state state);
/* Queues the member for a slot, behind all untried ones. */
void fleet_queue(struct member *member);

/* A board asks for a password, and none was given for it. */
void fleet_password_asked(struct member *member);
/* The board has accepted the answer to its challenge. */
void fleet_password_accepted(struct member *member);
/* The board has rejected the typed password. Returns whether it may ask again. */
bool fleet_password_rejected(struct member *member);
/* The attempt is over without a verdict on the password, and another one follows. */
void fleet_password_rested(struct member *member);
/* The board needs no password any more: its image was sent, or the work on it is over. */
void fleet_password_left(struct member *member);
/* Called from the loop: takes the next step with the password. */
void fleet_password_turn(struct fleet *fleet);
void fleet_password_dismiss(struct fleet *fleet);
/* Frees what was typed, which the jobs use up to their end. */
void fleet_password_free(struct fleet *fleet);

#endif
