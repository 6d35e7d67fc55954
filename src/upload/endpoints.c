/*
 * endpoints.c: numbers the combinations of addresses and ports; the ports of an address are
 * adjacent.
 */
#include "upload/endpoints.h"

#include <stdio.h>
#include <string.h>

size_t endpoints_count(const struct endpoints *endpoints)
{
    return endpoints->address_count * endpoints->port_count;
}

struct address endpoints_get(const struct endpoints *endpoints, size_t number)
{
    struct address address = endpoints->addresses[number / endpoints->port_count];

    address_set_port(&address, endpoints->ports[number % endpoints->port_count].number);
    return address;
}

const char *endpoints_port_source(const struct endpoints *endpoints, size_t number)
{
    return endpoints->ports[number % endpoints->port_count].source;
}

const char *endpoints_text(char text[ENDPOINTS_TEXT_MAX], const struct endpoints *endpoints,
                           size_t number)
{
    const struct address address = endpoints_get(endpoints, number);
    char shown[ADDRESS_TEXT_MAX + 8];

    snprintf(text, ENDPOINTS_TEXT_MAX, "%s (%s)", address_text_port(shown, &address),
             endpoints_port_source(endpoints, number));
    return text;
}

size_t endpoints_next(const struct endpoints *endpoints, const unsigned tries[ENDPOINTS_MAX],
                      size_t number, bool was_refused)
{
    size_t ports = endpoints->port_count, same_host = number - number % ports, best = 0;

    for (size_t i = 0; was_refused && i < ports; i++)
        if (tries[same_host + i] < tries[number])
            return same_host + i;

    for (size_t port = 0; port < ports; port++)
        for (size_t i = 0; i < endpoints->address_count; i++)
            if (tries[i * ports + port] < tries[best])
                best = i * ports + port;
    return best;
}

static void prefer_address(struct endpoints *endpoints, const struct address *preferred)
{
    struct address *addresses = endpoints->addresses;

    for (size_t i = 0; i < endpoints->address_count; i++) {
        struct address found = addresses[i];

        if (!address_equal(&found, preferred))
            continue;

        memmove(addresses + 1, addresses, i * sizeof *addresses);
        addresses[0] = found;
    }
}

static void prefer_port(struct endpoints *endpoints, uint16_t preferred)
{
    struct endpoint_port *ports = endpoints->ports;

    for (size_t i = 0; i < endpoints->port_count; i++) {
        const struct endpoint_port found = ports[i];

        if (found.number != preferred)
            continue;

        memmove(ports + 1, ports, i * sizeof *ports);
        ports[0] = found;
    }
}

void endpoints_prefer(struct endpoints *endpoints, const struct address *preferred)
{
    prefer_address(endpoints, preferred);
    prefer_port(endpoints, address_port(preferred));
}

void endpoints_keep(struct endpoints *endpoints, const struct address *address)
{
    if (!address_is_among(endpoints->addresses, endpoints->address_count, address))
        return;
    prefer_address(endpoints, address);
    endpoints->address_count = 1;
}

static bool has_endpoint(const struct endpoints *endpoints, const struct address *wanted)
{
    for (size_t i = 0; i < endpoints_count(endpoints); i++) {
        const struct address found = endpoints_get(endpoints, i);

        if (address_port(&found) == address_port(wanted) && address_equal(&found, wanted))
            return true;
    }
    return false;
}

/* How many endpoints of part are also in whole. */
static size_t count_common(const struct endpoints *whole, const struct endpoints *part)
{
    size_t count = 0;

    for (size_t i = 0; i < endpoints_count(part); i++) {
        const struct address wanted = endpoints_get(part, i);

        count += has_endpoint(whole, &wanted);
    }
    return count;
}

bool endpoints_overlap(const struct endpoints *a, const struct endpoints *b)
{
    return count_common(a, b) > 0;
}

bool endpoints_contain(const struct endpoints *whole, const struct endpoints *part)
{
    return count_common(whole, part) == endpoints_count(part);
}

bool endpoints_have_addresses(const struct endpoints *whole, const struct endpoints *part)
{
    struct endpoints rest = *part;

    endpoints_drop_addresses(&rest, whole);
    return rest.address_count == 0;
}

bool endpoints_have_same_addresses(const struct endpoints *a, const struct endpoints *b)
{
    return endpoints_have_addresses(a, b) && a->address_count == b->address_count;
}

void endpoints_drop_addresses(struct endpoints *endpoints, const struct endpoints *others)
{
    size_t kept = 0;

    for (size_t i = 0; i < endpoints->address_count; i++)
        if (!address_is_among(others->addresses, others->address_count, &endpoints->addresses[i]))
            endpoints->addresses[kept++] = endpoints->addresses[i];
    endpoints->address_count = kept;
}

void endpoints_narrow(struct endpoints *endpoints, size_t number)
{
    endpoints->addresses[0] = endpoints->addresses[number / endpoints->port_count];
    endpoints->ports[0] = endpoints->ports[number % endpoints->port_count];
    endpoints->address_count = endpoints->port_count = 1;
}
