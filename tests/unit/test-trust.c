/*
 * test-trust.c: how many answers a board gets, and which of its words repeat one.
 */
#include "trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CNONCE "0123456789abcdef0123456789abcdef"
#define RESPONSE "fedcba98765432100f1e2d3c4b5a6978"
#define MD5_OF_PW "8fe4c11451281c094a6578e6ddbf5eed"
#define SHA256_OF_PW "30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4"

static const struct auth_answer answer = {.cnonce = CNONCE, .response = RESPONSE};

static void test_answers_are_counted_by_scheme(void **state)
{
    (void)state;
    struct trust trust = {0};

    for (unsigned i = 0; i < TRUST_ANSWERS_MAX; i++) {
        assert_true(trust_may_answer(&trust, AUTH_SHA256, i % TRUST_HANDSHAKE_ANSWERS_MAX));
        trust_challenged(&trust, AUTH_SHA256);
        trust_answered(&trust, AUTH_SHA256, &answer);
    }
    assert_false(trust_may_answer(&trust, AUTH_SHA256, 0));
    assert_true(trust_is_spent(&trust, AUTH_SHA256));
    assert_true(trust_may_answer(&trust, AUTH_SHA256_MD5, 0));
    assert_false(trust_may_answer(&trust, AUTH_SHA256_MD5, TRUST_HANDSHAKE_ANSWERS_MAX));

    trust_answered(&trust, AUTH_SHA256_MD5, &answer);
    trust_accepted(&trust); /* a transfer that is lost after it needs another answer */
    assert_true(trust_may_answer(&trust, AUTH_SHA256, 0));
    assert_true(trust.keeps_md5_hash);
}

static void test_the_door(void **state)
{
    (void)state;
    struct trust trust = {0};

    trust_rejected(&trust); /* of nothing */
    trust_connected(&trust);
    assert_int_equal(trust.door, TRUST_UNASKED);
    trust_challenged(&trust, AUTH_MD5);
    assert_int_equal(trust.door, TRUST_SHUT);
    assert_false(trust.has_shown_sha256);
    trust_answered(&trust, AUTH_MD5, &answer);
    assert_int_equal(trust.door, TRUST_ANSWERED);
    trust_rejected(&trust);
    assert_int_equal(trust.door, TRUST_SHUT);
    trust_challenged(&trust, AUTH_SHA256);
    assert_true(trust.has_shown_sha256);
    trust_answered(&trust, AUTH_SHA256, &answer);
    trust_connected(&trust); /* another connection needs another answer */
    assert_int_equal(trust.door, TRUST_SHUT);
    trust_challenged(&trust, AUTH_MD5);
    assert_true(trust.has_shown_sha256);
}

static void test_echoes(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        bool is_echo;
    } rows[] = {
        {"200 " CNONCE " " RESPONSE, true},
        {RESPONSE, true},
        {"FEDCBA98", true},                /* in capitals, and eight digits */
        {"fedcba9", false},                /* seven */
        {"fe dc-ba:98", true},             /* with something in between */
        {"fe\\x00dc\\x07ba\\xff98", true}, /* escaped */
        {"my hash is " MD5_OF_PW, true},
        {"or " SHA256_OF_PW, true},
        {"ERROR[4]: Not Enough Space", false},
        {"ERROR[7]: MD5 verification failed: expected: 00112233445566778899aabbccddeeff", false},
        {"", false},
        {"\\x", false},
    };
    struct trust trust = {0};

    trust_answered(&trust, AUTH_MD5, &answer);
    for (int i = 1; i < TRUST_ANSWERS_KEPT; i++)
        trust_answered(&trust, AUTH_MD5, &(struct auth_answer){.cnonce = "", .response = ""});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("  %s\n", rows[i].words);
        assert_int_equal(trust_is_echo(&trust, "pw", rows[i].words), rows[i].is_echo);
    }
    assert_false(trust_is_echo(&trust, NULL, MD5_OF_PW));
    assert_false(trust_is_echo(&(struct trust){0}, "other", RESPONSE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_counted_by_scheme),
        cmocka_unit_test(test_the_door),
        cmocka_unit_test(test_echoes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
