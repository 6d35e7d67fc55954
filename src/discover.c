/*
 * discover.c: questions to avahi-daemon, and their answers as plain values.
 *
 * A question is one or more searches: Avahi resolver objects, each for one name and one address
 * family. Only some of them exist at a time, the others wait for their turn; each is freed as soon
 * as it has answered. Nothing here knows what the answers are for.
 */
#include "discover.h"

#include "avahi.h"
#include "loop.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each search is an object of the daemon, which allows a client 1,024, and traffic in the air. A
 * hostile network could announce services without end. */
enum { SEARCHES_RUNNING_MAX = 32, BOARDS_MAX = 8192 };

/* How long a board that has an IPv6 address is asked for an IPv4 one. */
enum { IPV4_GRACE_US = 500000 };

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
    AvahiServiceBrowser *browser; /* until it has told all that it knows for now */
    struct search *searches;      /* those that have ended, too, oldest first */
    struct search *last;
    struct search *waiting; /* the first one that has not been started */
    size_t search_count;
    size_t ended_count;
    void *by_instance; /* tsearch(3): every interface and family announces an instance again */
    char name[DISCOVER_NAME_MAX];
};

struct discover {
    struct avahi avahi;
    const AvahiPoll *poll_api;
    AvahiClient *client;
    discover_answer_fn *on_answer;
    discover_lost_fn *on_lost;
    void *userdata;
    struct query *queries; /* oldest first */
    size_t running;
};

static void search_release(struct search *search)
{
    struct discover *discover = search->query->discover;
    if (search->host)
        discover->avahi.host_name_resolver_free(search->host);
    if (search->service)
        discover->avahi.service_resolver_free(search->service);
    if (search->grace)
        discover->poll_api->timeout_free(search->grace);
    free(search->second_best);
    search->host = NULL;
    search->service = NULL;
    search->grace = NULL;
    search->second_best = NULL;
    if (search->state == SEARCH_RUNNING)
        discover->running--;
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
        query->discover->avahi.service_browser_free(query->browser);
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
    query_free(query);
}

static bool is_ended(const struct query *query)
{
    return !query->browser && query->ended_count == query->search_count;
}

static bool address_is_usable(const struct address *address)
{
    if (address->any.sa_family == AF_INET)
        return address->v4.sin_addr.s_addr != htonl(INADDR_ANY) &&
               !IN_MULTICAST(ntohl(address->v4.sin_addr.s_addr));
    return !IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr) &&
           !IN6_IS_ADDR_MULTICAST(&address->v6.sin6_addr);
}

/* A link-local address means something only together with the interface that the answer came in
 * on. */
static bool address_from_avahi(struct address *address, const AvahiAddress *source,
                               AvahiIfIndex interface)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool known;
    if (source->proto == AVAHI_PROTO_INET) {
        v4.sin_addr.s_addr = source->data.ipv4.address;
        known = address_from(address, (struct sockaddr *)&v4, sizeof v4);
    } else {
        memcpy(&v6.sin6_addr, source->data.ipv6.address, sizeof v6.sin6_addr);
        if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) && interface > 0)
            v6.sin6_scope_id = (uint32_t)interface;
        known = address_from(address, (struct sockaddr *)&v6, sizeof v6);
    }
    return known && address_is_usable(address);
}

static void report(const struct query *query, const struct discover_answer *answer)
{
    query->discover->on_answer(query->id, answer, query->discover->userdata);
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
        answer.has_address = address_from_avahi(&answer.address, address, interface);
        snprintf(answer.host, sizeof answer.host, "%s", name);
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
    discover->avahi.service_resolver_free(search->service);
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
        answer.has_address = address_from_avahi(&answer.address, address, interface);
    answer.password = txt_flag(txt, "auth_upload");
    txt_value(answer.type, sizeof answer.type, txt, "board");
    snprintf(answer.instance, sizeof answer.instance, "%s", name);
    snprintf(answer.host, sizeof answer.host, "%s", host_name ? host_name : "");
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
        search->host = discover->avahi.host_name_resolver_new(
            discover->client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, query->name, search->family,
            AVAHI_LOOKUP_USE_MULTICAST, on_host, search);
    else
        search->service = discover->avahi.service_resolver_new(
            discover->client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
            is_board ? search->instance : query->name, SERVICE_TYPE, DOMAIN, search->family,
            (AvahiLookupFlags)(AVAHI_LOOKUP_USE_MULTICAST | (is_board ? 0 : AVAHI_LOOKUP_NO_TXT)),
            on_service, search);
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

/* Starts what waits, as far as the limit allows, and ends the questions that have nothing left. */
static void pump(struct discover *discover)
{
    struct query *next;
    for (struct query *query = discover->queries; query; query = next) {
        next = query->next;
        while (query->waiting && discover->running < SEARCHES_RUNNING_MAX) {
            struct search *search = query->waiting;
            query->waiting = search->next;
            search_start(search);
        }
        if (is_ended(query)) {
            report(query, &(struct discover_answer){.event = DISCOVER_END});
            query_end(query);
        }
    }
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

static void describe(const struct discover *discover, char reason[DISCOVER_REASON_MAX], int error)
{
    if (error == AVAHI_ERR_DISCONNECTED)
        snprintf(reason, DISCOVER_REASON_MAX, "avahi-daemon or the D-Bus system bus has gone");
    else if (error == AVAHI_ERR_NO_DAEMON || error == AVAHI_ERR_DBUS_ERROR)
        snprintf(reason, DISCOVER_REASON_MAX, "the D-Bus system bus cannot be reached");
    else
        snprintf(reason, DISCOVER_REASON_MAX, "avahi-daemon: %s", discover->avahi.strerror(error));
}

/* Avahi cannot browse: that is not the same as a network without boards. */
static void query_fail(struct query *query)
{
    struct discover *discover = query->discover;
    struct discover_answer answer = {.event = DISCOVER_UNAVAILABLE};
    describe(discover, answer.reason, discover->avahi.client_errno(discover->client));
    report(query, &answer);
    query_end(query);
    pump(discover);
}

static void on_browse(AvahiServiceBrowser *browser, AvahiIfIndex interface, AvahiProtocol protocol,
                      AvahiBrowserEvent event, const char *name, const char *type,
                      const char *domain, AvahiLookupResultFlags flags, void *userdata)
{
    struct query *query = userdata;
    (void)interface;
    (void)protocol;
    (void)type;
    (void)domain;
    (void)flags;
    if (event == AVAHI_BROWSER_NEW)
        board_seen(query, name);
    if (event == AVAHI_BROWSER_FAILURE) {
        query_fail(query);
        return;
    }
    if (event == AVAHI_BROWSER_ALL_FOR_NOW) {
        query->browser = NULL;
        query->discover->avahi.service_browser_free(browser);
    }
    pump(query->discover);
}

void discover_ask(struct discover *discover, uint32_t id, enum discover_kind kind, const char *name)
{
    struct query *query = calloc(1, sizeof *query);
    if (!query) {
        discover->on_answer(id, &(struct discover_answer){.event = DISCOVER_END},
                            discover->userdata);
        return;
    }
    *query = (struct query){.discover = discover, .id = id, .kind = kind};
    snprintf(query->name, sizeof query->name, "%s", name);
    struct query **link = &discover->queries;
    while (*link)
        link = &(*link)->next;
    *link = query;
    if (kind == DISCOVER_BOARDS) {
        query->browser = discover->avahi.service_browser_new(
            discover->client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, SERVICE_TYPE, DOMAIN,
            AVAHI_LOOKUP_USE_MULTICAST, on_browse, query);
        if (!query->browser) {
            query_fail(query);
            return;
        }
    } else {
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

static void on_client(AvahiClient *client, AvahiClientState state, void *userdata)
{
    struct discover *discover = userdata;
    /* The first call comes from within avahi_client_new(), whose caller sees the state itself. */
    if (!discover->client || (state != AVAHI_CLIENT_FAILURE && state != AVAHI_CLIENT_CONNECTING))
        return;
    char reason[DISCOVER_REASON_MAX];
    describe(discover, reason,
             state == AVAHI_CLIENT_CONNECTING ? AVAHI_ERR_DISCONNECTED
                                              : discover->avahi.client_errno(client));
    discover->on_lost(reason, discover->userdata);
}

/* Without AVAHI_CLIENT_NO_FAIL Avahi would say "no daemon" when there is no bus, too. */
static AvahiClient *connect_client(struct discover *discover, const AvahiPoll *poll_api,
                                   char reason[DISCOVER_REASON_MAX])
{
    const struct avahi *avahi = &discover->avahi;
    int error;
    AvahiClient *client =
        avahi->client_new(poll_api, AVAHI_CLIENT_NO_FAIL, on_client, discover, &error);
    if (!client) {
        describe(discover, reason, error);
    } else if (avahi->client_get_state(client) == AVAHI_CLIENT_CONNECTING) {
        snprintf(reason, DISCOVER_REASON_MAX,
                 "avahi-daemon is not on the D-Bus system bus, or the bus denies access to it");
        avahi->client_free(client);
        client = NULL;
    }
    return client;
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
    const char *missing = avahi_load(&discover->avahi);
    if (missing)
        snprintf(reason, DISCOVER_REASON_MAX, "%s", missing);
    else
        discover->client = connect_client(discover, poll_api, reason);
    if (discover->client)
        return discover;
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
    discover->avahi.client_free(discover->client);
    free(discover);
}
