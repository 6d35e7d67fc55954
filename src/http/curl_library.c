/* curl_library.c: loads libcurl, and initializes it. */
#include "http/curl_library.h"

#include "base/library.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* The ABI of the headers; it has not changed since 2006. Both flavors have the same functions. */
LIBRARY_SONAMES(curl_sonames, "update-pages", "Uploads through update pages of boards",
                "libcurl.so.4", "libcurl-gnutls.so.4");

/* Options and functions that are used came with 7.62 (upload buffers). */
enum { OLDEST_VERSION = 0x073e00 };

static const struct library_function curl_functions[] = {
#define CURL_ENTRY(name) LIBRARY_FUNCTION(struct curl_library, name, curl_##name),
    CURL_FUNCTIONS(CURL_ENTRY)
#undef CURL_ENTRY
};

/* -- memory -- */

/* libcurl copies headers, with a password in them, into its own memory; all of that is overwritten
 * when it is freed. */
static void free_cleansed(void *memory)
{
    if (memory)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

static void *realloc_cleansed(void *memory, size_t size)
{
    const size_t had = memory ? malloc_usable_size(memory) : 0;
    void *grown = malloc(size);

    if (!grown)
        return NULL;
    if (memory)
        memcpy(grown, memory, had < size ? had : size);
    free_cleansed(memory);
    return grown;
}

const char *curl_library_load(struct curl_library *curl)
{
    const char *reason = library_load(curl, curl_functions,
                                      sizeof curl_functions / sizeof *curl_functions, curl_sonames);
    if (reason)
        return reason;

    if (curl->global_init_mem(CURL_GLOBAL_DEFAULT, malloc, free_cleansed, realloc_cleansed, strdup,
                              calloc) != CURLE_OK)
        return "libcurl cannot be initialized";
    if (curl->version_info(CURLVERSION_NOW)->version_num < OLDEST_VERSION)
        return "libcurl is older than 7.62";
    return NULL;
}
