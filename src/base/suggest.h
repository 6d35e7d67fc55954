/*
 * suggest.h: of many names, the few that are most like one that was not found. Pure.
 */
#ifndef ESP_OTA_BASE_SUGGEST_H
#define ESP_OTA_BASE_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { SUGGEST_MAX = 3, SUGGEST_NAME_MAX = 256 };

/* Starts as {0}. The names are as they came from outside. */
struct suggestions {
    size_t total;     /* how many names were offered */
    size_t count;     /* how many of them are in best */
    bool has_similar; /* at least half of one of them is as in the wanted name */
    struct {
        size_t distance;
        char name[SUGGEST_NAME_MAX];
    } best[SUGGEST_MAX]; /* most similar first */
};

/* How many bytes must be changed, added or taken away to turn a into b (cut to what fits); case
 * does not count. */
size_t suggest_distance(const char *a, const char *b);

/* Keeps name (cut to what fits) when it is among the most similar to wanted so far. */
void suggest_offer(struct suggestions *suggestions, const char *wanted, const char *name);

/* Writes the best names as `"a", "b"`, escaped, most similar first. target is always terminated. */
void suggest_list(char *target, size_t capacity, const struct suggestions *suggestions);

#endif
