/*
 * noise.h: Noise_NNpsk0_25519_ChaChaPoly_SHA256 as the initiator: two handshake messages, and then
 * sealed messages in both directions. Pure: bytes in, bytes out. The Noise protocol framework
 * (revision 34), sections 5 and 9, is the source of the rules.
 */
#ifndef ESP_OTA_UPLOAD_ESPHOME_NOISE_H
#define ESP_OTA_UPLOAD_ESPHOME_NOISE_H

#include "crypto/suite.h"

enum {
    NOISE_KEY_SIZE = SUITE_KEY_SIZE,
    NOISE_TAG_SIZE = SUITE_TAG_SIZE,
    NOISE_MESSAGE_SIZE = SUITE_KEY_SIZE + SUITE_TAG_SIZE, /* each of the handshake's messages */
};

/* In memory for secrets. Private to noise.c, and to its test. */
struct noise {
    struct suite *suite;
    unsigned char hash[SUITE_HASH_SIZE];
    unsigned char chaining_key[SUITE_HASH_SIZE];
    unsigned char key[SUITE_KEY_SIZE]; /* of the handshake */
    unsigned char ephemeral[SUITE_KEY_SIZE];
    unsigned char send_key[SUITE_KEY_SIZE], receive_key[SUITE_KEY_SIZE];
    uint64_t sent, received; /* messages after the handshake */
};

/* Begins a handshake with the key that both sides know and a prologue that both have seen.
 * ephemeral is our private key for this handshake: random, or the caller's when not NULL (tests).
 * NULL when memory ran out or libcrypto fails. */
struct noise *noise_new(const unsigned char shared_key[NOISE_KEY_SIZE], const void *prologue,
                        size_t length, const unsigned char *ephemeral);
/* Cleanses and frees it; NULL is allowed. */
void noise_free(struct noise *noise);

/* Writes our message of the handshake. Returns 0, or -1 if libcrypto fails. */
int noise_write_message(struct noise *noise, unsigned char message[NOISE_MESSAGE_SIZE]);
/* Reads the board's. Returns 0; -1 if it is not authentic: the board has another key, or somebody
 * has changed what was sent. */
int noise_read_message(struct noise *noise, const unsigned char message[NOISE_MESSAGE_SIZE]);

/* After the handshake. Sealing writes length + NOISE_TAG_SIZE bytes; opening takes that many more
 * than it writes. Return 0, or -1 (opening: the message is not authentic). */
int noise_seal(struct noise *noise, unsigned char *sealed, const void *plain, size_t length);
int noise_open(struct noise *noise, unsigned char *plain, const unsigned char *sealed,
               size_t sealed_length);

#endif
