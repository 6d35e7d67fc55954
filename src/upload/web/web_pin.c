/*
 * web_pin.c: a page that wants a PIN. The PIN is sent in a request of its own, to a path that does
 * nothing else with it, and the page is looked for again: the reply to that request does not say
 * whether the PIN is right. A right one opens the page for all clients, for a quarter of an hour.
 */
#include "upload/web/web_internal.h"

#include "base/error.h"
#include "base/secret.h"
#include "base/units.h"

#include <stdio.h>
#include <string.h>

enum { PIN_DIGITS = 4 };

/* For 3 s after a wrong PIN, and after its start, a board ignores each PIN. */
static const int64_t PIN_AGAIN_US = MILLISECONDS(3200);

static const char PIN_NOTE[] = "the board asks for its PIN without encryption: whoever can listen "
                               "in this network can read it";

void web_forget_pin(struct web *web)
{
    secret_free(web->pin);
    web->pin = NULL;
}

/* A password that is no PIN must not be sent in this way. */
static bool is_pin(const char *password)
{
    return strlen(password) == PIN_DIGITS && strspn(password, "0123456789") == PIN_DIGITS;
}

static void fail_pin(struct web *web, enum ota_error error, enum ota_cause cause, const char *what)
{
    struct ota_failure failure;

    web->phase = OTA_PHASE_AUTHENTICATE;
    ota_fail(&failure, error, "%s %s", web->finder.page->title, what);
    failure.cause = cause;
    web_finish(web, &failure);
}

/* Whether the rules allow the PIN itself to be sent. If not, ends the attempt. */
static bool may_send(struct web *web)
{
    struct trust *trust = &web->upload.trust;
    struct ota_failure failure;

    if (!trust_allows(trust, TRUST_PASSWORD, web_is_tls(web), &failure)) {
        if (failure.error == OTA_E_WEAK_AUTH)
            ota_fail(&failure, OTA_E_WEAK_AUTH,
                     "%s asks for its PIN itself, and --min-auth allows nothing below SHA-256",
                     web->finder.page->title);
    } else {
        trust_challenged(trust, TRUST_PASSWORD);
        web_note_asking(web);
        if (!trust_fail_spent(trust, TRUST_PASSWORD, &failure))
            return true;
    }
    web->phase = OTA_PHASE_AUTHENTICATE;
    web_finish(web, &failure);
    return false;
}

static void tell_clear(struct web *web)
{
    if (web_is_tls(web) || web->history.is_weak_told[CHALLENGE_BASIC])
        return;
    web->history.is_weak_told[CHALLENGE_BASIC] = true;
    web_emit(web, (struct ota_event){.type = OTA_EVENT_NOTE,
                                     .message = PIN_NOTE,
                                     .scheme = "PIN",
                                     .is_important = true});
}

/* Not judged: the reply is the same for a wrong PIN. */
static void on_pin_taken(struct web *web, const struct http_reply *reply)
{
    (void)reply;
    web_forget_pin(web);
    web_find_page(web);
}

static void send_pin(struct web *web)
{
    static const char format[] = "{\"pin\":\"%s\"}";

    web_forget_pin(web);
    web->pin = secret_alloc(sizeof format + PIN_DIGITS);
    if (!web->pin) {
        web_fail_no_memory(web);
        return;
    }

    snprintf(web->pin, sizeof format + PIN_DIGITS, format, web->password);
    multipart_make_raw(&web->body, "application/json", web->pin, strlen(web->pin));
    web->pins_sent++;
    web_ask(web, web->finder.page->pin_path, &web->body, on_pin_taken);
}

static void send_first_pin(struct web *web)
{
    tell_clear(web);
    trust_answered(&web->upload.trust, TRUST_PASSWORD);
    web_note_told(web);
    send_pin(web);
}

void web_unlock(struct web *web)
{
    bool was_asked = web->is_pin_awaited;

    web->is_pin_awaited = false;
    if (web->pins_sent == 1) {
        web_note(web, "the page still wants its PIN, but ignores any PIN for some seconds after a "
                      "wrong one, or a restart; trying again");
        web_wait(web, PIN_AGAIN_US, send_pin);
    } else if (web->pins_sent > 1) {
        fail_pin(web, OTA_E_WRONG_PASSWORD, OTA_CAUSE_PIN_REJECTED, "rejected the PIN");
    } else if (!may_send(web)) {
        return;
    } else if (web_has_password(web) && is_pin(web->password)) {
        send_first_pin(web);
    } else if (web_has_password(web)) {
        fail_pin(web, OTA_E_PASSWORD_NEEDED, OTA_CAUSE_PIN,
                 "asks for its settings PIN, which has four digits; the password that was given is "
                 "not a PIN, and was not sent");
    } else if (was_asked) {
        fail_pin(web, OTA_E_PASSWORD_NEEDED, OTA_CAUSE_PIN,
                 "asks for its settings PIN, and none was given");
    } else {
        web->is_pin_awaited = true;
        web_note(web, "the page wants its settings PIN as password");
        tell_clear(web);
        web_ask_for_password(web);
    }
}

void web_note_open(struct web *web)
{
    if (web->pins_sent == 0 || web->history.is_unlocked)
        return;
    web->history.is_unlocked = true;
    web->phase = OTA_PHASE_AUTHENTICATE;
    web_emit(web, (struct ota_event){
                      .type = OTA_EVENT_AUTHENTICATED, .scheme = "PIN", .evidence = "reply"});
    web->phase = OTA_PHASE_PAGE;
}
