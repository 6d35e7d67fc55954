/* curl_library.c: loads libcurl and looks its functions up. */
#include "http/curl_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* The ABI of the headers; it has not changed since 2006. Both flavors have the same functions. */
static const char *const libraries[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

/* Options and functions that are used came with 7.62 (upload buffers). */
enum { OLDEST_VERSION = 0x073e00 };

struct function {
    const char *name;
    size_t offset;
};

static const struct function functions[] = {
#define CURL_ENTRY(name) {"curl_" #name, offsetof(struct curl_library, name)},
    CURL_FUNCTIONS(CURL_ENTRY)
#undef CURL_ENTRY
};

static void *open_library(void)
{
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        void *library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
    }
    return NULL;
}

const char *curl_library_load(struct curl_library *curl)
{
    void *library = open_library();
    if (!library)
        return dlerror();

    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *function = dlsym(library, functions[i].name);
        if (!function)
            return dlerror();

        /* ISO C has no cast from an object pointer to a function pointer, but POSIX gives both the
         * same representation. */
        memcpy((char *)curl + functions[i].offset, &function, sizeof function);
    }
    if (curl->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return "libcurl cannot be initialized";
    if (curl->version_info(CURLVERSION_NOW)->version_num < OLDEST_VERSION)
        return "libcurl is older than 7.62";
    return NULL;
}
