/*
 * test-trust.c: how many answers a board gets, to which challenges, and when it gets the image.
 */
#include "upload/trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void answer(struct trust *trust, enum trust_strength strength)
{
    trust_challenged(trust, strength);
    trust_answered(trust, strength);
}

/* Answers of all strengths count, except one of each attempt that the image followed. */
static void test_answers_are_counted(void **state)
{
    (void)state;
    static const enum trust_strength strengths[TRUST_ANSWERS_MAX] = {TRUST_PASSWORD, TRUST_MD5,
                                                                     TRUST_SHA256, TRUST_SHA256};
    struct trust trust = {0};
    struct ota_failure failure;

    for (unsigned i = 0; i < 10; i++) { /* each transfer was lost */
        trust_begin_attempt(&trust);
        assert_false(trust_is_spent(&trust, TRUST_MD5));
        answer(&trust, TRUST_SHA256);
        trust.scheme = AUTH_SHA256_MD5;
        trust_accepted(&trust);
        trust_connected(&trust);
        trust_connected(&trust); /* another connection changes nothing */
    }
    assert_true(trust.keeps_md5_hash);
    for (unsigned i = 0; i < TRUST_ANSWERS_MAX; i++) {
        trust_begin_attempt(&trust);
        assert_false(trust_is_spent(&trust, TRUST_SHA256));
        assert_int_equal(trust_is_spent(&trust, TRUST_MD5), i >= TRUST_WEAK_ANSWERS_MAX);
        assert_int_equal(trust_is_spent(&trust, TRUST_PASSWORD), i >= TRUST_WEAK_ANSWERS_MAX);
        assert_int_equal(trust_fail_spent(&trust, TRUST_MD5, &failure),
                         i >= TRUST_WEAK_ANSWERS_MAX);
        answer(&trust, strengths[i]);
        trust_accepted(&trust); /* no connection follows */
    }
    assert_true(trust_fail_spent(&trust, TRUST_SHA256, &failure));
    assert_int_equal(failure.error, OTA_E_NO_VERDICT);
    assert_non_null(strstr(failure.message, "answers to 4 of its challenges"));
}

/* A page can ask again during an upload, and get the image again; that counts. */
static void test_one_answer_of_an_attempt_is_free(void **state)
{
    (void)state;
    struct trust trust = {0};

    trust_begin_attempt(&trust);
    for (unsigned i = 0; i < TRUST_WEAK_ANSWERS_MAX + 1; i++) {
        assert_false(trust_is_spent(&trust, TRUST_MD5));
        answer(&trust, TRUST_MD5);
        trust_connected(&trust);
    }
    assert_true(trust_is_spent(&trust, TRUST_MD5));
}

/* Another password resets the count, but not what the board has asked for. */
static void test_another_password(void **state)
{
    (void)state;
    struct trust trust = {.asked = TRUST_SHA256, .keeps_md5_hash = true};

    for (unsigned i = 0; i < TRUST_ANSWERS_MAX; i++)
        trust_answered(&trust, TRUST_SHA256);
    assert_true(trust_is_spent(&trust, TRUST_SHA256));
    trust_begin_again(&trust);
    assert_false(trust_is_spent(&trust, TRUST_SHA256));
    assert_int_equal(trust.asked, TRUST_SHA256);
    assert_false(trust.keeps_md5_hash); /* the other password was rejected */
}

/* No challenge that is weaker than an earlier one, not even over TLS: a board does not do that. */
static void test_downgrades(void **state)
{
    (void)state;
    static const struct {
        enum trust_strength asked, strength;
        enum auth_scheme least;
        bool is_encrypted;
        enum ota_error error;
        const char *message;
    } rows[] = {
        {TRUST_NOTHING, TRUST_PASSWORD, AUTH_MD5, false, OTA_OK, ""},
        {TRUST_PASSWORD, TRUST_PASSWORD, AUTH_MD5, false, OTA_OK, ""},
        {TRUST_PASSWORD, TRUST_MD5, AUTH_MD5, false, OTA_OK, ""},
        {TRUST_MD5, TRUST_PASSWORD, AUTH_MD5, false, OTA_E_DOWNGRADE,
         "an answer with MD5 at first and now asks for the password itself (Basic)"},
        {TRUST_MD5, TRUST_PASSWORD, AUTH_MD5, true, OTA_E_DOWNGRADE, "Basic"},
        {TRUST_SHA256, TRUST_MD5, AUTH_SHA256, false, OTA_E_DOWNGRADE, "SHA-256 at first"},
        {TRUST_SHA256, TRUST_SHA256, AUTH_SHA256, false, OTA_OK, ""},
        {TRUST_NOTHING, TRUST_MD5, AUTH_SHA256, false, OTA_E_WEAK_AUTH, "--min-auth"},
        {TRUST_NOTHING, TRUST_MD5, AUTH_SHA256, true, OTA_OK, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct trust trust = {.least = rows[i].least, .asked = rows[i].asked};
        struct ota_failure failure = {.error = OTA_OK};

        assert_int_equal(trust_allows(&trust, rows[i].strength, rows[i].is_encrypted, &failure),
                         rows[i].error == OTA_OK);
        assert_int_equal(failure.error, rows[i].error);
        assert_non_null(strstr(failure.message, rows[i].message));
    }
}

/* Who has asked once gets no image without an answer, in any attempt. */
static void test_who_has_asked(void **state)
{
    (void)state;
    struct trust trust = {0};
    struct ota_failure failure;

    trust_begin_attempt(&trust);
    assert_true(trust_unasked(&trust, &failure));
    answer(&trust, TRUST_PASSWORD);
    assert_true(trust_unasked(&trust, &failure)); /* it asks no more after the answer */
    trust_begin_attempt(&trust);
    assert_false(trust_unasked(&trust, &failure));
    assert_int_equal(failure.error, OTA_E_DOWNGRADE);
    trust_begin_again(&trust);
    assert_false(trust_unasked(&trust, &failure));
}

static void test_the_door(void **state)
{
    (void)state;
    struct trust trust = {0};

    trust_connected(&trust);
    assert_int_equal(trust.door, TRUST_UNASKED);
    trust_rejected(&trust); /* only a board with a password rejects, even without an answer */
    assert_int_equal(trust.door, TRUST_SHUT);
    trust = (struct trust){0};
    trust_challenged(&trust, TRUST_MD5);
    assert_int_equal(trust.door, TRUST_SHUT);
    assert_int_equal(trust.asked, TRUST_MD5);
    trust_answered(&trust, TRUST_MD5);
    assert_int_equal(trust.door, TRUST_ANSWERED);
    assert_true(trust.has_given_md5);
    trust_rejected(&trust);
    assert_int_equal(trust.door, TRUST_SHUT);
    answer(&trust, TRUST_SHA256);
    trust_connected(&trust); /* another connection needs another answer */
    assert_int_equal(trust.door, TRUST_SHUT);
    trust_challenged(&trust, TRUST_MD5);
    assert_int_equal(trust.asked, TRUST_SHA256);
}

/* The next attempt may be with another host. */
static void test_an_answer_holds_for_its_attempt(void **state)
{
    struct trust trust = {0};

    (void)state;
    trust_begin_attempt(&trust);
    assert_int_equal(trust.door, TRUST_UNASKED);

    answer(&trust, TRUST_SHA256);
    trust_begin_attempt(&trust);
    assert_int_equal(trust.door, TRUST_SHUT);
    trust_begin_attempt(&trust);
    assert_int_equal(trust.door, TRUST_SHUT);
    assert_int_equal(trust.asked, TRUST_SHA256);
    assert_int_equal(trust.answers, 1);
    assert_int_equal(trust_strength(AUTH_MD5), TRUST_MD5);
    assert_int_equal(trust_strength(AUTH_SHA256_MD5), TRUST_SHA256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_counted),
        cmocka_unit_test(test_one_answer_of_an_attempt_is_free),
        cmocka_unit_test(test_another_password),
        cmocka_unit_test(test_downgrades),
        cmocka_unit_test(test_who_has_asked),
        cmocka_unit_test(test_the_door),
        cmocka_unit_test(test_an_answer_holds_for_its_attempt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
