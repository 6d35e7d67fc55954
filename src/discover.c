/*
 * discover.c: questions to avahi-daemon, and their answers as plain values.
 *
 * A question is one or more searches: Avahi objects, each for one name and one address family. A
 * resolver gives one answer; a browser gives all addresses, also those of a second board that calls
 * itself the same. Only some of the objects exist at a time, the others wait for their turn.
 * Nothing here knows what the answers are for.
 */
#include "discover.h"

#include "daemon.h"
#include "loop.h"
#include "srv.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Each search is an object of the daemon, which allows a client 1,024, and traffic in the air. A
 * look for further addresses takes its time however quick the answers are. A hostile network could
 * announce services without end. */
enum { SERVICES_RUNNING_MAX = 32, RECORDS_RUNNING_MAX = 256, BOARDS_MAX = 8192 };

enum {
    IPV4_GRACE_US = 500000,     /* for a board that has an IPv6 address to tell an IPv4 one */
    NAMESAKE_GRACE_US = 400000, /* for others to claim the name of a board that is listed */
    HOST_US = 5000000,          /* for a host to answer at all */
    SURVEY_US = 10000000,       /* a look at all boards tells so long what is at an address */
};

/* "INSTANCE._arduino._tcp.local", with every byte of the instance escaped. */
enum { SERVICE_NAME_MAX = 2 * DISCOVER_NAME_MAX };

/* DNS (RFC 1035, RFC 2782, RFC 3596). */
enum { CLASS_IN = 1, RECORD_A = 1, RECORD_AAAA = 28, RECORD_SRV = 33 };

static const char SERVICE_TYPE[] = "_arduino._tcp";
static const char DOMAIN[] = "local";

struct search {
    struct query *query;
    struct search *next;
    AvahiProtocol family; /* AVAHI_PROTO_UNSPEC: whichever comes first */
    enum { SEARCH_WAITING, SEARCH_RUNNING, SEARCH_ENDED } state;
    AvahiServiceResolver *service;
    AvahiRecordBrowser *records;
    uint16_t record;                      /* the type that is browsed; 0: a service is resolved */
    bool has_found;                       /* an address in such a record */
    AvahiTimeout *grace;                  /* ends the search */
    struct discover_answer *second_best;  /* of a service: has an IPv6 address */
    struct discover_answer *facts;        /* of the service whose host's records are browsed */
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
    size_t board_count; /* of DISCOVER_BOARDS */
    void *by_instance;  /* tsearch(3): every interface and family announces an instance again */
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
    size_t services_running;
    size_t records_running;
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
        const uint8_t byte = is_typed ? (uint8_t)value : (uint8_t)*host;
        memcpy(&target[length++], &byte, sizeof byte);
        host += is_typed ? 4 : 1;
    }
    target[length] = '\0';
}

/* How many of its kind are running. */
static size_t *running_like(const struct search *search)
{
    struct discover *discover = search->query->discover;
    return search->record ? &discover->records_running : &discover->services_running;
}

/* Frees what Avahi has of it. */
static void search_stop(struct search *search)
{
    struct discover *discover = search->query->discover;
    if (search->records)
        discover->avahi->record_browser_free(search->records);
    if (search->service)
        discover->avahi->service_resolver_free(search->service);
    if (search->grace)
        discover->poll_api->timeout_free(search->grace);
    free(search->second_best);
    search->records = NULL;
    search->service = NULL;
    search->grace = NULL;
    search->second_best = NULL;
    if (search->state == SEARCH_RUNNING)
        --*running_like(search);
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
        free(search->facts);
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

static void search_end(struct search *search);

static void on_grace(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    search_end(userdata);
}

static void name_interface(struct discover_answer *answer, AvahiIfIndex interface)
{
    if (interface <= 0 || !if_indextoname((unsigned)interface, answer->interface))
        answer->interface[0] = '\0';
}

/* The rest of a record of type A or AAAA is the address. */
static bool record_address(struct discover_answer *answer, uint16_t type, const void *data,
                           size_t size, AvahiIfIndex interface)
{
    AvahiAddress address = {.proto = type == RECORD_A ? AVAHI_PROTO_INET : AVAHI_PROTO_INET6};
    size_t length = type == RECORD_A ? sizeof address.data.ipv4 : sizeof address.data.ipv6;
    if (size != length)
        return false;
    memcpy(&address.data, data, length);
    name_interface(answer, interface);
    answer->has_address = avahi_to_address(&answer->address, &address, interface);
    return answer->has_address;
}

static void add_record_searches(struct query *query, const struct discover_answer *facts);

/* A second board may call its service the same, and have another host. What else it says of itself
 * is not known. */
static void follow_service(struct search *search, const void *data, size_t size)
{
    struct discover_answer other = {.event = DISCOVER_FOUND, .is_further = true};
    char host[DISCOVER_NAME_MAX];
    if (!srv_parse(host, sizeof host, &other.port, data, size))
        return;
    unescape_host(other.host, host);
    memcpy(other.instance, search->facts->instance, sizeof other.instance);
    if (strcasecmp(other.host, search->facts->host) != 0)
        add_record_searches(search->query, &other);
}

static void on_record(AvahiRecordBrowser *browser, AvahiIfIndex interface, AvahiProtocol protocol,
                      AvahiBrowserEvent event, const char *name, uint16_t class, uint16_t type,
                      const void *data, size_t size, AvahiLookupResultFlags flags, void *userdata)
{
    struct search *search = userdata;
    struct discover_answer answer = {.event = DISCOVER_FOUND};
    (void)browser;
    (void)protocol;
    (void)class;
    (void)flags;
    if (event == AVAHI_BROWSER_NEW && type == RECORD_SRV) {
        follow_service(search, data, size);
        pump(search->query->discover);
        return;
    }
    if (event == AVAHI_BROWSER_NEW) {
        if (search->facts)
            answer = *search->facts;
        else
            unescape_host(answer.host, name);
        bool has_address = record_address(&answer, type, data, size, interface);
        search->has_found |= has_address;
        if (has_address)
            report(search->query, &answer);
        pump(search->query->discover);
        return;
    }
    /* A host that has not answered by then may be asleep. */
    if (event == AVAHI_BROWSER_FAILURE ||
        (event == AVAHI_BROWSER_ALL_FOR_NOW && (search->has_found || search->facts)))
        search_end(search);
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

/* facts: the service whose host's records are browsed; NULL: the host that the question names. */
static struct search *search_new_record(struct query *query, uint16_t type,
                                        const struct discover_answer *facts)
{
    struct search *search = search_new(query, AVAHI_PROTO_UNSPEC, "");
    if (!search)
        return NULL;
    search->record = type;
    if (!facts)
        return search;
    search->facts = malloc(sizeof *facts);
    if (!search->facts) {
        free(search);
        return NULL;
    }
    *search->facts = *facts;
    search->facts->is_further = true;
    return search;
}

/* Both families of a service, and all interfaces, lead to one host. */
static bool has_record_search(const struct query *query, const struct discover_answer *facts)
{
    bool is_new = query->kind == DISCOVER_BOARDS && !facts->is_further;
    const struct search *search = is_new ? NULL : query->searches;
    for (; search; search = search->next)
        if (search->facts && strcmp(search->facts->host, facts->host) == 0 &&
            strcmp(search->facts->instance, facts->instance) == 0)
            return true;
    return false;
}

/* A resolver stops at one address. A list needs no others but those of boards with the same name; a
 * question about an address needs both families. */
static void add_record_searches(struct query *query, const struct discover_answer *facts)
{
    bool is_list = query->kind == DISCOVER_BOARDS && query != query->discover->survey;
    bool is_v4 = facts->has_address && facts->address.any.sa_family == AF_INET;
    if (!facts->host[0] || has_record_search(query, facts))
        return;
    if (!facts->is_further)
        search_add(query, search_new_record(query, RECORD_SRV, facts));
    if (!is_list || is_v4 || facts->is_further)
        search_add(query, search_new_record(query, RECORD_A, facts));
    if (!is_list || !is_v4)
        search_add(query, search_new_record(query, RECORD_AAAA, facts));
}

static void search_end(struct search *search)
{
    struct discover *discover = search->query->discover;
    if (search->second_best) {
        report(search->query, search->second_best);
        add_record_searches(search->query, search->second_best);
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
    name_interface(&answer, interface);
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
        add_record_searches(search->query, &answer);
    }
    search_end(search);
}

/* Whose records are browsed; service has room for the name of a service. */
static const char *record_name(const struct search *search, char service[SERVICE_NAME_MAX])
{
    if (!search->facts)
        return search->query->name;
    if (search->record != RECORD_SRV)
        return search->facts->host;
    srv_name(service, SERVICE_NAME_MAX, search->facts->instance, SERVICE_TYPE, DOMAIN);
    return service;
}

/* Creates the Avahi object. */
static void search_create(struct search *search)
{
    const struct query *query = search->query;
    const struct discover *discover = query->discover;
    char service[SERVICE_NAME_MAX];
    bool is_board = query->kind == DISCOVER_BOARDS;
    search->service = NULL;
    if (search->record)
        search->records = discover->avahi->record_browser_new(
            daemon_client(discover->daemon), AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
            record_name(search, service), CLASS_IN, search->record, AVAHI_LOOKUP_USE_MULTICAST,
            on_record, search);
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
    ++*running_like(search);
    search_create(search);
    int64_t grace_us = search->query->kind == DISCOVER_BOARDS ? NAMESAKE_GRACE_US : HOST_US;
    if ((!search->records && !search->service) ||
        (search->record && loop_arm(search->query->discover->poll_api, &search->grace, grace_us,
                                    on_grace, search) < 0))
        search_release(search);
}

static int compare_instances(const void *a, const void *b)
{
    return strcmp(((const struct search *)a)->instance, ((const struct search *)b)->instance);
}

static void board_seen(struct query *query, const char *instance)
{
    if (query->board_count == BOARDS_MAX)
        return;
    struct search *search = search_new(query, AVAHI_PROTO_UNSPEC, instance);
    struct search **node = search ? tsearch(search, &query->by_instance, compare_instances) : NULL;
    if (!node || *node != search) {
        free(search);
        return;
    }
    query->board_count++;
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

static bool may_run(const struct search *search)
{
    return *running_like(search) < (search->record ? RECORDS_RUNNING_MAX : SERVICES_RUNNING_MAX);
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
    if (query->is_browse_due) {
        browse(query);
        if (!query->browser) {
            query_fail(query);
            return;
        }
    }
    if (query->kind == DISCOVER_ADDRESS)
        compare_heard(query);
    while (query->waiting && may_run(query->waiting)) {
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
    } else if (kind == DISCOVER_HOST) {
        search_add(query, search_new_record(query, RECORD_A, NULL));
        search_add(query, search_new_record(query, RECORD_AAAA, NULL));
    } else if (kind == DISCOVER_INSTANCE) {
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
