/*
 * job.h: one board of a fleet, from its name to its result, with all attempts. It prints nothing,
 * and is independent of the other boards.
 */
#ifndef ESP_OTA_FLEET_JOB_H
#define ESP_OTA_FLEET_JOB_H

#include "base/loop.h"
#include "boardlog/log_settings.h"
#include "discovery/mdns_client.h"
#include "esp-ota/event.h"
#include "esp-ota/totals.h"
#include "fleet/assignment.h"
#include "fleet/fleet_settings.h"
#include "upload/upload.h"

struct job;

/* Everything must outlive the job. */
struct job_config {
    struct loop *loop;
    struct mdns_client *mdns;
    struct upload_service *service; /* of the protocol; may be NULL if there is no image */
    /* The same for every board. */
    const struct upload_settings *upload;
    const struct fleet_settings *fleet;
    const struct log_settings *log;
    const struct assignment *assignment;
};

/* Whether the board that listens at one of the endpoints is the job's to upload to. */
enum job_claim {
    JOB_CLAIM_GRANTED,
    JOB_CLAIM_DENIED,    /* no: on_done follows without a result */
    JOB_CLAIM_UNDECIDED, /* another job may reach the same board: the job rests, and claims again */
};

/* All are called from the loop, or from job_start() and job_interrupt(). A job may be freed from
 * on_done only. */
struct job_callbacks {
    ota_event_fn *on_event; /* complete but for what concerns the whole fleet */
    /* host: of the board on multicast DNS; "": unknown. Addresses that are not the board's are
     * removed. */
    enum job_claim (*on_endpoints)(struct endpoints *endpoints, const char *host, void *userdata);
    /* The board was found at the endpoint with this number. */
    void (*on_found)(size_t endpoint, void *userdata);
    void (*on_password)(void *userdata); /* answer with job_set_password(), at once or later */
    /* The board has rejected the password of job_set_password(), and the job has dropped it. True:
     * the upload begins anew, and on_password follows; else it has failed. */
    bool (*on_rejected)(void *userdata);
    /* The image was sent, and what follows needs no password: the proof, and perhaps a log that
     * goes on. Not where the result comes at once. */
    void (*on_sent)(void *userdata);
    void (*on_rest)(void *userdata);  /* an attempt is over and another is to follow */
    void (*on_ready)(void *userdata); /* it may: job_start() */
    void (*on_planned)(const char *message, void *userdata); /* --dry-run; on_done follows */
    void (*on_log)(void *userdata); /* no upload: a log is followed until job_end_log() */
    /* After the result; not where the log goes on (boot_check_goes_on()). */
    void (*on_done)(void *userdata);
    void *userdata;
};

/* NULL, with *failure filled in, when memory ran out or libcrypto failed. */
struct job *job_new(const struct job_config *config, const struct job_callbacks *callbacks,
                    struct ota_failure *failure);

/* Begins the first attempt, or the next one after on_ready. */
void job_start(struct job *job);

/* The job keeps the pointer, also for the attempts that follow; NULL: nobody gave one. */
void job_set_password(struct job *job, const char *password);

/* Like job_set_password(job, NULL), as another board has rejected the password that was typed. */
void job_withhold_password(struct job *job);

/* From now on the board gets no answer to a challenge with a weaker scheme. */
void job_require_auth(struct job *job, enum auth_scheme least);

/* Whether the board got an answer with MD5. */
bool job_has_given_md5(const struct job *job);

/* Ends the attempt without a result and leaves the board idle; job_start() goes on with it. Only
 * while a password is asked for, and not from a callback of the job. */
void job_park(struct job *job);

/* Closes the connection at once and emits the result; on_done does not follow. Only between
 * job_start() and on_done. */
void job_interrupt(struct job *job, int signal_number);

/* Fills in *standing, except for what the job is doing. */
void job_describe(const struct job *job, struct ota_standing *standing);

/* Sends a line (given without its end) to the board, if its log is followed. False if that is not
 * possible now. */
bool job_say(struct job *job, const char *line, size_t length);

/* Emits the result of a board that got no upload: whether its log was reached counts when its time
 * is over. signal_number: of the signal that cut it short, else 0. Does nothing after an upload,
 * whose result is there already. */
void job_end_log(struct job *job, bool is_time_over, int signal_number);

void job_free(struct job *job);

#endif
