/*
 * test-offer.c: the forms and digests of an image. The digests are those of md5sum and sha512sum.
 */
#include "serve/offer.h"

#include "image/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static int calls_left = -1; /* that succeed before one fails; negative: all succeed */

/* --wrap: these fail when it is their turn. */
#define FAILING(type, name, failure, parameters, arguments)                                        \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return calls_left >= 0 && calls_left-- == 0 ? (failure) : __real_##name arguments;         \
    }

FAILING(int, digest_md5, -1, (char hex[DIGEST_MD5_HEX + 1], const void *data, size_t size),
        (hex, data, size))
FAILING(int, digest_sha256, -1, (char hex[DIGEST_SHA256_HEX + 1], const void *data, size_t size),
        (hex, data, size))
FAILING(int, inflateInit2_, Z_MEM_ERROR,
        (z_stream * stream, int bits, const char *version, int size), (stream, bits, version, size))
FAILING(int, digest_sha512, -1, (char hex[DIGEST_SHA512_HEX + 1], const void *data, size_t size),
        (hex, data, size))

static const unsigned char signed_bytes[] = "firmwaresignature";
enum { FIRMWARE_SIZE = 8, SIGNED_SIZE = sizeof signed_bytes - 1 };
#define MD5_FIRMWARE "74b5b5e9570efc5c0553bb327cd41940"
#define SHA256_FIRMWARE "c3bf47ea1f4a4a605470313cacb3a44f4a461f68c6faeab07e737610cb5ac835"
#define MD5_SIGNED "d6617dd867c8c9dc0a317fea4879ddff"

static struct image image_of(const unsigned char *data, size_t size)
{
    return (struct image){.path = (char *)"build/my.bin",
                          .data = (unsigned char *)data,
                          .size = size,
                          .file_size = size};
}

static void test_plain(void **state)
{
    (void)state;
    struct offer offer;
    struct ota_failure failure;
    const struct image image = image_of(signed_bytes, FIRMWARE_SIZE);

    assert_int_equal(offer_make(&offer, &image, OTA_COMMAND_SKETCH, NULL, &failure), OTA_OK);
    assert_string_equal(offer.name, "my.bin");
    assert_ptr_equal(offer.forms[OFFER_PLAIN].data, signed_bytes);
    assert_null(offer.forms[OFFER_PACKED].data);
    assert_null(offer.forms[OFFER_FOR_ESP32].data);
    assert_string_equal(offer.forms[OFFER_PLAIN].md5, MD5_FIRMWARE);
    assert_int_equal(strlen(offer.forms[OFFER_PLAIN].sha512), 128);
    assert_int_equal(offer.forms[OFFER_PLAIN].etag[0], '"');
    assert_int_equal(strlen(offer.forms[OFFER_PLAIN].etag), 66);
    assert_int_equal(offer.running_count, 1);
    assert_true(offer_is_running(&offer, MD5_FIRMWARE));
    assert_false(offer_is_running(&offer, MD5_SIGNED));
}

/* A board with a signed image tells the MD5 of the image without the signature. */
static void test_bounded(void **state)
{
    (void)state;
    struct offer offer;
    struct ota_failure failure;
    struct image image = image_of(signed_bytes, SIGNED_SIZE);

    image.inspection.image_size = FIRMWARE_SIZE;
    assert_int_equal(offer_make(&offer, &image, OTA_COMMAND_SKETCH, NULL, &failure), OTA_OK);
    assert_int_equal(offer.running_count, 2);
    assert_true(offer_is_running(&offer, offer.forms[OFFER_PLAIN].md5));
    assert_true(offer_is_running(&offer, MD5_FIRMWARE));
    assert_string_equal(offer.running_sha256, "");

    image.inspection.hashed_size = FIRMWARE_SIZE;
    assert_int_equal(offer_make(&offer, &image, OTA_COMMAND_SKETCH, NULL, &failure), OTA_OK);
    assert_string_equal(offer.running_sha256, SHA256_FIRMWARE);
}

/* --sign appended the signature: the file is shorter than what is sent. */
static void test_signed(void **state)
{
    (void)state;
    struct offer offer;
    struct ota_failure failure;
    struct image image = image_of(signed_bytes, SIGNED_SIZE), other = image;

    image.file_size = FIRMWARE_SIZE;
    image.for_esp32 = &other;
    other.size--;
    assert_int_equal(offer_make(&offer, &image, OTA_COMMAND_SKETCH, NULL, &failure), OTA_OK);
    assert_int_equal(offer.forms[OFFER_PLAIN].size, SIGNED_SIZE);
    assert_int_equal(offer.forms[OFFER_FOR_ESP32].size, SIGNED_SIZE - 1);
    assert_int_equal(offer.running_count, 1);
    assert_true(offer_is_running(&offer, MD5_FIRMWARE));
}

/* Packed by -z, or before it came to us: the board runs what is in it. */
static void test_packed(void **state)
{
    (void)state;
    struct offer offer;
    struct ota_failure failure;
    unsigned char zeros[512] = {0}, *packed;
    size_t packed_size;

    assert_true(gzip_pack(&packed, &packed_size, zeros, sizeof zeros));
    struct image plain = image_of(zeros, sizeof zeros), image = image_of(packed, packed_size);
    image.plain = &plain;
    assert_int_equal(offer_make(&offer, &image, OTA_COMMAND_SKETCH, "7", &failure), OTA_OK);
    assert_ptr_equal(offer.forms[OFFER_PLAIN].data, zeros);
    assert_ptr_equal(offer.forms[OFFER_PACKED].data, packed);
    assert_int_equal(offer.running_count, 1);
    assert_true(offer_is_running(&offer, "bf619eac0cdf3f68d496ea9344137e8b"));

    image.plain = NULL;
    image.inspection.unpacked_size = sizeof zeros;
    assert_int_equal(offer_make(&offer, &image, OTA_COMMAND_SKETCH, "7", &failure), OTA_OK);
    assert_int_equal(offer.running_count, 2);
    assert_true(offer_is_running(&offer, "bf619eac0cdf3f68d496ea9344137e8b"));
    free(packed);
}

/* Each digest fails in turn: three of each form, and three of what a board may run; and memory to
 * unpack it runs out. */
static void test_failures(void **state)
{
    (void)state;
    struct offer offer;
    struct ota_failure failure;
    unsigned char zeros[512] = {0}, *packed;
    size_t packed_size;

    assert_true(gzip_pack(&packed, &packed_size, zeros, sizeof zeros));
    struct image plain = image_of(packed, packed_size), other = plain, image = plain;
    plain.inspection.unpacked_size = sizeof zeros;
    plain.inspection.image_size = FIRMWARE_SIZE;
    plain.for_esp32 = &other;
    image.plain = &plain;

    int call = 0;
    for (calls_left = 0; offer_make(&offer, &image, OTA_COMMAND_SKETCH, NULL, &failure) != OTA_OK;
         calls_left = ++call) {
        assert_int_equal(calls_left, -1);
        assert_int_equal(failure.error, OTA_E_INTERNAL);
        assert_non_null(strstr(failure.message, call == 11 ? "out of memory" : "my.bin"));
    }
    assert_int_equal(calls_left, 0);
    assert_int_equal(call, 13);
    assert_int_equal(offer.running_count, OFFER_RUNNING_MAX);
    calls_left = -1;
    free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain), cmocka_unit_test(test_bounded),
                                       cmocka_unit_test(test_signed), cmocka_unit_test(test_packed),
                                       cmocka_unit_test(test_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
