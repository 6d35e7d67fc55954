/*
 * follow.h: what comes after a board's confirmation, or instead of an upload: its log, and the
 * proof that its firmware does what is expected. It prints nothing.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include "echo.h"
#include "monitor.h"
#include "options.h"

struct follow;

struct follow_config {
    const AvahiPoll *poll_api;
    const struct options *options; /* which of the log, --expect and --online is wanted */
    struct address address;        /* of the board, with its OTA port */
    const struct echo *echo;       /* lines that repeat it are not handed on; NULL: nothing */
    /* After the confirmation of an upload: when at the latest it restarts. Whoever is connected
     * before that hears the old firmware. 0: there was no upload. */
    int64_t restart_us;
    /* What was seen of a restart by then; at most one of them. */
    bool is_gone;      /* the board is off the network */
    bool has_returned; /* it was, and is back */
};
/* For restart_us: there was an upload, and whether the board restarts is not known. */
#define FOLLOW_RESTART_UNKNOWN INT64_MAX

/* Called from the loop; all but on_line may free the follow. */
struct follow_callbacks {
    void (*on_line)(const struct line *line, void *userdata);
    void (*on_note)(const char *message, void *userdata); /* how the connection fares */
    /* Once, where proof is wanted (follow_is_proof_wanted()): OTA_OK and a sentence's end that says
     * what was proven, or OTA_E_UNPROVEN and why. The log goes on until follow_free(). */
    void (*on_verdict)(const struct ota_failure *verdict, void *userdata);
    void *userdata;
};

/* Whether the upload counts as a success only with more than the board's confirmation. */
bool follow_is_proof_wanted(const struct options *options);
/* Whether there is anything to do after a confirmation. */
bool follow_is_wanted(const struct options *options);
/* Whether it goes on until somebody ends it: a log without anything that is expected of it. */
bool follow_is_endless(const struct options *options);

/* NULL when memory ran out. */
struct follow *follow_start(const struct follow_config *config,
                            const struct follow_callbacks *callbacks);

/* Sends a line (given without its end) to the board; false when it has no room for it. */
bool follow_say(struct follow *follow, const char *line, size_t length);

/* Whether the log was connected at any time; if not, reason says what was wrong last. */
bool follow_was_connected(const struct follow *follow, const char **reason);

void follow_free(struct follow *follow);

#endif
