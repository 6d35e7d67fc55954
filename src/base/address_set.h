/*
 * address_set.h: a set of addresses, without their ports.
 */
#ifndef ESP_OTA_BASE_ADDRESS_SET_H
#define ESP_OTA_BASE_ADDRESS_SET_H

#include "base/address.h"

/* All zero: empty. */
struct address_set {
    struct address *list;
    size_t count;
    size_t capacity;
};

/* Adds an address, unless the set has it. False when memory ran out; then the set is unchanged. */
bool address_set_add(struct address_set *set, const struct address *address);

bool address_set_has(const struct address_set *set, const struct address *address);

/* Empties the set and frees its memory. */
void address_set_clear(struct address_set *set);

#endif
