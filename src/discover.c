/*
 * discover.c: questions to avahi-daemon, and their answers as plain values.
 *
 * A question is one or more searches: Avahi resolver objects, each for one name and one address
 * family. Only some of them exist at a time, the others wait for their turn; each is freed as soon
 * as it has answered. Nothing here knows what the answers are for.
 */
#include "discover.h"

#include "avahi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each search is an object of the daemon, which allows a client 1,024, and traffic in the air. A
 * hostile network could announce services without end. */
enum { SEARCHES_RUNNING_MAX = 32, SERVICES_MAX = 8192 };

static const char SERVICE_TYPE[] = "_arduino._tcp";
static const char DOMAIN[] = "local";

struct search {
    struct query *query;
    struct search *next;
    AvahiProtocol family; /* AVAHI_PROTO_UNSPEC: port and host only */
    enum { SEARCH_WAITING, SEARCH_RUNNING, SEARCH_ENDED } state;
    AvahiHostNameResolver *host;
    AvahiServiceResolver *service;
    char instance[DISCOVER_INSTANCE_MAX]; /* DISCOVER_SERVICES only */
};

struct query {
    struct discover *discover;
    struct query *next;
    uint32_t id;
    enum discover_kind kind;
    AvahiServiceBrowser *browser; /* until it has told all that it knows for now */
    struct search *searches;
    size_t search_count;
    char name[DISCOVER_NAME_MAX];
};

struct discover {
    struct avahi avahi;
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
    search->host = NULL;
    search->service = NULL;
    if (search->state == SEARCH_RUNNING)
        discover->running--;
    search->state = SEARCH_ENDED;
}

static void query_free(struct query *query)
{
    if (query->browser)
        query->discover->avahi.service_browser_free(query->browser);
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
    for (const struct search *search = query->searches; search; search = search->next)
        if (search->state != SEARCH_ENDED)
            return false;
    return !query->browser;
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

static void report_found(const struct query *query, const struct discover_answer *answer)
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
            report_found(search->query, &answer);
    }
    search_release(search);
    pump(discover);
}

static void on_service(AvahiServiceResolver *resolver, AvahiIfIndex interface,
                       AvahiProtocol protocol, AvahiResolverEvent event, const char *name,
                       const char *type, const char *domain, const char *host_name,
                       const AvahiAddress *address, uint16_t port, AvahiStringList *txt,
                       AvahiLookupResultFlags flags, void *userdata)
{
    struct search *search = userdata;
    struct discover *discover = search->query->discover;
    struct discover_answer answer = {.event = DISCOVER_FOUND, .port = port};
    (void)resolver;
    (void)protocol;
    (void)type;
    (void)domain;
    (void)txt;
    (void)flags;
    if (event == AVAHI_RESOLVER_FOUND) {
        if (address && search->family != AVAHI_PROTO_UNSPEC)
            answer.has_address = address_from_avahi(&answer.address, address, interface);
        snprintf(answer.instance, sizeof answer.instance, "%s", name);
        snprintf(answer.host, sizeof answer.host, "%s", host_name ? host_name : "");
        report_found(search->query, &answer);
    }
    search_release(search);
    pump(discover);
}

/* Creates the Avahi object. One that cannot be made (an impossible name, no memory) has ended. */
static void search_start(struct search *search)
{
    const struct query *query = search->query;
    struct discover *discover = query->discover;
    bool with_address = search->family != AVAHI_PROTO_UNSPEC;
    search->state = SEARCH_RUNNING;
    discover->running++;
    if (query->kind == DISCOVER_HOST)
        search->host = discover->avahi.host_name_resolver_new(
            discover->client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, query->name, search->family,
            AVAHI_LOOKUP_USE_MULTICAST, on_host, search);
    else
        search->service = discover->avahi.service_resolver_new(
            discover->client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
            query->kind == DISCOVER_SERVICES ? search->instance : query->name, SERVICE_TYPE, DOMAIN,
            search->family,
            (AvahiLookupFlags)(AVAHI_LOOKUP_USE_MULTICAST | AVAHI_LOOKUP_NO_TXT |
                               (with_address ? 0 : AVAHI_LOOKUP_NO_ADDRESS)),
            on_service, search);
    if (!search->host && !search->service)
        search_release(search);
}

/* Starts what waits, as far as the limit allows, and ends the questions that have nothing left. */
static void pump(struct discover *discover)
{
    struct query *next;
    for (struct query *query = discover->queries; query; query = next) {
        next = query->next;
        for (struct search *search = query->searches; search; search = search->next) {
            if (discover->running == SEARCHES_RUNNING_MAX)
                break;
            if (search->state == SEARCH_WAITING)
                search_start(search);
        }
        if (is_ended(query)) {
            report_found(query, &(struct discover_answer){.event = DISCOVER_END});
            query_end(query);
        }
    }
}

static void search_add(struct query *query, AvahiProtocol family, const char *instance)
{
    struct search *search = calloc(1, sizeof *search);
    if (!search)
        return;
    search->query = query;
    search->family = family;
    snprintf(search->instance, sizeof search->instance, "%s", instance);
    struct search **link = &query->searches;
    while (*link)
        link = &(*link)->next;
    *link = search;
    query->search_count++;
}

/* Every interface and address family announces a service again. */
static bool is_known(const struct query *query, const char *instance)
{
    for (const struct search *search = query->searches; search; search = search->next)
        if (strcmp(search->instance, instance) == 0)
            return true;
    return false;
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
    if (event == AVAHI_BROWSER_NEW && query->search_count < SERVICES_MAX && !is_known(query, name))
        search_add(query, AVAHI_PROTO_UNSPEC, name);
    if (event == AVAHI_BROWSER_ALL_FOR_NOW || event == AVAHI_BROWSER_FAILURE) {
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
    if (kind == DISCOVER_SERVICES) {
        query->browser = discover->avahi.service_browser_new(
            discover->client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, SERVICE_TYPE, DOMAIN,
            AVAHI_LOOKUP_USE_MULTICAST, on_browse, query);
    } else {
        search_add(query, AVAHI_PROTO_INET, "");
        search_add(query, AVAHI_PROTO_INET6, "");
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

static void describe(const struct discover *discover, char reason[DISCOVER_REASON_MAX], int error)
{
    if (error == AVAHI_ERR_DISCONNECTED)
        snprintf(reason, DISCOVER_REASON_MAX, "avahi-daemon or the D-Bus system bus has gone");
    else if (error == AVAHI_ERR_NO_DAEMON || error == AVAHI_ERR_DBUS_ERROR)
        snprintf(reason, DISCOVER_REASON_MAX, "the D-Bus system bus cannot be reached");
    else
        snprintf(reason, DISCOVER_REASON_MAX, "avahi-daemon: %s", discover->avahi.strerror(error));
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
    *discover = (struct discover){.on_answer = on_answer, .on_lost = on_lost, .userdata = userdata};
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
