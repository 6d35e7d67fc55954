/*
 * mdns_client.c: both ends of the socket between the main loop and the process that talks to Avahi.
 *
 *   main loop                                    child
 *   mdns_client_ask()    -- request(id) ------>  mdns_worker_ask()
 *                        <- hello -------------  once: avahi-daemon answers on D-Bus
 *                        <- answer(id) --------  MDNS_FOUND, ..., MDNS_END
 *   mdns_client_cancel() -- request(cancel) -->  mdns_worker_cancel()
 *                        <- lost --------------  no bus, no daemon, or gone for good: exits
 *
 * The parent never blocks: requests that do not fit into the socket wait for LOOP_WRITABLE. It ends
 * a child whose records have another form (mdns_answer.h): something on the network may have taken
 * it over.
 */
#include "discovery/mdns_client.h"

#include "base/error.h"
#include "base/loop.h"
#include "base/units.h"
#include "base/worker.h"
#include "discovery/mdns_answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* avahi-daemon answers in milliseconds; starting it through D-Bus activation takes a moment, and so
 * does the child's own start on a busy computer. */
enum { HELLO_TIMEOUT_US = SECONDS(5) };

/* How long optional questions are not asked after a failure. */
enum { FAILURE_US = SECONDS(10) };

struct request {
    uint32_t id;
    enum mdns_kind kind;
    unsigned services;
    bool cancel;
    char name[MDNS_NAME_MAX];
};

struct record {
    enum { RECORD_HELLO, RECORD_ANSWER, RECORD_LOST } type;
    uint32_t id;
    struct mdns_answer answer;
};

/* --- in the child ----------------------------------------------------------------------------- */

struct server {
    int socket;
    struct loop *loop;
    struct mdns_worker *worker;
};

static void send_record(const struct server *server, const struct record *record)
{
    ssize_t sent;

    do
        sent = send(server->socket, record, sizeof *record, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);

    if (sent < 0)
        loop_quit(server->loop);
}

/* number: the errno of what this computer lacks (error_is_local()), ELIBACC if it lacks the
 * library, or any other errno. */
static void send_lost(const struct server *server, const char *reason, int number)
{
    struct record record = {.type = RECORD_LOST};

    record.answer.is_local = error_is_local(number);
    record.answer.lack = number == ELIBACC ? OTA_CAUSE_NO_LIBRARY : error_lack_cause(number);
    snprintf(record.answer.reason, sizeof record.answer.reason, "%s", reason);
    send_record(server, &record);
    loop_quit(server->loop);
}

static void on_worker_lost(const char *reason, int lack, void *userdata)
{
    send_lost(userdata, reason, lack);
}

static void on_worker_answer(uint32_t id, const struct mdns_answer *answer, void *userdata)
{
    struct record record = {.type = RECORD_ANSWER, .id = id, .answer = *answer};

    send_record(userdata, &record);
}

static void on_request(unsigned events, void *userdata)
{
    struct server *server = userdata;
    struct request request;

    (void)events;
    ssize_t length = recv(server->socket, &request, sizeof request, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;

    if (length != (ssize_t)sizeof request)
        loop_quit(server->loop);
    else if (request.cancel)
        mdns_worker_cancel(server->worker, request.id);
    else
        mdns_worker_ask(server->worker, request.id, request.kind, request.services, request.name);
}

static void run_worker(int socket, const char *argument)
{
    struct server server = {.socket = socket, .loop = loop_new()};
    struct loop_watch requests = {.loop = NULL};
    char reason[MDNS_REASON_MAX];

    (void)argument;
    if (!server.loop)
        return;

    loop_end_without_memory(server.loop);
    server.worker = mdns_worker_new(server.loop, on_worker_answer, on_worker_lost, &server, reason);
    if (!server.worker) {
        send_lost(&server, reason, errno);
    } else if (loop_watch_start(&requests, server.loop, socket, LOOP_READABLE, on_request,
                                &server) == 0) {
        send_record(&server, &(struct record){.type = RECORD_HELLO});
        if (loop_run(server.loop) < 0) {
            send_lost(&server, strerror(errno), errno);
            /* After a failed allocation in _dbus_mem_pool_alloc(), libdbus 1.14 writes beyond the
             * old block when it is used again. The process ends now. */
            return;
        }
    }

    loop_watch_stop(&requests);
    mdns_worker_free(server.worker);
    loop_free(server.loop);
}

/* --- in the main loop ------------------------------------------------------------------------- */

struct mdns_query {
    struct mdns_client *mdns;
    struct mdns_query *next;
    enum {
        QUERY_UNSENT,
        QUERY_SENT,
        QUERY_CANCELLED, /* the child has not been told yet; answers are dropped */
        QUERY_DOOMED,    /* the child has gone; on_worker_timeout() tells the owner */
    } state;
    struct request request;
    mdns_client_answer_fn *on_answer;
    void *userdata;
};

struct mdns_client {
    struct loop *loop;
    bool is_running;
    bool has_answered; /* the child has said hello */
    struct worker child;
    struct loop_watch watch;
    struct loop_timer
        timeout; /* for the child's hello; after a failure for the next doomed query */
    uint32_t last_id;
    struct mdns_query *queries; /* oldest first */
    char reason[MDNS_REASON_MAX];
    bool is_local;       /* this computer is the reason */
    enum ota_cause lack; /* what it lacks, if that is known */
    int64_t failed_us;   /* when the last failure was; 0: none */
};

static void query_remove(struct mdns_query *query)
{
    struct mdns_query **link = &query->mdns->queries;

    while (*link != query)
        link = &(*link)->next;
    *link = query->next;
    free(query);
}

/* Ends the child. The owners are told later by on_worker_timeout(), one query a turn. */
static void stop_worker(struct mdns_client *mdns, const char *reason, bool is_local)
{
    struct mdns_query *next;

    if (mdns->is_running) {
        loop_watch_stop(&mdns->watch);
        worker_end(&mdns->child);
        mdns->is_running = false;
    }

    snprintf(mdns->reason, sizeof mdns->reason, "%s", reason);
    mdns->is_local = is_local;
    mdns->lack = OTA_CAUSE_NONE;
    mdns->failed_us = loop_now_us();

    for (struct mdns_query *query = mdns->queries; query; query = next) {
        next = query->next;
        if (query->state == QUERY_CANCELLED)
            query_remove(query);
        else
            query->state = QUERY_DOOMED;
    }

    if (mdns->queries)
        loop_timer_start(&mdns->timeout, 0);
    else
        loop_timer_stop(&mdns->timeout);
}

/* Removes and frees query, and tells its owner, who may free everything: the caller must return. */
static void finish_query(struct mdns_query *query, const struct mdns_answer *answer)
{
    mdns_client_answer_fn *callback = query->on_answer;
    void *userdata = query->userdata;

    query_remove(query);
    callback(answer, userdata);
}

static void on_worker_timeout(void *userdata)
{
    struct mdns_client *mdns = userdata;

    if (mdns->is_running) {
        stop_worker(mdns, "avahi-daemon or the D-Bus system bus does not answer", false);
        return;
    }

    struct mdns_query *query = mdns->queries;
    if (!query)
        return;
    if (query->next)
        loop_timer_start(&mdns->timeout, 0);

    struct mdns_answer answer = {
        .event = MDNS_UNAVAILABLE, .is_local = mdns->is_local, .lack = mdns->lack};
    memcpy(answer.reason, mdns->reason, sizeof answer.reason);
    finish_query(query, &answer);
}

static void stop_for_errno(struct mdns_client *mdns, const char *what, int number)
{
    char reason[MDNS_REASON_MAX];

    snprintf(reason, sizeof reason, "%s: %s", what, error_process_text(number));
    stop_worker(mdns, reason, error_is_local(number));
    mdns->lack = error_lack_cause(number);
}

static void stop_for_loss(struct mdns_client *mdns, const struct mdns_answer *answer)
{
    stop_worker(mdns, answer->reason, answer->is_local);
    mdns->lack = answer->lack;
}

/* Sends as many pending requests as the socket takes. */
static void send_requests(struct mdns_client *mdns)
{
    unsigned events = LOOP_READABLE;
    struct mdns_query *next;

    for (struct mdns_query *query = mdns->queries; query; query = next) {
        next = query->next;
        if (query->state == QUERY_SENT)
            continue;

        query->request.cancel = query->state == QUERY_CANCELLED;
        if (send(mdns->child.socket, &query->request, sizeof query->request, MSG_NOSIGNAL) < 0) {
            int error = errno;
            if (error_is_local(error) && error != EAGAIN) {
                stop_for_errno(mdns,
                               "the request cannot be passed to the process that asks avahi-daemon",
                               error);
                return;
            }
            /* Any other error also ends the stream, and on_worker_record() handles that. */
            if (error == EAGAIN)
                events |= LOOP_WRITABLE;
            break;
        }

        if (query->request.cancel)
            query_remove(query);
        else
            query->state = QUERY_SENT;
    }
    loop_watch_change(&mdns->watch, events);
}

static void take_hello(struct mdns_client *mdns)
{
    mdns->has_answered = true;
    mdns->failed_us = 0;
    loop_timer_stop(&mdns->timeout);
}

static void handle_answer(struct mdns_client *mdns, struct record *record)
{
    struct mdns_query *query = mdns->queries;

    while (query && query->request.id != record->id)
        query = query->next;
    if (!query || query->state != QUERY_SENT)
        return;

    if (record->answer.event == MDNS_FOUND)
        query->on_answer(&record->answer, query->userdata);
    else
        finish_query(query, &record->answer);
}

/* Takes one record a turn, as the owner may free everything from its callback. */
static void on_worker_record(unsigned events, void *userdata)
{
    struct mdns_client *mdns = userdata;
    struct record record;

    if (events & LOOP_WRITABLE)
        send_requests(mdns);
    if (!mdns->is_running)
        return;

    ssize_t length = recv(mdns->child.socket, &record, sizeof record, MSG_DONTWAIT);
    /* The child has ended and left a request unread. Its records can be read after this error. */
    if (length < 0 && errno == ECONNRESET)
        length = recv(mdns->child.socket, &record, sizeof record, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;

    if (length != (ssize_t)sizeof record || !mdns_answer_is_sound(&record.answer))
        stop_worker(mdns, "the process that asks avahi-daemon ended unexpectedly", true);
    else if (record.type == RECORD_LOST)
        stop_for_loss(mdns, &record.answer);
    else if (record.type == RECORD_HELLO)
        take_hello(mdns);
    else
        handle_answer(mdns, &record);
}

static int start_worker(struct mdns_client *mdns)
{
    if (worker_start(&mdns->child, run_worker, NULL) < 0)
        return -1;

    if (loop_watch_start(&mdns->watch, mdns->loop, mdns->child.socket, LOOP_READABLE,
                         on_worker_record, mdns) < 0) {
        const int reason = errno;

        worker_end(&mdns->child);
        errno = reason;
        return -1;
    }

    mdns->is_running = true;
    mdns->has_answered = false;
    loop_timer_start(&mdns->timeout, HELLO_TIMEOUT_US);
    return 0;
}

struct mdns_client *mdns_client_new(struct loop *loop)
{
    struct mdns_client *mdns = calloc(1, sizeof *mdns);
    if (!mdns)
        return NULL;

    mdns->loop = loop;
    loop_timer_init(&mdns->timeout, loop, on_worker_timeout, mdns);
    return mdns;
}

void mdns_client_free(struct mdns_client *mdns)
{
    if (!mdns)
        return;

    while (mdns->queries)
        query_remove(mdns->queries);
    stop_worker(mdns, "", false);
    loop_timer_stop(&mdns->timeout);
    free(mdns);
}

/* These are the places where libdbus looks. */
static bool is_bus_there(void)
{
    return getenv("DBUS_SYSTEM_BUS_ADDRESS") || access("/run/dbus/system_bus_socket", F_OK) == 0 ||
           access("/var/run/dbus/system_bus_socket", F_OK) == 0;
}

bool mdns_client_may_answer(const struct mdns_client *mdns)
{
    if (mdns->failed_us && loop_now_us() - mdns->failed_us < FAILURE_US)
        return false;
    return mdns->is_running || is_bus_there();
}

bool mdns_client_has_answered(const struct mdns_client *mdns)
{
    return mdns->has_answered;
}

/* Sends a new query to the child, which is started first if necessary. After a failure, the query
 * shares the fate of those that are doomed. */
static void send_or_start(struct mdns_client *mdns, struct mdns_query *query)
{
    bool are_others_doomed = !mdns->is_running && mdns->queries != query;

    if (are_others_doomed)
        query->state = QUERY_DOOMED;
    else if (mdns->is_running || start_worker(mdns) == 0)
        send_requests(mdns);
    else
        stop_for_errno(mdns, "no process can be started to ask", errno);
}

struct mdns_query *mdns_client_ask(struct mdns_client *mdns, enum mdns_kind kind, unsigned services,
                                   const char *name, mdns_client_answer_fn *on_answer,
                                   void *userdata)
{
    struct mdns_query *query = calloc(1, sizeof *query);
    if (!query)
        return NULL;

    *query =
        (struct mdns_query){.mdns = mdns,
                            .request = {.id = ++mdns->last_id, .kind = kind, .services = services},
                            .on_answer = on_answer,
                            .userdata = userdata};
    snprintf(query->request.name, sizeof query->request.name, "%s", name);

    struct mdns_query **link = &mdns->queries;
    while (*link)
        link = &(*link)->next;
    *link = query;

    send_or_start(mdns, query);
    return query;
}

void mdns_client_cancel(struct mdns_query *query)
{
    struct mdns_client *mdns = query->mdns;

    if (query->state != QUERY_SENT) {
        query_remove(query);
        return;
    }

    query->state = QUERY_CANCELLED;
    send_requests(mdns);
}
