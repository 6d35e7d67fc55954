/*
 * digest.h: hashes and random numbers as lower-case hexadecimal text.
 */
#ifndef ESP_OTA_CRYPTO_DIGEST_H
#define ESP_OTA_CRYPTO_DIGEST_H

#include <stddef.h>

enum { DIGEST_MD5_HEX = 32, DIGEST_SHA256_HEX = 64, DIGEST_SHA512_HEX = 128 };

/* Write terminated hex text (the length above plus one byte). Return 0, or -1 when libcrypto fails
 * (out of memory, or a policy that forbids the algorithm even in a private library context). MD5
 * comes from such a private context, so a FIPS default configuration does not hide it. */
int digest_md5(char hex[DIGEST_MD5_HEX + 1], const void *data, size_t length);
int digest_sha256(char hex[DIGEST_SHA256_HEX + 1], const void *data, size_t length);
int digest_sha512(char hex[DIGEST_SHA512_HEX + 1], const void *data, size_t length);

/* PBKDF2-HMAC-SHA256 with 32 bytes of key. Returns 0, or -1 when libcrypto fails. */
int digest_pbkdf2(char hex[DIGEST_SHA256_HEX + 1], const char *password, const char *salt,
                  unsigned iterations);

/* Writes random hex digits (digits: even, at most 64) from the system's generator. Returns 0, or -1
 * on failure. */
int digest_random(char *hex, size_t digits);

/* Overwrites memory in a way that the compiler may not remove. */
void digest_cleanse(void *memory, size_t length);

/* The reason for libcrypto's last failure, for a message; never NULL. */
const char *digest_error(void);
/* Its errno for ota_fail_errno(): ENOMEM when memory ran out, else ENOTSUP. */
int digest_errno(void);

#endif
