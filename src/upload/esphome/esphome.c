/*
 * esphome.c: ESPHome's OTA as one of the protocols of upload.h. An attempt connects to one endpoint
 * after the other, until one accepts; connection.c has the exchange with it.
 */
#include "base/error.h"
#include "base/units.h"
#include "base/worker.h"
#include "crypto/auth.h"
#include "discovery/board_list.h"
#include "discovery/resolve.h"
#include "image/image.h"
#include "image/kind.h"
#include "net/tcp_connect.h"
#include "upload/announced.h"
#include "upload/endpoint_failures.h"
#include "upload/esphome/connection.h"
#include "upload/esphome/packed.h"
#include "upload/protocols.h"
#include "upload/readback.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t CONNECT_US = SECONDS(5);
/* After its last byte a board waits 100 ms for ours, and then 10 ms. */
static const int64_t ESPHOME_RESTART_US = MILLISECONDS(800);

struct esphome_service {
    struct upload_service service;
    struct packed *packed;
};

/* All but the first three members begin as zero with each attempt. */
struct esphome {
    struct upload upload;
    struct loop_timer timer;
    struct {
        bool md5, unasked, firmware;
    } is_told;

    struct upload_attempt attempt;
    struct tcp_connect *connecting;
    struct connection *connection;
    size_t endpoint;
    unsigned tries[ENDPOINTS_MAX];
    struct endpoint_failures failures; /* of connections */
    enum ota_phase phase;
    bool is_all_sent; /* of the connection that has ended */
    const char *password;
    bool is_password_awaited;
    struct readback *readback;
    bool is_read_back;
};

static const struct upload_port esphome_ports[] = {
    {"esp8266", KIND_PORT_ESP8266, "the default port of ESP8266 boards", false},
    {"esp32*", KIND_PORT_ESP32, "the default port of ESP32 boards", false},
    {"rp*", KIND_PORT_PICO, "the default port of Pico W boards", false},
    {"bk72xx,rtl87xx", 8892, "the default port of BK72xx and RTL87xx boards", true},
    {"ln882x", 8820, "the default port of LN882x boards", true},
    {"nrf52", 4232, "the default port of nRF52 boards", true},
};

static void connect_board(struct esphome *esphome);

/* -- the service -- */

static bool esphome_serves(const struct board *board)
{
    return board->service == SERVICE_ESPHOME;
}

static void esphome_close(struct upload_service *service)
{
    struct esphome_service *esphome = (struct esphome_service *)service;

    packed_free(esphome->packed);
    free(esphome);
}

static struct upload_service *
esphome_open(struct loop *loop, const struct upload_settings *settings, struct ota_failure *failure)
{
    struct esphome_service *esphome = calloc(1, sizeof *esphome);
    if (!esphome) {
        ota_fail_no_memory(failure);
        return NULL;
    }

    esphome->service =
        (struct upload_service){.protocol = &esphome_protocol, .loop = loop, .settings = settings};
    return &esphome->service;
}

static struct esphome_service *service_of(const struct esphome *esphome)
{
    return (struct esphome_service *)esphome->upload.config.service;
}

/* -- events and ends -- */

static void emit_event(struct esphome *esphome, struct ota_event event)
{
    event.phase = esphome->phase;
    esphome->upload.callbacks.on_event(&event, esphome->upload.callbacks.userdata);
}

static void finish_attempt(struct esphome *esphome, const struct ota_failure *failure)
{
    loop_timer_stop(&esphome->timer);
    esphome->upload.callbacks.on_done(failure, esphome->upload.callbacks.userdata);
}

static void __attribute__((format(printf, 3, 4)))
fail_attempt(struct esphome *esphome, enum ota_error error, const char *format, ...)
{
    struct ota_failure failure;
    va_list arguments;

    va_start(arguments, format);
    ota_vfail(&failure, error, format, arguments);
    va_end(arguments);
    finish_attempt(esphome, &failure);
}

/* For what this computer lacks: errno. */
static void fail_start(struct esphome *esphome)
{
    struct ota_failure failure;

    ota_fail_call(&failure, "the upload cannot start");
    finish_attempt(esphome, &failure);
}

/* -- the exchange -- */

static enum ota_phase phase_of(const struct exchange *exchange)
{
    switch (exchange->step == EXCHANGE_OVER ? exchange->reached : exchange->step) {
    case EXCHANGE_GREETING:
    case EXCHANGE_VERSION:
    case EXCHANGE_FEATURES:
    case EXCHANGE_FLAGS:
        return OTA_PHASE_ACCEPT;
    case EXCHANGE_HANDSHAKE:
    case EXCHANGE_AUTH:
    case EXCHANGE_NONCE:
    case EXCHANGE_VERDICT:
        return OTA_PHASE_AUTHENTICATE;
    case EXCHANGE_PREPARE:
    case EXCHANGE_ACCEPT:
        return OTA_PHASE_PREPARE;
    default:
        return OTA_PHASE_TRANSFER;
    }
}

/* Before somebody is asked for the password, and before an answer is sent. */
static void note_md5(struct esphome *esphome, const struct exchange *exchange)
{
    if (exchange->scheme != AUTH_MD5 || esphome->is_told.md5)
        return;

    esphome->is_told.md5 = true;
    emit_event(esphome,
               (struct ota_event){
                   .type = OTA_EVENT_NOTE,
                   .message = "the board asks for an answer with MD5, from which a weak password "
                              "can be guessed (see --min-auth)",
                   .scheme = auth_scheme_name(AUTH_MD5),
                   .is_important = true});
}

static void note_open(struct esphome *esphome)
{
    if (!esphome->password || !*esphome->password || esphome->is_told.unasked)
        return;

    esphome->is_told.unasked = true;
    emit_event(esphome,
               (struct ota_event){.type = OTA_EVENT_NOTE,
                                  .message =
                                      "the board did not ask for the password that was given: its "
                                      "firmware sets none, so anybody in its network can update it",
                                  .password = "not-asked",
                                  .is_important = true});
}

static void on_exchange_event(enum exchange_event event, const struct exchange *exchange,
                              void *userdata)
{
    struct esphome *esphome = userdata;

    esphome->phase = phase_of(exchange);
    switch (event) {
    case EXCHANGE_ENCRYPTED:
        emit_event(esphome, (struct ota_event){.type = OTA_EVENT_AUTHENTICATED,
                                               .scheme = "Noise",
                                               .is_by_key = true,
                                               .evidence = "reply"});
        break;
    case EXCHANGE_NO_PASSWORD:
    case EXCHANGE_ANSWERED:
        note_md5(esphome, exchange);
        break;
    case EXCHANGE_AUTHENTICATED:
        emit_event(esphome, (struct ota_event){.type = OTA_EVENT_AUTHENTICATED,
                                               .scheme = auth_scheme_name(exchange->scheme),
                                               .evidence = "reply"});
        break;
    case EXCHANGE_OPEN:
        note_open(esphome);
        break;
    case EXCHANGE_READY:
        emit_event(esphome, (struct ota_event){.type = OTA_EVENT_CONNECTED});
        break;
    default:
        break;
    }
}

static void on_connection_progress(size_t acknowledged, void *userdata)
{
    struct esphome *esphome = userdata;

    /* A compressed image is shown by what it stands for. */
    const size_t total = esphome->attempt.image->size;
    const size_t size = connection_exchange(esphome->connection)->content->size;
    emit_event(esphome, (struct ota_event){.type = OTA_EVENT_PROGRESS,
                                           .bytes = (size_t)((double)acknowledged * (double)total /
                                                             (double)size)});
}

/* Ends the connection, and keeps what upload_phase() and upload_all_sent() tell of it. */
static void end_connection(struct esphome *esphome)
{
    esphome->phase = connection_all_acknowledged(esphome->connection)
                         ? OTA_PHASE_RESULT
                         : phase_of(connection_exchange(esphome->connection));
    esphome->is_all_sent = connection_all_sent(esphome->connection);
    connection_free(esphome->connection);
    esphome->connection = NULL;
}

/* The board is not kept waiting: it serves one client at a time, for 20 s. */
static void ask_for_password(struct esphome *esphome)
{
    esphome->phase = OTA_PHASE_AUTHENTICATE;
    esphome->is_password_awaited = true;
    esphome->upload.callbacks.on_password(esphome->upload.callbacks.userdata);
}

static bool try_next_endpoint(struct esphome *esphome, bool was_refused);
static void expect_announcement(struct esphome *esphome);

static void on_connection_done(const struct ota_failure *failure, void *userdata)
{
    struct esphome *esphome = userdata;
    const struct upload_settings *settings = esphome->upload.config.service->settings;
    struct ota_failure result = *failure; /* which ends with the connection */
    char place[ENDPOINTS_TEXT_MAX];

    end_connection(esphome);
    if (result.error == OTA_E_NO_ANSWER)
        ota_prefix(&result,
                   "%s: ", endpoints_text(place, esphome->attempt.endpoints, esphome->endpoint));

    if (result.error == OTA_E_PASSWORD_NEEDED)
        ask_for_password(esphome);
    else if (result.error == OTA_OK && settings->expect_version && !settings->awaits_return)
        expect_announcement(esphome);
    else
        finish_attempt(esphome, &result);
}

/* -- the connection -- */

static void start_exchange(struct esphome *esphome, int fd)
{
    const struct upload_config *upload = &esphome->upload.config;
    const struct connection_callbacks callbacks = {.on_event = on_exchange_event,
                                                   .on_progress = on_connection_progress,
                                                   .on_done = on_connection_done,
                                                   .userdata = esphome};
    struct exchange_config config = {.key = upload->encryption_key,
                                     .password = esphome->password,
                                     .trust = &esphome->upload.trust,
                                     .echo = upload->echo};

    if (!packed_choose(&service_of(esphome)->packed, esphome->attempt.image,
                       upload->service->settings->is_verified, &config.plain, &config.packed)) {
        close(fd);
        errno = ENOMEM;
        fail_start(esphome);
        return;
    }
    esphome->phase = OTA_PHASE_ACCEPT;
    if (config.key)
        worker_keep_clean(); /* libcrypto will have the connection's keys on its heap */
    esphome->connection = connection_start(upload->service->loop, fd, &config,
                                           upload->service->settings->timeout_us, &callbacks);
    if (!esphome->connection)
        fail_start(esphome);
}

static void fail_connecting(struct esphome *esphome)
{
    struct ota_failure failure;

    esphome->upload.callbacks.on_blamed(endpoint_failures_describe(&esphome->failures,
                                                                   esphome->attempt.endpoints,
                                                                   CONNECT_US, &failure),
                                        esphome->upload.callbacks.userdata);
    finish_attempt(esphome, &failure);
}

/* Whether the host itself is missing, so that its other ports would not answer either. */
static bool is_host_missing(const struct esphome *esphome, int reason)
{
    return reason == EHOSTUNREACH && esphome->attempt.endpoints->address_count == 1;
}

static void on_board_connected(int fd, int reason, void *userdata)
{
    struct esphome *esphome = userdata;

    tcp_connect_free(esphome->connecting);
    esphome->connecting = NULL;
    if (fd >= 0) {
        esphome->upload.callbacks.on_endpoint(esphome->endpoint,
                                              esphome->upload.callbacks.userdata);
        start_exchange(esphome, fd);
        return;
    }
    endpoint_failures_add(&esphome->failures, esphome->endpoint, reason, NULL);
    if (is_host_missing(esphome, reason) || !try_next_endpoint(esphome, reason == ECONNREFUSED))
        fail_connecting(esphome);
}

static void connect_board(struct esphome *esphome)
{
    const struct upload_service *service = esphome->upload.config.service;
    const struct upload_settings *settings = service->settings;
    const struct address address = endpoints_get(esphome->attempt.endpoints, esphome->endpoint);

    esphome->phase = OTA_PHASE_ACCEPT;
    esphome->tries[esphome->endpoint]++;
    esphome->connecting = tcp_connect_upload(service->loop, &address, &settings->source, CONNECT_US,
                                             on_board_connected, esphome);
    if (!esphome->connecting)
        fail_start(esphome);
}

/* Returns false if each endpoint has been tried once. */
static bool try_next_endpoint(struct esphome *esphome, bool was_refused)
{
    const size_t next =
        endpoints_next(esphome->attempt.endpoints, esphome->tries, esphome->endpoint, was_refused);

    if (esphome->tries[next] > 0)
        return false;
    esphome->endpoint = next;
    connect_board(esphome);
    return true;
}

/* -- the firmware -- */

static const struct inspect_esphome *image_of(const struct esphome *esphome)
{
    return &esphome->attempt.image->inspection.esphome;
}

static bool esphome_doubt(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                          const struct resolution *found)
{
    const struct inspect_esphome *esphome = &image->inspection.esphome;
    struct announced announced;

    announced_read(&announced, &found->esphome);
    if (!announced_is_other_project(&announced, esphome))
        return false;
    snprintf(reason, IMAGE_FIT_REASON_MAX,
             "the image is of the project %s, but the board announces %s", esphome->project,
             announced.esphome.project);
    return true;
}

static void note_firmware(struct esphome *esphome)
{
    char message[ANNOUNCED_MESSAGE_MAX];

    announced_compare(message, &esphome->attempt.found->esphome, image_of(esphome));
    if (esphome->is_told.firmware || !*message)
        return;

    esphome->is_told.firmware = true;
    emit_event(esphome, (struct ota_event){.type = OTA_EVENT_NOTE, .message = message});
}

static void on_read_back(const struct ota_failure *failure, bool is_proven, void *userdata)
{
    struct esphome *esphome = userdata;

    esphome->is_read_back = is_proven;
    finish_attempt(esphome, failure);
}

/* Whether an announcement was seen before the upload. */
static bool is_announced(const struct esphome *esphome)
{
    const struct resolution *found = esphome->attempt.found;

    return *found->instance && *found->esphome.version;
}

static bool start_readback(struct esphome *esphome, bool has_returned)
{
    const struct upload *upload = &esphome->upload;
    const struct resolution *found = esphome->attempt.found;
    const struct readback_config config = {.loop = upload->config.service->loop,
                                           .mdns = upload->config.mdns,
                                           .settings = upload->config.service->settings,
                                           .has_returned = has_returned,
                                           .instance = found->instance,
                                           .endpoints = esphome->attempt.endpoints,
                                           .before = &found->esphome,
                                           .image = image_of(esphome),
                                           .on_done = on_read_back,
                                           .userdata = esphome};

    if (!is_announced(esphome))
        return false;

    esphome->phase = OTA_PHASE_PROOF;
    esphome->readback = readback_start(&config);
    return esphome->readback;
}

static bool esphome_read_back(struct upload *upload)
{
    return start_readback((struct esphome *)upload, true);
}

/* The upload is confirmed. The attempt ends when the version of --expect-version is announced, or
 * when the time for it is over. */
static void expect_announcement(struct esphome *esphome)
{
    char message[OTA_MESSAGE_MAX];
    struct ota_failure failure;

    snprintf(message, sizeof message, "%s; waiting for its announcement to show the new version",
             upload_proof_text(UPLOAD_PROOF_BOARD));
    emit_event(esphome, (struct ota_event){.type = OTA_EVENT_NOTE, .message = message});
    if (start_readback(esphome, false))
        return;
    ota_fail(&failure, OTA_E_UNPROVEN, "out of memory");
    failure.cause = OTA_CAUSE_OUT_OF_MEMORY;
    finish_attempt(esphome, &failure);
}

/* -- an attempt -- */

static void on_attempt_begins(void *userdata)
{
    struct esphome *esphome = userdata;
    const struct upload_settings *settings = esphome->upload.config.service->settings;
    struct ota_failure failure;

    if (settings->command == OTA_COMMAND_FILESYSTEM) {
        fail_attempt(esphome, OTA_E_USAGE, "ESPHome boards take no filesystem images (-s)");
        return;
    }
    if (settings->expect_version && !is_announced(esphome)) {
        readback_fail_unseen(&failure);
        finish_attempt(esphome, &failure);
        return;
    }
    note_firmware(esphome);
    connect_board(esphome);
}

static struct upload *esphome_create(const struct upload_config *config)
{
    struct esphome *esphome = calloc(1, sizeof *esphome);

    if (!esphome)
        return NULL;
    loop_timer_init(&esphome->timer, config->service->loop, on_attempt_begins, esphome);
    return &esphome->upload;
}

static bool esphome_start(struct upload *upload, const struct upload_attempt *attempt)
{
    struct esphome *esphome = (struct esphome *)upload;

    *esphome = (struct esphome){.upload = esphome->upload,
                                .timer = esphome->timer,
                                .is_told = esphome->is_told,
                                .attempt = *attempt,
                                .phase = OTA_PHASE_ACCEPT,
                                .password = attempt->password};
    trust_begin_attempt(&upload->trust);
    loop_timer_start(&esphome->timer, 0);
    return true;
}

static void esphome_stop(struct upload *upload)
{
    struct esphome *esphome = (struct esphome *)upload;

    loop_timer_stop(&esphome->timer);
    tcp_connect_free(esphome->connecting);
    esphome->connecting = NULL;
    connection_free(esphome->connection);
    esphome->connection = NULL;
    readback_free(esphome->readback);
    esphome->readback = NULL;
    esphome->is_password_awaited = false;
}

static void esphome_set_password(struct upload *upload, const char *password)
{
    struct esphome *esphome = (struct esphome *)upload;

    esphome->password = password;
    if (!esphome->is_password_awaited)
        return;

    esphome->is_password_awaited = false;
    if (password && *password)
        loop_timer_start(&esphome->timer, 0);
    else
        fail_attempt(esphome, OTA_E_PASSWORD_NEEDED,
                     "the board asks for a password, and none was given");
}

/* -- facts -- */

static enum ota_phase esphome_phase(const struct upload *upload)
{
    const struct esphome *esphome = (const struct esphome *)upload;

    if (!esphome->connection)
        return esphome->phase;
    if (connection_all_acknowledged(esphome->connection))
        return OTA_PHASE_RESULT;
    return phase_of(connection_exchange(esphome->connection));
}

static bool esphome_all_sent(const struct upload *upload)
{
    const struct esphome *esphome = (const struct esphome *)upload;

    return esphome->connection ? connection_all_sent(esphome->connection) : esphome->is_all_sent;
}

static enum upload_proof esphome_proof(const struct upload *upload)
{
    const struct esphome *esphome = (const struct esphome *)upload;

    return esphome->is_read_back ? UPLOAD_PROOF_READBACK : UPLOAD_PROOF_BOARD;
}

static int64_t esphome_restart_us(const struct upload *upload)
{
    (void)upload;
    return ESPHOME_RESTART_US;
}

/* After a failure, a board goes on with its old firmware without a restart. */
static bool esphome_restart_proves(const struct kind_family *family)
{
    (void)family;
    return true;
}

const struct upload_protocol esphome_protocol = {
    .name = "esphome",
    .title = "ESPHome's OTA",
    .announced_cause = OTA_CAUSE_ANNOUNCES_ESPHOME,
    .ports = esphome_ports,
    .port_count = sizeof esphome_ports / sizeof *esphome_ports,
    .takes_encryption_key = true,
    .takes_uf2 = true,
    .services = SERVICES_ESPHOME,
    .is_announced = false,
    .reads_announcement = true,
    .serves = esphome_serves,
    .doubt = esphome_doubt,
    .open = esphome_open,
    .close = esphome_close,
    .create = esphome_create,
    .start = esphome_start,
    .stop = esphome_stop,
    .set_password = esphome_set_password,
    .phase = esphome_phase,
    .all_sent = esphome_all_sent,
    .proof = esphome_proof,
    .restart_us = esphome_restart_us,
    .restart_proves = esphome_restart_proves,
    .read_back = esphome_read_back,
};
