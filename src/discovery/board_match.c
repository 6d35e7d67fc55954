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

enum { PATTERN_SHOWN = 128, WANTED_MAX = 320, NAMES_LISTED = 8, LIST_MAX = 512, WAYS_MAX = 8 };

/* Which boards are meant. */
struct wanted {
    const struct board_patterns *patterns;
    board_filter_fn *serves; /* NULL: any protocol */
    const struct board_facts *facts;
};

static bool is_wanted(const struct board *board, const struct wanted *wanted)
{
    const struct board_patterns *patterns = wanted->patterns;

    return (!wanted->serves || wanted->serves(board)) &&
           (!patterns->name || board_has_name(board, patterns->name)) &&
           (!patterns->board || board_has_type(board, patterns->board));
}

static bool has_wanted_chip(const struct board *board, const struct wanted *wanted)
{
    const struct board_patterns any_kind = {.name = wanted->patterns->name};
    const struct wanted named = {.patterns = &any_kind, .serves = wanted->serves};

    return is_wanted(board, &named) && wanted->facts->has_chip(board, wanted->patterns->board);
}

/* Although it has the chip, and all else is right. */
static bool is_left_out(const struct board *board, const struct wanted *wanted)
{
    return has_wanted_chip(board, wanted) && !board_has_type(board, wanted->patterns->board);
}

/* kept, which has room for all, gets those that pass the test. Returns how many. */
static size_t keep(struct board_list *kept, const struct board_list *all,
                   bool (*test)(const struct board *board, const struct wanted *wanted),
                   const struct wanted *wanted)
{
    kept->count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (test(all->items[i], wanted))
            kept->items[kept->count++] = all->items[i];
    return kept->count;
}

static size_t count_wanted(const struct board_list *all, const struct wanted *wanted)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        count += is_wanted(all->items[i], wanted);
    return count;
}

/* Writes "--match 'x*' and --board 'y*'"; "" without patterns. */
static void describe_patterns(char target[WANTED_MAX], const struct board_patterns *patterns)
{
    char shown[PATTERN_SHOWN];

    *target = '\0';
    if (patterns->name)
        text_append(target, WANTED_MAX, "--match '%s'",
                    escape_board(shown, sizeof shown, patterns->name));
    if (patterns->name && patterns->board)
        text_append(target, WANTED_MAX, " and ");
    if (patterns->board)
        text_append(target, WANTED_MAX, "--board '%s'",
                    escape_board(shown, sizeof shown, patterns->board));
}

/* The announced kind that follows another one in the order of the alphabet; NULL: it is the
 * last. */
static const char *next_kind(const struct board_list *boards, const char *after)
{
    const char *next = NULL;

    for (size_t i = 0; i < boards->count; i++) {
        const char *kind = boards->items[i]->type;

        if (strcmp(kind, after) > 0 && (!next || strcmp(kind, next) < 0))
            next = kind;
    }
    return next;
}

/* Appends the kinds that the boards announce, each once, behind one of these texts: "'esp32dev',
 * 'lolin32'". */
static void list_kinds(char *target, size_t capacity, const struct board_list *boards,
                       const char *one, const char *several, const char *none)
{
    const char *first = next_kind(boards, "");

    if (!first) {
        text_append(target, capacity, "%s", none);
        return;
    }
    text_append(target, capacity, "%s", next_kind(boards, first) ? several : one);
    for (const char *kind = first; kind; kind = next_kind(boards, kind)) {
        char shown[MDNS_TYPE_MAX];

        text_append(target, capacity, "%s'%s'", kind == first ? "" : ", ",
                    escape_string(shown, sizeof shown, kind));
    }
}

static void list_announced_kinds(char *target, size_t capacity, const struct board_list *boards)
{
    list_kinds(target, capacity, boards, "; the only announced kind: ", "; the announced kinds: ",
               "; none of them announces a kind");
}

/* Appends "8 match --match 'x*', of the kind 'y'". */
static void list_kinds_of_named(char *target, size_t capacity, const struct board_list *named,
                                const struct board_patterns *patterns)
{
    char described[WANTED_MAX];

    describe_patterns(described, patterns);
    text_append(target, capacity, "; %zu %s %s", named->count,
                named->count == 1 ? "matches" : "match", described);
    list_kinds(target, capacity, named, ", of the kind ", ", of the kinds ",
               ", without an announced kind");
}

/* Lists the first names, and says where the others are. */
static void list_first_names(char *target, size_t capacity, const struct board_list *all)
{
    text_append(target, capacity, "; found: ");
    for (size_t i = 0; i < all->count && i < NAMES_LISTED; i++) {
        char shown[SUGGEST_NAME_MAX];

        text_append(target, capacity, "%s\"%s\"", i ? ", " : "",
                    escape_string(shown, sizeof shown, all->items[i]->instance));
    }
    if (all->count > NAMES_LISTED)
        text_append(target, capacity, ", ... (--list shows all)");
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
                           const struct wanted *wanted)
{
    const struct board_patterns *patterns = wanted->patterns;
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

    size_t count =
        count_wanted(all, &(struct wanted){.patterns = &widened, .serves = wanted->serves});
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
        if (length < sizeof pattern && count_wanted(all, &(struct wanted){.patterns = &part}) > 0)
            return true;
        at += length;
    }
    return false;
}

/* Lists the kinds with the wanted chip, or else all. kept has room for all. */
static void explain_kinds(char *target, size_t capacity, const struct board_list *all,
                          const struct wanted *wanted, struct board_list *kept)
{
    if (keep(kept, all, has_wanted_chip, wanted) > 0 && next_kind(kept, ""))
        list_kinds(target, capacity, kept,
                   "; the only kind with this chip: ", "; the kinds with this chip: ", "");
    else
        list_announced_kinds(target, capacity, all);
}

/* Says which boards match one of both patterns. */
static void explain_pair(char *target, size_t capacity, const struct board_list *all,
                         const struct wanted *wanted, struct board_list *kept)
{
    const struct board_patterns named = {.name = wanted->patterns->name};
    const struct wanted by_name = {.patterns = &named, .serves = wanted->serves};

    if (keep(kept, all, is_wanted, &by_name) > 0)
        list_kinds_of_named(target, capacity, kept, &named);
    else
        list_board_names(target, capacity, all, named.name);
}

/* Counts the boards by the way onto them: "2 with an update page (--protocol web)". */
static void list_ways(char *target, size_t capacity, const struct board_list *boards,
                      const struct board_facts *facts)
{
    struct {
        char text[BOARD_WAY_MAX];
        size_t boards;
    } ways[WAYS_MAX] = {0};
    size_t count = 0;

    for (size_t i = 0; i < boards->count; i++) {
        char way[BOARD_WAY_MAX];
        size_t at = 0;

        facts->describe_way(way, boards->items[i]);
        while (at < count && strcmp(ways[at].text, way) != 0)
            at++;
        if (at == WAYS_MAX)
            continue;
        if (at == count)
            memcpy(ways[count++].text, way, sizeof way);
        ways[at].boards++;
    }
    for (size_t i = 0; i < count; i++)
        text_append(target, capacity, "%s%zu with %s", text_separator(i, count, " and "),
                    ways[i].boards, ways[i].text);
}

static enum ota_error fail_other_protocol(const struct board_list *others,
                                          const struct wanted *wanted, struct ota_failure *failure)
{
    char patterns[WANTED_MAX], ways[LIST_MAX] = "";

    describe_patterns(patterns, wanted->patterns);
    list_ways(ways, sizeof ways, others, wanted->facts);
    ota_fail(failure, OTA_E_NOT_FOUND, "only boards with another protocol %s%s: %s",
             *patterns ? "match " : "were found", patterns, ways);
    failure->cause = OTA_CAUSE_OTHER_PROTOCOL;
    return failure->error;
}

/* kept has room for all. */
static enum ota_error fail_no_match(const struct board_list *all, const struct wanted *wanted,
                                    struct board_list *kept, struct ota_failure *failure)
{
    const struct board_patterns *patterns = wanted->patterns;
    const struct wanted by_any = {.patterns = patterns, .facts = wanted->facts};
    char described[WANTED_MAX], others[LIST_MAX] = "", wider[PATTERN_SHOWN + 64];

    if (keep(kept, all, is_wanted, &by_any) > 0)
        return fail_other_protocol(kept, &by_any, failure);

    describe_patterns(described, patterns);
    describe_wider(wider, sizeof wider, all, wanted);
    if (patterns->name && patterns->board)
        explain_pair(others, sizeof others, all, wanted, kept);
    else if (patterns->board)
        explain_kinds(others, sizeof others, all, wanted, kept);
    else
        list_board_names(others, sizeof others, all, patterns->name ? patterns->name : "");

    ota_fail(failure, OTA_E_NOT_FOUND, "none of the boards found (%zu) matches %s%s%s", all->count,
             described, wider, others);
    failure->cause =
        is_list_of_patterns(all, patterns) ? OTA_CAUSE_SEPARATED : OTA_CAUSE_NO_SUCH_BOARD;
    return failure->error;
}

enum ota_error board_match(struct board_list *matching, const struct board_list *all,
                           const struct board_patterns *patterns, board_filter_fn *serves,
                           const struct board_facts *facts, struct ota_failure *failure)
{
    const struct wanted wanted = {.patterns = patterns, .serves = serves, .facts = facts};

    *matching = (struct board_list){.items = calloc(all->count + 1, sizeof(void *))};
    if (!matching->items)
        return ota_fail_no_memory(failure);
    if (keep(matching, all, is_wanted, &wanted) > 0)
        return OTA_OK;

    fail_no_match(all, &wanted, matching, failure);
    matching->count = 0;
    return failure->error;
}

const char *board_match_left_out(char *text, size_t capacity, const struct board_list *all,
                                 const struct board_patterns *patterns, board_filter_fn *serves,
                                 const struct board_facts *facts)
{
    const struct wanted wanted = {.patterns = patterns, .serves = serves, .facts = facts};
    struct board_list left_out = {0};
    char described[WANTED_MAX];

    *text = '\0';
    if (patterns->board)
        left_out.items = calloc(all->count + 1, sizeof(void *));
    if (!left_out.items || keep(&left_out, all, is_left_out, &wanted) == 0) {
        free(left_out.items);
        return text;
    }

    describe_patterns(described, &(struct board_patterns){.board = patterns->board});
    snprintf(text, capacity, "%s compares kinds, and leaves out %zu board%s with this chip",
             described, left_out.count, left_out.count == 1 ? "" : "s");
    list_kinds(text, capacity, &left_out, ", of the kind ", ", of the kinds ",
               ", without an announced kind");
    free(left_out.items);
    return text;
}
