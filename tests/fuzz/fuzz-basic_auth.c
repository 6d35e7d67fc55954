/*
 * fuzz-basic_auth.c: no value of an Authorization header is read beyond its end, and only those
 * that contain the user pass for that user.
 */
#include "require.h"
#include "serve/basic_auth.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *header = malloc(size + 1);
    if (!header)
        return 0;

    memcpy(header, data, size);
    header[size] = '\0';
    require(!basic_auth_matches(header, "u", "p") || basic_auth_matches(header, NULL, "p"));
    free(header);
    return 0;
}
