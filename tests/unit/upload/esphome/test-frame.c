/*
 * test-frame.c: frames that are complete, and bytes that are none.
 */
#include "upload/esphome/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_frames(void **state)
{
    static const unsigned char bytes[] = {1, 0, 2, 'a', 'b', 1, 0, 1, 'c'};
    struct frame frame = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bool is_last = i == 4 || i == 8;

        assert_int_equal(frame_add(&frame, bytes[i]), is_last ? FRAME_COMPLETE : FRAME_INCOMPLETE);
        if (i == 4) {
            assert_int_equal(frame_length(&frame), 2);
            assert_memory_equal(frame.payload, "ab", 2);
        }
    }
    assert_int_equal(frame_length(&frame), 1);
    assert_memory_equal(frame.payload, "c", 1);
}

static void test_longest(void **state)
{
    unsigned char header[FRAME_HEADER_SIZE];
    struct frame frame = {0};

    (void)state;
    frame_write_header(header, FRAME_PAYLOAD_MAX);
    for (size_t i = 0; i < sizeof header; i++)
        assert_int_equal(frame_add(&frame, header[i]), FRAME_INCOMPLETE);
    for (size_t i = 1; i < FRAME_PAYLOAD_MAX; i++)
        assert_int_equal(frame_add(&frame, 'x'), FRAME_INCOMPLETE);
    assert_int_equal(frame_add(&frame, 'x'), FRAME_COMPLETE);
}

static void test_invalid(void **state)
{
    static const struct {
        unsigned char bytes[FRAME_HEADER_SIZE];
        size_t count; /* of the byte that makes it invalid */
    } rows[] = {
        {{0, 0, 1}, 1}, {{0x94, 0, 1}, 1}, {{1, 0, 0}, 3}, {{1, 1, 1}, 3}, {{1, 255, 255}, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frame frame = {0};

        for (size_t j = 0; j < rows[i].count; j++)
            assert_int_equal(frame_add(&frame, rows[i].bytes[j]),
                             j + 1 == rows[i].count ? FRAME_INVALID : FRAME_INCOMPLETE);
    }
}

static void test_header(void **state)
{
    unsigned char header[FRAME_HEADER_SIZE];

    (void)state;
    frame_write_header(header, 0x0410);
    assert_memory_equal(header, "\x01\x04\x10", sizeof header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
