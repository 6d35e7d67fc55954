/*
 * test-board_match.c: boards selected by --match and --board, and the message if there are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discovery/board_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct board attic = {
    .instance = "attic", .is_resolved = true, .host = "a.local", .port = 8266, .type = "nodemcu"};
static struct board lamp = {.instance = "Living room lamp",
                            .is_resolved = true,
                            .host = "lamp.local",
                            .port = 3232,
                            .type = "esp32dev"};
static struct board web = {
    .instance = "web\x1b", .is_resolved = true, .host = "web.local", .port = 80, .type = "esp32s3"};
static struct board *items[] = {&attic, &lamp, &web};
static const struct board_list all = {.items = items, .count = 3};

static bool is_no_web(const struct board *board)
{
    return board != &web;
}

/* The kind "nodemcu" has the chip esp8266, as all boards without a kind. */
static bool has_chip(const struct board *board, const char *pattern)
{
    return (board == &attic || !*board->type) && strncmp(pattern, "esp8266", 7) == 0;
}

static void describe_way(char text[BOARD_WAY_MAX], const struct board *board)
{
    snprintf(text, BOARD_WAY_MAX, "%s", board->port == 80 ? "a page (--protocol web)" : "a port");
}

static const struct board_facts facts = {.has_chip = has_chip, .describe_way = describe_way};

static void test_cases(void **state)
{
    static const struct {
        char *match, *board;
        bool only_some;
        const char *names;    /* their first letters; NULL: it fails */
        enum ota_cause cause; /* then */
        const char *message;  /* a part of it */
    } cases[] = {
        {NULL, NULL, false, "aLw", OTA_CAUSE_NONE, NULL},
        {NULL, NULL, true, "aL", OTA_CAUSE_NONE, NULL},
        {"*a*", NULL, false, "aL", OTA_CAUSE_NONE, NULL},
        {"LAMP", NULL, false, "L", OTA_CAUSE_NONE, NULL},
        {NULL, "esp32*", false, "Lw", OTA_CAUSE_NONE, NULL},
        {NULL, "esp32*", true, "L", OTA_CAUSE_NONE, NULL},
        {"w*", "esp32*", false, "w", OTA_CAUSE_NONE, NULL},
        {"w*", NULL, true, NULL, OTA_CAUSE_OTHER_PROTOCOL,
         "only boards with another protocol match --match 'w*': 1 with a page (--protocol web)"},
        {"w*", "*s3", true, NULL, OTA_CAUSE_OTHER_PROTOCOL,
         "only boards with another protocol match --match 'w*' and --board '*s3': 1 with a page"},
        {"x\n", "y", false, NULL, OTA_CAUSE_NO_SUCH_BOARD,
         "(3) matches --match 'x\\n' and --board 'y'; found: \"attic\", "},
        {"*a*", "esp8266*", false, NULL, OTA_CAUSE_NO_SUCH_BOARD,
         "(3) matches --match '*a*' and --board 'esp8266*'; 2 match --match '*a*', of the kinds "
         "'esp32dev', 'nodemcu'"},
        {"attic", "esp8266*", false, NULL, OTA_CAUSE_NO_SUCH_BOARD,
         "; 1 matches --match 'attic', of the kind 'nodemcu'"},
        {NULL, "y", false, NULL, OTA_CAUSE_NO_SUCH_BOARD,
         "(3) matches --board 'y'; the announced kinds: 'esp32dev', 'esp32s3', 'nodemcu'"},
        {NULL, "esp8266", false, NULL, OTA_CAUSE_NO_SUCH_BOARD,
         "(3) matches --board 'esp8266'; the only kind with this chip: 'nodemcu'"},
        {NULL, "esp32", false, NULL, OTA_CAUSE_NO_SUCH_BOARD,
         "--board '*esp32*' would match 2 of them; the announced kinds: "},
        {"nobody, lamp", NULL, false, NULL, OTA_CAUSE_SEPARATED, "matches --match 'nobody, lamp'"},
        {"nobody;*am*", NULL, false, NULL, OTA_CAUSE_SEPARATED, NULL},
        {"nobody,cellar", NULL, false, NULL, OTA_CAUSE_NO_SUCH_BOARD, NULL},
        {",;", NULL, false, NULL, OTA_CAUSE_NO_SUCH_BOARD, NULL},
        {"am*", NULL, false, NULL, OTA_CAUSE_NO_SUCH_BOARD,
         "--match '*am*' would match 1 of them; found: "},
        {"*am", NULL, false, NULL, OTA_CAUSE_NO_SUCH_BOARD,
         "--match '*am*' would match 1 of them; found: "},
        {"am", NULL, false, NULL, OTA_CAUSE_NO_SUCH_BOARD,
         "--match '*am*' would match 1 of them; found: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct board_patterns patterns = {.name = cases[i].match, .board = cases[i].board};
        struct board_list matching;
        struct ota_failure failure = {0};
        char names[4] = "";
        enum ota_error error = board_match(&matching, &all, &patterns,
                                           cases[i].only_some ? is_no_web : NULL, &facts, &failure);

        for (size_t j = 0; j < matching.count; j++)
            names[j] = matching.items[j]->instance[0];
        assert_string_equal(names, cases[i].names ? cases[i].names : "");
        assert_int_equal(error, cases[i].names ? OTA_OK : OTA_E_NOT_FOUND);
        assert_int_equal(failure.cause, cases[i].cause);
        if (cases[i].message && !strstr(failure.message, cases[i].message))
            fail_msg("\"%s\" is not in \"%s\"", cases[i].message, failure.message);
        free(matching.items);
    }
}

/* Of many boards the first ones are listed, unless the names of some are similar to the pattern. */
static void test_many_names(void **state)
{
    static const struct {
        char *match;
        const char *message;
    } cases[] = {
        {"nobody", "(12) matches --match 'nobody'; found: \"lab-01\", \"lab-02\", "
                   "\"lab-03\", \"lab-04\", \"lab-05\", \"lab-06\", \"lab-07\", \"lab-08\", ... "
                   "(--list shows "
                   "all)"},
        {"lab1",
         "(12) matches --match 'lab1'; the most similar are \"lab-01\", \"lab-10\", \"lab-11\""},
        {"kitchne", "(12) matches --match 'kitchne'; the most similar is \"kitchen\""},
    };
    static struct board labs[12];
    struct board *some[12];

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        snprintf(labs[i].instance, sizeof labs[i].instance, "lab-%02zu", i + 1);
        some[i] = &labs[i];
    }
    strcpy(labs[11].instance, "kitchen");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct board_patterns patterns = {.name = cases[i].match};
        struct board_list matching;
        struct ota_failure failure;

        board_match(&matching, &(struct board_list){.items = some, .count = 12}, &patterns, NULL,
                    NULL, &failure);
        if (!strstr(failure.message, cases[i].message))
            fail_msg("\"%s\" is not in \"%s\"", cases[i].message, failure.message);
        free(matching.items);
    }
}

static void test_no_board_of_this_protocol(void **state)
{
    struct board *others[] = {&web};
    struct board_list matching;
    struct ota_failure failure;

    (void)state;
    assert_int_equal(board_match(&matching, &(struct board_list){.items = others, .count = 1},
                                 &(struct board_patterns){0}, is_no_web, &facts, &failure),
                     OTA_E_NOT_FOUND);
    assert_string_equal(
        failure.message,
        "only boards with another protocol were found: 1 with a page (--protocol web)");
    assert_int_equal(failure.cause, OTA_CAUSE_OTHER_PROTOCOL);
    free(matching.items);
}

static bool is_nothing(const struct board *board)
{
    (void)board;
    return false;
}

/* Each way is listed once. */
static void test_other_protocols(void **state)
{
    struct board_list matching;
    struct ota_failure failure;

    (void)state;
    board_match(&matching, &all, &(struct board_patterns){.name = "*"}, is_nothing, &facts,
                &failure);
    assert_string_equal(failure.message,
                        "only boards with another protocol match --match '*': 2 with a port and 1 "
                        "with a page (--protocol web)");
    free(matching.items);
}

static void test_kinds_of_nobody(void **state)
{
    static struct board silent = {.instance = "silent", .is_resolved = true};
    struct board *silents[] = {&silent};
    const struct board_list none = {.items = silents, .count = 1};
    static const struct {
        char *match, *board;
        const char *message;
    } rows[] = {
        {NULL, "y", "matches --board 'y'; none of them announces a kind"},
        {NULL, "esp8266", "matches --board 'esp8266'; none of them announces a kind"},
        {"*", "y", "; 1 matches --match '*', without an announced kind"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct board_patterns patterns = {.name = rows[i].match, .board = rows[i].board};
        struct board_list matching;
        struct ota_failure failure;

        board_match(&matching, &none, &patterns, NULL, &facts, &failure);
        if (!strstr(failure.message, rows[i].message))
            fail_msg("\"%s\" is not in \"%s\"", rows[i].message, failure.message);
        free(matching.items);
    }
}

/* A pattern of kinds may be meant as a chip. */
static void test_left_out(void **state)
{
    static struct board chip = {
        .instance = "chip", .is_resolved = true, .host = "chip.local", .type = "esp8266_generic"};
    static struct board silent = {.instance = "silent", .is_resolved = true};
    struct board *some[] = {&attic, &chip, &lamp, &silent};
    static const struct {
        char *match, *board;
        size_t count;
        const char *said;
    } rows[] = {
        {NULL, NULL, 4, ""},
        {NULL, "nodemcu", 4, ""},
        {NULL, "esp8266*", 3,
         "--board 'esp8266*' compares kinds, and leaves out 1 board with this "
         "chip, of the kind 'nodemcu'"},
        {NULL, "esp8266*", 4,
         "--board 'esp8266*' compares kinds, and leaves out 2 boards with "
         "this chip, of the kind 'nodemcu'"},
        {"c*", "esp8266*", 4, ""},
        {"s*", "esp8266*", 4,
         "--board 'esp8266*' compares kinds, and leaves out 1 board with this "
         "chip, without an announced kind"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct board_patterns patterns = {.name = rows[i].match, .board = rows[i].board};
        const struct board_list boards = {.items = some, .count = rows[i].count};
        char text[OTA_MESSAGE_MAX];

        assert_string_equal(
            board_match_left_out(text, sizeof text, &boards, &patterns, NULL, &facts),
            rows[i].said);
        assert_string_equal(
            board_match_left_out(text, sizeof text, &boards, &patterns, is_nothing, &facts), "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_no_board_of_this_protocol),
        cmocka_unit_test(test_other_protocols),
        cmocka_unit_test(test_kinds_of_nobody),
        cmocka_unit_test(test_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
