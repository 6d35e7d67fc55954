/*
 * namesakes.h: several boards of one name, as copied sketches make them. Which address a name has
 * is chance then.
 */
#ifndef ESP_OTA_DISCOVERY_NAMESAKES_H
#define ESP_OTA_DISCOVERY_NAMESAKES_H

#include "discovery/mdns_worker.h"

enum { CLAIMS_MAX = 32 };

/* The addresses that were heard under one name, each once for every interface. Starts as {0}. */
struct claims {
    size_t count;
    struct claim {
        struct address address;
        char interface[IF_NAMESIZE];
    } items[CLAIMS_MAX];
};

/* Adds the address of answer, if it has one and there is room. */
void claims_add(struct claims *claims, const struct mdns_answer *answer);

/* Fills rivals with the addresses, each once, that must belong to different boards, if all of these
 * are there (networks_show_two_boards()): two or more, or none. Looks at the interfaces of this
 * computer. */
size_t claims_find_rivals(struct address rivals[CLAIMS_MAX], const struct claims *claims);

#endif
