/*
 * discovery.c: the states of a discovery, and when it looks for boards.
 *
 *   idle --START, START_SYNC--> starting --multicast DNS is watched--> listing, or syncing
 *     ^                            |                                      |
 *     +------- it cannot be -------+             STOP --------------------+
 *
 * Avahi says when an announcement comes or goes (MDNS_CHANGES). That, and a minute without any, is
 * the reason for a search as of -l, whose result replaces the ports.
 */
#include "pluggable/discovery.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/json_memory.h"
#include "base/units.h"
#include "discovery/board_browse.h"
#include "net/source.h"
#include "pluggable/console.h"
#include "pluggable/ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAUSE_US = SECONDS(1),  /* between two searches, however often announcements change */
    AGAIN_US = SECONDS(60), /* a board that lost its power announces nothing any more */
    RETRY_US = SECONDS(10), /* after a failure, for example of avahi-daemon */
    START_US = SECONDS(8),  /* the IDE waits 10 s for the reply to START */
};

struct discovery {
    struct loop *loop;
    int64_t timeout_us;
    struct ota_failure *failure;
    struct console *console;
    enum { STATE_IDLE, STATE_STARTING, STATE_LISTING, STATE_SYNCING } state;
    enum request_verb starting; /* START or START_SYNC, in STATE_STARTING */
    struct mdns_client *mdns;
    struct mdns_query *changes; /* NULL: unavailable */
    struct board_browse *browse;
    bool has_changed; /* since the search began */
    struct loop_timer timer;
    struct loop_timer start_timer; /* in STATE_STARTING */
    struct ports ports;
};

static void on_port_event(const char *event, json_t *fields, void *userdata)
{
    struct discovery *discovery = userdata;
    if (discovery->state != STATE_SYNCING)
        return;

    json_memory_watch();
    console_send(discovery->console, json_pack("{s:s, s:O}", "eventType", event, "port", fields));
}

static void fail_without_memory(struct discovery *discovery)
{
    ota_fail_no_memory(discovery->failure);
    loop_quit(discovery->loop);
}

/* -- searches -- */

static void on_board_found(const struct board *board, void *userdata)
{
    struct discovery *discovery = userdata;

    if (ports_add(&discovery->ports, board, on_port_event, discovery) < 0)
        fail_without_memory(discovery);
}

static void on_search_done(const struct board_list *boards, const struct ota_failure *failure,
                           void *userdata)
{
    struct discovery *discovery = userdata;
    bool is_complete = !failure || failure->error == OTA_E_NOT_FOUND;

    if (is_complete && ports_replace(&discovery->ports, boards, on_port_event, discovery) < 0)
        fail_without_memory(discovery);
    else if (!is_complete)
        diag_warning("%s", failure->message);

    board_browse_free(discovery->browse);
    discovery->browse = NULL;
    loop_timer_start(&discovery->timer, !is_complete             ? RETRY_US
                                        : discovery->has_changed ? PAUSE_US
                                                                 : AGAIN_US);
}

static void on_change(const struct mdns_answer *answer, void *userdata);

static void watch_changes(struct discovery *discovery)
{
    if (!discovery->changes)
        discovery->changes = mdns_client_ask(discovery->mdns, MDNS_CHANGES, SERVICES_ARDUINO, "",
                                             on_change, discovery);
}

static void search_boards(void *userdata)
{
    struct discovery *discovery = userdata;
    const struct board_browse_config config = {.loop = discovery->loop,
                                               .mdns = discovery->mdns,
                                               .services = SERVICES_ARDUINO,
                                               .timeout_us = discovery->timeout_us,
                                               .source = &source_any,
                                               .on_found = on_board_found,
                                               .on_done = on_search_done,
                                               .userdata = discovery};

    watch_changes(discovery);
    discovery->has_changed = false;
    discovery->browse = board_browse_start(&config);
    if (!discovery->changes || !discovery->browse)
        fail_without_memory(discovery);
}

static void stop_searches(struct discovery *discovery)
{
    if (discovery->changes)
        mdns_client_cancel(discovery->changes);
    discovery->changes = NULL;
    board_browse_free(discovery->browse);
    discovery->browse = NULL;
    loop_timer_stop(&discovery->timer);
    loop_timer_stop(&discovery->start_timer);
    ports_clear(&discovery->ports);
    discovery->state = STATE_IDLE;
}

/* -- requests -- */

static void refuse_start(struct discovery *discovery, const char *reason)
{
    char text[MDNS_REASON_MAX + 64];

    discovery->state = STATE_IDLE;
    snprintf(text, sizeof text, "multicast DNS cannot be asked (%s)", reason);
    console_send_error(discovery->console, request_event(discovery->starting), text);
}

/* The process that asks avahi-daemon has answered before, or it would have been ended earlier. Now
 * it hangs in a call to libdbus, so another one replaces it. */
static void on_start_timeout(void *userdata)
{
    struct discovery *discovery = userdata;

    stop_searches(discovery);
    mdns_client_free(discovery->mdns);
    discovery->mdns = mdns_client_new(discovery->loop);
    if (!discovery->mdns) {
        fail_without_memory(discovery);
        return;
    }
    console_resume(discovery->console);
    refuse_start(discovery, "avahi-daemon or the D-Bus system bus does not answer");
}

static void finish_start(struct discovery *discovery, const struct mdns_answer *answer)
{
    const char *event = request_event(discovery->starting);

    loop_timer_stop(&discovery->start_timer);
    console_resume(discovery->console);
    if (answer->event == MDNS_FOUND) {
        discovery->state =
            discovery->starting == REQUEST_START_SYNC ? STATE_SYNCING : STATE_LISTING;
        console_send_ok(discovery->console, event);
        search_boards(discovery);
        return;
    }
    refuse_start(discovery, answer->reason);
}

/* A search in progress will say what is wrong with multicast DNS, or the next one. */
static void on_change(const struct mdns_answer *answer, void *userdata)
{
    struct discovery *discovery = userdata;

    if (answer->event != MDNS_FOUND)
        discovery->changes = NULL;

    if (discovery->state == STATE_STARTING) {
        finish_start(discovery, answer);
        return;
    }
    if (!discovery->browse && !discovery->has_changed)
        loop_timer_start(&discovery->timer, answer->event == MDNS_FOUND ? PAUSE_US : RETRY_US);
    discovery->has_changed = true;
}

static void start(struct discovery *discovery, enum request_verb verb)
{
    if (discovery->state != STATE_IDLE) {
        console_send_error(discovery->console, request_event(verb),
                           "the discovery is already started; send STOP first");
        return;
    }

    discovery->state = STATE_STARTING;
    discovery->starting = verb;
    console_pause(discovery->console);
    loop_timer_start(&discovery->start_timer, START_US);
    watch_changes(discovery);
    if (!discovery->changes)
        fail_without_memory(discovery);
}

static void send_list(struct discovery *discovery)
{
    const char *event = request_event(REQUEST_LIST);
    if (discovery->state != STATE_LISTING) {
        console_send_error(discovery->console, event,
                           discovery->state == STATE_IDLE
                               ? "the discovery is not started; send START first"
                               : "the discovery sends events; LIST needs START");
        return;
    }

    json_memory_watch();
    json_t *list = json_array();
    for (size_t i = 0; i < discovery->ports.count; i++)
        json_array_append(list, discovery->ports.items[i].fields);
    console_send(discovery->console, json_pack("{s:s, s:o}", "eventType", event, "ports", list));
}

static void stop(struct discovery *discovery)
{
    const char *event = request_event(REQUEST_STOP);

    if (discovery->state == STATE_IDLE) {
        console_send_error(discovery->console, event, "the discovery is not started");
        return;
    }
    stop_searches(discovery);
    console_send_ok(discovery->console, event);
}

static bool is_known(enum request_verb verb)
{
    return verb == REQUEST_START || verb == REQUEST_START_SYNC || verb == REQUEST_STOP ||
           verb == REQUEST_LIST;
}

static void on_request(const struct request *request, void *userdata)
{
    struct discovery *discovery = userdata;

    if (request->verb == REQUEST_STOP)
        stop(discovery);
    else if (request->verb == REQUEST_LIST)
        send_list(discovery);
    else
        start(discovery, request->verb);
}

struct discovery *discovery_start(struct loop *loop, int64_t timeout_us,
                                  struct ota_failure *failure)
{
    struct discovery *discovery = calloc(1, sizeof *discovery);
    if (!discovery) {
        ota_fail_no_memory(failure);
        return NULL;
    }

    *discovery = (struct discovery){.loop = loop, .timeout_us = timeout_us, .failure = failure};
    loop_timer_init(&discovery->timer, loop, search_boards, discovery);
    loop_timer_init(&discovery->start_timer, loop, on_start_timeout, discovery);
    discovery->mdns = mdns_client_new(loop);
    if (!discovery->mdns)
        ota_fail_no_memory(failure);
    else
        discovery->console = console_start(loop,
                                           &(struct console_callbacks){.is_known = is_known,
                                                                       .on_request = on_request,
                                                                       .userdata = discovery},
                                           failure);
    if (discovery->console)
        return discovery;

    discovery_free(discovery);
    return NULL;
}

void discovery_free(struct discovery *discovery)
{
    if (!discovery)
        return;

    stop_searches(discovery);
    mdns_client_free(discovery->mdns);
    console_free(discovery->console);
    free(discovery);
}
