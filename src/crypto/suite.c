/*
 * suite.c: libcrypto's X25519, ChaCha20-Poly1305, SHA-256 and HMAC.
 */
#include "crypto/suite.h"

#include "crypto/crypto.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE_SIZE = 12, NONCE_ZEROS = 4 };

struct suite {
    struct crypto crypto;
    EVP_MD *sha256;
    EVP_MD_CTX *hashing;
    EVP_CIPHER *chacha;
    EVP_CIPHER_CTX *ciphering;
};

void suite_close(struct suite *suite)
{
    if (!suite)
        return;

    EVP_CIPHER_CTX_free(suite->ciphering);
    EVP_CIPHER_free(suite->chacha);
    EVP_MD_CTX_free(suite->hashing);
    EVP_MD_free(suite->sha256);
    crypto_close(&suite->crypto);
    free(suite);
}

struct suite *suite_open(void)
{
    struct suite *suite = calloc(1, sizeof *suite);
    if (!suite) {
        crypto_add_shortage();
        return NULL;
    }

    if (crypto_open(&suite->crypto) != 0) {
        free(suite);
        return NULL;
    }
    suite->sha256 = EVP_MD_fetch(suite->crypto.context, "SHA256", NULL);
    suite->hashing = EVP_MD_CTX_new();
    suite->chacha = EVP_CIPHER_fetch(suite->crypto.context, "ChaCha20-Poly1305", NULL);
    suite->ciphering = EVP_CIPHER_CTX_new();
    if (suite->sha256 && suite->hashing && suite->chacha && suite->ciphering)
        return suite;

    suite_close(suite);
    return NULL;
}

/* -- hashes -- */

int suite_hash(struct suite *suite, unsigned char hash[SUITE_HASH_SIZE], const void *a,
               size_t a_length, const void *b, size_t b_length)
{
    bool is_done = EVP_DigestInit_ex2(suite->hashing, suite->sha256, NULL) == 1 &&
                   EVP_DigestUpdate(suite->hashing, a, a_length) == 1 &&
                   EVP_DigestUpdate(suite->hashing, b, b_length) == 1 &&
                   EVP_DigestFinal_ex(suite->hashing, hash, NULL) == 1;

    return is_done ? 0 : -1;
}

int suite_hmac(struct suite *suite, unsigned char hash[SUITE_HASH_SIZE], const unsigned char *key,
               const void *data, size_t length)
{
    size_t size = 0;
    bool is_done = EVP_Q_mac(suite->crypto.context, "HMAC", NULL, "SHA256", NULL, key,
                             SUITE_KEY_SIZE, data, length, hash, SUITE_HASH_SIZE, &size) != NULL;

    return is_done && size == SUITE_HASH_SIZE ? 0 : -1;
}

/* -- X25519 -- */

static EVP_PKEY *private_key_of(struct suite *suite, const unsigned char bytes[SUITE_KEY_SIZE])
{
    return EVP_PKEY_new_raw_private_key_ex(suite->crypto.context, "X25519", NULL, bytes,
                                           SUITE_KEY_SIZE);
}

int suite_public_key(struct suite *suite, unsigned char public_key[SUITE_KEY_SIZE],
                     const unsigned char private_key[SUITE_KEY_SIZE])
{
    EVP_PKEY *own = private_key_of(suite, private_key);
    size_t size = SUITE_KEY_SIZE;
    bool is_done = own && EVP_PKEY_get_raw_public_key(own, public_key, &size) == 1;

    EVP_PKEY_free(own);
    return is_done && size == SUITE_KEY_SIZE ? 0 : -1;
}

int suite_shared_secret(struct suite *suite, unsigned char secret[SUITE_KEY_SIZE],
                        const unsigned char private_key[SUITE_KEY_SIZE],
                        const unsigned char peer[SUITE_KEY_SIZE])
{
    EVP_PKEY *own = private_key_of(suite, private_key);
    EVP_PKEY *other =
        EVP_PKEY_new_raw_public_key_ex(suite->crypto.context, "X25519", NULL, peer, SUITE_KEY_SIZE);
    EVP_PKEY_CTX *exchange =
        own ? EVP_PKEY_CTX_new_from_pkey(suite->crypto.context, own, NULL) : NULL;
    size_t size = SUITE_KEY_SIZE;
    bool is_done = other && exchange && EVP_PKEY_derive_init(exchange) == 1 &&
                   EVP_PKEY_derive_set_peer(exchange, other) == 1 &&
                   EVP_PKEY_derive(exchange, secret, &size) == 1;

    EVP_PKEY_CTX_free(exchange);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    return is_done && size == SUITE_KEY_SIZE ? 0 : -1;
}

/* -- ChaCha20-Poly1305 -- */

static void write_nonce(unsigned char bytes[NONCE_SIZE], uint64_t nonce)
{
    for (size_t i = 0; i < NONCE_SIZE; i++) {
        bytes[i] = i < NONCE_ZEROS ? 0 : (unsigned char)nonce;
        if (i >= NONCE_ZEROS)
            nonce >>= 8;
    }
}

/* Begins a message, with its associated bytes. */
static bool begin_cipher(struct suite *suite, const struct suite_seal *seal, int is_sealing)
{
    unsigned char nonce[NONCE_SIZE];
    int written;

    write_nonce(nonce, seal->nonce);
    return EVP_CipherInit_ex2(suite->ciphering, suite->chacha, seal->key, nonce, is_sealing,
                              NULL) == 1 &&
           EVP_CipherUpdate(suite->ciphering, NULL, &written, seal->associated,
                            (int)seal->associated_length) == 1;
}

int suite_seal(struct suite *suite, const struct suite_seal *seal, unsigned char *sealed,
               const void *plain, size_t length)
{
    int written = 0, rest = 0;
    bool is_done = begin_cipher(suite, seal, 1) &&
                   EVP_CipherUpdate(suite->ciphering, sealed, &written, plain, (int)length) == 1 &&
                   EVP_CipherFinal_ex(suite->ciphering, sealed + written, &rest) == 1 &&
                   EVP_CIPHER_CTX_ctrl(suite->ciphering, EVP_CTRL_AEAD_GET_TAG, SUITE_TAG_SIZE,
                                       sealed + length) == 1;

    return is_done ? 0 : -1;
}

int suite_unseal(struct suite *suite, const struct suite_seal *seal, unsigned char *plain,
                 const unsigned char *sealed, size_t sealed_length)
{
    unsigned char tag[SUITE_TAG_SIZE]; /* libcrypto takes no pointer to const data */
    int written = 0, rest = 0;

    if (sealed_length < SUITE_TAG_SIZE)
        return -1;

    const size_t length = sealed_length - SUITE_TAG_SIZE;
    memcpy(tag, sealed + length, sizeof tag);
    bool is_done =
        begin_cipher(suite, seal, 0) &&
        EVP_CIPHER_CTX_ctrl(suite->ciphering, EVP_CTRL_AEAD_SET_TAG, SUITE_TAG_SIZE, tag) == 1 &&
        EVP_CipherUpdate(suite->ciphering, plain, &written, sealed, (int)length) == 1 &&
        EVP_CipherFinal_ex(suite->ciphering, plain + written, &rest) == 1;

    return is_done ? 0 : -1;
}
