/*
 * address.c: IPv4 and IPv6 socket addresses as values. The kernel is asked only for the names and
 * numbers of network interfaces, and for the addresses of sockets.
 */
#include "base/address.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* The index of the interface with this name or number; 0 when there is none. */
static uint32_t scope_index(const char *text)
{
    char name[IF_NAMESIZE];
    /* No interface has a colon in its name, but "lo:1" would be taken for an alias of "lo". */
    uint32_t index = strchr(text, ':') ? 0 : if_nametoindex(text);
    const char *end;
    uint64_t number;

    if (index)
        return index;
    if (!parse_decimal(text, UINT32_MAX, &number, &end) || *end)
        return 0;
    return if_indextoname((unsigned)number, name) ? (uint32_t)number : 0;
}

static void set_v4(struct address *address, struct in_addr host, in_port_t port)
{
    memset(address, 0, sizeof *address);
    address->v4.sin_family = AF_INET;
    address->v4.sin_addr = host;
    address->v4.sin_port = port;
}

/* Only link-local addresses keep a scope: anywhere else it means nothing and would only make equal
 * addresses look different. */
static void set_v6(struct address *address, const struct in6_addr *host, uint32_t scope,
                   in_port_t port)
{
    struct in_addr mapped;

    if (IN6_IS_ADDR_V4MAPPED(host)) {
        memcpy(&mapped, host->s6_addr + 12, sizeof mapped);
        set_v4(address, mapped, port);
        return;
    }

    memset(address, 0, sizeof *address);
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_addr = *host;
    address->v6.sin6_port = port;
    if (IN6_IS_ADDR_LINKLOCAL(host) || IN6_IS_ADDR_MC_LINKLOCAL(host))
        address->v6.sin6_scope_id = scope;
}

static bool parse_v6(struct address *address, const char *text)
{
    char host_text[INET6_ADDRSTRLEN];
    const char *percent = strchr(text, '%');
    size_t length = percent ? (size_t)(percent - text) : strlen(text);
    struct in6_addr host;
    uint32_t scope = 0;

    if (length >= sizeof host_text)
        return false;

    memcpy(host_text, text, length);
    host_text[length] = '\0';
    if (inet_pton(AF_INET6, host_text, &host) != 1)
        return false;

    if (percent) {
        scope = scope_index(percent + 1);
        if (scope == 0 && strncmp(percent, "%25", 3) == 0) /* RFC 6874 */
            scope = scope_index(percent + 3);
        if (scope == 0 || IN6_IS_ADDR_V4MAPPED(&host))
            return false;
    }

    set_v6(address, &host, scope, 0);
    return true;
}

bool address_parse(struct address *address, const char *text)
{
    struct in_addr host;

    if (inet_pton(AF_INET, text, &host) != 1)
        return parse_v6(address, text);
    set_v4(address, host, 0);
    return true;
}

bool address_from(struct address *address, const struct sockaddr *source, socklen_t length)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    sa_family_t family;

    if (length < sizeof family)
        return false;

    memcpy(&family, &source->sa_family, sizeof family);
    if (family == AF_INET && length == sizeof v4) {
        memcpy(&v4, source, sizeof v4);
        set_v4(address, v4.sin_addr, v4.sin_port);
        return true;
    }
    if (family == AF_INET6 && length == sizeof v6) {
        memcpy(&v6, source, sizeof v6);
        set_v6(address, &v6.sin6_addr, v6.sin6_scope_id, v6.sin6_port);
        return true;
    }
    return false;
}

bool address_from_interface(struct address *address, const struct sockaddr *source)
{
    if (!source)
        return false;
    return address_from(address, source,
                        source->sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4);
}

bool address_of_socket(struct address *address, int fd)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;

    return getsockname(fd, (struct sockaddr *)&storage, &length) == 0 &&
           address_from(address, (struct sockaddr *)&storage, length);
}

socklen_t address_length(const struct address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

uint16_t address_port(const struct address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

void address_set_port(struct address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6)
        address->v6.sin6_port = htons(port);
    else
        address->v4.sin_port = htons(port);
}

bool address_equal(const struct address *a, const struct address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr) &&
           a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

bool address_is_among(const struct address *addresses, size_t count, const struct address *address)
{
    for (size_t i = 0; i < count; i++)
        if (address_equal(&addresses[i], address))
            return true;
    return false;
}

static void append_scope(char *text, uint32_t scope)
{
    char name[IF_NAMESIZE];

    /* An interface may go away while its addresses are still in use. */
    if (if_indextoname(scope, name))
        text_append(text, ADDRESS_TEXT_MAX, "%%%s", name);
    else
        text_append(text, ADDRESS_TEXT_MAX, "%%%u", (unsigned)scope);
}

bool address_is_loopback(const struct address *address)
{
    if (address->any.sa_family == AF_INET)
        return ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

bool address_is_unspecified(const struct address *address)
{
    if (address->any.sa_family == AF_INET)
        return address->v4.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

bool address_is_unicast(const struct address *address)
{
    const uint32_t v4 = ntohl(address->v4.sin_addr.s_addr);

    if (address_is_unspecified(address))
        return false;
    if (address->any.sa_family == AF_INET)
        return v4 != INADDR_BROADCAST && !IN_MULTICAST(v4);
    return !IN6_IS_ADDR_MULTICAST(&address->v6.sin6_addr);
}

bool address_lacks_interface(const struct address *address)
{
    return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr) &&
           address->v6.sin6_scope_id == 0;
}

char *address_text(char *target, const struct address *address)
{
    if (address->any.sa_family != AF_INET6) {
        inet_ntop(AF_INET, &address->v4.sin_addr, target, ADDRESS_TEXT_MAX);
        return target;
    }
    inet_ntop(AF_INET6, &address->v6.sin6_addr, target, ADDRESS_TEXT_MAX);
    if (address->v6.sin6_scope_id != 0)
        append_scope(target, address->v6.sin6_scope_id);
    return target;
}

char *address_text_port(char *target, const struct address *address)
{
    char text[ADDRESS_TEXT_MAX];
    bool is_v6 = address->any.sa_family == AF_INET6;

    snprintf(target, ADDRESS_TEXT_MAX + 8, is_v6 ? "[%s]:%u" : "%s:%u", address_text(text, address),
             (unsigned)address_port(address));
    return target;
}
