/*
 * test-hosts.c: lists of boards, good and bad.
 */
#include "fleet/hosts.h"
#include "support/failing.h"
#include "support/files.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
    const char *text;
    const char *name;
    uint16_t port;
    const char *auth_file;
    const char *file;
} host_lines_rows[] = {
    {"kitchen.local", "kitchen.local", 0, NULL, NULL},
    {"kitchen.local\n", "kitchen.local", 0, NULL, NULL},
    {"kitchen.local\r\n", "kitchen.local", 0, NULL, NULL},
    {"\xef\xbb\xbfkitchen\n", "kitchen", 0, NULL, NULL},
    {"\n\n  # all of them\n\t\n \t kitchen \t \n#kitchen2", "kitchen", 0, NULL, NULL},
    {"kitchen # in the corner\n", "kitchen", 0, NULL, NULL},
    {"kitchen port=8266#1", NULL, 0, NULL, NULL},
    {"lamp#2", "lamp#2", 0, NULL, NULL},
    {"\"#2\"", "#2", 0, NULL, NULL},
    {"\"Living room lamp\"", "Living room lamp", 0, NULL, NULL},
    /* what has to be escaped where it is shown: private use, a soft hyphen */
    {"\"Living\xef\x9b\xbf#a-:1 \"L=", "Living\xef\x9b\xbf#a-:1 L=", 0, NULL, NULL},
    {"lamp\xc2\xad.local", "lamp\xc2\xad.local", 0, NULL, NULL},
    {"\"Living room lamp:8266\"", "Living room lamp", 8266, NULL, NULL},
    {"\"Living room lamp\":8266", "Living room lamp", 8266, NULL, NULL},
    {"Living\" \"room", "Living room", 0, NULL, NULL},
    {"\"a \\\"b\\\" \\\\c # d\" port=1", "a \"b\" \\c # d", 1, NULL, NULL},
    {"a\\b", "a\\b", 0, NULL, NULL},
    {"\"port=1\"", "port=1", 0, NULL, NULL},
    {"sport=1", "sport=1", 0, NULL, NULL},
    {"k\xc3\xbc"
     "che.local",
     "k\xc3\xbc"
     "che.local",
     0, NULL, NULL},
    {"192.0.2.7:3232", "192.0.2.7", 3232, NULL, NULL},
    {"[fd00::7]:3232", "fd00::7", 3232, NULL, NULL},
    {"fd00::7 port=3232", "fd00::7", 3232, NULL, NULL},
    {"a port=65535", "a", 65535, NULL, NULL},
    {"a\tport=1\t\tauth-file=p file=f", "a", 1, "p", "f"},
    {"a file=f auth-file=p port=1 # all", "a", 1, "p", "f"},
    {"a file=\"my firmware.bin\"", "a", 0, NULL, "my firmware.bin"},
    {"a \"file=my firmware.bin\"", "a", 0, NULL, "my firmware.bin"},
    {"a file=C:\\fw.bin", "a", 0, NULL, "C:\\fw.bin"},
    {"a file=\"C:\\\\my fw.bin\"", "a", 0, NULL, "C:\\my fw.bin"},
    {"a file=x=y auth-file=\xff", "a", 0, "\xff", "x=y"},
};

static void test_host_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof host_lines_rows / sizeof *host_lines_rows; i++) {
        struct hosts hosts;
        struct ota_failure failure;
        enum ota_error error = hosts_parse(&hosts, "list", host_lines_rows[i].text,
                                           strlen(host_lines_rows[i].text), &failure);
        if (!host_lines_rows[i].name) {
            assert_int_equal(error, OTA_E_USAGE);
            hosts_free(&hosts);
            continue;
        }
        if (error != OTA_OK)
            fail_msg("%s: %s", host_lines_rows[i].text, failure.message);
        assert_int_equal(hosts.count, 1);
        assert_string_equal(hosts.lines[0].target.name, host_lines_rows[i].name);
        assert_int_equal(hosts.lines[0].target.port, host_lines_rows[i].port);
        const char *const got[] = {hosts.lines[0].auth_file, hosts.lines[0].file};
        const char *const wanted[] = {host_lines_rows[i].auth_file, host_lines_rows[i].file};
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(!got[j], !wanted[j]);
            if (wanted[j])
                assert_string_equal(got[j], wanted[j]);
        }
        hosts_free(&hosts);
    }
}

static void test_key_file(void **state)
{
    static const char text[] = "a\nb encryption-key-file=\"my key\" auth-file=p\n";
    struct hosts hosts;
    struct ota_failure failure;

    (void)state;
    assert_int_equal(hosts_parse(&hosts, "list", text, strlen(text), &failure), OTA_OK);
    assert_null(hosts.lines[0].key_file);
    assert_string_equal(hosts.lines[1].key_file, "my key");
    assert_string_equal(hosts.lines[1].auth_file, "p");
    hosts_free(&hosts);
}

static void test_min_auth(void **state)
{
    static const char text[] = "a\nb min-auth=sha256\nc min-auth=md5 port=1\n";
    struct hosts hosts;
    struct ota_failure failure;

    (void)state;
    assert_int_equal(hosts_parse(&hosts, "list", text, strlen(text), &failure), OTA_OK);
    assert_false(hosts.lines[0].has_min_auth);
    assert_true(hosts.lines[1].has_min_auth && hosts.lines[2].has_min_auth);
    assert_int_equal(hosts.lines[1].min_auth, AUTH_SHA256);
    assert_int_equal(hosts.lines[2].min_auth, AUTH_MD5);
    hosts_free(&hosts);
}

static void test_own_settings(void **state)
{
    static const char text[] =
        "a\nhttp://b page=form field=image user=bob\nc user=eve page=auto port=1\n";
    struct hosts hosts;
    struct ota_failure failure;

    (void)state;
    assert_int_equal(hosts_parse(&hosts, "list", text, strlen(text), &failure), OTA_OK);
    for (size_t i = 0; i < UPLOAD_OWN_COUNT; i++)
        assert_null(hosts.lines[0].own.values[i]);
    assert_string_equal(hosts.lines[1].own.values[UPLOAD_OWN_PAGE], "form");
    assert_string_equal(hosts.lines[1].own.values[UPLOAD_OWN_FIELD], "image");
    assert_string_equal(hosts.lines[1].own.values[UPLOAD_OWN_USER], "bob");
    assert_string_equal(hosts.lines[2].own.values[UPLOAD_OWN_PAGE], "auto");
    assert_null(hosts.lines[2].own.values[UPLOAD_OWN_FIELD]);
    assert_string_equal(hosts.lines[2].own.values[UPLOAD_OWN_USER], "eve");
    hosts_free(&hosts);
}

#define ROW(text, message)                                                                         \
    {                                                                                              \
        text, sizeof(text) - 1, message                                                            \
    }

#define UNSHOWN "a word behind the board (not shown, as it may be a password) is not one of "

static const struct {
    const char *text;
    size_t length;
    const char *message;
} refused_lists_rows[] = {
    ROW("", "l\\n names no board"),
    ROW("\xef\xbb\xbf", "l\\n names no board"),
    ROW("# kitchen\n\n", "l\\n names no board"),
    ROW("a\n# b\nc d\n", "l\\n, line 3: " UNSHOWN "port=N, auth-file=PATH, file=PATH, "
                         "min-auth=SCHEME, encryption-key-file=PATH, page=NAME, field=NAME, "
                         "user=NAME, protocol=NAME and expect=REGEX"),
    ROW("a encryption-key-file=-", "is possible on the command line only"),
    ROW("a encryption-key-file=", "has no file name after it"),
    ROW("a encryption-key-file=k encryption-key-file=k", "is a second one"),
    ROW("Living room lamp", "line 1: " UNSHOWN),
    ROW("a pass:word", "line 1: " UNSHOWN),
    ROW("a c2VjcmV0cw==", "line 1: " UNSHOWN),
    ROW("a s3cret=1", "line 1: " UNSHOWN),
    ROW("a prot=1", "\"prot=...\" is not one of"),
    ROW("a auth=secret", "line 1: \"auth=...\" is not one of"),
    ROW("a PORT=1", "\"PORT=...\" is not one of"),
    ROW("a port =1", "line 1: " UNSHOWN),
    ROW("a \"\"", "line 1: " UNSHOWN),
    ROW("a port=", "\"port=\" is not a port from 1 to 65535"),
    ROW("a port=0", "\"port=0\" is not a port"),
    ROW("a port=65536", "\"port=65536\" is not a port"),
    ROW("a port=1#x", "\"port=1#x\" is not a port"),
    ROW("a port=1 port=1", "\"port=1\" is a second port"),
    ROW("a:1 port=2", "\"port=2\" is a second port"),
    ROW("a:1 port=1", "\"port=1\" is a second port"),
    ROW("a file=", "\"file=\" has no file name"),
    ROW("a auth-file=\"\"", "\"auth-file=\" has no file name"),
    ROW("a min-auth=sha1", "\"min-auth=sha1\" is neither md5 nor sha256"),
    ROW("a min-auth=", "is neither md5"),
    ROW("a min-auth=md5 min-auth=sha256", "\"min-auth=sha256\" is a second one"),
    ROW("a page=x", "\"page=x\" is not known; there are auto, esp8266, "),
    ROW("a page=", "\"page=\" is not known"),
    ROW("a field=", "\"field=\" is not a name that boards understand"),
    ROW("a field=x;y", "\"field=x;y\" is not a name that boards understand"),
    ROW("a user=", "\"user=\" is empty or too long"),
    ROW("a user=b:c", "\"user=b:...\" is empty or too long, or has a colon"),
    ROW("a user=b user=b", "\"user=b\" is a second one"),
    ROW("page=form a", "\"page=...\" stands where"),
    ROW("a file=x file=x", "\"file=x\" is a second one"),
    ROW("a auth-file=x file=z auth-file=y", "\"auth-file=y\" is a second one"),
    ROW("a auth-file=-", "is possible on the command line only"),
    ROW("a file=-", "\"file=-\" is possible on the command line only (-f)"),
    ROW("port=1 a", "\"port=...\" stands where the board's name"),
    ROW("file=x", "\"file=...\" stands where"),
    ROW("\"a", "line 1: a quote is not closed"),
    ROW("\"a\nb\"", "line 1: a quote is not closed"),
    ROW("a file=\"x y", "line 1: a quote is not closed"),
    ROW("\"a\\b\"", "a backslash in quotes"),
    ROW("\"a\\", "a backslash in quotes"),
    ROW("\"a\\\"", "a quote is not closed"),
    ROW("\"\"", "line 1: the name or address of the board is empty"),
    ROW("a\n10.0.0.256", "line 2: \"10.0.0.256\" is not an IPv4 address"),
    ROW("a\x1b[2J", "line 1: \"a\\x1b[2J\" has control characters"),
    ROW("a \x1b[2J", "line 1: " UNSHOWN),
    ROW("a\rb", "\"a\\rb\" has control characters"),
    ROW("a\n\xef\xbb\xbf"
        "b",
        NULL), /* a mark in the middle is a character like others */
    ROW("a\nb\0c\n", "line 2: the line has a NUL byte"),
    ROW("\xff\xfe"
        "a\0\n\0",
        "line 1: the line has a NUL byte"),
    ROW("# a\0b\nc", "line 1: the line has a NUL byte"),
};

static void test_refused_lists(void **state)
{

    (void)state;
    for (size_t i = 0; i < sizeof refused_lists_rows / sizeof *refused_lists_rows; i++) {
        struct hosts hosts;
        struct ota_failure failure = {0};
        enum ota_error error = hosts_parse(&hosts, "l\n", refused_lists_rows[i].text,
                                           refused_lists_rows[i].length, &failure);
        if (!refused_lists_rows[i].message) {
            hosts_free(&hosts);
            continue;
        }
        if (error != OTA_E_USAGE || failure.error != error ||
            strncmp(failure.message, "l\\n", 3) != 0 ||
            !strstr(failure.message, refused_lists_rows[i].message))
            fail_msg("row %zu, \"%s\": %d %s", i, refused_lists_rows[i].text, error,
                     failure.message);
        hosts_free(&hosts);
        assert_null(hosts.lines);
    }
}

static void test_password_order(void **state)
{
    static const char text[] = "c port=1\nb file=x\nc port=1\na\nB\n";
    static const char *const names[] = {"c", "b", "c", "a", "B"};
    struct hosts hosts;
    struct ota_failure failure;

    (void)state;
    assert_int_equal(hosts_parse(&hosts, "list", text, strlen(text), &failure), OTA_OK);
    assert_int_equal(hosts.count, sizeof names / sizeof *names);
    for (size_t i = 0; i < hosts.count; i++)
        assert_string_equal(hosts.lines[i].target.name, names[i]);
    assert_null(hosts.lines[0].file);
    assert_string_equal(hosts.lines[1].file, "x");
    assert_null(hosts.lines[2].file);
    hosts_free(&hosts);
}

/* As much as is allowed, and one more. */
static void test_hosts_bounds(void **state)
{
    static char text[HOSTS_SIZE_MAX];
    struct hosts hosts;
    struct ota_failure failure;

    (void)state;
    for (size_t excess = 0; excess < 2; excess++) {
        memset(text, ' ', sizeof text);
        memcpy(text, "\na", 2);
        memcpy(text + 1 + HOSTS_LINE_MAX + excess, "\r\n", 2);
        enum ota_error error =
            hosts_parse(&hosts, "list", text, HOSTS_LINE_MAX + 3 + excess, &failure);
        assert_int_equal(error, excess ? OTA_E_USAGE : OTA_OK);
        if (excess)
            assert_string_equal(failure.message, "list, line 2: the line is longer than 16 KiB");
        hosts_free(&hosts);
    }
    /* A word can be as long as the line. */
    memset(text, 'x', HOSTS_LINE_MAX);
    assert_int_equal(hosts_parse(&hosts, "list", text, HOSTS_LINE_MAX, &failure), OTA_E_USAGE);
    assert_non_null(strstr(failure.message, "x...\" is too long for a name"));
    hosts_free(&hosts);

    for (size_t i = 0; i <= HOSTS_COUNT_MAX; i++)
        memcpy(text + 2 * i, "a\n", 2);
    assert_int_equal(hosts_parse(&hosts, "list", text, 2 * (size_t)HOSTS_COUNT_MAX, &failure),
                     OTA_OK);
    assert_int_equal(hosts.count, HOSTS_COUNT_MAX);
    assert_string_equal(hosts.lines[HOSTS_COUNT_MAX - 1].target.name, "a");
    hosts_free(&hosts);
    assert_int_equal(hosts_parse(&hosts, "list", text, 2 * (size_t)(HOSTS_COUNT_MAX + 1), &failure),
                     OTA_E_USAGE);
    assert_string_equal(failure.message, "list names more than 10000 boards");
    hosts_free(&hosts);
}

static void test_hosts_no_memory(void **state)
{
    static const char text[] = "a auth-file=p file=f user=u\nb\nc\n";
    enum ota_error error = OTA_E_INTERNAL;
    int tries = 0;

    (void)state;
    for (; error != OTA_OK; tries++) {
        struct hosts hosts;
        struct ota_failure failure;
        failing_start(FAILING_ALLOCATION, tries, ENOMEM);
        error = hosts_parse(&hosts, "list", text, strlen(text), &failure);
        failing_stop();
        if (error != OTA_OK) {
            assert_int_equal(error, OTA_E_INTERNAL);
            assert_string_equal(failure.message, "out of memory");
        }
        hosts_free(&hosts);
    }
    /* a word, two paths, a user, and room for 1, 2 and 4 lines; then all goes well */
    assert_int_equal(tries, 8);
}

/* -- files -- */

static char path[] = "/tmp/test-hosts-XXXXXX";

static void test_read(void **state)
{
    struct hosts hosts;
    struct ota_failure failure;

    (void)state;
    files_write_text(path, "a\nb\n");
    assert_int_equal(hosts_read(&hosts, path, &failure), OTA_OK);
    assert_int_equal(hosts.count, 2);
    hosts_free(&hosts);
    files_write_text(path, "a\nb c\n");
    assert_int_equal(hosts_read(&hosts, path, &failure), OTA_E_USAGE);
    assert_memory_equal(failure.message, path, strlen(path));
    assert_non_null(strstr(failure.message, ", line 2: a word behind the board"));
    hosts_free(&hosts);
    assert_int_equal(hosts_read(&hosts, "/no\x1bwhere", &failure), OTA_E_USAGE);
    assert_string_equal(failure.message,
                        "cannot open the list of boards /no\\x1bwhere: No such file or directory");
    hosts_free(&hosts);
    assert_int_equal(hosts_read(&hosts, "/tmp", &failure), OTA_E_USAGE);
    assert_string_equal(failure.message,
                        "cannot read the list of boards from /tmp: Is a directory");
    hosts_free(&hosts);
}

static void test_read_bound(void **state)
{
    struct hosts hosts;
    struct ota_failure failure;

    (void)state;
    for (off_t excess = 0; excess < 2; excess++) {
        files_write_text(path, "a\n");
        assert_int_equal(truncate(path, HOSTS_SIZE_MAX + excess), 0);
        assert_int_equal(hosts_read(&hosts, path, &failure), OTA_E_USAGE);
        assert_non_null(strstr(failure.message, excess ? "is longer than 4 MiB" : "line 2"));
        hosts_free(&hosts);
    }
    failing_start(FAILING_ALLOCATION, 0, ENOMEM);
    assert_int_equal(hosts_read(&hosts, path, &failure), OTA_E_INTERNAL);
    assert_true(failing_stop());
    hosts_free(&hosts);
}

/* Through a pipe, in pieces. */
static void test_hosts_from_standard_input(void **state)
{
    struct hosts hosts;
    struct ota_failure failure;
    int ends[2], saved = dup(STDIN_FILENO);

    (void)state;
    assert_int_equal(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    assert_int_equal(write(ends[1], "kit", 3), 3);
    assert_int_equal(write(ends[1], "chen\nx y", 8), 8);
    close(ends[1]);
    assert_int_equal(hosts_read(&hosts, "-", &failure), OTA_E_USAGE);
    assert_memory_equal(failure.message, "standard input, line 2: ", 24);
    assert_string_equal(hosts.lines[0].target.name, "kitchen");
    hosts_free(&hosts);
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static int set_up_hosts_file(void **state)
{
    (void)state;
    int descriptor = mkstemp(path);
    return descriptor < 0 || close(descriptor) != 0;
}

static int tear_down_hosts_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_lines),
        cmocka_unit_test(test_min_auth),
        cmocka_unit_test(test_key_file),
        cmocka_unit_test(test_own_settings),
        cmocka_unit_test(test_refused_lists),
        cmocka_unit_test(test_password_order),
        cmocka_unit_test(test_hosts_bounds),
        cmocka_unit_test(test_hosts_no_memory),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_bound),
        cmocka_unit_test(test_hosts_from_standard_input),
    };
    return cmocka_run_group_tests(tests, set_up_hosts_file, tear_down_hosts_file);
}
