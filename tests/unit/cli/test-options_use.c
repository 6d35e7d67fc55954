/*
 * test-options_use.c: each option is used by a command, and what ignores it says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/options_use.h"
#include "upload/protocols.h"

#include <string.h>

static void test_every_option_is_used(void **state)
{
    (void)state;

    for (int option = 1; option < OPTION_COUNT; option++)
        if (!(options_uses((enum option)option) & COMMAND_UPLOAD))
            fail_msg("--%s is used by no upload", options_find((enum option)option)->longName);
}

static void test_ignored(void **state)
{
    static const struct {
        enum command_use command;
        enum option given[4];
        const char *text;
    } cases[] = {
        {COMMAND_LIST, {OPTION_LIST, OPTION_JSON, OPTION_TIMEOUT, OPTION_MATCH}, ""},
        {COMMAND_LIST, {OPTION_LIST, OPTION_PORT}, "--list ignores --port"},
        {COMMAND_LIST, {OPTION_LIST, OPTION_JOBS, OPTION_AUTH}, "--list ignores --auth and --jobs"},
        {COMMAND_CHECK, {OPTION_FILE, OPTION_IP, OPTION_PORT, OPTION_FORCE}, ""},
        {COMMAND_CHECK,
         {OPTION_FILE, OPTION_ALL, OPTION_RETRIES, OPTION_PROGRESS},
         "--check ignores --all, --retries and --progress"},
        {COMMAND_WRITE, {OPTION_FILE, OPTION_COMPRESS, OPTION_PORT, OPTION_OUTPUT}, ""},
        {COMMAND_WRITE, {OPTION_MONITOR, OPTION_OUTPUT}, "--output ignores --monitor"},
        {COMMAND_SERVE, {OPTION_FILE, OPTION_SERVE, OPTION_CANARY, OPTION_TLS_CERT}, ""},
        {COMMAND_SERVE,
         {OPTION_SERVE, OPTION_TIMESTAMPS, OPTION_LOG},
         "--serve ignores --timestamps and --log"},
        {COMMAND_SERVE,
         {OPTION_SERVE, OPTION_HOST_IP, OPTION_HOST_PORT},
         "--serve ignores --host-ip and --host-port; it serves at --serve=[ADDRESS:]PORT"},
        {COMMAND_UPLOAD, {OPTION_MONITOR, OPTION_ALL, OPTION_RESUME}, ""},
        {COMMAND_DISCOVERY,
         {OPTION_PLUGGABLE_DISCOVERY, OPTION_TIMEOUT, OPTION_JOBS},
         "--pluggable-discovery ignores --jobs"},
        {COMMAND_IDE_MONITOR,
         {OPTION_PLUGGABLE_MONITOR, OPTION_MONITOR, OPTION_TIMEOUT},
         "--pluggable-monitor ignores --timeout"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[OPTIONS_IGNORED_MAX];
        struct command_line line = {0};

        for (size_t j = 0; j < 4 && cases[i].given[j]; j++)
            line.typed[cases[i].given[j]] = true;
        options_describe_ignored(text, &line, cases[i].command);
        assert_string_equal(text, cases[i].text);
    }
}

/* What only another protocol, or only an upload, has a use for. */
static void test_foreign(void **state)
{
    static const bool typed[OPTION_COUNT] = {[OPTION_PAGE] = true,
                                             [OPTION_USER] = true,
                                             [OPTION_JOBS] = true,
                                             [OPTION_INSECURE] = true,
                                             [OPTION_METRICS] = true};
    char text[OPTIONS_IGNORED_MAX];
    (void)state;

    options_describe_foreign(text, typed, &web_protocol);
    assert_string_equal(text, "an upload ignores --user, --page and --insecure, as no board is "
                              "updated by web");
    options_describe_foreign(text, typed, &esphome_protocol);
    assert_string_equal(text, "");
    options_describe_idle(text, typed);
    assert_string_equal(text, "a log without an upload ignores --user, --page, --insecure and "
                              "--metrics");
}

/* Of the words that name a command, the one that does less counts. */
static void test_commands(void **state)
{
    static const struct {
        enum option given[3];
        enum command_use command;
    } cases[] = {
        {{OPTION_FILE, OPTION_IP}, COMMAND_UPLOAD},
        {{OPTION_OUTPUT, OPTION_FILE}, COMMAND_WRITE},
        {{OPTION_SERVE, OPTION_OUTPUT}, COMMAND_SERVE},
        {{OPTION_LIST, OPTION_SERVE}, COMMAND_LIST},
        {{OPTION_CHECK, OPTION_LIST}, COMMAND_CHECK},
        {{OPTION_PLUGGABLE_MONITOR, OPTION_CHECK}, COMMAND_IDE_MONITOR},
        {{OPTION_PLUGGABLE_DISCOVERY, OPTION_PLUGGABLE_MONITOR}, COMMAND_DISCOVERY},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command_line line = {0};

        for (size_t j = 0; j < 3 && cases[i].given[j]; j++)
            line.given[cases[i].given[j]] = true;
        assert_int_equal(options_command(&line), cases[i].command);
    }
}

/* All names fit. */
static void test_all_ignored(void **state)
{
    char text[OPTIONS_IGNORED_MAX];
    struct command_line line;
    (void)state;

    for (int option = 0; option < OPTION_COUNT; option++)
        line.typed[option] = true;
    options_describe_ignored(text, &line, COMMAND_LIST);
    assert_string_equal(text + strlen(text) - strlen(" and --metrics"), " and --metrics");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_option_is_used),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_all_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
