/*
 * noise.c: the symmetric state of a Noise handshake, and the two keys that it ends with.
 *
 *   psk, e        ->  public key of e, tag
 *         e, ee  <-   public key of e, tag
 */
#include "upload/esphome/noise.h"

#include "base/secret.h"
#include "crypto/crypto.h"
#include "crypto/digest.h"

#include <string.h>
#include <sys/random.h>

static const char PROTOCOL_NAME[] = "Noise_NNpsk0_25519_ChaChaPoly_SHA256";

/* -- the symmetric state -- */

static int mix_hash(struct noise *noise, const void *data, size_t length)
{
    return suite_hash(noise->suite, noise->hash, noise->hash, sizeof noise->hash, data, length);
}

/* HKDF: derives `count` (2 or 3) outputs from the chaining key and the input. */
static int derive_keys(struct noise *noise, unsigned char (*outputs)[SUITE_HASH_SIZE],
                       unsigned count, const void *input, size_t length)
{
    unsigned char master[SUITE_HASH_SIZE], block[SUITE_HASH_SIZE + 1];
    size_t carried = 0; /* bytes of the output before */
    int result = suite_hmac(noise->suite, master, noise->chaining_key, input, length);

    for (unsigned i = 0; i < count && result == 0; i++) {
        block[carried] = (unsigned char)(i + 1);
        result = suite_hmac(noise->suite, outputs[i], master, block, carried + 1);
        memcpy(block, outputs[i], SUITE_HASH_SIZE);
        carried = SUITE_HASH_SIZE;
    }

    digest_cleanse(master, sizeof master);
    digest_cleanse(block, sizeof block);
    return result;
}

static int mix_key(struct noise *noise, const void *input, size_t length)
{
    unsigned char outputs[2][SUITE_HASH_SIZE];
    int result = derive_keys(noise, outputs, 2, input, length);

    memcpy(noise->chaining_key, outputs[0], SUITE_HASH_SIZE);
    memcpy(noise->key, outputs[1], SUITE_KEY_SIZE);
    digest_cleanse(outputs, sizeof outputs);
    return result;
}

static int mix_key_and_hash(struct noise *noise, const void *input, size_t length)
{
    unsigned char outputs[3][SUITE_HASH_SIZE];
    int result = derive_keys(noise, outputs, 3, input, length);

    memcpy(noise->chaining_key, outputs[0], SUITE_HASH_SIZE);
    memcpy(noise->key, outputs[2], SUITE_KEY_SIZE);
    if (result == 0)
        result = mix_hash(noise, outputs[1], SUITE_HASH_SIZE);
    digest_cleanse(outputs, sizeof outputs);
    return result;
}

/* A public key of either side. With a shared key it is mixed into the key, too (section 9.2). */
static int mix_public_key(struct noise *noise, const unsigned char *public_key)
{
    if (mix_hash(noise, public_key, SUITE_KEY_SIZE) != 0)
        return -1;
    return mix_key(noise, public_key, SUITE_KEY_SIZE);
}

/* -- the handshake -- */

/* Each mixing of a key restarts the nonce, and each key of the handshake seals one payload. */
static struct suite_seal handshake_seal(const struct noise *noise)
{
    return (struct suite_seal){
        .key = noise->key, .associated = noise->hash, .associated_length = sizeof noise->hash};
}

static int begin_handshake(struct noise *noise, const unsigned char *shared_key,
                           const void *prologue, size_t length, const unsigned char *ephemeral)
{
    const size_t size = sizeof noise->ephemeral;

    if (ephemeral)
        memcpy(noise->ephemeral, ephemeral, size);
    else if (getrandom(noise->ephemeral, size, 0) != (ssize_t)size)
        return -1;

    if (suite_hash(noise->suite, noise->hash, PROTOCOL_NAME, strlen(PROTOCOL_NAME), "", 0) != 0)
        return -1;
    memcpy(noise->chaining_key, noise->hash, sizeof noise->hash);
    if (mix_hash(noise, prologue, length) != 0)
        return -1;
    return mix_key_and_hash(noise, shared_key, NOISE_KEY_SIZE);
}

struct noise *noise_new(const unsigned char shared_key[NOISE_KEY_SIZE], const void *prologue,
                        size_t length, const unsigned char *ephemeral)
{
    struct noise *noise = secret_alloc(sizeof *noise);
    if (!noise) {
        crypto_add_shortage();
        return NULL;
    }

    noise->suite = suite_open();
    if (noise->suite && begin_handshake(noise, shared_key, prologue, length, ephemeral) == 0)
        return noise;

    noise_free(noise);
    return NULL;
}

void noise_free(struct noise *noise)
{
    if (!noise)
        return;

    suite_close(noise->suite);
    secret_free(noise);
}

int noise_write_message(struct noise *noise, unsigned char message[NOISE_MESSAGE_SIZE])
{
    unsigned char *tag = message + SUITE_KEY_SIZE;

    if (suite_public_key(noise->suite, message, noise->ephemeral) != 0 ||
        mix_public_key(noise, message) != 0)
        return -1;

    const struct suite_seal seal = handshake_seal(noise);
    if (suite_seal(noise->suite, &seal, tag, "", 0) != 0)
        return -1;
    return mix_hash(noise, tag, NOISE_TAG_SIZE);
}

/* Derives the keys of both directions; ours, the initiator's, is the first one. */
static int split_keys(struct noise *noise)
{
    unsigned char outputs[2][SUITE_HASH_SIZE];
    int result = derive_keys(noise, outputs, 2, "", 0);

    memcpy(noise->send_key, outputs[0], SUITE_KEY_SIZE);
    memcpy(noise->receive_key, outputs[1], SUITE_KEY_SIZE);
    digest_cleanse(outputs, sizeof outputs);
    digest_cleanse(noise->ephemeral, sizeof noise->ephemeral);
    return result;
}

int noise_read_message(struct noise *noise, const unsigned char message[NOISE_MESSAGE_SIZE])
{
    const unsigned char *tag = message + SUITE_KEY_SIZE;
    unsigned char secret[SUITE_KEY_SIZE], nothing[1];
    int result = -1;

    if (mix_public_key(noise, message) == 0 &&
        suite_shared_secret(noise->suite, secret, noise->ephemeral, message) == 0)
        result = mix_key(noise, secret, sizeof secret);
    digest_cleanse(secret, sizeof secret);
    if (result != 0)
        return -1;

    const struct suite_seal seal = handshake_seal(noise);
    if (suite_unseal(noise->suite, &seal, nothing, tag, NOISE_TAG_SIZE) != 0 ||
        mix_hash(noise, tag, NOISE_TAG_SIZE) != 0)
        return -1;
    return split_keys(noise);
}

/* -- after the handshake -- */

int noise_seal(struct noise *noise, unsigned char *sealed, const void *plain, size_t length)
{
    const struct suite_seal seal = {.key = noise->send_key, .nonce = noise->sent++};

    return suite_seal(noise->suite, &seal, sealed, plain, length);
}

int noise_open(struct noise *noise, unsigned char *plain, const unsigned char *sealed,
               size_t sealed_length)
{
    const struct suite_seal seal = {.key = noise->receive_key, .nonce = noise->received++};

    return suite_unseal(noise->suite, &seal, plain, sealed, sealed_length);
}
