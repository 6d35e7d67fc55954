/* namesakes.c: which addresses of one name belong to different boards. */
#include "discovery/namesakes.h"

#include "discovery/networks.h"

#include <ifaddrs.h>
#include <string.h>

void claims_add(struct claims *claims, const struct mdns_answer *answer)
{
    if (!answer->has_address)
        return;

    for (size_t i = 0; i < claims->count; i++)
        if (address_equal(&claims->items[i].address, &answer->address) &&
            strcmp(claims->items[i].interface, answer->interface) == 0)
            return;

    claims->is_cut |= claims->count == CLAIMS_MAX;
    if (claims->is_cut)
        return;
    struct claim *claim = &claims->items[claims->count++];
    claim->address = answer->address;
    memcpy(claim->interface, answer->interface, sizeof claim->interface);
}

bool claims_contain(const struct claims *claims, const struct address *address)
{
    for (size_t i = 0; i < claims->count; i++)
        if (address_equal(&claims->items[i].address, address))
            return true;
    return false;
}

static bool has_rival(const struct claims *claims, const struct claim *claim,
                      const struct ifaddrs *interfaces)
{
    for (size_t i = 0; i < claims->count; i++)
        if (networks_show_two_boards(&claim->address, claim->interface, &claims->items[i].address,
                                     claims->items[i].interface, interfaces))
            return true;
    return false;
}

ssize_t claims_find_rivals(struct address rivals[CLAIMS_MAX], const struct claims *claims)
{
    struct ifaddrs *interfaces;
    size_t count = 0;

    if (claims->count < 2)
        return 0;
    if (getifaddrs(&interfaces) < 0)
        return -1;

    for (size_t i = 0; i < claims->count; i++)
        if (has_rival(claims, &claims->items[i], interfaces) &&
            !address_is_among(rivals, count, &claims->items[i].address))
            rivals[count++] = claims->items[i].address;

    freeifaddrs(interfaces);
    return (ssize_t)count;
}
