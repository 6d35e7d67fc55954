/*
 * gzip.h: packs bytes as one gzip member (RFC 1952), for boards that unpack it, and compares packed
 * bytes with others. Pure.
 */
#ifndef ESP_OTA_IMAGE_GZIP_H
#define ESP_OTA_IMAGE_GZIP_H

#include <stdbool.h>
#include <stddef.h>

/* As small as zlib can; the same bytes for the same data: neither time nor name nor system is in
 * them. *packed is the caller's to free(); it is NULL where it would not be smaller than data.
 * False when memory ran out. size: at most 1 GiB, as no image is larger. */
bool gzip_pack(unsigned char **packed, size_t *packed_size, const unsigned char *data, size_t size);

/* How many bytes at the beginning of packed are a gzip member that unpacks to exactly data; 0 when
 * there is none, or no memory to find out. */
size_t gzip_matches(const unsigned char *packed, size_t packed_size, const unsigned char *data,
                    size_t size);

#endif
