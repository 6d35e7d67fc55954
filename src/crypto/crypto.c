/*
 * crypto.c: a library context of libcrypto without any configuration file, and a heap for libcrypto
 * that cleanses freed memory.
 */
#include "crypto/crypto.h"

#include "base/secret.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* libcrypto's heap for private keys. An RSA key of 4,096 bits takes 8 KiB; the smallest block holds
 * a small part of a number. */
enum { KEYS_SIZE = 65536, KEYS_LEAST = 32 };

/* -- libcrypto's heap: it frees copies of keys and passwords (PEM text, hash states), and does not
 * always cleanse them -- */

static unsigned shortages;         /* allocations that failed */
static unsigned shortages_at_open; /* when crypto_open() was last called */

/* CRYPTO_secure_malloc_init() asserts that its three tables can be allocated (crypto/mem_sec.c of
 * OpenSSL 3.0), so a process without memory would abort. The tables are therefore kept here. They
 * take 1.1 KB, are never moved, and hold no secrets. */
enum { TABLES_SIZE = 2048 };
static _Alignas(max_align_t) unsigned char tables[TABLES_SIZE];
static size_t tables_left; /* free bytes at their end; 0 except during that call */

static bool is_in_tables(const void *memory)
{
    const unsigned char *at = memory;
    return at >= tables && at < tables + sizeof tables;
}

static void *allocate_table(size_t size)
{
    const size_t needed = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    if (size == 0 || needed > tables_left)
        return NULL;

    void *table = tables + sizeof tables - tables_left;
    tables_left -= needed;
    return table;
}

static void *allocate_cleansed(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    void *table = allocate_table(size);
    if (table)
        return table;

    void *memory = size > 0 ? malloc(size) : NULL;
    shortages += size > 0 && !memory;
    return memory;
}

static void free_cleansed(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    if (is_in_tables(memory))
        return;
    if (memory)
        OPENSSL_cleanse(memory, malloc_usable_size(memory));
    free(memory);
}

static void *reallocate_cleansed(void *memory, size_t size, const char *file, int line)
{
    const size_t old = memory ? malloc_usable_size(memory) : 0;
    void *moved = allocate_cleansed(size, file, line);
    if (!moved && size > 0)
        return NULL;

    if (memory && moved)
        memcpy(moved, memory, old < size ? old : size);
    free_cleansed(memory, file, line);
    return moved;
}

void crypto_close(struct crypto *crypto)
{
    if (crypto->provider)
        OSSL_PROVIDER_unload(crypto->provider);
    OSSL_LIB_CTX_free(crypto->context);
    secret_cleanse_traces(); /* arithmetic and hash functions leave parts of keys */
}

int crypto_open(struct crypto *crypto)
{
    /* Fails, without harm, from the second call on. */
    CRYPTO_set_mem_functions(allocate_cleansed, reallocate_cleansed, free_cleansed);

    /* Otherwise the first use would read openssl.cnf for the default context, and register all
     * ciphers by name. The latter takes as long as the rest of this function. This choice is
     * permanent, so hashes are not excluded: libssl looks them up by name to verify a certificate's
     * signature. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ADD_ALL_CIPHERS, NULL);

    shortages_at_open = shortages;
    crypto->provider = NULL;
    crypto->context = OSSL_LIB_CTX_new();
    if (crypto->context)
        crypto->provider = OSSL_PROVIDER_load(crypto->context, "default");
    if (crypto->provider)
        return 0;

    crypto_close(crypto);
    return -1;
}

unsigned crypto_shortages(void)
{
    return shortages;
}

void crypto_add_shortage(void)
{
    shortages++;
}

bool crypto_has_run_out(void)
{
    return shortages != shortages_at_open;
}

bool crypto_has_default(void)
{
    return OSSL_LIB_CTX_get0_global_default();
}

void crypto_lock_keys(void)
{
    if (CRYPTO_secure_malloc_initialized())
        return;

    tables_left = sizeof tables;
    CRYPTO_secure_malloc_init(KEYS_SIZE, KEYS_LEAST);
    tables_left = 0;
}
