/* EVP calls of OpenSSL 3, turned into hexadecimal text. */
#include "digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
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

void base64_text(const void *data, size_t length, char *text)
{
    EVP_EncodeBlock((unsigned char *)text, data, (int)length);
}

struct digest *digest_start(const char *name)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *type = EVP_get_digestbyname(name);
    if (context && (!type || EVP_DigestInit_ex(context, type, NULL) != 1)) {
        EVP_MD_CTX_free(context);
        return NULL;
    }
    return (struct digest *)context;
}

bool digest_add(struct digest *digest, const void *data, size_t length)
{
    return EVP_DigestUpdate((EVP_MD_CTX *)digest, data, length) == 1;
}

bool digest_finish(struct digest *digest, char hex[HEX_ROOM])
{
    EVP_MD_CTX *context = (EVP_MD_CTX *)digest;
    uint8_t bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool done = context && hex && EVP_DigestFinal_ex(context, bytes, &size) == 1;
    if (done)
        to_hex(bytes, size, hex);
    EVP_MD_CTX_free(context);
    return done;
}

struct key *key_read(const char *path)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = file ? PEM_read_PUBKEY(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    return (struct key *)key;
}

void key_free(struct key *key)
{
    EVP_PKEY_free((EVP_PKEY *)key);
}

size_t key_size(const struct key *key)
{
    return (size_t)EVP_PKEY_get_size((const EVP_PKEY *)key);
}

static bool set_padding(EVP_PKEY_CTX *context, EVP_PKEY *key, bool pss)
{
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return true;
    int padding = pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    return EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1 &&
           (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_MAX) == 1);
}

/* A DER sequence says how long it is. */
static size_t ec_signature_length(const uint8_t *signature, size_t length)
{
    size_t own = length > 1 && signature[1] < 128 ? signature[1] + (size_t)2 : length;
    return own < length ? own : length;
}

bool key_verifies(const struct key *key, bool pss, const char sha256[HEX_ROOM],
                  const uint8_t *signature, size_t length)
{
    EVP_PKEY *public = (EVP_PKEY *)key;
    uint8_t hash[SHA256_HEX / 2];
    size_t hash_size = 0;

    if (EVP_PKEY_get_base_id(public) == EVP_PKEY_EC)
        length = ec_signature_length(signature, length);
    else if (length > key_size(key))
        length = key_size(key);

    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(public, NULL);
    bool valid = context && OPENSSL_hexstr2buf_ex(hash, sizeof hash, &hash_size, sha256, '\0') &&
                 EVP_PKEY_verify_init(context) == 1 && set_padding(context, public, pss) &&
                 EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
                 EVP_PKEY_verify(context, signature, length, hash, hash_size) == 1;
    EVP_PKEY_CTX_free(context);
    return valid;
}
