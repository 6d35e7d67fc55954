/*
 * test-announced.c: announcements of boards with ESPHome, compared with images and with each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "upload/announced.h"

static const struct esphome_record lamp = {.version = "2026.9.0",
                                           .project = "acme.lamp",
                                           .project_version = "1.3",
                                           .config_hash = "0a1b2c3d"};

static void test_texts(void **state)
{
    struct announced announced;
    char text[ANNOUNCED_TEXT_MAX];

    (void)state;
    announced_read(&announced, &lamp);
    assert_string_equal(announced_describe(text, &announced),
                        "ESPHome 2026.9.0, project acme.lamp 1.3, configuration 0a1b2c3d");
    assert_string_equal(announced_describe_image(text, &announced.esphome),
                        "ESPHome 2026.9.0, project acme.lamp 1.3");
    announced_read(&announced, &(struct esphome_record){.version = "2021.8.0\x1b"});
    assert_string_equal(announced_describe(text, &announced), "ESPHome 2021.8.0\\x1b");
    announced_read(&announced, &(struct esphome_record){.config_hash = "0a1b2c3d"});
    assert_string_equal(announced_describe(text, &announced), "");
}

static void test_comparison(void **state)
{
    const struct esphome_record silent = {.config_hash = "0a1b2c3d"};
    const struct inspect_esphome nothing = {.version = ""}, image = {.version = "2026.9.1"};
    char message[ANNOUNCED_MESSAGE_MAX];

    (void)state;
    assert_string_equal(announced_compare(message, &silent, &nothing), "");
    assert_string_equal(announced_compare(message, &silent, &image),
                        "the image is ESPHome 2026.9.1");
    assert_string_equal(announced_compare(message, &lamp, &nothing),
                        "the board announces ESPHome 2026.9.0, project acme.lamp 1.3, "
                        "configuration 0a1b2c3d");
    assert_string_equal(announced_compare(message, &lamp, &image),
                        "the image is ESPHome 2026.9.1; the board announces ESPHome 2026.9.0, "
                        "project acme.lamp 1.3, configuration 0a1b2c3d");
}

static void test_images(void **state)
{
    static const struct {
        struct inspect_esphome image;
        bool is_other_project, fits;
    } rows[] = {
        {{"2026.9.0", "acme.lamp", "1.3"}, false, true},
        {{"", "", ""}, false, true}, /* it says nothing */
        {{"2026.9.1", "acme.lamp", "1.3"}, false, false},
        {{"2026.9.0", "acme.lamp", "1.4"}, false, false},
        {{"2026.9.0", "acme.plug", "1.3"}, true, false},
        {{"2026.9.0", "", ""}, false, false}, /* it has no project */
    };
    struct announced announced;

    (void)state;
    announced_read(&announced, &lamp);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(announced_is_other_project(&announced, &rows[i].image),
                         rows[i].is_other_project);
        assert_int_equal(announced_fits_image(&announced, &rows[i].image), rows[i].fits);
    }

    announced_read(&announced, &(struct esphome_record){.version = "2026.9.0"});
    assert_false(announced_is_other_project(&announced, &rows[0].image));
}

static void test_equality(void **state)
{
    struct esphome_record record = lamp;
    struct announced one, other;

    (void)state;
    announced_read(&one, &lamp);
    announced_read(&other, &record);
    assert_true(announced_equals(&one, &other));
    record.config_hash[0] = '1';
    announced_read(&other, &record);
    assert_false(announced_equals(&one, &other));
    record = lamp;
    record.project_version[0] = '2';
    announced_read(&other, &record);
    assert_false(announced_equals(&one, &other));
    record = lamp;
    record.platform[0] = 'X'; /* says nothing of the firmware's version */
    announced_read(&other, &record);
    assert_true(announced_equals(&one, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_equality),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
