/*
 * board_match.c: selects boards by patterns, and explains an empty selection.
 */
#include "discovery/board_match.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_SHOWN = 128 };

static bool matches_patterns(const struct board *board, const struct board_patterns *patterns,
                             board_filter_fn *serves)
{
    return (!serves || serves(board)) &&
           (!patterns->name || board_has_name(board, patterns->name)) &&
           (!patterns->board || board_has_type(board, patterns->board));
}

static size_t count_matches(const struct board_list *all, const struct board_patterns *patterns,
                            board_filter_fn *serves)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        count += matches_patterns(all->items[i], patterns, serves);
    return count;
}

/* Writes "matches --match 'x*' and --board 'y*'", or "speaks this protocol" without patterns. */
static void describe_wanted(char *target, size_t capacity, const struct board_patterns *patterns)
{
    char name[PATTERN_SHOWN], board[PATTERN_SHOWN];

    escape_string(name, sizeof name, patterns->name ? patterns->name : "");
    escape_string(board, sizeof board, patterns->board ? patterns->board : "");

    if (patterns->name && patterns->board)
        snprintf(target, capacity, "matches --match '%s' and --board '%s'", name, board);
    else if (patterns->name)
        snprintf(target, capacity, "matches --match '%s'", name);
    else if (patterns->board)
        snprintf(target, capacity, "matches --board '%s'", board);
    else
        snprintf(target, capacity, "speaks this protocol");
}

/* Lists the announced kinds, each once: "'esp32dev', 'lolin32'". */
static void list_kinds(char *target, size_t capacity, const struct board_list *all)
{
    size_t length = 0;

    *target = '\0';
    for (size_t i = 0; i < all->count && length < capacity; i++) {
        char shown[MDNS_TYPE_MAX];
        size_t before = 0;

        while (before < i && strcmp(all->items[before]->type, all->items[i]->type) != 0)
            before++;
        if (before < i || !*all->items[i]->type)
            continue;
        escape_string(shown, sizeof shown, all->items[i]->type);
        length += (size_t)snprintf(target + length, capacity - length, "%s'%s'", length ? ", " : "",
                                   shown);
    }
}

static void list_board_names(char *target, size_t capacity, const struct board_list *all,
                             const char *wanted)
{
    struct suggestions suggestions = {0};

    for (size_t i = 0; i < all->count; i++)
        suggest_offer(&suggestions, wanted, all->items[i]->instance);
    suggest_list(target, capacity, &suggestions);
    if (suggestions.total > suggestions.count)
        snprintf(target + strlen(target), capacity - strlen(target), ", ...");
}

/* Whether a pattern ends in a star, other than "\*", which matches only a star. */
static bool ends_in_star(const char *pattern)
{
    size_t length = strlen(pattern);

    return length > 0 && pattern[length - 1] == '*' && (length == 1 || pattern[length - 2] != '\\');
}

/* Suggests the pattern with stars around it if that would select boards; "" if not. */
static void describe_wider(char *target, size_t capacity, const struct board_list *all,
                           const struct board_patterns *patterns, board_filter_fn *serves)
{
    char wider[PATTERN_SHOWN + 4], shown[PATTERN_SHOWN];
    const char *pattern = patterns->name ? patterns->name : patterns->board;
    struct board_patterns widened = *patterns;

    *target = '\0';
    if (!patterns->name == !patterns->board ||
        (size_t)snprintf(wider, sizeof wider, "%s%s%s", *pattern == '*' ? "" : "*", pattern,
                         ends_in_star(pattern) ? "" : "*") >= sizeof wider)
        return;

    if (patterns->name)
        widened.name = wider;
    else
        widened.board = wider;

    size_t count = count_matches(all, &widened, serves);
    escape_string(shown, sizeof shown, wider);
    if (count)
        snprintf(target, capacity, "; %s '%s' would match %zu of them",
                 patterns->name ? "--match" : "--board", shown, count);
}

static enum ota_error fail_no_match(const struct board_list *all,
                                    const struct board_patterns *patterns, board_filter_fn *serves,
                                    struct ota_failure *failure)
{
    char wanted[320], others[4 * SUGGEST_NAME_MAX / 2], wider[PATTERN_SHOWN + 64];
    bool has_pattern = patterns->name || patterns->board;
    bool asks_for_kind = patterns->board && !patterns->name;
    bool is_foreign = has_pattern && count_matches(all, patterns, NULL) > 0;

    describe_wanted(wanted, sizeof wanted, patterns);
    describe_wider(wider, sizeof wider, all, patterns, serves);
    if (asks_for_kind)
        list_kinds(others, sizeof others, all);
    else
        list_board_names(others, sizeof others, all, patterns->name ? patterns->name : "");

    ota_fail(failure, OTA_E_NOT_FOUND,
             "none of the boards found (%zu) %s%s%s; --list shows them: %s", all->count, wanted,
             is_foreign ? " and speaks this protocol" : "", wider, others);
    failure->cause = has_pattern ? OTA_CAUSE_NO_SUCH_BOARD : OTA_CAUSE_NONE;
    return failure->error;
}

enum ota_error board_match(struct board_list *matching, const struct board_list *all,
                           const struct board_patterns *patterns, board_filter_fn *serves,
                           struct ota_failure *failure)
{
    *matching = (struct board_list){.items = calloc(all->count + 1, sizeof(void *))};
    if (!matching->items)
        return ota_fail_no_memory(failure);

    for (size_t i = 0; i < all->count; i++)
        if (matches_patterns(all->items[i], patterns, serves))
            matching->items[matching->count++] = all->items[i];
    return matching->count ? OTA_OK : fail_no_match(all, patterns, serves, failure);
}
