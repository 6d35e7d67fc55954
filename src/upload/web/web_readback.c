/*
 * web_readback.c: --expect-version: after a confirmed upload, waits until the board's page tells the
 * version that is expected.
 *
 * A board that has told it before the upload must have been away in between; otherwise the old
 * firmware may still be running.
 */
#include "upload/web/web_internal.h"

#include "base/error.h"
#include "base/loop.h"
#include "base/units.h"

#include <string.h>

static const int64_t READ_AGAIN_US = SECONDS(1);

static void ask_for_version(struct web *web);

static void finish_unproven(struct web *web, const char *version)
{
    const char *expected = web_common_settings(web)->expect_version;
    double seconds = (double)web_common_settings(web)->expect_version_us / 1e6;

    if (!*version)
        web_fail(web, OTA_E_UNPROVEN,
                 "the board has confirmed the upload, but did not tell its version within %.3g s",
                 seconds);
    else if (strstr(version, expected))
        web_fail(web, OTA_E_UNPROVEN,
                 "the board has confirmed the upload, but told the version %s before it, too, and "
                 "was not seen to restart within %.3g s",
                 version, seconds);
    else
        web_fail(web, OTA_E_UNPROVEN,
                 "the board has confirmed the upload, but after %.3g s its version is %s", seconds,
                 version);
}

static void read_again(struct web *web, const char *version)
{
    if (loop_now_us() >= web->read_until_us)
        finish_unproven(web, version);
    else
        web_wait(web, READ_AGAIN_US, ask_for_version);
}

static void on_version(struct web *web, const struct http_reply *reply)
{
    const char *before = web->finder.facts.version;
    struct page_facts facts = {0};
    struct ota_failure success;
    bool is_told = page_facts_add(&facts, web->finder.page, reply);
    const char *version = web_hide_secrets(web, facts.version);
    bool is_expected = is_told && strstr(facts.version, web_common_settings(web)->expect_version);

    if (!is_expected || (strcmp(facts.version, before) == 0 && !web->was_away)) {
        read_again(web, version);
        return;
    }
    web->is_read_back = true;
    ota_fail(&success, OTA_OK, "it runs %s now%s%s%s", version, *before ? " (before: " : "", before,
             *before ? ")" : "");
    web_finish(web, &success);
}

static bool on_version_lost(struct web *web, const struct http_outcome *outcome)
{
    if (outcome->end == HTTP_LOCAL)
        return false;
    web->was_away = true;
    read_again(web, "");
    return true;
}

static void ask_for_version(struct web *web)
{
    web_get(web, page_facts_path(web->finder.page), on_version, on_version_lost);
}

void web_read_back(struct web *web)
{
    web->phase = OTA_PHASE_PROOF;
    web->is_posted = false;
    web->was_away = false;
    web->challenge = (struct challenge){0};
    web->nonces_replaced = 0;
    web->read_until_us = loop_now_us() + web_common_settings(web)->expect_version_us;
    web_note(web, "the board has confirmed the upload; now its page is to tell the new version");
    web_wait(web, MILLISECONDS((int64_t)web->finder.page->restart_ms), ask_for_version);
}
