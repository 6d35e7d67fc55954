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

/* All but the address must outlive the question. */
struct services_at_config {
    struct loop *loop;
    struct mdns_client *mdns;
    struct address address;
    unsigned services;  /* a set (service.h) */
    int64_t timeout_us; /* at most; less if all services are known */
    services_at_done_fn *on_done;
    void *userdata;
};

/* NULL if no answer is to be expected (no bus, an address of this computer), or memory ran out. */
struct services_at *services_at_start(const struct services_at_config *config);

/* Cancels the question. Allowed at any time, also in on_done, and for NULL. */
void services_at_free(struct services_at *at);

#endif
