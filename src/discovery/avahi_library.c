/* avahi_library.c: loads libavahi-client. */
#include "discovery/avahi_library.h"

#include "base/library.h"

#include <string.h>

/* The ABI of the headers; it has not changed since 2006. */
LIBRARY_SONAMES(avahi_sonames, "mdns", "Finds boards by name and lists them",
                "libavahi-client.so.3");

static const struct library_function avahi_functions[] = {
#define AVAHI_ENTRY(name) LIBRARY_FUNCTION(struct avahi_library, name, avahi_##name),
    AVAHI_FUNCTIONS(AVAHI_ENTRY)
#undef AVAHI_ENTRY
};

const char *avahi_library_load(struct avahi_library *avahi)
{
    return library_load(avahi, avahi_functions, sizeof avahi_functions / sizeof *avahi_functions,
                        avahi_sonames);
}

bool avahi_library_to_address(struct address *address, const AvahiAddress *source,
                              AvahiIfIndex interface)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool known = false;

    if (source->proto == AVAHI_PROTO_INET) {
        v4.sin_addr.s_addr = source->data.ipv4.address;
        known = address_from(address, (struct sockaddr *)&v4, sizeof v4);
    } else if (source->proto == AVAHI_PROTO_INET6) {
        memcpy(&v6.sin6_addr, source->data.ipv6.address, sizeof v6.sin6_addr);
        if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) && interface > 0)
            v6.sin6_scope_id = (uint32_t)interface;
        known = address_from(address, (struct sockaddr *)&v6, sizeof v6);
    }
    return known && address_is_unicast(address);
}
