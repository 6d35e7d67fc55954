/*
 * pattern.c: reads an extended regular expression just far enough to know what it costs. Whether it
 * is one is for regcomp(3) to say; nothing here compiles or matches.
 */
#include "pattern.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

/* What stands between two parentheses. */
struct group {
    size_t sum;  /* of the atoms before the last */
    size_t last; /* the atom that a repetition would multiply */
};

/* The end of the bracket expression that begins at text: past its "]", or the end of the text. */
static const char *skip_bracket(const char *text)
{
    text++;
    if (*text == '^')
        text++;
    if (*text == ']')
        text++;
    while (*text && *text != ']') {
        const char *close = NULL;
        if (text[0] == '[' && text[1] != '\0' && strchr(":.=", text[1])) {
            char end[] = {text[1], ']', '\0'};
            close = strstr(text + 2, end);
        }
        text = close ? close + 2 : text + 1;
    }
    return *text ? text + 1 : text;
}

/* The end of the repetition that begins at text, such as "{3,5}"; NULL when it is none. */
static const char *skip_repetition(const char *text)
{
    const char *end = text + 1 + strspn(text + 1, "0123456789,");
    return *text == '{' && *end == '}' ? end + 1 : NULL;
}

/* The atom or operator after the one at text. */
static const char *skip(const char *text)
{
    const char *end = skip_repetition(text);
    if (end)
        return end;
    if (*text == '[')
        return skip_bracket(text);
    return text + (text[0] == '\\' && text[1] ? 2 : 1);
}

static size_t bounded(size_t cost)
{
    return cost <= PATTERN_COST_MAX ? cost : PATTERN_COST_MAX + 1;
}

/* What "{3}", "{3,}" or "{3,5}" multiplies by; at least 1. */
static size_t repetitions(const char *text)
{
    char *end;
    unsigned long least = strtoul(text + 1, &end, 10);
    unsigned long most = *end == ',' ? strtoul(end + 1, NULL, 10) : 0;
    if (least < most)
        return bounded(most);
    return bounded(least) + (*end == ',' || least == 0);
}

static void add(struct group *group, size_t cost)
{
    group->sum = bounded(group->sum + group->last);
    group->last = cost;
}

size_t pattern_cost(const char *expression)
{
    struct group groups[DEPTH_MAX + 1] = {{0, 0}};
    size_t depth = 0;
    for (const char *text = expression; *text; text = skip(text)) {
        struct group *group = &groups[depth];
        if (*text == '(') {
            if (++depth > DEPTH_MAX)
                return PATTERN_COST_MAX + 1;
            groups[depth] = (struct group){0, 0};
        } else if (*text == ')' && depth > 0) {
            add(&groups[--depth], bounded(group->sum + group->last));
        } else if (skip_repetition(text)) {
            group->last = bounded(group->last * repetitions(text));
        } else if (*text == '+') {
            group->last = bounded(group->last * 2);
        } else if (*text != '*' && *text != '?') {
            add(group, 1);
        }
    }
    size_t cost = 0;
    for (size_t i = 0; i <= depth; i++)
        cost = bounded(cost + groups[i].sum + groups[i].last);
    return cost;
}

bool pattern_has_back_reference(const char *expression)
{
    for (const char *text = expression; *text; text = skip(text))
        if (text[0] == '\\' && text[1] >= '1' && text[1] <= '9')
            return true;
    return false;
}
