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

static const int64_t RESOLVE_US = 10 * 1000000;
static const int64_t PROMPT_US = 110 * 1000000; /* a session waits for 120 s */

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
    struct resolver *resolver;
    struct session *session;
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
    complete.bytes = fleet->acknowledged;
    complete.total = fleet->config.image->size;
    complete.elapsed_us = now_us - fleet->start_us;
    complete.transfer_us = fleet->connected_us ? now_us - fleet->connected_us : 0;
    fleet->config.on_event(&complete, fleet->config.userdata);
}

static void on_session_event(const struct ota_event *event, void *userdata)
{
    emit(userdata, event);
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

static void on_session_done(struct session *session, const struct ota_failure *failure,
                            void *userdata)
{
    struct fleet *fleet = userdata;
    struct ota_failure result = *failure;
    enum ota_phase phase = session_phase(session);
    session_free(session);
    fleet->session = NULL;
    emit_result(fleet, phase, &result, 0);
    fleet->config.on_done(fleet->config.userdata);
}

static void on_typed(const char *answer, void *userdata)
{
    struct fleet *fleet = userdata;
    fleet->typed_password = answer ? strdup(answer) : NULL;
    prompt_free(fleet->prompt);
    fleet->prompt = NULL;
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
    const char *port_source;
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
        .password = options->password,
        .accept_timeout_us = options->timeout_us,
    };
    const struct session_callbacks callbacks = {.on_event = on_session_event,
                                                .on_password = on_password,
                                                .on_done = on_session_done,
                                                .userdata = fleet};
    fleet->port = choose_port(fleet, resolution->port, &port_source);
    config.port_source = port_source;
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
    struct ota_failure result = {.error = OTA_OK};
    if (failure)
        result = *failure;
    else
        start_session(fleet, resolution);
    resolver_free(fleet->resolver);
    fleet->resolver = NULL;
    if (fleet->session)
        return;
    if (!failure)
        fail(&result, OTA_E_INTERNAL, "out of memory");
    emit_result(fleet, OTA_PHASE_RESOLVE, &result, 0);
    fleet->config.on_done(fleet->config.userdata);
}

struct fleet *fleet_start(const struct fleet_config *config)
{
    struct fleet *fleet = calloc(1, sizeof *fleet);
    if (!fleet)
        return NULL;
    const struct target *target = &config->options->target;
    fleet->config = *config;
    fleet->start_us = loop_now_us();
    escape_string(fleet->name, sizeof fleet->name, target->name);
    fleet->mdns = mdns_new(config->poll_api);
    if (fleet->mdns)
        fleet->resolver = resolver_start(config->poll_api, fleet->mdns, target, !target->port,
                                         RESOLVE_US, on_resolved, fleet);
    if (!fleet->resolver) {
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
    fail(&failure, OTA_E_INTERRUPTED, "interrupted by %s%s",
         signal_number == SIGINT ? "SIGINT" : "SIGTERM",
         all_sent ? "; the whole image had been sent, so the board may install it" : "");
    emit_result(fleet, phase, &failure, signal_number);
}

void fleet_interrupt(struct fleet *fleet, int signal_number)
{
    prompt_free(fleet->prompt);
    fleet->prompt = NULL;
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
    if (fleet->typed_password)
        digest_cleanse(fleet->typed_password, strlen(fleet->typed_password));
    free(fleet->typed_password);
    free(fleet);
}
