/* match.c: see match.h. */
#include "match.h"

#include "error.h"
#include "escape.h"
#include "suggest.h"

#include <stdio.h>
#include <stdlib.h>

static bool fits(const struct board *board, const struct options *options, bool only_espota)
{
    return (!only_espota || board_speaks_espota(board)) &&
           (!options->match || board_has_name(board, options->match)) &&
           (!options->board || board_has_type(board, options->board));
}

/* " whose name fits 'x*' and that is of the kind 'y*'" */
static void describe_wanted(char *target, size_t capacity, const struct options *options)
{
    char match[128], board[128];
    escape_string(match, sizeof match, options->match ? options->match : "");
    escape_string(board, sizeof board, options->board ? options->board : "");
    snprintf(target, capacity, "%s%s%s%s%s%s%s", options->match ? " whose name fits '" : "", match,
             options->match ? "'" : "", options->match && options->board ? " and" : "",
             options->board ? " that is of the kind '" : "", board, options->board ? "'" : "");
}

static enum ota_error none_fits(const struct boards *all, const struct options *options,
                                struct ota_failure *failure)
{
    char wanted[320], others[4 * SUGGEST_NAME_MAX] = "";
    struct suggestions suggestions = {0};
    describe_wanted(wanted, sizeof wanted, options);
    for (size_t i = 0; i < all->count; i++)
        suggest_offer(&suggestions, options->match ? options->match : "", all->items[i]->instance);
    suggest_list(others, sizeof others, &suggestions);
    return fail(failure, OTA_E_NOT_FOUND,
                "of %zu boards that announce themselves there is none%s; --list shows them: %s%s",
                all->count, *wanted ? wanted : " that speaks this protocol", others,
                suggestions.total > suggestions.count ? ", ..." : "");
}

enum ota_error match_boards(struct boards *matching, const struct boards *all,
                            const struct options *options, bool only_espota,
                            struct ota_failure *failure)
{
    *matching = (struct boards){.items = calloc(all->count + 1, sizeof(void *))};
    if (!matching->items)
        return fail(failure, OTA_E_INTERNAL, "out of memory");
    for (size_t i = 0; i < all->count; i++)
        if (fits(all->items[i], options, only_espota))
            matching->items[matching->count++] = all->items[i];
    return matching->count ? OTA_OK : none_fits(all, options, failure);
}
