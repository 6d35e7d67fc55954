/*
 * test-board_table.c: boards as a table and as fields, byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "output/board_table.h"

#include <stdlib.h>
#include <string.h>

static struct board kitchen = {.instance = "kitchen",
                               .is_resolved = true,
                               .host = "kitchen.local",
                               .port = 8266,
                               .type = "ESP8266_NODEMCU",
                               .password = TXT_NO};
static struct board lamp = {.instance = "客厅灯",
                            .is_resolved = true,
                            .host = "l.local",
                            .port = 3232,
                            .is_ambiguous = true,
                            .password = TXT_YES};
static struct board versioned = {.instance = "Wohnzimmer an der Straßenseite",
                                 .is_resolved = true,
                                 .host = "wohnzimmer-strassenseite.local",
                                 .port = 3232,
                                 .type = "lolin_s2_mini",
                                 .version = "1.2\t\xff",
                                 .password = TXT_YES};
static struct board sketch = {.instance = "a\tb\x1b[1m\\",
                              .is_resolved = true,
                              .host = "s.local",
                              .port = 65280,
                              .type = "x\ny"};
static struct board gone = {.instance = "gone", .password = TXT_UNKNOWN};

static size_t table_width; /* 0: any */

static void print_table(FILE *stream, const struct board_list *boards)
{
    board_table_print_table(stream, boards, table_width);
}

/* Returns the output of print for count boards; the caller frees it. */
static char *printed(void (*print)(FILE *stream, const struct board_list *boards),
                     struct board *const *items, size_t count)
{
    char *text = NULL;
    size_t size;
    struct board *copy[4] = {0};
    FILE *stream = open_memstream(&text, &size);

    assert_non_null(stream);
    for (size_t i = 0; i < count; i++)
        copy[i] = items[i];
    print(stream, &(struct board_list){.items = copy, .count = count});
    fclose(stream);
    return text;
}

static void set_addresses(void)
{
    kitchen.has_address = address_parse(&kitchen.address, "10.0.0.7");
    lamp.has_address = address_parse(&lamp.address, "fd00::17");
    assert_true(kitchen.has_address && lamp.has_address);
}

static void test_plain_table(void **state)
{
    struct board *const items[] = {&gone, &kitchen, &lamp, &sketch};
    (void)state;

    set_addresses();
    char *text = printed(board_table_print_plain, items, 4);
    assert_string_equal(
        text, "gone\t-\t-\t-\t-\t?\t-\t-\t-\n"
              "kitchen\tkitchen.local\t10.0.0.7\t8266\tESP8266_NODEMCU\tno\tespota\t-\t-\n"
              "客厅灯\tl.local\tfd00::17\t3232\t-\tyes\tespota\tambiguous\t-\n"
              "a\\tb\\x1b[1m\\\\\ts.local\t-\t65280\tx\\ny\t?\tsketch\t-\t-\n");
    free(text);
    text = printed(board_table_print_plain, (struct board *const[]){&versioned}, 1);
    assert_string_equal(text, "Wohnzimmer an der Straßenseite\twohnzimmer-strassenseite.local\t-"
                              "\t3232\tlolin_s2_mini\tyes\tespota\t-\t1.2\\t\\xff\n");
    free(text);
    text = printed(board_table_print_plain, items, 0);
    assert_string_equal(text, "");
    free(text);
}

static void test_board_rows(void **state)
{
    struct board *const items[] = {&gone, &kitchen, &lamp, &sketch};
    (void)state;

    set_addresses();
    char *text = printed(print_table, items, 4);
    assert_string_equal(
        text,
        "INSTANCE       HOST           ADDRESS   PORT   BOARD            PASSWORD\n"
        "gone           -              -         -      -                ?         does not "
        "answer\n"
        "kitchen        kitchen.local  10.0.0.7  8266   ESP8266_NODEMCU  no\n"
        "客厅灯         l.local        fd00::17  3232   -                yes       shares its "
        "name\n"
        "a\\tb\\x1b[1m\\\\  s.local        -         65280  x\\ny             ?         "
        "--protocol sketch\n");
    free(text);
}

static const struct {
    size_t width;
    const char *table;
} narrow_rows[] = {
    {0, "INSTANCE                        HOST                            ADDRESS   PORT  BOARD    "
        "        PASSWORD  VERSION\n"
        "kitchen                         kitchen.local                   10.0.0.7  8266  "
        "ESP8266_NODEMCU  no        -\n"
        "Wohnzimmer an der Straßenseite  wohnzimmer-strassenseite.local  -         3232  "
        "lolin_s2_mini    yes       1.2\\t\\xff\n"},
    /* the host before the name */
    {102,
     "INSTANCE                        HOST              ADDRESS   PORT  BOARD            "
     "PASSWORD  VERSION\n"
     "kitchen                         kitchen.local     10.0.0.7  8266  ESP8266_NODEMCU  no      "
     "  -\n"
     "Wohnzimmer an der Straßenseite  wohnzimmer-st...  -         3232  lolin_s2_mini    yes     "
     "  1.2\\t\\xff\n"},
    {100,
     "INSTANCE                      HOST              ADDRESS   PORT  BOARD            "
     "PASSWORD  VERSION\n"
     "kitchen                       kitchen.local     10.0.0.7  8266  ESP8266_NODEMCU  no      "
     "  -\n"
     "Wohnzimmer an der Straßen...  wohnzimmer-st...  -         3232  lolin_s2_mini    yes     "
     "  1.2\\t\\xff\n"},
    /* all columns, as narrow as they can be */
    {91, "INSTANCE                  HOST              ADDRESS   PORT  BOARD       PASSWORD  "
         "VERSION\n"
         "kitchen                   kitchen.local     10.0.0.7  8266  ESP8266...  no        -\n"
         "Wohnzimmer an der Str...  wohnzimmer-st...  -         3232  lolin_s...  yes       "
         "1.2\\t\\xff\n"},
    /* without the host, the others have room again */
    {90,
     "INSTANCE                        ADDRESS   PORT  BOARD            PASSWORD  VERSION\n"
     "kitchen                         10.0.0.7  8266  ESP8266_NODEMCU  no        -\n"
     "Wohnzimmer an der Straßenseite  -         3232  lolin_s2_mini    yes       1.2\\t\\xff\n"},
    {46, "INSTANCE                  ADDRESS   BOARD\n"
         "kitchen                   10.0.0.7  ESP8266...\n"
         "Wohnzimmer an der Str...  -         lolin_s...\n"},
    {34, "INSTANCE                  ADDRESS\n"
         "kitchen                   10.0.0.7\n"
         "Wohnzimmer an der Str...  -\n"},
    {20, "INSTANCE\n"
         "kitchen\n"
         "Wohnzimmer an der...\n"},
};

/* Hosts are shortened before names, and all only as far as needed. */
static void test_narrow_rows(void **state)
{
    struct board *const items[] = {&kitchen, &versioned};
    (void)state;

    set_addresses();
    for (size_t i = 0; i < sizeof narrow_rows / sizeof *narrow_rows; i++) {
        table_width = narrow_rows[i].width;
        char *text = printed(print_table, items, 2);
        assert_string_equal(text, narrow_rows[i].table);
        free(text);
    }
    table_width = 0;
}

/* Of the remark only the protocol's name is left, where all of it does not fit. */
static void test_narrow_remark(void **state)
{
    struct board *const items[] = {&kitchen, &sketch};
    (void)state;

    set_addresses();
    table_width = 91;
    char *text = printed(print_table, items, 2);
    assert_string_equal(text,
                        "INSTANCE       HOST           ADDRESS   PORT   BOARD            PASSWORD\n"
                        "kitchen        kitchen.local  10.0.0.7  8266   ESP8266_NODEMCU  no\n"
                        "a\\tb\\x1b[1m\\\\  s.local        -         65280  x\\ny             ?    "
                        "     --protocol sketch\n");
    free(text);
    table_width = 90;
    text = printed(print_table, items, 2);
    assert_string_equal(
        text,
        "INSTANCE       HOST           ADDRESS   PORT   BOARD            PASSWORD\n"
        "kitchen        kitchen.local  10.0.0.7  8266   ESP8266_NODEMCU  no\n"
        "a\\tb\\x1b[1m\\\\  s.local        -         65280  x\\ny             ?         sketch\n");
    free(text);
    table_width = 0;
}

/* The version keeps its end while other columns can be left out. If not even the addresses have
 * room, only the names are shown. */
static void test_narrow_version(void **state)
{
    struct board esphome = {.instance = "Living room lamp at the window",
                            .is_resolved = true,
                            .host = "living-room-lamp.local",
                            .has_address = true,
                            .port = 3232,
                            .type = "esp32-s3-devkitc",
                            .version = "2026.9.0",
                            .esphome = {.version = "2026.9.0"},
                            .password = TXT_YES};
    struct board *const items[] = {&esphome};
    static const struct {
        size_t width;
        const char *table;
    } cases[] = {
        {110, "INSTANCE                     HOST              ADDRESS      PORT  BOARD             "
              "PASSWORD  VERSION\n"
              "Living room lamp at the ...  living-room-l...  10.77.0.199  3232  esp32-s3-devkitc  "
              "yes       ESPHome 2026.9.0\n"},
        {80, "INSTANCE                   ADDRESS      PORT  BOARD             VERSION\n"
             "Living room lamp at th...  10.77.0.199  3232  esp32-s3-devkitc  ESPHome 2026.9.0\n"},
        {36, "INSTANCE\n"
             "Living room lamp at the window\n"},
        {22, "INSTANCE\n"
             "Living room lamp at...\n"},
    };
    (void)state;

    assert_true(address_parse(&esphome.address, "10.77.0.199"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        table_width = cases[i].width;
        char *text = printed(print_table, items, 1);
        assert_string_equal(text, cases[i].table);
        free(text);
    }
}

/* Of a long version and a short name, the version is shortened. */
static void test_narrow_long_version(void **state)
{
    struct board porch = {.instance = "Living room lamp",
                          .is_resolved = true,
                          .host = "porch.local",
                          .has_address = true,
                          .service = SERVICE_ESPHOME,
                          .type = "esp32dev",
                          .version = "2.3",
                          .esphome = {.version = "2026.9.0",
                                      .project = "acme.porch",
                                      .project_version = "2.3",
                                      .is_encrypted = true},
                          .password = TXT_UNKNOWN};
    struct board *const items[] = {&porch};
    static const struct {
        size_t width;
        const char *table;
    } cases[] = {
        {110, "INSTANCE          HOST         ADDRESS     PORT  BOARD     PASSWORD  VERSION\n"
              "Living room lamp  porch.local  10.77.0.32  -     esp32dev  ?         "
              "acme.porch 2.3, ES...  esphome, encrypted\n"},
        {80, "INSTANCE          ADDRESS     BOARD     VERSION\n"
             "Living room lamp  10.77.0.32  esp32dev  acme.porch 2.3, E...  esphome, "
             "encrypted\n"},
        {67, "INSTANCE          ADDRESS     BOARD     VERSION\n"
             "Living room lamp  10.77.0.32  esp32dev  acme...  esphome, encrypted\n"},
        {66, "INSTANCE          ADDRESS     BOARD\n"
             "Living room lamp  10.77.0.32  esp32dev  esphome, encrypted\n"},
    };
    (void)state;

    assert_true(address_parse(&porch.address, "10.77.0.32"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        table_width = cases[i].width;
        char *text = printed(print_table, items, 1);
        assert_string_equal(text, cases[i].table);
        free(text);
    }
    table_width = 0;
}

/* Wide characters are not cut in two. */
static void test_narrow_wide_row(void **state)
{
    struct board wide = {.instance = "客厅灯客厅灯"};
    (void)state;

    for (table_width = 1; table_width < 10; table_width++) {
        char *text = printed(print_table, (struct board *const[]){&wide}, 1);
        const char *row = strchr(text, '\n');

        assert_non_null(row);

        assert_string_equal(row, table_width < 5   ? "\n...\n"
                                 : table_width < 7 ? "\n客...\n"
                                 : table_width < 9 ? "\n客厅...\n"
                                                   : "\n客厅灯...\n");
        free(text);
    }
    table_width = 0;
}

/* Even the longest names, escaped, are printed in full. */
static void test_longest_row(void **state)
{
    struct board board = {.is_resolved = true, .port = 1};
    struct board *const items[] = {&board};
    char wanted[2048];
    (void)state;

    memset(board.instance, '\x1b', sizeof board.instance - 1);
    memset(board.host, '\x1b', sizeof board.host - 1);
    memset(board.type, '\x1b', sizeof board.type - 1);
    for (size_t i = 0; i < sizeof board.host - 1; i++)
        snprintf(wanted + 4 * i, sizeof wanted - 4 * i, "\\x1b");
    char *text = printed(board_table_print_plain, items, 1);
    assert_non_null(strstr(text, wanted));
    assert_null(strstr(text, "..."));
    free(text);
}

static void test_width(void **state)
{
    static const struct {
        const char *text;
        size_t width;
    } cases[] = {
        {"", 0},  {"a", 1},        {"Küche", 5},   {"客厅灯", 6},
        {"💡", 2}, {"e\u0301t", 2}, {"\u200bx", 1}, {"Tür №5", 6},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(board_table_width(cases[i].text), cases[i].width);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_table),     cmocka_unit_test(test_board_rows),
        cmocka_unit_test(test_narrow_rows),     cmocka_unit_test(test_narrow_remark),
        cmocka_unit_test(test_narrow_version),  cmocka_unit_test(test_narrow_long_version),
        cmocka_unit_test(test_narrow_wide_row), cmocka_unit_test(test_longest_row),
        cmocka_unit_test(test_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
