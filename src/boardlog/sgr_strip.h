/*
 * colors.h: takes the colors out of a log.
 */
#ifndef ESP_OTA_BOARDLOG_SGR_STRIP_H
#define ESP_OTA_BOARDLOG_SGR_STRIP_H

#include <stddef.h>

/* The longest sequence that is known; what is longer is no color. */
enum { SGR_STRIP_MAX = 32 };

/* The beginning of a sequence. All zero: there is none. */
struct sgr_strip {
    unsigned char bytes[SGR_STRIP_MAX];
    size_t held;
};

/* Copies the length bytes of source to target, which must have room for length + SGR_STRIP_MAX, but
 * for the sequences that choose a color or a type face (ECMA-48, SGR: ESC [ 0 ; 32 m), and returns
 * how many bytes that is. It does not matter how a stream is cut into calls; the beginning of a
 * sequence is held back until what follows it tells. */
size_t sgr_strip(struct sgr_strip *colors, unsigned char *target, const void *source,
                 size_t length);

#endif
