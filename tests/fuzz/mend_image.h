/*
 * mend_image.h: mutates firmware images for fuzzers. Parsers stop at the first wrong checksum, so
 * the checksums are computed again after a mutation.
 */
#ifndef MEND_IMAGE_H
#define MEND_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* Mutates data (size bytes, capacity at most) with libFuzzer's mutator; in a gzip file it mutates
 * the unpacked data. In most cases it then repairs lengths of segments, checksums and hashes.
 * Returns the new size. The result depends only on data and seed. */
size_t mutate_image(uint8_t *data, size_t size, size_t capacity, unsigned seed);

#endif
