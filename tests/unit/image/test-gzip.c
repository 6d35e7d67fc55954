/*
 * test-gzip.c: packed data unpacks to the same bytes, and packing gives the same result every time.
 */
#include "image/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { SIZE_MAX_TESTED = 200000 };

static unsigned char data[SIZE_MAX_TESTED], unpacked[SIZE_MAX_TESTED + 1];

static bool no_memory;

/* zlib allocates for itself: --wrap of the function that does. */
int __real_inflateInit2_(z_stream *stream, int bits, const char *version, int size);
int __wrap_inflateInit2_(z_stream *stream, int bits, const char *version, int size);
int __wrap_inflateInit2_(z_stream *stream, int bits, const char *version, int size)
{
    return no_memory ? Z_MEM_ERROR : __real_inflateInit2_(stream, bits, version, size);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}

/* Fills data so that each step-th byte is noise and all others are equal. */
static void fill(size_t size, unsigned step)
{
    uint32_t state = 1;

    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        data[i] = i % step == 0 ? (unsigned char)(state >> 24) : 0xFF;
    }
}

static size_t unpack(const unsigned char *packed, size_t size)
{
    z_stream stream = {.next_in = (unsigned char *)packed,
                       .avail_in = (uInt)size,
                       .next_out = unpacked,
                       .avail_out = sizeof unpacked};

    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    inflateEnd(&stream);
    return sizeof unpacked - stream.avail_out;
}

static void test_round_trip(void **state)
{
    static const size_t sizes[] = {500, 1000, 4096, 32768, 65536, 199999, SIZE_MAX_TESTED};
    (void)state;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *packed, *again;
        size_t size, size_again;

        fill(sizes[i], 3);
        assert_true(gzip_pack(&packed, &size, data, sizes[i]));
        assert_non_null(packed);
        assert_true(size < sizes[i]);
        assert_int_equal(unpack(packed, size), sizes[i]);
        assert_memory_equal(unpacked, data, sizes[i]);

        assert_true(gzip_pack(&again, &size_again, data, sizes[i]));
        assert_int_equal(size, size_again);
        assert_memory_equal(packed, again, size);

        free(packed);
        free(again);
    }
}

/* The header says: deflate, no flags, no time, best compression, unknown system. */
static void test_header(void **state)
{
    static const unsigned char header[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255};
    unsigned char *packed;
    size_t size;
    (void)state;

    fill(1000, 3);
    assert_true(gzip_pack(&packed, &size, data, 1000));
    assert_memory_equal(packed, header, sizeof header);
    free(packed);
}

static void test_no_gain(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 16, 1000, 100000};
    (void)state;

    fill(SIZE_MAX_TESTED, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *packed = data;
        size_t size = 1;

        assert_true(gzip_pack(&packed, &size, data, sizes[i]));
        assert_null(packed);
        assert_int_equal(size, 0);
    }
}

/* Only to exactly the size that is expected, and only whole data. */
static void test_unpack(void **state)
{
    (void)state;
    unsigned char content[600], target[601], *packed;
    size_t packed_size;

    memset(content, 'x', sizeof content);
    assert_true(gzip_pack(&packed, &packed_size, content, sizeof content));
    assert_int_equal(gzip_unpack(target, sizeof content, packed, packed_size), 1);
    assert_memory_equal(target, content, sizeof content);
    assert_int_equal(gzip_unpack(target, sizeof content - 1, packed, packed_size), 0);
    assert_int_equal(gzip_unpack(target, sizeof content + 1, packed, packed_size), 0);
    assert_int_equal(gzip_unpack(target, sizeof content, packed, packed_size - 1), 0);
    packed[packed_size - 5] ^= 1; /* of the checksum */
    assert_int_equal(gzip_unpack(target, sizeof content, packed, packed_size), 0);
    free(packed);
}

static void test_gzip_no_memory(void **state)
{
    unsigned char *packed;
    size_t size;
    (void)state;

    fill(1000, 3);
    no_memory = true;
    bool done = gzip_pack(&packed, &size, data, 1000);
    no_memory = false;
    assert_false(done);
    assert_null(packed);

    assert_true(gzip_pack(&packed, &size, data, 1000));
    no_memory = true;
    int found = gzip_unpack(unpacked, 1000, packed, size);
    ssize_t matching = gzip_matches(packed, size, data, 1000);
    no_memory = false;
    assert_int_equal(found, -1);
    assert_int_equal(matching, -1);
    free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_header),
        cmocka_unit_test(test_no_gain),        cmocka_unit_test(test_unpack),
        cmocka_unit_test(test_gzip_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
