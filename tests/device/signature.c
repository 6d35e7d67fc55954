/* Holds back as many bytes as a signature takes; the others are hashed. */
#include "signature.h"

#include <string.h>

enum { LENGTH_FIELD = 4 };

static size_t trailer_size(const struct key *key, enum lineage lineage)
{
    return lineage == LINEAGE_ESP32 ? (size_t)ESP32_TRAILER : key_size(key) + LENGTH_FIELD;
}

bool signature_fits(const struct key *key, enum lineage lineage)
{
    return key_size(key) <= ESP32_TRAILER && trailer_size(key, lineage) <= TRAILER_MAX;
}

void signature_begin(struct signature *signature, const struct key *key, enum lineage lineage)
{
    signature_end(signature);
    signature->key = key;
    signature->lineage = lineage;
    signature->length = 0;
    signature->trailer = trailer_size(key, lineage);
    signature->digest = digest_start("SHA256");
}

static void hash(struct signature *signature, const uint8_t *bytes, size_t length)
{
    if (signature->digest && !digest_add(signature->digest, bytes, length)) {
        digest_finish(signature->digest, NULL);
        signature->digest = NULL;
    }
}

void signature_add(struct signature *signature, const uint8_t *bytes, size_t length)
{
    size_t held = signature->length < signature->trailer ? signature->length : signature->trailer;
    size_t surplus = held + length > signature->trailer ? held + length - signature->trailer : 0;
    size_t old = surplus < held ? surplus : held;

    hash(signature, signature->last, old);
    memmove(signature->last, signature->last + old, held - old);
    hash(signature, bytes, surplus - old);
    memcpy(signature->last + held - old, bytes + surplus - old, length - (surplus - old));
    signature->length += length;
}

/* The length that an ESP8266 expects at the very end. */
static bool length_is_right(const struct signature *signature)
{
    const uint8_t *field = signature->last + signature->trailer - LENGTH_FIELD;
    size_t length =
        field[0] | (size_t)field[1] << 8 | (size_t)field[2] << 16 | (size_t)field[3] << 24;
    return length == key_size(signature->key);
}

bool signature_end(struct signature *signature)
{
    char hex[HEX_ROOM];
    bool esp32 = signature->lineage == LINEAGE_ESP32;
    bool hashed = digest_finish(signature->digest, hex);

    signature->digest = NULL;
    if (!hashed || signature->length < signature->trailer)
        return false;
    size_t length = signature->trailer - (esp32 ? 0 : LENGTH_FIELD);
    return (esp32 || length_is_right(signature)) &&
           key_verifies(signature->key, esp32, hex, signature->last, length);
}
