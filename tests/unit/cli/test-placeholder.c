/*
 * test-placeholder.c: values that a caller left unfilled, and values that only look like them.
 */
#include "cli/placeholder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_placeholders(void **state)
{
    static const char arduino[] = "the Arduino IDE or arduino-cli", platformio[] = "PlatformIO";
    static const struct {
        const char *text;
        const char *caller;
    } rows[] = {
        {"{upload.port.properties.port}", arduino},
        {"{upload.field.password}", arduino},
        {"{upload.network.password}", arduino},
        {"{network.password}", arduino},
        {"{serial.port}", arduino},
        {"{serial.port.file}", arduino},
        {"{build.project_name}", arduino},
        {"$UPLOAD_FLAGS", platformio},
        {"${UPLOAD_FLAGS}", platformio},
        {"$SOURCE", platformio},
        {"$SOURCES", platformio},
        {"", NULL},
        {"{}", NULL},
        {"$", NULL},
        {"{upload}", NULL},
        {"{upload.}", NULL},
        {"{upload..port}", NULL},
        {"{upload.port.}", NULL},
        {"{upload.port", NULL},
        {"{upload.port}x", NULL},
        {"x{upload.port}", NULL},
        {"{upload.a}{upload.b}", NULL},
        {"{upload.p@ssword}", NULL},
        {"{secret.word}", NULL},
        {"$SOURCE.bin", NULL},
        {"${SOURCE", NULL},
        {"$secret", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *caller = placeholder_caller(rows[i].text);

        if (rows[i].caller)
            assert_string_equal(caller, rows[i].caller);
        else
            assert_null(caller);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placeholders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
