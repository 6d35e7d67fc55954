/*
 * board_kind.c: see board_kind.h.
 */
#include "cli/board_kind.h"

#include "upload/protocols.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct kind board_kind(const struct board *board)
{
    const char *name = board->instance;
    struct kind kind;

    kind_find(&kind, board->type, &name, 1);
    kind_add_platform(&kind, board->esphome.platform);
    return kind;
}

bool board_kind_has_chip(const struct board *board, const char *pattern)
{
    const struct kind kind = board_kind(board);
    char chip[KIND_CHIPS_MAX];
    size_t length = 0;

    for (; *pattern; pattern++) {
        if (strchr("*-_", *pattern))
            continue;
        if (length + 1 == sizeof chip)
            return false;
        chip[length++] = (char)tolower((unsigned char)*pattern);
    }
    chip[length] = '\0';
    return *chip && *kind.proven && kind_overlap(chip, kind.proven);
}

static void describe_way(char text[BOARD_WAY_MAX], const struct board *board)
{
    const struct upload_protocol *protocol = protocols_for(board);

    if (protocol)
        snprintf(text, BOARD_WAY_MAX, "%s (--protocol %s)", protocol->title, protocol->name);
    else
        snprintf(text, BOARD_WAY_MAX, "other software (name it by the URL of its update page)");
}

const struct board_facts board_kind_facts = {
    .has_chip = board_kind_has_chip,
    .describe_way = describe_way,
};
