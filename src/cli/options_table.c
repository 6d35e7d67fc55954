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
    VALUE(
        "ip", 'i', OPTION_IP, "HOST",
        "the board: an IPv4 or IPv6 address, a host name (board.local), or the name it announces; "
        "HOST:PORT also works, and a URL for boards without ArduinoOTA: http://board.local (update "
        "page), esphome://board.local, sketch://board.local; the configuration has further names, "
        "and @GROUP; may be repeated"),
    VALUE(
        "hosts", '\0', OPTION_HOSTS, "FILE",
        "a list of boards, one per line, each perhaps with its own port, password file and image; "
        "- is standard input"),
    FLAG("all", '\0', OPTION_ALL,
         "all boards that announce themselves in this network and take images by --protocol"),
    VALUE("match", '\0', OPTION_MATCH, "PATTERN",
          "only boards whose name or host name matches, such as 'esp32-*'"),
    VALUE("board", '\0', OPTION_BOARD, "PATTERN",
          "only boards of this kind, such as 'esp32*' (-l shows it)"),
    VALUE("port", 'p', OPTION_PORT, "PORT",
          "port of the board: UDP for ArduinoOTA, else TCP [as announced, else 8266, 3232 or 2040 "
          "by the image; update page 80 or 443, sketch server 65280]"),
    VALUE("protocol", '\0', OPTION_PROTOCOL, "NAME",
          "the way onto boards that are not named by a URL: espota (ArduinoOTA), esphome, sketch "
          "(sketch server) or web (update page) [espota]"),
    FLAG("list", 'l', OPTION_LIST, "print the boards that announce themselves in this network"),
    POPT_TABLEEND};

static const struct poptOption password_rows[] = {
    VALUE("auth", 'a', OPTION_AUTH, "PASSWORD",
          "the password of the board's OTA service or update page, or of --serve for its boards; "
          "an empty one (--auth=) means none"),
    VALUE("auth-file", '\0', OPTION_AUTH_FILE, "FILE",
          "the first line of FILE is the password; - is standard input [$ESP_OTA_AUTH, else a "
          "prompt]"),
    FLAG("md5-target", 'm', OPTION_MD5_TARGET,
         "for ArduinoOTA on an ESP32 that keeps an MD5 hash of its password: do not try SHA-256 "
         "first"),
    SAME_FLAG("md5_target", OPTION_MD5_TARGET),
    VALUE("min-auth", '\0', OPTION_MIN_AUTH, "SCHEME",
          "answer no board that asks for the password in a weaker way: md5, or sha256, which an "
          "ESP32 with core 3.3.1, ESPHome 2025.10 and pages with https know [md5]"),
    VALUE("user", '\0', OPTION_USER, "NAME",
          "the user name for an update page, also USER@ in its URL [as the page has it, mostly "
          "admin]; with --serve, the one that boards have to give [any]"),
    VALUE("encryption-key-file", '\0', OPTION_ENCRYPTION_KEY_FILE, "FILE",
          "encrypt uploads to ESPHome; the first line of FILE is the key, as below encryption: in "
          "the board's YAML [$ESP_OTA_ENCRYPTION_KEY]"),
    POPT_TABLEEND};

static const struct poptOption image_rows[] = {
    VALUE("file", 'f', OPTION_FILE, "FILE",
          "the firmware, or the filesystem image with -s; - is standard input"),
    FLAG("spiffs", 's', OPTION_SPIFFS,
         "FILE is a filesystem image (SPIFFS, LittleFS, FAT); --filesystem is the same"),
    SAME_FLAG("filesystem", OPTION_SPIFFS),
    FLAG("compress", 'z', OPTION_COMPRESS,
         "send FILE compressed; ESP8266 and Pico W boards unpack it"),
    VALUE("sign", '\0', OPTION_SIGN, "KEY",
          "sign FILE with this private key, a PEM file, for boards that check signatures; with -z, "
          "an ESP8266 that does not check them would never start again"),
    VALUE("sign-hash", '\0', OPTION_SIGN_HASH, "HASH",
          "hash that an ESP32's sketch verifies signatures with: sha256, sha384 or sha512 "
          "[sha256]"),
    VALUE("output", '\0', OPTION_OUTPUT, "FILE",
          "write the image after -z or --sign to this file, and upload nothing"),
    FLAG("check", '\0', OPTION_CHECK,
         "print what FILE is and what an upload with the same options would do; upload nothing"),
    FLAG("dry-run", '\0', OPTION_DRY_RUN,
         "find the boards, print which image each would get and what speaks against it, and send "
         "nothing"),
    VALUE("verify-key", '\0', OPTION_VERIFY_KEY, "KEY",
          "send FILE only if its signature is valid for this public key, a PEM file; with --check, "
          "report whether it is"),
    FLAG("force", '\0', OPTION_FORCE,
         "send FILE even if it is damaged, of the wrong kind or for another board"),
    VALUE("max-size", '\0', OPTION_MAX_SIZE, "BYTES", "refuse a larger FILE; K and M work [16M]"),
    POPT_TABLEEND};

static const struct poptOption network_rows[] = {
    VALUE("host-ip", 'I', OPTION_HOST_IP, "ADDRESS",
          "the address, or network interface, of this computer to use [any that reaches the "
          "board]"),
    SAME_VALUE("host_ip", OPTION_HOST_IP),
    VALUE("host-port", 'P', OPTION_HOST_PORT, "PORT",
          "TCP port of this computer that a board with ArduinoOTA connects to, or a range such as "
          "10000-10100 [any free port]"),
    SAME_VALUE("host_port", OPTION_HOST_PORT),
    VALUE("peer", '\0', OPTION_PEER, "ADDRESS",
          "a board with ArduinoOTA connects from this address instead of the invited one; any: "
          "from every address"),
    VALUE("timeout", 't', OPTION_TIMEOUT, "SECONDS",
          "how long the board may take to accept the upload, or -l to look for boards [10]"),
    VALUE("wait", '\0', OPTION_WAIT, "SECONDS",
          "keep looking this long for a board that is asleep or off [0]"),
    VALUE(
        "retries", '\0', OPTION_RETRIES, "NUMBER",
        "how often to retry after a temporary failure, such as no answer or a lost connection [2]"),
    VALUE("deadline", '\0', OPTION_DEADLINE, "SECONDS",
          "give up a board if its upload has not ended after this time, whatever it is waiting for "
          "[never]"),
    FLAG("lockstep", '\0', OPTION_LOCKSTEP,
         "with ArduinoOTA, wait for the board after each block: slow, but a board that gives up "
         "can say why"),
    VALUE("block", '\0', OPTION_BLOCK, "BYTES",
          "size of the blocks of --lockstep [1460, for an ESP32 image 1024]"),
    POPT_TABLEEND};

static const struct poptOption page_rows[] = {
    VALUE("page", '\0', OPTION_PAGE, "NAME",
          "what kind of update page the board has: auto, or a name of esp-ota-pages(7) [auto]"),
    VALUE("field", '\0', OPTION_FIELD, "NAME",
          "the field of the update page's form that takes the image [as the page has it]"),
    VALUE("cacert", '\0', OPTION_CACERT, "FILE",
          "the certificates to trust for update pages with https, a PEM file [those of this "
          "computer]"),
    FLAG("insecure", '\0', OPTION_INSECURE, "accept any certificate of an update page with https"),
    VALUE("expect-version", '\0', OPTION_EXPECT_VERSION, "TEXT",
          "the upload succeeds only if the board then tells a version with TEXT in it, as Tasmota, "
          "WLED, ESPEasy and ESPHome do"),
    POPT_TABLEEND};

static const struct poptOption fleet_rows[] = {
    VALUE("jobs", 'j', OPTION_JOBS, "NUMBER", "how many boards to update at a time [16]"),
    VALUE("canary", '\0', OPTION_CANARY, "NUMBER",
          "update this many boards first, and go on only if all of them confirm"),
    VALUE("max-failures", '\0', OPTION_MAX_FAILURES, "NUMBER",
          "start no further board after this many have failed for good, after their retries [no "
          "limit]"),
    VALUE("resume", '\0', OPTION_RESUME, "REPORT",
          "skip the boards that confirmed this image in an earlier run; REPORT is its --json "
          "output"),
    POPT_TABLEEND};

static const struct poptOption serve_rows[] = {
    OPTIONAL_VALUE(
        "serve", OPTION_SERVE, "[=[ADDRESS:]PORT]",
        "serve FILE by HTTP to boards that fetch it themselves, at this TCP port [8080]; "
        "ends with Ctrl-C; -i http://HOST tells a board with Tasmota to fetch it"),
    VALUE("serve-for", '\0', OPTION_SERVE_FOR, "SECONDS", "stop --serve after this time"),
    VALUE("until-confirmed", '\0', OPTION_UNTIL_CONFIRMED, "NUMBER",
          "stop --serve when this many boards have come back with the image"),
    VALUE("serve-version", '\0', OPTION_SERVE_VERSION, "TEXT",
          "the version of FILE, for boards that tell --serve theirs and no MD5 (Pico W, filesystem "
          "images)"),
    VALUE("tls-cert", '\0', OPTION_TLS_CERT, "FILE",
          "--serve uses HTTPS with this certificate, a PEM file with its chain; SIGHUP reads it "
          "again"),
    VALUE("tls-key", '\0', OPTION_TLS_KEY, "FILE", "the key of --tls-cert, a PEM file"),
    POPT_TABLEEND};

static const struct poptOption log_rows[] = {
    OPTIONAL_VALUE("monitor", OPTION_MONITOR, "[=PORT]",
                   "print the log that the sketch offers at this TCP port [23]: after the upload, "
                   "or without -f; ends with Ctrl-C"),
    VALUE("monitor-for", '\0', OPTION_MONITOR_FOR, "SECONDS", "stop --monitor after this time"),
    OPTIONAL_VALUE("timestamps", OPTION_TIMESTAMPS, "[=wall]",
                   "print the seconds since the start, or the time of day, before each line of the "
                   "board's log"),
    FLAG("raw", '\0', OPTION_RAW,
         "print the board's log as it comes, with colors and control characters"),
    VALUE("log", '\0', OPTION_LOG, "FILE", "append the board's log to FILE as well"),
    VALUE("expect", '\0', OPTION_EXPECT, "REGEX",
          "the upload succeeds only if a line of the board's log matches; if repeated, all must "
          "match"),
    VALUE("reject", '\0', OPTION_REJECT, "REGEX",
          "the upload fails if a line of the board's log matches, such as 'panic|Exception'; may "
          "be repeated"),
    VALUE("expect-timeout", '\0', OPTION_EXPECT_TIMEOUT, "SECONDS",
          "how long to wait for the lines of --expect [30]; for a version, or a board that is told "
          "to fetch, the default is 90"),
    OPTIONAL_VALUE(
        "online", OPTION_ONLINE, "[=SECONDS]",
        "the upload succeeds only if the board goes off the network and comes back within "
        "this time [60]"),
    POPT_TABLEEND};

static const struct poptOption ide_rows[] = {
    FLAG("pluggable-discovery", '\0', OPTION_PLUGGABLE_DISCOVERY,
         "tell an Arduino IDE, on standard input and output, which boards announce themselves"),
    FLAG("pluggable-monitor", '\0', OPTION_PLUGGABLE_MONITOR,
         "show an Arduino IDE the log of a board, at the port of --monitor"),
    POPT_TABLEEND};

static const struct poptOption output_rows[] = {
    FLAG("progress", 'r', OPTION_PROGRESS,
         "draw the progress bar even if standard error is not a terminal"),
    FLAG("quiet", 'q', OPTION_QUIET, "print nothing but errors"),
    FLAG("verbose", 'v', OPTION_VERBOSE,
         "with several boards, also report each retry and its reason"),
    FLAG("json", '\0', OPTION_JSON, "print one JSON object per line on standard output"),
    VALUE("metrics", '\0', OPTION_METRICS, "FILE",
          "note the result of each board in FILE, for the textfile collector of Prometheus' "
          "node_exporter"),
    FLAG("debug", 'd', OPTION_DEBUG, "trace the network on standard error, step by step"),
    POPT_TABLEEND};

static const struct poptOption config_rows[] = {
    VALUE("config", '\0', OPTION_CONFIG, "FILE",
          "read this configuration instead of ./.esp-ota, ~/.config/esp-ota/config and "
          "/etc/esp-ota.conf; an empty name (--config=) means none, and --no-compress, "
          "--no-insecure, --no-lockstep, --no-md5-target, --no-online, --no-progress, "
          "--no-timestamps and --no-verbose take back what it sets"),
    FLAG("show-config", '\0', OPTION_SHOW_CONFIG,
         "print the settings, boards and groups in force, and where each was found"),
    POPT_TABLEEND};

static const struct poptOption help_rows[] = {
    FLAG("help", 'h', OPTION_HELP, "print all options"),
    FLAG("usage", '\0', OPTION_USAGE, "print a short summary of the options"),
    FLAG("version", 'V', OPTION_VERSION,
         "print the version of esp-ota, its libraries and its protocols"),
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
