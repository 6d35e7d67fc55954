/*
 * test-multipart.c: the bytes of an upload's body, and where its file begins and ends.
 */
#include "http/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --wrap: how often the random digits are the same; -1: they do not come. */
static int same_digits;
int __real_digest_random(char *hex, size_t digits);
int __wrap_digest_random(char *hex, size_t digits);

int __wrap_digest_random(char *hex, size_t digits)
{
    if (same_digits < 0)
        return -1;
    if (same_digits == 0)
        return __real_digest_random(hex, digits);
    same_digits--;
    memset(hex, '7', digits);
    hex[digits] = '\0';
    return 0;
}

static const unsigned char image[] = "\xe9image\r\n--with\0bytes";

static const struct multipart_file file = {
    .field = "firmware", .filename = "fw.bin", .data = image, .size = sizeof image};

/* Reads the whole body in steps. The caller frees it. */
static char *read_body(const struct multipart *body, size_t step)
{
    size_t size = multipart_size(body), offset = 0;
    char *text = calloc(1, size + step + 1);

    assert_non_null(text);
    for (;;) {
        size_t got = multipart_read(body, offset, text + offset, step);

        assert_true(got <= step);
        if (got == 0)
            break;
        offset += got;
    }
    assert_int_equal(offset, size);
    return text;
}

static void test_bytes(void **state)
{
    static const struct multipart_field fields[] = {{"MD5", "0123"}, {"skipValidation", "1"}};
    struct multipart body;
    char head[512], tail[64];

    (void)state;
    assert_int_equal(multipart_make(&body, &file, fields, 2), 0);
    snprintf(head, sizeof head,
             "--%s\r\nContent-Disposition: form-data; name=\"MD5\"\r\n\r\n0123\r\n"
             "--%s\r\nContent-Disposition: form-data; name=\"skipValidation\"\r\n\r\n1\r\n"
             "--%s\r\nContent-Disposition: form-data; name=\"firmware\"; filename=\"fw.bin\"\r\n"
             "Content-Type: application/octet-stream\r\n\r\n",
             body.boundary, body.boundary, body.boundary);
    snprintf(tail, sizeof tail, "\r\n--%s--\r\n", body.boundary);

    for (size_t step = 1; step < 600; step += 13) {
        char *text = read_body(&body, step);

        assert_memory_equal(text, head, strlen(head));
        assert_memory_equal(text + strlen(head), image, sizeof image);
        assert_string_equal(text + strlen(head) + sizeof image, tail);
        free(text);
    }
}

/* arduino-esp32 before 3.3.8 copies the boundary onto its stack. */
static void test_boundary(void **state)
{
    struct multipart first, second;

    (void)state;
    assert_int_equal(multipart_make(&first, &file, NULL, 0), 0);
    assert_int_equal(multipart_make(&second, &file, NULL, 0), 0);
    assert_string_not_equal(first.boundary, second.boundary);
    assert_true(strlen(first.boundary) <= 40);
    assert_int_equal(strspn(first.boundary, "abcdefghijklmnopqrstuvwxyz0123456789"),
                     strlen(first.boundary));
}

/* A boundary that is in the image would end it there: another one is chosen, and none at all rather
 * than this one. */
static void test_boundary_in_the_image(void **state)
{
    const unsigned char taken[] = "\xe9 --espota7777777777777777 and more";
    struct multipart_file other = {
        .field = "firmware", .filename = "fw.bin", .data = taken, .size = sizeof taken};
    struct multipart body;

    (void)state;
    same_digits = 3;
    assert_int_equal(multipart_make(&body, &other, NULL, 0), 0);
    assert_int_equal(same_digits, 0);
    assert_null(memmem(taken, sizeof taken, body.boundary, strlen(body.boundary)));

    same_digits = 1000;
    assert_int_equal(multipart_make(&body, &other, NULL, 0), -1);
    same_digits = -1;
    assert_int_equal(multipart_make(&body, &file, NULL, 0), -1);
    same_digits = 0;
}

static void test_file_part(void **state)
{
    struct multipart body;

    (void)state;
    assert_int_equal(multipart_make(&body, &file, NULL, 0), 0);
    assert_int_equal(multipart_file_part(&body, 0), 0);
    assert_int_equal(multipart_file_part(&body, body.head_length), 0);
    assert_int_equal(multipart_file_part(&body, body.head_length + 3), 3);
    assert_int_equal(multipart_file_part(&body, multipart_size(&body)), sizeof image);
    assert_int_equal(multipart_read(&body, multipart_size(&body), (char[8]){0}, 8), 0);
}

static void test_names(void **state)
{
    static const char *const bad[] = {"", "a\"b", "a=b", "a;b", "a\\b", "a\r\nb", "\xc3\xa4"};
    char longest[MULTIPART_NAME_MAX + 2];
    struct multipart body;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct multipart_file other = file;
        const struct multipart_field field = {"name", bad[i]};

        assert_false(multipart_is_name(bad[i]));
        other.field = bad[i];
        assert_int_equal(multipart_make(&body, &other, NULL, 0), -1);
        assert_int_equal(multipart_make(&body, &file, &field, 1), -1);
    }
    memset(longest, 'a', sizeof longest);
    longest[MULTIPART_NAME_MAX + 1] = '\0';
    assert_false(multipart_is_name(longest));
    longest[MULTIPART_NAME_MAX] = '\0';
    assert_true(multipart_is_name(longest));
}

/* Fields that leave no room for the file's own part are an error, not a cut body. */
static void test_too_many_fields(void **state)
{
    struct multipart_field fields[16];
    struct multipart body;

    (void)state;
    for (size_t i = 0; i < 16; i++)
        fields[i] = (struct multipart_field){"name", "value"};
    assert_int_equal(multipart_make(&body, &file, fields, 16), -1);
}

static void test_raw(void **state)
{
    const unsigned char bytes[] = "\x7f image";
    struct multipart body;
    char read[sizeof bytes] = {0};

    (void)state;
    multipart_make_raw(&body, "text/plain", bytes, sizeof bytes);
    assert_string_equal(body.boundary, "");
    assert_int_equal(multipart_size(&body), sizeof bytes);
    assert_int_equal(multipart_read(&body, 1, read, sizeof read), sizeof bytes - 1);
    assert_memory_equal(read, bytes + 1, sizeof bytes - 1);
    assert_int_equal(multipart_file_part(&body, 3), 3);

    multipart_make_raw(&body, "text/plain", NULL, 0);
    assert_int_equal(multipart_size(&body), 0);
    assert_int_equal(multipart_read(&body, 0, read, sizeof read), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_boundary),
        cmocka_unit_test(test_boundary_in_the_image),
        cmocka_unit_test(test_file_part),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_too_many_fields),
        cmocka_unit_test(test_raw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
