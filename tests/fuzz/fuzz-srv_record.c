/*
 * fuzz-srv_record.c: any data gives a host that fits and is not empty, or is rejected.
 */
#include "discovery/srv_record.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint16_t port;
    /* The buffers have exactly these sizes, so that AddressSanitizer reports any access behind
     * them. */
    char *host = malloc(CAPACITY);
    uint8_t *copy = malloc(size ? size : 1);

    if (host && copy) {
        if (size)
            memcpy(copy, data, size);
        require(!srv_record_parse(host, CAPACITY, &port, copy, size) ||
                (host[0] != '\0' && strnlen(host, CAPACITY) < CAPACITY));
    }

    free(host);
    free(copy);
    return 0;
}
