/*
 * test-exchange.c: whole exchanges, byte by byte, and boards that do not keep to the protocol.
 */
#include "support/failing.h"
#include "support/hex.h"
#include "upload/esphome/exchange.h"

#include "base/base64.h"
#include "base/error.h"
#include "secrets/echo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MD5 "0123456789abcdef0123456789abcdef"
#define MD5_HEX "3031323334353637383961626364656630313233343536373839616263646566"
#define NONCE32 "3030303030303030303030303030303030303030303030303030303030303030"
#define CNONCE32 "11111111111111111111111111111111"
#define CNONCE64 CNONCE32 CNONCE32
#define HELLO "6c26f75c45"

enum { HEX_MAX = 8192 };

bool __wrap_echo_learn(struct echo *echo, const char *password, const struct auth_answer *answer,
                       struct ota_failure *failure);

/* Of test_answer_that_cannot_be_hidden: elsewhere nothing is to be hidden. */
bool __wrap_echo_learn(struct echo *echo, const char *password, const struct auth_answer *answer,
                       struct ota_failure *failure)
{
    assert_non_null(echo);
    assert_null(password);
    assert_string_equal(answer->cnonce, CNONCE32);
    ota_fail_no_memory(failure);
    return false;
}

static const unsigned char image[] = {0xE9, 1, 2, 3, 4}, packed[] = {0x1F, 0x8B, 8};

/* A letter for each event. */
static const char event_letters[] = ".EAUOPRC4IF";

static void to_hex(char *hex, const unsigned char *bytes, size_t count)
{
    *hex = '\0';
    for (size_t i = 0; i < count; i++)
        sprintf(hex + 2 * i, "%02x", bytes[i]);
}

struct dialog {
    const char *name;
    const char *board;  /* hex of all that the board sends */
    const char *host;   /* hex of all that it gets, without the greeting */
    const char *events; /* letters of event_letters */
    enum ota_error error;
    const char *message; /* a part of it */
    const char *password;
    bool has_packed, has_key;
    bool is_early; /* the board does not wait for what it replies to */
    struct trust trust;
};

/* hex: what the host sent; events: one letter each. */
static void check_dialog(const struct dialog *row, const struct exchange *exchange, const char *hex,
                         const char *events)
{
    if (strncmp(hex, HELLO, strlen(HELLO)) != 0 || strcmp(hex + strlen(HELLO), row->host) != 0)
        fail_msg("%s: sent %s", row->name, hex);
    if (strcmp(events, row->events) != 0)
        fail_msg("%s: events %s", row->name, events);
    if (exchange->failure.error != row->error)
        fail_msg("%s: error %s", row->name, ota_error_name(exchange->failure.error));
    if (row->message && !strstr(exchange->failure.message, row->message))
        fail_msg("%s: \"%s\"", row->name, exchange->failure.message);
}

/* Runs the board's side, one byte at a time if is_slow. */
static void run_dialog(const struct dialog *row, bool is_slow)
{
    static unsigned char psk[NOISE_KEY_SIZE];
    struct trust trust = row->trust;
    const bool is_md5 = strstr(row->board, "01" NONCE32) != NULL;
    const struct exchange_config config = {
        .plain = {image, sizeof image, MD5},
        .packed = {packed, row->has_packed ? sizeof packed : 0, MD5},
        .key = row->has_key ? psk : NULL,
        .password = row->password,
        .trust = &trust,
        .cnonce = is_md5 ? CNONCE32 : CNONCE64,
    };
    unsigned char board[HEX_MAX], host[HEX_MAX], data[64];
    char hex[2 * HEX_MAX], events[64] = "";
    size_t length = hex_decode(board, sizeof board, row->board), sent = 0, at = 0, count = 0;
    struct exchange exchange;

    exchange_start(&exchange, &config);
    while (true) {
        enum exchange_event event;

        memcpy(host + sent, exchange.output, exchange.output_length);
        sent += exchange.output_length;
        exchange.output_length = 0;
        if (!row->is_early)
            exchange.is_early = false;
        if (at == length || exchange.step == EXCHANGE_OVER)
            break;
        at += exchange_feed(&exchange, &event, board + at, is_slow ? 1 : length - at);
        if (event != EXCHANGE_NOTHING)
            events[count++] = event_letters[event];
        if (event == EXCHANGE_READY) {
            size_t taken = exchange_take_data(&exchange, data, sizeof data);
            memcpy(host + sent, data, taken);
            sent += taken;
        }
    }

    to_hex(hex, host, sent);
    check_dialog(row, &exchange, hex, events);
    exchange_clear(&exchange);
}

#define SIZE5 "00000005"
#define DATA5 "e901020304"
#define SEND5 SIZE5 MD5_HEX DATA5

/* cnonce, and MD5 or SHA-256 of "secret", the nonce and the cnonce (Python's hashlib). */
#define ANSWER_MD5                                                                                 \
    "3131313131313131313131313131313131313131313131313131313131313131"                             \
    "6566373937636532626430386161373930336537323732633831646530653731"
#define ANSWER_SHA256                                                                              \
    "3131313131313131313131313131313131313131313131313131313131313131"                             \
    "3131313131313131313131313131313131313131313131313131313131313131"                             \
    "63333838323334643163653734313331623566326336613233613531323062376463653239373236653031313136" \
    "373532636261383732363362623763653038"

static const struct dialog dialogs[] = {
    {.name = "version 1",
     .board = "00014041424344"
              "45",
     .host = "06" SEND5 "00",
     .events = "OR4I"},
    {.name = "version 2",
     .board = "000240414243474445",
     .host = "06" SEND5 "00",
     .events = "ORC4I"},
    {.name = "extended",
     .board = "00024800414243474445",
     .host = "0600" SEND5 "00",
     .events = "ORC4I"},
    {.name = "packed, asked for",
     .board = "000246414243474445",
     .host = "0700000003" MD5_HEX "1f8b08"
             "00",
     .events = "ORC4I",
     .has_packed = true},
    {.name = "packed, extended",
     .board = "00024801414243474445",
     .host = "070000000003" MD5_HEX "1f8b08"
             "00",
     .events = "ORC4I",
     .has_packed = true},
    {.name = "packed, not asked for",
     .board = "000240414243474445",
     .host = "07" SEND5 "00",
     .events = "ORC4I",
     .has_packed = true},
    {.name = "packed, not offered",
     .board = "000246",
     .host = "06",
     .events = "F",
     .error = OTA_E_REFUSED,
     .message = "compressed"},
    {.name = "MD5",
     .board = "00024001" NONCE32 "414243474445",
     .host = "06" ANSWER_MD5 SEND5 "00",
     .events = "AURC4I",
     .password = "secret"},
    {.name = "SHA-256",
     .board = "00024002" NONCE32 NONCE32 "414243474445",
     .host = "06" ANSWER_SHA256 SEND5 "00",
     .events = "AURC4I",
     .password = "secret"},
    {.name = "wrong password",
     .board = "00024002" NONCE32 NONCE32 "82",
     .host = "06" ANSWER_SHA256,
     .events = "AF",
     .error = OTA_E_WRONG_PASSWORD,
     .message = "0x82",
     .password = "secret"},
    {.name = "accepts an answer that it does not have",
     .board = "00024002" NONCE32 NONCE32 "41",
     .host = "06" ANSWER_SHA256,
     .events = "AF",
     .error = OTA_E_REFUSED,
     .message = "sent 0x41 before it could have the answer",
     .password = "secret",
     .is_early = true},
    {.name = "rejects an answer that it does not have",
     .board = "00024001" NONCE32 "82",
     .host = "06" ANSWER_MD5,
     .events = "AF",
     .error = OTA_E_REFUSED,
     .message = "sent 0x82 before it could have the answer",
     .password = "secret",
     .is_early = true},
    {.name = "early everywhere else",
     .board = "00024041424344"
              "45",
     .host = "06" SEND5 "00",
     .events = "OR4I",
     .is_early = true},
    {.name = "no password", .board = "00024002" NONCE32 NONCE32, .host = "06", .events = "P"},
    {.name = "MD5 with --min-auth",
     .board = "00024001" NONCE32,
     .host = "06",
     .events = "F",
     .error = OTA_E_WEAK_AUTH,
     .password = "secret",
     .trust = {.least = AUTH_SHA256}},
    {.name = "MD5 after SHA-256",
     .board = "00024001" NONCE32,
     .host = "06",
     .events = "F",
     .error = OTA_E_DOWNGRADE,
     .password = "secret",
     .trust = {.asked = TRUST_SHA256}},
    {.name = "no password after one",
     .board = "00024041",
     .host = "06",
     .events = "F",
     .error = OTA_E_DOWNGRADE,
     .password = "secret",
     .trust = {.door = TRUST_SHUT}},
    {.name = "nonce that is none",
     .board = "0002400230300a",
     .host = "06",
     .events = "F",
     .error = OTA_E_REFUSED,
     .message = "0x0A"},
    {.name = "encryption required",
     .board = "000294",
     .host = "06",
     .events = "F",
     .error = OTA_E_KEY_NEEDED},
    {.name = "key, and an old board",
     .board = "000240",
     .host = "0e",
     .events = "F",
     .error = OTA_E_NO_ENCRYPTION,
     .has_key = true},
    {.name = "key, and no encryption",
     .board = "00024800",
     .host = "0e",
     .events = "F",
     .error = OTA_E_NO_ENCRYPTION,
     .has_key = true},
    {.name = "another service",
     .board = "48545450",
     .host = "",
     .events = "F",
     .error = OTA_E_NO_ANSWER,
     .message = "0x48"},
    {.name = "later version",
     .board = "0003",
     .host = "",
     .events = "F",
     .error = OTA_E_REFUSED,
     .message = "version 3"},
    {.name = "error in place of the greeting",
     .board = "80",
     .host = "",
     .events = "F",
     .error = OTA_E_REFUSED},
    {.name = "no space",
     .board = "0002404189",
     .host = "06" SIZE5,
     .events = "OF",
     .error = OTA_E_REFUSED,
     .message = "app partition"},
    {.name = "error after the MD5",
     .board = "000240414281",
     .host = "06" SIZE5 MD5_HEX,
     .events = "OF",
     .error = OTA_E_REFUSED},
    {.name = "no MD5 within a second",
     .board = "000240414200",
     .host = "06" SIZE5 MD5_HEX,
     .events = "OF",
     .error = OTA_E_NO_ANSWER,
     .message = "gave up waiting"},
    {.name = "its read of the data failed",
     .board = "00024041424300",
     .host = "06" SEND5,
     .events = "ORF",
     .error = OTA_E_LOST,
     .message = "gave up waiting"},
    {.name = "error among the data",
     .board = "000240414243"
              "83",
     .host = "06" SEND5,
     .events = "ORF",
     .error = OTA_E_BOARD,
     .message = "0x83"},
    {.name = "error instead of 44",
     .board = "00024041424347"
              "8b",
     .host = "06" SEND5,
     .events = "ORCF",
     .error = OTA_E_BOARD,
     .message = "MD5"},
    {.name = "error after 44",
     .board = "0002404142434744"
              "84",
     .host = "06" SEND5,
     .events = "ORC4F",
     .error = OTA_E_BOARD},
    {.name = "45 without 44",
     .board = "0002404142434745",
     .host = "06" SEND5,
     .events = "ORCF",
     .error = OTA_E_BOARD,
     .message = "0x45"},
    {.name = "unknown error",
     .board = "0002404142434744"
              "c3",
     .host = "06" SEND5,
     .events = "ORC4F",
     .error = OTA_E_BOARD,
     .message = "0xC3"},
    {.name = "nonsense",
     .board = "0002404107",
     .host = "06" SIZE5,
     .events = "OF",
     .error = OTA_E_REFUSED,
     .message = "0x07"},
};

static void test_dialogs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dialogs / sizeof *dialogs; i++) {
        run_dialog(&dialogs[i], false);
        if (!dialogs[i].is_early)
            run_dialog(&dialogs[i], true);
    }
}

/* Nothing but 45 at its place is a success: not any other byte, at any step. */
static void test_only_success(void **state)
{
    static const unsigned char right[] = {0x00, 0x02, 0x40, 0x41, 0x42, 0x43, 0x47, 0x44, 0x45};

    (void)state;
    for (size_t place = 0; place < sizeof right; place++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            struct trust trust = {0};
            const struct exchange_config config = {.plain = {image, sizeof image, MD5},
                                                   .trust = &trust};
            unsigned char data[16];
            enum exchange_event event = EXCHANGE_NOTHING;
            struct exchange exchange;

            exchange_start(&exchange, &config);
            for (size_t i = 0; i <= place && exchange.step != EXCHANGE_OVER; i++) {
                const unsigned char reply = i == place ? (unsigned char)byte : right[i];

                exchange.output_length = 0;
                exchange_feed(&exchange, &event, &reply, 1);
                if (event == EXCHANGE_READY)
                    exchange_take_data(&exchange, data, sizeof data);
            }
            assert_int_equal(event == EXCHANGE_INSTALLED,
                             place == sizeof right - 1 && byte == 0x45);
            exchange_clear(&exchange);
        }
    }
}

/* The board says that it has all when something is still to be sent. */
static void test_early_end(void **state)
{
    static const unsigned char replies[] = {0x00, 0x02, 0x40, 0x41, 0x42, 0x43};

    (void)state;
    for (unsigned char end = 0x44; end <= 0x45; end++) {
        struct trust trust = {0};
        const struct exchange_config config = {.plain = {image, sizeof image, MD5},
                                               .trust = &trust};
        unsigned char data[4];
        enum exchange_event event;
        struct exchange exchange;

        exchange_start(&exchange, &config);
        for (size_t at = 0; at < sizeof replies; exchange.output_length = 0)
            at += exchange_feed(&exchange, &event, replies + at, sizeof replies - at);
        assert_int_equal(event, EXCHANGE_READY);
        assert_int_equal(exchange_take_data(&exchange, data, sizeof data), sizeof data);
        exchange_feed(&exchange, &event, &end, 1);
        assert_int_equal(event, EXCHANGE_FAILED);
        assert_int_equal(exchange.failure.error, OTA_E_EARLY_OK);
        exchange_clear(&exchange);
    }
}

/* -- encrypted, with the vectors of the boards' own library -- */

static char vectors[4096];

static size_t vector_bytes(unsigned char *bytes, size_t capacity, const char *name)
{
    char mark[32];

    snprintf(mark, sizeof mark, "\n%s ", name);
    const char *line = strstr(vectors, mark);
    assert_non_null(line);
    return hex_decode(bytes, capacity, line + strlen(mark));
}

static void load_vectors(void)
{
    char path[512];

    snprintf(path, sizeof path, "%s/noise.txt", getenv("ESP_OTA_VECTORS"));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    vectors[fread(vectors, 1, sizeof vectors - 1, file)] = '\0';
    fclose(file);
}

struct encrypted {
    struct exchange exchange;
    struct trust trust;
    unsigned char psk[NOISE_KEY_SIZE], ephemeral[SUITE_KEY_SIZE];
    unsigned char data[123456];
};

/* Feeds bytes in a frame. */
static enum exchange_event feed_frame(struct exchange *exchange, const unsigned char *payload,
                                      size_t length)
{
    unsigned char header[FRAME_HEADER_SIZE];
    enum exchange_event event;

    exchange->output_length = 0;
    frame_write_header(header, length);
    assert_int_equal(exchange_feed(exchange, &event, header, sizeof header), sizeof header);
    assert_int_equal(event, EXCHANGE_NOTHING);
    exchange_feed(exchange, &event, payload, length);
    return event;
}

static enum exchange_event feed_vector(struct exchange *exchange, const char *name)
{
    unsigned char bytes[HEX_MAX];
    size_t length = vector_bytes(bytes, sizeof bytes, name);

    return feed_frame(exchange, bytes, length);
}

/* Compares the output from an offset on with a frame. Returns the offset behind it. */
static size_t assert_frame(const unsigned char *output, size_t offset, const char *name)
{
    unsigned char bytes[HEX_MAX], header[FRAME_HEADER_SIZE];
    size_t length = vector_bytes(bytes, sizeof bytes, name);

    frame_write_header(header, length);
    assert_memory_equal(output + offset, header, sizeof header);
    assert_memory_equal(output + offset + sizeof header, bytes, length);
    return offset + sizeof header + length;
}

static struct encrypted *make_encrypted(void)
{
    struct encrypted *test = calloc(1, sizeof *test);

    assert_non_null(test);
    vector_bytes(test->psk, sizeof test->psk, "psk");
    vector_bytes(test->ephemeral, sizeof test->ephemeral, "e_private");
    return test;
}

/* As far as our part of the handshake; stops at the first event. */
static enum exchange_event greet(struct encrypted *test)
{
    static const unsigned char replies[] = {0x00, 0x02, 0x48, 0x04};
    const struct exchange_config config = {.plain = {test->data, sizeof test->data, MD5},
                                           .packed = {packed, sizeof packed, MD5},
                                           .key = test->psk,
                                           .trust = &test->trust,
                                           .ephemeral = test->ephemeral};
    enum exchange_event event = EXCHANGE_NOTHING;

    exchange_start(&test->exchange, &config);
    for (size_t at = 0; at < sizeof replies && event == EXCHANGE_NOTHING; at += 2) {
        test->exchange.output_length = 0;
        exchange_feed(&test->exchange, &event, replies + at, 2);
    }
    return event;
}

static struct encrypted *begin_encrypted(void)
{
    struct encrypted *test = make_encrypted();

    assert_int_equal(greet(test), EXCHANGE_NOTHING);
    return test;
}

static void end_encrypted(struct encrypted *test)
{
    exchange_clear(&test->exchange);
    free(test);
}

static void test_encrypted(void **state)
{
    struct encrypted *test = begin_encrypted();
    struct exchange *exchange = &test->exchange;
    unsigned char bytes[HEX_MAX], target[3000];
    size_t length = vector_bytes(bytes, sizeof bytes, "msg1"), end;

    (void)state;
    assert_int_equal(exchange->output_length, FRAME_HEADER_SIZE + 1 + length);
    assert_memory_equal(exchange->output, "\x01\x00\x31\x00", 4);
    assert_memory_equal(exchange->output + 4, bytes, length);

    bytes[0] = 0;
    length = vector_bytes(bytes + 1, sizeof bytes - 1, "msg2") + 1;
    assert_int_equal(feed_frame(exchange, bytes, length), EXCHANGE_ENCRYPTED);
    assert_int_equal(exchange->output_length, 0);

    assert_int_equal(feed_vector(exchange, "b2h0_cipher"), EXCHANGE_NOTHING); /* no password */
    end = assert_frame(exchange->output, 0, "h2b0_cipher");
    assert_int_equal(assert_frame(exchange->output, end, "h2b1_cipher"), exchange->output_length);
    assert_int_equal(feed_vector(exchange, "b2h1_cipher"), EXCHANGE_NOTHING);
    assert_int_equal(assert_frame(exchange->output, 0, "h2b2_cipher"), exchange->output_length);
    assert_int_equal(feed_vector(exchange, "b2h2_cipher"), EXCHANGE_READY);

    /* Two whole frames fit; the first is the vector's 1,024 zeros. */
    length = exchange_take_data(exchange, target, sizeof target);
    assert_int_equal(length, 2 * (FRAME_HEADER_SIZE + 1024 + NOISE_TAG_SIZE));
    assert_memory_equal(target, "\x01\x04\x10", FRAME_HEADER_SIZE);
    char hex[DIGEST_SHA256_HEX + 1];
    assert_int_equal(digest_sha256(hex, target + FRAME_HEADER_SIZE, 1024 + NOISE_TAG_SIZE), 0);
    assert_non_null(strstr(vectors, hex));
    assert_int_equal(exchange_carried(exchange, length), 2048);
    assert_int_equal(exchange_carried(exchange, length - 1), 2047);
    end_encrypted(test);
}

/* The exchange of test_encrypted(), up to the first data. */
static enum exchange_event run_encrypted(struct encrypted *test, unsigned char target[3000])
{
    static const char *const names[] = {"b2h0_cipher", "b2h1_cipher", "b2h2_cipher"};
    unsigned char bytes[HEX_MAX] = {0};
    const size_t length = vector_bytes(bytes + 1, sizeof bytes - 1, "msg2") + 1;
    enum exchange_event event = greet(test);

    if (event != EXCHANGE_FAILED)
        event = feed_frame(&test->exchange, bytes, length);
    for (size_t i = 0; i < sizeof names / sizeof *names && event != EXCHANGE_FAILED; i++)
        event = feed_vector(&test->exchange, names[i]);
    if (event == EXCHANGE_READY && exchange_take_data(&test->exchange, target, 3000) == 0)
        return EXCHANGE_FAILED;
    return event;
}

/* -- a password within the encryption -- */

/* The board's side once the handshake is complete: what it sends is sealed with the key that the
 * exchange opens with, and what it gets is opened with the other one. */
static struct noise *make_peer(const struct encrypted *test)
{
    struct noise *peer = noise_new(test->psk, "", 0, test->ephemeral);

    assert_non_null(peer);
    memcpy(peer->send_key, test->exchange.noise->receive_key, sizeof peer->send_key);
    memcpy(peer->receive_key, test->exchange.noise->send_key, sizeof peer->receive_key);
    return peer;
}

static enum exchange_event say_sealed(struct encrypted *test, struct noise *peer,
                                      const char *replies, size_t count)
{
    enum exchange_event event = EXCHANGE_NOTHING;

    for (size_t i = 0; i < count; i++) {
        unsigned char payload[1 + NOISE_TAG_SIZE];

        assert_int_equal(event, EXCHANGE_NOTHING);
        assert_int_equal(noise_seal(peer, payload, &replies[i], 1), 0);
        event = feed_frame(&test->exchange, payload, sizeof payload);
    }
    return event;
}

/* Opens a unit in the output from an offset on. Returns the offset behind it. */
static size_t assert_unit(const struct encrypted *test, struct noise *peer, size_t offset,
                          const char *unit, size_t length)
{
    unsigned char header[FRAME_HEADER_SIZE], plain[DIGEST_SHA256_HEX];
    const unsigned char *frame = test->exchange.output + offset;

    frame_write_header(header, length + NOISE_TAG_SIZE);
    assert_memory_equal(frame, header, sizeof header);
    assert_int_equal(noise_open(peer, plain, frame + sizeof header, length + NOISE_TAG_SIZE), 0);
    assert_memory_equal(plain, unit, length);
    return offset + sizeof header + length + NOISE_TAG_SIZE;
}

/* The longest step of all: cnonce and answer with SHA-256, each in a frame. */
static void test_encrypted_password(void **state)
{
    static const struct {
        const char *challenge, *nonce, *cnonce;
        size_t digits;
    } rows[] = {{"\x01", CNONCE32, CNONCE32, DIGEST_MD5_HEX},
                {"\x02", CNONCE64, CNONCE64, DIGEST_SHA256_HEX}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct encrypted *test = begin_encrypted();
        struct exchange *exchange = &test->exchange;
        unsigned char bytes[HEX_MAX] = {0};
        size_t length = vector_bytes(bytes + 1, sizeof bytes - 1, "msg2") + 1;

        exchange->config.password = "secret";
        exchange->config.cnonce = rows[i].cnonce;
        assert_int_equal(feed_frame(exchange, bytes, length), EXCHANGE_ENCRYPTED);
        struct noise *peer = make_peer(test);

        assert_int_equal(say_sealed(test, peer, rows[i].challenge, 1), EXCHANGE_NOTHING);
        assert_int_equal(say_sealed(test, peer, rows[i].nonce, rows[i].digits), EXCHANGE_ANSWERED);
        assert_true(exchange->output_length <= sizeof exchange->output);
        length = assert_unit(test, peer, 0, rows[i].cnonce, rows[i].digits);
        length = assert_unit(test, peer, length, exchange->answer.response, rows[i].digits);
        assert_int_equal(exchange->output_length, length);

        assert_int_equal(say_sealed(test, peer, "\x41", 1), EXCHANGE_AUTHENTICATED);
        assert_int_equal(say_sealed(test, peer, "\x42\x43", 2), EXCHANGE_READY);
        assert_int_equal(exchange->failure.error, OTA_OK);
        noise_free(peer);
        end_encrypted(test);
    }
}

/* Allocations fail, most of them libcrypto's: what goes out is right, or nothing goes out, and
 * neither the key nor the board is blamed. The later ones are alike, so some of them are enough. */
static void test_encrypted_without_memory(void **state)
{
    int after = 0, failures = 0;
    bool has_failed = true;
    (void)state;

    failing_skip_in_valgrind();
    for (; has_failed; after += after < 300 ? 1 : 17) {
        struct encrypted *test = make_encrypted();
        unsigned char target[3000];
        char hex[DIGEST_SHA256_HEX + 1];

        failing_start(FAILING_ALLOCATION, after, ENOMEM);
        enum exchange_event event = run_encrypted(test, target);
        has_failed = failing_stop();
        failures += event == EXCHANGE_FAILED;
        if (event == EXCHANGE_READY) {
            digest_sha256(hex, target + FRAME_HEADER_SIZE, 1024 + NOISE_TAG_SIZE);
            assert_non_null(strstr(vectors, hex));
        } else if (!has_failed || event != EXCHANGE_FAILED ||
                   test->exchange.failure.error != OTA_E_INTERNAL ||
                   !strstr(test->exchange.failure.message, "out of memory"))
            fail_msg("allocation %d: event %d, %s: %s", after, (int)event,
                     ota_error_name(test->exchange.failure.error), test->exchange.failure.message);
        end_encrypted(test);
    }
    assert_true(failures > 50);
}

/* Words that repeat an answer could not be recognized, so it does not leave. */
static void test_answer_that_cannot_be_hidden(void **state)
{
    struct trust trust = {0};
    struct echo echo = {0};
    const struct exchange_config config = {.plain = {image, sizeof image, MD5},
                                           .password = "secret",
                                           .trust = &trust,
                                           .cnonce = CNONCE32,
                                           .echo = &echo};
    unsigned char board[HEX_MAX];
    size_t length = hex_decode(board, sizeof board, "00024001" NONCE32), at = 0;
    enum exchange_event event = EXCHANGE_NOTHING;
    struct exchange exchange;
    (void)state;

    exchange_start(&exchange, &config);
    while (at < length && exchange.step != EXCHANGE_OVER) {
        exchange.output_length = 0;
        at += exchange_feed(&exchange, &event, board + at, length - at);
    }
    assert_int_equal(event, EXCHANGE_FAILED);
    assert_int_equal(exchange.failure.error, OTA_E_INTERNAL);
    assert_string_equal(exchange.failure.message, "out of memory");
    assert_int_equal(exchange.output_length, 0);
    exchange_clear(&exchange);
}

/* What a board, or somebody else, may send instead of its part of the handshake. */
static void test_handshake_ends(void **state)
{
    static const struct {
        unsigned char payload[64];
        size_t length;
        enum ota_error error;
        const char *message;
    } rows[] = {
        {"\x01Handshake MAC failure", 22, OTA_E_WRONG_KEY, "Handshake MAC failure"},
        {"\x01No \x1b[31m", 9, OTA_E_NO_ENCRYPTION, "No \\x1b[31m"},
        {"", 49, OTA_E_WRONG_KEY, "does not fit"},
        {"", 20, OTA_E_WRONG_KEY, "does not fit"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct encrypted *test = begin_encrypted();

        assert_int_equal(feed_frame(&test->exchange, rows[i].payload, rows[i].length),
                         EXCHANGE_FAILED);
        assert_int_equal(test->exchange.failure.error, rows[i].error);
        assert_non_null(strstr(test->exchange.failure.message, rows[i].message));
        end_encrypted(test);
    }
}

/* A part of the key is shown in no form. */
static void test_reason_with_the_key(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct encrypted *test = begin_encrypted();
        struct echo echo = {0};
        char base64[BASE64_SIZE(NOISE_KEY_SIZE)], hex[2 * NOISE_KEY_SIZE + 1];
        unsigned char payload[64] = "\x01No, ";

        base64_encode(base64, test->psk, NOISE_KEY_SIZE);
        to_hex(hex, test->psk, NOISE_KEY_SIZE);
        assert_true(echo_learn_key(&echo, test->psk));
        test->exchange.config.echo = &echo;
        snprintf((char *)payload + 5, sizeof payload - 5, "%.12s",
                 i == 2   ? "abcdefghijkl"
                 : i == 1 ? hex + 5
                          : base64 + 3);
        assert_int_equal(feed_frame(&test->exchange, payload, 17), EXCHANGE_FAILED);
        assert_non_null(strstr(test->exchange.failure.message,
                               i == 2 ? "handshake of the encryption: No, abcdefghijkl"
                                      : "handshake of the encryption: " ECHO_NOTE));
        assert_true(i == 2 || !strstr(test->exchange.failure.message, (char *)payload + 5));
        echo_clear(&echo);
        end_encrypted(test);
    }
}

/* In an encrypted exchange, only an error before the image counts if it is in the clear. */
static void test_clear_replies(void **state)
{
    static const struct {
        unsigned char byte;
        bool is_accepted;
        enum ota_error error;
    } rows[] = {{0x41, false, OTA_E_NO_ENCRYPTION}, {0x45, false, OTA_E_NO_ENCRYPTION},
                {0x81, false, OTA_E_REFUSED},       {0x45, true, OTA_E_LOST},
                {0x8C, true, OTA_E_LOST},           {0xFF, true, OTA_E_LOST}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct encrypted *test = begin_encrypted();
        unsigned char bytes[HEX_MAX] = {0};
        enum exchange_event event;

        assert_int_equal(feed_frame(&test->exchange, bytes,
                                    vector_bytes(bytes + 1, sizeof bytes - 1, "msg2") + 1),
                         EXCHANGE_ENCRYPTED);
        test->exchange.output_length = 0;
        test->exchange.is_accepted = rows[i].is_accepted;
        exchange_feed(&test->exchange, &event, &rows[i].byte, 1);
        assert_int_equal(event, EXCHANGE_FAILED);
        assert_int_equal(test->exchange.failure.error, rows[i].error);
        end_encrypted(test);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialogs),
        cmocka_unit_test(test_only_success),
        cmocka_unit_test(test_early_end),
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_handshake_ends),
        cmocka_unit_test(test_reason_with_the_key),
        cmocka_unit_test(test_answer_that_cannot_be_hidden),
        cmocka_unit_test(test_clear_replies),
        cmocka_unit_test(test_encrypted_password),
        cmocka_unit_test(test_encrypted_without_memory),
        cmocka_unit_test(test_handshake_ends), /* once more, as the shortage is over */
    };

    load_vectors();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
