/*
 * browse.c: see browse.h. It asks through mdns.h, and decides only when the question is over.
 */
#include "browse.h"

#include "error.h"
#include "log.h"
#include "loop.h"

#include <stdio.h>
#include <stdlib.h>

struct browse {
    const AvahiPoll *poll_api;
    struct mdns_query *query; /* NULL when it has ended */
    AvahiTimeout *timeout;
    int64_t start_us;
    struct boards boards;
    browse_done_fn *done;
    void *userdata;
};

static void stop(struct browse *browse)
{
    if (browse->query)
        mdns_cancel(browse->query);
    if (browse->timeout)
        browse->poll_api->timeout_free(browse->timeout);
    browse->query = NULL;
    browse->timeout = NULL;
}

/* The last thing that a caller does. */
static void finish(struct browse *browse, const struct ota_failure *failure)
{
    stop(browse);
    browse->done(&browse->boards, failure, browse->userdata);
}

static double seconds_since(const struct browse *browse)
{
    return (double)(loop_now_us() - browse->start_us) / 1e6;
}

static void finish_normally(struct browse *browse)
{
    struct ota_failure failure;
    if (browse->boards.count) {
        finish(browse, NULL);
        return;
    }
    fail(&failure, OTA_E_NOT_FOUND,
         "no board announces itself in this network (multicast DNS was asked for %.1f s)",
         seconds_since(browse));
    finish(browse, &failure);
}

static void finish_unavailable(struct browse *browse, const char *reason)
{
    struct ota_failure failure;
    fail(&failure, OTA_E_NO_MDNS, "%s: multicast DNS cannot be asked (%s)",
         browse->boards.count ? "the boards found may not be all" : "boards cannot be looked for",
         reason);
    finish(browse, &failure);
}

static void on_answer(const struct discover_answer *answer, void *userdata)
{
    struct browse *browse = userdata;
    struct ota_failure failure;
    if (answer->event != DISCOVER_FOUND)
        browse->query = NULL;
    if (answer->event == DISCOVER_UNAVAILABLE) {
        finish_unavailable(browse, answer->reason);
    } else if (answer->event == DISCOVER_END) {
        finish_normally(browse);
    } else if (boards_add(&browse->boards, answer) < 0) {
        fail(&failure, OTA_E_INTERNAL, "out of memory");
        finish(browse, &failure);
    }
}

static void on_timeout(AvahiTimeout *timeout, void *userdata)
{
    struct browse *browse = userdata;
    (void)timeout;
    if (browse->boards.count)
        log_warning("after %.1f s not all boards have been heard (-t gives them more time)",
                    seconds_since(browse));
    finish_normally(browse);
}

struct browse *browse_start(const AvahiPoll *poll_api, struct mdns *mdns, int64_t timeout_us,
                            browse_done_fn *done, void *userdata)
{
    struct browse *browse = calloc(1, sizeof *browse);
    if (!browse)
        return NULL;
    *browse = (struct browse){
        .poll_api = poll_api, .start_us = loop_now_us(), .done = done, .userdata = userdata};
    if (loop_arm(poll_api, &browse->timeout, timeout_us, on_timeout, browse) == 0)
        browse->query = mdns_ask(mdns, DISCOVER_BOARDS, "", on_answer, browse);
    if (browse->query)
        return browse;
    browse_free(browse);
    return NULL;
}

void browse_free(struct browse *browse)
{
    if (!browse)
        return;
    stop(browse);
    boards_free(&browse->boards);
    free(browse);
}
