/*
 * test-page_facts.c: versions and chips in the replies of pages.
 */
#include "upload/web/page_facts.h"

#include "image/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_chips(void **state)
{
    static const char *const rows[][2] = {
        {"ESP8266EX", "esp8266"},
        {"ESP8285", "esp8266"},
        {"ESP32", "esp32"},
        {"esp32", "esp32"},
        {"ESP32-D0WD-V3", "esp32"},
        {"ESP32-S3 (8 MB)", "esp32s3"},
        {"ESP32-C3", "esp32c3"},
        {"ESP32-C61 v1", "esp32c61"},
        {"RP2040", "rp2040"},
        {"nRF52", ""},
        {"", ""},
        {"an ESP32", ""},
    };
    char chips[KIND_CHIPS_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        page_facts_chips(chips, rows[i][0]);
        assert_string_equal(chips, rows[i][1]);
    }
}

static const struct {
    enum page_id page;
    const char *server, *body;
    const char *version, *chips;
    bool tells;
    const char *mark;
} reply_rows[] = {
    {PAGE_TASMOTA, "Tasmota/13.3.0 (ESP32-C3)", "", "13.3.0", "esp32c3", false, ""},
    {PAGE_TASMOTA, "Tasmota/13.3.0", "", "13.3.0", "", false, ""},
    {PAGE_TASMOTA, "Tasmota/13.3.0 (ESP8266EX)",
     "{\"StatusFWR\":{\"Version\":\"13.3.0(tasmota)\",\"BuildDateTime\":\"2023-12-01T10:00:"
     "00\","
     "\"Hardware\":\"ESP8266EX\"}}",
     "13.3.0(tasmota) of 2023-12-01T10:00:00", "esp8266", true, "10:00:00"},
    {PAGE_TASMOTA, "", "{\"StatusFWR\":{\"Version\":\"1\",\"BuildDateTime\":\"2023T10:00:0\"}}",
     "1 of 2023T10:00:0", "", true, ""},
    {PAGE_TASMOTA, "", "{\"WARNING\":\"Need user=<username>&password=<password>\"}", "", "", false,
     ""},
    {PAGE_TASMOTA, "", "[1,2", "", "", false, ""},
    {PAGE_TASMOTA, "", "{\"StatusFWR\":[]}", "", "", false, ""},
    {PAGE_WLED, "", "{\"brand\":\"WLED\",\"ver\":\"0.15.0\",\"vid\":2412100,\"arch\":\"esp32\"}",
     "0.15.0 (build 2412100)", "esp32", true, "0.15.0"},
    {PAGE_WLED, "",
     "{\"brand\":\"WLED\",\"ver\":\"16.0\",\"vid\":1,\"arch\":\"esp8266\",\"release\":\"R\"}",
     "16.0 (build 1, R)", "esp8266", true, "16.0"},
    {PAGE_WLED, "", "{\"brand\":\"other\",\"ver\":\"1\"}", "", "", false, ""},
    {PAGE_WLED, "", "{\"brand\":\"WLED\",\"ver\":1}", "", "", false, ""},
    {PAGE_ELEGANTOTA, "", "{\"id\": \"x\", \"hardware\": \"ESP32\"}", "", "esp32", false, ""},
    {PAGE_ELEGANTOTA, "", "{\"id\": A1B2C3, \"hardware\": \"ESP8266\"}", "", "esp8266", false, ""},
    {PAGE_ELEGANTOTA, "", "{\"hardware\"", "", "", false, ""},
    {PAGE_ELEGANTOTA, "", "{\"hardware\": \"ESP", "", "", false, ""},
    {PAGE_SAFEBOOT, "", "v1.2.3\n", "v1.2.3", "", true, ""},
    {PAGE_SAFEBOOT, "", "ESP32-S3 (8 MB)", "", "esp32s3", false, ""},
    {PAGE_SAFEBOOT, "", "<html></html>", "", "", false, ""},
    {PAGE_ESP8266, "",
     "{\"System\":{\"Build\":20116,\"Git Build\":\"mega-20220328\",\"ESP Chip "
     "Model\":\"ESP8285\"}}",
     "20116, mega-20220328", "esp8266", true, "mega-20220328"},
    {PAGE_ESP8266, "", "{\"System\":{\"Build\":20116,\"Git Build\":3}}", "20116", "", true, ""},
    {PAGE_FORM, "",
     "{\"System\":{\"Build\":\"20230508 - Mega\",\"Git Build\":\"\",\"Build Time\":\"2023-05-08 "
     "21:41:22\",\"ESP Chip Model\":\"ESP32-S2\"}}",
     "20230508 - Mega of 2023-05-08 21:41:22", "esp32s2", true, ""},
    {PAGE_ESP32, "", "{\"System\":{\"Build\":20116}}", "", "", false, ""},
    {PAGE_ESP8266, "", "{\"System\":3}", "", "", false, ""},
    {PAGE_ESP8266, "Tasmota/1 (x)", "{\"brand\":\"WLED\",\"ver\":\"1\"}", "", "", false, ""},
};

static void test_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reply_rows / sizeof *reply_rows; i++) {
        struct http_reply reply = {.status = 200, .has_head = true};
        struct page_facts facts = {0};

        snprintf(reply.server, sizeof reply.server, "%s", reply_rows[i].server);
        http_reply_add_body(&reply, reply_rows[i].body, strlen(reply_rows[i].body));
        bool tells = page_facts_add(&facts, &pages[reply_rows[i].page], &reply);
        if (tells != reply_rows[i].tells)
            fail_msg("row %zu: %d", i, tells);
        assert_string_equal(facts.version, reply_rows[i].version);
        assert_string_equal(facts.chips, reply_rows[i].chips);
        assert_string_equal(facts.mark, reply_rows[i].mark);
        http_reply_clear(&reply);
    }
}

/* The image of a version contains a part of what the page tells. */
static void test_images(void **state)
{
    static const struct {
        const char *mark, *data;
        enum inspect_format format;
        bool fits, fits_as_recovery;
    } rows[] = {
        {"12:00:00", "..12:00:00", INSPECT_UNKNOWN, true, true},
        {"12:00:00", "..12:00:01.", INSPECT_UNKNOWN, false, false},
        {"0.15.0", "0.15.0", INSPECT_UNKNOWN, true, true},
        {"0.15.0", "0.15", INSPECT_UNKNOWN, false, false},
        {"0.15.1", "0.15.10", INSPECT_UNKNOWN, false, false},
        {"0.15.1", "0.15.1-b2 0.15.1", INSPECT_UNKNOWN, true, true},
        {"", "anything", INSPECT_UNKNOWN, true, false},
        {"0.15.0", "packed", INSPECT_GZIP, true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct page_facts facts = {0};
        struct image image = {.inspection.format = rows[i].format}, packed = {0};
        unsigned char copy[32], gzip[] = {0x1f, 0x8b};

        snprintf(facts.mark, sizeof facts.mark, "%s", rows[i].mark);
        image.size = strlen(rows[i].data);
        memcpy(copy, rows[i].data, image.size);
        image.data = copy;
        assert_int_equal(page_facts_fit_image(&facts, &image), rows[i].fits);

        packed.size = sizeof gzip;
        packed.data = gzip;
        packed.plain = &image;
        assert_int_equal(page_facts_fit_image(&facts, &packed), rows[i].fits);

        facts.is_recovery = true;
        assert_int_equal(page_facts_fit_image(&facts, &image), rows[i].fits_as_recovery);
        assert_int_equal(page_facts_fit_image(&facts, &packed), rows[i].fits_as_recovery);
    }
}

/* Tasmota's safeboot firmware, as anybody builds it, as it is released, and of a commit. */
static void test_recovery(void **state)
{
    static const struct {
        const char *version;
        bool is_recovery;
    } rows[] = {
        {"14.3.0(safeboot)", true},           {"14.3.0(release-safeboot)", true},
        {"14.3.0.1(85cff52-safeboot)", true}, {"14.3.0(tasmota32)", false},
        {"14.3.0(release-tasmota32)", false}, {"14.3.0(nosafeboot)", false},
        {"14.3.0(safeboot2)", false},         {"14.3.0", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {.status = 200, .has_head = true};
        struct page_facts facts = {0};
        char body[256];

        snprintf(body, sizeof body,
                 "{\"StatusFWR\":{\"Version\":\"%s\",\"BuildDateTime\":\"2024-10-15T08:00:00\"}}",
                 rows[i].version);
        http_reply_add_body(&reply, body, strlen(body));
        assert_true(page_facts_add(&facts, &pages[PAGE_TASMOTA], &reply));
        if (facts.is_recovery != rows[i].is_recovery)
            fail_msg("%s", rows[i].version);
        http_reply_clear(&reply);
    }
}

/* Of WLED only: another firmware's uptime may be in another unit. */
static void test_uptime(void **state)
{
    static const struct {
        enum page_id page;
        const char *body;
        bool has_uptime;
        uint32_t uptime_s;
    } rows[] = {
        {PAGE_WLED, "{\"brand\":\"WLED\",\"ver\":\"0.15.0\",\"uptime\":0}", true, 0},
        {PAGE_WLED, "{\"brand\":\"WLED\",\"ver\":\"0.15.0\",\"uptime\":4294967295}", true,
         UINT32_MAX},
        {PAGE_WLED, "{\"brand\":\"WLED\",\"ver\":\"0.15.0\",\"uptime\":4294967296}", false, 0},
        {PAGE_WLED, "{\"brand\":\"WLED\",\"ver\":\"0.15.0\",\"uptime\":-1}", false, 0},
        {PAGE_WLED, "{\"brand\":\"WLED\",\"ver\":\"0.15.0\",\"uptime\":\"1\"}", false, 0},
        {PAGE_WLED, "{\"brand\":\"WLED\",\"ver\":\"0.15.0\",\"uptime\":1.0}", false, 0},
        {PAGE_WLED, "{\"brand\":\"WLED\",\"ver\":\"0.15.0\"}", false, 0},
        {PAGE_WLED, "{\"brand\":\"other\",\"ver\":\"0.15.0\",\"uptime\":1}", false, 0},
        {PAGE_ESP8266, "{\"brand\":\"WLED\",\"ver\":\"0.15.0\",\"uptime\":1}", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {.status = 200, .has_head = true};
        struct page_facts facts = {0};

        http_reply_add_body(&reply, rows[i].body, strlen(rows[i].body));
        page_facts_add(&facts, &pages[rows[i].page], &reply);
        if (facts.has_uptime != rows[i].has_uptime || facts.uptime_s != rows[i].uptime_s)
            fail_msg("row %zu: %d %u", i, facts.has_uptime, facts.uptime_s);
        http_reply_clear(&reply);
    }
}

static void test_room(void **state)
{
    static const struct {
        const char *body;
        bool has_room;
        size_t room;
    } rows[] = {
        {"{\"StatusMEM\":{\"ProgramSize\":616,\"Free\":384,\"Heap\":25}}", true, 393216},
        {"{\"StatusMEM\":{\"Free\":0}}", true, 0},
        {"{\"StatusMEM\":{\"Free\":-1}}", false, 0},
        {"{\"StatusMEM\":{\"Free\":9223372036854775807}}", false, 0},
        {"{\"StatusMEM\":{\"Free\":\"384\"}}", false, 0},
        {"{\"StatusMEM\":[384]}", false, 0},
        {"{\"Free\":384}", false, 0},
    };
    struct page_facts facts = {.chips = "esp8266"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {.status = 200, .has_head = true};
        struct page_facts found = {0};

        http_reply_add_body(&reply, rows[i].body, strlen(rows[i].body));
        assert_false(page_facts_add(&found, &pages[PAGE_TASMOTA], &reply));
        if (found.has_room != rows[i].has_room || found.room != rows[i].room)
            fail_msg("row %zu: %d %zu", i, found.has_room, found.room);
        http_reply_clear(&reply);
    }
    assert_string_equal(page_facts_room_path(&pages[PAGE_TASMOTA], &facts), "/cm?cmnd=Status%204");
    assert_null(page_facts_room_path(&pages[PAGE_WLED], &facts));
    strcpy(facts.chips, "esp32");
    assert_null(page_facts_room_path(&pages[PAGE_TASMOTA], &facts));
}

/* A version is shown, and may come from anybody. */
static void test_hostile(void **state)
{
    static const char body[] = "{\"StatusFWR\":{\"Version\":\"\\u001b[31m\\u202ered\"}}";
    struct http_reply reply = {.status = 200, .has_head = true};
    struct page_facts facts = {0};

    (void)state;
    http_reply_add_body(&reply, body, strlen(body));
    assert_true(page_facts_add(&facts, &pages[PAGE_TASMOTA], &reply));
    assert_string_equal(facts.version, "\\x1b[31m\\u202ered");
    http_reply_clear(&reply);
}

/* "v1.2" may be the beginning of "v1.23". */
static void test_cut_version(void **state)
{
    static const char length[] = "Content-Length: 6", body[] = "v1.234";
    struct http_reply reply = {.status = 200};
    struct page_facts facts = {0};

    (void)state;
    http_reply_add_line(&reply, length, strlen(length));
    http_reply_add_line(&reply, "", 0);
    assert_true(http_reply_add_body(&reply, body, 4));
    assert_false(page_facts_add(&facts, &pages[PAGE_SAFEBOOT], &reply));
    assert_true(http_reply_add_body(&reply, body + 4, 2));
    assert_true(page_facts_add(&facts, &pages[PAGE_SAFEBOOT], &reply));
    assert_string_equal(facts.version, body);
    http_reply_clear(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_version), cmocka_unit_test(test_chips),
        cmocka_unit_test(test_replies),     cmocka_unit_test(test_room),
        cmocka_unit_test(test_uptime),      cmocka_unit_test(test_images),
        cmocka_unit_test(test_hostile),     cmocka_unit_test(test_recovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
