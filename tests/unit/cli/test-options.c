/*
 * test-options.c: command lines of espota.py's callers, every value and every mistake, the order of
 * passwords, and the help.
 */
#include "cli/options.h"
#include "image/image.h"
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "hunter2"

#define AFTER_PASSWORD                                                                             \
    "no word can follow the password, as it may be a part of one with spaces; put such a "         \
    "password in quotes, and words for board and image before -a"
#define NO_PASSWORD                                                                                \
    "option '-a' needs a value, but an option follows; write --auth=PASSWORD for a password that " \
    "begins with a dash"

enum { ARGUMENTS_MAX = 16, TEXT_MAX = 16384 };

static char home[] = "/tmp/test-options-XXXXXX";

/* One parse with a command line of its own, which may be written to. */
struct parse {
    int argc;
    char *argv[ARGUMENTS_MAX + 2];
    struct options options;
    struct ota_failure failure;
    enum options_outcome outcome;
};

static struct parse *make_parse(const char *const *arguments)
{
    struct parse *parse = calloc(1, sizeof *parse);

    assert_non_null(parse);
    parse->argv[parse->argc++] = strdup("esp-ota");
    for (; *arguments; arguments++)
        parse->argv[parse->argc++] = strdup(*arguments);
    return parse;
}

static struct parse *parse(const char *const *arguments)
{
    struct parse *parse = make_parse(arguments);

    parse->outcome = options_parse(&parse->options, parse->argc, parse->argv, &parse->failure);
    return parse;
}

static void parse_free(struct parse *parse)
{
    options_free(&parse->options);
    for (int i = 0; i < parse->argc; i++)
        free(parse->argv[i]);
    free(parse);
}

static int add_option(char text[TEXT_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int add_option(char text[TEXT_MAX], const char *format, ...)
{
    size_t length = strlen(text);
    va_list list;
    va_start(list, format);
    int added = vsnprintf(text + length, TEXT_MAX - length, format, list);
    va_end(list);
    return added;
}

static void add_targets(char text[TEXT_MAX], const struct plan_settings *plan)
{
    for (size_t i = 0; i < plan->boards.count; i++) {
        const struct target *target = &plan->boards.lines[i].target;

        add_option(text, "%s%s%s%s", i ? " " : "", target->scheme ? target->scheme->name : "",
                   target->scheme ? "://" : "", target->name);
        if (target->port)
            add_option(text, ":%d", target->port);
    }
}

/* What differs from the defaults, as text. */
static void describe_options(char text[TEXT_MAX], const struct options *options)
{
    char address[ADDRESS_TEXT_MAX], source[SOURCE_TEXT_MAX];

    text[0] = '\0';
    add_targets(text, &options->plan);
    add_option(text, " %s", options->plan.file);
    if (options->plan.password)
        add_option(text, " password='%s'", options->plan.password);
    if (!source_is_any(&options->upload.source))
        add_option(text, " source=%s", source_text(source, &options->upload.source));
    if (options->espota.port_first || options->espota.port_last)
        add_option(text, " ports=%d-%d", options->espota.port_first, options->espota.port_last);
    if (options->espota.has_peer)
        add_option(text, " peer=%s", address_text(address, &options->espota.peer));
    if (options->plan.size_limit != IMAGE_SIZE_MAX)
        add_option(text, " limit=%zu", options->plan.size_limit);
    if (options->upload.timeout_us != 10 * INT64_C(1000000))
        add_option(text, " timeout=%lld", (long long)options->upload.timeout_us);
    add_option(text, "%s%s%s%s%s%s%s", options->espota.peer_any ? " peer-any" : "",
               options->espota.md5_target ? " md5" : "",
               options->upload.command == OTA_COMMAND_FILESYSTEM ? " filesystem" : "",
               options->report.debug ? " debug" : "", options->report.quiet ? " quiet" : "",
               options->report.force_bar ? " bar" : "", options->report.json ? " json" : "");
    if (options->fleet.deadline_us)
        add_option(text, " deadline=%lld", (long long)options->fleet.deadline_us);
    if (options->plan.prepare.compress)
        add_option(text, " compressed");
    if (options->plan.sign)
        add_option(text, " signed=%s:%s", options->plan.sign,
                   sign_hash_name(options->plan.prepare.sign_hash));
    if (options->plan.verify_key)
        add_option(text, " verified=%s", options->plan.verify_key);
    if (options->output)
        add_option(text, " into %s", options->output);
    if (options->plan.min_auth != AUTH_MD5)
        add_option(text, " min-auth=%s", auth_scheme_name(options->plan.min_auth));
}

static const struct {
    const char *arguments[ARGUMENTS_MAX];
    const char *expected;
} accepted_options_rows[] = {
    /* what others' build systems write for espota.py */
    {{"-i", "10.0.0.7", "-p", "8266", "--auth=PW", "-f", "fw.bin"},
     "10.0.0.7:8266 fw.bin password='PW'"},
    {{"-i", "10.0.0.7", "-p", "3232", "--auth=", "-f", "fw.bin", "-r"},
     "10.0.0.7:3232 fw.bin password='' bar"},
    {{"--debug", "--progress", "-i", "board.local", "--spiffs", "-f", "fs.bin"},
     "board.local fs.bin filesystem debug bar"},
    {{"-i", "a", "-f", "x", "-i", "b:7"}, "a b:7 x"},
    {{"-i", "a", "-f", "x", "-i", "b:7", "-p", "7"}, "a:7 b:7 x"},
    {{"-i", "b", "-I", "0.0.0.0", "-p", "1", "-P", "48266", "-a", "PW", "-s", "-f", "x"},
     "b:1 x password='PW' ports=48266-48266 filesystem"},
    {{"--ip", "b", "--host_ip", "127.0.0.1", "--port", "1", "--host_port", "2", "--file", "x",
      "--timeout", "20", "--md5-target"},
     "b:1 x source=127.0.0.1 ports=2-2 timeout=20000000 md5"},
    /* the same with dashes, and spellings of our own */
    {{"--ip=b", "--host-ip=127.0.0.1", "--host-port=2", "--filesystem", "--file=x"},
     "b x source=127.0.0.1 ports=2-2 filesystem"},
    {{"-i", "b", "-f", "x", "-I", "lo"}, "b x source=lo"},
    {{"-i", "fe80::1%lo", "-f", "x", "-I", "lo"}, "fe80::1%lo x source=lo"},
    {{"-i", "b", "-f", "x", "-I", "0.0.0.0"}, "b x"},
    {{"-i", "b", "-f", "x", "-I", ""}, "b x"},
    {{"-i", "b", "-f", "x", "--host_ip="}, "b x"},
    /* empty words beside -i and -f, as in espota.py */
    {{"", "-i", "b", "-a", "pw", "", "-f", "x", ""}, "b x password='pw'"},
    {{"-i", "b", "-f", "x", "-m"}, "b x md5"},
    {{"-i", "b", "-f", "x", "--deadline", "90.5"}, "b x deadline=90500000"},
    {{"-i", "b", "-f", "x", "--deadline", "61", "--wait", "60"}, "b x deadline=61000000"},
    {{"-i", "b", "-f", "x", "--md5_target"}, "b x md5"},
    {{"-ib", "-fx", "-qp8266"}, "b:8266 x quiet"},
    {{"-i", "b", "-f", "x", "--json", "--quiet"}, "b x quiet json"},
    {{"-i", "b", "-f", "x", "-d", "-r"}, "b x debug bar"},
    {{"-i", "b", "-f", "x", "-z"}, "b x compressed"},
    {{"--compress", "-i", "b", "-sf", "x"}, "b x filesystem compressed"},
    {{"-z", "-f", "x", "--output", "y"}, " x compressed into y"},
    {{"--output=-", "--output=y", "-zsfx"}, " x filesystem compressed into y"},
    {{"-f", "x", "--sign", "k", "--output", "y"}, " x signed=k:sha256 into y"},
    {{"-i", "b", "-zfx", "--sign=k", "--sign-hash=sha512"}, "b x compressed signed=k:sha512"},
    {{"--check", "-f", "x", "--verify-key", "k"}, " x verified=k"},
    {{"-i", "b", "-f", "x", "--min-auth", "sha256"}, "b x min-auth=SHA-256"},
    {{"-i", "b", "-f", "x", "--min-auth=sha256", "--min-auth=md5"}, "b x"},
    {{"-i", "b", "-f", "x", "--protocol", "espota"}, "b x"},
    {{"-i", "espota://b:99/", "-f", "x"}, "espota://b:99 x"},
    /* the last one wins, as in espota.py */
    {{"-i", "a", "-i", "b", "-f", "y", "--file", "y", "-p", "1", "-p", "2"}, "a:2 b:2 y"},
    /* words without an option */
    {{"kitchen.local", "fw.bin"}, "kitchen.local fw.bin"},
    {{"FW.BIN", "a:1", "-p", "1", "Living room"}, "a:1 Living room:1 FW.BIN"},
    {{"-f", "x", "kitchen"}, "kitchen x"},
    {{"-i", "b", "build/fw"}, "b build/fw"},
    {{"-i", "b", "/etc/passwd"}, "b /etc/passwd"},
    {{"-i", "b", "-f", "x", "-a", "one", "--auth=two"}, "b x password='two'"},
    /* cut short, as Python's argparse takes it */
    {{"--ip=b", "--fil", "x", "--prog", "--host_p", "7", "--au=PW", "--md5", "--deb"},
     "b x password='PW' ports=7-7 md5 debug bar"},
    {{"-i", "b", "-f", "x", "--auth=--prog"}, "b x password='--prog'"},
    {{"-i", "b", "-f", "x", "-a", "-fish"}, "b x password='-fish'"},
    {{"-i", "b", "-f", "x", "--au", "!#:+"}, "b x password='!#:+'"},
    {{"-i", "b", "-f", "x", "-p", "7", "--compr"}, "b:7 x compressed"},
    /* what an IDE left unfilled */
    {{"-i", "b", "-p", "{upload.port.properties.port}", "--auth={upload.field.password}", "-f",
      "x"},
     "b x"},
    {{"-i", "b", "-f", "x", "$UPLOAD_FLAGS"}, "b x"},
    {{"-i", "b", "-f", "$SOURCE", "fw.bin"}, "b fw.bin"},
    {{"-i", "{serial.port}", "-i", "b", "-f", "x", "-a", "PW", "-a", "{network.password}"},
     "b x password='PW'"},
    {{"-i", "b", "-f", "x", "-a", "{my.password}"}, "b x password='{my.password}'"},
    /* targets */
    {{"-i", "Living room", "-f", "x"}, "Living room x"},
    {{"-i", "b.local:3232", "-f", "x"}, "b.local:3232 x"},
    {{"-i", "b.local:3232", "-p", "3232", "-f", "x"}, "b.local:3232 x"},
    {{"-i", "[::1]:3232", "-f", "x", "-I", "::1", "--peer", "::2"},
     "::1:3232 x source=::1 peer=::2"},
    {{"-i", "::1", "-I", "::", "-f", "x"}, "::1 x"},
    {{"-i", "b", "-f", "x", "--peer", "any"}, "b x peer-any"},
    {{"-i", "b", "-f", "x", "--peer", "10.0.0.9"}, "b x peer=10.0.0.9"},
    {{"-i", "b", "-f", "x", "--peer", "any", "--peer", "10.0.0.9"}, "b x peer=10.0.0.9"},
    /* numbers */
    {{"-i", "b", "-f", "x", "-P", "10000-10100"}, "b x ports=10000-10100"},
    {{"-i", "b", "-f", "x", "-P", "7-7"}, "b x ports=7-7"},
    {{"-i", "b", "-f", "x", "-P", "0"}, "b x"},
    {{"-i", "b", "-f", "x", "-t", "1"}, "b x timeout=1000000"},
    {{"-i", "b", "-f", "x", "-t", ".2"}, "b x timeout=200000"},
    {{"-i", "b", "-f", "x", "-t", "0.25"}, "b x timeout=250000"},
    {{"-i", "b", "-f", "x", "-t", "2.05"}, "b x timeout=2050000"},
    {{"-i", "b", "-f", "x", "-t", "3600"}, "b x timeout=3600000000"},
    {{"-i", "b", "-f", "x", "--max-size", "16"}, "b x limit=16"},
    {{"-i", "b", "-f", "x", "--max-size", "64K"}, "b x limit=65536"},
    {{"-i", "b", "-f", "x", "--max-size", "1024M"}, "b x limit=1073741824"},
    /* values that look like something else */
    {{"-i", "b", "-f", "-x", "-a-f"}, "b -x password='-f'"},
    {{"-i", "b", "-f", "x", "--auth=--auth=y"}, "b x password='--auth=y'"},
    {{"-i", "b", "-f", "x", "-a", ""}, "b x password=''"},
    {{"-i", "b", "-f", "x", "-a=y"}, "b x password='y'"},
    {{"-i", "b", "-f", "x", "-a==y"}, "b x password='=y'"},
    {{"-i", "b", "-f", "a=b", "--auth=c=d"}, "b a=b password='c=d'"},
    {{"-i", "b", "-f", "x", "-rday"}, "b x password='y' debug bar"},
    /* popt's alias sequence, and what stands for values inside, are nothing special */
    {{"-i", "b", "-f", "x", "-a", "pa!#:+ss"}, "b x password='pa!#:+ss'"},
    {{"-i", "b", "-f", "x", "-apa!#:+ss", "-r"}, "b x password='pa!#:+ss' bar"},
    {{"--auth=!#:+", "-i", "b!#:+", "-f", "!#:+!#:+"}, "b!#:+ !#:+!#:+ password='!#:+'"},
    {{"-f", "-!#:+", "-i", "b"}, "b -!#:+"},
    {{"-i", "b", "-f", "x", "-a",
      "\x01"
      "1.0\x02"},
     "b x password='\x01"
     "1.0\x02'"},
    {{"-i", "b", "-f", "x", "-a",
      "-r\x01"
      "1.0\x02"},
     "b x password='-r\x01"
     "1.0\x02'"},
};

static void test_accepted_options(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof accepted_options_rows / sizeof *accepted_options_rows; i++) {
        char text[TEXT_MAX];
        struct parse *it = parse(accepted_options_rows[i].arguments);
        if (it->outcome != OPTIONS_RUN)
            fail_msg("row %zu (%s): %s", i, accepted_options_rows[i].expected, it->failure.message);
        describe_options(text, &it->options);
        assert_string_equal(text, accepted_options_rows[i].expected);
        parse_free(it);
    }
}

/* Settings that several parts of the program share, or derived from others. */
static void describe_shared(char text[TEXT_MAX], const struct options *options)
{
    const struct plan_settings *plan = &options->plan;

    assert_int_equal(plan->prepare.command, options->upload.command);
    assert_int_equal(options->report.command, options->upload.command);
    assert_int_equal(plan->prepare.port, plan->port);
    assert_int_equal(plan->force, options->upload.force);
    assert_int_equal(options->transcript.raw, options->log.raw);
    text[0] = '\0';
    add_option(text, "%s%s%s%s%s%s%s",
               plan->prepare.command == OTA_COMMAND_FILESYSTEM ? "filesystem " : "",
               plan->prepare.port ? "port " : "", plan->prepare.is_for_boards ? "for boards " : "",
               plan->force ? "force " : "", plan->needs_sha256 ? "sha256 " : "",
               plan->may_lack_image ? "no image " : "",
               options->transcript.to_stdout ? "log " : "");
}

static void test_shared_settings(void **state)
{
    (void)state;

    static const struct {
        const char *arguments[ARGUMENTS_MAX];
        const char *expected;
    } rows[] = {
        {{"-i", "b", "-f", "x"}, "for boards "},
        {{"-i", "b", "-f", "x", "-s", "-p", "7", "--force"}, "filesystem port for boards force "},
        {{"-z", "-f", "x", "--output", "y"}, ""},
        {{"--check", "-f", "x"}, ""},
        {{"--check", "-i", "b", "-f", "x"}, "for boards "},
        {{"--hosts", "y"}, "for boards "},
        {{"--all", "-f", "x", "--json"}, "for boards sha256 "},
        {{"-i", "b", "--monitor"}, "for boards no image log "},
        {{"-i", "b", "--monitor", "--raw"}, "for boards no image log "},
        {{"-i", "b", "--monitor", "--json"}, "for boards sha256 no image "},
        {{"-i", "b", "--expect", "x", "--json"}, "for boards sha256 no image "},
        {{"-i", "b", "--reject", "x"}, "for boards no image "},
        {{"-i", "b", "-f", "x", "--online"}, "for boards "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[TEXT_MAX];
        struct parse *it = parse(rows[i].arguments);

        if (it->outcome != OPTIONS_RUN)
            fail_msg("row %zu (%s): %s", i, rows[i].expected, it->failure.message);
        describe_shared(text, &it->options);
        assert_string_equal(text, rows[i].expected);
        parse_free(it);
    }
}

#define UPLOAD_WITH "write esp-ota -i BOARD -f FILE"
#define NAMED " means a board of that name)"

static const struct {
    const char *arguments[ARGUMENTS_MAX];
    const char *message;
} rejected_rows[] = {
    {{NULL},
     "no board is named, and no firmware\n"
     "  To upload a sketch: esp-ota -i HOST -f FIRMWARE.bin\n"
     "  To see which boards there are: esp-ota -l; for all options: esp-ota --help"},
    {{"-f", "x"}, "no board is named; add -i HOST, the board's name or address, or --all"},
    {{"-i", "b"}, "no firmware is named; add -f FILE"},
    {{"-i", "b", "-f", ""}, "the file name after -f is empty"},
    {{"10.0.0.7"}, "no firmware is named; add -f FILE"},
    {{"force"},
     "no firmware is named; add -f FILE ('force' is taken for a board; the option is --force)"},
    /* other tools' subcommands */
    {{"upload"},
     "esp-ota has no subcommands; instead of 'upload' " UPLOAD_WITH " (-i upload" NAMED},
    {{"upload", "kitchen", "fw.bin"},
     "esp-ota has no subcommands; instead of 'upload' " UPLOAD_WITH " (-i upload" NAMED},
    {{"fw.bin", "-p", "3232", "flash"},
     "esp-ota has no subcommands; instead of 'flash' " UPLOAD_WITH " (-i flash" NAMED},
    {{"run", "-i", "b", "-f", "x"},
     "esp-ota has no subcommands; instead of 'run' " UPLOAD_WITH " (-i run" NAMED},
    {{"list", "kitchen"},
     "esp-ota has no subcommands; instead of 'list' write esp-ota -l (-i list" NAMED},
    {{"monitor", "kitchen"},
     "esp-ota has no subcommands; instead of 'monitor' write esp-ota -i BOARD --monitor "
     "(-i monitor" NAMED},
    {{"help", "upload"},
     "esp-ota has no subcommands; instead of 'help' write esp-ota --help (-i help" NAMED},
    {{"kitchen", "upload"},
     "no firmware is named; add -f FILE (no file is called 'upload', so it is taken for a board)"},
    {{"10.0.0.7", "firm\nware", "-z"},
     "no firmware is named; add -f FILE (no file is called 'firm\\nware', so it is taken for a "
     "board)"},
    {{"fw.bin"}, "no board is named; add -i HOST, the board's name or address, or --all"},
    {{"kitchen", "a.bin", "b.bin"},
     "'a.bin' and 'b.bin' are both taken for files, and one image is sent; leave one of them out"},
    {{"a.bin", "/dev/null/x"},
     "'a.bin' and '/dev/null/x' are both taken for files, and one image is sent; to mean a board, "
     "write -i before it"},
    {{"kitchen", "b.bin", "-f", "a.bin"},
     "'b.bin' is taken for a file, but -f names the image; leave one of them out"},
    {{"-f", "a.bin", "-z", "kitchen", "/dev/null/x"},
     "'/dev/null/x' is taken for a file, but -f names the image; to mean a board, write -i "
     "/dev/null/x"},
    {{"-i", "kitchen", "fw.bin", "lamp"},
     "unexpected argument 'lamp'; a value that contains spaces needs quotes, and a further "
     "board -i before it"},
    {{"-i", "kitchen", "auth=pw"},
     "unexpected argument 'auth=...'; a value that contains spaces needs quotes, and a further "
     "board -i before it"},
    {{"--all", "fw.bin", "lamp"},
     "unexpected argument 'lamp'; a value that contains spaces needs quotes, and a further "
     "board -i before it"},
    {{"-i", "b", "."}, "'.' is a directory, not a firmware image"},
    {{"--match", "b*", "."}, "'.' is a directory, not a firmware image"},
    {{"-i", "b", "-p", "esp8266.bin"}, "-p 'esp8266.bin' is not a port number from 1 to 65535"},
    {{"-p", "10.77.0.60", "-f", "x"}, "-p '10.77.0.60' is not a port number from 1 to 65535"},
    {{"-l", "kitchen"},
     "unexpected argument 'kitchen'; -l lists all boards, or those of --match PATTERN"},
    {{"-i", "b", ""},
     "unexpected argument ''; a value that contains spaces needs quotes, and a further "
     "board -i before it"},
    {{"-i", "b", "-f", "a.bin", "-f", "b.bin"},
     "option '-f' is given twice; name the one image to send"},
    {{"-i", "b", "-f", "a.bin", "--file=b.bin"},
     "option '--file' is given twice; name the one image to send"},
    {{"-i", "b", "-zf", "a.bin", "-zfb.bin"},
     "option '-f' is given twice; name the one image to send"},
    {{"--match", "a", "--match", "b", "-f", "a.bin"},
     "option '--match' is given twice; write one pattern for all boards, or name each with -i"},
    {{"--board", "a", "--board=b", "-f", "a.bin"},
     "option '--board' is given twice; write one pattern for all boards, or name each with -i"},
    {{"-i", "b", "-f", "a.bin", "b.bin"},
     "-f takes one file, but 'a.bin' is followed by 'b.bin'; name the one to send, and put a "
     "name that contains spaces in quotes"},
    {{"-i", "b", "--file=a", "b", "c\n", "d", "e", "f", "-d", "more"},
     "--file takes one file, but 'a' is followed by 'b', 'c\\n', 'd' and 2 more; name the one to "
     "send, and put a name that contains spaces in quotes"},
    {{"-f", "a", "b", "\u2013a", SECRET, "-i", "b"},
     "-f takes one file, but 'a' is followed by 'b'; name the one to send, and put a name that "
     "contains spaces in quotes"},
    {{"-f", "a", "b", "-a", "x", SECRET, "-i", "b"},
     "-f takes one file, but 'a' is followed by 'b'; name the one to send, and put a name that "
     "contains spaces in quotes"},
    {{"-l", "--match", "/usr/bin", "/usr/lib", "/usr/share"},
     "--match takes one pattern, but '/usr/bin' is followed by '/usr/lib', '/usr/share'; put it in "
     "quotes, or the shell replaces it by the names of files"},
    {{"--board=/usr/bin", "/usr/lib", "-f", "x"},
     "--board takes one pattern, but '/usr/bin' is followed by '/usr/lib'; put it in quotes, or "
     "the shell replaces it by the names of files"},
    {{"-i", "b", "-f", "x", "--tls", "y"},
     "option '--tls' is ambiguous: it may be --tls-cert or --tls-key"},
    {{"-i", "b", "-f", "x", "--host_p"}, "option '--host_p' needs a value"},
    {{"-i", "--au=" SECRET, "-f", "x"}, "option '-i' needs a value, but '--auth' follows"},
    {{"-i", "b", "-f", "$SOURCE", "lamp"},
     "unexpected argument 'lamp'; a value that contains spaces needs quotes, and a further "
     "board -i before it"},
    {{"-i", "{serial.port}", "-f", "x"},
     "no board is named; add -i HOST, the board's name or address, or --all"},
    {{"-i", "b", "-f", "x", "-I", "tools/espota.py"},
     "'-I tools/espota.py' is python's option and its script, which esp-ota replaces; leave both "
     "out"},
    {{"tools/espota.py", "-i", "b", "-f", "x"},
     "'tools/espota.py' is a script for python, which esp-ota replaces; leave it out"},
    {{"-f", "a", "-i", "lab-*"},
     "\"lab-*\" is a pattern, but -i takes one board; use --match for a pattern"},
    {{"-i", "my", "board", "-f", "x"},
     "unexpected argument 'board'; a value that contains spaces needs quotes, and a further "
     "board -i before it"},
    {{"-i", "b", "-a", "correct", SECRET, "horse", "-f", "x"}, AFTER_PASSWORD},
    {{"-i", "b", "--auth=correct", SECRET, "-f", "x"}, AFTER_PASSWORD},
    {{"-a", SECRET, "b", "fw.bin"}, AFTER_PASSWORD},
    {{"b", "--auth=" SECRET, "fw.bin"}, AFTER_PASSWORD},
    {{"-i", "b", "--", "--auth=" SECRET}, "unexpected arguments after '--'; leave the '--' out"},
    {{"--match", "", "-f", "x"}, "the pattern after --match is empty; '*' matches every board"},
    {{"-i", "b", "-f", "x", "--wait", "-1"},
     "--wait '-1' is not a number of seconds from 0 to 2592000"},
    {{"--hosts", "-", "--auth-file", "-", "-f", "x"},
     "--auth-file and --hosts cannot both be read from standard input"},
    {{"--hosts", "-", "-f", "-"}, "--hosts and -f cannot both be read from standard input"},
    {{"-i", "b", "--auth-file", "-", "-f", "-"},
     "--auth-file and -f cannot both be read from standard input"},
    /* dashes: too few, too long; a value left out */
    {{"-ip", "b"}, "'-ip' has only one dash; write '--ip'"},
    {{"-auth=" SECRET, "-i", "b"}, "'-auth' has only one dash; write '--auth'"},
    {{"-i", "b", "-f", "x", "-t", "10s"},
     "-t '10s' is not a number of seconds from 0.001 to 3600; write 10"},
    {{"-i", "b", "-f", "x", "--wait", "2m"},
     "--wait '2m' is not a number of seconds from 0 to 2592000; write 120"},
    {{"-i", "b", "-f", "x", "--deadline", "1 h"},
     "--deadline '1 h' is not a number of seconds from 0.001 to 2592000; write 3600"},
    {{"-i", "b", "-f", "x", "-t", "2h"}, "-t '2h' is not a number of seconds from 0.001 to 3600"},
    {{"-i", "b", "-f", "x", "--wait", "2ms"},
     "--wait '2ms' is not a number of seconds from 0 to 2592000"},
    {{"-i", "b", "-f", "x", "-p", "udp/8266"},
     "-p 'udp/8266' is not a port number from 1 to 65535"},
    {{"-i", "b", "-f", "x", "--port", "/dev/ttyUSB0"},
     "--port '/dev/ttyUSB0' is a serial port, but the network is used: leave it out, and name the "
     "board with -i (\"esp-ota -l\" lists the boards)"},
    {{"-i", "b", "--monitor=COM3"},
     "--monitor 'COM3' is a serial port, but the network is used: leave it out, and name the board "
     "with -i (\"esp-ota -l\" lists the boards)"},
    {{"--upload-port", "b"}, "unknown option '--upload-port'; did you mean '--ip'?"},
    {{"--device", "b"}, "unknown option '--device'; did you mean '--ip'?"},
    {{"-i", "b", "-f", "x", "--max-size", "1,024"},
     "--max-size '1,024' is not a number of bytes from 16 to 1024M (K and M are allowed)"},
    {{"-i", "b", "-f", "x", "--jobs=0x10"}, "--jobs '0x10' is not a number from 1 to 10000"},
    {{"-i", "b", "-f", "x", "-j", "0x10"}, "-j '0x10' is not a number from 1 to 10000"},
    {{"-i", "b", "-f", "x", "--deadline", "0"},
     "--deadline '0' is not a number of seconds from 0.001 to 2592000"},
    {{"-i", "b", "-f", "x", "--deadline", "60", "--wait", "60"},
     "--deadline would end the upload before --wait is over; give it more seconds than --wait"},
    {{"-i", "b", "--monitor", "--deadline", "60"},
     "--deadline limits uploads; add -f FILE, or limit a log with --monitor-for"},
    {{"-l", "--ip", "h"}, "-l prints all boards and uploads nothing; leave --ip out"},
    {{"-li", "h"}, "-l prints all boards and uploads nothing; leave -i out"},
    {{"--check", "--list"}, "--check only examines a file; leave --list out"},
    {{"-i", "b", "-f", "-", "--auth-file", "-"},
     "--auth-file and -f cannot both be read from standard input"},
    {{"-l", "--deadline", "60"}, "-l prints all boards and uploads nothing; leave --deadline out"},
    {{"-wait", "3"}, "'-wait' has only one dash; write '--wait'"},
    {{"-i", "-f", "x"}, "option '-i' needs a value, but '-f' follows"},
    {{"-f", "--auth=" SECRET}, "option '-f' needs a value, but '--auth' follows"},
    {{"-i", "b", "-a", "-f", "x"}, NO_PASSWORD},
    {{"-i", "b", "-f", "x", "-a", "--auth=" SECRET}, NO_PASSWORD},
    {{"-i", "b", "-f", "x", "-ra", "--prog"}, NO_PASSWORD},
    {{"-i", "b",
      "\xe2\x80\x93"
      "f",
      "x"},
     "'\xe2\x80\x93"
     "f' begins with a long dash, perhaps copied from a web page; write '-f'"},
    {{"-i", "b",
      "\xe2\x80\x94"
      "auth=" SECRET},
     "'\xe2\x80\x94"
     "auth' begins with a long dash, perhaps copied from a web page; write "
     "'--auth'"},
    {{"-i", "b",
      "\xe2\x80\x93"
      "a" SECRET},
     "an argument begins with a long dash, perhaps copied from a web page; options begin with "
     "'-' or '--'"},
    /* several words in one, as a line of PlatformIO's upload_flags is */
    {{"--port 3232"},
     "option '--port' is followed by a space in the same word; write --port=VALUE"},
    {{"--auth " SECRET},
     "option '--auth' is followed by a space in the same word; write --auth=VALUE"},
    {{"--progress --auth=" SECRET},
     "option '--progress' is followed by a space in the same word; end the word there"},
    {{"-rd -a " SECRET}, "option '-d' is followed by a space in the same word; end the word there"},
    {{"--aut " SECRET}, "unknown option '--aut'; did you mean '--auth'?"},
    {{"--port=3232 --auth=" SECRET},
     "the value of '--port' has another option in it, '--auth'; make two words of them"},
    {{"-p 3232 -r -a " SECRET},
     "the value of '-p' has another option in it, '-r'; make two words of them"},
    {{"-ib\t-a " SECRET},
     "the value of '-i' has another option in it, '-a'; make two words of them"},
    {{"--file=fw.bin --auth=" SECRET},
     "the value of '--file' has another option in it, '--auth'; make two words of them"},
    {{"-p", "3232 -a " SECRET},
     "the value of '-p' has another option in it, '-a'; make two words of them"},
    {{"-f", "--auth " SECRET}, "option '-f' needs a value, but '--auth' follows"},
    /* what other programs call it */
    {{"--password=" SECRET}, "unknown option '--password'; did you mean '--auth'?"},
    {{"--passwort"}, "unknown option '--passwort'; did you mean '--auth'?"},
    {{"--pass"}, "unknown option '--pass'; did you mean '--auth'?"},
    {{"--host"},
     "option '--host' is ambiguous: it may be --hosts, --host-ip or --host-port; did you mean "
     "'--ip'?"},
    {{"--image"}, "unknown option '--image'; did you mean '--file'?"},
    {{"--firmware"}, "unknown option '--firmware'; did you mean '--file'?"},
    {{"--retry", "3"}, "unknown option '--retry'; did you mean '--retries'?"},
    {{"--filename", "f"}, "unknown option '--filename'; did you mean '--file'?"},
    {{"--hostname", "b"}, "unknown option '--hostname'; did you mean '--ip'?"},
    {{"--pasword=" SECRET}, "unknown option '--pasword'; did you mean '--auth'?"},
    {{"--firmwre", "f"}, "unknown option '--firmwre'; did you mean '--file'?"},
    {{"--upload"}, "unknown option '--upload'; esp-ota --help lists all"},
    {{"--IP"}, "unknown option '--IP'; did you mean '--ip'?"},
    /* unknown options never show what may be a secret */
    {{"--auth:pw"}, "unknown option '--auth'; did you mean '--auth'?"},
    {{"--bogus"}, "unknown option '--bogus'; esp-ota --help lists all"},
    {{"--bogus=" SECRET}, "unknown option '--bogus'; esp-ota --help lists all"},
    {{"--auht=" SECRET}, "unknown option '--auht'; did you mean '--auth'?"},
    {{"--pogress"}, "unknown option '--pogress'; did you mean '--progress'?"},
    {{"--verion"}, "unknown option '--verion'; did you mean '--version'?"},
    {{"--x"}, "unknown option '--x'; esp-ota --help lists all"},
    {{"--\x1b[31mred"}, "unknown option '--\\x1b[31mred'; esp-ota --help lists all"},
    {{"--aut\x01" SECRET}, "unknown option '--aut'; did you mean '--auth'?"},
    {{"-x"}, "unknown option '-x'; esp-ota --help lists all"},
    {{"-rxd"}, "unknown option '-x'; esp-ota --help lists all"},
    {{"-xa" SECRET}, "unknown option '-x'; esp-ota --help lists all"},
    {{"-\xc3\xa4"}, "unknown option '-\xc3\xa4'; esp-ota --help lists all"},
    {{"-\n"}, "unknown option '-\\n'; esp-ota --help lists all"},
    {{"-i", "b", "-f"}, "option '-f' needs a value"},
    {{"-i", "b", "-rdf"}, "option '-f' needs a value"},
    {{"--file"}, "option '--file' needs a value"},
    {{"--debug=" SECRET}, "option '--debug' takes no value"},
    {{"-dr=" SECRET}, "option '-r' takes no value"},
    {{"-r="}, "option '-r' takes no value"},
    /* the first mistake counts */
    {{"--bogus", "-x"}, "unknown option '--bogus'; esp-ota --help lists all"},
    /* conflicts */
    {{"-i", "b", "-f", "x", "-a", SECRET, "--auth-file", "/nowhere"},
     "-a and --auth-file both give a password; leave one of them out"},
    {{"-i", "b", "-f", "x", "-q", "-d"}, "-q asks for silence and -d for output; leave one out"},
    {{"-i", "b", "-f", "x", "-r", "-q"}, "-q asks for silence and -r for output; leave one out"},
    {{"-i", "b:1", "-p", "2", "-f", "x"},
     "-i names port 1, but -p names port 2; leave one of them out"},
    {{"-i", "1.2.3.4", "-I", "::1", "-f", "x"},
     "-i and -I must both be IPv4 addresses or both IPv6 addresses"},
    {{"-i", "1.2.3.4", "--host-ip", "::1", "-f", "x"},
     "-i and --host-ip must both be IPv4 addresses or both IPv6 addresses"},
    {{"-i", "::1", "--peer", "1.2.3.4", "-f", "x"},
     "-i and --peer must both be IPv4 addresses or both IPv6 addresses"},
    {{"-f", "x", "--output", "y"}, "--output alone would only copy the file; add -z or --sign KEY"},
    {{"-l", "--sign", "k"}, "-l prints all boards and uploads nothing; leave --sign out"},
    {{"-i", "b", "-f", "x", "--sign", ""}, "the file name after --sign is empty"},
    {{"-i", "b", "-f", "x", "--sign", "k", "--sign-hash", "md\x1b"},
     "--sign-hash 'md\\x1b' is not one of sha256, sha384 and sha512"},
    {{"-i", "b", "-f", "x", "--min-auth", "SHA256"},
     "--min-auth 'SHA256' is neither md5 nor sha256"},
    {{"-i", "b", "-f", "x", "--protocol", "web\x1b"},
     "--protocol 'web\\x1b' is not known; there is espota, esphome, sketch and web"},
    {{"-i", "b", "-f", "x", "--protocol", "ESPOTA"},
     "--protocol 'ESPOTA' is not known; there is espota, esphome, sketch and web"},
    {{"-i", "ftp://b", "-f", "x"},
     "\"ftp://b\" is a URL with another scheme than espota://, esphome://, http://, https:// and "
     "sketch://: "
     "write "
     "only \"b\""},
    {{"-i", "b", "-f", "x", "--min-auth", ""}, "--min-auth '' is neither md5 nor sha256"},
    {{"-i", "b", "-f", "x", "--sign-hash", "sha384"},
     "--sign-hash is for --sign; add --sign KEY, or leave it out"},
    /* options for a log, or for the expectations of it */
    {{"-i", "b", "-f", "x", "--timestamps"}, "--timestamps is for a board's log; add --monitor"},
    {{"-i", "b", "-f", "x", "--log", "y"}, "--log is for a board's log; add --monitor"},
    {{"-i", "b", "-f", "x", "--raw"}, "--raw is for a board's log; add --monitor"},
    {{"-i", "b", "-f", "x", "--monitor-for", "9"},
     "--monitor-for is for a board's log; add --monitor"},
    {{"-i", "b", "--reject", "x", "--raw"}, "--raw is for a board's log; add --monitor"},
    {{"-i", "b", "--monitor", "--monitor-for", "9", "--expect", "x"},
     "--monitor-for and --expect both set an end; leave one out, and limit the latter with "
     "--expect-timeout"},
    {{"-i", "b", "--monitor", "--monitor-for", "9", "--reject", "x"},
     "--monitor-for and --reject both set an end; leave one out, and limit the latter with "
     "--expect-timeout"},
    {{"-i", "b", "--monitor", "--raw", "--json"},
     "--raw and --json contradict each other; leave one out"},
    {{"-i", "b", "--monitor", "--online", "9"},
     "--online waits for the restart after an upload; add -f FILE"},
    /* options for an upload: -f was forgotten */
    {{"-i", "b", "--monitor", "-s"}, "no firmware is named; add -f FILE"},
    {{"-i", "b", "--monitor", "-z"}, "no firmware is named; add -f FILE"},
    {{"-i", "b", "--monitor", "--sign", "k"}, "no firmware is named; add -f FILE"},
    {{"-i", "b", "--monitor", "--force"}, "no firmware is named; add -f FILE"},
    {{"-i", "b", "--monitor", "--canary", "1"}, "no firmware is named; add -f FILE"},
    {{"-i", "b", "--monitor", "--resume", "y"}, "no firmware is named; add -f FILE"},
    {{"--hosts", "y", "--match", "b*"}, "no firmware is named; add -f FILE"},
    {{"--verify-key", "k", "-f", "x", "-z", "--output", "y"},
     "--verify-key needs an image to verify; add --check, or -i and -f for an upload"},
    {{"-l", "--verify-key", "k"},
     "--verify-key needs an image to verify; add --check, or -i and -f for an upload"},
    {{"-i", "b", "--monitor", "--verify-key", "k"},
     "--verify-key needs an image to verify; add --check, or -i and -f for an upload"},
    {{"--check", "-f", "x", "--verify-key", ""}, "the file name after --verify-key is empty"},
    {{"-z", "--output", "y"}, "no firmware is named; add -f FILE"},
    {{"-z", "-f", "x", "--output", ""}, "the file name after --output is empty"},
    {{"-i", "b", "--monitor", "--log", "-"},
     "--log does not write to standard output; give it a file name"},
    {{"-i", "b", "-f", "x", "--metrics", "-"},
     "--metrics does not write to standard output; give it a file name"},
    {{"-z", "-f", "x", "--output", "-"},
     "--output does not write to standard output; give it a file name"},
    {{"-z", "-f", "x", "--output", "y", "-i", "b"},
     "--output writes a file and uploads nothing; leave out either --output or the boards"},
    {{"-z", "-f", "x", "--output", "y", "--match", "*"},
     "--output writes a file and uploads nothing; leave out either --output or the boards"},
    {{"-f", "x", "--output", "y", "--check"}, "--check only examines a file; leave --output out"},
    {{"-l", "--output", "y"}, "-l prints all boards and uploads nothing; leave --output out"},
    /* addresses */
    {{"-i", "b", "-f", "x", "--peer", "b.local"},
     "--peer 'b.local' is neither the numeric IP address that the board connects from nor "
     "'any'"},
    {{"-i", "b", "-f", "x", "--peer", "0.0.0.0"},
     "--peer '0.0.0.0' is neither the numeric IP address that the board connects from nor "
     "'any'"},
};

static void test_rejected(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof rejected_rows / sizeof *rejected_rows; i++) {
        struct parse *it = parse(rejected_rows[i].arguments);
        assert_int_equal(it->outcome, OPTIONS_ERROR);
        assert_int_equal(it->failure.error, OTA_E_USAGE);
        assert_string_equal(it->failure.message, rejected_rows[i].message);
        for (int j = 0; j < it->argc; j++)
            assert_null(strstr(it->argv[j], SECRET));
        parse_free(it);
    }
}

static const char *const numbers_values[] = {
    "",
    " ",
    "+1",
    "-1",
    " 20",
    "20 ",
    "0x20",
    "2O",
    "20.",
    ".",
    "1e2",
    "\n",
    "70000000000000000000000",
    "18446744073709551616",
    "20KB",
    "20k",
    "4294967296",
    "20-",
    "-20",
    "20-10",
    "0-20",
    "10-20-30",
    "20\n",
    "1.2345",
};

/* Values that are not numbers, or out of range, for each option with a number. */
static void test_numbers(void **state)
{
    (void)state;
    static const char *const options[] = {"--port", "--host-port", "--timeout", "--max-size"};

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        for (size_t j = 0; j < sizeof numbers_values / sizeof *numbers_values; j++) {
            const char *arguments[] = {"-i", "b", "-f", "x", options[i], numbers_values[j], NULL};
            struct parse *it = parse(arguments);
            if (it->outcome != OPTIONS_ERROR)
                fail_msg("%s '%s' was accepted", options[i], numbers_values[j]);
            assert_int_equal(it->failure.error, OTA_E_USAGE);
            assert_memory_equal(it->failure.message, options[i], strlen(options[i]));
            assert_null(strchr(it->failure.message, '\n'));
            parse_free(it);
        }
    }
    static const char *const out_of_range[][2] = {
        {"--port", "0"},
        {"--port", "65536"},
        {"--host-port", "65536"},
        {"--timeout", "0"},
        {"--timeout", "3600.001"},
        {"--timeout", "0.000"},
        {"--max-size", "15"},
        {"--max-size", "1025M"},
        {"--max-size", "1073741825"},
        {"--max-size", "0"},
        {"--host-port", "1-65536"},
        {"--port", "010"},
        {"--max-size", "1073741824M"},
    };
    for (size_t i = 0; i < sizeof out_of_range / sizeof *out_of_range; i++) {
        const char *arguments[] = {"-i", "b", "-f", "x", out_of_range[i][0], out_of_range[i][1],
                                   NULL};
        struct parse *it = parse(arguments);
        assert_int_equal(it->outcome, OPTIONS_ERROR);
        parse_free(it);
    }
}

/* -a, else --auth-file, else ESP_OTA_AUTH; an empty password is an answer, an empty variable none.
 */
static void test_which_password(void **state)
{
    (void)state;
    char path[64], file_option[80];

    snprintf(path, sizeof path, "%s/password", home);
    snprintf(file_option, sizeof file_option, "--auth-file=%s", path);
    files_write_text(path, "from file\n");
    const struct {
        const char *variable;
        const char *option;
        const char *password;
    } rows[] = {
        {"from variable", NULL, "from variable"},
        {"from variable", "--auth=mine", "mine"},
        {"from variable", "--auth=", ""},
        {"from variable", file_option, "from file"},
        {NULL, file_option, "from file"},
        {"", NULL, NULL},
        {NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].variable)
            setenv("ESP_OTA_AUTH", rows[i].variable, 1);
        const char *arguments[] = {"-i", "b", "-f", "x", rows[i].option, NULL};
        struct parse *it = parse(arguments);
        assert_int_equal(it->outcome, OPTIONS_RUN);
        if (rows[i].password)
            assert_string_equal(it->options.plan.password, rows[i].password);
        else
            assert_null(it->options.plan.password);
        assert_null(getenv("ESP_OTA_AUTH"));
        parse_free(it);
    }
}

/* Standard output or error of one parse. */
static struct parse *parse_captured(const char *const *arguments, int stream, char text[TEXT_MAX])
{
    char path[64];

    snprintf(path, sizeof path, "%s/captured", home);
    fflush(NULL);
    int saved = dup(stream), file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(file, stream);
    struct parse *it = parse(arguments);
    fflush(NULL);
    dup2(saved, stream);
    close(saved);
    ssize_t got = pread(file, text, TEXT_MAX - 1, 0);
    close(file);
    assert_true(got >= 0);
    text[got] = '\0';
    return it;
}

static void test_exposed_file(void **state)
{
    (void)state;

    static const struct {
        mode_t mode;
        const char *extra;
        const char *warning; /* NULL: none */
    } rows[] = {{0600, NULL, NULL},
                {0640, NULL, "every member of its group can read "},
                {0644, NULL, "every user of this computer can read "},
                {0640, "-q", NULL},
                {0644, "-q", NULL}};
    char path[64];
    snprintf(path, sizeof path, "%s/password", home);
    files_write_text(path, "geheim\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[TEXT_MAX];
        const char *arguments[] = {"-i", "b", "-f", "x", "--auth-file", path, rows[i].extra, NULL};
        chmod(path, rows[i].mode);
        struct parse *it = parse_captured(arguments, STDERR_FILENO, text);
        assert_int_equal(it->outcome, OPTIONS_RUN);
        assert_int_equal(strstr(text, "can read") != NULL, rows[i].warning != NULL);
        assert_non_null(strstr(text, rows[i].warning ? rows[i].warning : ""));
        assert_null(strstr(text, "geheim"));
        parse_free(it);
    }
}

static const char *const help_names[] = {
    "-i, --ip HOST",
    "-p, --port PORT",
    "-a, --auth PASSWORD",
    "--auth-file FILE",
    "-m, --md5-target",
    "-f, --file FILE",
    "-s, --spiffs",
    "--filesystem",
    "--max-size BYTES",
    "-I, --host-ip ADDRESS",
    "-P, --host-port PORT",
    "--peer ADDRESS",
    "-t, --timeout SECONDS",
    "-r, --progress",
    "-q, --quiet",
    "--json",
    "-d, --debug",
    "-h, --help",
    "--usage",
    "-V, --version",
    "\nTarget:\n",
    "\nAuthentication:\n",
    "\nImage:\n",
    "\nNetwork:\n",
    "\nOutput:\n",
    "\nExamples:\n",
};

static void test_help(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    struct parse *it = parse_captured((const char *const[]){"--help", NULL}, STDOUT_FILENO, text);

    assert_int_equal(it->outcome, OPTIONS_DONE);
    parse_free(it);
    assert_memory_equal(text, "Usage: esp-ota ", 15);
    for (size_t i = 0; i < sizeof help_names / sizeof *help_names; i++) {
        if (!strstr(text, help_names[i]))
            fail_msg("--help lacks %s", help_names[i]);
    }
    assert_null(strchr(text, '\t'));
    assert_null(strstr(text, " \n"));
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 0, 79);
}

static void test_information(void **state)
{
    (void)state;

    static const struct {
        const char *arguments[ARGUMENTS_MAX];
        const char *start;
    } rows[] = {
        {{"-V"}, "esp-ota " ESP_OTA_VERSION "\n"},
        {{"--version"}, "esp-ota " ESP_OTA_VERSION "\n"},
        {{"--usage"}, "Usage: esp-ota [-i|--ip HOST] "},
        {{"-h"}, "Usage: esp-ota -i HOST "},
        /* with mistakes around it, too */
        {{"--bogus", "-h", "-x"}, "Usage: esp-ota -i HOST "},
        {{"fw.bin", "-V"}, "esp-ota "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[TEXT_MAX];
        struct parse *it = parse_captured(rows[i].arguments, STDOUT_FILENO, text);
        assert_int_equal(it->outcome, OPTIONS_DONE);
        assert_memory_equal(text, rows[i].start, strlen(rows[i].start));
        parse_free(it);
    }
}

static void test_help_full_disk(void **state)
{
    (void)state;
    static const char *const rows[] = {"--help", "--usage", "--version"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
            struct parse *it = parse((const char *const[]){rows[i], NULL});
            bool is_right = it->outcome == OPTIONS_ERROR && it->failure.error == OTA_E_OUTPUT &&
                            strstr(it->failure.message, "No space left on device");
            parse_free(it);
            _exit(is_right ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

/* --json and -q also decide how a mistake on the command line is reported. */
static void test_flags_survive_mistakes(void **state)
{
    (void)state;
    struct parse *it = parse((const char *const[]){"--json", "--bogus", "-q", NULL});
    assert_int_equal(it->outcome, OPTIONS_ERROR);
    assert_true(it->options.report.json);
    assert_true(it->options.report.quiet);
    parse_free(it);
}

static int set_up_option_files(void **state)
{
    (void)state;
    if (!mkdtemp(home))
        return -1;
    unsetenv("ESP_OTA_AUTH");
    unsetenv("ESP_OTA_ENCRYPTION_KEY");
    unsetenv("XDG_CONFIG_HOME");
    return setenv("HOME", home, 1);
}

static int tear_down_option_files(void **state)
{
    (void)state;
    static const char *const files[] = {"password", "captured"};
    char path[64];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", home, files[i]);
        unlink(path);
    }
    return rmdir(home);
}

/* Each allocation fails: no option is left out silently, and nobody's spelling is blamed. */
static void test_without_memory(void **state)
{
    static const char *const lines[][ARGUMENTS_MAX + 1] = {
        {"-i", "http://b", "-i", "http://c", "-f", "x", "-a", SECRET, "--page=wled", "--field=f",
         "--user=u", "--expect-version=1", "--metrics=m", "--debug"},
        {"--match=m*", "--board=k*", "-f", "x", "--expect=up", "--reject=down", "--peer=any",
         "--resume=r", "--verify-key=v", "--sign=k", "--cacert=c"},
        {"--serve=127.0.0.1:80", "-f", "x", "--serve-version=1", "--tls-cert=c", "--tls-key=k"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        bool has_failed = true;
        int failures = 0;

        for (; has_failed; failures++) {
            struct parse *parsed = make_parse(lines[i]);

            failing_start(FAILING_ALLOCATION, failures, ENOMEM);
            parsed->outcome =
                options_parse(&parsed->options, parsed->argc, parsed->argv, &parsed->failure);
            has_failed = failing_stop();
            if (parsed->failure.error != (has_failed ? OTA_E_INTERNAL : OTA_OK))
                fail_msg("line %zu, allocation %d: %s, %s", i, failures,
                         ota_error_name(parsed->failure.error), parsed->failure.message);
            parse_free(parsed);
        }
        assert_true(failures > 5);
    }
}

/* Where --serve listens; NULL: that is no address with a port. */
static void test_serve_addresses(void **state)
{
    static const struct {
        const char *option, *address;
    } rows[] = {
        {"--serve", "[::]:8080"},
        {"--serve=0", "[::]:0"},
        {"--serve=80", "[::]:80"},
        {"--serve=127.0.0.1:81", "127.0.0.1:81"},
        {"--serve=[::1]:82", "[::1]:82"},
        {"--serve=::1:82", NULL},
        {"--serve=[::1:82", NULL},
        {"--serve=[]:82", NULL},
        {"--serve=:82", NULL},
        {"--serve=127.0.0.1", NULL},
        {"--serve=127.0.0.1:65536", NULL},
        {"--serve=127.0.0.300:80", NULL},
        {"--serve=kitchen.local:80", NULL},
        {"--serve=8080x", NULL},
        {"--serve=0000000000000000000000000000000000000000000000000000000000000000000000000000:80",
         NULL},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct parse *parsed = parse((const char *[]){rows[i].option, "-f", "x", NULL});
        char text[ADDRESS_TEXT_MAX + 8] = "";

        if ((parsed->failure.error == OTA_E_USAGE) != !rows[i].address)
            fail_msg("%s: %s", rows[i].option, parsed->failure.message);
        if (rows[i].address)
            assert_string_equal(address_text_port(text, &parsed->options.serve.address),
                                rows[i].address);
        else
            assert_non_null(strstr(parsed->failure.message, "nor an address of this computer"));
        parse_free(parsed);
    }
}

static void test_serve_versions(void **state)
{
    static const struct {
        const char *version;
        bool is_valid;
    } rows[] = {{"1", true},   {"1.2 beta~", true}, {"", false},        {" 1", false},
                {"1 ", false}, {"1\t2", false},     {"\303\244", false}};
    enum { LONGEST = 120 };
    char longest[LONGEST + 2] = "";
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct parse *parsed =
            parse((const char *[]){"--serve", "-f", "x", "--serve-version", rows[i].version, NULL});

        if ((parsed->failure.error == OTA_OK) != rows[i].is_valid)
            fail_msg("\"%s\": %s", rows[i].version, parsed->failure.message);
        if (rows[i].is_valid)
            assert_string_equal(parsed->options.serve.version, rows[i].version);
        parse_free(parsed);
    }

    memset(longest, '1', LONGEST - 1);
    for (size_t length = LONGEST; length <= LONGEST + 1; length++) {
        longest[length - 1] = '1';
        struct parse *parsed =
            parse((const char *[]){"--serve", "-f", "x", "--serve-version", longest, NULL});
        assert_int_equal(parsed->failure.error, length == LONGEST ? OTA_OK : OTA_E_USAGE);
        parse_free(parsed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted_options),
        cmocka_unit_test(test_shared_settings),
        cmocka_unit_test(test_rejected),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_which_password),
        cmocka_unit_test(test_exposed_file),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_information),
        cmocka_unit_test(test_help_full_disk),
        cmocka_unit_test(test_flags_survive_mistakes),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_serve_addresses),
        cmocka_unit_test(test_serve_versions),
    };
    return cmocka_run_group_tests(tests, set_up_option_files, tear_down_option_files);
}
