/*
 * fuzz-fetcher.c: any headers leave a fetcher that satisfies the contract of fetcher.h. The input
 * is names and values in turn, each up to a newline.
 */
#include "require.h"
#include "serve/fetcher.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of its own size, so that AddressSanitizer reports a read behind it. NULL at the end. */
static char *take_text(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size ? memchr(*data, '\n', *size) : NULL;
    size_t length = end ? (size_t)(end - *data) : *size;
    char *text = *size ? malloc(length + 1) : NULL;

    if (!text)
        return NULL;
    memcpy(text, *data, length);
    text[length] = '\0';
    *size -= end ? length + 1 : length;
    *data += end ? length + 1 : length;
    return text;
}

static void check(const struct fetcher *fetcher)
{
    struct mac mac;
    char text[MAC_TEXT_MAX];

    if (fetcher->has_mac)
        require(mac_parse(&mac, mac_text(text, &fetcher->mac)) && mac_equal(&mac, &fetcher->mac));
    if (fetcher->has_md5)
        require(strlen(fetcher->md5) == DIGEST_MD5_HEX &&
                strspn(fetcher->md5, "0123456789abcdef") == DIGEST_MD5_HEX);
    if (fetcher->has_version)
        require(*fetcher->version && strlen(fetcher->version) < FETCHER_VERSION_MAX);
    if (fetcher->has_free_space)
        require(fetcher->free_space <= UINT32_MAX);
    if (fetcher->has_mac || fetcher->has_md5 || fetcher->mode != FETCHER_UNSAID)
        require(fetcher->family != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fetcher fetcher = {0};
    char *name, *value;

    while ((name = take_text(&data, &size))) {
        value = take_text(&data, &size);
        fetcher_read_header(&fetcher, name, value ? value : "");
        free(name);
        free(value);
    }
    check(&fetcher);
    return 0;
}
