/*
 * test-board_error.c: the meaning of each error byte, before and after the board has accepted the
 * image.
 */
#include "upload/esphome/board_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    unsigned char byte;
    enum ota_cause cause;
    const char *words;
} rows[] = {
    {0x80, OTA_CAUSE_MAGIC_BYTE, "of the image"},
    {0x81, OTA_CAUSE_NO_PREPARATION, "prepare"},
    {0x83, OTA_CAUSE_FLASH, "written"},
    {0x84, OTA_CAUSE_NOT_ACTIVATED, "damaged"},
    {0x85, OTA_CAUSE_BOOTSTRAP, "reset"},
    {0x86, OTA_CAUSE_FLASH_CONFIG, "running firmware"},
    {0x87, OTA_CAUSE_NEW_FLASH_CONFIG, "another size"},
    {0x88, OTA_CAUSE_NO_SPACE, "does not fit"},
    {0x89, OTA_CAUSE_NO_SPACE, "app partition"},
    {0x8A, OTA_CAUSE_NO_PARTITION, "no partition"},
    {0x8B, OTA_CAUSE_MD5, "MD5"},
    {0x8C, OTA_CAUSE_NO_SPACE, "does not fit"},
    {0x8D, OTA_CAUSE_SIGNATURE, "signature"},
    {0x8E, OTA_CAUSE_NONE, "type of update"},
    {0x8F, OTA_CAUSE_NONE, "partition table"},
    {0x90, OTA_CAUSE_NONE, "partition table"},
    {0x91, OTA_CAUSE_NONE, "boot loader"},
    {0x92, OTA_CAUSE_NONE, "boot loader"},
    {0x93, OTA_CAUSE_OLDER_VERSION, "older"},
    {0xC0, OTA_CAUSE_NONE, "does not know"},
    {0xFF, OTA_CAUSE_NONE, "unknown"},
};

static void test_words(void **state)
{
    struct ota_failure failure;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        board_error_tell(&failure, rows[i].byte, false);
        assert_int_equal(failure.error, OTA_E_REFUSED);
        assert_int_equal(failure.cause, rows[i].cause);
        assert_non_null(strstr(failure.message, rows[i].words));
        board_error_tell(&failure, rows[i].byte, true);
        assert_int_equal(failure.error, OTA_E_BOARD);
    }
}

static void test_access(void **state)
{
    struct ota_failure failure;

    (void)state;
    for (int is_accepted = 0; is_accepted < 2; is_accepted++) {
        board_error_tell(&failure, 0x82, is_accepted);
        assert_int_equal(failure.error, OTA_E_WRONG_PASSWORD);
        assert_int_equal(failure.cause, OTA_CAUSE_PASSWORD_REJECTED);
        board_error_tell(&failure, 0x94, is_accepted);
        assert_int_equal(failure.error, OTA_E_KEY_NEEDED);
    }
}

static void test_bytes(void **state)
{
    (void)state;
    assert_false(board_error_is(0x7F));
    assert_true(board_error_is(0x80));
    assert_true(board_error_is(0xFF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_access),
        cmocka_unit_test(test_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
