/*
 * fuzz-esphome.c: whatever a board sends, the exchange stays within its buffers, and succeeds only
 * after the whole image and 45. The first byte chooses the settings, the rest is the board's;
 * with a key it is sealed if the board is to know it.
 */
#include "base/escape.h"
#include "require.h"
#include "upload/esphome/exchange.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IMAGE_SIZE = 3000, CAPACITY = 1100, INSTALLED = 0x45 };

static void take_data(struct exchange *exchange)
{
    unsigned char target[CAPACITY];
    size_t length;

    do {
        length = exchange_take_data(exchange, target, sizeof target);
        require(length <= sizeof target);
    } while (length > 0);
    require(exchange->taken == exchange->content->size);
}

/* A peer that knows the key: from here on, the board's bytes are sealed. Noise cannot stumble upon
 * a handshake that is authentic, so the exchange is put behind it. */
static struct noise *end_handshake(struct exchange *exchange)
{
    struct noise *peer = noise_new(exchange->config.key, "", 0, exchange->config.ephemeral);

    require(peer);
    memcpy(peer->send_key, exchange->noise->receive_key, sizeof peer->send_key);
    exchange->step = EXCHANGE_AUTH;
    return peer;
}

/* Feeds one byte of the board in a frame. */
static void feed_sealed(struct exchange *exchange, enum exchange_event *event, struct noise *peer,
                        uint8_t byte)
{
    unsigned char frame[FRAME_HEADER_SIZE + 1 + NOISE_TAG_SIZE];

    frame_write_header(frame, 1 + NOISE_TAG_SIZE);
    require(noise_seal(peer, frame + FRAME_HEADER_SIZE, &byte, 1) == 0);
    require(exchange_feed(exchange, event, frame, sizeof frame) == sizeof frame);
}

/* The board's bytes, up to the end of the exchange. */
static void run_exchange(struct exchange *exchange, const uint8_t *data, size_t size)
{
    const bool knows_key = data[0] & 16, is_patient = data[0] & 32;
    struct noise *peer = NULL;
    enum exchange_event event;

    for (size_t at = 1; at < size && exchange->step != EXCHANGE_OVER;) {
        size_t taken = 1;

        exchange->output_length = 0;
        if (is_patient) /* its next bytes reply to our output */
            exchange->is_early = false;
        if (knows_key && exchange->step == EXCHANGE_HANDSHAKE)
            peer = end_handshake(exchange);
        if (peer)
            feed_sealed(exchange, &event, peer, data[at]);
        else
            taken = exchange_feed(exchange, &event, data + at, size - at);
        require(taken > 0);
        at += taken;

        /* The buffer is within a struct, so only its length shows that more was written. */
        require(exchange->output_length <= sizeof exchange->output);
        require(exchange->failure.error != OTA_E_INTERNAL);
        if (event == EXCHANGE_READY)
            take_data(exchange);
        if (event == EXCHANGE_INSTALLED)
            require((!exchange->config.key || peer) && memchr(data + 1, INSTALLED, size - 1) &&
                    exchange->taken == exchange->content->size);
    }
    noise_free(peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char image[IMAGE_SIZE] = {0}, key[NOISE_KEY_SIZE] = {0};
    struct trust trust = {.least = size && data[0] & 8 ? AUTH_SHA256 : AUTH_MD5};
    struct exchange exchange;

    if (size == 0)
        return 0;
    const struct exchange_config config = {
        .plain = {image, IMAGE_SIZE, "0123456789abcdef0123456789abcdef"},
        .packed = {image, data[0] & 1 ? 100 : 0, "0123456789abcdef0123456789abcdef"},
        .key = data[0] & 2 ? key : NULL,
        .password = data[0] & 4 ? "secret" : NULL,
        .trust = &trust,
        .ephemeral = key,
    };

    exchange_start(&exchange, &config);
    run_exchange(&exchange, data, size);
    require(escape_is_printable(exchange.failure.message));
    require(!trust.has_given_md5 || trust.least == AUTH_MD5);
    exchange_clear(&exchange);
    return 0;
}
