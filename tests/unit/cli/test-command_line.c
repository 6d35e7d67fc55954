/*
 * test-command_line.c: the parsing of a command line, with popt's aliases. No password may stay in
 * argv or in the output of ps.
 */
#include "cli/command_line.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "hunter2"
#define CHILD_VARIABLE "TEST_COMMAND_LINE_CHILD"

/* Lines of ~/.popt: an alias of 10,000 options of 110 bytes, and those that it is made of. */
#define MANY_ALIASES                                                                               \
    ALIAS_OF_TEN("many", "--fewer")                                                                \
    ALIAS_OF_TEN("fewer", "--hundred")                                                             \
    ALIAS_OF_TEN("hundred", "--ten")                                                               \
    ALIAS_OF_TEN("ten", "--match=" LONG_WORD LONG_WORD)
#define LONG_WORD "a-name-of-fifty-bytes-which-no-board-should-have-1"
#define ALIAS_OF_TEN(name, word)                                                                   \
    "esp-ota alias --" name " " word " " word " " word " " word " " word " " word " " word         \
    " " word " " word " " word "\n"

/* The same with words that are no options, and with nothing: popt expands them all before it
 * returns. */
#define MANY_WORDS                                                                                 \
    ALIAS_OF_TEN("crowd", "--hall")                                                                \
    ALIAS_OF_TEN("hall", "--room")                                                                 \
    ALIAS_OF_TEN("room", "--corner")                                                               \
    ALIAS_OF_TEN("corner", "--table")                                                              \
    ALIAS_OF_TEN("table", "kitchen-lamp.local")
#define EMPTY_ALIASES                                                                              \
    ALIAS_OF_TEN("empty", "--empty2")                                                              \
    ALIAS_OF_TEN("empty2", "--empty4")                                                             \
    ALIAS_OF_TEN("empty4", "--empty5")                                                             \
    ALIAS_OF_TEN("empty5", "--empty6")                                                             \
    ALIAS_OF_TEN("empty6", "--empty7")                                                             \
    ALIAS_OF_TEN("empty7", "--empty8")                                                             \
    ALIAS_OF_TEN("empty8", "--nothing")                                                            \
    "esp-ota alias --nothing --POPTdesc=x\n"

/* An alias that popt would follow up to the last but one, and then drop --dry-run. */
#define DEEP_ALIASES                                                                               \
    "esp-ota alias --deep --deep2 -z\n"                                                            \
    "esp-ota alias --deep2 --deep3\n"                                                              \
    "esp-ota alias --deep3 --deep4\n"                                                              \
    "esp-ota alias --deep4 --deep5\n"                                                              \
    "esp-ota alias --deep5 --deep6\n"                                                              \
    "esp-ota alias --deep6 --deep7\n"                                                              \
    "esp-ota alias --deep7 --deep8\n"                                                              \
    "esp-ota alias --deep8 --deep9\n"                                                              \
    "esp-ota alias --deep9 --deep10\n"                                                             \
    "esp-ota alias --deep10 --dry-run\n"

enum { ARGUMENTS_MAX = 16 };

static char home[] = "/tmp/test-command-line-XXXXXX";

/* One writable command line and its parsed form. */
struct reading {
    int argc;
    char *argv[ARGUMENTS_MAX + 2];
    struct command_line line;
    struct ota_failure failure;
    enum ota_error error;
};

static struct reading *read_arguments(const char *const *arguments)
{
    struct reading *it = calloc(1, sizeof *it);
    assert_non_null(it);
    it->argv[it->argc++] = strdup("esp-ota");
    for (; *arguments; arguments++)
        it->argv[it->argc++] = strdup(*arguments);
    setenv("POSIXLY_CORRECT", "", 1); /* either lets popt take no option behind a word */
    setenv("POSIX_ME_HARDER", "1", 1);
    it->error = command_line_read(&it->line, it->argc, it->argv, &it->failure);
    return it;
}

static void reading_free(struct reading *it)
{
    command_line_free(&it->line);
    for (int i = 0; i < it->argc; i++)
        free(it->argv[i]);
    free(it);
}

static void test_password_is_wiped(void **state)
{
    (void)state;

    static const struct {
        const char *arguments[ARGUMENTS_MAX];
        const char *after[ARGUMENTS_MAX];
    } rows[] = {
        {{"-a", SECRET, "-i", "b"}, {"-a", "", "-i", "b"}},
        {{"-a" SECRET, "-i", "b"}, {"-a", "-i", "b"}},
        {{"-a=" SECRET, "-i", "b"}, {"-a=", "-i", "b"}},
        {{"--auth", SECRET, "-i", "b"}, {"--auth", "", "-i", "b"}},
        {{"--auth=" SECRET, "-i", "b"}, {"--auth=", "-i", "b"}},
        {{"-rda", SECRET, "-i", "b"}, {"-rda", "", "-i", "b"}},
        {{"-rda" SECRET, "-i", "b"}, {"-rda", "-i", "b"}},
        {{"-a", SECRET, "--auth=" SECRET}, {"-a", "", "--auth="}},
        /* Other values with the same text or end are kept. */
        {{"-a", SECRET, "-f", SECRET, "-i", "b"}, {"-a", "", "-f", SECRET, "-i", "b"}},
        {{"-a", "b", "-f", "ab", "-i", "b"}, {"-a", "", "-f", "ab", "-i", "b"}},
        /* The password is wiped before and after mistakes. */
        {{"--bogus", "-a", SECRET}, {"--bogus", "-a", ""}},
        {{"-x", "-a" SECRET}, {"-x", "-a"}},
        {{"-i", "b", "-a", SECRET, "-p", "x", "-f"}, {"-i", "b", "-a", "", "-p", "x", "-f"}},
        {{"-a", SECRET, "--help"}, {"-a", "", "--help"}},
        /* The password comes from an alias. */
        {{"--secret", SECRET}, {"--secret", ""}},
        {{"--login", SECRET}, {"--login", ""}},
        {{"--around", SECRET}, {"--around", ""}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading *it = read_arguments(rows[i].arguments);
        for (int j = 1; j < it->argc; j++) {
            assert_string_equal(it->argv[j], rows[i].after[j - 1]);
            /* All bytes are wiped, also those behind the new end. */
            for (size_t k = strlen(it->argv[j]); k < strlen(rows[i].arguments[j - 1]); k++)
                assert_int_equal(it->argv[j][k], '\0');
        }
        reading_free(it);
    }
}

static void test_aliases(void **state)
{
    (void)state;

    static const struct {
        const char *arguments[ARGUMENTS_MAX];
        const char *ip;
        const char *auth;
        bool debug;
    } rows[] = {
        {{"--kitchen"}, "kitchen.local", "from alias", false},
        {{"--kitchen", "-a", "mine", "-d"}, "kitchen.local", "mine", true},
        {{"-k"}, "kitchen.local", NULL, false},
        {{"-rkd"}, "kitchen.local", NULL, true},
        {{"--secret", "s", "-i", "b"}, "b", "s", false},
        {{"--login", "!#:+", "-i", "b"}, "b", "!#:+", false},
        {{"--around", "mid", "-i", "b"}, "b", "pre-mid-post", false},
        {{"--marks", "-i", "b"},
         "b",
         "\x01"
         "99.0\x02 \x01"
         "2.9\x02 \x01",
         false},
        {{"--debug", "-i", "b"}, "b", NULL, true}, /* the file has an exec line for it */
        {{"--long"}, "long.local", NULL, true},
        {{"--last"}, "last.local", NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading *it = read_arguments(rows[i].arguments);
        assert_int_equal(it->error, OTA_OK);
        assert_int_equal(it->line.boards.count, 1);
        assert_string_equal(it->line.boards.items[0], rows[i].ip);
        if (rows[i].auth)
            assert_string_equal(it->line.password, rows[i].auth);
        else
            assert_null(it->line.password);
        assert_int_equal(it->line.given[OPTION_DEBUG], rows[i].debug);
        assert_int_equal(it->line.unread.count, 0);
        reading_free(it);
    }
}

static void test_bad_aliases(void **state)
{
    (void)state;

    static const struct {
        const char *arguments[ARGUMENTS_MAX];
        const char *message;
    } rows[] = {
        {{"--bad"}, "the popt alias '--bad' contains an unknown option, '--nonsense'"},
        {{"--mistyped"}, "the popt alias '--mistyped' contains an unknown option, '-A'"},
        {{"--cluster"}, "the popt alias '--cluster' contains an unknown option, '-A'"},
        {{"--run"}, "unknown option '--run'; esp-ota --help lists all"},
        {{"--foreign"}, "unknown option '--foreign'; esp-ota --help lists all"},
        {{"--kitchen=x"}, "option '--kitchen' takes no value"},
        {{"--secret"}, "option '--secret' needs a value"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading *it = read_arguments(rows[i].arguments);
        assert_int_equal(it->error, OTA_E_USAGE);
        assert_string_equal(it->failure.message, rows[i].message);
        reading_free(it);
    }
}

/* What looks like an option in a value may be part of a name. It is if the value is a word of its
 * own, which was quoted, or an existing file. */
static void test_options_in_values(void **state)
{
    (void)state;
    static const char file[] = "My -a file.bin";
    const struct {
        const char *arguments[ARGUMENTS_MAX];
        enum option option;
        bool is_taken;
    } rows[] = {
        {{"-f", file}, OPTION_FILE, true},
        {{"--match", "Lamp -a *"}, OPTION_MATCH, true},
        {{"--user", "x --force"}, OPTION_USER, true},
        {{"--log", "My -a log"}, OPTION_LOG, true},
        {{"-p80 -"}, OPTION_PORT, true}, /* no option; options_read() refuses it */
        {{"-p80 -\xc3\xa4"}, OPTION_PORT, true},
        {{"-p", "80 -a x"}, OPTION_PORT, false},
        {{"--match=Lamp -a *"}, OPTION_MATCH, false},
        {{"--file=fw.bin -a x"}, OPTION_FILE, false},
        {{"-ffw.bin -a x"}, OPTION_FILE, false},
        {{"-ffw.bin -ax"}, OPTION_FILE, false},
        {{"-ffw.bin -zax"}, OPTION_FILE, false},
        {{"-ffw.bin -a=x"}, OPTION_FILE, false},
        {{"--expect-version=1.2 -rc1"}, OPTION_EXPECT_VERSION, true},
        {{"--match=Lamp -k*"}, OPTION_MATCH, true},
        {{"--log=My - log"}, OPTION_LOG, true},
        {{"--file=My -a file.bin"}, OPTION_FILE, true},
        {{"-fMy -a file.bin"}, OPTION_FILE, true},
        {{"-f", "--auth x"}, OPTION_FILE, false},
    };

    assert_int_equal(chdir(home), 0);
    int descriptor = open(file, O_WRONLY | O_CREAT, 0600);
    assert_true(descriptor >= 0);
    close(descriptor);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading *it = read_arguments(rows[i].arguments);

        assert_int_equal(it->error, rows[i].is_taken ? OTA_OK : OTA_E_USAGE);
        assert_int_equal(it->line.value[rows[i].option] != NULL, rows[i].is_taken);
        reading_free(it);
    }
    assert_int_equal(unlink(file), 0);
}

/* One word with two options is a line of PlatformIO's upload_flags. Nothing behind the second one's
 * letter is shown, nor stays in argv. */
static void test_second_option_in_word(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_name; /* it may contain what looks like an unknown option */
    } first[] = {
        {"-p3232", false},       {"--port=3232", false},       {"-p 3232", false},
        {"-t5", false},          {"--timeout=5", false},       {"-P1000", false},
        {"-j2", false},          {"-I127.0.0.1", false},       {"--host_ip=::", false},
        {"--monitor=23", false}, {"--online=9", false},        {"-i127.0.0.1", true},
        {"--ip=b", true},        {"--protocol=web", true},     {"-fx", true},
        {"--hosts=/no", true},   {"--expect-version=1", true},
    };
    static const struct {
        const char *text, *named;
        bool is_unknown;
    } second[] = {
        {"-a" SECRET, "'-a'", false},
        {"-a=" SECRET, "'-a'", false},
        {"-a " SECRET, "'-a'", false},
        {"-za" SECRET, "'-z'", false},
        {"--auth=" SECRET, "'--auth'", false},
        {"-auth=" SECRET, "'--auth'", false},
        {"\xe2\x80\x93"
         "a" SECRET,
         "'-a'", false},
        {"-A" SECRET, "'-A'", true},
        {"--atuh=" SECRET, "'--atuh'", true},
    };

    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        for (size_t j = 0; j < sizeof second / sizeof *second; j++) {
            if (first[i].is_name && second[j].is_unknown)
                continue;
            char word[128];
            snprintf(word, sizeof word, "%s %s", first[i].text, second[j].text);
            struct reading *it = read_arguments((const char *const[]){word, NULL});

            assert_int_equal(it->error, OTA_E_USAGE);
            assert_non_null(strstr(it->failure.message, " has another option in it, "));
            assert_non_null(strstr(it->failure.message, second[j].named));
            assert_null(strstr(it->failure.message, SECRET));
            assert_null(strstr(it->argv[1], SECRET));
            reading_free(it);
        }
}

/* Aliases in aliases multiply, whatever they stand for in the end. What follows them is wiped
 * unread. */
static void test_large_aliases(void **state)
{
    static const char *const rows[] = {"--many", "--crowd", "--empty"};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading *it = read_arguments((const char *const[]){rows[i], "-a", SECRET, NULL});
        char message[128];

        snprintf(message, sizeof message,
                 "popt aliases such as '%s' stand for more than 64 KiB of words; shorten them",
                 rows[i]);
        assert_int_equal(it->error, OTA_E_USAGE);
        assert_string_equal(it->failure.message, message);
        assert_string_equal(it->argv[3], "");
        reading_free(it);
    }

    struct reading *it = read_arguments((const char *const[]){"--hundred", "-a", SECRET, NULL});
    assert_int_equal(it->error, OTA_OK);
    assert_string_equal(it->line.password, SECRET);
    reading_free(it);
}

/* What popt does not reach must not be lost: --dry-run, for one. */
static void test_deep_aliases(void **state)
{
    (void)state;

    struct reading *it = read_arguments((const char *const[]){"--deep", "-a", SECRET, NULL});
    assert_int_equal(it->error, OTA_E_USAGE);
    assert_string_equal(it->failure.message,
                        "popt aliases such as '--deep' are nested more than 8 levels deep; shorten "
                        "them");
    assert_string_equal(it->argv[3], "");
    reading_free(it);

    it = read_arguments((const char *const[]){"--loop", "-i", "b", NULL}); /* has no end */
    assert_int_equal(it->error, OTA_E_USAGE);
    reading_free(it);

    it = read_arguments((const char *const[]){"--deep3", NULL}); /* the eight innermost */
    assert_int_equal(it->error, OTA_OK);
    assert_true(it->line.given[OPTION_DRY_RUN]);
    reading_free(it);
}

/* Checks the output of ps for a real process. */
static void test_process_list(void **state)
{
    (void)state;
    char self[PATH_MAX] = "";

    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    static const char *const rows[][ARGUMENTS_MAX] = {
        {"-i", "board", "-a", SECRET, "-f", "x"},
        {"-i", "board", "-rda" SECRET, "-f", "x"},
        {"-i", "board", "--auth=" SECRET, "-f"},
        {"-i", "board", "--auth", SECRET, "--bogus"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int output[2];
        assert_int_equal(pipe(output), 0);
        pid_t child = fork();
        if (child == 0) {
            const char *argv[ARGUMENTS_MAX + 2] = {"esp-ota"};
            memcpy(argv + 1, rows[i], sizeof rows[i]);
            setenv(CHILD_VARIABLE, "1", 1);
            dup2(output[1], STDOUT_FILENO);
            execv(self, (char **)argv);
            _exit(127);
        }
        close(output[1]);
        char seen[65536];
        size_t length = 0;
        ssize_t got;
        while ((got = read(output[0], seen + length, sizeof seen - length)) > 0)
            length += (size_t)got;
        close(output[0]);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_non_null(memmem(seen, length, "board", 5));
        assert_null(memmem(seen, length, SECRET, strlen(SECRET)));
    }
}

/* Reads the command line, then prints this process's arguments as ps would show them. */
static int run_child(int argc, char **argv)
{
    struct command_line line;
    struct ota_failure failure;
    char shown[65536];

    command_line_read(&line, argc, argv, &failure);
    int descriptor = open("/proc/self/cmdline", O_RDONLY);
    ssize_t got = read(descriptor, shown, sizeof shown);
    close(descriptor);
    command_line_free(&line);
    return got > 0 && write(STDOUT_FILENO, shown, (size_t)got) == got ? 0 : 1;
}

static int set_up_command_line(void **state)
{
    (void)state;
    static const char aliases[] =
        "esp-ota alias --kitchen --ip kitchen.local --auth=\"from alias\"\n"
        "esp-ota alias -k --ip kitchen.local\n"
        "esp-ota alias --secret --auth\n"
        "esp-ota alias --login --auth !#:+\n"
        "esp-ota alias --around --auth pre-!#:+-post\n"
        "esp-ota alias --marks --auth \"\x01"
        "99.0\x02 \x01"
        "2.9\x02 \x01\"\n"
        "esp-ota alias --bad --nonsense=" SECRET "\n"
        "esp-ota alias --mistyped -A" SECRET "\n"
        "esp-ota alias --cluster -zA" SECRET "\n"
        "esp-ota alias --loop --pool\n"
        "esp-ota alias --pool --loop\n" MANY_ALIASES MANY_WORDS EMPTY_ALIASES DEEP_ALIASES
        "esp-ota exec --run /bin/false\n"
        "esp-ota exec --debug /bin/false\n"
        "# esp-ota alias --commented --ip other.local\n"
        "esp-ota alias\n"
        "esp-ota alias --long --POPTdesc=$\"nothing\" --ip \\\n   long.local -d\n"
        "other alias --foreign --ip other.local\n"
        "esp-ota alias --last --ip last.local";
    char path[64];

    if (!mkdtemp(home))
        return -1;

    snprintf(path, sizeof path, "%s/.popt", home);
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    ssize_t written = write(file, aliases, strlen(aliases));
    close(file);
    return written == (ssize_t)strlen(aliases) ? setenv("HOME", home, 1) : -1;
}

static int tear_down_command_line(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "%s/.popt", home);
    unlink(path);
    return rmdir(home);
}

int main(int argc, char **argv)
{
    if (getenv(CHILD_VARIABLE))
        return run_child(argc, argv);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password_is_wiped),     cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_bad_aliases),           cmocka_unit_test(test_options_in_values),
        cmocka_unit_test(test_second_option_in_word), cmocka_unit_test(test_large_aliases),
        cmocka_unit_test(test_deep_aliases),          cmocka_unit_test(test_process_list),
    };
    return cmocka_run_group_tests(tests, set_up_command_line, tear_down_command_line);
}
