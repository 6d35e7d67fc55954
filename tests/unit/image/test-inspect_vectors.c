/*
 * test-inspect_vectors.c: first words of programs for several chips, and of other files.
 */
#include "image/inspect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    uint32_t words[4];
    bool is_table;
} rows[] = {
    {{0x20008000, 0x000029C1, 0x000029B9, 0x000029B9}, true},  /* SAMD21, behind its boot loader */
    {{0x20040000, 0x0002A0B5, 0x0002A0C1, 0x0002A0C3}, true},  /* nRF52840 */
    {{0x20020000, 0x08003F45, 0x08003F95, 0x08003F97}, true},  /* STM32F4 */
    {{0x24080000, 0x08003F45, 0x08003F95, 0x08003F97}, true},  /* STM32H7 */
    {{0x20200000, 0x08003F45, 0x08003F95, 0x08003F97}, true},  /* STM32U5 */
    {{0x20008000, 0x000029C0, 0x000029B9, 0x000029B9}, false}, /* no Thumb code */
    {{0x20008000, 0x000029C1, 0, 0x000029B9}, false},
    {{0x20008000, 0x000029C1, 0x000029B9, 0x100029B9}, false},
    {{0x20008002, 0x000029C1, 0x000029B9, 0x000029B9}, false},
    {{0x10008000, 0x000029C1, 0x000029B9, 0x000029B9}, false},
    {{0x40000004, 0x000029C1, 0x000029B9, 0x000029B9}, false},
    {{0x022003E9, 0x40100001, 0x00000021, 0x40100001}, false}, /* ESP8266 */
    {{0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, false},
};

static void test_avr(void **state)
{
    unsigned char data[] = {0x0C, 0x94, 0x72, 0x00, 0x0C, 0x94, 0x9A, 0x00,
                            0x0D, 0x94, 0x9A, 0x00, 0x0C, 0x94, 0x9A, 0x00};

    (void)state;
    assert_true(inspect_has_avr_vectors(data, sizeof data));
    assert_false(inspect_has_avr_vectors(data, sizeof data - 1));
    assert_false(inspect_has_vector_table(data, sizeof data));
    data[4] = 0x0E; /* call */
    assert_false(inspect_has_avr_vectors(data, sizeof data));
}

static void test_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char data[16];

        for (size_t byte = 0; byte < sizeof data; byte++)
            data[byte] = (unsigned char)(rows[i].words[byte / 4] >> byte % 4 * 8);
        assert_int_equal(inspect_has_vector_table(data, sizeof data), rows[i].is_table);
        assert_false(inspect_has_vector_table(data, sizeof data - 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables), cmocka_unit_test(test_avr)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
