/*
 * test-handshake.c: the UDP half of an upload in virtual time. The board's replies to the nth
 * datagram come from a table. The clock, the timer and the socket are replaced at link time
 * (--wrap); test-udp.c and the scenarios use real ones.
 */
#include "base/loop.h"
#include "net/routing.h"
#include "support/handshake_wraps.h"
#include "support/virtual_time.h"
#include "upload/espota/handshake.h"
#include "upload/espota/protocol.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NONCE_MD5 "0123456789abcdef0123456789abcdef"
#define NONCE_SHA NONCE_MD5 NONCE_MD5
#define OTHER_MD5 "ffff456789abcdef0123456789abcdef"
#define OTHER_SHA OTHER_MD5 NONCE_MD5
#define ASK_MD5 "AUTH " NONCE_MD5
#define ASK_MD5_AGAIN "AUTH " OTHER_MD5
#define ASK_SHA "AUTH " NONCE_SHA
#define ASK_SHA_AGAIN "AUTH " OTHER_SHA
#define REJECTED "Authentication Failed"
#define REFUSED "!"     /* not a datagram: an ICMP refusal */
#define NO_MEMORY "*"   /* not a datagram: this computer has no memory to receive one */
#define CONNECT "->"    /* not a datagram: the board connects */
#define CONNECT_AS "=>" /* the board connects from the address of the endpoint that follows */
#define TURN "(its turn)"
#define UMLAUTS "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4" UMLAUTS_24 UMLAUTS_24
#define UMLAUTS_24                                                                                 \
    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"                     \
    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"

#define MS INT64_C(1000)

enum { REPLIES_MAX = 4, DATAGRAMS_MAX = 48, PENDING_MAX = 32, REPLY_MS = 5 };

void __wrap_routing_find(struct routing *routing, const struct address *address,
                         const struct source *source);

struct script {
    const char *name;
    const char *password;
    const char *typed; /* the reply to on_password after 2 s; NULL: none, at once */
    /* replies[n]: to the nth datagram, "@MS text" after MS ms, others after 5 ms */
    const char *replies[DATAGRAMS_MAX][REPLIES_MAX];
    const char *sent;        /* "I0 A5 X9": kind and time in ms of each datagram */
    const char *phrase;      /* part of the failure's message */
    const char *never;       /* no part of the failure's message */
    const char *scheme;      /* of the AUTHENTICATED event; NULL: no such event */
    enum ota_error expected; /* OTA_OK: the state ACCEPT was reached */
    enum ota_phase phase;
    unsigned notes;
    int end_ms;           /* time of the failure; 0: not compared */
    int accept_timeout_s; /* 0: 10 */
    int send_error;       /* errno of every send */
    int drop_error;       /* errno of every send that returns 0 nevertheless */
    int open_error;       /* errno of opening the socket */
    int listener_trouble;
    const char *queued;    /* comes while the queues are emptied, before an answer is sent */
    unsigned floods;       /* number of times that not all datagrams can be received */
    bool has_stranger;     /* a connection from 10.0.0.99 was rejected */
    bool has_other_board;  /* one from 10.0.0.98, which is a board of this run */
    const char *turn;      /* when an answer may be computed: "@MS " TURN; NULL: at once */
    const char *objection; /* to the image, on a SHA-256 challenge; NULL: none */
    bool has_esphome;      /* the image is of ESPHome 2026.9.0 */
    enum ota_cause cause;  /* of the failure; OTA_CAUSE_NONE: not compared */
    bool is_forced;
    bool is_announced; /* the board announces that it asks for a password */
    bool peer_any;
    enum auth_scheme min_auth;
    bool is_known_esp32;  /* its address sent a challenge with SHA-256, at another port */
    const char *evidence; /* of the AUTHENTICATED event; NULL: "reply" */
    bool is_early;        /* a connection is rejected first */
    bool md5_target;
    enum ota_command command;
    bool every_time;         /* replies[0] is the reply to each datagram */
    bool on;                 /* runs to the end after ACCEPT was reached */
    size_t addresses, ports; /* number of addresses and ports; 0: 1 */
    bool announces_port;     /* the board announces the first port */
    bool guesses_port;       /* that port comes from the image */
    bool announces_other;    /* it announces port 8266 instead */
    bool is_own;             /* the addresses are this computer's */
    const char *unreachable; /* endpoints whose socket cannot be opened: "ac"; NULL: none */
    char settled;            /* the endpoint reported, from 'a' on; 0: not compared */
};

struct pending {
    int64_t at_us;
    const char *text;
    struct udp *udp; /* the socket that receives it */
};

/* The board and the network of one script. */
static struct world {
    const struct script *script;
    const struct endpoints *endpoints;
    struct udp *sockets[ENDPOINTS_MAX]; /* by endpoint; NULL: closed */
    char settled;                       /* 0: none yet */
    struct handshake *handshake;
    size_t datagrams;
    char received[DATAGRAMS_MAX][256];
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    const char *queued; /* see struct script; NULL once it came */
    unsigned receives;
    int64_t typing_us; /* when the password will be typed; 0: never */
    char sent[512];
    unsigned invitations, notes, failures;
    bool connected;
    unsigned turned_away;
    struct work_item *work_item;
    const char *scheme, *evidence;
    char note[512];
    struct ota_failure failure;
} world;

uint16_t __wrap_listener_port(const struct listener *listener)
{
    assert_null(listener);
    return 4711;
}

const struct address *__wrap_listener_stranger(const struct listener *listener, int64_t since_us)
{
    static struct address stranger;

    (void)since_us;
    assert_null(listener);
    return world.script->has_stranger && address_parse(&stranger, "10.0.0.99") ? &stranger : NULL;
}

const struct address *__wrap_listener_board(const struct listener *listener, int64_t since_us)
{
    static struct address board;

    (void)since_us;
    assert_null(listener);
    return world.script->has_other_board && address_parse(&board, "10.0.0.98") ? &board : NULL;
}

int __wrap_listener_trouble(const struct listener *listener)
{
    assert_null(listener);
    return world.script->listener_trouble;
}

static void expect_reply(const char *text, struct udp *udp);

/* Runs the work item at once, or when the script has its turn. */
void __wrap_work_queue_add(struct work_queue *work_queue, struct work_item *work_item)
{
    assert_null(work_queue);
    world.work_item = work_item;
    if (world.script->turn)
        expect_reply(world.script->turn, NULL);
    else
        work_item->run(work_item->userdata);
}

void __wrap_work_queue_remove(struct work_queue *work_queue, struct work_item *work_item)
{
    assert_null(work_queue);
    if (world.work_item == work_item)
        world.work_item = NULL;
}

static char letter(size_t endpoint)
{
    return (char)('a' + endpoint);
}

static size_t find_endpoint(const struct address *board)
{
    for (size_t i = 0; i < endpoints_count(world.endpoints); i++) {
        const struct address address = endpoints_get(world.endpoints, i);

        if (address_equal(&address, board) && address_port(&address) == address_port(board))
            return i;
    }
    fail_msg("no such endpoint");
    return 0;
}

int __wrap_udp_open(struct udp *udp, const struct source *source, const struct address *board)
{
    size_t endpoint = find_endpoint(board);
    const char *unreachable = world.script->unreachable ? world.script->unreachable : "";

    assert_true(source_is_any(source));
    assert_null(world.sockets[endpoint]);
    errno = strchr(unreachable, letter(endpoint)) ? ENETUNREACH : world.script->open_error;
    if (errno)
        return -1;
    udp->fd = 0;
    world.sockets[endpoint] = udp;
    return 0;
}

bool __wrap_udp_local(const struct udp *udp, struct address *local)
{
    assert_int_equal(udp->fd, 0);
    return address_parse(local, "10.0.0.1");
}

/* This computer is in no network, and has the board's address if the script says so. */
void __wrap_routing_find(struct routing *routing, const struct address *address,
                         const struct source *source)
{
    (void)address;
    (void)source;
    *routing = (struct routing){.neighbor = NEIGHBOR_UNKNOWN};
}

int __wrap_source_toward(struct address *own, const struct source *source,
                         const struct address *peer)
{
    (void)source;
    *own = *peer;
    return world.script->is_own ? 0 : ENETUNREACH;
}

void __wrap_udp_close(struct udp *udp)
{
    udp->fd = -1;
    for (size_t i = 0; i < ENDPOINTS_MAX; i++)
        if (world.sockets[i] == udp)
            world.sockets[i] = NULL;
}

static size_t find_socket(const struct udp *udp)
{
    size_t endpoint = 0;

    while (endpoint < ENDPOINTS_MAX && world.sockets[endpoint] != udp)
        endpoint++;
    assert_in_range(endpoint, 0, ENDPOINTS_MAX - 1);
    return endpoint;
}

static void expect_reply(const char *text, struct udp *udp)
{
    int64_t at_us = virtual_time.now_us + REPLY_MS * MS;

    if (*text == '@') {
        char *end;
        at_us = virtual_time.now_us + strtol(text + 1, &end, 10) * MS;
        text = end + 1;
    }

    assert_true(world.pending_count < PENDING_MAX);
    world.pending[world.pending_count++] = (struct pending){at_us, text, udp};
}

/* I: an invitation, F and S: one with command 100 and 101, A: an answer, X: the release of a board
 * that waits for an answer. */
static char kind_of(const char *datagram)
{
    if (strcmp(datagram, "200\n") == 0)
        return 'X';
    if (strncmp(datagram, "10", 2) == 0)
        return datagram[2] == '0' ? 'F' : 'S';
    return *datagram == '2' ? 'A' : 'I';
}

int __wrap_udp_send(struct udp *udp, const void *data, size_t length)
{
    size_t n = world.datagrams++;
    size_t before = strlen(world.sent);
    const char *const *replies = world.script->replies[world.script->every_time ? 0 : n];
    size_t endpoint = find_socket(udp);
    bool is_only_one = endpoints_count(world.endpoints) == 1;
    static const char letters[] = "abcdefghi";

    assert_true(n < DATAGRAMS_MAX && length < sizeof world.received[n]);
    memcpy(world.received[n], data, length);
    snprintf(world.sent + before, sizeof world.sent - before, "%s%c%d%.*s", before ? " " : "",
             kind_of(world.received[n]), (int)(virtual_time.now_us / MS), is_only_one ? 0 : 1,
             letters + endpoint);
    udp->trouble = world.script->drop_error;
    udp->is_deaf = false;

    if (world.script->send_error || world.script->drop_error)
        return world.script->send_error;
    for (size_t i = 0; i < REPLIES_MAX && replies[i]; i++)
        expect_reply(replies[i], udp);
    return 0;
}

static void on_handshake_event(const struct ota_event *event, void *userdata)
{
    assert_ptr_equal(userdata, &world);

    if (event->type == OTA_EVENT_INVITED)
        assert_int_equal(event->attempt, ++world.invitations);
    if (event->type == OTA_EVENT_AUTHENTICATED) {
        world.scheme = event->scheme;
        world.evidence = event->evidence;
    }

    if (event->type == OTA_EVENT_NOTE) {
        world.notes++;
        snprintf(world.note, sizeof world.note, "%s", event->message);
    }
}

static void on_handshake_failed(const struct ota_failure *failure, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    world.failure = *failure;
    world.failures++;
}

static void on_handshake_password(void *userdata)
{
    assert_ptr_equal(userdata, &world);
    if (world.script->typed)
        world.typing_us = virtual_time.now_us + 2000 * MS;
    else
        handshake_set_password(world.handshake, NULL);
}

static void on_handshake_endpoint(size_t endpoint, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    assert_int_equal(world.settled, 0); /* reported only once */
    world.settled = letter(endpoint);
}

static void deliver(const char *text, struct udp *udp)
{
    if (strcmp(text, TURN) == 0) {
        if (world.work_item)
            world.work_item->run(world.work_item->userdata);
    } else if (strcmp(text, CONNECT) == 0 || strncmp(text, CONNECT_AS, 2) == 0) {
        size_t endpoint = text[2] ? (size_t)(text[2] - 'a') : find_socket(udp);
        const struct address peer = endpoints_get(world.endpoints, endpoint);

        world.connected = handshake_connected(world.handshake, &peer);
        world.turned_away += !world.connected;
    } else if (udp->fd < 0) {
        return;
    } else if (strcmp(text, REFUSED) == 0) {
        udp->on_error(ECONNREFUSED, udp->userdata);
    } else if (strcmp(text, NO_MEMORY) == 0) {
        udp->trouble = ENOMEM;
        udp->is_deaf = true;
    } else {
        udp->on_datagram(text, strlen(text), udp->userdata);
    }
}

/* Delivers what waits in the queue of datagrams, or of connections. Other datagrams that have
 * arrived were delivered. */
static void deliver_queued(bool is_connection)
{
    const char *queued = world.queued;

    if (!queued || (strcmp(queued, CONNECT) == 0) != is_connection)
        return;

    world.queued = NULL;
    deliver(queued, world.sockets[0]);
}

int __wrap_listener_empty(struct listener *listener)
{
    assert_null(listener);
    deliver_queued(true);
    return world.script->listener_trouble;
}

/* The flood ends after so many calls. */
bool __wrap_udp_receive(struct udp *udp)
{
    if (udp->fd >= 0)
        deliver_queued(false);
    return world.script->floods <= world.receives++;
}

/* Delivers the first reply that is due. Replies that are due together keep their order. */
static bool take_reply(int64_t until_us)
{
    size_t first = 0;

    for (size_t i = 1; i < world.pending_count; i++)
        if (world.pending[i].at_us < world.pending[first].at_us)
            first = i;
    if (world.pending_count == 0 || world.pending[first].at_us > until_us)
        return false;

    struct pending reply = world.pending[first];
    world.pending_count--;
    memmove(&world.pending[first], &world.pending[first + 1],
            (world.pending_count - first) * sizeof reply);
    virtual_time.now_us = reply.at_us;
    deliver(reply.text, reply.udp);
    return true;
}

static bool is_over(void)
{
    return world.failures || world.connected ||
           (!world.script->on && world.pending_count == 0 &&
            handshake_phase(world.handshake) == OTA_PHASE_ACCEPT);
}

static void type_password(void)
{
    virtual_time.now_us = world.typing_us;
    world.typing_us = 0;
    handshake_set_password(world.handshake, *world.script->typed ? world.script->typed : NULL);
}

static void run_script(void)
{
    while (!is_over()) {
        assert_true(virtual_time.due_us >= 0); /* every state has a deadline */

        if (world.typing_us && world.typing_us <= virtual_time.due_us) {
            if (!take_reply(world.typing_us))
                type_password();
        } else if (!take_reply(virtual_time.due_us)) {
            virtual_time_fire();
        }
    }
}

/* The state of one upload. */
static unsigned notices;
static struct trust trust;
static struct address_set sha256_addresses;
static struct echo echo;

static struct image image = {
    .family = IMAGE_ESP32, .size = 1000, .md5 = "00112233445566778899aabbccddeeff"};

static struct endpoints make_endpoints(const struct script *script)
{
    struct endpoints endpoints = {.address_count = script->addresses ? script->addresses : 1,
                                  .port_count = script->ports ? script->ports : 1,
                                  .ports = {{3232, "the given port", false, false, 0},
                                            {8266, "b", false, false, 0},
                                            {2040, "c", false, false, 0}}};

    endpoints.ports->is_announced = script->announces_port;
    endpoints.ports->is_of_image = script->guesses_port;
    endpoints.ports->announced = script->announces_other ? 8266 : 0;
    for (size_t i = 0; i < endpoints.address_count; i++) {
        char address[] = "10.0.0.7";

        address[sizeof address - 2] = (char)('7' + i);
        assert_true(address_parse(&endpoints.addresses[i], address));
    }
    return endpoints;
}

/* Runs until the handshake fails, waits for the connection, or the board connects. */
static enum ota_phase play_on(const struct script *script)
{
    int64_t timeout_s = script->accept_timeout_s ? script->accept_timeout_s : 10;
    struct endpoints endpoints = make_endpoints(script);
    struct session_config config = {.loop = virtual_time_loop(),
                                    .source = &source_any,
                                    .image = &image,
                                    .command = script->command,
                                    .board = "board",
                                    .endpoints = &endpoints,
                                    .md5_target = script->md5_target,
                                    .password = script->password,
                                    .accept_timeout_us = timeout_s * 1000 * MS,
                                    .sha256_objection = script->objection,
                                    .is_forced = script->is_forced,
                                    .announces_password = script->is_announced,
                                    .peer_any = script->peer_any,
                                    .notices = &notices,
                                    .trust = &trust,
                                    .sha256_addresses = &sha256_addresses,
                                    .echo = &echo};
    const struct handshake_callbacks callbacks = {.on_event = on_handshake_event,
                                                  .on_endpoint = on_handshake_endpoint,
                                                  .on_password = on_handshake_password,
                                                  .on_failed = on_handshake_failed,
                                                  .userdata = &world};

    world = (struct world){.script = script, .endpoints = &endpoints, .queued = script->queued};
    snprintf(image.inspection.esphome.version, sizeof image.inspection.esphome.version, "%s",
             script->has_esphome ? "2026.9.0" : "");
    virtual_time_reset(0);
    world.handshake = handshake_start(&config, &callbacks);
    assert_non_null(world.handshake);
    assert_int_equal(world.failures, 0); /* on_failed is called only from the loop */

    run_script();
    enum ota_phase phase = handshake_phase(world.handshake);
    handshake_free(world.handshake);
    for (size_t i = 0; i < ENDPOINTS_MAX; i++)
        assert_null(world.sockets[i]);
    return phase;
}

static enum ota_phase play_handshake(const struct script *script)
{
    struct address known;

    notices = 0;
    trust = (struct trust){.least = script->min_auth};
    echo_clear(&echo);
    address_set_clear(&sha256_addresses);
    assert_true(address_parse(&known, script->is_known_esp32 ? "10.0.0.7" : "10.0.0.77"));
    assert_true(address_set_add(&sha256_addresses, &known));
    return play_on(script);
}

#define INVITING OTA_PHASE_INVITE
#define AUTHENTICATING OTA_PHASE_AUTHENTICATE
#define ACCEPTED OTA_PHASE_ACCEPT

static const struct script scripts[] = {
    {"accepted at once", .replies = {{"OK"}}, .sent = "I0", .phase = ACCEPTED},
    {"a password that nobody wants", "pw", .replies = {{"OK"}}, .sent = "I0", .phase = ACCEPTED,
     .notes = 1},
    {"MD5: advice for an ESP32", "pw", .replies = {{ASK_MD5}, {"OK"}}, .sent = "I0 A5",
     .scheme = "MD5", .phase = ACCEPTED, .notes = 1},
    {"SHA-256", "pw", .replies = {{ASK_SHA}, {"OK"}}, .sent = "I0 A5", .scheme = "SHA-256",
     .phase = ACCEPTED},
    {"SHA-256, where the image is for others: no answer leaves", "pw",
     .objection = "not for an ESP32", .replies = {{ASK_SHA}}, .sent = "I0 X5",
     .expected = OTA_E_IMAGE, .phase = AUTHENTICATING,
     .phrase = "not for an ESP32 (--force sends it anyway)", .end_ms = 5},
    {"the same without a password: nobody is asked for one", .typed = "pw",
     .objection = "not for an ESP32", .replies = {{ASK_SHA}}, .sent = "I0 X5",
     .expected = OTA_E_IMAGE, .phase = AUTHENTICATING, .phrase = "not for an ESP32", .end_ms = 5},
    {"the same with --force: said once", "pw", .objection = "not for an ESP32", .is_forced = true,
     .replies = {{ASK_SHA}, {REJECTED}, {ASK_SHA_AGAIN}, {"OK"}}, .sent = "I0 A5 I10 A15",
     .scheme = "SHA-256 (MD5 hash)", .phase = ACCEPTED, .notes = 1},
    {"MD5 proves nothing", "pw", .objection = "not for an ESP32", .replies = {{ASK_MD5}, {"OK"}},
     .sent = "I0 A5", .scheme = "MD5", .phase = ACCEPTED, .notes = 1},
    {"a challenge twice", "pw", .replies = {{ASK_SHA, ASK_SHA}, {"OK"}}, .sent = "I0 A5",
     .scheme = "SHA-256", .phase = ACCEPTED},
    {"OK twice", "pw", .replies = {{ASK_SHA}, {"OK", "OK"}}, .sent = "I0 A5", .scheme = "SHA-256",
     .phase = ACCEPTED},
    {"rubbish before each reply", "pw", .replies = {{"hello", ASK_SHA}, {"AUTH 12", "OK"}},
     .sent = "I0 A5", .scheme = "SHA-256", .phase = ACCEPTED},
    {"MD5 hash behind SHA-256, with a new challenge", "pw",
     .replies = {{ASK_SHA}, {REJECTED}, {ASK_SHA_AGAIN}, {"OK"}}, .sent = "I0 A5 I10 A15",
     .scheme = "SHA-256 (MD5 hash)", .phase = ACCEPTED},
    {"the rejection arrives twice", "pw",
     .replies = {{ASK_SHA}, {REJECTED, REJECTED}, {ASK_SHA_AGAIN}, {"OK"}}, .sent = "I0 A5 I10 A15",
     .scheme = "SHA-256 (MD5 hash)", .phase = ACCEPTED},
    {"-m: MD5 hash first", "pw", .md5_target = true, .replies = {{ASK_SHA}, {"OK"}},
     .sent = "I0 A5", .scheme = "SHA-256 (MD5 hash)", .phase = ACCEPTED},
    {"-m: MD5 hash only", "pw", .md5_target = true, .replies = {{ASK_SHA}, {REJECTED}},
     .sent = "I0 A5", .expected = OTA_E_WRONG_PASSWORD, .phase = AUTHENTICATING,
     .phrase = "only the MD5 hash", .end_ms = 10},
    {"wrong password, MD5", "pw", .replies = {{ASK_MD5}, {REJECTED}}, .sent = "I0 A5",
     .expected = OTA_E_WRONG_PASSWORD, .phase = AUTHENTICATING, .phrase = "MD5 scheme",
     .end_ms = 10, .notes = 1},
    {"wrong password, SHA-256", "pw",
     .replies = {{ASK_SHA}, {REJECTED}, {ASK_SHA_AGAIN}, {REJECTED}}, .sent = "I0 A5 I10 A15",
     .expected = OTA_E_WRONG_PASSWORD, .phase = AUTHENTICATING, .phrase = "its SHA-256 and its MD5",
     .end_ms = 20},
    {"password needed", .replies = {{ASK_MD5}}, .sent = "I0 X5", .expected = OTA_E_PASSWORD_NEEDED,
     .phase = AUTHENTICATING, .phrase = "asks for a password", .end_ms = 5, .notes = 1},
    {"an empty password is none", "", .replies = {{ASK_MD5}}, .sent = "I0 X5",
     .expected = OTA_E_PASSWORD_NEEDED, .phase = AUTHENTICATING, .phrase = "none was given",
     .notes = 1},
    {"a password is typed", .typed = "pw", .replies = {{ASK_SHA}, {"OK"}}, .sent = "I0 A2005",
     .scheme = "SHA-256", .phase = ACCEPTED},
    {"no password is typed", .typed = "", .replies = {{ASK_SHA}}, .sent = "I0 X2005",
     .expected = OTA_E_PASSWORD_NEEDED, .phase = AUTHENTICATING, .phrase = "none was given",
     .end_ms = 2005},
    {"refused", .replies = {{"ERR: ERROR[4]: Not Enough Space\n"}}, .sent = "I0",
     .expected = OTA_E_REFUSED, .phase = INVITING, .phrase = "ERROR[4]: Not Enough Space"},
    {"no memory to receive", .accept_timeout_s = 5, .every_time = true, .replies = {{NO_MEMORY}},
     .sent = "I0 I3800", .expected = OTA_E_INTERNAL, .phase = INVITING,
     .phrase = "cannot receive from 10.0.0.7:3232: Cannot allocate memory", .notes = 1,
     .end_ms = 5000},
    {"no memory to receive once", .replies = {{NO_MEMORY}, {"OK"}}, .sent = "I0 I3800",
     .phase = ACCEPTED, .notes = 1},
    {"no memory to receive after OK", .on = true, .replies = {{"OK", NO_MEMORY}}, .sent = "I0",
     .expected = OTA_E_INTERNAL, .phase = ACCEPTED, .phrase = "cannot receive from"},
    {"no memory after OK, and the board connects", .replies = {{"OK", NO_MEMORY, "@20 " CONNECT}},
     .sent = "I0", .phase = ACCEPTED},
    {"a queue of this computer that is full", .accept_timeout_s = 2, .drop_error = ENOBUFS,
     .sent = "I0", .expected = OTA_E_INTERNAL, .phase = INVITING,
     .phrase = "cannot send to 10.0.0.7:3232: No buffer space available", .end_ms = 2000},
    {"refused without a word", .replies = {{"ERR: "}}, .sent = "I0", .expected = OTA_E_REFUSED,
     .phase = INVITING, .phrase = "no reason"},
    {"refused after the answer", "pw",
     .replies = {{ASK_MD5}, {"ERR: ERROR[4]: Not Enough Space\n"}}, .sent = "I0 A5",
     .expected = OTA_E_REFUSED, .phase = AUTHENTICATING, .phrase = "Not Enough Space", .notes = 1},
    {"refused after OK", .on = true, .replies = {{"OK", "ERR: ERROR[8]: Flash config wrong"}},
     .sent = "I0", .expected = OTA_E_REFUSED, .phase = ACCEPTED, .phrase = "Flash config wrong"},
    {"others come first: the answer waits, and nothing else is sent", "pw", .turn = "@6000 " TURN,
     .replies = {{ASK_SHA}, {"OK"}}, .sent = "I0 A6005", .scheme = "SHA-256", .phase = ACCEPTED},
    {"a challenge twice while the answer waits", "pw", .turn = "@100 " TURN,
     .replies = {{ASK_SHA, ASK_SHA}, {"OK"}}, .sent = "I0 A105", .scheme = "SHA-256",
     .phase = ACCEPTED},
    {"refused while the answer waits", "pw", .turn = "@100 " TURN,
     .replies = {{ASK_SHA, "ERR: no"}}, .sent = "I0", .expected = OTA_E_REFUSED,
     .phase = AUTHENTICATING, .phrase = "refused"},
    {"endless challenges: two of them are answered", "pw",
     .replies = {{ASK_SHA}, {ASK_SHA_AGAIN}, {ASK_SHA}, {ASK_SHA_AGAIN}},
     .sent = "I0 A5 I510 A515 X1020", .expected = OTA_E_WRONG_PASSWORD, .phase = AUTHENTICATING,
     .phrase = "kept sending new challenges (4)", .end_ms = 1020},
    {"silence", .sent = "I0 I3800 I7600 I8100 I8600 I9100 I9600", .expected = OTA_E_NO_ANSWER,
     .phase = INVITING,
     .phrase = "no answer from 10.0.0.7:3232 (the given port) to 7 invitations in 10 s",
     .end_ms = 10000, .notes = 1},
    {"a short wait", .accept_timeout_s = 2, .sent = "I0", .expected = OTA_E_NO_ANSWER,
     .phase = INVITING, .phrase = "to 1 invitation in 2 s", .end_ms = 2000},
    {"rubbish only", .every_time = true, .replies = {{"\x1b[2J"}},
     .sent = "I0 I3800 I7600 I8100 I8600 I9100 I9600", .expected = OTA_E_NO_ANSWER,
     .phase = INVITING, .end_ms = 10000, .notes = 1,
     .phrase = "10.0.0.7:3232 (the given port) answered 7 invitations in 10 s with something "
               "that is not ArduinoOTA, at first \"\\x1b[2J\""},
    {"a challenge that is none", .accept_timeout_s = 2, .replies = {{"AUTH xyz"}}, .sent = "I0",
     .expected = OTA_E_NO_ANSWER, .phase = INVITING, .end_ms = 2000,
     .phrase = "something that is not ArduinoOTA, at first \"AUTH xyz\""},
    {"rubbish that is cut, between two letters", .accept_timeout_s = 2,
     .replies = {{"x" UMLAUTS UMLAUTS UMLAUTS UMLAUTS}}, .sent = "I0", .expected = OTA_E_NO_ANSWER,
     .phase = INVITING, .phrase = "\u00e4...\""},
    {"an empty datagram", .accept_timeout_s = 2, .replies = {{"\n"}}, .sent = "I0",
     .expected = OTA_E_NO_ANSWER, .phase = INVITING, .phrase = "something that is not ArduinoOTA"},
    {"rubbish, and then nothing listens any more", .accept_timeout_s = 2,
     .replies = {{"rubbish", "@1900 " REFUSED}}, .sent = "I0", .expected = OTA_E_NOT_LISTENING,
     .phase = INVITING, .phrase = "nothing listens", .notes = 1},
    {"a lost invitation", .replies = {{NULL}, {"OK"}}, .sent = "I0 I3800", .phase = ACCEPTED,
     .notes = 1},
    {"a loop() of 3 s: no second invitation queues up", .replies = {{"@3000 OK"}}, .sent = "I0",
     .phase = ACCEPTED},
    {"a loop() of 3 s, with a password", "pw", .replies = {{"@3000 " ASK_SHA}, {"@3000 OK"}},
     .sent = "I0 A3000", .scheme = "SHA-256", .phase = ACCEPTED},
    {"a board left waiting swallows the first invitation", "pw",
     .replies = {{NULL}, {ASK_SHA}, {"OK"}}, .sent = "I0 I3800 A3805", .scheme = "SHA-256",
     .phase = ACCEPTED, .notes = 1},
    {"a lost answer is sent again", "pw", .replies = {{ASK_SHA}, {NULL}, {"OK"}},
     .sent = "I0 A5 A3005", .scheme = "SHA-256", .phase = ACCEPTED},
    {"a lost answer, MD5: nothing is computed for seconds", "pw",
     .replies = {{ASK_MD5}, {NULL}, {"OK"}}, .sent = "I0 A5 A505", .scheme = "MD5",
     .phase = ACCEPTED, .notes = 1},
    {"a lost answer to a board whose turns may be long", "pw",
     .replies = {{"@1000 " ASK_MD5}, {NULL}, {"OK"}}, .sent = "I0 A1000 A7500", .scheme = "MD5",
     .phase = ACCEPTED, .notes = 1},
    {"a challenge that cannot be answered any more", "pw",
     .replies = {[0] = {ASK_MD5}, [9] = {ASK_MD5_AGAIN}, [10] = {"OK"}},
     .sent = "I0 A5 A505 A1005 A1505 A2505 A3505 A4505 A6505 I7005 A7010", .scheme = "MD5",
     .phase = ACCEPTED, .notes = 1},
    {"the second invitation is lost, too, of a board that was heard", "pw",
     .replies = {{ASK_SHA}, {REJECTED}, {NULL}, {ASK_SHA_AGAIN}, {"OK"}},
     .sent = "I0 A5 I10 I510 A515", .scheme = "SHA-256 (MD5 hash)", .phase = ACCEPTED, .notes = 1},
    {"heard, and never again", "pw", .replies = {{ASK_SHA}, {REJECTED}}, .accept_timeout_s = 2,
     .sent = "I0 A5 I10 I510 I1010 I1510 I2510 I3510 I4510 I6510 I8510 I10510 I14510 I18510 I22510",
     .expected = OTA_E_NO_ANSWER, .phase = INVITING,
     .phrase = "answered at first, but not the last 13 invitations, in 30 s", .end_ms = 30010,
     .notes = 1},
    {"heard, and then gone", "pw", .replies = {{ASK_SHA}, {REJECTED}, {REFUSED}},
     .accept_timeout_s = 2,
     .sent = "I0 A5 I10 I515 I1015 I1515 I2015 I3015 I4015 I5015 I7015 I9015 I11015 I15015 I19015 "
             "I23015",
     .expected = OTA_E_NO_ANSWER, .phase = INVITING,
     .phrase = "answered at first, but nothing listens there any more", .end_ms = 30010,
     .notes = 1},
    {"the first of two invitations was lost: a rejection is one", "pw",
     .replies = {{NULL}, {ASK_MD5}, {REJECTED}}, .sent = "I0 I3800 A3805",
     .expected = OTA_E_WRONG_PASSWORD, .phase = AUTHENTICATING, .phrase = "MD5 scheme",
     .end_ms = 3810, .notes = 2},
    {"a slow board's second invitation is waited out", "pw",
     .replies = {{"@4500 " ASK_MD5}, {NULL}, {ASK_MD5_AGAIN}, {"OK"}},
     .sent = "I0 I3800 I11250 A11255", .scheme = "MD5", .phase = ACCEPTED, .notes = 2},
    {"a slow board's third invitation makes a new challenge", "pw",
     .replies = {{"@8000 " ASK_MD5}, {NULL}, {"@2000 " ASK_MD5_AGAIN}, {"OK"}},
     .sent = "I0 I3800 I7600 A9600", .scheme = "MD5", .phase = ACCEPTED, .notes = 2},
    {"a prompt challenge after two invitations, and silence: perhaps a slow board's queue", "pw",
     .replies = {[1] = {ASK_MD5}, [6] = {ASK_MD5_AGAIN}, [7] = {"OK"}},
     .sent = "I0 I3800 A3805 A4305 A4805 I10805 I36805 A36810", .scheme = "MD5", .phase = ACCEPTED,
     .notes = 2},
    {"two challenges to one invitation: a rejection may be stale", "pw",
     .replies = {{ASK_MD5, ASK_MD5_AGAIN}, {REJECTED}, {ASK_MD5}, {"OK"}}, .sent = "I0 A5 I10 A15",
     .scheme = "MD5", .phase = ACCEPTED, .notes = 1},
    {"a rejection of an earlier run's answer", "pw",
     .replies = {{REJECTED, "OK"}, {ASK_SHA}, {"OK"}}, .sent = "I0 I3800 A3805",
     .scheme = "SHA-256", .phase = ACCEPTED, .notes = 1},
    {"no verdict on two answers", "pw", .replies = {[0] = {ASK_MD5}, [9] = {ASK_MD5_AGAIN}},
     .sent = "I0 A5 A505 A1005 A1505 A2505 A3505 A4505 A6505 "
             "I7005 A7010 A7510 A8010 A8510 A9510 A10510 A11510 A13510 X14010",
     .expected = OTA_E_NO_ANSWER, .phase = AUTHENTICATING,
     .phrase = "neither accepted nor rejected the answer in 7 s", .end_ms = 14010, .notes = 1},
    {"rubbish instead of a verdict on the answer, which may repeat it", "pw",
     .replies = {[0] = {ASK_MD5}, [1] = {"rubbish"}, [9] = {ASK_MD5_AGAIN}},
     .sent = "I0 A5 A505 A1005 A1505 A2505 A3505 A4505 A6505 "
             "I7005 A7010 A7510 A8010 A8510 A9510 A10510 A11510 A13510 X14010",
     .expected = OTA_E_NO_ANSWER, .phase = AUTHENTICATING,
     .phrase = "the answer in 7 s; nothing that it said was understood", .end_ms = 14010,
     .notes = 1, .never = "rubbish"},
    {"accepted, and no connection", .on = true, .replies = {{"OK"}}, .sent = "I0",
     .expected = OTA_E_NO_CONNECTION, .phase = ACCEPTED,
     .phrase = "accepted 1000 bytes, but did not connect to 10.0.0.1, TCP port 4711",
     .end_ms = 10005},
    {"accepted, and somebody else has connected", .on = true, .has_stranger = true,
     .replies = {{"OK"}}, .sent = "I0", .expected = OTA_E_NO_CONNECTION, .phase = ACCEPTED,
     .phrase = "; a connection from 10.0.0.99 was rejected", .end_ms = 10005},
    {"accepted, and another board of this run has connected", .on = true, .has_other_board = true,
     .replies = {{"OK"}}, .sent = "I0", .expected = OTA_E_NO_CONNECTION, .phase = ACCEPTED,
     .phrase = "TCP port 4711; a connection came from 10.0.0.98, which is another board of this "
               "run; if this board has that address, too, give --peer 10.0.0.98",
     .cause = OTA_CAUSE_NONE, .end_ms = 10005},
    {"accepted, and both have connected: the stranger tells more", .on = true, .has_stranger = true,
     .has_other_board = true, .replies = {{"OK"}}, .sent = "I0", .expected = OTA_E_NO_CONNECTION,
     .phase = ACCEPTED, .phrase = "; a connection from 10.0.0.99 was rejected",
     .never = "10.0.0.98"},
    {"accepted, and no descriptor for the connection", .on = true, .listener_trouble = EMFILE,
     .replies = {{"OK"}}, .sent = "I0", .expected = OTA_E_INTERNAL, .phase = ACCEPTED,
     .phrase = "its connection to 10.0.0.1, TCP port 4711, could not be accepted: Too many open "
               "files"},
    {"a long -t also counts for the connection", .on = true, .accept_timeout_s = 30,
     .replies = {{"OK"}}, .sent = "I0", .expected = OTA_E_NO_CONNECTION, .phase = ACCEPTED,
     .phrase = "did not connect", .end_ms = 30005},
    {"the OK was lost, the connection came", "pw", .replies = {{ASK_SHA}, {CONNECT}},
     .sent = "I0 A5", .scheme = "SHA-256", .evidence = "connection", .phase = AUTHENTICATING},
    {"nothing listens: a notice, and the rest of the time", .accept_timeout_s = 2,
     .every_time = true, .replies = {{REFUSED}}, .sent = "I0 I505 I1010 I1515",
     .expected = OTA_E_NOT_LISTENING, .phase = INVITING,
     .phrase = "nothing listens at 10.0.0.7:3232 (the given port)", .notes = 1, .end_ms = 2000},
    {"nothing listens at the port that the board announces", .announces_port = true,
     .accept_timeout_s = 1, .every_time = true, .replies = {{REFUSED}}, .sent = "I0 I505",
     .expected = OTA_E_NOT_LISTENING, .phase = INVITING, .cause = OTA_CAUSE_ANNOUNCED,
     .phrase = "nothing listens at 10.0.0.7:3232", .notes = 1},
    {"this computer, where nothing listens", .is_own = true, .accept_timeout_s = 1,
     .every_time = true, .replies = {{REFUSED}}, .sent = "I0 I505", .phase = INVITING, .notes = 1,
     .expected = OTA_E_NOT_LISTENING, .cause = OTA_CAUSE_THIS_COMPUTER,
     .phrase = "nothing listens at 10.0.0.7:3232 (the given port); that is an address of this "
               "computer itself"},
    {"this computer, and silence at two addresses", .is_own = true, .addresses = 2,
     .accept_timeout_s = 1, .sent = "I0a I1000b", .phase = INVITING, .notes = 1,
     .expected = OTA_E_NO_ANSWER, .cause = OTA_CAUSE_THIS_COMPUTER,
     .phrase = "; these are addresses of this computer itself"},
    {"this computer, where a simulated board listens", .is_own = true, .replies = {{"OK"}},
     .sent = "I0", .phase = ACCEPTED},
    {"nothing listens, and not each refusal is told", .accept_timeout_s = 6, .replies = {{REFUSED}},
     .sent = "I0 I505 I4305", .expected = OTA_E_NOT_LISTENING, .phase = INVITING,
     .phrase = "nothing listens at 10.0.0.7:3232", .notes = 1},
    {"a board that restarts", .replies = {{REFUSED}, {REFUSED}, {"OK"}}, .sent = "I0 I505 I1010",
     .phase = ACCEPTED, .notes = 1},
    {"a board that restarts in the middle", "pw",
     .replies = {{ASK_SHA}, {REFUSED}, {REFUSED}, {ASK_SHA_AGAIN}, {"OK"}},
     .sent = "I0 A5 I10 I515 A520", .scheme = "SHA-256", .phase = ACCEPTED, .notes = 1},
    {"ESPHome, and nothing listens", .has_esphome = true, .accept_timeout_s = 1, .every_time = true,
     .replies = {{REFUSED}}, .sent = "I0 I505", .expected = OTA_E_NOT_LISTENING, .phase = INVITING,
     .phrase = "(the given port); the image is ESPHome 2026.9.0", .notes = 1,
     .cause = OTA_CAUSE_ESPHOME},
    {"ESPHome, and silence", .has_esphome = true, .accept_timeout_s = 1, .sent = "I0",
     .expected = OTA_E_NO_ANSWER, .phase = INVITING, .cause = OTA_CAUSE_ESPHOME,
     .phrase = "; the image is ESPHome 2026.9.0"},
    {"ESPHome, and no route", .has_esphome = true, .accept_timeout_s = 1,
     .send_error = EHOSTUNREACH, .sent = "I0 I500", .expected = OTA_E_UNREACHABLE,
     .phase = INVITING, .phrase = "cannot be reached", .never = "ESPHome", .notes = 1},
    {"no route", .accept_timeout_s = 1, .send_error = EHOSTUNREACH, .sent = "I0 I500",
     .expected = OTA_E_UNREACHABLE, .phase = INVITING,
     .phrase = "10.0.0.7:3232 cannot be reached: No route to host", .notes = 1, .end_ms = 1000},
    {"no route to begin with", .open_error = ENETUNREACH, .sent = "", .expected = OTA_E_UNREACHABLE,
     .phase = INVITING,
     .phrase = "cannot send to 10.0.0.7:3232: there is no route to it (Network is unreachable)"},
    {"this computer's firewall", .send_error = EPERM, .sent = "I0", .expected = OTA_E_LOCAL,
     .phase = INVITING,
     .phrase = "cannot send to 10.0.0.7:3232: this computer's firewall forbids "
               "it (Operation not permitted)"},
    {"this computer's firewall, at every port", .ports = 3, .send_error = EPERM,
     .sent = "I0a I0b I0c", .expected = OTA_E_LOCAL, .phase = INVITING,
     .phrase = "this computer's firewall forbids it"},
    {"a route that discards everything", .open_error = EINVAL, .sent = "", .expected = OTA_E_LOCAL,
     .phase = INVITING, .phrase = "cannot send to 10.0.0.7:3232: Invalid argument"},
    {"a broadcast address, or a route that prohibits it", .open_error = EACCES, .sent = "",
     .expected = OTA_E_LOCAL, .phase = INVITING,
     .phrase = "cannot send to 10.0.0.7:3232: Permission denied"},
    {"no descriptor", .open_error = EMFILE, .sent = "", .expected = OTA_E_INTERNAL,
     .phase = INVITING, .phrase = "Too many open files"},
    /* connections that are accepted or rejected */
    {"a connection before the answer", "pw", .turn = "@100 " TURN,
     .replies = {{ASK_SHA, CONNECT}, {"OK"}}, .sent = "I0 A105", .scheme = "SHA-256",
     .phase = ACCEPTED, .is_early = true, .notes = 1},
    {"a connection while the password is typed", .typed = "pw",
     .replies = {{ASK_SHA, "@1000 " CONNECT}, {"OK"}}, .sent = "I0 A2005", .scheme = "SHA-256",
     .phase = ACCEPTED, .is_early = true, .notes = 1},
    {"a connection after a rejection", "pw",
     .replies = {{ASK_SHA}, {REJECTED, "@7 " CONNECT}, {"@20 " ASK_SHA_AGAIN}, {"OK"}},
     .sent = "I0 A5 I10 A30", .scheme = "SHA-256 (MD5 hash)", .phase = ACCEPTED, .is_early = true,
     .notes = 1},
    {"an OK after a rejection, and a connection", "pw",
     .replies = {{ASK_SHA}, {REJECTED, "@7 OK", "@8 " CONNECT}, {"@20 " ASK_SHA_AGAIN}, {"OK"}},
     .sent = "I0 A5 I10 A30", .scheme = "SHA-256 (MD5 hash)", .phase = ACCEPTED, .is_early = true,
     .notes = 1},
    {"a late rejection, and a connection", "pw", .accept_timeout_s = 1,
     .replies = {[0] = {ASK_MD5}, [1] = {"@7010 " REJECTED, "@7020 " CONNECT}},
     .sent = "I0 A5 A505 A1005 A1505 A2505 A3505 A4505 A6505 I7005 I7505 I8005 I8505 I9505 I10505 "
             "I11505 I13505 I15505 I17505 I21505 I25505 I29505",
     .expected = OTA_E_NO_ANSWER, .phase = INVITING, .is_early = true, .notes = 3},
    {"a late OK judges an answer that was given up", "pw",
     .replies = {[0] = {ASK_MD5}, [1] = {"@7010 OK"}},
     .sent = "I0 A5 A505 A1005 A1505 A2505 A3505 A4505 A6505 I7005", .scheme = "MD5",
     .phase = ACCEPTED, .notes = 1},
    {"so does a late connection", "pw", .replies = {[0] = {ASK_MD5}, [1] = {"@7010 " CONNECT}},
     .sent = "I0 A5 A505 A1005 A1505 A2505 A3505 A4505 A6505 I7005", .scheme = "MD5",
     .evidence = "connection", .phase = INVITING, .notes = 1},
    {"OK, and then a rejection: no image before the next answer", "pw",
     .replies = {{ASK_MD5},
                 {"OK", "@7 " REJECTED, "@8 " CONNECT},
                 {"@20 " ASK_MD5_AGAIN},
                 {"OK", "@6 " CONNECT}},
     .sent = "I0 A5 I12 A32", .scheme = "MD5", .phase = ACCEPTED, .is_early = true, .notes = 3},
    {"OK, and then another challenge", "pw", .turn = "@100 " TURN,
     .replies = {{ASK_MD5}, {"OK", "@7 " ASK_MD5_AGAIN, "@8 " CONNECT}, {"OK"}},
     .sent = "I0 A105 A212", .scheme = "MD5", .phase = ACCEPTED, .is_early = true, .notes = 3},
    {"OK, and then the same challenge: a duplicate", "pw",
     .replies = {{ASK_MD5}, {"OK", "@7 " ASK_MD5, "@8 " CONNECT}}, .sent = "I0 A5", .scheme = "MD5",
     .phase = ACCEPTED, .notes = 1},
    {"OK without a challenge, and then one", "pw", .turn = "@100 " TURN,
     .replies = {{"OK", "@7 " ASK_SHA, "@8 " CONNECT}, {"OK"}}, .sent = "I0 A107",
     .scheme = "SHA-256", .phase = ACCEPTED, .is_early = true, .notes = 3},
    {"OK without a challenge, and then a rejection", .accept_timeout_s = 5,
     .replies = {{"OK", "@7 " REJECTED, "@8 " CONNECT}, {"OK"}, {"OK"}}, .sent = "I0 I7 I3807",
     .expected = OTA_E_DOWNGRADE, .phase = INVITING, .is_early = true,
     .phrase = "now says OK without one", .notes = 3, .end_ms = 3812},
    {"a rejection without a challenge, and a connection", .accept_timeout_s = 1,
     .replies = {{REJECTED, "@7 " CONNECT}}, .sent = "I0", .expected = OTA_E_NO_ANSWER,
     .phase = INVITING, .is_early = true, .notes = 1},
    {"an OK that does not hold, time and again", "pw",
     .replies = {{ASK_MD5}, {"OK", "@6 " REJECTED}, {ASK_MD5_AGAIN}, {"OK", "@6 " REJECTED}},
     .sent = "I0 A5 I11 A16", .scheme = "MD5", .expected = OTA_E_WRONG_PASSWORD, .phase = ACCEPTED,
     .phrase = "said OK and then asked for the password again, or rejected it (2 times)",
     .notes = 2, .end_ms = 22, .on = true},
    {"another challenge behind the answer, and a connection", "pw",
     .replies = {{ASK_MD5}, {ASK_MD5_AGAIN, "@7 " CONNECT}, {"@20 " ASK_MD5}, {"OK"}},
     .sent = "I0 A5 I510 A530", .scheme = "MD5", .phase = ACCEPTED, .is_early = true, .notes = 2},
    {"an earlier challenge once more is no other one", "pw", .turn = "@100 " TURN,
     .replies = {{ASK_MD5, "@20 " ASK_MD5_AGAIN, "@40 " ASK_MD5}, {ASK_MD5, "@7 " CONNECT}},
     .sent = "I0 A105", .scheme = "MD5", .evidence = "connection", .phase = AUTHENTICATING,
     .notes = 1},
    {"a rejection, and then OK to whatever comes", "pw",
     .replies = {{ASK_SHA}, {REJECTED}, {"OK"}, {"OK"}}, .sent = "I0 A5 I10 I510",
     .expected = OTA_E_DOWNGRADE, .phase = INVITING, .notes = 1,
     .phrase = "has accepted no answer since, and now says OK without one", .end_ms = 515},
    {"a connection from an address that was not invited", .addresses = 2,
     .replies = {{"@20 " CONNECT_AS "b", "@30 OK"}}, .sent = "I0a", .settled = 'a',
     .phase = ACCEPTED, .is_early = true, .notes = 1},
    {"--peer any: nobody before the OK", .peer_any = true,
     .replies = {{CONNECT, "@20 OK", "@30 " CONNECT}}, .sent = "I0", .phase = ACCEPTED,
     .is_early = true, .notes = 1},
    {"a connection that was made before the answer", "pw", .queued = CONNECT,
     .replies = {{ASK_SHA}, {CONNECT}}, .sent = "I0 A5", .scheme = "SHA-256",
     .evidence = "connection", .phase = AUTHENTICATING, .is_early = true, .notes = 1},
    {"an OK that came before the answer", "pw", .queued = "OK", .replies = {{ASK_SHA}, {CONNECT}},
     .sent = "I0 A5", .scheme = "SHA-256", .evidence = "connection", .phase = AUTHENTICATING},
    {"more datagrams before the answer than are received at once", "pw", .floods = 3,
     .replies = {{ASK_SHA}, {"OK"}}, .sent = "I0 A5", .scheme = "SHA-256", .phase = ACCEPTED},
    {"more datagrams before a connection than are received at once", .floods = 1,
     .replies = {{"OK", "@6 " CONNECT, "@7 " CONNECT}}, .sent = "I0", .phase = ACCEPTED,
     .is_early = true, .notes = 1},
    {"another challenge before the answer", "pw", .queued = ASK_SHA_AGAIN,
     .replies = {{ASK_SHA}, {"OK"}}, .sent = "I0 A5", .scheme = "SHA-256", .phase = ACCEPTED},
    {"a refusal before the answer", "pw", .queued = "ERR: no", .replies = {{ASK_SHA}}, .sent = "I0",
     .expected = OTA_E_REFUSED, .phase = AUTHENTICATING, .end_ms = 5},
    {"connections that cannot be accepted before the answer", "pw", .listener_trouble = EMFILE,
     .replies = {{ASK_SHA}}, .sent = "I0 X5", .expected = OTA_E_INTERNAL, .phase = AUTHENTICATING,
     .phrase = "these cannot be accepted: Too many open files", .end_ms = 5},
    /* challenges that are answered or not */
    {"--min-auth sha256: no answer with MD5", "pw", .min_auth = AUTH_SHA256, .replies = {{ASK_MD5}},
     .sent = "I0 X5", .expected = OTA_E_WEAK_AUTH, .phase = AUTHENTICATING,
     .phrase = "--min-auth allows nothing below SHA-256", .end_ms = 5},
    {"--min-auth sha256, without a password: nobody is asked for one", .typed = "pw",
     .min_auth = AUTH_SHA256, .replies = {{ASK_MD5}}, .sent = "I0 X5", .expected = OTA_E_WEAK_AUTH,
     .phase = AUTHENTICATING, .end_ms = 5},
    {"--min-auth sha256: one with SHA-256", "pw", .min_auth = AUTH_SHA256,
     .replies = {{ASK_SHA}, {"OK"}}, .sent = "I0 A5", .scheme = "SHA-256", .phase = ACCEPTED},
    {"MD5 after SHA-256: not even with --force", "pw", .is_forced = true,
     .replies = {{ASK_SHA}, {REJECTED}, {ASK_MD5}}, .sent = "I0 A5 I10 X15",
     .expected = OTA_E_DOWNGRADE, .phase = AUTHENTICATING, .phrase = "SHA-256 at first",
     .end_ms = 15},
    {"MD5, where another port of the address has shown SHA-256", "pw", .is_known_esp32 = true,
     .replies = {{ASK_MD5}}, .sent = "I0 X5", .expected = OTA_E_DOWNGRADE, .phase = AUTHENTICATING,
     .phrase = "10.0.0.7 asked for an answer with SHA-256 at another port", .end_ms = 5},
    {"MD5 after SHA-256 that crossed an answer with MD5", "pw",
     .replies = {{ASK_MD5}, {ASK_SHA}, {ASK_MD5_AGAIN}}, .sent = "I0 A5 I510 X515",
     .expected = OTA_E_DOWNGRADE, .phase = AUTHENTICATING, .notes = 1, .end_ms = 515},
    {"MD5 after SHA-256, while the password is typed", .typed = "pw",
     .replies = {{ASK_SHA, "@100 " ASK_MD5}}, .sent = "I0 X100", .expected = OTA_E_DOWNGRADE,
     .phase = AUTHENTICATING, .end_ms = 100},
    {"another challenge while the password is typed: the last one is answered", .typed = "pw",
     .replies = {{ASK_MD5, "@100 " ASK_SHA}, {"OK"}}, .sent = "I0 A2005", .scheme = "SHA-256",
     .phase = ACCEPTED, .notes = 1},
    {"refused while the password is typed", .typed = "pw", .replies = {{ASK_SHA, "@100 ERR: no"}},
     .sent = "I0", .expected = OTA_E_REFUSED, .phase = AUTHENTICATING, .end_ms = 100},
    {"a rejection while the password is typed: the board is idle", .typed = "pw",
     .replies = {{ASK_SHA, "@100 " REJECTED, "@200 OK", "@300 " CONNECT}, {ASK_SHA_AGAIN}, {"OK"}},
     .sent = "I0 I2005 A2010", .scheme = "SHA-256", .phase = ACCEPTED, .is_early = true,
     .notes = 1},
    {"OK to nothing, while the password is typed", .typed = "pw",
     .replies = {{ASK_SHA, "@100 OK", "@200 OK"}}, .sent = "I0 X200", .expected = OTA_E_DOWNGRADE,
     .phase = AUTHENTICATING, .end_ms = 200},
    {"a board that announces a password and wants none", "pw", .is_announced = true,
     .replies = {{"OK"}}, .sent = "I0", .expected = OTA_E_NOT_ASKED, .phase = INVITING,
     .phrase = "10.0.0.7:3232 accepted the upload without one", .end_ms = 5},
    {"an announced password, and the OK is lost", "pw", .is_announced = true,
     .replies = {{CONNECT}}, .sent = "I0", .expected = OTA_E_NOT_ASKED, .phase = INVITING,
     .is_early = true, .end_ms = 5},
    {"an announced password, with --force", "pw", .is_announced = true, .is_forced = true,
     .replies = {{"OK"}}, .sent = "I0", .phase = ACCEPTED, .notes = 1},
    {"an announced password, and none was given", .is_announced = true, .replies = {{"OK"}},
     .sent = "I0", .phase = ACCEPTED},
    /* several endpoints: a, b ... are addresses, or the ports of one address */
    {"the first address answers: the second is never tried", .addresses = 2, .replies = {{"OK"}},
     .sent = "I0a", .settled = 'a', .phase = ACCEPTED},
    {"a silent address", "pw", .addresses = 2, .replies = {{NULL}, {ASK_SHA}, {"OK"}},
     .sent = "I0a I3800b A3805b", .settled = 'b', .scheme = "SHA-256", .phase = ACCEPTED,
     .notes = 1},
    {"a late answer of an address that was given up", "pw", .addresses = 2,
     .replies = {{"@4000 " ASK_SHA}, {NULL}, {"OK"}}, .sent = "I0a I3800b A4000a", .settled = 'a',
     .scheme = "SHA-256", .phase = ACCEPTED, .notes = 1},
    {"the answer of an address that is not the board's any more", .addresses = 2, .on = true,
     .replies = {{"@4000 ERR: no"}, {"OK"}}, .sent = "I0a I3800b", .settled = 'b',
     .expected = OTA_E_NO_CONNECTION, .phase = ACCEPTED, .phrase = "did not connect", .notes = 1},
    {"a refusal that comes when another address has its turn", .addresses = 2,
     .replies = {{"@4000 " REFUSED}, {"@1000 OK"}}, .sent = "I0a I3800b", .settled = 'b',
     .phase = ACCEPTED, .notes = 1},
    {"rubbish is no answer", .addresses = 2, .replies = {{"hello"}, {"OK"}}, .sent = "I0a I3800b",
     .settled = 'b', .phase = ACCEPTED, .notes = 1},
    {"an address that refuses, or has no way to it: the next one at once", .addresses = 3,
     .unreachable = "b", .replies = {{REFUSED}, {"OK"}}, .sent = "I0a I5c", .settled = 'c',
     .phase = ACCEPTED},
    {"silent addresses: each has its time, the last one all of it", .addresses = 3,
     .sent = "I0a I3800b I7600c I11400a I15200b", .expected = OTA_E_NO_ANSWER, .phase = INVITING,
     .phrase = "no answer from 10.0.0.7:3232 (the given port), 10.0.0.8:3232 (the given port) and "
               "10.0.0.9:3232 (the given port) to 5 invitations in 17.6 s",
     .end_ms = 17600, .notes = 1},
    {"a short -t: each has all of it", .addresses = 3, .accept_timeout_s = 1,
     .sent = "I0a I1000b I2000c", .expected = OTA_E_NO_ANSWER, .phase = INVITING, .end_ms = 3000,
     .notes = 1},
    {"a port that is a guess", .ports = 3, .replies = {{REFUSED}, {REFUSED}, {"OK"}},
     .sent = "I0a I5b I10c", .settled = 'c', .phase = ACCEPTED},
    {"no port is right", .ports = 3, .accept_timeout_s = 1, .every_time = true,
     .replies = {{REFUSED}}, .sent = "I0a I5b I10c I515a I520b I525c",
     .expected = OTA_E_NOT_LISTENING, .phase = INVITING, .end_ms = 1010, .notes = 1,
     .phrase = "nothing listens at 10.0.0.7:3232 (the given port), 10.0.0.7:8266 (b) and "
               "10.0.0.7:2040 (c)"},
    {"a board that restarts, at a port that is a guess", .ports = 3,
     .replies = {{REFUSED}, {REFUSED}, {REFUSED}, {REFUSED}, {"OK"}},
     .sent = "I0a I5b I10c I515a I520b", .settled = 'b', .phase = ACCEPTED, .notes = 1},
    {"nothing answers: all that was tried is named", .ports = 2, .accept_timeout_s = 2,
     .replies = {{NULL}, {REFUSED}}, .sent = "I0a I2000b I2505a", .expected = OTA_E_NO_ANSWER,
     .phase = INVITING, .notes = 2, .end_ms = 4000,
     .phrase = "no answer from 10.0.0.7:3232 (the given port) to 2 invitations in 4 s; nothing "
               "listens at 10.0.0.7:8266 (b)"},
    {"the board's own endpoint once it has answered, whatever comes", "pw", .addresses = 2,
     .replies = {{NULL}, {ASK_SHA}, {REFUSED}, {REFUSED}, {ASK_SHA_AGAIN}, {"OK"}},
     .sent = "I0a I3800b A3805b I3810b I4315b A4320b", .settled = 'b', .scheme = "SHA-256",
     .phase = ACCEPTED, .notes = 2},
    {"an OK that was lost: the connection tells which address it is", .addresses = 2,
     .replies = {{"@4000 " CONNECT}, {NULL}}, .sent = "I0a I3800b", .settled = 'a',
     .phase = INVITING, .notes = 1},
    {"an OK that was lost, at the second port", .ports = 3, .replies = {{REFUSED}, {CONNECT}},
     .sent = "I0a I5b", .settled = 'b', .phase = INVITING},
    /* filesystem images: the two numbers of the command */
    {"a filesystem image, and silence: the other number late", .command = OTA_COMMAND_FILESYSTEM,
     .sent = "F0 F3800 F7600 S8100 F8600 S9100 F9600", .expected = OTA_E_NO_ANSWER,
     .phase = INVITING, .phrase = "to 7 invitations in 10 s", .end_ms = 10000, .notes = 1},
    {"a board that takes the other number only", .command = OTA_COMMAND_FILESYSTEM,
     .replies = {[3] = {"OK"}}, .sent = "F0 F3800 F7600 S8100", .phase = ACCEPTED, .notes = 1},
    {"a board that takes the other number only, and asks again", "pw",
     .command = OTA_COMMAND_FILESYSTEM,
     .replies = {[3] = {ASK_SHA}, [4] = {REJECTED}, [5] = {ASK_SHA_AGAIN}, [6] = {"OK"}},
     .sent = "F0 F3800 F7600 S8100 A8105 S8110 A8115", .scheme = "SHA-256", .phase = ACCEPTED,
     .notes = 1},
    {"the other number, and silence of one of two addresses", .command = OTA_COMMAND_FILESYSTEM,
     .addresses = 2, .unreachable = "a", .replies = {[3] = {"OK"}},
     .sent = "F0b F3800b F7600b S8100b", .settled = 'b', .phase = ACCEPTED, .notes = 1},
    {"no way to any address", .addresses = 2, .unreachable = "ab", .sent = "",
     .expected = OTA_E_UNREACHABLE, .phase = INVITING,
     .phrase = "10.0.0.7:3232 and 10.0.0.8:3232 cannot be reached: Network is unreachable"},
};

static void test_handshake_scripts(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        const struct script *script = &scripts[i];
        enum ota_phase phase = play_handshake(script);
        print_message("  %s: %s\n", script->name, world.failure.message);
        assert_string_equal(world.sent, script->sent);
        assert_int_equal(world.failure.error, script->expected);
        assert_int_equal(world.failures, script->expected == OTA_OK ? 0 : 1);
        assert_int_equal(phase, script->phase);
        assert_non_null(strstr(world.failure.message, script->phrase ? script->phrase : ""));
        if (script->cause)
            assert_int_equal(world.failure.cause, script->cause);
        assert_true(script->has_esphome || world.failure.cause != OTA_CAUSE_ESPHOME);
        if (strstr(world.failure.message, "Too many open files"))
            assert_int_equal(world.failure.cause, OTA_CAUSE_TOO_MANY_FILES); /* for the remedy */
        assert_null(script->never ? strstr(world.failure.message, script->never) : NULL);
        assert_int_equal(world.notes, script->notes);
        assert_string_equal(world.scheme ? world.scheme : "none",
                            script->scheme ? script->scheme : "none");
        if (script->scheme)
            assert_string_equal(world.evidence, script->evidence ? script->evidence : "reply");
        assert_int_equal(world.turned_away, script->is_early);
        if (script->end_ms)
            assert_int_equal(virtual_time.now_us / MS, script->end_ms);
        if (script->settled)
            assert_int_equal(world.settled, script->settled);
    }
}

static void test_what_is_sent(void **state)
{
    (void)state;
    static const struct script script = {"MD5", "pw", .replies = {{ASK_MD5}, {"OK"}}};
    char expected[PROTOCOL_DATAGRAM_MAX];
    char cnonce[DIGEST_MD5_HEX + 1] = "";
    struct auth_answer answer;

    play_handshake(&script);
    assert_string_equal(world.received[0], "0 4711 1000 00112233445566778899aabbccddeeff\n");
    assert_int_equal(sscanf(world.received[1], "200 %32[0-9a-f] ", cnonce), 1);
    assert_int_equal(auth_respond(&answer, AUTH_MD5, "pw", NONCE_MD5, cnonce), 0);
    snprintf(expected, sizeof expected, "200 %s %s\n", cnonce, answer.response);
    assert_string_equal(world.received[1], expected);
}

static void test_notices(void **state)
{
    (void)state;
    static const struct script refused = {"refused", .replies = {{REFUSED}, {"OK"}}};
    static const struct script announced = {"refused at the announced port",
                                            .replies = {{REFUSED}, {"OK"}}, .announces_port = true};
    static const struct script guessed = {"refused at the image's port",
                                          .replies = {{REFUSED}, {"OK"}}, .guesses_port = true};
    static const struct script other = {"refused, and it announces another port",
                                        .replies = {{REFUSED}, {"OK"}}, .announces_other = true};
    static const struct script own = {"refused by this computer", .replies = {{REFUSED}, {"OK"}},
                                      .is_own = true};
    static const struct script weak = {"MD5", "pw", .replies = {{ASK_MD5}, {"OK"}}};

    play_handshake(&refused);
    assert_string_equal(world.note,
                        "nothing listens at 10.0.0.7:3232 (the given port); going on in "
                        "case the board is rebooting; is the port (-p) right?");
    play_handshake(&announced);
    assert_non_null(strstr(world.note, "; going on in case the board is rebooting"));
    assert_null(strstr(world.note, "-p"));
    play_handshake(&guessed);
    assert_non_null(strstr(world.note, " rebooting; is the image for this board?"));
    play_handshake(&own);
    assert_non_null(strstr(world.note, " rebooting; that is an address of this computer itself"));
    play_handshake(&other);
    assert_non_null(strstr(world.note, "; the board announces port 8266: leave -p out"));
    play_handshake(&weak);
    assert_non_null(strstr(world.note, "the board asks for an answer with MD5, from which"));
}

/* The second handshake of an upload does not repeat the notices of the first one. */
static void test_each_notice_is_given_once(void **state)
{
    (void)state;
    static const struct script once[] = {
        {"refused", .replies = {{REFUSED}, {"OK"}}},
        {"no route", .accept_timeout_s = 1, .send_error = EHOSTUNREACH},
        {"silence", .sent = NULL},
        {"MD5", "pw", .replies = {{ASK_MD5}, {"OK"}}},
    };

    notices = 0;
    trust = (struct trust){0};
    for (size_t i = 0; i < 2 * (sizeof once / sizeof *once); i++) {
        play_on(&once[i / 2]);
        assert_int_equal(world.notes, i % 2 == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake_scripts),
        cmocka_unit_test(test_what_is_sent),
        cmocka_unit_test(test_notices),
        cmocka_unit_test(test_each_notice_is_given_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
