/* The signature check of a board: the signature at the end of an image, and the hash of the rest.
 *
 *   8266 family:  the signature (RSA, PKCS #1 v1.5) and its length, 4 bytes, little-endian
 *   ESP32:        512 bytes: the signature (RSA-PSS or EC), padded with zeros */
#ifndef DEVICE_SIGNATURE_H
#define DEVICE_SIGNATURE_H

#include "digest.h"
#include "family.h"

enum { ESP32_TRAILER = 512, TRAILER_MAX = 1024 };

struct signature {
    const struct key *key;
    enum lineage lineage;
    size_t trailer; /* bytes that are not signed */
    struct digest *digest;
    size_t length;
    uint8_t last[TRAILER_MAX]; /* of the image; the first trailer bytes are used */
};

/* True if boards of this lineage can check signatures by this key. */
bool signature_fits(const struct key *key, enum lineage lineage);

/* An image begins. */
void signature_begin(struct signature *signature, const struct key *key, enum lineage lineage);
void signature_add(struct signature *signature, const uint8_t *bytes, size_t length);

/* True if the image ended with a valid signature by the key. Frees the digest; a second call
 * returns false. */
bool signature_end(struct signature *signature);

#endif
