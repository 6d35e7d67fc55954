/*
 * readback.c: asks for the board's announcement again and again. Avahi may remember the old one
 * until the board announces itself, so an unchanged announcement counts only at the end of the
 * time, even if it fits the image: the hash of the configuration may still change. With
 * --expect-version alone nobody sees the restart, and an unchanged announcement proves nothing.
 * Another board may have the same name, so only announcements of the upload's addresses count.
 */
#include "upload/readback.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/loop.h"
#include "base/units.h"
#include "base/version_match.h"
#include "discovery/mdns_client.h"
#include "discovery/plain_query.h"
#include "upload/announced.h"
#include "upload/endpoints.h"
#include "upload/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t ASK_AGAIN_US = MILLISECONDS(500);

struct readback {
    struct readback_config config;
    char instance[MDNS_NAME_MAX];
    struct announced before, now; /* now: its version is "" until an announcement has come */
    struct address elsewhere;     /* another address with the same name */
    bool is_elsewhere;
    struct mdns_query *query; /* NULL: none is pending */
    int64_t end_us;           /* from then on, an unchanged announcement counts */
    struct loop_timer timer;  /* for the end, or the next question */
};

static void stop_asking(struct readback *readback)
{
    if (readback->query)
        mdns_client_cancel(readback->query);
    readback->query = NULL;
    loop_timer_stop(&readback->timer);
}

/* Continues after wait_us, or at end_us if that is earlier. */
static void continue_after(struct readback *readback, int64_t wait_us)
{
    const int64_t left_us = readback->end_us - loop_now_us();

    if (wait_us > left_us)
        wait_us = left_us;
    loop_timer_start(&readback->timer, wait_us);
}

/* Whether the announcement is what the image says of itself, and what --expect-version demands. */
static bool is_as_expected(const struct readback *readback, const char *text)
{
    const char *expected = readback->config.settings->expect_version;

    return announced_fits_image(&readback->now, readback->config.image) &&
           (!expected || version_match_text(text, expected));
}

static void fail_unannounced(const struct readback *readback, struct ota_failure *result)
{
    char where[ADDRESS_TEXT_MAX] = "";

    if (readback->is_elsewhere)
        address_text(where, &readback->elsewhere);
    ota_fail(result, readback->config.settings->expect_version ? OTA_E_UNPROVEN : OTA_E_NOT_FOUND,
             "its announcement did not come%s%s%s", *where ? " (its name is announced at " : "",
             where, *where ? ", perhaps by another board)" : "");
    if (result->error == OTA_E_UNPROVEN)
        result->cause = OTA_CAUSE_NO_VERSION;
}

/* text and old: the announcements in words. */
static void judge(struct readback *readback, struct ota_failure *result, const char *text,
                  const char *old)
{
    const bool has_changed = !announced_equals(&readback->before, &readback->now);
    const char *as_before = has_changed ? " now" : " as before";

    if (!*readback->now.esphome.version) {
        fail_unannounced(readback, result);
        return;
    }

    if (!announced_fits_image(&readback->now, readback->config.image))
        ota_fail(result, OTA_E_UNPROVEN, "it announces %s%s, and the image is another version",
                 text, as_before);
    else if (!is_as_expected(readback, text))
        ota_fail(result, OTA_E_UNPROVEN, "it announces %s%s, and another version is expected", text,
                 as_before);
    else if (has_changed)
        ota_fail(result, OTA_OK, "it runs %s now (before: %s)", text, old);
    else if (readback->config.has_returned)
        ota_fail(result, OTA_OK, "it runs %s, as before", text);
    else
        ota_fail(result, OTA_E_UNPROVEN,
                 "it announced %s before the upload, too, and was not seen to restart", text);

    if (result->error == OTA_E_UNPROVEN)
        result->cause =
            is_as_expected(readback, text) ? OTA_CAUSE_NOT_RESTARTED : OTA_CAUSE_OTHER_VERSION;
}

/* Judges the last announcement, and ends the readback. Adds the board's confirmation to a failure
 * unless the board was seen to restart: then the caller adds what is known of the upload. */
static void conclude(struct readback *readback)
{
    const bool has_changed = !announced_equals(&readback->before, &readback->now);
    char text[ANNOUNCED_TEXT_MAX], old[ANNOUNCED_TEXT_MAX];
    struct ota_failure result;

    stop_asking(readback);
    judge(readback, &result, announced_describe(text, &readback->now),
          announced_describe(old, &readback->before));
    if (result.error != OTA_OK && !readback->config.has_returned)
        ota_prefix(&result, "%s, but ", upload_proof_text(UPLOAD_PROOF_BOARD));
    readback->config.on_done(&result, result.error == OTA_OK && has_changed,
                             readback->config.userdata);
}

/* Whether the announcement is that of the board that got the upload. */
static bool is_of_upload(struct readback *readback, const struct mdns_answer *answer)
{
    const struct endpoints *endpoints = readback->config.endpoints;

    if (!answer->has_address)
        return false;
    if (address_is_among(endpoints->addresses, endpoints->address_count, &answer->address))
        return true;

    readback->elsewhere = answer->address;
    readback->is_elsewhere = true;
    return false;
}

static void on_announcement(const struct mdns_answer *answer, void *userdata)
{
    struct readback *readback = userdata;
    char text[ANNOUNCED_TEXT_MAX];

    if (answer->event != MDNS_FOUND) {
        readback->query = NULL;
        continue_after(readback, ASK_AGAIN_US);
        return;
    }
    if (!*answer->esphome.version || !is_of_upload(readback, answer))
        return;

    announced_read(&readback->now, &answer->esphome);
    if (!announced_equals(&readback->before, &readback->now) &&
        is_as_expected(readback, announced_describe(text, &readback->now)))
        conclude(readback);
}

static void on_readback_timer(void *userdata)
{
    struct readback *readback = userdata;

    if (readback->query || loop_now_us() >= readback->end_us) {
        conclude(readback);
        return;
    }
    plain_query_send(SERVICE_ESPHOME);
    readback->query = mdns_client_ask(readback->config.mdns, MDNS_INSTANCE, SERVICES_ESPHOME,
                                      readback->instance, on_announcement, readback);
    continue_after(readback, readback->query ? INT64_MAX : ASK_AGAIN_US);
}

void readback_fail_unseen(struct ota_failure *failure)
{
    ota_fail(failure, OTA_E_USAGE,
             "the board's announcement (%s), which tells its version, was not seen; leave "
             "--expect-version out",
             service_type(SERVICE_ESPHOME));
}

struct readback *readback_start(const struct readback_config *config)
{
    const struct upload_settings *settings = config->settings;
    struct readback *readback = calloc(1, sizeof *readback);

    if (!readback)
        return NULL;

    readback->config = *config;
    announced_read(&readback->before, config->before);
    snprintf(readback->instance, sizeof readback->instance, "%s", config->instance);
    escape_revert(readback->instance);
    readback->end_us = loop_now_us() + (settings->expect_version ? settings->expect_version_us
                                                                 : settings->timeout_us);
    loop_timer_init(&readback->timer, config->loop, on_readback_timer, readback);
    loop_timer_start(&readback->timer, 0);
    return readback;
}

void readback_free(struct readback *readback)
{
    if (!readback)
        return;

    stop_asking(readback);
    free(readback);
}
