/*
 * fuzz-request_target.c: whatever the path, the request line keeps its three words, and writing it
 * a second time changes nothing.
 */
#include "http/request_target.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char target[HTTP_TARGET_MAX], again[HTTP_TARGET_MAX];
    char *path = malloc(size + 1);

    if (!path)
        return 0;
    memcpy(path, data, size);
    path[size] = '\0';

    http_request_target(target, path);
    free(path);
    for (const char *at = target; *at; at++)
        if (*at <= ' ' || *at >= 0x7F || *at == '#')
            abort();
    if (*target != '/' || strcmp(http_request_target(again, target), target) != 0)
        abort();
    return 0;
}
