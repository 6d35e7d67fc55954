/*
 * job_internal.h: what the files of a job share; nobody else includes it.
 */
#ifndef ESP_OTA_FLEET_JOB_INTERNAL_H
#define ESP_OTA_FLEET_JOB_INTERNAL_H

#include "boardlog/boot_check.h"
#include "discovery/resolve.h"
#include "discovery/services_at.h"
#include "esp-ota/error.h"
#include "esp-ota/event.h"
#include "fleet/job.h"
#include "image/image_fit.h"
#include "image/kind.h"
#include "secrets/echo.h"
#include "upload/upload.h"

#include <stdint.h>

struct job {
    struct job_config config; /* whose log is the next one */
    struct log_settings log;  /* with what this board's log is to say */
    struct job_callbacks callbacks;
    char *name;            /* the label, for events */
    char *target;          /* the board's name for programs, for events */
    int64_t start_us;      /* 0: not started */
    int64_t deadline_us;   /* --deadline; 0: none */
    bool is_wait_told;     /* the user was told that the job waits for the board */
    int64_t look_until_us; /* end of --wait; 0: the search is not bounded by it */

    /* Where the board is. */
    struct resolver *resolver;
    struct resolution found;        /* by the last attempt that found the board */
    const char *source;             /* how it was found, for people */
    struct endpoints endpoints;     /* where the board may listen */
    size_t endpoint;                /* the one that answers; until then the first */
    struct address answered;        /* of the last answer; AF_UNSPEC: none yet */
    char address[ADDRESS_TEXT_MAX]; /* of the endpoint; "": none yet */
    uint16_t port;
    const char *port_source;

    /* The attempt, and the pause before the next one. */
    unsigned attempt; /* counts from 1 */
    bool is_counted;  /* the next start is a new attempt */
    bool is_heard;    /* the board has answered in this one */
    int64_t began_us; /* start of the attempt, with the address known */
    /* Start of the first of the latest attempts in which nobody had the board's address; 0:
     * somebody may have it. */
    int64_t gone_us;
    struct loop_timer timer;
    int64_t ready_us;        /* end of the pause; 0: there is none */
    enum ota_phase paused;   /* the phase that a pause or a question is in */
    enum ota_phase ended_in; /* the phase that the last attempt ended in */
    struct ota_failure last; /* why it ended; OTA_OK, "": there was none */
    struct broken {          /* the last attempt that broke off after the board had accepted */
        struct ota_failure failure;
        enum ota_phase phase;
        size_t acknowledged;
    } broken;
    struct services_at *services; /* looked for, before the job ends; NULL: they are not */
    bool has_gone_on;             /* at a port that they announced */

    /* The upload. */
    struct upload *upload;     /* NULL: no image */
    const struct image *image; /* the plain one, once the board has refused the compressed one */
    const char *password;
    bool was_typed;                       /* job_set_password() gave the password */
    bool was_rejected;                    /* the board rejected one that was typed */
    bool is_withheld;                     /* job_withhold_password() was called */
    struct echo echo;                     /* digits that are hidden in texts of the board */
    char objection[IMAGE_FIT_REASON_MAX]; /* to the image, as last told; "": none */
    int64_t connected_us;                 /* 0: not connected yet */
    int64_t sent_us;      /* from connected_us until all was acknowledged; 0: not yet */
    int64_t confirmed_us; /* 0: not confirmed yet */
    size_t acknowledged;

    /* After the upload, or without one. */
    struct boot_check *boot_check;
    bool is_verdict_lost;      /* the proof of boot takes its place */
    bool is_reading_back;      /* the board is asked for its version, after all other proofs */
    struct ota_failure proven; /* by them; the text is the end of a sentence */
};

/* -- job.c -- */

void job_emit_event(struct job *job, const struct ota_event *event);
void job_emit_result(struct job *job, enum ota_phase phase, const struct ota_failure *failure,
                     int signal_number);
void job_note(struct job *job, enum ota_phase phase, const char *message);

/* Ends the attempt. Another one follows, or the job is done and may have been freed. */
void job_conclude(struct job *job, enum ota_phase phase, const struct ota_failure *failure);
void job_conclude_no_memory(struct job *job, enum ota_phase phase);

/* Emits the result. The job is done, and may have been freed. */
void job_end(struct job *job, enum ota_phase phase, const struct ota_failure *failure);

/* Pauses before the next start. why: how the attempt ended; OTA_OK, "" if there was none.
 * is_counted: the next start is a new attempt. */
void job_rest(struct job *job, enum ota_phase phase, const struct ota_failure *why,
              int64_t pause_us, bool is_counted);

/* Combines the addresses found with these ports. The endpoint that answered before comes first. */
void job_set_endpoints(struct job *job, const struct endpoint_port *ports, size_t count);
/* Whether the job may use its endpoints now. If not, it rests, or is done and may have been
 * freed. */
bool job_claim_endpoints(struct job *job);
/* Events name this endpoint from now on. */
void job_set_endpoint(struct job *job, size_t endpoint);
/* Takes this endpoint for the board's, and reports it. */
void job_choose_endpoint(struct job *job, size_t endpoint);
/* Rests for a moment, until another job has gone on. */
void job_wait_for_turn(struct job *job);

/* The board's port, if it was given or announced for the protocol; else 0. */
uint16_t job_known_port(const struct job *job);

/* The same, where it says something of the board's chip; else 0. */
uint16_t job_telling_port(const struct job *job);

/* The kind of the board, by its announcement and its names. */
struct kind job_kind(const struct job *job);
/* NULL if it is unknown, or if the board gets no image. */
const struct kind_family *job_family(const struct job *job);

/* -- job_other_protocol.c -- */

/* The job has failed. Whether it looks for what the board announces before it ends: if so,
 * job_end() follows by itself. */
bool job_looks_for_other_protocol(struct job *job, enum ota_phase phase,
                                  const struct ota_failure *failure);
void job_stop_looking(struct job *job);
/* The port that the board announces for the protocol that it is asked by; 0: none is known. */
uint16_t job_announced_port(const struct job *job);

/* -- job_upload.c -- */

/* --dry-run: says what would be done, and ends the job. */
void job_end_dry_run(struct job *job);

/* Uploads to the endpoints that were found, unless the image is not for this board. */
void job_start_upload(struct job *job);
/* NULL when memory ran out. */
struct upload *job_new_upload(struct job *job);

/* If nobody has the board's only address, as far as the kernel knows, or this computer's way to it
 * is a wrong one, adds that to a failure that is not explained yet, and makes it its cause. */
void job_explain_silence(const struct job *job, struct ota_failure *failure);

/* -- job_proof.c -- */

/* After the board's confirmation. The result comes at once, unless a proof is wanted. */
void job_check_boot(struct job *job, enum ota_phase phase, const struct ota_failure *success);
/* The board's verdict was lost: the proof decides instead. */
void job_prove_instead(struct job *job, const struct ota_failure *unknown);
/* The board was asked for its version. */
void job_end_read_back(struct job *job, const struct ota_failure *told);
/* The board has confirmed the upload, and was asked for the expected version within it: whatever
 * failed then, only the version is missing. */
void job_judge_version(const struct job *job, struct ota_failure *result);
/* Without an upload. */
void job_follow_log(struct job *job);
/* The phase that the boot check is in. */
enum ota_phase job_check_phase(const struct job *job);
/* Sets result to the proof, with what is known of the upload before it. */
void job_add_verdict(const struct job *job, struct ota_failure *result,
                     const struct ota_failure *proof);

#endif
