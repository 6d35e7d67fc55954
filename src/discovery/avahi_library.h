/*
 * avahi_library.h: libavahi-client, loaded when it is first needed. Together with what it brings along
 * (D-Bus, libsystemd, libgcrypt, three compressors) it would take half of the program's start-up if
 * it were linked, and only names on multicast DNS need it. Where it is not installed, everything
 * else works.
 */
#ifndef ESP_OTA_DISCOVERY_AVAHI_LIBRARY_H
#define ESP_OTA_DISCOVERY_AVAHI_LIBRARY_H

#include "base/address.h"

#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-common/error.h>

/* The functions in use: avahi_client_errno() as avahi.client_errno(), and so on. */
#define AVAHI_FUNCTIONS(X)                                                                         \
    X(client_errno)                                                                                \
    X(client_free)                                                                                 \
    X(client_get_state)                                                                            \
    X(client_new)                                                                                  \
    X(record_browser_free)                                                                         \
    X(record_browser_new)                                                                          \
    X(service_browser_free)                                                                        \
    X(service_browser_new)                                                                         \
    X(service_resolver_free)                                                                       \
    X(service_resolver_new)                                                                        \
    X(strerror)

struct avahi_library {
#define AVAHI_MEMBER(name) __typeof__(avahi_##name) *(name);
    AVAHI_FUNCTIONS(AVAHI_MEMBER)
#undef AVAHI_MEMBER
};

/* Fills avahi in. NULL, or the reason why that is not possible: valid until the next dlopen(). The
 * library stays loaded. */
const char *avahi_library_load(struct avahi_library *avahi);

/* Takes an address as Avahi found it on interface, without which a link-local one means nothing.
 * Returns false for one that can be no host's. */
bool avahi_library_to_address(struct address *address, const AvahiAddress *source,
                              AvahiIfIndex interface);

#endif
