/* Internet addresses of boards and hosts, IPv4 and IPv6. */
#ifndef DEVICE_ADDRESS_H
#define DEVICE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESS_TEXT = 80 }; /* room for "[address%scope]:port" and its end */

struct address {
    struct sockaddr_storage storage;
    socklen_t length; /* 0: none */
};

/* Numeric text only; %scope is understood. */
bool address_parse(struct address *address, const char *text);

/* Adds n to the address itself, carrying from octet to octet. */
void address_advance(struct address *address, unsigned n);

uint16_t address_port(const struct address *address);
void address_set_port(struct address *address, uint16_t port);

/* True if the address stands for all addresses of this computer: 0.0.0.0 or [::]. */
bool address_is_any(const struct address *address);

/* "192.0.2.1" and "192.0.2.1:8266" or "[2001:db8::1]:8266"; each returns text. */
const char *address_host(const struct address *address, char text[ADDRESS_TEXT]);
const char *address_text(const struct address *address, char text[ADDRESS_TEXT]);

/* A non-blocking socket of this type bound to the address, or -1 and errno. */
int address_bind(const struct address *address, int type);

#endif
