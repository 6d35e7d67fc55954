/*
 * fuzz-choose.c: any answer to the question which boards is refused with a printable sentence, or
 * chooses at least one, and none that there is not.
 */
#include "choose.h"
#include "escape.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 40, GUARD = 0x55 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t count = size ? data[0] % COUNT : 0;
    char *answer = size ? strndup((const char *)data + 1, size - 1) : strdup("");
    unsigned char storage[COUNT + 1]; /* of which only count may be touched */
    struct ota_failure failure;
    size_t chosen = 0;
    if (!answer)
        return 0;
    memset(storage, GUARD, sizeof storage);
    enum ota_error error = choose_parse(answer, count, (bool *)storage, &failure);
    for (size_t i = 0; i < count; i++)
        chosen += storage[i];
    for (size_t i = count; i < sizeof storage; i++)
        if (storage[i] != GUARD)
            abort();
    if (error == OTA_OK ? chosen == 0 && count > 0 : !escape_is_printable(failure.message))
        abort();
    free(answer);
    return 0;
}
