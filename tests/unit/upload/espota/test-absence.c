/*
 * test-absence.c: the message about a board that answers at none of its endpoints.
 */
#include "upload/espota/absence.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* outcomes has the number of tries and the outcome of each candidate, in order: "-" silence, "?" a
 * datagram that was not understood, "r" a refusal, "u" no route, "n" no address to send from. */
static const struct row {
    size_t addresses, ports;
    const char *outcomes;
    const char *text;
    enum ota_error error;
} rows[] = {
    {1, 1, "3-", "no answer from 10.0.0.1:8266 (a) to 3 invitations in 10 s", OTA_E_NO_ANSWER},
    {1, 1, "1-", "no answer from 10.0.0.1:8266 (a) to 1 invitation in 10 s", OTA_E_NO_ANSWER},
    {1, 1, "1r", "nothing listens at 10.0.0.1:8266 (a)", OTA_E_NOT_LISTENING},
    {1, 1, "1u", "10.0.0.1:8266 cannot be reached: No route to host", OTA_E_UNREACHABLE},
    {1, 1, "1n", "10.0.0.1:8266 cannot be reached: this computer has no IPv4 address",
     OTA_E_UNREACHABLE},
    {1, 1, "2?",
     "10.0.0.1:8266 (a) answered 2 invitations in 10 s with something that is not ArduinoOTA, at "
     "first \"x\"",
     OTA_E_NO_ANSWER},
    {1, 3, "1r1r1r",
     "nothing listens at 10.0.0.1:8266 (a), 10.0.0.1:3232 (b) and 10.0.0.1:2040 (c)",
     OTA_E_NOT_LISTENING},
    {1, 3, "2-1-1-",
     "no answer from 10.0.0.1:8266 (a), 10.0.0.1:3232 (b) and 10.0.0.1:2040 (c) to 4 invitations "
     "in 10 s",
     OTA_E_NO_ANSWER},
    {1, 3, "2-1r1r",
     "no answer from 10.0.0.1:8266 (a) to 2 invitations in 10 s; nothing listens at 10.0.0.1:3232 "
     "(b) and 10.0.0.1:2040 (c)",
     OTA_E_NO_ANSWER},
    /* a candidate that was not tried is not mentioned */
    {1, 3, "1r1r0-", "nothing listens at 10.0.0.1:8266 (a) and 10.0.0.1:3232 (b)",
     OTA_E_NOT_LISTENING},
    {2, 1, "1u1r",
     "nothing listens at 10.0.0.2:8266 (a); 10.0.0.1:8266 cannot be reached: No route to host",
     OTA_E_NOT_LISTENING},
    {2, 2, "1u1?1-1r",
     "no answer from 10.0.0.2:8266 (a) to 1 invitation in 10 s; 10.0.0.1:3232 (b) answered 1 "
     "invitation in 10 s with something that is not ArduinoOTA, at first \"x\"; nothing listens at "
     "10.0.0.2:3232 (b); 10.0.0.1:8266 cannot be reached: No route "
     "to host",
     OTA_E_NO_ANSWER},
    {8, 1, "1u1u1u1u1u1u1u1u",
     "10.0.0.1:8266, 10.0.0.2:8266, 10.0.0.3:8266, 10.0.0.4:8266, 10.0.0.5:8266, 10.0.0.6:8266 and "
     "2 more cannot be reached: No route to host",
     OTA_E_UNREACHABLE},
};

static void test_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct endpoints endpoints = {.address_count = rows[i].addresses,
                                      .port_count = rows[i].ports,
                                      .ports = {{8266, "a", false, false, 0},
                                                {3232, "b", false, false, 0},
                                                {2040, "c", false, false, 0}}};
        struct candidate list[ENDPOINTS_MAX] = {{.network_error = 0}};
        struct candidates candidates = {.endpoints = &endpoints, .list = list};
        char text[OTA_MESSAGE_MAX], address[] = "10.0.0.?";

        for (size_t k = 0; k < rows[i].addresses; k++) {
            address[sizeof address - 2] = (char)('1' + k);
            assert_true(address_parse(&endpoints.addresses[k], address));
        }
        for (size_t k = 0; k < endpoints_count(&endpoints); k++) {
            char outcome = rows[i].outcomes[2 * k + 1];

            candidates.tries[k] = (unsigned)(rows[i].outcomes[2 * k] - '0');
            candidates.list[k].is_foreign = outcome == '?';
            candidates.list[k].network_error = outcome == 'r'   ? ECONNREFUSED
                                               : outcome == 'u' ? EHOSTUNREACH
                                               : outcome == 'n' ? EADDRNOTAVAIL
                                                                : 0;
        }
        assert_int_equal(absence_describe(text, &candidates, 10, ", at first \"x\""),
                         rows[i].error);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_network_errors(void **state)
{
    struct address v4, v6;
    (void)state;

    assert_true(address_parse(&v4, "10.0.0.1") && address_parse(&v6, "fd77::1"));
    assert_string_equal(absence_network_error(&v4, EADDRNOTAVAIL),
                        "this computer has no IPv4 address");
    assert_string_equal(absence_network_error(&v6, EADDRNOTAVAIL),
                        "this computer has no IPv6 address");
    assert_string_equal(absence_network_error(&v6, ENETDOWN), strerror(ENETDOWN));
}

/* The longest message is cut. */
static void test_absence_bounds(void **state)
{
    (void)state;
    static char source[OTA_MESSAGE_MAX];
    const struct endpoints endpoints = {.address_count = ENDPOINTS_ADDRESSES_MAX,
                                        .port_count = ENDPOINTS_PORTS_MAX,
                                        .ports = {{8266, source, false, false, 0},
                                                  {3232, source, false, false, 0},
                                                  {2040, source, false, false, 0}}};
    struct candidate list[ENDPOINTS_MAX] = {{.network_error = 0}};
    struct candidates candidates = {.endpoints = &endpoints, .list = list};
    char text[OTA_MESSAGE_MAX];

    memset(source, 'x', sizeof source - 1);
    for (size_t i = 0; i < ENDPOINTS_MAX; i++)
        candidates.tries[i] = 1;
    absence_describe(text, &candidates, 1e9, source);
    assert_int_equal(strlen(text), OTA_MESSAGE_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_network_errors),
        cmocka_unit_test(test_absence_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
