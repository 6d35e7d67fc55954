/*
 * test-auth.c: answers to challenges. The vectors below were computed with Python's hashlib from
 * the formulas in auth.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/auth.h"
#include "support/vectors.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* --wrap */
static bool lacks_memory;
void *__real_secret_alloc(size_t size);
void *__wrap_secret_alloc(size_t size);

void *__wrap_secret_alloc(size_t size)
{
    return lacks_memory ? NULL : __real_secret_alloc(size);
}

#define TEN "pppppppppp"
#define FIFTY TEN TEN TEN TEN TEN
#define LONG_PASSWORD FIFTY FIFTY FIFTY FIFTY

static const struct {
    enum auth_scheme scheme;
    const char *password;
    const char *nonce;
    const char *cnonce;
    const char *response;
} rows[] = {
    {AUTH_MD5, "esp-ota", "23b833e7b4ed03cdfc8faad2378bc8e6", "37a8c776032bda324bbebd0864bdb09f",
     "9929928f46493c732eb52d64c794f78a"},
    {AUTH_SHA256, "esp-ota", "a79684fe3896a5c59796da89bdf3fe34f94dd81c5497e22a07c70460794130c1",
     "31e346f9e9754f5f643b7208ecfb7a197e15f809f65553430c5ce08e9d8a76b4",
     "326318f4ef2f96332d73e134d61deb3f1a730e4404d03bcdd79f399986df14b6"},
    {AUTH_SHA256_MD5, "esp-ota", "a79684fe3896a5c59796da89bdf3fe34f94dd81c5497e22a07c70460794130c1",
     "31e346f9e9754f5f643b7208ecfb7a197e15f809f65553430c5ce08e9d8a76b4",
     "ce883d91ee35f765bfc131354181da8d91a96fb84d7d278c32905f235987d897"},
    {AUTH_MD5, "", "cb8dc883fc6f416f6383c9890102795b", "a5cf8cc5b718ca7c508d5505ff6a9acf",
     "b2cba374d35017cdc74bb4ae33250ca7"},
    {AUTH_SHA256, "", "82c9687d4a522f8a44e695c3120aff970e10de9f8a81133edd27743c2669c140",
     "3d02a27db955764cd87738032376cc8511481610a7529b6500a78537ea5cce68",
     "2ece0429981828e3942d5d93ada94d16d65c8c99a476116e2084a40d4528f389"},
    {AUTH_SHA256_MD5, "", "82c9687d4a522f8a44e695c3120aff970e10de9f8a81133edd27743c2669c140",
     "3d02a27db955764cd87738032376cc8511481610a7529b6500a78537ea5cce68",
     "bb29ac7b6e16517c19828ed89a0a8e4310640dbb27b02fb28f2b44cde46aa540"},
    {AUTH_MD5,
     "K\xc3\xbc"
     "che: 7 \"Fenster\" %s",
     "4c4cf64dfbab98480b57cc5ae5161ad4", "a38eb4863d1b9e6e58b19d0e29e773bb",
     "cf8724af8cbda1f712c0baef29cf7042"},
    {AUTH_SHA256,
     "K\xc3\xbc"
     "che: 7 \"Fenster\" %s",
     "4e17b40c58d161b94f10affdf89dd667ae64168b28c0fd118f14dd0b98cfe709",
     "276980c6560da38499980490e802363ce0058a8ab5081d6d024cb35ea90497fd",
     "cf655b17665cd4f99aecce6161df861b4be276a8b0a0ec654acba8bc403ea898"},
    {AUTH_SHA256_MD5,
     "K\xc3\xbc"
     "che: 7 \"Fenster\" %s",
     "4e17b40c58d161b94f10affdf89dd667ae64168b28c0fd118f14dd0b98cfe709",
     "276980c6560da38499980490e802363ce0058a8ab5081d6d024cb35ea90497fd",
     "30e48fec74e3cfb1ca662d0dd83548cc0c46be99245e643a23dd981dd3660bee"},
    {AUTH_MD5, LONG_PASSWORD, "f4d453f0848a85555fe4e8f1a9b2fba4",
     "5788f9481500d2e1ea6c8ba6c939684c", "f27e80d1000b356ec9ff2f2e298553b6"},
    {AUTH_SHA256, LONG_PASSWORD, "b8b57becc1e3639fb2b20f54fb6facc0cc563af42e0ed7e401c743d0bfab6f72",
     "265ffddd226d0281cc565b67d85d1ae91ba7b4995f144f04100d8e56bf412cbc",
     "857af547ed77753e2fe4e17c9d9babc020bc4e9d8b3e78218a23d9f798e15a2d"},
    {AUTH_SHA256_MD5, LONG_PASSWORD,
     "b8b57becc1e3639fb2b20f54fb6facc0cc563af42e0ed7e401c743d0bfab6f72",
     "265ffddd226d0281cc565b67d85d1ae91ba7b4995f144f04100d8e56bf412cbc",
     "5948337bb1d9f899526d09b5139b08e90fdffa46dc8c6792696f439cd177d5e6"},
    {AUTH_MD5, "esp-ota", "253FA5E4671E509E2545269FAC5AD475", "7c4034cc6f80f169d03876c888477d40",
     "79eca5805d6f3728ec43378b0b64f5df"},
};

static void test_scheme_table(void **state)
{
    struct auth_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(
            auth_respond(&answer, rows[i].scheme, rows[i].password, rows[i].nonce, rows[i].cnonce),
            0);
        assert_string_equal(answer.cnonce, rows[i].cnonce);
        assert_string_equal(answer.response, rows[i].response);
    }
}

static enum auth_scheme scheme_of(const char *text)
{
    if (strcmp(text, "md5") == 0)
        return AUTH_MD5;
    if (strcmp(text, "sha256") == 0)
        return AUTH_SHA256;
    assert_string_equal(text, "sha256-md5");
    return AUTH_SHA256_MD5;
}

static void check_vector(char **fields)
{
    char password[256] = "";
    struct auth_answer answer;
    size_t length = strlen(fields[1]) / 2;

    assert_true(length < sizeof password);
    for (size_t i = 0; i < length; i++) {
        unsigned byte;

        /* NOLINTNEXTLINE(cert-err34-c): two hex digits cannot overflow */
        assert_int_equal(sscanf(fields[1] + 2 * i, "%2x", &byte), 1);
        password[i] = (char)byte;
    }
    assert_int_equal(auth_respond(&answer, scheme_of(fields[0]), password, fields[2], fields[3]),
                     0);
    assert_string_equal(answer.response, fields[4]);
}

static void test_vectors(void **state)
{
    (void)state;
    assert_true(vectors_each("auth.tsv", 5, check_vector) > 10);
}

/* Every answer has its own cnonce, as long as the scheme's digest and in lower case: an 8266
 * silently drops anything else. */
static void test_random_cnonce(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        size_t digits = strlen(rows[i].nonce);
        struct auth_answer first;
        struct auth_answer second;
        struct auth_answer again;

        assert_int_equal(
            auth_respond(&first, rows[i].scheme, rows[i].password, rows[i].nonce, NULL), 0);
        assert_int_equal(
            auth_respond(&second, rows[i].scheme, rows[i].password, rows[i].nonce, NULL), 0);
        assert_int_equal(strspn(first.cnonce, "0123456789abcdef"), digits);
        assert_int_equal(strlen(first.cnonce), digits);
        assert_int_equal(strlen(first.response), digits);
        assert_string_not_equal(first.cnonce, second.cnonce);
        assert_int_equal(
            auth_respond(&again, rows[i].scheme, rows[i].password, rows[i].nonce, first.cnonce), 0);
        assert_string_equal(again.response, first.response);
    }
}

/* A nonce of the wrong length is an error of the caller, and must not overrun a buffer. */
static void test_wrong_lengths(void **state)
{
    struct auth_answer answer;
    char nonce[256];

    (void)state;
    memset(nonce, 'a', sizeof nonce);
    nonce[sizeof nonce - 1] = '\0';
    assert_int_equal(auth_respond(&answer, AUTH_MD5, "pw", nonce, NULL), -1);
    assert_int_equal(auth_respond(&answer, AUTH_SHA256, "pw", nonce, NULL), -1);
    nonce[64] = '\0';
    assert_int_equal(auth_respond(&answer, AUTH_MD5, "pw", nonce, NULL), -1);
    assert_int_equal(auth_respond(&answer, AUTH_SHA256, "pw", nonce, nonce + 1), -1);
    nonce[32] = '\0';
    assert_int_equal(auth_respond(&answer, AUTH_SHA256, "pw", nonce, NULL), -1);
    assert_int_equal(auth_respond(&answer, AUTH_SHA256_MD5, "pw", "", NULL), -1);
    assert_int_equal(auth_respond(&answer, AUTH_MD5, "pw", nonce, ""), -1);
    assert_int_equal(auth_respond(&answer, AUTH_MD5, "pw", nonce, NULL), 0);
}

/* No other reason is told, such as that of an earlier failure of libcrypto. */
static void test_no_memory_for_secrets(void **state)
{
    struct auth_answer answer;
    char md5[DIGEST_MD5_HEX + 1];
    (void)state;

    lacks_memory = true;
    assert_int_equal(auth_respond_plainly(&answer, AUTH_MD5, "pw", rows[0].nonce, rows[0].cnonce),
                     -1);
    assert_string_equal(digest_error(), "out of memory");
    assert_int_equal(digest_errno(), ENOMEM);
    lacks_memory = false;
    assert_int_equal(digest_md5(md5, "", 0), 0);
    assert_int_equal(digest_errno(), ENOTSUP); /* the shortage is over */
}

static void test_scheme_names(void **state)
{
    (void)state;
    assert_string_equal(auth_scheme_name(AUTH_MD5), "MD5");
    assert_string_equal(auth_scheme_name(AUTH_SHA256), "SHA-256");
    assert_string_equal(auth_scheme_name(AUTH_SHA256_MD5), "SHA-256 (MD5 hash)");
    assert_string_equal(auth_scheme_name((enum auth_scheme)9), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scheme_table),  cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_random_cnonce), cmocka_unit_test(test_wrong_lengths),
        cmocka_unit_test(test_scheme_names),  cmocka_unit_test(test_no_memory_for_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
