/* Hashes as boards use them: lower-case hexadecimal text. The only user of libcrypto here. */
#ifndef DEVICE_DIGEST_H
#define DEVICE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MD5_HEX = 32, SHA256_HEX = 64, HEX_ROOM = 65 };

/* Each writes text with its end into hex; false if libcrypto refuses (MD5 under a FIPS policy). */
bool md5_hex(const void *data, size_t length, char hex[HEX_ROOM]);
bool sha256_hex(const void *data, size_t length, char hex[HEX_ROOM]);

/* PBKDF2-HMAC-SHA256, 10,000 iterations, 32 bytes. */
bool pbkdf2_hex(const char *password, const char *salt, char hex[HEX_ROOM]);

/* length (even or odd) random hexadecimal digits and the end: room for length + 1. */
bool random_hex(char *hex, size_t length);

/* Writes the base64 text of data, with its end, into text: four bytes for three, and one. */
void base64_text(const void *data, size_t length, char *text);

/* A running hash over an image, "MD5" or "SHA256"; NULL if libcrypto refuses. */
struct digest;
struct digest *digest_start(const char *name);
bool digest_add(struct digest *digest, const void *data, size_t length);
/* Writes the result and frees; hex may be NULL to only free, and so may digest. */
bool digest_finish(struct digest *digest, char hex[HEX_ROOM]);

/* A public key from a PEM file, for its owner to free; NULL if it cannot be read. */
struct key;
struct key *key_read(const char *path);
void key_free(struct key *key);

/* Returns the size of a signature by this key in bytes: exact for RSA, the maximum for EC. */
size_t key_size(const struct key *key);

/* True if signature is a valid signature by the key of data with this SHA-256. RSA signatures are
 * PKCS #1 v1.5, or PSS with the longest salt; EC signatures are DER, with padding allowed. */
bool key_verifies(const struct key *key, bool pss, const char sha256[HEX_ROOM],
                  const uint8_t *signature, size_t length);

#endif
