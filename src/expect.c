/*
 * expect.c: matches lines against the patterns of --expect and --reject. It knows neither boards
 * nor sockets, and prints nothing.
 *
 * A board chooses what is matched, so the time must be bounded: the length of a line (LINES_MAX),
 * the number of patterns and the cost of each (pattern.h) are. glibc's time is quadratic in the
 * length of a line that does not match: some 6 ms for a line and a pattern at the worst, 0.01 ms
 * usually, and tenths of a second until it has seen its patterns' states. It keeps those states, so
 * a pattern such as (a|b)*a(a|b){20} has no bound in memory; it takes a user to write it.
 */
#include "expect.h"

#include "error.h"
#include "escape.h"
#include "pattern.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

/* Patterns of one kind. */
struct patterns {
    const char *const *texts;
    size_t count; /* of those that are compiled */
    regex_t compiled[EXPECT_MAX];
};

struct expect {
    struct patterns expected;
    struct patterns rejected;
};

/* Reports what is wrong with a pattern, and with which one. */
static enum ota_error refuse(struct ota_failure *failure, const char *option, const char *pattern,
                             const char *what)
{
    char shown[256];
    return fail(failure, OTA_E_USAGE, "%s \"%s\": %s", option,
                escape_string(shown, sizeof shown, pattern), what);
}

static enum ota_error compile(regex_t *compiled, const char *option, const char *pattern,
                              struct ota_failure *failure)
{
    char reason[128];
    if (*pattern == '\0')
        return refuse(failure, option, pattern, "an empty expression would match every line");
    if (strlen(pattern) > EXPECT_PATTERN_MAX)
        return refuse(failure, option, pattern, "the expression is longer than 1024 bytes");
    if (pattern_has_back_reference(pattern))
        return refuse(failure, option, pattern,
                      "extended regular expressions have no back-references such as \\1");
    if (pattern_cost(pattern) > PATTERN_COST_MAX)
        return refuse(failure, option, pattern,
                      "written out, its repetitions are more than 1000 characters");
    int error = regcomp(compiled, pattern, REG_EXTENDED | REG_NOSUB);
    if (error == 0)
        return OTA_OK;
    if (error == REG_ESPACE)
        return fail(failure, OTA_E_INTERNAL, "memory ran out");
    regerror(error, compiled, reason, sizeof reason);
    return refuse(failure, option, pattern, reason);
}

static enum ota_error compile_all(struct patterns *patterns, const char *option,
                                  const char *const *texts, size_t count,
                                  struct ota_failure *failure)
{
    patterns->texts = texts;
    if (count > EXPECT_MAX)
        return fail(failure, OTA_E_USAGE, "%s is given %zu times; %d are possible", option, count,
                    EXPECT_MAX);
    for (; patterns->count < count; patterns->count++) {
        enum ota_error error =
            compile(&patterns->compiled[patterns->count], option, texts[patterns->count], failure);
        if (error != OTA_OK)
            return error;
    }
    return OTA_OK;
}

enum ota_error expect_new(struct expect **expect, const char *const *expected,
                          size_t expected_count, const char *const *rejected, size_t rejected_count,
                          struct ota_failure *failure)
{
    *expect = calloc(1, sizeof **expect);
    if (!*expect)
        return fail(failure, OTA_E_INTERNAL, "memory ran out");
    enum ota_error error =
        compile_all(&(*expect)->expected, "--expect", expected, expected_count, failure);
    if (error == OTA_OK)
        error = compile_all(&(*expect)->rejected, "--reject", rejected, rejected_count, failure);
    if (error == OTA_OK)
        return OTA_OK;
    expect_free(*expect);
    *expect = NULL;
    return error;
}

static void free_patterns(struct patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        regfree(&patterns->compiled[i]);
}

void expect_free(struct expect *expect)
{
    if (!expect)
        return;
    free_patterns(&expect->expected);
    free_patterns(&expect->rejected);
    free(expect);
}

/* REG_STARTEND: the length is given, since NUL is a byte like any other. */
static bool matches(const regex_t *compiled, const struct line *line)
{
    regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)line->length};
    int flags = REG_STARTEND | (line->is_continuation ? REG_NOTBOL : 0) |
                (line->is_unfinished ? REG_NOTEOL : 0);
    return regexec(compiled, (const char *)line->bytes, 1, &range, flags) == 0;
}

enum expect_verdict expect_feed(const struct expect *expect, struct expect_state *state,
                                const struct line *line)
{
    if (state->verdict != EXPECT_UNDECIDED)
        return state->verdict;
    for (size_t i = 0; i < expect->rejected.count; i++)
        if (matches(&expect->rejected.compiled[i], line)) {
            state->rejected_by = i;
            return state->verdict = EXPECT_REJECTED;
        }
    for (size_t i = 0; i < expect->expected.count; i++)
        if (!(state->met >> i & 1) && matches(&expect->expected.compiled[i], line))
            state->met |= UINT64_C(1) << i;
    if (expect->expected.count > 0 && !expect_missing(expect, state, 0))
        state->verdict = EXPECT_SATISFIED;
    return state->verdict;
}

const char *expect_rejecting(const struct expect *expect, const struct expect_state *state)
{
    return state->verdict == EXPECT_REJECTED ? expect->rejected.texts[state->rejected_by] : NULL;
}

const char *expect_missing(const struct expect *expect, const struct expect_state *state, size_t n)
{
    for (size_t i = 0; i < expect->expected.count; i++)
        if (!(state->met >> i & 1) && n-- == 0)
            return expect->expected.texts[i];
    return NULL;
}
