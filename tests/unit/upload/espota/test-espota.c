/*
 * test-espota.c: what a board's sessions get from the settings and from earlier ones. The listener
 * and the sessions are replaced at link time (--wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/loop.h"
#include "discovery/board_list.h"
#include "discovery/resolve.h"
#include "image/kind.h"
#include "secrets/echo.h"
#include "support/session_wraps.h"
#include "upload/espota/espota_settings.h"
#include "upload/protocols.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct world {
    bool refuse_listener, refuse_session, refuse_hash;
    bool has_listener, has_session;
    const char *taken; /* an address that another session expects */
    bool asked_for_any;
    struct session_config config; /* of the last session */
    struct upload_callbacks callbacks;
    struct ota_failure failure; /* of the last attempt */
    struct loop *loop;
    struct espota_settings own;
    struct upload_settings settings;
    struct echo echo;
} world;

static const struct image esp8266 = {.family = IMAGE_ESP8266}, esp32 = {.family = IMAGE_ESP32};
static const struct image pico = {.family = IMAGE_PICO}, unknown = {.family = IMAGE_UNKNOWN};
static const struct resolution found = {.password = TXT_YES};
static const struct endpoints endpoints = {.address_count = 1, .port_count = 1};

int __real_digest_sha256(char hex[DIGEST_SHA256_HEX + 1], const void *data, size_t length);
int __wrap_digest_sha256(char hex[DIGEST_SHA256_HEX + 1], const void *data, size_t length);

int __wrap_digest_sha256(char hex[DIGEST_SHA256_HEX + 1], const void *data, size_t length)
{
    return world.refuse_hash ? -1 : __real_digest_sha256(hex, data, length);
}

struct listener *__wrap_listener_open(struct loop *loop, const struct source *source,
                                      uint16_t first, uint16_t last, struct ota_failure *failure)
{
    assert_ptr_equal(loop, world.loop);
    assert_ptr_equal(source, &world.settings.source);
    assert_int_equal(first, world.own.port_first);
    assert_int_equal(last, world.own.port_last);
    if (world.refuse_listener) {
        ota_fail(failure, OTA_E_NO_PORT, "taken");
        return NULL;
    }
    world.has_listener = true;
    return (struct listener *)&world;
}

uint16_t __wrap_listener_port(const struct listener *listener)
{
    assert_ptr_equal(listener, &world);
    return 4711;
}

void __wrap_listener_close(struct listener *listener)
{
    if (listener)
        world.has_listener = false;
}

bool __wrap_listener_is_expecting(const struct listener *listener, const struct address *peer)
{
    char text[ADDRESS_TEXT_MAX];

    assert_ptr_equal(listener, &world);
    world.asked_for_any = !peer;
    return !peer || (world.taken && strcmp(address_text(text, peer), world.taken) == 0);
}

struct session *__wrap_session_start(const struct session_config *config,
                                     const struct upload_callbacks *callbacks)
{
    assert_false(world.has_session);
    if (world.refuse_session)
        return NULL;
    world.config = *config;
    world.callbacks = *callbacks;
    world.has_session = true;
    return (struct session *)&world;
}

enum ota_phase __wrap_session_phase(const struct session *session)
{
    assert_ptr_equal(session, &world);
    return OTA_PHASE_ACCEPT;
}

void __wrap_session_free(struct session *session)
{
    if (session)
        world.has_session = false;
}

static void on_attempt_done(const struct ota_failure *failure, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    world.failure = *failure;
}

static struct upload_service *service;

static int set_up_espota(void **state)
{
    static struct ota_failure failure;

    (void)state;
    world = (struct world){.loop = loop_new(),
                           .own = {.port_first = 4700, .port_last = 4711},
                           .settings = {.timeout_us = 7000000, .espota = &world.own}};
    service = espota_protocol.open(world.loop, &world.settings, &failure);
    return service ? 0 : -1;
}

static int tear_down_espota(void **state)
{
    (void)state;
    upload_services_close(service);
    echo_clear(&world.echo);
    loop_free(world.loop);
    return world.has_listener || world.has_session;
}

static struct upload *new_upload(void)
{
    const struct upload_config config = {
        .service = service, .board = "lamp", .min_auth = AUTH_SHA256, .echo = &world.echo};
    const struct upload_callbacks callbacks = {.on_done = on_attempt_done, .userdata = &world};
    struct upload *upload = upload_new(&config, &callbacks);

    assert_non_null(upload);
    assert_false(upload_is_running(upload));
    return upload;
}

static void start_attempt(struct upload *upload, const struct image *image, const char *password)
{
    const struct upload_attempt attempt = {
        .image = image, .endpoints = &endpoints, .found = &found, .password = password};
    struct ota_failure failure;

    upload_stop(upload);
    assert_true(upload_start(upload, &attempt, &failure));
    assert_true(upload_is_running(upload));
}

static const char *fail_with(struct upload *upload, enum ota_error error)
{
    world.callbacks.on_done(&(struct ota_failure){.error = error, .message = "why"},
                            world.callbacks.userdata);
    assert_int_equal(world.failure.error, error);
    assert_int_equal(upload_phase(upload), OTA_PHASE_ACCEPT);
    return upload_adapt(upload, &world.failure);
}

/* A board is streamed to until a transfer breaks off. */
static void test_blocks(void **state)
{
    (void)state;

    static const struct {
        unsigned given;
        const struct image *image;
        size_t block;
    } rows[] = {
        {0, &esp8266, 1460}, {0, &esp32, 1024},  {0, &pico, 1460},
        {0, &unknown, 1460}, {512, &esp32, 512}, {4096, &unknown, 4096},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct upload *upload = new_upload();

        world.own.block = rows[i].given;
        start_attempt(upload, rows[i].image, "pw");
        assert_int_equal(world.config.block, 0);
        assert_string_equal(fail_with(upload, OTA_E_NO_ANSWER), "");
        start_attempt(upload, rows[i].image, "pw");
        assert_int_equal(world.config.block, 0);
        assert_string_equal(fail_with(upload, i % 2 ? OTA_E_LOST : OTA_E_STALLED), "in lock-step");
        start_attempt(upload, rows[i].image, "pw");
        assert_int_equal(world.config.block, rows[i].block);
        assert_string_equal(fail_with(upload, OTA_E_NO_ANSWER), "in lock-step");

        /* Another image begins like the first one. */
        start_attempt(upload, rows[i].image == &pico ? &esp32 : &pico, "pw");
        assert_int_equal(world.config.block, 0);
        upload_free(upload);
    }
}

static void test_lockstep(void **state)
{
    (void)state;
    struct upload *upload = new_upload();

    world.own.lockstep = true;
    start_attempt(upload, &esp32, "pw");
    assert_int_equal(world.config.block, 1024);
    start_attempt(upload, &esp8266, "pw");
    assert_int_equal(world.config.block, 1460);
    upload_free(upload);
}

/* What the sessions get. */
static void test_espota_config(void **state)
{
    (void)state;
    struct upload *upload = new_upload();

    world.settings.command = OTA_COMMAND_FILESYSTEM;
    world.settings.force = true;
    start_attempt(upload, &esp8266, "pw");
    assert_ptr_equal(world.config.image, &esp8266);
    assert_ptr_equal(world.config.endpoints, &endpoints);
    assert_ptr_equal(world.config.heard, &found.claims);
    assert_ptr_equal(world.config.echo, &world.echo);
    assert_int_not_equal(world.echo.count, 0); /* the hashes of the password */
    assert_int_equal(world.config.command, OTA_COMMAND_FILESYSTEM);
    assert_int_equal(world.config.trust->least, AUTH_SHA256);
    assert_int_equal(world.config.accept_timeout_us, 7000000);
    assert_string_equal(world.config.password, "pw");
    assert_string_equal(world.config.board, "lamp");
    assert_true(world.config.announces_password && world.config.is_forced);
    assert_false(world.config.md5_target || world.config.peer_any || world.config.peer);
    assert_true(source_is_any(world.config.source));
    assert_non_null(strstr(world.config.sha256_objection, "image is for ESP8266 boards"));

    world.own.has_peer = world.own.md5_target = true;
    world.own.peer_any = true;
    start_attempt(upload, &esp32, "pw");
    assert_ptr_equal(world.config.source, &world.settings.source);
    assert_ptr_equal(world.config.peer, &world.own.peer);
    assert_true(world.config.md5_target && world.config.peer_any);
    assert_null(world.config.sha256_objection); /* such a challenge comes from the right board */
    upload_free(upload);
}

/* Later sessions know what earlier ones got. Another password gets answers of its own. */
static void test_kept_trust(void **state)
{
    (void)state;
    struct upload *upload = new_upload();

    start_attempt(upload, &esp32, "pw");
    *world.config.notices |= NOTICE_WEAK;
    world.config.trust->asked = TRUST_SHA256;
    world.config.trust->answers = TRUST_ANSWERS_MAX;
    start_attempt(upload, &esp32, "pw");
    assert_int_equal(*world.config.notices, NOTICE_WEAK);
    start_attempt(upload, &esp32, NULL); /* the password that was typed is given again */
    assert_true(trust_is_spent(world.config.trust, TRUST_SHA256));
    upload_begin_again(upload);
    assert_false(trust_is_spent(world.config.trust, TRUST_SHA256));
    assert_int_equal(world.config.trust->asked, TRUST_SHA256);
    upload_free(upload);
}

/* The scheme that is demanded only ever rises. The addresses are shared by all boards. */
static void test_required_auth(void **state)
{
    (void)state;
    struct upload *upload = new_upload(), *other = new_upload();
    struct address_set *addresses;

    start_attempt(upload, &esp32, "pw");
    addresses = world.config.sha256_addresses;
    assert_false(upload_has_given_md5(upload));
    upload_require_auth(upload, AUTH_MD5);
    assert_int_equal(world.config.trust->least, AUTH_SHA256);
    world.config.trust->least = AUTH_MD5;
    world.config.trust->has_given_md5 = true;
    assert_true(upload_has_given_md5(upload));
    upload_require_auth(upload, AUTH_SHA256);
    assert_int_equal(world.config.trust->least, AUTH_SHA256);
    upload_stop(upload);

    start_attempt(other, &esp32, "pw");
    assert_ptr_equal(world.config.sha256_addresses, addresses);
    assert_false(upload_has_given_md5(other));
    upload_free(upload);
    upload_free(other);
}

static void test_busy_peer(void **state)
{
    (void)state;
    struct endpoints two = {.address_count = 2, .port_count = 1};
    struct upload *upload = new_upload();

    assert_true(address_parse(&two.addresses[0], "10.0.0.7"));
    assert_true(address_parse(&two.addresses[1], "10.0.0.8"));
    assert_true(address_parse(&world.own.peer, "10.0.0.9"));
    assert_false(upload_is_busy(upload, &two));
    world.taken = "10.0.0.8";
    assert_true(upload_is_busy(upload, &two));
    world.own.has_peer = true;
    assert_false(upload_is_busy(upload, &two));
    world.taken = "10.0.0.9";
    assert_true(upload_is_busy(upload, &two));
    assert_false(world.asked_for_any);
    world.own.has_peer = false;
    world.own.peer_any = true;
    assert_true(upload_is_busy(upload, &two));
    assert_true(world.asked_for_any);
    upload_free(upload);
}

static void test_espota_restart(void **state)
{
    (void)state;

    static const struct {
        const struct image *image;
        int64_t restart_us;
    } rows[] = {{&esp32, 800000}, {&esp8266, 2500000}, {&pico, 2500000}, {&unknown, 2500000}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct upload *upload = new_upload();

        start_attempt(upload, rows[i].image, NULL);
        assert_int_equal(upload_restart_us(upload), rows[i].restart_us);
        assert_int_equal(upload_proof(upload), UPLOAD_PROOF_BOARD);
        assert_false(upload_restart_proves(upload, NULL));
        for (size_t k = 0; k < kind_family_count; k++)
            assert_int_equal(upload_restart_proves(upload, &kind_families[k]),
                             strcmp(kind_families[k].title, "ESP32") == 0);
        upload_free(upload);
    }
}

static void test_served_boards(void **state)
{
    (void)state;

    static const struct {
        uint16_t port;
        const char *name;
        enum service service;
    } rows[] = {{3232, "espota", SERVICE_ARDUINO},  {8266, "espota", SERVICE_ARDUINO},
                {0, "espota", SERVICE_ARDUINO},     {80, "other", SERVICE_ARDUINO},
                {65280, "sketch", SERVICE_ARDUINO}, {80, "web", SERVICE_WLED},
                {3232, "web", SERVICE_WLED},        {65280, "web", SERVICE_TASMOTA}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct board board = {.port = rows[i].port, .service = rows[i].service};
        const bool is_served = strcmp(rows[i].name, "espota") == 0;

        assert_int_equal(espota_protocol.serves(&board), is_served);
        assert_ptr_equal(protocols_for(&board), protocols_find(rows[i].name));
        assert_string_equal(protocols_name_for(&board), rows[i].name);
    }
}

/* Each protocol and each scheme can be found, and no two have one name. */
static void test_protocol_table(void **state)
{
    (void)state;
    char names[64];

    for (size_t i = 0; protocols[i]; i++)
        assert_ptr_equal(protocols_find(protocols[i]->name), protocols[i]);
    for (size_t i = 0; i < protocol_schemes.count; i++) {
        const struct upload_protocol *protocol = protocol_schemes.list[i].protocol;

        assert_ptr_equal(protocols_find(protocol->name), protocol);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(protocol_schemes.list[i].name, protocol_schemes.list[k].name);
    }
    assert_null(protocols_find("ESPOTA"));
    assert_null(protocols_find(""));
    assert_non_null(strstr(protocols_list(names, sizeof names), protocols[0]->name));
}

static void test_espota_refusals(void **state)
{
    (void)state;
    const struct upload_attempt attempt = {
        .image = &esp32, .endpoints = &endpoints, .found = &found};
    struct ota_failure failure;
    struct upload *upload = new_upload();

    world.refuse_session = true;
    assert_false(upload_start(upload, &attempt, &failure));
    assert_int_equal(failure.cause, OTA_CAUSE_OUT_OF_MEMORY);
    assert_false(upload_is_running(upload));
    upload_stop(upload);
    upload_free(upload);
    upload_free(NULL);
    upload_stop(NULL);

    world.refuse_listener = true;
    assert_null(espota_protocol.open(world.loop, &world.settings, &failure));
    assert_int_equal(failure.error, OTA_E_NO_PORT);
}

/* Without the hashes of the password nothing could hide them, so the board does not get it. That is
 * libcrypto's failure, and no lack of memory. */
static void test_hashes_that_fail(void **state)
{
    (void)state;
    struct upload *upload = new_upload();

    start_attempt(upload, &esp32, NULL);
    world.refuse_hash = true;
    upload_set_password(upload, "pw");
    assert_int_equal(world.failure.error, OTA_E_INTERNAL);
    assert_int_equal(world.failure.cause, OTA_CAUSE_NONE);
    assert_string_equal(world.failure.message,
                        "cannot compute the hashes of the password: no reason given");
    upload_free(upload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_blocks, set_up_espota, tear_down_espota),
        cmocka_unit_test_setup_teardown(test_lockstep, set_up_espota, tear_down_espota),
        cmocka_unit_test_setup_teardown(test_espota_config, set_up_espota, tear_down_espota),
        cmocka_unit_test_setup_teardown(test_kept_trust, set_up_espota, tear_down_espota),
        cmocka_unit_test_setup_teardown(test_required_auth, set_up_espota, tear_down_espota),
        cmocka_unit_test_setup_teardown(test_busy_peer, set_up_espota, tear_down_espota),
        cmocka_unit_test_setup_teardown(test_espota_restart, set_up_espota, tear_down_espota),
        cmocka_unit_test(test_served_boards),
        cmocka_unit_test(test_protocol_table),
        cmocka_unit_test_setup_teardown(test_espota_refusals, set_up_espota, tear_down_espota),
        cmocka_unit_test_setup_teardown(test_hashes_that_fail, set_up_espota, tear_down_espota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
