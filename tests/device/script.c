/* Reads the steps of a sketch: `!name [number] [text]', or a line to log. */
#include "script.h"

#include "unescape.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 1000000000 };

enum argument { ARG_NONE, ARG_NUMBER, ARG_TEXT, ARG_NUMBER_TEXT };

static const struct word {
    const char *name;
    enum step_kind kind;
    enum argument argument;
    const char *help;
} words[] = {
    {"!raw", STEP_RAW, ARG_TEXT, "TEXT: send these bytes without end of line"},
    {"!pause", STEP_PAUSE, ARG_NUMBER, "MS: log nothing for MS milliseconds"},
    {"!tick", STEP_TICK, ARG_NUMBER_TEXT, "MS [TEXT]: log TEXT and a count every MS, forever"},
    {"!flood", STEP_FLOOD, ARG_NUMBER_TEXT,
     "N [TEXT]: log TEXT and a count N times, as fast as possible; 0: forever"},
    {"!endless", STEP_ENDLESS, ARG_NUMBER, "N: send N bytes without end of line; 0: forever"},
    {"!close", STEP_CLOSE, ARG_NONE, "end the connection"},
    {"!reset", STEP_RESET, ARG_NONE, "end the connection with RST"},
    {"!crash", STEP_CRASH, ARG_NONE, "restart"},
    {"!rollback", STEP_ROLLBACK, ARG_NONE, "restart into the firmware from before the upload"},
};

static const struct word *find_word(const char *line, size_t length)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i].name) == length && strncmp(words[i].name, line, length) == 0)
            return &words[i];
    return NULL;
}

static bool read_step_number(const char **text, uint64_t *number)
{
    char *end = NULL;
    if (!isdigit((unsigned char)**text))
        return false;
    *number = strtoull(*text, &end, 10);
    if ((*end && *end != ' ') || *number > NUMBER_MAX)
        return false;
    *text = *end ? end + 1 : end;
    return true;
}

static bool read_argument(struct step *step, enum argument wanted, const char *text)
{
    bool number = wanted == ARG_NUMBER || wanted == ARG_NUMBER_TEXT;
    if (number && !read_step_number(&text, &step->number))
        return false;
    if (wanted == ARG_NONE || wanted == ARG_NUMBER)
        return !*text;
    return unescape(text, strlen(text), step->text, sizeof step->text, &step->length);
}

bool script_add(struct script *script, const char *line, char *why, size_t why_size)
{
    if (script->count == STEPS_MAX) {
        snprintf(why, why_size, "more than %d steps", (int)STEPS_MAX);
        return false;
    }

    struct step step = {.kind = STEP_LINE};
    enum argument wanted = ARG_TEXT;
    const char *text = line;
    if (*line == '!') {
        size_t length = strcspn(line, " ");
        const struct word *word = find_word(line, length);
        if (!word) {
            snprintf(why, why_size, "no step `%.*s'; --help lists the steps", (int)length, line);
            return false;
        }
        step.kind = word->kind;
        wanted = word->argument;
        text = line + length + (line[length] == ' ');
    }
    if (!read_argument(&step, wanted, text)) {
        snprintf(why, why_size, "`%.60s' is not a valid step; --help lists the steps", line);
        return false;
    }
    script->steps[script->count++] = step;
    return true;
}

void script_help(void)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        printf("  %-10s %s\n", words[i].name, words[i].help);
}
