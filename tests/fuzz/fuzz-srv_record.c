/*
 * fuzz-srv.c: any data are refused, or give a host that fits and is not empty.
 */
#include "discovery/srv_record.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint16_t port;
    /* Exactly these sizes: what is read or written behind them is found. */
    char *host = malloc(CAPACITY);
    uint8_t *copy = malloc(size ? size : 1);
    if (host && copy) {
        if (size)
            memcpy(copy, data, size);
        if (srv_record_parse(host, CAPACITY, &port, copy, size) &&
            (host[0] == '\0' || strnlen(host, CAPACITY) == CAPACITY))
            abort();
    }

    free(host);
    free(copy);
    return 0;
}
