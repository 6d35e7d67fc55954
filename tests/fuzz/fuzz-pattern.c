/*
 * fuzz-pattern.c: no pattern reads beyond itself or the text, every text matches "*", and its own
 * characters match it. The input is a pattern and a text, with a NUL byte between them.
 */
#include "base/pattern.h"
#include "require.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Allocated separately, so that AddressSanitizer reports a read behind it. */
static char *copy(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* Each byte with a special meaning gets a backslash. */
static char *quote(const char *text)
{
    char *quoted = malloc(2 * strlen(text) + 1), *end = quoted;

    if (!quoted)
        abort();
    for (; *text; text++) {
        if (strchr("*?[\\", *text))
            *end++ = '\\';
        *end++ = *text;
    }
    *end = '\0';
    return quoted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\0', size);
    size_t length = end ? (size_t)(end - data) : size;
    char *pattern = copy(data, length);
    char *text = end ? copy(end + 1, size - length - 1) : copy(data, 0);
    char *quoted = quote(text);
    (void)pattern_matches(pattern, text);
    require(pattern_matches("*", text) && pattern_matches(quoted, text));
    free(quoted);
    free(text);
    free(pattern);
    return 0;
}
