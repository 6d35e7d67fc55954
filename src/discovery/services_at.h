/*
 * services_at.h: by which services a board at an address announces itself.
 */
#ifndef ESP_OTA_DISCOVERY_SERVICES_AT_H
#define ESP_OTA_DISCOVERY_SERVICES_AT_H

#include "base/address.h"
#include "base/loop.h"
#include "discovery/mdns_worker.h"

#include <stddef.h>
#include <stdint.h>

struct mdns_client;
struct services_at;

struct announced_service {
    enum service service;
    uint16_t port;
    char instance[MDNS_INSTANCE_MAX]; /* as it came from the network */
    struct esphome_record esphome;    /* only of SERVICE_ESPHOME */
};

/* Called once, from the loop, never from within services_at_start(). Each service is in services
 * once, in the order of the answers; services_at_free() frees the array. */
typedef void services_at_done_fn(const struct announced_service *services, size_t count,
                                 void *userdata);

/* Asks for a set of services (service.h) until all of them are known, for at most limit_us. NULL if
 * no answer is to be expected (no bus, an address of this computer), or memory ran out. */
struct services_at *services_at_start(struct loop *loop, struct mdns_client *mdns,
                                      const struct address *address, unsigned services,
                                      int64_t limit_us, services_at_done_fn *done, void *userdata);

/* Cancels the question. Allowed at any time, also in done, and for NULL. */
void services_at_free(struct services_at *at);

#endif
