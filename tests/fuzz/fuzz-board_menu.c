/*
 * fuzz-choose.c: any answer to the question which boards is refused with a printable sentence, or
 * chooses at least one, and none that cannot be chosen.
 */
#include "base/escape.h"
#include "cli/board_menu.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 40, REFUSED = 3 /* every third */ };

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
        if (i % REFUSED == 0)
            snprintf(choices[i].reason, sizeof choices[i].reason, "not for this one");
    }
    enum ota_error error = board_menu_parse(answer, choices, count, &failure);
    for (size_t i = 0; i < count; i++) {
        chosen += choices[i].is_chosen;
        if (choices[i].is_chosen && i % REFUSED == 0 && error == OTA_OK)
            abort();
    }
    if (error == OTA_OK ? chosen == 0 && count > 1 : !escape_is_printable(failure.message))
        abort();
    free(answer);
    return 0;
}
