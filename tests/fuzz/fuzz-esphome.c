/*
 * fuzz-esphome.c: whatever a board sends, the exchange stays within its buffers, and succeeds only
 * after the whole image and 45. The first byte chooses the settings, the rest is the board's.
 */
#include "base/escape.h"
#include "upload/esphome/exchange.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IMAGE_SIZE = 3000, CAPACITY = 1100, INSTALLED = 0x45 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char image[IMAGE_SIZE] = {0}, key[NOISE_KEY_SIZE] = {0};
    struct trust trust = {.least = size && data[0] & 8 ? AUTH_SHA256 : AUTH_MD5};
    struct exchange exchange;
    enum exchange_event event;

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
    for (size_t at = 1; at < size && exchange.step != EXCHANGE_OVER;) {
        exchange.output_length = 0;
        at += exchange_feed(&exchange, &event, data + at, size - at);
        require(exchange.output_length <= sizeof exchange.output);
        if (event == EXCHANGE_READY)
            take_data(&exchange);
        if (event == EXCHANGE_INSTALLED)
            require(!config.key && memchr(data + 1, INSTALLED, size - 1) &&
                    exchange.taken == exchange.content->size);
    }
    require(escape_is_printable(exchange.failure.message));
    require(!trust.has_given_md5 || trust.least == AUTH_MD5);
    exchange_clear(&exchange);
    return 0;
}
