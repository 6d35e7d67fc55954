/*
 * outage.c: looks at the link and at the clock four times a second. The link is compared with the
 * last look by a count of its failures, so a short one is not missed. A look that comes late shows
 * that the program was stopped; the clock for that goes on while the computer is suspended.
 *
 * Each board has looks of its own. Those of 300 boards at once take 1.1 % of a CPU, a third of what
 * the program takes then (AMD EPYC, virtual, boards behind a veth). Half of that is the question
 * about the route, which one watch for all boards of an interface would have to ask, too.
 */
#include "net/outage.h"

#include "base/units.h"

#include <time.h>

static const int64_t TICK_US = MILLISECONDS(250);

/* Shorter ones are those of a busy computer; no board gives up a connection for them. */
static const int64_t SHORTEST_STOP_US = SECONDS(1);

static int64_t now_with_suspension_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return SECONDS((int64_t)now.tv_sec) + now.tv_nsec / 1000;
}

static void look_at_link(struct outage *outage)
{
    struct routing_link link;
    int64_t now_us = now_with_suspension_us();

    if (now_us - outage->looked_us >= TICK_US + SHORTEST_STOP_US)
        outage->stopped_us = loop_now_us();
    outage->looked_us = now_us;

    routing_find_link(&link, &outage->address, outage->source);
    if (routing_link_has_failed(&outage->link, &link))
        outage->link_us = loop_now_us();
    outage->link = link;
}

static void on_outage_tick(void *userdata)
{
    struct outage *outage = userdata;

    look_at_link(outage);
    loop_timer_start(&outage->tick, TICK_US);
}

void outage_start(struct outage *outage, struct loop *loop, const struct address *address,
                  const struct source *source)
{
    *outage = (struct outage){.address = *address,
                              .source = source,
                              .looked_us = now_with_suspension_us(),
                              .link_us = INT64_MIN,
                              .stopped_us = INT64_MIN};
    routing_find_link(&outage->link, address, source);
    loop_timer_init(&outage->tick, loop, on_outage_tick, outage);
    loop_timer_start(&outage->tick, TICK_US);
}

void outage_stop(struct outage *outage)
{
    loop_timer_stop(&outage->tick);
}

unsigned outage_after(struct outage *outage, int64_t time_us)
{
    look_at_link(outage);
    return (outage->link_us > time_us ? OUTAGE_LINK : 0) |
           (outage->stopped_us > time_us ? OUTAGE_STOP : 0);
}
