/* EVP calls of OpenSSL 3, turned into hexadecimal text. */
#include "digest.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <string.h>

enum { ITERATIONS = 10000, CHUNK = 32, CHUNK_HEX = 64 };

static void to_hex(const uint8_t *bytes, size_t length, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * length] = '\0';
}

static bool digest_hex(const char *name, const void *data, size_t length, char hex[HEX_ROOM])
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    size_t size = 0;
    if (!EVP_Q_digest(NULL, name, NULL, data, length, bytes, &size) || size * 2 >= HEX_ROOM)
        return false;
    to_hex(bytes, size, hex);
    return true;
}

bool md5_hex(const void *data, size_t length, char hex[HEX_ROOM])
{
    return digest_hex("MD5", data, length, hex);
}

bool sha256_hex(const void *data, size_t length, char hex[HEX_ROOM])
{
    return digest_hex("SHA256", data, length, hex);
}

bool pbkdf2_hex(const char *password, const char *salt, char hex[HEX_ROOM])
{
    uint8_t key[CHUNK];
    if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const uint8_t *)salt, (int)strlen(salt),
                          ITERATIONS, EVP_sha256(), sizeof key, key) != 1)
        return false;
    to_hex(key, sizeof key, hex);
    return true;
}

bool random_hex(char *hex, size_t length)
{
    for (size_t done = 0; done < length;) {
        uint8_t bytes[CHUNK];
        char text[CHUNK_HEX + 1];
        if (RAND_bytes(bytes, sizeof bytes) != 1)
            return false;
        to_hex(bytes, sizeof bytes, text);
        size_t part = length - done < CHUNK_HEX ? length - done : CHUNK_HEX;
        memcpy(hex + done, text, part);
        done += part;
    }
    hex[length] = '\0';
    return true;
}

struct md5 *md5_start(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestInit_ex(context, EVP_md5(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return NULL;
    }
    return (struct md5 *)context;
}

bool md5_add(struct md5 *md5, const void *data, size_t length)
{
    return EVP_DigestUpdate((EVP_MD_CTX *)md5, data, length) == 1;
}

bool md5_finish(struct md5 *md5, char hex[HEX_ROOM])
{
    EVP_MD_CTX *context = (EVP_MD_CTX *)md5;
    uint8_t bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool done = context && hex && EVP_DigestFinal_ex(context, bytes, &size) == 1;
    if (done)
        to_hex(bytes, size, hex);
    EVP_MD_CTX_free(context);
    return done;
}
