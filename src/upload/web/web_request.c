/*
 * web_request.c: single requests of an upload: the board's addresses, authentication, and what a
 * request that gets no reply means.
 *
 * A board is asked for its page before anything is sent to it. If it asks for a password, the same
 * GET is sent again with the answer, and only a GET that is allowed is followed by the upload:
 * during an upload, a board rejects a password only after the whole image. Boards that ask for the
 * password only then get the upload once more, with the answer (web_upload.c).
 */
#include "upload/web/web_internal.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "discovery/target.h"
#include "http/authority.h"
#include "http/failure.h"
#include "secrets/echo.h"
#include "upload/web/page_challenge.h"
#include "upload/web/page_verdict.h"

#include <stdio.h>
#include <string.h>

static void send_question(struct web *web);

/* -- where -- */

bool web_is_tls(const struct web *web)
{
    return target_is_https(web->upload.config.target);
}

/* The name in the URL, for which the certificate has to be. Anybody in the network can announce
 * that name with an address of his own, so a certificate for the address that was found proves
 * nothing. NULL: the URL has an address, or --insecure accepts any certificate for a name that no
 * URL can have. */
static const char *name_to_verify(const struct web *web)
{
    const struct target *target = web->upload.config.target;

    if (target->kind == TARGET_ADDRESS ||
        (web_settings_of(web)->is_insecure && !target_suits_certificate(target)))
        return NULL;
    return target->name;
}

/* The text of the Host header. Over plain HTTP it is the numeric address, as Tasmota compares the
 * pages that requests come from with its own. */
static void set_authority(struct web *web)
{
    const struct address address = endpoints_get(web->attempt.endpoints, web->endpoint);

    http_authority(web->authority, &address, web_is_tls(web) ? name_to_verify(web) : NULL,
                   web_is_tls(web) ? 443 : 80);
}

void web_choose_endpoint(struct web *web, size_t endpoint)
{
    web->endpoint = endpoint;
    set_authority(web);
}

static void note_heard(struct web *web)
{
    if (web->is_heard)
        return;
    web->is_heard = web->history.was_heard = true;
    web->upload.callbacks.on_endpoint(web->endpoint, web->upload.callbacks.userdata);
}

/* -- failures -- */

static const char *method_of(const struct web *web)
{
    return web->question ? "POST" : "GET";
}

/* Of a bare name, which may be an announced one, adds the name that the certificate has to have. */
static void explain_untrusted(const struct web *web, struct ota_failure *failure)
{
    const char *name = name_to_verify(web);
    char shown[2 * TARGET_NAME_MAX];

    if (!name || strchr(name, '.'))
        return;
    escape_string(shown, sizeof shown, name);
    text_append(failure->message, sizeof failure->message,
                "; the certificate has to be for \"%s\", as the URL says; if it is for %s.local, "
                "write https://%s.local",
                shown, shown, shown);
}

static void describe_outcome(const struct web *web, const struct http_outcome *outcome,
                             struct ota_failure *failure)
{
    char place[ENDPOINTS_TEXT_MAX], path[WEB_PATH_MAX], request[WEB_PATH_MAX + 8];

    snprintf(request, sizeof request, "%s %s", method_of(web), web_show_path(web, path, web->path));
    http_fail_request(failure, outcome, web_place(web, place), request,
                      web_common_settings(web)->timeout_us, web->history.was_heard);
    if (outcome->end == HTTP_UNTRUSTED && !web->history.was_heard)
        explain_untrusted(web, failure);
}

/* Whether the board may be at another address: it has not replied at any yet. */
static bool is_looked_for(const struct web *web, const struct http_outcome *outcome)
{
    return !web->is_heard && outcome->end != HTTP_LOCAL;
}

/* An outcome without a reply, at the last address that there was to try. */
static void fail_without_reply(struct web *web, const struct http_outcome *outcome)
{
    struct ota_failure failure;

    if (is_looked_for(web, outcome))
        web->upload.callbacks.on_blamed(endpoint_failures_describe(&web->failures,
                                                                   web->attempt.endpoints,
                                                                   HTTP_CONNECT_US, &failure),
                                        web->upload.callbacks.userdata);
    else
        describe_outcome(web, outcome, &failure);
    web_finish(web, &failure);
}

/* Tries the next address of a board that has not replied at any yet. */
static bool try_next_endpoint(struct web *web, const struct http_outcome *outcome)
{
    struct ota_failure failure;

    if (!is_looked_for(web, outcome))
        return false;
    describe_outcome(web, outcome, &failure);
    endpoint_failures_add(&web->failures, web->endpoint,
                          outcome->end == HTTP_NOT_CONNECTED ? outcome->reason : 0, &failure);
    if (web->endpoint + 1 >= endpoints_count(web->attempt.endpoints))
        return false;
    web_choose_endpoint(web, web->endpoint + 1);
    send_question(web);
    return true;
}

/* -- authentication -- */

static const char *user_of(const struct web *web)
{
    const struct page *page = web->finder.page ? web->finder.page : web->finder.forced;
    const struct upload_own *own = web->upload.config.own;
    const char *user = web_settings_of(web)->user;

    if (own && own->values[UPLOAD_OWN_USER])
        return own->values[UPLOAD_OWN_USER];
    if (user)
        return user;
    if (*web->upload.config.target->user)
        return web->upload.config.target->user;
    return page && *page->user ? page->user : "admin";
}

static const char *scheme_name(const struct challenge *challenge)
{
    if (challenge->scheme == CHALLENGE_BASIC)
        return "Basic";
    return challenge->scheme == CHALLENGE_DIGEST_SHA256 ? "Digest (SHA-256)" : "Digest (MD5)";
}

/* Before somebody is asked for the password of a weak challenge, and before an answer to one. A
 * secure connection protects both. */
static void tell_weak(struct web *web)
{
    const enum challenge_scheme scheme = web->challenge.scheme;
    const bool is_md5 = scheme == CHALLENGE_DIGEST_MD5;

    if (web_is_tls(web) || scheme == CHALLENGE_DIGEST_SHA256 || web->history.is_weak_told[scheme])
        return;
    web->history.is_weak_told[scheme] = true;
    web_emit(web, (struct ota_event){.type = OTA_EVENT_NOTE,
                                     .message = is_md5 ? CHALLENGE_MD5_NOTE : CHALLENGE_BASIC_NOTE,
                                     .scheme = is_md5 ? auth_scheme_name(AUTH_MD5) : "Basic",
                                     .is_important = true});
}

void web_note_told(struct web *web)
{
    const struct address address = endpoints_get(web->attempt.endpoints, web->endpoint);

    if (!web_is_tls(web) || web_settings_of(web)->is_insecure)
        trust_told(&web->upload.trust, &address);
}

/* The first answer to a challenge counts; the attempt ends if there may be no more. */
static bool note_answer(struct web *web)
{
    struct trust *trust = &web->upload.trust;
    struct ota_failure failure;

    if (web->answer != WEB_ANSWER_NONE)
        return true;
    const enum trust_strength strength = page_challenge_strength(&web->challenge);
    if (trust_fail_spent(trust, strength, &failure)) {
        web->phase = OTA_PHASE_AUTHENTICATE;
        web_finish(web, &failure);
        return false;
    }

    web->answer = WEB_ANSWER_SENT;
    tell_weak(web);
    trust_answered(trust, strength);
    if (strength == TRUST_PASSWORD)
        web_note_told(web);
    return true;
}

/* Computes the header for the next request. Returns false if that fails; the attempt has ended. */
static bool authorize(struct web *web, const char *method, const char *path)
{
    struct auth_answer given;
    struct ota_failure failure;

    secret_free(web->authorization);
    web->authorization = NULL;
    if (web->challenge.scheme <= CHALLENGE_UNKNOWN || !web_has_password(web))
        return true;
    if (!note_answer(web))
        return false;

    const struct challenge_question question = {.challenge = &web->challenge,
                                                .user = user_of(web),
                                                .password = web->password,
                                                .method = method,
                                                .uri = path};
    web->authorization = challenge_answer(&question, &given, &failure);
    const bool is_done =
        web->authorization &&
        (!web->upload.config.echo || echo_learn(web->upload.config.echo, NULL, &given, &failure));
    digest_cleanse(&given, sizeof given);
    if (!is_done)
        web_finish(web, &failure);
    return is_done;
}

bool web_has_password(const struct web *web)
{
    return web->password && *web->password;
}

void web_ask_for_password(struct web *web)
{
    web->phase = OTA_PHASE_AUTHENTICATE;
    web->is_password_awaited = true;
    if (!web->is_pin_awaited)
        tell_weak(web);
    web->upload.callbacks.on_password(web->upload.callbacks.userdata);
}

void web_take_password(struct web *web, const char *password)
{
    web->password = password;
    if (!web->is_password_awaited)
        return;

    const bool is_for_upload = web->history.upload_challenge.scheme != CHALLENGE_NONE;

    web->is_password_awaited = false;
    if (web->is_pin_awaited)
        web_unlock(web);
    else if (!web_has_password(web))
        web_fail(web, OTA_E_PASSWORD_NEEDED,
                 "the board asks for a user and a password (%s)%s, and no password was given",
                 scheme_name(&web->challenge),
                 is_for_upload ? " for the upload, although not for its page" : "");
    else if (is_for_upload)
        web_start_upload(web);
    else
        send_question(web);
}

/* A request that restarts the board is not to be repeated: see web_send_image(). */
void web_note_asking(struct web *web)
{
    const struct page *page = web->finder.page;

    if (!page || !page->restart_path || strcmp(web->path, page->restart_path) != 0)
        snprintf(web->history.asked_path, sizeof web->history.asked_path, "%s", web->path);
}

/* The reply does not ask for a password, at least not with a challenge. */
static void note_unasked(struct web *web, const struct http_reply *reply)
{
    if (!web->authorization && strcmp(web->path, web->history.asked_path) == 0)
        web->unasked = reply->status;
}

bool web_take_challenge(struct web *web, const struct challenge *challenge)
{
    struct ota_failure failure;

    if (!page_take_challenge(&web->upload.trust, challenge, web_is_tls(web), &failure)) {
        web->phase = OTA_PHASE_AUTHENTICATE;
        web_finish(web, &failure);
        return false;
    }

    web->challenge = *challenge;
    web->answer = WEB_ANSWER_NONE;
    return true;
}

void web_fail_rejected(struct web *web)
{
    struct ota_failure failure;

    ota_fail(&failure, OTA_E_WRONG_PASSWORD, "the board rejected the password of the user \"%s\"",
             user_of(web));
    failure.cause = OTA_CAUSE_PASSWORD_REJECTED;
    web_finish(web, &failure);
}

/* The board asks again, although the request had the password. A server that keeps one nonce for
 * all clients may have replaced it for somebody else's request. */
static void handle_rejection(struct web *web, const struct challenge *challenge)
{
    bool is_replaced = challenge_is_digest(challenge) &&
                       (challenge->is_stale || strcmp(challenge->nonce, web->challenge.nonce) != 0);

    if (!web_take_challenge(web, challenge))
        return;
    if (is_replaced && web->nonces_replaced++ == 0)
        send_question(web);
    else
        web_fail_rejected(web);
}

static void take_first_challenge(struct web *web, const struct challenge *challenge)
{
    if (!web_take_challenge(web, challenge))
        return;
    web->history.upload_challenge = (struct challenge){0};
    web_note_asking(web);
    if (web_has_password(web))
        send_question(web);
    else
        web_ask_for_password(web);
}

/* Tasmota's commands say in JSON that they want the password, and have no challenge. */
static bool is_refused_command(const struct web *web, const struct http_reply *reply)
{
    return reply->status == STATUS_UNAUTHORIZED && reply->challenge.scheme == CHALLENGE_NONE &&
           web->finder.page == &pages[PAGE_TASMOTA] && strncmp(web->path, "/cm?", 4) == 0;
}

static void ask_command_again(struct web *web, const struct http_reply *reply)
{
    (void)reply;
    web_get(web, web->command.path, web->command.on_reply, web->on_lost);
}

/* The upload page has the challenge; an answer to it is then sent with the command, too. Versions
 * that want the password in the URL refuse once more: the command tells nothing then. */
static void ask_for_challenge(struct web *web)
{
    web->command = (struct web_command){.path = web_facts_path(web), .on_reply = web->on_reply};
    web->is_door_asked = true;
    web_get(web, "/up", ask_command_again, web->on_lost);
}

/* Returns whether the reply is a challenge that was dealt with. Nobody is asked for a password that
 * only the new firmware wants: the upload is confirmed. */
static bool handle_challenge(struct web *web, const struct http_reply *reply)
{
    const bool has_password = web_has_password(web);

    if (is_refused_command(web, reply) && has_password && !web->is_door_asked) {
        ask_for_challenge(web);
        return true;
    }
    if (reply->status != STATUS_UNAUTHORIZED || reply->challenge.scheme == CHALLENGE_NONE ||
        (web->is_reading && !has_password))
        return false;

    web->phase = OTA_PHASE_AUTHENTICATE;
    if (web->authorization)
        handle_rejection(web, &reply->challenge);
    else
        take_first_challenge(web, &reply->challenge);
    return true;
}

/* Only a success proves that the password was accepted. A nonce that is replaced is no news. */
void web_note_authenticated(struct web *web, const struct http_reply *reply)
{
    if (!web->authorization || web->answer == WEB_ANSWER_ACCEPTED || reply->status / 100 != 2)
        return;
    web->answer = WEB_ANSWER_ACCEPTED;
    if (web->accepted != web->challenge.scheme) {
        web->accepted = web->challenge.scheme;
        web->phase = OTA_PHASE_AUTHENTICATE;
        web_emit(web, (struct ota_event){.type = OTA_EVENT_AUTHENTICATED,
                                         .scheme = scheme_name(&web->challenge),
                                         .evidence = "reply"});
    }
    web->phase = OTA_PHASE_PAGE;
}

/* Notes what became of a GET with the answer. A page that is missing, or knows only POST, may have
 * accepted it; any other failure, or no reply, may be what the board says to a wrong one. */
static void note_page_reply(struct web *web, const struct http_outcome *outcome)
{
    const struct http_reply *reply = outcome->end == HTTP_REPLIED ? outcome->reply : NULL;

    if (reply)
        web_note_authenticated(web, reply);
    if (!web->authorization || web->answer == WEB_ANSWER_ACCEPTED ||
        (reply && page_is_absent(reply)))
        return;

    const bool is_denied =
        reply && (reply->status == STATUS_UNAUTHORIZED || reply->status == STATUS_FORBIDDEN ||
                  page_leads_to_login(reply));
    web->answer = is_denied ? WEB_ANSWER_DENIED : WEB_ANSWER_UNCLEAR;
    web->refusal = reply ? reply->status : 0;
}

bool web_check_accepted(struct web *web)
{
    char said[32] = "no reply";
    struct ota_failure failure;

    if (web->answer != WEB_ANSWER_UNCLEAR && web->answer != WEB_ANSWER_DENIED)
        return true;
    if (web->refusal)
        snprintf(said, sizeof said, "status %u", web->refusal);

    web->phase = OTA_PHASE_AUTHENTICATE;
    if (web->answer == WEB_ANSWER_DENIED) {
        ota_fail(&failure, OTA_E_WRONG_PASSWORD,
                 "the board denies access after the password of the user \"%s\" (%s); it gets no "
                 "image",
                 user_of(web), said);
        failure.cause = OTA_CAUSE_PASSWORD_REJECTED;
    } else {
        ota_fail(&failure, OTA_E_NO_VERDICT,
                 "the board got the password of the user \"%s\", and its page says neither that "
                 "it is right nor that it is wrong (%s); it gets no image",
                 user_of(web), said);
        failure.cause = OTA_CAUSE_DENIED;
    }
    web_finish(web, &failure);
    return false;
}

/* -- requests -- */

static struct http_request_config make_request(const struct web *web, const struct address *address)
{
    const struct upload_settings *settings = web_common_settings(web);
    const struct web_settings *own = web_settings_of(web);

    return (struct http_request_config){
        .board = web->upload.config.board,
        .address = address,
        .source = &settings->source,
        .authority = web->authority,
        .is_tls = web_is_tls(web),
        .is_insecure = own->is_insecure,
        .ca_file = own->ca_file,
        .path = web->path,
        .referer = *web->finder.get ? web->finder.get : "/",
        .authorization = web->authorization,
        .connect_us = HTTP_CONNECT_US,
        .reply_us = settings->timeout_us,
    };
}

/* Whether this is a failure for every request. A restart explains everything but these. */
static bool is_always_failure(const struct http_outcome *outcome)
{
    return outcome->end == HTTP_LOCAL || outcome->end == HTTP_UNTRUSTED;
}

static void on_get_done(const struct http_outcome *outcome, void *userdata)
{
    struct web *web = userdata;
    struct http_request *request = web->request;

    web->request = NULL;
    if (outcome->end == HTTP_REPLIED) {
        note_heard(web);
        if (!handle_challenge(web, outcome->reply)) {
            note_unasked(web, outcome->reply);
            note_page_reply(web, outcome);
            web->on_reply(web, outcome->reply);
        }
    } else if (!try_next_endpoint(web, outcome)) {
        note_page_reply(web, outcome);
        if (is_always_failure(outcome) || !web->on_lost || !web->on_lost(web, outcome))
            fail_without_reply(web, outcome);
    }
    http_request_free(request);
}

static void start_request(struct web *web, const struct http_request_config *config,
                          const struct http_callbacks *callbacks)
{
    struct web_service *service = (struct web_service *)web->upload.config.service;
    struct ota_failure failure;

    web->request = http_request_start(service->client, config, callbacks, &failure);
    if (!web->request)
        web_finish(web, &failure);
}

static void log_request(const struct web *web, const char *method)
{
    char path[WEB_PATH_MAX];

    if (diag_enabled(DIAG_LEVEL_DEBUG))
        diag_debug("%s: %s %s://%s%s", web->upload.config.board, method,
                   web_is_tls(web) ? "https" : "http", web->authority,
                   web_show_path(web, path, web->path));
}

static void send_question(struct web *web)
{
    const struct http_callbacks callbacks = {.on_done = on_get_done, .userdata = web};
    const struct address address = endpoints_get(web->attempt.endpoints, web->endpoint);

    if (!authorize(web, method_of(web), web->path))
        return;
    log_request(web, method_of(web));
    struct http_request_config config = make_request(web, &address);
    config.body = web->question;
    start_request(web, &config, &callbacks);
}

void web_get(struct web *web, const char *path, web_reply_fn *on_reply, web_lost_fn *on_lost)
{
    snprintf(web->path, sizeof web->path, "%s", path);
    web->question = NULL;
    web->on_reply = on_reply;
    web->on_lost = on_lost;
    send_question(web);
}

void web_ask(struct web *web, const char *path, const struct multipart *body,
             web_reply_fn *on_reply)
{
    snprintf(web->path, sizeof web->path, "%s", path);
    web->question = body;
    web->on_reply = on_reply;
    web->on_lost = NULL;
    send_question(web);
}

static void on_post_connected(void *userdata)
{
    struct web *web = userdata;

    trust_connected(&web->upload.trust);
    web_emit(web, (struct ota_event){.type = OTA_EVENT_CONNECTED});
}

static void on_post_progress(size_t acknowledged, void *userdata)
{
    web_emit(userdata, (struct ota_event){.type = OTA_EVENT_PROGRESS, .bytes = acknowledged});
}

static bool is_reply_enough(const struct http_reply *reply, void *userdata)
{
    return web_is_verdict(userdata, reply);
}

static void on_post_done(const struct http_outcome *outcome, void *userdata)
{
    struct web *web = userdata;
    struct http_request *request = web->request;

    web->request = NULL;
    web->is_all_sent = outcome->is_sent;
    web->is_acknowledged = outcome->is_acknowledged;
    web_judge_upload(web, outcome);
    http_request_free(request);
}

void web_post(struct web *web, const char *path)
{
    const struct http_callbacks callbacks = {.on_connected = on_post_connected,
                                             .on_progress = on_post_progress,
                                             .is_enough = is_reply_enough,
                                             .on_done = on_post_done,
                                             .userdata = web};
    const struct address address = endpoints_get(web->attempt.endpoints, web->endpoint);

    snprintf(web->path, sizeof web->path, "%s", path);
    if (web_repeats_answer(web, path)) {
        web_fail(
            web, OTA_E_NO_PAGE,
            "the page's form leads to a path that repeats the answer to the board's challenge");
        return;
    }
    if (!authorize(web, "POST", web->path))
        return;
    log_request(web, "POST");

    struct http_request_config config = make_request(web, &address);
    config.body = &web->body;
    config.reply_us = HTTP_RESULT_US;
    web->phase = OTA_PHASE_TRANSFER;
    web->is_posted = true;
    start_request(web, &config, &callbacks);
}
