/*
 * options_use.c: a command that ignores an option says so, as somebody expected something of it.
 */
#include "cli/options_use.h"

#include "base/text.h"

#define UPLOAD COMMAND_UPLOAD
#define LIST COMMAND_LIST
#define CHECK COMMAND_CHECK
#define WRITE COMMAND_WRITE
#define ANY (UPLOAD | LIST | CHECK | WRITE)

static const unsigned uses[OPTION_COUNT] = {
    /* Which boards. */
    [OPTION_IP] = ANY,
    [OPTION_HOSTS] = ANY,
    [OPTION_ALL] = UPLOAD | LIST | WRITE,
    [OPTION_MATCH] = UPLOAD | LIST | WRITE,
    [OPTION_BOARD] = UPLOAD | LIST | WRITE,
    [OPTION_PORT] = UPLOAD | CHECK | WRITE,
    [OPTION_PROTOCOL] = UPLOAD,
    [OPTION_LIST] = ANY,
    /* Passwords. */
    [OPTION_AUTH] = UPLOAD,
    [OPTION_AUTH_FILE] = UPLOAD,
    [OPTION_MD5_TARGET] = UPLOAD,
    [OPTION_MIN_AUTH] = UPLOAD,
    [OPTION_USER] = UPLOAD,
    /* The image. */
    [OPTION_FILE] = ANY,
    [OPTION_SPIFFS] = UPLOAD | CHECK | WRITE,
    [OPTION_COMPRESS] = UPLOAD | CHECK | WRITE,
    [OPTION_SIGN] = ANY,
    [OPTION_SIGN_HASH] = ANY,
    [OPTION_OUTPUT] = ANY,
    [OPTION_CHECK] = ANY,
    [OPTION_VERIFY_KEY] = ANY,
    [OPTION_FORCE] = UPLOAD | CHECK | WRITE,
    [OPTION_MAX_SIZE] = UPLOAD | CHECK | WRITE,
    /* The network. */
    [OPTION_HOST_IP] = UPLOAD,
    [OPTION_HOST_PORT] = UPLOAD,
    [OPTION_PEER] = UPLOAD,
    [OPTION_TIMEOUT] = UPLOAD | LIST,
    [OPTION_WAIT] = UPLOAD | LIST,
    [OPTION_RETRIES] = UPLOAD,
    [OPTION_DEADLINE] = UPLOAD | LIST,
    [OPTION_LOCKSTEP] = UPLOAD,
    [OPTION_BLOCK] = UPLOAD,
    /* Update pages. */
    [OPTION_PAGE] = UPLOAD,
    [OPTION_FIELD] = UPLOAD,
    [OPTION_CACERT] = UPLOAD,
    [OPTION_INSECURE] = UPLOAD,
    /* Several boards. */
    [OPTION_JOBS] = UPLOAD,
    [OPTION_CANARY] = UPLOAD,
    [OPTION_MAX_FAILURES] = UPLOAD,
    [OPTION_RESUME] = UPLOAD | LIST,
    /* The log. */
    [OPTION_MONITOR] = UPLOAD,
    [OPTION_MONITOR_FOR] = UPLOAD,
    [OPTION_TIMESTAMPS] = UPLOAD,
    [OPTION_RAW] = UPLOAD,
    [OPTION_LOG] = UPLOAD,
    [OPTION_EXPECT] = UPLOAD,
    [OPTION_REJECT] = UPLOAD,
    [OPTION_EXPECT_TIMEOUT] = UPLOAD,
    [OPTION_ONLINE] = UPLOAD,
    /* Output. */
    [OPTION_PROGRESS] = UPLOAD,
    [OPTION_QUIET] = ANY,
    [OPTION_VERBOSE] = UPLOAD,
    [OPTION_JSON] = ANY,
    [OPTION_DEBUG] = ANY,
    [OPTION_HELP] = ANY,
    [OPTION_USAGE] = ANY,
    [OPTION_VERSION] = ANY,
};

unsigned options_uses(enum option option)
{
    return uses[option];
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
    case COMMAND_UPLOAD:
        break;
    }
    return "an upload";
}

/* The next option from this one on that is on the line and ignored; OPTION_COUNT: there is none. */
static int find_ignored(const struct command_line *line, enum command_use command, int option)
{
    while (option < OPTION_COUNT && (!line->given[option] || uses[option] & command))
        option++;
    return option;
}

void options_describe_ignored(char text[OPTIONS_IGNORED_MAX], const struct command_line *line,
                              enum command_use command)
{
    int next = find_ignored(line, command, 1);

    *text = '\0';
    for (int option = next; option < OPTION_COUNT; option = next) {
        next = find_ignored(line, command, option + 1);
        if (!*text)
            text_append(text, OPTIONS_IGNORED_MAX, "%s ignores", command_name(command));
        else
            text_append(text, OPTIONS_IGNORED_MAX, next < OPTION_COUNT ? "," : " and");
        text_append(text, OPTIONS_IGNORED_MAX, " --%s",
                    options_find((enum option)option)->longName);
    }
}
