/*
 * unicode_table.h: characters that are not what they look like. Ranges are sorted and disjoint.
 */
#ifndef ESP_OTA_BASE_UNICODE_TABLE_H
#define ESP_OTA_BASE_UNICODE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct unicode_range {
    uint32_t first;
    uint32_t last;
};

/* Those that show nothing, or a space that is none, or what only a font knows: format characters
 * (soft hyphens, directions, joiners, tags), fillers, variation selectors, private use, and what
 * this version of Unicode does not know. */
extern const struct unicode_range unicode_hidden[];
extern const size_t unicode_hidden_count;

/* Those that are drawn onto the character before them, without a place of their own; also vowels
 * and final consonants of Hangul. */
extern const struct unicode_range unicode_marks[];
extern const size_t unicode_marks_count;

#endif
