/*
 * boot_check.c: matches a board's log (board_log.c) against what is expected of it (expect.c), and
 * watches the board leave the network and come back (restart_watch.c). Opens no socket itself.
 */
#include "boardlog/boot_check.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/units.h"
#include "boardlog/expect.h"
#include "boardlog/restart_watch.h"
#include "boardlog/sgr_strip.h"
#include "net/outage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char unseen[] =
    "whether the board has restarted is unknown, as this computer could not "
    "watch it all the time";
static const char returned[] = "it was off the network and has restarted";

enum { REMEMBERED = 4, LINE_SHOWN = 160, REASON_MAX = 160 };

struct boot_check {
    struct boot_check_config config;
    struct boot_check_callbacks callbacks;
    struct board_log *board_log;
    struct restart_watch *restart_watch;
    struct loop_timer deadline; /* of --expect; else 0 s for a return that was seen before */
    int64_t start_us;
    struct outage outage; /* watched while is_log_due */
    int64_t connected_us; /* when the log was last connected; before that the start */
    struct expect_state heard;
    bool is_log_due;     /* the verdict on the log is still to come */
    bool is_restart_due; /* the verdict of restart_watch is still to come */
    bool was_connected;
    bool is_new;             /* the connection is to the new firmware */
    bool is_presumed;        /* as the board was silent, without a later connection */
    bool is_sight_lost;      /* this computer's trouble hides the old firmware's restart */
    bool is_time_void;       /* did so once: only a sign shows the restart, no time */
    int number;              /* the errno why there is no connection; 0: none */
    bool has_heard;          /* a line came, from either firmware */
    char proven[128];        /* what the first of two proofs has proven */
    char reason[REASON_MAX]; /* why there is no connection */
    char last[REMEMBERED][LINE_SHOWN]; /* lines of the new firmware, escaped */
    struct echo_window line_start;     /* what came before the last line, and with it */
    struct echo_window line_end;
    size_t line_count;
    struct line half; /* the line that is unfinished; its bytes are half_bytes */
    unsigned char half_bytes[LINE_SPLITTER_MAX + SGR_STRIP_MAX];
};

bool boot_check_is_proof_wanted(const struct log_settings *settings)
{
    return settings->expect || settings->online_us;
}

bool boot_check_is_wanted(const struct log_settings *settings)
{
    return settings->monitor || boot_check_is_proof_wanted(settings);
}

bool boot_check_goes_on(const struct log_settings *settings)
{
    return settings->monitor && !settings->expect;
}

bool boot_check_is_endless(const struct log_settings *settings)
{
    return boot_check_goes_on(settings) && !settings->monitor_for_us;
}

static double seconds_since_start(const struct boot_check *check)
{
    return (double)(loop_now_us() - check->start_us) / 1e6;
}

/* -- verdicts -- */

/* The caller returns afterwards, as on_verdict() may free the check. */
static void give_verdict(struct boot_check *check, const struct ota_failure *verdict)
{
    check->is_log_due = check->is_restart_due = false;
    loop_timer_stop(&check->deadline);
    outage_stop(&check->outage);
    restart_watch_free(check->restart_watch);
    check->restart_watch = NULL;
    check->callbacks.on_verdict(verdict, check->callbacks.userdata);
}

/* The first of two proofs. */
static void keep_first_proof(struct boot_check *check, const char *proof)
{
    snprintf(check->proven, sizeof check->proven, "%s", proof);
}

/* A proof has come; it gives the verdict if it is the last one. */
static void pass(struct boot_check *check, const char *proof)
{
    struct ota_failure verdict;
    if (check->is_log_due || check->is_restart_due) {
        keep_first_proof(check, proof);
        return;
    }
    ota_fail(&verdict, OTA_OK, "%s%s%s", check->proven, *check->proven ? "; " : "", proof);
    give_verdict(check, &verdict);
}

/* '; the last lines were "a", "b"' */
static void describe_last(const struct boot_check *check, char *text, size_t capacity)
{
    size_t first = check->line_count > REMEMBERED ? check->line_count - REMEMBERED : 0;

    snprintf(text, capacity, "; the last %s", check->line_count == 1 ? "line was" : "lines were");
    for (size_t i = first; i < check->line_count; i++)
        text_append(text, capacity, "%s \"%s\"", i > first ? "," : "", check->last[i % REMEMBERED]);
}

/* Whether this computer was off the network when the board may have restarted. */
static bool is_restart_unknown(const struct boot_check *check)
{
    return check->is_time_void && !check->is_new;
}

/* Why the log was never reached. The first attempt may not have ended yet. */
static const char *unreached_because(const struct boot_check *check)
{
    return *check->reason ? check->reason : "no connection was made";
}

/* What was seen of a log without the proof. */
static void describe_seen(const struct boot_check *check, char *text, size_t capacity)
{
    if (check->line_count)
        describe_last(check, text, capacity);
    else if (is_restart_unknown(check))
        snprintf(text, capacity, "; %s", unseen);
    else if (check->was_connected && check->has_heard)
        snprintf(text, capacity, "; all lines came from before the restart");
    else if (check->was_connected)
        snprintf(text, capacity, "; it was connected, but no line came");
    else
        snprintf(text, capacity, "; it was never reached: %s", unreached_because(check));
}

static void describe_missing(const struct boot_check *check, char *text, size_t capacity)
{
    char shown[LINE_SHOWN];
    const struct expect *expect = check->config.settings->expect;
    const char *pattern;

    *text = '\0';
    for (size_t i = 0; (pattern = expect_missing(expect, &check->heard, i)); i++)
        text_append(text, capacity, "%s\"%s\"", i ? ", " : "",
                    escape_pattern(shown, sizeof shown, pattern, strlen(pattern)));
}

/* cause: OTA_CAUSE_LOG_REJECTED, or _UNDECIDED if it cannot be decided whether the line is
 * rejected: success is out of reach then, too. */
static void reject_line(struct boot_check *check, enum ota_cause cause)
{
    struct ota_failure verdict;
    char pattern[LINE_SHOWN];
    const char *line = check->last[(check->line_count - 1) % REMEMBERED];
    const char *rejecting = expect_rejecting(check->config.settings->expect, &check->heard);

    escape_pattern(pattern, sizeof pattern, rejecting, strlen(rejecting));
    if (cause == OTA_CAUSE_LOG_REJECTED)
        ota_fail(&verdict, OTA_E_UNPROVEN, "the log said \"%s\", which matches --reject \"%s\"",
                 line, pattern);
    else
        ota_fail(&verdict, OTA_E_UNPROVEN,
                 "the log said \"%s\", and whether --reject \"%s\" matches could not be decided: "
                 "it can match in too many ways",
                 line, pattern);
    verdict.cause = cause;
    give_verdict(check, &verdict);
}

/* Whatever the line says is lost. */
static void fail_to_match(struct boot_check *check)
{
    struct ota_failure verdict;

    ota_fail_errno(&verdict, OTA_E_INTERNAL, ENOMEM,
                   "its log could not be compared with --expect or --reject: out of memory");
    give_verdict(check, &verdict);
}

static void tell_given_up(struct boot_check *check)
{
    char text[LINE_SHOWN + 128], pattern[LINE_SHOWN];
    const char *given_up = check->heard.given_up;

    escape_pattern(pattern, sizeof pattern, given_up, strlen(given_up));
    snprintf(text, sizeof text,
             "whether --expect \"%s\" matches a line could not be decided, as it can match in too "
             "many ways; it counts as no match",
             pattern);
    check->callbacks.on_note(text, check->callbacks.userdata);
}

static void satisfy(struct boot_check *check)
{
    char proof[128];
    check->is_log_due = false;
    loop_timer_stop(&check->deadline);
    snprintf(proof, sizeof proof, "its log said what was expected, after %.1f s",
             seconds_since_start(check));
    pass(check, proof);
}

/* Returns whether the verdict on the log is given; then the caller returns. */
static bool feed_line(struct boot_check *check, const struct line *line)
{
    enum expect_verdict verdict = expect_feed(check->config.settings->expect, &check->heard, line);
    if (check->heard.given_up)
        tell_given_up(check);
    switch (verdict) {
    case EXPECT_REJECTED:
        reject_line(check, OTA_CAUSE_LOG_REJECTED);
        break;
    case EXPECT_UNDECIDABLE:
        reject_line(check, OTA_CAUSE_LOG_UNDECIDED);
        break;
    case EXPECT_NO_MEMORY:
        fail_to_match(check);
        break;
    case EXPECT_SATISFIED:
        satisfy(check);
        break;
    case EXPECT_UNDECIDED:
        break;
    }
    return verdict != EXPECT_UNDECIDED;
}

static void keep_half(struct boot_check *check, const struct line *line)
{
    memcpy(check->half_bytes, line->bytes, line->length);
    check->half = *line;
    check->half.bytes = check->half_bytes;
}

/* line: as it came; shown: as it may be shown. The caller returns afterwards. */
static void judge_line(struct boot_check *check, const struct line *line, const struct line *shown)
{
    if (line->shown == 0 || check->line_count == 0) /* else it goes on */
        check->line_count++;
    escape_line(check->last[(check->line_count - 1) % REMEMBERED], LINE_SHOWN, shown->bytes,
                shown->length);
    if (line->comes_again)
        keep_half(check, line);
    feed_line(check, line);
}

/* Nothing has followed an unfinished line, perhaps a prompt: it is judged as it stands. Returns as
 * feed_line(). */
static bool judge_half(struct boot_check *check)
{
    struct line half = check->half;

    half.comes_again = false;
    return half.length > 0 && feed_line(check, &half);
}

/* What the board has said was not read, so not even a line without --expect proves anything. */
static void fail_behind(struct boot_check *check, const char *missing)
{
    struct ota_failure verdict;
    char seen[OTA_MESSAGE_MAX / 2] = "";

    if (check->line_count)
        describe_last(check, seen, sizeof seen);
    ota_fail(&verdict, OTA_E_UNPROVEN,
             "its log was not read to the end in %.3g s, as the reader of this program's output "
             "had paused%s%s%s",
             (double)check->config.settings->expect_timeout_us / 1e6,
             *missing ? "; so far it did not say " : "", missing, seen);
    verdict.cause = OTA_CAUSE_READER_GONE;
    give_verdict(check, &verdict);
}

static void on_expect_deadline(void *userdata)
{
    struct boot_check *check = userdata;
    struct ota_failure verdict;
    char missing[OTA_MESSAGE_MAX / 3], seen[OTA_MESSAGE_MAX / 2], proof[128];
    double seconds = (double)check->config.settings->expect_timeout_us / 1e6;

    const bool is_behind = board_log_is_behind(check->board_log);

    if (!is_behind && judge_half(check))
        return;
    describe_missing(check, missing, sizeof missing);
    if (is_behind) {
        fail_behind(check, missing);
        return;
    }
    describe_seen(check, seen, sizeof seen);
    check->is_log_due = false;
    if (!*missing && check->line_count) {
        snprintf(proof, sizeof proof, "its log had no rejected line, in %.3g s", seconds);
        pass(check, proof);
        return;
    }
    ota_fail(&verdict, OTA_E_UNPROVEN, "in %.3g s the log did not say %s%s", seconds,
             *missing ? missing : "anything", seen);
    if (check->line_count)
        verdict.cause = OTA_CAUSE_LOG_UNMATCHED;
    else if (is_restart_unknown(check))
        verdict.cause = OTA_CAUSE_RESTART_UNKNOWN;
    else if (check->was_connected)
        verdict.cause = OTA_CAUSE_LOG_SILENT;
    else if (check->number == ECONNREFUSED)
        verdict.cause = OTA_CAUSE_LOG_REFUSED;
    else
        ota_blame_this_computer(&verdict, check->number);
    give_verdict(check, &verdict);
}

/* -- the log -- */

/* Whether the line, with those before it, repeats a secret. The next piece of an unfinished line
 * repeats the earlier pieces. */
static bool is_echo(struct boot_check *check, const struct line *plain)
{
    if (plain->shown == 0)
        check->line_start = check->line_end;
    check->line_end = check->line_start;
    return echo_is_completed(check->config.echo, &check->line_end, plain->bytes, plain->length);
}

/* Replaces a hidden line, also if a part of it has been shown. */
static struct line make_note(const struct line *hidden)
{
    return (struct line){.bytes = (const unsigned char *)ECHO_NOTE,
                         .length = strlen(ECHO_NOTE),
                         .is_continuation = hidden->is_continuation,
                         .is_unfinished = hidden->is_unfinished};
}

static void on_log_line(const struct line *colored, void *userdata)
{
    struct boot_check *check = userdata;
    unsigned char bytes[LINE_SPLITTER_MAX + SGR_STRIP_MAX];
    struct sgr_strip colors = {0};
    struct line plain = *colored, shown = *colored, judged_shown;
    bool is_judged = check->is_log_due && check->is_new;

    check->has_heard = true;
    check->half.length = 0;
    plain.bytes = bytes;
    plain.length = sgr_strip(&colors, bytes, colored->bytes, colored->length);
    judged_shown = plain;
    bool is_hidden = is_echo(check, &plain);
    if (is_hidden)
        shown = judged_shown = make_note(colored);
    if (!is_hidden || !colored->comes_again)
        check->callbacks.on_line(&shown, check->callbacks.userdata);
    if (is_judged)
        judge_line(check, &plain, &judged_shown);
}

static void describe_state(char text[REASON_MAX + 128], const struct boot_check *check,
                           enum board_log_state state)
{
    const unsigned port = check->config.settings->monitor_port;

    enum { SIZE = REASON_MAX + 128 };
    switch (state) {
    case BOARD_LOG_CONNECTED:
        snprintf(text, SIZE, "log connected (TCP port %u)%s", port,
                 check->is_new ? "" : ", still to the old firmware");
        break;
    case BOARD_LOG_LOST:
        snprintf(text, SIZE, "log lost (%s); connecting again", check->reason);
        break;
    case BOARD_LOG_TURNED_AWAY:
        snprintf(text, SIZE,
                 "the board hangs up at once (TCP port %u); perhaps another client reads its log; "
                 "trying again",
                 port);
        break;
    case BOARD_LOG_REFUSED:
        snprintf(text, SIZE,
                 "no log: %s; its sketch must offer one, with TelnetStream for instance; trying "
                 "again",
                 check->reason);
        break;
    case BOARD_LOG_UNREACHABLE:
        snprintf(text, SIZE, "no log: %s; trying again", check->reason);
        break;
    }
}

/* Whether a connection that is made now reaches the new firmware. */
static bool is_new_firmware(const struct boot_check *check)
{
    return check->is_new ||
           (!check->is_time_void && loop_now_us() - check->start_us >= check->config.restart_us);
}

/* The board hung up, refused or forgot the connection, or was silent. Silence is no sign while this
 * computer was in trouble; and it is taken back if that turns out to be the reason. Nor is the end
 * of a connection that was not read: boards drop a client that does not read on. */
static void take_sign_of_restart(struct boot_check *check, bool is_silence)
{
    if (check->is_new || (is_silence && check->is_sight_lost))
        return;

    check->is_new = true;
    check->is_presumed = is_silence;
}

/* The connection to the old firmware has ended on this computer, or because of it. */
static void lose_sight(struct boot_check *check)
{
    if (check->is_presumed)
        check->is_new = check->is_presumed = false;
    if (check->was_connected && !check->is_new)
        check->is_sight_lost = check->is_time_void = true;
}

/* Whether the board is silent, or has dropped the connection, because of this computer, as far as
 * is known. A board drops a client that does not answer or read any more. Only a board that is
 * reached can refuse a connection. */
static bool is_own_trouble(struct boot_check *check, enum board_log_state state, int number)
{
    if (error_is_of_this_computer(number))
        return true;
    return check->is_log_due && (state == BOARD_LOG_LOST || state == BOARD_LOG_UNREACHABLE) &&
           outage_after(&check->outage, check->connected_us);
}

static void take_connection(struct boot_check *check)
{
    check->is_new = is_new_firmware(check);
    check->was_connected = true;
    check->is_presumed = check->is_sight_lost = false;
    if (check->is_log_due)
        outage_after(&check->outage, check->connected_us); /* what was before does not count */
    check->connected_us = loop_now_us();
}

static void on_state(enum board_log_state state, int number, const char *reason, void *userdata)
{
    struct boot_check *check = userdata;
    char text[REASON_MAX + 128];

    escape_string(check->reason, sizeof check->reason, reason);
    check->number = number;
    if (state == BOARD_LOG_CONNECTED)
        take_connection(check);
    else if (is_own_trouble(check, state, number))
        lose_sight(check);
    else if (state != BOARD_LOG_TURNED_AWAY && !board_log_is_behind(check->board_log))
        take_sign_of_restart(check, number == ETIMEDOUT || number == EHOSTUNREACH);
    describe_state(text, check, state);
    check->callbacks.on_note(text, check->callbacks.userdata);
}

static bool has_room(void *userdata)
{
    const struct log_settings *settings = ((const struct boot_check *)userdata)->config.settings;

    return !settings->has_room || settings->has_room(settings->reader);
}

/* -- the board itself -- */

static void tell_no_restart(struct boot_check *check, const struct restart_watch_report *report)
{
    struct ota_failure verdict;

    switch (report->result) {
    case RESTART_WATCH_BLIND:
        ota_fail(&verdict, OTA_E_UNPROVEN,
                 "whether it restarts is unknown, as this computer could not ask it: %s",
                 strerror(report->reason));
        ota_blame_this_computer(&verdict, report->reason);
        break;
    case RESTART_WATCH_STILL_GONE:
        ota_fail(&verdict, OTA_E_UNPROVEN, "it went off the network and was not back after %.3g s",
                 (double)check->config.settings->online_us / 1e6);
        verdict.cause = OTA_CAUSE_NOT_BACK;
        break;
    case RESTART_WATCH_UNSEEN:
        ota_fail(&verdict, OTA_E_UNPROVEN, "%s", unseen);
        verdict.cause = OTA_CAUSE_RESTART_UNKNOWN;
        break;
    default:
        ota_fail(&verdict, OTA_E_UNPROVEN,
                 "it answered all the time, for %.1f s: it did not restart, or too fast to be seen",
                 seconds_since_start(check));
        verdict.cause = OTA_CAUSE_NOT_RESTARTED;
    }
    give_verdict(check, &verdict);
}

static void on_restart_watched(const struct restart_watch_report *report, void *userdata)
{
    struct boot_check *check = userdata;
    char proof[128];

    check->is_restart_due = false;
    if (report->result != RESTART_WATCH_BACK) {
        tell_no_restart(check, report);
    } else if (check->config.is_gone) {
        pass(check, "it was off the network and is back");
    } else {
        snprintf(proof, sizeof proof, "it went off the network and was back %.1f s later",
                 (double)(report->back_us - report->silent_us) / 1e6);
        pass(check, proof);
    }
}

static bool start_restart_watch(struct boot_check *check)
{
    const int64_t leave_us = SECONDS(10);
    const struct restart_watch_config config = {.loop = check->config.loop,
                                                .address = check->config.address,
                                                .source = check->config.source,
                                                .is_gone = check->config.is_gone,
                                                .leave_us = leave_us,
                                                .deadline_us = check->config.settings->online_us};

    check->restart_watch = restart_watch_start(&config, on_restart_watched, check);
    check->is_restart_due = check->restart_watch;
    return check->restart_watch;
}

static void on_returned(void *userdata)
{
    pass(userdata, returned);
}

/* The return was seen before: it is proof, too, and alone it is told from the loop like any
 * other. */
static bool prove_return(struct boot_check *check)
{
    if (!check->config.settings->expect) {
        loop_timer_init(&check->deadline, check->config.loop, on_returned, check);
        loop_timer_start(&check->deadline, 0);
    } else {
        keep_first_proof(check, returned);
    }
    return true;
}

static bool start_log(struct boot_check *check)
{
    const struct log_settings *settings = check->config.settings;
    const struct board_log_callbacks callbacks = {
        .on_line = on_log_line, .on_state = on_state, .has_room = has_room, .userdata = check};
    struct address address = check->config.address;

    address_set_port(&address, settings->monitor_port);
    check->board_log = board_log_start(check->config.loop, &address, check->config.source,
                                       settings->raw, &callbacks);
    for (size_t i = 0; check->board_log && i < check->config.other_count; i++) {
        address = check->config.others[i];
        address_set_port(&address, settings->monitor_port);
        board_log_add_address(check->board_log, &address);
    }
    check->is_log_due = settings->expect;
    if (settings->expect) {
        outage_start(&check->outage, check->config.loop, &check->config.address,
                     check->config.source);
        loop_timer_init(&check->deadline, check->config.loop, on_expect_deadline, check);
        loop_timer_start(&check->deadline, settings->expect_timeout_us);
    }
    return check->board_log;
}

struct boot_check *boot_check_start(const struct boot_check_config *config,
                                    const struct boot_check_callbacks *callbacks)
{
    struct boot_check *check = calloc(1, sizeof *check);
    if (!check)
        return NULL;

    *check =
        (struct boot_check){.config = *config, .callbacks = *callbacks, .start_us = loop_now_us()};
    check->connected_us = check->start_us;
    check->is_new = config->is_gone || config->has_returned;
    check->is_presumed = config->is_gone;
    const struct log_settings *settings = config->settings;
    bool is_restart_wanted = settings->online_us && config->restart_us;
    bool (*start)(struct boot_check *) = config->has_returned ? prove_return : start_restart_watch;
    if ((is_restart_wanted && !start(check)) ||
        ((settings->monitor || settings->expect) && !start_log(check))) {
        boot_check_free(check);
        return NULL;
    }
    return check;
}

bool boot_check_say(struct boot_check *check, const char *line, size_t length)
{
    return check->board_log && board_log_send(check->board_log, line, length);
}

bool boot_check_was_connected(const struct boot_check *check, const char **reason, int *number)
{
    *reason = unreached_because(check);
    *number = check->number;
    return check->was_connected;
}

void boot_check_free(struct boot_check *check)
{
    if (!check)
        return;
    board_log_free(check->board_log);
    restart_watch_free(check->restart_watch);
    loop_timer_stop(&check->deadline);
    outage_stop(&check->outage);
    free(check);
}
