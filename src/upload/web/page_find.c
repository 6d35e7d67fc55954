/*
 * page_find.c: the fingerprints of pages, and the order of asking for them.
 *
 * The usual paths are asked in the order of the table below. A page that is not quite clear (is it
 * ElegantOTA 2 or 3? is it WLED that denies access?) adds one more path.
 */
#include "upload/web/page_find.h"

#include "base/escape.h"
#include "base/text.h"
#include "http/status.h"
#include "upload/web/page_text.h"
#include "upload/web/page_verdict.h"
#include "upload/web/page_words.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum path { OWN, UPDATE, SAFEBOOT_EARLY, ROOT, SAFEBOOT, IDENTITY, INFO, PATH_COUNT };

static const char *const paths[PATH_COUNT] = {
    [UPDATE] = "/update",      [SAFEBOOT_EARLY] = "/chipspecs", [ROOT] = "/",
    [SAFEBOOT] = "/chipspecs", [IDENTITY] = "/update/identity", [INFO] = "/json/info"};

static bool was_tried(const struct page_finder *finder, enum path path)
{
    return finder->tried & 1U << path;
}

/* The next of the usual paths. A redirection from /update is typical of SafeBoot, whose page would
 * otherwise pass for a hand-made form. */
static enum path next_usual_path(const struct page_finder *finder)
{
    if (!was_tried(finder, UPDATE))
        return UPDATE;
    if (finder->was_redirected && !was_tried(finder, SAFEBOOT_EARLY) && !was_tried(finder, ROOT))
        return SAFEBOOT_EARLY;
    if (!was_tried(finder, ROOT))
        return ROOT;
    if (!was_tried(finder, SAFEBOOT) && !was_tried(finder, SAFEBOOT_EARLY))
        return SAFEBOOT;
    return PATH_COUNT;
}

static enum path next_path(const struct page_finder *finder)
{
    if (finder->is_over)
        return PATH_COUNT;
    if (finder->page == &pages[PAGE_ELEGANTOTA])
        return IDENTITY;
    if (finder->lock != PAGE_OPEN && !was_tried(finder, INFO))
        return INFO;
    if (finder->forced || strlen(finder->own) > 1)
        return was_tried(finder, OWN) ? PATH_COUNT : OWN;
    return next_usual_path(finder);
}

const char *page_finder_path(const struct page_finder *finder)
{
    enum path path = next_path(finder);

    if (path == PATH_COUNT)
        return NULL;
    if (path != OWN)
        return paths[path];
    return *finder->own ? finder->own : finder->forced->get;
}

void page_finder_start(struct page_finder *finder, const struct page *forced, const char *own,
                       const char *field)
{
    *finder = (struct page_finder){.forced = forced, .own = own, .field = field};
}

/* -- fingerprints -- */

static bool has_words(const struct http_reply *reply, const char *words)
{
    return strcasestr(http_reply_text(reply), words);
}

static bool is_tasmota(const struct http_reply *reply)
{
    return strncmp(reply->server, "Tasmota/", 8) == 0;
}

static bool is_async(const struct http_reply *reply)
{
    return strcasecmp(reply->accept_ranges, "none") == 0;
}

/* SafeBoot's /chipspecs is "ESP32-S3 (8 MB)": any other short text may come from a server that has
 * one reply for every path. */
static bool is_chip_specs(const struct http_reply *reply)
{
    const char *text = http_reply_text(reply);
    static const char unit[] = " MB)";
    const char *size = strstr(text, " (");
    const char *end;
    uint64_t megabytes;

    return strncmp(text, "ESP32", 5) == 0 && reply->body_length < PAGE_FACT_MAX && size &&
           parse_decimal(size + 2, 999, &megabytes, &end) &&
           strncmp(end, unit, sizeof unit - 1) == 0 &&
           strspn(end + sizeof unit - 1, " \r\n") == strlen(end + sizeof unit - 1);
}

/* The form has the path "u" in every language and version. */
static bool is_wifimanager(const struct form_inputs *inputs)
{
    const struct form_input *input = form_find_input(inputs, "update");

    return input && (strcmp(input->action, "u") == 0 || strcmp(input->action, "/u") == 0);
}

/* OTAWebUpdater and WebUpdate send their file to /update, by a script where the form has no
 * action. */
static bool leads_to_update(const struct http_reply *reply, const struct form_inputs *inputs)
{
    const struct form_input *input = form_find_input(inputs, "update");

    return input && has_words(reply, "/update") &&
           (strchr("#?", *input->action) || strncmp(input->action, "/update", 7) == 0);
}

/* ESPAsyncHTTPUpdateServer has the forms of HTTPUpdateServer, on an ESP8266 and an ESP32 alike. Its
 * handler looks for the form's query, and a board crashes that does not find one. A fork of it has
 * the other's page as it is. (ESPAsyncHTTPUpdateServer.cpp of IPdotSetAF and Kounenri) */
static bool is_async_updater(const struct http_reply *reply, const struct form_inputs *inputs)
{
    static const char query[] = "?name=firmware";
    const struct form_input *input = form_find_input(inputs, "firmware");

    return input && (strcmp(input->action, query) == 0 ||
                     (is_async(reply) && form_find_input(inputs, "filesystem")));
}

static const struct page *identify_form(const struct http_reply *reply,
                                        const struct form_inputs *inputs)
{
    if (is_async_updater(reply, inputs))
        return &pages[PAGE_ASYNC_UPDATER];
    if (form_find_input(inputs, "filesystem"))
        return has_words(reply, ".image") ? &pages[PAGE_ESP32] : &pages[PAGE_ESP8266];
    if (form_find_input(inputs, "filename") && has_words(reply, "/upgrade"))
        return &pages[PAGE_ESPURNA];
    if (is_wifimanager(inputs))
        return &pages[PAGE_WIFIMANAGER];
    if (leads_to_update(reply, inputs) && !is_async(reply))
        return &pages[PAGE_WEBUPDATER];
    return NULL;
}

static const struct page *identify_page(const struct http_reply *reply, enum path path,
                                        const struct form_inputs *inputs)
{
    if (is_tasmota(reply))
        return &pages[PAGE_TASMOTA];
    if (reply->status != STATUS_OK)
        return NULL;
    if (path == SAFEBOOT || path == SAFEBOOT_EARLY)
        return is_chip_specs(reply) ? &pages[PAGE_SAFEBOOT] : NULL;
    if (has_words(reply, "ElegantOTA"))
        return &pages[PAGE_ELEGANTOTA];
    if (has_words(reply, "WLED") && path != ROOT)
        return &pages[PAGE_WLED];
    if (has_words(reply, "<esp-app") || has_words(reply, "<h2>OTA Update</h2>"))
        return &pages[PAGE_ESPHOME];
    if (has_words(reply, "<title>ESPurna"))
        return &pages[PAGE_ESPURNA];
    if (has_words(reply, "ESP32 Login Page") || has_words(reply, "/serverIndex"))
        return &pages[PAGE_WEBUPDATER];
    return identify_form(reply, inputs);
}

/* -- results -- */

/* The input that --field names, or the only one. */
static const struct form_input *choose_input(const struct page_finder *finder,
                                             const struct form_inputs *inputs)
{
    if (finder->field)
        return form_find_input(inputs, finder->field);
    return inputs->count == 1 ? &inputs->inputs[0] : NULL;
}

/* A hand-made page: where its form leads. Returns false if the page has no such form. */
static bool take_form(struct page_finder *finder, const char *path,
                      const struct form_inputs *inputs)
{
    const struct form_input *input = choose_input(finder, inputs);

    if (!input || !*input->name)
        return false;
    if (!form_resolve_action(finder->post, path, input->action))
        return false;
    memcpy(finder->form_field, input->name, sizeof finder->form_field);
    return true;
}

static void choose_page(struct page_finder *finder, const struct page *page, const char *path,
                        const struct http_reply *reply)
{
    char *shown = page_text_shown(http_reply_text(reply), reply->body_length);

    finder->page = page;
    finder->verdicts = shown ? page_count_verdicts(shown) : SIZE_MAX; /* none is believed */
    free(shown);
    snprintf(finder->get, sizeof finder->get, "%s", path);
    if (!*finder->post)
        snprintf(finder->post, sizeof finder->post, "%s", page->post ? page->post : path);
}

/* WLED up to 0.14 denies access with the status of an error. */
static bool says_locked(const struct http_reply *reply)
{
    return reply->status == STATUS_INTERNAL && has_words(reply, "unlock OTA");
}

/* WLED's page for the PIN does not name WLED. Its status is 200, or 401 in newer versions. */
static bool asks_for_pin(const struct http_reply *reply, const struct form_inputs *inputs)
{
    return (reply->status == STATUS_OK || reply->status == STATUS_UNAUTHORIZED) &&
           inputs->count == 0 && has_words(reply, "PIN") && has_words(reply, "password");
}

enum { QUOTED_MAX = 64 }; /* bytes of what a page says */

static void note_leads(struct page_finder *finder, const struct http_reply *reply)
{
    struct page_leads leads;

    page_leads_text(&leads, reply);
    page_leads_append(finder->found, sizeof finder->found, leads.location, leads.refresh);
}

/* How much a reply without a page tells. */
static enum page_hint hint_of(const struct http_reply *reply)
{
    if (page_is_busy(reply->status))
        return PAGE_HINT_BUSY;
    if (page_leads_elsewhere(reply))
        return PAGE_HINT_MOVED;
    return reply->status == STATUS_OK ? PAGE_HINT_OTHER : PAGE_HINT_ERROR;
}

/* Notes what answered, for the case that no page is found: what tells most, and of pages the
 * last. */
static void note_found(struct page_finder *finder, const struct http_reply *reply, const char *path)
{
    static const enum ota_cause causes[] = {
        [PAGE_HINT_MOVED] = OTA_CAUSE_MOVED, [PAGE_HINT_BUSY] = OTA_CAUSE_BUSY};
    const enum page_hint hint = hint_of(reply);
    char server[QUOTED_MAX], text[QUOTED_MAX];

    if (finder->has_choice || hint < finder->hint ||
        (hint == finder->hint && hint != PAGE_HINT_OTHER))
        return;

    finder->hint = hint;
    finder->cause = causes[hint];
    if (!reply->status) {
        snprintf(finder->found, sizeof finder->found,
                 "%s: the connection was closed without a reply", path);
        finder->own_length = strlen(finder->found);
        return;
    }
    snprintf(finder->found, sizeof finder->found, "%s has status %u", path, reply->status);
    finder->own_length = strlen(finder->found);
    escape_string(server, sizeof server, reply->server);
    page_text(text, sizeof text, http_reply_text(reply), reply->body_length);
    text_append(finder->found, sizeof finder->found, "%s%s%s%s%s%s", *server ? ", Server \"" : "",
                server, *server ? "\"" : "", *text ? ", \"" : "", text, *text ? "\"" : "");
    note_leads(finder, reply);
}

/* Notes that a page has several file inputs, so the user has to name one. */
static void note_choice(struct page_finder *finder, const struct form_inputs *inputs,
                        const char *path)
{
    char name[QUOTED_MAX];

    if (finder->field || inputs->count < 2 || finder->has_choice)
        return;
    finder->has_choice = true;
    finder->cause = OTA_CAUSE_NONE;
    snprintf(finder->found, sizeof finder->found, "%s has %zu fields for files:", path,
             inputs->count);
    finder->own_length = strlen(finder->found);
    for (size_t i = 0; i < inputs->count && i < FORM_INPUTS_MAX; i++)
        text_append(finder->found, sizeof finder->found, "%s \"%s\"", i ? "," : "",
                    escape_string(name, sizeof name, inputs->inputs[i].name));
    text_append(finder->found, sizeof finder->found, "; --field names the one for the image");
}

static void take_forced(struct page_finder *finder, const struct http_reply *reply,
                        const char *path, const struct form_inputs *inputs)
{
    const struct page *page = finder->forced;
    bool has_form =
        page->is_generic && reply->status == STATUS_OK && take_form(finder, path, inputs);

    finder->is_over = page != &pages[PAGE_ELEGANTOTA];
    page_facts_add(&finder->facts, page, reply);
    if (page->pin_path && asks_for_pin(reply, inputs))
        finder->lock = PAGE_PIN;
    if (!page->is_generic || has_form || finder->field) {
        choose_page(finder, page, path, reply);
        return;
    }
    note_found(finder, reply, path);
    note_choice(finder, inputs, path);
}

/* The reply to a path that only tells more of a page. */
static void take_detail(struct page_finder *finder, const struct http_reply *reply, enum path path)
{
    finder->is_over = true;
    if (path == IDENTITY) {
        page_facts_add(&finder->facts, finder->page, reply);
        finder->is_elegantota_2 = *finder->facts.hardware;
        if (finder->is_elegantota_2)
            snprintf(finder->post, sizeof finder->post, "/update");
    } else if (page_facts_add(&finder->facts, &pages[PAGE_WLED], reply)) {
        choose_page(finder, &pages[PAGE_WLED], "/update", reply);
    } else if (finder->lock == PAGE_PIN) {
        finder->lock = PAGE_OPEN;
        finder->is_over = false;
    }
}

static void take_page(struct page_finder *finder, const struct http_reply *reply, enum path path,
                      const char *text)
{
    struct form_inputs inputs;

    form_find_inputs(&inputs, http_reply_text(reply), reply->body_length);
    if (finder->forced) {
        take_forced(finder, reply, text, &inputs);
        return;
    }

    const struct page *page = identify_page(reply, path, &inputs);
    if (!page && reply->status == STATUS_OK && take_form(finder, text, &inputs))
        page = is_async(reply) ? &pages[PAGE_ASYNC] : &pages[PAGE_FORM];
    if (!page) {
        note_found(finder, reply, text);
        note_choice(finder, &inputs, text);
        if (asks_for_pin(reply, &inputs) && !was_tried(finder, INFO))
            finder->lock = PAGE_PIN;
        return;
    }
    page_facts_add(&finder->facts, page, reply);
    choose_page(finder, page, text, reply);
    finder->is_over = page != &pages[PAGE_ELEGANTOTA];
}

/* Whether the reply is a part of the body that would say which page it is: the rest may have the
 * words of another page, or another field for a file. */
static bool is_part_of_page(const struct page_finder *finder, const struct http_reply *reply,
                            enum path path)
{
    const struct page *forced = finder->forced;
    bool is_known = forced ? !forced->is_generic || finder->field : is_tasmota(reply);
    bool is_detail = path == IDENTITY || path == INFO;

    return reply->status == STATUS_OK && http_reply_broke_off(reply) && (is_detail || !is_known);
}

void page_finder_take(struct page_finder *finder, const struct http_reply *reply)
{
    enum path path = next_path(finder);
    char text[FORM_TEXT_MAX];

    if (path == PATH_COUNT)
        return;
    snprintf(text, sizeof text, "%s", page_finder_path(finder));
    finder->tried |= 1U << path;
    finder->was_redirected = http_reply_is_redirection(reply);
    finder->has_broken_off = is_part_of_page(finder, reply, path);
    if (finder->has_broken_off) {
        finder->is_over = true;
        return;
    }
    if (path == IDENTITY || path == INFO) {
        take_detail(finder, reply, path);
        return;
    }
    if (reply->status == STATUS_UNAUTHORIZED || says_locked(reply)) {
        const struct form_inputs none = {0};

        note_found(finder, reply, text);
        finder->lock = asks_for_pin(reply, &none) ? PAGE_PIN : PAGE_LOCKED;
        return;
    }
    take_page(finder, reply, path, text);
}
