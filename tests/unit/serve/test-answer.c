/*
 * test-answer.c: what each board gets, and why.
 */
#include "serve/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define OURS "11111111111111111111111111111111"
#define OTHER "22222222222222222222222222222222"

enum { SIZE = 1000, PACKED_SIZE = 400 };

static const struct inspection esp8266 = {.families = INSPECT_FAMILY_ESP8266};
static const struct inspection esp32 = {.families = INSPECT_FAMILY_ESP32};
static const struct inspection both = {.families = INSPECT_FAMILY_ESP8266 | INSPECT_FAMILY_PICO};
static const struct inspection unknown = {.families = 0};
static const struct inspection update = {.sending = INSPECT_SERVABLE, .what = "an MCUboot image"};
static const unsigned char byte;

static const char OURS_SHA256[] = OURS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static struct offer offer_of(const struct inspection *inspection, enum ota_command command)
{
    return (struct offer){
        .command = command,
        .forms = {[OFFER_PLAIN] = {.data = &byte, .size = SIZE, .inspection = inspection}},
        .running = {OURS},
        .running_count = 1};
}

static struct fetcher fetcher_of(unsigned family, enum fetcher_mode mode, const char *md5)
{
    struct fetcher fetcher = {.family = family, .mode = mode};

    if (md5) {
        snprintf(fetcher.md5, sizeof fetcher.md5, "%s", md5);
        fetcher.has_md5 = true;
    }
    return fetcher;
}

static const struct {
    const struct inspection *image;
    enum ota_command command;
    unsigned family;
    enum fetcher_mode mode;
    const char *md5;
    enum turn turn;
    enum answer_kind kind;
    const char *reason;
} decision_rows[] = {
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_SKETCH, OTHER, TURN_NOW,
     ANSWER_IMAGE, ""},
    {&esp8266, OTA_COMMAND_SKETCH, 0, FETCHER_UNSAID, NULL, TURN_NOW, ANSWER_IMAGE, ""},
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_SKETCH, OURS, TURN_NOW,
     ANSWER_UNCHANGED, "it runs the image"},
    /* What it runs counts more than its turn. */
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_SKETCH, OURS, TURN_FULL,
     ANSWER_UNCHANGED, "it runs the image"},
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_SKETCH, OTHER, TURN_FULL,
     ANSWER_BUSY, "as many boards are downloading as may at a time (-j)"},
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_SKETCH, OTHER, TURN_CANARIES,
     ANSWER_NOT_NOW, "it waits until the canaries have confirmed"},
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_SKETCH, OTHER, TURN_STOPPED,
     ANSWER_NOT_NOW, "the roll-out has stopped after failures"},
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_SKETCH, OTHER, TURN_GIVEN_UP,
     ANSWER_NOT_NOW, "it is in an update loop: it took the image and came back without it"},
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_SKETCH, NULL, TURN_TAKEN,
     ANSWER_NOT_NOW, "it has taken the image, but does not say what it runs (see --serve-version)"},
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_SKETCH, OTHER, TURN_SETTLED,
     ANSWER_NOT_NOW, "it was told to fetch, and has its result already"},
    /* the wrong chip, whatever its turn */
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP32, FETCHER_SKETCH, OTHER, TURN_FULL,
     ANSWER_REFUSED, "the image is for ESP8266 boards, and it is one of the ESP32 family"},
    {&esp32, OTA_COMMAND_SKETCH, INSPECT_FAMILY_PICO, FETCHER_SKETCH, NULL, TURN_NOW,
     ANSWER_REFUSED, "the image is for ESP32 boards, and it is one of the Pico W family"},
    {&both, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP32, FETCHER_SKETCH, OTHER, TURN_NOW,
     ANSWER_REFUSED, "the image is for other boards, and it is one of the ESP32 family"},
    {&both, OTA_COMMAND_SKETCH, INSPECT_FAMILY_PICO, FETCHER_SKETCH, NULL, TURN_NOW, ANSWER_IMAGE,
     ""},
    {&unknown, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP32, FETCHER_SKETCH, OTHER, TURN_NOW,
     ANSWER_IMAGE, ""},
    {&update, OTA_COMMAND_SKETCH, 0, FETCHER_UNSAID, NULL, TURN_NOW, ANSWER_IMAGE, ""},
    {&update, OTA_COMMAND_SKETCH, INSPECT_FAMILY_PICO, FETCHER_SKETCH, NULL, TURN_NOW,
     ANSWER_REFUSED, "the image is an MCUboot image, and the board is one of the Pico W family"},
    /* the other mode */
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_FILESYSTEM, OTHER, TURN_NOW,
     ANSWER_REFUSED, "it asks for a filesystem image, and a sketch is served"},
    {&esp8266, OTA_COMMAND_FILESYSTEM, INSPECT_FAMILY_ESP8266, FETCHER_SKETCH, OURS, TURN_NOW,
     ANSWER_REFUSED, "it asks for a sketch, and a filesystem image is served"},
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_OTHER_MODE, OURS, TURN_NOW,
     ANSWER_REFUSED, "it asks for an unknown kind of image"},
    /* The MD5 is that of the sketch. */
    {&esp8266, OTA_COMMAND_FILESYSTEM, INSPECT_FAMILY_ESP8266, FETCHER_FILESYSTEM, OURS, TURN_NOW,
     ANSWER_IMAGE, ""},
    {&esp8266, OTA_COMMAND_SKETCH, INSPECT_FAMILY_ESP8266, FETCHER_VERSION, OURS, TURN_NOW,
     ANSWER_VERSION, "it asks for the version"},
};

static void test_decisions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(decision_rows); i++) {
        const struct offer offer = offer_of(decision_rows[i].image, decision_rows[i].command);
        const struct fetcher fetcher =
            fetcher_of(decision_rows[i].family, decision_rows[i].mode, decision_rows[i].md5);
        struct answer answer;

        answer_decide(&answer, &fetcher, &offer, decision_rows[i].turn);
        assert_int_equal(answer.kind, decision_rows[i].kind);
        assert_string_equal(answer.reason, decision_rows[i].reason);
    }
}

/* A board that names its filesystem gets no other one; an image that is none of them may be any. */
static void test_filesystems(void **state)
{
    (void)state;
    static const struct {
        enum inspect_format asked, served;
        const char *reason;
    } rows[] = {
        {INSPECT_FAT, INSPECT_LITTLEFS, "it asks for a FAT image, and a LittleFS image is served"},
        {INSPECT_LITTLEFS, INSPECT_SPIFFS,
         "it asks for a LittleFS image, and a SPIFFS image is served"},
        {INSPECT_LITTLEFS, INSPECT_FAT, "it asks for a LittleFS image, and a FAT image is served"},
        {INSPECT_FAT, INSPECT_FAT, ""},
        {INSPECT_LITTLEFS, INSPECT_LITTLEFS, ""},
        {INSPECT_FAT, INSPECT_UNKNOWN, ""},
        {INSPECT_FAT, INSPECT_GZIP, ""},
        {INSPECT_UNKNOWN, INSPECT_LITTLEFS, ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct inspection inspection = {.format = rows[i].served};
        const struct offer offer = offer_of(&inspection, OTA_COMMAND_FILESYSTEM);
        struct fetcher fetcher = fetcher_of(INSPECT_FAMILY_ESP32, FETCHER_FILESYSTEM, NULL);
        struct answer answer;

        fetcher.filesystem = rows[i].asked;
        answer_decide(&answer, &fetcher, &offer, TURN_NOW);
        assert_string_equal(answer.reason, rows[i].reason);
        assert_int_equal(answer.kind, *rows[i].reason ? ANSWER_REFUSED : ANSWER_IMAGE);
    }
}

static void test_space(void **state)
{
    (void)state;
    static const struct {
        enum ota_command command;
        uint64_t free_space;
        enum answer_kind kind;
    } rows[] = {{OTA_COMMAND_SKETCH, SIZE, ANSWER_IMAGE},
                {OTA_COMMAND_SKETCH, SIZE - 1, ANSWER_REFUSED},
                {OTA_COMMAND_SKETCH, 0, ANSWER_REFUSED},
                {OTA_COMMAND_FILESYSTEM, 0, ANSWER_IMAGE}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct offer offer = offer_of(&esp8266, rows[i].command);
        struct fetcher fetcher = fetcher_of(INSPECT_FAMILY_ESP8266, FETCHER_UNSAID, OTHER);
        struct answer answer;

        fetcher.has_free_space = true;
        fetcher.free_space = rows[i].free_space;
        answer_decide(&answer, &fetcher, &offer, TURN_NOW);
        assert_int_equal(answer.kind, rows[i].kind);
    }
}

/* Only those that unpack an image get it packed. What fits packed only is offered to them, too. */
static void test_forms(void **state)
{
    (void)state;
    static const struct {
        unsigned family;
        bool wants_packed;
        enum offer_form form;
        enum answer_kind kind;
    } rows[] = {{INSPECT_FAMILY_ESP8266, false, OFFER_PACKED, ANSWER_IMAGE},
                {INSPECT_FAMILY_PICO, false, OFFER_PLAIN, ANSWER_IMAGE},
                {INSPECT_FAMILY_ESP32, false, OFFER_FOR_ESP32, ANSWER_IMAGE},
                {0, false, OFFER_PLAIN, ANSWER_IMAGE},
                {0, true, OFFER_PACKED, ANSWER_IMAGE},
                {INSPECT_FAMILY_PICO, true, OFFER_PACKED, ANSWER_REFUSED}};
    struct offer offer = offer_of(&both, OTA_COMMAND_SKETCH);
    offer.forms[OFFER_PACKED] =
        (struct offer_bytes){.data = &byte, .size = PACKED_SIZE, .inspection = &esp8266};
    offer.forms[OFFER_FOR_ESP32] =
        (struct offer_bytes){.data = &byte, .size = SIZE, .inspection = &esp32};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fetcher fetcher = fetcher_of(rows[i].family, FETCHER_SKETCH, OTHER);
        struct answer answer;

        fetcher.wants_packed = rows[i].wants_packed;
        answer_decide(&answer, &fetcher, &offer, TURN_NOW);
        assert_int_equal(answer.form, rows[i].form);
        assert_int_equal(answer.kind, rows[i].kind);
    }

    struct fetcher small = fetcher_of(INSPECT_FAMILY_ESP8266, FETCHER_SKETCH, OTHER);
    struct answer answer;
    small.has_free_space = true;
    small.free_space = PACKED_SIZE;
    answer_decide(&answer, &small, &offer, TURN_NOW);
    assert_int_equal(answer.kind, ANSWER_IMAGE);
}

static void test_proof(void **state)
{
    (void)state;
    static const struct {
        enum ota_command command;
        const char *md5, *version, *ours;
        enum proof proof;
    } rows[] = {
        {OTA_COMMAND_SKETCH, OURS, NULL, NULL, PROOF_RUNS},
        {OTA_COMMAND_SKETCH, OTHER, NULL, NULL, PROOF_OTHER},
        {OTA_COMMAND_SKETCH, OTHER, "7", "7", PROOF_OTHER}, /* the MD5 counts more */
        {OTA_COMMAND_SKETCH, NULL, "7", "7", PROOF_RUNS},
        {OTA_COMMAND_SKETCH, NULL, "6", "7", PROOF_OTHER},
        {OTA_COMMAND_SKETCH, NULL, "7", NULL, PROOF_NONE},
        {OTA_COMMAND_SKETCH, NULL, NULL, "7", PROOF_NONE},
        {OTA_COMMAND_SKETCH, NULL, NULL, NULL, PROOF_NONE},
        {OTA_COMMAND_FILESYSTEM, OURS, NULL, NULL, PROOF_NONE},
        {OTA_COMMAND_FILESYSTEM, OTHER, "7", "7", PROOF_RUNS},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct offer offer = offer_of(&esp8266, rows[i].command);
        struct fetcher fetcher = fetcher_of(0, FETCHER_UNSAID, rows[i].md5);

        offer.version = rows[i].ours;
        fetcher.has_version = rows[i].version;
        if (rows[i].version)
            snprintf(fetcher.version, sizeof fetcher.version, "%s", rows[i].version);
        assert_int_equal(answer_proof(&fetcher, &offer), rows[i].proof);
    }
}

/* An ESP32 of arduino-esp32 1.0 tells no MD5. */
static void test_proof_by_sha256(void **state)
{
    (void)state;
    static const struct {
        enum ota_command command;
        const char *ours, *sha256, *md5;
        enum proof proof;
    } rows[] = {
        {OTA_COMMAND_SKETCH, OURS_SHA256, OURS_SHA256, NULL, PROOF_RUNS},
        {OTA_COMMAND_SKETCH, OURS_SHA256, OTHER OTHER, NULL, PROOF_OTHER},
        {OTA_COMMAND_SKETCH, OURS_SHA256, OTHER OTHER, OURS, PROOF_RUNS}, /* the MD5 counts more */
        {OTA_COMMAND_SKETCH, OURS_SHA256, OURS_SHA256, OTHER, PROOF_OTHER},
        {OTA_COMMAND_SKETCH, OURS_SHA256, NULL, NULL, PROOF_NONE},
        {OTA_COMMAND_SKETCH, "", OURS_SHA256, NULL, PROOF_NONE}, /* no image of an ESP32 */
        {OTA_COMMAND_FILESYSTEM, OURS_SHA256, OURS_SHA256, NULL, PROOF_NONE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct offer offer = offer_of(&esp32, rows[i].command);
        struct fetcher fetcher = fetcher_of(INSPECT_FAMILY_ESP32, FETCHER_SKETCH, rows[i].md5);

        snprintf(offer.running_sha256, sizeof offer.running_sha256, "%s", rows[i].ours);
        fetcher.has_sha256 = rows[i].sha256;
        if (rows[i].sha256)
            snprintf(fetcher.sha256, sizeof fetcher.sha256, "%s", rows[i].sha256);
        assert_int_equal(answer_proof(&fetcher, &offer), rows[i].proof);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decisions),       cmocka_unit_test(test_filesystems),
        cmocka_unit_test(test_proof_by_sha256), cmocka_unit_test(test_space),
        cmocka_unit_test(test_forms),           cmocka_unit_test(test_proof)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
