/*
 * espota.c: ArduinoOTA as one of the protocols of upload.h. Each attempt is a session (session.h);
 * what the board got and showed in earlier ones is kept here.
 */
#include "base/diag.h"
#include "base/error.h"
#include "base/units.h"
#include "base/work_queue.h"
#include "discovery/board_list.h"
#include "discovery/resolve.h"
#include "image/image_fit.h"
#include "image/kind.h"
#include "upload/espota/espota_settings.h"
#include "upload/espota/session.h"
#include "upload/protocols.h"

#include <stdlib.h>

/* Ports of other software that announces the same service, but takes a sketch by HTTP. */
enum { PORT_HTTP = 80, PORT_HTTP_SKETCH = 65280 };

enum { BLOCK_8266 = 1460, BLOCK_ESP32 = 1024 }; /* those of the boards' own upload tools */

/* After its OK, an ESP32 restarts within 110 ms, the 8266 family within a second. */
static const int64_t RESTART_ESP32_US = MILLISECONDS(800), RESTART_8266_US = MILLISECONDS(2500);

struct espota_service {
    struct upload_service service;
    struct listener *listener;
    struct work_queue *work_queue; /* computes one answer to a challenge per turn of the loop */
    struct address_set sha256_addresses; /* see struct session_config */
};

struct espota {
    struct upload upload;
    struct session *session;
    const struct image *image; /* of the last attempt; NULL: none yet */
    size_t block;              /* lock-step; 0: streaming */
    unsigned notices;          /* enum notice: those that the sessions gave */
    char sha256_objection[IMAGE_FIT_REASON_MAX];
};

static const struct upload_port espota_ports[] = {
    {"esp8266", KIND_PORT_ESP8266, "the default port of ESP8266 boards", false},
    {"esp32*", KIND_PORT_ESP32, "the default port of ESP32 boards", false},
    {"rp*", KIND_PORT_PICO, "the default port of Pico W boards", false},
    {"ch32h4", KIND_PORT_PICO, "the default port of CH32H4 boards", false},
};

static const struct espota_settings *espota_settings_of(const struct espota *espota)
{
    return espota->upload.config.service->settings->espota;
}

static struct espota_service *espota_service_of(const struct espota *espota)
{
    return (struct espota_service *)espota->upload.config.service;
}

/* -- the service -- */

static void espota_close(struct upload_service *service)
{
    struct espota_service *espota = (struct espota_service *)service;

    work_queue_free(espota->work_queue);
    listener_close(espota->listener);
    address_set_clear(&espota->sha256_addresses);
    free(espota);
}

static struct upload_service *espota_open(struct loop *loop, const struct upload_settings *settings,
                                          struct ota_failure *failure)
{
    struct espota_service *espota = calloc(1, sizeof *espota);
    if (!espota) {
        ota_fail_no_memory(failure);
        return NULL;
    }

    espota->service =
        (struct upload_service){.protocol = &espota_protocol, .loop = loop, .settings = settings};
    espota->work_queue = work_queue_new(loop);
    if (espota->work_queue)
        espota->listener = listener_open(loop, &settings->source, settings->espota->port_first,
                                         settings->espota->port_last, failure);
    else
        ota_fail_no_memory(failure);

    if (!espota->listener) {
        espota_close(&espota->service);
        return NULL;
    }
    diag_debug("boards must connect to TCP port %u of this computer",
               listener_port(espota->listener));
    return &espota->service;
}

/* -- an attempt -- */

static struct upload *espota_create(const struct upload_config *config)
{
    struct espota *espota = calloc(1, sizeof *espota);

    (void)config;
    return (struct upload *)espota;
}

/* Bytes of a block in lock-step. */
static size_t espota_block(const struct espota *espota)
{
    const struct espota_settings *settings = espota_settings_of(espota);

    if (settings->block)
        return settings->block;
    return espota->image->family == IMAGE_ESP32 ? BLOCK_ESP32 : BLOCK_8266;
}

/* Whether another session waits for a connection from an address that may be this board's. */
static bool espota_is_busy(const struct upload *upload, const struct endpoints *endpoints)
{
    const struct espota *espota = (const struct espota *)upload;
    const struct espota_settings *settings = espota_settings_of(espota);
    const struct listener *listener = espota_service_of(espota)->listener;

    if (settings->has_peer || settings->peer_any)
        return listener_is_expecting(listener, settings->peer_any ? NULL : &settings->peer);

    for (size_t i = 0; i < endpoints->address_count; i++)
        if (listener_is_expecting(listener, &endpoints->addresses[i]))
            return true;
    return false;
}

static struct session_config make_session_config(struct espota *espota,
                                                 const struct upload_attempt *attempt)
{
    const struct upload_config *upload = &espota->upload.config;
    struct espota_service *service = espota_service_of(espota);
    const struct upload_settings *settings = service->service.settings;
    const struct espota_settings *own = settings->espota;
    struct session_config config = {
        .loop = service->service.loop,
        .listener = service->listener,
        .work_queue = service->work_queue,
        .image = attempt->image,
        .command = settings->command,
        .board = upload->board,
        .endpoints = attempt->endpoints,
        .source = &settings->source,
        .heard = &attempt->found->claims,
        .peer = own->has_peer ? &own->peer : NULL,
        .peer_any = own->peer_any,
        .md5_target = own->md5_target,
        .announces_password = attempt->found->password == TXT_YES,
        .password = attempt->password,
        .accept_timeout_us = settings->timeout_us,
        .block = espota->block,
        .is_forced = settings->force,
        .notices = &espota->notices,
        .trust = &espota->upload.trust,
        .sha256_addresses = &service->sha256_addresses,
        .echo = upload->echo,
    };

    if (image_fit_sha256_challenge(espota->sha256_objection, attempt->image) == IMAGE_FIT_REFUSED)
        config.sha256_objection = espota->sha256_objection;
    return config;
}

static bool espota_start(struct upload *upload, const struct upload_attempt *attempt)
{
    struct espota *espota = (struct espota *)upload;
    const bool is_other_image = espota->image != attempt->image;

    espota->image = attempt->image;
    if (is_other_image)
        espota->block = espota_settings_of(espota)->lockstep ? espota_block(espota) : 0;

    const struct session_config config = make_session_config(espota, attempt);
    espota->session = session_start(&config, &upload->callbacks);
    return espota->session;
}

static void espota_stop(struct upload *upload)
{
    struct espota *espota = (struct espota *)upload;

    session_free(espota->session);
    espota->session = NULL;
}

static void espota_set_password(struct upload *upload, const char *password)
{
    session_set_password(((struct espota *)upload)->session, password);
}

/* A board that aborts with unread data queued resets the connection, and its reason is lost; in
 * lock-step nothing is queued and the reason arrives. */
static const char *espota_adapt(struct upload *upload, const struct ota_failure *failure)
{
    struct espota *espota = (struct espota *)upload;
    bool has_broken_off = failure->error == OTA_E_LOST || failure->error == OTA_E_STALLED;

    if (has_broken_off && !espota->block)
        espota->block = espota_block(espota);
    return espota->block || espota_settings_of(espota)->lockstep ? "in lock-step" : "";
}

/* -- facts -- */

static bool espota_serves(const struct board *board)
{
    return board->service == SERVICE_ARDUINO && board->port != PORT_HTTP &&
           board->port != PORT_HTTP_SKETCH;
}

static enum ota_phase espota_phase(const struct upload *upload)
{
    return session_phase(((const struct espota *)upload)->session);
}

static bool espota_all_sent(const struct upload *upload)
{
    return session_all_sent(((const struct espota *)upload)->session);
}

static enum upload_proof espota_proof(const struct upload *upload)
{
    (void)upload;
    return UPLOAD_PROOF_BOARD;
}

static int64_t espota_restart_us(const struct upload *upload)
{
    const struct image *image = ((const struct espota *)upload)->image;

    return image->family == IMAGE_ESP32 ? RESTART_ESP32_US : RESTART_8266_US;
}

/* The boards of the 8266 family restart after a failure, too. */
static bool espota_restart_proves(const struct kind_family *family)
{
    return family && kind_overlap(family->chips, "esp32*");
}

const struct upload_protocol espota_protocol = {
    .name = "espota",
    .title = "ArduinoOTA",
    .announced_cause = OTA_CAUSE_ANNOUNCES_ESPOTA,
    .ports = espota_ports,
    .port_count = sizeof espota_ports / sizeof *espota_ports,
    .services = SERVICES_ARDUINO,
    .is_announced = true,
    .serves = espota_serves,
    .open = espota_open,
    .close = espota_close,
    .create = espota_create,
    .is_busy = espota_is_busy,
    .start = espota_start,
    .stop = espota_stop,
    .set_password = espota_set_password,
    .adapt = espota_adapt,
    .phase = espota_phase,
    .all_sent = espota_all_sent,
    .proof = espota_proof,
    .restart_us = espota_restart_us,
    .restart_proves = espota_restart_proves,
};
