/*
 * resolve.c: the policy of name resolution: when to ask each source, and which finding is good
 * enough. mdns_client.h, host_lookup.h and etc_hosts.h ask, finding.h collects the answers.
 *
 * Answers only record facts. After each answer, and when its own timer fires, decide_next() asks
 * the questions that are due, and ends when the best finding is good enough.
 */
#include "discovery/resolve.h"
#include "discovery/plain_query.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/pattern.h"
#include "base/units.h"
#include "discovery/etc_hosts.h"
#include "discovery/finding.h"
#include "discovery/host_lookup.h"
#include "discovery/networks.h"
#include "discovery/resolve_failure.h"
#include "discovery/rivals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NEVER = -1 };

/* How long a finding waits for something better. */
enum {
    IPV4_GRACE_US = MILLISECONDS(500),     /* for an IPv4 address: most boards speak nothing else */
    INSTANCE_GRACE_US = MILLISECONDS(500), /* for an instance: surer than a host of the same name */
    PORT_GRACE_US = SECONDS(1),            /* for the port, from the address on */
    FACTS_GRACE_US = MILLISECONDS(300),    /* for an announcement that is optional */
    DECISION_GRACE_US = SECONDS(2),        /* for one that decides whether the image fits */
    NAMESAKE_GRACE_US = MILLISECONDS(400), /* for a second board, from the question on */
    SERVICES_AFTER_US = MILLISECONDS(250), /* before services are browsed for the port */
    MDNS_ADVANTAGE_US = SECONDS(1), /* for mDNS to beat the system resolver, from the start */
};

/* The questions: enum mdns_kind, and the C library. */
enum { ASK_SYSTEM = MDNS_ADDRESS + 1, ASK_COUNT };

/* When each question is due, counted from the start. It is asked earlier if those before it have
 * failed, and never if they or /etc/hosts have found something. Services are browsed last, only to
 * suggest similar names. MDNS_ADDRESS is asked once an address is known. */
static const int64_t plans[][ASK_COUNT] = {
    /*                   HOST   INSTANCE   SERVICES  ADDRESS  SYSTEM */
    [TARGET_ADDRESS] = {NEVER, NEVER, NEVER, NEVER, NEVER},
    [TARGET_LOCAL] = {0, 0, MILLISECONDS(1500), NEVER, SECONDS(1)}, /* DNS may have such a name */
    [TARGET_HOST] = {NEVER, SECONDS(2), SECONDS(3), NEVER, 0}, /* instance names may have dots */
    [TARGET_LABEL] = {0, 0, MILLISECONDS(1500), NEVER, 0},
    [TARGET_INSTANCE] = {NEVER, 0, MILLISECONDS(1500), NEVER, NEVER},
};

enum origin { FROM_FILE, FROM_INSTANCE, FROM_HOST, FROM_SYSTEM, SOURCE_COUNT }; /* best first */

struct question {
    struct resolver *resolver;
    size_t what; /* its index in the plan */
    bool asked;
    int64_t asked_us;
    struct mdns_query *query;   /* NULL: not pending, or ASK_SYSTEM */
    struct host_lookup *lookup; /* NULL: not pending, or not ASK_SYSTEM */
};

struct resolver {
    struct resolver_config config;
    int64_t start_us;
    int64_t deadline_us;
    struct loop_timer timeout;    /* for decide_next() */
    char host[MDNS_NAME_MAX];     /* the target as a .local name; "": it cannot be one */
    char instance[MDNS_NAME_MAX]; /* the target as an instance */
    struct question questions[ASK_COUNT];
    char unavailable[MDNS_REASON_MAX]; /* why mDNS cannot be asked; "": it can */
    char system_why[MDNS_REASON_MAX];  /* why the C library found nothing */
    bool is_local;                     /* a source failed as this computer lacks memory etc. */
    enum ota_cause lack;               /* what it lacks, if that is known */
    struct finding findings[SOURCE_COUNT];
    struct suggestions suggestions;
    struct address useless; /* announced for the target, but not a board's; AF_UNSPEC: none */
    bool is_pattern;        /* the target's name matches names of boards as a pattern */
    bool is_separated;      /* it is a list in which one of these names stands */
    struct rivals *rivals;  /* NULL: no second board of this name is known */
};

static void decide_next(struct resolver *resolver);

static struct finding *best_finding(struct resolver *resolver)
{
    for (size_t i = 0; i < SOURCE_COUNT; i++)
        if (resolver->findings[i].resolution.count)
            return &resolver->findings[i];
    return NULL;
}

/* Adds the announcement at an address if the best finding has this address. */
static void record_facts(struct resolver *resolver, const struct mdns_answer *answer)
{
    struct finding *finding = best_finding(resolver);

    for (size_t i = 0; finding && i < finding->resolution.count; i++)
        if (address_equal(&finding->resolution.addresses[i], &answer->address)) {
            claims_add(&finding->resolution.claims, answer);
            finding_add_facts(finding, answer);
        }
}

/* Whether the name is one of the parts of list between commas or semicolons. */
static bool is_listed(const char *list, const char *name)
{
    static const char separators[] = ",; ";
    const size_t length = strlen(name);

    if (!strpbrk(list, ",;"))
        return false;
    for (list += strspn(list, separators); *list; list += strspn(list, separators)) {
        size_t part = strcspn(list, ",;");
        bool is_name = strncasecmp(list, name, length) == 0 && part >= length &&
                       strspn(list + length, " ") == part - length;

        if (is_name)
            return true;
        list += part;
    }
    return false;
}

/* Whether the target may announce itself so. */
static bool is_our_service(const struct resolver *resolver, enum service service)
{
    return resolver->config.services & 1U << service;
}

/* A board has this name. */
static void offer_name(struct resolver *resolver, const char *name, enum service service)
{
    const char *wanted = resolver->config.target->name;
    const bool is_ours = is_our_service(resolver, service);

    if (is_ours && strcasecmp(wanted, name) == 0)
        return; /* the one that is looked for */
    suggest_offer_noted(&resolver->suggestions, wanted, name,
                        is_ours ? NULL : service_title(service));
    resolver->is_pattern |= is_ours && pattern_matches(wanted, name);
    resolver->is_separated |= is_listed(wanted, name);
}

/* Remembers the address of the target if no board can have it. */
static void record_useless(struct resolver *resolver, const struct mdns_answer *answer)
{
    if (!answer->has_address && answer->address.any.sa_family != AF_UNSPEC)
        resolver->useless = answer->address;
}

static void record_answer(struct resolver *resolver, enum mdns_kind kind,
                          const struct mdns_answer *answer)
{
    bool is_service = kind != MDNS_HOST;
    bool is_same_host = resolver->host[0] && strcasecmp(answer->host, resolver->host) == 0;
    /* "kitchen.local" is a host, so an instance "kitchen" on another host does not match. */
    bool is_instance = kind == MDNS_INSTANCE && resolver->config.target->kind != TARGET_LOCAL;

    if (kind == MDNS_ADDRESS) {
        record_facts(resolver, answer);
        return;
    }

    if (kind == MDNS_HOST || is_same_host || is_instance)
        record_useless(resolver, answer);
    if (kind == MDNS_HOST)
        finding_add_host(&resolver->findings[FROM_HOST], answer);
    if (is_service && is_same_host && is_our_service(resolver, answer->service))
        finding_add_service(&resolver->findings[FROM_HOST], answer);

    if (is_instance)
        finding_add_service(&resolver->findings[FROM_INSTANCE], answer);
    if (kind == MDNS_BOARDS && answer->host[0] && !answer->is_further)
        offer_name(resolver,
                   resolver->config.target->kind == TARGET_LOCAL ? answer->host : answer->instance,
                   answer->service);
}

static void on_mdns_answer(const struct mdns_answer *answer, void *userdata)
{
    struct question *question = userdata;
    struct resolver *resolver = question->resolver;

    if (answer->event == MDNS_FOUND)
        record_answer(resolver, (enum mdns_kind)question->what, answer);
    else
        question->query = NULL;

    /* That there are too many boards for a list of them, which only helps, tells nothing of this
     * one. */
    const bool is_list_cut =
        question->what == MDNS_BOARDS && answer->is_local && answer->lack == OTA_CAUSE_NONE;
    if (answer->event == MDNS_UNAVAILABLE && !is_list_cut) {
        memcpy(resolver->unavailable, answer->reason, sizeof resolver->unavailable);
        resolver->is_local |= answer->is_local;
        if (answer->lack)
            resolver->lack = answer->lack;
    }
    decide_next(resolver);
}

/* Whether the address leads to this computer, but for a name that boards announce. The C library
 * has it from the network, too, by nss-mdns or LLMNR, as /etc/hosts was asked before. */
static bool is_no_board(const struct resolver *resolver, const struct address *address)
{
    return resolver->host[0] && address_is_loopback(address) &&
           strcasecmp(resolver->config.target->name, "localhost") != 0;
}

static void on_lookup(const struct address *addresses, size_t count, const char *why, bool is_local,
                      enum ota_cause lack, void *userdata)
{
    struct resolver *resolver = userdata;
    struct question *question = &resolver->questions[ASK_SYSTEM];
    char text[ADDRESS_TEXT_MAX];

    snprintf(resolver->system_why, sizeof resolver->system_why, "%s", why);
    for (size_t i = 0; i < count; i++)
        if (is_no_board(resolver, &addresses[i]))
            snprintf(resolver->system_why, sizeof resolver->system_why,
                     "%s, which is this computer", address_text(text, &addresses[i]));
        else
            finding_add_address(&resolver->findings[FROM_SYSTEM], &addresses[i]);
    resolver->is_local |= is_local;
    if (lack)
        resolver->lack = lack;

    host_lookup_free(question->lookup);
    question->lookup = NULL;
    decide_next(resolver);
}

static void ask_system(struct resolver *resolver, struct question *question)
{
    question->lookup = host_lookup_start(resolver->config.loop, resolver->config.target->name,
                                         on_lookup, resolver);
    if (question->lookup)
        return;

    resolver->is_local |= error_is_local(errno);
    resolver->lack = error_lack_cause(errno);
    snprintf(resolver->system_why, sizeof resolver->system_why, "%s", error_process_text(errno));
}

static void ask_mdns(struct resolver *resolver, struct question *question, enum mdns_kind kind)
{
    const struct finding *finding = best_finding(resolver);
    const char *name = kind == MDNS_HOST ? resolver->host : resolver->instance;
    unsigned services = resolver->config.services;
    char address[ADDRESS_TEXT_MAX];

    if (kind == MDNS_ADDRESS)
        name = address_text(address, &finding->resolution.addresses[0]);
    if (kind == MDNS_BOARDS)
        plain_query_send(SERVICE_ARDUINO);
    if (kind == MDNS_BOARDS && !finding) /* for similar names; with a finding, for its port */
        services = SERVICES_ALL;

    question->query =
        mdns_client_ask(resolver->config.mdns, kind, services, name, on_mdns_answer, question);
    if (question->query)
        return;

    resolver->is_local = true;
    resolver->lack = OTA_CAUSE_OUT_OF_MEMORY;
    snprintf(resolver->unavailable, sizeof resolver->unavailable, "out of memory");
}

static void ask_source(struct resolver *resolver, size_t what)
{
    struct question *question = &resolver->questions[what];

    question->asked = true;
    question->asked_us = loop_now_us();
    if (what == ASK_SYSTEM)
        ask_system(resolver, question);
    else
        ask_mdns(resolver, question, (enum mdns_kind)what);
}

static bool is_pending(const struct resolver *resolver, size_t what)
{
    return resolver->questions[what].query || resolver->questions[what].lookup;
}

static bool mdns_is_pending(const struct resolver *resolver)
{
    return is_pending(resolver, MDNS_HOST) || is_pending(resolver, MDNS_INSTANCE) ||
           is_pending(resolver, MDNS_BOARDS);
}

/* Whether the name may still be found. */
static bool is_hopeful(const struct resolver *resolver)
{
    return is_pending(resolver, MDNS_HOST) || is_pending(resolver, MDNS_INSTANCE) ||
           is_pending(resolver, ASK_SYSTEM);
}

/* Whether to look for the announcement of a name on mDNS, beside its address. */
static bool wants_port(const struct resolver *resolver)
{
    return resolver->config.use != ANNOUNCEMENT_OPTIONAL;
}

/* When the question is due, from the start; or NEVER. */
static int64_t planned_us(const struct resolver *resolver, size_t what)
{
    return plans[resolver->config.target->kind][what];
}

/* Whether the question belongs to the plan and has not been asked yet. */
static bool is_open(const struct resolver *resolver, size_t what)
{
    bool is_for_port = what == MDNS_INSTANCE && resolver->config.target->kind == TARGET_LOCAL;

    if (planned_us(resolver, what) == NEVER || resolver->questions[what].asked)
        return false;

    if (what == MDNS_HOST)
        return resolver->host[0];
    if (what == MDNS_BOARDS) /* only to suggest similar names */
        return !resolver->unavailable[0] && is_hopeful(resolver);
    /* The address of a .local name is its host's, and an instance only adds the port. */
    return !is_for_port || wants_port(resolver);
}

/* Returns when the next open question is due. INT64_MAX: there is none. */
static int64_t next_question_us(const struct resolver *resolver)
{
    int64_t next_us = INT64_MAX;

    for (size_t what = 0; what < ASK_COUNT; what++)
        if (is_open(resolver, what))
            next_us = lesser_us(next_us, resolver->start_us + planned_us(resolver, what));
    return next_us;
}

/* Asks the questions that are due; if none is pending, also the next ones. */
static void ask_due(struct resolver *resolver, int64_t now_us)
{
    for (;;) {
        int64_t next_us = next_question_us(resolver);
        if (next_us == INT64_MAX || (next_us > now_us && is_hopeful(resolver)))
            return;

        for (size_t what = 0; what < ASK_COUNT; what++)
            if (is_open(resolver, what) &&
                resolver->start_us + planned_us(resolver, what) <= next_us)
                ask_source(resolver, what);
    }
}

/* Returns when to browse all services for one on the host of the finding. INT64_MAX: never. It
 * comes late: boards with an instance named differently are rare, and large networks have many
 * services. */
static int64_t services_due_us(const struct resolver *resolver, const struct finding *finding)
{
    if (finding != &resolver->findings[FROM_HOST] || finding->resolution.port ||
        !wants_port(resolver) || resolver->questions[MDNS_BOARDS].asked)
        return INT64_MAX;

    return is_pending(resolver, MDNS_INSTANCE) ? finding->since_us + SERVICES_AFTER_US : 0;
}

/* Whether to ask for the announcement at the address. */
static bool wants_facts(const struct resolver *resolver, const struct finding *finding)
{
    const bool is_host = finding == &resolver->findings[FROM_HOST];
    const bool is_instance = finding == &resolver->findings[FROM_INSTANCE];

    if (finding->resolution.port || resolver->questions[MDNS_ADDRESS].asked)
        return false;
    if (is_instance || (is_host && wants_port(resolver))) /* its services are asked for */
        return false;
    return !address_is_loopback(&finding->resolution.addresses[0]) && !resolver->unavailable[0] &&
           mdns_client_may_answer(resolver->config.mdns);
}

/* How long to wait for the announcement. usual_us: unless it decides whether the image is sent. */
static int64_t grace_us(const struct resolver *resolver, int64_t usual_us)
{
    return resolver->config.use == ANNOUNCEMENT_DECIDES ? DECISION_GRACE_US : usual_us;
}

/* Returns until when a finding that is good enough waits for its announcement. */
static int64_t facts_due_us(const struct resolver *resolver, const struct finding *finding)
{
    return is_pending(resolver, MDNS_ADDRESS) && !finding->resolution.port
               ? resolver->questions[MDNS_ADDRESS].asked_us + grace_us(resolver, FACTS_GRACE_US)
               : 0;
}

/* Returns until when a second board of this name may answer. */
static int64_t namesake_due_us(const struct resolver *resolver)
{
    int64_t due_us = 0;

    for (int what = MDNS_HOST; what <= MDNS_INSTANCE; what++)
        if (is_pending(resolver, (size_t)what))
            due_us = greater_us(due_us, resolver->questions[what].asked_us + NAMESAKE_GRACE_US);
    return due_us;
}

/* Returns until when a finding of a .local name waits for the port. */
static int64_t port_due_us(const struct resolver *resolver, const struct finding *finding)
{
    if (!wants_port(resolver) || finding->resolution.port)
        return 0;
    return finding->since_us + grace_us(resolver, PORT_GRACE_US);
}

/* Returns until when the finding of FROM_HOST waits for something better. */
static int64_t host_due_us(const struct resolver *resolver, const struct finding *finding)
{
    bool is_instance_pending = is_pending(resolver, MDNS_INSTANCE);
    int64_t due_us = namesake_due_us(resolver);

    if (!finding_has_ipv4(finding) && is_pending(resolver, MDNS_HOST))
        due_us = greater_us(due_us, finding->since_us + IPV4_GRACE_US);
    if (resolver->config.target->kind == TARGET_LABEL && is_instance_pending)
        due_us = greater_us(due_us, finding->since_us + INSTANCE_GRACE_US);
    if (is_instance_pending || is_pending(resolver, MDNS_BOARDS))
        due_us = greater_us(due_us, port_due_us(resolver, finding));
    return due_us;
}

/* Returns until when the finding waits for something better from the pending questions. */
static int64_t accept_due_us(const struct resolver *resolver, const struct finding *finding)
{
    const bool is_from_system = finding == &resolver->findings[FROM_SYSTEM];
    const enum target_kind kind = resolver->config.target->kind;

    if (finding == &resolver->findings[FROM_INSTANCE])
        return !finding_has_ipv4(finding) && is_pending(resolver, MDNS_INSTANCE)
                   ? finding->since_us + IPV4_GRACE_US
                   : namesake_due_us(resolver);
    if (finding == &resolver->findings[FROM_HOST])
        return host_due_us(resolver, finding);
    if (is_from_system && kind == TARGET_LABEL && mdns_is_pending(resolver))
        return resolver->start_us + MDNS_ADVANTAGE_US;
    if (is_from_system && kind == TARGET_LOCAL && is_pending(resolver, MDNS_INSTANCE))
        return port_due_us(resolver, finding);
    return 0;
}

/* Cancels all questions and the timer. */
static void stop_asking(struct resolver *resolver)
{
    for (size_t what = 0; what < ASK_COUNT; what++) {
        struct question *question = &resolver->questions[what];

        if (question->query)
            mdns_client_cancel(question->query);
        host_lookup_free(question->lookup);
        question->query = NULL;
        question->lookup = NULL;
    }

    loop_timer_stop(&resolver->timeout);
}

static void describe_resolve_failure(const struct resolver *resolver, int64_t now_us,
                                     struct ota_failure *failure)
{
    const struct question *questions = resolver->questions;
    bool is_browsing = is_pending(resolver, MDNS_BOARDS);
    const struct resolve_failure facts = {
        .seconds = (double)(now_us - resolver->start_us) / 1e6,
        .is_mdns_asked = questions[MDNS_HOST].asked || questions[MDNS_INSTANCE].asked,
        .unavailable = resolver->unavailable,
        .is_system_asked = questions[ASK_SYSTEM].asked,
        .is_system_pending = is_pending(resolver, ASK_SYSTEM),
        .system_why = resolver->system_why,
        .is_local = resolver->is_local,
        .lack = resolver->lack,
        .is_dns_name = resolver->config.target->kind == TARGET_HOST,
        .is_offline = networks_is_offline(),
        .has_all_boards = questions[MDNS_BOARDS].asked && !is_browsing,
        .boards = &resolver->suggestions,
        .useless = &resolver->useless,
        .is_pattern = resolver->is_pattern,
        .is_separated = resolver->is_separated,
        .lists_hosts = target_lists_hosts(resolver->config.target),
    };

    resolve_failure_describe(&facts, failure);
}

/* Reports the finding, or the failure if it is NULL. The callback may free the resolver. */
static void report_result(struct resolver *resolver, const struct finding *finding, int64_t now_us)
{
    struct ota_failure failure;

    if (!finding)
        describe_resolve_failure(resolver, now_us, &failure);
    else if (resolver->unavailable[0])
        diag_debug("multicast DNS cannot be asked (%s)", resolver->unavailable);

    stop_asking(resolver);
    resolver->config.on_done(finding ? &finding->resolution : NULL, finding ? NULL : &failure,
                             resolver->config.userdata);
}

static void on_rivals(const struct ota_failure *failure, void *userdata)
{
    struct resolver *resolver = userdata;

    rivals_free(resolver->rivals);
    resolver->rivals = NULL;
    if (failure)
        resolver->config.on_done(NULL, failure, resolver->config.userdata);
    else
        report_result(resolver, best_finding(resolver), loop_now_us());
}

/* Reports the finding, or first asks whether its addresses belong to different boards. */
static void check_rivals(struct resolver *resolver, struct finding *finding, int64_t now_us)
{
    const struct rivals_config config = {.loop = resolver->config.loop,
                                         .finding = finding,
                                         .source = resolver->config.source,
                                         .on_done = on_rivals,
                                         .userdata = resolver};
    struct ota_failure failure;

    if (!rivals_check(&resolver->rivals, &config, &failure)) {
        stop_asking(resolver);
        resolver->config.on_done(NULL, &failure, resolver->config.userdata);
    } else if (resolver->rivals) {
        stop_asking(resolver);
    } else {
        report_result(resolver, finding, now_us);
    }
}

static void decide_next(struct resolver *resolver)
{
    int64_t now_us = loop_now_us();
    struct finding *finding = best_finding(resolver);
    int64_t next_us;

    if (finding) {
        if (services_due_us(resolver, finding) <= now_us)
            ask_source(resolver, MDNS_BOARDS);
        if (wants_facts(resolver, finding))
            ask_source(resolver, MDNS_ADDRESS);
        next_us = greater_us(accept_due_us(resolver, finding), facts_due_us(resolver, finding));
        next_us = lesser_us(next_us, services_due_us(resolver, finding));
    } else {
        ask_due(resolver, now_us);
        next_us = is_hopeful(resolver) ? next_question_us(resolver) : 0;
    }

    next_us = lesser_us(next_us, resolver->deadline_us);
    if (next_us <= now_us && finding)
        check_rivals(resolver, finding, now_us);
    else if (next_us <= now_us)
        report_result(resolver, NULL, now_us);
    else
        loop_timer_start(&resolver->timeout, next_us - now_us);
}

static void on_resolve_timeout(void *userdata)
{
    decide_next(userdata);
}

/* Sets the names under which to look for the target: a host under .local, a service instance. */
static void derive_names(struct resolver *resolver)
{
    const struct target *target = resolver->config.target;
    int length = (int)strlen(target->name);

    if (target->kind == TARGET_LOCAL) {
        snprintf(resolver->host, sizeof resolver->host, "%s", target->name);
        length -= (int)strlen(".local");
    } else if (target->kind == TARGET_LABEL && length < MDNS_INSTANCE_MAX) {
        snprintf(resolver->host, sizeof resolver->host, "%.*s.local", length, target->name);
    }
    snprintf(resolver->instance, sizeof resolver->instance, "%.*s", length, target->name);
}

/* An entry in /etc/hosts was made by hand, so it takes precedence over all other answers. */
static int read_etc_hosts(struct resolver *resolver)
{
    struct address addresses[RESOLVE_ADDRESSES_MAX + 1]; /* with one more, the finding knows */
    ssize_t count =
        etc_hosts_find(addresses, RESOLVE_ADDRESSES_MAX + 1, resolver->config.target->name);

    for (ssize_t i = 0; i < count; i++)
        finding_add_address(&resolver->findings[FROM_FILE], &addresses[i]);
    return count < 0 ? -1 : 0;
}

struct resolver *resolver_start(const struct resolver_config *config)
{
    const struct target *target = config->target;
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (!resolver)
        return NULL;

    resolver->config = *config;
    resolver->start_us = loop_now_us();
    resolver->deadline_us = resolver->start_us + config->timeout_us;
    for (size_t what = 0; what < ASK_COUNT; what++)
        resolver->questions[what] = (struct question){.resolver = resolver, .what = what};

    resolver->findings[FROM_FILE].resolution.source = "/etc/hosts";
    resolver->findings[FROM_INSTANCE].resolution.source = "mDNS";
    resolver->findings[FROM_HOST].resolution.source = "mDNS";
    resolver->findings[FROM_SYSTEM].resolution.source = "system resolver";
    derive_names(resolver);
    if (target->kind == TARGET_ADDRESS) {
        resolver->findings[FROM_SYSTEM].resolution.source = "numeric address";
        finding_add_address(&resolver->findings[FROM_SYSTEM], &target->address);
    }

    bool may_be_in_file = target->kind != TARGET_ADDRESS && target->kind != TARGET_INSTANCE;
    loop_timer_init(&resolver->timeout, config->loop, on_resolve_timeout, resolver);
    loop_timer_start(&resolver->timeout, 0);
    if (!may_be_in_file || read_etc_hosts(resolver) == 0)
        return resolver;

    loop_timer_stop(&resolver->timeout);
    int error = errno;
    free(resolver);
    errno = error;
    return NULL;
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;

    stop_asking(resolver);
    rivals_free(resolver->rivals);
    free(resolver);
}
