/*
 * test-esphome_record.c: the TXT record of a board with ESPHome, and one with nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discovery/esphome_record.h"

#include <stdlib.h>
#include <string.h>

static void read_record(struct esphome_record *esphome, const char *const *strings)
{
    AvahiStringList *record = NULL;

    for (size_t i = 0; strings[i]; i++) {
        AvahiStringList *string = malloc(sizeof *string + strlen(strings[i]));

        assert_non_null(string);
        string->next = record;
        string->size = strlen(strings[i]);
        memcpy(string->text, strings[i], string->size);
        record = string;
    }
    memset(esphome, 'x', sizeof *esphome);
    esphome_record_read(esphome, record);
    while (record) {
        AvahiStringList *next = record->next;
        free(record);
        record = next;
    }
}

static void test_full_record(void **state)
{
    static const char *const strings[] = {"friendly_name=Hall",
                                          "version=2026.9.1",
                                          "config_hash=0a1b2c3d",
                                          "mac=0a1b2c3d4e5f",
                                          "platform=ESP32",
                                          "board=esp32dev",
                                          "project_name=acme.lamp",
                                          "project_version=1.2",
                                          "api_encryption=Noise_NNpsk0",
                                          "a string that is cut: ",
                                          NULL};
    struct esphome_record esphome;

    (void)state;
    read_record(&esphome, strings);
    assert_string_equal(esphome.version, "2026.9.1");
    assert_string_equal(esphome.platform, "ESP32");
    assert_string_equal(esphome.config_hash, "0a1b2c3d");
    assert_string_equal(esphome.project, "acme.lamp");
    assert_string_equal(esphome.project_version, "1.2");
    assert_true(esphome.is_encrypted);
}

static void test_other_records(void **state)
{
    static const char *const long_platform[] = {"platform=0123456789012345678901234567890123456789",
                                                NULL};
    static const char *const without_key[] = {"api_encryption_supported=Noise_NNpsk0", NULL};
    struct esphome_record esphome;

    (void)state;
    read_record(&esphome, without_key);
    assert_false(esphome.is_encrypted);
    assert_string_equal(esphome.version, "");
    read_record(&esphome, long_platform);
    assert_string_equal(esphome.platform, "0123456789012345678901234567890");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_record),
        cmocka_unit_test(test_other_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
