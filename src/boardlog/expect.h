/*
 * expect.h: the patterns that a board's log must match (--expect) or must not match (--reject).
 */
#ifndef ESP_OTA_BOARDLOG_EXPECT_H
#define ESP_OTA_BOARDLOG_EXPECT_H

#include "boardlog/line_splitter.h"
#include "esp-ota/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    EXPECT_MAX = 64,           /* patterns of each kind */
    EXPECT_PATTERN_MAX = 1024, /* bytes */
};

/* Compiled patterns. Any number of boards may share them. */
struct expect;

/* Compiles the regular expressions (PCRE2) of the arrays expected and rejected; the strings must
 * outlive *expect. Returns OTA_E_USAGE if there are more than EXPECT_MAX of them, or if one is not
 * valid, is empty or too long, or has another meaning for grep -E. Returns OTA_E_INTERNAL when
 * memory ran out. *expect is NULL after an error. */
enum ota_error expect_new(struct expect **expect, const char *const *expected,
                          size_t expected_count, const char *const *rejected, size_t rejected_count,
                          struct ota_failure *failure);
void expect_free(struct expect *expect);

/* Whether a pattern must match, so that the log can prove something: not with --reject alone. */
bool expect_has_expected(const struct expect *expect);

enum expect_verdict {
    EXPECT_UNDECIDED,   /* remains so if no pattern is expected and no line is rejected */
    EXPECT_SATISFIED,   /* each expected pattern has matched */
    EXPECT_REJECTED,    /* takes precedence if the same line satisfies the rest */
    EXPECT_UNDECIDABLE, /* too many ways to match a line for one of the rejecting patterns */
    EXPECT_NO_MEMORY,   /* a line was not matched, as memory ran out */
};

/* The state of one board's log. All zero: no line yet. */
struct expect_state {
    uint64_t met;  /* bit n: expected pattern n has matched */
    uint64_t told; /* bit n: expected pattern n has been in given_up */
    /* An expected pattern, as the user gave it, that was undecidable for the last line. Each
     * pattern is reported here only once. */
    const char *given_up;
    enum expect_verdict verdict;
    size_t rejected_by;
};

/* Matches one line or a piece of one and returns the verdict, which is final once decided. "^" and
 * "$" match only the beginning and the end of a whole line, not of a piece. A piece that comes
 * again matches only if no continuation can change that; so does, for expected patterns, one that
 * was cut off: "version 4\b" waits for the rest of "version 4". In lines and patterns,
 * a byte that is not UTF-8 becomes the character U+FFFD. An undecidable line does not count as a
 * match of an expected pattern. */
enum expect_verdict expect_feed(const struct expect *expect, struct expect_state *state,
                                const struct line *line);

/* The pattern that rejected a line, or was undecidable; NULL if there is none. It is as the user
 * gave it, so the caller escapes it. */
const char *expect_rejecting(const struct expect *expect, const struct expect_state *state);

/* The nth (from 0) of the expected patterns that have not matched yet; NULL if there are fewer. */
const char *expect_missing(const struct expect *expect, const struct expect_state *state, size_t n);

#endif
