/*
 * web_upload.c: the upload to a page, and its verdict.
 */
#include "upload/web/web_internal.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/units.h"
#include "http/failure.h"
#include "image/image.h"
#include "image/image_fit.h"
#include "image/kind.h"
#include "upload/reason.h"

#include <stdio.h>
#include <string.h>

#define REPLACED_NOTE                                                                              \
    "the board replaced its challenge because of somebody else's request; trying again"

static const int64_t TRY_AGAIN_US = SECONDS(1);

/* -- the upload -- */

/* The query begins with a question mark. */
static bool add_query(char path[WEB_PATH_MAX], const char *query)
{
    return text_append(path, WEB_PATH_MAX, "%s%s", strchr(path, '?') ? "&" : "?", query + 1);
}

static bool make_path(const struct web *web, char path[WEB_PATH_MAX], bool is_filesystem)
{
    const struct page *page = web->finder.page;
    const char *query = is_filesystem ? page->filesystem_query : page->sketch_query;
    bool fits = snprintf(path, WEB_PATH_MAX, "%s", web->finder.post) < WEB_PATH_MAX;

    if (page->size_query)
        fits = fits && add_query(path, page->size_query) &&
               text_append(path, WEB_PATH_MAX, "%zu", web->attempt.image->size);
    return fits && (!query || add_query(path, query));
}

/* The plain fields before the file. Returns how many. */
static size_t make_fields(const struct web *web, struct multipart_field fields[1])
{
    if (web->finder.is_elegantota_2)
        fields[0] = (struct multipart_field){"MD5", web->attempt.image->md5};
    else if (web->finder.page == &pages[PAGE_WLED] && web_common_settings(web)->force)
        fields[0] = (struct multipart_field){"skipValidation", "1"};
    else
        return 0;
    return 1;
}

static void choose_file(const struct web *web, struct multipart_file *file, bool is_filesystem)
{
    const struct page *page = web->finder.page;
    const char *field = web_field(web);

    *file = (struct multipart_file){.field = page->sketch_field,
                                    .filename = page->sketch_filename,
                                    .data = web->attempt.image->data,
                                    .size = web->attempt.image->size};
    if (is_filesystem && page->filesystem_field) {
        file->field = page->filesystem_field;
        file->filename = page->filesystem_filename;
    } else if (*web->finder.form_field) {
        file->field = web->finder.form_field;
    }
    if (field)
        file->field = field;
}

static void on_asked_again(struct web *web, const struct http_reply *reply)
{
    (void)reply;
    if (web_check_accepted(web))
        web_send_image(web);
}

/* The request to which the board asked for a password in another attempt got a reply that does not
 * ask. Only a success shows that it is not asked for any more: see SECURITY.md. */
static void fail_unasked(struct web *web, struct ota_failure *failure)
{
    const bool is_busy = page_is_busy(web->unasked);

    if (web->unasked / 100 != 2) {
        ota_fail(failure, is_busy ? OTA_E_NO_ANSWER : OTA_E_NO_VERDICT,
                 "the board asked for a password before, and its page %s (status %u); it gets no "
                 "image",
                 is_busy ? "is busy now"
                         : "now says neither that it wants one nor that it takes an image without "
                           "one",
                 web->unasked);
        failure->cause = is_busy ? OTA_CAUSE_BUSY : OTA_CAUSE_DENIED;
    }
    web->phase = OTA_PHASE_AUTHENTICATE;
    web_finish(web, failure);
}

/* Whether the board may have the image without an answer. If it asked for one in another attempt,
 * the request to which it did must have been answered in this one, too: other pages of the board
 * may never ask. Otherwise that request has been sent again, or the attempt has ended. */
static bool check_unasked(struct web *web)
{
    const char *path = web->history.asked_path;
    struct ota_failure failure;

    if (web->challenge.scheme != CHALLENGE_NONE || web->history.is_unlocked || !*path ||
        trust_unasked(&web->upload.trust, &failure))
        return true;

    if (web->unasked)
        fail_unasked(web, &failure);
    else
        web_get(web, path, on_asked_again, NULL);
    return false;
}

void web_send_image(struct web *web)
{
    if (!check_unasked(web))
        return;

    bool is_filesystem = web_common_settings(web)->command == OTA_COMMAND_FILESYSTEM;
    char path[WEB_PATH_MAX], shown[WEB_PATH_MAX];
    struct multipart_field fields[1];
    size_t field_count = make_fields(web, fields);
    struct multipart_file file;

    choose_file(web, &file, is_filesystem);
    if (!multipart_is_name(file.field))
        web_fail(
            web, OTA_E_NO_PAGE,
            "the page's form calls its file \"%s\", and such a name cannot be sent: it should be "
            "printable ASCII without quotes, backslash, '=' and ';', at most %d characters",
            web_show_path(web, shown, file.field), MULTIPART_NAME_MAX);
    else if (!make_path(web, path, is_filesystem))
        web_fail(web, OTA_E_USAGE, "the path of the page is too long");
    else if (multipart_make(&web->body, &file, fields, field_count) != 0)
        web_fail(web, OTA_E_INTERNAL,
                 "the upload cannot be prepared: libcrypto has no random numbers");
    else
        web_post(web, path);
}

/* The board's chip, or those that the image is for. */
static const char *find_chips(const struct web *web, char chips[KIND_CHIPS_MAX])
{
    return *web->finder.facts.chips ? web->finder.facts.chips
                                    : image_fit_chips(chips, web->attempt.image);
}

/* ElegantOTA 2 refuses the mixture: it sets the MD5 that is sent before the image, and only an
 * update that really begins forgets it. It restarts then, too. */
bool web_may_keep_part(const struct web *web)
{
    const struct page *page = web->finder.page;
    char buffer[KIND_CHIPS_MAX];
    const char *chips = find_chips(web, buffer);

    if (page->drops_next)
        return true;
    if (web->finder.is_elegantota_2)
        return false;
    if (!page->appends && (!page_may_append(page, web->finder.facts.version) || !*chips))
        return false;
    return kind_overlap("esp8266,rp*", chips);
}

/* Whether the next attempt may find out. The start of an ElegantOTA 3 says so if the updater still
 * runs, unless the core has no error for that; a restart ends the updater. */
static bool tells_of_part(const struct web *web)
{
    const struct page *page = web->finder.page;

    return page->start == PAGE_START_ELEGANTOTA ||
           (page->restart_path && web->finder.facts.has_uptime);
}

/* -- the verdict -- */

/* A refusal of a whole upload that can only be about another one, which somebody else may have
 * begun: ERROR[15] of the ESP8266's updater, and Tasmota's in English. */
static bool is_about_another(const char *text)
{
    return strcasestr(text, "Update already running") || strcasestr(text, "Upload aborted");
}

/* After an upload that broke off, some updaters still run. They fail the next upload, and are clear
 * after it. That is no verdict on the image. */
static bool start_over(struct web *web, const char *text)
{
    char message[OTA_MESSAGE_MAX];

    if (!web->history.broken_us && (web->history.is_started_over || !is_about_another(text)))
        return false;
    web->history.broken_us = 0;
    web->history.is_started_over = true;
    snprintf(
        message, sizeof message,
        "the board says: %s; this may be about the previous upload, which broke off; trying again",
        text);
    web_note(web, message);
    web->is_posted = web->is_all_sent = web->is_acknowledged = false;
    web->starts = 0;
    web_wait(web, TRY_AGAIN_US, web_find_page);
    return true;
}

static void fail_refused(struct web *web, const char *text, unsigned status)
{
    char bare[64];
    struct ota_failure failure;

    snprintf(bare, sizeof bare, "nothing but the status %u", status);
    if (!*text)
        text = bare;
    if (start_over(web, text))
        return;
    ota_fail(&failure, OTA_E_BOARD, "the board says: %s", text);
    failure.cause = reason_cause(text);
    web_finish(web, &failure);
}

/* The page is open, and the board asks for the password only with the upload, which is sent once
 * more with the answer. A second challenge means that the board has rejected the password. */
static void take_upload_challenge(struct web *web, const struct challenge *challenge)
{
    const bool is_first = web->history.upload_challenge.scheme == CHALLENGE_NONE;
    const bool may_be_replaced = challenge_is_digest(challenge) && web->nonces_replaced == 0;

    if (!web_take_challenge(web, challenge))
        return;
    web->history.upload_challenge = *challenge;
    web->nonces_replaced++;
    web->phase = OTA_PHASE_AUTHENTICATE;

    if (is_first && !web_has_password(web)) {
        web_ask_for_password(web);
    } else if (is_first || may_be_replaced) {
        web_note(
            web,
            is_first
                ? "the board asks for the password with the upload, not with its page; trying again"
                : REPLACED_NOTE);
        web_wait(web, TRY_AGAIN_US, web_start_upload);
    } else {
        web_fail_rejected(web);
    }
}

/* Returns whether the reply to the upload is a challenge that was dealt with. */
static bool handle_challenge_to_upload(struct web *web, const struct challenge *challenge)
{
    const bool is_page_open =
        !web->authorization || web->history.upload_challenge.scheme != CHALLENGE_NONE;

    if (challenge->scheme == CHALLENGE_NONE ||
        (!is_page_open && (!challenge_is_digest(challenge) || web->nonces_replaced++ > 0)))
        return false;

    web->is_posted = web->is_all_sent = web->is_acknowledged = false;
    if (is_page_open) {
        take_upload_challenge(web, challenge);
    } else if (web_take_challenge(web, challenge)) {
        web_note(web, REPLACED_NOTE);
        web_wait(web, TRY_AGAIN_US, web_find_page);
    }
    return true;
}

static void fail_unauthorized(struct web *web, const struct http_reply *reply, const char *text)
{
    char status[PAGE_STATUS_MAX];
    struct ota_failure failure;

    ota_fail(&failure, OTA_E_WRONG_PASSWORD,
             "the board rejected the upload (%s), although it %s; nothing was installed",
             web_status_text(web, status, reply, text),
             web->history.is_unlocked             ? "took the PIN for its page"
             : web->answer == WEB_ANSWER_ACCEPTED ? "accepted the password for its page"
             : web->authorization                 ? "did not reject the password for its page"
                                                  : "did not ask for a password on its page");
    failure.cause = reason_cause(text);
    if (failure.cause == OTA_CAUSE_NONE && !web->authorization)
        failure.cause = web->history.is_unlocked ? OTA_CAUSE_PIN : OTA_CAUSE_DENIED;
    web_finish(web, &failure);
}

/* For a reply that neither rejects the password nor asks for one. */
static void note_password(struct web *web, const struct http_reply *reply)
{
    web_note_authenticated(web, reply); /* unless its page has said so before */
    if (web->challenge.scheme != CHALLENGE_NONE || web->history.is_unlocked ||
        !web_has_password(web) || web->history.is_unasked_told ||
        reply->status == STATUS_UNAUTHORIZED)
        return;

    web->history.is_unasked_told = true;
    web_emit(web, (struct ota_event){.type = OTA_EVENT_NOTE,
                                     .message = "the page did not ask for the password",
                                     .password = "not-asked",
                                     .is_important = true});
}

/* The upload broke off, and the page's updater may still run. Some add the next upload to what they
 * have; only an ESP32 then looks at more of the mixture than its first bytes. */
static void note_broken(struct web *web, struct ota_failure *failure)
{
    web->history.broken_us = loop_now_us();
    if (web_may_keep_part(web))
        failure->cause = tells_of_part(web) ? OTA_CAUSE_PART_UNSURE : OTA_CAUSE_PART_KEPT;
}

/* The whole image is there, and nothing says what became of it. */
static void fail_unclear(struct web *web, const char *what)
{
    web->history.broken_us = loop_now_us();
    web_fail(web, OTA_E_UNKNOWN, "all %zu bytes were sent, but %s", web->attempt.image->size, what);
}

bool web_is_verdict(const struct web *web, const struct http_reply *reply)
{
    char text[PAGE_TEXT_MAX];

    return page_judge(text, web->finder.page, web->finder.verdicts, reply) != PAGE_UNCLEAR;
}

/* An image that may be for any board counts as one for a board that says what it means. */
bool web_proves_receipt_only(const struct web *web)
{
    const struct page *page = web->finder.page;
    char buffer[KIND_CHIPS_MAX];

    if (!page || page->proof == PAGE_PROOF_RECEIVED)
        return page;
    if (!page->received_chips || web_common_settings(web)->command == OTA_COMMAND_FILESYSTEM)
        return false;

    const char *chips = find_chips(web, buffer);
    return *chips && kind_overlap(page->received_chips, chips);
}

static void end_confirmed(struct web *web)
{
    const struct upload_settings *settings = web_common_settings(web);
    struct ota_failure success;

    if (settings->expect_version && !settings->awaits_return) {
        web_expect_version(web);
        return;
    }
    ota_fail(&success, OTA_OK, "%s",
             web_proves_receipt_only(web) ? "such a page does not say whether the image is good"
                                          : "");
    web_finish(web, &success);
}

static void judge_reply(struct web *web, const struct http_reply *reply)
{
    char raw[PAGE_TEXT_MAX], status[PAGE_STATUS_MAX], what[PAGE_STATUS_MAX + 128];
    char path[WEB_PATH_MAX];
    enum page_verdict verdict = page_judge(raw, web->finder.page, web->finder.verdicts, reply);
    const char *text = web_hide_secrets(web, raw);

    if (verdict != PAGE_UNAUTHORIZED)
        note_password(web, reply);
    else if (reply->status == STATUS_UNAUTHORIZED &&
             handle_challenge_to_upload(web, &reply->challenge))
        return;

    if (verdict == PAGE_REFUSED) {
        fail_refused(web, text, reply->status);
    } else if (verdict == PAGE_UNAUTHORIZED) {
        fail_unauthorized(web, reply, text);
    } else if (verdict == PAGE_ABSENT) {
        const char *shown = web_show_path(web, path, web->path);
        web_fail(web, OTA_E_NO_PAGE, "nothing takes an upload at %s: %s", shown,
                 web_status_text(web, status, reply, text));
    } else if (!web->is_acknowledged) {
        struct ota_failure failure;
        ota_fail(&failure, verdict == PAGE_ACCEPTED ? OTA_E_EARLY_OK : OTA_E_LOST,
                 "the board replied before it had the whole image (status %u): %s", reply->status,
                 text);
        note_broken(web, &failure);
        web_finish(web, &failure);
    } else if (verdict == PAGE_ACCEPTED) {
        end_confirmed(web);
    } else {
        snprintf(what, sizeof what, "the reply %s whether they are installed (%s)",
                 http_reply_falls_short(reply)  ? "broke off before its end, and does not say"
                 : http_reply_may_be_cut(reply) ? "may lack its end, as it has no length, and does "
                                                  "not say"
                                                : "does not say",
                 web_status_text(web, status, reply, text));
        fail_unclear(web, what);
    }
}

void web_judge_upload(struct web *web, const struct http_outcome *outcome)
{
    struct ota_failure failure;

    if (outcome->end == HTTP_REPLIED) {
        judge_reply(web, outcome->reply);
        return;
    }
    http_fail_upload(&failure, outcome, web->attempt.image->size);
    if (outcome->end == HTTP_BROKEN || outcome->end == HTTP_STALLED ||
        outcome->end == HTTP_NOT_HTTP)
        note_broken(web, &failure);
    web_finish(web, &failure);
}
