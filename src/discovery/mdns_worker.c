/*
 * mdns_worker.c: questions to avahi-daemon, and their answers as plain values.
 *
 * A question is a row of searches (mdns_search.h). Only some of them run at a time, the others
 * wait for their turn. Some answers lead to further searches, for other addresses of the same
 * board, or for a second board with the same name.
 */
#include "discovery/mdns_worker.h"

#include "base/loop.h"
#include "discovery/avahi_connection.h"
#include "discovery/mdns_search.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOARDS_MAX = 8192 }; /* a hostile network could announce services without end */

enum {
    NAMESAKE_GRACE_US = 400000, /* for others to claim the name of a board that is listed */
    HOST_US = 5000000,          /* for a host to answer at all */
    SURVEY_US = 10000000,       /* how long a survey answers questions about addresses */
};

struct query {
    struct mdns_worker *discover;
    struct query *next;
    uint32_t id;
    enum mdns_kind kind;
    bool is_browse_due;
    bool lacks_memory;            /* so that answers may be missing */
    AvahiServiceBrowser *browser; /* until it has reported all services that are known now */
    struct search *searches;      /* oldest first, including those that have ended */
    struct search *last;
    struct search *waiting; /* the first one that has not been started */
    size_t search_count;
    size_t ended_count;
    size_t board_count; /* of MDNS_BOARDS */
    void *by_instance;  /* tsearch(3): every interface and family announces an instance again */
    char name[MDNS_NAME_MAX];
    struct address address;    /* MDNS_ADDRESS only */
    const struct heard *heard; /* the last one that was compared with address */
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
    /* The survey looks for all boards, on behalf of all questions about addresses. It stands in
     * the queue before them. */
    struct query *survey; /* NULL: it is over */
    int64_t survey_us;    /* when it began; 0: never */
    struct heard *heard;  /* oldest first */
    struct heard *heard_last;
};

static void keep(void *search)
{
    (void)search;
}

static void query_free(struct query *query)
{
    if (query->browser)
        query->discover->pool.avahi->service_browser_free(query->browser);
    tdestroy(query->by_instance, keep);

    while (query->searches) {
        struct search *search = query->searches;
        query->searches = search->next;
        search_free(search);
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
           (query->kind != MDNS_ADDRESS || !query->discover->survey);
}

/* Without memory a question about an address stays without this answer, which it can do without. */
static void remember_heard(struct mdns_worker *discover, const struct mdns_answer *answer)
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

static void report_answer(const struct query *query, const struct mdns_answer *answer)
{
    struct mdns_worker *discover = query->discover;

    if (query == discover->survey)
        remember_heard(discover, answer);
    else
        discover->on_answer(query->id, answer, discover->userdata);
}

/* Adds a search to the question. After NULL (memory ran out) there is one search less. */
static void add_search(struct query *query, struct search *search)
{
    query->lacks_memory |= !search;
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

/* Adds a browser of records, of the host with these facts, or of the host in the question (NULL).
 */
static void add_records(struct query *query, uint16_t record, const struct mdns_answer *facts)
{
    int64_t duration_us = query->kind == MDNS_BOARDS ? NAMESAKE_GRACE_US : HOST_US;

    add_search(query, search_new_records(&query->discover->pool, query, query->name, record, facts,
                                         duration_us));
}

/* A host is browsed once, although both families of a service and all interfaces lead to it. */
static bool is_browsing_host(const struct query *query, const struct mdns_answer *facts)
{
    bool is_new = query->kind == MDNS_BOARDS && !facts->is_further;
    const struct search *search = is_new ? NULL : query->searches;

    for (; search; search = search->next)
        if (search->facts && strcmp(search->facts->host, facts->host) == 0 &&
            strcmp(search->facts->instance, facts->instance) == 0)
            return true;
    return false;
}

/* A resolver stops at one address. A list needs further addresses only of boards with the same
 * name; a question about an address needs both families. */
static void on_host(struct search *search, const struct mdns_answer *facts)
{
    struct query *query = search->query;
    bool is_list = query->kind == MDNS_BOARDS && query != query->discover->survey;
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

static int compare_instances(const void *a, const void *b)
{
    return strcmp(((const struct search *)a)->name, ((const struct search *)b)->name);
}

static void add_board(struct query *query, const char *instance)
{
    struct mdns_answer answer = {.event = MDNS_FOUND};
    if (query->board_count == BOARDS_MAX)
        return;

    struct search *search =
        search_new_service(&query->discover->pool, query, instance, AVAHI_PROTO_UNSPEC);
    struct search **node = search ? tsearch(search, &query->by_instance, compare_instances) : NULL;
    query->lacks_memory |= !node;
    if (!node || *node != search) {
        if (search)
            search_free(search);
        return;
    }

    query->board_count++;
    add_search(query, search);
    snprintf(answer.instance, sizeof answer.instance, "%s", instance);
    report_answer(query, &answer);
}

static void pump(struct mdns_worker *discover);

static void on_change(struct search *search)
{
    struct query *query = search->query;

    if (search->state == SEARCH_ENDED)
        query->ended_count++;
    pump(query->discover);
}

/* Avahi cannot browse, which differs from a network without boards. is_local: nor could others. */
static void query_fail(struct query *query, bool is_local)
{
    struct mdns_answer answer = {.event = MDNS_UNAVAILABLE};

    avahi_connection_describe(query->discover->pool.daemon, answer.reason, sizeof answer.reason);
    answer.is_local = is_local || avahi_connection_lacks_memory(query->discover->pool.daemon);
    report_answer(query, &answer);
    query_end(query);
}

static void on_browse(AvahiServiceBrowser *browser, AvahiIfIndex interface, AvahiProtocol protocol,
                      AvahiBrowserEvent event, const char *name, const char *type,
                      const char *domain, AvahiLookupResultFlags flags, void *userdata)
{
    struct query *query = userdata;
    struct mdns_worker *discover = query->discover;
    (void)interface;
    (void)protocol;
    (void)type;
    (void)domain;
    (void)flags;

    if (event == AVAHI_BROWSER_NEW)
        add_board(query, name);
    if (event == AVAHI_BROWSER_FAILURE)
        query_fail(query, false);
    if (event == AVAHI_BROWSER_ALL_FOR_NOW) {
        query->browser = NULL;
        discover->pool.avahi->service_browser_free(browser);
    }
    pump(discover);
}

static void start_browser(struct query *query)
{
    const struct search_pool *pool = &query->discover->pool;

    query->is_browse_due = false;
    errno = 0;
    query->browser = pool->avahi->service_browser_new(
        avahi_connection_client(pool->daemon), AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
        DISCOVER_SERVICE, DISCOVER_DOMAIN, AVAHI_LOOKUP_USE_MULTICAST, on_browse, query);
}

/* Reports the survey's answers about the address, each once. */
static void report_heard(struct query *query)
{
    const struct heard *heard = query->heard ? query->heard->next : query->discover->heard;

    for (; heard; heard = heard->next) {
        query->heard = heard;
        if (address_equal(&heard->answer.address, &query->address))
            report_answer(query, &heard->answer);
    }
}

/* What ends a question that may have missed answers, as memory ran out. */
static const struct mdns_answer out_of_memory = {
    .event = MDNS_UNAVAILABLE, .reason = "out of memory", .is_local = true};

/* Starts as many searches as the limits allow. A name that Avahi refuses is a search less. */
static void start_searches(struct query *query)
{
    const struct avahi_connection *daemon = query->discover->pool.daemon;

    while (query->waiting && search_may_start(query->waiting)) {
        struct search *search = query->waiting;
        errno = 0;
        if (search->state == SEARCH_WAITING && !search_start(search)) {
            if (daemon_has_gone(daemon)) {
                search->state = SEARCH_WAITING; /* for handle_gone() */
                return;
            }
            query->lacks_memory |= daemon_is_local(errno);
            query->ended_count++;
        }
        query->waiting = search->next;
    }
}

/* Goes on with the question, and ends it when nothing is left to ask. */
static void query_pump(struct query *query)
{
    if (query->is_browse_due) {
        start_browser(query);
        query->is_browse_due = !query->browser && daemon_has_gone(query->discover->pool.daemon);
        if (query->is_browse_due)
            return;
        if (!query->browser) {
            query_fail(query, daemon_is_local(errno));
            return;
        }
    }

    if (query->kind == MDNS_ADDRESS)
        report_heard(query);
    start_searches(query);
    if (!is_ended(query))
        return;

    query->lacks_memory |= avahi_connection_lacks_memory(query->discover->pool.daemon);
    report_answer(query,
                  query->lacks_memory ? &out_of_memory : &(struct mdns_answer){.event = MDNS_END});
    query_end(query);
}

static void pump(struct mdns_worker *discover)
{
    struct query *next;

    for (struct query *query = discover->queries; query; query = next) {
        next = query->next;
        if (avahi_connection_client(discover->pool.daemon))
            query_pump(query);
    }
}

/* Puts a new query at the end of the queue; NULL when memory ran out. */
static struct query *query_add(struct mdns_worker *discover, uint32_t id, enum mdns_kind kind)
{
    struct query *query = calloc(1, sizeof *query);
    if (!query)
        return NULL;

    *query = (struct query){
        .discover = discover, .id = id, .kind = kind, .is_browse_due = kind == MDNS_BOARDS};

    struct query **link = &discover->queries;
    while (*link)
        link = &(*link)->next;
    *link = query;
    return query;
}

static void forget_heard(struct mdns_worker *discover)
{
    while (discover->heard) {
        struct heard *heard = discover->heard;
        discover->heard = heard->next;
        free(heard);
    }
    discover->heard_last = NULL;
}

/* Looks for all boards, unless that is in progress or was done a moment ago. */
static void start_survey(struct mdns_worker *discover)
{
    int64_t now_us = loop_now_us();
    if (discover->survey || (discover->survey_us && now_us - discover->survey_us < SURVEY_US))
        return;

    forget_heard(discover);
    discover->survey_us = now_us;
    discover->survey = query_add(discover, 0, MDNS_BOARDS);
}

void mdns_worker_ask(struct mdns_worker *discover, uint32_t id, enum mdns_kind kind,
                     const char *name)
{
    if (kind == MDNS_ADDRESS)
        start_survey(discover);

    struct query *query = query_add(discover, id, kind);
    if (!query) {
        discover->on_answer(id, &out_of_memory, discover->userdata);
        return;
    }

    snprintf(query->name, sizeof query->name, "%s", name);
    if (kind == MDNS_ADDRESS) {
        address_parse(&query->address, name);
    } else if (kind == MDNS_HOST) {
        add_records(query, RECORD_A, NULL);
        add_records(query, RECORD_AAAA, NULL);
    } else if (kind == MDNS_INSTANCE) {
        struct search_pool *pool = &discover->pool;
        add_search(query, search_new_service(pool, query, query->name, AVAHI_PROTO_INET));
        add_search(query, search_new_service(pool, query, query->name, AVAHI_PROTO_INET6));
    }
    pump(discover);
}

void mdns_worker_cancel(struct mdns_worker *discover, uint32_t id)
{
    struct query *query = discover->queries;
    while (query && query->id != id)
        query = query->next;
    if (!query)
        return;

    query_end(query);
    pump(discover);
}

/* Everything without an answer waits for another daemon, and is then asked again. */
static void query_suspend(struct query *query)
{
    if (query->browser) {
        query->discover->pool.avahi->service_browser_free(query->browser);
        query->browser = NULL;
        query->is_browse_due = true;
    }

    for (struct search *search = query->searches; search; search = search->next)
        search_suspend(search);
    query->waiting = query->searches;
}

static bool handle_gone(void *userdata)
{
    struct mdns_worker *discover = userdata;
    for (struct query *query = discover->queries; query; query = query->next)
        query_suspend(query);
    return discover->queries != NULL;
}

static void handle_back(void *userdata)
{
    pump(userdata);
}

static void handle_lost(const char *reason, bool is_local, void *userdata)
{
    const struct mdns_worker *discover = userdata;
    discover->on_lost(reason, is_local, discover->userdata);
}

struct mdns_worker *mdns_worker_new(struct loop *loop, mdns_worker_answer_fn *on_answer,
                                    mdns_worker_lost_fn *on_lost, void *userdata,
                                    char reason[MDNS_REASON_MAX])
{
    struct mdns_worker *discover = calloc(1, sizeof *discover);
    if (!discover) {
        snprintf(reason, MDNS_REASON_MAX, "out of memory");
        return NULL;
    }

    *discover = (struct mdns_worker){
        .pool = {.loop = loop, .on_found = on_found, .on_host = on_host, .on_change = on_change},
        .on_answer = on_answer,
        .on_lost = on_lost,
        .userdata = userdata};
    const struct avahi_connection_callbacks callbacks = {.on_gone = handle_gone,
                                                         .on_back = handle_back,
                                                         .on_lost = handle_lost,
                                                         .userdata = discover};
    discover->pool.daemon = avahi_connection_connect(loop, &callbacks, reason, MDNS_REASON_MAX);
    if (!discover->pool.daemon) {
        int error = errno;
        free(discover);
        errno = error;
        return NULL;
    }

    discover->pool.avahi = avahi_connection_avahi(discover->pool.daemon);
    return discover;
}

void mdns_worker_free(struct mdns_worker *discover)
{
    if (!discover)
        return;

    while (discover->queries) {
        struct query *query = discover->queries;
        discover->queries = query->next;
        query_free(query);
    }
    forget_heard(discover);
    avahi_connection_free(discover->pool.daemon);
    free(discover);
}
