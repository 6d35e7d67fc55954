/*
 * test-sketch_verdict.c: replies as JAndrassy's ArduinoOTA and WiFi101OTA send them, and others.
 */
#include "upload/sketch/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SHORT "HTTP/1.1 "
#define REST "\r\nConnection: close\r\nContent-type: text/plain\r\n\r\n"

static void parse(struct http_reply *reply, const char *text)
{
    *reply = (struct http_reply){0};
    http_reply_parse(reply, text, strlen(text));
}

static const struct door_case {
    const char *reply;
    enum sketch_door door;
} door_cases[] = {
    {SHORT "400 Bad Request" REST "Bad Request", SKETCH_DOOR_OPEN},
    {SHORT "400 Bad Request\r\nConnection: close\r\n\r\n", SKETCH_DOOR_OPEN},
    {SHORT "401 Unauthorized" REST "Unauthorized", SKETCH_DOOR_LOCKED},
    {SHORT "401 Unauthorized\r\nConnection: close\r\n\r\n", SKETCH_DOOR_LOCKED},
    {SHORT "404 Not Found" REST "Not Found", SKETCH_DOOR_ABSENT},
    {SHORT "404 Not Found" REST "Not found: /sketch", SKETCH_DOOR_FOREIGN},
    {SHORT "400 Bad Request" REST "<html>", SKETCH_DOOR_FOREIGN},
    {SHORT "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"" REST, SKETCH_DOOR_FOREIGN},
    {SHORT "200 OK" REST "OK", SKETCH_DOOR_FOREIGN},
    {SHORT "302 Found\r\nLocation: /\r\n\r\n", SKETCH_DOOR_FOREIGN},
    {SHORT "500 Internal Server Error" REST, SKETCH_DOOR_FOREIGN},
};

static void test_doors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof door_cases / sizeof *door_cases; i++) {
        struct http_reply reply;

        parse(&reply, door_cases[i].reply);
        assert_int_equal(sketch_judge_door(&reply), door_cases[i].door);
        http_reply_clear(&reply);
    }
}

static const struct upload_case {
    const char *reply;
    bool is_acknowledged;
    enum ota_error error;
    enum ota_cause cause;
} upload_cases[] = {
    {SHORT "200 OK" REST "OK", true, OTA_OK, OTA_CAUSE_NONE},
    {SHORT "200 OK\r\nConnection: close\r\n\r\n", true, OTA_OK, OTA_CAUSE_NONE},
    {SHORT "200 OK\r\nContent-length: 2\r\n\r\nOK", true, OTA_OK, OTA_CAUSE_NONE},
    {SHORT "200 OK\r\nContent-length: 2\r\n\r\n", true, OTA_E_UNKNOWN, OTA_CAUSE_NONE},
    {SHORT "200 OK\r\nContent-length: 2\r\n", true, OTA_E_UNKNOWN, OTA_CAUSE_NONE},
    {SHORT "200 OK\r\n", true, OTA_E_UNKNOWN, OTA_CAUSE_NONE},
    {SHORT "200 OK" REST "OK", false, OTA_E_EARLY_OK, OTA_CAUSE_NONE},
    {SHORT "200 OK" REST "<html>", true, OTA_E_UNKNOWN, OTA_CAUSE_NONE},
    {SHORT "200 OK" REST "<html>", false, OTA_E_LOST, OTA_CAUSE_NONE},
    {SHORT "401 Unauthorized" REST "Unauthorized", true, OTA_E_WRONG_PASSWORD,
     OTA_CAUSE_PASSWORD_REJECTED},
    {SHORT "400 Bad Request" REST "Bad Request", false, OTA_E_BOARD, OTA_CAUSE_NONE},
    {SHORT "404 Not Found" REST "Not Found", true, OTA_E_BOARD, OTA_CAUSE_NONE},
    {SHORT "413 Payload Too Large" REST "Payload Too Large", true, OTA_E_BOARD, OTA_CAUSE_NO_SPACE},
    {SHORT "414 Payload size wrong" REST "Payload size wrong", true, OTA_E_BOARD, OTA_CAUSE_NONE},
    {SHORT "500 Internal Server Error" REST "Internal Server Error", true, OTA_E_BOARD,
     OTA_CAUSE_NO_SPACE},
    {SHORT "204 No Content\r\n\r\n", true, OTA_E_UNKNOWN, OTA_CAUSE_NONE},
};

static void test_uploads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof upload_cases / sizeof *upload_cases; i++) {
        const struct upload_case *row = &upload_cases[i];
        struct http_reply reply;
        struct ota_failure failure;

        parse(&reply, row->reply);
        sketch_judge_upload(&failure, &reply, row->is_acknowledged);
        assert_int_equal(failure.error, row->error);
        assert_int_equal(failure.cause, row->cause);
        http_reply_clear(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doors),
        cmocka_unit_test(test_uploads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
