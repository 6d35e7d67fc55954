/*
 * inspect_vectors.c: the vector tables with which programs for other microcontrollers begin. That
 * of a Cortex-M (Armv6-M and Armv7-M Architecture Reference Manuals, B1.5.3) has the stack's first
 * address, anywhere in the region for RAM (B3.1), and the addresses of the handlers of reset, NMI
 * and hard fault, which are odd, as they are Thumb code. That of an AVR with 64 KiB or more has
 * instructions: jmp (1001 010k kkkk 110k).
 */
#include "image/inspect_internal.h"

/* The flash of SAMD, nRF52 and RA4M1 begins at 0, that of an STM32 at 0x08000000. */
static bool is_handler(uint32_t address)
{
    return address % 2 == 1 && (address < 0x00200000 || address - 0x08000000 < 0x00200000);
}

bool inspect_has_vector_table(const unsigned char *data, size_t size)
{
    const struct view view = {data, size};
    uint32_t stack = view_u32(view, 0);

    return stack > 0x20000000 && stack <= 0x40000000 && stack % 4 == 0 &&
           is_handler(view_u32(view, 4)) && is_handler(view_u32(view, 8)) &&
           is_handler(view_u32(view, 12));
}

bool inspect_has_avr_vectors(const unsigned char *data, size_t size)
{
    enum { VECTORS = 4, JMP_MASK = 0xfe0e, JMP = 0x940c };
    const struct view view = {data, size};
    size_t jumps = 0;

    for (size_t i = 0; i < VECTORS; i++)
        jumps += (view_u32(view, 4 * i) & JMP_MASK) == JMP;
    return jumps == VECTORS;
}
