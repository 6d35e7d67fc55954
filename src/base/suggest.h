/*
 * suggest.h: picks the names most similar to one that was not found. Pure.
 */
#ifndef ESP_OTA_BASE_SUGGEST_H
#define ESP_OTA_BASE_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { SUGGEST_MAX = 3, SUGGEST_NAME_MAX = 256 };

struct suggestion {
    size_t distance;
    bool is_similar;  /* see suggest_is_similar(); without ".local" at the end */
    const char *note; /* what to show behind the name, borrowed; NULL: nothing */
    char name[SUGGEST_NAME_MAX];
};

/* Starts as {0}. The names are not escaped. */
struct suggestions {
    size_t total;                        /* how many names were offered */
    size_t count;                        /* how many of them are in best */
    struct suggestion best[SUGGEST_MAX]; /* most similar first, equally similar ones by name */
};

/* The number of bytes to change, add, remove or swap with the next to turn a into b (cut to what
 * fits); case is ignored. */
size_t suggest_distance(const char *a, const char *b);

/* Whether names of these lengths, this distance apart, may be the same name with a mistake in it:
 * at most a third of the bytes differ. */
bool suggest_is_similar(size_t distance, size_t length, size_t other);

/* Keeps name (cut to what fits) if it is among the most similar to wanted so far. A name that is
 * part of the other, such as "lamp" of "Living room lamp", is as similar as one with a single
 * mistake. */
void suggest_offer(struct suggestions *suggestions, const char *wanted, const char *name);

/* The same for a name with a note. A name that is in best already is not offered again, and has a
 * note only if each offer had one. */
void suggest_offer_noted(struct suggestions *suggestions, const char *wanted, const char *name,
                         const char *note);

/* Leaves out of best what is not similar. */
void suggest_keep_similar(struct suggestions *suggestions);

/* Writes the best names as `"a", "b" (note)`, escaped, most similar first. target is always
 * terminated. */
void suggest_list(char *target, size_t capacity, const struct suggestions *suggestions);

#endif
