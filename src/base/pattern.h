/*
 * pattern.h: shell patterns for names. Pure, and independent of the locale.
 */
#ifndef ESP_OTA_BASE_PATTERN_H
#define ESP_OTA_BASE_PATTERN_H

#include <stdbool.h>

/* Whether the whole text matches a pattern as in fnmatch(3) without flags: "*", "?", sets ("[a-z]",
 * "[!0-9]", "[[:digit:]]") and backslashes; a "[" without a "]" stands for itself. Both are UTF-8:
 * a character counts as one, and letters match without regard to case (Unicode's simple folding)
 * and to whether an accent is a character of its own. Each byte that is no UTF-8 is a character.
 * Classes such as [:alpha:] know ASCII only. */
bool pattern_matches(const char *pattern, const char *text);

#endif
