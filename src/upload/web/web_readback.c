/*
 * web_readback.c: the version that the board's page tells after a confirmed upload.
 *
 *   --expect-version   asked until it is the expected one. A board that has told it before the
 *                      upload must have been away in between; otherwise the old firmware may
 *                      still run.
 *   --online           asked once the board is back, and compared with the one before the upload
 *   both               asked once the board is back, until it is the expected one; as after a lost
 *                      verdict for which --expect stands in
 *
 * The version must also be one that the image can be (page_facts.h). A board in its recovery
 * firmware is waited for, as it was in that before the upload, too, and has yet to start the image.
 *
 * ESPHome tells it in its announcement instead (upload/readback.h).
 */
#include "upload/web/web_internal.h"

#include "base/error.h"
#include "base/loop.h"
#include "base/units.h"
#include "base/version_match.h"
#include "discovery/services_at.h"
#include "image/image.h"
#include "net/tcp_tune.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const int64_t READ_AGAIN_US = SECONDS(1);

static void ask_for_version(struct web *web);

bool web_tells_version(const struct web *web)
{
    return web->finder.page->is_announced
               ? *web->announced_as
               : page_facts_tell_version(web->finder.page, web->told_before);
}

const char *web_facts_path(const struct web *web)
{
    const struct upload_settings *settings = web_common_settings(web);

    return page_facts_path(web->finder.page, settings->expect_version || settings->awaits_return);
}

/* -- the announcement -- */

void web_forget_announcement(struct web *web)
{
    services_at_free(web->asking);
    web->asking = NULL;
    readback_free(web->readback);
    web->readback = NULL;
}

/* An announcement may repeat a secret, as a page may. */
static void on_announcement_read(const struct ota_failure *failure, bool is_proven, void *userdata)
{
    struct web *web = userdata;
    struct ota_failure shown = *failure;

    snprintf(shown.message, sizeof shown.message, "%s", web_hide_secrets(web, failure->message));
    web->is_read_back = is_proven;
    web_finish(web, &shown);
}

/* Returns false if memory ran out. */
static bool read_announcement(struct web *web)
{
    const struct readback_config config = {.loop = web->upload.config.service->loop,
                                           .mdns = web->upload.config.mdns,
                                           .settings = web_common_settings(web),
                                           .has_returned = web->has_returned,
                                           .instance = web->announced_as,
                                           .endpoints = web->attempt.endpoints,
                                           .before = &web->announced,
                                           .image = &web->attempt.image->inspection.esphome,
                                           .on_done = on_announcement_read,
                                           .userdata = web};

    web->phase = OTA_PHASE_PROOF;
    web->is_posted = false;
    web->readback = readback_start(&config);
    return web->readback;
}

/* -- the end -- */

__attribute__((format(printf, 3, 4))) static void
fail_unproven(struct web *web, enum ota_cause cause, const char *format, ...)
{
    struct ota_failure failure;
    va_list arguments;

    va_start(arguments, format);
    ota_vfail(&failure, OTA_E_UNPROVEN, format, arguments);
    va_end(arguments);
    failure.cause = cause;
    web_finish(web, &failure);
}

/* The version before the upload, from the same path; "": unknown. Versions are compared as they
 * are, and hidden only where they are shown: two may have a part of the password in them. */
static const char *version_before(const struct web *web)
{
    return web->told_before ? web->version_before : "";
}

/* The time after which the version no longer counts. */
static int64_t time_limit_us(const struct web *web)
{
    const struct upload_settings *settings = web_common_settings(web);

    return web->expected_version ? settings->expect_version_us : settings->timeout_us;
}

/* The board's confirmation, before a failure; "" if the caller adds what is known of the upload. */
static const char *confirmation_text(const struct web *web)
{
    return web->has_returned ? "" : upload_proof_text(upload_proof(&web->upload));
}

static void finish_in_recovery(struct web *web)
{
    const char *reply = confirmation_text(web);

    fail_unproven(web, OTA_CAUSE_RECOVERY,
                  "%s%safter %.3g s it runs its recovery firmware (%s), not the image", reply,
                  *reply ? ", but " : "", (double)time_limit_us(web) / 1e6,
                  web_hide_secrets(web, web->recovery));
}

static void finish_unproven(struct web *web, const char *version)
{
    const char *expected = web->expected_version, *shown = web_hide_secrets(web, version);
    const char *reply = confirmation_text(web), *but = *reply ? ", but " : "";
    bool is_same = strcmp(version, version_before(web)) == 0;
    double seconds = (double)time_limit_us(web) / 1e6;

    if (!*version)
        fail_unproven(web, OTA_CAUSE_NO_VERSION, "%s%sit did not report its version within %.3g s",
                      reply, but, seconds);
    else if (version_match_text(version, expected))
        fail_unproven(web, OTA_CAUSE_NOT_RESTARTED,
                      "%s%sit %s version %s%s, and was not seen to restart within %.3g s", reply,
                      but, is_same ? "reported" : "reports", shown,
                      is_same ? " before the upload, too" : "", seconds);
    else
        fail_unproven(web, OTA_CAUSE_OTHER_VERSION, "%s%safter %.3g s its version is %s", reply,
                      but, seconds, shown);
}

static void finish_proven(struct web *web, const char *version)
{
    const char *before = version_before(web);
    struct ota_failure success;

    web->is_read_back = web->expected_version || *before;
    const char *now = web_hide_secrets(web, version);
    ota_fail(&success, OTA_OK, "it runs %s now%s%s%s", now, *before ? " (before: " : "",
             web_hide_secrets(web, before), *before ? ")" : "");
    web_finish(web, &success);
}

/* The board is back with the version that it had. Nothing shows which of two equal ones runs. */
static void finish_unchanged(struct web *web, const char *version)
{
    struct ota_failure success;

    ota_fail(&success, OTA_OK, "it runs %s, as before", web_hide_secrets(web, version));
    web_finish(web, &success);
}

/* The image has no trace of the version that runs, so it is another one. */
static void finish_other(struct web *web, const char *version)
{
    const char *reply = confirmation_text(web);
    bool is_same = strcmp(version, version_before(web)) == 0;

    fail_unproven(
        web, OTA_CAUSE_OTHER_VERSION, "%s%sit runs %s %s, and the image is another version", reply,
        *reply ? ", but " : "", web_hide_secrets(web, version), is_same ? "as before" : "now");
}

static void finish_silent(struct web *web)
{
    struct ota_failure success;

    ota_fail(&success, OTA_OK, "its page did not tell its version");
    web_finish(web, &success);
}

/* -- the question -- */

static void read_again(struct web *web, const char *version)
{
    if (loop_now_us() < web->read_until_us)
        web_wait(web, READ_AGAIN_US, ask_for_version);
    else if (*web->recovery)
        finish_in_recovery(web);
    else if (web->expected_version)
        finish_unproven(web, version);
    else
        finish_silent(web);
}

/* Whether the image may be the firmware that runs. A filesystem is none. */
static bool may_be_image(const struct web *web, const struct page_facts *facts)
{
    return web_common_settings(web)->command == OTA_COMMAND_FILESYSTEM ||
           page_facts_fit_image(facts, web->attempt.image);
}

static void on_version(struct web *web, const struct http_reply *reply)
{
    const char *before = version_before(web);
    struct page_facts facts = {0};
    bool is_told = page_facts_add(&facts, web->finder.page, reply);
    const char *version = facts.version;
    bool is_image = may_be_image(web, &facts);
    bool is_expected = !web->expected_version || version_match_text(version, web->expected_version);
    bool is_same = strcmp(version, before) == 0;
    bool may_be_old = !web->was_away && (is_same || !*before || facts.is_recovery);

    web->phase = OTA_PHASE_PROOF;
    if (is_told)
        snprintf(web->recovery, sizeof web->recovery, "%s",
                 facts.is_recovery && !is_image ? version : "");
    if (!is_told || !is_expected || may_be_old || *web->recovery)
        read_again(web, version);
    else if (!is_image)
        finish_other(web, version);
    else if (is_same && !web->expected_version)
        finish_unchanged(web, version);
    else
        finish_proven(web, version);
}

/* Whether the board was off the network, or has no page, as while it restarts. A board that is busy
 * does not reply, and may hang up; and what this computer has missed is no evidence. */
static bool shows_absence(struct web *web, const struct http_outcome *outcome)
{
    if (outage_after(&web->outage, web->asked_us))
        return false;
    if (outcome->end == HTTP_NOT_CONNECTED)
        return !error_is_of_this_computer(outcome->reason);
    return outcome->silent_us >= TCP_AWAY_US;
}

static bool on_version_lost(struct web *web, const struct http_outcome *outcome)
{
    web->was_away = web->was_away || shows_absence(web, outcome);
    read_again(web, "");
    return true;
}

static void ask_for_version(struct web *web)
{
    web->asked_us = loop_now_us();
    web_get(web, web_facts_path(web), on_version, on_version_lost);
}

static void start_reading(struct web *web, int64_t delay_us)
{
    const struct upload_settings *settings = web_common_settings(web);
    const struct address address = endpoints_get(web->attempt.endpoints, web->endpoint);

    outage_start(&web->outage, web->upload.config.service->loop, &address, &settings->source);
    web->phase = OTA_PHASE_PROOF;
    web->is_reading = true;
    web->is_posted = false;
    web->challenge = (struct challenge){0};
    web->nonces_replaced = 0;
    web->is_door_asked = false;
    *web->recovery = '\0';
    web->read_until_us = loop_now_us() + time_limit_us(web);
    web_wait(web, delay_us, ask_for_version);
}

void web_expect_version(struct web *web)
{
    bool is_announced = web->finder.page->is_announced;
    char message[OTA_MESSAGE_MAX];

    snprintf(message, sizeof message, "%s; waiting for its %s to show the new version",
             upload_proof_text(upload_proof(&web->upload)), is_announced ? "announcement" : "page");
    web_note(web, message);
    web->has_returned = false;
    if (is_announced) {
        if (!read_announcement(web))
            fail_unproven(web, OTA_CAUSE_OUT_OF_MEMORY, "out of memory");
        return;
    }
    web->was_away = false;
    web->expected_version = web_common_settings(web)->expect_version;
    start_reading(web, MILLISECONDS((int64_t)web->finder.page->restart_ms));
}

bool web_read_back(struct upload *upload)
{
    struct web *web = (struct web *)upload;
    const struct upload_settings *settings = web_common_settings(web);

    if (!web->finder.page || !web_tells_version(web))
        return false;
    web->has_returned = true;
    if (web->finder.page->is_announced)
        return read_announcement(web);

    web->was_away = true;
    web->expected_version = settings->expect_version;
    start_reading(web, 0);
    return true;
}
