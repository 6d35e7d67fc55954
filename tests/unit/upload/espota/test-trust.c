/*
 * test-trust.c: how many answers a board gets, and when it may connect.
 */
#include "upload/espota/trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Answers with all schemes count, except those that a connection followed. */
static void test_answers_are_counted(void **state)
{
    (void)state;
    static const enum auth_scheme schemes[TRUST_ANSWERS_MAX] = {AUTH_MD5, AUTH_SHA256,
                                                                AUTH_SHA256_MD5, AUTH_SHA256};
    struct trust trust = {0};

    for (unsigned i = 0; i < 10; i++) { /* each transfer was lost */
        trust_challenged(&trust, AUTH_SHA256);
        assert_true(trust_may_answer(&trust, AUTH_SHA256, 0));
        trust_answered(&trust, AUTH_SHA256_MD5);
        trust_accepted(&trust);
        trust_connected(&trust);
        trust_connected(&trust); /* another connection changes nothing */
    }
    assert_true(trust.keeps_md5_hash);
    for (unsigned i = 0; i < TRUST_ANSWERS_MAX; i++) {
        assert_false(trust_is_spent(&trust, AUTH_SHA256));
        assert_int_equal(trust_is_spent(&trust, AUTH_MD5), i >= TRUST_MD5_ANSWERS_MAX);
        assert_true(trust_may_answer(&trust, AUTH_SHA256, TRUST_HANDSHAKE_ANSWERS_MAX - 1));
        assert_false(trust_may_answer(&trust, AUTH_SHA256, TRUST_HANDSHAKE_ANSWERS_MAX));
        trust_challenged(&trust, AUTH_SHA256);
        trust_answered(&trust, schemes[i]);
        trust_accepted(&trust); /* no connection follows */
    }
    assert_false(trust_may_answer(&trust, AUTH_SHA256, 0));
    assert_true(trust_is_spent(&trust, AUTH_SHA256));
}

/* Another password resets the count, but not has_shown_sha256. */
static void test_another_password(void **state)
{
    (void)state;
    struct trust trust = {.has_shown_sha256 = true, .keeps_md5_hash = true};

    for (unsigned i = 0; i < TRUST_ANSWERS_MAX; i++)
        trust_answered(&trust, AUTH_SHA256);
    assert_true(trust_is_spent(&trust, AUTH_SHA256));
    trust_begin_again(&trust);
    assert_false(trust_is_spent(&trust, AUTH_SHA256));
    assert_true(trust.has_shown_sha256);
    assert_false(trust.keeps_md5_hash); /* the other password was rejected */
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
    trust_challenged(&trust, AUTH_MD5);
    assert_int_equal(trust.door, TRUST_SHUT);
    assert_false(trust.has_shown_sha256);
    trust_answered(&trust, AUTH_MD5);
    assert_int_equal(trust.door, TRUST_ANSWERED);
    trust_rejected(&trust);
    assert_int_equal(trust.door, TRUST_SHUT);
    trust_challenged(&trust, AUTH_SHA256);
    assert_true(trust.has_shown_sha256);
    trust_answered(&trust, AUTH_SHA256);
    trust_connected(&trust); /* another connection needs another answer */
    assert_int_equal(trust.door, TRUST_SHUT);
    trust_challenged(&trust, AUTH_MD5);
    assert_true(trust.has_shown_sha256);
}

/* The next handshake may be with another host. */
static void test_an_answer_holds_for_its_handshake(void **state)
{
    struct trust trust = {0};

    (void)state;
    trust_begin_handshake(&trust);
    assert_int_equal(trust.door, TRUST_UNASKED);

    trust_challenged(&trust, AUTH_SHA256);
    trust_answered(&trust, AUTH_SHA256);
    trust_begin_handshake(&trust);
    assert_int_equal(trust.door, TRUST_SHUT);
    trust_begin_handshake(&trust);
    assert_int_equal(trust.door, TRUST_SHUT);
    assert_true(trust.has_shown_sha256);
    assert_int_equal(trust.answers, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_counted),
        cmocka_unit_test(test_another_password),
        cmocka_unit_test(test_the_door),
        cmocka_unit_test(test_an_answer_holds_for_its_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
