/*
 * fuzz-expect.c: for any expression and any lines, matching ends, --expect and --reject agree, and
 * no rest of a line changes what a half of it has decided.
 * The input is the expression, a NUL byte, and the lines.
 */
#include "boardlog/expect.h"

#include "boardlog/telnet_strip.h"
#include "require.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line that was cut off proves less than it refutes. */
static bool feed(const struct expect *expecting, const struct expect *rejecting,
                 const struct line *line)
{
    struct expect_state expected = {0}, rejected = {0};

    require(line->length <= LINE_SPLITTER_MAX);
    expect_feed(expecting, &expected, line);
    expect_feed(rejecting, &rejected, line);

    const bool is_met = expected.verdict == EXPECT_SATISFIED;
    if (line->is_cut) {
        require(!is_met || rejected.verdict != EXPECT_UNDECIDED);
    } else {
        require(is_met == (rejected.verdict == EXPECT_REJECTED));
        require((expected.given_up != NULL) == (rejected.verdict == EXPECT_UNDECIDABLE));
    }
    require((expect_missing(expecting, &expected, 0) == NULL) ==
            (expected.verdict == EXPECT_SATISFIED));
    return is_met || expected.given_up;
}

/* Whether an unfinished line has met the expression, so that its rest cannot change that. */
static bool feed_half(const struct expect *expecting, const struct line *line)
{
    struct expect_state expected = {0};

    return expect_feed(expecting, &expected, line) == EXPECT_SATISFIED;
}

static void feed_all(const struct expect *expecting, const struct expect *rejecting,
                     const unsigned char *bytes, size_t length)
{
    struct line_splitter lines = {0};
    struct line line;
    size_t half = length / 2, rest = length - half;
    bool is_settled = false;

    while (line_splitter_next(&lines, &bytes, &half, &line))
        feed(expecting, rejecting, &line);
    if (line_splitter_peek(&lines, &line))
        is_settled = feed_half(expecting, &line);
    while (line_splitter_next(&lines, &bytes, &rest, &line)) {
        const bool is_decided = feed(expecting, rejecting, &line);

        require(is_decided || !is_settled);
        is_settled = false;
    }
    if (line_splitter_finish(&lines, &line)) {
        const bool is_decided = feed(expecting, rejecting, &line);

        require(is_decided || !is_settled);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\0', size);
    const char *pattern = (const char *)data;
    struct expect *expecting, *rejecting;
    struct ota_failure failure;

    if (!end)
        return 0;

    enum ota_error error = expect_new(&expecting, &pattern, 1, NULL, 0, &failure);
    require(expect_new(&rejecting, NULL, 0, &pattern, 1, &failure) == error);
    require(error == OTA_OK || error == OTA_E_USAGE);
    if (error != OTA_OK)
        return 0;

    struct telnet_strip telnet = {0};
    size_t length = size - (size_t)(end + 1 - data);
    unsigned char *text = malloc(length + 1);
    require(text != NULL);

    feed_all(expecting, rejecting, text, telnet_strip(&telnet, text, end + 1, length));
    free(text);
    expect_free(expecting);
    expect_free(rejecting);
    return 0;
}
