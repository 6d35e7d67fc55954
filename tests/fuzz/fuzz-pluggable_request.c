/*
 * fuzz-pluggable_request.c: any line of an IDE becomes a request whose arguments are within the
 * line, without spaces around them.
 */
#include "pluggable/request.h"
#include "require.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_argument(const char *line, size_t size, const char *text)
{
    return text >= line && text + strlen(text) <= line + size && *text && !strchr(" \t\r", *text) &&
           !strchr(" \t\r", text[strlen(text) - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request;
    char *line = malloc(size + 1);

    require(line != NULL);
    if (size)
        memcpy(line, data, size);
    request_read(&request, line, size);

    bool has_arguments = request.verb == REQUEST_HELLO || request.verb == REQUEST_CONFIGURE ||
                         request.verb == REQUEST_OPEN;
    require(has_arguments == (request.first != NULL) && has_arguments == (request.second != NULL));
    if (has_arguments)
        require(is_argument(line, size, request.first) && !strchr(request.first, ' ') &&
                is_argument(line, size, request.second));
    require(*request_event(request.verb) != '\0');
    free(line);
    return 0;
}
