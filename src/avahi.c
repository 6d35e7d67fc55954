/* avahi.c: finds the functions of libavahi-client, and does nothing with them. */
#include "avahi.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* The name of the ABI that the headers describe; it has been this one since 2006. */
static const char LIBRARY[] = "libavahi-client.so.3";

struct function {
    const char *name;
    size_t offset;
};

static const struct function functions[] = {
#define AVAHI_ENTRY(name) {"avahi_" #name, offsetof(struct avahi, name)},
    AVAHI_FUNCTIONS(AVAHI_ENTRY)
#undef AVAHI_ENTRY
};

const char *avahi_load(struct avahi *avahi)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return dlerror();
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *function = dlsym(library, functions[i].name);
        if (!function)
            return dlerror();
        /* ISO C has no cast from an object's pointer to a function's; POSIX says they are alike. */
        memcpy((char *)avahi + functions[i].offset, &function, sizeof function);
    }
    return NULL;
}
