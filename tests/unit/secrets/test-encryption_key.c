/*
 * test-encryption_key.c: keys from files and from the environment, and texts that are none.
 */
#include "secrets/encryption_key.h"

#include "base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
#define VARIABLE "ESP_OTA_ENCRYPTION_KEY"

/* The bytes 0x40, 0x41 ... */
static void assert_key(const unsigned char *key)
{
    assert_non_null(key);
    for (size_t i = 0; i < ENCRYPTION_KEY_SIZE; i++)
        assert_int_equal(key[i], 0x40 + i);
}

static void test_environment(void **state)
{
    struct ota_failure failure;
    unsigned char *key;

    (void)state;
    unsetenv(VARIABLE);
    assert_int_equal(encryption_key_from_environment(&key, &failure), OTA_OK);
    assert_null(key);
    setenv(VARIABLE, "", 1);
    assert_int_equal(encryption_key_from_environment(&key, &failure), OTA_OK);
    assert_null(key);

    setenv(VARIABLE, KEY, 1);
    char *value = getenv(VARIABLE);
    assert_int_equal(encryption_key_from_environment(&key, &failure), OTA_OK);
    assert_key(key);
    assert_null(getenv(VARIABLE));
    assert_string_not_equal(value, KEY); /* overwritten where it was */
    secret_free(key);
}

/* None of these is a key, and no message shows one. */
static void test_no_keys(void **state)
{
    static const char *const rows[] = {
        "x",
        "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8",   /* without its end */
        "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8==", /* 45 characters */
        "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXg==",  /* 31 bytes */
        "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl9g",  /* 33 bytes */
        "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl9=",  /* bits after the last byte */
        "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdX_8=",  /* another alphabet */
        " QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8",
    };
    const size_t before = secret_count();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ota_failure failure;
        unsigned char *key;

        setenv(VARIABLE, rows[i], 1);
        assert_int_equal(encryption_key_from_environment(&key, &failure), OTA_E_USAGE);
        assert_null(key);
        assert_non_null(strstr(failure.message, VARIABLE " holds no encryption key"));
        assert_null(strstr(failure.message, "QEF"));
        assert_int_equal(secret_count(), before);
    }
}

/* Reads this text from a file. */
static enum ota_error read_text(unsigned char **key, const char *text, struct ota_failure *failure)
{
    char path[] = "/tmp/esp-ota-test-XXXXXX";
    enum exposure exposure;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    enum ota_error error = encryption_key_from_file(key, path, path, &exposure, failure);
    unlink(path);
    assert_int_equal(exposure, EXPOSED_TO_NOBODY);
    return error;
}

static void test_files(void **state)
{
    static const char *const texts[] = {KEY, KEY "\n", KEY "\r\nmore", "\xef\xbb\xbf" KEY "\n"};
    struct ota_failure failure;
    unsigned char *key;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(read_text(&key, texts[i], &failure), OTA_OK);
        assert_key(key);
        secret_free(key);
    }
    assert_int_equal(read_text(&key, "\n" KEY, &failure), OTA_E_USAGE);
    assert_non_null(strstr(failure.message, "the encryption key should be there"));
    assert_int_equal(read_text(&key, "secret " KEY, &failure), OTA_E_USAGE);
    assert_non_null(strstr(failure.message, "holds no encryption key"));
    assert_null(strstr(failure.message, "secret"));

    enum exposure exposure;
    assert_int_equal(
        encryption_key_from_file(&key, "/nonexistent", "/nonexistent", &exposure, &failure),
        OTA_E_USAGE);
    assert_non_null(strstr(failure.message, "cannot open the encryption key file /nonexistent"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_no_keys),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
