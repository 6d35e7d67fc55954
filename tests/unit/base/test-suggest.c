/*
 * test-suggest.c: the names offered for one that was not found, and their order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/suggest.h"

#include <string.h>

enum { NAMES_MAX = 6, TEXT_MAX = 1024 };

static const struct {
    const char *title, *wanted;
    const char *offered[NAMES_MAX];
    const char *list;
} cases[] = {
    {"nothing offered", "kitchen", {NULL}, ""},
    {"one, however different", "kitchen", {"a lamp"}, "\"a lamp\""},
    {"letters swapped", "kitchne", {"kinder", "kitchen"}, "\"kitchen\", \"kinder\""},
    {"a letter too many, too few, another",
     "lamp",
     {"lxxp", "lam", "lampe"},
     "\"lam\", \"lampe\", \"lxxp\""},
    {"case does not count", "KITCHEN", {"kitchxx", "Kitchen"}, "\"Kitchen\", \"kitchxx\""},
    {"equally similar: by name", "b", {"d", "C", "a"}, "\"a\", \"C\", \"d\""},
    {"a part of the name, wherever it stands",
     "lamp",
     {"lap", "damp", "laps", "Living room lamp", "clamps"},
     "\"clamps\", \"damp\", \"lap\""},
    {"a part, and nothing else",
     "room",
     {"rome", "Living room lamp"},
     "\"Living room lamp\", \"rome\""},
    {"what is similar, before what is only short",
     "living-room-lamp",
     {"a", "b", "c", "living-roof-lamps"},
     "\"living-roof-lamps\", \"a\", \"b\""},
    {"the three most similar, wherever they stand",
     "lamp",
     {"garage", "lamp-1", "cellar", "lamp-12", "lam", "attic"},
     "\"lam\", \"lamp-1\", \"lamp-12\""},
    {"names from the network are escaped", "lamp", {"l\033[2J"}, "\"l\\x1b[2J\""},
    {"nothing wanted", "", {"abc", "a"}, "\"a\", \"abc\""},
    {"nothing in a name", "ab", {"", "a"}, "\"a\", \"\""},
};

static void test_list(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct suggestions suggestions = {0};
        char text[TEXT_MAX];
        size_t offers = 0;
        print_message("  %s\n", cases[i].title);
        while (offers < NAMES_MAX && cases[i].offered[offers])
            suggest_offer(&suggestions, cases[i].wanted, cases[i].offered[offers++]);
        suggest_list(text, sizeof text, &suggestions);
        assert_string_equal(text, cases[i].list);
        assert_int_equal(suggestions.total, offers);
    }
}

static void test_long_names(void **state)
{
    char longest[2 * SUGGEST_NAME_MAX], text[TEXT_MAX], small[16];
    struct suggestions suggestions = {0};
    (void)state;

    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (int i = 0; i < 2 * SUGGEST_MAX; i++) {
        longest[i] = 'y';
        suggest_offer(&suggestions, longest, longest);
    }
    assert_int_equal(suggestions.count, SUGGEST_MAX);
    suggest_list(text, sizeof text, &suggestions);
    assert_in_range(strlen(text), 3 * (SUGGEST_NAME_MAX - 8), sizeof text - 1);
    suggest_list(small, sizeof small, &suggestions);
    assert_string_equal(small, "\"yxxxxxxxxxxxxx");
}

/* What announces itself twice is one name, and needs no note if it does without one of them. */
static void test_notes(void **state)
{
    struct suggestions suggestions = {0};
    char text[TEXT_MAX];

    (void)state;
    suggest_offer_noted(&suggestions, "lamp", "lamp-1", "ESPHome");
    suggest_offer_noted(&suggestions, "lamp", "lamp-2", "WLED");
    suggest_offer_noted(&suggestions, "lamp", "lamp-2", NULL);
    suggest_offer_noted(&suggestions, "lamp", "lamp-3", NULL);
    suggest_offer_noted(&suggestions, "lamp", "lamp-3", "WLED");
    suggest_list(text, sizeof text, &suggestions);
    assert_string_equal(text, "\"lamp-1\" (ESPHome), \"lamp-2\", \"lamp-3\"");
    assert_int_equal(suggestions.total, 3);
}

static void test_similar(void **state)
{
    static const struct {
        const char *wanted, *name;
        bool is_similar;
    } rows[] = {
        {"kitchen", "kitchne", true},
        {"kitchen", "Kitchen-2", true},
        {"lamp", "labs", false},
        {"lamp", "lmap", true},
        {"kitchen", "kit", true},
        {"kitchen", "ki", false},
        {"lamp.local", "Floor-Lamp.local", true},
        {"local", "lamp.local", false},
        {"kitchen", "garage", false},
        {"lamp", "l", false},
        {"kitchen", "", false},
        {"cellar.local", "lamp.local", false}, /* only the ends are alike */
        {"cellar.local", "sketch.LOCAL", false},
        {"lamp.local", "lamp-1.local", true},
        {".local", ".local", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct suggestions suggestions = {0};

        suggest_offer(&suggestions, rows[i].wanted, "entirely different");
        suggest_offer(&suggestions, rows[i].wanted, rows[i].name);
        suggest_keep_similar(&suggestions);
        assert_int_equal(suggestions.total, 2);
        assert_int_equal(suggestions.count, rows[i].is_similar);
        if (rows[i].is_similar)
            assert_string_equal(suggestions.best[0].name, rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_similar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
