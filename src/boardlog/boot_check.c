/*
 * boot_check.c: holds a board's log (board_log.c) against what is expected of it (expect.c), and watches
 * whether the board goes and comes back (restart_watch.c). It opens no socket itself.
 */
#include "boardlog/boot_check.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/loop.h"
#include "boardlog/expect.h"
#include "boardlog/restart_watch.h"
#include "boardlog/sgr_strip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char returned[] = "it was off the network and has restarted";

enum { REMEMBERED = 4, LINE_SHOWN = 160, REASON_MAX = 160 };

struct boot_check {
    struct boot_check_config config;
    struct boot_check_callbacks callbacks;
    struct board_log *monitor;
    struct restart_watch *online;
    struct loop_timer deadline; /* of --expect; else 0 s for a return that was seen before */
    int64_t start_us;
    struct expect_state heard;
    bool is_log_due;    /* its verdict is still to come */
    bool is_online_due; /* likewise */
    bool was_connected;
    bool is_new;                       /* the connection is to the firmware that is to be judged */
    bool has_heard;                    /* a line from it */
    char proven[128];                  /* by the first of two proofs */
    char reason[REASON_MAX];           /* why there is no connection */
    char last[REMEMBERED][LINE_SHOWN]; /* lines of it, escaped */
    struct echo_window line_start;     /* what came before the last line, and with it */
    struct echo_window line_end;
    size_t line_count;
};

bool boot_check_is_proof_wanted(const struct log_settings *settings)
{
    return settings->expect || settings->online_us;
}

bool boot_check_is_wanted(const struct log_settings *settings)
{
    return settings->monitor || boot_check_is_proof_wanted(settings);
}

bool boot_check_is_endless(const struct log_settings *settings)
{
    return settings->monitor && !settings->expect;
}

static double seconds_since_start(const struct boot_check *follow)
{
    return (double)(loop_now_us() - follow->start_us) / 1e6;
}

/* -- verdicts -- */

/* The last thing that a caller does. */
static void give_verdict(struct boot_check *follow, const struct ota_failure *verdict)
{
    follow->is_log_due = follow->is_online_due = false;
    loop_timer_stop(&follow->deadline);
    restart_watch_free(follow->online);
    follow->online = NULL;
    follow->callbacks.on_verdict(verdict, follow->callbacks.userdata);
}

/* One of the proofs is there, and another one is to follow. */
static void pass_first(struct boot_check *follow, const char *proof)
{
    snprintf(follow->proven, sizeof follow->proven, "%s", proof);
}

/* One of the proofs is there. */
static void pass(struct boot_check *follow, const char *proof)
{
    struct ota_failure verdict;
    if (follow->is_log_due || follow->is_online_due) {
        pass_first(follow, proof);
        return;
    }
    ota_fail(&verdict, OTA_OK, "%s%s%s", follow->proven, *follow->proven ? "; " : "", proof);
    give_verdict(follow, &verdict);
}

/* '; the last lines were "a", "b"' */
static void describe_last(const struct boot_check *follow, char *text, size_t capacity)
{
    size_t first = follow->line_count > REMEMBERED ? follow->line_count - REMEMBERED : 0;
    size_t used = (size_t)snprintf(text, capacity, "; the last %s",
                                   follow->line_count == 1 ? "line was" : "lines were");
    for (size_t i = first; i < follow->line_count && used < capacity; i++)
        used += (size_t)snprintf(text + used, capacity - used, "%s \"%s\"", i > first ? "," : "",
                                 follow->last[i % REMEMBERED]);
}

/* What was seen of the log, where it was not enough. */
static void describe_seen(const struct boot_check *follow, char *text, size_t capacity)
{
    if (follow->line_count)
        describe_last(follow, text, capacity);
    else if (follow->was_connected && follow->has_heard)
        snprintf(text, capacity, "; all that came was from before the restart");
    else if (follow->was_connected)
        snprintf(text, capacity, "; it was connected, but no line came");
    else
        snprintf(text, capacity, "; it was never reached: %s",
                 *follow->reason ? follow->reason : "no connection came about");
}

static void describe_missing(const struct boot_check *follow, char *text, size_t capacity)
{
    char shown[LINE_SHOWN];
    const struct expect *expect = follow->config.settings->expect;
    const char *pattern;
    size_t used = 0;

    *text = '\0';
    for (size_t i = 0; (pattern = expect_missing(expect, &follow->heard, i)) && used < capacity;
         i++)
        used += (size_t)snprintf(text + used, capacity - used, "%s\"%s\"", i ? ", " : "",
                                 escape_line(shown, sizeof shown, pattern, strlen(pattern)));
}

static void on_expect_deadline(void *userdata)
{
    struct boot_check *follow = userdata;
    struct ota_failure verdict;
    char missing[OTA_MESSAGE_MAX / 3], seen[OTA_MESSAGE_MAX / 2], proof[128];
    double seconds = (double)follow->config.settings->expect_timeout_us / 1e6;

    describe_missing(follow, missing, sizeof missing);
    describe_seen(follow, seen, sizeof seen);
    follow->is_log_due = false;
    if (!*missing && follow->line_count) {
        snprintf(proof, sizeof proof, "its log said nothing that is rejected, in %.3g s", seconds);
        pass(follow, proof);
        return;
    }
    ota_fail(&verdict, OTA_E_UNPROVEN, "in %.3g s the log did not say %s%s", seconds,
             *missing ? missing : "anything", seen);
    give_verdict(follow, &verdict);
}

/* cause: OTA_CAUSE_LOG_REJECTED, or OTA_CAUSE_NONE where a line may be rejected, which puts success
 * out of reach, too. */
static void reject_line(struct boot_check *follow, enum ota_cause cause)
{
    struct ota_failure verdict;
    char pattern[LINE_SHOWN];
    const char *line = follow->last[(follow->line_count - 1) % REMEMBERED];
    const char *rejecting = expect_rejecting(follow->config.settings->expect, &follow->heard);

    escape_line(pattern, sizeof pattern, rejecting, strlen(rejecting));
    if (cause == OTA_CAUSE_LOG_REJECTED)
        ota_fail(&verdict, OTA_E_UNPROVEN, "the log said \"%s\", which --reject \"%s\" fits", line,
                 pattern);
    else
        ota_fail(
            &verdict, OTA_E_UNPROVEN,
            "the log said \"%s\", and whether --reject \"%s\" fits could not be decided: it can "
            "match in too many ways",
            line, pattern);
    verdict.cause = cause;
    give_verdict(follow, &verdict);
}

static void tell_given_up(struct boot_check *follow)
{
    char text[LINE_SHOWN + 128], pattern[LINE_SHOWN];
    const char *given_up = follow->heard.given_up;

    escape_line(pattern, sizeof pattern, given_up, strlen(given_up));
    snprintf(
        text, sizeof text,
        "whether --expect \"%s\" fits a line could not be decided, as it can match in too many "
        "ways; it counts as not fitting",
        pattern);
    follow->callbacks.on_note(text, follow->callbacks.userdata);
}

static void satisfy(struct boot_check *follow)
{
    char proof[128];
    follow->is_log_due = false;
    loop_timer_stop(&follow->deadline);
    snprintf(proof, sizeof proof, "its log said what was expected, after %.1f s",
             seconds_since_start(follow));
    pass(follow, proof);
}

/* line: as it came; shown: as it may be shown. The last thing that a caller does. */
static void judge_line(struct boot_check *follow, const struct line *line, const struct line *shown)
{
    if (line->shown == 0 || follow->line_count == 0) /* else it goes on */
        follow->line_count++;
    escape_line(follow->last[(follow->line_count - 1) % REMEMBERED], LINE_SHOWN, shown->bytes,
                shown->length);
    enum expect_verdict verdict =
        expect_feed(follow->config.settings->expect, &follow->heard, line);
    if (follow->heard.given_up)
        tell_given_up(follow);
    switch (verdict) {
    case EXPECT_REJECTED:
        reject_line(follow, OTA_CAUSE_LOG_REJECTED);
        break;
    case EXPECT_UNDECIDABLE:
        reject_line(follow, OTA_CAUSE_NONE);
        break;
    case EXPECT_SATISFIED:
        satisfy(follow);
        break;
    case EXPECT_UNDECIDED:
        break;
    }
}

/* -- the log -- */

/* Whether the line, with those before it, repeats what is not to be shown. A piece that goes on
 * comes again, with what came before it. */
static bool is_echo(struct boot_check *follow, const struct line *plain)
{
    if (plain->shown == 0)
        follow->line_start = follow->line_end;
    follow->line_end = follow->line_start;
    return echo_is_completed(follow->config.echo, &follow->line_end, plain->bytes, plain->length);
}

/* Stands where a line is not shown: also where a part of it was. */
static struct line make_note(const struct line *hidden)
{
    return (struct line){.bytes = (const unsigned char *)ECHO_NOTE,
                         .length = strlen(ECHO_NOTE),
                         .is_continuation = hidden->is_continuation,
                         .is_unfinished = hidden->is_unfinished};
}

static void on_log_line(const struct line *colored, void *userdata)
{
    struct boot_check *follow = userdata;
    unsigned char bytes[LINE_SPLITTER_MAX + SGR_STRIP_MAX];
    struct sgr_strip colors = {0};
    struct line plain = *colored, shown = *colored, judged_shown;
    bool is_judged = follow->is_log_due && follow->is_new;

    follow->has_heard = true;
    plain.bytes = bytes;
    plain.length = sgr_strip(&colors, bytes, colored->bytes, colored->length);
    judged_shown = plain;
    bool is_hidden = is_echo(follow, &plain);
    if (is_hidden)
        shown = judged_shown = make_note(colored);
    if (!is_hidden || !colored->comes_again)
        follow->callbacks.on_line(&shown, follow->callbacks.userdata);
    if (is_judged)
        judge_line(follow, &plain, &judged_shown);
}

static void describe_state(char text[REASON_MAX + 128], const struct boot_check *follow,
                           enum board_log_state state)
{
    const unsigned port = follow->config.settings->monitor_port;

    enum { SIZE = REASON_MAX + 128 };
    switch (state) {
    case BOARD_LOG_CONNECTED:
        snprintf(text, SIZE, "log connected (TCP port %u)%s", port,
                 follow->is_new ? "" : ", still to the firmware from before the restart");
        break;
    case BOARD_LOG_LOST:
        snprintf(text, SIZE, "log lost (%s); connecting again", follow->reason);
        break;
    case BOARD_LOG_TURNED_AWAY:
        snprintf(text, SIZE,
                 "the board hangs up at once (TCP port %u); perhaps somebody else reads its log; "
                 "trying again",
                 port);
        break;
    case BOARD_LOG_REFUSED:
        snprintf(text, SIZE,
                 "no log: nothing listens on the board's TCP port %u; its sketch must offer one, "
                 "with TelnetStream for instance; trying again",
                 port);
        break;
    case BOARD_LOG_UNREACHABLE:
        snprintf(text, SIZE, "no log: %s; trying again", follow->reason);
        break;
    }
}

/* Whether a connection that is made now is to the firmware that is to be judged. */
static bool is_new_firmware(const struct boot_check *follow)
{
    return follow->is_new || loop_now_us() - follow->start_us >= follow->config.restart_us;
}

static void on_state(enum board_log_state state, const char *reason, void *userdata)
{
    struct boot_check *follow = userdata;
    char text[REASON_MAX + 128];

    escape_string(follow->reason, sizeof follow->reason, reason);
    if (state == BOARD_LOG_CONNECTED)
        follow->was_connected = true;
    /* Once it was gone, the board has restarted. */
    if (state == BOARD_LOG_LOST || state == BOARD_LOG_UNREACHABLE || state == BOARD_LOG_REFUSED)
        follow->is_new = true;
    else if (state == BOARD_LOG_CONNECTED)
        follow->is_new = is_new_firmware(follow);
    describe_state(text, follow, state);
    follow->callbacks.on_note(text, follow->callbacks.userdata);
}

/* -- the board itself -- */

static void on_online(enum restart_watch_result result, int64_t silent_us, int64_t back_us,
                      void *userdata)
{
    struct boot_check *follow = userdata;
    struct ota_failure verdict;
    char proof[128];

    follow->is_online_due = false;
    if (result == RESTART_WATCH_BACK && follow->config.is_gone) {
        pass(follow, "it was off the network and is back");
        return;
    }
    if (result == RESTART_WATCH_BACK) {
        snprintf(proof, sizeof proof, "it went off the network and was back %.1f s later",
                 (double)(back_us - silent_us) / 1e6);
        pass(follow, proof);
        return;
    }
    if (result == RESTART_WATCH_STILL_GONE)
        ota_fail(&verdict, OTA_E_UNPROVEN,
                 "the board went off the network and was not back after %.3g s",
                 (double)follow->config.settings->online_us / 1e6);
    else
        ota_fail(
            &verdict, OTA_E_UNPROVEN,
            "the board answered all the time, for %.1f s: it has not restarted, or faster than can "
            "be seen",
            seconds_since_start(follow));
    verdict.cause =
        result == RESTART_WATCH_STILL_GONE ? OTA_CAUSE_NOT_BACK : OTA_CAUSE_NOT_RESTARTED;
    give_verdict(follow, &verdict);
}

static bool start_online(struct boot_check *follow)
{
    const int64_t leave_us = 10 * INT64_C(1000000);
    const struct restart_watch_config config = {.loop = follow->config.loop,
                                                .address = follow->config.address,
                                                .is_gone = follow->config.is_gone,
                                                .leave_us = leave_us,
                                                .deadline_us = follow->config.settings->online_us};

    follow->online = restart_watch_start(&config, on_online, follow);
    follow->is_online_due = follow->online;
    return follow->online;
}

static void on_returned(void *userdata)
{
    pass(userdata, returned);
}

/* What was seen already is proof, too; alone, it is told from the loop like any other. */
static bool start_returned(struct boot_check *follow)
{
    if (!follow->config.settings->expect) {
        loop_timer_init(&follow->deadline, follow->config.loop, on_returned, follow);
        loop_timer_start(&follow->deadline, 0);
    } else {
        pass_first(follow, returned);
    }
    return true;
}

static bool start_log(struct boot_check *follow)
{
    const struct log_settings *settings = follow->config.settings;
    const struct board_log_callbacks callbacks = {
        .on_line = on_log_line, .on_state = on_state, .userdata = follow};
    struct address address = follow->config.address;

    address_set_port(&address, settings->monitor_port);
    follow->monitor = board_log_start(follow->config.loop, &address, settings->raw, &callbacks);
    follow->is_log_due = settings->expect;
    if (settings->expect) {
        loop_timer_init(&follow->deadline, follow->config.loop, on_expect_deadline, follow);
        loop_timer_start(&follow->deadline, settings->expect_timeout_us);
    }
    return follow->monitor;
}

struct boot_check *boot_check_start(const struct boot_check_config *config,
                                    const struct boot_check_callbacks *callbacks)
{
    struct boot_check *follow = calloc(1, sizeof *follow);
    if (!follow)
        return NULL;

    *follow =
        (struct boot_check){.config = *config, .callbacks = *callbacks, .start_us = loop_now_us()};
    follow->is_new = config->is_gone || config->has_returned;
    const struct log_settings *settings = config->settings;
    bool is_online_wanted = settings->online_us && config->restart_us;
    bool (*start)(struct boot_check *) = config->has_returned ? start_returned : start_online;
    if ((is_online_wanted && !start(follow)) ||
        ((settings->monitor || settings->expect) && !start_log(follow))) {
        boot_check_free(follow);
        return NULL;
    }
    return follow;
}

bool boot_check_say(struct boot_check *follow, const char *line, size_t length)
{
    return follow->monitor && board_log_send(follow->monitor, line, length);
}

bool boot_check_was_connected(const struct boot_check *follow, const char **reason)
{
    *reason = follow->reason;
    return follow->was_connected;
}

void boot_check_free(struct boot_check *follow)
{
    if (!follow)
        return;
    board_log_free(follow->monitor);
    restart_watch_free(follow->online);
    loop_timer_stop(&follow->deadline);
    free(follow);
}
