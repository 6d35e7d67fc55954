/* answer.c: see answer.h. */
#include "serve/answer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static void
set_answer(struct answer *answer, enum answer_kind kind, const char *format, ...)
{
    va_list arguments;

    answer->kind = kind;
    va_start(arguments, format);
    vsnprintf(answer->reason, sizeof answer->reason, format, arguments);
    va_end(arguments);
}

/* Whether the board reports a digest of the sketch that can be compared with that of the image. */
static bool compares_digests(const struct fetcher *fetcher, const struct offer *offer)
{
    return offer->command == OTA_COMMAND_SKETCH &&
           (fetcher->has_md5 || (fetcher->has_sha256 && *offer->running_sha256));
}

bool answer_compares_versions(const struct fetcher *fetcher, const struct offer *offer)
{
    return !compares_digests(fetcher, offer) && offer->version && fetcher->has_version;
}

enum proof answer_proof(const struct fetcher *fetcher, const struct offer *offer)
{
    bool is_equal;

    if (answer_compares_versions(fetcher, offer))
        is_equal = strcmp(fetcher->version, offer->version) == 0;
    else if (!compares_digests(fetcher, offer))
        return PROOF_NONE;
    else if (fetcher->has_md5)
        is_equal = offer_is_running(offer, fetcher->md5);
    else
        is_equal = strcmp(fetcher->sha256, offer->running_sha256) == 0;
    return is_equal ? PROOF_RUNS : PROOF_OTHER;
}

static enum offer_form choose_form(const struct fetcher *fetcher, const struct offer *offer)
{
    const struct offer_bytes *packed = &offer->forms[OFFER_PACKED];

    if (fetcher->wants_packed && packed->data)
        return OFFER_PACKED;
    if (fetcher->family == INSPECT_FAMILY_ESP32 && offer->forms[OFFER_FOR_ESP32].data)
        return OFFER_FOR_ESP32;
    if (packed->data && fetcher_unpacks(fetcher) &&
        (packed->inspection->families & fetcher->family) != 0)
        return OFFER_PACKED;
    return OFFER_PLAIN;
}

/* Several families have no name together. */
static const char *name_families(unsigned families)
{
    const char *name = fetcher_family_name(families);

    return *name ? name : "other";
}

static const char *name_filesystem(enum inspect_format format)
{
    return format == INSPECT_FAT        ? "FAT"
           : format == INSPECT_LITTLEFS ? "LittleFS"
           : format == INSPECT_SPIFFS   ? "SPIFFS"
                                        : "";
}

/* Whether the image is known to be another filesystem than the one that the board asks for. */
static bool is_other_filesystem(const struct fetcher *fetcher, const struct offer *offer)
{
    const struct inspection *inspection = offer->forms[OFFER_PLAIN].inspection;

    return fetcher->filesystem != INSPECT_UNKNOWN && fetcher->filesystem != inspection->format &&
           *name_filesystem(inspection->format);
}

static bool refuse_mode(struct answer *answer, const struct fetcher *fetcher,
                        const struct offer *offer)
{
    const bool is_sketch = offer->command == OTA_COMMAND_SKETCH;
    const enum fetcher_mode mode = fetcher->mode;

    if (mode == FETCHER_OTHER_MODE)
        set_answer(answer, ANSWER_REFUSED, "it asks for an unknown kind of image");
    else if (mode == FETCHER_SKETCH && !is_sketch)
        set_answer(answer, ANSWER_REFUSED,
                   "it asks for a sketch, and a filesystem image is served");
    else if (mode == FETCHER_FILESYSTEM && is_sketch)
        set_answer(answer, ANSWER_REFUSED,
                   "it asks for a filesystem image, and a sketch is served");
    else if (mode == FETCHER_FILESYSTEM && is_other_filesystem(fetcher, offer))
        set_answer(answer, ANSWER_REFUSED, "it asks for a %s image, and a %s image is served",
                   name_filesystem(fetcher->filesystem),
                   name_filesystem(offer->forms[OFFER_PLAIN].inspection->format));
    else
        return false;
    return true;
}

/* An image whose families are unknown is for any board: --force. */
static bool refuse_board(struct answer *answer, const struct fetcher *fetcher,
                         const struct offer *offer)
{
    const struct offer_bytes *bytes = &offer->forms[answer->form];
    const unsigned families = bytes->inspection->families;

    if (fetcher->family && families && (families & fetcher->family) == 0) {
        set_answer(answer, ANSWER_REFUSED,
                   "the image is for %s boards, and it is one of the %s family",
                   name_families(families), fetcher_family_name(fetcher->family));
        return true;
    }
    if (fetcher->family && bytes->inspection->sending == INSPECT_SERVABLE) {
        set_answer(answer, ANSWER_REFUSED, "the image is %s, and the board is one of the %s family",
                   bytes->inspection->what, fetcher_family_name(fetcher->family));
        return true;
    }
    if (offer->command == OTA_COMMAND_SKETCH && fetcher->has_free_space &&
        bytes->size > fetcher->free_space) {
        set_answer(answer, ANSWER_REFUSED,
                   "the image has %zu bytes, and the board has room for %" PRIu64, bytes->size,
                   fetcher->free_space);
        return true;
    }
    return false;
}

static void take_turn(struct answer *answer, enum turn turn)
{
    static const struct {
        enum answer_kind kind;
        const char *reason;
    } rows[] = {
        [TURN_NOW] = {ANSWER_IMAGE, ""},
        [TURN_CANARIES] = {ANSWER_NOT_NOW, "it waits until the canaries have confirmed"},
        [TURN_STOPPED] = {ANSWER_NOT_NOW, "the roll-out has stopped after failures"},
        [TURN_FULL] = {ANSWER_BUSY, "as many boards are downloading as may at a time (-j)"},
        [TURN_FULL_HERE] =
            {ANSWER_BUSY,
             "as many boards at its address are downloading as may at a time (half of -j)"},
        [TURN_GIVEN_UP] = {ANSWER_NOT_NOW,
                           "it is in an update loop: it took the image and came back without it"},
        [TURN_TAKEN] =
            {ANSWER_NOT_NOW,
             "it has taken the image, but does not say what it runs (see --serve-version)"},
        [TURN_SETTLED] = {ANSWER_NOT_NOW, "it was told to fetch, and has its result already"},
    };

    set_answer(answer, rows[turn].kind, "%s", rows[turn].reason);
}

void answer_decide(struct answer *answer, const struct fetcher *fetcher, const struct offer *offer,
                   enum turn turn)
{
    *answer =
        (struct answer){.form = choose_form(fetcher, offer), .proof = answer_proof(fetcher, offer)};

    if (fetcher->mode == FETCHER_VERSION)
        set_answer(answer, ANSWER_VERSION, "it asks for the version");
    else if (refuse_mode(answer, fetcher, offer))
        return;
    else if (answer->proof == PROOF_RUNS)
        set_answer(answer, ANSWER_UNCHANGED, "it runs the image");
    else if (!refuse_board(answer, fetcher, offer))
        take_turn(answer, turn);
}
