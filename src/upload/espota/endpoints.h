/*
 * endpoints.h: where a board may listen, its addresses times its ports, and which of these places
 * to try next. Pure.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_ENDPOINTS_H
#define ESP_OTA_UPLOAD_ESPOTA_ENDPOINTS_H

#include "base/address.h"

#include <stddef.h>

enum {
    ENDPOINTS_ADDRESSES_MAX = 8,
    ENDPOINTS_PORTS_MAX = 3, /* ESP8266, ESP32, Pico W */
    ENDPOINTS_MAX = ENDPOINTS_ADDRESSES_MAX * ENDPOINTS_PORTS_MAX,
};

struct endpoint_port {
    uint16_t number;
    const char *source; /* which port it is, in words: "the announced port" */
};

/* Each list best first, without duplicates, and not empty. An endpoint is a number below
 * endpoints_count(). */
struct endpoints {
    struct address addresses[ENDPOINTS_ADDRESSES_MAX]; /* their own ports mean nothing */
    size_t address_count;
    struct endpoint_port ports[ENDPOINTS_PORTS_MAX];
    size_t port_count;
};

size_t endpoints_count(const struct endpoints *endpoints);

/* With its port. */
struct address endpoints_get(const struct endpoints *endpoints, size_t number);
const char *endpoints_port_source(const struct endpoints *endpoints, size_t number);

/* The endpoint to try after number; tries counts how often each has been tried. After a refusal the
 * host is there, so its other ports come first. After silence every address is tried before any is
 * tried again at another port. */
size_t endpoints_next(const struct endpoints *endpoints, const unsigned tries[ENDPOINTS_MAX],
                      size_t number, bool was_refused);

/* Moves this address and its port to the front of their lists. */
void endpoints_prefer(struct endpoints *endpoints, const struct address *preferred);

/* Whether some address and port are in both. */
bool endpoints_overlap(const struct endpoints *a, const struct endpoints *b);

#endif
