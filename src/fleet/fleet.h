/*
 * fleet.h: updates the boards of one command, some at a time. Each board has its own outcome. One
 * board is a fleet of one.
 */
#ifndef ESP_OTA_FLEET_FLEET_H
#define ESP_OTA_FLEET_FLEET_H

#include "base/loop.h"
#include "esp-ota/error.h"
#include "esp-ota/event.h"
#include "esp-ota/totals.h"
#include "fleet/job.h"

struct fleet;

/* Everything must outlive the fleet. */
struct fleet_config {
    struct loop *loop;
    struct mdns_client *mdns;
    struct upload_service *services; /* a list: one for each protocol that an assignment needs */
    const struct upload_settings *upload;
    const struct fleet_settings *settings;
    const struct log_settings *log;
    const struct assignment *assignments;
    size_t count;           /* of assignments, at least 1 */
    ota_event_fn *on_event; /* complete events; RESULT or SKIPPED last for each board */
    void *event_userdata;
    void (*on_done)(void *userdata); /* once, from the loop, when every board has its outcome */
    void *done_userdata;
};

/* Starts the fleet. NULL: out of memory. */
struct fleet *fleet_start(const struct fleet_config *config);

/* A signal came: closes every connection at once and emits the results; on_done does not
 * follow. SIGINT is no interruption once only logs without an end are followed
 * (boot_check_is_endless()). */
void fleet_interrupt(struct fleet *fleet, int signal_number);

const struct ota_totals *fleet_totals(const struct fleet *fleet);

/* Describes the standing of each board in progress, including those with a log that goes on. */
void fleet_tell(const struct fleet *fleet, ota_standing_fn *tell, void *userdata);

/* Returns the number of finished boards with a log that is still followed
 * (boot_check_goes_on()). */
size_t fleet_logs(const struct fleet *fleet);

/* Ends the followed logs, and emits the results of boards without an upload. If the time is over, a
 * board has failed if its log was never reached; if a signal came before, it was interrupted. */
void fleet_end_logs(struct fleet *fleet, bool is_time_over);

/* Sends a line, given without its end, to the boards whose log is followed; false when to none. */
bool fleet_say(struct fleet *fleet, const char *line, size_t length);

/* Whether every board has a result or was skipped. A board whose log is followed without an upload
 * gets its result from fleet_end_logs(). */
bool fleet_is_decided(const struct fleet *fleet);

/* The overall result, and the exit status for it: OTA_OK when every board has succeeded or
 * was skipped; the code of the failures when all of them have the same exit status; else
 * OTA_E_MIXED; OTA_E_INTERRUPTED in any case after an interruption. A board without a result counts
 * as OTA_E_INTERNAL. */
enum ota_error fleet_outcome(const struct fleet *fleet, int *exit_status);
void fleet_free(struct fleet *fleet);

#endif
