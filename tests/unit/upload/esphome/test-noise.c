/*
 * test-noise.c: the handshake and the messages after it, byte by byte as the boards' own library
 * computes them (tests/vectors/noise.txt), and what must not be taken.
 */
#include "support/hex.h"
#include "upload/esphome/noise.h"

#include "crypto/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VALUE_MAX = 2048 };

struct value {
    unsigned char bytes[VALUE_MAX];
    size_t length;
};

static char *vectors;

static int load_vectors(void **state)
{
    char path[512];
    size_t capacity = 0;

    (void)state;
    snprintf(path, sizeof path, "%s/noise.txt", getenv("ESP_OTA_VECTORS"));
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    ssize_t length = getdelim(&vectors, &capacity, '\0', file);
    fclose(file);
    return length > 0 ? 0 : -1;
}

static int free_vectors(void **state)
{
    (void)state;
    free(vectors);
    return 0;
}

/* The rest of the line that begins with the name. */
static const char *find_line(const char *name)
{
    const size_t length = strlen(name);

    for (const char *line = vectors; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0 && line[length] == ' ')
            return line + length + 1;
    }
    fail_msg("no vector \"%s\"", name);
    return NULL;
}

/* Hex digits, or "00*1024": that many zeros. */
static struct value vector(const char *name)
{
    static const char zeros[] = "00*";
    const char *text = find_line(name);
    struct value value = {.length = 0};

    if (strncmp(text, zeros, strlen(zeros)) == 0) {
        value.length = strtoul(text + strlen(zeros), NULL, 10);
        assert_true(value.length <= VALUE_MAX);
    } else {
        value.length = hex_decode(value.bytes, VALUE_MAX, text);
    }
    return value;
}

static void assert_vector(const char *name, const unsigned char *bytes, size_t length)
{
    const char *text = find_line(name);

    if (strncmp(text, "sha256:", 7) == 0) {
        char hex[DIGEST_SHA256_HEX + 1];

        assert_int_equal(digest_sha256(hex, bytes, length), 0);
        assert_memory_equal(hex, text + 7, DIGEST_SHA256_HEX);
        return;
    }

    const struct value expected = vector(name);
    assert_int_equal(length, expected.length);
    assert_memory_equal(bytes, expected.bytes, length);
}

static struct noise *begin(unsigned char message[NOISE_MESSAGE_SIZE])
{
    const struct value psk = vector("psk"), prologue = vector("prologue"), e = vector("e_private");
    struct noise *noise = noise_new(psk.bytes, prologue.bytes, prologue.length, e.bytes);

    assert_non_null(noise);
    assert_int_equal(noise_write_message(noise, message), 0);
    return noise;
}

static struct noise *complete(void)
{
    unsigned char message[NOISE_MESSAGE_SIZE];
    struct noise *noise = begin(message);

    assert_int_equal(noise_read_message(noise, vector("msg2").bytes), 0);
    return noise;
}

static void test_handshake(void **state)
{
    unsigned char message[NOISE_MESSAGE_SIZE];
    struct noise *noise = begin(message);

    (void)state;
    assert_vector("msg1", message, sizeof message);
    assert_vector("hash_after_msg1", noise->hash, sizeof noise->hash);
    assert_vector("ck_after_msg1", noise->chaining_key, sizeof noise->chaining_key);

    assert_int_equal(noise_read_message(noise, vector("msg2").bytes), 0);
    assert_vector("handshake_hash", noise->hash, sizeof noise->hash);
    assert_vector("key_host_to_board", noise->send_key, sizeof noise->send_key);
    assert_vector("key_board_to_host", noise->receive_key, sizeof noise->receive_key);
    noise_free(noise);
}

static void test_messages(void **state)
{
    struct noise *noise = complete();
    unsigned char bytes[VALUE_MAX];
    char name[32];

    (void)state;
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "h2b%d_plain", i);
        const struct value plain = vector(name);

        assert_int_equal(noise_seal(noise, bytes, plain.bytes, plain.length), 0);
        snprintf(name, sizeof name, "h2b%d_cipher", i);
        assert_vector(name, bytes, plain.length + NOISE_TAG_SIZE);
    }
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "b2h%d_cipher", i);
        const struct value sealed = vector(name);

        assert_int_equal(noise_open(noise, bytes, sealed.bytes, sealed.length), 0);
        snprintf(name, sizeof name, "b2h%d_plain", i);
        assert_vector(name, bytes, sealed.length - NOISE_TAG_SIZE);
    }
    noise_free(noise);
}

/* Whatever bit is changed in the board's message, in the key or in the prologue. */
static void test_handshake_forged(void **state)
{
    (void)state;
    for (size_t i = 0; i < NOISE_MESSAGE_SIZE; i++) {
        struct value message2 = vector("msg2");
        unsigned char message[NOISE_MESSAGE_SIZE];
        struct noise *noise = begin(message);

        message2.bytes[i] ^= 1;
        assert_int_equal(noise_read_message(noise, message2.bytes), -1);
        noise_free(noise);
    }
    for (int i = 0; i < 2; i++) {
        struct value psk = vector("psk"), prologue = vector("prologue");
        unsigned char message[NOISE_MESSAGE_SIZE];

        (i == 0 ? &psk : &prologue)->bytes[13] ^= 1;
        struct noise *noise =
            noise_new(psk.bytes, prologue.bytes, prologue.length, vector("e_private").bytes);
        assert_non_null(noise);
        assert_int_equal(noise_write_message(noise, message), 0);
        assert_int_equal(noise_read_message(noise, vector("msg2").bytes), -1);
        noise_free(noise);
    }
}

/* A public key of zeros would make the shared secret zero. */
static void test_weak_public_key(void **state)
{
    unsigned char message[NOISE_MESSAGE_SIZE];
    struct noise *noise = begin(message);

    (void)state;
    assert_int_equal(noise_read_message(noise, (const unsigned char[NOISE_MESSAGE_SIZE]){0}), -1);
    noise_free(noise);
}

/* Changed, cut, repeated and skipped messages are not authentic. */
static void test_messages_forged(void **state)
{
    struct value first = vector("b2h0_cipher"), second = vector("b2h1_cipher");
    unsigned char plain[VALUE_MAX];

    (void)state;
    for (size_t i = 0; i < first.length; i++) {
        struct noise *noise = complete();
        struct value forged = first;

        forged.bytes[i] ^= 0x80;
        assert_int_equal(noise_open(noise, plain, forged.bytes, forged.length), -1);
        noise_free(noise);
    }
    for (size_t length = 0; length < first.length; length++) {
        struct noise *noise = complete();

        assert_int_equal(noise_open(noise, plain, first.bytes, length), -1);
        noise_free(noise);
    }

    struct noise *noise = complete();
    assert_int_equal(noise_open(noise, plain, first.bytes, first.length), 0);
    assert_int_equal(noise_open(noise, plain, first.bytes, first.length), -1);
    noise_free(noise);
    noise = complete();
    assert_int_equal(noise_open(noise, plain, second.bytes, second.length), -1);
    noise_free(noise);
}

/* Each handshake has its own private key. */
static void test_random_ephemeral(void **state)
{
    const struct value psk = vector("psk");
    unsigned char messages[2][NOISE_MESSAGE_SIZE];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct noise *noise = noise_new(psk.bytes, "", 0, NULL);

        assert_non_null(noise);
        assert_int_equal(noise_write_message(noise, messages[i]), 0);
        noise_free(noise);
    }
    assert_memory_not_equal(messages[0], messages[1], SUITE_KEY_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_handshake_forged), cmocka_unit_test(test_weak_public_key),
        cmocka_unit_test(test_messages_forged),  cmocka_unit_test(test_random_ephemeral),
    };

    return cmocka_run_group_tests(tests, load_vectors, free_vectors);
}
