/*
 * web.c: update pages as one of the protocols of upload.h. An attempt is a chain of requests:
 * web_page.c finds the page, web_prepare.c does what it wants before an upload, web_upload.c sends
 * the image; web_request.c sends each request.
 */
#include "upload/web/web_internal.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/secret.h"
#include "base/units.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "discovery/board_list.h"
#include "upload/protocols.h"
#include "upload/web/page_secrets.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static upload_own_check_fn *const web_own_checks[UPLOAD_OWN_COUNT] = {
    [UPLOAD_OWN_PAGE] = web_check_page,
    [UPLOAD_OWN_FIELD] = web_check_field,
    [UPLOAD_OWN_USER] = web_check_user,
};

static const struct upload_port web_ports[] = {
    {"", 80, "the default port of web servers", false},
};

const struct upload_settings *web_common_settings(const struct web *web)
{
    return web->upload.config.service->settings;
}

const struct web_settings *web_settings_of(const struct web *web)
{
    return web_common_settings(web)->web;
}

const struct page *web_forced_page(const struct web *web)
{
    const struct upload_own *own = web->upload.config.own;

    if (own && own->values[UPLOAD_OWN_PAGE])
        return page_table_find(own->values[UPLOAD_OWN_PAGE]);
    return web_settings_of(web)->page;
}

const char *web_field(const struct web *web)
{
    const struct upload_own *own = web->upload.config.own;

    return own && own->values[UPLOAD_OWN_FIELD] ? own->values[UPLOAD_OWN_FIELD]
                                                : web_settings_of(web)->field;
}

/* -- the service -- */

static bool web_serves(const struct board *board)
{
    return board->service == SERVICE_WLED || board->service == SERVICE_TASMOTA;
}

static void web_close(struct upload_service *service)
{
    struct web_service *web = (struct web_service *)service;

    http_client_free(web->client);
    free(web);
}

enum {
    SHOWN_MAX = 256,                /* bytes of a file's name in a message */
    CA_FILE_MAX = 16 * 1024 * 1024, /* those that every browser trusts take 220 KB */
};

/* shown: the file of --cacert, open as fd, which has size bytes. */
static enum ota_error check_certificates(int fd, size_t size, const char *shown,
                                         struct ota_failure *failure)
{
    char *text = malloc(size + 1);
    const ssize_t length = text ? input_read_all(fd, text, size) : -1;
    const int reason = errno;

    if (length < 0) {
        free(text);
        return ota_fail_errno(failure, OTA_E_USAGE, reason,
                              "cannot read the file of --cacert, %s: %s", shown,
                              input_error(reason));
    }

    const enum certificates found = certificates_judge(text, (size_t)length);
    digest_cleanse(text, (size_t)length); /* it may be a key by mistake */
    free(text);
    switch (found) {
    case CERTIFICATES_UNJUDGED:
        return ota_fail_errno(failure, OTA_E_INTERNAL, digest_errno(), "cannot use libcrypto: %s",
                              digest_error());
    case CERTIFICATES_NONE:
        return ota_fail(failure, OTA_E_USAGE,
                        "the file of --cacert, %s, has no certificate in PEM format", shown);
    case CERTIFICATES_DAMAGED:
        return ota_fail(
            failure, OTA_E_USAGE,
            "the file of --cacert, %s, is damaged: what follows one of its \"-----BEGIN\" "
            "lines cannot be read",
            shown);
    default:
        return OTA_OK;
    }
}

/* libcurl opens the file of --cacert by itself, and would wait for a pipe's writer; and what is
 * wrong with the file would look like a board's fault. */
static bool check_ca_file(const char *path, struct ota_failure *failure)
{
    char shown[SHOWN_MAX];
    struct stat file;
    int fd;

    if (!path)
        return true;

    escape_string(shown, sizeof shown, path); /* "-" is a file of this name */
    fd = input_open(path);
    if (fd < 0) {
        ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot open the file of --cacert, %s: %s",
                       shown, input_open_error(path, errno));
        return false;
    }

    enum ota_error error = OTA_OK;
    if (fstat(fd, &file) < 0 || !S_ISREG(file.st_mode))
        error = ota_fail(failure, OTA_E_USAGE, "--cacert needs a file, but %s is not one", shown);
    else if (file.st_size > CA_FILE_MAX)
        error = ota_fail(failure, OTA_E_USAGE, "the file of --cacert, %s, is too long", shown);
    else
        error = check_certificates(fd, (size_t)file.st_size, shown, failure);
    close(fd);
    return error == OTA_OK;
}

static struct upload_service *web_open(struct loop *loop, const struct upload_settings *settings,
                                       struct ota_failure *failure)
{
    const struct web_settings *own = settings->web;

    if (!check_ca_file(own->ca_file, failure))
        return NULL;

    struct web_service *web = calloc(1, sizeof *web);
    if (!web) {
        ota_fail_no_memory(failure);
        return NULL;
    }

    web->service =
        (struct upload_service){.protocol = &web_protocol, .loop = loop, .settings = settings};
    web->client = http_client_new(loop, failure);
    if (web->client)
        return &web->service;
    free(web);
    return NULL;
}

/* -- for the other files -- */

void web_emit(struct web *web, struct ota_event event)
{
    event.phase = web->phase;
    web->upload.callbacks.on_event(&event, web->upload.callbacks.userdata);
}

void web_note(struct web *web, const char *message)
{
    web_emit(web, (struct ota_event){.type = OTA_EVENT_NOTE, .message = message});
}

void web_finish(struct web *web, const struct ota_failure *failure)
{
    loop_timer_stop(&web->timer);
    outage_stop(&web->outage);
    web->upload.callbacks.on_done(failure, web->upload.callbacks.userdata);
}

void web_fail(struct web *web, enum ota_error error, const char *format, ...)
{
    struct ota_failure failure;
    va_list arguments;

    va_start(arguments, format);
    ota_vfail(&failure, error, format, arguments);
    va_end(arguments);
    web_finish(web, &failure);
}

void web_fail_no_memory(struct web *web)
{
    struct ota_failure failure;

    ota_fail_no_memory(&failure);
    web_finish(web, &failure);
}

static void on_web_timer(void *userdata)
{
    struct web *web = userdata;

    web->on_timer(web);
}

void web_wait(struct web *web, int64_t delay_us, void (*on_timer)(struct web *web))
{
    web->on_timer = on_timer;
    loop_timer_start(&web->timer, delay_us);
}

const char *web_place(const struct web *web, char text[ENDPOINTS_TEXT_MAX])
{
    return endpoints_text(text, web->attempt.endpoints, web->endpoint);
}

static struct page_secrets secrets_of(const struct web *web)
{
    return (struct page_secrets){.password = web->password,
                                 .authorization = web->authorization,
                                 .echo = web->upload.config.echo};
}

bool web_repeats_answer(const struct web *web, const char *text)
{
    const struct page_secrets secrets = secrets_of(web);

    return page_repeats_answer(&secrets, text);
}

const char *web_hide_secrets(const struct web *web, const char *text)
{
    const struct page_secrets secrets = secrets_of(web);

    return page_hide_next(&secrets, text);
}

const char *web_hide_own(const struct web *web, const char *text)
{
    const struct page_secrets secrets = secrets_of(web);

    return page_hide_secrets(&secrets, text);
}

const char *web_status_text(const struct web *web, char status[PAGE_STATUS_MAX],
                            const struct http_reply *reply, const char *text)
{
    struct page_leads leads;

    page_leads_text(&leads, reply);
    const char *location = web_hide_secrets(web, leads.location);
    const char *refresh = web_hide_secrets(web, leads.refresh);
    return page_status_text(status, reply->status, location, refresh, web_hide_secrets(web, text));
}

const char *web_show_path(const struct web *web, char shown[WEB_PATH_MAX], const char *path)
{
    const bool is_given = *web->finder.form_field && strcmp(path, web->finder.get) != 0;

    escape_string(shown, WEB_PATH_MAX, path);
    return is_given ? web_hide_secrets(web, shown) : web_hide_own(web, shown);
}

/* -- an attempt -- */

static struct upload *web_create(const struct upload_config *config)
{
    struct web *web = calloc(1, sizeof *web);

    if (!web)
        return NULL;
    loop_timer_init(&web->timer, config->service->loop, on_web_timer, web);
    return &web->upload;
}

static void web_stop(struct upload *upload)
{
    struct web *web = (struct web *)upload;

    loop_timer_stop(&web->timer);
    outage_stop(&web->outage);
    http_request_free(web->request);
    web->request = NULL;
    web_forget_announcement(web);
    secret_free(web->authorization);
    web->authorization = NULL;
    web_forget_pin(web);
    web->is_password_awaited = web->is_pin_awaited = false;
}

static bool web_start(struct upload *upload, const struct upload_attempt *attempt)
{
    struct web *web = (struct web *)upload;

    *web = (struct web){.upload = web->upload,
                        .history = web->history,
                        .timer = web->timer,
                        .attempt = *attempt,
                        .phase = OTA_PHASE_PAGE,
                        .password = attempt->password};
    trust_begin_attempt(&upload->trust);
    web_choose_endpoint(web, 0);
    web_wait(web, 0, web_find_page);
    return true;
}

static void web_set_password(struct upload *upload, const char *password)
{
    web_take_password((struct web *)upload, password);
}

/* -- facts -- */

static enum ota_phase web_phase(const struct upload *upload)
{
    const struct web *web = (const struct web *)upload;
    bool is_taken =
        web->request ? http_request_is_acknowledged(web->request) : web->is_acknowledged;

    if (web->is_reading) /* also while the page asks for the password again */
        return OTA_PHASE_PROOF;
    if (!web->is_posted)
        return web->phase;
    return is_taken ? OTA_PHASE_RESULT : OTA_PHASE_TRANSFER;
}

static bool web_all_sent(const struct upload *upload)
{
    const struct web *web = (const struct web *)upload;

    if (web->is_posted && web->request)
        return http_request_is_sent(web->request);
    return web->is_all_sent;
}

static enum upload_proof web_proof(const struct upload *upload)
{
    const struct web *web = (const struct web *)upload;

    if (web->is_read_back)
        return UPLOAD_PROOF_READBACK;
    return web_proves_receipt_only(web) ? UPLOAD_PROOF_RECEIVED : UPLOAD_PROOF_BOARD;
}

static int64_t web_restart_us(const struct upload *upload)
{
    const struct page *page = ((const struct web *)upload)->finder.page;

    return MILLISECONDS((int64_t)(page ? page->restart_ms : 0));
}

/* Many pages restart their board after a failure, too. */
static bool web_restart_proves(const struct kind_family *family)
{
    (void)family;
    return false;
}

const struct upload_protocol web_protocol = {
    .name = "web",
    .title = "an update page",
    .announced_cause = OTA_CAUSE_ANNOUNCES_WEB,
    .ports = web_ports,
    .port_count = sizeof web_ports / sizeof *web_ports,
    .services = SERVICES_ARDUINO | SERVICES_WEB,
    .is_announced = false,
    .takes_uf2 = true,
    .own_checks = web_own_checks,
    .serves = web_serves,
    .open = web_open,
    .close = web_close,
    .create = web_create,
    .start = web_start,
    .stop = web_stop,
    .set_password = web_set_password,
    .phase = web_phase,
    .all_sent = web_all_sent,
    .proof = web_proof,
    .restart_us = web_restart_us,
    .restart_proves = web_restart_proves,
    .read_back = web_read_back,
};
