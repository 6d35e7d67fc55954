/*
 * ports.h: boards as the ports of an IDE, and what has changed about them. Pure, but for memory.
 */
#ifndef ESP_OTA_PLUGGABLE_PORTS_H
#define ESP_OTA_PLUGGABLE_PORTS_H

#include "discovery/board_list.h"

#include <jansson.h>

/* A port. Its address identifies it, as all have the same protocol. */
struct port {
    char address[ADDRESS_TEXT_MAX];
    json_t *fields; /* address, label, protocol, protocolLabel, properties */
    bool is_seen;   /* during ports_replace() */
};

/* Starts as {0}. */
struct ports {
    struct port *items;
    size_t count;
    size_t capacity;
};

/* "add" or "remove"; the latter has address and protocol only. The fields stay the caller's. */
typedef void ports_event_fn(const char *event, json_t *fields, void *userdata);

/* Makes the boards that have an address the ports, and calls on_event for each difference. If
 * several boards have one address, the first of the list is its port. Returns -1 when memory runs
 * out; some events may then be missing, and are made up for by the next call. */
int ports_replace(struct ports *ports, const struct board_list *boards, ports_event_fn *on_event,
                  void *userdata);

/* Adds the board, unless it has no address, or the address has a port. */
int ports_add(struct ports *ports, const struct board *board, ports_event_fn *on_event,
              void *userdata);

void ports_clear(struct ports *ports);

#endif
