/*
 * byte_range.h: which part of an image a request wants (RFC 9110, sections 13 and 14): Range,
 * If-Range and If-None-Match. Pure.
 */
#ifndef ESP_OTA_SERVE_BYTE_RANGE_H
#define ESP_OTA_SERVE_BYTE_RANGE_H

#include <stdbool.h>
#include <stddef.h>

enum byte_range_kind {
    BYTE_RANGE_WHOLE,         /* 200: there is no range, or one that may be ignored */
    BYTE_RANGE_PART,          /* 206 */
    BYTE_RANGE_UNSATISFIABLE, /* 416 */
};

/* The bytes from first on; the whole content has first 0 and its size. */
struct byte_range {
    enum byte_range_kind kind;
    size_t first;
    size_t size; /* at least 1, except of BYTE_RANGE_UNSATISFIABLE, which has 0 */
};

/* Parses the value of Range for a content of size bytes (at least 1); value is NULL without the
 * header. Several ranges, another unit and anything malformed are ignored: the answer to them is
 * the whole content. */
void byte_range_parse(struct byte_range *range, const char *value, size_t size);

/* Whether the list of an If-None-Match has the entity tag, with its quotes, or is "*". A weak tag
 * of the list counts. */
bool etag_is_listed(const char *list, const char *etag);

/* Whether If-Range (NULL: no such header) lets the range count: only the same strong tag does. */
bool etag_allows_range(const char *if_range, const char *etag);

#endif
