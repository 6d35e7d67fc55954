/*
 * boot_check.h: the time after a board's confirmation, or without an upload: follows the board's
 * log, and judges whether its firmware works as expected. It prints nothing.
 */
#ifndef ESP_OTA_BOARDLOG_BOOT_CHECK_H
#define ESP_OTA_BOARDLOG_BOOT_CHECK_H

#include "base/loop.h"
#include "boardlog/board_log.h"
#include "boardlog/log_settings.h"
#include "esp-ota/error.h"
#include "secrets/echo.h"

#include <stdint.h>

struct boot_check;
struct source;

struct boot_check_config {
    struct loop *loop;
    const struct log_settings *settings; /* must outlive the check */
    struct address address;              /* of the board, with its OTA port */
    const struct source *source;         /* -I; must outlive the check */
    /* Other addresses at which its log may be. Only needed during boot_check_start(). */
    const struct address *others;
    size_t other_count;
    const struct echo *echo; /* lines that repeat it are hidden; NULL: none are */
    /* Latest time of the restart after the board's confirmation. A connection that was made earlier
     * still reaches the old firmware. 0: there was no upload. */
    int64_t restart_us;
    /* What was seen of the restart so far; at most one of them. */
    bool is_gone;      /* the board is off the network */
    bool has_returned; /* the board was off the network, and is back */
};
/* For restart_us: after an upload whose outcome is unknown, the board may restart or not. */
#define BOOT_CHECK_RESTART_UNKNOWN INT64_MAX

/* Called from the loop; all but on_line may free the check. */
struct boot_check_callbacks {
    void (*on_line)(const struct line *line, void *userdata);
    void (*on_note)(const char *message, void *userdata); /* the state of the connection */
    /* Once, if a proof is wanted (boot_check_is_proof_wanted()): OTA_OK and the proof;
     * OTA_E_UNPROVEN and the reason; or OTA_E_INTERNAL or OTA_E_LOCAL if this computer was in the
     * way. The text is the end of a sentence. The log goes on until boot_check_free(). */
    void (*on_verdict)(const struct ota_failure *verdict, void *userdata);
    void *userdata;
};

/* Whether the upload counts as a success only with more than the board's confirmation. */
bool boot_check_is_proof_wanted(const struct log_settings *settings);
/* Whether there is anything to do after a confirmation. */
bool boot_check_is_wanted(const struct log_settings *settings);
/* Whether the log is followed on after the board's result: nothing is expected of it. */
bool boot_check_goes_on(const struct log_settings *settings);
/* Whether then only somebody who ends it is its end, so that a signal cuts nothing short. */
bool boot_check_is_endless(const struct log_settings *settings);

/* NULL when memory ran out. */
struct boot_check *boot_check_start(const struct boot_check_config *config,
                                    const struct boot_check_callbacks *callbacks);

/* Sends a line (given without its end) to the board; false when it has no room for it. */
bool boot_check_say(struct boot_check *check, const char *line, size_t length);

/* Whether the log was connected at any time; if not, reason says what was wrong last, and number is
 * its errno (0: none). */
bool boot_check_was_connected(const struct boot_check *check, const char **reason, int *number);

void boot_check_free(struct boot_check *check);

#endif
