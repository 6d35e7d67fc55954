/* Hashes as boards use them: lower-case hexadecimal text. The only user of libcrypto here. */
#ifndef DEVICE_DIGEST_H
#define DEVICE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { MD5_HEX = 32, SHA256_HEX = 64, HEX_ROOM = 65 };

/* Each writes text with its end into hex; false if libcrypto refuses (MD5 under a FIPS policy). */
bool md5_hex(const void *data, size_t length, char hex[HEX_ROOM]);
bool sha256_hex(const void *data, size_t length, char hex[HEX_ROOM]);

/* PBKDF2-HMAC-SHA256, 10,000 iterations, 32 bytes. */
bool pbkdf2_hex(const char *password, const char *salt, char hex[HEX_ROOM]);

/* length (even or odd) random hexadecimal digits and the end: room for length + 1. */
bool random_hex(char *hex, size_t length);

/* A running MD5 over an image. */
struct md5;
struct md5 *md5_start(void);
bool md5_add(struct md5 *md5, const void *data, size_t length);
/* Writes the result and frees; hex may be NULL to only free. */
bool md5_finish(struct md5 *md5, char hex[HEX_ROOM]);

#endif
