/*
 * options_use.c: a command that ignores or refuses an option says so, as somebody expected
 * something of it.
 */
#include "cli/options_use.h"

#include "base/text.h"
#include "upload/protocols.h"

#define UPLOAD COMMAND_UPLOAD
#define LIST COMMAND_LIST
#define CHECK COMMAND_CHECK
#define WRITE COMMAND_WRITE
#define SERVE COMMAND_SERVE
#define DISCOVERY COMMAND_DISCOVERY
#define IDE_MONITOR COMMAND_IDE_MONITOR
#define TOOLS (DISCOVERY | IDE_MONITOR)
#define ANY (UPLOAD | LIST | CHECK | WRITE | SERVE | TOOLS)

static const unsigned uses[OPTION_COUNT] = {
    /* Which boards. */
    [OPTION_IP] = ANY,
    [OPTION_HOSTS] = ANY,
    [OPTION_ALL] = UPLOAD | LIST | WRITE | SERVE,
    [OPTION_MATCH] = UPLOAD | LIST | WRITE | SERVE,
    [OPTION_BOARD] = UPLOAD | LIST | WRITE | SERVE,
    [OPTION_PORT] = UPLOAD | CHECK | WRITE | SERVE,
    [OPTION_PROTOCOL] = UPLOAD,
    [OPTION_LIST] = ANY,
    /* Passwords. */
    [OPTION_AUTH] = UPLOAD | SERVE,
    [OPTION_AUTH_FILE] = UPLOAD | SERVE,
    [OPTION_MD5_TARGET] = UPLOAD,
    [OPTION_MIN_AUTH] = UPLOAD | SERVE,
    [OPTION_USER] = UPLOAD | SERVE,
    [OPTION_ENCRYPTION_KEY_FILE] = UPLOAD,
    /* The image. */
    [OPTION_FILE] = ANY,
    [OPTION_SPIFFS] = UPLOAD | CHECK | WRITE | SERVE,
    [OPTION_COMPRESS] = UPLOAD | CHECK | WRITE | SERVE,
    [OPTION_SIGN] = ANY,
    [OPTION_SIGN_HASH] = ANY,
    [OPTION_OUTPUT] = ANY,
    [OPTION_CHECK] = ANY,
    [OPTION_DRY_RUN] = UPLOAD | SERVE,
    [OPTION_VERIFY_KEY] = ANY,
    [OPTION_FORCE] = UPLOAD | CHECK | WRITE | SERVE,
    [OPTION_MAX_SIZE] = UPLOAD | CHECK | WRITE | SERVE,
    /* The network. */
    [OPTION_HOST_IP] = UPLOAD,
    [OPTION_HOST_PORT] = UPLOAD,
    [OPTION_PEER] = UPLOAD,
    [OPTION_TIMEOUT] = UPLOAD | LIST | SERVE | DISCOVERY,
    [OPTION_WAIT] = UPLOAD | LIST | SERVE,
    [OPTION_RETRIES] = UPLOAD | SERVE,
    [OPTION_DEADLINE] = UPLOAD | LIST | SERVE,
    [OPTION_LOCKSTEP] = UPLOAD,
    [OPTION_BLOCK] = UPLOAD,
    /* Update pages. */
    [OPTION_PAGE] = UPLOAD,
    [OPTION_FIELD] = UPLOAD,
    [OPTION_CACERT] = UPLOAD,
    [OPTION_INSECURE] = UPLOAD,
    [OPTION_EXPECT_VERSION] = UPLOAD | SERVE,
    /* Several boards. */
    [OPTION_JOBS] = UPLOAD | SERVE,
    [OPTION_CANARY] = UPLOAD | SERVE,
    [OPTION_MAX_FAILURES] = UPLOAD | SERVE,
    [OPTION_RESUME] = UPLOAD | LIST | SERVE,
    /* Boards that fetch; an upload refuses these. */
    [OPTION_SERVE] = UPLOAD | SERVE,
    [OPTION_SERVE_FOR] = UPLOAD | SERVE,
    [OPTION_UNTIL_CONFIRMED] = UPLOAD | SERVE,
    [OPTION_SERVE_VERSION] = UPLOAD | SERVE,
    [OPTION_TLS_CERT] = UPLOAD | SERVE,
    [OPTION_TLS_KEY] = UPLOAD | SERVE,
    /* The log. */
    [OPTION_MONITOR] = UPLOAD | SERVE | IDE_MONITOR,
    [OPTION_MONITOR_FOR] = UPLOAD,
    [OPTION_TIMESTAMPS] = UPLOAD,
    [OPTION_RAW] = UPLOAD | IDE_MONITOR,
    [OPTION_LOG] = UPLOAD,
    [OPTION_EXPECT] = UPLOAD | SERVE,
    [OPTION_REJECT] = UPLOAD | SERVE,
    [OPTION_EXPECT_TIMEOUT] = UPLOAD | SERVE,
    [OPTION_ONLINE] = UPLOAD | SERVE,
    /* For an IDE. */
    [OPTION_PLUGGABLE_DISCOVERY] = ANY,
    [OPTION_PLUGGABLE_MONITOR] = ANY,
    /* Output. */
    [OPTION_PROGRESS] = UPLOAD | SERVE,
    [OPTION_QUIET] = ANY,
    [OPTION_VERBOSE] = UPLOAD | SERVE,
    [OPTION_JSON] = ANY,
    [OPTION_METRICS] = UPLOAD,
    [OPTION_DEBUG] = ANY,
    [OPTION_CONFIG] = ANY,
    [OPTION_SHOW_CONFIG] = ANY,
    [OPTION_HELP] = ANY,
    [OPTION_USAGE] = ANY,
    [OPTION_VERSION] = ANY,
};

/* The commands that refuse an option; a refusal is better than a warning where somebody would wait
 * for an upload. */
static const unsigned refusals[OPTION_COUNT] = {
    [OPTION_IP] = LIST | TOOLS,
    [OPTION_HOSTS] = LIST | CHECK | TOOLS,
    [OPTION_ALL] = SERVE | TOOLS,
    [OPTION_MATCH] = SERVE | TOOLS,
    [OPTION_BOARD] = SERVE | TOOLS,
    [OPTION_PORT] = SERVE,
    [OPTION_LIST] = CHECK | TOOLS,
    [OPTION_AUTH_FILE] = TOOLS,
    [OPTION_FILE] = LIST | TOOLS,
    [OPTION_SIGN] = LIST | TOOLS,
    [OPTION_OUTPUT] = LIST | CHECK | SERVE | TOOLS,
    [OPTION_CHECK] = TOOLS,
    [OPTION_DRY_RUN] = SERVE | TOOLS,
    [OPTION_WAIT] = LIST | SERVE,
    [OPTION_DEADLINE] = LIST | SERVE,
    [OPTION_RESUME] = LIST,
    [OPTION_EXPECT_VERSION] = SERVE, /* a board that is told has to run the image */
    [OPTION_SERVE] = TOOLS,
    [OPTION_MONITOR] = SERVE,
    [OPTION_EXPECT] = SERVE,
    [OPTION_REJECT] = SERVE,
    [OPTION_ONLINE] = SERVE,
};

/* The protocol that alone has a use for an option of an upload. */
static const struct upload_protocol *const owners[OPTION_COUNT] = {
    [OPTION_MD5_TARGET] = &espota_protocol,
    [OPTION_USER] = &web_protocol,
    [OPTION_ENCRYPTION_KEY_FILE] = &esphome_protocol,
    [OPTION_HOST_PORT] = &espota_protocol,
    [OPTION_PEER] = &espota_protocol,
    [OPTION_LOCKSTEP] = &espota_protocol,
    [OPTION_BLOCK] = &espota_protocol,
    [OPTION_PAGE] = &web_protocol,
    [OPTION_FIELD] = &web_protocol,
    [OPTION_CACERT] = &web_protocol,
    [OPTION_INSECURE] = &web_protocol,
};

/* The others of which nothing is left where only a log is followed; more are refused there
 * (options_rules.c). */
static const bool is_about_uploads[OPTION_COUNT] = {
    [OPTION_MIN_AUTH] = true,
    [OPTION_MAX_SIZE] = true,
    [OPTION_METRICS] = true,
};

unsigned options_uses(enum option option)
{
    return uses[option];
}

bool options_name_boards(const bool options[OPTION_COUNT])
{
    return options[OPTION_IP] || options[OPTION_HOSTS] || options[OPTION_ALL] ||
           options[OPTION_MATCH] || options[OPTION_BOARD];
}

enum command_use options_command(const struct command_line *line)
{
    const bool *given = line->given;

    return given[OPTION_PLUGGABLE_DISCOVERY] ? COMMAND_DISCOVERY
           : given[OPTION_PLUGGABLE_MONITOR] ? COMMAND_IDE_MONITOR
           : given[OPTION_CHECK]             ? COMMAND_CHECK
           : given[OPTION_LIST]              ? COMMAND_LIST
           : given[OPTION_SERVE]             ? COMMAND_SERVE
           : given[OPTION_OUTPUT]            ? COMMAND_WRITE
                                             : COMMAND_UPLOAD;
}

static const char *command_name(enum command_use command)
{
    switch (command) {
    case COMMAND_LIST:
        return "--list";
    case COMMAND_CHECK:
        return "--check";
    case COMMAND_WRITE:
        return "--output";
    case COMMAND_SERVE:
        return "--serve";
    case COMMAND_DISCOVERY:
        return "--pluggable-discovery";
    case COMMAND_IDE_MONITOR:
        return "--pluggable-monitor";
    case COMMAND_UPLOAD:
        break;
    }
    return "an upload";
}

int options_find_refused(const struct command_line *line, enum command_use command)
{
    int option = 1;

    while (option < OPTION_COUNT && !(line->given[option] && refusals[option] & command))
        option++;
    return option;
}

/* Writes "SUBJECT ignores --port, --jobs and --retries"; "" without an option. */
static void list_ignored(char text[OPTIONS_IGNORED_MAX], const bool ignored[OPTION_COUNT],
                         const char *subject)
{
    int count = 0, left = 0;

    for (int option = 1; option < OPTION_COUNT; option++)
        left += ignored[option];
    *text = '\0';
    for (int option = 1; option < OPTION_COUNT; option++) {
        if (!ignored[option])
            continue;
        left--;
        if (count++ == 0)
            text_append(text, OPTIONS_IGNORED_MAX, "%s ignores", subject);
        else
            text_append(text, OPTIONS_IGNORED_MAX, left > 0 ? "," : " and");
        text_append(text, OPTIONS_IGNORED_MAX, " --%s",
                    options_find((enum option)option)->longName);
    }
}

void options_describe_ignored(char text[OPTIONS_IGNORED_MAX], const struct command_line *line,
                              enum command_use command)
{
    bool ignored[OPTION_COUNT];

    for (int option = 0; option < OPTION_COUNT; option++)
        ignored[option] = line->typed[option] && !(uses[option] & command);
    list_ignored(text, ignored, command_name(command));
    if (command == COMMAND_SERVE && (line->typed[OPTION_HOST_IP] || line->typed[OPTION_HOST_PORT]))
        text_append(text, OPTIONS_IGNORED_MAX, "; it serves at --serve=[ADDRESS:]PORT");
}

void options_describe_foreign(char text[OPTIONS_IGNORED_MAX], const bool typed[OPTION_COUNT],
                              const struct upload_protocol *protocol)
{
    bool ignored[OPTION_COUNT];

    for (int option = 0; option < OPTION_COUNT; option++)
        ignored[option] = typed[option] && owners[option] == protocol;
    list_ignored(text, ignored, "an upload");
    if (*text)
        text_append(text, OPTIONS_IGNORED_MAX, ", as no board is updated by %s", protocol->name);
}

void options_describe_idle(char text[OPTIONS_IGNORED_MAX], const bool typed[OPTION_COUNT])
{
    bool ignored[OPTION_COUNT];

    for (int option = 0; option < OPTION_COUNT; option++)
        ignored[option] = typed[option] && (owners[option] || is_about_uploads[option]);
    list_ignored(text, ignored, "a log without an upload");
}
