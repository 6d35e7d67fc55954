/*
 * sign.h: signatures over firmware, as the boards' update services check them (PROTOCOL.md 7).
 *
 * ESP8266 and Pico W: RSA PKCS#1 v1.5 over SHA-256, then the signature's length.
 * ESP32: RSA-PSS with the longest salt that fits, or ECDSA, over a hash that the sketch settles,
 * zero-padded to 512 bytes.
 */
#ifndef ESP_OTA_IMAGE_SIGN_H
#define ESP_OTA_IMAGE_SIGN_H

#include "esp-ota.h"
#include "image/inspect.h"
#include "secrets/exposure.h"

enum sign_hash { SIGN_SHA256, SIGN_SHA384, SIGN_SHA512, SIGN_HASH_COUNT };
enum sign_verdict { SIGN_ABSENT, SIGN_INVALID, SIGN_WRONG_KEY, SIGN_VALID, SIGN_VERDICT_COUNT };
enum { SIGN_TRAILER_MAX = 516, SIGN_SENTENCE_MAX = 320 };

/* An RSA or EC key that some board knows what to do with. */
struct sign_key;

/* Gives the password of a protected key, which is then freed with secret_free(); shown is the key's
 * path, escaped. */
typedef enum ota_error sign_password_fn(char **password, const char *shown, void *userdata,
                                        struct ota_failure *failure);

/* Reads a private key from a PEM file. The caller frees the key with sign_key_free(). Fails with
 * OTA_E_USAGE (a sentence with the path, escaped: unreadable, no private key, not the password, a
 * kind of key that no board knows), as ask does, or with OTA_E_INTERNAL. */
enum ota_error sign_key_load_private(struct sign_key **key, const char *path, sign_password_fn *ask,
                                     void *userdata, struct ota_failure *failure);

/* The same for the public key: of a public key, a certificate or a private key without password. */
enum ota_error sign_key_load_public(struct sign_key **key, const char *path,
                                    struct ota_failure *failure);
void sign_key_free(struct sign_key *key);

/* Who besides its owner can read the key's file, unless a password protects it. */
enum exposure sign_key_exposure(const struct sign_key *key);

/* Whether who has large computers can find the private key from the public one: RSA-1024. */
bool sign_key_is_weak(const struct sign_key *key);

/* Whether it is an RSA key, which boards of all families check, each in its own way; else an EC
 * key, which only an ESP32 checks. */
bool sign_key_is_rsa(const struct sign_key *key);

/* What is signed, or verified: a whole file as it is sent. */
struct sign_file {
    const char *name; /* for messages, escaped */
    const unsigned char *data;
    size_t size;
    const struct inspection *inspection; /* of these bytes */
};

/* Makes what is to follow the file. Fails with OTA_E_IMAGE (it has a signature already, or no board
 * takes it), OTA_E_USAGE (the boards that take it do not know such a key or hash, or the file does
 * not tell which boards these are) or OTA_E_INTERNAL. */
enum ota_error sign_make(unsigned char trailer[SIGN_TRAILER_MAX], size_t *trailer_size,
                         const struct sign_key *key, enum sign_hash hash,
                         const struct sign_file *file, struct ota_failure *failure);

struct signature {
    enum sign_verdict verdict;
    enum sign_hash hash;              /* of a valid one */
    char sentence[SIGN_SENTENCE_MAX]; /* "its signature is valid: ..." */
};

/* Fails only with OTA_E_INTERNAL: what the file is like is the verdict. */
enum ota_error sign_verify(struct signature *signature, const struct sign_key *key,
                           const struct sign_file *file, struct ota_failure *failure);

/* "sha256", "valid": stable, for programs; never NULL. */
const char *sign_hash_name(enum sign_hash hash);
const char *sign_verdict_name(enum sign_verdict verdict);
/* False when name is none of the above. */
bool sign_hash_find(enum sign_hash *hash, const char *name);

#endif
