/*
 * fuzz-etc_hosts.c: a name (up to the first line break) is looked up in any text: what is found is
 * the address of one host, each once, and no more than there is room for.
 */
#include "discovery/etc_hosts.h"

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
    /* Copies of exactly these sizes: what is read behind them is found. */
    char *name = calloc(name_length + 1, 1), *text = malloc(length ? length : 1);
    if (name && text) {
        memcpy(name, data, name_length);
        if (length)
            memcpy(text, end + 1, length);
        size_t count = etc_hosts_search(addresses, CAPACITY, name, text, length);
        if (count > CAPACITY)
            abort();
        for (size_t i = 0; i < count; i++) {
            if (!address_is_unicast(&addresses[i]) || address_port(&addresses[i]) != 0)
                abort();
            for (size_t j = 0; j < i; j++)
                if (address_equal(&addresses[i], &addresses[j]))
                    abort();
        }
    }
    free(name);
    free(text);
    return 0;
}
