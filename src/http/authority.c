/* authority.c: see authority.h. A scope has a meaning only on this computer, so it is left out. */
#include "http/authority.h"

#include <stdio.h>
#include <string.h>

const char *http_authority(char text[HTTP_AUTHORITY_MAX], const struct address *address,
                           const char *name, uint16_t default_port)
{
    const unsigned port = address_port(address);
    char numeric[ADDRESS_TEXT_MAX], host[HTTP_AUTHORITY_MAX - 8];

    address_text(numeric, address);
    numeric[strcspn(numeric, "%")] = '\0';
    snprintf(host, sizeof host, !name && address->any.sa_family == AF_INET6 ? "[%s]" : "%s",
             name ? name : numeric);
    if (port == default_port)
        snprintf(text, HTTP_AUTHORITY_MAX, "%s", host);
    else
        snprintf(text, HTTP_AUTHORITY_MAX, "%s:%u", host, port);
    return text;
}
