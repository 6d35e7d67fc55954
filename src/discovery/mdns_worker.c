/*
 * mdns_worker.c: questions to avahi-daemon, and their answers as plain values.
 *
 * A question is a queue of searches (mdns_search.h), of which a limited number run at a time. Some
 * answers lead to further searches: for other addresses of the same board, or for a second board
 * with the same name.
 */
#include "discovery/mdns_worker.h"

#include "base/error.h"
#include "base/loop.h"
#include "base/units.h"
#include "discovery/avahi_connection.h"
#include "discovery/mdns_search.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOARDS_MAX = 8192 }; /* a hostile network could announce services without end */

/* How long to wait or to remember. */
enum {
    NAMESAKE_GRACE_US = MILLISECONDS(400), /* for a second board with the name of a listed one */
    HOST_US = SECONDS(5),                  /* for a host's first answer */
    SURVEY_US = SECONDS(10),               /* the answers of a survey of all boards */
};

/* Looks for the instances of a service. */
struct browse {
    struct query *query;
    enum service service;
    bool is_due;
    AvahiServiceBrowser *browser; /* NULL once it has reported all known instances */
};

/* Searches in the order in which they start. */
struct search_queue {
    struct search *first; /* including ended ones */
    struct search *last;
    struct search *waiting; /* the first one that has not started */
};

/* What may be no board must not keep boards waiting. */
enum { QUEUE_BOARDS, QUEUE_SHARED, QUEUE_COUNT };

struct query {
    struct mdns_worker *worker;
    struct query *next;
    uint32_t id;
    enum mdns_kind kind;
    int lack;        /* answers may be missing because of this errno; 0: none is */
    bool is_cut;     /* more than BOARDS_MAX instances announce themselves */
    bool is_watched; /* for MDNS_CHANGES: the first answer has been given */
    struct browse browses[SERVICE_COUNT];
    struct search_queue queues[QUEUE_COUNT];
    size_t search_count;
    size_t ended_count;
    size_t board_count; /* for MDNS_BOARDS */
    unsigned unheard;   /* instances of shared services without an answer */
    void *by_instance;  /* tsearch(3): every interface and family announces an instance again */
    char name[MDNS_NAME_MAX];
    unsigned services;         /* a set: what the answers may announce */
    struct address address;    /* for MDNS_ADDRESS */
    const struct heard *heard; /* the last one compared with address */
};

/* An answer of the survey. */
struct heard {
    struct heard *next;
    struct mdns_answer answer;
};

struct mdns_worker {
    struct search_pool pool;
    mdns_worker_answer_fn *on_answer;
    mdns_worker_lost_fn *on_lost;
    void *userdata;
    struct query *queries; /* oldest first */
    /* Searches for all boards, on behalf of all questions about addresses. Stands before them in
     * queries. */
    struct query *survey; /* NULL: none is in progress */
    int64_t survey_us;    /* when the last one began */
    unsigned surveyed;    /* a set: the services that it looked for; 0: there was none */
    struct heard *heard;  /* oldest first */
    struct heard *heard_last;
};

static void keep_search(void *search)
{
    (void)search;
}

static void query_free(struct query *query)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (query->browses[i].browser)
            query->worker->pool.avahi->service_browser_free(query->browses[i].browser);
    tdestroy(query->by_instance, keep_search);

    for (size_t i = 0; i < QUEUE_COUNT; i++)
        while (query->queues[i].first) {
            struct search *search = query->queues[i].first;
            query->queues[i].first = search->next;
            search_free(search);
        }
    free(query);
}

static void query_end(struct query *query)
{
    struct query **link = &query->worker->queries;
    while (*link != query)
        link = &(*link)->next;
    *link = query->next;

    if (query == query->worker->survey)
        query->worker->survey = NULL;
    query_free(query);
}

static bool is_browsing(const struct query *query)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (query->browses[i].is_due || query->browses[i].browser)
            return true;
    return false;
}

static bool is_ended(const struct query *query)
{
    return !is_browsing(query) && query->ended_count == query->search_count &&
           (query->kind != MDNS_ADDRESS || !query->worker->survey);
}

/* A question about an address can do without an answer, so lack of memory is no error here. */
static void remember_heard(struct mdns_worker *worker, const struct mdns_answer *answer)
{
    struct heard *heard = answer->has_address ? malloc(sizeof *heard) : NULL;
    if (!heard)
        return;

    *heard = (struct heard){.answer = *answer};
    if (worker->heard_last)
        worker->heard_last->next = heard;
    else
        worker->heard = heard;
    worker->heard_last = heard;
}

static void report_answer(const struct query *query, const struct mdns_answer *answer)
{
    struct mdns_worker *worker = query->worker;

    if (query == worker->survey)
        remember_heard(worker, answer);
    else
        worker->on_answer(query->id, answer, worker->userdata);
}

/* Adds a search to the question, or notes that memory ran out (NULL). */
static void add_search(struct query *query, struct search *search)
{
    if (!search) {
        query->lack = ENOMEM;
        return;
    }

    bool is_shared = !search->record && service_is_shared(search->service);
    struct search_queue *queue = &query->queues[is_shared ? QUEUE_SHARED : QUEUE_BOARDS];

    if (queue->last)
        queue->last->next = search;
    else
        queue->first = search;
    queue->last = search;

    if (!queue->waiting)
        queue->waiting = search;
    query->search_count++;
}

/* Adds a record browser for the host in facts, or, if facts is NULL, for the host in question. */
static void add_records(struct query *query, uint16_t record, const struct mdns_answer *facts)
{
    int64_t duration_us = query->kind == MDNS_BOARDS ? NAMESAKE_GRACE_US : HOST_US;

    add_search(query, search_new_records(&query->worker->pool, query, query->name, record, facts,
                                         duration_us));
}

/* Whether the host has a record browser. Both families and all interfaces lead to the same host. */
static bool is_browsing_host(const struct query *query, const struct mdns_answer *facts)
{
    bool is_new = query->kind == MDNS_BOARDS && !facts->is_further;
    const struct search *search = is_new ? NULL : query->queues[QUEUE_BOARDS].first;

    for (; search; search = search->next)
        if (search->facts && search->facts->service == facts->service &&
            strcmp(search->facts->host, facts->host) == 0 &&
            strcmp(search->facts->instance, facts->instance) == 0)
            return true;
    return false;
}

/* Adds the searches for further addresses of a host, as a resolver stops at one. A list of boards
 * needs them only to detect a second board of that name; a question about an address needs both
 * families. */
static void on_host(struct search *search, const struct mdns_answer *facts)
{
    struct query *query = search->query;
    bool is_list = query->kind == MDNS_BOARDS && query != query->worker->survey;
    bool is_v4 = facts->has_address && facts->address.any.sa_family == AF_INET;
    if (!facts->host[0] || is_browsing_host(query, facts))
        return;

    if (!facts->is_further)
        add_records(query, RECORD_SRV, facts);
    if (!is_list || is_v4 || facts->is_further)
        add_records(query, RECORD_A, facts);
    if (!is_list || !is_v4)
        add_records(query, RECORD_AAAA, facts);
}

static void on_found(struct search *search, const struct mdns_answer *answer)
{
    report_answer(search->query, answer);
}

static int compare_searches(const void *a, const void *b)
{
    const struct search *one = a, *other = b;
    int order = strcmp(one->name, other->name);

    return order ? order : (int)one->service - (int)other->service;
}

static void add_instance(struct query *query, enum service service, const char *instance)
{
    struct mdns_answer answer = {.event = MDNS_FOUND, .service = service};
    const bool is_full = query->board_count == BOARDS_MAX;
    struct search *search =
        search_new_service(&query->worker->pool, query, service, instance, AVAHI_PROTO_UNSPEC);
    struct search **node = NULL;

    if (search && is_full && !tfind(search, &query->by_instance, compare_searches)) {
        query->is_cut = true;
        search_free(search);
        return;
    }
    if (search)
        node = tsearch(search, &query->by_instance, compare_searches);
    if (!node)
        query->lack = ENOMEM;
    if (!node || *node != search) {
        if (search)
            search_free(search);
        return;
    }

    query->board_count++;
    add_search(query, search);
    snprintf(answer.instance, sizeof answer.instance, "%s", instance);
    if (!service_is_shared(service))
        report_answer(query, &answer);
}

static void continue_queries(struct mdns_worker *worker);

static void on_change(struct search *search)
{
    struct query *query = search->query;

    if (search->state == SEARCH_ENDED) {
        query->ended_count++;
        query->unheard +=
            !search->record && !search->has_answered && service_is_shared(search->service);
    }
    continue_queries(query->worker);
}

/* Reports that Avahi cannot browse, as opposed to a network without boards. number: the errno
 * of the failed call, or 0. */
static void query_fail(struct query *query, int number)
{
    const struct avahi_connection *connection = query->worker->pool.connection;
    const int lack = avahi_connection_lack(connection, number);
    struct mdns_answer answer = {
        .event = MDNS_UNAVAILABLE, .is_local = lack != 0, .lack = error_lack_cause(lack)};

    avahi_connection_describe(connection, answer.reason, sizeof answer.reason);
    report_answer(query, &answer);
    query_end(query);
}

static void on_browse(AvahiServiceBrowser *browser, AvahiIfIndex interface, AvahiProtocol protocol,
                      AvahiBrowserEvent event, const char *name, const char *type,
                      const char *domain, AvahiLookupResultFlags flags, void *userdata)
{
    struct browse *browse = userdata;
    struct query *query = browse->query;
    struct mdns_worker *worker = query->worker;
    (void)interface;
    (void)protocol;
    (void)type;
    (void)domain;
    (void)flags;

    const bool is_lasting = query->kind == MDNS_CHANGES;

    if (is_lasting && (event == AVAHI_BROWSER_NEW || event == AVAHI_BROWSER_REMOVE))
        report_answer(query, &(struct mdns_answer){.event = MDNS_FOUND});
    else if (event == AVAHI_BROWSER_NEW)
        add_instance(query, browse->service, name);
    if (event == AVAHI_BROWSER_FAILURE)
        query_fail(query, 0);
    if (event == AVAHI_BROWSER_ALL_FOR_NOW && !is_lasting) {
        browse->browser = NULL;
        worker->pool.avahi->service_browser_free(browser);
    }
    continue_queries(worker);
}

/* Starts the browsers that are due. False if Avahi refuses one: errno is set, and if the daemon has
 * gone, the browser stays due. */
static bool start_browsers(struct query *query)
{
    const struct search_pool *pool = &query->worker->pool;

    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        struct browse *browse = &query->browses[i];
        if (!browse->is_due)
            continue;

        errno = 0;
        browse->browser = pool->avahi->service_browser_new(
            avahi_connection_client(pool->connection), AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
            service_type(browse->service), MDNS_DOMAIN, AVAHI_LOOKUP_USE_MULTICAST, on_browse,
            browse);
        if (!browse->browser)
            return false;
        browse->is_due = false;
    }
    return true;
}

/* Reports each of the survey's answers about the address once. */
static void report_heard(struct query *query)
{
    const struct heard *heard = query->heard ? query->heard->next : query->worker->heard;

    for (; heard; heard = heard->next) {
        query->heard = heard;
        if (query->services & 1U << heard->answer.service &&
            address_equal(&heard->answer.address, &query->address))
            report_answer(query, &heard->answer);
    }
}

/* After a failed call: answers may be missing because this computer lacks something. */
static void note_lack(struct query *query, int number)
{
    if (!query->lack)
        query->lack = avahi_connection_lack(query->worker->pool.connection, number);
}

/* The end of a question whose answers may be incomplete. */
static struct mdns_answer lack_answer(int lack)
{
    struct mdns_answer answer = {
        .event = MDNS_UNAVAILABLE, .is_local = true, .lack = error_lack_cause(lack)};

    snprintf(answer.reason, sizeof answer.reason, "%s",
             lack == ENOMEM ? "out of memory" : strerror(lack));
    return answer;
}

/* Boards that were left out may be those that were asked for, so this is no success. */
static struct mdns_answer end_answer(const struct query *query)
{
    struct mdns_answer answer = {.event = MDNS_END, .unheard = query->unheard};

    if (query->lack)
        return lack_answer(query->lack);
    if (!query->is_cut)
        return answer;

    answer = (struct mdns_answer){.event = MDNS_UNAVAILABLE, .is_local = true};
    snprintf(answer.reason, sizeof answer.reason, "more than %d services announce themselves",
             BOARDS_MAX);
    return answer;
}

/* Starts as many searches as the limits allow. A name that Avahi refuses ends its search. */
static void start_searches(struct query *query, struct search_queue *queue)
{
    const struct avahi_connection *connection = query->worker->pool.connection;

    while (queue->waiting && search_may_start(queue->waiting)) {
        struct search *search = queue->waiting;
        errno = 0;
        if (search->state == SEARCH_WAITING && !search_start(search)) {
            if (avahi_connection_has_gone(connection)) {
                search->state = SEARCH_WAITING; /* handle_gone() comes next */
                return;
            }
            note_lack(query, errno);
            query->ended_count++;
        }
        queue->waiting = search->next;
    }
}

/* Starts the searches that may run now, and ends a question without any left. */
static void continue_query(struct query *query)
{
    if (!start_browsers(query)) {
        if (!avahi_connection_has_gone(query->worker->pool.connection))
            query_fail(query, errno);
        return;
    }

    if (query->kind == MDNS_CHANGES && !query->is_watched) {
        query->is_watched = true;
        report_answer(query, &(struct mdns_answer){.event = MDNS_FOUND});
    }
    if (query->kind == MDNS_ADDRESS)
        report_heard(query);
    for (size_t i = 0; i < QUEUE_COUNT; i++)
        start_searches(query, &query->queues[i]);
    if (!is_ended(query))
        return;

    note_lack(query, 0);
    const struct mdns_answer end = end_answer(query);
    report_answer(query, &end);
    query_end(query);
}

static void continue_queries(struct mdns_worker *worker)
{
    struct query *next;

    for (struct query *query = worker->queries; query; query = next) {
        next = query->next;
        if (avahi_connection_client(worker->pool.connection))
            continue_query(query);
    }
}

/* Appends a new query, which browses these services. NULL when memory runs out. */
static struct query *query_add(struct mdns_worker *worker, uint32_t id, enum mdns_kind kind,
                               unsigned services)
{
    struct query *query = calloc(1, sizeof *query);
    if (!query)
        return NULL;

    *query = (struct query){.worker = worker, .id = id, .kind = kind};
    for (unsigned i = 0; i < SERVICE_COUNT; i++)
        query->browses[i] = (struct browse){
            .query = query, .service = (enum service)i, .is_due = services & 1U << i};

    struct query **link = &worker->queries;
    while (*link)
        link = &(*link)->next;
    *link = query;
    return query;
}

static void forget_heard(struct mdns_worker *worker)
{
    while (worker->heard) {
        struct heard *heard = worker->heard;
        worker->heard = heard->next;
        free(heard);
    }
    worker->heard_last = NULL;
}

/* Starts a survey of these services, unless one is recent. One that is in progress is widened. */
static void start_survey(struct mdns_worker *worker, unsigned services)
{
    const unsigned missing = services & ~worker->surveyed;
    int64_t now_us = loop_now_us();

    if (worker->survey) {
        worker->surveyed |= missing;
        for (unsigned i = 0; i < SERVICE_COUNT; i++)
            if (missing & 1U << i)
                worker->survey->browses[i].is_due = true;
        return;
    }
    if (!missing && now_us - worker->survey_us < SURVEY_US)
        return;

    forget_heard(worker);
    worker->survey_us = now_us;
    worker->surveyed = services;
    worker->survey = query_add(worker, 0, MDNS_BOARDS, services);
}

/* Shared services are looked for only where the question is about all: many others have them. */
static unsigned services_to_survey(unsigned services)
{
    return services == SERVICES_ALL ? SERVICES_ALL : SERVICES_ARDUINO | SERVICES_ESPHOME;
}

/* Looks for the instance as each of the query's services, in both families. */
static void add_services(struct query *query)
{
    struct search_pool *pool = &query->worker->pool;

    for (unsigned i = 0; i < SERVICE_COUNT; i++) {
        const enum service service = (enum service)i;

        if (!(query->services & 1U << i))
            continue;
        add_search(query, search_new_service(pool, query, service, query->name, AVAHI_PROTO_INET));
        add_search(query, search_new_service(pool, query, service, query->name, AVAHI_PROTO_INET6));
    }
}

void mdns_worker_ask(struct mdns_worker *worker, uint32_t id, enum mdns_kind kind,
                     unsigned services, const char *name)
{
    if (kind == MDNS_ADDRESS)
        start_survey(worker, services_to_survey(services));

    struct query *query =
        query_add(worker, id, kind, kind == MDNS_BOARDS || kind == MDNS_CHANGES ? services : 0);
    if (!query) {
        const struct mdns_answer end = lack_answer(ENOMEM);
        worker->on_answer(id, &end, worker->userdata);
        return;
    }

    query->services = services;
    snprintf(query->name, sizeof query->name, "%s", name);
    if (kind == MDNS_ADDRESS) {
        address_parse(&query->address, name);
    } else if (kind == MDNS_HOST) {
        add_records(query, RECORD_A, NULL);
        add_records(query, RECORD_AAAA, NULL);
    } else if (kind == MDNS_INSTANCE) {
        add_services(query);
    }
    continue_queries(worker);
}

void mdns_worker_cancel(struct mdns_worker *worker, uint32_t id)
{
    struct query *query = worker->queries;
    while (query && query->id != id)
        query = query->next;
    if (!query)
        return;

    query_end(query);
    continue_queries(worker);
}

/* Stops the searches that have not ended. They start again when the daemon is back. */
static void query_suspend(struct query *query)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        struct browse *browse = &query->browses[i];
        if (!browse->browser)
            continue;
        query->worker->pool.avahi->service_browser_free(browse->browser);
        browse->browser = NULL;
        browse->is_due = true;
    }

    for (size_t i = 0; i < QUEUE_COUNT; i++) {
        for (struct search *search = query->queues[i].first; search; search = search->next)
            search_suspend(search);
        query->queues[i].waiting = query->queues[i].first;
    }
}

static bool handle_gone(void *userdata)
{
    struct mdns_worker *worker = userdata;

    for (struct query *query = worker->queries; query; query = query->next)
        query_suspend(query);
    return worker->queries != NULL;
}

static void handle_back(void *userdata)
{
    continue_queries(userdata);
}

static void handle_lost(const char *reason, int lack, void *userdata)
{
    const struct mdns_worker *worker = userdata;

    worker->on_lost(reason, lack, worker->userdata);
}

struct mdns_worker *mdns_worker_new(struct loop *loop, mdns_worker_answer_fn *on_answer,
                                    mdns_worker_lost_fn *on_lost, void *userdata,
                                    char reason[MDNS_REASON_MAX])
{
    struct mdns_worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        snprintf(reason, MDNS_REASON_MAX, "out of memory");
        errno = ENOMEM;
        return NULL;
    }

    *worker = (struct mdns_worker){
        .pool = {.loop = loop, .on_found = on_found, .on_host = on_host, .on_change = on_change},
        .on_answer = on_answer,
        .on_lost = on_lost,
        .userdata = userdata};

    const struct avahi_connection_callbacks callbacks = {
        .on_gone = handle_gone, .on_back = handle_back, .on_lost = handle_lost, .userdata = worker};
    worker->pool.connection = avahi_connection_connect(loop, &callbacks, reason, MDNS_REASON_MAX);
    if (!worker->pool.connection) {
        int error = errno;
        free(worker);
        errno = error;
        return NULL;
    }

    worker->pool.avahi = avahi_connection_avahi(worker->pool.connection);
    return worker;
}

void mdns_worker_free(struct mdns_worker *worker)
{
    if (!worker)
        return;

    while (worker->queries) {
        struct query *query = worker->queries;
        worker->queries = query->next;
        query_free(query);
    }
    forget_heard(worker);
    avahi_connection_free(worker->pool.connection);
    free(worker);
}
