/* The ESP8266's boot loader, eboot: decides whether an installed update starts. */
#ifndef DEVICE_EBOOT_H
#define DEVICE_EBOOT_H

#include <stddef.h>
#include <stdint.h>

/* Checks the first length bytes of the flash, which begin with the installed image. The image must
 * hold eboot within the first sector, followed by a complete sketch. Returns the cause why it does
 * not start, or NULL. */
const char *eboot_finds_wrong(const uint8_t *flash, size_t length);

#endif
