/*
 * test-passphrase.c: what becomes of the answer. test_sign.py types at a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/secret.h"
#include "secrets/passphrase.h"
#include "secrets/prompt.h"

#include <stdbool.h>
#include <string.h>

/* --wrap: the test plays the prompt. */
static const char *typed; /* NULL: nothing in time */
static bool lacks_memory;
static prompt_done_fn *on_typed;
static void *typed_userdata;

int __wrap_loop_run(struct loop *loop);
struct prompt *__wrap_prompt_start(struct loop *loop, const char *text, int64_t timeout_us,
                                   prompt_done_fn *done, void *userdata);
void __wrap_prompt_free(struct prompt *prompt);
char *__real_secret_copy(const char *text);
char *__wrap_secret_copy(const char *text);

int __wrap_loop_run(struct loop *loop)
{
    assert_non_null(loop);
    on_typed(typed, typed_userdata);
    return 0;
}

struct prompt *__wrap_prompt_start(struct loop *loop, const char *text, int64_t timeout_us,
                                   prompt_done_fn *done, void *userdata)
{
    assert_non_null(loop);
    assert_string_equal(text, "Password of the key in k.pem: ");
    assert_true(timeout_us > 0);
    on_typed = done;
    typed_userdata = userdata;
    return (struct prompt *)&typed;
}

void __wrap_prompt_free(struct prompt *prompt)
{
    assert_ptr_equal(prompt, &typed);
}

char *__wrap_secret_copy(const char *text)
{
    return lacks_memory ? NULL : __real_secret_copy(text);
}

/* A password that was typed and lost is not one that was not given. */
static void test_answers(void **state)
{
    static const struct {
        const char *typed;
        bool lacks_memory;
        enum ota_error error;
        const char *message;
    } rows[] = {
        {"qwert", false, OTA_OK, NULL},
        {NULL, false, OTA_E_USAGE, "no password was given for the key in k.pem"},
        {NULL, true, OTA_E_USAGE, "no password was given for the key in k.pem"},
        {"qwert", true, OTA_E_INTERNAL, "out of memory"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ota_failure failure;
        char *password;

        typed = rows[i].typed;
        lacks_memory = rows[i].lacks_memory;
        assert_int_equal(passphrase_ask(&password, "k.pem", NULL, &failure), rows[i].error);
        if (rows[i].error == OTA_OK) {
            assert_string_equal(password, rows[i].typed);
        } else {
            assert_null(password);
            assert_string_equal(failure.message, rows[i].message);
        }
        secret_free(password);
        assert_int_equal(secret_count(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
