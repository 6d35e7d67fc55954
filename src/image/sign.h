/*
 * sign.h: signatures over firmware, as verified by the boards' update services. A signature follows
 * the image in its file:
 *
 * - ESP8266 and Pico W: RSA PKCS#1 v1.5 over SHA-256, then the signature's length in 4 bytes.
 * - ESP32: RSA-PSS with the longest possible salt, or ECDSA, zero-padded to 512 bytes. The sketch
 *   chooses the hash.
 */
#ifndef ESP_OTA_IMAGE_SIGN_H
#define ESP_OTA_IMAGE_SIGN_H

#include "esp-ota/error.h"
#include "image/inspect.h"
#include "secrets/exposure.h"

enum sign_hash { SIGN_SHA256, SIGN_SHA384, SIGN_SHA512, SIGN_HASH_COUNT };
enum sign_verdict { SIGN_ABSENT, SIGN_INVALID, SIGN_WRONG_KEY, SIGN_VALID, SIGN_VERDICT_COUNT };
enum { SIGN_TRAILER_MAX = 516, SIGN_SENTENCE_MAX = 320 };

/* An RSA or EC key of a kind that some boards support. */
struct sign_key;

/* Stores the password of a protected key in *password; sign_key_load_private() frees it with
 * secret_free(). shown is the key's path, escaped. */
typedef enum ota_error sign_password_fn(char **password, const char *shown, void *userdata,
                                        struct ota_failure *failure);

/* Reads a private key from a PEM file. ask is called for the password of a protected key. The
 * caller frees the key with sign_key_free(). Fails with OTA_E_USAGE (a sentence with the path,
 * escaped: unreadable, not a private key, wrong password, a kind of key that no board supports),
 * with the error of ask, or with OTA_E_INTERNAL. */
enum ota_error sign_key_load_private(struct sign_key **key, const char *path, sign_password_fn *ask,
                                     void *userdata, struct ota_failure *failure);

/* Reads a public key, likewise, from a PEM file with a public key, a certificate or a private key
 * without password, of which only the public part is kept. */
enum ota_error sign_key_load_public(struct sign_key **key, const char *path,
                                    struct ota_failure *failure);
void sign_key_free(struct sign_key *key);

/* Returns the other users that can read a private key in the key's file; none if a password
 * protects the key. */
enum exposure sign_key_exposure(const struct sign_key *key);

/* Whether the private key can be computed from the public one with large computers: RSA-1024. */
bool sign_key_is_weak(const struct sign_key *key);

/* Whether this is an RSA key. All families of boards support those, each in its own way. Otherwise
 * it is an EC key, for ESP32 boards only. */
bool sign_key_is_rsa(const struct sign_key *key);

/* The file to sign or verify: the whole of the bytes to send. */
struct sign_file {
    const char *name; /* for messages, escaped */
    const unsigned char *data;
    size_t size;
    const struct inspection *inspection; /* of these bytes */
};

/* Makes the trailer to append to the file. Fails with OTA_E_IMAGE (the file is signed already, or
 * no board accepts it), OTA_E_USAGE (its boards do not support the key or the hash, or its boards
 * are unknown) or OTA_E_INTERNAL. */
enum ota_error sign_make(unsigned char trailer[SIGN_TRAILER_MAX], size_t *trailer_size,
                         const struct sign_key *key, enum sign_hash hash,
                         const struct sign_file *file, struct ota_failure *failure);

struct signature {
    enum sign_verdict verdict;
    enum sign_hash hash;              /* of a valid signature */
    char sentence[SIGN_SENTENCE_MAX]; /* "its signature is valid: ..." */
};

/* Verifies the file's signature. A bad signature is a verdict, not a failure; fails only with
 * OTA_E_INTERNAL. */
enum ota_error sign_verify(struct signature *signature, const struct sign_key *key,
                           const struct sign_file *file, struct ota_failure *failure);

/* Return stable words for programs ("sha256", "valid"), never NULL. */
const char *sign_hash_name(enum sign_hash hash);
const char *sign_verdict_name(enum sign_verdict verdict);

/* Finds the hash with this name; returns false if there is none. */
bool sign_hash_find(enum sign_hash *hash, const char *name);

#endif
