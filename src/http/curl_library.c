/* curl_library.c: loads libcurl, and initializes it. */
#include "http/curl_library.h"

#include "base/library.h"

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

const char *curl_library_load(struct curl_library *curl)
{
    const char *reason = library_load(curl, curl_functions,
                                      sizeof curl_functions / sizeof *curl_functions, curl_sonames);
    if (reason)
        return reason;

    if (curl->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return "libcurl cannot be initialized";
    if (curl->version_info(CURLVERSION_NOW)->version_num < OLDEST_VERSION)
        return "libcurl is older than 7.62";
    return NULL;
}
