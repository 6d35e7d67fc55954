/*
 * test-readback.c: when an announcement counts after the restart, in virtual time. The test plays
 * multicast DNS.
 */
#include "upload/readback.h"

#include "support/search_wraps.h"
#include "support/virtual_time.h"
#include "upload/endpoints.h"
#include "upload/upload_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

/* Where the upload went, or could have. */
static const char *const board_addresses[] = {"10.0.0.7", "fd77::7"};

static struct world {
    unsigned asked;
    bool is_pending;
    mdns_client_answer_fn *on_answer;
    void *userdata;
    bool is_over, is_proven;
    struct ota_failure result;
} world;

struct mdns_query *__wrap_mdns_client_ask(struct mdns_client *mdns, enum mdns_kind kind,
                                          unsigned services, const char *name,
                                          mdns_client_answer_fn *on_answer, void *userdata)
{
    (void)mdns;
    assert_int_equal(kind, MDNS_INSTANCE);
    assert_int_equal(services, SERVICES_ESPHOME);
    assert_string_equal(name, "loft");
    assert_false(world.is_pending);
    world.asked++;
    world.is_pending = true;
    world.on_answer = on_answer;
    world.userdata = userdata;
    return (struct mdns_query *)&world.is_pending;
}

void __wrap_mdns_client_cancel(struct mdns_query *query)
{
    assert_ptr_equal(query, &world.is_pending);
    world.is_pending = false;
}

void __wrap_plain_query_send(enum service service)
{
    assert_int_equal(service, SERVICE_ESPHOME);
}

static void on_read_back(const struct ota_failure *failure, bool is_proven, void *userdata)
{
    (void)userdata;
    assert_false(world.is_over);
    world.is_over = true;
    world.is_proven = is_proven;
    world.result = *failure;
}

static void announce(const char *version, const char *address)
{
    struct mdns_answer answer = {.event = MDNS_FOUND, .has_address = true};

    assert_true(address_parse(&answer.address, address));
    snprintf(answer.esphome.version, sizeof answer.esphome.version, "%s", version);
    world.on_answer(&answer, world.userdata);
    if (world.is_over)
        return;
    world.is_pending = false;
    world.on_answer(&(struct mdns_answer){.event = MDNS_END}, world.userdata);
}

/* The board announces 1.0 before the upload. */
static struct readback *begin_readback(const char *image_version, const char *expected,
                                       bool has_returned)
{
    static struct upload_settings settings;
    static char expected_text[16];
    static const struct esphome_record before = {.version = "1.0"};
    static struct inspect_esphome image;
    static struct endpoints endpoints;
    const struct readback_config config = {.loop = virtual_time_loop(),
                                           .settings = &settings,
                                           .has_returned = has_returned,
                                           .instance = "loft",
                                           .endpoints = &endpoints,
                                           .before = &before,
                                           .image = &image,
                                           .on_done = on_read_back};

    snprintf(expected_text, sizeof expected_text, "%s", expected ? expected : "");
    settings = (struct upload_settings){.timeout_us = 10 * SECOND,
                                        .expect_version = expected ? expected_text : NULL,
                                        .expect_version_us = 30 * SECOND};
    snprintf(image.version, sizeof image.version, "%s", image_version);
    for (endpoints.address_count = 0; endpoints.address_count < 2; endpoints.address_count++)
        assert_true(address_parse(&endpoints.addresses[endpoints.address_count],
                                  board_addresses[endpoints.address_count]));
    world = (struct world){0};
    virtual_time_reset(SECOND);
    struct readback *readback = readback_start(&config);
    assert_non_null(readback);
    return readback;
}

/* The board announces 1.0 up to this time, and then 2.0. address: where, instead of at its own
 * addresses; NULL: there. */
static void play_readback(struct readback *readback, int64_t change_us, const char *address)
{
    while (!world.is_over) {
        assert_true(virtual_time.due_us >= 0);
        virtual_time_fire();
        if (!world.is_over && world.is_pending)
            announce(virtual_time.now_us - SECOND >= change_us ? "2.0" : "1.0",
                     address ? address : board_addresses[world.asked % 2]);
    }
    assert_false(world.is_pending);
    assert_true(virtual_time.due_us < 0);
    readback_free(readback);
}

static void assert_result(enum ota_error error, const char *message, bool is_proven)
{
    assert_string_equal(world.result.message, message);
    assert_int_equal(world.result.error, error);
    assert_int_equal(world.result.cause,
                     error != OTA_E_UNPROVEN                  ? OTA_CAUSE_NONE
                     : strstr(message, "not seen to restart") ? OTA_CAUSE_NOT_RESTARTED
                     : strstr(message, "did not come")        ? OTA_CAUSE_NO_VERSION
                                                              : OTA_CAUSE_OTHER_VERSION);
    assert_int_equal(world.is_proven, is_proven);
}

static void test_readback(void **state)
{
    (void)state;
    static const struct {
        const char *title, *image_version;
        int64_t change_us;
        int64_t result_us;
        enum ota_error error;
        bool is_proven;
        const char *message;
    } rows[] = {
        {"the new version, at once", "2.0", 0, 0, OTA_OK, true,
         "it runs ESPHome 2.0 now (before: ESPHome 1.0)"},
        {"the new version, late", "2.0", 9 * SECOND, 9 * SECOND, OTA_OK, true,
         "it runs ESPHome 2.0 now (before: ESPHome 1.0)"},
        {"the same image once more", "1.0", 11 * SECOND, 10 * SECOND, OTA_OK, false,
         "it runs ESPHome 1.0, as before"},
        {"the old version to the end", "2.0", 11 * SECOND, 10 * SECOND, OTA_E_UNPROVEN, false,
         "it announces ESPHome 1.0 as before, and the image is another version"},
        {"an image that says nothing", "", 11 * SECOND, 10 * SECOND, OTA_OK, false,
         "it runs ESPHome 1.0, as before"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("  %s\n", rows[i].title);
        play_readback(begin_readback(rows[i].image_version, NULL, true), rows[i].change_us, NULL);
        assert_result(rows[i].error, rows[i].message, rows[i].is_proven);
        assert_int_equal(virtual_time.now_us - SECOND, rows[i].result_us);
    }
}

/* --expect-version, with and without --online. */
static void test_expected(void **state)
{
    (void)state;
    static const struct {
        const char *title, *image_version, *expected;
        bool has_returned;
        int64_t change_us;
        int64_t result_us;
        enum ota_error error;
        bool is_proven;
        const char *message;
    } rows[] = {
        {"it comes", "", "2.0", true, 5 * SECOND, 5 * SECOND, OTA_OK, true,
         "it runs ESPHome 2.0 now (before: ESPHome 1.0)"},
        {"it comes, and nobody watched", "", "2.0", false, 29 * SECOND, 29 * SECOND, OTA_OK, true,
         "it runs ESPHome 2.0 now (before: ESPHome 1.0)"},
        {"another one comes", "", "3.0", true, SECOND, 30 * SECOND, OTA_E_UNPROVEN, false,
         "it announces ESPHome 2.0 now, and another version is expected"},
        {"one comes that begins like it", "", "2", true, SECOND, 30 * SECOND, OTA_E_UNPROVEN, false,
         "it announces ESPHome 2.0 now, and another version is expected"},
        {"another one stays", "", "3.0", false, 31 * SECOND, 30 * SECOND, OTA_E_UNPROVEN, false,
         "the board has confirmed the upload, but it announces ESPHome 1.0 as before, and another "
         "version is expected"},
        {"it was there before", "", "1.0", true, 31 * SECOND, 30 * SECOND, OTA_OK, false,
         "it runs ESPHome 1.0, as before"},
        {"it was there before, and nobody watched", "", "1.0", false, 31 * SECOND, 30 * SECOND,
         OTA_E_UNPROVEN, false,
         "the board has confirmed the upload, but it announced ESPHome 1.0 before the upload, too, "
         "and "
         "was not seen to restart"},
        {"it comes, and the image is another one", "3.0", "2.0", true, SECOND, 30 * SECOND,
         OTA_E_UNPROVEN, false, "it announces ESPHome 2.0 now, and the image is another version"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("  %s\n", rows[i].title);
        play_readback(begin_readback(rows[i].image_version, rows[i].expected, rows[i].has_returned),
                      rows[i].change_us, NULL);
        assert_result(rows[i].error, rows[i].message, rows[i].is_proven);
        assert_int_equal(virtual_time.now_us - SECOND, rows[i].result_us);
    }
}

/* Without an answer the question is given up at the end. */
static void test_no_announcement(void **state)
{
    (void)state;
    static const struct {
        const char *expected;
        enum ota_error error;
        int64_t result_us;
    } rows[] = {{NULL, OTA_E_NOT_FOUND, 11 * SECOND}, {"1.0", OTA_E_UNPROVEN, 31 * SECOND}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct readback *readback = begin_readback("1.0", rows[i].expected, true);

        virtual_time_fire();
        assert_true(world.is_pending);
        virtual_time_fire();
        assert_true(world.is_over);
        assert_false(world.is_pending);
        assert_int_equal(world.result.error, rows[i].error);
        assert_string_equal(world.result.message, "its announcement did not come");
        assert_int_equal(virtual_time.now_us, rows[i].result_us);
        readback_free(readback);
    }
}

/* The expected version is announced by the same name, but at an address where the upload did not
 * go. */
static void test_namesake(void **state)
{
    (void)state;
    static const struct {
        const char *title, *expected;
        bool has_returned;
        enum ota_error error;
        const char *message;
    } rows[] = {
        {"--online", NULL, true, OTA_E_NOT_FOUND,
         "its announcement did not come (its name is announced at 10.0.0.8, perhaps by another "
         "board)"},
        {"--expect-version", "2.0", false, OTA_E_UNPROVEN,
         "the board has confirmed the upload, but its announcement did not come (its name is "
         "announced at 10.0.0.8, perhaps by another board)"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("  %s\n", rows[i].title);
        play_readback(begin_readback("2.0", rows[i].expected, rows[i].has_returned), 0, "10.0.0.8");
        assert_result(rows[i].error, rows[i].message, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readback),
        cmocka_unit_test(test_expected),
        cmocka_unit_test(test_no_announcement),
        cmocka_unit_test(test_namesake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
