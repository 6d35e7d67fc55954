/*
 * colours.h: takes the colours out of a log.
 */
#ifndef COLOURS_H
#define COLOURS_H

#include <stddef.h>

/* The longest sequence that is known; what is longer is no colour. */
enum { COLOURS_MAX = 32 };

/* The beginning of a sequence. All zero: there is none. */
struct colours {
    unsigned char bytes[COLOURS_MAX];
    size_t held;
};

/* Copies the length bytes of source to target, which must have room for length + COLOURS_MAX, but
 * for the sequences that choose a colour or a type face (ECMA-48, SGR: ESC [ 0 ; 32 m), and returns
 * how many bytes that is. It does not matter how a stream is cut into calls; the beginning of a
 * sequence is held back until what follows it tells. */
size_t colours_strip(struct colours *colours, unsigned char *target, const void *source,
                     size_t length);

#endif
