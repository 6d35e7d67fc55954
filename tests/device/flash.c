/* Erasing happens just before writing: sector by sector, or, where the cost model knows blocks, 64
 * KiB ahead as long as a whole block of the image is left, and by sectors in the last, partial
 * block. */
#include "flash.h"

int64_t flash_sector_us(const struct flash_cost *cost, size_t offset, size_t size)
{
    if (cost->block_erase_us == 0 || offset >= size / BLOCK * BLOCK)
        return cost->sector_erase_us + cost->write_us;
    return (offset % BLOCK == 0 ? cost->block_erase_us : 0) + cost->write_us;
}
