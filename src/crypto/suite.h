/*
 * suite.h: the primitives of an encrypted connection (X25519, ChaCha20-Poly1305, SHA-256, HMAC) on
 * one library context, which is too slow to be made for each message.
 */
#ifndef ESP_OTA_CRYPTO_SUITE_H
#define ESP_OTA_CRYPTO_SUITE_H

#include <stddef.h>
#include <stdint.h>

enum { SUITE_KEY_SIZE = 32, SUITE_HASH_SIZE = 32, SUITE_TAG_SIZE = 16 };

struct suite;

/* NULL if libcrypto fails: out of memory, or a policy that forbids an algorithm. */
struct suite *suite_open(void);
void suite_close(struct suite *suite);

/* All of these return 0, or -1 if libcrypto fails. */

/* SHA-256 of the bytes of a and then those of b. */
int suite_hash(struct suite *suite, unsigned char hash[SUITE_HASH_SIZE], const void *a,
               size_t a_length, const void *b, size_t b_length);
/* HMAC-SHA-256 with a key of SUITE_KEY_SIZE bytes. */
int suite_hmac(struct suite *suite, unsigned char hash[SUITE_HASH_SIZE], const unsigned char *key,
               const void *data, size_t length);

/* X25519: the public key of a private one, and the secret shared with a peer; -1 also for a public
 * key of the peer that gives a secret of zeros. */
int suite_public_key(struct suite *suite, unsigned char public_key[SUITE_KEY_SIZE],
                     const unsigned char private_key[SUITE_KEY_SIZE]);
int suite_shared_secret(struct suite *suite, unsigned char secret[SUITE_KEY_SIZE],
                        const unsigned char private_key[SUITE_KEY_SIZE],
                        const unsigned char peer[SUITE_KEY_SIZE]);

/* What a message is protected with: a key that is used once per nonce, and bytes that are
 * authenticated with the message and not sent. */
struct suite_seal {
    const unsigned char *key; /* SUITE_KEY_SIZE bytes */
    uint64_t nonce;
    const void *associated;
    size_t associated_length;
};

/* ChaCha20-Poly1305. Sealing writes SUITE_TAG_SIZE bytes more than length; opening takes that many
 * more than it writes, and also returns -1 if the message is not authentic. */
int suite_seal(struct suite *suite, const struct suite_seal *seal, unsigned char *sealed,
               const void *plain, size_t length);
int suite_unseal(struct suite *suite, const struct suite_seal *seal, unsigned char *plain,
                 const unsigned char *sealed, size_t sealed_length);

#endif
