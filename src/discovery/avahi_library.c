/* avahi_library.c: loads libavahi-client and looks its functions up. */
#include "discovery/avahi_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* The ABI of the headers; it has not changed since 2006. */
static const char LIBRARY[] = "libavahi-client.so.3";

struct function {
    const char *name;
    size_t offset;
};

static const struct function functions[] = {
#define AVAHI_ENTRY(name) {"avahi_" #name, offsetof(struct avahi_library, name)},
    AVAHI_FUNCTIONS(AVAHI_ENTRY)
#undef AVAHI_ENTRY
};

const char *avahi_library_load(struct avahi_library *avahi)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return dlerror();

    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *function = dlsym(library, functions[i].name);
        if (!function)
            return dlerror();

        /* ISO C has no cast from an object pointer to a function pointer, but POSIX gives both the
         * same representation. */
        memcpy((char *)avahi + functions[i].offset, &function, sizeof function);
    }
    return NULL;
}

bool avahi_library_to_address(struct address *address, const AvahiAddress *source,
                              AvahiIfIndex interface)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool known;

    if (source->proto == AVAHI_PROTO_INET) {
        v4.sin_addr.s_addr = source->data.ipv4.address;
        known = address_from(address, (struct sockaddr *)&v4, sizeof v4);
    } else {
        memcpy(&v6.sin6_addr, source->data.ipv6.address, sizeof v6.sin6_addr);
        if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) && interface > 0)
            v6.sin6_scope_id = (uint32_t)interface;
        known = address_from(address, (struct sockaddr *)&v6, sizeof v6);
    }
    return known && address_is_unicast(address);
}
