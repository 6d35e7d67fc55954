/*
 * fuzz-backchannel.c: the verdict on a stream does not depend on its segments, and never changes
 * once it is reached. The first byte of the input chooses the size of the segments.
 */
#include "base/escape.h"
#include "require.h"
#include "upload/espota/protocol.h"
#include "upload/reason.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum verdict feed_in_pieces(struct backchannel *channel, const uint8_t *data, size_t size,
                                   size_t piece)
{
    enum verdict verdict = VERDICT_PENDING;

    backchannel_init(channel);
    for (size_t done = 0; done < size; done += piece) {
        enum verdict before = verdict;

        verdict = backchannel_feed(channel, data + done, piece < size - done ? piece : size - done);
        require(before == VERDICT_PENDING || verdict == before);
    }
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct backchannel whole;
    struct backchannel cut;
    char text[PROTOCOL_TEXT_MAX];
    char other[PROTOCOL_TEXT_MAX];
    size_t piece = size > 0 ? 1 + data[0] % 16 : 1;
    enum verdict verdict;

    if (size > 0) {
        data++;
        size--;
    }

    verdict = feed_in_pieces(&whole, data, size, size + 1);
    require(verdict == feed_in_pieces(&cut, data, size, piece));
    require(backchannel_has_text(&whole) == backchannel_has_text(&cut));

    verdict = backchannel_finish(&whole);
    require(verdict == backchannel_finish(&cut) && verdict != VERDICT_PENDING);
    require((verdict == VERDICT_ERROR) == backchannel_has_text(&whole));
    require(strcmp(backchannel_reason(&whole, text, sizeof text),
                   backchannel_reason(&cut, other, sizeof other)) == 0);
    require((verdict == VERDICT_ERROR) == (text[0] != '\0'));
    require(escape_is_printable(text));
    require(reason_cause(text) < OTA_CAUSE_RESTARTED);
    return 0;
}
