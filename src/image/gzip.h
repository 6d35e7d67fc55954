/*
 * gzip.h: gzip members (RFC 1952) in memory: packs bytes for boards that unpack them, and compares
 * packed bytes with others. Pure.
 */
#ifndef ESP_OTA_IMAGE_GZIP_H
#define ESP_OTA_IMAGE_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Packs data as tightly as zlib can. The result depends on the data alone: it contains no time,
 * name or system. The caller frees *packed with free(); it is NULL if packing would not make data
 * smaller. Returns false if memory runs out. size: at most 1 GiB, as no image is larger. */
bool gzip_pack(unsigned char **packed, size_t *packed_size, const unsigned char *data, size_t size);

/* Returns the length of the gzip member at the beginning of packed if it unpacks to exactly data, 0
 * if it does not, and -1 if memory runs out. */
ssize_t gzip_matches(const unsigned char *packed, size_t packed_size, const unsigned char *data,
                     size_t size);

/* Unpacks a member into target, which has size bytes. Returns 1 if it unpacks to exactly that many,
 * 0 if it does not, and -1 if memory runs out. */
int gzip_unpack(unsigned char *target, size_t size, const unsigned char *packed,
                size_t packed_size);

#endif
