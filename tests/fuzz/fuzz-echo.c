/*
 * fuzz-echo.c: text that repeats eight digits of an answer is recognized, and no other text is; the
 * pieces that the text comes in do not matter. The first byte of the input chooses their size.
 * Bytes from 0xF8 on stand for four digits of the answer, chosen by the byte after them, since
 * noise would hardly find eight.
 */
#include "secrets/echo.h"

#include "base/utf8.h"
#include "require.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct auth_answer answer = {.cnonce = "0123456789abcdef0123456789abcdef",
                                          .response = "fedcba98765432100f1e2d3c4b5a6978"};

enum { MARK = 0xF8, RUN = 4, WIDE = 3 };

/* Appends digits of the answer: as they are, in capitals, or full-width. */
static size_t append_digits(unsigned char *target, unsigned mark, unsigned where)
{
    const char *text = where & 0x80 ? answer.response : answer.cnonce;
    size_t at = where % (strlen(text) - RUN + 1), length = 0;

    for (size_t i = at; i < at + RUN; i++) {
        bool is_letter = text[i] >= 'a';
        uint32_t wide =
            is_letter ? 0xFF41 + (uint32_t)(text[i] - 'a') : 0xFF10 + (uint32_t)(text[i] - '0');

        if (mark & 1)
            length += utf8_encode((char *)target + length, wide);
        else
            target[length++] = (unsigned char)(mark & 2 && is_letter ? text[i] - 32 : text[i]);
    }
    return length;
}

static size_t expand(unsigned char *target, const uint8_t *data, size_t size)
{
    size_t length = 0;

    for (size_t i = 0; i < size; i++) {
        if (data[i] >= MARK && i + 1 < size) {
            length += append_digits(target + length, data[i], data[i + 1]);
            i++;
        } else {
            target[length++] = data[i];
        }
    }
    return length;
}

/* The digits of a text, in ASCII and lower case. */
static void collect_digits(char *digits, const unsigned char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint32_t c;
        size_t used = utf8_decode(&c, text + i, length - i);

        if (used == WIDE && ((c >= 0xFF10 && c <= 0xFF19) || (c >= 0xFF21 && c <= 0xFF26) ||
                             (c >= 0xFF41 && c <= 0xFF46)))
            c -= 0xFEE0;
        else if (used > 1)
            continue;
        if (used == WIDE)
            i += WIDE - 1;
        if (c >= 'A' && c <= 'F')
            c += 'a' - 'A';
        if (used && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            *digits++ = (char)c;
    }
    *digits = '\0';
}

static bool repeats(const char *digits)
{
    char part[ECHO_DIGITS + 1] = "";

    for (; strlen(digits) >= ECHO_DIGITS; digits++) {
        memcpy(part, digits, ECHO_DIGITS);
        if (strstr(answer.cnonce, part) || strstr(answer.response, part))
            return true;
    }
    return false;
}

static bool hear(struct echo *echo, const unsigned char *text, size_t length, size_t piece)
{
    struct echo_window window = {0};
    bool is_echo = false;

    for (size_t at = 0; at < length; at += piece)
        is_echo |=
            echo_is_completed(echo, &window, text + at, length - at < piece ? length - at : piece);
    return is_echo;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct echo echo = {0};
    struct ota_failure failure;
    unsigned char *text = malloc((size_t)RUN * WIDE * size + 1);
    char *digits = malloc((size_t)RUN * WIDE * size + 1);

    if (text && digits && size > 0 && echo_learn(&echo, NULL, &answer, &failure)) {
        size_t length = expand(text, data + 1, size - 1);
        bool has_escapes = memchr(text, '\\', length);

        collect_digits(digits, text, length);
        bool is_echo = hear(&echo, text, length, length + 1);

        require(is_echo || !repeats(digits));
        require(has_escapes || is_echo == repeats(digits));
        require(has_escapes || hear(&echo, text, length, data[0] % 16 + 1) == is_echo);
        if (!memchr(text, '\0', length)) {
            text[length] = '\0';
            require((strcmp(echo_hide(&echo, (char *)text), (char *)text) != 0) == is_echo ||
                    strcmp((char *)text, ECHO_NOTE) == 0);
        }
    }

    echo_clear(&echo);
    free(text);
    free(digits);
    return 0;
}
