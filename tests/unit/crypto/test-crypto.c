/*
 * test-crypto.c: libcrypto's heap, and failures to open a library context. test-digest.c and
 * test-sign.c test the results.
 */
#include "crypto/crypto.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/provider.h>

/* --wrap: these fail when a test asks for it. */
static bool no_memory, no_context, no_provider;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
OSSL_LIB_CTX *__real_OSSL_LIB_CTX_new(void);
OSSL_LIB_CTX *__wrap_OSSL_LIB_CTX_new(void);
OSSL_PROVIDER *__real_OSSL_PROVIDER_load(OSSL_LIB_CTX *context, const char *name);
OSSL_PROVIDER *__wrap_OSSL_PROVIDER_load(OSSL_LIB_CTX *context, const char *name);

void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}

OSSL_LIB_CTX *__wrap_OSSL_LIB_CTX_new(void)
{
    return no_context ? NULL : __real_OSSL_LIB_CTX_new();
}

OSSL_PROVIDER *__wrap_OSSL_PROVIDER_load(OSSL_LIB_CTX *context, const char *name)
{
    return no_provider ? NULL : __real_OSSL_PROVIDER_load(context, name);
}

static void test_open(void **state)
{
    struct crypto crypto;
    (void)state;

    for (int i = 0; i < 4; i++) {
        no_context = i == 1;
        no_provider = i == 2;
        int rc = crypto_open(&crypto);
        assert_int_equal(rc, no_context || no_provider ? -1 : 0);
        if (rc == 0) {
            assert_true(crypto.context && crypto.provider);
            crypto_close(&crypto);
        }
    }
}

/* OpenSSL would abort without memory for the tables of its locked heap. */
static void test_lock_keys_without_memory(void **state)
{
    (void)state;
    no_memory = true;
    crypto_lock_keys();
    no_memory = false;
    assert_true(CRYPTO_secure_malloc_initialized());
    assert_false(crypto_has_run_out());

    crypto_lock_keys();
    assert_true(CRYPTO_secure_malloc_initialized());
    void *number = OPENSSL_secure_malloc(100);
    assert_true(CRYPTO_secure_allocated(number));
    OPENSSL_secure_free(number);
    assert_true(CRYPTO_secure_malloc_done());
}

/* Moving memory keeps its content; so does a failure. */
static void test_heap(void **state)
{
    (void)state;
    assert_null(OPENSSL_malloc(0));
    OPENSSL_free(NULL);
    char *memory = OPENSSL_realloc(NULL, 8);
    assert_non_null(memory);
    memcpy(memory, "secret!", 8);
    memory = OPENSSL_realloc(memory, 4096);
    assert_non_null(memory);
    assert_true(malloc_usable_size(memory) >= 4096);
    assert_string_equal(memory, "secret!");

    assert_false(crypto_has_run_out());
    no_memory = true;
    char *none = OPENSSL_realloc(memory, 8192);
    no_memory = false;
    assert_null(none);
    assert_true(crypto_has_run_out());
    assert_string_equal(memory, "secret!");

    memory = OPENSSL_realloc(memory, 4);
    assert_non_null(memory);
    assert_memory_equal(memory, "secr", 4);
    assert_null(OPENSSL_realloc(memory, 0)); /* and frees it */

    const unsigned shortages = crypto_shortages();
    struct crypto crypto;
    assert_true(crypto_has_run_out());
    assert_int_equal(crypto_open(&crypto), 0); /* another operation */
    assert_false(crypto_has_run_out());
    assert_int_equal(crypto_shortages(), shortages);
    crypto_close(&crypto);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_lock_keys_without_memory),
        cmocka_unit_test(test_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
