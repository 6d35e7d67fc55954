/*
 * pattern.c: compares character by character. After a mismatch, the last "*" takes one character
 * more; earlier ones need not be tried again, so that no pattern takes more than the product of the
 * two lengths.
 */
#include "base/pattern.h"

#include "base/unicode_table.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { INVALID = 0x110000 }; /* a byte that is no UTF-8 is this plus its value */

/* -- characters -- */

static size_t decode(uint32_t *character, const char *text)
{
    size_t size = utf8_decode(character, text, strnlen(text, 4));

    if (size > 0)
        return size;
    *character = INVALID + (unsigned char)*text;
    return 1;
}

static int compare_compositions(const void *a, const void *b)
{
    const struct unicode_composition *one = a, *other = b;

    if (one->first != other->first)
        return one->first < other->first ? -1 : 1;
    return one->second < other->second ? -1 : one->second > other->second;
}

/* The letter of these two characters, or 0. */
static uint32_t compose(uint32_t first, uint32_t second)
{
    const struct unicode_composition wanted = {.first = first, .second = second};
    const struct unicode_composition *found =
        second < 0x80 ? NULL
                      : bsearch(&wanted, unicode_compositions, unicode_compositions_count,
                                sizeof wanted, compare_compositions);

    return found ? found->whole : 0;
}

static int compare_folds(const void *a, const void *b)
{
    const struct unicode_fold *wanted = a, *range = b;

    return wanted->first < range->first ? -1 : wanted->first > range->last;
}

static uint32_t fold(uint32_t character)
{
    const struct unicode_fold wanted = {.first = character};

    if (character < 0x80)
        return character >= 'A' && character <= 'Z' ? character - 'A' + 'a' : character;

    const struct unicode_fold *found =
        bsearch(&wanted, unicode_folds, unicode_folds_count, sizeof wanted, compare_folds);
    if (!found || (character - found->first) % found->step != 0)
        return character;
    return (uint32_t)((int32_t)character + found->offset);
}

/* Moves *text behind its first character, with its accents, and returns it folded; 0 at the end. */
static uint32_t next_character(const char **text)
{
    uint32_t character, accent, whole;

    if (!**text)
        return 0;
    *text += decode(&character, *text);
    for (size_t size; **text; *text += size) {
        size = decode(&accent, *text);
        whole = compose(character, accent);
        if (whole == 0)
            break;
        character = whole;
    }
    return fold(character);
}

/* -- sets -- */

/* Upper and lower case are the same. */
static bool is_in_class(const char *name, size_t length, uint32_t character)
{
    static const struct {
        const char *name;
        int (*is_in)(int character);
    } classes[] = {{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank},
                   {"cntrl", iscntrl}, {"digit", isdigit}, {"graph", isgraph},
                   {"lower", isalpha}, {"print", isprint}, {"punct", ispunct},
                   {"space", isspace}, {"upper", isalpha}, {"xdigit", isxdigit}};

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strlen(classes[i].name) == length && memcmp(classes[i].name, name, length) == 0)
            return character < 0x80 && classes[i].is_in((int)character);
    return false;
}

/* Returns the end of the class that *at begins with, "[:digit:]"; NULL: it does not. */
static const char *class_end(const char *at)
{
    const char *end = at[0] == '[' && at[1] == ':' ? strstr(at + 2, ":]") : NULL;

    return end ? end + 2 : NULL;
}

static uint32_t next_member(const char **at)
{
    if (**at == '\\' && (*at)[1])
        ++*at;
    return next_character(at);
}

/* Matches the character with the set behind a "[", and moves *pattern behind its "]". Returns false
 * and leaves *pattern if there is no "]"; otherwise *is_in says whether it matches. */
static bool match_set(const char **pattern, uint32_t character, bool *is_in)
{
    const char *at = *pattern;
    const bool is_inverted = *at == '!' || *at == '^';
    const char *start = at += is_inverted;
    bool is_found = false;

    while (*at && (*at != ']' || at == start)) {
        const char *end = class_end(at);
        if (end) {
            is_found |= is_in_class(at + 2, (size_t)(end - at) - 4, character);
            at = end;
            continue;
        }

        uint32_t first = next_member(&at), last = first;
        if (at[0] == '-' && at[1] && at[1] != ']') {
            at++;
            last = next_member(&at);
        }
        is_found |= first <= character && character <= last;
    }
    if (*at != ']')
        return false;
    *pattern = at + 1;
    *is_in = is_found != is_inverted;
    return true;
}

/* -- patterns -- */

/* Whether the pattern's next element, no "*", matches a character; moves *pattern behind it. */
static bool match_element(const char **pattern, uint32_t character)
{
    bool is_in;

    switch (**pattern) {
    case '?':
        ++*pattern;
        return true;
    case '[':
        ++*pattern;
        return match_set(pattern, character, &is_in) ? is_in : character == '[';
    default:
        return next_member(pattern) == character;
    }
}

bool pattern_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *rest = NULL; /* behind the last "*", and what it has not taken */

    while (*text || *pattern == '*') {
        if (*pattern == '*') {
            star = ++pattern;
            rest = text;
            continue;
        }

        uint32_t character = next_character(&text);
        if (*pattern && match_element(&pattern, character))
            continue;
        if (!star)
            return false;

        pattern = star;
        next_character(&rest);
        text = rest;
    }
    return !*pattern;
}
