/*
 * avahi_library.h: libavahi-client, loaded when it is first needed. Only names on multicast DNS
 * need it; without it, everything else works. If it were linked, the library and its dependencies
 * (D-Bus, libsystemd, libgcrypt, three compressors) would take half of the program's start-up.
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

/* Loads the library for good and fills in avahi. Returns NULL, or the reason for the failure, which
 * is valid until the next dlopen(). */
const char *avahi_library_load(struct avahi_library *avahi);

/* Converts an address that Avahi found on interface, the scope of a link-local address. Returns
 * false for an address that cannot belong to a host. */
bool avahi_library_to_address(struct address *address, const AvahiAddress *source,
                              AvahiIfIndex interface);

#endif
