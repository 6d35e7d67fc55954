/*
 * report.c: what people see. It turns events into few, calm lines on standard error (through
 * diag.c) and hands them to report_json.c when programs listen, too.
 */
#include "output/report.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/loop.h"
#include "base/stdout_text.h"
#include "base/terminal.h"
#include "base/units.h"
#include "base/write_queue.h"
#include "image/image.h"
#include "output/bar.h"
#include "output/countdown.h"
#include "output/metrics.h"
#include "output/remedy.h"
#include "output/report_json.h"
#include "output/standing.h"
#include "output/summary.h"
#include "output/transcript.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const int64_t REDRAW_US = MILLISECONDS(100), REDRAW_IN_PIPE_US = SECONDS(1);
enum { WIDTH_UNKNOWN = 80, UNPACKED_MAX = 64, WEAK_SCHEMES = 3 };

struct report {
    enum ota_command command;
    struct summary *summary;
    struct transcript *transcript; /* NULL: no log is followed */
    struct metrics *metrics;       /* NULL: none are wanted */
    struct ota_totals totals;      /* as last told */
    bool json;
    bool verbose;
    bool has_told_resumed;
    bool has_told_weak[WEAK_SCHEMES];    /* the user was told that one of several boards asks so */
    struct write_queue json_lines;       /* to standard output */
    bool json_lost;                      /* a line could not be written; no further one is tried */
    int json_reason;                     /* why: an errno */
    bool bar;                            /* drawn in place; otherwise a line for every tenth */
    bool is_full;                        /* a single board's bar is drawn, at its end */
    bool counts_down;                    /* the line of --wait is drawn */
    unsigned tenths;                     /* last one told */
    const struct image *announced;       /* a signed image is announced once */
    report_standings_fn *tell_standings; /* NULL: no board has been begun */
    const void *standings;
    int64_t start_us;
    int64_t connected_us; /* when the first board did; 0: not yet */
    int64_t drawn_us;
};

static enum diag_level level_for(const struct report_settings *settings)
{
    if (settings->debug)
        return DIAG_LEVEL_DEBUG;
    return settings->quiet ? DIAG_LEVEL_ERROR : DIAG_LEVEL_INFO;
}

bool report_is_live(const struct report_settings *settings)
{
    if (settings->quiet)
        return false;
    /* Without a terminal's name, nobody is known who could draw over a line, as in IDE 2's log. */
    if (settings->force_bar)
        return isatty(STDERR_FILENO) || terminal_is_named();
    return terminal_is_smart(STDERR_FILENO) && !(settings->json && isatty(STDOUT_FILENO));
}

struct report *report_new(const struct report_settings *settings)
{
    struct report *report = calloc(1, sizeof *report);
    diag_set_level(level_for(settings));
    if (!report)
        return NULL;
    report->command = settings->command;
    report->json = settings->json;
    report->json_lines.fd = STDOUT_FILENO;
    report->verbose = settings->verbose;
    report->bar = report_is_live(settings);
    report->start_us = loop_now_us();
    report->summary = summary_new();
    if (!report->summary) {
        free(report);
        return NULL;
    }
    return report;
}

void report_free(struct report *report)
{
    if (!report)
        return;
    summary_free(report->summary);
    transcript_free(report->transcript);
    metrics_free(report->metrics);
    free(report);
}

enum ota_error report_open_transcript(struct report *report,
                                      const struct transcript_settings *settings,
                                      struct ota_failure *failure)
{
    return transcript_open(&report->transcript, settings, failure);
}

enum ota_error report_open_metrics(struct report *report, const char *path,
                                   struct ota_failure *failure)
{
    return metrics_open(&report->metrics, path, failure);
}

enum ota_error report_write_metrics(struct report *report, struct ota_failure *failure)
{
    return report->metrics ? metrics_write(report->metrics, failure) : OTA_OK;
}

bool report_is_read(const struct report *report)
{
    return !report->transcript || transcript_is_read(report->transcript);
}

bool report_has_room(const struct report *report)
{
    return write_queue_has_room(&report->json_lines) &&
           (!report->transcript || transcript_has_room(report->transcript));
}

void report_queue_output(struct report *report, struct loop *loop)
{
    struct write_queue *messages = diag_queue(loop);

    write_queue_start(&report->json_lines, loop, messages);
    if (report->transcript)
        transcript_queue(report->transcript, loop, messages);
}

static void judge_json(struct report *report, int error)
{
    if (report->json_lost)
        return;
    report->json_reason = error;
    report->json_lost = error != 0;
}

void report_end_output(struct report *report)
{
    judge_json(report, write_queue_end(&report->json_lines));
    if (report->transcript)
        transcript_end(report->transcript);
    diag_end_queue();
}

bool report_is_complete(const struct report *report, struct ota_failure *loss)
{
    if (!report->json_lost)
        return !report->transcript || transcript_is_complete(report->transcript, loss);
    ota_fail(loss, OTA_E_OUTPUT, "the report of --json could not be written to standard output: %s",
             error_output_text(report->json_reason));
    loss->cause = error_output_cause(report->json_reason);
    return false;
}

/* -- progress -- */

static bool is_fleet(const struct report *report)
{
    return report->totals.boards > 1 || report->totals.is_open;
}

/* Whether the line may be drawn again; is_edge: the first and the last one always are. */
static bool is_bar_due(const struct report *report, bool is_edge)
{
    const int64_t interval_us = isatty(STDERR_FILENO) ? REDRAW_US : REDRAW_IN_PIPE_US;

    return is_edge || loop_now_us() - report->drawn_us >= interval_us;
}

static void redraw_bar(struct report *report, const struct bar *bar)
{
    char line[TERMINAL_WIDTH_MAX + 1];
    const size_t width = terminal_width(STDERR_FILENO);

    report->drawn_us = loop_now_us();
    bar_render(line, sizeof line, width ? width : WIDTH_UNKNOWN, bar);
    diag_status(line);
}

/* " compressed from 290.6 KiB"; nothing for 0. */
static const char *describe_unpacked_image(char text[UNPACKED_MAX], size_t size)
{
    char number[UNITS_TEXT_MAX];
    text[0] = '\0';
    if (size)
        snprintf(text, UNPACKED_MAX, " compressed from %s", format_size(number, size));
    return text;
}

static void tell_tenths(struct report *report, const char *who, const struct bar *bar)
{
    char sent[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX], unpacked[UNPACKED_MAX];
    unsigned percent = (unsigned)((double)bar->bytes * 100 / (double)bar->total);
    if (percent / 10 == report->tenths)
        return;
    report->tenths = percent / 10;
    diag_info("%s: %u%% (%s of %s%s, %s)", who, percent, format_part(sent, bar->bytes, bar->total),
              format_size(total, bar->total), describe_unpacked_image(unpacked, bar->unpacked),
              format_rate(rate, bar->bytes, bar->elapsed_us));
}

/* 0: what is sent is what the board stores. */
static size_t unpacked_size(const struct image *image)
{
    return image && image->plain ? image->file_size : 0;
}

/* What a rate is about: the time of the verdict is not part of it. */
static int64_t sending_us(const struct ota_event *event)
{
    return event->sent_us ? event->sent_us : event->transfer_us;
}

static struct bar board_bar(const struct ota_event *event)
{
    return (struct bar){.bytes = event->bytes,
                        .total = event->total,
                        .unpacked = unpacked_size(event->image),
                        .elapsed_us = sending_us(event)};
}

static void show_board_progress(struct report *report, const struct ota_event *event)
{
    const struct bar bar = board_bar(event);
    bool is_edge = bar.bytes == 0 || bar.bytes == bar.total;

    if (!report->bar) {
        tell_tenths(report, event->board, &bar);
    } else if (is_bar_due(report, is_edge)) {
        redraw_bar(report, &bar);
        report->is_full = bar.bytes == bar.total;
    }
}

/* Leaves the bar of a single board standing above the line that follows. A full one no longer says
 * that the verdict is awaited. */
static void end_bar(struct report *report, const struct ota_event *event)
{
    struct bar bar = board_bar(event);

    bar.is_over = true;
    if (report->is_full && bar.bytes > 0 && bar.bytes == bar.total)
        redraw_bar(report, &bar);
    report->is_full = false;
    diag_status_end();
}

static void show_fleet_progress(struct report *report)
{
    char count[STANDING_TEXT_MAX], brief[STANDING_TEXT_MAX], slowest_text[STANDING_TEXT_MAX];
    char whole[2 * STANDING_TEXT_MAX], brief_whole[sizeof whole];
    const struct ota_totals *totals = &report->totals;
    struct standing_slowest slowest = {0};
    struct bar bar = {.bytes = totals->bytes,
                      .total = totals->total,
                      .elapsed_us = loop_now_us() - report->connected_us};

    if (report->bar && !is_bar_due(report, false))
        return;
    standing_count(count, totals, false);
    if (!report->bar) {
        if (!totals->is_open) /* of an unknown number of boards there is no tenth */
            tell_tenths(report, count, &bar);
        return;
    }
    if (report->tell_standings)
        report->tell_standings(standing_find_slowest, &slowest, report->standings);
    standing_name_slowest(slowest_text, &slowest);
    snprintf(whole, sizeof whole, "%s%s", count, slowest_text);
    snprintf(brief_whole, sizeof brief_whole, "%s%s", standing_count(brief, totals, true),
             slowest_text);
    const char *const labels[BAR_LABELS] = {whole, brief_whole, count, brief};
    memcpy(bar.labels, labels, sizeof labels);
    redraw_bar(report, &bar);
}

static void show_progress(struct report *report, const struct ota_event *event)
{
    if (!diag_enabled(DIAG_LEVEL_INFO))
        return;
    if (is_fleet(report))
        show_fleet_progress(report);
    else
        show_board_progress(report, event);
}

/* -- lines -- */

static void show_start(struct report *report, const struct ota_event *event)
{
    char path[1024];
    bool is_news = event->image &&
                   (!report->announced || strcmp(report->announced->path, event->image->path) != 0);

    if (is_news && event->image->is_signed)
        diag_notice("sending %s, the %s beside the file",
                    escape_string(path, sizeof path, event->image->path),
                    *event->image->flaw ? "one" : "signed image");
    report->announced = event->image;
}

static void show_resolved(const struct report *report, const struct ota_event *event)
{
    bool is_news = strcmp(event->board, event->address) != 0;

    if (is_news && is_fleet(report))
        diag_debug("%s is %s (%s), port %u (%s)", event->board, event->address, event->source,
                   event->port, event->port_source);
    else if (is_news)
        diag_info("%s is %s (%s), port %u (%s)", event->board, event->address, event->source,
                  event->port, event->port_source);
    else
        diag_debug("%s: port %u, %s", event->board, event->port, event->port_source);
}

static void show_authenticated(const struct ota_event *event)
{
    bool is_word = strcmp(event->evidence, "reply") == 0;

    diag_debug("%s: the board %s (%s)", event->board,
               event->is_by_key ? "accepted the encryption key"
               : is_word        ? "accepted the password"
                                : "has connected after the answer, so it has accepted the password",
               event->scheme);
}

static void show_connected(struct report *report, const struct ota_event *event)
{
    diag_debug("%s: the board has connected", event->board);
    if (!report->connected_us)
        report->connected_us = loop_now_us();
    if (!is_fleet(report))
        report->tenths = 0;
    show_progress(report, event);
}

/* What a success proves: "received" where the board does not say that the image is good. */
static bool is_only_received(const struct ota_event *event)
{
    return event->verified && strcmp(event->verified, "received") == 0;
}

static void show_success_in_short(const struct ota_event *event)
{
    char size[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX];
    diag_info("%s: %s, %s in %.1f s (%s)%s%s", event->board,
              event->is_verdict_lost    ? "proven"
              : is_only_received(event) ? "received"
                                        : "confirmed",
              format_size(size, event->total), (double)sending_us(event) / 1e6,
              format_rate(rate, event->total, sending_us(event)),
              *event->failure->message ? "; " : "", event->failure->message);
}

static void show_success(const struct report *report, const struct ota_event *event)
{
    char path[512], size[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX], unpacked[UNPACKED_MAX];
    const char *name = strrchr(event->image->path, '/');
    if (name)
        escape_string(path, sizeof path, name + 1);
    else
        input_show(path, sizeof path, event->image->path);
    diag_info("%s: %s %s%s, %s%s, sent in %.1f s (%s)%s%s%s", event->board,
              report->command == OTA_COMMAND_SKETCH ? "sketch" : "filesystem image",
              input_is_standard(event->image->path) ? "from " : "", path,
              format_size(size, event->total),
              describe_unpacked_image(unpacked, unpacked_size(event->image)),
              (double)sending_us(event) / 1e6, format_rate(rate, event->total, sending_us(event)),
              event->is_verdict_lost    ? ""
              : is_only_received(event) ? " and received by the board"
                                        : " and confirmed by the board",
              *event->failure->message ? "; " : "", event->failure->message);
}

/* Of a board that got no upload; there may be nothing to say. */
static void show_proof(const struct ota_event *event)
{
    if (*event->failure->message)
        diag_info("%s: %s", event->board, event->failure->message);
}

static const char *remedy_of(const struct report *report, const struct ota_event *event)
{
    const char *chips = event->chips ? event->chips : "";

    return event->type == OTA_EVENT_RESULT && event->failure->error != OTA_OK
               ? remedy_find(event->failure, event->protocol, report->command, chips,
                             surroundings_find())
               : "";
}

static void show_failure(const char *where, const char *phase, const struct ota_failure *failure,
                         const char *remedy)
{
    const char *message = *failure->message ? failure->message : ota_error_text(failure->error);
    diag_error("%s%s%s%s%s%s%s", where, *where ? ": " : "", phase, *phase ? ": " : "", message,
               *remedy ? "\n  " : "", remedy);
}

/* Then a progress line would be the last one, and its rest of the time wrong. */
static bool is_all_done(const struct ota_totals *totals)
{
    return totals->confirmed + totals->failed + totals->skipped == totals->boards;
}

/* Of many boards, only those that have got a part of the image are worth a line: the summary names
 * all. That a log was cut short is said of each. */
static bool is_left_untouched(const struct report *report, const struct ota_event *event)
{
    return is_fleet(report) && event->image && event->failure->error == OTA_E_INTERRUPTED &&
           event->bytes == 0;
}

static void show_result(struct report *report, const struct ota_event *event)
{
    if (is_left_untouched(report, event))
        return;
    if (is_fleet(report))
        diag_status_clear(); /* the next redraw_bar() draws it again, below all lines */
    else
        end_bar(report, event);
    if (event->failure->error != OTA_OK)
        show_failure(event->board, ota_phase_name(event->phase), event->failure,
                     is_fleet(report) ? "" : remedy_of(report, event)); /* the summary has it */
    else if (!event->image)
        show_proof(event);
    else if (is_fleet(report))
        show_success_in_short(event);
    else
        show_success(report, event);
    if (is_fleet(report) && report->connected_us && !is_all_done(&report->totals))
        show_progress(report, event);
}

/* -d only if is_detail. */
static void show_message(const struct ota_event *event, bool is_detail)
{
    if (is_detail)
        diag_debug("%s: %s", event->board, event->message);
    else
        diag_info("%s: %s", event->board, event->message);
}

/* Without -v, only the first of many boards that ask for MD5, Basic or a PIN is named; further ones
 * are no news. */
static bool is_told_of_others(struct report *report, const struct ota_event *event)
{
    static const char *const weak[WEAK_SCHEMES] = {"MD5", "Basic", "PIN"};

    if (!is_fleet(report) || !event->scheme || report->verbose)
        return false;
    for (size_t i = 0; i < WEAK_SCHEMES; i++) {
        const bool is_told = report->has_told_weak[i];

        if (strcmp(event->scheme, weak[i]) != 0)
            continue;
        report->has_told_weak[i] = true;
        return is_told;
    }
    return false;
}

/* Shows every note of a single board. Of many boards, without -v, it shows only notes on the
 * password and on a log that is followed, as the results are shown anyway. */
static void show_note(struct report *report, const struct ota_event *event)
{
    bool is_of_log =
        report->transcript && (event->phase == OTA_PHASE_PROOF || event->phase == OTA_PHASE_LOG);

    if (!is_fleet(report))
        end_bar(report, event);
    if (event->is_warning)
        diag_error("warning: %s: %s", event->board, event->message); /* also with -q */
    else
        show_message(event, is_told_of_others(report, event) ||
                                (is_fleet(report) && !is_of_log && !event->is_important &&
                                 !report->verbose));
}

/* The summary lists those that were not tried, if there are images; tell_resumed() has counted the
 * confirmed. */
static void show_skipped(const struct report *report, const struct ota_event *event)
{
    bool is_counted = event->skip == OTA_SKIP_CONFIRMED && is_fleet(report);

    diag_status_clear();
    if (event->skip != OTA_SKIP_UNTRIED || !event->image)
        show_message(event, is_counted && !report->verbose);
}

void report_resumed(size_t resumed, size_t boards)
{
    diag_info("%zu of %zu already %s it: the image was confirmed in an earlier run", resumed,
              boards, resumed == 1 ? "has" : "have");
}

/* --resume: one line for the boards left out. If all are, the summary says so. */
static void tell_resumed(struct report *report)
{
    const struct ota_totals *totals = &report->totals;

    if (report->has_told_resumed || totals->resumed == 0 || totals->resumed == totals->boards ||
        !is_fleet(report))
        return;
    report->has_told_resumed = true;
    report_resumed(totals->resumed, totals->boards);
}

/* Erases the line of --wait before something takes its place. */
static void end_countdown(struct report *report)
{
    if (report->counts_down)
        diag_status_clear();
    report->counts_down = false;
}

void report_count_down(struct report *report)
{
    struct standing_wait wait = {0};
    char boards[32];

    if (!report->bar || !report->tell_standings)
        return;

    report->tell_standings(standing_find_wait, &wait, report->standings);
    if (wait.count == 0)
        end_countdown(report);
    if (wait.count == 0 || (is_fleet(report) && report->connected_us))
        return;

    snprintf(boards, sizeof boards, "%zu boards", wait.count);
    countdown_draw(wait.count > 1 ? boards : "the board", wait.left_us);
    report->counts_down = true;
}

static void show_event(struct report *report, const struct ota_event *event)
{
    tell_resumed(report);
    if (event->type == OTA_EVENT_CONNECTED || event->type == OTA_EVENT_NOTE ||
        event->type == OTA_EVENT_RESULT)
        end_countdown(report);
    switch (event->type) {
    case OTA_EVENT_START:
        show_start(report, event);
        break;
    case OTA_EVENT_RESOLVED:
        show_resolved(report, event);
        break;
    case OTA_EVENT_INVITED:
        diag_debug("%s: invitation %u to %s, port %u", event->board, event->attempt, event->address,
                   event->port);
        break;
    case OTA_EVENT_AUTHENTICATED:
        show_authenticated(event);
        break;
    case OTA_EVENT_CONNECTED:
        show_connected(report, event);
        break;
    case OTA_EVENT_PROGRESS:
        show_progress(report, event);
        break;
    case OTA_EVENT_NOTE:
        show_note(report, event);
        break;
    case OTA_EVENT_RESULT:
        show_result(report, event);
        break;
    case OTA_EVENT_LOG:
        transcript_add(report->transcript, event->board, is_fleet(report), event->line,
                       loop_now_us() - report->start_us);
        break;
    case OTA_EVENT_SKIPPED:
        show_skipped(report, event);
        break;
    }
}

static bool wants_json(const struct report *report)
{
    return report && report->json && !report->json_lost;
}

/* Begins a line; false if none is wanted, or memory has run out. */
static bool begin_json(struct report *report, struct stdout_text *line)
{
    if (!wants_json(report))
        return false;
    if (!stdout_text_open(line))
        judge_json(report, ENOMEM);
    return line->stream != NULL;
}

/* is_printed: false when memory has run out. */
static void end_json(struct report *report, struct stdout_text *line, bool is_printed)
{
    const int error = stdout_text_put(line, &report->json_lines);

    judge_json(report, is_printed ? error : ENOMEM);
}

/* A reader that has stopped costs lines of progress first, and in the end the whole report. */
static void write_json(struct report *report, const struct ota_event *event)
{
    struct stdout_text line;

    if (event->type == OTA_EVENT_PROGRESS && !write_queue_is_ready(&report->json_lines))
        return;
    if (begin_json(report, &line))
        end_json(report, &line,
                 report_json_event(line.stream, event, report->command,
                                   loop_now_us() - report->start_us));
}

void report_event(const struct ota_event *event, void *userdata)
{
    struct report *report = userdata;
    report->totals = *event->totals;
    if (wants_json(report))
        write_json(report, event);
    if (report->metrics)
        metrics_add(report->metrics, event, report->command, time(NULL));
    summary_add(report->summary, event, remedy_of(report, event));
    show_event(report, event);
}

void report_ask(struct report *report, report_standings_fn *tell_standings, const void *userdata)
{
    report->tell_standings = tell_standings;
    report->standings = userdata;
}

static void show_standings(const struct report *report, const char *indent, bool retries)
{
    struct standing_filter filter = {.indent = indent, .retries = retries};

    report->tell_standings(standing_show, &filter, report->standings);
    if (filter.hidden)
        diag_notice("%s... and %zu others", indent, filter.hidden);
}

void report_status(struct report *report, const struct ota_totals *totals)
{
    char count[STANDING_TEXT_MAX], sent[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX];
    const bool are_many = totals->boards > 1 || totals->is_open;
    const char *indent = are_many ? "  " : "";
    const double seconds = (double)(loop_now_us() - report->start_us) / 1e6;

    if (are_many && totals->boards == 0)
        diag_notice("no board has asked yet, after %.1f s", seconds);
    else if (are_many)
        diag_notice("%s; %s of %s sent, after %.1f s", standing_count(count, totals, false),
                    format_size(sent, totals->bytes), format_size(total, totals->total), seconds);
    if (!report->tell_standings)
        return;
    show_standings(report, indent, true);
    show_standings(report, indent, false);
}

void report_summary(struct report *report, enum ota_error outcome, int exit_status)
{
    struct stdout_text line;

    if (!is_fleet(report))
        return;
    diag_status_clear();
    summary_show(report->summary, &report->totals, loop_now_us() - report->start_us);
    if (begin_json(report, &line))
        end_json(report, &line,
                 report_json_summary(line.stream, &report->totals, outcome, exit_status,
                                     loop_now_us() - report->start_us));
}

void report_serving(struct report *report, const struct strings *urls, uint16_t port)
{
    const char *remedy = urls->count ? remedy_serving(surroundings_find()) : "";
    struct stdout_text line;

    for (size_t i = 0; i < urls->count; i++)
        diag_info("boards fetch from %s", urls->items[i]);
    if (*remedy)
        diag_info("  %s", remedy);
    if (urls->count == 0)
        diag_warning("this computer has no address that boards can reach; port %u is served", port);
    if (begin_json(report, &line))
        end_json(report, &line,
                 report_json_serving(line.stream, urls, port, loop_now_us() - report->start_us));
}

void report_written(struct report *report, const struct image *image, const char *path)
{
    struct stdout_text line;
    char shown[1024], size[UNITS_TEXT_MAX], file_size[UNITS_TEXT_MAX];

    if (begin_json(report, &line))
        end_json(report, &line,
                 report_json_written(line.stream, image, path, loop_now_us() - report->start_us));
    escape_string(shown, sizeof shown, path);
    diag_info("%s: %s written, from %s; nothing was uploaded", shown,
              format_size(size, image->size), format_size(file_size, image->file_size));
}

int report_failure(struct report *report, const struct ota_failure *failure)
{
    const int exit_status = ota_error_exit_status(failure->error, 0);

    report_end(report, failure, exit_status);
    return exit_status;
}

void report_end(struct report *report, const struct ota_failure *failure, int exit_status)
{
    struct stdout_text line;

    if (begin_json(report, &line))
        end_json(report, &line,
                 report_json_failure(line.stream, failure, exit_status,
                                     loop_now_us() - report->start_us));
    show_failure("", "", failure,
                 remedy_find(failure, NULL, report ? report->command : OTA_COMMAND_SKETCH, "",
                             surroundings_find()));
}
