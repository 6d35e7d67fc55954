/*
 * upload.c: calls the functions of the upload's protocol.
 */
#include "upload/upload.h"

#include "base/error.h"
#include "secrets/echo.h"

#include <stdlib.h>

const char *upload_proof_name(enum upload_proof proof)
{
    static const char *const names[] = {[UPLOAD_PROOF_BOARD] = "board",
                                        [UPLOAD_PROOF_RECEIVED] = "received",
                                        [UPLOAD_PROOF_READBACK] = "readback"};

    return names[proof];
}

const char *upload_proof_text(enum upload_proof proof)
{
    return proof == UPLOAD_PROOF_RECEIVED ? "the board has received the image"
                                          : "the board has confirmed the upload";
}

bool upload_ports_tell_chips(const struct upload_protocol *protocol)
{
    for (size_t i = 0; i < protocol->port_count; i++)
        if (*protocol->ports[i].chips)
            return true;
    return false;
}

struct upload_service *upload_service_open(const struct upload_protocol *protocol,
                                           struct loop *loop,
                                           const struct upload_settings *settings,
                                           struct ota_failure *failure)
{
    if (!settings->expect_version || protocol->read_back)
        return protocol->open(loop, settings, failure);
    ota_fail(failure, OTA_E_USAGE,
             "--expect-version needs a board that reports its version (http://, esphome://); "
             "boards updated by %s do not",
             protocol->name);
    return NULL;
}

struct upload_service *upload_service_find(struct upload_service *first,
                                           const struct upload_protocol *protocol)
{
    struct upload_service *service = first;

    while (service && service->protocol != protocol)
        service = service->next;
    return service;
}

void upload_services_close(struct upload_service *first)
{
    while (first) {
        struct upload_service *service = first;

        first = service->next;
        service->protocol->close(service);
    }
}

struct upload *upload_new(const struct upload_config *config,
                          const struct upload_callbacks *callbacks)
{
    const struct upload_protocol *protocol = config->service->protocol;
    struct upload *upload = protocol->create(config);

    if (upload)
        *upload = (struct upload){.protocol = protocol,
                                  .config = *config,
                                  .callbacks = *callbacks,
                                  .trust.least = config->min_auth};
    return upload;
}

bool upload_is_busy(const struct upload *upload, const struct endpoints *endpoints)
{
    return upload->protocol->is_busy && upload->protocol->is_busy(upload, endpoints);
}

/* What the board says must not show the hashes of a password that it may get. Returns false and
 * fills in failure if they cannot be hidden. */
static bool hide_hashes(const struct upload *upload, const char *password,
                        struct ota_failure *failure)
{
    return !upload->config.echo || echo_learn(upload->config.echo, password, NULL, failure);
}

bool upload_start(struct upload *upload, const struct upload_attempt *attempt,
                  struct ota_failure *failure)
{
    if (!hide_hashes(upload, attempt->password, failure))
        return false;

    upload->is_running = upload->protocol->start(upload, attempt);
    if (!upload->is_running)
        ota_fail_no_memory(failure);
    return upload->is_running;
}

bool upload_is_running(const struct upload *upload)
{
    return upload && upload->is_running;
}

void upload_stop(struct upload *upload)
{
    if (!upload_is_running(upload))
        return;

    upload->protocol->stop(upload);
    upload->is_running = false;
}

void upload_set_password(struct upload *upload, const char *password)
{
    struct ota_failure failure;

    if (hide_hashes(upload, password, &failure))
        upload->protocol->set_password(upload, password);
    else
        upload->callbacks.on_done(&failure, upload->callbacks.userdata);
}

void upload_begin_again(struct upload *upload)
{
    trust_begin_again(&upload->trust);
}

void upload_narrow(const struct upload *upload, struct endpoints *endpoints)
{
    if (upload->trust.told.any.sa_family != AF_UNSPEC)
        endpoints_keep(endpoints, &upload->trust.told);
}

void upload_require_auth(struct upload *upload, enum auth_scheme least)
{
    if (least > upload->trust.least)
        upload->trust.least = least;
}

bool upload_has_given_md5(const struct upload *upload)
{
    return upload->trust.has_given_md5;
}

const char *upload_adapt(struct upload *upload, const struct ota_failure *failure)
{
    return upload->protocol->adapt ? upload->protocol->adapt(upload, failure) : "";
}

enum ota_phase upload_phase(const struct upload *upload)
{
    return upload->protocol->phase(upload);
}

bool upload_all_sent(const struct upload *upload)
{
    return upload->protocol->all_sent(upload);
}

enum upload_proof upload_proof(const struct upload *upload)
{
    return upload->protocol->proof(upload);
}

int64_t upload_restart_us(const struct upload *upload)
{
    return upload->protocol->restart_us(upload);
}

bool upload_restart_proves(const struct upload *upload, const struct kind_family *family)
{
    return upload->protocol->restart_proves(family);
}

bool upload_read_back(struct upload *upload)
{
    upload->is_running = upload->protocol->read_back && upload->protocol->read_back(upload);
    return upload->is_running;
}

void upload_free(struct upload *upload)
{
    if (!upload)
        return;

    upload_stop(upload);
    free(upload);
}
