/*
 * expect.h: what a board's log has to say (--expect), and what it may not (--reject).
 */
#ifndef ESP_OTA_BOARDLOG_EXPECT_H
#define ESP_OTA_BOARDLOG_EXPECT_H

#include "boardlog/line_splitter.h"
#include "esp-ota.h"

enum {
    EXPECT_MAX = 64,           /* patterns of each kind */
    EXPECT_PATTERN_MAX = 1024, /* bytes */
};

/* Compiled patterns; any number of boards share them. */
struct expect;

/* Regular expressions as PCRE2 reads them, in the arrays expected and rejected, whose strings must
 * outlive *expect. OTA_E_USAGE when one is none, is empty or too long, or means something else to
 * grep -E, or when there are more than EXPECT_MAX; OTA_E_INTERNAL when memory ran out. *expect is
 * NULL then. */
enum ota_error expect_new(struct expect **expect, const char *const *expected,
                          size_t expected_count, const char *const *rejected, size_t rejected_count,
                          struct ota_failure *failure);
void expect_free(struct expect *expect);

enum expect_verdict {
    EXPECT_UNDECIDED,   /* always, where nothing is expected and nothing rejected came */
    EXPECT_SATISFIED,   /* all that is expected has come */
    EXPECT_REJECTED,    /* also when the same line satisfied the rest */
    EXPECT_UNDECIDABLE, /* a pattern may or may not reject a line: there are too many ways to match
                         */
};

/* What one board has said so far. All zero: nothing. */
struct expect_state {
    uint64_t met;         /* a bit for each expected pattern */
    uint64_t told;        /* likewise: it has been in given_up */
    const char *given_up; /* an expected pattern that could not be decided for the last line; each
                           * is here once, and as the user gave it */
    enum expect_verdict verdict;
    size_t rejected_by;
};

/* Looks at one line, and returns the verdict; once decided it stays. "^" matches where a line
 * begins and "$" where it ends, which a piece of it may not do. A byte that is not UTF-8 is the
 * character U+FFFD, in lines and patterns. What cannot be decided is no match for an expected
 * pattern. */
enum expect_verdict expect_feed(const struct expect *expect, struct expect_state *state,
                                const struct line *line);

/* The pattern that rejected or may reject; NULL where none did. As the user gave it: to be escaped.
 */
const char *expect_rejecting(const struct expect *expect, const struct expect_state *state);

/* The pattern number n (from 0) of those that have not come yet; NULL when there are no more. */
const char *expect_missing(const struct expect *expect, const struct expect_state *state, size_t n);

#endif
