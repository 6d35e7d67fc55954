/*
 * digest.c: hashes and random numbers as hexadecimal text, through libcrypto's EVP interfaces. Each
 * call makes its own library context (crypto.h).
 */
#include "crypto/digest.h"

#include "base/hex.h"
#include "crypto/crypto.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>
#include <sys/random.h>

enum { SHA256_SIZE = 32 };

/* hex has room for two digits per byte of the algorithm's digest, and the terminator. */
static int digest(char *hex, const char *algorithm, const void *data, size_t length)
{
    struct crypto crypto;
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD *method = NULL;
    int result = -1;

    if (crypto_open(&crypto) != 0)
        return -1;

    method = EVP_MD_fetch(crypto.context, algorithm, NULL);
    if (method && EVP_Digest(data, length, hash, &size, method, NULL) == 1) {
        hex_encode(hex, hash, size);
        result = 0;
    }

    digest_cleanse(hash, sizeof hash);
    EVP_MD_free(method);
    crypto_close(&crypto);
    return result;
}

int digest_md5(char hex[DIGEST_MD5_HEX + 1], const void *data, size_t length)
{
    return digest(hex, "MD5", data, length);
}

int digest_sha256(char hex[DIGEST_SHA256_HEX + 1], const void *data, size_t length)
{
    return digest(hex, "SHA256", data, length);
}

int digest_sha512(char hex[DIGEST_SHA512_HEX + 1], const void *data, size_t length)
{
    return digest(hex, "SHA512", data, length);
}

static int derive_key(unsigned char key[SHA256_SIZE], OSSL_LIB_CTX *context,
                      const OSSL_PARAM *params)
{
    EVP_KDF *method = EVP_KDF_fetch(context, "PBKDF2", NULL);
    EVP_KDF_CTX *kdf = method ? EVP_KDF_CTX_new(method) : NULL;
    int result = kdf ? EVP_KDF_derive(kdf, key, SHA256_SIZE, params) : 0;

    EVP_KDF_CTX_free(kdf);
    EVP_KDF_free(method);
    return result == 1 ? 0 : -1;
}

int digest_pbkdf2(char hex[DIGEST_SHA256_HEX + 1], const char *password, const char *salt,
                  unsigned iterations)
{
    /* OSSL_PARAM takes pointers to non-const data, which the derivation only reads. */
    const OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)password, strlen(password)),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, strlen(salt)),
        OSSL_PARAM_uint(OSSL_KDF_PARAM_ITER, &iterations),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 6),
        OSSL_PARAM_END,
    };
    struct crypto crypto;
    unsigned char key[SHA256_SIZE];
    int result;

    if (crypto_open(&crypto) != 0)
        return -1;

    result = derive_key(key, crypto.context, params);
    if (result == 0)
        hex_encode(hex, key, sizeof key);
    digest_cleanse(key, sizeof key);
    crypto_close(&crypto);
    return result;
}

int digest_random(char *hex, size_t digits)
{
    unsigned char bytes[DIGEST_SHA256_HEX / 2];
    size_t size = digits / 2;

    /* For so few bytes getrandom() neither returns less nor is interrupted. */
    if (size > sizeof bytes || getrandom(bytes, size, 0) != (ssize_t)size)
        return -1;
    hex_encode(hex, bytes, size);
    return 0;
}

void digest_cleanse(void *memory, size_t length)
{
    OPENSSL_cleanse(memory, length);
}

int digest_errno(void)
{
    return crypto_has_run_out() ? ENOMEM : ENOTSUP;
}

const char *digest_error(void)
{
    const unsigned long error = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(error);

    if (crypto_has_run_out()) /* libcrypto itself says "unsupported" */
        return "out of memory";
    if (ERR_GET_REASON(error) == ERR_R_UNSUPPORTED)
        return "libcrypto of this computer refuses it, as a policy (FIPS) does not allow it or it "
               "was built without it";
    return reason ? reason : "no reason given";
}
