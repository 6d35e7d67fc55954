/*
 * test-request.c: the commands of the specifications' examples, and whatever else a line may be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pluggable/request.h"

#include <string.h>

static void assert_text(const char *got, const char *expected)
{
    if (expected && got)
        assert_string_equal(got, expected);
    else
        assert_ptr_equal(got, expected);
}

static const struct {
    const char *line;
    enum request_verb verb;
    const char *first, *second;
} request_lines[] = {
    {"HELLO 1 \"Arduino IDE 1.8.13\"", REQUEST_HELLO, "1", "\"Arduino IDE 1.8.13\""},
    {"hello 12 \"x\"", REQUEST_HELLO, "12", "\"x\""},
    {"HELLO 0 \"x\"", REQUEST_MALFORMED, NULL, NULL},
    {"HELLO -1 \"x\"", REQUEST_MALFORMED, NULL, NULL},
    {"HELLO 1x \"x\"", REQUEST_MALFORMED, NULL, NULL},
    {"HELLO 1 x", REQUEST_MALFORMED, NULL, NULL},
    {"HELLO 1 \"", REQUEST_MALFORMED, NULL, NULL},
    {"HELLO 1 \"\"", REQUEST_MALFORMED, NULL, NULL},
    {"HELLO 1 \"x\"y\"", REQUEST_MALFORMED, NULL, NULL},
    {"HELLO 1 \"x\"y", REQUEST_MALFORMED, NULL, NULL},
    {"HELLO 1", REQUEST_MALFORMED, NULL, NULL},
    {"HELLO", REQUEST_MALFORMED, NULL, NULL},
    {"START", REQUEST_START, NULL, NULL},
    {"  Start_Sync \t\r", REQUEST_START_SYNC, NULL, NULL},
    {"START SYNC", REQUEST_MALFORMED, NULL, NULL},
    {"STARTS", REQUEST_MALFORMED, NULL, NULL},
    {"STOP", REQUEST_STOP, NULL, NULL},
    {"LIST", REQUEST_LIST, NULL, NULL},
    {"QUIT", REQUEST_QUIT, NULL, NULL},
    {"DESCRIBE", REQUEST_DESCRIBE, NULL, NULL},
    {"CONFIGURE port 23", REQUEST_CONFIGURE, "port", "23"},
    {"CONFIGURE port", REQUEST_MALFORMED, NULL, NULL},
    {"CONFIGURE port ", REQUEST_MALFORMED, NULL, NULL},
    {"OPEN 127.0.0.1:32123 /dev/ttyACM0", REQUEST_OPEN, "127.0.0.1:32123", "/dev/ttyACM0"},
    {"OPEN  [::1]:1  Living room lamp ", REQUEST_OPEN, "[::1]:1", "Living room lamp"},
    {"OPEN", REQUEST_MALFORMED, NULL, NULL},
    {"CLOSE", REQUEST_CLOSE, NULL, NULL},
    {"command_error", REQUEST_MALFORMED, NULL, NULL},
    {"", REQUEST_MALFORMED, NULL, NULL},
    {" \t\r", REQUEST_MALFORMED, NULL, NULL},
};

static void test_request_lines(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof request_lines / sizeof *request_lines; i++) {
        char line[64];
        size_t length = strlen(request_lines[i].line);
        struct request request;

        memcpy(line, request_lines[i].line, length); /* not terminated */
        request_read(&request, line, length);
        assert_int_equal(request.verb, request_lines[i].verb);
        assert_text(request.first, request_lines[i].first);
        assert_text(request.second, request_lines[i].second);
    }
}

static void test_request_nul(void **state)
{
    char line[] = "LIST\0";
    struct request request;
    (void)state;

    request_read(&request, line, 5);
    assert_int_equal(request.verb, REQUEST_MALFORMED);
}

static void test_request_events(void **state)
{
    (void)state;
    assert_string_equal(request_event(REQUEST_MALFORMED), "command_error");
    assert_string_equal(request_event(REQUEST_START_SYNC), "start_sync");
    assert_string_equal(request_event(REQUEST_CLOSE), "close");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_lines),
        cmocka_unit_test(test_request_nul),
        cmocka_unit_test(test_request_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
