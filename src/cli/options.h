/*
 * options.h: the command line as plain, validated settings.
 */
#ifndef ESP_OTA_CLI_OPTIONS_H
#define ESP_OTA_CLI_OPTIONS_H

#include "base/string_list.h"
#include "boardlog/log_settings.h"
#include "cli/options_table.h"
#include "discovery/board_match.h"
#include "esp-ota/error.h"
#include "fleet/fleet_settings.h"
#include "fleet/plan.h"
#include "output/report.h"
#include "output/transcript.h"
#include "serve/serve_settings.h"
#include "upload/espota/espota_settings.h"
#include "upload/upload_settings.h"
#include "upload/web/web_settings.h"

/* Everything said by the command line, the configuration, the environment and the files of the
 * password and the key: the command, and the settings of the parts of the program. Owns the strings
 * and what expect points to. */
struct options {
    bool list;  /* -l; then no board and no file is named */
    bool check; /* --check */
    /* --pluggable-discovery, --pluggable-monitor */
    enum { PLUGGABLE_NONE, PLUGGABLE_DISCOVERY, PLUGGABLE_MONITOR } pluggable;
    char *output;   /* --output: a path, and nothing is uploaded; NULL: not given */
    char *metrics;  /* --metrics: a path; NULL: not given */
    bool discovers; /* boards that announce themselves are to be updated: */
    bool chooses;   /* those that a person at the terminal chooses, as none is named */
    struct board_patterns patterns;
    struct plan_settings plan;
    struct upload_settings upload; /* its espota and web point to the next ones */
    struct espota_settings espota;
    struct web_settings web;
    struct fleet_settings fleet;
    struct log_settings log;
    struct expect *expect;   /* that of log */
    struct strings expected; /* --expect and --reject: what it was compiled from */
    struct strings rejected;
    struct serve_settings serve;
    struct report_settings report;
    struct transcript_settings transcript;
    bool typed[OPTION_COUNT]; /* what stands on the command line itself */
};

enum options_outcome {
    OPTIONS_RUN,   /* *options is complete */
    OPTIONS_DONE,  /* --help, --usage, --version or --show-config was printed: exit 0 */
    OPTIONS_ERROR, /* failure says why: OTA_E_USAGE, OTA_E_OUTPUT or OTA_E_INTERNAL */
};

/* Parses the command line (popt aliases from /etc/popt and ~/.popt included), the configuration and
 * the environment. The password is wiped from argv, and secrets from the environment, at once, also
 * when something else is wrong. Reads --auth-file and --encryption-key-file. Prints warnings, and
 * what --help, --usage, --version and --show-config ask for. The flags (json, quiet, ...) are set
 * even when something else is wrong. In every outcome the caller frees what was allocated with
 * options_free(). */
enum options_outcome options_parse(struct options *options, int argc, char **argv,
                                   struct ota_failure *failure);
void options_free(struct options *options); /* cleanses the password */

#endif
