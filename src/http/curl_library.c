/* curl_library.c: loads libcurl, and initializes it. */
#include "http/curl_library.h"

#include "base/error.h"
#include "base/library.h"
#include "base/text.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* The ABI of the headers; it has not changed since 2006. Not libcurl-gnutls.so.4: see
 * curl_library.h. */
LIBRARY_SONAMES(curl_sonames, "update-pages", "Uploads through update pages of boards",
                "libcurl.so.4");

/* Options and functions that are used came with 7.62 (upload buffers). */
#define OLDEST_MAJOR 7
#define OLDEST_MINOR 62

static const struct library_function curl_functions[] = {
#define CURL_ENTRY(name) LIBRARY_FUNCTION(struct curl_library, name, curl_##name),
    CURL_FUNCTIONS(CURL_ENTRY)
#undef CURL_ENTRY
};

/* OpenSSL is there once libcurl is, which needs it. */
static const struct library_function tls_functions[] = {
#define TLS_ENTRY(function)                                                                        \
    {.name = "SSL_" #function, .offset = offsetof(struct tls_library, function)},
    TLS_FUNCTIONS(TLS_ENTRY)
#undef TLS_ENTRY
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

static bool is_openssl(const char *name)
{
    static const char openssl[] = "OpenSSL/";

    return strncmp(name, openssl, strlen(openssl)) == 0;
}

/* An OpenSSL that is a part of libcurl has no functions for us. */
static void find_tls(struct curl_library *curl, const char *name)
{
    const size_t count = sizeof tls_functions / sizeof *tls_functions;

    if (!name || !is_openssl(name) ||
        library_load(&curl->tls, tls_functions, count, curl_sonames) != NULL)
        curl->tls = (struct tls_library){0};
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

    const curl_version_info_data *info = curl->version_info(CURLVERSION_NOW);
    if (info->version_num < CURL_VERSION_BITS(OLDEST_MAJOR, OLDEST_MINOR, 0))
        return "libcurl is older than " NUMBER_TEXT(OLDEST_MAJOR) "." NUMBER_TEXT(OLDEST_MINOR);
    find_tls(curl, info->ssl_version);
    return NULL;
}

bool curl_library_refuses_tls(const struct curl_library *curl, struct ota_failure *failure)
{
    const char *name = curl->version_info(CURLVERSION_NOW)->ssl_version;

    if (curl->tls.CTX_ctrl)
        return false;
    ota_fail(failure, OTA_E_INTERNAL,
             "https needs a libcurl that uses the OpenSSL of this computer, and the one that is "
             "installed has %s",
             !name              ? "no TLS"
             : is_openssl(name) ? "an OpenSSL of its own"
                                : name);
    failure->cause = OTA_CAUSE_OTHER_TLS;
    return true;
}
