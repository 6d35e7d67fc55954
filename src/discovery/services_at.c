/* services_at.c: one question to multicast DNS, with a deadline. */
#include "discovery/services_at.h"

#include "discovery/mdns_client.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct services_at {
    struct services_at_config config;
    struct mdns_query *query; /* NULL: it has ended */
    struct loop_timer timer;
    unsigned missing; /* set of the services that are not known yet */
    size_t count;
    struct announced_service services[SERVICE_COUNT];
};

static void stop_question(struct services_at *at)
{
    if (at->query)
        mdns_client_cancel(at->query);
    at->query = NULL;
    loop_timer_stop(&at->timer);
}

static void end_question(void *userdata)
{
    struct services_at *at = userdata;

    stop_question(at);
    at->config.on_done(at->services, at->count, at->config.userdata);
}

static void on_service(const struct mdns_answer *answer, void *userdata)
{
    struct services_at *at = userdata;

    if (answer->event != MDNS_FOUND) {
        at->query = NULL;
        end_question(at);
        return;
    }
    if (!answer->port || !(at->missing & 1U << answer->service))
        return;

    struct announced_service *service = &at->services[at->count++];
    service->service = answer->service;
    service->port = answer->port;
    service->esphome = answer->esphome;
    memcpy(service->instance, answer->instance, sizeof service->instance);
    at->missing &= ~(1U << answer->service);
    if (!at->missing)
        end_question(at);
}

struct services_at *services_at_start(const struct services_at_config *config)
{
    char text[ADDRESS_TEXT_MAX];
    struct services_at *at = NULL;

    if (!address_is_loopback(&config->address) && mdns_client_may_answer(config->mdns))
        at = calloc(1, sizeof *at);
    if (!at)
        return NULL;

    at->config = *config;
    at->missing = config->services;
    loop_timer_init(&at->timer, config->loop, end_question, at);
    at->query = mdns_client_ask(config->mdns, MDNS_ADDRESS, config->services,
                                address_text(text, &config->address), on_service, at);
    if (!at->query) {
        free(at);
        return NULL;
    }
    loop_timer_start(&at->timer, config->timeout_us);
    return at;
}

void services_at_free(struct services_at *at)
{
    if (!at)
        return;

    stop_question(at);
    free(at);
}
