/*
 * test-status.c: what the server tells programs, and ESPHome's manifest.
 */
#include "serve/serve_internal.h"

#include "base/units.h"
#include "support/failing.h"
#include "support/virtual_time.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define MD5 "0123456789abcdef0123456789abcdef"

static struct book book;
static struct inspection inspection;
static struct offer offer;
static struct serve serve;

static int set_up(void **state)
{
    (void)state;
    virtual_time_reset(SECONDS(1000));
    inspection = (struct inspection){.name = "ESP8266 sketch", .chip_name = "esp8266"};
    offer = (struct offer){.name = "fw\x1b.bin"};
    offer.forms[OFFER_PLAIN] =
        (struct offer_bytes){.size = 403000, .inspection = &inspection, .md5 = MD5};
    serve = (struct serve){.config = {.offers = &offer, .offer_count = 1, .book = &book},
                           .started_us = SECONDS(900)};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    book_free(&book);
    return 0;
}

static json_t *parse(char *text)
{
    json_t *root;

    assert_non_null(text);
    root = json_loads(text, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static void assert_text(const json_t *object, const char *key, const char *text)
{
    const json_t *value = json_object_get(object, key);

    assert_non_null(value);
    if (text)
        assert_string_equal(json_string_value(value), text);
    else
        assert_true(json_is_null(value));
}

static void assert_number(const json_t *object, const char *key, json_int_t number)
{
    const json_t *value = json_object_get(object, key);

    assert_true(json_is_integer(value));
    assert_int_equal(json_integer_value(value), number);
}

static void test_nobody(void **state)
{
    json_t *root = parse(serve_status_json(&serve));
    const json_t *image = json_array_get(json_object_get(root, "images"), 0);
    (void)state;

    assert_text(root, "version", ESP_OTA_VERSION);
    assert_number(root, "seconds", 100);
    assert_int_equal(json_array_size(json_object_get(root, "boards")), 0);
    assert_text(image, "file", "fw\\x1b.bin");
    assert_number(image, "size", 403000);
    assert_text(image, "md5", MD5);
    assert_text(image, "name", "ESP8266 sketch");
    assert_text(image, "version", NULL);
    json_decref(root);
}

static void test_states(void **state)
{
    static const char *const names[BOOK_STATES] = {
        [BOOK_SILENT] = "silent",     [BOOK_ASKED] = "asked",     [BOOK_REFUSED] = "refused",
        [BOOK_FETCHING] = "fetching", [BOOK_FETCHED] = "fetched", [BOOK_CONFIRMED] = "confirmed",
        [BOOK_GIVEN_UP] = "given-up", [BOOK_SKIPPED] = "skipped",
    };
    (void)state;

    for (size_t i = 0; i < BOOK_STATES; i++)
        book_set_state(book_add(&book, "b"), (enum book_state)i);
    json_t *root = parse(serve_status_json(&serve));
    for (size_t i = 0; i < BOOK_STATES; i++)
        assert_text(json_array_get(json_object_get(root, "boards"), i), "state", names[i]);
    json_decref(root);
}

/* What is not known is null. */
static void test_boards(void **state)
{
    struct book_board *known = book_add(&book, "kitchen");
    (void)state;

    known->has_mac = mac_parse(&known->mac, "24:0a:c4:00:00:01");
    known->has_address = address_parse(&known->address, "192.0.2.1");
    known->family = INSPECT_FAMILY_ESP32;
    strcpy(known->version, "1.0\"");
    strcpy(known->reason, "later");
    known->is_canary = known->is_listed = true;
    known->failures = 2;
    known->requests = 5;
    known->bytes = 7;
    known->total = 9;
    known->asked_us = SECONDS(990);
    book_add(&book, "unknown");

    json_t *root = parse(serve_status_json(&serve));
    const json_t *boards = json_object_get(root, "boards"), *board = json_array_get(boards, 0);
    assert_text(board, "board", "kitchen");
    assert_text(board, "mac", "24:0A:C4:00:00:01");
    assert_text(board, "address", "192.0.2.1");
    assert_text(board, "family", "ESP32");
    assert_text(board, "version", "1.0\"");
    assert_text(board, "reason", "later");
    assert_true(json_is_true(json_object_get(board, "canary")));
    assert_true(json_is_true(json_object_get(board, "listed")));
    assert_number(board, "failures", 2);
    assert_number(board, "requests", 5);
    assert_number(board, "bytes", 7);
    assert_number(board, "total", 9);
    assert_number(board, "asked_seconds_ago", 10);

    board = json_array_get(boards, 1);
    for (size_t i = 0; i < 6; i++)
        assert_text(board,
                    (const char *[]){"mac", "address", "family", "version", "reason",
                                     "asked_seconds_ago"}[i],
                    NULL);
    json_decref(root);
}

/* ESPHome's spelling of the chip; the version of --serve-version, of the application, or the
 * MD5. */
static void test_manifest(void **state)
{
    static const struct {
        const char *chip, *family;
    } rows[] = {{"esp8266", "ESP8266"},  {"esp32", "ESP32"},        {"esp32c3", "ESP32-C3"},
                {"esp32s2", "ESP32-S2"}, {"esp32c61", "ESP32-C61"}, {"", ""}};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(inspection.chip_name, sizeof inspection.chip_name, "%s", rows[i].chip);
        json_t *root = parse(serve_manifest_json(&offer));
        const json_t *build = json_array_get(json_object_get(root, "builds"), 0);
        const json_t *ota = json_object_get(build, "ota");
        assert_text(build, "chipFamily", rows[i].family);
        assert_text(ota, "path", "/firmware.bin");
        assert_text(ota, "md5", MD5);
        assert_text(root, "version", MD5);
        json_decref(root);
    }

    inspection.has_application = true;
    strcpy(inspection.application.version, "2.0");
    json_t *root = parse(serve_manifest_json(&offer));
    assert_text(root, "version", "2.0");
    json_decref(root);
    offer.version = "3.0";
    root = parse(serve_manifest_json(&offer));
    assert_text(root, "version", "3.0");
    json_decref(root);
}

/* Part of the facts is none of them. */
static void test_no_memory(void **state)
{
    size_t failed = 0;
    (void)state;

    book_add(&book, "kitchen");
    for (int after = 0;; after++) {
        failing_start(FAILING_ALLOCATION, after, ENOMEM);
        char *text = serve_status_json(&serve);
        const bool has_failed = failing_stop();

        if (!has_failed) {
            json_decref(parse(text));
            break;
        }
        assert_null(text);
        failed++;
    }
    assert_true(failed > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_boards, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_manifest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
