/*
 * fleet.c: one job per board: resolve the name, choose the port, run the session, report the
 * result.
 *
 * It opens no socket and prints nothing; what the boards say is session.c's business.
 */
#include "fleet.h"

#include "error.h"
#include "escape.h"
#include "loop.h"
#include "mdns.h"
#include "prompt.h"
#include "resolve.h"
#include "session.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t RESOLVE_US = 10 * INT64_C(1000000);
static const int64_t PROMPT_US = 110 * INT64_C(1000000); /* a session waits for 120 s */
static const int64_t PAUSE_MIN_US = 1000000; /* a lost connection: idle again after 1.1 s */
static const int64_t PAUSE_MAX_US = 5000000;

/* Lock-step: what the boards' own upload tools send before they wait. */
enum { BLOCK_8266 = 1460, BLOCK_ESP32 = 1024 };

struct fleet {
    struct fleet_config config;
    struct mdns *mdns;
    struct prompt *prompt;
    char *typed_password;

    /* The one board. */
    char name[4 * TARGET_NAME_MAX]; /* escaped */
    char address[ADDRESS_TEXT_MAX];
    uint16_t port;
    const char *source;
    const char *port_source;
    struct resolution found; /* by the last attempt that found the board */
    struct resolver *resolver;
    struct session *session;
    AvahiTimeout *pause; /* before the next attempt */
    unsigned attempt;    /* counts from 1 */
    size_t block;        /* lock-step; 0: streaming */
    int64_t start_us;
    int64_t connected_us; /* 0: not yet */
    size_t acknowledged;
    bool done;
    int exit_status;
};

static void emit(struct fleet *fleet, const struct ota_event *event)
{
    struct ota_event complete = *event;
    int64_t now_us = loop_now_us();
    if (event->type == OTA_EVENT_CONNECTED)
        fleet->connected_us = now_us;
    if (event->type == OTA_EVENT_PROGRESS)
        fleet->acknowledged = event->bytes;
    complete.board = fleet->name;
    complete.address = *fleet->address ? fleet->address : NULL;
    complete.port = fleet->port;
    complete.source = fleet->source;
    complete.port_source = fleet->port_source;
    complete.bytes = fleet->acknowledged;
    complete.total = fleet->config.image->size;
    complete.elapsed_us = now_us - fleet->start_us;
    complete.transfer_us = fleet->connected_us ? now_us - fleet->connected_us : 0;
    fleet->config.on_event(&complete, fleet->config.event_userdata);
}

static void on_session_event(const struct ota_event *event, void *userdata)
{
    emit(userdata, event);
}

static size_t lockstep_block(const struct fleet *fleet)
{
    if (fleet->config.options->block)
        return fleet->config.options->block;
    return fleet->config.image->family == IMAGE_ESP32 ? BLOCK_ESP32 : BLOCK_8266;
}

static void emit_result(struct fleet *fleet, enum ota_phase phase,
                        const struct ota_failure *failure, int signal_number)
{
    fleet->done = true;
    fleet->exit_status = ota_error_exit_status(failure->error, signal_number);
    emit(fleet, &(struct ota_event){.type = OTA_EVENT_RESULT,
                                    .phase = phase,
                                    .failure = failure,
                                    .exit_status = fleet->exit_status});
}

static int64_t pause_us(unsigned attempt)
{
    int64_t doubled_us = PAUSE_MIN_US << (attempt < 4 ? attempt - 1 : 3);
    return doubled_us < PAUSE_MAX_US ? doubled_us : PAUSE_MAX_US;
}

static void try_again(struct fleet *fleet, enum ota_phase phase, const struct ota_failure *failure)
{
    char message[OTA_MESSAGE_MAX + 128];
    int64_t wait_us = pause_us(fleet->attempt);
    /* A board that aborts with unread data queued resets, and its reason is lost; in lock-step
     * nothing is queued and the reason arrives. */
    bool silent_death = failure->error == OTA_E_LOST || failure->error == OTA_E_STALLED;
    if (silent_death && !fleet->block)
        fleet->block = lockstep_block(fleet);
    snprintf(message, sizeof message, "%s: %s; attempt %u of %u%s in %.0f s", ota_phase_name(phase),
             failure->message, fleet->attempt + 1, fleet->config.options->retries + 1,
             fleet->block ? ", in lock-step," : "", (double)wait_us / 1e6);
    emit(fleet, &(struct ota_event){.type = OTA_EVENT_NOTE, .phase = phase, .message = message});
    loop_arm(fleet->config.poll_api, &fleet->pause, wait_us, NULL, NULL);
}

/* The end of one attempt, and perhaps of the work. */
static void conclude(struct fleet *fleet, enum ota_phase phase, const struct ota_failure *failure)
{
    if (ota_error_is_transient(failure->error) &&
        fleet->attempt <= fleet->config.options->retries) {
        try_again(fleet, phase, failure);
        return;
    }
    emit_result(fleet, phase, failure, 0);
    fleet->config.on_done(fleet->config.done_userdata);
}

static void dismiss_prompt(struct fleet *fleet)
{
    prompt_free(fleet->prompt);
    fleet->prompt = NULL;
}

/* A board may hang up while somebody still types the password that it asked for. */
static void on_session_done(struct session *session, const struct ota_failure *failure,
                            void *userdata)
{
    struct fleet *fleet = userdata;
    struct ota_failure result = *failure;
    enum ota_phase phase = session_phase(session);
    dismiss_prompt(fleet);
    session_free(session);
    fleet->session = NULL;
    conclude(fleet, phase, &result);
}

static void on_typed(const char *answer, void *userdata)
{
    struct fleet *fleet = userdata;
    fleet->typed_password = answer ? strdup(answer) : NULL;
    dismiss_prompt(fleet);
    session_set_password(fleet->session, fleet->typed_password);
}

static void on_password(struct session *session, void *userdata)
{
    struct fleet *fleet = userdata;
    char text[sizeof fleet->name + 32];
    snprintf(text, sizeof text, "Password of %s: ", fleet->name);
    fleet->prompt = prompt_start(fleet->config.poll_api, text, PROMPT_US, on_typed, fleet);
    if (!fleet->prompt)
        session_set_password(session, NULL);
}

static const char *default_port_source(const struct image *image)
{
    switch (image->family) {
    case IMAGE_ESP8266:
        return "the default of ESP8266 boards";
    case IMAGE_ESP32:
        return "the default of ESP32 boards";
    case IMAGE_UNKNOWN:
        break;
    }
    return "the ESP8266 default, as the image names no chip";
}

/* The port: as given; else as announced; else what boards of the image's family listen on. */
static uint16_t choose_port(const struct fleet *fleet, uint16_t announced, const char **source)
{
    uint16_t given = fleet->config.options->target.port;
    if (given) {
        *source = "as given";
        return given;
    }
    if (announced) {
        *source = "as announced by mDNS";
        return announced;
    }
    *source = default_port_source(fleet->config.image);
    return image_default_port(fleet->config.image);
}

static void start_session(struct fleet *fleet, const struct resolution *resolution)
{
    const struct options *options = fleet->config.options;
    struct session_config config = {
        .poll_api = fleet->config.poll_api,
        .listener = fleet->config.listener,
        .image = fleet->config.image,
        .command = options->command,
        .board = fleet->name,
        .address = resolution->addresses[0],
        .source = options->has_source ? &options->source : NULL,
        .peer = options->has_peer ? &options->peer : NULL,
        .peer_any = options->peer_any,
        .md5_target = options->md5_target,
        .password = fleet->typed_password ? fleet->typed_password : options->password,
        .accept_timeout_us = options->timeout_us,
        .block = fleet->block,
    };
    const struct session_callbacks callbacks = {.on_event = on_session_event,
                                                .on_password = on_password,
                                                .on_done = on_session_done,
                                                .userdata = fleet};
    fleet->port = choose_port(fleet, resolution->port, &fleet->port_source);
    config.port_source = fleet->port_source;
    address_text(fleet->address, &config.address);
    address_set_port(&config.address, fleet->port);
    fleet->source = resolution->source;
    emit(fleet, &(struct ota_event){.type = OTA_EVENT_RESOLVED, .phase = OTA_PHASE_RESOLVE});
    fleet->session = session_start(&config, &callbacks);
}

static void on_resolved(const struct resolution *resolution, const struct ota_failure *failure,
                        void *userdata)
{
    struct fleet *fleet = userdata;
    struct ota_failure result;
    if (failure)
        result = *failure;
    else
        fail(&result, OTA_E_INTERNAL, "out of memory");
    if (resolution)
        fleet->found = *resolution;
    else
        fleet->found.source = "found earlier";
    resolver_free(fleet->resolver);
    fleet->resolver = NULL;
    if (fleet->found.count)
        start_session(fleet, &fleet->found);
    if (!fleet->session)
        conclude(fleet, OTA_PHASE_RESOLVE, &result);
}

/* The name is resolved anew each time: a board that has restarted may have another address. If it
 * is not found any more, the one that it had is as good as any. */
static int start_attempt(struct fleet *fleet)
{
    const struct target *target = &fleet->config.options->target;
    fleet->attempt++;
    fleet->connected_us = 0;
    fleet->acknowledged = 0;
    fleet->resolver = resolver_start(fleet->config.poll_api, fleet->mdns, target, !target->port,
                                     RESOLVE_US, on_resolved, fleet);
    return fleet->resolver ? 0 : -1;
}

static void on_pause_over(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    struct fleet *fleet = userdata;
    struct ota_failure failure;
    if (start_attempt(fleet) == 0)
        return;
    fail(&failure, OTA_E_INTERNAL, "out of memory");
    conclude(fleet, OTA_PHASE_RESOLVE, &failure);
}

struct fleet *fleet_start(const struct fleet_config *config)
{
    struct fleet *fleet = calloc(1, sizeof *fleet);
    if (!fleet)
        return NULL;
    fleet->config = *config;
    fleet->start_us = loop_now_us();
    escape_string(fleet->name, sizeof fleet->name, config->options->target.name);
    if (config->options->lockstep)
        fleet->block = lockstep_block(fleet);
    fleet->mdns = mdns_new(config->poll_api);
    if (!fleet->mdns || loop_arm(config->poll_api, &fleet->pause, -1, on_pause_over, fleet) < 0 ||
        start_attempt(fleet) < 0) {
        fleet_free(fleet);
        return NULL;
    }
    emit(fleet, &(struct ota_event){.type = OTA_EVENT_START, .phase = OTA_PHASE_RESOLVE});
    return fleet;
}

static void interrupt_board(struct fleet *fleet, int signal_number)
{
    struct ota_failure failure;
    enum ota_phase phase = fleet->session ? session_phase(fleet->session) : OTA_PHASE_RESOLVE;
    bool all_sent = fleet->session && session_all_sent(fleet->session);
    session_free(fleet->session);
    fleet->session = NULL;
    resolver_free(fleet->resolver);
    fleet->resolver = NULL;
    loop_arm(fleet->config.poll_api, &fleet->pause, -1, NULL, NULL);
    fail(&failure, OTA_E_INTERRUPTED, "interrupted by %s%s",
         signal_number == SIGINT ? "SIGINT" : "SIGTERM",
         all_sent ? "; the whole image had been sent, so the board may install it" : "");
    emit_result(fleet, phase, &failure, signal_number);
}

void fleet_interrupt(struct fleet *fleet, int signal_number)
{
    dismiss_prompt(fleet);
    if (!fleet->done)
        interrupt_board(fleet, signal_number);
}

int fleet_exit_status(const struct fleet *fleet)
{
    return fleet->exit_status;
}

void fleet_free(struct fleet *fleet)
{
    if (!fleet)
        return;
    prompt_free(fleet->prompt);
    resolver_free(fleet->resolver);
    session_free(fleet->session);
    mdns_free(fleet->mdns);
    if (fleet->pause)
        fleet->config.poll_api->timeout_free(fleet->pause);
    if (fleet->typed_password)
        digest_cleanse(fleet->typed_password, strlen(fleet->typed_password));
    free(fleet->typed_password);
    free(fleet);
}
