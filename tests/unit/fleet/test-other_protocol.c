/*
 * test-other_protocol.c: a fleet and its jobs work with a protocol that they have never heard of,
 * and that has no socket: "parcel", which a dozen functions of this file are. The resolver is
 * replaced at link time (--wrap), and so is the clock, which jumps to what is waited for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/loop.h"
#include "fleet/fleet.h"
#include "image/image.h"
#include "net/source.h"
#include "support/resolver_wraps.h"
#include "support/story.h"
#include "upload/upload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The port is the one of ESP32 boards for other protocols; the image is for an ESP8266. */
enum { BOARDS_MAX = 8, STEPS_MAX = 4, IMAGE_SIZE = 1000, PARCEL_PORT = 3232 };

/* -- a protocol -- */

/* How an attempt ends. */
struct step {
    enum ota_error error;
    enum ota_cause cause;
    bool is_busy;       /* instead of an attempt: has to wait */
    bool asks;          /* for a password, first */
    bool is_never_over; /* all is sent, and nothing comes */
};

/* What a board does in its attempts; by the last byte of its address. */
static const struct step (*script)[STEPS_MAX];

struct parcel {
    struct upload upload;
    struct loop_timer timer;
    size_t board, step; /* of the script */
    bool is_small;
    const char *password;
};

static const struct upload_protocol parcel_protocol;
static char stories[BOARDS_MAX][1024];
static struct loop_timer interrupt;
static int64_t waited_us; /* how far the clock has jumped */

#define tell(board, ...) story_append(stories[board], sizeof stories[board], __VA_ARGS__)

static struct upload_service *
open_parcels(struct loop *loop, const struct upload_settings *settings, struct ota_failure *failure)
{
    struct upload_service *service = calloc(1, sizeof *service);

    (void)failure;
    assert_non_null(service);
    *service =
        (struct upload_service){.protocol = &parcel_protocol, .loop = loop, .settings = settings};
    return service;
}

static void close_parcels(struct upload_service *service)
{
    free(service);
}

static const struct step *find_step(const struct parcel *parcel)
{
    return &script[parcel->board][parcel->step];
}

static void emit_parcel_event(const struct parcel *parcel, enum ota_event_type type, size_t bytes)
{
    const struct ota_event event = {.type = type, .phase = OTA_PHASE_TRANSFER, .bytes = bytes};

    parcel->upload.callbacks.on_event(&event, parcel->upload.callbacks.userdata);
}

static void on_parcel_timer(void *userdata)
{
    struct parcel *parcel = userdata;
    const struct upload_callbacks *callbacks = &parcel->upload.callbacks;
    const struct step step = *find_step(parcel);
    struct ota_failure failure = {.error = step.error, .cause = step.cause};

    if (step.asks && !parcel->password) {
        callbacks->on_password(callbacks->userdata);
        return;
    }

    callbacks->on_endpoint(0, callbacks->userdata);
    emit_parcel_event(parcel, OTA_EVENT_CONNECTED, 0);
    emit_parcel_event(parcel, OTA_EVENT_PROGRESS, step.error == OTA_OK ? IMAGE_SIZE : 500);
    if (step.is_never_over) {
        loop_timer_start(&interrupt, 0);
        return;
    }

    parcel->step++;
    snprintf(failure.message, sizeof failure.message, "%s", step.error == OTA_OK ? "" : "torn");
    callbacks->on_done(&failure, callbacks->userdata);
}

static struct upload *create_parcel(const struct upload_config *config)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);

    assert_non_null(parcel);
    assert_ptr_equal(config->service->protocol, &parcel_protocol);
    assert_non_null(config->target);
    parcel->board = ntohl(config->target->address.v4.sin_addr.s_addr) & 0xff;
    loop_timer_init(&parcel->timer, config->service->loop, on_parcel_timer, parcel);
    return &parcel->upload;
}

static bool is_parcel_busy(const struct upload *upload, const struct endpoints *endpoints)
{
    struct parcel *parcel = (struct parcel *)upload;
    bool is_busy = find_step(parcel)->is_busy;

    assert_int_equal(endpoints->address_count, 1);
    if (is_busy)
        parcel->step++;
    return is_busy;
}

static bool start_parcel(struct upload *upload, const struct upload_attempt *attempt)
{
    struct parcel *parcel = (struct parcel *)upload;

    assert_int_equal(attempt->image->size, IMAGE_SIZE);
    assert_string_equal(attempt->found->source, "the test");
    parcel->password = attempt->password;
    tell(parcel->board, "%sparcel%s%s ", parcel->is_small ? "small " : "",
         attempt->password ? " with " : "", attempt->password ? attempt->password : "");
    loop_timer_start(&parcel->timer, 0);
    return true;
}

static void stop_parcel(struct upload *upload)
{
    loop_timer_stop(&((struct parcel *)upload)->timer);
}

static void set_parcel_password(struct upload *upload, const char *password)
{
    struct parcel *parcel = (struct parcel *)upload;

    parcel->password = password;
    loop_timer_start(&parcel->timer, 0);
}

static const char *adapt_parcel(struct upload *upload, const struct ota_failure *failure)
{
    ((struct parcel *)upload)->is_small |= failure->error == OTA_E_LOST;
    return failure->error == OTA_E_LOST ? "in small parcels" : "";
}

static enum ota_phase parcel_phase(const struct upload *upload)
{
    (void)upload;
    return OTA_PHASE_TRANSFER;
}

static bool is_parcel_sent(const struct upload *upload)
{
    return find_step((const struct parcel *)upload)->is_never_over;
}

static enum upload_proof parcel_proof(const struct upload *upload)
{
    return ((const struct parcel *)upload)->is_small ? UPLOAD_PROOF_READBACK
                                                     : UPLOAD_PROOF_RECEIVED;
}

static int64_t parcel_restart_us(const struct upload *upload)
{
    (void)upload;
    return 1;
}

static bool does_parcel_restart_prove(const struct kind_family *family)
{
    (void)family;
    return false;
}

static bool is_parcel_served(const struct board *board)
{
    (void)board;
    return false;
}

static const struct upload_port parcel_ports[] = {{"", PARCEL_PORT, "the parcels' port", false}};

static const struct upload_protocol parcel_protocol = {
    .name = "parcel",
    .ports = parcel_ports,
    .port_count = 1,
    .is_announced = false,
    .serves = is_parcel_served,
    .open = open_parcels,
    .close = close_parcels,
    .create = create_parcel,
    .is_busy = is_parcel_busy,
    .start = start_parcel,
    .stop = stop_parcel,
    .set_password = set_parcel_password,
    .adapt = adapt_parcel,
    .phase = parcel_phase,
    .all_sent = is_parcel_sent,
    .proof = parcel_proof,
    .restart_us = parcel_restart_us,
    .restart_proves = does_parcel_restart_prove,
};

/* -- the rest of the world -- */

struct resolver {
    struct loop_timer timer;
    struct resolver_config config;
};

void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us);
void __real_loop_timer_start(struct loop_timer *timer, int64_t delay_us);
int64_t __wrap_loop_now_us(void);

/* Every wait is over at once, and has taken its time. */
void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us)
{
    waited_us += delay_us;
    __real_loop_timer_start(timer, 0);
}

int64_t __wrap_loop_now_us(void)
{
    return 1 + waited_us;
}

/* The announced port is another protocol's. */
static void on_resolver_timer(void *userdata)
{
    const struct resolver *resolver = userdata;
    const struct resolution resolution = {.count = 1,
                                          .addresses = {resolver->config.target->address},
                                          .port = 8266,
                                          .source = "the test"};

    resolver->config.on_done(&resolution, NULL, resolver->config.userdata);
}

struct resolver *__wrap_resolver_start(const struct resolver_config *config)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);

    assert_non_null(resolver);
    assert_true(source_is_any(config->source));
    assert_false(config->use);
    resolver->config = *config;
    loop_timer_init(&resolver->timer, config->loop, on_resolver_timer, resolver);
    loop_timer_start(&resolver->timer, 0);
    return resolver;
}

void __wrap_resolver_free(struct resolver *resolver)
{
    if (resolver)
        loop_timer_stop(&resolver->timer);
    free(resolver);
}

/* -- a fleet -- */

static struct loop *loop;
static struct fleet *fleet;
static struct image image = {.family = IMAGE_ESP8266, .size = IMAGE_SIZE};

static void on_fleet_event(const struct ota_event *event, void *userdata)
{
    const size_t board = strtoul(strrchr(event->board, '.') + 1, NULL, 10);

    (void)userdata;
    assert_string_equal(event->protocol, "parcel");
    if (event->type == OTA_EVENT_RESOLVED) {
        assert_int_equal(event->port, PARCEL_PORT);
        assert_string_equal(event->port_source, board ? "the parcels' port" : "the given port");
    }
    if (event->type == OTA_EVENT_NOTE)
        tell(board, "(%s) ", event->message);
    if (event->type == OTA_EVENT_RESULT)
        tell(board, "%d,%zu,%s%s%s", event->exit_status, event->bytes,
             event->verified ? event->verified : "-", *event->failure->message ? ":" : "",
             event->failure->message);
    if (event->type == OTA_EVENT_SKIPPED)
        tell(board, "!%s", event->message);
}

static void on_fleet_done(void *userdata)
{
    (void)userdata;
    loop_quit(loop);
}

static void on_interrupt(void *userdata)
{
    (void)userdata;
    fleet_interrupt(fleet, 2);
    loop_quit(loop);
}

/* Runs a fleet of boards, numbered from 0, and returns its exit status. */
static int run_fleet(const struct step (*steps)[STEPS_MAX], size_t count, const char *password)
{
    static const struct upload_settings upload;
    const struct fleet_settings settings = {.jobs = 1, .retries = 2};
    const struct log_settings log = {0};
    struct assignment assignments[BOARDS_MAX];
    struct ota_failure failure;
    int status;

    memset(stories, 0, sizeof stories);
    waited_us = 0;
    script = steps;
    loop = loop_new();
    assert_non_null(loop);
    for (size_t i = 0; i < count; i++) {
        char text[32];

        snprintf(text, sizeof text, "10.0.0.%zu", i);
        assignments[i] = (struct assignment){
            .protocol = &parcel_protocol, .image = &image, .password = password};
        assert_int_equal(
            target_parse(&assignments[i].target, text, &(struct target_schemes){0}, &failure),
            OTA_OK);
    }
    assignments[0].target.port = PARCEL_PORT;

    struct upload_service *service = parcel_protocol.open(loop, &upload, &failure);
    const struct fleet_config config = {.loop = loop,
                                        .services = service,
                                        .upload = &upload,
                                        .settings = &settings,
                                        .log = &log,
                                        .assignments = assignments,
                                        .count = count,
                                        .on_event = on_fleet_event,
                                        .on_done = on_fleet_done};
    fleet = fleet_start(&config);
    assert_non_null(fleet);
    loop_timer_init(&interrupt, loop, on_interrupt, NULL);
    assert_int_equal(loop_run(loop), 0);
    fleet_outcome(fleet, &status);
    fleet_free(fleet);
    upload_services_close(service);
    loop_free(loop);
    return status;
}

static void test_parcels(void **state)
{
    (void)state;
    static const struct step steps[][STEPS_MAX] = {
        {{.error = OTA_OK}},
        {{.error = OTA_E_LOST}, {.error = OTA_OK}},
        {{.is_busy = true}, {.is_busy = true}, {.error = OTA_E_REFUSED}},
        {{.error = OTA_E_NO_ANSWER}, {.error = OTA_OK}},
    };

    assert_int_equal(run_fleet(steps, 4, NULL), 7);
    assert_string_equal(stories[0], "parcel 0,1000,received");
    assert_string_equal(stories[1],
                        "parcel (transfer: torn; attempt 2 of 3, in small parcels, in 1 s) "
                        "small parcel 0,1000,readback");
    assert_string_equal(stories[2], "parcel 7,500,-:torn");
    assert_string_equal(stories[3], "parcel (transfer: torn; attempt 2 of 3 in 1 s) "
                                    "parcel 0,1000,received");
}

static void test_parcel_password(void **state)
{
    (void)state;
    static const struct step steps[][STEPS_MAX] = {{{.asks = true}}};

    assert_int_equal(run_fleet(steps, 1, "pw"), 0);
    assert_string_equal(stories[0], "parcel with pw 0,1000,received");
}

/* The fleet asks what is running, and what is sent. */
static void test_interrupted_parcel(void **state)
{
    (void)state;
    static const struct step steps[][STEPS_MAX] = {{{.is_never_over = true}}, {{.error = OTA_OK}}};

    assert_int_equal(run_fleet(steps, 2, NULL), 130);
    assert_string_equal(stories[0], "parcel 130,1000,-:interrupted by SIGINT; the whole image had "
                                    "been sent, so the board may install it");
    assert_string_equal(stories[1], "!not tried, as the run was interrupted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parcels),
        cmocka_unit_test(test_parcel_password),
        cmocka_unit_test(test_interrupted_parcel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
