/*
 * test-arduino_ota.c: command lines of arduino-cli, and what becomes of them.
 */
#include "cli/arduino_ota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ARGS_MAX = 16 };

/* Splits line at blanks, translates it, and writes the words, or the message. */
static enum ota_error translate(char *line, char *text, size_t capacity)
{
    struct arduino_ota result;
    struct ota_failure failure = {.message = ""};
    char *argv[ARGS_MAX + 1] = {NULL};
    int argc = 0;

    for (char *word = strtok(line, " "); word && argc < ARGS_MAX; word = strtok(NULL, " "))
        argv[argc++] = word;
    enum ota_error error = arduino_ota_translate(&result, argc, argv, &failure);

    snprintf(text, capacity, "%s", failure.message);
    for (int i = 0; error == OTA_OK && i < result.count; i++)
        snprintf(text + strlen(text), capacity - strlen(text), "%s%s", i ? " " : "",
                 result.words[i]);
    if (error == OTA_OK)
        assert_null(result.words[result.count]);
    for (int i = 0; i < argc; i++)
        assert_null(strstr(argv[i], "geheim"));
    arduino_ota_free(&result);
    return error;
}

static const struct {
    const char *line;
    enum ota_error error;
    const char *text;
} rows[] = {
    {"arduinoOTA -address 10.0.0.7 -port 65280 -username arduino -password geheim -sketch a.bin "
     "-upload /sketch -b",
     OTA_OK, "arduinoOTA --auth=geheim --protocol sketch -i 10.0.0.7 -p 65280 -f a.bin"},
    {"arduinoOTA --address=10.0.0.7 --password=geheim --sketch=a.bin --upload=/data -q -t 30 "
     "-v=true",
     OTA_OK,
     "arduinoOTA --auth=geheim --protocol sketch -i 10.0.0.7 -p 80 -f a.bin --deadline 30 -s -q"},
    {"arduinoOTA -address b -sketch a.bin -upload /sketch -q=false", OTA_OK,
     "arduinoOTA --protocol sketch -i b -p 80 -f a.bin"},
    {"arduinoOTA -password geheim -address b -password=ungeheimer -sketch a.bin -upload /sketch "
     "-password x",
     OTA_OK, "arduinoOTA --auth=x --protocol sketch -i b -p 80 -f a.bin"},
    {"arduinoOTA -version", OTA_OK, "arduinoOTA --version"},
    {"arduinoOTA -sketch a.bin -upload /sketch -password geheim", OTA_E_USAGE, "needs -address"},
    {"arduinoOTA -address b -sketch a.bin -upload /x", OTA_E_USAGE, "can be /sketch here"},
    {"arduinoOTA -address b -sketch a.bin -upload /sketch -username root", OTA_E_USAGE,
     "only be arduino"},
    {"arduinoOTA -address", OTA_E_USAGE, "-address of arduinoOTA needs a value"},
    {"arduinoOTA -ssl=x -password geheim", OTA_E_USAGE, "not '-ssl'"},
    {"arduinoOTA ---address b", OTA_E_USAGE, "not '---address'"},
    {"arduinoOTA a.bin", OTA_E_USAGE, "not 'a.bin'"},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[256], text[2048];

        snprintf(line, sizeof line, "%s", rows[i].line);
        if (strstr(rows[i].text, "'-ssl'"))
            line[strlen("arduinoOTA -ssl=x")] = '\0'; /* what follows an error is not read */
        assert_int_equal(translate(line, text, sizeof text), rows[i].error);
        if (rows[i].error == OTA_OK)
            assert_string_equal(text, rows[i].text);
        else
            assert_non_null(strstr(text, rows[i].text));
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_true(arduino_ota_is_called("arduinoOTA"));
    assert_true(arduino_ota_is_called("/usr/share/esp-ota/arduinoOTA"));
    assert_false(arduino_ota_is_called("/arduinoOTA/esp-ota"));
    assert_false(arduino_ota_is_called("arduinoOTA2"));
    assert_false(arduino_ota_is_called(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
