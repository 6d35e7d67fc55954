/*
 * sign_key.c: keys from PEM files. The text of a key is cleansed after use, and libcrypto never
 * asks for a password by itself.
 */
#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "image/sign_internal.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 65536 };

struct pem {
    char text[FILE_MAX + 1]; /* one byte more than allowed, to detect a longer file */
    size_t size;
};

static bool pem_contains(const struct pem *pem, const char *text)
{
    return memmem(pem->text, pem->size, text, strlen(text)) != NULL;
}

enum content { CONTENT_PRIVATE, CONTENT_PUBLIC, CONTENT_CERTIFICATE, CONTENT_NONE };

static enum content find_content(const struct pem *pem)
{
    if (pem_contains(pem, "PRIVATE KEY-----"))
        return CONTENT_PRIVATE;
    if (pem_contains(pem, "PUBLIC KEY-----"))
        return CONTENT_PUBLIC;
    if (pem_contains(pem, "-----BEGIN CERTIFICATE-----"))
        return CONTENT_CERTIFICATE;
    return CONTENT_NONE;
}

static enum ota_error read_pem_text(struct pem *pem, int fd, const char *shown,
                                    struct ota_failure *failure)
{
    ssize_t size = input_read_all(fd, pem->text, sizeof pem->text);

    if (size < 0)
        return ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot read the key file %s: %s", shown,
                              input_error(errno));
    if (size > FILE_MAX)
        return ota_fail(failure, OTA_E_USAGE, "%s is longer than %d bytes; it cannot be a key file",
                        shown, FILE_MAX);
    pem->size = (size_t)size;
    return OTA_OK;
}

static enum ota_error read_pem(struct pem *pem, const char *path, struct sign_key *key,
                               struct ota_failure *failure)
{
    int fd = input_open(path);
    if (fd < 0)
        return ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot open the key file %s: %s",
                              key->shown, input_open_error(path, errno));

    enum ota_error error = read_pem_text(pem, fd, key->shown, failure);
    if (error == OTA_OK && find_content(pem) == CONTENT_PRIVATE && !pem_contains(pem, "ENCRYPTED"))
        key->exposure = exposure_of(fd);
    close(fd);
    return error;
}

/* Gives the password to libcrypto, which would otherwise ask on the terminal. */
static int give_password(char *buffer, int capacity, int is_for_writing, void *userdata)
{
    const char *password = userdata;

    (void)is_for_writing;
    if (!password || strlen(password) > (size_t)capacity)
        return -1;

    memcpy(buffer, password, strlen(password));
    return (int)strlen(password);
}

static EVP_PKEY *parse_certificate(struct sign_key *key, BIO *source)
{
    X509 *certificate = X509_new_ex(key->crypto.context, NULL);
    EVP_PKEY *pkey = NULL;

    if (certificate && PEM_read_bio_X509(source, &certificate, give_password, NULL))
        pkey = X509_get_pubkey(certificate);
    X509_free(certificate);
    return pkey;
}

/* The older form of a protected key has the name of its cipher. libcrypto looks it up in a table,
 * but crypto.c leaves this table empty. */
static void register_ciphers(void)
{
    EVP_add_cipher(EVP_des_ede3_cbc());
    EVP_add_cipher(EVP_aes_128_cbc());
    EVP_add_cipher(EVP_aes_192_cbc());
    EVP_add_cipher(EVP_aes_256_cbc());
}

static enum ota_error parse_key(struct sign_key *key, const struct pem *pem, char *password,
                                struct ota_failure *failure)
{
    BIO *source = BIO_new_mem_buf(pem->text, (int)pem->size);
    if (!source)
        return ota_fail_no_memory(failure);

    switch (find_content(pem)) {
    case CONTENT_PRIVATE:
        crypto_lock_keys();
        register_ciphers();
        key->pkey = PEM_read_bio_PrivateKey_ex(source, NULL, give_password, password,
                                               key->crypto.context, NULL);
        break;
    case CONTENT_PUBLIC:
        key->pkey =
            PEM_read_bio_PUBKEY_ex(source, NULL, give_password, NULL, key->crypto.context, NULL);
        break;
    case CONTENT_CERTIFICATE:
        key->pkey = parse_certificate(key, source);
        break;
    case CONTENT_NONE:
        break;
    }
    BIO_free(source);
    ERR_clear_error();

    if (key->pkey)
        return OTA_OK;
    if (password)
        return ota_fail(failure, OTA_E_USAGE,
                        "the password does not open the key in %s, or the key is "
                        "damaged",
                        key->shown);
    return ota_fail(failure, OTA_E_USAGE, "the key in %s is damaged", key->shown);
}

/* Accepts the kinds of keys that the boards' cores document. */
static enum ota_error check_key_type(struct sign_key *key, struct ota_failure *failure)
{
    static const struct {
        const char *group; /* NULL: RSA */
        int bits;
        const char *title;
    } known[] = {{NULL, 1024, "RSA-1024"},        {NULL, 2048, "RSA-2048"},
                 {NULL, 3072, "RSA-3072"},        {NULL, 4096, "RSA-4096"},
                 {"prime256v1", 256, "EC P-256"}, {"secp384r1", 384, "EC P-384"}};
    char group[32] = "";
    bool is_rsa = EVP_PKEY_is_a(key->pkey, "RSA") == 1;

    key->is_ec = EVP_PKEY_is_a(key->pkey, "EC") == 1;
    if (key->is_ec)
        EVP_PKEY_get_group_name(key->pkey, group, sizeof group, NULL);
    ERR_clear_error();

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        bool is_same_type =
            known[i].group ? key->is_ec && strcmp(group, known[i].group) == 0 : is_rsa;
        if (!is_same_type || EVP_PKEY_get_bits(key->pkey) != known[i].bits)
            continue;

        key->size = known[i].group ? 0 : (size_t)known[i].bits / 8;
        key->title = known[i].title;
        return OTA_OK;
    }
    return ota_fail(failure, OTA_E_USAGE,
                    "no board accepts a key of the type in %s; use an RSA key of 2048, 3072 or "
                    "4096 bits or, for an ESP32, an EC key on the curve P-256 or P-384",
                    key->shown);
}

static enum ota_error reject_content(const struct sign_key *key, enum content content,
                                     struct ota_failure *failure)
{
    if (content == CONTENT_NONE)
        return ota_fail(failure, OTA_E_USAGE, "%s holds no key in PEM format (\"-----BEGIN ...\")",
                        key->shown);
    return ota_fail(failure, OTA_E_USAGE,
                    "%s holds %s, and only the private key that belongs to it can sign", key->shown,
                    content == CONTENT_PUBLIC ? "a public key" : "a certificate");
}

static enum ota_error load_private(struct sign_key *key, const struct pem *pem,
                                   sign_password_fn *ask, void *userdata,
                                   struct ota_failure *failure)
{
    char *password = NULL;

    if (find_content(pem) != CONTENT_PRIVATE)
        return reject_content(key, find_content(pem), failure);
    if (pem_contains(pem, "ENCRYPTED") && ask(&password, key->shown, userdata, failure) != OTA_OK)
        return failure->error;

    enum ota_error error = parse_key(key, pem, password, failure);
    secret_free(password);
    return error;
}

/* Replaces a private key by its public part, and leaves nothing of the rest: a key that only
 * verifies stays in the heap as long as the program runs, also in its workers. */
static enum ota_error drop_private_part(struct sign_key *key, struct ota_failure *failure)
{
    unsigned char *text = NULL;
    const int size = i2d_PUBKEY(key->pkey, &text);
    const unsigned char *at = text;

    EVP_PKEY_free(key->pkey);
    key->pkey = size > 0 ? d2i_PUBKEY_ex(NULL, &at, size, key->crypto.context, NULL) : NULL;
    OPENSSL_free(text);
    ERR_clear_error();
    secret_cleanse_traces();
    return key->pkey ? OTA_OK : ota_fail_no_memory(failure);
}

static enum ota_error load_public(struct sign_key *key, const struct pem *pem,
                                  struct ota_failure *failure)
{
    if (find_content(pem) == CONTENT_NONE)
        return reject_content(key, CONTENT_NONE, failure);

    if (find_content(pem) == CONTENT_PRIVATE && pem_contains(pem, "ENCRYPTED"))
        return ota_fail(
            failure, OTA_E_USAGE,
            "%s holds a private key with a password; give the public key, which \"openssl "
            "pkey -in KEY.pem -pubout\" prints",
            key->shown);
    if (parse_key(key, pem, NULL, failure) != OTA_OK)
        return failure->error;
    return find_content(pem) == CONTENT_PRIVATE ? drop_private_part(key, failure) : OTA_OK;
}

static enum ota_error load_pem(struct sign_key *key, const char *path, bool is_private,
                               sign_password_fn *ask, void *userdata, struct ota_failure *failure)
{
    const unsigned shortages = crypto_shortages();
    struct pem *pem = secret_alloc(sizeof *pem);
    if (!pem)
        return ota_fail_no_memory(failure);

    enum ota_error error = read_pem(pem, path, key, failure);
    if (error == OTA_OK)
        error = is_private ? load_private(key, pem, ask, userdata, failure)
                           : load_public(key, pem, failure);
    if (error == OTA_OK)
        error = check_key_type(key, failure);
    secret_free(pem);

    if (error == OTA_E_USAGE && crypto_shortages() != shortages)
        return ota_fail_errno(failure, OTA_E_INTERNAL, ENOMEM,
                              "cannot read the key in %s: out of memory", key->shown);
    return error;
}

static enum ota_error load_key(struct sign_key **key, const char *path, bool is_private,
                               sign_password_fn *ask, void *userdata, struct ota_failure *failure)
{
    *key = NULL;
    struct sign_key *loaded = calloc(1, sizeof *loaded);
    if (!loaded)
        return ota_fail_no_memory(failure);
    if (crypto_open(&loaded->crypto) != 0) {
        free(loaded);
        return ota_fail_errno(failure, OTA_E_INTERNAL, digest_errno(), "cannot use libcrypto: %s",
                              digest_error());
    }

    escape_string(loaded->shown, sizeof loaded->shown, path);
    if (load_pem(loaded, path, is_private, ask, userdata, failure) != OTA_OK) {
        sign_key_free(loaded);
        return failure->error;
    }

    *key = loaded;
    return OTA_OK;
}

enum ota_error sign_key_load_private(struct sign_key **key, const char *path, sign_password_fn *ask,
                                     void *userdata, struct ota_failure *failure)
{
    return load_key(key, path, true, ask, userdata, failure);
}

enum ota_error sign_key_load_public(struct sign_key **key, const char *path,
                                    struct ota_failure *failure)
{
    return load_key(key, path, false, NULL, NULL, failure);
}

enum exposure sign_key_exposure(const struct sign_key *key)
{
    return key->exposure;
}

bool sign_key_is_weak(const struct sign_key *key)
{
    return !key->is_ec && EVP_PKEY_get_bits(key->pkey) < 2048;
}

void sign_key_free(struct sign_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    crypto_close(&key->crypto);
    free(key);
}
