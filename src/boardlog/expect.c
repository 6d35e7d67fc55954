/*
 * expect.c: matches lines against the patterns of --expect and --reject.
 *
 * The board chooses the input, so time and memory must be bounded. PCRE2's own match limit applies
 * anew at each position where a match may begin, and a line has up to LINE_SPLITTER_MAX positions:
 * (a|a){15}[bc] stays below the limit and takes seconds. The steps are therefore counted here, by
 * callouts that PCRE2 makes before each item of the pattern. STEPS_MAX steps take about 8 ms.
 */
#include "boardlog/expect.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The limit for one line and one pattern. It is lower for fuzzers, which then try more patterns. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum { STEPS_MAX = 5000 };
#else
enum { STEPS_MAX = 500000 };
#endif

enum {
    HEAP_MAX_KIB = 8192, /* PCRE2 keeps its backtracking points there */
    REASON_MAX = 256,
};

/* Patterns of one kind. */
struct patterns {
    const char *const *texts;
    size_t count; /* number of compiled patterns */
    pcre2_code *compiled[EXPECT_MAX];
};

struct expect {
    struct patterns expected;
    struct patterns rejected;
    pcre2_match_context *context;
    pcre2_match_data *data;
};

enum outcome { NO_MATCH, MATCH, GIVEN_UP, NO_MEMORY };

/* -- compiling -- */

/* Fails with the name of the option, the pattern and its fault. */
static enum ota_error refuse_pattern(struct ota_failure *failure, const char *option,
                                     const char *pattern, const char *what)
{
    char shown[256];

    return ota_fail(failure, OTA_E_USAGE, "%s \"%s\": %s", option,
                    escape_pattern(shown, sizeof shown, pattern, strlen(pattern)), what);
}

/* "{,5}" means at most five to grep -E, but is plain text to some versions of PCRE2. */
static bool has_open_repetition(char reason[REASON_MAX], const char *at)
{
    size_t digits = at[0] == '{' && at[1] == ',' ? strspn(at + 2, "0123456789") : 0;
    int shown = (int)(digits < 8 ? digits : 8);

    if (digits == 0 || at[2 + digits] != '}')
        return false;

    snprintf(reason, REASON_MAX, "write \"{0,%.*s}\" instead of \"{,%.*s}\"", shown, at + 2, shown,
             at + 2);
    return true;
}

/* Escapes of GNU regular expressions. PCRE2 takes them for the character itself. */
static bool has_gnu_escape(char reason[REASON_MAX], const char *at)
{
    static const struct {
        char escaped;
        const char *instead;
    } escapes[] = {{'<', "\\b"}, {'>', "\\b"}, {'`', "^"}, {'\'', "$"}};

    for (size_t i = 0; at[0] == '\\' && i < sizeof escapes / sizeof *escapes; i++)
        if (at[1] == escapes[i].escaped) {
            snprintf(reason, REASON_MAX, "write \"%s\" instead of \"\\%c\"", escapes[i].instead,
                     at[1]);
            return true;
        }
    return false;
}

/* Whether the pattern would silently match other lines than with grep -E. reason then says how to
 * write it instead. */
static bool has_other_meaning(char reason[REASON_MAX], const char *pattern)
{
    for (const char *at = pattern; *at; at += at[0] == '\\' && at[1] ? 2 : 1)
        if (has_open_repetition(reason, at) || has_gnu_escape(reason, at))
            return true;
    return false;
}

/* Writes PCRE2's message, and the position of the error unless that is the end. */
static void describe_pcre2_error(char reason[REASON_MAX], int error, const char *text,
                                 size_t length, size_t offset)
{
    char what[128], before[64];

    pcre2_get_error_message(error, (PCRE2_UCHAR *)what, sizeof what);
    escape_pattern(before, sizeof before, text, offset);
    if (offset < length)
        snprintf(reason, REASON_MAX, "%s (after \"%s\")", what, before);
    else
        snprintf(reason, REASON_MAX, "%s", what);
}

static enum ota_error compile_pattern(pcre2_code **compiled, const char *option,
                                      const char *pattern, struct ota_failure *failure)
{
    const uint32_t flags = PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY |
                           PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
    char text[UTF8_REPAIRED * EXPECT_PATTERN_MAX];
    char reason[REASON_MAX];
    int error;
    size_t offset;

    if (*pattern == '\0')
        return refuse_pattern(failure, option, pattern,
                              "an empty expression would match every line");
    if (strlen(pattern) > EXPECT_PATTERN_MAX) {
        snprintf(reason, REASON_MAX, "the expression is longer than %d bytes", EXPECT_PATTERN_MAX);
        return refuse_pattern(failure, option, pattern, reason);
    }
    if (has_other_meaning(reason, pattern))
        return refuse_pattern(failure, option, pattern, reason);

    size_t length = utf8_repair(text, pattern, strlen(pattern));
    *compiled = pcre2_compile((PCRE2_SPTR)text, length, flags, &error, &offset, NULL);
    if (*compiled)
        return OTA_OK;
    if (error == PCRE2_ERROR_HEAP_FAILED)
        return ota_fail_no_memory(failure);

    describe_pcre2_error(reason, error, text, length, offset);
    return refuse_pattern(failure, option, pattern, reason);
}

static enum ota_error compile_patterns(struct patterns *patterns, const char *option,
                                       const char *const *texts, size_t count,
                                       struct ota_failure *failure)
{
    if (count > EXPECT_MAX)
        return ota_fail(failure, OTA_E_USAGE, "%s is given %zu times; %d are possible", option,
                        count, EXPECT_MAX);

    patterns->texts = texts;
    for (; patterns->count < count; patterns->count++) {
        enum ota_error error = compile_pattern(&patterns->compiled[patterns->count], option,
                                               texts[patterns->count], failure);

        if (error != OTA_OK)
            return error;
    }
    return OTA_OK;
}

static bool create_match_buffers(struct expect *expect)
{
    expect->context = pcre2_match_context_create(NULL);
    expect->data = pcre2_match_data_create(1, NULL);
    if (!expect->context || !expect->data)
        return false;

    pcre2_set_heap_limit(expect->context, HEAP_MAX_KIB);
    pcre2_set_match_limit(expect->context, STEPS_MAX);
    pcre2_set_depth_limit(expect->context, STEPS_MAX);
    return true;
}

enum ota_error expect_new(struct expect **expect, const char *const *expected,
                          size_t expected_count, const char *const *rejected, size_t rejected_count,
                          struct ota_failure *failure)
{
    *expect = calloc(1, sizeof **expect);
    if (!*expect)
        return ota_fail_no_memory(failure);

    enum ota_error error = create_match_buffers(*expect) ? OTA_OK : ota_fail_no_memory(failure);
    if (error == OTA_OK)
        error =
            compile_patterns(&(*expect)->expected, "--expect", expected, expected_count, failure);
    if (error == OTA_OK)
        error =
            compile_patterns(&(*expect)->rejected, "--reject", rejected, rejected_count, failure);
    if (error != OTA_OK) {
        expect_free(*expect);
        *expect = NULL;
    }
    return error;
}

static void free_patterns(struct patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        pcre2_code_free(patterns->compiled[i]);
}

void expect_free(struct expect *expect)
{
    if (!expect)
        return;

    free_patterns(&expect->expected);
    free_patterns(&expect->rejected);
    pcre2_match_context_free(expect->context);
    pcre2_match_data_free(expect->data);
    free(expect);
}

/* -- matching -- */

static int count_step(pcre2_callout_block *block, void *userdata)
{
    unsigned *steps = userdata;
    (void)block;

    return ++*steps > STEPS_MAX ? PCRE2_ERROR_CALLOUT : 0;
}

/* Of a line that may go on, only what no continuation can change: where the end was looked at,
 * PCRE2 reports a partial match. */
enum { SETTLED_ONLY = PCRE2_PARTIAL_HARD };

/* text is the line in valid UTF-8; flags are those of its end. */
static enum outcome match_line(const struct expect *expect, const pcre2_code *compiled,
                               uint32_t flags, const struct line *line, const char *text,
                               size_t length)
{
    unsigned steps = 0;

    if (line->is_continuation)
        flags |= PCRE2_NOTBOL;
    pcre2_set_callout(expect->context, count_step, &steps);
    int result =
        pcre2_match(compiled, (PCRE2_SPTR)text, length, 0, flags, expect->data, expect->context);
    switch (result) {
    case PCRE2_ERROR_NOMATCH:
    case PCRE2_ERROR_PARTIAL:
        return NO_MATCH;
    case PCRE2_ERROR_NOMEMORY:
        return NO_MEMORY;
    default:
        return result >= 0 ? MATCH : GIVEN_UP;
    }
}

/* A line that was cut off may be one to reject, but proves nothing that its rest could change. */
static enum expect_verdict feed_rejected(const struct expect *expect, struct expect_state *state,
                                         const struct line *line, const char *text, size_t length)
{
    const uint32_t flags = line->comes_again     ? SETTLED_ONLY
                           : line->is_unfinished ? PCRE2_NOTEOL
                                                 : 0;

    for (size_t i = 0; i < expect->rejected.count && state->verdict != EXPECT_REJECTED; i++) {
        enum outcome outcome =
            match_line(expect, expect->rejected.compiled[i], flags, line, text, length);

        if (outcome == NO_MATCH || (outcome == GIVEN_UP && state->verdict == EXPECT_UNDECIDABLE))
            continue;
        if (outcome == NO_MEMORY) {
            state->verdict = EXPECT_NO_MEMORY;
            break;
        }

        state->rejected_by = i;
        state->verdict = outcome == MATCH ? EXPECT_REJECTED : EXPECT_UNDECIDABLE;
    }
    return state->verdict;
}

static void feed_expected(const struct expect *expect, struct expect_state *state,
                          const struct line *line, const char *text, size_t length)
{
    const uint32_t flags = line->comes_again || line->is_cut ? SETTLED_ONLY
                           : line->is_unfinished             ? PCRE2_NOTEOL
                                                             : 0;

    for (size_t i = 0; i < expect->expected.count; i++) {
        uint64_t bit = UINT64_C(1) << i;
        if (state->met & bit)
            continue;

        enum outcome outcome =
            match_line(expect, expect->expected.compiled[i], flags, line, text, length);
        if (outcome == NO_MEMORY) {
            state->verdict = EXPECT_NO_MEMORY;
            return;
        }
        if (outcome == MATCH) {
            state->met |= bit;
        } else if (outcome == GIVEN_UP && !(state->told & bit) && !state->given_up) {
            state->given_up = expect->expected.texts[i];
            state->told |= bit;
        }
    }
}

bool expect_has_expected(const struct expect *expect)
{
    return expect->expected.count > 0;
}

enum expect_verdict expect_feed(const struct expect *expect, struct expect_state *state,
                                const struct line *line)
{
    char text[UTF8_REPAIRED * LINE_SPLITTER_MAX];

    state->given_up = NULL;
    if (state->verdict != EXPECT_UNDECIDED)
        return state->verdict;

    size_t length = utf8_repair(text, line->bytes, line->length);
    if (feed_rejected(expect, state, line, text, length) != EXPECT_UNDECIDED)
        return state->verdict;

    feed_expected(expect, state, line, text, length);
    if (state->verdict == EXPECT_UNDECIDED && expect_has_expected(expect) &&
        !expect_missing(expect, state, 0))
        state->verdict = EXPECT_SATISFIED;
    return state->verdict;
}

const char *expect_rejecting(const struct expect *expect, const struct expect_state *state)
{
    bool has_one = state->verdict == EXPECT_REJECTED || state->verdict == EXPECT_UNDECIDABLE;

    return has_one ? expect->rejected.texts[state->rejected_by] : NULL;
}

const char *expect_missing(const struct expect *expect, const struct expect_state *state, size_t n)
{
    for (size_t i = 0; i < expect->expected.count; i++)
        if (!(state->met >> i & 1) && n-- == 0)
            return expect->expected.texts[i];
    return NULL;
}
