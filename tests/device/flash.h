/* The time that flash memory takes. */
#ifndef DEVICE_FLASH_H
#define DEVICE_FLASH_H

#include "family.h"

/* Returns the time to erase and write the sector at offset, of an image of size bytes. Meanwhile
 * the board does not read. */
int64_t flash_sector_us(const struct flash_cost *cost, size_t offset, size_t size);

#endif
