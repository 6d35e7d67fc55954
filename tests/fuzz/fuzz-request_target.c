/*
 * fuzz-request_target.c: whatever the path, the request line keeps its three words, and writing it
 * a second time changes nothing.
 */
#include "http/request_target.h"
#include "require.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char written[HTTP_TARGET_MAX], repeated[HTTP_TARGET_MAX];
    char *path = malloc(size + 1);

    if (!path)
        return 0;
    memcpy(path, data, size);
    path[size] = '\0';

    http_request_target(written, path);
    free(path);
    for (const char *at = written; *at; at++)
        require(*at > ' ' && *at < 0x7F && *at != '#');
    require(*written == '/' && strcmp(http_request_target(repeated, written), written) == 0);
    return 0;
}
