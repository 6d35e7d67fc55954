/*
 * test-suite.c: each call of libcrypto fails in turn. test-noise.c tests the results.
 */
#include "crypto/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <string.h>

enum { NONE_FAILS = -1, LENGTH = 5 };

static int calls_left = NONE_FAILS; /* that succeed before one fails */

static bool is_due(void)
{
    return calls_left >= 0 && calls_left-- == 0;
}

/* --wrap: these fail when it is their turn. */
#define FAILING(type, name, failure, parameters, arguments)                                        \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return is_due() ? (failure) : __real_##name arguments;                                     \
    }

FAILING(EVP_MD *, EVP_MD_fetch, NULL, (OSSL_LIB_CTX * context, const char *name, const char *query),
        (context, name, query))
FAILING(EVP_MD_CTX *, EVP_MD_CTX_new, NULL, (void), ())
FAILING(EVP_CIPHER *, EVP_CIPHER_fetch, NULL,
        (OSSL_LIB_CTX * context, const char *name, const char *query), (context, name, query))
FAILING(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, NULL, (void), ())
FAILING(int, EVP_DigestInit_ex2, 0,
        (EVP_MD_CTX * hashing, const EVP_MD *digest, const OSSL_PARAM *more),
        (hashing, digest, more))
FAILING(int, EVP_DigestUpdate, 0, (EVP_MD_CTX * hashing, const void *data, size_t size),
        (hashing, data, size))
FAILING(int, EVP_DigestFinal_ex, 0,
        (EVP_MD_CTX * hashing, unsigned char *digest, unsigned int *size), (hashing, digest, size))
FAILING(unsigned char *, EVP_Q_mac, NULL,
        (OSSL_LIB_CTX * context, const char *name, const char *query, const char *digest,
         const OSSL_PARAM *more, const void *key, size_t key_size, const unsigned char *data,
         size_t size, unsigned char *out, size_t out_max, size_t *out_size),
        (context, name, query, digest, more, key, key_size, data, size, out, out_max, out_size))
FAILING(EVP_PKEY *, EVP_PKEY_new_raw_private_key_ex, NULL,
        (OSSL_LIB_CTX * context, const char *type, const char *query, const unsigned char *key,
         size_t size),
        (context, type, query, key, size))
FAILING(EVP_PKEY *, EVP_PKEY_new_raw_public_key_ex, NULL,
        (OSSL_LIB_CTX * context, const char *type, const char *query, const unsigned char *key,
         size_t size),
        (context, type, query, key, size))
FAILING(int, EVP_PKEY_get_raw_public_key, 0,
        (const EVP_PKEY *key, unsigned char *bytes, size_t *size), (key, bytes, size))
FAILING(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_pkey, NULL,
        (OSSL_LIB_CTX * context, EVP_PKEY *key, const char *query), (context, key, query))
FAILING(int, EVP_PKEY_derive_init, 0, (EVP_PKEY_CTX * exchange), (exchange))
FAILING(int, EVP_PKEY_derive_set_peer, 0, (EVP_PKEY_CTX * exchange, EVP_PKEY *peer),
        (exchange, peer))
FAILING(int, EVP_PKEY_derive, 0, (EVP_PKEY_CTX * exchange, unsigned char *secret, size_t *size),
        (exchange, secret, size))
FAILING(int, EVP_CipherInit_ex2, 0,
        (EVP_CIPHER_CTX * ciphering, const EVP_CIPHER *cipher, const unsigned char *key,
         const unsigned char *nonce, int is_sealing, const OSSL_PARAM *more),
        (ciphering, cipher, key, nonce, is_sealing, more))
FAILING(int, EVP_CipherUpdate, 0,
        (EVP_CIPHER_CTX * ciphering, unsigned char *out, int *written, const unsigned char *in,
         int size),
        (ciphering, out, written, in, size))
FAILING(int, EVP_CipherFinal_ex, 0, (EVP_CIPHER_CTX * ciphering, unsigned char *out, int *written),
        (ciphering, out, written))
FAILING(int, EVP_CIPHER_CTX_ctrl, 0, (EVP_CIPHER_CTX * ciphering, int type, int size, void *data),
        (ciphering, type, size, data))

static const unsigned char own_key[SUITE_KEY_SIZE] = {1, 2, 3};
static const struct suite_seal seal = {
    .key = own_key, .nonce = 7, .associated = "head", .associated_length = 4};
static unsigned char peer[SUITE_KEY_SIZE], sealed[LENGTH + SUITE_TAG_SIZE];

static int hash(struct suite *suite)
{
    unsigned char out[SUITE_HASH_SIZE];

    return suite_hash(suite, out, "a", 1, "b", 1);
}

static int hmac(struct suite *suite)
{
    unsigned char out[SUITE_HASH_SIZE];

    return suite_hmac(suite, out, own_key, "data", 4);
}

static int public_key(struct suite *suite)
{
    return suite_public_key(suite, peer, own_key);
}

static int shared_secret(struct suite *suite)
{
    unsigned char secret[SUITE_KEY_SIZE];

    return suite_shared_secret(suite, secret, own_key, peer);
}

static int seal_message(struct suite *suite)
{
    return suite_seal(suite, &seal, sealed, "plain", LENGTH);
}

static int unseal_message(struct suite *suite)
{
    unsigned char plain[LENGTH];
    int rc = suite_unseal(suite, &seal, plain, sealed, sizeof sealed);

    if (rc == 0)
        assert_memory_equal(plain, "plain", LENGTH);
    return rc;
}

/* In an order in which each has what it needs: a public key, a sealed message. */
static const struct {
    int (*run)(struct suite *suite);
    int calls; /* of libcrypto that may fail */
} operations[] = {{hash, 4},          {hmac, 1},         {public_key, 2},
                  {shared_secret, 6}, {seal_message, 5}, {unseal_message, 5}};

static void test_operations(void **state)
{
    (void)state;
    struct suite *suite = suite_open();
    assert_non_null(suite);

    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        assert_int_equal(operations[i].run(suite), 0);
        for (int call = 0; call < operations[i].calls; call++) {
            calls_left = call;
            assert_int_equal(operations[i].run(suite), -1);
            assert_int_equal(calls_left, NONE_FAILS);
        }
        calls_left = operations[i].calls;
        assert_int_equal(operations[i].run(suite), 0);
        assert_int_equal(calls_left, 0);
        calls_left = NONE_FAILS;
    }
    suite_close(suite);
}

static void test_open(void **state)
{
    enum { OPENING_CALLS = 4 };
    (void)state;

    for (int call = 0; call < OPENING_CALLS; call++) {
        calls_left = call;
        assert_null(suite_open());
        assert_int_equal(calls_left, NONE_FAILS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_operations),
                                       cmocka_unit_test(test_open)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
