/*
 * sign.c: makes and verifies the signatures that follow an image in its file. It works on bytes in
 * memory and the facts of inspect.h.
 */
#include "base/error.h"
#include "crypto/digest.h"
#include "image/kind.h"
#include "image/sign_internal.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum scheme { SCHEME_ESP8266, SCHEME_ESP32 };
enum { LENGTH_SIZE = 4, ESP32_RSA_MIN = 256 };

static const char *const hash_names[SIGN_HASH_COUNT] = {"sha256", "sha384", "sha512"};
static const char *const hash_titles[SIGN_HASH_COUNT] = {"SHA-256", "SHA-384", "SHA-512"};

const char *sign_hash_name(enum sign_hash hash)
{
    return (unsigned)hash < SIGN_HASH_COUNT ? hash_names[hash] : "sha256";
}

bool sign_hash_find(enum sign_hash *hash, const char *name)
{
    for (unsigned i = 0; i < SIGN_HASH_COUNT; i++) {
        *hash = (enum sign_hash)i;
        if (strcmp(name, hash_names[i]) == 0)
            return true;
    }
    return false;
}

const char *sign_verdict_name(enum sign_verdict verdict)
{
    static const char *const names[SIGN_VERDICT_COUNT] = {[SIGN_VALID] = "valid",
                                                          [SIGN_INVALID] = "invalid",
                                                          [SIGN_ABSENT] = "absent",
                                                          [SIGN_WRONG_KEY] = "wrong-key"};

    return (unsigned)verdict < SIGN_VERDICT_COUNT ? names[verdict] : "invalid";
}

typedef int init_fn(EVP_MD_CTX *context, EVP_PKEY_CTX **key_context, const char *digest,
                    OSSL_LIB_CTX *library, const char *properties, EVP_PKEY *pkey,
                    const OSSL_PARAM *params);

/* Returns a context for signing or verifying; the caller frees it. NULL on an error of libcrypto.
 * The longest salt is set explicitly, as an ESP32 computes the salt's length from key and hash and
 * accepts no other. */
static EVP_MD_CTX *new_signature_context(init_fn *init, const struct sign_key *key,
                                         enum scheme scheme, enum sign_hash hash)
{
    const OSSL_PARAM pkcs1[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, (char *)"pkcs1", 5), OSSL_PARAM_END};
    const OSSL_PARAM pss[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, (char *)"pss", 3),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, (char *)"max", 3), OSSL_PARAM_END};
    const OSSL_PARAM *rsa = scheme == SCHEME_ESP32 ? pss : pkcs1;
    const OSSL_PARAM *params = key->is_ec ? NULL : rsa;

    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context &&
        init(context, NULL, hash_names[hash], key->crypto.context, NULL, key->pkey, params) == 1)
        return context;

    EVP_MD_CTX_free(context);
    return NULL;
}

/* A signature in a file, and the kind of its key, according to its form. */
struct found {
    enum scheme scheme;
    const unsigned char *bytes;
    size_t size;
    bool is_ec;
    size_t signed_size; /* of the bytes before the signature */
};

bool sign_key_is_rsa(const struct sign_key *key)
{
    return !key->is_ec;
}

static bool find_signature(struct found *found, const struct sign_file *file)
{
    const struct inspection *inspection = file->inspection;
    const unsigned char *end = file->data + file->size;
    size_t trailer_size = inspection->trailer_size;

    *found = (struct found){.scheme = SCHEME_ESP8266};
    if (inspection->trailer == INSPECT_SIGNATURE_ESP32) {
        found->scheme = SCHEME_ESP32;
    } else if (inspection->trailer == INSPECT_SIGNATURE_ESP8266) {
        found->size = trailer_size - LENGTH_SIZE;
    } else if (inspection->trailer != INSPECT_SIGNATURE_SECURE_BOOT &&
               inspect_is_signed(inspection, file->data, file->size)) {
        /* Its format does not record the image's length: the last bytes have the signature's. */
        found->size = end[-LENGTH_SIZE] | (size_t)end[1 - LENGTH_SIZE] << 8;
        trailer_size = found->size + LENGTH_SIZE;
    } else {
        return false;
    }

    found->signed_size = file->size - trailer_size;
    found->bytes = file->data + found->signed_size;
    if (found->scheme == SCHEME_ESP32)
        found->size = inspect_measure_esp32_signature(found->bytes, &found->is_ec);
    return true;
}

static enum ota_error fail_crypto(struct ota_failure *failure, const char *doing,
                                  const struct sign_file *file)
{
    ota_fail_errno(failure, OTA_E_INTERNAL, digest_errno(), "cannot %s %s: %s", doing, file->name,
                   digest_error());
    ERR_clear_error();
    return failure->error;
}

/* The target family determines the scheme; if both are possible, an EC key implies ESP32. */
static enum ota_error choose_scheme(enum scheme *scheme, const struct sign_key *key,
                                    const struct sign_file *file, struct ota_failure *failure)
{
    const struct inspection *inspection = file->inspection;
    bool is_for_esp32 = (inspection->families & INSPECT_FAMILY_ESP32) != 0;
    bool is_for_others = (inspection->families & ~(unsigned)INSPECT_FAMILY_ESP32) != 0;
    struct found found;

    *scheme = is_for_others ? SCHEME_ESP8266 : SCHEME_ESP32;
    if (find_signature(&found, file))
        return ota_fail(failure, OTA_E_IMAGE,
                        "%s is signed already; sign the file that it was made of", file->name);
    if (inspection->sending >= INSPECT_SERVABLE)
        return ota_fail(failure, OTA_E_IMAGE, "%s is not signed, as no board takes it: it %s",
                        file->name, inspection->verdict);

    if (is_for_esp32 != is_for_others)
        return OTA_OK;

    *scheme = SCHEME_ESP32;
    if (key->is_ec)
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE,
                    "%s (%s) may be for an ESP32 or not, and ESP32 boards check another kind of "
                    "signature; " KIND_ADD_PORT,
                    file->name, inspection->name);
}

static enum ota_error check_key(const struct sign_key *key, enum scheme scheme, enum sign_hash hash,
                                struct ota_failure *failure)
{
    if (scheme == SCHEME_ESP8266 && key->is_ec)
        return ota_fail(
            failure, OTA_E_USAGE,
            "ESP8266 and Pico W boards check only RSA signatures, but the key in %s is an "
            "%s key",
            key->shown, key->title);

    if (scheme == SCHEME_ESP8266 && hash != SIGN_SHA256)
        return ota_fail(failure, OTA_E_USAGE,
                        "ESP8266 and Pico W boards check only signatures over SHA-256, not over %s",
                        hash_titles[hash]);

    if (scheme == SCHEME_ESP32 && !key->is_ec && key->size < ESP32_RSA_MIN)
        return ota_fail(
            failure, OTA_E_USAGE,
            "ESP32 boards check RSA signatures of 2048, 3072 and 4096 bits, but the key in "
            "%s is an %s key",
            key->shown, key->title);
    return OTA_OK;
}

enum ota_error sign_make(unsigned char trailer[SIGN_TRAILER_MAX], size_t *trailer_size,
                         const struct sign_key *key, enum sign_hash hash,
                         const struct sign_file *file, struct ota_failure *failure)
{
    enum scheme scheme;
    size_t size = SIGN_TRAILER_MAX - LENGTH_SIZE;
    if (choose_scheme(&scheme, key, file, failure) != OTA_OK ||
        check_key(key, scheme, hash, failure) != OTA_OK)
        return failure->error;

    memset(trailer, 0, SIGN_TRAILER_MAX);
    EVP_MD_CTX *context = new_signature_context(EVP_DigestSignInit_ex, key, scheme, hash);
    int result = context ? EVP_DigestSign(context, trailer, &size, file->data, file->size) : 0;
    EVP_MD_CTX_free(context);
    if (result != 1)
        return fail_crypto(failure, "sign", file);

    *trailer_size = INSPECT_ESP32_TRAILER_SIZE;
    if (scheme == SCHEME_ESP8266) {
        for (size_t i = 0; i < LENGTH_SIZE; i++)
            trailer[size + i] = (unsigned char)(size >> (8 * i));
        *trailer_size = size + LENGTH_SIZE;
    }
    return OTA_OK;
}

__attribute__((format(printf, 3, 4))) static enum ota_error
set_verdict(struct signature *signature, enum sign_verdict verdict, const char *format, ...)
{
    va_list arguments;

    signature->verdict = verdict;
    va_start(arguments, format);
    vsnprintf(signature->sentence, sizeof signature->sentence, format, arguments);
    va_end(arguments);
    return OTA_OK;
}

static enum ota_error decide_absent(struct signature *signature,
                                    const struct inspection *inspection)
{
    if (inspection->integrity != INSPECT_VALID && inspection->integrity != INSPECT_CANNOT_TELL)
        return set_verdict(signature, SIGN_INVALID, "it is damaged, so it has no valid signature");
    if (inspection->trailer == INSPECT_SIGNATURE_SECURE_BOOT)
        return set_verdict(signature, SIGN_ABSENT,
                           "it is signed only for secure boot, which is not what a sketch checks");
    return set_verdict(signature, SIGN_ABSENT, "it has no signature");
}

static enum ota_error decide_wrong_key(struct signature *signature, const struct sign_key *key,
                                       const struct found *found)
{
    if (found->is_ec)
        return set_verdict(signature, SIGN_WRONG_KEY,
                           "its signature was made with an EC key, but this is an %s key",
                           key->title);
    return set_verdict(signature, SIGN_WRONG_KEY,
                       "its signature was made with an RSA-%zu key, but this is an %s key",
                       found->size * 8, key->title);
}

static enum ota_error decide_valid(struct signature *signature, const struct sign_key *key,
                                   const struct found *found, enum sign_hash hash)
{
    const char *padding = found->scheme == SCHEME_ESP8266 ? " PKCS#1 v1.5" : " PSS";

    signature->hash = hash;
    return set_verdict(signature, SIGN_VALID, "its signature is valid: %s%s, %s", key->title,
                       key->is_ec ? "" : padding, hash_titles[hash]);
}

/* Tries each hash of the scheme, as the file does not say which one the sketch uses. */
enum ota_error sign_verify(struct signature *signature, const struct sign_key *key,
                           const struct sign_file *file, struct ota_failure *failure)
{
    const unsigned shortages = crypto_shortages();
    struct found found;

    *signature = (struct signature){.hash = SIGN_SHA256};
    if (!find_signature(&found, file))
        return decide_absent(signature, file->inspection);
    if (found.is_ec != key->is_ec || (!key->is_ec && found.size != key->size))
        return decide_wrong_key(signature, key, &found);

    unsigned count = found.scheme == SCHEME_ESP8266 ? 1 : SIGN_HASH_COUNT;
    for (unsigned i = 0; i < count; i++) {
        enum sign_hash hash = (enum sign_hash)i;
        EVP_MD_CTX *context =
            new_signature_context(EVP_DigestVerifyInit_ex, key, found.scheme, hash);
        if (!context)
            return fail_crypto(failure, "verify", file);

        int result =
            EVP_DigestVerify(context, found.bytes, found.size, file->data, found.signed_size);
        EVP_MD_CTX_free(context);
        ERR_clear_error();
        if (result == 1)
            return decide_valid(signature, key, &found, hash);
    }

    if (crypto_shortages() != shortages)
        return ota_fail_errno(failure, OTA_E_INTERNAL, ENOMEM, "cannot verify %s: out of memory",
                              file->name);
    return set_verdict(
        signature, SIGN_INVALID,
        "its signature is not valid: the file was changed after it was signed, or it was "
        "signed with another %s key",
        key->title);
}
