/*
 * fuzz-byte_range.c: any Range gives bytes that are in the content, and any list of entity tags is
 * searched to its end. The first byte of the input is the size of the content.
 */
#include "require.h"
#include "serve/byte_range.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t content)
{
    struct byte_range range;

    byte_range_parse(&range, text, content);
    require(range.first <= content && range.size <= content - range.first);
    require((range.size == 0) == (range.kind == BYTE_RANGE_UNSATISFIABLE));
    if (range.kind == BYTE_RANGE_WHOLE)
        require(range.first == 0 && range.size == content);

    (void)etag_is_listed(text, "\"a\"");
    if (etag_allows_range(text, "\"a\""))
        require(etag_is_listed(text, "\"a\""));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = size ? malloc(size) : NULL;
    if (!text)
        return 0;

    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    check(text, (size_t)data[0] + 1);
    free(text);
    return 0;
}
