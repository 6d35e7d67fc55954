/*
 * web_prepare.c: what a page wants before an upload.
 *
 *   ElegantOTA 3   GET /ota/start?mode=fr&hash=MD5
 *   Tasmota        GET /u4?u4=fct&api= until an ESP32 runs its safeboot firmware, GET /up
 *   WLED           after an upload that broke off, GET /reset, and GET /json/info until the uptime
 *                  shows the restart
 *   all others     nothing
 */
#include "upload/web/web_internal.h"

#include "base/error.h"
#include "base/loop.h"
#include "base/units.h"
#include "image/image.h"
#include "image/kind.h"
#include "upload/reason.h"

#include <stdio.h>
#include <string.h>

static const int64_t START_AGAIN_US = SECONDS(1);
static const int64_t RESTART_POLL_US = SECONDS(2);
static const int64_t SAFEBOOT_LIMIT_US = SECONDS(90);
static const int64_t SAFEBOOT_SETTLE_US = SECONDS(1);
static const int64_t RESET_LIMIT_US = SECONDS(60);

/* A step before the upload was refused. If its path is missing, the page is of another kind. */
static void fail_step(struct web *web, const struct http_reply *reply, const char *what)
{
    bool is_absent = page_is_absent(reply);
    char raw[PAGE_TEXT_MAX], status[PAGE_STATUS_MAX], path[WEB_PATH_MAX];
    struct ota_failure failure;

    page_text(raw, PAGE_TEXT_MAX, http_reply_text(reply), reply->body_length);
    const char *text = web_hide_secrets(web, raw), *shown = web_show_path(web, path, web->path);
    if (is_absent)
        ota_fail(&failure, OTA_E_NO_PAGE, "the board has no page of %s: %s has %s",
                 web->finder.page->title, shown, web_status_text(web, status, reply, text));
    else
        ota_fail(&failure, OTA_E_REFUSED, "%s: %s", what, *text ? text : "it gives no reason");
    failure.cause = is_absent ? OTA_CAUSE_NONE : reason_cause(raw);
    web_finish(web, &failure);
}

static void fail_with_part(struct web *web)
{
    struct ota_failure failure;

    ota_fail(&failure, OTA_E_LOST,
             "the board may still have the part of the image that came before the upload broke "
             "off: nothing more was sent");
    failure.cause = OTA_CAUSE_PART_KEPT;
    web_finish(web, &failure);
}

/* -- a board that restarts -- */

static void expect_restart(struct web *web, int64_t limit_us, const char *note)
{
    web->restart_until_us = loop_now_us() + limit_us;
    web_note(web, note);
}

/* Asks again in a while. Returns false if no restart is expected, or has taken too long. */
static bool wait_for_restart(struct web *web, void (*ask)(struct web *web))
{
    if (loop_now_us() >= web->restart_until_us)
        return false;
    web_wait(web, RESTART_POLL_US, ask);
    return true;
}

/* -- WLED: a restart frees the part of an image that the board may have kept -- */

static void ask_for_uptime(struct web *web);

static void wait_for_reset(struct web *web)
{
    if (!wait_for_restart(web, ask_for_uptime))
        fail_with_part(web);
}

static void on_reset(struct web *web, const struct http_reply *reply)
{
    (void)reply;
    wait_for_reset(web);
}

static bool on_reset_lost(struct web *web, const struct http_outcome *outcome)
{
    (void)outcome;
    wait_for_reset(web);
    return true;
}

static void reset_board(struct web *web)
{
    expect_restart(web, RESET_LIMIT_US,
                   "the board may have kept a part of the upload that broke off; restarting it");
    web_get(web, web->finder.page->restart_path, on_reset, on_reset_lost);
}

/* The page is looked for again: it may want its PIN again. */
static void go_on_after_reset(struct web *web)
{
    web->history.broken_us = 0;
    web->history.is_unlocked = false;
    web->pins_sent = 0;
    web->restart_until_us = 0;
    web_find_page(web);
}

/* The uptime is in whole seconds. A page that does not tell it may be none of those that restart
 * their board at this path. */
static void on_uptime(struct web *web, const struct http_reply *reply)
{
    enum { UNRESTARTED_MAX = 3 };
    struct page_facts facts = {0};

    page_facts_add(&facts, web->finder.page, reply);
    if (facts.has_uptime &&
        SECONDS((int64_t)facts.uptime_s + 1) <= web->asked_us - web->history.broken_us)
        go_on_after_reset(web);
    else if (!web->restart_until_us && facts.has_uptime)
        reset_board(web);
    else if (++web->unrestarted < UNRESTARTED_MAX)
        wait_for_reset(web);
    else
        fail_with_part(web);
}

static bool on_uptime_lost(struct web *web, const struct http_outcome *outcome)
{
    return web->restart_until_us && on_reset_lost(web, outcome);
}

static void ask_for_uptime(struct web *web)
{
    web->asked_us = loop_now_us();
    web_get(web, web_facts_path(web), on_uptime, on_uptime_lost);
}

/* -- ElegantOTA 3 -- */

static void start_elegantota(struct web *web);

static void on_elegantota_started(struct web *web, const struct http_reply *reply)
{
    const bool may_mix = web->history.broken_us && web->starts == 1 && web_may_keep_part(web);
    char text[PAGE_TEXT_MAX];

    page_text(text, PAGE_TEXT_MAX, http_reply_text(reply), reply->body_length);
    if (reply->status == STATUS_OK && may_mix) {
        fail_with_part(web);
    } else if (reply->status == STATUS_OK) {
        web_send_image(web);
    } else if (strcasestr(text, "already running") && web->starts == 1) {
        web_note(web, "an earlier upload was not finished; starting again");
        web_wait(web, START_AGAIN_US, start_elegantota);
    } else {
        fail_step(web, reply, "the board refuses the upload");
    }
}

static void start_elegantota(struct web *web)
{
    char path[WEB_PATH_MAX];
    bool is_filesystem = web_common_settings(web)->command == OTA_COMMAND_FILESYSTEM;

    web->starts++;
    snprintf(path, sizeof path, "/ota/start?mode=%s&hash=%s", is_filesystem ? "fs" : "fr",
             web->attempt.image->md5);
    web_get(web, path, on_elegantota_started, NULL);
}

/* -- Tasmota -- */

static void ask_for_safeboot(struct web *web);

static void on_tasmota_ready(struct web *web, const struct http_reply *reply)
{
    if (reply->status == STATUS_OK)
        web_send_image(web);
    else
        fail_step(web, reply, "the board does not show its upload page");
}

static void ask_for_upload_page(struct web *web)
{
    web_get(web, "/up", on_tasmota_ready, NULL);
}

/* "false": the board restarts into its safeboot firmware. "true": that firmware runs; its own page
 * waits a second before the upload. "none": the board takes the upload now; older versions do not
 * know the question. */
static void on_safeboot(struct web *web, const struct http_reply *reply)
{
    const char *text = http_reply_text(reply);

    if (reply->status == STATUS_OK && strstr(text, "true")) {
        web_wait(web, SAFEBOOT_SETTLE_US, ask_for_upload_page);
        return;
    }
    if (reply->status != STATUS_OK || !strstr(text, "false")) {
        ask_for_upload_page(web);
        return;
    }
    if (!web->restart_until_us)
        expect_restart(web, SAFEBOOT_LIMIT_US,
                       "the board restarts into its safeboot firmware, which takes the upload");
    if (!wait_for_restart(web, ask_for_safeboot))
        web_fail(web, OTA_E_NO_ANSWER,
                 "the board did not start its safeboot firmware within %.0f s",
                 (double)SAFEBOOT_LIMIT_US / 1e6);
}

static bool on_safeboot_lost(struct web *web, const struct http_outcome *outcome)
{
    (void)outcome;
    return wait_for_restart(web, ask_for_safeboot);
}

static void ask_for_safeboot(struct web *web)
{
    web_get(web, "/u4?u4=fct&api=", on_safeboot, on_safeboot_lost);
}

static void start_tasmota(struct web *web)
{
    if (kind_overlap(web->finder.facts.chips, "esp32*"))
        ask_for_safeboot(web);
    else
        ask_for_upload_page(web);
}

void web_start_upload(struct web *web)
{
    if (web->history.broken_us && web->finder.page->restart_path && web_may_keep_part(web))
        ask_for_uptime(web);
    else if (web->finder.page->start == PAGE_START_TASMOTA)
        start_tasmota(web);
    else if (web->finder.page->start == PAGE_START_ELEGANTOTA && !web->finder.is_elegantota_2)
        start_elegantota(web);
    else
        web_send_image(web);
}
