/* failure.c: the sentences about requests that got no reply. */
#include "http/failure.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/text.h"
#include "base/units.h"
#include "net/tcp_connect.h"

#include <errno.h>
#include <string.h>
#include <time.h>

const int64_t HTTP_CONNECT_US = SECONDS(5);
const int64_t HTTP_RESULT_US = SECONDS(60);

/* libcurl's text. That about a certificate ends in a blank. */
static void show_text(char *target, size_t capacity, const char *text)
{
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == ' ')
        length--;
    escape_text(target, capacity, text, length);
}

/* Whether the certificate or the clock is wrong, only people can see. */
static void add_date(struct ota_failure *failure)
{
    const time_t now = time(NULL);
    char text[sizeof "-2147481748-12-31"];
    struct tm parts;

    if (localtime_r(&now, &parts) && strftime(text, sizeof text, "%Y-%m-%d", &parts))
        text_append(failure->message, sizeof failure->message, "; the date of this computer is %s",
                    text);
}

/* What failed on this computer: a system call, whose text is better than libcurl's, or libcurl. */
static void fail_local(struct ota_failure *failure, const struct http_outcome *outcome,
                       const char *what, const char *text)
{
    if (outcome->reason)
        ota_fail_errno(failure, OTA_E_INTERNAL, outcome->reason, "%s: %s", what,
                       strerror(outcome->reason));
    else
        ota_fail(failure, OTA_E_INTERNAL, "%s: %s", what, text);
    if (outcome->cause != OTA_CAUSE_NONE)
        failure->cause = outcome->cause;
}

/* Another attempt would only meet the same peers. what: the request. */
static void fail_other_certificate(struct ota_failure *failure, const char *what, const char *text)
{
    ota_fail(failure, OTA_E_TLS,
             "the certificate for %s is not trusted, although that for an earlier request was; "
             "nothing was sent over this connection: %s",
             what, text);
    failure->cause = OTA_CAUSE_OTHER_CERTIFICATE;
}

void http_fail_request(struct ota_failure *failure, const struct http_outcome *outcome,
                       const char *place, const char *request, int64_t timeout_us, bool was_heard)
{
    char text[OTA_MESSAGE_MAX / 2];

    if (outcome->cut_status) {
        ota_fail(failure, OTA_E_NO_ANSWER,
                 "%s replied to %s with status %u, but the head of the reply did not come to its "
                 "end",
                 place, request, outcome->cut_status);
        return;
    }
    show_text(text, sizeof text, outcome->text);
    if (was_heard && outcome->end == HTTP_UNTRUSTED) {
        fail_other_certificate(failure, request, text);
        return;
    }
    if (was_heard && outcome->end == HTTP_TLS) { /* trouble of the network or the board */
        ota_fail(failure, OTA_E_NO_ANSWER,
                 "no secure connection to %s for %s, although there was one before: %s", place,
                 request, text);
        return;
    }
    switch (outcome->end) {
    case HTTP_NOT_CONNECTED:
        tcp_connect_fail(failure, outcome->reason, place, HTTP_CONNECT_US);
        break;
    case HTTP_TLS:
    case HTTP_UNTRUSTED:
        ota_fail(failure, OTA_E_TLS, "no secure connection to %s: %s", place, text);
        failure->cause = outcome->end == HTTP_TLS ? OTA_CAUSE_HANDSHAKE : outcome->cause;
        if (failure->cause == OTA_CAUSE_CERTIFICATE_DATE)
            add_date(failure);
        break;
    case HTTP_STALLED:
        ota_fail(failure, OTA_E_NO_ANSWER, "%s did not reply to %s within %.3g s", place, request,
                 (double)timeout_us / 1e6);
        break;
    case HTTP_NOT_HTTP:
        ota_fail(failure, OTA_E_NO_PAGE, "%s answers, but is not a web server", place);
        break;
    case HTTP_BROKEN:
        ota_fail(failure, OTA_E_NO_ANSWER, "%s closed the connection without a reply to %s", place,
                 request);
        break;
    default:
        fail_local(failure, outcome, "the request failed on this computer", text);
    }
}

/* Whether there was no connection for the upload. *text is libcurl's description; errno's replaces
 * it if there is one. Of a new handshake that fails later, libcurl may say the same. A handshake
 * that failed after another had succeeded means trouble of the network or the board. */
static bool has_no_connection(const struct http_outcome *outcome, const char **text)
{
    if (outcome->end == HTTP_NOT_CONNECTED)
        *text = strerror(outcome->reason);
    return !outcome->is_acknowledged &&
           (outcome->end == HTTP_NOT_CONNECTED || outcome->end == HTTP_TLS ||
            outcome->end == HTTP_UNTRUSTED);
}

/* What the rest of the head and the body would have said is not known, whatever the status. */
static void fail_cut_head(struct ota_failure *failure, const struct http_outcome *outcome,
                          size_t size)
{
    if (outcome->is_acknowledged)
        ota_fail(failure, OTA_E_UNKNOWN,
                 "all %zu bytes were sent, but the reply broke off in its head, and does not say "
                 "whether they are installed (status %u)",
                 size, outcome->cut_status);
    else
        ota_fail(failure, OTA_E_LOST,
                 "the board replied before it had the whole image, and the reply broke off in its "
                 "head (status %u)",
                 outcome->cut_status);
}

void http_fail_upload(struct ota_failure *failure, const struct http_outcome *outcome, size_t size)
{
    bool is_stalled = outcome->end == HTTP_STALLED;
    char text[OTA_MESSAGE_MAX / 2];
    const char *why = text;

    show_text(text, sizeof text, outcome->text);
    if (outcome->end == HTTP_LOCAL)
        fail_local(failure, outcome, "the upload failed on this computer", text);
    else if (outcome->cut_status)
        fail_cut_head(failure, outcome, size);
    else if (outcome->end == HTTP_UNTRUSTED && !outcome->has_begun)
        fail_other_certificate(failure, "the upload", text);
    else if (has_no_connection(outcome, &why))
        ota_fail(failure, OTA_E_LOST, "no second connection to the board: %s", why);
    else if (outcome->is_acknowledged && is_stalled)
        ota_fail(failure, OTA_E_UNKNOWN,
                 "all %zu bytes were sent, but the board did not reply within %.0f s", size,
                 (double)HTTP_RESULT_US / 1e6);
    else if (outcome->is_acknowledged)
        ota_fail(failure, OTA_E_UNKNOWN, "all %zu bytes were sent, but %s", size,
                 outcome->end == HTTP_NOT_HTTP ? "the board's reply is not HTTP"
                                               : "the board closed the connection without a reply");
    else if (is_stalled)
        ota_fail(failure, OTA_E_STALLED, "the board stopped taking data");
    else if (outcome->end == HTTP_NOT_HTTP)
        ota_fail(failure, OTA_E_LOST, "the board's reply is not HTTP");
    else
        ota_fail(failure, OTA_E_LOST, "%s",
                 error_connection_text(outcome->reason, "the board's TCP stopped answering"));
}
