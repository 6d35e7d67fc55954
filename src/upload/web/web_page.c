/*
 * web_page.c: which page the board has, what it tells, and whether the image is for it.
 */
#include "upload/web/web_internal.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/text.h"
#include "base/units.h"
#include "discovery/services_at.h"
#include "discovery/target.h"
#include "image/image_fit.h"

#include <stdio.h>
#include <string.h>

static const int64_t ANNOUNCEMENT_US = SECONDS(2);

static void ask_for_page(struct web *web);

/* -- the image and the board -- */

/* What the page, and what the board says of itself, prove of its chip. */
static void find_kind(const struct web *web, struct kind *kind)
{
    const struct page_facts *facts = &web->finder.facts;
    const struct page *page = web->finder.page;

    *kind = (struct kind){0};
    snprintf(kind->proven, sizeof kind->proven, "%s", *facts->chips ? facts->chips : page->chips);
    snprintf(kind->likely, sizeof kind->likely, "%s", kind->proven);
    if (*facts->chips)
        snprintf(kind->clue, sizeof kind->clue, "says that it is \"%s\"", facts->hardware);
    else
        snprintf(kind->clue, sizeof kind->clue, "has the update page of %s", page->title);
}

/* Whether the board may unpack what is compressed. */
static bool may_unpack(const struct web *web)
{
    const struct page *page = web->finder.page;

    return page->packed_chips && kind_overlap(page->packed_chips, web->finder.facts.chips);
}

/* Whether the image fits where the board would store it, as far as its page tells. Otherwise the
 * attempt has ended. */
static bool check_room(struct web *web)
{
    const struct page_facts *facts = &web->finder.facts;
    size_t size = web->attempt.image->size;
    char message[OTA_MESSAGE_MAX];
    struct ota_failure failure;

    if (!facts->has_room || size <= facts->room)
        return true;
    snprintf(message, sizeof message,
             "the image has %zu bytes, and the board says that it has %zu bytes free for it", size,
             facts->room);
    if (web_common_settings(web)->force) {
        text_append(message, sizeof message, "%s", image_fit_override(true));
        web_note(web, message);
        return true;
    }
    ota_fail(&failure, OTA_E_IMAGE, "%s%s", message, image_fit_override(false));
    failure.cause = OTA_CAUSE_NO_SPACE;
    web_finish(web, &failure);
    return false;
}

/* Whether --expect-version can be checked after the upload. Otherwise the attempt has ended. */
static bool check_version(struct web *web)
{
    const struct page *page = web->finder.page;
    struct ota_failure failure;

    if (!web_common_settings(web)->expect_version || web_tells_version(web))
        return true;

    if (page->is_announced)
        readback_fail_unseen(&failure);
    else
        ota_fail(&failure, OTA_E_USAGE,
                 "the update page (%s) does not show a version; leave --expect-version out",
                 page->title);
    web_finish(web, &failure);
    return false;
}

/* Whether the image may be sent. Otherwise the attempt has ended. */
static bool check_image(struct web *web)
{
    const struct upload_settings *settings = web_common_settings(web);
    const struct inspection *inspection = &web->attempt.image->inspection;
    const struct page *page = web->finder.page;
    char reason[IMAGE_FIT_REASON_MAX];
    struct kind kind;

    if (settings->command == OTA_COMMAND_FILESYSTEM && !page->filesystem_field && !web_field(web)) {
        web_fail(web, OTA_E_IMAGE, "the update page (%s) takes no filesystem images", page->title);
        return false;
    }
    if (image_is_compressed(web->attempt.image) && !may_unpack(web) && !settings->force) {
        web_fail(web, OTA_E_IMAGE,
                 "the image is compressed, and a board with this page (%s) does not unpack it; "
                 "send it uncompressed%s",
                 page->title, image_fit_override(false));
        return false;
    }

    if (inspection->format == INSPECT_UF2 && !page->takes_uf2 && !settings->force) {
        web_fail(web, OTA_E_IMAGE,
                 "the image is a %s, which only ESPHome's page takes, and this page is another one "
                 "(%s)%s",
                 inspection->name, page->title, image_fit_override(false));
        return false;
    }

    find_kind(web, &kind);
    if (image_fit_board(reason, web->attempt.image, &kind, 0) != IMAGE_FIT_REFUSED)
        return true;
    if (settings->force) {
        text_append(reason, sizeof reason, "%s", image_fit_override(true));
        web_note(web, reason);
        return true;
    }
    web_fail(web, OTA_E_IMAGE, "%s%s", reason, image_fit_override(false));
    return false;
}

/* -- what the page tells -- */

/* If an earlier upload brought a challenge, this one comes with the answer. */
static void start_upload(struct web *web)
{
    bool answers_again = web->challenge.scheme == CHALLENGE_NONE &&
                         web->history.upload_challenge.scheme != CHALLENGE_NONE;

    if (answers_again) {
        web->challenge = web->history.upload_challenge;
        web->answer = WEB_ANSWER_NONE;
    }
    if (answers_again && !web_has_password(web))
        web_ask_for_password(web);
    else
        web_start_upload(web);
}

static void go_on(struct web *web)
{
    const struct page_finder *finder = &web->finder;
    char message[OTA_MESSAGE_MAX], path[WEB_PATH_MAX];

    snprintf(message, sizeof message, "update page: %s, at %s%s%s%s%s", finder->page->title,
             web_show_path(web, path, finder->get), *finder->facts.version ? "; firmware " : "",
             finder->facts.version, *finder->facts.hardware ? "; chip " : "",
             finder->facts.hardware);
    web_note(web, message);
    if (web_check_accepted(web) && check_version(web) && check_image(web) && check_room(web))
        start_upload(web);
}

/* What the board says is shown later, when other answers may have been given. */
static void hide_secrets(const struct web *web, char *text, size_t size)
{
    const char *shown = web_hide_secrets(web, text);

    if (shown != text)
        snprintf(text, size, "%s", shown);
}

/* Our own words before those of the page are not heard: their letters, and those of the path and of
 * the status, would pass for digits between the page's own. The path may be a password. */
static void hide_found(struct web *web)
{
    struct page_finder *finder = &web->finder;
    char *words = finder->found + finder->own_length;
    const char *shown = web_hide_secrets(web, words);

    if (shown != words)
        snprintf(words, sizeof finder->found - finder->own_length, " %s", shown);
    shown = web_hide_own(web, finder->found);
    if (shown != finder->found) {
        snprintf(finder->found, sizeof finder->found, "%s", shown);
        finder->own_length = strlen(finder->found);
    }
}

static void hide_in_finder(struct web *web)
{
    struct page_finder *finder = &web->finder;

    hide_found(web);
    hide_secrets(web, finder->facts.version, sizeof finder->facts.version);
    hide_secrets(web, finder->facts.hardware, sizeof finder->facts.hardware);
}

static void on_announced(const struct announced_service *services, size_t count, void *userdata)
{
    struct web *web = userdata;

    if (count && *services->esphome.version) {
        web->announced = services->esphome;
        escape_string(web->announced_as, sizeof web->announced_as, services->instance);
        escape_string(web->finder.facts.version, sizeof web->finder.facts.version,
                      services->esphome.version);
        hide_in_finder(web);
    }
    services_at_free(web->asking);
    web->asking = NULL;
    go_on(web);
}

/* Looks for the announcement first if the version matters and only the announcement tells it. */
static void look_for_announcement(struct web *web)
{
    const struct upload_settings *settings = web_common_settings(web);
    const struct services_at_config config = {
        .loop = web->upload.config.service->loop,
        .mdns = web->upload.config.mdns,
        .address = endpoints_get(web->attempt.endpoints, web->endpoint),
        .services = SERVICES_ESPHOME,
        .timeout_us = ANNOUNCEMENT_US,
        .on_done = on_announced,
        .userdata = web};

    if (web->finder.page->is_announced && (settings->expect_version || settings->awaits_return))
        web->asking = services_at_start(&config);
    if (!web->asking)
        go_on(web);
}

static void on_room(struct web *web, const struct http_reply *reply)
{
    page_facts_add(&web->finder.facts, web->finder.page, reply);
    hide_in_finder(web);
    go_on(web);
}

/* Facts are welcome, and not needed. */
static bool on_facts_lost(struct web *web, const struct http_outcome *outcome)
{
    (void)outcome;
    go_on(web);
    return true;
}

static void ask_for_room(struct web *web)
{
    const char *path = page_facts_room_path(web->finder.page, &web->finder.facts);

    if (path)
        web_get(web, path, on_room, on_facts_lost);
    else
        look_for_announcement(web);
}

static void on_facts(struct web *web, const struct http_reply *reply)
{
    web->told_before = page_facts_add(&web->finder.facts, web->finder.page, reply);
    memcpy(web->version_before, web->finder.facts.version, sizeof web->version_before);
    hide_in_finder(web);
    ask_for_room(web);
}

static void ask_for_facts(struct web *web)
{
    const char *path = web_facts_path(web);

    if (path && strcmp(path, web->finder.get) != 0)
        web_get(web, path, on_facts, on_facts_lost);
    else
        ask_for_room(web);
}

/* -- the search -- */

static void fail_locked(struct web *web)
{
    struct ota_failure failure;

    if (web->finder.page) {
        ota_fail(&failure, OTA_E_PASSWORD_NEEDED, "WLED's OTA lock is on");
        failure.cause = OTA_CAUSE_LOCKED;
    } else {
        ota_fail(&failure, OTA_E_PASSWORD_NEEDED,
                 "the board denies access, and asks for no password: %s", web->finder.found);
        failure.cause = OTA_CAUSE_DENIED;
    }
    web_finish(web, &failure);
}

static void fail_without_page(struct web *web)
{
    const struct page_finder *finder = &web->finder;
    const bool is_busy = finder->cause == OTA_CAUSE_BUSY;
    char place[ENDPOINTS_TEXT_MAX];
    struct ota_failure failure;

    ota_fail(&failure, is_busy ? OTA_E_NO_ANSWER : OTA_E_NO_PAGE, "%s answers, but %s%s%s%s",
             web_place(web, place), is_busy ? "is busy" : "has no known update page",
             *finder->found ? " (" : "", finder->found, *finder->found ? ")" : "");
    failure.cause = finder->cause;
    web_finish(web, &failure);
}

static void end_search(struct web *web)
{
    const struct page_finder *finder = &web->finder;
    char place[ENDPOINTS_TEXT_MAX], path[WEB_PATH_MAX];

    if (finder->has_broken_off)
        web_fail(web, OTA_E_NO_ANSWER,
                 "%s replied to GET %s, but the reply broke off, and the part that came does not "
                 "show which update page it is (--page names it)",
                 web_place(web, place), web_show_path(web, path, web->path));
    else if (finder->lock == PAGE_PIN && finder->page && finder->page->pin_path)
        web_unlock(web);
    else if (finder->lock != PAGE_OPEN)
        fail_locked(web);
    else if (finder->page) {
        web_note_open(web);
        ask_for_facts(web);
    } else
        fail_without_page(web);
}

static void on_page(struct web *web, const struct http_reply *reply)
{
    page_finder_take(&web->finder, reply);
    hide_in_finder(web);
    ask_for_page(web);
}

/* Some servers close the connection instead of saying that a page is not there. */
static bool on_page_lost(struct web *web, const struct http_outcome *outcome)
{
    const struct http_reply nothing = {0};

    if (outcome->end != HTTP_BROKEN || !web->is_heard)
        return false;
    page_finder_take(&web->finder, &nothing);
    ask_for_page(web);
    return true;
}

static void ask_for_page(struct web *web)
{
    const char *path = page_finder_path(&web->finder);

    if (path)
        web_get(web, path, on_page, on_page_lost);
    else
        end_search(web);
}

void web_find_page(struct web *web)
{
    web->phase = OTA_PHASE_PAGE;
    page_finder_start(&web->finder, web_forced_page(web), web->upload.config.target->path,
                      web_field(web));
    ask_for_page(web);
}
