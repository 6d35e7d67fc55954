/*
 * endpoints.h: the addresses and ports of a board, and the order of trying them. Pure.
 */
#ifndef ESP_OTA_UPLOAD_ENDPOINTS_H
#define ESP_OTA_UPLOAD_ENDPOINTS_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ENDPOINTS_ADDRESSES_MAX = 8,
    ENDPOINTS_PORTS_MAX = 3, /* ESP8266, ESP32, Pico W */
    ENDPOINTS_MAX = ENDPOINTS_ADDRESSES_MAX * ENDPOINTS_PORTS_MAX,
};

struct endpoint_port {
    uint16_t number;
    const char *source; /* the origin of the number, in words: "the announced port" */
    bool is_announced;  /* by the board itself */
    bool is_of_image;   /* nothing but the image's chip says that it may be this one */
    uint16_t announced; /* another one, which the board announces; 0: none is known */
};

/* Both lists begin with the best entry, have no duplicates and are not empty. An endpoint is a
 * combination of both, and is identified by a number below endpoints_count(). */
struct endpoints {
    struct address addresses[ENDPOINTS_ADDRESSES_MAX]; /* their port members are not used */
    size_t address_count;
    struct endpoint_port ports[ENDPOINTS_PORTS_MAX];
    size_t port_count;
};

size_t endpoints_count(const struct endpoints *endpoints);

/* The address of an endpoint, with its port. */
struct address endpoints_get(const struct endpoints *endpoints, size_t number);
const char *endpoints_port_source(const struct endpoints *endpoints, size_t number);

/* Writes "10.0.0.7:80 (the default port of web servers)". Returns text. */
enum { ENDPOINTS_TEXT_MAX = ADDRESS_TEXT_MAX + 80 };
const char *endpoints_text(char text[ENDPOINTS_TEXT_MAX], const struct endpoints *endpoints,
                           size_t number);

/* The endpoint to try after number. tries says how often each has been tried. After a refusal, the
 * other ports of the same host come first, since the host is there. After silence, each address is
 * tried before another port of any address. */
size_t endpoints_next(const struct endpoints *endpoints, const unsigned tries[ENDPOINTS_MAX],
                      size_t number, bool was_refused);

/* Moves this address and its port to the front of their lists. */
void endpoints_prefer(struct endpoints *endpoints, const struct address *preferred);

/* If this address is among them, removes all others. */
void endpoints_keep(struct endpoints *endpoints, const struct address *address);

/* Whether both have an address and port in common. */
bool endpoints_overlap(const struct endpoints *a, const struct endpoints *b);

/* Whether each endpoint of part is one of whole. */
bool endpoints_contain(const struct endpoints *whole, const struct endpoints *part);

/* Whether each address of part is one of whole. */
bool endpoints_have_addresses(const struct endpoints *whole, const struct endpoints *part);

/* Whether both have the same addresses, in any order and with any ports. */
bool endpoints_have_same_addresses(const struct endpoints *a, const struct endpoints *b);

/* Removes the addresses that are also among the others, for all ports. None may be left. */
void endpoints_drop_addresses(struct endpoints *endpoints, const struct endpoints *others);

/* Removes all endpoints but the one with this number. */
void endpoints_narrow(struct endpoints *endpoints, size_t number);

#endif
