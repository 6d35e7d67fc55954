/*
 * fuzz-kind.c: for any board= and any name (the first two lines of the input), the sets of chips
 * stay within their bounds and well formed, the clue is printable, and every name of the table is
 * found.
 */
#include "base/escape.h"
#include "image/kind.h"
#include "image/kind_table.h"
#include "require.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_chips(const char *chips)
{
    size_t length = strlen(chips);

    require(length < KIND_CHIPS_MAX);
    require(strspn(chips, "abcdefghijklmnopqrstuvwxyz0123456789,*") == length);
    require(length == 0 || chips[length - 1] != ',');
    require(kind_overlap(chips, chips));
}

/* Finds the chips without a binary search: row by row. */
static const char *find_chips(const char *type)
{
    char lower[128] = "";

    if (strlen(type) >= sizeof lower)
        return NULL;

    for (size_t i = 0; type[i]; i++)
        lower[i] = (char)tolower((unsigned char)type[i]);
    for (size_t i = 0; i < kind_row_count; i++)
        if (strcmp(kind_rows[i].name, lower) == 0)
            return kind_rows[i].chips;
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *type = malloc(size + 1), *name;
    const char *known;
    struct kind kind;

    require(type != NULL);
    if (size > 0)
        memcpy(type, data, size);
    type[size] = '\0';
    name = strchr(type, '\n');
    if (name)
        *name++ = '\0';

    const char *names[] = {name ? name : "", ""};
    kind_find(&kind, type, names, 2);
    check_chips(kind.proven);
    check_chips(kind.likely);
    require(kind_overlap(kind.proven, kind.likely));
    require(*kind.likely || !*kind.proven);

    require((*kind.clue != '\0') == (*kind.likely != '\0'));
    require(strlen(kind.clue) < KIND_CLUE_MAX && escape_is_printable(kind.clue));

    known = find_chips(type);
    if (known)
        require(*kind.proven && kind_overlap(kind.proven, known));
    free(type);
    return 0;
}
