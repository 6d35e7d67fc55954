/*
 * sgr_strip.h: removes colors from a log.
 */
#ifndef ESP_OTA_BOARDLOG_SGR_STRIP_H
#define ESP_OTA_BOARDLOG_SGR_STRIP_H

#include <stddef.h>

/* The length of the longest color sequence. */
enum { SGR_STRIP_MAX = 32 };

/* The beginning of a sequence. All zero: none. */
struct sgr_strip {
    unsigned char bytes[SGR_STRIP_MAX];
    size_t held;
};

/* Copies the length bytes of source to target, without the sequences for colors and type faces
 * (ECMA-48, SGR: ESC [ 0 ; 32 m). target must have room for length + SGR_STRIP_MAX bytes. Returns
 * the number of bytes copied. A stream may be cut into calls anywhere: the beginning of a sequence
 * is held back until the next bytes decide. */
size_t sgr_strip(struct sgr_strip *colors, unsigned char *target, const void *source,
                 size_t length);

#endif
