/*
 * routing.c: one RTM_GETROUTE request for the interface, and one RTM_GETNEIGH request for the
 * neighbor, or RTM_GETLINK request for the link. Kernels before Linux 5.0 do not answer
 * RTM_GETNEIGH, so the neighbor stays unknown.
 */
#include "net/routing.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MAX = 8192, QUESTION_MAX = 128, TICKS_A_SECOND = 100 };

union question {
    struct nlmsghdr header;
    char bytes[QUESTION_MAX];
};

/* -- answers -- */

/* The payload of the first message; NULL unless it has this type and at least size bytes. */
static const void *find_payload(const void *answer, size_t length, uint16_t type, size_t size,
                                size_t *payload)
{
    const struct nlmsghdr *header = answer;

    if (length < sizeof *header || header->nlmsg_len < sizeof *header ||
        header->nlmsg_len > length || header->nlmsg_type != type)
        return NULL;
    *payload = header->nlmsg_len - sizeof *header;
    return *payload >= size ? NLMSG_DATA(header) : NULL;
}

/* The value of an attribute after the fixed part of a payload; NULL if it is missing or shorter
 * than size. */
static const void *find_attribute(const void *payload, size_t length, size_t fixed, uint16_t type,
                                  size_t size)
{
    for (size_t at = NLMSG_ALIGN(fixed); at + sizeof(struct rtattr) <= length;) {
        const struct rtattr *attribute = (const void *)((const char *)payload + at);

        if (attribute->rta_len < sizeof *attribute || attribute->rta_len > length - at)
            return NULL;
        if (attribute->rta_type == type)
            return attribute->rta_len - sizeof *attribute >= size ? RTA_DATA(attribute) : NULL;
        at += RTA_ALIGN(attribute->rta_len);
    }
    return NULL;
}

bool routing_read_route(struct routing_route *route, const void *answer, size_t length)
{
    size_t payload;
    const struct rtmsg *message =
        find_payload(answer, length, RTM_NEWROUTE, sizeof *message, &payload);
    const uint32_t *interface;

    if (!message || message->rtm_type != RTN_UNICAST)
        return false;

    interface = find_attribute(message, payload, sizeof *message, RTA_OIF, sizeof *interface);
    if (!interface)
        return false;

    *route = (struct routing_route){
        .interface = *interface,
        .is_direct = !find_attribute(message, payload, sizeof *message, RTA_GATEWAY, 0) &&
                     !find_attribute(message, payload, sizeof *message, RTA_VIA, 0)};
    return true;
}

bool routing_read_neighbor(struct routing *routing, const void *answer, size_t length)
{
    static const uint16_t known = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;
    size_t payload;
    const struct ndmsg *message =
        find_payload(answer, length, RTM_NEWNEIGH, sizeof *message, &payload);
    const struct nda_cacheinfo *times;

    if (!message)
        return false;

    times = find_attribute(message, payload, sizeof *message, NDA_CACHEINFO, sizeof *times);
    routing->neighbor = NEIGHBOR_UNKNOWN;
    if (message->ndm_state & (NUD_INCOMPLETE | NUD_FAILED)) {
        routing->neighbor = NEIGHBOR_NOBODY;
    } else if (message->ndm_state & known && times &&
               times->ndm_confirmed / TICKS_A_SECOND <= ROUTING_WAS_THERE_MAX_S) {
        routing->seen_s = times->ndm_confirmed / TICKS_A_SECOND;
        routing->neighbor =
            routing->seen_s <= ROUTING_THERE_MAX_S ? NEIGHBOR_THERE : NEIGHBOR_WAS_THERE;
    }
    return true;
}

/* IFF_RUNNING follows the carrier up to a second late. */
bool routing_read_link(struct routing_link *link, const void *answer, size_t length)
{
    size_t payload;
    const struct ifinfomsg *message =
        find_payload(answer, length, RTM_NEWLINK, sizeof *message, &payload);
    const uint8_t *carrier;
    const uint32_t *changes;

    if (!message || message->ifi_index <= 0)
        return false;

    carrier = find_attribute(message, payload, sizeof *message, IFLA_CARRIER, sizeof *carrier);
    changes =
        find_attribute(message, payload, sizeof *message, IFLA_CARRIER_CHANGES, sizeof *changes);
    *link = (struct routing_link){.interface = (unsigned)message->ifi_index,
                                  .is_down =
                                      !(message->ifi_flags & IFF_RUNNING) || (carrier && !*carrier),
                                  .changes = changes ? *changes : 0};
    return true;
}

bool routing_link_has_failed(const struct routing_link *before, const struct routing_link *now)
{
    if (now->is_down || !before->interface)
        return now->is_down;
    return now->interface != before->interface || now->changes != before->changes;
}

/* -- questions -- */

static void add_attribute(union question *question, uint16_t type, const void *value, size_t size)
{
    struct rtattr *attribute = (void *)(question->bytes + NLMSG_ALIGN(question->header.nlmsg_len));

    attribute->rta_type = type;
    attribute->rta_len = (uint16_t)RTA_LENGTH(size);
    memcpy(RTA_DATA(attribute), value, size);
    question->header.nlmsg_len =
        NLMSG_ALIGN(question->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

static void add_address(union question *question, uint16_t type, const struct address *address)
{
    if (address->any.sa_family == AF_INET6)
        add_attribute(question, type, &address->v6.sin6_addr, sizeof address->v6.sin6_addr);
    else
        add_attribute(question, type, &address->v4.sin_addr, sizeof address->v4.sin_addr);
}

/* Returns the length of the answer; 0: there is none. The kernel answers within send(), so that to
 * wait for it could only stop the loop. A connected socket receives from the kernel only. */
static size_t ask_kernel(const union question *question, void *answer)
{
    static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    ssize_t got = 0;

    if (fd < 0)
        return 0;

    if (connect(fd, (const struct sockaddr *)&kernel, sizeof kernel) == 0 &&
        send(fd, question, question->header.nlmsg_len, 0) >= 0)
        got = recv(fd, answer, ANSWER_MAX, 0);
    close(fd);
    return got > 0 ? (size_t)got : 0;
}

static bool find_route(struct routing_route *route, const struct address *address,
                       const struct source *source)
{
    union question question = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
                                          .nlmsg_type = RTM_GETROUTE,
                                          .nlmsg_flags = NLM_F_REQUEST}};
    struct rtmsg *message = NLMSG_DATA(&question.header);
    bool is_v6 = address->any.sa_family == AF_INET6;
    const uint8_t bits = is_v6 ? 128 : 32;
    uint32_t interface = is_v6 ? address->v6.sin6_scope_id : 0;
    _Alignas(struct nlmsghdr) char answer[ANSWER_MAX];

    message->rtm_family = (unsigned char)address->any.sa_family;
    message->rtm_dst_len = bits;
    add_address(&question, RTA_DST, address);

    if (source->has_address && source->address.any.sa_family == address->any.sa_family) {
        message->rtm_src_len = bits;
        add_address(&question, RTA_SRC, &source->address);
    }
    if (*source->interface) {
        interface = if_nametoindex(source->interface);
        if (!interface)
            return false; /* it is gone: the other routes are not asked about */
    }
    if (interface)
        add_attribute(&question, RTA_OIF, &interface, sizeof interface);
    return routing_read_route(route, answer, ask_kernel(&question, answer));
}

static void find_neighbor(struct routing *routing, const struct address *address,
                          unsigned interface)
{
    union question question = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ndmsg)),
                                          .nlmsg_type = RTM_GETNEIGH,
                                          .nlmsg_flags = NLM_F_REQUEST}};
    struct ndmsg *message = NLMSG_DATA(&question.header);
    _Alignas(struct nlmsghdr) char answer[ANSWER_MAX];

    message->ndm_family = (unsigned char)address->any.sa_family;
    message->ndm_ifindex = (int)interface;
    add_address(&question, NDA_DST, address);
    routing_read_neighbor(routing, answer, ask_kernel(&question, answer));
}

const char *routing_describe(char text[ROUTING_TEXT_MAX], const struct address *address,
                             const struct routing *routing)
{
    const char *protocol = address->any.sa_family == AF_INET6 ? "neighbor discovery" : "ARP";
    char where[ADDRESS_TEXT_MAX];

    address_text(where, address);
    *text = '\0';
    if (routing->neighbor == NEIGHBOR_NOBODY)
        snprintf(text, ROUTING_TEXT_MAX, "nobody on %s answers %s for %s", routing->interface,
                 protocol, where);
    else if (routing->neighbor == NEIGHBOR_THERE)
        snprintf(text, ROUTING_TEXT_MAX, "%s is there, as it answered %s on %s %u s ago", where,
                 protocol, routing->interface, routing->seen_s);
    else if (routing->neighbor == NEIGHBOR_WAS_THERE)
        snprintf(text, ROUTING_TEXT_MAX, "%s was there %u s ago, when it answered %s on %s", where,
                 routing->seen_s, protocol, routing->interface);
    return text;
}

void routing_find(struct routing *routing, const struct address *address,
                  const struct source *source)
{
    struct routing_route route;

    *routing = (struct routing){.neighbor = NEIGHBOR_UNKNOWN};
    if (!find_route(&route, address, source))
        return;

    if (!if_indextoname(route.interface, routing->interface))
        *routing->interface = '\0';
    else if (route.is_direct)
        find_neighbor(routing, address, route.interface);
}

void routing_find_link(struct routing_link *link, const struct address *address,
                       const struct source *source)
{
    union question question = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
                                          .nlmsg_type = RTM_GETLINK,
                                          .nlmsg_flags = NLM_F_REQUEST}};
    struct ifinfomsg *message = NLMSG_DATA(&question.header);
    _Alignas(struct nlmsghdr) char answer[ANSWER_MAX];
    struct routing_route route;

    *link = (struct routing_link){.interface = 0};
    if (!find_route(&route, address, source))
        return;

    message->ifi_index = (int)route.interface;
    routing_read_link(link, answer, ask_kernel(&question, answer));
}
