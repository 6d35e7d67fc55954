/* The board's side of Noise_NNpsk0_25519_ChaChaPoly_SHA256, with libcrypto. */
#ifndef DEVICE_NOISE_H
#define DEVICE_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOISE_KEY = 32, NOISE_TAG = 16, NOISE_MESSAGE = NOISE_KEY + NOISE_TAG };

struct noise {
    uint8_t hash[NOISE_KEY], chaining[NOISE_KEY], cipher[NOISE_KEY];
    uint8_t from_host[NOISE_KEY], to_host[NOISE_KEY];
    uint64_t opened, sealed;
};

/* Reads the host's message, and writes ours. False if the host's is not authentic, because of
 * another key or another prologue, or if libcrypto fails. */
bool noise_respond(struct noise *noise, const uint8_t psk[NOISE_KEY], const void *prologue,
                   size_t prologue_length, const uint8_t host[NOISE_MESSAGE],
                   uint8_t board[NOISE_MESSAGE]);

/* Opens a message in place. False if it is not authentic. */
bool noise_unwrap(struct noise *noise, uint8_t *message, size_t length);

/* Writes length + NOISE_TAG bytes. */
bool noise_wrap(struct noise *noise, const void *plain, size_t length, uint8_t *message);

#endif
