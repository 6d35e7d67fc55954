/*
 * options_table.c: every option, in the groups and the order in which --help shows them. Calls
 * nothing of popt.
 */
#include "cli/options_table.h"

#include <string.h>

#define VALUE(name, letter, id, argument, text)                                                    \
    {                                                                                              \
        name, letter, POPT_ARG_STRING, NULL, id, text, argument                                    \
    }
#define OPTIONAL_VALUE(name, id, argument, text)                                                   \
    {                                                                                              \
        name, '\0', POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, NULL, id, text, argument              \
    }
#define FLAG(name, letter, id, text)                                                               \
    {                                                                                              \
        name, letter, POPT_ARG_NONE, NULL, id, text, NULL                                          \
    }
#define SAME_VALUE(name, id)                                                                       \
    {                                                                                              \
        name, '\0', POPT_ARG_STRING | POPT_ARGFLAG_DOC_HIDDEN, NULL, id, NULL, NULL                \
    }
#define SAME_FLAG(name, id)                                                                        \
    {                                                                                              \
        name, '\0', POPT_ARG_NONE | POPT_ARGFLAG_DOC_HIDDEN, NULL, id, NULL, NULL                  \
    }
#define GROUP(rows, title)                                                                         \
    {                                                                                              \
        NULL, '\0', POPT_ARG_INCLUDE_TABLE, (void *)(rows), 0, title, NULL                         \
    }

static const struct poptOption target_rows[] = {
    VALUE("ip", 'i', OPTION_IP, "HOST", "the board's name, address or URL (repeatable)"),
    VALUE("hosts", '\0', OPTION_HOSTS, "FILE",
          "a list of boards, one per line; - is standard input"),
    FLAG("all", '\0', OPTION_ALL, "all boards that announce the --protocol [espota]"),
    VALUE("match", '\0', OPTION_MATCH, "PATTERN",
          "only boards whose name matches, as in 'esp32-*'"),
    VALUE("board", '\0', OPTION_BOARD, "PATTERN",
          "only boards of this kind, as in 'lolin*' (see -l)"),
    VALUE("port", 'p', OPTION_PORT, "PORT", "port of the board [announced, or by the image]"),
    VALUE("protocol", '\0', OPTION_PROTOCOL, "NAME", "espota, esphome, sketch or web [espota]"),
    FLAG("list", 'l', OPTION_LIST, "print the boards that announce themselves"),
    POPT_TABLEEND};

static const struct poptOption password_rows[] = {
    VALUE("auth", 'a', OPTION_AUTH, "PASSWORD", "the password; --auth= means none"),
    VALUE("auth-file", '\0', OPTION_AUTH_FILE, "FILE",
          "read the password from FILE [$ESP_OTA_AUTH or ask]"),
    FLAG("md5-target", 'm', OPTION_MD5_TARGET,
         "the ESP32 has an MD5 hash: do not try SHA-256 first"),
    SAME_FLAG("md5_target", OPTION_MD5_TARGET),
    VALUE("min-auth", '\0', OPTION_MIN_AUTH, "SCHEME",
          "weakest challenge to answer: md5 or sha256 [md5]"),
    VALUE("user", '\0', OPTION_USER, "NAME", "user name, for an update page or with --serve"),
    VALUE("encryption-key-file", '\0', OPTION_ENCRYPTION_KEY_FILE, "FILE",
          "ESPHome's key [$ESP_OTA_ENCRYPTION_KEY]"),
    POPT_TABLEEND};

static const struct poptOption image_rows[] = {
    VALUE("file", 'f', OPTION_FILE, "FILE", "the image to send; - is standard input"),
    FLAG("spiffs", 's', OPTION_SPIFFS, "FILE is a filesystem image (same as --filesystem)"),
    SAME_FLAG("filesystem", OPTION_SPIFFS),
    FLAG("compress", 'z', OPTION_COMPRESS, "send FILE compressed (for ESP8266 and Pico W)"),
    VALUE("sign", '\0', OPTION_SIGN, "KEY", "sign FILE with this private key (PEM)"),
    VALUE("sign-hash", '\0', OPTION_SIGN_HASH, "HASH",
          "sha256, sha384 or sha512, for an ESP32 [sha256]"),
    VALUE("output", '\0', OPTION_OUTPUT, "FILE",
          "write the image after -z or --sign, upload nothing"),
    FLAG("check", '\0', OPTION_CHECK, "print what FILE is, and upload nothing"),
    FLAG("dry-run", '\0', OPTION_DRY_RUN, "say what each board would get, and send nothing"),
    VALUE("verify-key", '\0', OPTION_VERIFY_KEY, "KEY",
          "send FILE only if this public key (PEM) verifies it"),
    FLAG("force", '\0', OPTION_FORCE, "send FILE even if it is damaged or does not fit"),
    VALUE("max-size", '\0', OPTION_MAX_SIZE, "BYTES", "refuse a larger FILE; K and M work [16M]"),
    POPT_TABLEEND};

static const struct poptOption network_rows[] = {
    VALUE("host-ip", 'I', OPTION_HOST_IP, "ADDRESS",
          "address or interface of this computer to use [any]"),
    SAME_VALUE("host_ip", OPTION_HOST_IP),
    VALUE("host-port", 'P', OPTION_HOST_PORT, "PORT",
          "TCP port (or range) for a board's connection [any]"),
    SAME_VALUE("host_port", OPTION_HOST_PORT),
    VALUE("peer", '\0', OPTION_PEER, "ADDRESS", "the address that the board connects from, or any"),
    VALUE("timeout", 't', OPTION_TIMEOUT, "SECONDS",
          "time for a board to accept, or for -l to look [10]"),
    VALUE("wait", '\0', OPTION_WAIT, "SECONDS",
          "keep looking this long for a board that is off [0]"),
    VALUE("retries", '\0', OPTION_RETRIES, "NUMBER",
          "further attempts after a temporary failure [2]"),
    VALUE("deadline", '\0', OPTION_DEADLINE, "SECONDS", "give up a board after this time [never]"),
    FLAG("lockstep", '\0', OPTION_LOCKSTEP, "ArduinoOTA: wait for the board after each block"),
    VALUE("block", '\0', OPTION_BLOCK, "BYTES",
          "block size of --lockstep [1460, for an ESP32 1024]"),
    POPT_TABLEEND};

static const struct poptOption page_rows[] = {
    VALUE("page", '\0', OPTION_PAGE, "NAME", "kind of page, one of esp-ota-pages(7) [auto]"),
    VALUE("field", '\0', OPTION_FIELD, "NAME", "name of the form field for the image [the page's]"),
    VALUE("cacert", '\0', OPTION_CACERT, "FILE", "certificates to trust (PEM) [the system's]"),
    FLAG("insecure", '\0', OPTION_INSECURE, "accept any certificate of an update page"),
    VALUE("expect-version", '\0', OPTION_EXPECT_VERSION, "TEXT",
          "fail unless the board then reports this version"),
    POPT_TABLEEND};

static const struct poptOption fleet_rows[] = {
    VALUE("jobs", 'j', OPTION_JOBS, "NUMBER", "how many boards to update at a time [16]"),
    VALUE("canary", '\0', OPTION_CANARY, "NUMBER",
          "update this many first, the rest if all confirm"),
    VALUE("max-failures", '\0', OPTION_MAX_FAILURES, "NUMBER",
          "start no more boards once NUMBER failed [no limit]"),
    VALUE("resume", '\0', OPTION_RESUME, "REPORT",
          "skip boards that a --json report shows as confirmed"),
    POPT_TABLEEND};

static const struct poptOption serve_rows[] = {
    OPTIONAL_VALUE("serve", OPTION_SERVE, "[=[ADDRESS:]PORT]",
                   "let boards fetch FILE by HTTP [8080]"),
    VALUE("serve-for", '\0', OPTION_SERVE_FOR, "SECONDS", "stop --serve after this time"),
    VALUE("until-confirmed", '\0', OPTION_UNTIL_CONFIRMED, "NUMBER",
          "stop --serve when this many boards confirmed"),
    VALUE("serve-version", '\0', OPTION_SERVE_VERSION, "TEXT",
          "version of FILE, for boards that send no MD5"),
    VALUE("tls-cert", '\0', OPTION_TLS_CERT, "FILE",
          "--serve uses HTTPS with this certificate (PEM)"),
    VALUE("tls-key", '\0', OPTION_TLS_KEY, "FILE", "the key of --tls-cert (PEM)"),
    POPT_TABLEEND};

static const struct poptOption log_rows[] = {
    OPTIONAL_VALUE("monitor", OPTION_MONITOR, "[=PORT]",
                   "follow the board's log at this TCP port [23]"),
    VALUE("monitor-for", '\0', OPTION_MONITOR_FOR, "SECONDS", "stop --monitor after this time"),
    OPTIONAL_VALUE("timestamps", OPTION_TIMESTAMPS, "[=wall]",
                   "print a time before each line of the board's log"),
    FLAG("raw", '\0', OPTION_RAW, "print the board's log as it comes, with colors"),
    VALUE("log", '\0', OPTION_LOG, "FILE", "append the board's log to FILE as well"),
    VALUE("expect", '\0', OPTION_EXPECT, "REGEX",
          "fail unless a line of the log matches (repeatable)"),
    VALUE("reject", '\0', OPTION_REJECT, "REGEX", "fail if a line of the log matches (repeatable)"),
    VALUE("expect-timeout", '\0', OPTION_EXPECT_TIMEOUT, "SECONDS",
          "how long to wait for --expect [30]"),
    OPTIONAL_VALUE("online", OPTION_ONLINE, "[=SECONDS]",
                   "fail if the board does not restart in time [60]"),
    POPT_TABLEEND};

static const struct poptOption ide_rows[] = {
    FLAG("pluggable-discovery", '\0', OPTION_PLUGGABLE_DISCOVERY,
         "tell an Arduino IDE which boards there are"),
    FLAG("pluggable-monitor", '\0', OPTION_PLUGGABLE_MONITOR,
         "show an Arduino IDE the log of a board"),
    POPT_TABLEEND};

static const struct poptOption output_rows[] = {
    FLAG("progress", 'r', OPTION_PROGRESS, "draw the bar even if stderr is not a terminal"),
    FLAG("quiet", 'q', OPTION_QUIET, "print nothing but errors"),
    FLAG("verbose", 'v', OPTION_VERBOSE, "with several boards, also report each retry"),
    FLAG("json", '\0', OPTION_JSON, "print one JSON object per line on standard output"),
    VALUE("metrics", '\0', OPTION_METRICS, "FILE",
          "note results in FILE, for Prometheus' node_exporter"),
    FLAG("debug", 'd', OPTION_DEBUG, "trace each upload on standard error, step by step"),
    POPT_TABLEEND};

static const struct poptOption config_rows[] = {
    VALUE("config", '\0', OPTION_CONFIG, "FILE",
          "read only this configuration; --config= means none"),
    FLAG("show-config", '\0', OPTION_SHOW_CONFIG,
         "print settings, boards and groups, and their origin"),
    POPT_TABLEEND};

static const struct poptOption help_rows[] = {
    FLAG("help", 'h', OPTION_HELP, "print all options"),
    FLAG("usage", '\0', OPTION_USAGE, "print a short summary of the options"),
    FLAG("version", 'V', OPTION_VERSION, "print the version of esp-ota and its libraries"),
    POPT_TABLEEND};

const struct poptOption options_groups[] = {GROUP(target_rows, "Target:"),
                                            GROUP(password_rows, "Authentication:"),
                                            GROUP(image_rows, "Image:"),
                                            GROUP(network_rows, "Network:"),
                                            GROUP(page_rows, "Update pages:"),
                                            GROUP(fleet_rows, "Several boards:"),
                                            GROUP(serve_rows, "Boards that fetch:"),
                                            GROUP(log_rows, "The board's log:"),
                                            GROUP(ide_rows, "Called by an IDE:"),
                                            GROUP(output_rows, "Output:"),
                                            GROUP(config_rows, "Configuration:"),
                                            GROUP(help_rows, "Help:"),
                                            POPT_TABLEEND};

const struct poptOption *options_rows(const struct poptOption *group)
{
    return group->arg;
}

const struct poptOption *options_row(size_t n)
{
    for (const struct poptOption *group = options_groups; group->arg; group++) {
        for (const struct poptOption *row = options_rows(group); row->longName; row++) {
            if (n-- == 0)
                return row;
        }
    }
    return NULL;
}

const struct poptOption *options_find_name(const char *name, size_t length)
{
    const struct poptOption *row;
    for (size_t n = 0; (row = options_row(n)); n++) {
        if (strlen(row->longName) == length && memcmp(row->longName, name, length) == 0)
            break;
    }
    return row;
}

const struct poptOption *options_find_letter(char letter)
{
    const struct poptOption *row;
    for (size_t n = 0; (row = options_row(n)); n++) {
        if (row->shortName != '\0' && row->shortName == letter)
            break;
    }
    return row;
}

const struct poptOption *options_find(enum option option)
{
    const struct poptOption *row;
    for (size_t n = 0; (row = options_row(n)); n++) {
        if (row->val == (int)option)
            break;
    }
    return row;
}

bool options_takes_value(const struct poptOption *row)
{
    return (row->argInfo & POPT_ARG_MASK) == POPT_ARG_STRING;
}

bool options_value_is_optional(const struct poptOption *row)
{
    return (row->argInfo & POPT_ARGFLAG_OPTIONAL) != 0;
}

bool options_takes_text(const struct poptOption *row)
{
    static const char *const texts[] = {"FILE",    "HOST",  "KEY",    "NAME",
                                        "PATTERN", "REGEX", "REPORT", "TEXT"};

    for (size_t i = 0; row->argDescrip && i < sizeof texts / sizeof *texts; i++)
        if (strcmp(row->argDescrip, texts[i]) == 0)
            return true;
    return false;
}

bool options_is_hidden(const struct poptOption *row)
{
    return (row->argInfo & POPT_ARGFLAG_DOC_HIDDEN) != 0;
}
