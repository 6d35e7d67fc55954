/*
 * test-endpoint_failures.c: which of several failures is told first, and where.
 */
#include "upload/endpoint_failures.h"

#include "base/error.h"
#include "base/units.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { ADDRESSES = 3, LATER = -1 };

static struct endpoints endpoints_of(size_t addresses)
{
    struct endpoints endpoints = {.address_count = addresses, .port_count = 1};
    char text[32];

    for (size_t i = 0; i < addresses; i++) {
        snprintf(text, sizeof text, "10.0.0.%zu", i + 1);
        assert_true(address_parse(&endpoints.addresses[i], text));
    }
    endpoints.ports[0] = (struct endpoint_port){.number = 80, .source = "a port"};
    return endpoints;
}

static const struct {
    int reasons[ADDRESSES]; /* in the order of trying; 0: the end; LATER: after a connection */
    enum ota_error error;
    size_t endpoint;
    const char *message;
} rows[] = {
    {{ECONNREFUSED}, OTA_E_NOT_LISTENING, 0, "nothing listens at 10.0.0.1:80 (a port)"},
    {{ETIMEDOUT}, OTA_E_NO_ANSWER, 0, "no connection to 10.0.0.1:80 (a port) within 5 s"},
    {{ECONNREFUSED, ENETUNREACH},
     OTA_E_NOT_LISTENING,
     0,
     "nothing listens at 10.0.0.1:80 (a port); no connection to 10.0.0.2:80 (a port): Network is "
     "unreachable"},
    {{EHOSTUNREACH, ETIMEDOUT, ECONNREFUSED},
     OTA_E_NOT_LISTENING,
     2,
     "nothing listens at 10.0.0.3:80 (a port); no connection to 10.0.0.2:80 (a port) within 5 s; "
     "no "
     "connection to 10.0.0.1:80 (a port): No route to host"},
    {{ECONNREFUSED, ETIMEDOUT, ECONNREFUSED},
     OTA_E_NOT_LISTENING,
     0,
     "nothing listens at 10.0.0.1:80 (a port) and 10.0.0.3:80 (a port); no connection to "
     "10.0.0.2:80 (a port) within 5 s"},
    {{ENETUNREACH, EPERM},
     OTA_E_LOCAL,
     1,
     "this computer cannot connect to 10.0.0.2:80 (a port): Operation not permitted; no connection "
     "to 10.0.0.1:80 (a port): Network is unreachable"},
    {{ECONNREFUSED, LATER, LATER},
     OTA_E_TLS,
     1,
     "bad certificate of 1; nothing listens at 10.0.0.1:80 (a port)"},
};

static void test_most_telling(void **state)
{
    const struct endpoints endpoints = endpoints_of(ADDRESSES);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct endpoint_failures failures = {0};
        struct ota_failure failure;

        for (size_t at = 0; at < ADDRESSES && rows[i].reasons[at]; at++) {
            const int reason = rows[i].reasons[at];

            ota_fail(&failure, OTA_E_TLS, "bad certificate of %zu", at);
            endpoint_failures_add(&failures, at, reason == LATER ? 0 : reason,
                                  reason == LATER ? &failure : NULL);
        }

        assert_int_equal(endpoint_failures_describe(&failures, &endpoints, SECONDS(5), &failure),
                         rows[i].endpoint);
        assert_string_equal(failure.message, rows[i].message);
        assert_int_equal(failure.error, rows[i].error);
    }
}

static void test_long_list(void **state)
{
    const struct endpoints endpoints = endpoints_of(ENDPOINTS_ADDRESSES_MAX);
    struct endpoint_failures failures = {0};
    struct ota_failure failure;

    (void)state;
    for (size_t i = 0; i < ENDPOINTS_ADDRESSES_MAX; i++)
        endpoint_failures_add(&failures, i, ECONNREFUSED, NULL);
    endpoint_failures_describe(&failures, &endpoints, SECONDS(5), &failure);
    assert_string_equal(failure.message,
                        "nothing listens at 10.0.0.1:80 (a port), 10.0.0.2:80 (a port), "
                        "10.0.0.3:80 (a port), 10.0.0.4:80 (a port), 10.0.0.5:80 (a port), "
                        "10.0.0.6:80 (a port) and 2 more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_most_telling),
        cmocka_unit_test(test_long_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
