/*
 * test-board_kind.c: whether somebody who writes the name of a chip means a board.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/board_kind.h"

#include <stdio.h>

static void test_chips(void **state)
{
    static const struct {
        const char *type, *platform, *pattern;
        bool has_it;
    } rows[] = {
        {"nodemcuv2", "", "esp8266", true},
        {"nodemcuv2", "", "ESP8266*", true},
        {"nodemcuv2", "", "*esp-8266*", true},
        {"nodemcuv2", "", "esp32", false},
        {"nodemcuv2", "", "nodemcu", false},
        {"nodemcuv2", "", "e*", false},
        {"nodemcuv2", "", "", false},
        {"nodemcuv2", "", "*", false},
        {"lolin_s2_mini", "", "ESP32-S2", true},
        {"lolin_s2_mini", "", "esp32", false},
        {"rpipicow", "", "rp2040", true},
        {"acme", "ESP32", "esp32", true},
        {"acme", "", "esp32", false},
        {"nodemcuv2", "", "esp8266esp8266esp8266esp8266esp8266", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct board board = {.instance = "kitchen"};

        print_message("  %s for %s\n", rows[i].pattern, rows[i].type);
        snprintf(board.type, sizeof board.type, "%s", rows[i].type);
        snprintf(board.esphome.platform, sizeof board.esphome.platform, "%s", rows[i].platform);
        assert_int_equal(board_kind_has_chip(&board, rows[i].pattern), rows[i].has_it);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chips)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
