/*
 * fuzz-etc_hosts.c: looks up a name (up to the first line break) in any text. Each result is the
 * address of one host; no address comes twice, and there are no more than fit.
 */
#include "discovery/etc_hosts.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address addresses[CAPACITY];
    const uint8_t *end = memchr(data, '\n', size);
    size_t name_length = end ? (size_t)(end - data) : size;
    size_t length = end ? size - name_length - 1 : 0;
    /* The copies have exactly these sizes, so that AddressSanitizer reports a read behind them. */
    char *name = calloc(name_length + 1, 1), *text = malloc(length ? length : 1);

    if (name && text) {
        memcpy(name, data, name_length);
        if (length)
            memcpy(text, end + 1, length);

        size_t count = etc_hosts_search(addresses, CAPACITY, name, text, length);
        require(count <= CAPACITY);
        for (size_t i = 0; i < count; i++) {
            require(address_is_unicast(&addresses[i]) && address_port(&addresses[i]) == 0);
            for (size_t j = 0; j < i; j++)
                require(!address_equal(&addresses[i], &addresses[j]));
        }
    }
    free(name);
    free(text);
    return 0;
}
