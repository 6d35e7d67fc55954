/*
 * mend_image.h: structure for what a fuzzer has made of an image. Noise stops at the first checksum
 * that does not hold, so the checksums are computed anew.
 */
#ifndef MEND_IMAGE_H
#define MEND_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* Mutates data (size bytes, capacity at most) as libFuzzer does, of a gzip file what it unpacks to,
 * and in most cases mends what the format has: lengths of segments, checksums, hashes. Returns the
 * new size. The same seed does the same. */
size_t mutate_image(uint8_t *data, size_t size, size_t capacity, unsigned seed);

#endif
