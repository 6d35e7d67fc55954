/*
 * digest.h: hashes and random numbers as lower-case hexadecimal text. Of libcrypto, only digest.c,
 * crypto.c and sign*.c know anything.
 */
#ifndef ESP_OTA_CRYPTO_DIGEST_H
#define ESP_OTA_CRYPTO_DIGEST_H

#include <stddef.h>

enum { DIGEST_MD5_HEX = 32, DIGEST_SHA256_HEX = 64 };

/* Each writes terminated hex text (the length above plus one byte) and returns 0, or -1 when
 * libcrypto refuses (out of memory, or a policy that forbids the algorithm even in a private
 * library context). MD5 is fetched from a library context of its own, so that a FIPS default
 * configuration does not hide it. */
int digest_md5(char hex[DIGEST_MD5_HEX + 1], const void *data, size_t length);
int digest_sha256(char hex[DIGEST_SHA256_HEX + 1], const void *data, size_t length);

/* PBKDF2-HMAC-SHA256, 32 bytes of key. */
int digest_pbkdf2(char hex[DIGEST_SHA256_HEX + 1], const char *password, const char *salt,
                  unsigned iterations);

/* digits (even, at most 64) random hex digits from the system's generator. */
int digest_random(char *hex, size_t digits);

/* Overwrites memory in a way that the compiler may not remove. */
void digest_cleanse(void *memory, size_t length);

/* The last reason that libcrypto gave, for a message; never NULL. */
const char *digest_error(void);

#endif
