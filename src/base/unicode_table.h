/*
 * unicode_table.h: characters with a misleading look, and which characters are one letter. The
 * ranges are sorted and disjoint.
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

/* Simple case folding beyond ASCII: every step-th character from first to last, plus offset. */
struct unicode_fold {
    uint32_t first;
    uint32_t last;
    uint32_t step;
    int32_t offset;
};
extern const struct unicode_fold unicode_folds[];
extern const size_t unicode_folds_count;

/* Canonical compositions of two characters, sorted by both. */
struct unicode_composition {
    uint32_t first;
    uint32_t second;
    uint32_t whole;
};
extern const struct unicode_composition unicode_compositions[];
extern const size_t unicode_compositions_count;

#endif
