/*
 * report.h: observers of events: what people see on standard error and programs on standard output.
 */
#ifndef ESP_OTA_OUTPUT_REPORT_H
#define ESP_OTA_OUTPUT_REPORT_H

#include "base/loop.h"
#include "base/string_list.h"
#include "esp-ota/command.h"
#include "esp-ota/error.h"
#include "esp-ota/event.h"
#include "esp-ota/totals.h"
#include "image/image.h"
#include "output/transcript.h"

struct report;

struct report_settings {
    enum ota_command command; /* what is sent */
    bool debug;               /* -d */
    bool quiet;               /* -q */
    bool verbose;             /* -v */
    bool force_bar;           /* -r */
    bool json;                /* --json */
};

/* Calls tell(standing, tell_userdata) for each board whose work goes on. */
typedef void report_standings_fn(ota_standing_fn *tell, void *tell_userdata, const void *userdata);

/* Whom the report asks where the boards stand, from now on and until report_ask(report, NULL,
 * NULL). */
void report_ask(struct report *report, report_standings_fn *tell_standings, const void *userdata);

/* Whether the report draws lines in place: on a terminal, and with -r also in a pipe if TERM names
 * the terminal that its reader may have. */
bool report_is_live(const struct report_settings *settings);

/* Draws how long boards are still waited for, if any are and nothing else is drawn. To be called
 * every COUNTDOWN_TICK_US. */
void report_count_down(struct report *report);

/* Says on standard error where all stands, as the user asks for it (SIGUSR1), also with -q and
 * --json. */
void report_status(struct report *report, const struct ota_totals *totals);

/* Chooses the form once: JSON lines on stdout (--json), and on stderr a bar on a terminal or with
 * -r, plain lines otherwise, errors only with -q. Sets the log level. NULL when memory ran out. */
struct report *report_new(const struct report_settings *settings);
void report_free(struct report *report);

/* Where boards' logs go from now on (transcript.h). Fails with OTA_E_OUTPUT or OTA_E_INTERNAL. */
enum ota_error report_open_transcript(struct report *report,
                                      const struct transcript_settings *settings,
                                      struct ota_failure *failure);

/* Where the results go from now on (metrics.h), and the end of that. */
enum ota_error report_open_metrics(struct report *report, const char *path,
                                   struct ota_failure *failure);
enum ota_error report_write_metrics(struct report *report, struct ota_failure *failure);

/* An ota_event_fn; userdata is the struct report. */
void report_event(const struct ota_event *event, void *userdata);

/* The end of a fleet of several boards: who failed, by cause, and who was not tried; with --json a
 * line of its own. Says nothing of a single board, whose result is said already. */
void report_summary(struct report *report, enum ota_error outcome, int exit_status);

/* --output: image was written to the file path. report may be NULL. */
void report_written(struct report *report, const struct image *image, const char *path);

/* --serve: boards can fetch from these URLs (without user or password), all at this port. No URL:
 * no board can reach this computer. */
void report_serving(struct report *report, const struct strings *urls, uint16_t port);

/* --resume: so many of the boards are left out. Of an upload the events say so. */
void report_resumed(size_t resumed, size_t boards);

/* A failure that belongs to no board (usage, image, no port); returns its exit status. report may
 * be NULL. */
int report_failure(struct report *report, const struct ota_failure *failure);

/* The same where the exit status is not that of the error alone: it has a signal's number. */
void report_end(struct report *report, const struct ota_failure *failure, int exit_status);

/* Whether somebody still reads the logs on standard output. */
bool report_is_read(const struct report *report);

/* Whether logs may be read on: what reads the output has not paused for long (write_queue.h). */
bool report_has_room(const struct report *report);

/* From now on, what a pausing reader does not take waits in this loop (write_queue.h). */
void report_queue_output(struct report *report, struct loop *loop);

/* Ends the logs (transcript_end()) and writes what is queued, which may take a while. Must be
 * called before the loop is freed; may be called again. A report after that does not wait in the
 * loop. */
void report_end_output(struct report *report);

/* Whether everything that was to go to standard output and to the file of --log did; if not, loss
 * says what could not be written, and why: OTA_E_OUTPUT. */
bool report_is_complete(const struct report *report, struct ota_failure *loss);

#endif
