/*
 * version_match.h: the one rule on whether a text, or an image, tells a version. A version is a
 * whole word: 0.15.1 is not in "0.15.10", "0.15.1-b2" or "0.15.1.3", but in "0.15.1 (build
 * 2412100)" and "v0.15.1". A date is one, too: 2026-11-02 is in "2026-11-02T12:00:00". Pure.
 */
#ifndef ESP_OTA_BASE_VERSION_MATCH_H
#define ESP_OTA_BASE_VERSION_MATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Whether what a board told has the wanted version in it, which may be several words, and may not
 * be "". */
bool version_match_text(const char *told, const char *wanted);

/* Whether an image contains the wanted version as a string, or at the end of one. What comes before
 * it does not count: other data may, and linkers put strings that end alike in one place. */
bool version_match_data(const void *data, size_t size, const char *wanted);

#endif
