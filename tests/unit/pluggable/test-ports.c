/*
 * test-ports.c: what is told about the boards of a list, and about the next list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pluggable/ports.h"
#include "support/failing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char told[8192]; /* "add {...}\n" */

static void on_event(const char *event, json_t *fields, void *userdata)
{
    char *text = json_dumps(fields, JSON_COMPACT);

    assert_ptr_equal(userdata, told);
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s %s\n", event, text ? text : "");
    free(text);
}

/* pairs as txt_record_pairs() writes them, with "|" in place of NUL. */
static struct board make_board(const char *instance, const char *address, const char *pairs)
{
    struct board board = {.is_resolved = true, .port = 3232};

    snprintf(board.instance, sizeof board.instance, "%s", instance);
    snprintf(board.host, sizeof board.host, "%s.local", instance);
    board.has_address = address && address_parse(&board.address, address);
    for (size_t i = 0; pairs[i]; i++)
        board.pairs[i] = (char)(pairs[i] == '|' ? '\0' : pairs[i]);
    return board;
}

static void replace(struct ports *ports, struct board *first, struct board *second)
{
    struct board *items[] = {first, second};
    struct board_list boards = {.items = items,
                                .count = (size_t)(first != NULL) + (second != NULL)};

    assert_int_equal(ports_replace(ports, &boards, on_event, told), 0);
}

static void assert_told(const char *expected)
{
    assert_string_equal(told, expected);
    *told = '\0';
}

#define PORT(name, address, more)                                                                  \
    "{\"address\":\"" address "\",\"label\":\"" name " at " address                                \
    "\",\"protocol\":\"network\",\"protocolLabel\":\"Network Port\",\"properties\":{\"hostname\""  \
    ":\"" name ".local.\",\"port\":\"3232\"" more "}}\n"
#define GONE(address) "remove {\"address\":\"" address "\",\"protocol\":\"network\"}\n"

static void test_ports_come_and_go(void **state)
{
    struct ports ports = {0};
    struct board lamp = make_board("lamp", "10.0.0.2", ""),
                 desk = make_board("desk", "fd00::1", "");
    struct board lost = make_board("lost", NULL, "");
    (void)state;

    replace(&ports, &lamp, &lost);
    assert_told("add " PORT("lamp", "10.0.0.2", ""));
    replace(&ports, &desk, &lamp);
    assert_told("add " PORT("desk", "fd00::1", ""));
    replace(&ports, &desk, NULL);
    assert_told(GONE("10.0.0.2"));
    replace(&ports, NULL, NULL);
    assert_told(GONE("fd00::1"));
    ports_clear(&ports);
}

static void test_ports_of_one_address(void **state)
{
    struct ports ports = {0};
    struct board lamp = make_board("lamp", "10.0.0.2", ""),
                 desk = make_board("desk", "10.0.0.2", "");
    (void)state;

    replace(&ports, &desk, &lamp);
    assert_told("add " PORT("desk", "10.0.0.2", ""));
    replace(&ports, &desk, &lamp);
    assert_told("");
    replace(&ports, &lamp, NULL);
    assert_told("add " PORT("lamp", "10.0.0.2", "")); /* in place of the other one */
    assert_int_equal(ports_add(&ports, &desk, on_event, told), 0);
    assert_told("");
    ports_clear(&ports);
}

static void test_ports_properties(void **state)
{
    static const struct {
        const char *type, *pairs, *properties;
    } cases[] = {
        {"esp32dev", "board=esp32dev|auth_upload=no|",
         ",\".\":\"esp32dev\",\"board\":\"esp32dev\",\"auth_upload\":\"no\""},
        {"", "port=1|hostname=x|a=b=c|a=d|", ",\"a\":\"b=c\""},
        {"uno", ".=x|", ",\".\":\"uno\""},
        {"", "a=\xff\x1b|", ",\"a\":\"\\\\xff\\\\x1b\""},
        {"", "a=C:\\x|", ",\"a\":\"C:\\\\x\""},
        {"", "a=|", ",\"a\":\"\""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ports ports = {0};
        struct board board = make_board("lamp", "10.0.0.2", cases[i].pairs);
        char expected[512];

        snprintf(board.type, sizeof board.type, "%s", cases[i].type);
        assert_int_equal(ports_add(&ports, &board, on_event, told), 0);
        snprintf(expected, sizeof expected, "add " PORT("lamp", "10.0.0.2", "%s"),
                 cases[i].properties);
        assert_told(expected);
        ports_clear(&ports);
    }
}

/* What cannot be told is told by the next call. */
static void test_ports_without_memory(void **state)
{
    struct board lamp = make_board("lamp", "10.0.0.2", "board=x|"), *items[] = {&lamp};
    struct board_list boards = {.items = items, .count = 1};
    int failures = 0;
    (void)state;

    for (int left = 0; failures == left; left++) {
        struct ports ports = {0};

        failing_start(FAILING_ALLOCATION, left, ENOMEM);
        failures += ports_replace(&ports, &boards, on_event, told) < 0;
        bool is_told = *told != '\0';
        failing_stop();
        *told = '\0';
        assert_int_equal(ports_replace(&ports, &boards, on_event, told), 0);
        assert_int_equal(*told != '\0', !is_told);
        *told = '\0';
        ports_clear(&ports);
    }
    assert_true(failures > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports_come_and_go),
        cmocka_unit_test(test_ports_of_one_address),
        cmocka_unit_test(test_ports_properties),
        cmocka_unit_test(test_ports_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
