/* request_target.c: see request_target.h. */
#include "http/request_target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

char *http_request_target(char target[HTTP_TARGET_MAX], const char *path)
{
    size_t length = 0;

    if (*path != '/')
        target[length++] = '/';
    for (const char *end = path + strcspn(path, "#"); path < end; path++) {
        const bool is_plain = *path > ' ' && *path < 0x7F;
        const size_t size = is_plain ? 1 : strlen("%XX");

        if (length + size >= HTTP_TARGET_MAX)
            break;
        snprintf(target + length, size + 1, is_plain ? "%c" : "%%%02X", (unsigned char)*path);
        length += size;
    }
    target[length] = '\0';
    return target;
}
