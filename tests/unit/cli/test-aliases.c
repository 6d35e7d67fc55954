/*
 * test-aliases.c: lines of ~/.popt and what popt makes of them, files that are not read, and lack
 * of memory.
 */
#include "base/string_list.h"
#include "cli/aliases.h"
#include "support/failing.h"
#include "support/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { PARSED_MAX = 256, LONGEST = 1024 * 1024, SIZE = 1 };

static char home[] = "/tmp/esp-ota-test-aliases-XXXXXX";
static char path[64];

static const struct poptOption options[] = {
    {.longName = "word", .shortName = 'w', .argInfo = POPT_ARG_STRING, .val = 'w'},
    {.longName = "flag", .shortName = 'f', .argInfo = POPT_ARG_NONE, .val = 'f'},
    {.longName = ALIASES_SIZE, .argInfo = POPT_ARG_STRING, .val = SIZE},
    POPT_TABLEEND,
};

/* popt keeps the pointer to argv. */
static poptContext make_popt(const char *typed)
{
    static const char *argv[] = {"esp-ota", NULL, NULL};

    argv[1] = typed;
    poptContext popt = poptGetContext("esp-ota", 2, argv, options, 0);

    assert_non_null(popt);
    return popt;
}

/* Ends popt. parsed: "w=VALUE;", "f;" or popt's error for each option that it returns, but for the
 * sizes of aliases. */
static void parse_and_free(char parsed[PARSED_MAX], poptContext popt)
{
    size_t length = 0;

    parsed[0] = '\0';
    for (int code; (code = poptGetNextOpt(popt)) != -1 && length < PARSED_MAX;) {
        char *value = poptGetOptArg(popt);

        if (code == SIZE) {
            free(value);
            continue;
        }
        if (code < 0) {
            snprintf(parsed, PARSED_MAX, "%s", poptStrerror(code));
            free(value);
            break;
        }
        length += (size_t)snprintf(parsed + length, PARSED_MAX - length, value ? "%c=%s;" : "%c;",
                                   code, value);
        free(value);
    }
    poptFreeContext(popt);
}

static void test_lines(void **state)
{
    static const struct {
        const char *text, *typed, *parsed;
    } rows[] = {
        {"esp-ota alias --both -w a -f", "--both", "w=a;f;"},
        {" \tesp-ota\talias \t--both --word=a\r\n", "--both", "w=a;"},
        {"esp-ota alias -b -w a", "-b", "w=a;"},
        {"esp-ota alias --both -w 'a b' -w \"c d\" -w e\\ f", "--both", "w=a b;w=c d;w=e f;"},
        {"esp-ota alias --both \\\n -w \\\na", "--both", "w=a;"},
        {"esp-ota alias --both -w a\\\\\nesp-ota alias --next -f", "--next", "f;"},
        {"#\n\nesp-ota alias --both -f\nesp-ota alias --both -w a", "--both", "w=a;"},
        {"esp-ota alias --both --POPTdesc=text -w a --POPTargs=TEXT -f", "--both", "w=a;f;"},
        {"esp-ota alias --both --POPTdesc=text\\ and\\ more -f", "--both", "f;"},

        /* no aliases of ours */
        {"esp-ota exec --both /bin/false", "--both", "unknown option"},
        {"esp-ota exec --flag /bin/false", "--flag", "f;"},
        {"other alias --both -f", "--both", "unknown option"},
        {"esp-ota alias both -f", "--both", "unknown option"},
        {"esp-ota alias -both -f", "--both", "unknown option"},
        {"esp-ota alias", "--flag", "f;"},
        {"esp-ota alias --both -w a\\", "--both", "unknown option"}, /* quotes nothing */
        {"esp-ota alias --both", "--both", "unknown option"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        char parsed[PARSED_MAX], *text = strdup(rows[i].text);
        poptContext popt = make_popt(rows[i].typed);

        assert_non_null(text);
        assert_int_equal(aliases_add_text(popt, "w", text), 0);
        parse_and_free(parsed, popt);
        free(text);
        if (strcmp(parsed, rows[i].parsed) != 0)
            fail_msg("%s: %s", rows[i].text, parsed);
    }
}

/* The size of an alias comes before its options, also if there are none. */
static void test_sizes(void **state)
{
    static const struct {
        const char *text, *size;
    } rows[] = {
        {"esp-ota alias --both -w a -f", "7"},
        {"esp-ota alias --both one \ttwo", "8"},
        {"esp-ota alias --both --POPTdesc=x", "12"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = strdup(rows[i].text);
        poptContext popt = make_popt("--both");

        assert_non_null(text);
        assert_int_equal(aliases_add_text(popt, "w", text), 0);
        assert_int_equal(poptGetNextOpt(popt), SIZE);
        char *size = poptGetOptArg(popt);
        assert_string_equal(size, rows[i].size);
        free(size);
        free(text);
        poptFreeContext(popt);
    }
}

/* popt would drop what is deeper, and aliases that use each other have no end. */
static void test_levels(void **state)
{
#define FOUR_LEVELS                                                                                \
    "esp-ota alias --l4 --l3\nesp-ota alias --l3 -g\nesp-ota alias -g -fh\nesp-ota alias -h -f\n"
#define EIGHT_LEVELS                                                                               \
    "esp-ota alias --l8 --l7=x\nesp-ota alias --l7 -f --l6 -f\nesp-ota alias --l6 --l5\n"          \
    "esp-ota alias --l5 --l4\n" FOUR_LEVELS
    static const struct {
        const char *text, *typed;
        bool is_too_deep;
    } rows[] = {
        {EIGHT_LEVELS, "--l8", false},
        {EIGHT_LEVELS "esp-ota alias --l9 --l8", "--l9", true},
        {EIGHT_LEVELS "esp-ota alias --l9 --l8", "--l8", false},
        {"esp-ota alias --l9 --l8\n" EIGHT_LEVELS, "--l9", true},
        {EIGHT_LEVELS "esp-ota alias -9 -f8\nesp-ota alias -8 --l8", "-9", true},
        {EIGHT_LEVELS "esp-ota alias --l9 --l8\nesp-ota alias --l9 -f", "--l9", false},
        {"esp-ota alias --l9 -f\n" EIGHT_LEVELS "esp-ota alias --l9 --l8", "--l9", true},

        /* a value, an argument, the option of the same name */
        {EIGHT_LEVELS "esp-ota alias -9 -w8\nesp-ota alias -8 --l8", "-9", false},
        {EIGHT_LEVELS "esp-ota alias --l9 -- --l8", "--l9", false},
        {"esp-ota alias --flag --flag", "--flag", false},
        {"esp-ota alias -f -fw-f", "-f", false},
        {"esp-ota alias -a -wb\nesp-ota alias -b -wa", "-a", false},

        {"esp-ota alias --a --b\nesp-ota alias --b --a", "--a", true},
        {"esp-ota alias -a -fb\nesp-ota alias -b -fa", "-b", true},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = strdup(rows[i].text);
        poptContext popt = make_popt(rows[i].typed);

        assert_non_null(text);
        assert_int_equal(aliases_add_text(popt, "w", text), 0);
        assert_int_equal(poptGetNextOpt(popt), SIZE);
        char *size = poptGetOptArg(popt);
        if ((strcmp(size, ALIASES_TOO_DEEP) == 0) != rows[i].is_too_deep)
            fail_msg("%s, %s: %s", rows[i].text, rows[i].typed, size);
        free(size);
        free(text);
        poptFreeContext(popt);
    }
}

/* -- files -- */

static void make_good(void)
{
    files_write_text(path, "esp-ota alias --both -f\n");
}

static void make_nothing(void)
{
}

static void make_pipe(void)
{
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_loop(void)
{
    assert_int_equal(symlink(path, path), 0);
}

static void make_writable(void)
{
    make_good();
    assert_int_equal(chmod(path, 0602), 0);
}

/* The alias is the last line of a file of this size. */
static void make_long(size_t size)
{
    static const char alias[] = "\nesp-ota alias --both -f";
    char *text = malloc(size);

    assert_non_null(text);
    memset(text, '#', size);
    memcpy(text + size - strlen(alias), alias, strlen(alias));
    files_write(path, text, size);
    free(text);
}

static void make_longest(void)
{
    make_long(LONGEST);
}

static void make_too_long(void)
{
    make_long(LONGEST + 1);
}

static void test_files(void **state)
{
    static const struct {
        void (*make)(void);
        const char *why; /* of the note; NULL: there is none */
        const char *parsed;
    } rows[] = {
        {make_good, NULL, "f;"},
        {make_nothing, NULL, "unknown option"},
        {make_longest, NULL, "f;"},
        {make_too_long, "it is longer than 1 MiB", "unknown option"},
        {make_pipe, "it is not a regular file", "unknown option"},
        {make_writable, "other users can write it (chmod go-w makes it yours alone)",
         "unknown option"},
        {make_loop, "Too many levels of symbolic links", "unknown option"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const int open_before = failing_count_open();
        char parsed[PARSED_MAX], note[256];
        struct strings notes = {0};
        poptContext popt = make_popt("--both");

        rows[i].make();
        assert_int_equal(aliases_add(popt, "w", &notes), 0);
        parse_and_free(parsed, popt);
        unlink(path);

        assert_string_equal(parsed, rows[i].parsed);
        assert_int_equal(notes.count, rows[i].why ? 1 : 0);
        if (rows[i].why) {
            snprintf(note, sizeof note, "%s is not read: %s", path, rows[i].why);
            assert_string_equal(notes.items[0], note);
        }
        strings_free(&notes);
        assert_int_equal(failing_count_open(), open_before);
    }
}

static void test_a_file_that_cannot_be_examined(void **state)
{
    char parsed[PARSED_MAX], note[256];
    struct strings notes = {0};
    poptContext popt = make_popt("--both");
    (void)state;

    make_good();
    failing_start(FAILING_FSTAT, 0, EIO);
    assert_int_equal(aliases_add(popt, "w", &notes), 0);
    assert_true(failing_stop());
    parse_and_free(parsed, popt);
    unlink(path);

    assert_string_equal(parsed, "unknown option");
    snprintf(note, sizeof note, "%s is not read: Input/output error", path);
    assert_int_equal(notes.count, 1);
    assert_string_equal(notes.items[0], note);
    strings_free(&notes);
}

static void test_no_home(void **state)
{
    char far[PATH_MAX + 1];
    const char *homes[] = {NULL, far};
    (void)state;

    memset(far, '/', PATH_MAX);
    far[PATH_MAX] = '\0';
    for (size_t i = 0; i < COUNT(homes); i++) {
        char parsed[PARSED_MAX];
        struct strings notes = {0};
        poptContext popt = make_popt("--flag");

        assert_int_equal(homes[i] ? setenv("HOME", homes[i], 1) : unsetenv("HOME"), 0);
        assert_int_equal(aliases_add(popt, "w", &notes), 0);
        parse_and_free(parsed, popt);
        assert_int_equal(notes.count, 0);
        assert_string_equal(parsed, "f;");
    }
    assert_int_equal(setenv("HOME", home, 1), 0);
}

/* popt's own allocations do not fail here, but in scripts/torture. */
static void test_lack_of_memory(void **state)
{
    static void (*const makers[])(void) = {make_good, make_pipe};
    (void)state;

    for (size_t i = 0; i < COUNT(makers); i++) {
        bool has_failed = true;

        makers[i]();
        for (int after = 0; has_failed; after++) {
            const int open_before = failing_count_open();
            char parsed[PARSED_MAX];
            struct strings notes = {0};
            poptContext popt = make_popt("--both");

            failing_start(FAILING_ALLOCATION, after, ENOMEM);
            const int result = aliases_add(popt, "w", &notes);
            has_failed = failing_stop();
            assert_int_equal(result, has_failed ? -1 : 0);
            parse_and_free(parsed, popt);
            assert_string_equal(parsed, !has_failed && i == 0 ? "f;" : "unknown option");
            assert_int_equal(notes.count, !has_failed && i == 1);
            strings_free(&notes);
            assert_int_equal(failing_count_open(), open_before);
        }
        unlink(path);
    }
}

static int set_up_aliases(void **state)
{
    (void)state;
    if (!mkdtemp(home) || setenv("HOME", home, 1) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/.popt", home);
    return 0;
}

static int tear_down_aliases(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_a_file_that_cannot_be_examined),
        cmocka_unit_test(test_no_home),
        cmocka_unit_test(test_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, set_up_aliases, tear_down_aliases);
}
