/*
 * test-plan.c: the assignment of images and passwords to boards, with real files.
 */
#include "fleet/plan.h"

#include "base/diag.h"
#include "support/failing.h"
#include "support/files.h"
#include "upload/protocols.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/esp-ota-plan-XXXXXX";
static char previous[4096];

static int set_up_plan_folder(void **state)
{
    (void)state;
    if (!getcwd(previous, sizeof previous) || !mkdtemp(directory) || chdir(directory) < 0)
        return -1;
    files_write_text("a.bin", "\1\2image of one kind");
    files_write_text("b.bin", "\1\2image of another kind");
    files_write_text("pw", "secret\n");
    files_write_text("key", "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=\n");
    return 0;
}

static int tear_down_plan_folder(void **state)
{
    static const char *const names[] = {"a.bin", "b.bin", "pw", "key", "hosts", "report"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
    return chdir(previous) < 0 ? -1 : rmdir(directory);
}

/* "kitchen.local:8266 a.bin secret; ..." */
static void describe_plan(char text[1024], const struct plan *plan)
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < plan->count; i++) {
        const struct assignment *assignment = &plan->assignments[i];
        length += (size_t)snprintf(text + length, 1024 - length, "%s%s:%u %s %s%s", i ? "; " : "",
                                   assignment->target.name, assignment->target.port,
                                   assignment->image->path,
                                   assignment->password ? assignment->password : "none",
                                   assignment->is_confirmed ? " confirmed" : "");
        assert_true(length < 1024);
    }
}

static const struct upload_protocol other_protocol = {.name = "other"};

static struct plan_settings make_plan_settings(void)
{
    return (struct plan_settings){.size_limit = IMAGE_SIZE_MAX, .protocol = &other_protocol};
}

static char hosts_path[] = "hosts", report_path[] = "report", image_path[] = "a.bin";
static char common_password[] = "common";

/* Compressed once for all boards. */
static void test_compressed_plan(void **state)
{
    (void)state;
    struct ota_failure failure;
    struct plan plan;
    struct plan_settings settings = make_plan_settings();
    struct host_line boards[2] = {{.number = 0}};
    char board[] = "a.local", other[] = "b.local", path[] = "compressible";
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        assert_true(fputs("\1\2 image", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(target_parse(&boards[0].target, board, &protocol_schemes, &failure), OTA_OK);
    assert_int_equal(target_parse(&boards[1].target, other, &protocol_schemes, &failure), OTA_OK);
    settings.file = path;
    settings.boards = (struct hosts){.lines = boards, .count = 2};
    settings.prepare.compress = true;
    settings.needs_sha256 = true;
    diag_set_level(DIAG_LEVEL_ERROR);
    assert_int_equal(plan_make(&plan, &settings, &failure), OTA_OK);
    diag_set_level(DIAG_LEVEL_INFO);
    const struct image *image = plan.assignments[0].image;
    assert_ptr_equal(plan.assignments[1].image, image);
    assert_int_equal(plan.image_count, 1);
    assert_non_null(image->plain);
    assert_true(image->size < image->file_size);
    assert_string_equal(image->sha256, image->plain->sha256);
    plan_free(&plan);
    assert_int_equal(unlink(path), 0);
}

static const struct {
    const char *boards[4];
    const char *hosts; /* NULL: no --hosts */
    bool no_file;      /* no -f */
    uint16_t port;     /* -p */
    const char *expected;
    size_t images, passwords;
} assignments_rows[] = {
    {{"kitchen.local", "10.0.0.7"},
     NULL,
     false,
     0,
     "kitchen.local:0 a.bin common; 10.0.0.7:0 a.bin common",
     1,
     0},
    {{"k.local", "K.local", "10.0.0.7", "10.0.0.7"},
     NULL,
     false,
     0,
     "k.local:0 a.bin common; 10.0.0.7:0 a.bin common",
     1,
     0},
    {{NULL},
     "k.local\nl.local port=99 file=b.bin auth-file=pw\nm.local file=b.bin\n"
     "n.local auth-file=pw\n",
     false,
     0,
     "k.local:0 a.bin common; l.local:99 b.bin secret; m.local:0 b.bin common; "
     "n.local:0 a.bin secret",
     2,
     1},
    {{NULL},
     "k.local\nl.local port=99\n",
     false,
     7,
     "k.local:7 a.bin common; l.local:99 a.bin common",
     1,
     0},
    {{NULL}, "k.local file=b.bin\nk.local file=b.bin\n", true, 0, "k.local:0 b.bin common", 1, 0},
    {{"k.local"},
     "k.local\nl.local\n",
     false,
     0,
     "k.local:0 a.bin common; l.local:0 a.bin common",
     1,
     0},
};

static void test_assignments(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof assignments_rows / sizeof *assignments_rows; i++) {
        char text[1024];
        struct plan plan;
        struct ota_failure failure;
        struct host_line boards[4] = {{.number = 0}};
        struct plan_settings settings = make_plan_settings();
        settings.password = common_password;
        settings.port = assignments_rows[i].port;
        settings.boards.lines = boards;
        settings.file = assignments_rows[i].no_file ? NULL : image_path;
        for (size_t j = 0; j < 4 && assignments_rows[i].boards[j]; j++, settings.boards.count++)
            assert_int_equal(target_parse(&boards[j].target, assignments_rows[i].boards[j],
                                          &protocol_schemes, &failure),
                             OTA_OK);
        if (assignments_rows[i].hosts) {
            files_write_text("hosts", assignments_rows[i].hosts);
            settings.hosts = hosts_path;
        }
        if (plan_make(&plan, &settings, &failure) != OTA_OK)
            fail_msg("row %zu: %s", i, failure.message);
        describe_plan(text, &plan);
        assert_string_equal(text, assignments_rows[i].expected);
        assert_int_equal(plan.image_count, assignments_rows[i].images);
        assert_int_equal(plan.passwords.count, assignments_rows[i].passwords);
        plan_free(&plan);
    }
}

/* Each target is called by its name; those that share it are told apart, also by --resume. */
static void test_labels(void **state)
{
    (void)state;

    static const struct {
        const char *boards[3], *labels[3];
    } rows[] = {
        {{"k.local:99", "l.local:99", "10.0.0.7"}, {"k.local", "l.local", "10.0.0.7"}},
        {{"k.local:99", "K.local:98", "l.local:99"}, {"k.local:99", "K.local:98", "l.local"}},
        {{"k.local", "k.local:98", "10.0.0.7:98"}, {"k.local", "k.local:98", "10.0.0.7"}},
        {{"[fd00::7]:98", "[FD00:0::7]:99", "fd00::8"},
         {"[fd00::7]:98", "[FD00:0::7]:99", "fd00::8"}},
        {{"http://k.local/a", "http://k.local/b", "http://k.local:8080/a"},
         {"k.local/a", "k.local/b", "k.local:8080/a"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char label[ASSIGNMENT_LABEL_MAX];
        struct plan plan;
        struct ota_failure failure;
        struct host_line boards[3] = {{.number = 0}};
        struct plan_settings settings = make_plan_settings();
        settings.boards = (struct hosts){.lines = boards, .count = 3};
        settings.file = image_path;
        for (size_t n = 0; n < 3; n++)
            assert_int_equal(
                target_parse(&boards[n].target, rows[i].boards[n], &protocol_schemes, &failure),
                OTA_OK);

        if (plan_make(&plan, &settings, &failure) != OTA_OK)
            fail_msg("row %zu: %s", i, failure.message);
        assert_int_equal(plan.count, 3);
        for (size_t n = 0; n < 3; n++)
            assert_string_equal(assignment_label(label, &plan.assignments[n]), rows[i].labels[n]);
        plan_free(&plan);
    }
}

static const struct {
    const char *hosts;
    const char *file; /* -f; NULL: none */
    enum ota_error error;
    const char *phrase;
} failing_lists[] = {
    {"k.local\n", NULL, OTA_E_USAGE, "no firmware is named for k.local; add file=FILE"},
    {"k.local\n", "missing.bin", OTA_E_IMAGE, "missing.bin"},
    {"k.local file=missing.bin\n", "a.bin", OTA_E_IMAGE, "missing.bin"},
    {"k.local auth-file=./missing\n", "a.bin", OTA_E_USAGE, "password file ./missing"},
    {"k.local port=0\n", "a.bin", OTA_E_USAGE, "hosts, line 1"},
    {"# nobody\n", "a.bin", OTA_E_USAGE, "hosts"},
    {"\nk.local file=missing.bin\n", "a.bin", OTA_E_IMAGE, "hosts, line 2: cannot open"},
    {"k.local\nk.local file=b.bin\n", "a.bin", OTA_E_USAGE,
     "hosts, line 2: k.local would get two different images"},
    {"k.local\nespota://k.local\n", "a.bin", OTA_E_USAGE,
     "hosts, line 2: k.local is named twice, with espota:// and without, which means other; leave "
     "one of them out"},
    {"http://k.local\nespota://k.local\n", "a.bin", OTA_E_USAGE,
     "k.local is named twice, with http:// and with espota://; leave one of them out"},
    {"k.local protocol=web\nk.local\n", "a.bin", OTA_E_USAGE,
     "k.local is named twice, with the protocols web and other; leave one of them out"},
    {"ftp://k.local\n", "a.bin", OTA_E_USAGE, "with another scheme than espota://"},
    {"*\n", "a.bin", OTA_E_USAGE, "and needs --serve"},
    {"espota://k.local protocol=web\n", "a.bin", OTA_E_USAGE,
     "k.local has espota:// before its name and web as its protocol"},
    {"espota://k.local page=tasmota\n", "a.bin", OTA_E_USAGE,
     "are for update pages; write http:// before its name"},
    {"http://k.local page=tasmota\nhttp://k.local page=wled\n", "a.bin", OTA_E_USAGE,
     "is named twice with different page=, field= or user="},
    {"http://k.local page=tasmota\nhttp://k.local\n", "a.bin", OTA_E_USAGE,
     "is named twice with different page=, field= or user="},
    {"http://k.local\nhttps://k.local\n", "a.bin", OTA_E_USAGE,
     "k.local is named twice, with http:// and with https://; leave one of them out"},
    {"https://k.local\nk.local protocol=web\n", "a.bin", OTA_E_USAGE,
     "k.local is named twice, with https:// and without; leave one of them out"},
    {"k.local protocol=web\nhttps://k.local\n", "a.bin", OTA_E_USAGE,
     "k.local is named twice, with https:// and without; leave one of them out"},
    {"http://me@k.local\nhttp://you@k.local\n", "a.bin", OTA_E_USAGE,
     "k.local is named twice with different users; leave one of them out"},
    {"k.local expect=one\nk.local expect=two\n", "a.bin", OTA_E_USAGE,
     "is named twice with different expect="},
    {"k.local expect=one\nk.local\n", "a.bin", OTA_E_USAGE,
     "is named twice with different expect="},
    {"k.local auth-file=pw\nk.local auth-file=key\n", "a.bin", OTA_E_USAGE,
     "hosts, line 2: k.local is named twice with different passwords; leave one of them out"},
    {"k.local\nk.local auth-file=pw\n", "a.bin", OTA_E_USAGE,
     "is named twice with different passwords"},
    {"esphome://k.local encryption-key-file=key\nesphome://k.local\n", "a.bin", OTA_E_USAGE,
     "hosts, line 2: k.local is named twice with different encryption keys; leave one of them "
     "out"},
    {"esphome://k.local encryption-key-file=./missing\n", "a.bin", OTA_E_USAGE, "./missing"},
    {"espota://k.local encryption-key-file=key\n", "a.bin", OTA_E_USAGE,
     "k.local has an encryption key, but would get its image by espota"},
};

static void test_plan_failures(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof failing_lists / sizeof *failing_lists; i++) {
        struct plan plan;
        struct ota_failure failure;
        struct plan_settings settings = make_plan_settings();
        settings.hosts = hosts_path;
        settings.file = failing_lists[i].file ? strdup(failing_lists[i].file) : NULL;
        files_write_text("hosts", failing_lists[i].hosts);
        assert_int_equal(plan_make(&plan, &settings, &failure), failing_lists[i].error);
        if (!strstr(failure.message, failing_lists[i].phrase))
            fail_msg("no \"%s\" in \"%s\"", failing_lists[i].phrase, failure.message);
        plan_free(&plan);
        free(settings.file);
    }
}

/* The same board twice, where both lines mean the same: the stronger min-auth counts. */
static void test_equal_lines(void **state)
{
    static const char *const rows[] = {
        "k.local expect=one expect=two\nk.local expect=one expect=two min-auth=sha256\n",
        "http://k.local page=tasmota user=me min-auth=sha256\n"
        "http://k.local page=tasmota user=me\n",
        "http://k.local min-auth=sha256\nk.local protocol=web\n",
        "esphome://k.local encryption-key-file=key min-auth=sha256\n"
        "esphome://k.local encryption-key-file=./key\n",
        "k.local auth-file=pw min-auth=sha256\nk.local auth-file=./pw\n",
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct plan plan;
        struct ota_failure failure;
        struct plan_settings settings = make_plan_settings();

        settings.hosts = hosts_path;
        settings.file = image_path;
        files_write_text("hosts", rows[i]);
        if (plan_make(&plan, &settings, &failure) != OTA_OK)
            fail_msg("row %zu: %s", i, failure.message);
        assert_int_equal(plan.count, 1);
        assert_int_equal(plan.assignments[0].min_auth, AUTH_SHA256);
        plan_free(&plan);
    }
}

/* What a command cannot do with expect= is refused, not ignored. */
static void test_useless_expect(void **state)
{
    (void)state;

    for (int is_serving = 0; is_serving < 2; is_serving++) {
        struct plan plan;
        struct ota_failure failure;
        struct plan_settings settings = make_plan_settings();

        settings.hosts = hosts_path;
        settings.file = image_path;
        settings.is_served = is_serving;
        settings.may_lack_image = settings.judges_logs = !is_serving;
        files_write_text("hosts", "k.local expect=one\n");
        assert_int_equal(plan_make(&plan, &settings, &failure), OTA_E_USAGE);
        assert_non_null(strstr(failure.message, is_serving ? "--serve has no use for expect="
                                                           : "k.local has its own expect="));
        plan_free(&plan);
    }
}

/* --serve honours each setting of a line or refuses it: for a board that asks by itself, and for
 * one that is told to fetch. */
static void test_served_settings(void **state)
{
    (void)state;
    static const struct {
        const char *setting;
        bool asks, is_told; /* that it is honoured */
    } rows[] = {
        {"file=a.bin", true, true},        {"auth-file=pw", false, true},
        {"port=81", false, true},          {"min-auth=sha256", false, true},
        {"min-auth=md5", false, true},     {"encryption-key-file=key", false, false},
        {"page=tasmota", false, false},    {"field=update", false, false},
        {"user=me", false, true},          {"protocol=web", false, true},
        {"protocol=espota", false, false}, {"expect=one", false, false},
    };
    static const char *const boards[] = {"24:0A:C4:00:00:01", "192.0.2.7", "k.local", "*",
                                         "http://k.local"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const size_t length = strcspn(rows[i].setting, "=");

        assert_non_null(hosts_find_key(rows[i].setting, length));
        for (size_t j = 0; j < sizeof boards / sizeof *boards; j++) {
            const bool is_told = j == 4;
            struct plan plan;
            struct ota_failure failure = {.error = OTA_OK};
            struct plan_settings settings = make_plan_settings();
            char text[128];

            settings.hosts = hosts_path;
            settings.file = image_path;
            settings.is_served = true;
            snprintf(text, sizeof text, "%s %s\n", boards[j], rows[i].setting);
            files_write_text("hosts", text);
            const enum ota_error error = plan_make(&plan, &settings, &failure);
            plan_free(&plan);
            if (error != ((is_told ? rows[i].is_told : rows[i].asks) ? OTA_OK : OTA_E_USAGE))
                fail_msg("%s%s", text, failure.message);
            if (error != OTA_OK && !strstr(failure.message, "leave"))
                fail_msg("%s%s", text, failure.message);
        }
    }
}

/* Each allocation fails: then there is no plan, in which a board could be missing. */
static void test_plan_without_memory(void **state)
{
    struct plan_settings settings = make_plan_settings();
    int failures = 0;
    (void)state;

    failing_skip_in_valgrind();
    settings.hosts = hosts_path;
    settings.file = image_path;
    files_write_text("hosts", "k.local auth-file=pw expect=one\nl.local file=b.bin auth-file=pw\n"
                              "esphome://m.local encryption-key-file=key\nk.local:99\n");
    for (;; failures++) {
        struct plan plan;
        struct ota_failure failure = {.error = OTA_OK};

        failing_start(FAILING_ALLOCATION, failures, ENOMEM);
        enum ota_error error = plan_make(&plan, &settings, &failure);
        const bool has_failed = failing_stop();
        if (error == OTA_OK) /* libcrypto does without some */
            assert_int_equal(plan.count, 4);
        else if (!has_failed || failure.error != OTA_E_INTERNAL ||
                 failure.cause != OTA_CAUSE_OUT_OF_MEMORY) /* for the remedy */
            fail_msg("allocation %d: %s", failures, failure.message);
        plan_free(&plan);
        if (!has_failed)
            break;
    }
    assert_true(failures > 20);
}

/* A scheme decides, else --protocol. */
static void test_plan_protocols(void **state)
{
    (void)state;
    struct plan plan;
    struct ota_failure failure;
    struct plan_settings settings = make_plan_settings();

    settings.hosts = hosts_path;
    settings.file = image_path;
    files_write_text("hosts", "espota://k.local:99\nl.local\nESPOTA://k.local:99/\n");
    assert_int_equal(plan_make(&plan, &settings, &failure), OTA_OK);
    assert_int_equal(plan.count, 2);
    assert_ptr_equal(plan.assignments[0].protocol, &espota_protocol);
    assert_string_equal(plan.assignments[0].target.name, "k.local");
    assert_int_equal(plan.assignments[0].target.port, 99);
    assert_ptr_equal(plan.assignments[1].protocol, &other_protocol);
    plan_free(&plan);
}

/* Who has confirmed this very image is marked; with another image it is to be updated again. */
static void test_resume(void **state)
{
    (void)state;
    char text[1024], report[1024];
    struct plan plan;
    struct ota_failure failure;
    struct plan_settings settings = make_plan_settings();

    settings.hosts = hosts_path;
    settings.resume = report_path;
    files_write_text("hosts", "k.local file=a.bin\nl.local file=b.bin\nm.local file=a.bin\n");
    struct image *image;
    assert_int_equal(image_load(&image, "a.bin", true, IMAGE_SIZE_MAX, &failure), OTA_OK);
    assert_int_equal(image_add_sha256(image, &failure), OTA_OK);
    size_t length = 0;
    for (const char *name = "kl"; *name; name++)
        length += (size_t)snprintf(
            report + length, sizeof report - length,
            "{\"event\":\"result\",\"time\":1.0,\"board\":\"%c.local\",\"ok\":true,"
            "\"exit_status\":0,\"code\":\"ok\",\"port\":8266,\"command\":\"sketch\","
            "\"sha256\":\"%s\"}\n",
            *name, image->sha256);
    image_free(image);
    files_write_text("report", report);
    assert_int_equal(plan_make(&plan, &settings, &failure), OTA_OK);
    describe_plan(text, &plan);
    assert_string_equal(text, "k.local:0 a.bin none confirmed; l.local:0 b.bin none; "
                              "m.local:0 a.bin none");
    plan_free(&plan);

    /* An instance may have chosen the name of a host that has confirmed. */
    settings.hosts = NULL;
    settings.file = image_path;
    assert_int_equal(plan_make(&plan, &settings, &failure), OTA_OK);
    const struct target host = {.kind = TARGET_LOCAL, .name = "k.local"};
    const struct target instance = {.kind = TARGET_INSTANCE, .name = "k.local"};
    assert_int_equal(plan_add(&plan, &host, &failure), OTA_OK);
    assert_int_equal(plan_add(&plan, &instance, &failure), OTA_OK);
    describe_plan(text, &plan);
    assert_string_equal(text, "k.local:0 a.bin none confirmed; k.local:0 a.bin none");
    plan_free(&plan);
}

static void test_too_many(void **state)
{
    (void)state;
    struct plan plan;
    struct ota_failure failure;
    struct plan_settings settings = make_plan_settings();

    settings.file = image_path;
    assert_int_equal(plan_make(&plan, &settings, &failure), OTA_OK);
    for (int i = 0; i <= PLAN_BOARDS_MAX; i++) {
        char name[32];
        struct target target;
        snprintf(name, sizeof name, "board-%d.local", i);
        assert_int_equal(target_parse(&target, name, &protocol_schemes, &failure), OTA_OK);
        assert_int_equal(plan_add(&plan, &target, &failure),
                         i < PLAN_BOARDS_MAX ? OTA_OK : OTA_E_USAGE);
    }
    assert_int_equal(plan.count, PLAN_BOARDS_MAX);
    plan_free(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compressed_plan), cmocka_unit_test(test_assignments),
        cmocka_unit_test(test_labels),          cmocka_unit_test(test_plan_failures),
        cmocka_unit_test(test_plan_protocols),  cmocka_unit_test(test_resume),
        cmocka_unit_test(test_equal_lines),     cmocka_unit_test(test_useless_expect),
        cmocka_unit_test(test_served_settings), cmocka_unit_test(test_plan_without_memory),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, set_up_plan_folder, tear_down_plan_folder);
}
