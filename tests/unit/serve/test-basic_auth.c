/*
 * test-basic_auth.c: who knows the password, and what is no such header.
 */
#include "serve/basic_auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* printf board:swordfish | base64, and so on. */
static void test_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header, *user;
        bool matches;
    } rows[] = {
        {"Basic Ym9hcmQ6c3dvcmRmaXNo", NULL, true},
        {"basic   Ym9hcmQ6c3dvcmRmaXNo", NULL, true},
        {"Basic Ym9hcmQ6c3dvcmRmaXNo", "board", true},
        {"Basic Ym9hcmQ6c3dvcmRmaXNo", "boar", false},
        {"Basic Ym9hcmQ6c3dvcmRmaXNo", "", false},
        {"Basic OnN3b3JkZmlzaA==", NULL, true}, /* no user */
        {"Basic OnN3b3JkZmlzaA", "", true},
        {"Basic Ym9hcmQ6c3dvcmRmaXNoMg==", NULL, false},    /* swordfish2 */
        {"Basic Ym9hcmQ6c3dvcmRmaXM=", NULL, false},        /* swordfis */
        {"Basic Ym9hcmQ6U3dvcmRmaXNo", NULL, false},        /* Swordfish */
        {"Basic Ym9hcmQ6c3dvcmRmaXNoAA==", NULL, false},    /* swordfish and a NUL */
        {"Basic Ym9hcmQAOnN3b3JkZmlzaA==", "board", false}, /* board and a NUL */
        {"Basic YTpib2FyZDpzd29yZGZpc2g=", NULL, false},    /* a:board:swordfish */
        {"Basic c3dvcmRmaXNo", NULL, false},                /* no colon */
        {"Basic Ym9hcmQ6c3dvcmRmaXNo x", NULL, false},
        {"Basic Ym9hcmQ6c3dvcmRm=aXNo", NULL, false},
        {"Basic Ym9hcmQ6c3dvcmRmaXNo!", NULL, false},
        {"Basic ", NULL, false},
        {"Basic", NULL, false},
        {"Digest Ym9hcmQ6c3dvcmRmaXNo", NULL, false},
        {"", NULL, false},
        {NULL, NULL, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (basic_auth_matches(rows[i].header, rows[i].user, "swordfish") != rows[i].matches)
            fail_msg("row %zu: %s", i, rows[i].header);
}

/* More than there is room for is no password. */
static void test_long(void **state)
{
    (void)state;
    char header[10000] = "Basic ";

    memset(header + strlen(header), 'A', sizeof header - strlen(header) - 1);
    header[sizeof header - 1] = '\0';
    assert_false(basic_auth_matches(header, NULL, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_headers), cmocka_unit_test(test_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
