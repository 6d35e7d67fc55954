/*
 * test-packed.c: what may be sent of an image, and that it is compressed once.
 */
#include "upload/esphome/packed.h"

#include "image/gzip.h"
#include "image/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 5000 };

static unsigned char zeros[SIZE];

static struct image make_image(enum image_family family, unsigned char *data, size_t size)
{
    struct image image = {.family = family, .data = data, .size = size};

    assert_int_equal(digest_md5(image.md5, data, size), 0);
    return image;
}

static void test_compressed_once(void **state)
{
    const struct image image = make_image(IMAGE_ESP8266, zeros, SIZE);
    struct packed *list = NULL;
    struct exchange_content plain, packed, again;
    unsigned char unpacked[SIZE];
    char md5[DIGEST_MD5_HEX + 1];

    (void)state;
    assert_true(packed_choose(&list, &image, false, &plain, &packed));
    assert_ptr_equal(plain.data, zeros);
    assert_string_equal(plain.md5, image.md5);
    assert_true(packed.size > 0 && packed.size < SIZE);
    assert_int_equal(gzip_unpack(unpacked, SIZE, packed.data, packed.size), 1);
    assert_memory_equal(unpacked, zeros, SIZE);
    assert_int_equal(digest_md5(md5, packed.data, packed.size), 0);
    assert_string_equal(packed.md5, md5);

    assert_true(packed_choose(&list, &image, false, &plain, &again));
    assert_ptr_equal(again.data, packed.data);

    assert_true(packed_choose(&list, &image, true, &plain, &packed)); /* --verify-key */
    assert_ptr_equal(plain.data, zeros);
    assert_int_equal(packed.size, 0);
    packed_free(list);
}

/* An image for others is not compressed, and one that would grow is not offered. */
static void test_not_compressed(void **state)
{
    static unsigned char noise[] =
        "\xE9\x51\x0c\x93\x77\xa1\x5f\x02\xc8\x3e\x69\xb4\xd6\x18\x2b\xfe";
    const struct image images[] = {make_image(IMAGE_ESP32, zeros, SIZE),
                                   make_image(IMAGE_PICO, zeros, SIZE),
                                   make_image(IMAGE_ESP8266, noise, sizeof noise)};

    (void)state;
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        struct packed *list = NULL;
        struct exchange_content plain, packed;

        assert_true(packed_choose(&list, &images[i], false, &plain, &packed));
        assert_int_equal(plain.size, images[i].size);
        assert_int_equal(packed.size, 0);
        packed_free(list);
    }
}

static void test_compressed_file(void **state)
{
    static unsigned char file[] = "\x1F\x8B\x08 and so on";
    struct image plain_image = make_image(IMAGE_ESP8266, zeros, SIZE);
    struct image image = make_image(IMAGE_UNKNOWN, file, sizeof file);
    struct exchange_content plain, packed;
    struct packed *list = NULL;

    (void)state;
    image.inspection.format = INSPECT_GZIP;
    assert_true(packed_choose(&list, &image, false, &plain, &packed));
    assert_int_equal(plain.size, 0);
    assert_ptr_equal(packed.data, file);

    image.plain = &plain_image; /* -z */
    assert_true(packed_choose(&list, &image, false, &plain, &packed));
    assert_ptr_equal(plain.data, zeros);
    assert_ptr_equal(packed.data, file);
    assert_null(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compressed_once),
        cmocka_unit_test(test_not_compressed),
        cmocka_unit_test(test_compressed_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
