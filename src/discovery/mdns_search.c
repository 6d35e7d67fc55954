/*
 * mdns_search.c: Avahi's resolvers and record browsers, and their answers as plain values.
 *
 *   service:  resolve -- IPv4, or no address --> found, host, ended
 *                     -- IPv6 --> resolve again for IPv4, 500 ms --> the better one found, ended
 *   records:  browse  -- each address --> found; each other host of the service --> host
 *                     -- everything known, or time over --> ended
 */
#include "discovery/mdns_search.h"

#include "base/loop.h"
#include "base/units.h"
#include "discovery/srv_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* avahi-daemon allows a client 1,024 objects, and each causes traffic. */
enum { SERVICES_RUNNING_MAX = 32, RECORDS_RUNNING_MAX = 256 };

/* Instances that may be no boards: how many of the above they may take, so that boards are not kept
 * waiting by them, and how long they have to answer. The announcements of printers outlive them. */
enum { SHARED_RUNNING_MAX = 16, SHARED_US = SECONDS(2) };

/* How long a board with an IPv6 address has to announce an IPv4 one. */
enum { IPV4_GRACE_US = MILLISECONDS(500) };

enum { CLASS_IN = 1 };

/* "INSTANCE._arduino._tcp.local", with every byte of the instance escaped. */
enum { SERVICE_NAME_MAX = 2 * MDNS_NAME_MAX };

/* Avahi writes unusual bytes of a host name in decimal, as in "My\032Lamp.local". This replaces
 * them by the bytes that a person would type. Separators of labels and control characters stay
 * escaped. */
static void unescape_host(char target[MDNS_NAME_MAX], const char *host)
{
    size_t length = 0;

    while (*host && length < MDNS_NAME_MAX - 1) {
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

static struct search *search_new(struct search_pool *pool, struct query *query, const char *name)
{
    struct search *search = calloc(1, sizeof *search);
    if (!search)
        return NULL;

    search->pool = pool;
    search->query = query;
    snprintf(search->name, sizeof search->name, "%s", name);
    return search;
}

struct search *search_new_service(struct search_pool *pool, struct query *query,
                                  enum service service, const char *name, AvahiProtocol family)
{
    struct search *search = search_new(pool, query, name);
    if (!search)
        return NULL;

    search->service = service;
    search->family = family;
    return search;
}

struct search *search_new_records(struct search_pool *pool, struct query *query, const char *name,
                                  uint16_t record, const struct mdns_answer *facts,
                                  int64_t duration_us)
{
    struct search *search = search_new(pool, query, name);
    if (!search)
        return NULL;

    search->record = record;
    search->duration_us = duration_us;
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

static size_t *running_count(const struct search *search)
{
    return search->record ? &search->pool->records_running : &search->pool->services_running;
}

bool search_may_start(const struct search *search)
{
    if (search->record)
        return *running_count(search) < RECORDS_RUNNING_MAX;
    return *running_count(search) <
           (service_is_shared(search->service) ? SHARED_RUNNING_MAX : SERVICES_RUNNING_MAX);
}

/* Frees the Avahi objects. The caller sets the next state. */
static void search_stop(struct search *search)
{
    const struct search_pool *pool = search->pool;

    if (search->records)
        pool->avahi->record_browser_free(search->records);
    if (search->resolver)
        pool->avahi->service_resolver_free(search->resolver);
    loop_timer_stop(&search->timeout);
    free(search->second_best);
    search->records = NULL;
    search->resolver = NULL;
    search->second_best = NULL;

    if (search->state == SEARCH_RUNNING)
        --*running_count(search);
}

static void search_end(struct search *search)
{
    const struct search_pool *pool = search->pool;

    if (search->second_best) {
        pool->on_found(search, search->second_best);
        pool->on_host(search, search->second_best);
    }
    search_stop(search);
    search->state = SEARCH_ENDED;
    pool->on_change(search);
}

static void on_search_timeout(void *userdata)
{
    search_end(userdata);
}

static void set_interface(struct mdns_answer *answer, AvahiIfIndex interface)
{
    if (interface <= 0 || !if_indextoname((unsigned)interface, answer->interface))
        answer->interface[0] = '\0';
}

/* Stores the announced address. A loopback address is this computer's, and only meant on the
 * loopback interface. */
static void set_address(struct mdns_answer *answer, const AvahiAddress *source,
                        AvahiIfIndex interface)
{
    const bool is_unicast = avahi_library_to_address(&answer->address, source, interface);

    set_interface(answer, interface);
    answer->has_address = is_unicast && (!address_is_loopback(&answer->address) ||
                                         strcmp(answer->interface, "lo") == 0);
}

/* Converts the data of an A or AAAA record. Returns false if they are not an address. */
static bool parse_address(struct mdns_answer *answer, uint16_t record, const void *data,
                          size_t size, AvahiIfIndex interface)
{
    AvahiAddress address = {.proto = record == RECORD_A ? AVAHI_PROTO_INET : AVAHI_PROTO_INET6};
    size_t length = record == RECORD_A ? sizeof address.data.ipv4 : sizeof address.data.ipv6;
    if (size != length)
        return false;

    memcpy(&address.data, data, length);
    set_address(answer, &address, interface);
    return true;
}

static void report_address(struct search *search, const char *host, const void *data, size_t size,
                           AvahiIfIndex interface)
{
    struct mdns_answer answer = {.event = MDNS_FOUND};

    if (search->facts)
        answer = *search->facts;
    else
        unescape_host(answer.host, host);
    if (!parse_address(&answer, search->record, data, size, interface))
        return;
    if (!answer.has_address && search->facts) /* the answer with the facts has come before */
        return;

    search->has_found |= answer.has_address;
    search->pool->on_found(search, &answer);
}

/* Reports the host in an SRV record if it is a second board's, with the same service name and
 * another host name. Its other properties are unknown. */
static void report_host(struct search *search, const void *data, size_t size)
{
    struct mdns_answer other = {.event = MDNS_FOUND, .is_further = true};
    char host[MDNS_NAME_MAX];
    if (!srv_record_parse(host, sizeof host, &other.port, data, size))
        return;

    unescape_host(other.host, host);
    other.service = search->facts->service;
    memcpy(other.instance, search->facts->instance, sizeof other.instance);
    if (strcasecmp(other.host, search->facts->host) != 0)
        search->pool->on_host(search, &other);
}

static void on_avahi_record(AvahiRecordBrowser *browser, AvahiIfIndex interface,
                            AvahiProtocol protocol, AvahiBrowserEvent event, const char *name,
                            uint16_t class, uint16_t type, const void *data, size_t size,
                            AvahiLookupResultFlags flags, void *userdata)
{
    struct search *search = userdata;
    (void)browser;
    (void)protocol;
    (void)class;
    (void)type;
    (void)flags;

    if (event == AVAHI_BROWSER_NEW) {
        if (search->record == RECORD_SRV)
            report_host(search, data, size);
        else
            report_address(search, name, data, size, interface);
        search->pool->on_change(search);
        return;
    }

    /* A host that has not answered yet may be asleep. */
    bool is_complete = event == AVAHI_BROWSER_ALL_FOR_NOW && (search->has_found || search->facts);
    if (is_complete || event == AVAHI_BROWSER_FAILURE)
        search_end(search);
}

static void create_resolver(struct search *search);

/* Resolves the service again for an IPv4 address, as most programs on boards support nothing else.
 * Returns false when memory ran out. */
static bool resolve_ipv4(struct search *search, const struct mdns_answer *answer)
{
    const struct search_pool *pool = search->pool;
    struct mdns_answer *copy = malloc(sizeof *copy);
    if (!copy)
        return false;

    loop_timer_start(&search->timeout, IPV4_GRACE_US);

    *copy = *answer;
    search->second_best = copy;
    search->family = AVAHI_PROTO_INET;
    pool->avahi->service_resolver_free(search->resolver);
    create_resolver(search);
    return true;
}

static void on_service(AvahiServiceResolver *resolver, AvahiIfIndex interface,
                       AvahiProtocol protocol, AvahiResolverEvent event, const char *name,
                       const char *type, const char *domain, const char *host_name,
                       const AvahiAddress *address, uint16_t port, AvahiStringList *txt,
                       AvahiLookupResultFlags flags, void *userdata)
{
    struct search *search = userdata;
    struct mdns_answer answer = {.event = MDNS_FOUND, .service = search->service, .port = port};
    (void)resolver;
    (void)protocol;
    (void)type;
    (void)domain;
    (void)flags;

    search->has_answered |= event == AVAHI_RESOLVER_FOUND;
    if (event != AVAHI_RESOLVER_FOUND || !service_is_board(search->service, txt)) {
        search_end(search);
        return;
    }

    if (address)
        set_address(&answer, address, interface);
    else
        set_interface(&answer, interface);
    answer.password = txt_record_flag(txt, "auth_upload");
    txt_record_value(answer.type, sizeof answer.type, txt, "board");
    txt_record_version(answer.version, sizeof answer.version, txt);
    txt_record_pairs(answer.pairs, sizeof answer.pairs, txt);
    if (search->service == SERVICE_ESPHOME)
        esphome_record_read(&answer.esphome, txt);
    snprintf(answer.instance, sizeof answer.instance, "%s", name);
    unescape_host(answer.host, host_name ? host_name : "");

    bool is_ipv6 = address && address->proto == AVAHI_PROTO_INET6;
    if (search->family == AVAHI_PROTO_UNSPEC && is_ipv6 && resolve_ipv4(search, &answer))
        return;

    if (answer.has_address || !search->second_best) {
        free(search->second_best);
        search->second_best = NULL;
        search->pool->on_found(search, &answer);
        search->pool->on_host(search, &answer);
    }
    search_end(search);
}

static void create_resolver(struct search *search)
{
    const struct search_pool *pool = search->pool;

    search->resolver = pool->avahi->service_resolver_new(
        avahi_connection_client(pool->connection), AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
        search->name, service_type(search->service), MDNS_DOMAIN, search->family,
        AVAHI_LOOKUP_USE_MULTICAST, on_service, search);
}

static void create_browser(struct search *search)
{
    const struct search_pool *pool = search->pool;
    const struct mdns_answer *facts = search->facts;
    const char *name = facts ? facts->host : search->name;
    char service[SERVICE_NAME_MAX];

    if (facts && search->record == RECORD_SRV) {
        srv_record_name(service, sizeof service, facts->instance, service_type(facts->service),
                        MDNS_DOMAIN);
        name = service;
    }

    search->records = pool->avahi->record_browser_new(
        avahi_connection_client(pool->connection), AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, name,
        CLASS_IN, search->record, AVAHI_LOOKUP_USE_MULTICAST, on_avahi_record, search);
}

bool search_start(struct search *search)
{
    bool is_started;

    search->state = SEARCH_RUNNING;
    ++*running_count(search);

    loop_timer_init(&search->timeout, search->pool->loop, on_search_timeout, search);
    if (search->record) {
        create_browser(search);
        is_started = search->records;
        loop_timer_start(&search->timeout, search->duration_us);
    } else {
        create_resolver(search);
        is_started = search->resolver;
        if (service_is_shared(search->service))
            loop_timer_start(&search->timeout, SHARED_US);
    }

    if (!is_started) {
        search_stop(search);
        search->state = SEARCH_ENDED;
    }
    return is_started;
}

void search_suspend(struct search *search)
{
    if (search->state != SEARCH_RUNNING)
        return;

    if (search->second_best)
        search->family = AVAHI_PROTO_UNSPEC;
    search_stop(search);
    search->state = SEARCH_WAITING;
}

void search_free(struct search *search)
{
    search_stop(search);
    free(search->facts);
    free(search);
}
