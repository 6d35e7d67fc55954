/*
 * discover.c: questions to avahi-daemon, and their answers as plain values.
 *
 * A question is one or more searches: Avahi resolver objects, each for one name and one address
 * family. Only some of them exist at a time, the others wait for their turn; each is freed as soon
 * as it has answered. Nothing here knows what the answers are for.
 */
#include "discover.h"

#include "daemon.h"
#include "loop.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each search is an object of the daemon, which allows a client 1,024, and traffic in the air. A
 * hostile network could announce services without end. */
enum { SEARCHES_RUNNING_MAX = 32, BOARDS_MAX = 8192 };

/* How long a board that has an IPv6 address is asked for an IPv4 one; for how long a look at all
 * boards tells whether there is one at an address. */
enum { IPV4_GRACE_US = 500000, SURVEY_US = 10000000 };

static const char SERVICE_TYPE[] = "_arduino._tcp";
static const char DOMAIN[] = "local";

struct search {
    struct query *query;
    struct search *next;
    AvahiProtocol family; /* AVAHI_PROTO_UNSPEC: whichever comes first */
    enum { SEARCH_WAITING, SEARCH_RUNNING, SEARCH_ENDED } state;
    AvahiHostNameResolver *host;
    AvahiServiceResolver *service;
    AvahiTimeout *grace;                 /* ends the search for something better than second_best */
    struct discover_answer *second_best; /* has an IPv6 address */
    char instance[DISCOVER_INSTANCE_MAX]; /* DISCOVER_BOARDS only */
};

struct query {
    struct discover *discover;
    struct query *next;
    uint32_t id;
    enum discover_kind kind;
    bool is_browse_due;
    AvahiServiceBrowser *browser; /* until it has told all that it knows for now */
    struct search *searches;      /* those that have ended, too, oldest first */
    struct search *last;
    struct search *waiting; /* the first one that has not been started */
    size_t search_count;
    size_t ended_count;
    void *by_instance; /* tsearch(3): every interface and family announces an instance again */
    char name[DISCOVER_NAME_MAX];
    struct address address;    /* DISCOVER_ADDRESS only */
    const struct heard *heard; /* the last one that was compared with it */
};

/* What the survey has found. */
struct heard {
    struct heard *next;
    struct discover_answer answer;
};

struct discover {
    const AvahiPoll *poll_api;
    struct daemon *daemon;
    const struct avahi *avahi;
    discover_answer_fn *on_answer;
    discover_lost_fn *on_lost;
    void *userdata;
    struct query *queries; /* oldest first */
    size_t running;
    /* A look at all boards for all questions about addresses; it stands in the queue before them.
     */
    struct query *survey; /* NULL: it is over */
    int64_t survey_us;    /* when it began; 0: never */
    struct heard *heard;  /* oldest first */
    struct heard *heard_last;
};

/* Avahi writes what is unusual in a host name in decimal, as in "My\032Lamp.local": here it is as a
 * person would type it. What separates labels, and what nobody could type, stays as it is. */
static void unescape_host(char target[DISCOVER_NAME_MAX], const char *host)
{
    size_t length = 0;
    while (*host && length < DISCOVER_NAME_MAX - 1) {
        unsigned value = 0;
        size_t digits = *host == '\\' ? strspn(host + 1, "0123456789") : 0;
        for (size_t i = 1; digits >= 3 && i <= 3; i++)
            value = value * 10 + (unsigned)(host[i] - '0');
        bool is_typed = value >= ' ' && value <= UINT8_MAX && value != '.' && value != '\\';
        target[length++] = is_typed ? (char)value : *host;
        host += is_typed ? 4 : 1;
    }
    target[length] = '\0';
}

/* Frees what Avahi has of it. */
static void search_stop(struct search *search)
{
    struct discover *discover = search->query->discover;
    if (search->host)
        discover->avahi->host_name_resolver_free(search->host);
    if (search->service)
        discover->avahi->service_resolver_free(search->service);
    if (search->grace)
        discover->poll_api->timeout_free(search->grace);
    free(search->second_best);
    search->host = NULL;
    search->service = NULL;
    search->grace = NULL;
    search->second_best = NULL;
    if (search->state == SEARCH_RUNNING)
        discover->running--;
}

static void search_release(struct search *search)
{
    search_stop(search);
    if (search->state != SEARCH_ENDED)
        search->query->ended_count++;
    search->state = SEARCH_ENDED;
}

static void keep(void *search)
{
    (void)search;
}

static void query_free(struct query *query)
{
    if (query->browser)
        query->discover->avahi->service_browser_free(query->browser);
    tdestroy(query->by_instance, keep);
    while (query->searches) {
        struct search *search = query->searches;
        query->searches = search->next;
        search_release(search);
        free(search);
    }
    free(query);
}

static void query_end(struct query *query)
{
    struct query **link = &query->discover->queries;
    while (*link != query)
        link = &(*link)->next;
    *link = query->next;
    if (query == query->discover->survey)
        query->discover->survey = NULL;
    query_free(query);
}

static bool is_ended(const struct query *query)
{
    return !query->is_browse_due && !query->browser && query->ended_count == query->search_count &&
           (query->kind != DISCOVER_ADDRESS || !query->discover->survey);
}

/* Memory that runs out here costs a question its answer, which it can do without. */
static void hear(struct discover *discover, const struct discover_answer *answer)
{
    struct heard *heard = answer->has_address ? malloc(sizeof *heard) : NULL;
    if (!heard)
        return;
    *heard = (struct heard){.answer = *answer};
    if (discover->heard_last)
        discover->heard_last->next = heard;
    else
        discover->heard = heard;
    discover->heard_last = heard;
}

static void report(const struct query *query, const struct discover_answer *answer)
{
    struct discover *discover = query->discover;
    if (query == discover->survey)
        hear(discover, answer);
    else
        discover->on_answer(query->id, answer, discover->userdata);
}

static void pump(struct discover *discover);

static void on_host(AvahiHostNameResolver *resolver, AvahiIfIndex interface, AvahiProtocol protocol,
                    AvahiResolverEvent event, const char *name, const AvahiAddress *address,
                    AvahiLookupResultFlags flags, void *userdata)
{
    struct search *search = userdata;
    struct discover *discover = search->query->discover;
    struct discover_answer answer = {.event = DISCOVER_FOUND};
    (void)resolver;
    (void)protocol;
    (void)flags;
    if (event == AVAHI_RESOLVER_FOUND && address) {
        answer.has_address = avahi_to_address(&answer.address, address, interface);
        unescape_host(answer.host, name);
        if (answer.has_address)
            report(search->query, &answer);
    }
    search_release(search);
    pump(discover);
}

static void search_end(struct search *search)
{
    struct discover *discover = search->query->discover;
    if (search->second_best)
        report(search->query, search->second_best);
    search_release(search);
    pump(discover);
}

static void on_grace(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    search_end(userdata);
}

static void search_create(struct search *search);

/* Whether an IPv4 address is looked for as well, as most programs on boards know nothing else. */
static bool search_on(struct search *search, const struct discover_answer *answer)
{
    struct discover *discover = search->query->discover;
    struct discover_answer *copy = malloc(sizeof *copy);
    if (!copy ||
        loop_arm(discover->poll_api, &search->grace, IPV4_GRACE_US, on_grace, search) < 0) {
        free(copy);
        return false;
    }
    *copy = *answer;
    search->second_best = copy;
    search->family = AVAHI_PROTO_INET;
    discover->avahi->service_resolver_free(search->service);
    search_create(search);
    return true;
}

static void on_service(AvahiServiceResolver *resolver, AvahiIfIndex interface,
                       AvahiProtocol protocol, AvahiResolverEvent event, const char *name,
                       const char *type, const char *domain, const char *host_name,
                       const AvahiAddress *address, uint16_t port, AvahiStringList *txt,
                       AvahiLookupResultFlags flags, void *userdata)
{
    struct search *search = userdata;
    struct discover_answer answer = {.event = DISCOVER_FOUND, .port = port};
    (void)resolver;
    (void)protocol;
    (void)type;
    (void)domain;
    (void)flags;
    if (event != AVAHI_RESOLVER_FOUND) {
        search_end(search);
        return;
    }
    if (address)
        answer.has_address = avahi_to_address(&answer.address, address, interface);
    answer.password = txt_flag(txt, "auth_upload");
    txt_value(answer.type, sizeof answer.type, txt, "board");
    snprintf(answer.instance, sizeof answer.instance, "%s", name);
    unescape_host(answer.host, host_name ? host_name : "");
    if (search->family == AVAHI_PROTO_UNSPEC && address && address->proto == AVAHI_PROTO_INET6 &&
        search_on(search, &answer))
        return;
    if (answer.has_address || !search->second_best) {
        free(search->second_best);
        search->second_best = NULL;
        report(search->query, &answer);
    }
    search_end(search);
}

/* Creates the Avahi object. */
static void search_create(struct search *search)
{
    const struct query *query = search->query;
    const struct discover *discover = query->discover;
    bool is_board = query->kind == DISCOVER_BOARDS;
    search->service = NULL;
    if (query->kind == DISCOVER_HOST)
        search->host = discover->avahi->host_name_resolver_new(
            daemon_client(discover->daemon), AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, query->name,
            search->family, AVAHI_LOOKUP_USE_MULTICAST, on_host, search);
    else
        search->service = discover->avahi->service_resolver_new(
            daemon_client(discover->daemon), AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
            is_board ? search->instance : query->name, SERVICE_TYPE, DOMAIN, search->family,
            AVAHI_LOOKUP_USE_MULTICAST, on_service, search);
}

/* One that cannot be made (an impossible name, no memory) has ended. */
static void search_start(struct search *search)
{
    search->state = SEARCH_RUNNING;
    search->query->discover->running++;
    search_create(search);
    if (!search->host && !search->service)
        search_release(search);
}

static struct search *search_new(struct query *query, AvahiProtocol family, const char *instance)
{
    struct search *search = calloc(1, sizeof *search);
    if (!search)
        return NULL;
    search->query = query;
    search->family = family;
    snprintf(search->instance, sizeof search->instance, "%s", instance);
    return search;
}

/* NULL: memory ran out, and there is one search less. */
static void search_add(struct query *query, struct search *search)
{
    if (!search)
        return;
    if (query->last)
        query->last->next = search;
    else
        query->searches = search;
    query->last = search;
    if (!query->waiting)
        query->waiting = search;
    query->search_count++;
}

static int compare_instances(const void *a, const void *b)
{
    return strcmp(((const struct search *)a)->instance, ((const struct search *)b)->instance);
}

static void board_seen(struct query *query, const char *instance)
{
    if (query->search_count == BOARDS_MAX)
        return;
    struct search *search = search_new(query, AVAHI_PROTO_UNSPEC, instance);
    struct search **node = search ? tsearch(search, &query->by_instance, compare_instances) : NULL;
    if (!node || *node != search) {
        free(search);
        return;
    }
    search_add(query, search);
    struct discover_answer answer = {.event = DISCOVER_FOUND};
    memcpy(answer.instance, search->instance, sizeof answer.instance);
    report(query, &answer);
}

/* Avahi cannot browse: that is not the same as a network without boards. */
static void query_fail(struct query *query)
{
    struct discover *discover = query->discover;
    struct discover_answer answer = {.event = DISCOVER_UNAVAILABLE};
    daemon_describe(discover->daemon, answer.reason, sizeof answer.reason);
    report(query, &answer);
    query_end(query);
}

static void on_browse(AvahiServiceBrowser *browser, AvahiIfIndex interface, AvahiProtocol protocol,
                      AvahiBrowserEvent event, const char *name, const char *type,
                      const char *domain, AvahiLookupResultFlags flags, void *userdata)
{
    struct query *query = userdata;
    struct discover *discover = query->discover;
    (void)interface;
    (void)protocol;
    (void)type;
    (void)domain;
    (void)flags;
    if (event == AVAHI_BROWSER_NEW)
        board_seen(query, name);
    if (event == AVAHI_BROWSER_FAILURE)
        query_fail(query);
    if (event == AVAHI_BROWSER_ALL_FOR_NOW) {
        query->browser = NULL;
        discover->avahi->service_browser_free(browser);
    }
    pump(discover);
}

static void browse(struct query *query)
{
    const struct discover *discover = query->discover;
    query->is_browse_due = false;
    query->browser = discover->avahi->service_browser_new(
        daemon_client(discover->daemon), AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, SERVICE_TYPE, DOMAIN,
        AVAHI_LOOKUP_USE_MULTICAST, on_browse, query);
}

/* Reports what the survey has found at the address since the last time. */
static void compare_heard(struct query *query)
{
    const struct heard *heard = query->heard ? query->heard->next : query->discover->heard;
    for (; heard; heard = heard->next) {
        query->heard = heard;
        if (address_equal(&heard->answer.address, &query->address))
            report(query, &heard->answer);
    }
}

/* Starts what waits, as far as the limit allows, and ends the query when nothing is left. */
static void query_pump(struct query *query)
{
    const struct discover *discover = query->discover;
    if (query->is_browse_due) {
        browse(query);
        if (!query->browser) {
            query_fail(query);
            return;
        }
    }
    if (query->kind == DISCOVER_ADDRESS)
        compare_heard(query);
    while (query->waiting && discover->running < SEARCHES_RUNNING_MAX) {
        struct search *search = query->waiting;
        query->waiting = search->next;
        if (search->state == SEARCH_WAITING)
            search_start(search);
    }
    if (is_ended(query)) {
        report(query, &(struct discover_answer){.event = DISCOVER_END});
        query_end(query);
    }
}

static void pump(struct discover *discover)
{
    struct query *next;
    for (struct query *query = discover->queries; query; query = next) {
        next = query->next;
        if (daemon_client(discover->daemon))
            query_pump(query);
    }
}

/* Puts a new query at the end of the queue; NULL when memory ran out. */
static struct query *query_add(struct discover *discover, uint32_t id, enum discover_kind kind)
{
    struct query *query = calloc(1, sizeof *query);
    if (!query)
        return NULL;
    *query = (struct query){
        .discover = discover, .id = id, .kind = kind, .is_browse_due = kind == DISCOVER_BOARDS};
    struct query **link = &discover->queries;
    while (*link)
        link = &(*link)->next;
    *link = query;
    return query;
}

static void forget_heard(struct discover *discover)
{
    while (discover->heard) {
        struct heard *heard = discover->heard;
        discover->heard = heard->next;
        free(heard);
    }
    discover->heard_last = NULL;
}

/* Looks at all boards, unless that is under way or was done a moment ago. */
static void start_survey(struct discover *discover)
{
    int64_t now_us = loop_now_us();
    if (discover->survey || (discover->survey_us && now_us - discover->survey_us < SURVEY_US))
        return;
    forget_heard(discover);
    discover->survey_us = now_us;
    discover->survey = query_add(discover, 0, DISCOVER_BOARDS);
}

void discover_ask(struct discover *discover, uint32_t id, enum discover_kind kind, const char *name)
{
    if (kind == DISCOVER_ADDRESS)
        start_survey(discover);
    struct query *query = query_add(discover, id, kind);
    if (!query) {
        discover->on_answer(id, &(struct discover_answer){.event = DISCOVER_END},
                            discover->userdata);
        return;
    }
    snprintf(query->name, sizeof query->name, "%s", name);
    if (kind == DISCOVER_ADDRESS) {
        address_parse(&query->address, name);
    } else if (kind != DISCOVER_BOARDS) {
        search_add(query, search_new(query, AVAHI_PROTO_INET, ""));
        search_add(query, search_new(query, AVAHI_PROTO_INET6, ""));
    }
    pump(discover);
}

void discover_cancel(struct discover *discover, uint32_t id)
{
    struct query *query = discover->queries;
    while (query && query->id != id)
        query = query->next;
    if (!query)
        return;
    query_end(query);
    pump(discover);
}

/* What was not answered will be asked again, should there be another daemon. */
static void query_suspend(struct query *query)
{
    if (query->browser) {
        query->discover->avahi->service_browser_free(query->browser);
        query->browser = NULL;
        query->is_browse_due = true;
    }
    for (struct search *search = query->searches; search; search = search->next) {
        if (search->state != SEARCH_RUNNING)
            continue;
        search_stop(search);
        search->state = SEARCH_WAITING;
        if (query->kind == DISCOVER_BOARDS)
            search->family = AVAHI_PROTO_UNSPEC;
    }
    query->waiting = query->searches;
}

static bool handle_gone(void *userdata)
{
    struct discover *discover = userdata;
    for (struct query *query = discover->queries; query; query = query->next)
        query_suspend(query);
    return discover->queries != NULL;
}

static void handle_back(void *userdata)
{
    pump(userdata);
}

static void handle_lost(const char *reason, void *userdata)
{
    const struct discover *discover = userdata;
    discover->on_lost(reason, discover->userdata);
}

struct discover *discover_new(const AvahiPoll *poll_api, discover_answer_fn *on_answer,
                              discover_lost_fn *on_lost, void *userdata,
                              char reason[DISCOVER_REASON_MAX])
{
    struct discover *discover = calloc(1, sizeof *discover);
    if (!discover) {
        snprintf(reason, DISCOVER_REASON_MAX, "out of memory");
        return NULL;
    }
    *discover = (struct discover){
        .poll_api = poll_api, .on_answer = on_answer, .on_lost = on_lost, .userdata = userdata};
    const struct daemon_callbacks callbacks = {.on_gone = handle_gone,
                                               .on_back = handle_back,
                                               .on_lost = handle_lost,
                                               .userdata = discover};
    discover->daemon = daemon_connect(poll_api, &callbacks, reason, DISCOVER_REASON_MAX);
    if (discover->daemon) {
        discover->avahi = daemon_avahi(discover->daemon);
        return discover;
    }
    free(discover);
    return NULL;
}

void discover_free(struct discover *discover)
{
    if (!discover)
        return;
    while (discover->queries) {
        struct query *query = discover->queries;
        discover->queries = query->next;
        query_free(query);
    }
    forget_heard(discover);
    daemon_free(discover->daemon);
    free(discover);
}
