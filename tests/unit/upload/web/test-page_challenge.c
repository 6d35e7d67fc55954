/*
 * test-page_challenge.c: which challenges of a page may be answered, one after the other.
 */
#include "upload/web/page_challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define BASIC "Basic realm=\"a\""
#define MD5 "Digest realm=\"a\", nonce=\"b\", qop=\"auth\""
#define SHA256 MD5 ", algorithm=SHA-256"
#define OTHER_DIGEST MD5 ", algorithm=SHA-512-256"
#define OTHER "Bearer"

static void test_take(void **state)
{
    (void)state;
    static const struct {
        const char *challenges[3]; /* values of WWW-Authenticate */
        enum ota_error last;       /* what comes of the last of them */
        enum trust_strength asked; /* the strongest in the end */
        enum auth_scheme least;
    } rows[] = {
        {{BASIC}, OTA_OK, TRUST_PASSWORD, AUTH_MD5},
        {{MD5}, OTA_OK, TRUST_MD5, AUTH_MD5},
        {{BASIC, SHA256}, OTA_OK, TRUST_SHA256, AUTH_MD5},
        {{SHA256, BASIC}, OTA_E_DOWNGRADE, TRUST_SHA256, AUTH_MD5},
        {{SHA256, MD5}, OTA_E_DOWNGRADE, TRUST_SHA256, AUTH_MD5},
        {{MD5, BASIC}, OTA_E_DOWNGRADE, TRUST_MD5, AUTH_MD5},
        {{SHA256, MD5, BASIC}, OTA_E_DOWNGRADE, TRUST_SHA256, AUTH_MD5},
        /* A Digest that is not answered was asked for all the same. */
        {{OTHER_DIGEST}, OTA_E_PASSWORD_NEEDED, TRUST_MD5, AUTH_MD5},
        {{OTHER_DIGEST, BASIC}, OTA_E_DOWNGRADE, TRUST_MD5, AUTH_MD5},
        {{OTHER_DIGEST ", " BASIC}, OTA_E_PASSWORD_NEEDED, TRUST_MD5, AUTH_MD5},
        {{MD5}, OTA_E_WEAK_AUTH, TRUST_MD5, AUTH_SHA256},
        {{BASIC}, OTA_E_WEAK_AUTH, TRUST_NOTHING, AUTH_SHA256},
        {{OTHER}, OTA_E_PASSWORD_NEEDED, TRUST_NOTHING, AUTH_MD5},
        {{OTHER, BASIC}, OTA_OK, TRUST_PASSWORD, AUTH_MD5},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct trust trust = {.least = rows[i].least};
        struct ota_failure failure = {0};

        for (size_t j = 0; j < COUNT(rows[i].challenges) && rows[i].challenges[j]; j++) {
            const char *value = rows[i].challenges[j];
            struct challenge challenge = {0};

            challenge_add(&challenge, value, strlen(value));
            failure.error = OTA_OK;
            const bool may_answer = page_take_challenge(&trust, &challenge, false, &failure);
            assert_int_equal(may_answer, failure.error == OTA_OK);
        }
        assert_int_equal(failure.error, rows[i].last);
        assert_int_equal(trust.asked, rows[i].asked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_take)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
