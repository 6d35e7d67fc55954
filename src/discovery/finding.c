/* finding.c: the answers of one source about a name. */
#include "discovery/finding.h"

#include "base/escape.h"
#include "base/loop.h"

#include <string.h>

/* IPv4 goes before IPv6, and earlier addresses before later ones. */
void finding_add_address(struct finding *finding, const struct address *address)
{
    struct resolution *resolution = &finding->resolution;
    size_t place = 0;

    for (size_t i = 0; i < resolution->count; i++) {
        if (address_equal(&resolution->addresses[i], address))
            return;
        if (address->any.sa_family != AF_INET || resolution->addresses[i].any.sa_family == AF_INET)
            place = i + 1;
    }
    resolution->is_cut |= resolution->count == RESOLVE_ADDRESSES_MAX;
    if (place == RESOLVE_ADDRESSES_MAX)
        return;

    if (resolution->count == 0)
        finding->since_us = loop_now_us();
    else if (resolution->count == RESOLVE_ADDRESSES_MAX)
        resolution->count--;

    memmove(&resolution->addresses[place + 1], &resolution->addresses[place],
            (resolution->count - place) * sizeof *address);
    resolution->addresses[place] = *address;
    address_set_port(&resolution->addresses[place], 0);
    resolution->count++;
}

void finding_add_facts(struct finding *finding, const struct mdns_answer *answer)
{
    struct resolution *resolution = &finding->resolution;

    if (!resolution->host[0])
        memcpy(resolution->host, answer->host, sizeof resolution->host);
    if (resolution->port || !answer->port)
        return;

    resolution->port = answer->port;
    resolution->password = answer->password;
    memcpy(resolution->type, answer->type, sizeof resolution->type);
    resolution->service = answer->service;
    resolution->esphome = answer->esphome;
    escape_string(resolution->instance, sizeof resolution->instance, answer->instance);
}

void finding_add_host(struct finding *finding, const struct mdns_answer *answer)
{
    if (answer->has_address)
        finding_add_address(finding, &answer->address);
    if (answer->has_address && !finding->resolution.host[0])
        memcpy(finding->resolution.host, answer->host, sizeof finding->resolution.host);
    claims_add(&finding->resolution.claims, answer);
}

void finding_add_service(struct finding *finding, const struct mdns_answer *answer)
{
    finding_add_host(finding, answer);
    finding_add_facts(finding, answer);
}

void finding_drop_address(struct finding *finding, const struct address *address)
{
    struct resolution *resolution = &finding->resolution;
    size_t kept = 0;

    for (size_t i = 0; i < resolution->count; i++)
        if (!address_equal(&resolution->addresses[i], address))
            resolution->addresses[kept++] = resolution->addresses[i];
    resolution->count = kept;
}

bool finding_has_ipv4(const struct finding *finding)
{
    const struct resolution *resolution = &finding->resolution;

    return resolution->count && resolution->addresses[0].any.sa_family == AF_INET;
}

const char *finding_common_host(const struct resolution *resolution)
{
    for (size_t i = 0; i < resolution->count && resolution->count > 1; i++)
        if (!claims_contain(&resolution->claims, &resolution->addresses[i]))
            return "";
    return resolution->host;
}
