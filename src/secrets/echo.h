/*
 * echo.h: recognises in a board's words the answers that it was given, and the hashes of the
 * password. Looks at the bytes as they came; touches nothing but its arguments.
 */
#ifndef ESP_OTA_SECRETS_ECHO_H
#define ESP_OTA_SECRETS_ECHO_H

#include "crypto/auth.h"

#include <stdint.h>

/* Stands where words are not shown. */
#define ECHO_NOTE "(words that repeat an answer to a challenge, or a hash of the password)"

/* How many digits in a row are an echo; up to one less may be shown. By chance, a log with one
 * answer shows them once in 20 million hexadecimal digits. */
enum { ECHO_DIGITS = 8 };

/* What one board must not be shown to repeat: each run of ECHO_DIGITS digits as a number, sorted,
 * in memory for secrets. All zero: nothing. */
struct echo {
    uint32_t *parts;
    size_t count;
};

/* The last digits of a stream, without what looks like an escape sequence and with it. All zero:
 * the beginning. */
struct echo_window {
    struct echo_digits {
        uint32_t value;
        unsigned count;
    } plain, escaped;
};

/* Adds an answer and the hashes of password; either may be NULL. False when memory ran out or
 * libcrypto refuses: then nothing was added. */
bool echo_learn(struct echo *echo, const char *password, const struct auth_answer *answer);

/* Whether these bytes, behind those that window has seen, complete a part of an answer or a hash:
 * digits of either case, whatever stands between them, also escape sequences as escape.h writes
 * them. echo may be NULL: nothing is one. */
bool echo_is_completed(const struct echo *echo, struct echo_window *window, const void *bytes,
                       size_t length);

/* text, or ECHO_NOTE in its place. echo may be NULL. */
const char *echo_hide(const struct echo *echo, const char *text);

/* Cleanses and frees what was learned. */
void echo_clear(struct echo *echo);

#endif
