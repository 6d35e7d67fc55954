/*
 * test-digest.c: digests, all of them under an OpenSSL configuration that hides MD5.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The configuration of an administrator who wants FIPS only. */
static const char policy[] = "openssl_conf = openssl_init\n"
                             "config_diagnostics = 1\n"
                             "[openssl_init]\n"
                             "providers = provider_section\n"
                             "alg_section = algorithm_section\n"
                             "[provider_section]\n"
                             "base = base_section\n"
                             "[base_section]\n"
                             "activate = 1\n"
                             "[algorithm_section]\n"
                             "default_properties = fips=yes\n";

/* Loads the policy into libcrypto's default context, and checks that it works. */
static int apply_policy(void **state)
{
    char path[] = "/tmp/esp-ota-test-digest-XXXXXX";
    int descriptor = mkstemp(path);
    EVP_MD *method;

    (void)state;
    if (descriptor < 0 || write(descriptor, policy, strlen(policy)) != (ssize_t)strlen(policy))
        return -1;
    close(descriptor);
    setenv("OPENSSL_CONF", path, 1);
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    unlink(path);
    method = EVP_MD_fetch(NULL, "MD5", NULL);
    EVP_MD_free(method);
    return method == NULL ? 0 : -1;
}

static void test_md5(void **state)
{
    char hex[DIGEST_MD5_HEX + 1];

    (void)state;
    assert_int_equal(digest_md5(hex, "", 0), 0);
    assert_string_equal(hex, "d41d8cd98f00b204e9800998ecf8427e");
    assert_int_equal(digest_md5(hex, "abc", 3), 0);
    assert_string_equal(hex, "900150983cd24fb0d6963f7d28e17f72");
}

static void test_sha256(void **state)
{
    char hex[DIGEST_SHA256_HEX + 1];

    (void)state;
    assert_int_equal(digest_sha256(hex, "", 0), 0);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(digest_sha256(hex, "abc", 3), 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_sha512(void **state)
{
    (void)state;
    char hex[DIGEST_SHA512_HEX + 1];

    assert_int_equal(digest_sha512(hex, "abc", 3), 0);
    assert_string_equal(hex, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                             "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

static void test_a_megabyte(void **state)
{
    enum { SIZE = 1000000 };
    char hex[DIGEST_SHA256_HEX + 1];
    char *data = malloc(SIZE);

    (void)state;
    assert_non_null(data);
    memset(data, 'a', SIZE);
    assert_int_equal(digest_md5(hex, data, SIZE), 0);
    assert_string_equal(hex, "7707d6ae4e027c70eea2a935c2296f21");
    assert_int_equal(digest_sha256(hex, data, SIZE), 0);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(data);
}

static void test_pbkdf2(void **state)
{
    static const struct {
        const char *password;
        const char *salt;
        unsigned iterations;
        const char *key;
    } rows[] = {
        {"password", "salt", 1, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b"},
        {"", "salt", 3, "5ddf839afa2d5fb4be56e1a0f48917617559bef61ec122bfca1c7f75ac8f401d"},
        {"pw", "", 2, "75172df23a569a0ec2563c23cc75d05ac5859eb93d81ebe4a26af09f25c0e96e"},
    };
    char hex[DIGEST_SHA256_HEX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(digest_pbkdf2(hex, rows[i].password, rows[i].salt, rows[i].iterations), 0);
        assert_string_equal(hex, rows[i].key);
    }
}

static void test_libcrypto_refuses(void **state)
{
    char hex[DIGEST_SHA256_HEX + 1];

    (void)state;
    assert_int_equal(digest_pbkdf2(hex, "password", "salt", 0), -1);
    assert_string_equal(digest_error(), "invalid iteration count");
}

static void test_random(void **state)
{
    char a[DIGEST_SHA256_HEX + 2];
    char b[DIGEST_SHA256_HEX + 2];

    (void)state;
    for (size_t digits = 2; digits <= DIGEST_SHA256_HEX; digits += 2) {
        memset(a, '#', sizeof a);
        assert_int_equal(digest_random(a, digits), 0);
        assert_int_equal(strspn(a, "0123456789abcdef"), digits);
        assert_int_equal(a[digits], '\0');
        assert_int_equal(a[digits + 1], '#');
    }
    assert_int_equal(digest_random(b, DIGEST_SHA256_HEX), 0);
    assert_string_not_equal(a, b);
    assert_int_equal(digest_random(a, DIGEST_SHA256_HEX + 2), -1);
}

static void test_cleanse(void **state)
{
    char secret[] = "secret";
    static const char zeros[sizeof secret];

    (void)state;
    digest_cleanse(secret, sizeof secret);
    assert_memory_equal(secret, zeros, sizeof secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_md5),    cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_sha512), cmocka_unit_test(test_a_megabyte),
        cmocka_unit_test(test_pbkdf2), cmocka_unit_test(test_libcrypto_refuses),
        cmocka_unit_test(test_random), cmocka_unit_test(test_cleanse),
    };

    return cmocka_run_group_tests(tests, apply_policy, NULL);
}
