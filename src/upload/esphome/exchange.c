/*
 * exchange.c: the steps of an exchange.
 *
 *   host                                       board
 *    |-- 6C 26 F7 5C 45 ------------------------>|
 *    |<-- 00, version ---------------------------|
 *    |-- features ------------------------------>|
 *    |<-- 40, 46, or 48 and flags ---------------|
 *    |   with a key: handshake (noise.c), and everything below in frames
 *    |<-- 41, or 01/02 and a nonce --------------|
 *    |-- cnonce, answer ------------------------>|
 *    |<-- 41 ------------------------------------|
 *    |-- (extended: type,) size ---------------->|
 *    |<-- 42 ------------------------------------|
 *    |-- MD5 ----------------------------------->|
 *    |<-- 43 ------------------------------------|
 *    |-- image --------------------------------->|
 *    |<-- 47 per 8 KiB (version 2), 44, 45 ------|
 *    |-- 00 ------------------------------------>|
 *
 * A byte from 80 on may take the place of any reply: it ends the exchange with an error.
 */
#include "upload/esphome/exchange.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/hex.h"
#include "crypto/crypto.h"
#include "secrets/echo.h"
#include "upload/esphome/board_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const unsigned char MAGIC[] = {0x6C, 0x26, 0xF7, 0x5C, 0x45};
static const char PROLOGUE_NAME[] = "NoiseOTAInit";

enum {
    FEATURE_PACKED = 1,   /* gzip can be sent */
    FEATURE_SHA256 = 2,   /* an answer with SHA-256 can be given */
    FEATURE_EXTENDED = 4, /* flags and a type of update */
    FEATURE_NOISE = 8,
    FLAG_PACKED = 1,
    FLAG_NOISE = 4,
};

enum {
    REPLY_OK = 0x00,
    REPLY_MD5_CHALLENGE = 0x01,
    REPLY_SHA256_CHALLENGE = 0x02,
    REPLY_PLAIN = 0x40,
    REPLY_AUTHENTICATED = 0x41,
    REPLY_PREPARED = 0x42,
    REPLY_ACCEPTED = 0x43,
    REPLY_RECEIVED = 0x44,
    REPLY_INSTALLED = 0x45,
    REPLY_PACKED = 0x46,
    REPLY_CHUNK = 0x47,
    REPLY_EXTENDED = 0x48,
};

enum { VERSION_MIN = 1, VERSION_MAX = 2 };
enum { TYPE_APP = 0 };
enum { REASON_MAX = 4 * FRAME_PAYLOAD_MAX + 1 };
enum { HANDSHAKE_SIZE = FRAME_HEADER_SIZE + 1 + NOISE_MESSAGE_SIZE };

/* The largest unit is a cnonce or an answer, and a step has one or two units. The greeting and the
 * handshake are no units. */
_Static_assert(sizeof((struct auth_answer *)0)->cnonce - 1 <= EXCHANGE_UNIT_MAX &&
                   sizeof((struct auth_answer *)0)->response - 1 <= EXCHANGE_UNIT_MAX &&
                   sizeof MAGIC <= EXCHANGE_OUTPUT_MAX &&
                   (size_t)HANDSHAKE_SIZE <= EXCHANGE_OUTPUT_MAX,
               "each step has room in the output");

/* -- output and ends -- */

/* The caller has filled in failure. A part of a step is not sent. */
static enum exchange_event end_failed(struct exchange *exchange)
{
    exchange->step = EXCHANGE_OVER;
    exchange->output_length = 0;
    return EXCHANGE_FAILED;
}

static enum exchange_event __attribute__((format(printf, 3, 4)))
fail_exchange(struct exchange *exchange, enum ota_error error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    ota_vfail(&exchange->failure, error, format, arguments);
    va_end(arguments);
    return end_failed(exchange);
}

static enum exchange_event fail_crypto(struct exchange *exchange)
{
    ota_fail_errno(&exchange->failure, OTA_E_INTERNAL, digest_errno(),
                   "cannot compute what the protocol needs: %s", digest_error());
    return end_failed(exchange);
}

/* Takes room in the output. Returns NULL, with failure filled in, if a step is larger than all that
 * EXCHANGE_OUTPUT_MAX was made for: behind the output stands its length. */
static unsigned char *reserve_output(struct exchange *exchange, size_t length)
{
    unsigned char *place = exchange->output + exchange->output_length;

    if (length > sizeof exchange->output - exchange->output_length) {
        fail_exchange(exchange, OTA_E_INTERNAL, "a step of %zu bytes finds no room in the output",
                      length);
        return NULL;
    }
    exchange->output_length += length;
    return place;
}

/* Adds one unit of the protocol to the output: in a frame of its own when encrypted. Returns false
 * if failure was filled in. */
static bool put_unit(struct exchange *exchange, const void *unit, size_t length)
{
    const size_t overhead = exchange->noise ? EXCHANGE_FRAME_OVERHEAD : 0;
    unsigned char *place = reserve_output(exchange, overhead + length);

    if (!place)
        return false;
    if (!exchange->noise) {
        memcpy(place, unit, length);
        return true;
    }
    frame_write_header(place, length + NOISE_TAG_SIZE);
    if (noise_seal(exchange->noise, place + FRAME_HEADER_SIZE, unit, length) == 0)
        return true;
    fail_crypto(exchange);
    return false;
}

static unsigned char features_of(const struct exchange *exchange)
{
    const struct exchange_config *config = &exchange->config;

    return (unsigned char)(FEATURE_SHA256 | FEATURE_EXTENDED |
                           (config->packed.size > 0 ? FEATURE_PACKED : 0) |
                           (config->key ? FEATURE_NOISE : 0));
}

void exchange_start(struct exchange *exchange, const struct exchange_config *config)
{
    *exchange = (struct exchange){.config = *config, .shortages = crypto_shortages()};
    put_unit(exchange, MAGIC, sizeof MAGIC);
}

void exchange_clear(struct exchange *exchange)
{
    noise_free(exchange->noise);
    exchange->noise = NULL;
    digest_cleanse(&exchange->answer, sizeof exchange->answer);
    digest_cleanse(exchange->output, sizeof exchange->output);
}

/* -- replies: one function for each step -- */

static enum exchange_event fail_unexpected(struct exchange *exchange, unsigned char byte)
{
    return fail_exchange(exchange, exchange->is_accepted ? OTA_E_BOARD : OTA_E_REFUSED,
                         "the board sent 0x%02X, which has no meaning at this point", byte);
}

/* What a board sends whose read of our bytes failed after it had prepared its flash: its result so
 * far. Older ones wait for the MD5 for a second only. */
static enum exchange_event fail_given_up(struct exchange *exchange)
{
    return fail_exchange(exchange, exchange->is_accepted ? OTA_E_LOST : OTA_E_NO_ANSWER,
                         "the board gave up waiting for our bytes (0x00)");
}

static enum exchange_event take_greeting(struct exchange *exchange, unsigned char byte)
{
    if (byte != REPLY_OK)
        return fail_exchange(exchange, OTA_E_NO_ANSWER,
                             "the answer is not from ESPHome's OTA service: it began with 0x%02X",
                             byte);
    exchange->step = EXCHANGE_VERSION;
    return EXCHANGE_NOTHING;
}

static enum exchange_event take_version(struct exchange *exchange, unsigned char byte)
{
    const unsigned char features = features_of(exchange);

    exchange->version = byte;
    if (byte < VERSION_MIN || byte > VERSION_MAX)
        return fail_exchange(exchange, OTA_E_REFUSED,
                             "the board wants version %u of ESPHome's OTA protocol; this program "
                             "knows %d and %d",
                             byte, VERSION_MIN, VERSION_MAX);
    exchange->step = EXCHANGE_FEATURES;
    return put_unit(exchange, &features, 1) ? EXCHANGE_NOTHING : EXCHANGE_FAILED;
}

/* Chooses what is sent. */
static enum exchange_event choose_content(struct exchange *exchange, bool wants_packed)
{
    const struct exchange_config *config = &exchange->config;

    exchange->content = wants_packed ? &config->packed : &config->plain;
    if (exchange->content->size > 0)
        return EXCHANGE_NOTHING;
    return fail_exchange(exchange, OTA_E_REFUSED,
                         wants_packed ? "the board asks for a compressed image, and this one is not"
                                      : "the board does not unpack images, and this one is "
                                        "compressed");
}

/* Sends our part of the handshake. The prologue binds what went in the clear before it. */
static enum exchange_event begin_encryption(struct exchange *exchange, unsigned char flags)
{
    const unsigned char clear[] = {
        REPLY_OK, (unsigned char)exchange->version, features_of(exchange), REPLY_EXTENDED, flags,
    };
    enum { NAME = sizeof PROLOGUE_NAME - 1, LENGTH = NAME + sizeof MAGIC + sizeof clear };
    unsigned char prologue[LENGTH];

    memcpy(prologue, PROLOGUE_NAME, NAME);
    memcpy(prologue + NAME, MAGIC, sizeof MAGIC);
    memcpy(prologue + NAME + sizeof MAGIC, clear, sizeof clear);
    struct noise *noise =
        noise_new(exchange->config.key, prologue, sizeof prologue, exchange->config.ephemeral);
    exchange->noise = noise;
    if (!noise)
        return fail_crypto(exchange);

    unsigned char *output = reserve_output(exchange, HANDSHAKE_SIZE);
    if (!output)
        return EXCHANGE_FAILED;
    frame_write_header(output, 1 + NOISE_MESSAGE_SIZE);
    output[FRAME_HEADER_SIZE] = 0;
    exchange->step = EXCHANGE_HANDSHAKE;
    return noise_write_message(noise, output + FRAME_HEADER_SIZE + 1) == 0 ? EXCHANGE_NOTHING
                                                                           : fail_crypto(exchange);
}

static enum exchange_event fail_in_clear(struct exchange *exchange)
{
    return fail_exchange(exchange, OTA_E_NO_ENCRYPTION,
                         "an encryption key was given, and the board offers no encryption; "
                         "nothing of the image was sent");
}

static enum exchange_event take_features(struct exchange *exchange, unsigned char byte)
{
    if (byte == REPLY_EXTENDED) {
        exchange->is_extended = true;
        exchange->step = EXCHANGE_FLAGS;
        return EXCHANGE_NOTHING;
    }
    if (byte != REPLY_PLAIN && byte != REPLY_PACKED)
        return fail_unexpected(exchange, byte);
    if (exchange->config.key)
        return fail_in_clear(exchange);

    exchange->step = EXCHANGE_AUTH;
    return choose_content(exchange, byte == REPLY_PACKED);
}

static enum exchange_event take_flags(struct exchange *exchange, unsigned char flags)
{
    enum exchange_event event;

    exchange->step = EXCHANGE_AUTH;
    if (exchange->config.key && !(flags & FLAG_NOISE))
        return fail_in_clear(exchange);
    event = choose_content(exchange, flags & FLAG_PACKED);
    if (event == EXCHANGE_FAILED || !exchange->config.key)
        return event;
    return begin_encryption(exchange, flags);
}

/* -- authentication -- */

/* Sends what is to come. */
static enum exchange_event announce_image(struct exchange *exchange)
{
    const size_t size = exchange->content->size;
    const unsigned char type = TYPE_APP;
    const unsigned char bytes[] = {(unsigned char)(size >> 24), (unsigned char)(size >> 16),
                                   (unsigned char)(size >> 8), (unsigned char)size};

    exchange->step = EXCHANGE_PREPARE;
    if (exchange->is_extended && !put_unit(exchange, &type, 1))
        return EXCHANGE_FAILED;
    return put_unit(exchange, bytes, sizeof bytes) ? EXCHANGE_NOTHING : EXCHANGE_FAILED;
}

static enum exchange_event take_no_password(struct exchange *exchange)
{
    if (!exchange->noise && !trust_unasked(exchange->config.trust, &exchange->failure))
        return end_failed(exchange);
    if (announce_image(exchange) == EXCHANGE_FAILED)
        return EXCHANGE_FAILED;
    return exchange->noise ? EXCHANGE_NOTHING : EXCHANGE_OPEN;
}

/* The first byte of a challenge. */
static enum exchange_event take_challenge(struct exchange *exchange, enum auth_scheme scheme)
{
    struct trust *trust = exchange->config.trust;

    if (!trust_allows(trust, trust_strength(scheme), false, &exchange->failure))
        return end_failed(exchange);

    trust_challenged(trust, trust_strength(scheme));
    exchange->scheme = scheme;
    exchange->nonce_length = 0;
    exchange->step = EXCHANGE_NONCE;
    return EXCHANGE_NOTHING;
}

static enum exchange_event take_auth(struct exchange *exchange, unsigned char byte)
{
    if (byte == REPLY_AUTHENTICATED)
        return take_no_password(exchange);
    if (byte == REPLY_MD5_CHALLENGE)
        return take_challenge(exchange, AUTH_MD5);
    if (byte == REPLY_SHA256_CHALLENGE)
        return take_challenge(exchange, AUTH_SHA256);
    return fail_unexpected(exchange, byte);
}

static enum exchange_event answer_challenge(struct exchange *exchange)
{
    const struct exchange_config *config = &exchange->config;
    const size_t digits = exchange->nonce_length;

    if (!config->password || !*config->password) {
        exchange->step = EXCHANGE_OVER;
        return EXCHANGE_NO_PASSWORD;
    }
    if (trust_fail_spent(config->trust, trust_strength(exchange->scheme), &exchange->failure))
        return end_failed(exchange);
    if (auth_respond_plainly(&exchange->answer, exchange->scheme, config->password, exchange->nonce,
                             config->cnonce) != 0)
        return fail_crypto(exchange);
    /* The board's words, and later its log, must not show the answer. */
    if (config->echo && !echo_learn(config->echo, NULL, &exchange->answer, &exchange->failure))
        return end_failed(exchange);

    exchange->step = EXCHANGE_VERDICT;
    if (!put_unit(exchange, exchange->answer.cnonce, digits) ||
        !put_unit(exchange, exchange->answer.response, digits))
        return EXCHANGE_FAILED;
    trust_answered(config->trust, trust_strength(exchange->scheme));
    return EXCHANGE_ANSWERED;
}

static enum exchange_event take_nonce(struct exchange *exchange, unsigned char byte)
{
    const size_t digits = exchange->scheme == AUTH_MD5 ? DIGEST_MD5_HEX : DIGEST_SHA256_HEX;

    if (hex_value(byte) < 0)
        return fail_unexpected(exchange, byte);
    exchange->nonce[exchange->nonce_length++] = (char)byte;
    exchange->nonce[exchange->nonce_length] = '\0';
    return exchange->nonce_length < digits ? EXCHANGE_NOTHING : answer_challenge(exchange);
}

/* A board that speaks before it can have our answer does not speak of it. */
static enum exchange_event fail_early(struct exchange *exchange, unsigned char byte)
{
    return fail_exchange(exchange, OTA_E_REFUSED,
                         "the board sent 0x%02X before it could have the answer to its challenge",
                         byte);
}

static enum exchange_event take_auth_verdict(struct exchange *exchange, unsigned char byte)
{
    if (byte != REPLY_AUTHENTICATED)
        return fail_unexpected(exchange, byte);
    return announce_image(exchange) == EXCHANGE_FAILED ? EXCHANGE_FAILED : EXCHANGE_AUTHENTICATED;
}

/* -- the image -- */

static enum exchange_event take_prepared(struct exchange *exchange, unsigned char byte)
{
    if (byte != REPLY_PREPARED)
        return fail_unexpected(exchange, byte);
    exchange->step = EXCHANGE_ACCEPT;
    return put_unit(exchange, exchange->content->md5, DIGEST_MD5_HEX) ? EXCHANGE_NOTHING
                                                                      : EXCHANGE_FAILED;
}

static enum exchange_event take_acceptance(struct exchange *exchange, unsigned char byte)
{
    if (byte == REPLY_OK)
        return fail_given_up(exchange);
    if (byte != REPLY_ACCEPTED)
        return fail_unexpected(exchange, byte);
    exchange->step = EXCHANGE_DATA;
    exchange->is_accepted = true;
    trust_connected(exchange->config.trust);
    return EXCHANGE_READY;
}

static enum exchange_event take_progress(struct exchange *exchange, unsigned char byte)
{
    if (byte == REPLY_CHUNK)
        return EXCHANGE_ALIVE;
    if (byte == REPLY_OK)
        return fail_given_up(exchange);
    if (byte != REPLY_RECEIVED && byte != REPLY_INSTALLED)
        return fail_unexpected(exchange, byte);
    if (exchange->taken < exchange->content->size)
        return fail_exchange(exchange, OTA_E_EARLY_OK,
                             "the board said that it has the image when it had only %zu of %zu "
                             "bytes",
                             exchange->taken, exchange->content->size);
    if (byte == REPLY_INSTALLED)
        return fail_unexpected(exchange, byte);
    exchange->step = EXCHANGE_RESULT;
    return EXCHANGE_RECEIVED;
}

static enum exchange_event take_result(struct exchange *exchange, unsigned char byte)
{
    const unsigned char thanks = 0;

    if (byte != REPLY_INSTALLED)
        return fail_unexpected(exchange, byte);
    put_unit(exchange, &thanks, 1); /* the board would restart without it, later */
    exchange->step = EXCHANGE_OVER;
    return EXCHANGE_INSTALLED;
}

/* A byte of the protocol, as it comes in the clear or in a frame. */
static enum exchange_event take_byte(struct exchange *exchange, unsigned char byte)
{
    static enum exchange_event (*const steps[])(struct exchange *, unsigned char) = {
        [EXCHANGE_GREETING] = take_greeting,
        [EXCHANGE_VERSION] = take_version,
        [EXCHANGE_FEATURES] = take_features,
        [EXCHANGE_FLAGS] = take_flags,
        [EXCHANGE_AUTH] = take_auth,
        [EXCHANGE_NONCE] = take_nonce,
        [EXCHANGE_VERDICT] = take_auth_verdict,
        [EXCHANGE_PREPARE] = take_prepared,
        [EXCHANGE_ACCEPT] = take_acceptance,
        [EXCHANGE_DATA] = take_progress,
        [EXCHANGE_RESULT] = take_result,
    };
    bool is_reply = exchange->step != EXCHANGE_VERSION && exchange->step != EXCHANGE_FLAGS;

    if (exchange->step == EXCHANGE_VERDICT && exchange->is_early)
        return fail_early(exchange, byte);
    if (!is_reply || !board_error_is(byte))
        return steps[exchange->step](exchange, byte);

    board_error_tell(&exchange->failure, byte, exchange->is_accepted);
    return end_failed(exchange);
}

/* -- frames -- */

/* The board's part of the handshake, or the reason why it ends it. */
static enum exchange_event take_handshake(struct exchange *exchange)
{
    const unsigned char *payload = exchange->frame.payload;
    const size_t length = frame_length(&exchange->frame);
    char reason[REASON_MAX];

    if (payload[0] != 0) {
        escape_text(reason, sizeof reason, (const char *)payload + 1, length - 1);
        const char *shown = echo_hide(exchange->config.echo, reason);

        if (strstr(shown, "MAC"))
            return fail_exchange(exchange, OTA_E_WRONG_KEY,
                                 "the board has another encryption key (%s)", shown);
        return fail_exchange(exchange, OTA_E_NO_ENCRYPTION,
                             "the board ended the handshake of the encryption: %s", shown);
    }
    bool is_right =
        length == 1 + NOISE_MESSAGE_SIZE && noise_read_message(exchange->noise, payload + 1) == 0;
    if (!is_right && crypto_shortages() != exchange->shortages)
        return fail_crypto(exchange);
    if (!is_right)
        return fail_exchange(exchange, OTA_E_WRONG_KEY,
                             "the board's part of the handshake does not fit the encryption key");
    exchange->step = EXCHANGE_AUTH;
    return EXCHANGE_ENCRYPTED;
}

/* After the handshake each frame of the board has one byte. */
static enum exchange_event take_sealed(struct exchange *exchange)
{
    unsigned char byte;

    bool is_right =
        frame_length(&exchange->frame) == 1 + NOISE_TAG_SIZE &&
        noise_open(exchange->noise, &byte, exchange->frame.payload, 1 + NOISE_TAG_SIZE) == 0;
    if (!is_right && crypto_shortages() != exchange->shortages)
        return fail_crypto(exchange);
    if (!is_right)
        return fail_exchange(exchange, exchange->is_accepted ? OTA_E_LOST : OTA_E_NO_ENCRYPTION,
                             "a message of the board is damaged or forged");
    return take_byte(exchange, byte);
}

static enum exchange_event take_framed(struct exchange *exchange, unsigned char byte)
{
    switch (frame_add(&exchange->frame, byte)) {
    case FRAME_INCOMPLETE:
        return EXCHANGE_NOTHING;
    case FRAME_COMPLETE:
        return exchange->step == EXCHANGE_HANDSHAKE ? take_handshake(exchange)
                                                    : take_sealed(exchange);
    case FRAME_INVALID:
        break;
    }
    /* A board that gives up may say so without encryption. Once it has the image, such an error is
     * not trusted: anybody in between could have sent it. */
    if (!exchange->is_accepted && exchange->frame.count == 1 && board_error_is(byte)) {
        board_error_tell(&exchange->failure, byte, exchange->is_accepted);
        return end_failed(exchange);
    }
    return fail_exchange(exchange, exchange->is_accepted ? OTA_E_LOST : OTA_E_NO_ENCRYPTION,
                         "the board sent something that is not encrypted");
}

size_t exchange_feed(struct exchange *exchange, enum exchange_event *event, const void *bytes,
                     size_t length)
{
    const unsigned char *at = bytes;
    size_t taken = 0;

    *event = EXCHANGE_NOTHING;
    while (taken < length && *event == EXCHANGE_NOTHING && exchange->output_length == 0 &&
           exchange->step != EXCHANGE_OVER) {
        exchange->reached = exchange->step;
        *event =
            exchange->noise ? take_framed(exchange, at[taken]) : take_byte(exchange, at[taken]);
        taken++;
    }
    if (taken > 0 && exchange->output_length > 0)
        exchange->is_early = taken < length;
    return exchange->step == EXCHANGE_OVER ? length : taken;
}

/* -- data -- */

static size_t minimum(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t exchange_take_data(struct exchange *exchange, unsigned char *target, size_t capacity)
{
    const struct exchange_content *content = exchange->content;
    const unsigned char *next = content->data + exchange->taken;
    size_t left = content->size - exchange->taken, written = 0;

    if (!exchange->noise) {
        written = minimum(left, capacity);
        memcpy(target, next, written);
        exchange->taken += written;
        return written;
    }

    while (left > 0 && capacity - written > EXCHANGE_FRAME_OVERHEAD + EXCHANGE_DATA_MAX) {
        size_t length = minimum(left, EXCHANGE_DATA_MAX);

        frame_write_header(target + written, length + NOISE_TAG_SIZE);
        if (noise_seal(exchange->noise, target + written + FRAME_HEADER_SIZE, next, length) != 0) {
            fail_crypto(exchange);
            return 0;
        }
        written += EXCHANGE_FRAME_OVERHEAD + length;
        exchange->taken += length;
        next += length;
        left -= length;
    }
    return written;
}

size_t exchange_carried(const struct exchange *exchange, size_t sent)
{
    const size_t frame = EXCHANGE_FRAME_OVERHEAD + EXCHANGE_DATA_MAX;
    const size_t rest = sent % frame;

    if (!exchange->noise)
        return sent;
    return sent / frame * EXCHANGE_DATA_MAX +
           (rest > EXCHANGE_FRAME_OVERHEAD ? rest - EXCHANGE_FRAME_OVERHEAD : 0);
}
