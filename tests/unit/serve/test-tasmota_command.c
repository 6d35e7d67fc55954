/*
 * test-tasmota_command.c: paths of commands, and replies as Tasmota sends them.
 */
#include "serve/tasmota_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_paths(void **state)
{
    static const struct {
        const char *name, *value, *path;
    } rows[] = {
        {"OtaUrl", NULL, "/cm?cmnd=OtaUrl"},
        {"OtaUrl", "", "/cm?cmnd=OtaUrl"},
        {"Upgrade", "1", "/cm?cmnd=Upgrade%201"},
        {"OtaUrl", "http://10.0.0.1:8080/firmware.bin",
         "/cm?cmnd=OtaUrl%20http://10.0.0.1:8080/firmware.bin"},
        {"OtaUrl", "http://a/%04d b&c;d?e#f+\xc3\xa9",
         "/cm?cmnd=OtaUrl%20http://a/%2504d%20b%26c%3Bd%3Fe%23f%2B%C3%A9"},
    };
    char path[TASMOTA_PATH_MAX], longest[TASMOTA_URL_MAX];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(tasmota_command_path(path, rows[i].name, rows[i].value), rows[i].path);

    memset(longest, '%', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    tasmota_command_path(path, "OtaUrl", longest);
    assert_int_equal(strlen(path), strlen("/cm?cmnd=OtaUrl%20") + 3 * (sizeof longest - 1));
}

static struct http_reply reply_with(unsigned status, const char *body)
{
    return (struct http_reply){.status = status,
                               .body = (char *)body,
                               .body_length = strlen(body),
                               .has_head = true,
                               .has_ended = true};
}

static void test_texts(void **state)
{
    static const struct {
        unsigned status;
        const char *body, *text; /* NULL: none */
    } rows[] = {
        {200, "{\"OtaUrl\":\"http://a/b\"}", "http://a/b"},
        {200, "{\"OtaUrl\":\"\"}", ""},
        {200, "{\"OtaUrl\":\"a\\\"b\\\\\"}", "a\"b\\"},
        {200, "{\"OtaUrl\":\"a\"}{\"POWER\":\"ON\"}", "a"},
        {200, "{\"OtaUrl\":\"1234567890123456\"}", NULL},
        {200, "{\"OtaUrl\":1}", NULL},
        {200, "{\"Command\":\"Unknown\"}", NULL},
        {200, "[]", NULL},
        {200, "<html>", NULL},
        {200, "", NULL},
        {401, "{\"OtaUrl\":\"a\"}", NULL},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct http_reply reply = reply_with(rows[i].status, rows[i].body);
        char text[16] = "before";

        assert_int_equal(tasmota_reply_text(text, sizeof text, &reply, "OtaUrl"),
                         rows[i].text != NULL);
        assert_string_equal(text, rows[i].text ? rows[i].text : "before");
    }
}

static void test_macs(void **state)
{
    static const struct {
        unsigned status;
        const char *body, *mac; /* NULL: none */
    } rows[] = {
        {200, "{\"StatusNET\":{\"Hostname\":\"lamp\",\"Mac\":\"5C:CF:7F:00:00:01\"}}",
         "5C:CF:7F:00:00:01"},
        {200, "{\"StatusNET\":{\"Mac\":\"5c:cf:7f:00:00:01\"}}{\"POWER\":\"ON\"}",
         "5C:CF:7F:00:00:01"},
        {200, "{\"StatusNET\":{\"Mac\":\"00:00:00:00:00:00\"}}", NULL},
        {200, "{\"StatusNET\":{\"Mac\":1}}", NULL},
        {200, "{\"StatusNET\":[]}", NULL},
        {200, "{\"Mac\":\"5C:CF:7F:00:00:01\"}", NULL},
        {200, "{\"Command\":\"Unknown\"}", NULL},
        {200, "", NULL},
        {401, "{\"StatusNET\":{\"Mac\":\"5C:CF:7F:00:00:01\"}}", NULL},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct http_reply reply = reply_with(rows[i].status, rows[i].body);
        char text[MAC_TEXT_MAX];
        struct mac mac;

        assert_int_equal(tasmota_reply_mac(&mac, &reply), rows[i].mac != NULL);
        if (rows[i].mac)
            assert_string_equal(mac_text(text, &mac), rows[i].mac);
    }
}

/* A password goes to nobody else. */
static void test_challenge(void **state)
{
    static const struct {
        unsigned status;
        const char *body;
        bool asks;
    } rows[] = {
        {401, "{\"WARNING\":\"Need user=<username>&password=<password>\"}", true},
        {200, "{\"WARNING\":\"Need user=<username>&password=<password>\"}", false},
        {401, "Unauthorized", false},
        {401, "", false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct http_reply reply = reply_with(rows[i].status, rows[i].body);

        assert_int_equal(tasmota_asks_for_password(&reply), rows[i].asks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths), cmocka_unit_test(test_texts),
                                       cmocka_unit_test(test_macs),
                                       cmocka_unit_test(test_challenge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
