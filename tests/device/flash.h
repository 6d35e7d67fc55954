/* How long flash memory keeps a board busy. */
#ifndef DEVICE_FLASH_H
#define DEVICE_FLASH_H

#include "family.h"

/* The time to erase for and write one sector of an image of size bytes, the sector starting at
 * offset. While it lasts the board reads nothing. */
int64_t flash_sector_us(const struct flash_cost *cost, size_t offset, size_t size);

#endif
