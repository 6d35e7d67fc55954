/* plain_query.c: the packet, and its way onto each interface. */
#include "discovery/plain_query.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MDNS_PORT = 5353, MDNS_TTL = 255, HEADER_SIZE = 12, QUERY_MAX = 64 };

static const char MDNS_GROUP[] = "224.0.0.251";

struct plain_query {
    unsigned char bytes[QUERY_MAX];
    size_t length;
};

static void append_bytes(struct plain_query *query, const void *bytes, size_t length)
{
    memcpy(query->bytes + query->length, bytes, length);
    query->length += length;
}

/* A header and one question (RFC 1035, section 4). */
static void compose_query(struct plain_query *query, enum service service)
{
    static const unsigned char header[HEADER_SIZE] = {[5] = 1};
    static const char tail[] = "\5local\0" /* the end of the name */
                               "\0\14"     /* PTR */
                               "\0\1";     /* IN */
    const char *label = service_type(service);

    query->length = 0;
    append_bytes(query, header, sizeof header);
    while (*label) {
        const unsigned char length = (unsigned char)strcspn(label, ".");

        append_bytes(query, &length, 1);
        append_bytes(query, label, length);
        label += length + (label[length] == '.');
    }
    append_bytes(query, tail, sizeof tail - 1);
}

/* Sent from the port of multicast DNS, or other responders would answer to this socket only. */
static void send_from(const struct in_addr *interface, const struct plain_query *query)
{
    const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(MDNS_PORT)};
    struct sockaddr_in group = here;
    const int yes = 1, ttl = MDNS_TTL;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return;

    inet_pton(AF_INET, MDNS_GROUP, &group.sin_addr);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl) == 0 &&
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, interface, sizeof *interface) == 0 &&
        bind(fd, (const struct sockaddr *)&here, sizeof here) == 0)
        (void)!sendto(fd, query->bytes, query->length, 0, (const struct sockaddr *)&group,
                      sizeof group);
    close(fd);
}

void plain_query_send(enum service service)
{
    const unsigned wanted = IFF_UP | IFF_MULTICAST;
    struct ifaddrs *interfaces = NULL;
    struct plain_query query;

    compose_query(&query, service);
    if (getifaddrs(&interfaces) < 0)
        return;

    for (const struct ifaddrs *each = interfaces; each; each = each->ifa_next) {
        struct sockaddr_in address;

        if (!each->ifa_addr || each->ifa_addr->sa_family != AF_INET ||
            (each->ifa_flags & (wanted | IFF_LOOPBACK)) != wanted)
            continue;
        memcpy(&address, each->ifa_addr, sizeof address);
        send_from(&address.sin_addr, &query);
    }
    freeifaddrs(interfaces);
}
