/*
 * namesakes.h: several boards of one name, usually because a sketch was copied. The address of such
 * a name is a matter of chance.
 */
#ifndef ESP_OTA_DISCOVERY_NAMESAKES_H
#define ESP_OTA_DISCOVERY_NAMESAKES_H

#include "discovery/mdns_worker.h"

#include <sys/types.h>

enum { CLAIMS_MAX = 32 };

/* The addresses heard under one name, each once for every interface. Starts as {0}. */
struct claims {
    size_t count;
    bool is_cut; /* there was no room for another one */
    struct claim {
        struct address address;
        char interface[IF_NAMESIZE];
    } items[CLAIMS_MAX];
};

/* Adds the address of answer if it has one and there is room. */
void claims_add(struct claims *claims, const struct mdns_answer *answer);

/* Whether the address was heard, on any interface. */
bool claims_contain(const struct claims *claims, const struct address *address);

/* Writes the addresses, each once, that belong to different boards if all of them are in use (see
 * networks_show_two_boards()). Returns their number: none, or two and more; -1 and errno if the
 * interfaces of this computer cannot be read. */
ssize_t claims_find_rivals(struct address rivals[CLAIMS_MAX], const struct claims *claims);

#endif
