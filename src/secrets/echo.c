/*
 * echo.c: finds answers and hashes by their runs of hexadecimal digits, and secrets that are words.
 */
#include "secrets/echo.h"

#include "base/secret.h"
#include "base/utf8.h"

#include <ctype.h>
#include <string.h>

_Static_assert(ECHO_DIGITS * 4 == 32, "a part fills a uint32_t");

/* The parts of an answer and of both hashes. */
enum { PARTS_MAX = 3 * DIGEST_SHA256_HEX + DIGEST_MD5_HEX };

/* The value of a hexadecimal digit, or -1. */
static int digit_of(unsigned char byte)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = byte ? strchr(digits, byte) : NULL;

    return found ? (int)((found - digits) % 16) : -1;
}

/* The value of a full-width digit, or -1. */
static int wide_digit_of(uint32_t character)
{
    static const struct {
        uint32_t first, count;
        int value;
    } ranges[] = {{0xFF10, 10, 0}, {0xFF21, 6, 10}, {0xFF41, 6, 10}};

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (character >= ranges[i].first && character - ranges[i].first < ranges[i].count)
            return ranges[i].value + (int)(character - ranges[i].first);
    return -1;
}

/* The value of the digit that ends with the next byte of a stream, or -1. */
static int take_digit(struct echo_window *window, unsigned char byte)
{
    const unsigned char bytes[] = {window->before[0], window->before[1], byte};
    uint32_t character;

    window->before[0] = bytes[1];
    window->before[1] = byte;
    if (byte >= 0x80 && utf8_decode(&character, bytes, sizeof bytes) == sizeof bytes)
        return wide_digit_of(character);
    return digit_of(byte);
}

/* Adds a digit. Returns whether there are enough of them for a part. */
static bool push_digit(struct echo_digits *digits, int digit)
{
    digits->value = digits->value << 4 | (uint32_t)digit;
    if (digits->count < ECHO_DIGITS)
        digits->count++;
    return digits->count == ECHO_DIGITS;
}

/* The index of the first part that is not below value. */
static size_t find_part_place(const uint32_t *parts, size_t count, uint32_t value)
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

static bool is_part(const uint32_t *parts, size_t count, uint32_t value)
{
    size_t place = find_part_place(parts, count, value);

    return place < count && parts[place] == value;
}

/* -- learning -- */

/* Inserts the parts of secret; echo->parts has room for them. qsort() would leave copies
 * elsewhere. */
static void add_parts(struct echo *echo, const char *secret)
{
    struct echo_digits digits = {0};

    for (; *secret; secret++) {
        if (!push_digit(&digits, digit_of((unsigned char)*secret)) ||
            is_part(echo->parts, echo->count, digits.value))
            continue;

        uint32_t *place = echo->parts + find_part_place(echo->parts, echo->count, digits.value);
        size_t behind = (size_t)(echo->parts + echo->count - place);

        memmove(place + 1, place, behind * sizeof *place);
        *place = digits.value;
        echo->count++;
    }
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

bool echo_learn(struct echo *echo, const char *password, const struct auth_answer *answer)
{
    struct echo more = {.parts = secret_alloc((echo->count + PARTS_MAX) * sizeof *more.parts),
                        .count = echo->count};

    if (!more.parts)
        return false;

    memcpy(more.windows, echo->windows, sizeof more.windows);

    if (echo->count)
        memcpy(more.parts, echo->parts, echo->count * sizeof *more.parts);
    if (answer) {
        add_parts(&more, answer->cnonce);
        add_parts(&more, answer->response);
    }

    if (password && *password && add_hashes(&more, password) < 0) {
        echo_clear(&more);
        return false;
    }

    echo_clear(echo);
    *echo = more;
    return true;
}

void echo_clear(struct echo *echo)
{
    secret_free(echo->parts);
    *echo = (struct echo){0};
}

/* -- matching -- */

/* The length of an escape sequence with digits (\x1b, \u00ad, \U000e0041), or 0 if there is
 * none. */
static size_t escape_length(const unsigned char *bytes, size_t length)
{
    if (length < 2 || bytes[0] != '\\')
        return 0;
    size_t size = bytes[1] == 'x' ? 4 : bytes[1] == 'u' ? 6 : bytes[1] == 'U' ? 10 : 0;

    if (size > length)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (digit_of(bytes[i]) < 0)
            return 0;
    return size;
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
        int digit = take_digit(window, *at);

        if (skipped == 0)
            skipped = escape_length(at, length);
        if (digit >= 0 && push_digit(&window->plain, digit))
            is_echo |= is_part(echo->parts, echo->count, window->plain.value);
        if (digit >= 0 && skipped == 0 && push_digit(&window->escaped, digit))
            is_echo |= is_part(echo->parts, echo->count, window->escaped.value);
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
