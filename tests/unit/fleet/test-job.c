/*
 * test-job.c: one board from its name to its result, in virtual time: the resolver, the session of
 * espota, the follow and the clock are replaced at link time (--wrap). What happens is written down
 * line by line, and each case says what must stand there, so order counts as much as content.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/loop.h"
#include "boardlog/boot_check.h"
#include "boardlog/expect.h"
#include "discovery/services_at.h"
#include "fleet/job.h"
#include "support/resolver_wraps.h"
#include "support/session_wraps.h"
#include "support/story.h"
#include "support/virtual_time.h"
#include "upload/espota/espota_settings.h"
#include "upload/protocols.h"
#include "upload/reason.h"
#include "upload/way.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000)

enum { TRIES_MAX = 8, IMAGE_SIZE = 1000 };

/* One try of the upload: what the resolver says and how the session ends. */
struct
try {
    const char *missing; /* the resolver's failure; NULL: found */
    const char *address; /* NULL: 10.0.0.7 */
    const char *other;   /* another address, if any */
    bool is_cut;         /* the name has even more */
    size_t endpoint;     /* the one that answers */
    uint16_t port;       /* from the SRV record */
    size_t bytes;        /* acknowledged; 0: not even connected */
    enum ota_phase phase;
    enum ota_error error;
    const char *message;
};

/* The world of one case, in place of resolve.c, session.c and boot_check.c. */
static struct world {
    bool has_resolver, has_session, has_follow, has_question;
    int follow_number; /* the errno why the log was never reached */
    bool announces;    /* multicast DNS can be asked for services */
    services_at_done_fn *on_services;
    void *services_userdata;
    struct announced_service *services; /* until the question is freed */
    bool asks_again;                    /* once the password was rejected */
    bool refuse_resolver, refuse_session, refuse_follow, refuse_address;
    bool is_host_unknown; /* nothing on mDNS has the last address */
    bool peer_any;
    bool tells_version;      /* if asked after the boot check */
    bool was_asked;          /* for it */
    struct upload *is_asked; /* NULL: no reply is to come */
    unsigned turns_to_wait;  /* somebody else waits for the same peer */
    const char *taken;       /* somebody else waits for this one, once */
    resolver_done_fn *on_resolved;
    void *resolver_userdata;
    struct session_config config;
    struct upload_callbacks callbacks;
    struct boot_check_callbacks follow;
    enum ota_phase phase;
    bool all_sent;
    struct job *job;
    bool is_ready;
    int64_t search_limit_us;
    enum announcement_use use; /* of the last search */
    unsigned sent, done;
    int exit_status; /* of the result */
    enum ota_cause cause;
    int64_t transfer_us; /* likewise */
    int64_t sent_us;
    char story[4096];
} world;

static char only_rejects; /* in place of patterns of which none is expected */

static struct image image = {.family = IMAGE_ESP32, .size = IMAGE_SIZE};
static struct image packed = {.family = IMAGE_ESP8266, .size = IMAGE_SIZE, .plain = &image};

static struct assignment assignment;

#define tell(...) story_append(world.story, sizeof world.story, __VA_ARGS__)

struct boot_check *__wrap_boot_check_start(const struct boot_check_config *config,
                                           const struct boot_check_callbacks *callbacks);
bool __wrap_boot_check_say(struct boot_check *follow, const char *line, size_t length);
bool __wrap_boot_check_was_connected(const struct boot_check *follow, const char **reason,
                                     int *number);
void __wrap_boot_check_free(struct boot_check *follow);
bool __wrap_expect_has_expected(const struct expect *expect);
bool __wrap_upload_read_back(struct upload *upload);
enum ota_phase __real_upload_phase(const struct upload *upload);
enum ota_phase __wrap_upload_phase(const struct upload *upload);
enum ota_cause __wrap_way_describe(char text[WAY_MAX], const struct way *way);
struct services_at *__wrap_services_at_start(const struct services_at_config *config);
void __wrap_services_at_free(struct services_at *at);

struct services_at *__wrap_services_at_start(const struct services_at_config *config)
{
    char text[ADDRESS_TEXT_MAX];

    assert_ptr_equal(config->loop, virtual_time_loop());
    assert_ptr_equal(config->mdns, &virtual_time);
    assert_int_equal(config->services, SERVICES_ALL);
    assert_false(world.has_question);
    if (!world.announces)
        return NULL;
    tell("services at %s for %d\n", address_text(text, &config->address),
         (int)(config->timeout_us / MS));
    world.has_question = true;
    world.on_services = config->on_done;
    world.services_userdata = config->userdata;
    return (struct services_at *)&world.has_question;
}

void __wrap_services_at_free(struct services_at *at)
{
    if (!at)
        return;
    world.has_question = false;
    free(world.services);
    world.services = NULL;
}

struct resolver *__wrap_resolver_start(const struct resolver_config *config)
{
    assert_string_equal(config->source->interface, "wlan0");
    assert_ptr_equal(config->loop, virtual_time_loop());
    assert_ptr_equal(config->mdns, &virtual_time);
    assert_false(world.has_resolver);
    assert_true(config->timeout_us >= 0);
    if (world.refuse_resolver) {
        errno = EMFILE;
        return NULL;
    }
    world.search_limit_us = config->timeout_us;
    world.use = config->use;
    tell("resolve %s%s\n", config->target->name, config->use ? " and its port" : "");
    world.has_resolver = true;
    world.on_resolved = config->on_done;
    world.resolver_userdata = config->userdata;
    return (struct resolver *)&world.has_resolver;
}

void __wrap_resolver_free(struct resolver *resolver)
{
    if (resolver)
        world.has_resolver = false;
}

struct session *__wrap_session_start(const struct session_config *config,
                                     const struct upload_callbacks *callbacks)
{
    char text[ADDRESS_TEXT_MAX + 8];
    struct address board;

    assert_false(world.has_session);
    if (world.refuse_session)
        return NULL;
    world.config = *config;
    world.callbacks = *callbacks;
    world.has_session = true;
    world.phase = OTA_PHASE_INVITE;
    board = endpoints_get(config->endpoints, 0);
    tell("session %s block %zu password %s%s\n", address_text_port(text, &board), config->block,
         config->password ? config->password : "none", config->image->plain ? " compressed" : "");
    for (size_t i = 1; i < endpoints_count(config->endpoints); i++) {
        board = endpoints_get(config->endpoints, i);
        tell("or %s\n", address_text_port(text, &board));
    }
    return (struct session *)&world.has_session;
}

void __wrap_session_free(struct session *session)
{
    if (!session)
        return;
    assert_ptr_equal(session, &world.has_session);
    assert_true(world.has_session);
    world.has_session = false;
}

enum ota_phase __wrap_session_phase(const struct session *session)
{
    assert_ptr_equal(session, &world.has_session);
    assert_true(world.has_session);
    return world.phase;
}

bool __wrap_session_all_sent(const struct session *session)
{
    assert_ptr_equal(session, &world.has_session);
    return world.all_sent;
}

void __wrap_session_set_password(struct session *session, const char *password)
{
    assert_ptr_equal(session, &world.has_session);
    assert_true(world.has_session);
    tell("password %s\n", password ? password : "none");
}

struct listener *__wrap_listener_open(struct loop *loop, const struct source *source,
                                      uint16_t first, uint16_t last, struct ota_failure *failure)
{
    assert_ptr_equal(loop, virtual_time_loop());
    assert_string_equal(source->interface, "wlan0");
    assert_int_equal(first + last, 0);
    (void)failure;
    return (struct listener *)&world;
}

uint16_t __wrap_listener_port(const struct listener *listener)
{
    assert_ptr_equal(listener, &world);
    return 4711;
}

void __wrap_listener_close(struct listener *listener)
{
    assert_ptr_equal(listener, &world);
}

bool __wrap_listener_is_expecting(const struct listener *listener, const struct address *peer)
{
    assert_ptr_equal(listener, &world);
    char text[ADDRESS_TEXT_MAX];

    assert_int_equal(peer == NULL, world.peer_any);
    if (peer && world.taken && strcmp(address_text(text, peer), world.taken) == 0) {
        world.taken = NULL;
        return true;
    }
    return world.turns_to_wait && world.turns_to_wait--;
}

/* Without an upload nothing is to be proven. */
static enum ota_phase phase_of_follow(void)
{
    return assignment.image ? OTA_PHASE_PROOF : OTA_PHASE_LOG;
}

struct boot_check *__wrap_boot_check_start(const struct boot_check_config *config,
                                           const struct boot_check_callbacks *callbacks)
{
    char text[ADDRESS_TEXT_MAX + 8];
    const char *restart = config->restart_us == BOOT_CHECK_RESTART_UNKNOWN ? " whether it restarts"
                          : config->restart_us                             ? " after its restart"
                                                                           : "";

    assert_ptr_equal(config->loop, virtual_time_loop());
    assert_string_equal(config->source->interface, "wlan0");
    assert_false(world.has_follow || world.has_session || world.has_resolver);
    assert_int_equal(world.sent, assignment.image ? 1 : 0);
    if (world.refuse_follow || !config->restart_us)
        world.phase = phase_of_follow(); /* a result is about that now */
    if (world.refuse_follow)
        return NULL;
    world.has_follow = true;
    world.follow = *callbacks;
    tell("follow %s%s%s\n", address_text_port(text, &config->address), restart,
         config->is_gone        ? ", gone"
         : config->has_returned ? ", back"
                                : "");
    return (struct boot_check *)&world.has_follow;
}

bool __wrap_expect_has_expected(const struct expect *expect)
{
    assert_non_null(expect);
    return expect != (struct expect *)&only_rejects;
}

/* No board tells its version by espota. */
bool __wrap_upload_read_back(struct upload *upload)
{
    world.was_asked = true;
    if (world.tells_version)
        world.is_asked = upload;
    return world.tells_version;
}

static enum ota_cause next_way; /* what is known of the way to the board */

enum ota_cause __wrap_way_describe(char text[WAY_MAX], const struct way *way)
{
    assert_int_equal(way->best, 0);
    assert_true(way->is_silent[0]);
    snprintf(text, WAY_MAX, "%s", next_way ? "the way" : "");
    return next_way;
}

enum ota_phase __wrap_upload_phase(const struct upload *upload)
{
    return world.is_asked ? OTA_PHASE_PROOF : __real_upload_phase(upload);
}

bool __wrap_boot_check_say(struct boot_check *follow, const char *line, size_t length)
{
    assert_ptr_equal(follow, &world.has_follow);
    assert_true(world.has_follow);
    tell("say %.*s\n", (int)length, line);
    return true;
}

bool __wrap_boot_check_was_connected(const struct boot_check *follow, const char **reason,
                                     int *number)
{
    assert_ptr_equal(follow, &world.has_follow);
    *reason = "nothing listens";
    *number = world.follow_number;
    return false;
}

void __wrap_boot_check_free(struct boot_check *follow)
{
    if (!follow)
        return;
    assert_ptr_equal(follow, &world.has_follow);
    assert_true(world.has_follow);
    world.has_follow = false;
    tell("follow ends\n");
}

static void on_job_event(const struct ota_event *event, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    assert_int_equal(event->total, assignment.image ? IMAGE_SIZE : 0);
    assert_int_equal(event->elapsed_us, virtual_time.now_us - 5 * MS);
    switch (event->type) {
    case OTA_EVENT_START:
        tell("start %s\n", event->board);
        break;
    case OTA_EVENT_RESOLVED:
        tell("resolved %s port %u: %s, %s\n", event->address, event->port, event->source,
             event->port_source);
        break;
    case OTA_EVENT_PROGRESS:
        tell("progress %zu after %d\n", event->bytes, (int)(event->transfer_us / MS));
        break;
    case OTA_EVENT_NOTE:
        tell("note %s\n", event->message);
        break;
    case OTA_EVENT_RESULT:
        assert_string_equal(event->protocol ? event->protocol : "none",
                            assignment.image ? "espota" : "none");
        assert_string_equal(
            event->verified ? event->verified : "not",
            event->failure->error == OTA_OK && assignment.image && !event->is_verdict_lost ? "board"
                                                                                           : "not");
        world.exit_status = event->exit_status;
        world.transfer_us = event->transfer_us;
        world.sent_us = event->sent_us;
        world.cause = event->failure->cause;
        tell("result %s %d %zu: %s\n", ota_error_name(event->failure->error), event->exit_status,
             event->bytes, event->failure->message);
        assert_string_equal(ota_phase_name(event->phase), event->failure->error == OTA_E_IMAGE
                                                              ? "image"
                                                              : ota_phase_name(world.phase));
        break;
    case OTA_EVENT_LOG:
        assert_int_equal(event->phase, phase_of_follow());
        tell("log %.*s\n", (int)event->line->length, (const char *)event->line->bytes);
        break;
    default:
        tell("event %d\n", (int)event->type);
    }
}

static void on_found(size_t endpoint, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    assert_in_range(endpoint, 0, ENDPOINTS_MAX - 1);
}

static enum job_claim on_endpoints(struct endpoints *endpoints, const char *host, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    assert_string_equal(host, world.is_host_unknown ? "" : "kitchen.local");
    assert_int_not_equal(endpoints_count(endpoints), 0);
    assert_int_not_equal(endpoints->ports[0].number, 0);
    return world.refuse_address ? JOB_CLAIM_DENIED : JOB_CLAIM_GRANTED;
}

static void on_job_password(void *userdata)
{
    assert_ptr_equal(userdata, &world);
    tell("asks for a password\n");
}

static bool on_rejected(void *userdata)
{
    assert_ptr_equal(userdata, &world);
    tell("rejected\n");
    return world.asks_again;
}

static void on_sent(void *userdata)
{
    assert_ptr_equal(userdata, &world);
    world.sent++;
}

static void on_rest(void *userdata)
{
    assert_ptr_equal(userdata, &world);
    tell("rests\n");
}

static void on_ready(void *userdata)
{
    assert_ptr_equal(userdata, &world);
    world.is_ready = true;
}

static void on_job_done(void *userdata)
{
    assert_ptr_equal(userdata, &world);
    world.done++;
    tell("done\n");
    if (world.refuse_follow) { /* as a fleet does: nothing may touch it from now on */
        job_free(world.job);
        world.job = NULL;
    }
}

struct settings {
    struct upload_settings upload;
    struct espota_settings espota;
    struct fleet_settings fleet;
    struct log_settings log;
};

static struct settings make_job_settings(void)
{
    return (struct settings){.upload.timeout_us = 10 * INT64_C(1000000), .fleet.retries = 3};
}

static void on_planned(const char *message, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    tell("planned: %s\n", message);
}

static void on_log(void *userdata)
{
    (void)userdata;
    tell("only a log\n");
}

/* Of all tests: its listener is the world. */
static struct upload_service *service;

static int open_service(void **state)
{
    static const struct espota_settings espota;
    static const struct upload_settings settings = {.source.interface = "wlan0", .espota = &espota};
    static struct ota_failure failure;

    (void)state;
    virtual_time_reset(0);
    service = espota_protocol.open(virtual_time_loop(), &settings, &failure);
    return service ? 0 : -1;
}

static int close_service(void **state)
{
    (void)state;
    upload_services_close(service);
    return 0;
}

static struct job *start_job(struct settings *settings)
{
    const struct job_config config = {.loop = virtual_time_loop(),
                                      .mdns = (struct mdns_client *)&virtual_time,
                                      .service = service,
                                      .upload = &settings->upload,
                                      .fleet = &settings->fleet,
                                      .log = &settings->log,
                                      .assignment = &assignment};
    const struct job_callbacks callbacks = {.on_event = on_job_event,
                                            .on_endpoints = on_endpoints,
                                            .on_found = on_found,
                                            .on_password = on_job_password,
                                            .on_rejected = on_rejected,
                                            .on_sent = on_sent,
                                            .on_rest = on_rest,
                                            .on_ready = on_ready,
                                            .on_planned = on_planned,
                                            .on_log = on_log,
                                            .on_done = on_job_done,
                                            .userdata = &world};
    struct ota_failure failure;

    settings->upload.espota = &settings->espota;
    snprintf(settings->upload.source.interface, IF_NAMESIZE, "wlan0"); /* -I */
    service->settings = &settings->upload;
    world.peer_any = settings->espota.peer_any;
    world.job = job_new(&config, &callbacks, &failure);
    if (world.job)
        job_start(world.job);
    return world.job;
}

static struct ota_failure make_failure(enum ota_error error, const char *message)
{
    struct ota_failure failure = {.error = error, .cause = reason_cause(message)};
    snprintf(failure.message, sizeof failure.message, "%s", message);
    return failure;
}

static void resolve_board(const struct try *try)
{
    struct resolution resolution = {
        .count = 1, .port = try->port, .source = "mDNS", .host = "kitchen.local"};

    assert_true(world.has_resolver);
    world.phase = OTA_PHASE_RESOLVE;
    if (try->missing) {
        const struct ota_failure failure = make_failure(OTA_E_NOT_FOUND, try->missing);
        world.on_resolved(NULL, &failure, world.resolver_userdata);
        return;
    }
    assert_true(address_parse(&resolution.addresses[0], try->address ? try->address : "10.0.0.7"));
    if (try->other)
        assert_true(address_parse(&resolution.addresses[resolution.count++], try->other));
    resolution.is_cut = try->is_cut;
    resolution.claims.count = resolution.count - world.is_host_unknown;
    for (size_t i = 0; i < resolution.claims.count; i++)
        resolution.claims.items[i].address = resolution.addresses[i];
    world.on_resolved(&resolution, NULL, world.resolver_userdata);
}

static void session_event(const struct ota_event *event)
{
    world.callbacks.on_event(event, world.callbacks.userdata);
}

static void end_session_for(enum ota_phase phase, enum ota_error error, const char *message,
                            enum ota_cause cause)
{
    struct ota_failure failure = make_failure(error, message);
    if (cause != OTA_CAUSE_NONE)
        failure.cause = cause;
    world.phase = phase;
    world.callbacks.on_done(&failure, world.callbacks.userdata);
}

static void end_session(enum ota_phase phase, enum ota_error error, const char *message)
{
    end_session_for(phase, error, message, OTA_CAUSE_NONE);
}

static void play_try(const struct try *try)
{
    resolve_board(try);
    if (!world.has_session)
        return;
    if (try->endpoint || try->bytes)
        world.callbacks.on_endpoint(try->endpoint, world.callbacks.userdata);
    if (try->bytes) {
        session_event(&(struct ota_event){.type = OTA_EVENT_CONNECTED});
        virtual_time.now_us += 200 * MS;
        session_event(&(struct ota_event){.type = OTA_EVENT_PROGRESS, .bytes = try->bytes});
    }
    end_session(try->phase, try->error, try->message);
}

static void pass_pause(void)
{
    assert_true(virtual_time.due_us >= virtual_time.now_us);
    world.is_ready = false;
    virtual_time_fire();
    assert_true(world.is_ready);
    job_start(world.job);
}

static void tell_wait(int64_t delay_us)
{
    tell("wait %d\n", (int)(delay_us / MS));
}

static void reset_job_world(void)
{
    world = (struct world){0};
    virtual_time_reset(5 * MS);
    virtual_time.on_arm = tell_wait;
    assignment = (struct assignment){
        .target.name = "kitchen.local", .protocol = &espota_protocol, .image = &image};
}

static void assert_job_freed(void)
{
    assert_false(world.has_resolver || world.has_session || world.has_follow || world.has_question);
    assert_true(virtual_time.due_us < 0);
}

#define CONNECTED_EVENT "event 4\n"
#define START "start kitchen.local\nresolve kitchen.local and its port\n"
#define AGAIN "resolve kitchen.local and its port\n"
#define FOUND                                                                                      \
    "resolved 10.0.0.7 port 3232: mDNS, the default port of ESP32 boards\n"                        \
    "session 10.0.0.7:3232 block 0 password none\n"
#define LOCKSTEP                                                                                   \
    "resolved 10.0.0.7 port 3232: mDNS, the default port of ESP32 boards\n"                        \
    "session 10.0.0.7:3232 block 1024 password none\n"
#define PLAIN(block)                                                                               \
    "resolved 10.0.0.7 port 8266: mDNS, the default port of ESP8266 boards\n"                      \
    "session 10.0.0.7:8266 block " block " password none\n" CONNECTED_EVENT                        \
    "progress 1000 after 200\n"
#define PACKED(block)                                                                              \
    "resolved 10.0.0.7 port 8266: mDNS, the default port of ESP8266 boards\n"                      \
    "session 10.0.0.7:8266 block " block " password none compressed\n" CONNECTED_EVENT             \
    "progress 1000 after 200\n"
#define MAGIC "the board says: ERROR[10]: Magic byte is not 0xE9"
#define PLAIN_FOLLOWS                                                                              \
    "note result: " MAGIC "; its core does not unpack compressed images; sending "                 \
    "this one uncompressed in 1 s\nstart kitchen.local\nwait 1000\nrests\n" AGAIN
#define NEVER_CONNECTED(seconds)                                                                   \
    "note connection: no way; a firewall drops its packets, or they were lost; trying again "      \
    "in " seconds " s\nwait 1000\nrests\n"
#define CONFIRMED "result ok 0 1000: \ndone\n"
#define SENT .bytes = IMAGE_SIZE, .phase = OTA_PHASE_RESULT

static const struct story {
    const char *title;
    struct settings settings; /* merged into make_job_settings() */
    const char *password;
    uint16_t port; /* as given */
    bool no_retries;
    bool esp8266; /* an image for it */
    bool packed;  /* and compressed */
    struct try tries[TRIES_MAX];
    const char *story;
    int exit_status;
} stories[] = {
    {.title = "success",
     .tries = {{SENT, .error = OTA_OK, .message = ""}},
     .story = START FOUND CONNECTED_EVENT "progress 1000 after 200\n" CONFIRMED},
    {.title = "the port as announced",
     .tries = {{.port = 8300, SENT, .error = OTA_OK, .message = ""}},
     .story = START "resolved 10.0.0.7 port 8300: mDNS, the announced port\n"
                    "session 10.0.0.7:8300 block 0 password none\n" CONNECTED_EVENT
                    "progress 1000 after 200\n" CONFIRMED},
    {.title = "the port as given needs no announcement",
     .port = 99,
     .tries = {{.port = 8300, SENT, .error = OTA_OK, .message = ""}},
     .story = "start kitchen.local\nresolve kitchen.local\n"
              "resolved 10.0.0.7 port 99: mDNS, the given port\n"
              "session 10.0.0.7:99 block 0 password none\n" CONNECTED_EVENT
              "progress 1000 after 200\n" CONFIRMED},
    {.title = "lock-step from the start, the password from the settings",
     .settings = {.espota.lockstep = true},
     .password = "pw",
     .esp8266 = true,
     .tries = {{SENT, .error = OTA_OK, .message = ""}},
     .story = START "resolved 10.0.0.7 port 8266: mDNS, the default port of ESP8266 boards\n"
                    "session 10.0.0.7:8266 block 1460 password pw\n" CONNECTED_EVENT
                    "progress 1000 after 200\n" CONFIRMED},
    {.title =
         "an old core gets what it does not unpack once more, which is no attempt of --retries",
     .no_retries = true,
     .esp8266 = true,
     .packed = true,
     .tries = {{SENT, .error = OTA_E_BOARD, .message = MAGIC},
               {SENT, .error = OTA_OK, .message = ""}},
     .story = START PACKED("0") PLAIN_FOLLOWS PLAIN("0") CONFIRMED},
    {.title = "in lock-step, too",
     .settings = {.espota.lockstep = true},
     .no_retries = true,
     .esp8266 = true,
     .packed = true,
     .tries = {{SENT, .error = OTA_E_BOARD, .message = MAGIC},
               {SENT, .error = OTA_E_BOARD, .message = MAGIC}},
     .story =
         START PACKED("1460") PLAIN_FOLLOWS PLAIN("1460") "result board 10 1000: " MAGIC "\ndone\n",
     .exit_status = 10},
    {.title = "the plain image is streamed, and has all the attempts that were left",
     .settings = {.fleet.retries = 2},
     .esp8266 = true,
     .packed = true,
     .tries = {{.bytes = IMAGE_SIZE,
                .phase = OTA_PHASE_TRANSFER,
                .error = OTA_E_LOST,
                .message = "reset"},
               {SENT, .error = OTA_E_BOARD, .message = MAGIC},
               {.bytes = IMAGE_SIZE,
                .phase = OTA_PHASE_TRANSFER,
                .error = OTA_E_LOST,
                .message = "reset"},
               {SENT, .error = OTA_OK, .message = ""}},
     .story =
         START PACKED("0") "note transfer: reset; attempt 2 of 3, in lock-step, in 1 s\n"
                           "wait 1000\nrests\n" AGAIN PACKED("1460") PLAIN_FOLLOWS PLAIN(
                               "0") "note transfer: reset; attempt 3 of 3, in lock-step, in 2 s\n"
                                    "wait 2000\nrests\n" AGAIN PLAIN("1460") CONFIRMED},
    {.title = "other errors, and other images, have no second form",
     .esp8266 = true,
     .packed = true,
     .tries = {{SENT, .error = OTA_E_BOARD, .message = "the board says: ERROR[1]: Flash"}},
     .story = START PACKED("0") "result board 10 1000: the board says: ERROR[1]: Flash\ndone\n",
     .exit_status = 10},
    {.title = "a plain image that has a wrong magic byte",
     .esp8266 = true,
     .tries = {{SENT, .error = OTA_E_BOARD, .message = MAGIC}},
     .story = START PLAIN("0") "result board 10 1000: " MAGIC "\ndone\n",
     .exit_status = 10},
    {.title = "not found: nothing to try again",
     .tries = {{.missing = "nobody knows \"kitchen.local\""}},
     .story = START "result not-found 4 0: nobody knows \"kitchen.local\"\ndone\n",
     .exit_status = 4},
    {.title = "silence: again after 1, 2 and 4 s, and then no more",
     .tries = {{.phase = OTA_PHASE_INVITE, .error = OTA_E_NO_ANSWER, .message = "silence"},
               {.phase = OTA_PHASE_INVITE, .error = OTA_E_NOT_LISTENING, .message = "closed"},
               {.phase = OTA_PHASE_INVITE, .error = OTA_E_UNREACHABLE, .message = "no way"},
               {.phase = OTA_PHASE_INVITE, .error = OTA_E_NO_ANSWER, .message = "silence"}},
     .story = START FOUND
     "note invitation: silence; attempt 2 of 4 in 1 s\nwait 1000\nrests\n" AGAIN FOUND
     "note invitation: closed; attempt 3 of 4 in 2 s\nwait 2000\nrests\n" AGAIN FOUND
     "note invitation: no way; attempt 4 of 4 in 4 s\nwait 4000\nrests\n" AGAIN FOUND
     "result no-answer 5 0: silence\ndone\n",
     .exit_status = 5},
    {.title = "no pause is longer than 5 s",
     .settings = {.fleet.retries = 6},
     .tries = {{.error = OTA_E_NO_ANSWER, .message = "a"},
               {.error = OTA_E_NO_ANSWER, .message = "b"},
               {.error = OTA_E_NO_ANSWER, .message = "c"},
               {.error = OTA_E_NO_ANSWER, .message = "d"},
               {.error = OTA_E_NO_ANSWER, .message = "e"},
               {.error = OTA_E_NO_ANSWER, .message = "f"},
               {.phase = OTA_PHASE_ACCEPT, .error = OTA_E_REFUSED, .message = "g"}},
     .story =
         START FOUND "note resolution: a; attempt 2 of 7 in 1 s\nwait 1000\nrests\n" AGAIN FOUND
                     "note resolution: b; attempt 3 of 7 in 2 s\nwait 2000\nrests\n" AGAIN FOUND
                     "note resolution: c; attempt 4 of 7 in 4 s\nwait 4000\nrests\n" AGAIN FOUND
                     "note resolution: d; attempt 5 of 7 in 5 s\nwait 5000\nrests\n" AGAIN FOUND
                     "note resolution: e; attempt 6 of 7 in 5 s\nwait 5000\nrests\n" AGAIN FOUND
                     "note resolution: f; attempt 7 of 7 in 5 s\nwait 5000\nrests\n" AGAIN FOUND
                     "result refused 7 0: g\ndone\n",
     .exit_status = 7},
    {.title = "no retries, no second try",
     .no_retries = true,
     .tries = {{.phase = OTA_PHASE_INVITE, .error = OTA_E_NO_ANSWER, .message = "silence"}},
     .story = START FOUND "result no-answer 5 0: silence\ndone\n",
     .exit_status = 5},
    {.title = "silence does not lead to lock-step",
     .tries = {{.phase = OTA_PHASE_INVITE, .error = OTA_E_NO_ANSWER, .message = "silence"},
               {SENT, .error = OTA_OK, .message = ""}},
     .story = START FOUND
     "note invitation: silence; attempt 2 of 4 in 1 s\nwait 1000\nrests\n" AGAIN FOUND
         CONNECTED_EVENT "progress 1000 after 200\n" CONFIRMED},
    {.title = "a streamed transfer that died without a word: lock-step yields the reason",
     .tries = {{.bytes = 600, .phase = OTA_PHASE_TRANSFER, .error = OTA_E_LOST, .message = "reset"},
               {.bytes = 600,
                .phase = OTA_PHASE_TRANSFER,
                .error = OTA_E_BOARD,
                .message = "the board says: Flash Write Failed"}},
     .story = START FOUND CONNECTED_EVENT
     "progress 600 after 200\n"
     "note transfer: reset; attempt 2 of 4, in lock-step, in 1 s\nwait 1000\nrests\n" AGAIN LOCKSTEP
         CONNECTED_EVENT "progress 600 after 200\n"
     "result board 10 600: the board says: Flash Write Failed\ndone\n",
     .exit_status = 10},
    {.title = "a stall: lock-step, and it stays",
     .settings = {.espota.block = 512},
     .tries = {{.bytes = 6, .phase = OTA_PHASE_TRANSFER, .error = OTA_E_STALLED, .message = "a"},
               {.phase = OTA_PHASE_INVITE, .error = OTA_E_NO_ANSWER, .message = "b"},
               {SENT, .error = OTA_OK, .message = ""}},
     .story = START FOUND CONNECTED_EVENT
     "progress 6 after 200\n"
     "note transfer: a; attempt 2 of 4, in lock-step, in 1 s\nwait 1000\nrests\n" AGAIN
     "resolved 10.0.0.7 port 3232: mDNS, the default port of ESP32 boards\n"
     "session 10.0.0.7:3232 block 512 password none\n"
     "note invitation: b; attempt 3 of 4, in lock-step, in 2 s\nwait 2000\nrests\n" AGAIN
     "resolved 10.0.0.7 port 3232: mDNS, the default port of ESP32 boards\n"
     "session 10.0.0.7:3232 block 512 password none\n" CONNECTED_EVENT
     "progress 1000 after 200\n" CONFIRMED},
    {.title = "addresses that are left out are told of once",
     .tries = {{.is_cut = true,
                .phase = OTA_PHASE_INVITE,
                .error = OTA_E_UNREACHABLE,
                .message = "no way"},
               {.is_cut = true, SENT, .error = OTA_OK, .message = ""}},
     .story = START "note its name has more addresses than a board can have; only "
                    "8 are tried\n" FOUND
                    "note invitation: no way; attempt 2 of 4 in 1 s\nwait 1000\nrests\n" AGAIN FOUND
                        CONNECTED_EVENT "progress 1000 after 200\n" CONFIRMED},
    {.title = "the board has another address after its restart",
     .tries = {{.phase = OTA_PHASE_INVITE, .error = OTA_E_UNREACHABLE, .message = "no way"},
               {.address = "10.0.0.8", SENT, .error = OTA_OK, .message = ""}},
     .story = START FOUND "note invitation: no way; attempt 2 of 4 in 1 s\nwait 1000\nrests\n" AGAIN
                          "resolved 10.0.0.8 port 3232: mDNS, the default port of ESP32 boards\n"
                          "session 10.0.0.8:3232 block 0 password none\n" CONNECTED_EVENT
                          "progress 1000 after 200\n" CONFIRMED},
    {.title = "of several addresses the one in a network of this computer comes first",
     .tries =
         {{.address = "240.0.0.1", .other = "127.0.0.7", SENT, .error = OTA_OK, .message = ""}},
     .story =
         START "resolved 127.0.0.7 port 3232: mDNS, the default port of ESP32 boards\n"
               "session 127.0.0.7:3232 block 0 password none\nor 240.0.0.1:3232\n" CONNECTED_EVENT
               "progress 1000 after 200\n" CONFIRMED},
    {.title = "another address answers, and comes first from then on",
     .tries =
         {
             {.address = "127.0.0.7",
              .other = "240.0.0.1",
              .endpoint = 1,
              .bytes = 600,
              .phase = OTA_PHASE_TRANSFER,
              .error = OTA_E_LOST,
              .message = "reset"},
             {.address = "127.0.0.7", .other = "240.0.0.1", SENT, .error = OTA_OK, .message = ""}},
     .story = START
     "resolved 127.0.0.7 port 3232: mDNS, the default port of ESP32 boards\n"
     "session 127.0.0.7:3232 block 0 password none\nor 240.0.0.1:3232\n"
     "resolved 240.0.0.1 port 3232: mDNS, the default port of ESP32 boards\n" CONNECTED_EVENT
     "progress 600 after 200\n"
     "note transfer: reset; attempt 2 of 4, in lock-step, in 1 s\nwait 1000\nrests\n" AGAIN
     "resolved 240.0.0.1 port 3232: mDNS, the default port of ESP32 boards\n"
     "session 240.0.0.1:3232 block 1024 password none\nor 127.0.0.7:3232\n" CONNECTED_EVENT
     "progress 1000 after 200\n" CONFIRMED},
    {.title = "the name is gone: the address that it had, and its port",
     .tries = {{.port = 8300, .phase = OTA_PHASE_INVITE, .error = OTA_E_NO_ANSWER, .message = "a"},
               {.missing = "gone", SENT, .error = OTA_OK, .message = ""}},
     .story = START "resolved 10.0.0.7 port 8300: mDNS, the announced port\n"
                    "session 10.0.0.7:8300 block 0 password none\n"
                    "note invitation: a; attempt 2 of 4 in 1 s\nwait 1000\nrests\n" AGAIN
                    "resolved 10.0.0.7 port 8300: found earlier, the announced port\n"
                    "session 10.0.0.7:8300 block 0 password none\n" CONNECTED_EVENT
                    "progress 1000 after 200\n" CONFIRMED},
    {.title = "a transfer that broke off, and silence afterwards: the break is what counts",
     .settings = {.fleet.retries = 2},
     .tries = {{.bytes = 600, .phase = OTA_PHASE_TRANSFER, .error = OTA_E_LOST, .message = "reset"},
               {.phase = OTA_PHASE_INVITE, .error = OTA_E_NO_ANSWER, .message = "silence"},
               {.phase = OTA_PHASE_TRANSFER, .error = OTA_E_UNREACHABLE, .message = "no way"}},
     .story = START FOUND CONNECTED_EVENT
     "progress 600 after 200\n"
     "note transfer: reset; attempt 2 of 3, in lock-step, in 1 s\nwait 1000\nrests\n" AGAIN LOCKSTEP
     "note invitation: silence; attempt 3 of 3, in lock-step, in 2 s\nwait 2000\nrests\n" AGAIN
         LOCKSTEP "result lost 9 600: reset; then: no way\ndone\n",
     .exit_status = 9},
    {.title = "a board that never connects gets one more attempt, whatever --retries says",
     .tries = {{.phase = OTA_PHASE_ACCEPT, .error = OTA_E_NO_CONNECTION, .message = "no way"},
               {.phase = OTA_PHASE_ACCEPT, .error = OTA_E_NO_CONNECTION, .message = "no way"}},
     .story =
         START FOUND NEVER_CONNECTED("1") AGAIN FOUND "result no-connection 8 0: no way\ndone\n",
     .exit_status = 8},
    {.title = "and connects then",
     .tries = {{.phase = OTA_PHASE_ACCEPT, .error = OTA_E_NO_CONNECTION, .message = "no way"},
               {SENT, .error = OTA_OK, .message = ""}},
     .story = START FOUND NEVER_CONNECTED("1") AGAIN FOUND CONNECTED_EVENT
     "progress 1000 after 200\n" CONFIRMED},
    {.title = "or does not even answer: that it accepted says more",
     .settings = {.fleet.retries = 1},
     .tries = {{.phase = OTA_PHASE_ACCEPT, .error = OTA_E_NO_CONNECTION, .message = "no way"},
               {.phase = OTA_PHASE_ACCEPT, .error = OTA_E_NO_ANSWER, .message = "silence"}},
     .story = START FOUND NEVER_CONNECTED("1") AGAIN FOUND
     "result no-connection 8 0: no way; then: silence\ndone\n",
     .exit_status = 8},
    {.title = "no retries, no second connection",
     .no_retries = true,
     .tries = {{.phase = OTA_PHASE_ACCEPT, .error = OTA_E_NO_CONNECTION, .message = "no way"}},
     .story = START FOUND "result no-connection 8 0: no way\ndone\n",
     .exit_status = 8},
    {.title = "a board that is waited for",
     .settings = {.fleet.wait_us = 3500 * MS},
     .tries = {{.missing = "nobody knows it"},
               {.missing = "nobody knows it"},
               {.phase = OTA_PHASE_INVITE, .error = OTA_E_NO_ANSWER, .message = "silence"},
               {SENT, .error = OTA_OK, .message = ""}},
     .story = START "note resolution: nobody knows it; waiting for the board, 3.5 s at most\n"
                    "wait 1000\nrests\n" AGAIN "wait 1000\nrests\n" AGAIN FOUND
                    "wait 1000\nrests\n" AGAIN FOUND CONNECTED_EVENT
                    "progress 1000 after 200\n" CONFIRMED},
    {.title = "a board that is waited for in vain",
     .settings = {.fleet.wait_us = 1500 * MS},
     .tries = {{.missing = "nobody knows it"},
               {.missing = "nobody knows it"},
               {.missing = "a search cut short"}},
     .story = START "note resolution: nobody knows it; waiting for the board, 1.5 s at most\n"
                    "wait 1000\nrests\n" AGAIN "wait 500\nrests\n" AGAIN
                    "result not-found 4 0: nobody knows it; the 1.5 s of --wait are over\ndone\n",
     .exit_status = 4},
    {.title = "a board that has come is tried as often as any other",
     .settings = {.fleet.wait_us = 1500 * MS, .fleet.retries = 1},
     .tries = {{.missing = "nobody knows it"},
               {.bytes = 600, .phase = OTA_PHASE_TRANSFER, .error = OTA_E_LOST, .message = "reset"},
               {.phase = OTA_PHASE_TRANSFER, .error = OTA_E_NO_ANSWER, .message = "silence"}},
     .story = START "note resolution: nobody knows it; waiting for the board, 1.5 s at most\n"
                    "wait 1000\nrests\n" AGAIN FOUND CONNECTED_EVENT "progress 600 after 200\n"
                    "note transfer: reset; attempt 2 of 2, in lock-step, in 1 s\n"
                    "wait 1000\nrests\n" AGAIN LOCKSTEP
                    "result lost 9 600: reset; then: silence\ndone\n",
     .exit_status = 9},
    {.title = "everything sent and no verdict: never again",
     .tries = {{SENT, .error = OTA_E_UNKNOWN, .message = "no verdict"}},
     .story = START FOUND CONNECTED_EVENT "progress 1000 after 200\n"
                                          "result unknown 11 1000: no verdict\ndone\n",
     .exit_status = 11},
};

static void play_job_story(const struct story *story)
{
    struct settings settings = make_job_settings();

    reset_job_world();
    image.family = story->esp8266 ? IMAGE_ESP8266 : IMAGE_ESP32;
    if (story->packed)
        assignment.image = &packed;
    assignment.target.port = story->port;
    assignment.password = story->password;
    settings.espota.lockstep = story->settings.espota.lockstep;
    settings.fleet.wait_us = story->settings.fleet.wait_us;
    settings.espota.block = story->settings.espota.block;
    if (story->settings.fleet.retries || story->no_retries)
        settings.fleet.retries = story->settings.fleet.retries;
    struct job *job = start_job(&settings);
    assert_non_null(job);
    for (size_t i = 0; i < TRIES_MAX && !world.done; i++) {
        assert_true(story->tries[i].message || story->tries[i].missing);
        play_try(&story->tries[i]);
        if (!world.done)
            pass_pause();
    }
    assert_string_equal(world.story, story->story);
    assert_int_equal(world.done, 1);
    assert_int_equal(world.exit_status, story->exit_status);
    job_free(job);
    assert_job_freed();
    image.family = IMAGE_ESP32;
}

static void test_job_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        print_message("  %s\n", stories[i].title);
        play_job_story(&stories[i]);
    }
}

/* --wait bounds each search but the first, which takes as long as without it. */
static void test_wait_bounds_the_search(void **state)
{
    (void)state;

    static const struct {
        int64_t wait_us, search_us, next_limit_us;
    } rows[] = {
        {4000 * MS, 1500 * MS, 1500 * MS},
        {2000 * MS, 1500 * MS, 0},
        {INT64_C(3600000) * MS, 1500 * MS, INT64_C(10000) * MS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct settings settings = make_job_settings();
        settings.fleet.wait_us = rows[i].wait_us;

        reset_job_world();
        struct job *job = start_job(&settings);
        assert_non_null(job);
        assert_int_equal(world.search_limit_us, INT64_C(10000) * MS);
        virtual_time.now_us += rows[i].search_us;
        resolve_board(&(struct try){.missing = "nobody knows it"});
        pass_pause();
        assert_int_equal(world.search_limit_us, rows[i].next_limit_us);
        job_free(job);
        assert_job_freed();
    }
}

/* For every code: whether it is worth another try, and its exit status when it is not. */
static void test_every_outcome(void **state)
{
    (void)state;

    static const struct {
        enum ota_error error;
        bool again;
        int exit_status;
    } rows[] = {
        {OTA_OK, false, 0},
        {OTA_E_INTERNAL, false, 1},
        {OTA_E_NO_ANSWER, true, 5},
        {OTA_E_NOT_LISTENING, false, 5},
        {OTA_E_UNREACHABLE, true, 5},
        {OTA_E_WRONG_PASSWORD, false, 6},
        {OTA_E_PASSWORD_NEEDED, false, 6},
        {OTA_E_REFUSED, false, 7},
        {OTA_E_NO_CONNECTION, true, 8},
        {OTA_E_LOST, true, 9},
        {OTA_E_STALLED, true, 9},
        {OTA_E_EARLY_OK, false, 9},
        {OTA_E_BOARD, false, 10},
        {OTA_E_UNKNOWN, false, 11},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct try try = {
            .bytes = 10, .phase = OTA_PHASE_TRANSFER, .error = rows[i].error, .message = "why"};
        struct settings settings = make_job_settings();
        settings.fleet.retries = 1;
        reset_job_world();
        struct job *job = start_job(&settings);
        assert_non_null(job);
        play_try(&try);
        assert_int_equal(world.done, rows[i].again ? 0 : 1);
        if (rows[i].again) {
            pass_pause();
            play_try(&try);
        }
        assert_int_equal(world.done, 1);
        assert_int_equal(world.exit_status, rows[i].exit_status);
        job_free(job);
        assert_job_freed();
    }
}

/* What the session is told is what the settings say. */
static void test_session_config(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    settings.upload.command = OTA_COMMAND_FILESYSTEM;
    settings.espota.md5_target = true;
    settings.espota.peer_any = true;
    settings.espota.has_peer = true;
    reset_job_world();
    struct job *job = start_job(&settings);
    resolve_board(&(struct try){0});
    assert_int_equal(world.config.command, OTA_COMMAND_FILESYSTEM);
    assert_true(world.config.md5_target);
    assert_true(world.config.peer_any);
    assert_ptr_equal(world.config.source, &settings.upload.source);
    assert_non_null(world.config.heard);
    assert_ptr_equal(world.config.peer, &settings.espota.peer);
    assert_ptr_equal(world.config.image, &image);
    assert_string_equal(world.config.board, "kitchen.local");
    assert_string_equal(endpoints_port_source(world.config.endpoints, 0),
                        "the default port of ESP32 boards");
    assert_int_equal(world.config.accept_timeout_us, settings.upload.timeout_us);
    assert_null(world.config.sha256_objection); /* the image is for an ESP32 */
    assert_false(world.config.is_forced);
    job_free(job);
    assert_job_freed();
}

/* --dry-run: the job ends where an upload, or a log, would begin. */
static void test_dry_run(void **state)
{
    (void)state;
    char path[] = "build/fw.bin";
    struct image named = image;
    struct settings settings = make_job_settings();

    named.path = path;
    settings.fleet.is_dry_run = true;
    reset_job_world();
    assignment.image = &named;
    struct job *job = start_job(&settings);
    resolve_board(&(struct try){.port = 3232});
    assert_string_equal(world.story, START
                        "resolved 10.0.0.7 port 3232: mDNS, the announced port\n"
                        "planned: would get the sketch build/fw.bin, 1000 bytes, at 10.0.0.7, "
                        "port 3232 (the announced port), by espota\ndone\n");
    job_free(job);

    reset_job_world();
    assignment.image = NULL;
    job = start_job(&settings);
    resolve_board(&(struct try){.port = 3232});
    assert_string_equal(world.story, START "planned: its log would be followed\ndone\n");
    job_free(job);
    assert_job_freed();
}

/* What the handshake is to say where the board turns out to be an ESP32. */
static void test_objection(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    settings.upload.force = true;
    reset_job_world();
    image.family = IMAGE_ESP8266;
    struct job *job = start_job(&settings);
    resolve_board(&(struct try){0});
    assert_non_null(world.config.sha256_objection);
    assert_non_null(strstr(world.config.sha256_objection, "image is for ESP8266 boards"));
    assert_true(world.config.is_forced);
    job_free(job);
    image.family = IMAGE_ESP32;
}

/* The name is shown escaped, everywhere. */
static void test_name_is_escaped(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    reset_job_world();
    snprintf(assignment.target.name, sizeof assignment.target.name, "a\x1b[2J");
    struct job *job = start_job(&settings);
    assert_non_null(strstr(world.story, "start a\\x1b[2J\n"));
    resolve_board(&(struct try){0});
    assert_string_equal(world.config.board, "a\\x1b[2J");
    job_free(job);
}

static void ask_for_password(void)
{
    resolve_board(&(struct try){0});
    world.phase = OTA_PHASE_AUTHENTICATE;
    world.callbacks.on_password(world.callbacks.userdata);
}

/* What is typed serves the attempts that follow, too: nobody is asked twice. */
static void test_job_password(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    reset_job_world();
    struct job *job = start_job(&settings);
    ask_for_password();
    job_set_password(job, "typed");
    end_session(OTA_PHASE_AUTHENTICATE, OTA_E_NO_ANSWER, "silence");
    pass_pause();
    resolve_board(&(struct try){0});
    assert_string_equal(
        world.story,
        START FOUND "asks for a password\npassword typed\n"
                    "note authentication: silence; attempt 2 of 4 in 1 s\nwait 1000\nrests\n" AGAIN
                    "resolved 10.0.0.7 port 3232: mDNS, the default port of ESP32 boards\n"
                    "session 10.0.0.7:3232 block 0 password typed\n");
    job_free(job);
    assert_job_freed();
}

static void reject_answer(void)
{
    end_session_for(OTA_PHASE_AUTHENTICATE, OTA_E_WRONG_PASSWORD, "wrong",
                    OTA_CAUSE_PASSWORD_REJECTED);
}

/* The upload begins anew without the password that was typed, as often as the fleet allows. */
static void test_rejected_password(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    reset_job_world();
    struct job *job = start_job(&settings);
    ask_for_password();
    job_set_password(job, "wrong");
    world.config.trust->answers = TRUST_ANSWERS_MAX;
    world.config.trust->asked = TRUST_SHA256;
    world.asks_again = true;
    reject_answer();
    assert_false(trust_is_spent(world.config.trust, TRUST_MD5));
    assert_int_equal(world.config.trust->asked, TRUST_SHA256);
    world.callbacks.on_password(world.callbacks.userdata);
    job_set_password(job, "also wrong");
    world.asks_again = false;
    reject_answer();
    assert_string_equal(world.story,
                        START FOUND "asks for a password\npassword wrong\nrejected\n"
                                    "note the board rejected the password that was typed\n"
                                    "session 10.0.0.7:3232 block 0 password none\n"
                                    "asks for a password\npassword also wrong\nrejected\n"
                                    "result wrong-password 6 0: wrong\ndone\n");
    job_free(job);
    assert_job_freed();
}

/* One that was given otherwise is not asked for again, nor one that no verdict came on. */
static void test_rejected_password_of_options(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();
    reset_job_world();
    world.asks_again = true;
    assignment.password = "pw";
    struct job *job = start_job(&settings);
    resolve_board(&(struct try){0});
    reject_answer();
    assert_null(strstr(world.story, "rejected"));
    job_free(job);
    assignment.password = NULL;

    reset_job_world();
    world.asks_again = true;
    job = start_job(&settings);
    ask_for_password();
    job_set_password(job, "typed");
    end_session(OTA_PHASE_AUTHENTICATE, OTA_E_WRONG_PASSWORD, "it kept sending challenges");
    assert_null(strstr(world.story, "rejected"));
    job_free(job);
    assert_job_freed();
}

/* Parked, the job has no session and no result, and goes on as the attempt that it was. */
static void test_parked(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    reset_job_world();
    struct job *job = start_job(&settings);
    ask_for_password();
    job_park(job);
    assert_false(world.has_session);
    job_set_password(job, "typed");
    job_start(job);
    resolve_board(&(struct try){0});
    assert_string_equal(strrchr(world.story, ':'), ":3232 block 0 password typed\n");
    end_session(OTA_PHASE_AUTHENTICATE, OTA_E_NO_ANSWER, "silence");
    assert_non_null(strstr(world.story, "attempt 2 of 4"));
    job_free(job);
    assert_job_freed();
}

/* The password comes when the board has hung up already. */
static void test_late_password(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    reset_job_world();
    struct job *job = start_job(&settings);
    ask_for_password();
    end_session(OTA_PHASE_TRANSFER, OTA_E_LOST, "hung up");
    job_set_password(job, "typed");
    assert_null(strstr(world.story, "password typed"));
    job_free(job);
    assert_job_freed();
}

/* Somebody else has this board already, by another name. */
static void test_withdrawn(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    reset_job_world();
    world.refuse_address = true;
    struct job *job = start_job(&settings);
    resolve_board(&(struct try){0});
    assert_string_equal(world.story, START "done\n");
    job_free(job);
    assert_job_freed();
}

/* Two boards behind one address: the second one waits, and that is no attempt. */
static void test_turns(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    settings.espota.peer_any = true;
    reset_job_world();
    world.turns_to_wait = 2;
    struct job *job = start_job(&settings);
    resolve_board(&(struct try){0});
    pass_pause();
    resolve_board(&(struct try){0});
    pass_pause();
    resolve_board(&(struct try){0});
    assert_string_equal(world.story,
                        START "wait 250\nrests\n" AGAIN "wait 250\nrests\n" AGAIN FOUND);
    job_free(job);
    assert_job_freed();
}

/* So do two boards of which one has an address that may be the other's. */
static void test_turns_for_any_address(void **state)
{
    (void)state;
    static const struct try try = {.other = "240.0.0.1"};
    struct settings settings = make_job_settings();
    struct job *job;

    reset_job_world();
    world.taken = "240.0.0.1";
    job = start_job(&settings);
    resolve_board(&try);
    pass_pause();
    resolve_board(&try);
    assert_string_equal(world.story, START "wait 250\nrests\n" AGAIN FOUND "or 240.0.0.1:3232\n");
    job_free(job);
    assert_job_freed();
}

/* A service at one address of a name that is not from multicast DNS says nothing of the others. */
static void test_host_of_some_addresses(void **state)
{
    static const struct try try = {.other = "10.0.0.8"};
    struct settings settings = make_job_settings();

    (void)state;
    reset_job_world();
    world.is_host_unknown = true;
    struct job *job = start_job(&settings);
    resolve_board(&try);
    assert_string_equal(world.story, START FOUND "or 10.0.0.8:3232\n");
    job_free(job);
    assert_job_freed();
}

/* Where a signal finds the job. */
enum moment {
    RESOLVING,
    PAUSING,
    PROMPTING,
    INVITING,
    SENDING,
    ALL_SENT,
    READING, /* the expected version, within the upload */
    PROVING,
};

static void reach(enum moment moment)
{
    static const struct try silence = {
        .phase = OTA_PHASE_RESOLVE, .error = OTA_E_NO_ANSWER, .message = "silence"};

    world.phase = OTA_PHASE_RESOLVE;
    if (moment == PAUSING)
        play_try(&silence);
    else if (moment == PROMPTING)
        ask_for_password();
    else if (moment >= INVITING)
        resolve_board(&(struct try){0});
    if (moment == INVITING)
        world.phase = OTA_PHASE_INVITE;
    if (moment > INVITING) {
        world.phase = OTA_PHASE_TRANSFER;
        session_event(&(struct ota_event){.type = OTA_EVENT_CONNECTED});
    }
    world.all_sent = moment == ALL_SENT || moment == READING;
    if (moment == READING)
        world.phase = OTA_PHASE_PROOF;
    if (moment == PROVING)
        end_session(OTA_PHASE_PROOF, OTA_OK, "");
}

static void test_job_signals(void **state)
{
    (void)state;

    static const struct {
        enum moment moment;
        int number;
        int exit_status;
        const char *result; /* how the story goes on */
        enum ota_cause cause;
    } rows[] = {
        {RESOLVING, SIGINT, 130, "result interrupted 130 0: interrupted by SIGINT\n",
         OTA_CAUSE_NONE},
        {PAUSING, SIGTERM, 143, "result interrupted 143 0: interrupted by SIGTERM\n",
         OTA_CAUSE_NONE},
        {PROMPTING, SIGINT, 130, "result interrupted 130 0: interrupted by SIGINT\n",
         OTA_CAUSE_NONE},
        {INVITING, SIGHUP, 129, "result interrupted 129 0: interrupted by SIGHUP\n",
         OTA_CAUSE_NONE},
        {SENDING, SIGQUIT, 131,
         "result interrupted 131 0: interrupted by SIGQUIT; the board does not start a sketch that "
         "was cut short\n",
         OTA_CAUSE_NONE},
        {ALL_SENT, SIGTERM, 143,
         "result interrupted 143 0: interrupted by SIGTERM; the whole image had been sent, so the "
         "board may install it\n",
         OTA_CAUSE_VERDICT_CUT_SHORT},
        {READING, SIGINT, 130,
         "result interrupted 130 0: interrupted by SIGINT; the board had confirmed the upload\n",
         OTA_CAUSE_PROOF_CUT_SHORT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct settings settings = make_job_settings();
        reset_job_world();
        struct job *job = start_job(&settings);
        reach(rows[i].moment);
        size_t before = strlen(world.story);
        job_interrupt(job, rows[i].number);
        assert_string_equal(world.story + before, rows[i].result);
        assert_int_equal(world.exit_status, rows[i].exit_status);
        assert_int_equal(world.cause, rows[i].cause);
        /* Nothing is left that could start again. */
        assert_false(world.has_session || world.has_resolver);
        assert_true(virtual_time.due_us < 0);
        job_free(job);
        assert_job_freed();
    }
}

/* -- after the confirmation, or without an upload -- */

#define MONITOR .monitor = true, .monitor_port = 23
#define ONLINE .online_us = (60000 * MS)
#define EXPECT .expect = (struct expect *)&world, .expect_timeout_us = 30 * MS * 1000
#define REJECT .expect = (struct expect *)&only_rejects, .expect_timeout_us = 30 * MS * 1000
#define UPLOADED START FOUND CONNECTED_EVENT "progress 1000 after 200\n"
#define FOLLOWED "follow 10.0.0.7:3232 after its restart\n"
#define HEARD "note log connected\nlog hello\n"
#define LOG_PROVES                                                                                 \
    "note the board has confirmed the upload; waiting at most 30 s for the "                       \
    "expected log lines\n"
#define RETURN_PROVES                                                                              \
    "note the board has confirmed the upload; waiting at most 60 s for it to "                     \
    "go off the network and come back\n"
#define LOG_FOUND                                                                                  \
    "start kitchen.local\nresolve kitchen.local and its port\n"                                    \
    "resolved 10.0.0.7 port 23: mDNS, the port of the log\n"

static const struct follow_story {
    const char *title;
    struct settings settings; /* merged into make_job_settings() */
    bool only_log;            /* no image */
    bool is_refused;          /* memory runs out for the follow */
    const char *missing;      /* the resolver's failure */
    enum ota_error verdict;
    const char *message; /* of the verdict; NULL: it does not come */
    const char *story;
    int64_t search_limit_us;
    unsigned done;
    int exit_status;
} follow_stories[] = {
    {.title = "a log without expectations: the result comes at once, the log has no end",
     .settings = {.log = {MONITOR}},
     .story = UPLOADED FOLLOWED "result ok 0 1000: \n" HEARD},
    {.title = "what was expected ends the job",
     .settings = {.log = {MONITOR, EXPECT}},
     .message = "its log said it",
     .story = UPLOADED FOLLOWED LOG_PROVES HEARD
     "follow ends\nresult ok 0 1000: its log said it\ndone\n",
     .done = 1},
    {.title = "so does what was not: another attempt would prove no more",
     .settings = {.log = {EXPECT}},
     .verdict = OTA_E_UNPROVEN,
     .message = "never reached",
     .story = UPLOADED FOLLOWED LOG_PROVES HEARD
     "follow ends\nresult unproven 12 1000: the board has confirmed the upload, but never "
     "reached\ndone\n",
     .done = 1,
     .exit_status = 12},
    {.title = "the board is back",
     .settings = {.log.online_us = 60000 * MS},
     .message = "back",
     .story = UPLOADED FOLLOWED RETURN_PROVES HEARD "follow ends\nresult ok 0 1000: back\ndone\n",
     .done = 1},
    {.title = "where both are wanted the log is named",
     .settings = {.log = {EXPECT, .online_us = 60000 * MS}},
     .message = "both",
     .story = UPLOADED FOLLOWED LOG_PROVES HEARD "follow ends\nresult ok 0 1000: both\ndone\n",
     .done = 1},
    {.title = "the board is back, and its log goes on",
     .settings = {.log = {MONITOR, .online_us = 60000 * MS}},
     .message = "back",
     .story = UPLOADED FOLLOWED RETURN_PROVES HEARD "result ok 0 1000: back\n"},
    {.title = "the board is not back, and its log goes on",
     .settings = {.log = {MONITOR, .online_us = 60000 * MS}},
     .verdict = OTA_E_UNPROVEN,
     .message = "still gone",
     .story = UPLOADED FOLLOWED RETURN_PROVES HEARD
     "result unproven 12 1000: the board has confirmed the upload, but still gone\n",
     .exit_status = 12},
    {.title = "no memory to follow with: the upload is not repeated for that",
     .settings = {.log = {EXPECT}},
     .is_refused = true,
     .story = UPLOADED "result internal 1 1000: out of memory\ndone\n",
     .done = 1,
     .exit_status = 1},
    {.title = "only the log",
     .settings = {.log = {MONITOR}},
     .only_log = true,
     .story = LOG_FOUND "follow 10.0.0.7:23\nonly a log\n" HEARD},
    {.title = "only the log, and what it has to say",
     .settings = {.log = {MONITOR, EXPECT}},
     .only_log = true,
     .verdict = OTA_E_UNPROVEN,
     .message = "silence",
     .story = LOG_FOUND "follow 10.0.0.7:23\n" HEARD
                        "follow ends\nresult unproven 12 0: silence\ndone\n",
     .done = 1,
     .exit_status = 12},
    {.title = "only the log, of a board that nobody knows",
     .settings = {.log = {MONITOR}},
     .only_log = true,
     .missing = "nobody knows it",
     .story = START "result not-found 4 0: nobody knows it\ndone\n",
     .done = 1,
     .exit_status = 4},
    {.title = "only the log, and no memory for it",
     .settings = {.log = {MONITOR}},
     .only_log = true,
     .is_refused = true,
     .story = LOG_FOUND "result internal 1 0: out of memory\ndone\n",
     .done = 1,
     .exit_status = 1},
};

static struct job *begin_follow(struct settings *settings, bool only_log, const char *missing)
{
    const struct try try = {.missing = missing, SENT, .error = OTA_OK, .message = ""};
    const struct settings given = *settings;

    *settings = make_job_settings();
    settings->fleet.retries = 0;
    settings->log.monitor = given.log.monitor;
    settings->log.monitor_port = given.log.monitor_port;
    settings->log.expect = given.log.expect;
    settings->log.online_us = given.log.online_us;
    settings->log.expect_timeout_us = given.log.expect_timeout_us;
    if (only_log)
        assignment.image = NULL;
    struct job *job = start_job(settings);
    assert_non_null(job);
    play_try(&try);
    return job;
}

/* The board says hello, half a second later. */
static void hear(void)
{
    static const struct line hello = {.bytes = (const unsigned char *)"hello", .length = 5};
    virtual_time.now_us += 500 * MS;
    world.follow.on_note("log connected", world.follow.userdata);
    world.follow.on_line(&hello, world.follow.userdata);
}

static void play_follow_story(const struct follow_story *story)
{
    struct settings settings = story->settings;
    reset_job_world();
    world.refuse_follow = story->is_refused;
    struct job *job = begin_follow(&settings, story->only_log, story->missing);
    if (world.has_follow)
        hear();
    if (story->message) {
        struct ota_failure verdict = make_failure(story->verdict, story->message);

        verdict.cause = OTA_CAUSE_NOT_BACK; /* the remedy goes by it, whatever was added */
        world.phase = phase_of_follow();
        world.follow.on_verdict(&verdict, world.follow.userdata);
        assert_int_equal(world.cause, OTA_CAUSE_NOT_BACK);
    }
    assert_string_equal(world.story, story->story);
    assert_int_equal(world.done, story->done);
    assert_int_equal(world.exit_status, story->exit_status);
    /* However long the proof took. */
    assert_int_equal(world.transfer_us, story->only_log ? 0 : 200 * MS);
    assert_int_equal(world.sent_us, story->only_log ? 0 : 200 * MS);
    if (!story->is_refused) /* else on_job_done() has done so */
        job_free(job);
    assert_job_freed();
}

static void test_follow_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof follow_stories / sizeof *follow_stories; i++) {
        print_message("  %s\n", follow_stories[i].title);
        play_follow_story(&follow_stories[i]);
    }
}

/* The image is at fault, also where the board's challenge says so. */
static void test_phase_of_image(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    reset_job_world();
    struct job *job = start_job(&settings);
    assert_non_null(job);
    resolve_board(&(struct try){0});
    end_session(OTA_PHASE_AUTHENTICATE, OTA_E_IMAGE, "not for an ESP32");
    assert_int_equal(world.exit_status, 3);
    job_free(job);
    assert_job_freed();
}

/* A signal while proof is pending: what was confirmed stays confirmed, and the result says so. */
static void test_interrupted_proof(void **state)
{
    (void)state;

    static const struct {
        bool only_log;
        const char *end;
    } rows[] = {
        {false, "follow ends\nresult interrupted 130 1000: interrupted by SIGINT; the board had "
                "confirmed the upload\n"},
        {true, "follow ends\nresult interrupted 130 0: interrupted by SIGINT\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct settings settings = {.log = {MONITOR, EXPECT}};
        reset_job_world();
        struct job *job = begin_follow(&settings, rows[i].only_log, NULL);
        world.phase = phase_of_follow();
        size_t before = strlen(world.story);
        job_interrupt(job, SIGINT);
        assert_string_equal(world.story + before, rows[i].end);
        assert_int_equal(world.exit_status, 130);
        assert_int_equal(world.done, 0);
        assert_job_freed();
        job_free(job);
    }
}

/* -- a verdict that was lost, and proof in its place -- */

#define VERDICT_LOST "all were sent"
#define PROOF_OF_LOG "note " VERDICT_LOST "; waiting at most 30 s for the expected log lines\n"
#define PROVEN "follow ends\nresult ok 0 1000: its verdict was lost, but proof\ndone\n"
#define NOT_PROVEN "follow ends\nresult unproven 12 1000: its verdict was lost, and proof\ndone\n"

static const struct lost_verdict_row {
    const char *title;
    struct settings settings;
    enum image_family family;
    uint16_t port;
    enum ota_cause cause;
    enum ota_error proof;
    const char *story; /* behind UPLOADED */
} lost_verdict_rows[] = {
    {"nothing is to be proven",
     {.log = {MONITOR}},
     IMAGE_ESP32,
     0,
     OTA_CAUSE_RESTARTED,
     OTA_OK,
     "result unknown 11 1000: " VERDICT_LOST "\ndone\n"},
    {"the log proves it",
     {.log = {EXPECT}},
     IMAGE_ESP8266,
     0,
     OTA_CAUSE_NONE,
     OTA_OK,
     "follow 10.0.0.7:8266 whether it restarts\n" PROOF_OF_LOG PROVEN},
    {"the log of a board that has restarted proves it",
     {.log = {EXPECT}},
     IMAGE_ESP8266,
     0,
     OTA_CAUSE_RESTARTED,
     OTA_OK,
     "follow 10.0.0.7:8266 whether it restarts, back\n" PROOF_OF_LOG PROVEN},
    {"the log proves nothing",
     {.log = {EXPECT}},
     IMAGE_ESP32,
     0,
     OTA_CAUSE_GONE,
     OTA_E_UNPROVEN,
     "follow 10.0.0.7:3232 whether it restarts, gone\n" PROOF_OF_LOG NOT_PROVEN},
    {"an ESP32 that restarts has succeeded",
     {.log = {ONLINE}},
     IMAGE_ESP32,
     0,
     OTA_CAUSE_NONE,
     OTA_OK,
     "follow 10.0.0.7:3232 whether it restarts\nnote " VERDICT_LOST
     "; waiting at most 60 s for it to go off the network and come back\n" PROVEN},
    {"which is known to be away",
     {.log = {ONLINE}},
     IMAGE_ESP32,
     0,
     OTA_CAUSE_GONE,
     OTA_E_UNPROVEN,
     "follow 10.0.0.7:3232 whether it restarts, gone\nnote " VERDICT_LOST
     "; waiting at most 60 s for it to come back\n" NOT_PROVEN},
    {"or to be back",
     {.log = {ONLINE}},
     IMAGE_ESP32,
     0,
     OTA_CAUSE_RESTARTED,
     OTA_OK,
     "follow 10.0.0.7:3232 whether it restarts, back\n" PROVEN},
    {"the image does not say, but the port does",
     {.log = {ONLINE}},
     IMAGE_UNKNOWN,
     3232,
     OTA_CAUSE_RESTARTED,
     OTA_OK,
     "follow 10.0.0.7:3232 whether it restarts, back\n" PROVEN},
    {"of other boards a restart proves nothing",
     {.log = {ONLINE}},
     IMAGE_ESP8266,
     0,
     OTA_CAUSE_RESTARTED,
     OTA_OK,
     "result unknown 11 1000: " VERDICT_LOST "\ndone\n"},
    {"whatever the port says",
     {.log = {ONLINE}},
     IMAGE_ESP8266,
     3232,
     OTA_CAUSE_RESTARTED,
     OTA_OK,
     "result unknown 11 1000: " VERDICT_LOST "\ndone\n"},
    {"a log without a rejected line proves nothing",
     {.log = {REJECT}},
     IMAGE_ESP32,
     0,
     OTA_CAUSE_RESTARTED,
     OTA_OK,
     "result unknown 11 1000: " VERDICT_LOST "\ndone\n"},
    {"nor together with a restart of other boards",
     {.log = {REJECT, ONLINE}},
     IMAGE_ESP8266,
     0,
     OTA_CAUSE_RESTARTED,
     OTA_OK,
     "result unknown 11 1000: " VERDICT_LOST "\ndone\n"},
    {"but of an ESP32 that has restarted, no line may be rejected",
     {.log = {REJECT, ONLINE}},
     IMAGE_ESP32,
     0,
     OTA_CAUSE_RESTARTED,
     OTA_E_UNPROVEN,
     "follow 10.0.0.7:3232 whether it restarts, back\nnote " VERDICT_LOST
     "; watching its log 30 s for rejected lines\n" NOT_PROVEN},
};

/* Only an announcement tells an image for another chip from one for an unusual port. */
static void test_job_announcement(void **state)
{
    (void)state;
    static const struct {
        const struct upload_protocol *protocol;
        uint16_t port;
        int64_t online_us;
        enum announcement_use use;
    } rows[] = {
        {&espota_protocol, 0, 0, ANNOUNCEMENT_PORT},
        {&espota_protocol, 3232, 0, ANNOUNCEMENT_OPTIONAL},
        {&espota_protocol, 3232, 1, ANNOUNCEMENT_OPTIONAL},
        {&espota_protocol, 8266, 0, ANNOUNCEMENT_DECIDES},
        {&esphome_protocol, 0, 0, ANNOUNCEMENT_PORT},
        {&esphome_protocol, 3232, 0, ANNOUNCEMENT_OPTIONAL},
        {&esphome_protocol, 3232, 1, ANNOUNCEMENT_PORT},
        {&esphome_protocol, 8266, 0, ANNOUNCEMENT_DECIDES},
        {&sketch_protocol, 0, 0, ANNOUNCEMENT_PORT},
        {&sketch_protocol, 8266, 0, ANNOUNCEMENT_OPTIONAL},
        {&web_protocol, 0, 0, ANNOUNCEMENT_OPTIONAL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct settings settings = make_job_settings();

        reset_job_world();
        settings.log.online_us = rows[i].online_us;
        assignment.protocol = rows[i].protocol;
        assignment.target.port = rows[i].port;
        struct job *job = start_job(&settings);
        assert_int_equal(world.use, rows[i].use);
        job_free(job);
        assert_job_freed();
    }
}

/* Until a failed job has asked what its board announces. */
static struct job *fail_at_port(uint16_t given, struct settings *settings, const struct try *try,
                                enum ota_cause cause)
{
    reset_job_world();
    assignment.target.port = given;
    world.announces = true;
    settings->fleet.retries = 0;
    struct job *job = start_job(settings);
    assert_non_null(job);
    resolve_board(try);
    end_session_for(try->phase, try->error, "silence", cause);
    return job;
}

static struct job *fail_silently(struct settings *settings, const struct try *try,
                                 enum ota_cause cause)
{
    return fail_at_port(0, settings, try, cause);
}

/* Multicast DNS has answered. The services live as long as the question. */
static void answer_question(const struct announced_service *services, size_t count)
{
    world.services = calloc(count + 1, sizeof *services);
    assert_non_null(world.services);
    memcpy(world.services, services, count * sizeof *services);
    world.on_services(world.services, count, world.services_userdata);
}

#define ESPHOME                                                                                    \
    {                                                                                              \
        .service = SERVICE_ESPHOME, .port = 6053                                                   \
    }
#define ASKED "services at 10.0.0.7 for 2000\n"

/* A board that answers nothing is asked once more what it announces. */
static const struct {
    const char *title;
    struct try try;
    enum ota_cause cause, expected_cause;
    struct announced_service services[2];
    const char *end;
} silent_boards[] = {
    {"it announces ESPHome",
     {.error = OTA_E_NO_ANSWER},
     OTA_CAUSE_THERE,
     OTA_CAUSE_ANNOUNCES_ESPHOME,
     {ESPHOME},
     ASKED "result no-answer 5 0: silence; the board announces ESPHome's OTA "
           "(_esphomelib._tcp)\ndone\n"},
    {"it announces WLED",
     {.error = OTA_E_NOT_LISTENING},
     OTA_CAUSE_NONE,
     OTA_CAUSE_ANNOUNCES_WEB,
     {{.service = SERVICE_WLED, .port = 80}},
     ASKED "result not-listening 5 0: silence; the board announces an update page "
           "(_wled._tcp)\ndone\n"},
    {"it announces nothing",
     {.error = OTA_E_NO_ANSWER},
     OTA_CAUSE_THERE,
     OTA_CAUSE_THERE,
     {{0}},
     ASKED "result no-answer 5 0: silence\ndone\n"},
    {"it announces ArduinoOTA, too",
     {.error = OTA_E_NO_ANSWER},
     OTA_CAUSE_NONE,
     OTA_CAUSE_NONE,
     {ESPHOME, {.service = SERVICE_ARDUINO, .port = 3232}},
     ASKED "result no-answer 5 0: silence\ndone\n"},
    {"the silence has a cause",
     {.error = OTA_E_NO_ANSWER},
     OTA_CAUSE_NOBODY,
     OTA_CAUSE_NOBODY,
     {ESPHOME},
     "result no-answer 5 0: silence\ndone\n"},
    {"its port was announced",
     {.port = 3232, .error = OTA_E_NO_ANSWER},
     OTA_CAUSE_NONE,
     OTA_CAUSE_NONE,
     {ESPHOME},
     "result no-answer 5 0: silence\ndone\n"},
    {"it does answer",
     {.error = OTA_E_REFUSED},
     OTA_CAUSE_NONE,
     OTA_CAUSE_NONE,
     {ESPHOME},
     "result refused 7 0: silence\ndone\n"},
};

static void test_other_protocol(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof silent_boards / sizeof *silent_boards; i++) {
        const struct announced_service *services = silent_boards[i].services;
        const size_t count = !services->port ? 0 : services[1].port ? 2 : 1;
        struct settings settings = make_job_settings();

        print_message("  %s\n", silent_boards[i].title);
        struct job *job = fail_silently(&settings, &silent_boards[i].try, silent_boards[i].cause);
        if (world.has_question)
            answer_question(services, count);
        assert_non_null(strstr(world.story, silent_boards[i].end));
        assert_int_equal(world.cause, silent_boards[i].expected_cause);
        assert_int_equal(world.done, 1);
        job_free(job);
        assert_job_freed();
    }
}

/* What is known of the way to a board explains its silence, and not another failure. */
static void test_way(void **state)
{
    (void)state;
    static const struct {
        enum ota_error error;
        enum ota_cause cause, way, expected;
        const char *end;
    } rows[] = {
        {OTA_E_NO_ANSWER, OTA_CAUSE_NONE, OTA_CAUSE_DETOUR, OTA_CAUSE_DETOUR,
         "result no-answer 5 0: silence; the way\ndone\n"},
        {OTA_E_NO_ANSWER, OTA_CAUSE_NONE, OTA_CAUSE_WRONG_SOURCE, OTA_CAUSE_WRONG_SOURCE,
         "result no-answer 5 0: silence; the way\ndone\n"},
        {OTA_E_UNREACHABLE, OTA_CAUSE_NONE, OTA_CAUSE_NOBODY, OTA_CAUSE_NOBODY,
         "result unreachable 5 0: silence; the way\ndone\n"},
        {OTA_E_UNREACHABLE, OTA_CAUSE_NONE, OTA_CAUSE_NO_WAY_OUT, OTA_CAUSE_NO_WAY_OUT,
         "result unreachable 5 0: silence; the way\ndone\n"},
        {OTA_E_LOCAL, OTA_CAUSE_NO_WAY_OUT, OTA_CAUSE_NO_WAY_OUT, OTA_CAUSE_NO_WAY_OUT,
         "result local 1 0: silence; the way\ndone\n"},
        {OTA_E_UNREACHABLE, OTA_CAUSE_NO_ROUTE, OTA_CAUSE_BROADCAST, OTA_CAUSE_BROADCAST,
         "result local 1 0: silence; the way\ndone\n"},
        /* their remedies are ArduinoOTA's */
        {OTA_E_UNREACHABLE, OTA_CAUSE_NONE, OTA_CAUSE_OTHER_NETWORK, OTA_CAUSE_NONE,
         "result unreachable 5 0: silence\ndone\n"},
        /* it is explained, or is no silence */
        {OTA_E_NO_ANSWER, OTA_CAUSE_NOBODY, OTA_CAUSE_DETOUR, OTA_CAUSE_NOBODY,
         "result no-answer 5 0: silence\ndone\n"},
        {OTA_E_LOCAL, OTA_CAUSE_NONE, OTA_CAUSE_DETOUR, OTA_CAUSE_NONE,
         "result local 1 0: silence\ndone\n"},
        {OTA_E_NOT_LISTENING, OTA_CAUSE_NONE, OTA_CAUSE_DETOUR, OTA_CAUSE_NONE,
         "result not-listening 5 0: silence\ndone\n"},
        {OTA_E_REFUSED, OTA_CAUSE_NONE, OTA_CAUSE_DETOUR, OTA_CAUSE_NONE,
         "result refused 7 0: silence\ndone\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct settings settings = make_job_settings();

        next_way = rows[i].way;
        struct job *job = fail_silently(
            &settings, &(struct try){.error = rows[i].error, .port = 3232}, rows[i].cause);
        assert_non_null(strstr(world.story, rows[i].end));
        assert_int_equal(world.cause, rows[i].expected);
        job_free(job);
        assert_job_freed();
    }
    next_way = OTA_CAUSE_NONE;
}

/* An announcement that came late tells a port that was not tried. */
static void test_late_port(void **state)
{
    (void)state;
    static const struct announced_service late[] = {ESPHOME,
                                                    {.service = SERVICE_ARDUINO, .port = 8300}};
    struct settings settings = make_job_settings();
    struct job *job =
        fail_silently(&settings, &(struct try){.error = OTA_E_NOT_LISTENING}, OTA_CAUSE_NONE);

    answer_question(late, 2);
    assert_non_null(strstr(world.story, "silence; the board announces port 8300, which is tried "
                                        "now\n"));
    assert_int_equal(world.done, 0);
    assert_false(world.has_question);

    pass_pause();
    resolve_board(&(struct try){0});
    assert_non_null(strstr(world.story, "port 8300: mDNS, the announced port\n"
                                        "session 10.0.0.7:8300 "));
    end_session(OTA_PHASE_INVITE, OTA_OK, "");
    job_free(job);
    assert_job_freed();
}

/* The user's port is kept, and what the board announces is said: at once or, by an address, when
 * its announcements were asked for. Its own port, and another protocol's, say nothing of it. */
static void test_other_port(void **state)
{
    (void)state;
    static const struct {
        uint16_t found; /* announced when the board was found; 0: not */
        struct announced_service later;
        enum ota_cause cause;
        const char *end;
    } rows[] = {
        {8300, {0}, OTA_CAUSE_OTHER_PORT, "silence; the board announces port 8300\ndone\n"},
        {99, {0}, OTA_CAUSE_NONE, "silence\ndone\n"},
        {0,
         {.service = SERVICE_ARDUINO, .port = 8300},
         OTA_CAUSE_OTHER_PORT,
         "silence; the board announces port 8300\ndone\n"},
        {0, {.service = SERVICE_ARDUINO, .port = 99}, OTA_CAUSE_NONE, "silence\ndone\n"},
        {0, ESPHOME, OTA_CAUSE_ANNOUNCES_ESPHOME, "(_esphomelib._tcp)\ndone\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct settings settings = make_job_settings();
        struct job *job = fail_at_port(
            99, &settings, &(struct try){.port = rows[i].found, .error = OTA_E_NO_ANSWER},
            OTA_CAUSE_NONE);
        assert_int_equal(world.has_question, !rows[i].found);
        if (world.has_question)
            answer_question(&rows[i].later, 1);
        assert_non_null(strstr(world.story, rows[i].end));
        assert_int_equal(world.cause, rows[i].cause);
        assert_int_equal(world.done, 1);
        job_free(job);
        assert_job_freed();
    }
}

/* Whoever announces another address and another port each time cannot keep the job going. */
static void test_late_ports(void **state)
{
    (void)state;
    static const struct announced_service late[] = {{.service = SERVICE_ARDUINO, .port = 8300},
                                                    {.service = SERVICE_ARDUINO, .port = 8301}};
    struct settings settings = make_job_settings();
    struct job *job =
        fail_silently(&settings, &(struct try){.error = OTA_E_NOT_LISTENING}, OTA_CAUSE_NONE);

    answer_question(&late[0], 1);
    pass_pause();
    resolve_board(&(struct try){.address = "10.0.0.8"});
    end_session(OTA_PHASE_INVITE, OTA_E_NOT_LISTENING, "silence");
    if (world.has_question)
        answer_question(&late[1], 1);
    assert_null(strstr(world.story, "port 8301"));
    assert_int_equal(world.done, 1);
    job_free(job);
    assert_job_freed();
}

static void test_interrupted_question(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();
    struct job *job =
        fail_silently(&settings, &(struct try){.error = OTA_E_NO_ANSWER}, OTA_CAUSE_NONE);

    assert_true(world.has_question);
    job_interrupt(job, SIGINT);
    assert_false(world.has_question);
    assert_non_null(strstr(world.story, "result interrupted 130 0: interrupted by SIGINT\n"));
    job_free(job);
    assert_job_freed();
}

/* What is left of --deadline is not spent on it. */
static void test_no_time_for_question(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    settings.fleet.deadline_us = 1900 * MS;
    struct job *job =
        fail_silently(&settings, &(struct try){.error = OTA_E_NO_ANSWER}, OTA_CAUSE_NONE);
    assert_false(world.has_question);
    assert_int_equal(world.done, 1);
    job_free(job);
    assert_job_freed();
}

static void test_job_lost_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lost_verdict_rows / sizeof *lost_verdict_rows; i++) {
        const struct lost_verdict_row *row = &lost_verdict_rows[i];
        struct settings settings = make_job_settings();

        print_message("  %s\n", row->title);
        reset_job_world();
        image.family = row->family;
        assignment.target.port = row->port;
        settings.log.monitor = row->settings.log.monitor;
        settings.log.expect = row->settings.log.expect;
        settings.log.expect_timeout_us = row->settings.log.expect_timeout_us;
        settings.log.online_us = row->settings.log.online_us;

        struct job *job = start_job(&settings);
        resolve_board(&(struct try){0});
        session_event(&(struct ota_event){.type = OTA_EVENT_CONNECTED});
        session_event(&(struct ota_event){.type = OTA_EVENT_PROGRESS, .bytes = IMAGE_SIZE});

        size_t before = strlen(world.story);
        end_session_for(OTA_PHASE_RESULT, OTA_E_UNKNOWN, VERDICT_LOST, row->cause);
        if (world.has_follow) {
            const struct ota_failure verdict = make_failure(row->proof, "proof");

            world.phase = phase_of_follow();
            world.follow.on_verdict(&verdict, world.follow.userdata);
        } else {
            assert_int_equal(world.cause, row->cause);
        }
        assert_string_equal(world.story + before, row->story);

        job_free(job);
        assert_job_freed();
    }
    image.family = IMAGE_ESP32;
}

/* -- the expected version -- */

#define CHECKED "follow ends\nresult "

static const struct {
    const char *title;
    struct log_settings log;
    bool is_lost; /* the verdict of the board */
    bool tells;
    enum ota_error told;
    const char *message;
    const char *story; /* behind the proof of the boot check */
} version_rows[] = {
    {"read within the upload",
     {EXPECT},
     false,
     true,
     OTA_OK,
     "",
     CHECKED "ok 0 1000: proof\ndone\n"},
    {"the board is back, and tells it",
     {ONLINE},
     false,
     true,
     OTA_OK,
     "it runs 2 now",
     CHECKED "ok 0 1000: proof; it runs 2 now\ndone\n"},
    {"the board is back, and cannot be asked",
     {ONLINE},
     false,
     false,
     OTA_OK,
     "",
     CHECKED "unproven 12 1000: the board has confirmed the upload, but it did not tell its "
             "version: it could not be asked\ndone\n"},
    {"the board is back, or somebody else in its place",
     {ONLINE},
     false,
     true,
     OTA_E_TLS,
     "bad certificate",
     CHECKED "tls 6 1000: the board has confirmed the upload, but bad certificate\ndone\n"},
    {"the verdict is lost, and it tells it",
     {EXPECT},
     true,
     true,
     OTA_OK,
     "it runs 2 now",
     CHECKED "ok 0 1000: its verdict was lost, but proof; it runs 2 now\ndone\n"},
    {"the verdict is lost, and it tells another one",
     {EXPECT},
     true,
     true,
     OTA_E_UNPROVEN,
     "it runs 1",
     CHECKED "unproven 12 1000: its verdict was lost, and it runs 1\ndone\n"},
    {"the verdict is lost, and it does not answer",
     {EXPECT},
     true,
     true,
     OTA_E_LOST,
     "reset",
     CHECKED "unproven 12 1000: its verdict was lost, and it did not tell its version: "
             "reset\ndone\n"},
    {"the verdict is lost, and it cannot be asked",
     {EXPECT},
     true,
     false,
     OTA_OK,
     "",
     CHECKED "unproven 12 1000: its verdict was lost, and it did not tell its version: it "
             "could not be asked\ndone\n"},
};

/* Whatever way a success comes, no demanded version is dropped. */
static void test_expected_version(void **state)
{
    (void)state;
    static char expected[] = "2";

    for (size_t i = 0; i < sizeof version_rows / sizeof *version_rows; i++) {
        struct settings settings = make_job_settings();
        const struct ota_failure proof = make_failure(OTA_OK, "proof");

        print_message("  %s\n", version_rows[i].title);
        reset_job_world();
        world.tells_version = version_rows[i].tells;
        settings.log = version_rows[i].log;
        settings.upload.expect_version = expected;
        struct job *job = start_job(&settings);
        play_try(&(struct try){SENT, .error = version_rows[i].is_lost ? OTA_E_UNKNOWN : OTA_OK,
                               .message = ""});
        assert_true(world.has_follow);

        size_t before = strlen(world.story);
        world.phase = OTA_PHASE_PROOF;
        world.follow.on_verdict(&proof, world.follow.userdata);
        assert_int_equal(world.was_asked, version_rows[i].is_lost || version_rows[i].log.online_us);
        if (world.is_asked) {
            const struct ota_failure told =
                make_failure(version_rows[i].told, version_rows[i].message);

            world.is_asked->callbacks.on_done(&told, world.is_asked->callbacks.userdata);
        }
        assert_string_equal(world.story + before, version_rows[i].story);
        job_free(job);
        assert_job_freed();
    }
}

/* Nor does a success without a demanded version hide who answers for the board. */
static void test_other_certificate(void **state)
{
    (void)state;
    const struct ota_failure proof = make_failure(OTA_OK, "proof"),
                             told = make_failure(OTA_E_TLS, "bad certificate");
    struct settings settings = make_job_settings();

    reset_job_world();
    world.tells_version = true;
    settings.log = (struct log_settings){ONLINE};
    struct job *job = start_job(&settings);
    play_try(&(struct try){SENT, .message = ""});
    size_t before = strlen(world.story);
    world.phase = OTA_PHASE_PROOF;
    world.follow.on_verdict(&proof, world.follow.userdata);
    assert_non_null(world.is_asked);
    world.is_asked->callbacks.on_done(&told, world.is_asked->callbacks.userdata);
    assert_string_equal(
        world.story + before,
        CHECKED "tls 6 1000: the board has confirmed the upload, but bad certificate\ndone\n");
    job_free(job);
    assert_job_freed();

    reset_job_world();
    settings = make_job_settings();
    job = start_job(&settings);
    resolve_board(&(struct try){0});
    before = strlen(world.story);
    end_session_for(OTA_PHASE_PROOF, OTA_E_TLS, "bad certificate", OTA_CAUSE_OTHER_CERTIFICATE);
    assert_string_equal(
        world.story + before,
        "result tls 6 0: the board has confirmed the upload, but bad certificate\ndone\n");
    assert_int_equal(world.cause, OTA_CAUSE_OTHER_CERTIFICATE);
    job_free(job);
    assert_job_freed();
}

/* The board has confirmed the upload: what fails while its version is read leaves only that
 * unknown, and is no reason to ask for another password or to upload again. */
static void test_version_within_upload(void **state)
{
    (void)state;
    static const enum ota_error errors[] = {OTA_E_LOST, OTA_E_WRONG_PASSWORD, OTA_E_LOCAL};

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct settings settings = make_job_settings();

        reset_job_world();
        struct job *job = start_job(&settings);
        resolve_board(&(struct try){0});
        size_t before = strlen(world.story);
        end_session_for(OTA_PHASE_PROOF, errors[i], "no reply", OTA_CAUSE_PASSWORD_REJECTED);
        assert_string_equal(world.story + before,
                            "result unproven 12 0: the board has confirmed the upload, but it did "
                            "not tell its version: no reply\ndone\n");
        assert_int_equal(world.cause, OTA_CAUSE_NO_VERSION);
        job_free(job);
        assert_job_freed();
    }
}

/* -- the deadline -- */

static const struct {
    enum moment moment;
    int exit_status;
    const char *result; /* how the story goes on */
} deadline_rows[] = {
    {RESOLVING, 9, "deadline 9 0: the upload did not end in the 30 s of --deadline"},
    {PAUSING, 9,
     "deadline 9 0: the upload did not end in the 30 s of --deadline; before that: silence"},
    {PROMPTING, 9, "deadline 9 0: the upload did not end in the 30 s of --deadline"},
    {INVITING, 9, "deadline 9 0: the upload did not end in the 30 s of --deadline"},
    {SENDING, 9,
     "deadline 9 0: the upload did not end in the 30 s of --deadline; 0% of 1000 bytes were "
     "sent; the board does not start a sketch that was cut short"},
    {ALL_SENT, 11,
     "unknown 11 0: all 1000 bytes were sent, but the board's verdict did not come in the 30 s "
     "of --deadline"},
    {READING, 12,
     "unproven 12 0: the board has confirmed the upload, but the 30 s of --deadline were over "
     "before the proof came"},
    {PROVING, 12,
     "unproven 12 0: the board has confirmed the upload, but the 30 s of --deadline were over "
     "before the proof came"},
};

static void test_job_deadline(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof deadline_rows / sizeof *deadline_rows; i++) {
        struct settings settings = make_job_settings();
        char expected[256];

        reset_job_world();
        settings.fleet.deadline_us = 30 * INT64_C(1000000);
        if (deadline_rows[i].moment == PROVING)
            settings.log.expect = (struct expect *)&world;
        struct job *job = start_job(&settings);
        reach(deadline_rows[i].moment);

        virtual_time.now_us = 5 * MS + settings.fleet.deadline_us - 1;
        size_t before = strlen(world.story);
        virtual_time.due_us = -1; /* whatever was due before; nothing may end because of it */
        virtual_time.timer->on_due(virtual_time.timer->userdata);
        assert_null(strstr(world.story + before, "result"));

        virtual_time.now_us++;
        before = strlen(world.story);
        virtual_time.timer->on_due(virtual_time.timer->userdata);
        snprintf(expected, sizeof expected, "%sresult %s\ndone\n",
                 deadline_rows[i].moment == PROVING ? "follow ends\n" : "",
                 deadline_rows[i].result);
        assert_string_equal(world.story + before, expected);
        assert_int_equal(world.exit_status, deadline_rows[i].exit_status);

        assert_false(world.has_session || world.has_resolver || world.has_follow);
        assert_true(virtual_time.due_us < 0);
        job_free(job);
        assert_job_freed();
    }
}

/* The timer is armed for what comes first, and what broke off before is said. */
static void test_deadline_in_a_pause(void **state)
{
    (void)state;
    static const struct try lost = {
        .bytes = 600, .phase = OTA_PHASE_TRANSFER, .error = OTA_E_LOST, .message = "reset"};
    struct settings settings = make_job_settings();

    reset_job_world();
    settings.fleet.deadline_us = 2 * INT64_C(1000000);
    struct job *job = start_job(&settings);
    play_try(&lost);
    pass_pause();
    play_try(&lost);
    size_t before = strlen(world.story);
    assert_int_equal(virtual_time.due_us, 5 * MS + settings.fleet.deadline_us);
    world.phase = OTA_PHASE_TRANSFER;
    virtual_time_fire();
    assert_string_equal(world.story + before,
                        "result deadline 9 600: the upload did not end in the 2 s of --deadline; "
                        "before that: reset\ndone\n");
    job_free(job);
    assert_job_freed();
}

/* A log without end is no part of the upload, and needs no deadline. */
static void test_deadline_is_over_with_the_result(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    reset_job_world();
    settings.log.monitor = true;
    settings.fleet.deadline_us = 30 * INT64_C(1000000);
    struct job *job = start_job(&settings);
    play_try(&(struct try){SENT, .error = OTA_OK, .message = ""});
    assert_non_null(strstr(world.story, "result ok"));
    assert_true(world.has_follow);
    assert_true(virtual_time.due_us < 0);
    job_free(job);
    assert_job_freed();
}

/* Lines go to the board only while its log is followed. */
/* With --reject alone, the log is to say nothing in particular. */
static void test_only_rejects(void **state)
{
    (void)state;
    struct settings settings = {.log = {REJECT}};

    reset_job_world();
    struct job *job = start_job(&settings);
    play_try(&(struct try){SENT, .error = OTA_OK, .message = ""});
    assert_non_null(strstr(world.story,
                           "note the board has confirmed the upload; watching its log 30 s "
                           "for rejected lines\n"));
    job_free(job);
    assert_job_freed();
}

static void test_job_say(void **state)
{
    (void)state;
    struct settings settings = {.log = {MONITOR}};

    reset_job_world();
    assignment.image = NULL;
    struct job *job = start_job(&settings);
    assert_false(job_say(job, "early", 5));
    resolve_board(&(struct try){0});
    assert_true(job_say(job, "help", 4));
    assert_non_null(strstr(world.story, "say help\n"));
    job_end_log(job, true, 0);
    assert_non_null(
        strstr(world.story, "result unproven 12 0: its log was never reached: nothing listens\n"));
    job_end_log(job, false, 0);
    assert_non_null(
        strstr(world.story, "result ok 0 0: its log was never reached: nothing listens\n"));
    job_end_log(job, false, SIGTERM);
    assert_non_null(strstr(world.story, "result interrupted 143 0: interrupted by SIGTERM; its log "
                                        "was never reached: nothing listens\n"));
    world.follow_number = ECONNREFUSED;
    job_end_log(job, true, 0);
    assert_int_equal(world.cause, OTA_CAUSE_LOG_REFUSED);
    world.follow_number = EMFILE;
    job_end_log(job, true, 0);
    assert_non_null(strstr(world.story, "result internal 1 0: its log was never reached: "));
    job_free(job);
    assert_job_freed();
}

/* Somebody else follows this board already, by another name. */
static void test_withdrawn_log(void **state)
{
    (void)state;
    struct settings settings = {.log = {MONITOR}};
    reset_job_world();
    world.refuse_address = true;
    struct job *job = begin_follow(&settings, true, NULL);
    assert_string_equal(world.story, START "done\n");
    job_free(job);
    assert_job_freed();
}

static void test_job_no_memory(void **state)
{
    (void)state;
    struct settings settings = make_job_settings();

    reset_job_world();
    world.refuse_resolver = true;
    struct job *job = start_job(&settings);
    assert_string_equal(world.story,
                        "start kitchen.local\nresult internal 1 0: cannot look for the board: Too "
                        "many open files\ndone\n");
    job_free(job);

    reset_job_world();
    world.refuse_session = true;
    job = start_job(&settings);
    resolve_board(&(struct try){0});
    assert_non_null(strstr(world.story, "result internal 1 0: out of memory\ndone\n"));
    job_free(job);
    assert_job_freed();
}

static void test_log_of_the_board_that_answered(void **state)
{
    (void)state;
    static const struct try try = {
        .other = "240.0.0.1", .endpoint = 1, SENT, .error = OTA_OK, .message = ""};
    struct settings settings = make_job_settings();
    struct job *job;

    settings.log.monitor = true;
    settings.log.monitor_port = 23;
    reset_job_world();
    job = start_job(&settings);
    play_try(&try);
    assert_non_null(strstr(world.story, "follow 240.0.0.1:3232 after its restart\n"));
    job_free(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_stories),
        cmocka_unit_test(test_wait_bounds_the_search),
        cmocka_unit_test(test_every_outcome),
        cmocka_unit_test(test_session_config),
        cmocka_unit_test(test_objection),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_name_is_escaped),
        cmocka_unit_test(test_job_password),
        cmocka_unit_test(test_rejected_password),
        cmocka_unit_test(test_rejected_password_of_options),
        cmocka_unit_test(test_parked),
        cmocka_unit_test(test_late_password),
        cmocka_unit_test(test_withdrawn),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_turns_for_any_address),
        cmocka_unit_test(test_host_of_some_addresses),
        cmocka_unit_test(test_log_of_the_board_that_answered),
        cmocka_unit_test(test_job_signals),
        cmocka_unit_test(test_follow_stories),
        cmocka_unit_test(test_phase_of_image),
        cmocka_unit_test(test_interrupted_proof),
        cmocka_unit_test(test_other_certificate),
        cmocka_unit_test(test_expected_version),
        cmocka_unit_test(test_version_within_upload),
        cmocka_unit_test(test_only_rejects),
        cmocka_unit_test(test_job_say),
        cmocka_unit_test(test_withdrawn_log),
        cmocka_unit_test(test_job_no_memory),
        cmocka_unit_test(test_job_announcement),
        cmocka_unit_test(test_other_protocol),
        cmocka_unit_test(test_way),
        cmocka_unit_test(test_late_port),
        cmocka_unit_test(test_other_port),
        cmocka_unit_test(test_late_ports),
        cmocka_unit_test(test_interrupted_question),
        cmocka_unit_test(test_no_time_for_question),
        cmocka_unit_test(test_job_lost_verdict),
        cmocka_unit_test(test_job_deadline),
        cmocka_unit_test(test_deadline_in_a_pause),
        cmocka_unit_test(test_deadline_is_over_with_the_result),
    };
    return cmocka_run_group_tests(tests, open_service, close_service);
}
