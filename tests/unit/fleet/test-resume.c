/*
 * test-resume.c: reports of earlier runs, whole, cut short and foreign.
 */
#include "fleet/resume.h"

#include "base/text.h"
#include "support/failing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define IMAGE(command, sha256) ",\"command\":\"" command "\",\"sha256\":\"" sha256 "\"}\n"
#define START(board) "{\"event\":\"start\",\"board\":\"" board "\",\"sha256\":\"" A64 "\"}\n"
#define RESULT(board, ok, port, command, sha256)                                                   \
    "{\"event\":\"result\",\"time\":0.1,\"board\":\"" board "\",\"ok\":" ok ",\"port\":" port      \
    IMAGE(command, sha256)
#define OK(board) RESULT(board, "true", "8266", "sketch", A64)
#define BAD(board) RESULT(board, "false", "8266", "sketch", A64)
#define SKIPPED(board, code, port)                                                                 \
    "{\"event\":\"skipped\",\"board\":\"" board "\",\"code\":\"" code                              \
    "\",\"port\":" port IMAGE("sketch", A64)

static enum ota_error read_report_text(struct resume **resume, const char *text, size_t length,
                                       struct ota_failure *failure)
{
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, length, stream), length);
    rewind(stream);
    enum ota_error error = resume_read(resume, stream, "old\n", failure);
    fclose(stream);
    return error;
}

static const struct {
    const char *text;
    bool plain; /* is "k" confirmed, without a port, image A, sketch? */
    bool with_8266;
} confirmed_boards_rows[] = {
    {OK("k"), true, true},
    {START("k") OK("k") "{\"event\":\"summary\",\"board\":null,\"ok\":true}\n", true, true},
    {"\xef\xbb\xbf" OK("k"), true, true},
    {OK("j"), false, false},
    {OK("K"), false, false},
    {BAD("k"), false, false},
    {START("k") BAD("j"), false, false},
    {"{\"event\":\"x\"}\r\n" OK("k"), true, true},
    /* the image */
    {RESULT("k", "true", "8266", "sketch", B64), false, false},
    {RESULT("k", "true", "8266", "filesystem", A64), false, false},
    {RESULT("k", "true", "8266", "filesystem", B64) OK("k"), true, true},
    {OK("k") RESULT("k", "true", "8266", "sketch", B64), false, false},
    /* the last one counts */
    {BAD("k") OK("k"), true, true},
    {OK("k") BAD("k"), false, false},
    {OK("k") BAD("j"), true, true},
    {OK("k") RESULT("k", "false", "null", "sketch", A64), false, false},
    {RESULT("k", "false", "null", "sketch", A64) OK("k"), true, true},
    /* two boards behind one address */
    {RESULT("k", "true", "1", "sketch", A64) OK("k"), true, true},
    {RESULT("k", "true", "1", "sketch", A64) BAD("k"), false, false},
    {RESULT("k", "false", "1", "sketch", A64) OK("k"), false, true},
    {RESULT("k", "true", "1", "sketch", A64), true, false},
    {RESULT("k", "true", "4294975562", "sketch", A64), true, false}, /* 8266 in 32 bits */
    /* handed on by a run that resumed */
    {OK("j") SKIPPED("k", "confirmed", "8266"), true, true},
    {SKIPPED("k", "confirmed", "null"), true, false},
    {SKIPPED("k", "confirmed", "null") RESULT("k", "true", "1", "sketch", B64), false, false},
    {RESULT("k", "true", "8266", "sketch", B64) SKIPPED("k", "confirmed", "8266"), true, true},
    {OK("j") SKIPPED("k", "untried", "8266"), false, false},
    {OK("k") SKIPPED("k", "untried", "8266"), true, true},
    {OK("k") SKIPPED("k", "duplicate", "8266"), true, true},
    /* the end of a killed run */
    {OK("k") "{\"event\":\"progr", true, true},
    {OK("k") "{", true, true},
    {OK("k") "{\"event\":\"result\",\"board\":\"k\",\"ok\":fal", true, true},
    {OK("k") "{\"event\":\"result\",\"board\":\"k\",\"ok\":false}", false, false},
    /* a run that came to no board */
    {"{\"event\":\"result\",\"board\":null,\"ok\":false}\n", false, false},
};

static void test_confirmed_boards(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof confirmed_boards_rows / sizeof *confirmed_boards_rows; i++) {
        struct resume *resume;
        struct ota_failure failure;
        if (read_report_text(&resume, confirmed_boards_rows[i].text,
                             strlen(confirmed_boards_rows[i].text), &failure) != OTA_OK)
            fail_msg("row %zu: %s", i, failure.message);
        if (resume_is_confirmed(resume, "k", 0, A64, OTA_COMMAND_SKETCH) !=
                confirmed_boards_rows[i].plain ||
            resume_is_confirmed(resume, "k", 8266, A64, OTA_COMMAND_SKETCH) !=
                confirmed_boards_rows[i].with_8266)
            fail_msg("row %zu: %s", i, confirmed_boards_rows[i].text);
        assert_false(resume_is_confirmed(resume, "k", 3232, A64, OTA_COMMAND_SKETCH));
        assert_false(resume_is_confirmed(resume, "", 0, A64, OTA_COMMAND_SKETCH));
        assert_false(resume_is_confirmed(resume, "k", 0, "", OTA_COMMAND_SKETCH));
        resume_free(resume);
    }
}

static void test_filesystem(void **state)
{
    static const char text[] = RESULT("k\\\\x1b", "true", "1", "filesystem", B64);
    struct resume *resume;
    struct ota_failure failure;

    (void)state;
    assert_int_equal(read_report_text(&resume, text, strlen(text), &failure), OTA_OK);
    assert_true(resume_is_confirmed(resume, "k\\x1b", 0, B64, OTA_COMMAND_FILESYSTEM));
    assert_false(resume_is_confirmed(resume, "k\\x1b", 0, B64, OTA_COMMAND_SKETCH));
    assert_false(resume_is_confirmed(resume, "k\x1b", 0, B64, OTA_COMMAND_FILESYSTEM));
    resume_free(resume);
}

static void test_refused_reports(void **state)
{
    static const char expected[] = "--resume takes what an earlier run with --json has printed";
    static const struct {
        const char *text;
        size_t length; /* 0: the text's */
        const char *message;
    } rows[] = {
        {"", 0, "old\\n is empty, perhaps because this run writes to it"},
        {"\n", 0, "line 1 is not JSON"},
        {"\xef\xbb\xbf", 0, "has no events of boards"},
        {OK("k") "\xef\xbb\xbf\n", 0, "line 2 is not JSON"},
        {"{\"event\":\"resul", 0, "has no events of boards"},
        {"{\"event\":\"note\"}\n", 0, "has no events of boards"},
        {"esp-ota: kitchen: done\n", 0, "old\\n, line 1 is not JSON"},
        {OK("k") "kitchen", 0, "line 2 is not JSON"},
        {OK("k") "{\"evenT\":\"progr", 0, "line 2 is not JSON"},
        {OK("k") "{\"event\":\"progr\n", 0, "line 2 is not JSON"},
        {OK("k") "{\"event\":\"progr" OK("k"), 0, "line 2 is not JSON"},
        {OK("k") OK("k") "{\"event\":\"\xff\"}\n", 0, "line 3 is not JSON"},
        {OK("k") "\0\n", sizeof OK("k") + 1, "line 2 is not JSON"},
        {"[]\n", 0, "line 1 is not an event"},
        {"{}\n", 0, "line 1 is not an event"},
        {"{\"event\":1}\n", 0, "line 1 is not an event"},
        {"{\"event\":\"result\"}\n", 0, "line 1 does not say which board"},
        {"{\"event\":\"result\",\"board\":1,\"ok\":false}\n", 0, "line 1 does not say which board"},
        {"{\"event\":\"result\",\"board\":null,\"ok\":true}\n", 0, "does not say which board"},
        {"{\"event\":\"result\",\"board\":\"k\",\"ok\":true}\n", 0, "does not say which image"},
        {RESULT("k", "true", "1", "sketch", "abc"), 0, "does not say which image"},
        {RESULT("k", "true", "1", "bootloader", A64), 0, "does not say which image"},
        {"{\"event\":\"skipped\",\"board\":\"k\",\"code\":\"confirmed\"}\n", 0, "which image"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct resume *resume;
        struct ota_failure failure = {0};
        size_t length = rows[i].length ? rows[i].length : strlen(rows[i].text);
        if (read_report_text(&resume, rows[i].text, length, &failure) != OTA_E_USAGE ||
            failure.error != OTA_E_USAGE || !strstr(failure.message, rows[i].message) ||
            !strstr(failure.message, expected))
            fail_msg("row %zu, %s: %s", i, rows[i].text, failure.message);
        assert_null(resume);
    }
}

/* A run that was killed early has no results: nothing is confirmed, and all is to be done. */
static void test_cut_short_early(void **state)
{
    static const char *const texts[] = {START("k"), SKIPPED("k", "untried", "1")};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct resume *resume;
        struct ota_failure failure = {0};
        assert_int_equal(read_report_text(&resume, texts[i], strlen(texts[i]), &failure), OTA_OK);
        assert_false(resume_is_confirmed(resume, "k", 0, A64, OTA_COMMAND_SKETCH));
        resume_free(resume);
    }
}

/* A line as long as is allowed, and one byte more. */
static void test_long_line(void **state)
{
    char *text = malloc(RESUME_LINE_MAX + sizeof OK("k") + 1);

    (void)state;
    assert_non_null(text);
    for (size_t excess = 0; excess < 2; excess++) {
        struct resume *resume;
        struct ota_failure failure;
        size_t length = RESUME_LINE_MAX + excess;
        memset(text, ' ', length);
        memcpy(text, "{\"event\":\"x\"}", 13);
        text[length - 1] = '\n';
        memcpy(text + length, OK("k"), sizeof OK("k") - 1);
        length += sizeof OK("k") - 1;
        enum ota_error error = read_report_text(&resume, text, length, &failure);
        assert_int_equal(error, excess ? OTA_E_USAGE : OTA_OK);
        if (excess)
            assert_non_null(strstr(failure.message, "line 1 is longer than 64 KiB"));
        resume_free(resume);
    }
    free(text);
}

/* As many boards as one run can have, twice. */
static void test_many_reports(void **state)
{
    enum { BOARDS = 10000 };
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);

    (void)state;
    assert_non_null(stream);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < BOARDS; i++)
            fprintf(stream, RESULT("board-%d", "%s", "8266", "sketch", A64), i,
                    round && i % 3 == 0 ? "false" : "true");
    }
    fclose(stream);
    struct resume *resume;
    struct ota_failure failure;
    assert_int_equal(read_report_text(&resume, text, length, &failure), OTA_OK);
    for (int i = 0; i < BOARDS; i++) {
        char board[32];
        snprintf(board, sizeof board, "board-%d", i);
        assert_int_equal(resume_is_confirmed(resume, board, 0, A64, OTA_COMMAND_SKETCH),
                         i % 3 != 0);
    }
    resume_free(resume);
    free(text);
}

static void test_reported_port(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint16_t port;
    } rows[] = {
        {OK("k"), 8266},
        {OK("k") RESULT("k", "true", "1", "sketch", A64), 0},
        {OK("k") SKIPPED("k", "confirmed", "null"), 8266},
        {SKIPPED("k", "confirmed", "null"), 0},
        {OK("j"), 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct resume *resume;
        struct ota_failure failure;

        assert_int_equal(read_report_text(&resume, rows[i].text, strlen(rows[i].text), &failure),
                         OTA_OK);
        assert_int_equal(resume_port(resume, "k"), rows[i].port);
        resume_free(resume);
    }
}

#define AT(board, port, address)                                                                   \
    "{\"event\":\"result\",\"board\":\"" board "\",\"ok\":true,\"port\":" port                     \
    ",\"address\":" address IMAGE("sketch", A64)

#define OF(board, port, addresses)                                                                 \
    "{\"event\":\"result\",\"board\":\"" board "\",\"ok\":true,\"port\":" port                     \
    ",\"address\":\"10.0.0.7\",\"addresses\":" addresses IMAGE("sketch", A64)

static void test_reported_address(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *address; /* NULL: none */
    } rows[] = {
        {AT("k", "8266", "\"10.0.0.7\""), "10.0.0.7"},
        {AT("k", "8266", "\"fd00::7\""), "fd00::7"},
        {AT("k", "8266", "\"10.0.0.7\"") AT("k", "80", "\"10.0.0.7\""), "10.0.0.7"},
        {AT("k", "8266", "\"10.0.0.7\"") AT("k", "80", "\"10.0.0.8\""), NULL},
        {AT("k", "8266", "\"10.0.0.7\"") AT("k", "8266", "\"10.0.0.8\""), "10.0.0.8"},
        {AT("k", "8266", "\"10.0.0.7\"") AT("k", "80", "null"), "10.0.0.7"},
        {AT("k", "8266", "\"10.0.0.7\"") BAD("k"), NULL},
        {AT("k", "8266", "null"), NULL},
        {AT("k", "8266", "7"), NULL},
        {AT("k", "8266", "\"kitchen\""), NULL},
        {AT("j", "8266", "\"10.0.0.7\""), NULL},
        {OK("k"), NULL},
        {"{\"event\":\"skipped\",\"board\":\"k\",\"code\":\"confirmed\",\"port\":null,"
         "\"address\":\"10.0.0.7\"" IMAGE("sketch", A64),
         "10.0.0.7"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[ADDRESS_TEXT_MAX];
        struct address address;
        struct resume *resume;
        struct ota_failure failure;

        assert_int_equal(read_report_text(&resume, rows[i].text, strlen(rows[i].text), &failure),
                         OTA_OK);
        assert_int_equal(resume_address(&address, resume, "k"), rows[i].address != NULL);
        if (rows[i].address)
            assert_string_equal(address_text(text, &address), rows[i].address);
        resume_free(resume);
    }
}

/* No lack of memory is taken for an error in the report, or for another report. */
static void test_report_no_memory(void **state)
{
    static const char text[] = START("k") OK("k") BAD("j");
    int made = 0;
    (void)state;

    for (bool has_failed = true; has_failed; made++) {
        struct resume *resume;
        struct ota_failure failure;
        failing_start(FAILING_ALLOCATION, made, ENOMEM);
        enum ota_error error = read_report_text(&resume, text, strlen(text), &failure);
        has_failed = failing_stop();
        assert_int_equal(error, has_failed ? OTA_E_INTERNAL : OTA_OK);
        if (error == OTA_OK)
            assert_true(resume_is_confirmed(resume, "k", 0, A64, OTA_COMMAND_SKETCH));
        resume_free(resume);
    }
    assert_true(made > 30);
}

static void test_load_report(void **state)
{
    char path[] = "/tmp/test-resume-XXXXXX";
    struct resume *resume;
    struct ota_failure failure;
    int descriptor = mkstemp(path);

    (void)state;
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, OK("k"), strlen(OK("k"))), strlen(OK("k")));
    assert_int_equal(resume_load(&resume, path, &failure), OTA_OK);
    assert_true(resume_is_confirmed(resume, "k", 0, A64, OTA_COMMAND_SKETCH));
    resume_free(resume);
    close(descriptor);
    unlink(path);

    assert_int_equal(resume_load(&resume, "/no\x1bwhere", &failure), OTA_E_USAGE);
    assert_string_equal(failure.message,
                        "cannot open the report /no\\x1bwhere: No such file or directory");
    assert_null(resume);
    assert_int_equal(resume_load(&resume, "/tmp", &failure), OTA_E_USAGE);
    assert_string_equal(failure.message, "cannot read the report /tmp: Is a directory");
    assert_null(resume);
    assert_int_equal(resume_load(&resume, "/dev/zero", &failure), OTA_E_USAGE);
    assert_string_equal(failure.message,
                        "cannot open the report /dev/zero: it is a device, not a file");
    resume_free(NULL);
}

/* As they are reported; a later result of the board replaces them. */
static void test_reported_addresses(void **state)
{
    static const struct {
        const char *text;
        const char *addresses; /* of "k" */
    } rows[] = {
        {OF("k", "8266", "[\"10.0.0.7\",\"fd00::7\"]"), "10.0.0.7 fd00::7 "},
        {OF("k", "8266", "[\"fd00::7\",\"fd00::7\"]"), "10.0.0.7 fd00::7 "},
        {OF("k", "8266", "[7,\"x\",null,\"fd00::7\"]"), "10.0.0.7 fd00::7 "},
        {OF("k", "8266", "[\"10.0.0.8\",\"10.0.0.9\",\"10.0.0.10\"]"),
         "10.0.0.7 10.0.0.8 10.0.0.9 "},
        {OF("k", "8266", "[0,0,0,0,0,0,0,0,\"fd00::7\"]"),
         "10.0.0.7 "}, /* more than a board can have */
        {OF("k", "8266", "{\"fd00::7\":[]}"), "10.0.0.7 "},
        {OF("k", "8266", "null"), "10.0.0.7 "},
        {OF("k", "8266", "\"fd00::7\""), "10.0.0.7 "},
        {AT("k", "8266", "\"10.0.0.7\""), "10.0.0.7 "},
        {OF("k", "8266", "[\"fd00::7\"]") OF("k", "80", "[\"fd00::8\"]"),
         "10.0.0.7 fd00::7 fd00::8 "},
        {OF("k", "8266", "[\"fd00::7\"]") OF("k", "8266", "[\"fd00::8\"]"), "10.0.0.7 fd00::8 "},
        {OF("k", "8266", "[\"fd00::7\"]") BAD("k"), ""},
        {OF("j", "8266", "[\"fd00::7\"]"), ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[3 * ADDRESS_TEXT_MAX] = "", one[ADDRESS_TEXT_MAX];
        struct address addresses[3];
        struct ota_failure failure;
        struct resume *resume;

        assert_int_equal(read_report_text(&resume, rows[i].text, strlen(rows[i].text), &failure),
                         OTA_OK);
        const size_t count = resume_addresses(addresses, 3, resume, "k");
        for (size_t k = 0; k < count; k++)
            text_append(text, sizeof text, "%s ", address_text(one, &addresses[k]));
        assert_string_equal(text, rows[i].addresses);
        resume_free(resume);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_confirmed_boards), cmocka_unit_test(test_reported_addresses),
        cmocka_unit_test(test_filesystem),       cmocka_unit_test(test_refused_reports),
        cmocka_unit_test(test_cut_short_early),  cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_many_reports),     cmocka_unit_test(test_report_no_memory),
        cmocka_unit_test(test_load_report),      cmocka_unit_test(test_reported_port),
        cmocka_unit_test(test_reported_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
