/*
 * suggest.h: picks the names most similar to one that was not found. Pure.
 */
#ifndef ESP_OTA_BASE_SUGGEST_H
#define ESP_OTA_BASE_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { SUGGEST_MAX = 3, SUGGEST_NAME_MAX = 256 };

/* Starts as {0}. The names are not escaped. */
struct suggestions {
    size_t total; /* how many names were offered */
    size_t count; /* how many of them are in best */
    struct {
        size_t distance;
        bool is_similar; /* at most half of the bytes differ, without ".local" at the end */
        char name[SUGGEST_NAME_MAX];
    } best[SUGGEST_MAX]; /* most similar first */
};

/* The number of bytes to change, add or remove to turn a into b (cut to what fits); case is
 * ignored. */
size_t suggest_distance(const char *a, const char *b);

/* Keeps name (cut to what fits) when it is among the most similar to wanted so far. */
void suggest_offer(struct suggestions *suggestions, const char *wanted, const char *name);

/* Leaves out of best what is not similar. */
void suggest_keep_similar(struct suggestions *suggestions);

/* Writes the best names as `"a", "b"`, escaped, most similar first. target is always terminated. */
void suggest_list(char *target, size_t capacity, const struct suggestions *suggestions);

#endif
