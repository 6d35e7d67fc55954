/*
 * test-config_options.c: which settings of a project file and of the user's own are adopted beside
 * what was typed.
 */
#include "cli/config_options.h"

#include "base/beneath.h"
#include "cli/config_boards.h"
#include "support/failing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 1024, TYPED_MAX = 3 };

static char project_name[] = "project", own_name[] = "own", folder[] = "/nonexistent/";
static const struct config_file project = {
    .shown = project_name, .folder = folder, .is_project = true};
static const struct config_file own = {.shown = own_name, .folder = folder};

static void add(struct config *config, const struct config_file *file, const char *text)
{
    struct ota_failure failure;

    if (config_add(config, file, text, strlen(text), &failure) != OTA_OK)
        fail_msg("%s", failure.message);
}

/* Writes "NAME=VALUE@FILE" for each option that was adopted, and its flag if it is a flag. */
static void describe_line(char text[TEXT_MAX], const struct command_line *line)
{
    const struct poptOption *row;
    size_t used = 0;

    text[0] = '\0';
    for (size_t n = 0; (row = options_row(n)); n++) {
        const struct config_entry *origin = line->origin[row->val];
        const char *value = line->value[row->val];

        if (!origin || options_is_hidden(row))
            continue;
        if (row->val == OPTION_IP && line->boards.items)
            value = line->boards.items[line->boards.count - 1];
        else if (row->val == OPTION_EXPECT && line->expected.items)
            value = line->expected.items[0];
        used += (size_t)snprintf(text + used, TEXT_MAX - used, "%s%s=%s@%s", used ? " " : "",
                                 row->longName,
                                 value                    ? value
                                 : line->is_off[row->val] ? "no"
                                                          : "yes",
                                 origin->file->shown);
    }
}

static const struct {
    const char *project, *own;
    enum option typed[TYPED_MAX]; /* 0: none */
    bool has_password;
    const char *adopted;
} adoption_rows[] = {
    {"", "", {0}, false, ""},
    {"timeout = 1\n", "timeout = 2\nwait = 3\n", {0}, false, "timeout=1@project wait=3@own"},
    {"timeout = 1\n", "timeout = 2\nwait = 3\n", {OPTION_TIMEOUT}, false, "wait=3@own"},
    {"compress = no\n", "compress = yes\n", {0}, false, "compress=no@project"},
    {"ip = a\nip = b\n", "ip = c\n", {0}, false, "ip=b@project"},
    {"ip = a\n", "", {OPTION_ALL}, false, ""},
    {"ip = a\n", "", {OPTION_LIST}, false, ""},
    {"file = x\n", "", {OPTION_IP}, false, "file=/nonexistent/x@project"},
    {"file = x\nexpect = y\n", "", {OPTION_MONITOR}, false, ""},
    {"file = x\nexpect = y\n",
     "",
     {OPTION_IP},
     false,
     "file=/nonexistent/x@project expect=y@project"},
    {"expect = y\n", "sign = k\n", {OPTION_IP}, false, ""},
    {"", "sign = k\n", {OPTION_IP, OPTION_FILE}, false, "sign=/nonexistent/k@own"},
    {"auth-file = p\n", "auth-file = q\n", {0}, false, "auth-file=/nonexistent/p@project"},
    {"", "auth-file = /q\n", {0}, true, ""},
    {"", "auth-file = /q\n", {OPTION_AUTH}, false, ""},
    {"", "auth-file = /q\njobs = 3\n", {OPTION_LIST}, false, ""},
    {"", "verbose = yes\nprogress = on\n", {OPTION_QUIET}, false, ""},
    {"", "verbose = yes\nprogress = on\n", {0}, false, "progress=yes@own verbose=yes@own"},
    {"file = x\n", "", {OPTION_PLUGGABLE_DISCOVERY}, false, ""},
};

static void test_adoption(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof adoption_rows / sizeof *adoption_rows; i++) {
        const struct config_environment environment = {.has_password =
                                                           adoption_rows[i].has_password};
        struct config config = {0};
        struct command_line line = {0};
        struct ota_failure failure;
        char text[TEXT_MAX];

        add(&config, &project, adoption_rows[i].project);
        add(&config, &own, adoption_rows[i].own);
        for (size_t n = 0; n < TYPED_MAX && adoption_rows[i].typed[n]; n++)
            line.typed[adoption_rows[i].typed[n]] = line.given[adoption_rows[i].typed[n]] = true;
        if (config_options_check(&config, &failure) != OTA_OK ||
            config_options_adopt(&line, &config, &environment, &failure) != OTA_OK)
            fail_msg("row %zu: %s", i, failure.message);
        describe_line(text, &line);
        assert_string_equal(text, adoption_rows[i].adopted);
        command_line_free(&line);
        config_free(&config);
    }
}

/* A flag that is off does not count as given; until they are activated, none but boards and images
 * do. */
static void test_activation(void **state)
{
    (void)state;
    const struct config_environment environment = {.has_password = false};
    struct config config = {0};
    struct command_line line = {0};
    struct ota_failure failure;

    add(&config, &own, "file = x\nip = y\ntimeout = 3\ncompress = yes\nlockstep = no\n");
    assert_int_equal(config_options_adopt(&line, &config, &environment, &failure), OTA_OK);
    assert_true(line.given[OPTION_FILE] && line.given[OPTION_IP]);
    assert_false(line.given[OPTION_TIMEOUT] || line.given[OPTION_COMPRESS]);
    config_options_activate(&line);
    assert_true(line.given[OPTION_TIMEOUT] && line.given[OPTION_COMPRESS]);
    assert_false(line.given[OPTION_LOCKSTEP]);
    command_line_free(&line);
    config_free(&config);
}

/* The boards that a line names, and whether they get the common password. */
static void test_boards(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool has_typed_password;
        size_t count;
        const char *first;
        uint16_t port;
        bool lacks_password;
    } rows[] = {
        {"mine", false, 1, "10.0.0.1", 7, false},
        {"MINE", false, 1, "10.0.0.1", 7, false},
        {"theirs", false, 1, "10.0.0.2", 0, true},
        {"theirs", true, 1, "10.0.0.2", 0, false},
        {"both", false, 1, "10.0.0.4", 0, true},
        {"@all", false, 2, "10.0.0.1", 7, false},
        {"@guests", false, 1, "10.0.0.9", 0, true},
        {"other.local", false, 1, "other.local", 0, false},
    };
    struct config config = {0};
    struct ota_failure failure;

    add(&config, &project,
        "[board theirs]\nhost = 10.0.0.2\n[board both]\nhost = 10.0.0.4\n"
        "[group guests]\nmembers = 10.0.0.9\n");
    add(&config, &own,
        "[board mine]\nhost = 10.0.0.1\nport = 7\n[board both]\nhost = 10.0.0.3\nport = 9\n"
        "[group all]\nmembers = mine,\nmembers = theirs\n");
    assert_int_equal(config_boards_check(&config, &failure), OTA_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hosts hosts = {0};
        struct command_line line = {.typed[OPTION_IP] = true,
                                    .typed[OPTION_AUTH] = rows[i].has_typed_password};

        assert_int_equal(strings_add(&line.boards, strdup(rows[i].name)), 0);
        if (config_boards_resolve(&hosts, &line, &config, &failure) != OTA_OK)
            fail_msg("%s: %s", rows[i].name, failure.message);
        assert_int_equal(hosts.count, rows[i].count);
        assert_string_equal(hosts.lines[0].target.name, rows[i].first);
        assert_int_equal(hosts.lines[0].target.port, rows[i].port);
        assert_int_equal(hosts.lines[0].lacks_password, rows[i].lacks_password);
        hosts_free(&hosts);
        command_line_free(&line);
    }
    config_free(&config);
}

/* Which image a project file sends nowhere, and which key signs nothing of it. */
static void test_trust(void **state)
{
    static const struct {
        const char *project, *own;
        enum option typed[TYPED_MAX];
        const char *board;   /* typed; NULL: none */
        const char *refused; /* the setting; NULL: none is */
    } rows[] = {
        {"ip = a\n", "file = x\n", {0}, NULL, "\"file = x\" is not for a, "},
        {"ip = a\n", "", {OPTION_FILE}, NULL, NULL},
        {"ip = a\nfile = x\n", "file = y\n", {0}, NULL, NULL},
        {"", "file = x\nip = a\nsign = k\n", {0}, NULL, NULL},
        {"[board b]\nhost = a\n", "file = x\n", {0}, "b", "\"file = x\" is not for b, "},
        {"[board b]\nhost = a\n", "file = x\n", {0}, "c", NULL},
        {"[board b]\nhost = a\n", "file = x\n", {OPTION_FILE}, "b", NULL},
        {"[board b]\nfile = y\n", "file = x\n", {0}, "b", NULL},
        {"[board b]\nfile = y\n", "sign = k\n", {0}, "b", "\"sign = k\" is not for an image"},
        {"[board b]\nfile = y\n", "sign = k\n", {OPTION_FILE}, "b", NULL},
        {"", "sign = k\n[board b]\nfile = y\n", {0}, "b", NULL},
        {"[group g]\nmembers = b\n", "file = x\n[board b]\nhost = a\n", {0}, "@g", NULL},
        {"[group g]\nmembers = b\n", "file = x\n", {0}, "@g", "\"file = x\" is not for b, "},
        {"file = x\n", "sign = k\n", {OPTION_ALL}, NULL, "\"sign = k\" is not for an image"},
        {"file = x\n", "sign = k\n", {OPTION_ALL, OPTION_SIGN}, NULL, NULL},
        {"file = x\nsign = j\n", "sign = k\n", {OPTION_ALL}, NULL, NULL},
        {"sign = j\n", "file = x\n", {OPTION_ALL}, NULL, NULL},
    };
    const struct config_environment environment = {.has_password = false};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config config = {0};
        struct hosts hosts = {0};
        struct command_line line = {.typed[OPTION_IP] = rows[i].board,
                                    .given[OPTION_IP] = rows[i].board};
        struct ota_failure failure = {.error = OTA_OK};

        add(&config, &project, rows[i].project);
        add(&config, &own, rows[i].own);
        for (size_t n = 0; n < TYPED_MAX && rows[i].typed[n]; n++)
            line.typed[rows[i].typed[n]] = line.given[rows[i].typed[n]] = true;
        if (rows[i].board)
            assert_int_equal(strings_add(&line.boards, strdup(rows[i].board)), 0);
        if (config_options_adopt(&line, &config, &environment, &failure) != OTA_OK ||
            config_boards_resolve(&hosts, &line, &config, &failure) != OTA_OK)
            fail_msg("row %zu: %s", i, failure.message);
        if (config_options_check_trust(&line, &hosts, &failure) !=
            (rows[i].refused ? OTA_E_USAGE : OTA_OK))
            fail_msg("row %zu: %s", i, failure.message);
        if (rows[i].refused && !strstr(failure.message, rows[i].refused))
            fail_msg("row %zu: %s", i, failure.message);
        hosts_free(&hosts);
        command_line_free(&line);
        config_free(&config);
    }
}

/* What is typed comes before what the section says. */
static void test_typed_before_section(void **state)
{
    static const enum option typed[] = {OPTION_PROTOCOL, OPTION_ENCRYPTION_KEY_FILE,
                                        OPTION_MIN_AUTH, OPTION_PAGE,
                                        OPTION_FIELD,    OPTION_USER};
    (void)state;

    for (int is_typed = 0; is_typed < 2; is_typed++) {
        struct config config = {0};
        struct hosts hosts = {0};
        struct command_line line = {.typed[OPTION_IP] = true};
        struct ota_failure failure;

        add(&config, &own,
            "[board mine]\nhost = 10.0.0.1\nprotocol = web\nmin-auth = sha256\npage = tasmota\n"
            "field = f\nuser = me\nencryption-key-file = /key\n");
        for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
            line.typed[typed[i]] = is_typed;
        assert_int_equal(strings_add(&line.boards, strdup("mine")), 0);
        assert_int_equal(config_boards_resolve(&hosts, &line, &config, &failure), OTA_OK);

        const struct host_line *board = &hosts.lines[0];
        const char *const *values = (const char *const *)board->own.values;
        assert_int_equal(!board->protocol, is_typed);
        assert_int_equal(!board->has_min_auth, is_typed);
        assert_int_equal(!board->key_file, is_typed);
        assert_int_equal(!values[UPLOAD_OWN_PAGE] && !values[UPLOAD_OWN_FIELD] &&
                             !values[UPLOAD_OWN_USER],
                         is_typed);
        if (!is_typed)
            assert_string_equal(values[UPLOAD_OWN_PAGE], "tasmota");
        hosts_free(&hosts);
        command_line_free(&line);
        config_free(&config);
    }
}

/* Reads a configuration, adopts its settings and finds the boards of a group. */
static enum ota_error use_config(struct hosts *hosts, struct command_line *line,
                                 struct config *config, struct ota_failure *failure)
{
    static const char text[] = "timeout = 3\nfile = x\n"
                               "[board a]\nhost = 10.0.0.1\nauth-file = p\nexpect = up\n"
                               "[board b]\nhost = 10.0.0.2\nfile = y\nuser = me\nprotocol = web\n"
                               "[group all]\nmembers = a b c.local\n";
    const struct config_environment environment = {.has_password = false};
    enum ota_error error = config_add(config, &own, text, sizeof text - 1, failure);

    if (error == OTA_OK)
        error = config_options_check(config, failure);
    if (error == OTA_OK)
        error = config_boards_check(config, failure);
    if (error == OTA_OK)
        error = config_options_adopt(line, config, &environment, failure);
    return error == OTA_OK ? config_boards_resolve(hosts, line, config, failure) : error;
}

/* Each allocation fails: nothing is left out silently, and no line of the file is blamed. */
static void test_without_memory(void **state)
{
    int failures = 0;
    bool has_failed = true;
    (void)state;

    for (; has_failed; failures++) {
        struct config config = {0};
        struct hosts hosts = {0};
        struct command_line line = {.typed[OPTION_IP] = true, .given[OPTION_IP] = true};
        struct ota_failure failure = {.error = OTA_OK};

        assert_int_equal(strings_add(&line.boards, strdup("@all")), 0);
        failing_start(FAILING_ALLOCATION, failures, ENOMEM);
        enum ota_error error = use_config(&hosts, &line, &config, &failure);
        has_failed = failing_stop();
        if (error == OTA_OK) {
            assert_int_equal(hosts.count, 3);
            assert_non_null(hosts.lines[0].expect);
            assert_string_equal(line.value[OPTION_TIMEOUT], "3");
        }
        if (error != (has_failed ? OTA_E_INTERNAL : OTA_OK))
            fail_msg("allocation %d: %s, %s", failures, ota_error_name(error), failure.message);
        hosts_free(&hosts);
        command_line_free(&line);
        config_free(&config);
    }
    assert_true(failures > 30);
}

static int forget_paths(void **state)
{
    (void)state;
    beneath_forget();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adoption),
        cmocka_unit_test(test_activation),
        cmocka_unit_test(test_boards),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_typed_before_section),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, forget_paths);
}
