/*
 * finding.h: the answers of one source about a name: addresses, the announcement of the board, and
 * the claims to the name.
 */
#ifndef ESP_OTA_DISCOVERY_FINDING_H
#define ESP_OTA_DISCOVERY_FINDING_H

#include "discovery/namesakes.h"
#include "discovery/resolve.h"

#include <stdint.h>

/* Starts as {0}. */
struct finding {
    struct resolution resolution;
    int64_t since_us; /* time of the first address */
};

/* Adds an address, in the order of struct resolution; an IPv4 address may displace the last one. */
void finding_add_address(struct finding *finding, const struct address *address);

/* Adds port, kind and instance name of the first answer that has a port. */
void finding_add_facts(struct finding *finding, const struct mdns_answer *answer);

/* Adds the address of an answer about a host, and its claim to the name. */
void finding_add_host(struct finding *finding, const struct mdns_answer *answer);

/* Adds all of an answer about a service. */
void finding_add_service(struct finding *finding, const struct mdns_answer *answer);

void finding_drop_address(struct finding *finding, const struct address *address);

bool finding_has_ipv4(const struct finding *finding);

/* The host on multicast DNS that all addresses belong to; "": unknown. What is announced at one
 * address of a name of /etc/hosts or DNS says nothing about the others. */
const char *finding_common_host(const struct resolution *resolution);

#endif
