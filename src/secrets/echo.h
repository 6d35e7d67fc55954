/*
 * echo.h: finds answers to challenges, hashes of the password, and the encryption key, in the bytes
 * that a board sends. Pure.
 */
#ifndef ESP_OTA_SECRETS_ECHO_H
#define ESP_OTA_SECRETS_ECHO_H

#include "crypto/auth.h"
#include "esp-ota/error.h"

#include <stdint.h>

/* Shown in place of hidden words. */
#define ECHO_NOTE                                                                                  \
    "(words that repeat an answer to a challenge, a hash of the password, or the encryption key)"

/* This many digits in a row are an echo; shorter runs may be shown. After one answer, a log
 * contains such a run by chance once in 20 million hexadecimal digits. */
enum { ECHO_DIGITS = 8, ECHO_SECRET_MIN = 4 };

/* The last symbols of a stream: all of them (plain), and those outside of escape sequences
 * (escaped). All zero: the start of the stream. */
struct echo_window {
    struct echo_runs {
        struct echo_run {
            uint64_t value;
            unsigned count;
        } all, digits; /* letters and digits, and only hexadecimal digits */
    } plain, escaped;
    unsigned char before[2]; /* the last bytes, which may begin a full-width symbol */
};

/* What a board sends in all attempts of an upload. ECHO_WORDS: its page's texts without our words
 * (upload/web/page_secrets.h). */
enum echo_stream { ECHO_DATAGRAMS, ECHO_CHANNEL, ECHO_WORDS, ECHO_STREAMS };

/* What to hide in one board's words: each run of ECHO_DIGITS letters and digits as a number,
 * sorted, in memory for secrets. All zero: nothing is hidden. */
struct echo {
    uint64_t *parts;
    size_t count;
    struct echo_window windows[ECHO_STREAMS];
    bool is_completed; /* in the texts of a page: none is shown any more */
};

/* Adds an answer and the hashes of password; either may be NULL. False when memory ran out or
 * libcrypto failed, with *failure filled in; then nothing was added. */
bool echo_learn(struct echo *echo, const char *password, const struct auth_answer *answer,
                struct ota_failure *failure);

/* Adds the encryption key (ENCRYPTION_KEY_SIZE bytes), in base64 and in hexadecimal. False when
 * memory ran out. */
bool echo_learn_key(struct echo *echo, const unsigned char *key);

/* Whether these bytes, after those that window has seen, complete a run of ECHO_DIGITS digits of an
 * answer, a hash or a key, or of that many letters and digits of a key in base64. Case does not
 * matter. Letters and digits may be full-width ones, and have anything else between them, also
 * escape sequences as escape.h writes them; between hexadecimal digits there may be other letters.
 * False if echo is NULL. */
bool echo_is_completed(const struct echo *echo, struct echo_window *window, const void *bytes,
                       size_t length);

/* The same for the next bytes of a stream, which lasts as long as echo. */
bool echo_hear(struct echo *echo, enum echo_stream stream, const void *bytes, size_t length);

/* Returns text, or ECHO_NOTE if text contains an echo. echo may be NULL. */
const char *echo_hide(const struct echo *echo, const char *text);

/* Whether text contains length letters and digits in a row of secret, or all of them if it has
 * fewer. Case does not matter, nor what is between them. Secrets of fewer than ECHO_SECRET_MIN
 * letters and digits are never found, as other words contain them. */
bool echo_has_words(const char *text, const char *secret, size_t length);

/* Cleanses and frees what was learned. */
void echo_clear(struct echo *echo);

#endif
