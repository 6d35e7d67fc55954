/*
 * board_match.c: selects boards by patterns, and explains an empty selection.
 */
#include "discovery/board_match.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/suggest.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_SHOWN = 128, NAMES_LISTED = 8, LIST_MAX = 512 };

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

    escape_board(name, sizeof name, patterns->name ? patterns->name : "");
    escape_board(board, sizeof board, patterns->board ? patterns->board : "");

    if (patterns->name && patterns->board)
        snprintf(target, capacity, "matches --match '%s' and --board '%s'", name, board);
    else if (patterns->name)
        snprintf(target, capacity, "matches --match '%s'", name);
    else if (patterns->board)
        snprintf(target, capacity, "matches --board '%s'", board);
    else
        snprintf(target, capacity, "speaks this protocol");
}

/* The kinds of all boards, or of those with a chip. */
struct kinds {
    const struct board_list *all;
    board_chip_fn *has_chip; /* NULL: of all */
    const char *chip;
};

/* The announced kind that follows another one in the order of the alphabet; NULL: it is the
 * last. */
static const char *next_kind(const struct kinds *kinds, const char *after)
{
    const char *next = NULL;

    for (size_t i = 0; i < kinds->all->count; i++) {
        const struct board *board = kinds->all->items[i];
        const bool is_meant = !kinds->has_chip || kinds->has_chip(board, kinds->chip);

        if (is_meant && strcmp(board->type, after) > 0 && (!next || strcmp(board->type, next) < 0))
            next = board->type;
    }
    return next;
}

/* Lists the announced kinds with the chip that wanted names, or else all, each once: "'esp32dev',
 * 'lolin32'". */
static void list_kinds(char *target, size_t capacity, const struct board_list *all,
                       const char *wanted, board_chip_fn *has_chip)
{
    struct kinds kinds = {.all = all, .has_chip = has_chip, .chip = wanted};
    const char *separator = "";

    if (!next_kind(&kinds, ""))
        kinds.has_chip = NULL;
    text_append(target, capacity,
                kinds.has_chip ? "; the kinds with this chip: " : "; --list shows them: ");
    for (const char *kind = ""; (kind = next_kind(&kinds, kind)); separator = ", ") {
        char shown[MDNS_TYPE_MAX];

        text_append(target, capacity, "%s'%s'", separator,
                    escape_string(shown, sizeof shown, kind));
    }
}

/* Lists the first names, and says that there are more. */
static void list_first_names(char *target, size_t capacity, const struct board_list *all)
{
    text_append(target, capacity, "; --list shows them: ");
    for (size_t i = 0; i < all->count && i < NAMES_LISTED; i++) {
        char shown[SUGGEST_NAME_MAX];

        text_append(target, capacity, "%s\"%s\"", i ? ", " : "",
                    escape_string(shown, sizeof shown, all->items[i]->instance));
    }
    if (all->count > NAMES_LISTED)
        text_append(target, capacity, ", ...");
}

/* Lists the names that are similar to the pattern, or the first ones if none is. */
static void list_board_names(char *target, size_t capacity, const struct board_list *all,
                             const char *wanted)
{
    struct suggestions similar = {0};
    char list[LIST_MAX];

    for (size_t i = 0; i < all->count; i++)
        suggest_offer(&similar, wanted, all->items[i]->instance);
    suggest_keep_similar(&similar);
    suggest_list(list, sizeof list, &similar);

    if (all->count <= NAMES_LISTED || similar.count == 0)
        list_first_names(target, capacity, all);
    else
        text_append(target, capacity, "; the most similar %s %s", similar.count == 1 ? "is" : "are",
                    list);
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
    escape_board(shown, sizeof shown, wider);
    if (count)
        snprintf(target, capacity, "; %s '%s' would match %zu of them",
                 patterns->name ? "--match" : "--board", shown, count);
}

/* Whether the pattern for names has commas or semicolons between patterns, one of which matches. */
static bool is_list_of_patterns(const struct board_list *all, const struct board_patterns *patterns)
{
    static const char separators[] = ",; ";
    const char *at = patterns->name ? patterns->name : "";

    if (!strpbrk(at, ",;"))
        return false;
    while (*(at += strspn(at, separators))) {
        char pattern[PATTERN_SHOWN];
        const size_t length = strcspn(at, ",;");
        const struct board_patterns part = {.name = pattern, .board = patterns->board};

        snprintf(pattern, sizeof pattern, "%.*s", (int)length, at);
        if (length < sizeof pattern && count_matches(all, &part, NULL) > 0)
            return true;
        at += length;
    }
    return false;
}

static enum ota_error fail_no_match(const struct board_list *all,
                                    const struct board_patterns *patterns, board_filter_fn *serves,
                                    board_chip_fn *has_chip, struct ota_failure *failure)
{
    char wanted[320], others[LIST_MAX] = "", wider[PATTERN_SHOWN + 64];
    bool has_pattern = patterns->name || patterns->board;
    bool asks_for_kind = patterns->board && !patterns->name;
    bool is_foreign = count_matches(all, patterns, NULL) > 0;

    describe_wanted(wanted, sizeof wanted, patterns);
    describe_wider(wider, sizeof wider, all, patterns, serves);
    if (asks_for_kind)
        list_kinds(others, sizeof others, all, patterns->board, has_chip);
    else
        list_board_names(others, sizeof others, all, patterns->name ? patterns->name : "");

    ota_fail(failure, OTA_E_NOT_FOUND, "none of the boards found (%zu) %s%s%s%s", all->count,
             wanted, has_pattern && is_foreign ? " and speaks this protocol" : "", wider, others);
    if (is_foreign)
        failure->cause = OTA_CAUSE_OTHER_PROTOCOL;
    else
        failure->cause =
            is_list_of_patterns(all, patterns) ? OTA_CAUSE_SEPARATED : OTA_CAUSE_NO_SUCH_BOARD;
    return failure->error;
}

enum ota_error board_match(struct board_list *matching, const struct board_list *all,
                           const struct board_patterns *patterns, board_filter_fn *serves,
                           board_chip_fn *has_chip, struct ota_failure *failure)
{
    *matching = (struct board_list){.items = calloc(all->count + 1, sizeof(void *))};
    if (!matching->items)
        return ota_fail_no_memory(failure);

    for (size_t i = 0; i < all->count; i++)
        if (matches_patterns(all->items[i], patterns, serves))
            matching->items[matching->count++] = all->items[i];
    return matching->count ? OTA_OK : fail_no_match(all, patterns, serves, has_chip, failure);
}
