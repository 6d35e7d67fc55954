/*
 * test-session.c: the order in which the two halves of an upload are started and freed, the phase
 * of a failure, and the order of the callbacks. The listener, the handshake and the transfer are
 * replaced at link time (--wrap), and have tests of their own.
 */
#include "base/loop.h"
#include "upload/espota/handshake.h"
#include "upload/espota/session.h"
#include "upload/espota/transfer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { FD = 99, BLOCK = 1460 };

static struct world {
    bool armed; /* the timer is due at once */
    struct loop_timer *timer;
    int refuse_expect; /* errno of listener_expect(); 0: success */
    bool refuse_handshake, refuse_transfer, refuse_connection;
    bool has_handshake, has_transfer, was_emptied, is_expected, anyone;
    struct address peer; /* the last peer expected */
    unsigned peers;
    char kept[ADDRESS_TEXT_MAX]; /* the only peer still expected; "": all are */
    size_t endpoint;             /* the endpoint that has replied */
    listener_accept_fn *on_accept;
    void *accept_userdata;
    struct handshake_callbacks handshake;
    enum ota_phase handshake_phase;
    struct transfer_config transfer_config;
    struct transfer_callbacks transfer;
    bool all_sent, all_acknowledged, told_connected;
    const char *password;
    char story[256];
    struct ota_failure failure;
    unsigned done;
} world;

static struct image image = {.size = 1000};
static struct session *session;

void __wrap_loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due,
                            void *userdata);
void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us);
void __wrap_loop_timer_stop(struct loop_timer *timer);
int __wrap_listener_empty(struct listener *listener);
int __wrap_listener_expect(struct listener *listener, const struct address *peer,
                           listener_accept_fn *on_accept, void *userdata);
void __wrap_listener_keep(struct listener *listener, const struct address *peer,
                          const void *userdata);
void __wrap_listener_forget(struct listener *listener, const void *userdata);
struct handshake *__wrap_handshake_start(const struct session_config *config,
                                         const struct handshake_callbacks *callbacks);
void __wrap_handshake_set_password(struct handshake *handshake, const char *password);
bool __wrap_handshake_connected(struct handshake *handshake, const struct address *peer);
void __wrap_handshake_free(struct handshake *handshake);
enum ota_phase __wrap_handshake_phase(const struct handshake *handshake);
struct transfer *__wrap_transfer_start(const struct transfer_config *config, int fd,
                                       const struct transfer_callbacks *callbacks);
void __wrap_transfer_free(struct transfer *transfer);
bool __wrap_transfer_all_sent(const struct transfer *transfer);
bool __wrap_transfer_all_acknowledged(const struct transfer *transfer);

void __wrap_loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due,
                            void *userdata)
{
    assert_ptr_equal(loop, &world);
    *timer = (struct loop_timer){.on_due = on_due, .userdata = userdata};
    world.timer = timer;
}

void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us)
{
    assert_ptr_equal(timer, world.timer);
    assert_int_equal(delay_us, 0);
    world.armed = true;
}

void __wrap_loop_timer_stop(struct loop_timer *timer)
{
    assert_ptr_equal(timer, world.timer);
    world.armed = false;
}

/* Nobody is expected while the listener is emptied. */
int __wrap_listener_empty(struct listener *listener)
{
    assert_null(listener);
    assert_false(world.is_expected);
    world.was_emptied = true;
    return 0;
}

int __wrap_listener_expect(struct listener *listener, const struct address *peer,
                           listener_accept_fn *on_accept, void *userdata)
{
    assert_true(world.was_emptied);
    assert_null(listener);
    errno = world.refuse_expect;
    if (errno)
        return -1;

    world.is_expected = true;
    world.peers++;
    world.anyone = !peer;
    if (peer)
        world.peer = *peer;
    world.on_accept = on_accept;
    world.accept_userdata = userdata;
    return 0;
}

void __wrap_listener_keep(struct listener *listener, const struct address *peer,
                          const void *userdata)
{
    assert_null(listener);
    assert_ptr_equal(userdata, world.accept_userdata);
    address_text(world.kept, peer);
}

void __wrap_listener_forget(struct listener *listener, const void *userdata)
{
    assert_null(listener);
    if (world.is_expected)
        assert_ptr_equal(userdata, world.accept_userdata);
    world.is_expected = false;
}

struct handshake *__wrap_handshake_start(const struct session_config *config,
                                         const struct handshake_callbacks *callbacks)
{
    assert_ptr_equal(config->image, &image);
    if (world.refuse_handshake)
        return NULL;
    world.has_handshake = true;
    world.handshake = *callbacks;
    world.handshake_phase = OTA_PHASE_INVITE;
    return (struct handshake *)&world.has_handshake;
}

void __wrap_handshake_set_password(struct handshake *handshake, const char *password)
{
    assert_ptr_equal(handshake, &world.has_handshake);
    world.password = password;
}

/* The board connects before its OK has arrived, so the authentication is announced now. */
bool __wrap_handshake_connected(struct handshake *handshake, const struct address *peer)
{
    assert_ptr_equal(handshake, &world.has_handshake);
    assert_ptr_equal(peer, &world.peer);
    assert_true(world.has_handshake);
    world.told_connected = true;
    world.handshake.on_event(&(struct ota_event){.type = OTA_EVENT_AUTHENTICATED},
                             world.handshake.userdata);
    return !world.refuse_connection;
}

void __wrap_handshake_free(struct handshake *handshake)
{
    if (handshake)
        world.has_handshake = false;
}

enum ota_phase __wrap_handshake_phase(const struct handshake *handshake)
{
    assert_ptr_equal(handshake, &world.has_handshake);
    return world.handshake_phase;
}

struct transfer *__wrap_transfer_start(const struct transfer_config *config, int fd,
                                       const struct transfer_callbacks *callbacks)
{
    assert_int_equal(fd, FD);
    if (world.refuse_transfer) {
        errno = ENFILE;
        return NULL;
    }
    world.has_transfer = true;
    world.transfer_config = *config;
    world.transfer = *callbacks;
    return (struct transfer *)&world.has_transfer;
}

void __wrap_transfer_free(struct transfer *transfer)
{
    if (transfer)
        world.has_transfer = false;
}

bool __wrap_transfer_all_sent(const struct transfer *transfer)
{
    assert_ptr_equal(transfer, &world.has_transfer);
    return world.all_sent;
}

bool __wrap_transfer_all_acknowledged(const struct transfer *transfer)
{
    assert_ptr_equal(transfer, &world.has_transfer);
    return world.all_acknowledged;
}

static void on_session_event(const struct ota_event *event, void *userdata)
{
    size_t length = strlen(world.story);
    assert_ptr_equal(userdata, &world);
    assert_int_equal(event->total, image.size);
    snprintf(world.story + length, sizeof world.story - length, "%d:%s:%zu ", (int)event->type,
             ota_phase_name(event->phase), event->bytes);
}

static void on_session_endpoint(size_t endpoint, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    world.endpoint = endpoint;
}

static void on_session_password(void *userdata)
{
    assert_ptr_equal(userdata, &world);
    session_set_password(session, "typed");
}

static void on_session_done(const struct ota_failure *failure, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    assert_false(world.is_expected);
    world.failure = *failure;
    world.done++;
    session_free(session);
    session = NULL;
}

static struct session_config make_config(void)
{
    static struct endpoints endpoints = {
        .port_count = 1, .ports = {{.number = 3232, .source = "given"}}, .address_count = 1};
    struct session_config config = {
        .loop = (struct loop *)&world, .image = &image, .block = BLOCK, .endpoints = &endpoints};

    assert_true(address_parse(&endpoints.addresses[0], "10.0.0.7"));
    world = (struct world){.armed = false};
    return config;
}

static void start_session(const struct session_config *config)
{
    const struct upload_callbacks callbacks = {.on_event = on_session_event,
                                               .on_endpoint = on_session_endpoint,
                                               .on_password = on_session_password,
                                               .on_done = on_session_done,
                                               .userdata = &world};
    session = session_start(config, &callbacks);
    assert_int_equal(world.done, 0); /* on_done is called only from the loop */
}

static void fire(void)
{
    assert_true(world.armed);
    world.armed = false;
    world.timer->on_due(world.timer->userdata);
}

static void assert_session_freed(void)
{
    assert_false(world.has_handshake || world.has_transfer || world.is_expected || world.armed);
}

static void connect_board(void)
{
    world.is_expected = false;
    world.on_accept(FD, &world.peer, world.accept_userdata);
}

static void test_upload(void **state)
{
    (void)state;
    const struct ota_failure success = {.error = OTA_OK};
    static const struct source source = {.interface = "lo"};
    struct session_config config = make_config();

    config.source = &source;
    start_session(&config);
    assert_true(address_equal(&world.peer, &config.endpoints->addresses[0]));
    assert_int_equal(world.peers, 1);
    world.handshake.on_event(&(struct ota_event){.type = OTA_EVENT_INVITED},
                             world.handshake.userdata);
    world.handshake_phase = OTA_PHASE_AUTHENTICATE;
    world.handshake.on_password(world.handshake.userdata);
    assert_string_equal(world.password, "typed");
    assert_false(session_all_sent(session));
    connect_board();
    assert_true(world.told_connected);
    assert_false(world.has_handshake);
    assert_int_equal(world.transfer_config.block, BLOCK);
    assert_ptr_equal(world.transfer_config.image, &image);
    assert_ptr_equal(world.transfer_config.source, config.source);
    session_set_password(session, "too late"); /* without effect */
    world.transfer.on_progress(600, world.transfer.userdata);
    world.all_sent = world.all_acknowledged = true;
    assert_true(session_all_sent(session));
    world.transfer.on_progress(1000, world.transfer.userdata);
    assert_int_equal(session_phase(session), OTA_PHASE_RESULT);
    world.transfer.on_done(&success, world.transfer.userdata);
    assert_string_equal(world.story, "2:invitation:0 3:authentication:0 4:transfer:0 "
                                     "5:transfer:600 5:result:1000 ");
    assert_int_equal(world.done, 1);
    assert_int_equal(world.failure.error, OTA_OK);
    assert_session_freed();
}

static void test_a_connection_that_comes_too_early(void **state)
{
    (void)state;
    struct session_config config = make_config();

    start_session(&config);
    world.refuse_connection = true;
    assert_false(world.on_accept(FD, &world.peer, world.accept_userdata));
    assert_true(world.has_handshake && !world.has_transfer && world.is_expected);
    world.refuse_connection = false;
    assert_true(world.on_accept(FD, &world.peer, world.accept_userdata));
    assert_true(!world.has_handshake && world.has_transfer);
    session_free(session);
    assert_session_freed();
}

/* A failure of either half ends the session once, with the message of that half. */
static void test_failures_of_the_halves(void **state)
{
    (void)state;

    for (int connected = 0; connected < 2; connected++) {
        const struct ota_failure failure = {.error = OTA_E_LOST, .message = "why"};
        struct session_config config = make_config();
        start_session(&config);
        if (connected) {
            connect_board();
            world.transfer.on_done(&failure, world.transfer.userdata);
        } else {
            world.handshake.on_failed(&failure, world.handshake.userdata);
        }
        assert_int_equal(world.done, 1);
        assert_string_equal(world.failure.message, "why");
        assert_session_freed();
    }
}

/* Failures to start are reported from the loop. */
static void test_failures_to_start(void **state)
{
    (void)state;

    static const struct {
        int refuse_expect;
        bool refuse_handshake, refuse_transfer;
        const char *message;
        enum ota_cause cause;
    } rows[] = {
        {EEXIST, false, false, "another upload to the same address is in progress", OTA_CAUSE_NONE},
        {ENOMEM, false, false, "the upload cannot start: Cannot allocate memory",
         OTA_CAUSE_OUT_OF_MEMORY},
        {0, true, false, "the upload cannot start: Cannot allocate memory",
         OTA_CAUSE_OUT_OF_MEMORY},
        {0, false, true, "the upload cannot start: Too many open files in system",
         OTA_CAUSE_TOO_MANY_FILES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct session_config config = make_config();
        world.refuse_expect = rows[i].refuse_expect;
        world.refuse_handshake = rows[i].refuse_handshake;
        world.refuse_transfer = rows[i].refuse_transfer;
        start_session(&config);
        assert_non_null(session);
        if (rows[i].refuse_transfer)
            connect_board();
        fire();
        assert_int_equal(world.done, 1);
        assert_int_equal(world.failure.error, OTA_E_INTERNAL);
        assert_string_equal(world.failure.message, rows[i].message);
        assert_int_equal(world.failure.cause, rows[i].cause);
        assert_session_freed();
    }
}

static void test_who_may_connect(void **state)
{
    (void)state;
    struct address peer;
    struct session_config config = make_config();
    assert_true(address_parse(&peer, "10.0.0.8"));
    config.peer = &peer;
    start_session(&config);
    assert_true(address_equal(&world.peer, &peer));
    session_free(session);
    assert_session_freed();

    config = make_config();
    config.peer_any = true;
    start_session(&config);
    assert_true(world.anyone);
    session_free(session);
    assert_session_freed();
}

/* All addresses may connect until one has replied. */
static void test_several_addresses(void **state)
{
    (void)state;
    struct endpoints endpoints = {
        .port_count = 2,
        .ports = {{.number = 3232, .source = "a"}, {.number = 8266, .source = "b"}},
        .address_count = 3};
    struct session_config config = make_config();
    struct address peer;

    assert_true(address_parse(&peer, "10.0.0.9"));
    for (size_t i = 0; i < 3; i++)
        assert_true(address_parse(&endpoints.addresses[i], i == 1 ? "10.0.0.8" : "10.0.0.7"));
    config.endpoints = &endpoints;
    start_session(&config);
    assert_int_equal(world.peers, 3);
    assert_string_equal(world.kept, "");
    world.handshake.on_endpoint(3, world.handshake.userdata);
    assert_int_equal(world.endpoint, 3);
    assert_string_equal(world.kept, "10.0.0.8");
    session_free(session);

    config = make_config();
    config.endpoints = &endpoints;
    config.peer = &peer;
    start_session(&config);
    assert_int_equal(world.peers, 1);
    world.handshake.on_endpoint(3, world.handshake.userdata);
    assert_string_equal(world.kept, "");
    session_free(session);
    assert_session_freed();
}

/* session_free() closes everything at any time. */
static void test_freed_in_the_middle(void **state)
{
    (void)state;
    struct session_config config = make_config();

    start_session(&config);
    connect_board();
    assert_true(world.has_transfer);
    session_free(session);
    session_free(NULL);
    assert_int_equal(world.done, 0);
    assert_session_freed();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upload),
        cmocka_unit_test(test_a_connection_that_comes_too_early),
        cmocka_unit_test(test_failures_of_the_halves),
        cmocka_unit_test(test_failures_to_start),
        cmocka_unit_test(test_who_may_connect),
        cmocka_unit_test(test_several_addresses),
        cmocka_unit_test(test_freed_in_the_middle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
