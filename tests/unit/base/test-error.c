/*
 * test-error.c: the table of errors is complete and keeps its own rules; messages are bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

/* The interface in the manual, written out again so that a slip shows. */
static const struct {
    enum ota_error error;
    const char *name;
    int exit_status;
    bool is_transient;
} expected[] = {
    {OTA_OK, "ok", 0, false},
    {OTA_E_INTERNAL, "internal", 1, false},
    {OTA_E_OUTPUT, "output", 1, false},
    {OTA_E_NO_PORT, "no-port", 1, false},
    {OTA_E_LOCAL, "local", 1, false},
    {OTA_E_USAGE, "usage", 2, false},
    {OTA_E_IMAGE, "image", 3, false},
    {OTA_E_SIGNATURE, "signature", 3, false},
    {OTA_E_NOT_FOUND, "not-found", 4, false},
    {OTA_E_AMBIGUOUS, "ambiguous", 4, false},
    {OTA_E_NO_MDNS, "no-mdns", 4, false},
    {OTA_E_NEVER_ASKED, "never-asked", 4, false},
    {OTA_E_NO_ANSWER, "no-answer", 5, true},
    {OTA_E_NOT_LISTENING, "not-listening", 5, true},
    {OTA_E_UNREACHABLE, "unreachable", 5, true},
    {OTA_E_NO_PAGE, "no-page", 5, false},
    {OTA_E_TLS, "tls", 6, false},
    {OTA_E_WRONG_PASSWORD, "wrong-password", 6, false},
    {OTA_E_PASSWORD_NEEDED, "password-needed", 6, false},
    {OTA_E_WEAK_AUTH, "weak-auth", 6, false},
    {OTA_E_DOWNGRADE, "downgrade", 6, false},
    {OTA_E_NOT_ASKED, "password-not-asked", 6, false},
    {OTA_E_NO_VERDICT, "no-verdict", 6, false},
    {OTA_E_KEY_NEEDED, "key-needed", 6, false},
    {OTA_E_WRONG_KEY, "wrong-key", 6, false},
    {OTA_E_NO_ENCRYPTION, "no-encryption", 6, false},
    {OTA_E_UNAUTHORIZED, "unauthorized", 6, false},
    {OTA_E_REFUSED, "refused", 7, false},
    {OTA_E_NO_CONNECTION, "no-connection", 8, true},
    {OTA_E_LOST, "lost", 9, true},
    {OTA_E_STALLED, "stalled", 9, true},
    {OTA_E_DEADLINE, "deadline", 9, false},
    {OTA_E_EARLY_OK, "early-ok", 9, false},
    {OTA_E_BOARD, "board", 10, false},
    {OTA_E_UNKNOWN, "unknown", 11, false},
    {OTA_E_UNPROVEN, "unproven", 12, false},
    {OTA_E_NOT_RETURNED, "not-returned", 12, false},
    {OTA_E_INTERRUPTED, "interrupted", 130, false},
    {OTA_E_MIXED, "mixed", 20, false},
};

static void test_error_table(void **state)
{
    (void)state;
    assert_int_equal(sizeof expected / sizeof *expected, OTA_ERROR_COUNT);
    for (size_t i = 0; i < OTA_ERROR_COUNT; i++) {
        enum ota_error error = expected[i].error;

        assert_int_equal(error, i);
        assert_string_equal(ota_error_name(error), expected[i].name);
        assert_int_equal(ota_error_exit_status(error, SIGINT), expected[i].exit_status);
        assert_int_equal(ota_error_is_transient(error), expected[i].is_transient);
    }
    assert_int_equal(ota_error_exit_status(OTA_E_INTERRUPTED, SIGTERM), 143);
}

/* Each text is a clause that fits into a sentence. */
static void test_wording(void **state)
{
    (void)state;
    for (enum ota_error error = OTA_OK; error < OTA_ERROR_COUNT; error++) {
        const char *text = ota_error_text(error);

        assert_true(islower((unsigned char)text[0]));
        assert_int_not_equal(text[strlen(text) - 1], '.');
    }
}

static void test_numbers_that_are_no_code(void **state)
{
    static const int numbers[] = {-1, OTA_ERROR_COUNT, 1000000};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        enum ota_error error = (enum ota_error)numbers[i];

        assert_string_equal(ota_error_name(error), "internal");
        assert_int_equal(ota_error_exit_status(error, 0), 1);
        assert_false(ota_error_is_transient(error));
        assert_string_equal(ota_phase_name((enum ota_phase)numbers[i]), "unknown");
    }
}

static void test_phases(void **state)
{
    (void)state;
    for (enum ota_phase a = OTA_PHASE_RESOLVE; a < OTA_PHASE_COUNT; a++) {
        assert_string_not_equal(ota_phase_name(a), "unknown");
        for (enum ota_phase b = OTA_PHASE_RESOLVE; b < a; b++)
            assert_string_not_equal(ota_phase_name(a), ota_phase_name(b));
    }
}

static void test_fail(void **state)
{
    struct ota_failure failure;

    (void)state;
    assert_int_equal(ota_fail(&failure, OTA_E_IMAGE, "%s has %d bytes", "a.bin", 3), OTA_E_IMAGE);
    assert_int_equal(failure.error, OTA_E_IMAGE);
    assert_string_equal(failure.message, "a.bin has 3 bytes");
}

static void test_prefix(void **state)
{
    struct ota_failure failure;

    (void)state;
    ota_fail(&failure, OTA_E_OUTPUT, "the disk is full");
    failure.cause = OTA_CAUSE_DISK_FULL;
    failure.is_waited_out = true;
    ota_prefix(&failure, "%s, line %d: ", "hosts", 3);
    assert_int_equal(failure.error, OTA_E_OUTPUT);
    assert_int_equal(failure.cause, OTA_CAUSE_DISK_FULL);
    assert_true(failure.is_waited_out);
    assert_string_equal(failure.message, "hosts, line 3: the disk is full");

    memset(failure.message, 'x', OTA_MESSAGE_MAX - 1);
    failure.message[OTA_MESSAGE_MAX - 1] = '\0';
    ota_prefix(&failure, "%s: ", "hosts");
    assert_int_equal(strlen(failure.message), OTA_MESSAGE_MAX - 1);
    assert_string_equal(failure.message + OTA_MESSAGE_MAX - sizeof "x...", "x...");
}

static void test_error_no_memory(void **state)
{
    struct ota_failure failure = {.cause = OTA_CAUSE_DISK_FULL};

    (void)state;
    assert_int_equal(ota_fail_no_memory(&failure), OTA_E_INTERNAL);
    assert_int_equal(failure.error, OTA_E_INTERNAL);
    assert_int_equal(failure.cause, OTA_CAUSE_OUT_OF_MEMORY);
    assert_string_equal(failure.message, "out of memory");
}

/* What this computer lacks is blamed on nothing else. */
static void test_errno(void **state)
{
    static const struct {
        int number;
        enum ota_error error;
        enum ota_cause cause, output_cause;
    } rows[] = {
        {ENOENT, OTA_E_IMAGE, OTA_CAUSE_NONE, OTA_CAUSE_NO_FOLDER},
        {ENOSPC, OTA_E_IMAGE, OTA_CAUSE_NONE, OTA_CAUSE_DISK_FULL},
        {EACCES, OTA_E_IMAGE, OTA_CAUSE_NONE, OTA_CAUSE_NOT_ALLOWED},
        {ENAMETOOLONG, OTA_E_IMAGE, OTA_CAUSE_NONE, OTA_CAUSE_NAME_TOO_LONG},
        {ELOOP, OTA_E_IMAGE, OTA_CAUSE_NONE, OTA_CAUSE_LINK_LOOP},
        {EISDIR, OTA_E_IMAGE, OTA_CAUSE_NONE, OTA_CAUSE_NOT_A_FILE},
        {ENXIO, OTA_E_IMAGE, OTA_CAUSE_NONE, OTA_CAUSE_READER_GONE},
        {ETIMEDOUT, OTA_E_IMAGE, OTA_CAUSE_NONE, OTA_CAUSE_READER_GONE},
        {EBADF, OTA_E_IMAGE, OTA_CAUSE_NONE, OTA_CAUSE_CLOSED},
        {EMFILE, OTA_E_INTERNAL, OTA_CAUSE_TOO_MANY_FILES, OTA_CAUSE_TOO_MANY_FILES},
        {ENFILE, OTA_E_INTERNAL, OTA_CAUSE_TOO_MANY_FILES, OTA_CAUSE_TOO_MANY_FILES},
        {ENOMEM, OTA_E_INTERNAL, OTA_CAUSE_OUT_OF_MEMORY, OTA_CAUSE_OUT_OF_MEMORY},
        {EAGAIN, OTA_E_INTERNAL, OTA_CAUSE_TOO_MANY_PROCESSES, OTA_CAUSE_NONE},
        {ECHILD, OTA_E_INTERNAL, OTA_CAUSE_HELPER_LOST, OTA_CAUSE_HELPER_LOST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ota_failure failure = {.cause = OTA_CAUSE_FLASH};
        int number = rows[i].number;

        assert_int_equal(ota_fail_errno(&failure, OTA_E_IMAGE, number, "no %s", "x"),
                         rows[i].error);
        assert_int_equal(failure.error, rows[i].error);
        assert_int_equal(failure.cause, rows[i].cause);
        assert_string_equal(failure.message, "no x");

        assert_int_equal(ota_fail_stdout(&failure, number), OTA_E_OUTPUT);
        assert_int_equal(failure.cause, rows[i].output_cause);
        assert_non_null(strstr(failure.message, "cannot write to standard output: "));
    }
}

/* Neither is the board blamed for what keeps this computer from asking it. */
static void test_blame(void **state)
{
    static const struct {
        int number;
        enum ota_error error;
        enum ota_cause cause;
    } rows[] = {
        {EMFILE, OTA_E_INTERNAL, OTA_CAUSE_TOO_MANY_FILES},
        {ENOMEM, OTA_E_INTERNAL, OTA_CAUSE_OUT_OF_MEMORY},
        {ENETUNREACH, OTA_E_LOCAL, OTA_CAUSE_NO_ROUTE},
        {ENETDOWN, OTA_E_LOCAL, OTA_CAUSE_NO_ROUTE},
        {EADDRNOTAVAIL, OTA_E_LOCAL, OTA_CAUSE_NO_ROUTE},
        {ENODEV, OTA_E_LOCAL, OTA_CAUSE_NO_ROUTE},
        {EINVAL, OTA_E_LOCAL, OTA_CAUSE_NONE},
        {EPERM, OTA_E_LOCAL, OTA_CAUSE_FIREWALL},
        {EACCES, OTA_E_LOCAL, OTA_CAUSE_NO_WAY_OUT},
        {0, OTA_E_UNPROVEN, OTA_CAUSE_NONE},
        {ETIMEDOUT, OTA_E_UNPROVEN, OTA_CAUSE_NONE},
        {EHOSTUNREACH, OTA_E_UNPROVEN, OTA_CAUSE_NONE},
        {ECONNREFUSED, OTA_E_UNPROVEN, OTA_CAUSE_NONE},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ota_failure failure = {.error = OTA_E_UNPROVEN, .message = "it stays"};

        ota_blame_this_computer(&failure, rows[i].number);
        assert_int_equal(failure.error, rows[i].error);
        assert_int_equal(failure.cause, rows[i].cause);
        assert_string_equal(failure.message, "it stays");
        assert_int_equal(error_is_of_this_computer(rows[i].number),
                         failure.error != OTA_E_UNPROVEN);
    }
}

static void test_long_messages_are_cut_and_say_so(void **state)
{
    struct ota_failure failure;
    char text[2 * OTA_MESSAGE_MAX];

    (void)state;
    memset(text, 'x', sizeof text);
    text[OTA_MESSAGE_MAX - 1] = '\0';
    ota_fail(&failure, OTA_E_BOARD, "%s", text);
    assert_string_equal(failure.message, text);

    text[OTA_MESSAGE_MAX - 1] = 'x';
    text[OTA_MESSAGE_MAX] = '\0';
    ota_fail(&failure, OTA_E_BOARD, "%s", text);
    assert_int_equal(strlen(failure.message), OTA_MESSAGE_MAX - 1);
    assert_string_equal(failure.message + OTA_MESSAGE_MAX - 5, "x...");
}

/* Wherever the cut falls, no half of a character is left. */
static void test_long_messages_are_cut_between_characters(void **state)
{
    struct ota_failure failure;
    char text[2 * OTA_MESSAGE_MAX];

    (void)state;
    for (int shift = 0; shift < 4; shift++) {
        size_t length = 0;
        size_t end;

        for (; length < OTA_MESSAGE_MAX; length += 4)
            memcpy(text + length, "\xf0\x9f\x92\xa1", 5);
        ota_fail(&failure, OTA_E_BOARD, "%.*s%s", shift, "abc", text);
        end = strlen(failure.message);
        assert_true(end < OTA_MESSAGE_MAX && end > OTA_MESSAGE_MAX - 8);
        assert_string_equal(failure.message + end - 3, "...");
        assert_int_equal((end - 3 - (size_t)shift) % 4, 0);
    }
}

static void test_connection_texts(void **state)
{
    (void)state;

    assert_string_equal(error_connection_text(0, "-"), "the board closed the connection");
    assert_string_equal(error_connection_text(ECONNRESET, "-"), "the board reset the connection");
    assert_string_equal(error_connection_text(EPIPE, "-"), "the board reset the connection");
    assert_string_equal(error_connection_text(ETIMEDOUT, "it slept"), "it slept");
    assert_string_equal(error_connection_text(EHOSTUNREACH, "-"), strerror(EHOSTUNREACH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_table),
        cmocka_unit_test(test_wording),
        cmocka_unit_test(test_numbers_that_are_no_code),
        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_connection_texts),
        cmocka_unit_test(test_fail),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_error_no_memory),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_blame),
        cmocka_unit_test(test_long_messages_are_cut_and_say_so),
        cmocka_unit_test(test_long_messages_are_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
