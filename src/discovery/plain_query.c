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

enum { MDNS_PORT = 5353, MDNS_TTL = 255 };

static const char MDNS_GROUP[] = "224.0.0.251";

/* A header with one question, the name, type PTR, class IN (RFC 1035, section 4). */
static const unsigned char plain_query[PLAIN_QUERY_SIZE + 1] = "\0\0\0\0\0\1\0\0\0\0\0\0"
                                                               "\10_arduino\4_tcp\5local\0"
                                                               "\0\14\0\1";

/* Sent from the port of multicast DNS, or other responders would answer to this socket only. */
static void send_from(const struct in_addr *interface)
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
        (void)!sendto(fd, plain_query, PLAIN_QUERY_SIZE, 0, (const struct sockaddr *)&group,
                      sizeof group);
    close(fd);
}

void plain_query_send(void)
{
    const unsigned wanted = IFF_UP | IFF_MULTICAST;
    struct ifaddrs *interfaces = NULL;

    if (getifaddrs(&interfaces) < 0)
        return;

    for (const struct ifaddrs *each = interfaces; each; each = each->ifa_next) {
        struct sockaddr_in address;

        if (!each->ifa_addr || each->ifa_addr->sa_family != AF_INET ||
            (each->ifa_flags & (wanted | IFF_LOOPBACK)) != wanted)
            continue;
        memcpy(&address, each->ifa_addr, sizeof address);
        send_from(&address.sin_addr);
    }
    freeifaddrs(interfaces);
}
