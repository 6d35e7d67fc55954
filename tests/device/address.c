/* Parsing, printing, counting and binding of addresses. */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool address_parse(struct address *address, const char *text)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;

    if (getaddrinfo(text, NULL, &hints, &found) != 0)
        return false;

    bool fits = found->ai_addrlen <= sizeof address->storage;
    if (fits) {
        memset(address, 0, sizeof *address);
        memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
        address->length = found->ai_addrlen;
    }
    freeaddrinfo(found);
    return fits;
}

static bool is_ipv6(const struct address *address)
{
    return address->storage.ss_family == AF_INET6;
}

void address_advance(struct address *address, unsigned n)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address->storage;
    struct sockaddr_in *four = (struct sockaddr_in *)&address->storage;
    uint8_t *octets = is_ipv6(address) ? six->sin6_addr.s6_addr : (uint8_t *)&four->sin_addr.s_addr;
    for (size_t i = is_ipv6(address) ? 16 : 4; i-- > 0 && n > 0; n >>= 8) {
        n += octets[i];
        octets[i] = (uint8_t)n;
    }
}

uint16_t address_port(const struct address *address)
{
    if (is_ipv6(address))
        return ntohs(((const struct sockaddr_in6 *)&address->storage)->sin6_port);
    return ntohs(((const struct sockaddr_in *)&address->storage)->sin_port);
}

void address_set_port(struct address *address, uint16_t port)
{
    if (is_ipv6(address))
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
}

bool address_is_any(const struct address *address)
{
    if (is_ipv6(address))
        return IN6_IS_ADDR_UNSPECIFIED(
            &((const struct sockaddr_in6 *)&address->storage)->sin6_addr);
    return ((const struct sockaddr_in *)&address->storage)->sin_addr.s_addr == htonl(INADDR_ANY);
}

const char *address_host(const struct address *address, char text[ADDRESS_TEXT])
{
    if (address->length == 0 ||
        getnameinfo((const struct sockaddr *)&address->storage, address->length, text, ADDRESS_TEXT,
                    NULL, 0, NI_NUMERICHOST) != 0)
        snprintf(text, ADDRESS_TEXT, "none");
    return text;
}

const char *address_text(const struct address *address, char text[ADDRESS_TEXT])
{
    char host[ADDRESS_TEXT];
    const char *format = is_ipv6(address) ? "[%.70s]:%u" : "%.70s:%u";
    snprintf(text, ADDRESS_TEXT, format, address_host(address, host),
             (unsigned)address_port(address));
    return text;
}

int address_bind(const struct address *address, int type)
{
    int fd = socket(address->storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;

    const int on = 1;
    if (is_ipv6(address))
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    /* A board leaves many connections in TIME_WAIT; its next one may use any port again. UDP must
     * not share its port: two boards on one address would be a mistake to report. */
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&address->storage, address->length) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}
