/*
 * fuzz-routing.c: any answer of the kernel about routes, links and neighbors gives values in their
 * bounds, or is rejected.
 */
#include "net/routing.h"
#include "require.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct routing_route route;
    struct routing_link link;
    struct routing routing = {.neighbor = NEIGHBOR_UNKNOWN};
    /* Has exactly this size, so that AddressSanitizer reports any access behind it. */
    void *answer = malloc(size ? size : 1);

    if (!answer)
        return 0;

    if (size)
        memcpy(answer, data, size);
    require(!routing_read_route(&route, answer, size) ||
            !routing_read_neighbor(&routing, answer, size)); /* no answer is both */
    if (routing_read_neighbor(&routing, answer, size))
        require(routing.neighbor == NEIGHBOR_WAS_THERE ? routing.seen_s <= ROUTING_WAS_THERE_MAX_S
                : routing.neighbor == NEIGHBOR_THERE   ? routing.seen_s <= ROUTING_THERE_MAX_S
                                                       : routing.seen_s == 0);

    if (routing_read_link(&link, answer, size))
        require(link.interface != 0);

    free(answer);
    return 0;
}
