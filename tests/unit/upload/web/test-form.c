/*
 * test-form.c: file inputs of genuine and hand-made pages.
 */
#include "upload/web/form.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void find(struct form_inputs *found, const char *html)
{
    form_find_inputs(found, html, strlen(html));
}

static const struct {
    const char *html, *name, *action;
    size_t count;
} inputs_in[] = {
    {"<form method='POST' action='/up' enctype='multipart/form-data'>"
     "<input type='file' name='fw'><input type='submit'></form>",
     "fw", "/up", 1},
    {"<FORM ACTION=/up METHOD=POST><INPUT NAME=fw TYPE=FILE></FORM>", "fw", "/up", 1},
    {"<form action=\"\">\n <input\n type=\"file\"\n accept='.bin'\n name=\"a b\"/></form>", "a b",
     "", 1},
    {"<form action='/x'></form><input type=file name=y>", "y", "", 1},
    {"<form action='/x' ><input type=file name=y ><input type = 'file' name = z></form>", "y", "/x",
     2},
    {"<input type=file>", "", "", 1},
    {"<input type=text name=y><inputs type=file name=z>", "", "", 0},
    {"<form action='/x'><input type=file name='never closed", "never closed", "/x", 1},
    {"<form action='/x\r\nHost: y'><input type=file name='y\r\nz'>", "", ":", 1},
    {"<input type=file name='a\"; filename='>", "", "", 1},
    {"<input type=file name='a\x7f'>", "", "", 1},
    {"<input\ttype=file\rname=x disabled>", "x", "", 1},
    {"<input type=file name =\tx/y disabled", "x/y", "", 1},
    {"<input type=file name", "", "", 1},
    {"<input type=file name ", "", "", 1},
    {"<input type=file name= ", "", "", 1},
    {"<input type=file name=", "", "", 1},
    {"<input type=file n>", "", "", 1},
    {"<input ", "", "", 0},
    {"<!-- <input type=file name=old> --><input type=file name=y>", "y", "", 1},
    {"<!-- <input type=file name=old>", "", "", 0},
    {"<!--><input type=file name=y>", "y", "", 1},
    {"<!-", "", "", 0},
    {"<", "", "", 0},
    {"<input", "", "", 0},
    {"", "", "", 0},
};

static void test_inputs(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof inputs_in / sizeof *inputs_in; i++) {
        struct form_inputs found;

        find(&found, inputs_in[i].html);
        if (found.count != inputs_in[i].count)
            fail_msg("%s: %zu inputs", inputs_in[i].html, found.count);
        assert_string_equal(found.inputs[0].name, inputs_in[i].name);
        assert_string_equal(found.inputs[0].action, inputs_in[i].action);
    }
}

static void test_bounds(void **state)
{
    struct form_inputs found;
    char html[4096] = "<input type=file name=";

    (void)state;
    memset(html + strlen(html), 'a', FORM_TEXT_MAX);
    text_append(html, sizeof html, ">");
    for (int i = 0; i < 10; i++)
        text_append(html, sizeof html, "<input type=file name=b>");
    find(&found, html);
    assert_int_equal(found.count, 11);
    assert_string_equal(found.inputs[0].name, "");
    assert_ptr_equal(form_find_input(&found, "b"), &found.inputs[1]);
    assert_null(form_find_input(&found, "c"));
}

static void test_actions(void **state)
{
    static const struct {
        const char *path, *action, *target; /* target: NULL: elsewhere */
    } rows[] = {
        {"/update", "", "/update"},
        {"/update", "#", "/update"},
        {"/update", "/up#form", "/up"},
        {"/update", "up?x=1#form", "/up?x=1"},
        {"/update", "#/../form", "/update"},
        {"/a/update", "up", "/a/up"},
        {"/a/update", "/up?x=1", "/up?x=1"},
        {"/update", "http://x/y", NULL},
        {"/update", "//x/y", NULL},
        {"/update", "javascript:x()", NULL},
        {"/update", ":", NULL},
        {"/update", "/a b", NULL},
        {"/update", "/\xc3\xbc", NULL},
        {"/update", "\\\\x\\y", NULL}, /* browsers take it for //x/y */
        {"/update", "/a\"b", NULL},
        {"/update", "?", "/update"},
        {"/update", "?x=1", "/update?x=1"},
        {"/a/b?x=/y", "?z=1#form", "/a/b?z=1"},
        {"/update", "/a\x7f", NULL},
        {"update", "up", "up"},
        {"/a/b", "./up", "/a/up"},
        {"/a/b", "../up", "/up"},
        {"/a/b", "../../up", "/up"},
        {"/a/b", "..", "/"},
        {"/a/b", ".", "/a/"},
        {"/a/b", "/./c/.././d/..", "/"},
        {"/a/b", "c/..?x=/../y", "/a/?x=/../y"},
        {"/a/b", ".hidden/..x/x..", "/a/.hidden/..x/x.."},
        {"/a/./b", "", "/a/b"},
        {"/a/b?x=/y", "up", "/a/up"},
        {"/a/b?x=/y", "", "/a/b?x=/y"},
        {"/a/b", "c/./", "/a/c/"},
    };
    char target[FORM_TEXT_MAX], longest[FORM_TEXT_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(form_resolve_action(target, rows[i].path, rows[i].action),
                         rows[i].target != NULL);
        if (rows[i].target)
            assert_string_equal(target, rows[i].target);
    }
    memset(longest, '/', sizeof longest);
    longest[1] = 'a';
    longest[FORM_TEXT_MAX] = '\0';
    assert_false(form_resolve_action(target, "/", longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
