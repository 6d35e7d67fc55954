/*
 * sketch.c: sketch servers (JAndrassy's ArduinoOTA, WiFi101OTA) as one of the protocols of
 * upload.h.
 *
 *   -> POST /sketch, no body    <- 400: the password is right; 401: it is wrong
 *   -> POST /data, no body      <- 400 or 401: an ESP8266 or ESP32; 404: another chip
 *   -> POST /sketch, the image  <- 200: every byte has arrived
 *
 * The server tells about a wrong password only after the whole image. The first request finds that
 * out at once: it is rejected before the storage is opened. It also tells what the server is. Most
 * of these boards announce no chip, and none of them checks an image. The second request is sent if
 * the image is wrong for one of the two answers.
 */
#include "base/diag.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/units.h"
#include "discovery/board_list.h"
#include "discovery/resolve.h"
#include "http/authority.h"
#include "http/failure.h"
#include "http/http_client.h"
#include "image/image.h"
#include "image/image_fit.h"
#include "image/kind.h"
#include "upload/endpoint_failures.h"
#include "upload/protocols.h"
#include "upload/sketch/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_SKETCH = 65280 };

/* The reply is followed by two pauses of half a second; then the board restarts. */
static const int64_t SKETCH_RESTART_US = MILLISECONDS(2500);

/* The servers know no other user. */
static const char SKETCH_USER[] = "arduino";

static const struct upload_port sketch_ports[] = {
    {"", PORT_SKETCH, "the port of sketch servers", false},
};

struct sketch_service {
    struct upload_service service;
    struct http_client *client;
};

/* All but the first three members begin as zero with each attempt. */
struct sketch {
    struct upload upload;
    struct loop_timer timer;
    bool is_basic_told;

    /* Where the attempt stands. */
    struct upload_attempt attempt;
    enum ota_phase phase;
    struct http_request *request; /* NULL: none is open */
    bool is_posted;               /* the upload has begun */
    bool is_all_sent;             /* the whole image has left this host */
    bool is_acknowledged;

    /* Where the board is. */
    size_t endpoint;                   /* they are tried in their order */
    struct endpoint_failures failures; /* while it is not heard */
    bool is_heard;                     /* it has replied at this endpoint */
    char authority[HTTP_AUTHORITY_MAX];

    /* Authentication. */
    const char *password;
    bool is_password_awaited;
    char *authorization; /* the header of the request; see secret.h */

    const char *path; /* of the request */
    struct multipart body;
};

static void knock(struct sketch *sketch);
static void knock_at(struct sketch *sketch, const char *path);

/* -- the service -- */

static bool sketch_serves(const struct board *board)
{
    return board->service == SERVICE_ARDUINO && board->port == PORT_SKETCH;
}

static void sketch_close(struct upload_service *service)
{
    struct sketch_service *sketch = (struct sketch_service *)service;

    http_client_free(sketch->client);
    free(sketch);
}

static struct upload_service *sketch_open(struct loop *loop, const struct upload_settings *settings,
                                          struct ota_failure *failure)
{
    struct sketch_service *sketch = calloc(1, sizeof *sketch);

    if (!sketch) {
        ota_fail_no_memory(failure);
        return NULL;
    }
    sketch->service =
        (struct upload_service){.protocol = &sketch_protocol, .loop = loop, .settings = settings};
    sketch->client = http_client_new(loop, failure);
    if (sketch->client)
        return &sketch->service;
    free(sketch);
    return NULL;
}

static const struct upload_settings *sketch_settings_of(const struct sketch *sketch)
{
    return sketch->upload.config.service->settings;
}

/* -- events -- */

static void sketch_emit(struct sketch *sketch, struct ota_event event)
{
    event.phase = sketch->phase;
    sketch->upload.callbacks.on_event(&event, sketch->upload.callbacks.userdata);
}

static void sketch_note(struct sketch *sketch, const char *message)
{
    sketch_emit(sketch, (struct ota_event){.type = OTA_EVENT_NOTE, .message = message});
}

/* Ends the attempt. The sketch may have been freed then. */
static void sketch_finish(struct sketch *sketch, const struct ota_failure *failure)
{
    loop_timer_stop(&sketch->timer);
    sketch->upload.callbacks.on_done(failure, sketch->upload.callbacks.userdata);
}

static const char *sketch_place(const struct sketch *sketch, char text[ENDPOINTS_TEXT_MAX])
{
    return endpoints_text(text, sketch->attempt.endpoints, sketch->endpoint);
}

static void sketch_choose_endpoint(struct sketch *sketch, size_t endpoint)
{
    const struct address address = endpoints_get(sketch->attempt.endpoints, endpoint);

    sketch->endpoint = endpoint;
    http_authority(sketch->authority, &address, NULL, 80);
}

/* -- requests -- */

static const char path_sketch[] = "/sketch", path_data[] = "/data";

static const char *sketch_path(const struct sketch *sketch)
{
    return sketch_settings_of(sketch)->command == OTA_COMMAND_FILESYSTEM ? path_data : path_sketch;
}

/* The request is for the path of what is not sent. */
static bool is_asking_for_chip(const struct sketch *sketch)
{
    return sketch->path != sketch_path(sketch);
}

/* Starts a POST with sketch->body. If that fails, the attempt ends. */
static void sketch_post(struct sketch *sketch, const char *path,
                        const struct http_callbacks *callbacks, int64_t reply_us)
{
    static const struct challenge basic = {.scheme = CHALLENGE_BASIC};
    struct sketch_service *service = (struct sketch_service *)sketch->upload.config.service;
    const struct upload_settings *settings = sketch_settings_of(sketch);
    const struct address address = endpoints_get(sketch->attempt.endpoints, sketch->endpoint);
    struct ota_failure failure;
    struct auth_answer given;

    sketch->path = path;
    const char *password = is_asking_for_chip(sketch) || !sketch->password ? "" : sketch->password;
    const struct challenge_question question = {.challenge = &basic,
                                                .user = SKETCH_USER,
                                                .password = password,
                                                .method = "POST",
                                                .uri = path};
    secret_free(sketch->authorization);
    sketch->authorization = challenge_answer(&question, &given, &failure);
    const struct http_request_config config = {
        .board = sketch->upload.config.board,
        .address = &address,
        .source = &settings->source,
        .authority = sketch->authority,
        .path = path,
        .authorization = sketch->authorization,
        .body = &sketch->body,
        .connect_us = HTTP_CONNECT_US,
        .reply_us = reply_us,
    };
    diag_debug("%s: POST http://%s%s", config.board, config.authority, config.path);
    if (sketch->authorization) {
        sketch->request = http_request_start(service->client, &config, callbacks, &failure);
        if (sketch->request)
            return;
    }
    sketch_finish(sketch, &failure);
}

/* -- the upload -- */

static void on_sketch_connected(void *userdata)
{
    struct sketch *sketch = userdata;

    trust_connected(&sketch->upload.trust);
    sketch_emit(sketch, (struct ota_event){.type = OTA_EVENT_CONNECTED});
}

static void on_sketch_progress(size_t acknowledged, void *userdata)
{
    sketch_emit(userdata, (struct ota_event){.type = OTA_EVENT_PROGRESS, .bytes = acknowledged});
}

static void on_sketch_done(const struct http_outcome *outcome, void *userdata)
{
    struct sketch *sketch = userdata;
    struct http_request *request = sketch->request;
    struct ota_failure failure;

    sketch->request = NULL;
    sketch->is_all_sent = outcome->is_sent;
    sketch->is_acknowledged = outcome->is_acknowledged;
    if (outcome->end == HTTP_REPLIED)
        sketch_judge_upload(&failure, outcome->reply, outcome->is_acknowledged);
    else
        http_fail_upload(&failure, outcome, sketch->attempt.image->size);
    if (failure.error == OTA_OK)
        ota_fail(&failure, OTA_OK, "such a board does not check it; --online waits for its return");
    sketch_finish(sketch, &failure);
    http_request_free(request);
}

static void send_sketch(struct sketch *sketch)
{
    const struct http_callbacks callbacks = {.on_connected = on_sketch_connected,
                                             .on_progress = on_sketch_progress,
                                             .on_done = on_sketch_done,
                                             .userdata = sketch};
    const struct image *image = sketch->attempt.image;

    multipart_make_raw(&sketch->body, "application/octet-stream", image->data, image->size);
    sketch->phase = OTA_PHASE_TRANSFER;
    sketch->is_posted = true;
    sketch_post(sketch, sketch_path(sketch), &callbacks, HTTP_RESULT_US);
}

/* -- the chip -- */

/* The kind of the board, by its announcement. */
static struct kind find_kind(const struct sketch *sketch)
{
    const struct resolution *found = sketch->attempt.found;
    const char *names[] = {found->instance};
    struct kind kind;

    kind_find(&kind, found->type, names, 1);
    return kind;
}

/* Whether it depends on the board's chip if the image may be sent. */
static bool must_ask_for_chip(const struct sketch *sketch)
{
    const struct upload_settings *settings = sketch_settings_of(sketch);
    const struct image *image = sketch->attempt.image;
    char reason[IMAGE_FIT_REASON_MAX];

    if (settings->command == OTA_COMMAND_FILESYSTEM || settings->force || *find_kind(sketch).proven)
        return false;
    return image_fit_sketch_server(reason, image, true) == IMAGE_FIT_REFUSED ||
           image_fit_sketch_server(reason, image, false) == IMAGE_FIT_REFUSED;
}

/* The board checks the path before the password, which this request does not need. */
static void take_chip(struct sketch *sketch, enum sketch_door door)
{
    bool takes_filesystem = door == SKETCH_DOOR_OPEN || door == SKETCH_DOOR_LOCKED;
    char reason[IMAGE_FIT_REASON_MAX];
    struct ota_failure failure;

    if (door == SKETCH_DOOR_FOREIGN ||
        image_fit_sketch_server(reason, sketch->attempt.image, takes_filesystem) ==
            IMAGE_FIT_SUITS) {
        send_sketch(sketch);
        return;
    }
    ota_fail(&failure, OTA_E_IMAGE, "%s%s", reason, image_fit_override(false));
    sketch_finish(sketch, &failure);
}

/* -- the door -- */

static bool has_password(const struct sketch *sketch)
{
    return sketch->password && *sketch->password;
}

static void tell_accepted(struct sketch *sketch)
{
    if (has_password(sketch))
        sketch_emit(sketch, (struct ota_event){.type = OTA_EVENT_AUTHENTICATED,
                                               .scheme = "Basic",
                                               .evidence = "reply"});
    else
        sketch_note(sketch, "the board's password is empty: whoever is in its network can replace "
                            "its firmware");
}

/* Before somebody is asked for the password, and before it is sent. */
static void tell_basic(struct sketch *sketch)
{
    if (sketch->is_basic_told)
        return;
    sketch->is_basic_told = true;
    sketch_emit(sketch, (struct ota_event){.type = OTA_EVENT_NOTE,
                                           .message = CHALLENGE_BASIC_NOTE,
                                           .scheme = "Basic",
                                           .is_important = true});
}

static void ask_for_sketch_password(struct sketch *sketch)
{
    sketch->is_password_awaited = true;
    tell_basic(sketch);
    sketch->upload.callbacks.on_password(sketch->upload.callbacks.userdata);
}

static void fail_locked_door(struct sketch *sketch)
{
    struct ota_failure failure;

    ota_fail(&failure, OTA_E_WRONG_PASSWORD, "the board rejected the password");
    failure.cause = OTA_CAUSE_PASSWORD_REJECTED;
    sketch_finish(sketch, &failure);
}

static void fail_without_door(struct sketch *sketch, const struct http_reply *reply,
                              enum sketch_door door)
{
    char place[ENDPOINTS_TEXT_MAX];
    struct ota_failure failure;

    sketch_place(sketch, place);
    if (door == SKETCH_DOOR_ABSENT && sketch_path(sketch) == path_data)
        ota_fail(
            &failure, OTA_E_REFUSED,
            "the board takes no filesystem images: of those with a sketch server, only ESP8266 "
            "and ESP32 boards do");
    else
        ota_fail(&failure, OTA_E_NO_PAGE,
                 "%s answers, but is not a sketch server (status %u to POST %s)", place,
                 reply->status, sketch_path(sketch));
    sketch_finish(sketch, &failure);
}

static void take_door(struct sketch *sketch, const struct http_reply *reply)
{
    enum sketch_door door = sketch_judge_door(reply);
    struct trust *trust = &sketch->upload.trust;
    struct ota_failure failure;

    if (!sketch->is_heard)
        sketch->upload.callbacks.on_endpoint(sketch->endpoint, sketch->upload.callbacks.userdata);
    sketch->is_heard = true;
    sketch->phase = OTA_PHASE_AUTHENTICATE;
    if (door == SKETCH_DOOR_OPEN && !has_password(sketch) && !trust_unasked(trust, &failure)) {
        sketch_finish(sketch, &failure);
    } else if (door == SKETCH_DOOR_OPEN) {
        tell_accepted(sketch);
        if (must_ask_for_chip(sketch))
            knock_at(sketch, path_data);
        else
            send_sketch(sketch);
    } else if (door == SKETCH_DOOR_LOCKED && has_password(sketch)) {
        fail_locked_door(sketch);
    } else if (door == SKETCH_DOOR_LOCKED) {
        trust_challenged(trust, TRUST_PASSWORD);
        ask_for_sketch_password(sketch);
    } else {
        fail_without_door(sketch, reply, door);
    }
}

/* Whether the request that has ended gave the password to a host. */
static bool has_given_password(const struct sketch *sketch, const struct http_outcome *outcome)
{
    return outcome->end != HTTP_NOT_CONNECTED && has_password(sketch) &&
           !is_asking_for_chip(sketch);
}

/* A request without a body got no reply: tries the next address, unless the board has replied at
 * one, this was the last, or this one has the password: another one may be another host. */
static void take_silence(struct sketch *sketch, const struct http_outcome *outcome)
{
    const bool is_looked_for = !sketch->is_heard && outcome->end != HTTP_LOCAL;
    const struct endpoints *endpoints = sketch->attempt.endpoints;
    char place[ENDPOINTS_TEXT_MAX], words[32];
    struct ota_failure failure;

    snprintf(words, sizeof words, "POST %s", sketch->path);
    http_fail_request(&failure, outcome, sketch_place(sketch, place), words,
                      sketch_settings_of(sketch)->timeout_us, false);
    if (is_looked_for)
        endpoint_failures_add(&sketch->failures, sketch->endpoint,
                              outcome->end == HTTP_NOT_CONNECTED ? outcome->reason : 0, &failure);

    if (is_looked_for && !has_given_password(sketch, outcome) &&
        sketch->endpoint + 1 < endpoints_count(endpoints)) {
        sketch_choose_endpoint(sketch, sketch->endpoint + 1);
        knock(sketch);
        return;
    }
    if (is_looked_for)
        sketch->upload.callbacks.on_blamed(
            endpoint_failures_describe(&sketch->failures, endpoints, HTTP_CONNECT_US, &failure),
            sketch->upload.callbacks.userdata);
    sketch_finish(sketch, &failure);
}

static void on_knocked(const struct http_outcome *outcome, void *userdata)
{
    struct sketch *sketch = userdata;
    struct http_request *request = sketch->request;

    sketch->request = NULL;
    if (has_given_password(sketch, outcome)) {
        const struct address address = endpoints_get(sketch->attempt.endpoints, sketch->endpoint);

        trust_answered(&sketch->upload.trust, TRUST_PASSWORD);
        trust_told(&sketch->upload.trust, &address);
    }
    if (outcome->end == HTTP_REPLIED && is_asking_for_chip(sketch)) {
        take_chip(sketch, sketch_judge_door(outcome->reply));
    } else if (outcome->end == HTTP_REPLIED) {
        take_door(sketch, outcome->reply);
    } else {
        take_silence(sketch, outcome);
    }
    http_request_free(request);
}

/* Asks with a request that has no body. */
static void knock_at(struct sketch *sketch, const char *path)
{
    const struct http_callbacks callbacks = {.on_done = on_knocked, .userdata = sketch};

    multipart_make_raw(&sketch->body, "application/octet-stream", NULL, 0);
    sketch_post(sketch, path, &callbacks, sketch_settings_of(sketch)->timeout_us);
}

static void knock(struct sketch *sketch)
{
    const struct trust *trust = &sketch->upload.trust;
    struct ota_failure failure;

    if (has_password(sketch) && trust_fail_spent(trust, TRUST_PASSWORD, &failure)) {
        sketch_finish(sketch, &failure);
        return;
    }
    if (has_password(sketch))
        tell_basic(sketch);
    knock_at(sketch, sketch_path(sketch));
}

/* -- before anything is sent -- */

/* Of these boards, only an ESP8266 unpacks; the others would store the image as it is. */
static bool may_send_packed(const struct sketch *sketch)
{
    return !image_is_compressed(sketch->attempt.image) || sketch_settings_of(sketch)->force ||
           strcmp(find_kind(sketch).proven, "esp8266") == 0;
}

static void on_sketch_timer(void *userdata)
{
    struct sketch *sketch = userdata;
    struct ota_failure failure;

    if (sketch->upload.trust.least != AUTH_MD5)
        ota_fail(&failure, OTA_E_WEAK_AUTH,
                 "a sketch server takes the password only in plain text (Basic), but --min-auth "
                 "allows nothing weaker than SHA-256");
    else if (!may_send_packed(sketch))
        ota_fail(&failure, OTA_E_IMAGE,
                 "the image is compressed, and a board with a sketch server does not unpack it "
                 "(only an ESP8266 does); send it uncompressed%s",
                 image_fit_override(false));
    else {
        knock(sketch);
        return;
    }
    sketch_finish(sketch, &failure);
}

/* -- an attempt -- */

static struct upload *sketch_create(const struct upload_config *config)
{
    struct sketch *sketch = calloc(1, sizeof *sketch);

    if (!sketch)
        return NULL;
    loop_timer_init(&sketch->timer, config->service->loop, on_sketch_timer, sketch);
    return &sketch->upload;
}

static void sketch_stop(struct upload *upload)
{
    struct sketch *sketch = (struct sketch *)upload;

    loop_timer_stop(&sketch->timer);
    http_request_free(sketch->request);
    sketch->request = NULL;
    secret_free(sketch->authorization);
    sketch->authorization = NULL;
    sketch->is_password_awaited = false;
}

static bool sketch_start(struct upload *upload, const struct upload_attempt *attempt)
{
    struct sketch *sketch = (struct sketch *)upload;

    *sketch = (struct sketch){.upload = sketch->upload,
                              .timer = sketch->timer,
                              .is_basic_told = sketch->is_basic_told,
                              .attempt = *attempt,
                              .phase = OTA_PHASE_ACCEPT,
                              .password = attempt->password};
    trust_begin_attempt(&upload->trust);
    sketch_choose_endpoint(sketch, 0);
    loop_timer_start(&sketch->timer, 0);
    return true;
}

static void sketch_set_password(struct upload *upload, const char *password)
{
    struct sketch *sketch = (struct sketch *)upload;
    struct ota_failure failure;

    sketch->password = password;
    if (!sketch->is_password_awaited)
        return;

    sketch->is_password_awaited = false;
    if (password && *password) {
        knock(sketch);
        return;
    }
    ota_fail(&failure, OTA_E_PASSWORD_NEEDED,
             "the board asks for a password, and no password was given");
    sketch_finish(sketch, &failure);
}

/* -- facts -- */

static enum ota_phase sketch_phase(const struct upload *upload)
{
    const struct sketch *sketch = (const struct sketch *)upload;
    bool is_taken =
        sketch->request ? http_request_is_acknowledged(sketch->request) : sketch->is_acknowledged;

    if (!sketch->is_posted)
        return sketch->phase;
    return is_taken ? OTA_PHASE_RESULT : OTA_PHASE_TRANSFER;
}

static bool sketch_all_sent(const struct upload *upload)
{
    const struct sketch *sketch = (const struct sketch *)upload;

    if (sketch->is_posted && sketch->request)
        return http_request_is_sent(sketch->request);
    return sketch->is_all_sent;
}

static enum upload_proof sketch_proof(const struct upload *upload)
{
    (void)upload;
    return UPLOAD_PROOF_RECEIVED;
}

static int64_t sketch_restart_us(const struct upload *upload)
{
    (void)upload;
    return SKETCH_RESTART_US;
}

/* They restart with an image that they cannot start, too. */
static bool sketch_restart_proves(const struct kind_family *family)
{
    (void)family;
    return false;
}

const struct upload_protocol sketch_protocol = {
    .name = "sketch",
    .title = "a sketch server",
    .announced_cause = OTA_CAUSE_ANNOUNCES_SKETCH,
    .ports = sketch_ports,
    .port_count = sizeof sketch_ports / sizeof *sketch_ports,
    .services = SERVICES_ARDUINO,
    .is_announced = true,
    .is_unchecked = true,
    .serves = sketch_serves,
    .open = sketch_open,
    .close = sketch_close,
    .create = sketch_create,
    .start = sketch_start,
    .stop = sketch_stop,
    .set_password = sketch_set_password,
    .phase = sketch_phase,
    .all_sent = sketch_all_sent,
    .proof = sketch_proof,
    .restart_us = sketch_restart_us,
    .restart_proves = sketch_restart_proves,
};
