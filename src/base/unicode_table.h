/*
 * unicode_table.h: characters with a misleading look. The ranges are sorted and disjoint.
 */
#ifndef ESP_OTA_BASE_UNICODE_TABLE_H
#define ESP_OTA_BASE_UNICODE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct unicode_range {
    uint32_t first;
    uint32_t last;
};

/* Characters without a known glyph: format characters (soft hyphens, directions, joiners, tags),
 * unusual spaces, fillers, variation selectors, private use, and code points that this version of
 * Unicode does not assign. */
extern const struct unicode_range unicode_hidden[];
extern const size_t unicode_hidden_count;

/* Characters drawn onto the one before them; also vowels and final consonants of Hangul. */
extern const struct unicode_range unicode_marks[];
extern const size_t unicode_marks_count;

#endif
