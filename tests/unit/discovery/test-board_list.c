/*
 * test-board_list.c: the list has each board once, sorted, with the best of its answers; patterns
 * match names and types.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discovery/board_list.h"
#include "support/failing.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mdns_answer seen(const char *instance)
{
    struct mdns_answer answer = {.event = MDNS_FOUND};

    snprintf(answer.instance, sizeof answer.instance, "%s", instance);
    return answer;
}

static struct mdns_answer resolved(const char *instance, const char *host, const char *address,
                                   uint16_t port)
{
    struct mdns_answer answer = seen(instance);

    snprintf(answer.host, sizeof answer.host, "%s", host);
    answer.has_address = address && address_parse(&answer.address, address);
    answer.port = port;
    return answer;
}

static void add_answer(struct board_list *boards, struct mdns_answer answer)
{
    assert_int_equal(board_list_add(boards, &answer), 0);
}

static void test_sorted_whatever_the_order(void **state)
{
    static const char *const sorted[] = {"1",        "02",
                                         "10 lamps", "Attic",
                                         "attic",    "attic 2",
                                         "Kitchen",  "lamp",
                                         "lamp-02",  "lamp-2",
                                         "lamp-2b",  "Lamp-10",
                                         "lamp-10",  "lamp-184467440737095516170",
                                         "lamp-a",   "Ölofen"};

    enum { COUNT = sizeof sorted / sizeof *sorted };
    (void)state;
    for (size_t step = 1; step < COUNT; step += 2) { /* odd: prime to 16 */
        struct board_list boards = {0};
        for (size_t i = 0; i < COUNT; i++)
            add_answer(&boards, seen(sorted[i * step % COUNT]));
        assert_int_equal(boards.count, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            assert_string_equal(boards.items[i]->instance, sorted[i]);
        board_list_free(&boards);
        assert_int_equal(boards.count, 0);
    }
}

/* Each service is a way of its own onto a board. */
static void test_services_of_one_board(void **state)
{
    struct mdns_answer web = resolved("lamp", "lamp.local", "10.0.0.1", 80);
    struct board_list boards = {0};

    (void)state;
    web.service = SERVICE_WLED;
    add_answer(&boards, web);
    add_answer(&boards, resolved("lamp", "lamp.local", "10.0.0.1", 8266));
    add_answer(&boards, web);
    assert_int_equal(boards.count, 2);
    assert_int_equal(boards.items[0]->service, SERVICE_ARDUINO);
    assert_int_equal(boards.items[0]->port, 8266);
    assert_int_equal(boards.items[1]->service, SERVICE_WLED);
    assert_int_equal(boards.items[1]->port, 80);
    board_list_free(&boards);
}

static void test_many_boards(void **state)
{
    enum { COUNT = 3000 };
    struct board_list boards = {0};

    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "board-%04u", i * 7 % COUNT);
        add_answer(&boards, seen(name));
        add_answer(&boards, resolved(name, "h.local", "10.0.0.1", 1));
    }
    assert_int_equal(boards.count, COUNT);
    for (size_t i = 1; i < COUNT; i++)
        assert_true(strcmp(boards.items[i - 1]->instance, boards.items[i]->instance) < 0);
    board_list_free(&boards);
}

/* Merges the answers of one board. */
static void test_merge(void **state)
{
    static const struct {
        struct {
            const char *host, *address;
            uint16_t port;
        } answers[3];
        const char *host, *address;
        uint16_t port;
    } cases[] = {
        {{{"", NULL, 0}}, "", NULL, 0},
        {{{"", NULL, 0}, {"a.local", "10.0.0.1", 1}}, "a.local", "10.0.0.1", 1},
        {{{"a.local", "10.0.0.1", 1}, {"", NULL, 0}}, "a.local", "10.0.0.1", 1},
        {{{"a.local", "fd00::1", 1}, {"a.local", "10.0.0.1", 1}}, "a.local", "10.0.0.1", 1},
        {{{"a.local", "10.0.0.1", 1}, {"b.local", "fd00::1", 2}}, "a.local", "10.0.0.1", 1},
        {{{"a.local", "10.0.0.1", 1}, {"b.local", NULL, 2}}, "a.local", "10.0.0.1", 1},
        {{{"a.local", "10.0.0.1", 1}, {"b.local", "10.0.0.2", 2}}, "b.local", "10.0.0.2", 2},
        {{{"a.local", NULL, 1}, {"a.local", "fd00::1", 1}}, "a.local", "fd00::1", 1},
        {{{"a.local", NULL, 1}}, "a.local", NULL, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct board_list boards = {0};

        for (size_t j = 0; j < 3 && cases[i].answers[j].host; j++)
            add_answer(&boards, resolved("x", cases[i].answers[j].host, cases[i].answers[j].address,
                                         cases[i].answers[j].port));
        assert_int_equal(boards.count, 1);
        const struct board *board = boards.items[0];
        char text[ADDRESS_TEXT_MAX];
        assert_string_equal(board->host, cases[i].host);
        assert_int_equal(board->is_resolved, cases[i].host[0] != '\0');
        assert_int_equal(board->has_address, cases[i].address != NULL);
        if (cases[i].address)
            assert_string_equal(address_text(text, &board->address), cases[i].address);
        assert_int_equal(board->port, cases[i].port);
        board_list_free(&boards);
    }
}

/* Further addresses are claims until they turn out to belong to other boards. */
static void test_split(void **state)
{
    static const char *const expected[] = {"a 10.0.0.1", "b 10.0.0.2!", "b 10.0.0.3!",
                                           "b 10.0.0.4!", "c 10.0.0.1"};
    struct address addresses[3];
    struct board_list boards = {0};

    (void)state;
    for (const char *name = "c\0a\0b\0"; *name; name += 2)
        add_answer(&boards, resolved(name, "h.local", "10.0.0.1", 3232));
    struct mdns_answer further = resolved("b", "h.local", "10.0.0.2", 3232);
    further.is_further = true;
    add_answer(&boards, further);
    assert_int_equal(boards.count, 3);
    assert_int_equal(boards.items[1]->claims.count, 2);
    for (size_t i = 0; i < 3; i++) {
        char text[16];
        snprintf(text, sizeof text, "10.0.0.%zu", i + 2);
        assert_true(address_parse(&addresses[i], text));
    }
    assert_int_equal(board_list_split(&boards, 1, addresses, 3), 0);
    assert_int_equal(boards.count, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct board *board = boards.items[i];
        char shown[ADDRESS_TEXT_MAX], text[80];

        snprintf(text, sizeof text, "%s %s%s", board->instance,
                 address_text(shown, &board->address), board->is_ambiguous ? "!" : "");
        assert_string_equal(text, expected[i]);
        assert_int_equal(board->port, 3232);
    }
    board_list_free(&boards);
}

/* A split that fails leaves the list unchanged, and so does an addition. */
static void test_list_no_memory(void **state)
{
    enum { COPIES = 40 };
    static struct address addresses[COPIES];
    struct board_list boards = {0};
    struct mdns_answer fourth = seen("d");
    int made = 0;

    (void)state;
    add_answer(&boards, seen("a"));
    add_answer(&boards, resolved("b", "b.local", "10.0.0.2", 3232));
    add_answer(&boards, seen("c"));
    const struct board *const original = boards.items[1];
    for (;; made++) {
        failing_start(FAILING_ALLOCATION, made, ENOMEM);
        int rc = board_list_split(&boards, 1, addresses, COPIES);
        assert_int_equal(failing_stop(), rc < 0);
        if (rc == 0)
            break;
        assert_int_equal(boards.count, 3);
        assert_string_equal(boards.items[0]->instance, "a");
        assert_ptr_equal(boards.items[1], original);
        assert_string_equal(boards.items[2]->instance, "c");
    }
    assert_true(made >= COPIES - 1);
    assert_int_equal(boards.count, 3 + COPIES - 1);
    failing_start_for_good(FAILING_ALLOCATION, ENOMEM);
    assert_int_equal(board_list_add(&boards, &fourth), -1);
    failing_stop();
    assert_int_equal(boards.count, 3 + COPIES - 1);
    board_list_free(&boards);
}

static void test_patterns(void **state)
{
    static const struct {
        const char *pattern;
        bool is_name, is_type;
    } cases[] = {
        {"Living room lamp", true, false},
        {"living *", true, false},
        {"*lamp*", true, false},
        {"esp32-1", true, false},
        {"esp32-1.local", true, false},
        {"ESP32-?.LOCAL", true, false},
        {"*", true, true},
        {"esp32-[0-3]", true, false},
        {"esp32-[4-9]", false, false},
        {"room", false, false},
        {"esp32-1.*", true, false},
        {"ESP32*", true, true},
        {"esp32dev", false, true},
        {"*c*", false, false},
        {"*.l*", true, false},
        {"*room*l?mp", true, false},
        {"", false, false},
        {"[", false, false},
        {"\\", false, false},
    };
    const struct board board = {.instance = "Living room lamp",
                                .is_resolved = true,
                                .host = "esp32-1.local",
                                .type = "esp32dev"};
    const struct board unresolved = {.instance = "x"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(board_has_name(&board, cases[i].pattern), cases[i].is_name);
        assert_int_equal(board_has_type(&board, cases[i].pattern), cases[i].is_type);
    }
    assert_true(board_has_name(&unresolved, "X"));
    assert_false(board_has_name(&unresolved, ""));
    assert_false(board_has_type(&unresolved, "*"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted_whatever_the_order),
        cmocka_unit_test(test_many_boards),
        cmocka_unit_test(test_services_of_one_board),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_list_no_memory),
        cmocka_unit_test(test_patterns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
