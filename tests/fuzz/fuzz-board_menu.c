/*
 * fuzz-board_menu.c: any answer to the board menu chooses at least one board, and only boards that
 * can be chosen, or is rejected with a printable sentence.
 */
#include "base/escape.h"
#include "cli/board_menu.h"
#include "require.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 40, REJECTED = 3 /* every third board cannot be chosen */ };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct board boards[COUNT];
    static struct choice choices[COUNT];
    size_t count = size ? data[0] % COUNT : 0;
    char *answer = size ? strndup((const char *)data + 1, size - 1) : strdup("");
    struct ota_failure failure;
    size_t chosen = 0;

    if (!answer)
        return 0;

    for (size_t i = 0; i < count; i++) {
        snprintf(boards[i].instance, sizeof boards[i].instance, "lab, %zu *", i);
        choices[i] = (struct choice){.board = &boards[i]};
        if (i % REJECTED == 0)
            snprintf(choices[i].reason, sizeof choices[i].reason, "not for this one");
    }

    enum ota_error error = board_menu_parse(answer, choices, count, &failure);
    for (size_t i = 0; i < count; i++) {
        chosen += choices[i].is_chosen;
        require(!choices[i].is_chosen || i % REJECTED != 0 || error != OTA_OK);
    }
    require(error != OTA_OK || chosen > 0 || count <= 1);
    require(error == OTA_OK || escape_is_printable(failure.message));

    free(answer);
    return 0;
}
