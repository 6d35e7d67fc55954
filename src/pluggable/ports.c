/*
 * ports.c: the fields are those of Arduino's mdns-discovery, as the cores' upload.pattern and
 * upload_port.* refer to them: {upload.port.properties.port}, upload_port.0.board.
 */
#include "pluggable/ports.h"

#include "base/array.h"
#include "base/escape.h"
#include "base/json_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROTOCOL "network"

enum { VALUE_MAX = 4 * MDNS_PAIRS_MAX + 8 }; /* escaped */

/* A value is compared with those of boards.txt, so it is changed only if it could do harm. */
static json_t *announced_text(const char *text)
{
    char shown[VALUE_MAX];

    return json_string(escape_is_harmless(text) ? text : escape_string(shown, sizeof shown, text));
}

/* Adds a property, unless there is one of that name: what a board announces replaces nothing. */
static int add_property(json_t *properties, const char *name, json_t *value)
{
    if (!json_object_get(properties, name))
        return json_object_set_new(properties, name, value);
    json_decref(value);
    return 0;
}

static json_t *make_properties(const struct board *board)
{
    char text[sizeof board->host + 1];
    json_t *properties = json_object();

    snprintf(text, sizeof text, "%s.", board->host); /* as it is in the DNS */
    int rc = add_property(properties, "hostname", announced_text(text));
    snprintf(text, sizeof text, "%u", board->port);
    rc |= add_property(properties, "port", json_string(text));
    if (*board->type)
        rc |= add_property(properties, ".", announced_text(board->type));

    for (const char *pair = board->pairs; *pair; pair += strlen(pair) + 1) {
        const char *value = strchr(pair, '=') + 1;
        char name[MDNS_PAIRS_MAX];

        snprintf(name, sizeof name, "%.*s", (int)(value - pair - 1), pair);
        rc |= add_property(properties, name, announced_text(value));
    }

    if (rc == 0)
        return properties;
    json_decref(properties);
    return NULL;
}

static json_t *make_fields(const struct board *board, const char *address)
{
    char name[4 * MDNS_INSTANCE_MAX], label[sizeof name + ADDRESS_TEXT_MAX + 8];

    escape_string(name, sizeof name, board->instance);
    snprintf(label, sizeof label, "%s at %s", name, address);
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "address", address, "label", label, "protocol",
                     PROTOCOL, "protocolLabel", "Network Port", "properties",
                     make_properties(board));
}

static struct port *find_port(const struct ports *ports, const char *address)
{
    for (size_t i = 0; i < ports->count; i++)
        if (strcmp(ports->items[i].address, address) == 0)
            return &ports->items[i];
    return NULL;
}

/* NULL when memory runs out. */
static json_t *describe_board(const struct board *board, const char *address)
{
    json_memory_watch();
    json_t *fields = make_fields(board, address);
    if (!json_memory_has_run_out())
        return fields;

    json_decref(fields);
    return NULL;
}

/* Makes these fields those of the port, which is new if it is NULL. Takes the fields over. */
static int set_port(struct ports *ports, struct port *port, const char *address, json_t *fields,
                    ports_event_fn *on_event, void *userdata)
{
    if (!port) {
        struct port *items =
            array_grow(ports->items, ports->count, &ports->capacity, sizeof *items);
        if (!items) {
            json_decref(fields);
            return -1;
        }

        ports->items = items;
        port = &items[ports->count++];
        *port = (struct port){.fields = NULL};
        memcpy(port->address, address, sizeof port->address);
    }

    json_decref(port->fields);
    port->fields = fields;
    port->is_seen = true;
    on_event("add", fields, userdata);
    return 0;
}

int ports_add(struct ports *ports, const struct board *board, ports_event_fn *on_event,
              void *userdata)
{
    char address[ADDRESS_TEXT_MAX] = "";
    if (!board->has_address || find_port(ports, address_text(address, &board->address)))
        return 0;

    json_t *fields = describe_board(board, address);
    return fields ? set_port(ports, NULL, address, fields, on_event, userdata) : -1;
}

/* An "add" for a known port replaces it. */
static int replace_port(struct ports *ports, const struct board *board, ports_event_fn *on_event,
                        void *userdata)
{
    char address[ADDRESS_TEXT_MAX] = "";
    struct port *port = find_port(ports, address_text(address, &board->address));
    if (port && port->is_seen)
        return 0;

    json_t *fields = describe_board(board, address);
    if (!fields)
        return -1;
    if (!port || !json_equal(fields, port->fields))
        return set_port(ports, port, address, fields, on_event, userdata);

    port->is_seen = true;
    json_decref(fields);
    return 0;
}

static int remove_port(struct ports *ports, size_t number, ports_event_fn *on_event, void *userdata)
{
    struct port *port = &ports->items[number];
    json_memory_watch();
    json_t *fields = json_pack("{s:s, s:s}", "address", port->address, "protocol", PROTOCOL);
    if (!fields)
        return -1;

    on_event("remove", fields, userdata);
    json_decref(fields);
    json_decref(port->fields);
    *port = ports->items[--ports->count];
    return 0;
}

int ports_replace(struct ports *ports, const struct board_list *boards, ports_event_fn *on_event,
                  void *userdata)
{
    int rc = 0;

    for (size_t i = 0; i < ports->count; i++)
        ports->items[i].is_seen = false;
    for (size_t i = 0; i < boards->count && rc == 0; i++)
        if (boards->items[i]->has_address)
            rc = replace_port(ports, boards->items[i], on_event, userdata);

    for (size_t i = ports->count; i-- > 0 && rc == 0;)
        if (!ports->items[i].is_seen)
            rc = remove_port(ports, i, on_event, userdata);
    return rc;
}

void ports_clear(struct ports *ports)
{
    for (size_t i = 0; i < ports->count; i++)
        json_decref(ports->items[i].fields);
    free(ports->items);
    *ports = (struct ports){0};
}
