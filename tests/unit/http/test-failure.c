/*
 * test-failure.c: the errors that follow from each end of a request.
 */
#include "http/failure.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    enum http_end end;
    int reason;
    enum ota_error error;
    const char *words;
} request_rows[] = {
    {HTTP_NOT_CONNECTED, ECONNREFUSED, OTA_E_NOT_LISTENING, "nothing listens at HERE"},
    {HTTP_NOT_CONNECTED, ETIMEDOUT, OTA_E_NO_ANSWER, "no connection to HERE within 5 s"},
    {HTTP_NOT_CONNECTED, EPERM, OTA_E_LOCAL, "this computer cannot connect to HERE"},
    {HTTP_NOT_CONNECTED, EHOSTUNREACH, OTA_E_UNREACHABLE, "no connection to HERE: No route"},
    {HTTP_TLS, 0, OTA_E_TLS, "no secure connection to HERE: bad\\n"},
    {HTTP_UNTRUSTED, 0, OTA_E_TLS, "no secure connection to HERE: bad\\n"},
    {HTTP_STALLED, ETIMEDOUT, OTA_E_NO_ANSWER, "HERE did not reply to GET / within 2.5 s"},
    {HTTP_NOT_HTTP, 0, OTA_E_NO_PAGE, "HERE answers, but is not a web server"},
    {HTTP_BROKEN, 0, OTA_E_NO_ANSWER, "HERE closed the connection without a reply to GET /"},
    {HTTP_LOCAL, ENOMEM, OTA_E_INTERNAL, "failed on this computer: Cannot allocate memory"},
    {HTTP_LOCAL, EMFILE, OTA_E_INTERNAL, "failed on this computer: Too many open files"},
    {HTTP_LOCAL, 0, OTA_E_INTERNAL, "failed on this computer: bad\\n"},
};

/* A reply that broke off in its head is none, but it is not silence either. */
static void test_cut_heads(void **state)
{
    struct http_outcome outcome = {.end = HTTP_BROKEN, .text = "", .cut_status = 200};
    struct ota_failure failure;

    (void)state;
    http_fail_request(&failure, &outcome, "HERE", "GET /", 2500000, false);
    assert_int_equal(failure.error, OTA_E_NO_ANSWER);
    assert_non_null(strstr(failure.message, "HERE replied to GET / with status 200, but the head"));
    http_fail_upload(&failure, &outcome, 77);
    assert_int_equal(failure.error, OTA_E_LOST);
    assert_non_null(strstr(failure.message, "broke off in its head (status 200)"));
    outcome.is_acknowledged = true;
    http_fail_upload(&failure, &outcome, 77);
    assert_int_equal(failure.error, OTA_E_UNKNOWN);
    assert_non_null(strstr(failure.message, "all 77 bytes were sent, but the reply broke off in"));
}

/* The remedy for this is not one for the board's certificate. */
static void test_no_certificates(void **state)
{
    const struct http_outcome outcome = {
        .end = HTTP_LOCAL, .text = "bad", .cause = OTA_CAUSE_NO_CERTIFICATES};
    struct ota_failure failure;

    (void)state;
    http_fail_request(&failure, &outcome, "HERE", "GET /", 2500000, false);
    assert_int_equal(failure.error, OTA_E_INTERNAL);
    assert_int_equal(failure.cause, OTA_CAUSE_NO_CERTIFICATES);
    http_fail_upload(&failure, &outcome, 77);
    assert_int_equal(failure.cause, OTA_CAUSE_NO_CERTIFICATES);
}

static void test_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof request_rows / sizeof *request_rows; i++) {
        const struct http_outcome outcome = {
            .end = request_rows[i].end, .reason = request_rows[i].reason, .text = "bad\n "};
        struct ota_failure failure;

        http_fail_request(&failure, &outcome, "HERE", "GET /", 2500000, false);
        assert_int_equal(failure.error, request_rows[i].error);
        assert_non_null(strstr(failure.message, request_rows[i].words));
        assert_int_not_equal(failure.message[strlen(failure.message) - 1], ' ');
    }
}

/* Only a certificate that follows a trusted one is another one, whatever the request. */
static void test_other_certificates(void **state)
{
    struct http_outcome outcome = {.end = HTTP_UNTRUSTED, .text = "bad"};
    struct ota_failure failure;

    (void)state;
    http_fail_request(&failure, &outcome, "HERE", "GET /", 2500000, false);
    assert_int_equal(failure.cause, OTA_CAUSE_NONE);
    http_fail_request(&failure, &outcome, "HERE", "GET /", 2500000, true);
    assert_int_equal(failure.error, OTA_E_TLS);
    assert_int_equal(failure.cause, OTA_CAUSE_OTHER_CERTIFICATE);
    assert_non_null(strstr(failure.message, "the certificate for GET / is not trusted"));
    http_fail_upload(&failure, &outcome, 77);
    assert_int_equal(failure.cause, OTA_CAUSE_OTHER_CERTIFICATE);
    assert_non_null(strstr(failure.message, "the certificate for the upload is not trusted"));

    outcome.end = HTTP_TLS;
    http_fail_request(&failure, &outcome, "HERE", "GET /", 2500000, true);
    assert_int_equal(failure.error, OTA_E_NO_ANSWER); /* a board that knows no TLS had no page */
    assert_int_equal(failure.cause, OTA_CAUSE_NONE);
}

static const struct {
    enum http_end end;
    int reason;
    bool is_acknowledged;
    enum ota_error error;
    const char *words;
} upload_rows[] = {
    {HTTP_LOCAL, EMFILE, false, OTA_E_INTERNAL, "failed on this computer: Too many open files"},
    {HTTP_LOCAL, 0, false, OTA_E_INTERNAL, "failed on this computer: bad\\n"},
    {HTTP_NOT_CONNECTED, ECONNREFUSED, false, OTA_E_LOST, "no second connection to the board"},
    {HTTP_TLS, 0, false, OTA_E_LOST, "no second connection to the board: bad\\n"},
    {HTTP_UNTRUSTED, 0, false, OTA_E_TLS, "this connection: bad\\n"},
    {HTTP_STALLED, ETIMEDOUT, true, OTA_E_UNKNOWN, "all 77 bytes were sent, but the board did not"},
    {HTTP_BROKEN, 0, true, OTA_E_UNKNOWN, "closed the connection without a reply"},
    {HTTP_STALLED, ETIMEDOUT, false, OTA_E_STALLED, "the board stopped taking data"},
    {HTTP_BROKEN, ECONNRESET, false, OTA_E_LOST, "reset"},
    {HTTP_NOT_HTTP, 0, false, OTA_E_LOST, "the board's reply is not HTTP"},
    {HTTP_NOT_HTTP, 0, true, OTA_E_UNKNOWN, "all 77 bytes were sent, but the board's reply is not"},
    {HTTP_TLS, 0, true, OTA_E_UNKNOWN, "all 77 bytes were sent, but the board closed"},
};

static void test_uploads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof upload_rows / sizeof *upload_rows; i++) {
        const struct http_outcome outcome = {.end = upload_rows[i].end,
                                             .reason = upload_rows[i].reason,
                                             .is_acknowledged = upload_rows[i].is_acknowledged,
                                             .text = "bad\n "};
        struct ota_failure failure;

        http_fail_upload(&failure, &outcome, 77);
        assert_int_equal(failure.error, upload_rows[i].error);
        assert_non_null(strstr(failure.message, upload_rows[i].words));
        assert_int_not_equal(failure.message[strlen(failure.message) - 1], ' ');
    }
}

/* Of a handshake in the midst of an upload: the board may have a part of the image, or all. */
static void test_late_handshakes(void **state)
{
    static const enum http_end ends[] = {HTTP_TLS, HTTP_UNTRUSTED};

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct http_outcome outcome = {.end = ends[i], .text = "bad", .has_begun = true};
        struct ota_failure failure;

        http_fail_upload(&failure, &outcome, 77);
        assert_int_equal(failure.error, OTA_E_LOST);
        outcome.is_acknowledged = true;
        http_fail_upload(&failure, &outcome, 77);
        assert_int_equal(failure.error, OTA_E_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_heads),       cmocka_unit_test(test_no_certificates),
        cmocka_unit_test(test_requests),        cmocka_unit_test(test_uploads),
        cmocka_unit_test(test_late_handshakes), cmocka_unit_test(test_other_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
