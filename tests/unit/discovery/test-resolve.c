/*
 * test-resolve.c: the policy of name resolution, case by case, in virtual time. mdns_client.h,
 * host_lookup.h and the clock are replaced at link time (--wrap), so each answer comes exactly at
 * the time in the case. Real Avahi and a real C library answer in tests/integration/test_mdns.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/loop.h"
#include "discovery/host_lookup.h"
#include "discovery/resolve.h"
#include "net/source.h"
#include "support/search_wraps.h"
#include "support/virtual_time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MS = 1000, STEPS_MAX = 12, SYSTEM = MDNS_ADDRESS + 1, ALIVE, ASK_COUNT };

static const struct target_schemes no_schemes;

static const char *const names[ASK_COUNT] = {
    [MDNS_HOST] = "host",       [MDNS_INSTANCE] = "instance", [MDNS_BOARDS] = "services",
    [MDNS_ADDRESS] = "address", [SYSTEM] = "system",          [ALIVE] = "alive",
};

/* One answer. Its question must be pending. */
struct step {
    int64_t at_ms;
    int question; /* a mdns_kind or SYSTEM */
    enum mdns_event event;
    const char *address; /* for SYSTEM several, separated by spaces */
    const char *host;
    const char *instance;
    uint16_t port;
    enum service service;
    const char *reason;
    int shortage; /* for ALIVE */
    bool is_local;
    enum ota_cause lack;
};

/* The state of one case, in place of mdns_client.c and host_lookup.c. */
static struct world {
    bool pending[ASK_COUNT];
    unsigned services[ASK_COUNT]; /* that were asked for */
    char name[ASK_COUNT][MDNS_NAME_MAX];
    mdns_client_answer_fn *on_answer[ASK_COUNT];
    host_lookup_done_fn *on_lookup;
    void *userdata[ASK_COUNT];
    bool refuse_mdns, refuse_lookup;
    bool has_mdns, is_offline;
    const char *file;
    const char *rivals;
    struct address rival_addresses[CLAIMS_MAX];
    alive_done_fn *on_alive;
    char asked[128]; /* "host@0 system@1000 " */
    unsigned done_count;
    int64_t done_ms;
    bool found;
    bool free_when_done;
    struct resolver *resolver;
    char addresses[512];
    bool is_cut;
    uint16_t port;
    char source[32], instance[160];
    struct ota_failure failure;
} world;

static const struct source wlan = {.interface = "wlan0"};

bool __wrap_mdns_client_may_answer(const struct mdns_client *mdns);
bool __wrap_networks_is_offline(void);
ssize_t __wrap_etc_hosts_find(struct address *addresses, size_t capacity, const char *name);
struct host_lookup *__wrap_host_lookup_start(struct loop *loop, const char *name,
                                             host_lookup_done_fn *done, void *userdata);
void __wrap_host_lookup_free(struct host_lookup *lookup);

static void note_question(int question)
{
    size_t length = strlen(world.asked);

    snprintf(world.asked + length, sizeof world.asked - length, "%s%s@%d", length ? " " : "",
             names[question], (int)(virtual_time.now_us / MS));
    assert_false(world.pending[question]);
    world.pending[question] = true;
}

void __wrap_plain_query_send(enum service service)
{
    (void)service;
}

struct mdns_query *__wrap_mdns_client_ask(struct mdns_client *mdns, enum mdns_kind kind,
                                          unsigned services, const char *name,
                                          mdns_client_answer_fn *on_answer, void *userdata)
{
    assert_null(mdns);
    world.services[kind] = services;
    note_question((int)kind);

    if (world.refuse_mdns) {
        world.pending[kind] = false;
        return NULL;
    }
    snprintf(world.name[kind], sizeof world.name[kind], "%s", name);
    world.on_answer[kind] = on_answer;
    world.userdata[kind] = userdata;
    return (struct mdns_query *)&world.pending[kind];
}

bool __wrap_networks_is_offline(void)
{
    return world.is_offline;
}

bool __wrap_mdns_client_may_answer(const struct mdns_client *mdns)
{
    assert_null(mdns);
    return world.has_mdns;
}

static size_t parse_addresses(struct address *addresses, size_t capacity, const char *text)
{
    char copy[512];
    char *rest = copy;
    size_t count = 0;

    snprintf(copy, sizeof copy, "%s", text ? text : "");
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word) {
            assert_true(count < capacity);
            assert_true(address_parse(&addresses[count++], word));
        }
    return count;
}

ssize_t __wrap_etc_hosts_find(struct address *addresses, size_t capacity, const char *name)
{
    assert_true(*name);
    return (ssize_t)parse_addresses(addresses, capacity, world.file);
}

/* The real function reads the interfaces of this computer. */
ssize_t __wrap_claims_find_rivals(struct address rivals[CLAIMS_MAX], const struct claims *claims)
{
    struct address expected[CLAIMS_MAX];
    size_t count = parse_addresses(expected, CLAIMS_MAX, world.rivals), found = 0;

    for (size_t i = 0; i < claims->count; i++)
        for (size_t j = 0; j < count; j++)
            if (address_equal(&claims->items[i].address, &expected[j]))
                rivals[found++] = expected[j];
    return found < 2 ? 0 : (ssize_t)found;
}

struct alive *__wrap_alive_start(struct loop *loop, const struct address *addresses, size_t count,
                                 const struct source *source, alive_done_fn *done, void *userdata)
{
    assert_ptr_equal(loop, virtual_time_loop());
    assert_ptr_equal(source, &wlan);
    note_question(ALIVE);
    memcpy(world.rival_addresses, addresses, count * sizeof *addresses);
    world.on_alive = done;
    world.userdata[ALIVE] = userdata;
    return (struct alive *)&world.pending[ALIVE];
}

void __wrap_alive_free(struct alive *alive)
{
    if (alive)
        *(bool *)alive = false;
}

void __wrap_mdns_client_cancel(struct mdns_query *query)
{
    bool *pending = (bool *)query;

    assert_true(*pending);
    *pending = false;
}

struct host_lookup *__wrap_host_lookup_start(struct loop *loop, const char *name,
                                             host_lookup_done_fn *done, void *userdata)
{
    assert_ptr_equal(loop, virtual_time_loop());
    note_question(SYSTEM);

    if (world.refuse_lookup) {
        world.pending[SYSTEM] = false;
        errno = EAGAIN;
        return NULL;
    }
    snprintf(world.name[SYSTEM], sizeof world.name[SYSTEM], "%s", name);
    world.on_lookup = done;
    world.userdata[SYSTEM] = userdata;
    return (struct host_lookup *)&world.pending[SYSTEM];
}

void __wrap_host_lookup_free(struct host_lookup *lookup)
{
    bool *pending = (bool *)lookup;

    if (!lookup)
        return;

    assert_true(*pending);
    *pending = false;
}

static void play_answers(const struct step *step)
{
    struct address addresses[RESOLVE_ADDRESSES_MAX + 1];
    size_t count = parse_addresses(addresses, RESOLVE_ADDRESSES_MAX + 1, step->address);

    void *userdata = world.userdata[step->question];

    assert_true(world.pending[step->question]);
    if (step->question == ALIVE) { /* step->address lists those that answer */
        bool is_alive[CLAIMS_MAX] = {false};
        for (size_t i = 0; i < CLAIMS_MAX; i++)
            for (size_t j = 0; j < count; j++)
                is_alive[i] |= address_equal(&world.rival_addresses[i], &addresses[j]);
        world.on_alive(is_alive, step->shortage, userdata);
        return;
    }
    if (step->question == SYSTEM) {
        world.on_lookup(addresses, count, step->reason ? step->reason : "", step->is_local,
                        step->lack, userdata);
        return;
    }
    struct mdns_answer answer = {
        .event = step->event, .port = step->port, .service = step->service};
    assert_true(world.services[step->question] & 1U << step->service);
    answer.has_address = count > 0 && address_is_unicast(&addresses[0]);
    if (count)
        answer.address = addresses[0];
    snprintf(answer.host, sizeof answer.host, "%s", step->host ? step->host : "");
    snprintf(answer.instance, sizeof answer.instance, "%s", step->instance ? step->instance : "");
    snprintf(answer.reason, sizeof answer.reason, "%s", step->reason ? step->reason : "");
    answer.is_local = step->is_local;
    answer.lack = step->lack;
    if (step->event != MDNS_FOUND)
        world.pending[step->question] = false;
    world.on_answer[step->question](&answer, userdata);
}

static void on_resolve_done(const struct resolution *resolution, const struct ota_failure *failure,
                            void *userdata)
{
    assert_ptr_equal(userdata, &world);
    world.done_count++;
    world.done_ms = virtual_time.now_us / MS;
    world.found = resolution != NULL;
    if (resolution) {
        assert_null(failure);
        for (size_t i = 0; i < resolution->count; i++) {
            char text[ADDRESS_TEXT_MAX];
            size_t length = strlen(world.addresses);

            assert_int_equal(address_port(&resolution->addresses[i]), 0);
            snprintf(world.addresses + length, sizeof world.addresses - length, "%s%s",
                     length ? " " : "", address_text(text, &resolution->addresses[i]));
        }
        world.is_cut = resolution->is_cut;
        world.port = resolution->port;
        snprintf(world.source, sizeof world.source, "%s", resolution->source);

        /* an address with an announcement has a claim, too */
        if (strcmp(resolution->source, "mDNS") == 0 || resolution->port)
            assert_true(resolution->claims.count > 0);
        snprintf(world.instance, sizeof world.instance, "%s", resolution->instance);
    } else {
        world.failure = *failure;
    }
    if (world.free_when_done) {
        resolver_free(world.resolver);
        world.resolver = NULL;
    }
}

static const struct test_case {
    const char *title;
    const char *target;
    bool no_port; /* the caller knows the port */
    bool decides; /* the caller knows it, and doubts that the image is for this board */
    int64_t timeout_ms;
    struct step steps[STEPS_MAX];
    const char *asked;
    int64_t done_ms;
    const char *addresses; /* NULL: the resolution fails */
    uint16_t port;
    const char *source;
    const char *instance;
    const char *says[4]; /* parts of the failure's message */
    bool refuse_mdns, refuse_lookup;
    const char *rivals;   /* addresses of different boards */
    enum ota_error error; /* OTA_OK: OTA_E_NOT_FOUND if it fails */
    enum ota_cause cause; /* OTA_CAUSE_NONE: not asserted */
    const char *file;     /* the addresses in /etc/hosts */
    unsigned services;    /* of the way that is asked for; 0: SERVICES_ARDUINO */
    bool has_mdns;        /* optional questions may be asked */
    bool is_cut;          /* the name has more addresses than these */
    bool is_offline;
} cases[] = {
    {.title = "a numeric address asks nobody where there is nobody to ask",
     .target = "10.0.0.7",
     .asked = "",
     .addresses = "10.0.0.7",
     .source = "numeric address"},
    {.title = "a scoped address keeps its scope",
     .target = "fe80::7%lo",
     .asked = "",
     .addresses = "fe80::7%lo",
     .source = "numeric address"},
    {.title = "a numeric address: what is announced there",
     .target = "10.0.0.7",
     .steps = {{40, MDNS_ADDRESS, .address = "10.0.0.7", .host = "esp.local", .instance = "Lamp",
                .port = 8300}},
     .asked = "address@0",
     .done_ms = 40,
     .addresses = "10.0.0.7",
     .port = 8300,
     .source = "numeric address",
     .instance = "Lamp",
     .has_mdns = true},
    {.title = "a numeric address at which nothing is announced",
     .target = "10.0.0.7",
     .steps = {{200, MDNS_ADDRESS, .event = MDNS_END}},
     .asked = "address@0",
     .done_ms = 200,
     .addresses = "10.0.0.7",
     .source = "numeric address",
     .has_mdns = true},
    {.title = "a numeric address and an Avahi that hangs: 300 ms, no more",
     .target = "fd00::7",
     .asked = "address@0",
     .done_ms = 300,
     .addresses = "fd00::7",
     .source = "numeric address",
     .has_mdns = true},
    {.title = "a numeric address and no Avahi behind the bus",
     .target = "10.0.0.7",
     .steps = {{15, MDNS_ADDRESS, .event = MDNS_UNAVAILABLE, .reason = "no daemon"}},
     .asked = "address@0",
     .done_ms = 15,
     .addresses = "10.0.0.7",
     .source = "numeric address",
     .has_mdns = true},
    {.title = "nothing announces itself at a loopback address",
     .target = "127.0.0.7",
     .asked = "",
     .addresses = "127.0.0.7",
     .source = "numeric address",
     .has_mdns = true},
    {.title = "a known port: the kind of the board is welcome, for 300 ms from the address on",
     .target = "kitchen.local",
     .no_port = true,
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"},
               {90, MDNS_ADDRESS, .address = "10.0.0.7", .host = "kitchen.local", .instance = "K",
                .port = 8266}},
     .asked = "host@0 address@20",
     .done_ms = 400,
     .addresses = "10.0.0.7",
     .port = 8266,
     .source = "mDNS",
     .instance = "K",
     .has_mdns = true},
    {.title = "an announcement that decides, at an address: 2 s",
     .target = "10.0.0.7",
     .decides = true,
     .steps = {{1900, MDNS_ADDRESS, .address = "10.0.0.7", .host = "kitchen.local", .instance = "K",
                .port = 8266}},
     .asked = "address@0",
     .done_ms = 1900,
     .addresses = "10.0.0.7",
     .port = 8266,
     .source = "numeric address",
     .instance = "K",
     .has_mdns = true},
    {.title = "an announcement that decides, and does not come",
     .target = "10.0.0.7",
     .decides = true,
     .asked = "address@0",
     .done_ms = 2000,
     .addresses = "10.0.0.7",
     .source = "numeric address",
     .has_mdns = true},
    {.title = "an announcement that decides, of a host: 2 s from its address on",
     .target = "kitchen.local",
     .decides = true,
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"},
               {1900, MDNS_INSTANCE, .address = "10.0.0.7", .host = "kitchen.local",
                .instance = "kitchen", .port = 8266}},
     .asked = "host@0 instance@0 services@270",
     .done_ms = 1900,
     .addresses = "10.0.0.7",
     .port = 8266,
     .source = "mDNS",
     .instance = "kitchen",
     .has_mdns = true},
    {.title = "a name of the DNS: what is announced at its address",
     .target = "esp.example.org",
     .steps = {{20, SYSTEM, .address = "10.0.0.7"},
               {60, MDNS_ADDRESS, .address = "10.0.0.7", .host = "esp.local", .instance = "Lamp",
                .port = 3232}},
     .asked = "system@0 address@20",
     .done_ms = 60,
     .addresses = "10.0.0.7",
     .port = 3232,
     .source = "system resolver",
     .instance = "Lamp",
     .has_mdns = true},
    {.title = "two boards of one name",
     .target = "kitchen.local",
     .rivals = "10.0.0.7 10.0.0.8",
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"},
               {30, MDNS_INSTANCE, .address = "10.0.0.7", .host = "kitchen.local",
                .instance = "kitchen", .port = 8266},
               {390, MDNS_HOST, .address = "10.0.0.8", .host = "kitchen.local"},
               {450, ALIVE, .address = "10.0.0.7 10.0.0.8"}},
     .asked = "host@0 instance@0 alive@400",
     .done_ms = 450,
     .error = OTA_E_AMBIGUOUS,
     .says = {"two boards have this name, at 10.0.0.7 and 10.0.0.8; choose one by "
              "its address, as in -i 10.0.0.7"}},
    {.title = "two boards whose services have one name",
     .target = "Living Room",
     .rivals = "10.0.0.7 10.0.0.8",
     .steps = {{30, MDNS_INSTANCE, .address = "10.0.0.7", .host = "a.local",
                .instance = "Living Room", .port = 8266},
               {40, MDNS_INSTANCE, .address = "10.0.0.8", .host = "a.local",
                .instance = "Living Room", .port = 8266},
               {450, ALIVE, .address = "10.0.0.7 10.0.0.8"}},
     .asked = "instance@0 alive@400",
     .done_ms = 450,
     .error = OTA_E_AMBIGUOUS,
     .says = {"two boards have this name"}},
    {.title = "an address that the board does not have any more",
     .target = "kitchen.local",
     .no_port = true,
     .rivals = "10.0.0.7 10.0.0.8",
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"},
               {25, MDNS_HOST, .address = "fd00::8", .host = "kitchen.local"},
               {30, MDNS_HOST, .address = "10.0.0.8", .host = "kitchen.local"},
               {1900, ALIVE, .address = "10.0.0.8"}},
     .asked = "host@0 alive@400",
     .done_ms = 1900,
     .addresses = "10.0.0.8 fd00::8",
     .source = "mDNS"},
    {.title = "two boards of one name, neither of which is there",
     .target = "kitchen.local",
     .no_port = true,
     .rivals = "10.0.0.7 10.0.0.8",
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"},
               {30, MDNS_HOST, .address = "10.0.0.8", .host = "kitchen.local"},
               {1900, ALIVE, .address = ""}},
     .asked = "host@0 alive@400",
     .done_ms = 1900,
     .addresses = "10.0.0.7 10.0.0.8",
     .source = "mDNS"},
    {.title = "two boards of one name, one of which this computer cannot ask",
     .target = "kitchen.local",
     .no_port = true,
     .rivals = "10.0.0.7 10.0.0.8",
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"},
               {30, MDNS_HOST, .address = "10.0.0.8", .host = "kitchen.local"},
               {450, ALIVE, .address = "10.0.0.8", .shortage = EMFILE}},
     .asked = "host@0 alive@400",
     .done_ms = 450,
     .error = OTA_E_INTERNAL,
     .says = {"whether several boards have this name cannot be found out: Too many open files"}},
    {.title = "three boards of one name, one of which this computer cannot ask",
     .target = "kitchen.local",
     .no_port = true,
     .rivals = "10.0.0.7 10.0.0.8 10.0.0.9",
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"},
               {30, MDNS_HOST, .address = "10.0.0.8", .host = "kitchen.local"},
               {40, MDNS_HOST, .address = "10.0.0.9", .host = "kitchen.local"},
               {450, ALIVE, .address = "10.0.0.7 10.0.0.9", .shortage = EMFILE}},
     .asked = "host@0 alive@400",
     .done_ms = 450,
     .error = OTA_E_AMBIGUOUS,
     .says = {"two boards have this name, at 10.0.0.7 and 10.0.0.9"}},
    {.title = "/etc/hosts goes before everything",
     .target = "kitchen.local",
     .file = "fd00::7 10.0.0.7",
     .asked = "",
     .addresses = "10.0.0.7 fd00::7",
     .source = "/etc/hosts"},
    {.title = "more addresses than a board can have",
     .target = "kitchen.local",
     .file = "fd00::1 fd00::2 fd00::3 fd00::4 fd00::5 fd00::6 fd00::7 fd00::8 10.0.0.7",
     .asked = "",
     .addresses = "10.0.0.7 fd00::1 fd00::2 fd00::3 fd00::4 fd00::5 fd00::6 fd00::7",
     .source = "/etc/hosts",
     .is_cut = true},
    {.title = "as many addresses as a board can have",
     .target = "kitchen.local",
     .file = "fd00::1 fd00::2 fd00::3 fd00::4 fd00::5 fd00::6 fd00::7 10.0.0.7",
     .asked = "",
     .addresses = "10.0.0.7 fd00::1 fd00::2 fd00::3 fd00::4 fd00::5 fd00::6 fd00::7",
     .source = "/etc/hosts"},
    {.title = "/etc/hosts and the announcement of that address",
     .target = "kitchen",
     .file = "10.0.0.7",
     .steps = {{60, MDNS_ADDRESS, .address = "10.0.0.7", .host = "esp.local", .instance = "Lamp",
                .port = 3232}},
     .asked = "address@0",
     .done_ms = 60,
     .addresses = "10.0.0.7",
     .port = 3232,
     .source = "/etc/hosts",
     .instance = "Lamp",
     .has_mdns = true},
    {.title = "a name that can be no host's is not looked for in /etc/hosts",
     .target = "Living Room",
     .file = "10.0.0.9",
     .steps = {{20, MDNS_INSTANCE, .address = "10.0.0.7", .host = "esp.local",
                .instance = "Living Room", .port = 3232}},
     .asked = "instance@0",
     .done_ms = 400,
     .addresses = "10.0.0.7",
     .port = 3232,
     .source = "mDNS",
     .instance = "Living Room"},
    {.title = "the usual board: host and instance have one name",
     .target = "kitchen.local",
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"},
               {30, MDNS_INSTANCE, .address = "10.0.0.7", .host = "kitchen.local",
                .instance = "kitchen", .port = 8266}},
     .asked = "host@0 instance@0",
     .done_ms = 400,
     .addresses = "10.0.0.7",
     .port = 8266,
     .source = "mDNS",
     .instance = "kitchen"},
    {.title = "host names compare without case",
     .target = "Kitchen.LOCAL",
     .steps = {{20, MDNS_INSTANCE, .address = "10.0.0.7", .host = "kITCHEN.local",
                .instance = "kITCHEN", .port = 8266}},
     .asked = "host@0 instance@0",
     .done_ms = 400,
     .addresses = "10.0.0.7",
     .port = 8266,
     .source = "mDNS",
     .instance = "kITCHEN"},
    {.title = "a known port needs no service",
     .target = "kitchen.local",
     .no_port = true,
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"}},
     .asked = "host@0",
     .done_ms = 400,
     .addresses = "10.0.0.7",
     .source = "mDNS"},
    {.title = "IPv6 first: IPv4 is waited for and goes before it",
     .target = "kitchen.local",
     .no_port = true,
     .steps = {{20, MDNS_HOST, .address = "fe80::7%lo", .host = "kitchen.local"},
               {400, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"}},
     .asked = "host@0",
     .done_ms = 400,
     .addresses = "10.0.0.7 fe80::7%lo",
     .source = "mDNS"},
    {.title = "IPv6 only: accepted after the grace",
     .target = "kitchen.local",
     .no_port = true,
     .steps = {{20, MDNS_HOST, .address = "fe80::7%lo", .host = "kitchen.local"}},
     .asked = "host@0",
     .done_ms = 520,
     .addresses = "fe80::7%lo",
     .source = "mDNS"},
    {.title = "IPv6 only: accepted at once when nothing more can come",
     .target = "kitchen.local",
     .no_port = true,
     .steps = {{20, MDNS_HOST, .address = "fd00::7", .host = "kitchen.local"},
               {90, MDNS_HOST, .event = MDNS_END}},
     .asked = "host@0",
     .done_ms = 90,
     .addresses = "fd00::7",
     .source = "mDNS"},
    {.title = "the port of an instance with another name, by its host",
     .target = "esp32-1.local",
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "esp32-1.local"},
               {290, MDNS_BOARDS, .host = "esp32-10.local", .instance = "Other", .port = 1000},
               {300, MDNS_BOARDS, .host = "esp32-1.local", .instance = "Living Room",
                .port = 3232}},
     .asked = "host@0 instance@0 services@270",
     .done_ms = 400,
     .addresses = "10.0.0.7",
     .port = 3232,
     .source = "mDNS",
     .instance = "Living Room"},
    {.title = "no such instance: the services are looked at without delay",
     .target = "esp32-1.local",
     .steps = {{10, MDNS_INSTANCE, .event = MDNS_END},
               {20, MDNS_HOST, .address = "10.0.0.7", .host = "esp32-1.local"},
               {60, MDNS_BOARDS, .event = MDNS_END}},
     .asked = "host@0 instance@0 services@20",
     .done_ms = 400,
     .addresses = "10.0.0.7",
     .source = "mDNS"},
    {.title = "a host without the service: a second for the port, no more",
     .target = "printer.local",
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "printer.local"}},
     .asked = "host@0 instance@0 services@270",
     .done_ms = 1020,
     .addresses = "10.0.0.7",
     .source = "mDNS"},
    {.title = "an instance of that name on another host is not meant",
     .target = "kitchen.local",
     .steps = {{10, MDNS_INSTANCE, .address = "10.0.0.9", .host = "esp-9.local",
                .instance = "kitchen", .port = 3232},
               {20, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"}},
     .asked = "host@0 instance@0 services@270",
     .done_ms = 1020,
     .addresses = "10.0.0.7",
     .source = "mDNS"},
    {.title = "the deadline cuts the wait for a port short",
     .target = "kitchen.local",
     .timeout_ms = 600,
     .steps = {{20, MDNS_HOST, .address = "10.0.0.7", .host = "kitchen.local"}},
     .asked = "host@0 instance@0 services@270",
     .done_ms = 600,
     .addresses = "10.0.0.7",
     .source = "mDNS"},
    {.title = ".local without Avahi: the C library is asked at once",
     .target = "kitchen.local",
     .steps = {{5, MDNS_HOST, .event = MDNS_UNAVAILABLE, .reason = "no daemon"},
               {5, MDNS_INSTANCE, .event = MDNS_UNAVAILABLE, .reason = "no daemon"},
               {40, SYSTEM, .address = "10.0.0.7 fd00::7"}},
     .asked = "host@0 instance@0 system@5",
     .done_ms = 40,
     .addresses = "10.0.0.7 fd00::7",
     .source = "system resolver"},
    {.title = ".local without Avahi and nss-mdns: one message says all",
     .target = "kitchen.local",
     .steps = {{5, MDNS_HOST, .event = MDNS_UNAVAILABLE, .reason = "no daemon"},
               {5, MDNS_INSTANCE, .event = MDNS_UNAVAILABLE, .reason = "no daemon"},
               {40, SYSTEM, .reason = "Name or service not known"}},
     .asked = "host@0 instance@0 system@5",
     .done_ms = 40,
     .says = {"not found: multicast DNS cannot be asked (no daemon), and "
              "the system resolver says \"Name or service not known\""}},
    {.title = ".local that Avahi is slow with: the C library helps after a second",
     .target = "kitchen.local",
     .no_port = true,
     .steps = {{1040, SYSTEM, .address = "10.0.0.7"}},
     .asked = "host@0 system@1000",
     .done_ms = 1040,
     .addresses = "10.0.0.7",
     .source = "system resolver"},
    {.title = ".local that Avahi is slow with: the port has another second, from the address on",
     .target = "kitchen.local",
     .steps = {{1040, SYSTEM, .address = "10.0.0.7"}},
     .asked = "host@0 instance@0 system@1000",
     .done_ms = 2040,
     .addresses = "10.0.0.7",
     .source = "system resolver"},
    {.title = ".local that Avahi is slow with: the port comes in that second",
     .target = "kitchen.local",
     .steps = {{1040, SYSTEM, .address = "10.0.0.7"},
               {1500, MDNS_INSTANCE, .address = "10.0.0.7", .host = "kitchen.local",
                .instance = "kitchen", .port = 8300}},
     .asked = "host@0 instance@0 system@1000",
     .done_ms = 1500,
     .addresses = "10.0.0.7",
     .port = 8300,
     .source = "mDNS",
     .instance = "kitchen"},
    {.title = "a wrong .local name fails when all have given up, and says which hosts are like it",
     .target = "kitchne.local",
     .steps = {{1040, SYSTEM, .reason = "Name or service not known"},
               {1600, MDNS_BOARDS, .host = "lamp.local", .instance = "Lamp", .port = 3232},
               {1610, MDNS_BOARDS, .host = "kitchen.local", .instance = "K", .port = 8266},
               {5000, MDNS_HOST, .event = MDNS_END},
               {5010, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "host@0 instance@0 system@1000 services@1500",
     .done_ms = 5010,
     .says = {"not found: multicast DNS gave no answer in 5.0 s, and the "
              "system resolver says \"Name or service not known\"",
              "; announced here: \"kitchen.local\", \"lamp.local\""}},
    {.title = "a name that needs another way",
     .target = "prch",
     .steps = {{100, SYSTEM, .reason = "Name or service not known"},
               {1600, MDNS_BOARDS, .host = "porch.local", .instance = "porch",
                .service = SERVICE_ESPHOME},
               {1610, MDNS_BOARDS, .host = "lamp.local", .instance = "Lamp"},
               {5000, MDNS_HOST, .event = MDNS_END},
               {5010, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "host@0 instance@0 system@0 services@1500",
     .done_ms = 5010,
     .cause = OTA_CAUSE_OTHER_WAY,
     .says = {"; announced here: \"porch\" (ESPHome), \"Lamp\""}},
    {.title = "two boards, one of which needs another way, and neither has a similar name",
     .target = "zebra",
     .steps = {{100, SYSTEM, .reason = "Name or service not known"},
               {1600, MDNS_BOARDS, .host = "porch.local", .instance = "porch",
                .service = SERVICE_ESPHOME},
               {1610, MDNS_BOARDS, .host = "lamp.local", .instance = "Living room"},
               {5000, MDNS_HOST, .event = MDNS_END},
               {5010, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "host@0 instance@0 system@0 services@1500",
     .done_ms = 5010,
     .cause = OTA_CAUSE_OTHER_NAMES,
     .says = {"; announced here: \"porch\" (ESPHome), \"Living room\""}},
    {.title = "many boards, none of which has a similar name, and the nearest needs another way",
     .target = "Zebra crossing",
     .steps = {{1600, MDNS_BOARDS, .host = "a.local", .instance = "Lamp 1"},
               {1600, MDNS_BOARDS, .host = "b.local", .instance = "Lamp 2"},
               {1600, MDNS_BOARDS, .host = "c.local", .instance = "Lamp 3"},
               {1600, MDNS_BOARDS, .host = "d.local", .instance = "crosswords",
                .service = SERVICE_WLED},
               {1700, MDNS_BOARDS, .event = MDNS_END},
               {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "instance@0 services@1500",
     .done_ms = 5000,
     .cause = OTA_CAUSE_OTHER_NAMES,
     .says = {"; none of the 4 boards announced here has a similar name"}},
    {.title = "a similar name by the way that was asked for, and the nearest by another",
     .target = "prch",
     .services = SERVICES_ESPHOME,
     .steps = {{100, SYSTEM, .reason = "Name or service not known"},
               {1600, MDNS_BOARDS, .host = "porch.local", .instance = "porch",
                .service = SERVICE_ESPHOME},
               {1610, MDNS_BOARDS, .host = "lamp.local", .instance = "Lamp"},
               {5000, MDNS_HOST, .event = MDNS_END, .service = SERVICE_ESPHOME},
               {5010, MDNS_INSTANCE, .event = MDNS_END, .service = SERVICE_ESPHOME}},
     .asked = "host@0 instance@0 system@0 services@1500",
     .done_ms = 5010,
     .cause = OTA_CAUSE_OTHER_NAMES,
     .says = {"; announced here: \"porch\", \"Lamp\" (ArduinoOTA)"}},
    {.title = "the port of another service is not the board's, even if it is announced meanwhile",
     .target = "porch.local",
     .steps = {{1600, MDNS_BOARDS, .host = "porch.local", .instance = "porch", .port = 6053,
                .service = SERVICE_ESPHOME},
               {1700, MDNS_HOST, .address = "10.0.0.7", .host = "porch.local"}},
     .asked = "host@0 instance@0 system@1000 services@1500",
     .done_ms = 2700,
     .addresses = "10.0.0.7",
     .source = "mDNS"},
    {.title = "a comma where nothing can be asked",
     .target = "kitchen,",
     .steps = {{10, MDNS_INSTANCE, .event = MDNS_UNAVAILABLE, .reason = "no bus"}},
     .asked = "instance@0",
     .done_ms = 10,
     .cause = OTA_CAUSE_NO_AVAHI,
     .says = {"multicast DNS cannot be asked (no bus); a comma or semicolon does not separate"}},
    {.title = "many boards, none of which is meant",
     .target = "Lamp 1",
     .steps = {{1600, MDNS_BOARDS, .host = "a.local", .instance = "Lamp 2"},
               {1600, MDNS_BOARDS, .host = "b.local", .instance = "Garage"},
               {1600, MDNS_BOARDS, .host = "c.local", .instance = "Lamp 1\033"},
               {1600, MDNS_BOARDS, .host = "d.local", .instance = "Lamp 12"},
               {1700, MDNS_BOARDS, .event = MDNS_END},
               {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "instance@0 services@1500",
     .done_ms = 5000,
     .says = {"; of 4 boards announced here, the most similar are \"Lamp 1\\x1b\", \"Lamp 12\", "
              "\"Lamp 2\""}},
    {.title = "names of several boards",
     .target = "attic, lamp 2 ;cellar",
     .steps = {{1600, MDNS_BOARDS, .host = "a.local", .instance = "Garage"},
               {1600, MDNS_BOARDS, .host = "b.local", .instance = "Lamp 2"},
               {1700, MDNS_BOARDS, .event = MDNS_END},
               {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "instance@0 services@1500",
     .done_ms = 5000,
     .cause = OTA_CAUSE_SEPARATED,
     .says = {"announced here: \"Lamp 2\", \"Garage\""}},
    {.title = "a name with a comma, of which parts are parts of names",
     .target = "Lamp 2, attic",
     .steps = {{1600, MDNS_BOARDS, .host = "a.local", .instance = "Lamp"},
               {1600, MDNS_BOARDS, .host = "b.local", .instance = "attic 2"},
               {1600, MDNS_BOARDS, .host = "c.local", .instance = "2"},
               {1600, MDNS_BOARDS, .host = "d.local", .instance = "Garage"},
               {1700, MDNS_BOARDS, .event = MDNS_END},
               {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "instance@0 services@1500",
     .done_ms = 5000,
     .cause = OTA_CAUSE_OTHER_NAMES,
     .says = {"of 4 boards announced here"}},
    {.title = "a name that is like none of many",
     .target = "Zebra crossing",
     .steps = {{1600, MDNS_BOARDS, .host = "a.local", .instance = "Lamp 1"},
               {1600, MDNS_BOARDS, .host = "b.local", .instance = "Lamp 2"},
               {1600, MDNS_BOARDS, .host = "c.local", .instance = "Lamp 3"},
               {1600, MDNS_BOARDS, .host = "d.local", .instance = "Lamp 4"},
               {1700, MDNS_BOARDS, .event = MDNS_END},
               {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "instance@0 services@1500",
     .done_ms = 5000,
     .cause = OTA_CAUSE_OTHER_NAMES,
     .says = {"; none of the 4 boards announced here has a similar name"}},
    {.title = "a pattern for the name of one board",
     .target = "Lamp ?",
     .steps = {{1600, MDNS_BOARDS, .host = "a.local", .instance = "Garage"},
               {1600, MDNS_BOARDS, .host = "b.local", .instance = "Lamp 2"},
               {1700, MDNS_BOARDS, .event = MDNS_END},
               {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "instance@0 services@1500",
     .done_ms = 5000,
     .says = {"5.0 s; boards announced here match it as a pattern"}},
    {.title = "no board at all",
     .target = "Lamp 1",
     .steps = {{2700, MDNS_BOARDS, .event = MDNS_END}, {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "instance@0 services@1500",
     .done_ms = 5000,
     .says = {"5.0 s; no board is announced here"}},
    {.title = "no network",
     .target = "Lamp 1",
     .is_offline = true,
     .steps = {{2700, MDNS_BOARDS, .event = MDNS_END}, {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "instance@0 services@1500",
     .done_ms = 5000,
     .cause = OTA_CAUSE_NO_NETWORK,
     .says = {"5.0 s; this computer is in no network"}},
    {.title = "no network, and a simulated board",
     .target = "Lamp 1",
     .is_offline = true,
     .steps = {{1600, MDNS_BOARDS, .host = "lamp.local", .instance = "Lamp", .port = 3232},
               {2700, MDNS_BOARDS, .event = MDNS_END},
               {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "instance@0 services@1500",
     .done_ms = 5000,
     .cause = OTA_CAUSE_OTHER_NAMES,
     .says = {"5.0 s; announced here: \"Lamp\""}},
    {.title = "nobody waits for similar names",
     .target = "Lamp 1",
     .steps = {{5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "instance@0 services@1500",
     .done_ms = 5000,
     .says = {"\"esp-ota -l\" lists the boards that announce themselves"}},
    {.title = "Avahi is not asked again when it has gone",
     .target = "kitchne.local",
     .steps = {{1100, MDNS_HOST, .event = MDNS_UNAVAILABLE, .reason = "it has gone"},
               {1100, MDNS_INSTANCE, .event = MDNS_UNAVAILABLE, .reason = "it has gone"},
               {3000, SYSTEM, .reason = "Name or service not known"}},
     .asked = "host@0 instance@0 system@1000",
     .done_ms = 3000,
     .says = {"multicast DNS cannot be asked (it has gone)"}},
    {.title = "a wrong name fails at the deadline, whoever still thinks",
     .target = "kitchne.local",
     .timeout_ms = 3000,
     .asked = "host@0 instance@0 system@1000 services@1500",
     .done_ms = 3000,
     .says = {"multicast DNS gave no answer in 3.0 s, and the system resolver gave no answer in "
              "3.0 s"}},
    {.title = "a deadline before anything can answer",
     .target = "kitchen.local",
     .timeout_ms = 1,
     .asked = "host@0 instance@0",
     .done_ms = 1,
     .says = {"multicast DNS gave no answer in 0.001 s"}},
    {.title = "a label: the instance wins over a faster system resolver",
     .target = "kitchen",
     .steps = {{10, SYSTEM, .address = "192.0.2.1"},
               {300, MDNS_INSTANCE, .address = "10.0.0.7", .host = "esp-7.local",
                .instance = "kitchen", .port = 3232}},
     .asked = "host@0 instance@0 system@0",
     .done_ms = 400,
     .addresses = "10.0.0.7",
     .port = 3232,
     .source = "mDNS",
     .instance = "kitchen"},
    {.title = "a label: the system resolver's answer when mDNS is slow",
     .target = "kitchen",
     .steps = {{10, SYSTEM, .address = "192.0.2.1"}},
     .asked = "host@0 instance@0 system@0",
     .done_ms = 1000,
     .addresses = "192.0.2.1",
     .source = "system resolver"},
    {.title = "a label: the system resolver's answer at once without Avahi",
     .target = "kitchen",
     .steps = {{10, SYSTEM, .address = "192.0.2.1"},
               {20, MDNS_HOST, .event = MDNS_UNAVAILABLE, .reason = "no daemon"},
               {20, MDNS_INSTANCE, .event = MDNS_UNAVAILABLE, .reason = "no daemon"}},
     .asked = "host@0 instance@0 system@0",
     .done_ms = 20,
     .addresses = "192.0.2.1",
     .source = "system resolver"},
    {.title = "a label: an instance is surer than a .local host of that name",
     .target = "kitchen",
     .no_port = true,
     .steps = {{10, MDNS_HOST, .address = "10.0.0.9", .host = "kitchen.local"},
               {200, MDNS_INSTANCE, .address = "10.0.0.7", .host = "esp-7.local",
                .instance = "kitchen", .port = 3232}},
     .asked = "host@0 instance@0 system@0",
     .done_ms = 400,
     .addresses = "10.0.0.7",
     .port = 3232,
     .source = "mDNS",
     .instance = "kitchen"},
    {.title = "a label: a .local host of that name, its port by another instance",
     .target = "esp-7",
     .steps = {{10, MDNS_HOST, .address = "10.0.0.7", .host = "esp-7.local"},
               {300, MDNS_BOARDS, .host = "esp-7.local", .instance = "Lamp", .port = 2040}},
     .asked = "host@0 instance@0 system@0 services@260",
     .done_ms = 510,
     .addresses = "10.0.0.7",
     .port = 2040,
     .source = "mDNS",
     .instance = "Lamp"},
    {.title = "a label that nobody knows",
     .target = "kitchne",
     .steps = {{10, SYSTEM, .reason = "Name or service not known"},
               {5000, MDNS_HOST, .event = MDNS_END},
               {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "host@0 instance@0 system@0 services@1500",
     .done_ms = 5000,
     .says = {"not found", "multicast DNS gave no answer in 5.0 s", "esp-ota -l"}},
    {.title = "a label announced with an address of no board, which is no pattern for itself",
     .target = "lamp",
     .steps = {{10, SYSTEM, .reason = "Name or service not known"},
               {20, MDNS_INSTANCE, .address = "0.0.0.0", .host = "lamp.local", .instance = "lamp"},
               {1600, MDNS_BOARDS, .address = "0.0.0.0", .host = "lamp.local", .instance = "Lamp"},
               {1610, MDNS_BOARDS, .event = MDNS_END},
               {5000, MDNS_HOST, .event = MDNS_END},
               {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "host@0 instance@0 system@0 services@1500",
     .done_ms = 5000,
     .cause = OTA_CAUSE_NO_ADDRESS,
     .says = {"not found: announced with the address 0.0.0.0, which no board can have, and the "
              "system resolver says \"Name or service not known\""}},
    {.title = "a .local host with an address of no board",
     .target = "lamp.local",
     .steps = {{10, MDNS_HOST, .address = "ff02::1", .host = "lamp.local"},
               {20, MDNS_INSTANCE, .address = "::", .host = "other.local", .instance = "lamp"},
               {1040, SYSTEM, .reason = "Name or service not known"},
               {5000, MDNS_HOST, .event = MDNS_END},
               {5010, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "host@0 instance@0 system@1000 services@1500",
     .done_ms = 5010,
     .cause = OTA_CAUSE_NO_ADDRESS,
     .says = {"not found: announced with the address ff02::1, which no board can have, and"}},
    {.title = "a .local name that the system resolver, too, takes for this computer",
     .target = "lamp.local",
     .no_port = true,
     .steps = {{10, MDNS_HOST, .address = "0.0.0.0", .host = "lamp.local"},
               {1040, SYSTEM, .address = "127.0.0.1 ::1 127.0.0.2"},
               {5000, MDNS_HOST, .event = MDNS_END}},
     .asked = "host@0 system@1000 services@1500",
     .done_ms = 5000,
     .cause = OTA_CAUSE_NO_ADDRESS,
     .says = {"not found: announced with the address 0.0.0.0, which no board can have, and the "
              "system resolver says \"127.0.0.2, which is this computer\""}},
    {.title = "a .local name that the system resolver takes for this computer, without Avahi",
     .target = "lamp.local",
     .no_port = true,
     .steps = {{10, MDNS_HOST, .event = MDNS_UNAVAILABLE, .reason = "no daemon"},
               {20, SYSTEM, .address = "127.0.0.1"}},
     .asked = "host@0 system@10",
     .done_ms = 20,
     .says = {"(no daemon), and the system resolver says \"127.0.0.1, which is this computer\""}},
    {.title = "a label that somebody in the network takes for this computer",
     .target = "lamp",
     .steps = {{10, SYSTEM, .address = "127.0.0.1"},
               {20, MDNS_HOST, .event = MDNS_UNAVAILABLE, .reason = "no daemon"},
               {20, MDNS_INSTANCE, .event = MDNS_UNAVAILABLE, .reason = "no daemon"}},
     .asked = "host@0 instance@0 system@0",
     .done_ms = 20,
     .says = {"the system resolver says \"127.0.0.1, which is this computer\""}},
    {.title = "another address beside that of this computer",
     .target = "lamp.local",
     .no_port = true,
     .steps = {{1040, SYSTEM, .address = "127.0.0.1 10.0.0.7"}},
     .asked = "host@0 system@1000",
     .done_ms = 1040,
     .addresses = "10.0.0.7",
     .source = "system resolver"},
    {.title = "this computer by its usual name, where /etc/hosts lacks it",
     .target = "localhost",
     .steps = {{10, SYSTEM, .address = "127.0.0.1 ::1"}},
     .asked = "host@0 instance@0 system@0",
     .done_ms = 1000,
     .addresses = "127.0.0.1 ::1",
     .source = "system resolver"},
    {.title = "this computer by a name of the DNS",
     .target = "lamp.example",
     .steps = {{10, SYSTEM, .address = "127.0.0.1"}},
     .asked = "system@0",
     .done_ms = 10,
     .addresses = "127.0.0.1",
     .source = "system resolver"},
    {.title = "this computer by /etc/hosts",
     .target = "lamp.local",
     .file = "127.0.0.1",
     .asked = "",
     .addresses = "127.0.0.1",
     .source = "/etc/hosts"},
    {.title = "an address of no board before another one",
     .target = "lamp.local",
     .no_port = true,
     .steps = {{10, MDNS_HOST, .address = "0.0.0.0", .host = "lamp.local"},
               {20, MDNS_HOST, .address = "10.0.0.7", .host = "lamp.local"}},
     .asked = "host@0",
     .done_ms = 400,
     .addresses = "10.0.0.7",
     .source = "mDNS"},
    {.title = "a dotted name is the system resolver's",
     .target = "board.example.org",
     .steps = {{900, SYSTEM, .address = "fd00::7 192.0.2.1"}},
     .asked = "system@0",
     .done_ms = 900,
     .addresses = "192.0.2.1 fd00::7",
     .source = "system resolver"},
    {.title = "a dotted name that DNS does not know may be an instance",
     .target = "porch.v2",
     .steps = {{30, SYSTEM, .reason = "Name or service not known"},
               {50, MDNS_INSTANCE, .address = "10.0.0.7", .host = "porch.local",
                .instance = "porch.v2", .port = 8266}},
     .asked = "system@0 instance@30",
     .done_ms = 430,
     .addresses = "10.0.0.7",
     .port = 8266,
     .source = "mDNS",
     .instance = "porch.v2"},
    {.title = "a dotted name and a DNS server that is silent",
     .target = "porch.v2",
     .steps = {{2050, MDNS_INSTANCE, .address = "10.0.0.7", .host = "porch.local",
                .instance = "porch.v2", .port = 8266}},
     .asked = "system@0 instance@2000",
     .done_ms = 2400,
     .addresses = "10.0.0.7",
     .port = 8266,
     .source = "mDNS",
     .instance = "porch.v2"},
    {.title = "a dotted name that nobody knows, without Avahi",
     .target = "board.example.org",
     .steps = {{30, SYSTEM, .reason = "Name or service not known"},
               {40, MDNS_INSTANCE, .event = MDNS_UNAVAILABLE, .reason = "no daemon"}},
     .asked = "system@0 instance@30",
     .done_ms = 40,
     .says = {"the system resolver says \"Name or service not known\""}},
    {.title = "an instance, IPv6 before IPv4",
     .target = "Living Room Lamp",
     .steps = {{20, MDNS_INSTANCE, .address = "fe80::7%lo", .host = "esp-7.local",
                .instance = "Living Room Lamp", .port = 3232},
               {30, MDNS_INSTANCE, .address = "10.0.0.7", .host = "esp-7.local",
                .instance = "Living Room Lamp", .port = 3232}},
     .asked = "instance@0",
     .done_ms = 400,
     .addresses = "10.0.0.7 fe80::7%lo",
     .port = 3232,
     .source = "mDNS",
     .instance = "Living Room Lamp"},
    {.title = "an instance without Avahi: nobody else can be asked",
     .target = "Living Room Lamp",
     .steps = {{20, MDNS_INSTANCE, .event = MDNS_UNAVAILABLE, .reason = "no daemon"}},
     .asked = "instance@0",
     .done_ms = 20,
     .says = {"not found: multicast DNS cannot be asked (no daemon)"}},
    {.title = "an instance without a usable address is none",
     .target = "Living Room Lamp",
     .steps = {{20, MDNS_INSTANCE, .host = "esp-7.local", .instance = "Living Room Lamp",
                .port = 3232},
               {5000, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "instance@0 services@1500",
     .done_ms = 5000,
     .says = {"not found"}},
    {.title = "names from the network are escaped",
     .target = "esp-7.local",
     .steps = {{10, MDNS_HOST, .address = "10.0.0.7", .host = "esp-7.local"},
               {300, MDNS_BOARDS, .host = "esp-7.local", .instance = "L\033[2J", .port = 2040}},
     .asked = "host@0 instance@0 services@260",
     .done_ms = 400,
     .addresses = "10.0.0.7",
     .port = 2040,
     .source = "mDNS",
     .instance = "L\\x1b[2J"},
    {.title = "repeated addresses are one",
     .target = "kitchen.local",
     .steps = {{10, MDNS_HOST, .address = "fd00::1", .host = "kitchen.local"},
               {11, MDNS_HOST, .address = "fd00::1", .host = "kitchen.local"},
               {12, MDNS_HOST, .address = "fd00::2", .host = "kitchen.local"},
               {20, MDNS_INSTANCE, .address = "10.0.0.7", .host = "kitchen.local",
                .instance = "kitchen", .port = 8266}},
     .asked = "host@0 instance@0",
     .done_ms = 400,
     .addresses = "10.0.0.7 fd00::1 fd00::2",
     .port = 8266,
     .source = "mDNS",
     .instance = "kitchen"},
    {.title = "more addresses than there is room for: IPv4 still goes first",
     .target = "kitchen.local",
     .no_port = true,
     .steps = {{10, MDNS_HOST, .address = "fd00::1"},
               {10, MDNS_HOST, .address = "fd00::2"},
               {10, MDNS_HOST, .address = "fd00::3"},
               {10, MDNS_HOST, .address = "fd00::4"},
               {10, MDNS_HOST, .address = "fd00::5"},
               {10, MDNS_HOST, .address = "fd00::6"},
               {10, MDNS_HOST, .address = "fd00::7"},
               {10, MDNS_HOST, .address = "fd00::8"},
               {10, MDNS_HOST, .address = "fd00::9"},
               {10, MDNS_HOST, .address = "10.0.0.7"}},
     .asked = "host@0",
     .done_ms = 400,
     .addresses = "10.0.0.7 fd00::1 fd00::2 fd00::3 fd00::4 fd00::5 fd00::6 fd00::7",
     .is_cut = true,
     .source = "mDNS"},
    {.title = "too many boards for a list of them",
     .target = "kitchen",
     .steps = {{100, SYSTEM, .reason = "Name or service not known"},
               {1600, MDNS_BOARDS, .host = "lamp.local", .instance = "Lamp", .port = 3232},
               {1610, MDNS_BOARDS, .event = MDNS_UNAVAILABLE, .reason = "too many",
                .is_local = true},
               {5000, MDNS_HOST, .event = MDNS_END},
               {5010, MDNS_INSTANCE, .event = MDNS_END}},
     .asked = "host@0 instance@0 system@0 services@1500",
     .done_ms = 5010,
     .says = {"not found: multicast DNS gave no answer", "announced here: \"Lamp\""},
     .error = OTA_E_NOT_FOUND,
     .cause = OTA_CAUSE_OTHER_NAMES},
    {.title = "memory for no answer",
     .target = "kitchen",
     .steps = {{20, MDNS_HOST, .event = MDNS_UNAVAILABLE, .reason = "full", .is_local = true,
                .lack = OTA_CAUSE_OUT_OF_MEMORY},
               {20, MDNS_INSTANCE, .event = MDNS_UNAVAILABLE, .reason = "full"},
               {30, SYSTEM, .reason = "Name or service not known"}},
     .asked = "host@0 instance@0 system@0",
     .done_ms = 30,
     .says = {"cannot be looked up: multicast DNS cannot be asked (full), and the system resolver"},
     .error = OTA_E_INTERNAL,
     .cause = OTA_CAUSE_OUT_OF_MEMORY},
    {.title = "memory for no answer of the system's",
     .target = "kitchen",
     .steps = {{20, MDNS_HOST, .event = MDNS_UNAVAILABLE, .reason = "no daemon"},
               {20, MDNS_INSTANCE, .event = MDNS_UNAVAILABLE, .reason = "no daemon"},
               {30, SYSTEM, .reason = "Cannot allocate memory", .is_local = true,
                .lack = OTA_CAUSE_OUT_OF_MEMORY}},
     .asked = "host@0 instance@0 system@0",
     .done_ms = 30,
     .says = {"cannot be looked up: "},
     .error = OTA_E_INTERNAL,
     .cause = OTA_CAUSE_OUT_OF_MEMORY},
    {.title = "memory for no question at all",
     .target = "kitchen",
     .asked = "host@0 instance@0 system@0",
     .done_ms = 0,
     .says = {"multicast DNS cannot be asked (out of memory)",
              "the system resolver says \"Resource temporarily unavailable\"",
              "cannot be looked up: "},
     .error = OTA_E_INTERNAL,
     .refuse_mdns = true,
     .refuse_lookup = true},
};

static void start_resolver(const struct test_case *test, const struct target *target)
{
    int64_t timeout_ms = test->timeout_ms ? test->timeout_ms : 10000;

    world = (struct world){.refuse_mdns = test->refuse_mdns,
                           .refuse_lookup = test->refuse_lookup,
                           .is_offline = test->is_offline,
                           .has_mdns = test->has_mdns,
                           .file = test->file,
                           .rivals = test->rivals};
    virtual_time_reset(0);
    const struct resolver_config config = {.loop = virtual_time_loop(),
                                           .mdns = NULL,
                                           .target = target,
                                           .services =
                                               test->services ? test->services : SERVICES_ARDUINO,
                                           .use = test->decides   ? ANNOUNCEMENT_DECIDES
                                                  : test->no_port ? ANNOUNCEMENT_OPTIONAL
                                                                  : ANNOUNCEMENT_PORT,
                                           .timeout_us = timeout_ms * MS,
                                           .source = &wlan,
                                           .on_done = on_resolve_done,
                                           .userdata = &world};
    world.resolver = resolver_start(&config);
    assert_non_null(world.resolver);
    assert_int_equal(world.done_count, 0); /* never from within resolver_start() */
}

/* Plays the steps and the timer in the order of their times, until the resolver is done. */
static void run_world(const struct step *steps)
{
    while (world.done_count == 0) {
        bool has_step = steps->at_ms > 0;
        bool timer_first =
            virtual_time.due_us >= 0 && (!has_step || virtual_time.due_us < steps->at_ms * MS);

        if (timer_first) {
            virtual_time_fire();
        } else if (has_step) {
            virtual_time.now_us = steps->at_ms * MS;
            play_answers(steps++);
        } else {
            fail_msg("nothing is left to wait for, and there is no result");
        }
    }
    assert_int_equal(steps->at_ms, 0); /* all steps were used */
}

static void check(const struct test_case *test)
{
    assert_int_equal(world.done_count, 1);
    assert_string_equal(world.asked, test->asked);
    assert_int_equal(world.done_ms, test->done_ms);
    assert_int_equal(world.found, test->addresses != NULL);
    for (int question = 0; question < ASK_COUNT; question++)
        assert_false(world.pending[question]);
    assert_true(virtual_time.due_us < 0);

    if (test->addresses) {
        assert_string_equal(world.addresses, test->addresses);
        assert_int_equal(world.is_cut, test->is_cut);
        assert_int_equal(world.port, test->port);
        assert_string_equal(world.source, test->source);
        assert_string_equal(world.instance, test->instance ? test->instance : "");
        return;
    }

    assert_int_equal(world.failure.error, test->error ? test->error : OTA_E_NOT_FOUND);
    if (test->cause)
        assert_int_equal(world.failure.cause, test->cause);
    for (size_t i = 0; i < sizeof test->says / sizeof *test->says && test->says[i]; i++)
        if (!strstr(world.failure.message, test->says[i]))
            fail_msg("\"%s\" is not in \"%s\"", test->says[i], world.failure.message);
}

static void test_policy(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct test_case *test = &cases[i];
        struct target target;
        struct ota_failure failure;

        print_message("  %s\n", test->title);
        assert_int_equal(target_parse(&target, test->target, &no_schemes, &failure), OTA_OK);
        start_resolver(test, &target);
        run_world(test->steps);
        check(test);
        resolver_free(world.resolver);
    }
}

static void test_names_that_are_asked_for(void **state)
{
    static const struct {
        const char *target, *host, *instance, *system;
    } table[] = {
        {"kitchen.local", "kitchen.local", "kitchen", ""},  {"a.b.local", "a.b.local", "a.b", ""},
        {"kitchen", "kitchen.local", "kitchen", "kitchen"}, {"Living Room", "", "Living Room", ""},
        {"board.example.org", "", "", "board.example.org"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        static const struct test_case test;
        struct target target;
        struct ota_failure failure;

        assert_int_equal(target_parse(&target, table[i].target, &no_schemes, &failure), OTA_OK);
        start_resolver(&test, &target);
        virtual_time_fire();
        assert_string_equal(world.name[MDNS_HOST], table[i].host);
        assert_string_equal(world.name[MDNS_INSTANCE], table[i].instance);
        assert_string_equal(world.name[SYSTEM], table[i].system);
        resolver_free(world.resolver);
    }
}

/* resolver_free() ends every question and does not call done. */
static void test_free_resolver_while_asking(void **state)
{
    static const struct test_case test;
    struct target target;
    struct ota_failure failure;

    (void)state;
    assert_int_equal(target_parse(&target, "kitchen", &no_schemes, &failure), OTA_OK);
    start_resolver(&test, &target);
    virtual_time_fire();
    assert_true(world.pending[MDNS_HOST] && world.pending[MDNS_INSTANCE] && world.pending[SYSTEM]);
    resolver_free(world.resolver);
    for (int question = 0; question < ASK_COUNT; question++)
        assert_false(world.pending[question]);
    assert_true(virtual_time.due_us < 0);
    assert_int_equal(world.done_count, 0);
    resolver_free(NULL);
}

static void test_free_resolver_when_done(void **state)
{
    static const struct step answer = {20, MDNS_HOST, .address = "10.0.0.7"};
    static const struct test_case test = {.no_port = true};
    struct target target;
    struct ota_failure failure;

    (void)state;
    assert_int_equal(target_parse(&target, "kitchen.local", &no_schemes, &failure), OTA_OK);
    start_resolver(&test, &target);
    world.free_when_done = true;
    run_world((const struct step[]){answer, {0}});
    assert_true(world.found);
    assert_null(world.resolver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_names_that_are_asked_for),
        cmocka_unit_test(test_free_resolver_while_asking),
        cmocka_unit_test(test_free_resolver_when_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
