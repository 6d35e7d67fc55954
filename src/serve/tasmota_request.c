/*
 * tasmota_request.c: one command to a board, with its password.
 *
 * The numeric address is sent as Host and Referer, as Tasmota compares the page that a request
 * comes from with its own address. The password goes only to who asks for it as Tasmota does.
 */
#include "base/diag.h"
#include "base/error.h"
#include "base/json_memory.h"
#include "http/challenge.h"
#include "http/failure.h"
#include "http/status.h"
#include "net/source.h"
#include "serve/tasmota_internal.h"
#include "upload/web/page_challenge.h"
#include "upload/web/page_table.h"

#include <string.h>

static void send_command(struct tasmota *tasmota);

static const char *user_of(const struct tasmota *tasmota)
{
    return tasmota->order.user ? tasmota->order.user : pages[PAGE_TASMOTA].user;
}

/* For a 401: returns whether the command is sent again, with the password. */
static bool answer_challenge(struct tasmota *tasmota, const struct http_reply *reply,
                             struct ota_failure *failure)
{
    const struct challenge basic = {.scheme = CHALLENGE_BASIC};
    const bool is_own_way = tasmota_asks_for_password(reply);
    const char *password = tasmota->order.password;
    const struct tasmotas_config *config = &tasmota->all->config;
    struct auth_answer given;

    const bool is_allowed = page_take_challenge(
        &tasmota->trust, is_own_way ? &basic : &reply->challenge, false, failure);
    if (!is_own_way)
        ota_fail(failure, OTA_E_DOWNGRADE,
                 "the board has answered as Tasmota, and now asks for a password in another way; "
                 "it gets none");
    if (!is_own_way || !is_allowed)
        return false;
    if (tasmota->authorization) {
        ota_fail(failure, OTA_E_WRONG_PASSWORD,
                 "the board rejected the password of the user \"%s\"", user_of(tasmota));
        failure->cause = OTA_CAUSE_PASSWORD_REJECTED;
        return false;
    }
    if (!password || !*password) {
        ota_fail(failure, OTA_E_PASSWORD_NEEDED,
                 "the board asks for a password (Basic), and no password was given");
        return false;
    }
    if (trust_fail_spent(&tasmota->trust, TRUST_PASSWORD, failure))
        return false;

    config->on_basic(tasmota->order.board, config->userdata);
    trust_answered(&tasmota->trust, TRUST_PASSWORD);

    const struct challenge_question question = {.challenge = &basic,
                                                .user = user_of(tasmota),
                                                .password = password,
                                                .method = "GET",
                                                .uri = tasmota->path};
    tasmota->authorization = challenge_answer(&question, &given, failure);
    if (!tasmota->authorization || !echo_learn(&tasmota->echo, password, NULL, failure))
        return false;
    send_command(tasmota);
    return true;
}

/* Whether the reply asks for a password. One that is not known to be Tasmota yet does so only in
 * Tasmota's way: it may be any other server. */
static bool is_challenge(const struct tasmota *tasmota, const struct http_reply *reply)
{
    return reply->status == STATUS_UNAUTHORIZED &&
           (*tasmota->facts.version || tasmota_asks_for_password(reply));
}

static void take_outcome(struct tasmota *tasmota, const struct http_outcome *outcome)
{
    char place[ADDRESS_TEXT_MAX + 8];
    struct ota_failure failure;

    json_memory_watch(); /* until on_reply() has read it */
    if (outcome->end != HTTP_REPLIED) {
        http_fail_request(&failure, outcome, address_text_port(place, &tasmota->address),
                          "a command", tasmota->all->config.reply_us, false);
        tasmota->on_lost(tasmota, &failure);
    } else if (!is_challenge(tasmota, outcome->reply)) {
        tasmota->on_reply(tasmota, outcome->reply);
    } else if (!answer_challenge(tasmota, outcome->reply, &failure)) {
        tasmota->phase = OTA_PHASE_AUTHENTICATE;
        tasmota->on_lost(tasmota, &failure);
    }
}

static void on_command_done(const struct http_outcome *outcome, void *userdata)
{
    struct tasmota *tasmota = userdata;
    struct http_request *request = tasmota->request;

    tasmota->request = NULL;
    take_outcome(tasmota, outcome);
    http_request_free(request);
}

static void send_command(struct tasmota *tasmota)
{
    const bool has_seen_digest = tasmota->trust.asked > TRUST_PASSWORD;
    const struct http_request_config request = {.board = tasmota->order.board->label,
                                                .address = &tasmota->address,
                                                .source = &source_any,
                                                .authority = tasmota->authority,
                                                .path = tasmota->path,
                                                .referer = "/",
                                                .authorization =
                                                    has_seen_digest ? NULL : tasmota->authorization,
                                                .connect_us = HTTP_CONNECT_US,
                                                .reply_us = tasmota->all->config.reply_us};
    const struct http_callbacks callbacks = {.on_done = on_command_done, .userdata = tasmota};
    struct ota_failure failure;

    /* A command's value may be the board's own URL, which may contain a password. */
    diag_debug("%s: GET http://%s%.*s", request.board, request.authority,
               (int)strcspn(request.path, "%"), request.path);
    tasmota->request = http_request_start(tasmota->all->client, &request, &callbacks, &failure);
    if (!tasmota->request)
        tasmota->on_lost(tasmota, &failure);
}

void tasmota_ask(struct tasmota *tasmota, const char *name, const char *value,
                 tasmota_reply_fn *on_reply, tasmota_lost_fn *on_lost)
{
    tasmota_command_path(tasmota->path, name, value);
    tasmota->on_reply = on_reply;
    tasmota->on_lost = on_lost;
    send_command(tasmota);
}
