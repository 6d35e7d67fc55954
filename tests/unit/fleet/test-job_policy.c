/*
 * test-job_policy.c: the tables that a job decides by.
 */
#include "base/units.h"
#include "boardlog/expect.h"
#include "fleet/job_policy.h"
#include "upload/protocols.h"
#include "upload/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* 1, 2, 4 and from then on 5 seconds, however many attempts there are. */
static void test_pause(void **state)
{
    (void)state;

    static const struct {
        unsigned attempt;
        int64_t pause_us;
    } rows[] = {
        {1, 1000000}, {2, 2000000},  {3, 4000000},    {4, 5000000},
        {5, 5000000}, {64, 5000000}, {1000, 5000000}, {UINT32_MAX, 5000000},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(job_policy_pause_us(rows[i].attempt), rows[i].pause_us);
}

/* Of every code there is. */
static void test_errors(void **state)
{
    (void)state;
    for (enum ota_error error = OTA_OK; error < OTA_ERROR_COUNT; error++) {
        assert_int_equal(job_policy_is_absence(error),
                         error == OTA_E_NOT_FOUND || error == OTA_E_NO_ANSWER ||
                             error == OTA_E_NOT_LISTENING || error == OTA_E_UNREACHABLE);
    }
}

/* Of every cause there is. */
static void test_way(void **state)
{
    static const enum job_way ways[OTA_CAUSE_COUNT] = {
        [OTA_CAUSE_DETOUR] = JOB_WAY_SUSPECTED,
        [OTA_CAUSE_WRONG_SOURCE] = JOB_WAY_SUSPECTED,
        [OTA_CAUSE_NO_WAY_OUT] = JOB_WAY_CLOSED,
        [OTA_CAUSE_BROADCAST] = JOB_WAY_CLOSED,
    };

    (void)state;
    for (enum ota_cause cause = OTA_CAUSE_NONE; cause < OTA_CAUSE_COUNT; cause++)
        assert_int_equal(job_policy_way(cause), ways[cause]);
}

static void test_worth_another(void **state)
{
    (void)state;

    static const struct {
        enum ota_error error, before;
        bool is_worth_it;
        unsigned attempt;
        enum ota_cause cause;
        int64_t gone_us;
    } rows[] = {
        {OTA_E_NO_ANSWER, OTA_OK, true, 1, OTA_CAUSE_NONE, 0},
        {OTA_E_NO_ANSWER, OTA_E_NO_ANSWER, true, 2, OTA_CAUSE_NONE, 0},
        {OTA_E_LOST, OTA_E_LOST, true, 2, OTA_CAUSE_NONE, 0},
        {OTA_E_NO_CONNECTION, OTA_OK, true, 1, OTA_CAUSE_NONE, 0},
        {OTA_E_NO_CONNECTION, OTA_E_LOST, true, 2, OTA_CAUSE_NONE, 0},
        {OTA_E_LOST, OTA_E_NO_CONNECTION, true, 2, OTA_CAUSE_NONE, 0},
        {OTA_E_NOT_LISTENING, OTA_OK, false, 1, OTA_CAUSE_NONE, 0},
        {OTA_E_NOT_LISTENING, OTA_OK, true, 2, OTA_CAUSE_NONE, 0},
        {OTA_E_NOT_LISTENING, OTA_E_LOST, true, 2, OTA_CAUSE_NONE, 0},
        {OTA_E_UNREACHABLE, OTA_OK, true, 1, OTA_CAUSE_NONE, 0},
        {OTA_E_UNREACHABLE, OTA_OK, false, 1, OTA_CAUSE_NO_ROUTE, 0},
        {OTA_E_UNREACHABLE, OTA_E_LOST, true, 2, OTA_CAUSE_NO_ROUTE, 0},
        {OTA_E_NO_ANSWER, OTA_OK, true, 1, OTA_CAUSE_DETOUR, 0},
        {OTA_E_NO_ANSWER, OTA_E_LOST, true, 2, OTA_CAUSE_DETOUR, 0},
        {OTA_E_NO_ANSWER, OTA_OK, true, 1, OTA_CAUSE_WRONG_SOURCE, 0},
        {OTA_E_UNREACHABLE, OTA_OK, false, 1, OTA_CAUSE_NO_WAY_OUT, 0},
        {OTA_E_NO_ANSWER, OTA_OK, true, 1, OTA_CAUSE_OTHER_NETWORK, 0},
        {OTA_E_NO_ANSWER, OTA_OK, true, 1, OTA_CAUSE_NOBODY, SECONDS(10) - 1},
        {OTA_E_NO_ANSWER, OTA_OK, false, 1, OTA_CAUSE_NOBODY, SECONDS(10)},
        {OTA_E_UNREACHABLE, OTA_OK, false, 3, OTA_CAUSE_NOBODY, SECONDS(12)},
        {OTA_E_NO_ANSWER, OTA_E_LOST, true, 2, OTA_CAUSE_NOBODY, SECONDS(12)},
        {OTA_E_LOCAL, OTA_OK, false, 1, OTA_CAUSE_NONE, 0},
        {OTA_E_BOARD, OTA_OK, false, 1, OTA_CAUSE_NONE, 0},
        {OTA_E_UNKNOWN, OTA_OK, false, 1, OTA_CAUSE_NONE, 0},
        {OTA_E_NO_CONNECTION, OTA_E_NO_CONNECTION, false, 2, OTA_CAUSE_NONE, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_failure failure = {.error = rows[i].error, .cause = rows[i].cause};

        assert_int_equal(
            job_policy_is_worth_another(&failure, rows[i].before, rows[i].attempt, rows[i].gone_us),
            rows[i].is_worth_it);
        failure.cause = OTA_CAUSE_PART_KEPT;
        assert_false(job_policy_is_worth_another(&failure, rows[i].before, rows[i].attempt,
                                                 rows[i].gone_us));
    }
}

/* What proves a chip counts before the image, and the image before the port. */
static void test_board_family(void **state)
{
    (void)state;

    static const struct {
        const char *proven;
        enum image_family image;
        uint16_t port;
        const char *title; /* NULL: nobody knows */
    } rows[] = {
        {"", IMAGE_ESP32, 99, "ESP32"},
        {"", IMAGE_ESP8266, 3232, "ESP8266"},
        {"", IMAGE_PICO, 8266, "Pico W"},
        {"", IMAGE_UNKNOWN, 3232, "ESP32"},
        {"", IMAGE_UNKNOWN, 8266, "ESP8266"},
        {"", IMAGE_UNKNOWN, 99, NULL},
        {"", IMAGE_UNKNOWN, 2040, NULL},
        {"esp32s3", IMAGE_UNKNOWN, 8266, "ESP32"},
        {"rp2040", IMAGE_UNKNOWN, 99, "Pico W"},
        {"esp8266,rp2040", IMAGE_UNKNOWN, 99, NULL},
        {"esp8266,rp2040", IMAGE_PICO, 99, "Pico W"},
        {"esp8266,rp2040", IMAGE_UNKNOWN, 8266, "ESP8266"},
        {"esp8266", IMAGE_ESP32, 3232, "ESP8266"}, /* --force */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct image image = {.family = rows[i].image};
        struct kind kind = {0};
        snprintf(kind.proven, sizeof kind.proven, "%s", rows[i].proven);
        const struct kind_family *family = job_policy_family(&kind, &image, rows[i].port);
        if (rows[i].title) {
            assert_non_null(family);
            assert_string_equal(family->title, rows[i].title);
        } else {
            assert_null(family);
        }
    }
}

static void test_can_prove(void **state)
{
    (void)state;

    static const struct {
        bool expects, rejects, waits_online;
        bool restart_proves;
        bool can_prove;
    } rows[] = {
        {false, false, false, true, false}, {true, false, false, false, true},
        {true, false, true, false, true},   {true, true, false, false, true},
        {false, true, false, true, false},  {false, true, true, false, false},
        {false, true, true, true, true},    {false, false, true, false, false},
        {false, false, true, true, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *const pattern[] = {"ready"};
        struct log_settings settings = {.online_us = rows[i].waits_online};
        struct ota_failure failure;
        struct expect *expect = NULL;

        if (rows[i].expects || rows[i].rejects)
            assert_int_equal(
                expect_new(&expect, pattern, rows[i].expects, pattern, rows[i].rejects, &failure),
                OTA_OK);
        settings.expect = expect;
        assert_int_equal(job_policy_can_prove(&settings, rows[i].restart_proves),
                         rows[i].can_prove);
        expect_free(expect);
    }
}

static void test_wants_plain(void **state)
{
    (void)state;
    static struct image plain = {.family = IMAGE_ESP8266};
    static const struct image packed = {.family = IMAGE_ESP8266, .plain = &plain};

    static const struct {
        const struct image *image;
        enum ota_error error;
        const char *words;
        bool wants_plain;
    } rows[] = {
        {&packed, OTA_E_BOARD, "ERROR[10]: Magic byte is wrong, not 0xE9", true},
        {&packed, OTA_E_BOARD, "the board says: ERROR[1]: Flash Write Failed", false},
        {&packed, OTA_E_LOST, "ERROR[10]", false},
        {&plain, OTA_E_BOARD, "ERROR[10]: Magic byte is wrong, not 0xE9", false},
        {NULL, OTA_E_BOARD, "ERROR[10]", false}, /* only a log is followed */
        {NULL, OTA_E_NOT_FOUND, "", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ota_failure failure = {.error = rows[i].error,
                                            .cause = reason_cause(rows[i].words)};
        assert_int_equal(job_policy_wants_plain(rows[i].image, &failure), rows[i].wants_plain);
    }
}

/* A port that is known, and otherwise those to try in turn; with a *, only the image says so. */
static void test_ports(void **state)
{
    (void)state;

    static const struct {
        uint16_t given, announced;
        enum image_family family;
        unsigned families;
        const char *proven;
        const char *ports;
    } rows[] = {
        {99, 8300, IMAGE_ESP32, 0, "", "99 the given port"},
        {99, 0, IMAGE_UNKNOWN, 0, "", "99 the given port"},
        {0, 8300, IMAGE_ESP32, 0, "", "8300 the announced port"},
        {0, 65535, IMAGE_UNKNOWN, 0, "", "65535 the announced port"},
        {0, 0, IMAGE_ESP8266, 0, "", "8266 the default port of ESP8266 boards*"},
        {0, 0, IMAGE_ESP32, 0, "", "3232 the default port of ESP32 boards*"},
        {0, 0, IMAGE_PICO, 0, "", "2040 the default port of Pico W boards*"},
        {0, 0, IMAGE_UNKNOWN, 0, "",
         "8266 the default port of ESP8266 boards, 3232 the default port of ESP32 boards, "
         "2040 the default port of Pico W boards"},
        {0, 0, IMAGE_UNKNOWN, INSPECT_FAMILY_ESP8266 | INSPECT_FAMILY_ESP32, "",
         "8266 the default port of ESP8266 boards*, 3232 the default port of ESP32 boards*"},
        {0, 0, IMAGE_UNKNOWN, INSPECT_FAMILY_ESP32, "", "3232 the default port of ESP32 boards*"},
        {0, 0, IMAGE_UNKNOWN, 0, "esp32*", "3232 the default port of ESP32 boards"},
        {0, 0, IMAGE_UNKNOWN, 0, "ch32h4", "2040 the default port of CH32H4 boards"},
        {0, 0, IMAGE_UNKNOWN, 0, "esp8266,rp2040",
         "8266 the default port of ESP8266 boards, 2040 the default port of Pico W boards"},
        {0, 0, IMAGE_ESP32, 0, "esp32*", "3232 the default port of ESP32 boards"},
        {0, 0, IMAGE_ESP32, 0, "rp2040", "2040 the default port of Pico W boards"}, /* --force */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct image image = {.family = rows[i].family,
                                    .inspection.families = rows[i].families};
        const struct assignment assignment = {
            .target.port = rows[i].given, .protocol = &espota_protocol, .image = &image};
        struct endpoint_port ports[ENDPOINTS_PORTS_MAX];
        struct kind kind = {0};
        char text[256] = "";
        snprintf(kind.proven, sizeof kind.proven, "%s", rows[i].proven);
        size_t count = job_policy_ports(ports, &assignment, rows[i].announced, &kind, true);
        for (size_t at = 0; at < count; at++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u %s%s", at ? ", " : "",
                     ports[at].number, ports[at].source, ports[at].is_of_image ? "*" : "");
        assert_string_equal(text, rows[i].ports);
    }
}

/* What the announcement says of a port that the user has given. */
static void test_given_port(void **state)
{
    static const struct {
        uint16_t given, announced;
        bool is_announced;
        uint16_t other;
    } rows[] = {{99, 0, false, 0}, {99, 8300, false, 8300}, {8300, 8300, true, 0}};
    const struct image image = {.family = IMAGE_ESP32};
    const struct kind kind = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct assignment assignment = {
            .target.port = rows[i].given, .protocol = &espota_protocol, .image = &image};
        struct endpoint_port ports[ENDPOINTS_PORTS_MAX];

        assert_int_equal(job_policy_ports(ports, &assignment, rows[i].announced, &kind, false), 1);
        assert_int_equal(ports[0].number, rows[i].given);
        assert_int_equal(ports[0].is_announced, rows[i].is_announced);
        assert_int_equal(ports[0].announced, rows[i].other);
        assert_string_equal(ports[0].source, "the given port");
    }
}

/* That of a board which was chosen by its announcement, for another protocol. */
static void test_announced_port_of_a_target(void **state)
{
    const struct image image = {.family = IMAGE_ESP32};
    const struct assignment assignment = {.target = {.port = 80, .has_announced_port = true},
                                          .protocol = &web_protocol,
                                          .image = &image};
    struct endpoint_port ports[ENDPOINTS_PORTS_MAX];
    const struct kind kind = {0};
    (void)state;

    assert_int_equal(job_policy_ports(ports, &assignment, 0, &kind, false), 1);
    assert_int_equal(ports[0].number, 80);
    assert_string_equal(ports[0].source, "the announced port");
    assert_true(ports[0].is_announced);
}

/* The ports for an image of unknown format on a board of this kind. Returns their number. */
static size_t list_ports(struct endpoint_port ports[ENDPOINTS_PORTS_MAX],
                         const struct upload_protocol *protocol, const char *kind_name,
                         bool is_forced)
{
    const struct image image = {.family = IMAGE_UNKNOWN};
    const struct assignment assignment = {.protocol = protocol, .image = &image};
    struct kind kind = {0};

    snprintf(kind.proven, sizeof kind.proven, "%s", kind_name);
    snprintf(kind.likely, sizeof kind.likely, "%s", kind_name);
    return job_policy_ports(ports, &assignment, 0, &kind, is_forced);
}

/* Rare boards have to announce what they are. */
static void test_ports_of_esphome(void **state)
{
    static const struct {
        const char *proven;
        uint16_t first;
        size_t count;
    } rows[] = {{"", 8266, 3},        {"esp32*", 3232, 1}, {"bk72xx", 8892, 1},
                {"rtl87xx", 8892, 1}, {"ln882x", 8820, 1}, {"nrf52", 4232, 1}};
    struct endpoint_port ports[ENDPOINTS_PORTS_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(list_ports(ports, &esphome_protocol, rows[i].proven, true), rows[i].count);
        assert_int_equal(ports[0].number, rows[i].first);
    }
}

/* A Pico W checks nothing: what may be anything does not go to its port as a guess. */
static void test_ports_of_unknown_format(void **state)
{
    static const struct {
        const char *proven;
        uint16_t last;
        size_t count;
    } rows[] = {{"", 3232, 2}, {"esp8266,rp2040", 8266, 1}, {"ch32h4", 2040, 1}};
    struct endpoint_port ports[ENDPOINTS_PORTS_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(list_ports(ports, &espota_protocol, rows[i].proven, false), rows[i].count);
        assert_int_equal(ports[rows[i].count - 1].number, rows[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worth_another),
        cmocka_unit_test(test_can_prove),
        cmocka_unit_test(test_board_family),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_way),
        cmocka_unit_test(test_wants_plain),
        cmocka_unit_test(test_given_port),
        cmocka_unit_test(test_announced_port_of_a_target),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_ports_of_unknown_format),
        cmocka_unit_test(test_ports_of_esphome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
