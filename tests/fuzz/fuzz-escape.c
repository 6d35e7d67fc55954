/*
 * fuzz-escape.c: any bytes, at any capacity, become a bounded and printable text, complete or cut
 * between characters. A harmless text can be typed as it was shown, and is restored exactly. The
 * first byte of the input chooses the capacity.
 */
#include "base/escape.h"
#include "base/user_info.h"
#include "require.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t capacity = size > 0 ? 8 + (size_t)data[0] % 64 : 8;
    char *full = malloc(6 * size + 8);
    char *shown = malloc(capacity);
    size_t length;

    if (!full || !shown)
        goto cleanup;

    if (size > 0) {
        data++;
        size--;
    }

    escape_text(full, 6 * size + 8, data, size);
    length = strlen(escape_text(shown, capacity, data, size));
    require(escape_is_printable(full) && escape_is_printable(shown) && length < capacity);
    if (strlen(full) < capacity)
        require(strcmp(full, shown) == 0);
    else
        require(strcmp(shown + length - 3, "...") == 0 && memcmp(shown, full, length - 3) == 0);

    if (!memchr(data, '\0', size)) {
        char *typed = strndup((const char *)data, size);

        if (typed && escape_is_harmless(typed)) {
            if (user_info_in_text(typed, size).length == 0)
                require(strcmp(escape_revert(full), typed) == 0);
            require(escape_is_harmless(escape_revert(typed)));
        }
        free(typed);
    }
cleanup:
    free(full);
    free(shown);
    return 0;
}
