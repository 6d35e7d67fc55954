/*
 * resolve.c: the policy of name resolution. It has no socket of its own and knows neither Avahi's
 * nor the C library's interface: mdns.h and lookup.h ask, and decide() weighs what has come so far.
 *
 * Answers only record facts; after each of them, and when the time that it set itself has come,
 * decide() starts what should be asked by now, and ends when the best finding is good enough.
 */
#include "resolve.h"

#include "alive.h"
#include "error.h"
#include "escape.h"
#include "etc_hosts.h"
#include "log.h"
#include "lookup.h"
#include "loop.h"
#include "namesakes.h"
#include "suggest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MS INT64_C(1000)
enum { NEVER = -1 };

/* How long a finding waits for something better. */
enum {
    IPV4_GRACE_US = 500 * MS,      /* most boards speak nothing but IPv4 */
    INSTANCE_GRACE_US = 500 * MS,  /* an instance of the same name is surer than a host */
    PORT_GRACE_US = 1000 * MS,     /* from the address on */
    FACTS_GRACE_US = 300 * MS,     /* for what is announced, where the upload can do without */
    NAMESAKE_GRACE_US = 400 * MS,  /* from the question on: for another board to claim the name */
    SERVICES_AFTER_US = 250 * MS,  /* boards whose instance is not named like the host are rare */
    MDNS_ADVANTAGE_US = 1000 * MS, /* from the start: of mDNS over the system resolver */
};

/* What can be asked: the kinds of discover.h, and the C library. */
enum { ASK_SYSTEM = DISCOVER_ADDRESS + 1, ASK_COUNT };

/* When each is asked, counted from the start. A later one is asked earlier when those before it
 * have given up, and not at all when they, or /etc/hosts, have found something. The services are
 * asked for in the end for similar names only. What is announced at an address is asked when that
 * is known. */
static const int64_t plans[][ASK_COUNT] = {
    /*                   HOST   INSTANCE   SERVICES  ADDRESS  SYSTEM */
    [TARGET_ADDRESS] = {NEVER, NEVER, NEVER, NEVER, NEVER},
    [TARGET_LOCAL] = {0, 0, 1500 * MS, NEVER, 1000 * MS}, /* /etc/hosts or DNS may know it, too */
    [TARGET_HOST] = {NEVER, 2000 * MS, 3000 * MS, NEVER, 0}, /* instance names may hold dots */
    [TARGET_LABEL] = {0, 0, 1500 * MS, NEVER, 0},
    [TARGET_INSTANCE] = {NEVER, 0, 1500 * MS, NEVER, NEVER},
};

/* Best first. */
enum source { FROM_FILE, FROM_INSTANCE, FROM_HOST, FROM_SYSTEM, SOURCE_COUNT };

struct finding {
    struct resolution resolution;
    struct claims claims; /* what was heard on multicast DNS of its addresses */
    int64_t since_us;     /* when its first address came */
};

struct question {
    struct resolver *resolver;
    bool asked;
    int64_t asked_us;
    struct mdns_query *query; /* NULL when it has ended, and for ASK_SYSTEM */
    struct lookup *lookup;    /* the same for ASK_SYSTEM */
};

struct resolver {
    const AvahiPoll *poll_api;
    struct mdns *mdns;
    const struct target *target;
    bool want_port;
    int64_t start_us;
    int64_t deadline_us;
    resolver_done_fn *done;
    void *userdata;
    AvahiTimeout *timeout;            /* the next decide() */
    char host[DISCOVER_NAME_MAX];     /* the .local name that the target may mean; "" */
    char instance[DISCOVER_NAME_MAX]; /* the instance that it may mean */
    struct question questions[ASK_COUNT];
    char unavailable[DISCOVER_REASON_MAX]; /* why mDNS cannot be asked; "" when it can */
    char system_why[DISCOVER_REASON_MAX];  /* why the C library found nothing */
    struct finding findings[SOURCE_COUNT];
    struct suggestions suggestions;
    struct address rivals[CLAIMS_MAX]; /* of different boards, if they are there */
    size_t rival_count;
    struct alive *alive; /* asks them */
};

static bool has_ipv4(const struct resolution *resolution)
{
    return resolution->count && resolution->addresses[0].any.sa_family == AF_INET;
}

/* IPv4 goes before IPv6, what came earlier before what came later. */
static void add_address(struct finding *finding, const struct address *address)
{
    struct resolution *resolution = &finding->resolution;
    size_t place = 0;
    for (size_t i = 0; i < resolution->count; i++) {
        if (address_equal(&resolution->addresses[i], address))
            return;
        if (address->any.sa_family != AF_INET || resolution->addresses[i].any.sa_family == AF_INET)
            place = i + 1;
    }
    if (place == RESOLVE_ADDRESSES_MAX)
        return;
    if (resolution->count == 0)
        finding->since_us = loop_now_us();
    else if (resolution->count == RESOLVE_ADDRESSES_MAX)
        resolution->count--;
    memmove(&resolution->addresses[place + 1], &resolution->addresses[place],
            (resolution->count - place) * sizeof *address);
    resolution->addresses[place] = *address;
    address_set_port(&resolution->addresses[place], 0);
    resolution->count++;
}

/* What a board says of itself, once. */
static void add_facts(struct resolution *resolution, const struct discover_answer *answer)
{
    if (resolution->port || !answer->port)
        return;
    resolution->port = answer->port;
    memcpy(resolution->type, answer->type, sizeof resolution->type);
    escape_string(resolution->instance, sizeof resolution->instance, answer->instance);
}

static void add_heard(struct finding *finding, const struct discover_answer *answer)
{
    if (answer->has_address)
        add_address(finding, &answer->address);
    claims_add(&finding->claims, answer);
}

static void add_service(struct finding *finding, const struct discover_answer *answer)
{
    add_heard(finding, answer);
    add_facts(&finding->resolution, answer);
}

static void decide(struct resolver *resolver);

static struct finding *best_finding(struct resolver *resolver)
{
    for (size_t i = 0; i < SOURCE_COUNT; i++)
        if (resolver->findings[i].resolution.count)
            return &resolver->findings[i];
    return NULL;
}

/* What is announced at an address that was asked about, unless a better finding has another one. */
static void record_facts(struct resolver *resolver, const struct discover_answer *answer)
{
    struct finding *finding = best_finding(resolver);
    for (size_t i = 0; finding && i < finding->resolution.count; i++)
        if (address_equal(&finding->resolution.addresses[i], &answer->address))
            add_facts(&finding->resolution, answer);
}

static void record(struct resolver *resolver, enum discover_kind kind,
                   const struct discover_answer *answer)
{
    bool is_service = kind != DISCOVER_HOST;
    bool same_host = resolver->host[0] && strcasecmp(answer->host, resolver->host) == 0;
    if (kind == DISCOVER_ADDRESS) {
        record_facts(resolver, answer);
        return;
    }
    if (kind == DISCOVER_HOST)
        add_heard(&resolver->findings[FROM_HOST], answer);
    if (is_service && same_host)
        add_service(&resolver->findings[FROM_HOST], answer);
    /* kitchen.local names a host: an instance "kitchen" on another host is not meant. */
    if (kind == DISCOVER_INSTANCE && resolver->target->kind != TARGET_LOCAL)
        add_service(&resolver->findings[FROM_INSTANCE], answer);
    if (kind == DISCOVER_BOARDS && answer->host[0] && !answer->is_further)
        suggest_offer(&resolver->suggestions, resolver->target->name,
                      resolver->target->kind == TARGET_LOCAL ? answer->host : answer->instance);
}

static void on_answer(const struct discover_answer *answer, void *userdata)
{
    struct question *question = userdata;
    struct resolver *resolver = question->resolver;
    if (answer->event == DISCOVER_FOUND)
        record(resolver, (enum discover_kind)(question - resolver->questions), answer);
    else
        question->query = NULL;
    if (answer->event == DISCOVER_UNAVAILABLE)
        memcpy(resolver->unavailable, answer->reason, sizeof resolver->unavailable);
    decide(resolver);
}

static void on_lookup(const struct address *addresses, size_t count, const char *why,
                      void *userdata)
{
    struct resolver *resolver = userdata;
    struct question *question = &resolver->questions[ASK_SYSTEM];
    for (size_t i = 0; i < count; i++)
        add_address(&resolver->findings[FROM_SYSTEM], &addresses[i]);
    snprintf(resolver->system_why, sizeof resolver->system_why, "%s", why);
    lookup_free(question->lookup);
    question->lookup = NULL;
    decide(resolver);
}

static void ask(struct resolver *resolver, size_t what)
{
    struct question *question = &resolver->questions[what];
    char address[ADDRESS_TEXT_MAX];
    const char *name = what == DISCOVER_HOST ? resolver->host : resolver->instance;
    if (what == DISCOVER_ADDRESS)
        name = address_text(address, &best_finding(resolver)->resolution.addresses[0]);
    question->asked = true;
    question->asked_us = loop_now_us();
    if (what == ASK_SYSTEM) {
        question->lookup =
            lookup_start(resolver->poll_api, resolver->target->name, on_lookup, resolver);
        if (!question->lookup)
            snprintf(resolver->system_why, sizeof resolver->system_why, "%s", strerror(errno));
        return;
    }
    question->query = mdns_ask(resolver->mdns, (enum discover_kind)what, name, on_answer, question);
    if (!question->query)
        snprintf(resolver->unavailable, sizeof resolver->unavailable, "memory ran out");
}

static bool is_pending(const struct resolver *resolver, size_t what)
{
    return resolver->questions[what].query || resolver->questions[what].lookup;
}

static bool mdns_is_pending(const struct resolver *resolver)
{
    return is_pending(resolver, DISCOVER_HOST) || is_pending(resolver, DISCOVER_INSTANCE) ||
           is_pending(resolver, DISCOVER_BOARDS);
}

/* Whether the name may still be found. */
static bool is_hopeful(const struct resolver *resolver)
{
    return is_pending(resolver, DISCOVER_HOST) || is_pending(resolver, DISCOVER_INSTANCE) ||
           is_pending(resolver, ASK_SYSTEM);
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

static int64_t later(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

/* Whether what belongs to the plan and has not been asked yet. */
static bool is_open(const struct resolver *resolver, size_t what)
{
    if (plans[resolver->target->kind][what] == NEVER || resolver->questions[what].asked)
        return false;
    if (what == DISCOVER_HOST)
        return resolver->host[0] != '\0';
    /* Nobody waits for similar names. */
    if (what == DISCOVER_BOARDS)
        return !resolver->unavailable[0] && is_hopeful(resolver);
    /* The address of a .local name is its host's; an instance could only add the port. */
    bool is_for_port = what == DISCOVER_INSTANCE && resolver->target->kind == TARGET_LOCAL;
    return !is_for_port || resolver->want_port;
}

/* When the next open question is due; INT64_MAX: there is none. */
static int64_t next_question_us(const struct resolver *resolver)
{
    int64_t next_us = INT64_MAX;
    for (size_t what = 0; what < ASK_COUNT; what++)
        if (is_open(resolver, what))
            next_us = earlier(next_us, resolver->start_us + plans[resolver->target->kind][what]);
    return next_us;
}

/* Asks what is due, and the next ones at once when nothing is under way any more. */
static void ask_due(struct resolver *resolver, int64_t now_us)
{
    for (;;) {
        int64_t next_us = next_question_us(resolver);
        if (next_us == INT64_MAX || (next_us > now_us && is_hopeful(resolver)))
            return;
        for (size_t what = 0; what < ASK_COUNT; what++)
            if (is_open(resolver, what) &&
                resolver->start_us + plans[resolver->target->kind][what] <= next_us)
                ask(resolver, what);
    }
}

/* When all services are to be looked at for one that runs on the host that was found: few boards
 * need it, and large networks have many of them. INT64_MAX: no need. */
static int64_t services_due_us(const struct resolver *resolver, const struct finding *finding)
{
    if (finding != &resolver->findings[FROM_HOST] || finding->resolution.port ||
        !resolver->want_port || resolver->questions[DISCOVER_BOARDS].asked)
        return INT64_MAX;
    return is_pending(resolver, DISCOVER_INSTANCE) ? finding->since_us + SERVICES_AFTER_US : 0;
}

/* Whether to ask what is announced at the address: nobody has said yet, and an answer may come. */
static bool wants_facts(const struct resolver *resolver, const struct finding *finding)
{
    bool is_host = finding == &resolver->findings[FROM_HOST];
    return !finding->resolution.port && !resolver->questions[DISCOVER_ADDRESS].asked &&
           finding != &resolver->findings[FROM_INSTANCE] && !(is_host && resolver->want_port) &&
           !address_is_loopback(&finding->resolution.addresses[0]) && !resolver->unavailable[0] &&
           mdns_may_answer(resolver->mdns);
}

/* Until when finding, which is good enough for an upload, waits for what is announced there. */
static int64_t facts_due_us(const struct resolver *resolver, const struct finding *finding)
{
    return is_pending(resolver, DISCOVER_ADDRESS) && !finding->resolution.port
               ? resolver->questions[DISCOVER_ADDRESS].asked_us + FACTS_GRACE_US
               : 0;
}

/* Until when others may claim the name: one of two boards answers first, whichever is meant. */
static int64_t namesake_due_us(const struct resolver *resolver)
{
    int64_t due_us = 0;
    for (int what = DISCOVER_HOST; what <= DISCOVER_INSTANCE; what++)
        if (is_pending(resolver, (size_t)what))
            due_us = later(due_us, resolver->questions[what].asked_us + NAMESAKE_GRACE_US);
    return due_us;
}

/* Until when the finding of FROM_HOST waits for something better. */
static int64_t host_due_us(const struct resolver *resolver, const struct finding *finding)
{
    bool is_instance_pending = is_pending(resolver, DISCOVER_INSTANCE);
    int64_t due_us = namesake_due_us(resolver);
    if (!has_ipv4(&finding->resolution) && is_pending(resolver, DISCOVER_HOST))
        due_us = later(due_us, finding->since_us + IPV4_GRACE_US);
    if (resolver->target->kind == TARGET_LABEL && is_instance_pending)
        due_us = later(due_us, finding->since_us + INSTANCE_GRACE_US);
    if (resolver->want_port && !finding->resolution.port &&
        (is_instance_pending || is_pending(resolver, DISCOVER_BOARDS)))
        due_us = later(due_us, finding->since_us + PORT_GRACE_US);
    return due_us;
}

/* Until when finding waits for something better, given what is still under way. */
static int64_t accept_due_us(const struct resolver *resolver, const struct finding *finding)
{
    switch ((enum source)(finding - resolver->findings)) {
    case FROM_INSTANCE:
        return !has_ipv4(&finding->resolution) && is_pending(resolver, DISCOVER_INSTANCE)
                   ? finding->since_us + IPV4_GRACE_US
                   : namesake_due_us(resolver);
    case FROM_HOST:
        return host_due_us(resolver, finding);
    case FROM_FILE:
        return 0;
    case FROM_SYSTEM:
    case SOURCE_COUNT:
        break;
    }
    return resolver->target->kind == TARGET_LABEL && mdns_is_pending(resolver)
               ? resolver->start_us + MDNS_ADVANTAGE_US
               : 0;
}

/* Ends everything that is under way. */
static void stop(struct resolver *resolver)
{
    for (size_t what = 0; what < ASK_COUNT; what++) {
        struct question *question = &resolver->questions[what];
        if (question->query)
            mdns_cancel(question->query);
        lookup_free(question->lookup);
        question->query = NULL;
        question->lookup = NULL;
    }
    if (resolver->timeout)
        resolver->poll_api->timeout_free(resolver->timeout);
    resolver->timeout = NULL;
}

static void describe_mdns(char *target, size_t capacity, const struct resolver *resolver,
                          double seconds)
{
    if (resolver->unavailable[0])
        snprintf(target, capacity, "multicast DNS cannot be asked (%s)", resolver->unavailable);
    else if (resolver->questions[DISCOVER_HOST].asked ||
             resolver->questions[DISCOVER_INSTANCE].asked)
        snprintf(target, capacity, "multicast DNS gave no answer in %.1f s", seconds);
    else
        target[0] = '\0';
}

static void describe_system(char *target, size_t capacity, const struct resolver *resolver,
                            double seconds)
{
    if (is_pending(resolver, ASK_SYSTEM))
        snprintf(target, capacity, "the system resolver gave no answer in %.1f s", seconds);
    else if (resolver->questions[ASK_SYSTEM].asked)
        snprintf(target, capacity, "the system resolver says \"%s\"", resolver->system_why);
    else
        target[0] = '\0';
}

static void describe_boards(char *target, size_t capacity, const struct resolver *resolver)
{
    const struct suggestions *boards = &resolver->suggestions;
    const struct question *services = &resolver->questions[DISCOVER_BOARDS];
    char list[OTA_MESSAGE_MAX / 2];
    suggest_list(list, sizeof list, boards);
    if (boards->total > boards->count)
        snprintf(target, capacity, "of %zu boards announced here, the most similar are %s",
                 boards->total, list);
    else if (boards->total)
        snprintf(target, capacity, "announced here: %s", list);
    else if (services->asked && !services->query)
        snprintf(target, capacity, "no board is announced here");
    else
        snprintf(target, capacity, "\"esp-ota -l\" lists the boards that announce themselves");
}

static void describe_advice(char *target, size_t capacity, const struct resolver *resolver)
{
    if (!resolver->unavailable[0])
        describe_boards(target, capacity, resolver);
    else if (resolver->target->kind == TARGET_HOST)
        target[0] = '\0';
    else
        snprintf(target, capacity,
                 "start Avahi and D-Bus (\"systemctl restart avahi-daemon\"; Debian's packages are "
                 "avahi-daemon and libnss-mdns)");
}

/* Fills in failure: what was asked, for how long, what it said, and what to do. Who reports it
 * names the board, and adds the advice that fits every name. */
static void describe_failure(const struct resolver *resolver, int64_t now_us,
                             struct ota_failure *failure)
{
    char mdns[DISCOVER_REASON_MAX + 64], system[sizeof mdns];
    char advice[OTA_MESSAGE_MAX];
    double seconds = (double)(now_us - resolver->start_us) / 1e6;
    describe_mdns(mdns, sizeof mdns, resolver, seconds);
    describe_system(system, sizeof system, resolver, seconds);
    describe_advice(advice, sizeof advice, resolver);
    fail(failure, OTA_E_NOT_FOUND, "not found: %s%s%s%s%s", mdns,
         mdns[0] && system[0] ? ", and " : "", system, advice[0] ? "; " : "", advice);
}

static void drop_address(struct resolution *resolution, const struct address *address)
{
    size_t kept = 0;
    for (size_t i = 0; i < resolution->count; i++)
        if (!address_equal(&resolution->addresses[i], address))
            resolution->addresses[kept++] = resolution->addresses[i];
    resolution->count = kept;
}

/* Reports finding, or that there is none: the last thing that a caller does. */
static void finish(struct resolver *resolver, const struct finding *finding, int64_t now_us)
{
    struct ota_failure failure;
    if (!finding)
        describe_failure(resolver, now_us, &failure);
    else if (resolver->unavailable[0])
        log_debug("multicast DNS cannot be asked (%s)", resolver->unavailable);
    stop(resolver);
    resolver->done(finding ? &finding->resolution : NULL, finding ? NULL : &failure,
                   resolver->userdata);
}

/* Refuses to choose among boards, or drops an address that its board does not have any more. Who
 * reports it names the board. */
static void on_alive(const bool *is_alive, void *userdata)
{
    char a[ADDRESS_TEXT_MAX], b[ADDRESS_TEXT_MAX];
    struct ota_failure failure;
    struct resolver *resolver = userdata;
    struct finding *finding = best_finding(resolver);
    const struct address *there[CLAIMS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < resolver->rival_count; i++)
        if (is_alive[i])
            there[count++] = &resolver->rivals[i];
    for (size_t i = 0; count == 1 && i < resolver->rival_count; i++)
        if (!is_alive[i])
            drop_address(&finding->resolution, &resolver->rivals[i]);
    alive_free(resolver->alive);
    resolver->alive = NULL;
    if (count < 2) {
        finish(resolver, finding, loop_now_us());
        return;
    }

    address_text(a, there[0]);
    address_text(b, there[1]);
    fail(&failure, OTA_E_AMBIGUOUS,
         "%s boards have this name, at %s and %s%s; name the one that is meant by its address, as "
         "in -i %s",
         count == 2 ? "two" : "several", a, b, count == 2 ? "" : " and others", a);
    resolver->done(NULL, &failure, resolver->userdata);
}

/* Whether it must first be seen who is there, because different boards claim the name. */
static bool start_check(struct resolver *resolver, const struct finding *finding)
{
    resolver->rival_count = finding ? claims_find_rivals(resolver->rivals, &finding->claims) : 0;
    if (resolver->rival_count == 0)
        return false;
    stop(resolver);
    resolver->alive = alive_start(resolver->poll_api, resolver->rivals, resolver->rival_count,
                                  on_alive, resolver);
    return resolver->alive;
}

static void decide(struct resolver *resolver)
{
    int64_t now_us = loop_now_us();
    const struct finding *finding = best_finding(resolver);
    int64_t next_us;
    if (finding) {
        if (services_due_us(resolver, finding) <= now_us)
            ask(resolver, DISCOVER_BOARDS);
        if (wants_facts(resolver, finding))
            ask(resolver, DISCOVER_ADDRESS);
        next_us = later(accept_due_us(resolver, finding), facts_due_us(resolver, finding));
        next_us = earlier(next_us, services_due_us(resolver, finding));
    } else {
        ask_due(resolver, now_us);
        next_us = is_hopeful(resolver) ? next_question_us(resolver) : 0;
    }
    next_us = earlier(next_us, resolver->deadline_us);
    if (next_us <= now_us && !start_check(resolver, finding))
        finish(resolver, finding, now_us);
    else if (!resolver->alive)
        loop_arm(resolver->poll_api, &resolver->timeout, next_us - now_us, NULL, NULL);
}

static void on_timeout(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    decide(userdata);
}

/* The names that the target may mean: a host under .local, a service instance. */
static void derive_names(struct resolver *resolver)
{
    const struct target *target = resolver->target;
    int length = (int)strlen(target->name);
    if (target->kind == TARGET_LOCAL) {
        snprintf(resolver->host, sizeof resolver->host, "%s", target->name);
        length -= (int)strlen(".local");
    } else if (target->kind == TARGET_LABEL && length < DISCOVER_INSTANCE_MAX) {
        snprintf(resolver->host, sizeof resolver->host, "%.*s.local", length, target->name);
    }
    snprintf(resolver->instance, sizeof resolver->instance, "%.*s", length, target->name);
}

/* Who has put a name into /etc/hosts means that address, whatever others say. */
static void read_file(struct resolver *resolver)
{
    struct address addresses[RESOLVE_ADDRESSES_MAX];
    size_t count = etc_hosts_find(addresses, RESOLVE_ADDRESSES_MAX, resolver->target->name);
    for (size_t i = 0; i < count; i++)
        add_address(&resolver->findings[FROM_FILE], &addresses[i]);
}

struct resolver *resolver_start(const AvahiPoll *poll_api, struct mdns *mdns,
                                const struct target *target, bool want_port, int64_t timeout_us,
                                resolver_done_fn *done, void *userdata)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (!resolver)
        return NULL;
    *resolver = (struct resolver){.poll_api = poll_api,
                                  .mdns = mdns,
                                  .target = target,
                                  .want_port = want_port,
                                  .start_us = loop_now_us(),
                                  .done = done,
                                  .userdata = userdata};
    resolver->deadline_us = resolver->start_us + timeout_us;
    for (size_t what = 0; what < ASK_COUNT; what++)
        resolver->questions[what].resolver = resolver;
    resolver->findings[FROM_FILE].resolution.source = "/etc/hosts";
    resolver->findings[FROM_INSTANCE].resolution.source = "mDNS";
    resolver->findings[FROM_HOST].resolution.source = "mDNS";
    resolver->findings[FROM_SYSTEM].resolution.source = "system resolver";
    derive_names(resolver);
    if (target->kind == TARGET_ADDRESS) {
        resolver->findings[FROM_SYSTEM].resolution.source = "numeric address";
        add_address(&resolver->findings[FROM_SYSTEM], &target->address);
    } else if (target->kind != TARGET_INSTANCE) {
        read_file(resolver);
    }
    if (loop_arm(poll_api, &resolver->timeout, 0, on_timeout, resolver) < 0) {
        free(resolver);
        return NULL;
    }
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    stop(resolver);
    alive_free(resolver->alive);
    free(resolver);
}
