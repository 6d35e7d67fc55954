/* httpd_library.c: loads libmicrohttpd and looks its functions up. */
#include "serve/httpd_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* The ABI of the headers. */
static const char HTTPD_LIBRARY[] = "libmicrohttpd.so.12";

static const struct {
    const char *name;
    size_t offset;
} httpd_functions[] = {
#define HTTPD_ENTRY(name) {"MHD_" #name, offsetof(struct httpd_library, name)},
    HTTPD_FUNCTIONS(HTTPD_ENTRY)
#undef HTTPD_ENTRY
};

const char *httpd_library_load(struct httpd_library *http)
{
    void *library = dlopen(HTTPD_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return dlerror();

    for (size_t i = 0; i < sizeof httpd_functions / sizeof *httpd_functions; i++) {
        void *function = dlsym(library, httpd_functions[i].name);
        if (!function)
            return dlerror();

        /* As in avahi_library.c: ISO C has no cast from an object to a function pointer. */
        memcpy((char *)http + httpd_functions[i].offset, &function, sizeof function);
    }
    return NULL;
}
