/*
 * source.c: parses -I, and binds sockets to its address or interface.
 */
#include "net/source.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/text.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LIST_MAX = 256, SHOWN_MAX = 160 };

const struct source source_any;

bool source_is_any(const struct source *source)
{
    return !source->has_address && !*source->interface;
}

/* Whether the list, up to end (NULL: all of it), has an address of the interface with this name. */
static bool has_interface(const struct ifaddrs *interfaces, const struct ifaddrs *end,
                          const char *name)
{
    struct address address;

    for (const struct ifaddrs *each = interfaces; each != end; each = each->ifa_next)
        if (strcmp(each->ifa_name, name) == 0 && address_from_interface(&address, each->ifa_addr))
            return true;
    return false;
}

/* Writes "eth0, lo": the interfaces that have an address, each once. */
static void list_interfaces(char list[LIST_MAX], const struct ifaddrs *interfaces)
{
    *list = '\0';
    for (const struct ifaddrs *each = interfaces; each; each = each->ifa_next) {
        char name[4 * IF_NAMESIZE];
        struct address address;

        if (!address_from_interface(&address, each->ifa_addr) ||
            has_interface(interfaces, each, each->ifa_name))
            continue;

        text_append(list, LIST_MAX, "%s%s", *list ? ", " : "",
                    escape_string(name, sizeof name, each->ifa_name));
    }
}

/* Whether sockets can be bound to the address, and it is of one host; true if the kernel cannot
 * tell. Sockets can be bound to broadcast and multicast addresses as well. */
static bool is_own(const struct address *address)
{
    const int fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool is_foreign =
        fd >= 0 && bind(fd, &address->any, address_length(address)) < 0 && errno == EADDRNOTAVAIL;

    if (fd >= 0)
        close(fd);
    return !is_foreign && !source_is_broadcast(address) &&
           (address_is_unicast(address) || address_is_unspecified(address));
}

enum ota_error source_parse(struct source *source, const char *text, struct ota_failure *failure)
{
    char shown[SHOWN_MAX], list[LIST_MAX];
    struct ifaddrs *interfaces = NULL;
    enum ota_error error = OTA_OK;

    *source = (struct source){.has_address = false};
    source->has_address = address_parse(&source->address, text);
    if (source->has_address && is_own(&source->address))
        return OTA_OK;

    if (getifaddrs(&interfaces) < 0)
        return ota_fail_call(failure, "cannot list this computer's interfaces");

    list_interfaces(list, interfaces);
    if (!source->has_address && strlen(text) < sizeof source->interface &&
        has_interface(interfaces, NULL, text))
        snprintf(source->interface, sizeof source->interface, "%s", text);
    else
        error = ota_fail(failure, OTA_E_USAGE,
                         "'%s' is neither an IP address of this computer nor one of its "
                         "interfaces that have one (%s); \"ip address\" lists them",
                         escape_board(shown, sizeof shown, text), list);
    freeifaddrs(interfaces);
    return error;
}

static bool is_link_local(const struct address *address)
{
    return address->any.sa_family == AF_INET6 && address->v6.sin6_scope_id;
}

/* Finds the interface's address in the family and scope of peer. */
static bool find_own_address(struct address *own, const char *name, const struct address *peer)
{
    struct ifaddrs *interfaces = NULL;
    bool is_found = false;

    if (getifaddrs(&interfaces) < 0)
        return false;

    for (const struct ifaddrs *each = interfaces; each && !is_found; each = each->ifa_next)
        is_found =
            strcmp(each->ifa_name, name) == 0 && address_from_interface(own, each->ifa_addr) &&
            own->any.sa_family == peer->any.sa_family && is_link_local(own) == is_link_local(peer);
    freeifaddrs(interfaces);
    return is_found;
}

static int open_probe(const struct address *peer)
{
    return socket(peer->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* Finds the address that a socket of open_probe() gets with a connection to peer. Connecting a
 * datagram socket sends nothing. Closes fd (-1 with errno: there is none). Returns 0 or errno. */
static int connect_probe(struct address *own, int fd, const struct address *peer)
{
    int reason = errno;

    if (fd < 0)
        return reason;

    reason = connect(fd, &peer->any, address_length(peer)) == 0 && address_of_socket(own, fd)
                 ? 0
                 : errno;
    close(fd);
    if (reason == 0)
        address_set_port(own, 0);
    return reason;
}

/* Whether interface is the loopback interface, and peer is not this computer. The kernel would
 * swallow what is sent there, without an error. */
static bool is_swallowed(int fd, const char *interface, const struct address *peer)
{
    struct ifreq request = {.ifr_flags = 0};
    struct address own;

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_LOOPBACK) &&
           !address_is_loopback(peer) &&
           !(connect_probe(&own, open_probe(peer), peer) == 0 && address_equal(&own, peer));
}

int source_bind(int fd, const struct source *source, const struct address *peer)
{
    struct address own;

    if (source_is_any(source))
        return 0;
    if (source->has_address && peer && peer->any.sa_family != source->address.any.sa_family) {
        errno = EAFNOSUPPORT; /* IPv6 sockets have EINVAL for it, which is a route's as well */
        return -1;
    }
    if (source->has_address)
        return bind(fd, &source->address.any, address_length(&source->address));

    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, source->interface,
                   (socklen_t)strlen(source->interface)) == 0) {
        if (!peer || !is_swallowed(fd, source->interface, peer))
            return 0;
        errno = EINVAL; /* as sending from the loopback address has it */
        return -1;
    }
    if (errno != EPERM)
        return -1;
    if (!peer)
        return 0;

    errno = EADDRNOTAVAIL;
    return find_own_address(&own, source->interface, peer)
               ? bind(fd, &own.any, address_length(&own))
               : -1;
}

int source_toward(struct address *own, const struct source *source, const struct address *peer)
{
    const int fd = open_probe(peer);
    int reason;

    if (fd < 0 || source_bind(fd, source, peer) == 0)
        return connect_probe(own, fd, peer);
    reason = errno;
    close(fd);
    return reason;
}

bool source_is_broadcast(const struct address *address)
{
    static const int on = 1;
    struct address own;

    if (address->any.sa_family != AF_INET ||
        connect_probe(&own, open_probe(address), address) != EACCES)
        return false;

    const int fd = open_probe(address);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    return connect_probe(&own, fd, address) == 0;
}

char *source_text(char target[SOURCE_TEXT_MAX], const struct source *source)
{
    if (source_is_any(source))
        snprintf(target, SOURCE_TEXT_MAX, "any address");
    else if (source->has_address)
        address_text(target, &source->address);
    else
        escape_string(target, SOURCE_TEXT_MAX, source->interface);
    return target;
}
