/*
 * address.h: IPv4 and IPv6 socket addresses as values: parsed, compared, shown. Nothing here opens
 * a socket or asks a resolver.
 */
#ifndef ESP_OTA_BASE_ADDRESS_H
#define ESP_OTA_BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* A socket address. IPv4-mapped IPv6 addresses never occur: address_from() turns them into IPv4. */
struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};

/* Room for the longest text form: IPv6, '%', interface name, terminator. */
enum { ADDRESS_TEXT_MAX = 64 };

/* Parses a numeric IPv4 or IPv6 address, the latter optionally with %interface or %index (which
 * must exist); the percent sign may also be written as in a URL, %25. Port 0. Returns false, and
 * leaves *address alone, for anything else. */
bool address_parse(struct address *address, const char *text);

/* Copies a socket address that the kernel or a resolver has returned. Returns false for another
 * family or a wrong length. */
bool address_from(struct address *address, const struct sockaddr *source, socklen_t length);

/* The same for an address of getifaddrs(3), which has the length of its family. NULL: there is
 * none. */
bool address_from_interface(struct address *address, const struct sockaddr *source);

/* The local address of a socket. */
bool address_of_socket(struct address *address, int fd);

socklen_t address_length(const struct address *address);
uint16_t address_port(const struct address *address);
void address_set_port(struct address *address, uint16_t port);

/* True for the same host: family, address, and for link-local IPv6 the scope. Ports are not
 * compared. */
bool address_equal(const struct address *a, const struct address *b);

/* Whether address_equal() holds for one of count addresses. */
bool address_is_among(const struct address *addresses, size_t count, const struct address *address);

/* Whether the address is in 127.0.0.0/8 or ::1. */
bool address_is_loopback(const struct address *address);

/* Whether the address is 0.0.0.0 or ::, which stand for all addresses of a host. */
bool address_is_unspecified(const struct address *address);

/* Whether the address can belong to one host: it is not unspecified, multicast, or the broadcast
 * address of all networks. */
bool address_is_unicast(const struct address *address);

/* Whether the address is a link-local IPv6 one without its interface: no socket can use it. */
bool address_lacks_interface(const struct address *address);

/* What to say of such an address, after its text. */
#define ADDRESS_LACKS_INTERFACE                                                                    \
    "is a link-local address: add the interface that leads to the board, as in fe80::1%wlan0"

/* Write the numeric text without the port ("fe80::1%wlan0", with its scope), or with it
 * ("1.2.3.4:5", "[::1]:5"). Both return target, which must have room for ADDRESS_TEXT_MAX bytes (8
 * more with the port). */
char *address_text(char *target, const struct address *address);
char *address_text_port(char *target, const struct address *address);

#endif
