/* The ESP8266's boot loader, eboot: what it makes of an update, and whether that starts. */
#ifndef DEVICE_EBOOT_H
#define DEVICE_EBOOT_H

#include <stddef.h>
#include <stdint.h>

/* What is wrong with flash of that length, which begins with what was installed; NULL if a sketch
 * that eboot starts is there. The image must hold eboot itself, within the first sector, and behind
 * it the sketch, whole. */
const char *eboot_finds_wrong(const uint8_t *flash, size_t length);

#endif
