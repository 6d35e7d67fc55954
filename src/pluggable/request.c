/* request.c: one line is one command: a verb, and arguments behind single spaces. */
#include "pluggable/request.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    const char *event;
    size_t arguments;
} verbs[] = {
    [REQUEST_MALFORMED] = {"", "command_error", 0},
    [REQUEST_HELLO] = {"HELLO", "hello", 2},
    [REQUEST_QUIT] = {"QUIT", "quit", 0},
    [REQUEST_START] = {"START", "start", 0},
    [REQUEST_STOP] = {"STOP", "stop", 0},
    [REQUEST_LIST] = {"LIST", "list", 0},
    [REQUEST_START_SYNC] = {"START_SYNC", "start_sync", 0},
    [REQUEST_DESCRIBE] = {"DESCRIBE", "describe", 0},
    [REQUEST_CONFIGURE] = {"CONFIGURE", "configure", 2},
    [REQUEST_OPEN] = {"OPEN", "open", 2},
    [REQUEST_CLOSE] = {"CLOSE", "close", 0},
};

static const char spaces[] = " \t\r";

/* Cuts spaces off both ends, in place. */
static char *trim(char *text)
{
    text += strspn(text, spaces);
    size_t length = strlen(text);

    while (length > 0 && strchr(spaces, text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

/* Cuts the first word off *text, which becomes the rest: "" without one. */
static char *take_word(char **text)
{
    char *word = *text;

    *text += strcspn(*text, spaces);
    if (**text)
        *(*text)++ = '\0';
    *text += strspn(*text, spaces);
    return word;
}

static enum request_verb find_verb(const char *word)
{
    for (size_t i = REQUEST_HELLO; i < sizeof verbs / sizeof *verbs; i++)
        if (strcasecmp(word, verbs[i].name) == 0)
            return (enum request_verb)i;
    return REQUEST_MALFORMED;
}

/* A version, which is 1 today and may grow, and the client's name in double quotes. */
static bool is_greeting(const char *version, const char *name)
{
    size_t length = strlen(name);

    return version[0] >= '1' && version[0] <= '9' &&
           strspn(version, "0123456789") == strlen(version) && length > 2 && name[0] == '"' &&
           strchr(name + 1, '"') == name + length - 1;
}

void request_read(struct request *request, char *line, size_t length)
{
    *request = (struct request){.verb = REQUEST_MALFORMED};
    if (memchr(line, '\0', length))
        return;

    line[length] = '\0';
    char *rest = trim(line);
    enum request_verb verb = find_verb(take_word(&rest));
    if (verbs[verb].arguments == 0) {
        request->verb = *rest ? REQUEST_MALFORMED : verb;
        return;
    }

    const char *first = take_word(&rest);
    if (!*rest || (verb == REQUEST_HELLO && !is_greeting(first, rest)))
        return;
    *request = (struct request){.verb = verb, .first = first, .second = rest};
}

const char *request_event(enum request_verb verb)
{
    return verbs[verb].event;
}
