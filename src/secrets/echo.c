/*
 * echo.c: finds answers, hashes and keys by their runs of letters and digits, and secrets that are
 * words.
 */
#include "secrets/echo.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "secrets/encryption_key.h"

#include <ctype.h>
#include <string.h>

/* A part has ECHO_DIGITS symbols: letters without their case (10 to 35) and digits, in base64 as in
 * hexadecimal. */
enum { SYMBOL_BITS = 6, HEX_SYMBOLS = 16 };

static const uint64_t PART_MASK = (UINT64_C(1) << ECHO_DIGITS * SYMBOL_BITS) - 1;

/* The value of a letter or digit, or -1. */
static int symbol_of(unsigned char byte)
{
    static const char symbols[] =
        "0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *found = byte ? strchr(symbols, byte) : NULL;

    return found ? (int)((found - symbols) % 36) : -1;
}

/* The value of a full-width letter or digit, or -1. */
static int wide_symbol_of(uint32_t character)
{
    static const struct {
        uint32_t first, count;
        int value;
    } ranges[] = {{0xFF10, 10, 0}, {0xFF21, 26, 10}, {0xFF41, 26, 10}};

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (character >= ranges[i].first && character - ranges[i].first < ranges[i].count)
            return ranges[i].value + (int)(character - ranges[i].first);
    return -1;
}

/* The value of the symbol that ends with the next byte of a stream, or -1. */
static int take_symbol(struct echo_window *window, unsigned char byte)
{
    const unsigned char bytes[] = {window->before[0], window->before[1], byte};
    uint32_t character;

    window->before[0] = bytes[1];
    window->before[1] = byte;
    if (byte >= 0x80 && utf8_decode(&character, bytes, sizeof bytes) == sizeof bytes)
        return wide_symbol_of(character);
    return symbol_of(byte);
}

/* Adds a symbol. Returns whether there are enough of them for a part. */
static bool push_symbol(struct echo_run *run, int symbol)
{
    run->value = (run->value << SYMBOL_BITS | (uint64_t)symbol) & PART_MASK;
    if (run->count < ECHO_DIGITS)
        run->count++;
    return run->count == ECHO_DIGITS;
}

/* The index of the first part that is not below value. */
static size_t find_part_place(const uint64_t *parts, size_t count, uint64_t value)
{
    size_t first = 0;

    while (first < count) {
        size_t middle = first + (count - first) / 2;

        if (parts[middle] < value)
            first = middle + 1;
        else
            count = middle;
    }
    return first;
}

static bool is_part(const uint64_t *parts, size_t count, uint64_t value)
{
    size_t place = find_part_place(parts, count, value);

    return place < count && parts[place] == value;
}

/* -- learning -- */

/* Inserts the parts of secret, which has no full-width letters; echo->parts has room for them.
 * qsort() would leave copies elsewhere. */
static void add_parts(struct echo *echo, const char *secret)
{
    struct echo_run run = {0};

    for (; *secret; secret++) {
        int symbol = symbol_of((unsigned char)*secret);

        if (symbol < 0 || !push_symbol(&run, symbol) ||
            is_part(echo->parts, echo->count, run.value))
            continue;

        uint64_t *place = echo->parts + find_part_place(echo->parts, echo->count, run.value);
        size_t behind = (size_t)(echo->parts + echo->count - place);

        memmove(place + 1, place, behind * sizeof *place);
        *place = run.value;
        echo->count++;
    }
}

/* Makes a copy of echo with room for the parts of size more symbols. False when memory ran out. */
static bool copy_with_room(struct echo *more, const struct echo *echo, size_t size)
{
    *more = *echo;
    more->parts = secret_alloc((echo->count + size) * sizeof *more->parts);
    if (more->parts && echo->count)
        memcpy(more->parts, echo->parts, echo->count * sizeof *more->parts);
    return more->parts;
}

static void replace(struct echo *echo, const struct echo *more)
{
    echo_clear(echo);
    *echo = *more;
}

/* Returns -1 when libcrypto fails. */
static int add_hashes(struct echo *echo, const char *password)
{
    char md5[DIGEST_MD5_HEX + 1] = "", sha256[DIGEST_SHA256_HEX + 1] = "";
    int rc = digest_md5(md5, password, strlen(password));

    if (rc == 0)
        rc = digest_sha256(sha256, password, strlen(password));
    if (rc == 0) {
        add_parts(echo, md5);
        add_parts(echo, sha256);
    }

    digest_cleanse(md5, sizeof md5);
    digest_cleanse(sha256, sizeof sha256);
    return rc;
}

bool echo_learn(struct echo *echo, const char *password, const struct auth_answer *answer,
                struct ota_failure *failure)
{
    const bool is_hashed = password && *password;
    size_t size = answer ? 2 * DIGEST_SHA256_HEX : 0;
    struct echo more;

    if (is_hashed)
        size += DIGEST_SHA256_HEX + DIGEST_MD5_HEX;
    if (size == 0)
        return true;
    if (!copy_with_room(&more, echo, size)) {
        ota_fail_no_memory(failure);
        return false;
    }

    if (answer) {
        add_parts(&more, answer->cnonce);
        add_parts(&more, answer->response);
    }
    if (is_hashed && add_hashes(&more, password) < 0) {
        ota_fail_errno(failure, OTA_E_INTERNAL, digest_errno(),
                       "cannot compute the hashes of the password: %s", digest_error());
        echo_clear(&more);
        return false;
    }
    replace(echo, &more);
    return true;
}

bool echo_learn_key(struct echo *echo, const unsigned char *key)
{
    enum { HEX = 2 * ENCRYPTION_KEY_SIZE };
    char base64[BASE64_SIZE(ENCRYPTION_KEY_SIZE)], hex[HEX + 1];
    struct echo more;

    if (!copy_with_room(&more, echo, sizeof base64 + sizeof hex))
        return false;

    base64_encode(base64, key, ENCRYPTION_KEY_SIZE);
    hex_encode(hex, key, ENCRYPTION_KEY_SIZE);
    add_parts(&more, base64);
    add_parts(&more, hex);
    digest_cleanse(base64, sizeof base64);
    digest_cleanse(hex, sizeof hex);
    replace(echo, &more);
    return true;
}

void echo_clear(struct echo *echo)
{
    secret_free(echo->parts);
    *echo = (struct echo){0};
}

/* -- matching -- */

/* The length of an escape sequence with digits or letters (\n, \x1b, \u00ad, \U000e0041), or 0 if
 * there is none. */
static size_t escape_length(const unsigned char *bytes, size_t length)
{
    if (length < 2 || bytes[0] != '\\')
        return 0;
    if (memchr("nrt", bytes[1], 3))
        return 2;
    size_t size = bytes[1] == 'x' ? 4 : bytes[1] == 'u' ? 6 : bytes[1] == 'U' ? 10 : 0;

    if (size > length)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (hex_value(bytes[i]) < 0)
            return 0;
    return size;
}

/* Adds a symbol. Returns whether it completes a part: of letters and digits, or of hexadecimal
 * digits, which may have letters between them. */
static bool completes_part(const struct echo *echo, struct echo_runs *runs, int symbol)
{
    bool is_echo =
        push_symbol(&runs->all, symbol) && is_part(echo->parts, echo->count, runs->all.value);

    if (symbol < HEX_SYMBOLS && push_symbol(&runs->digits, symbol))
        is_echo |= is_part(echo->parts, echo->count, runs->digits.value);
    return is_echo;
}

bool echo_is_completed(const struct echo *echo, struct echo_window *window, const void *bytes,
                       size_t length)
{
    const unsigned char *at = bytes;
    size_t skipped = 0; /* bytes of an escape sequence that are still to come */
    bool is_echo = false;

    if (!echo)
        return false;

    for (; length > 0; at++, length--) {
        int symbol = take_symbol(window, *at);

        if (skipped == 0)
            skipped = escape_length(at, length);
        if (symbol >= 0)
            is_echo |= completes_part(echo, &window->plain, symbol);
        if (symbol >= 0 && skipped == 0)
            is_echo |= completes_part(echo, &window->escaped, symbol);
        skipped -= skipped > 0;
    }
    return is_echo;
}

bool echo_hear(struct echo *echo, enum echo_stream stream, const void *bytes, size_t length)
{
    return echo && echo_is_completed(echo, &echo->windows[stream], bytes, length);
}

const char *echo_hide(const struct echo *echo, const char *text)
{
    struct echo_window window = {0};

    return echo_is_completed(echo, &window, text, strlen(text)) ? ECHO_NOTE : text;
}

/* -- words -- */

/* Anything but ASCII's letters and digits, and bytes of other characters. */
static bool is_separator(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte < 0x80 && !isalnum(byte);
}

static const char *skip_separators(const char *at)
{
    while (*at && is_separator(*at))
        at++;
    return at;
}

static bool is_same_folded(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* How many letters and digits of both texts are alike from their start on, at most limit. */
static size_t count_alike(const char *text, const char *secret, size_t limit)
{
    size_t count = 0;

    while (count < limit) {
        text = skip_separators(text);
        secret = skip_separators(secret);
        if (!*secret || !is_same_folded(*text++, *secret++))
            break;
        count++;
    }
    return count;
}

bool echo_has_words(const char *text, const char *secret, size_t length)
{
    size_t size = count_alike(secret, secret, SIZE_MAX);

    if (size < ECHO_SECRET_MIN)
        return false;
    if (length > size)
        length = size;

    for (size_t first = 0; first + length <= size; first++) {
        for (const char *at = text; *at; at++)
            if (count_alike(at, secret, length) == length)
                return true;
        secret = skip_separators(secret) + 1;
    }
    return false;
}
