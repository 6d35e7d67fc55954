/*
 * samples.h: one small, intact file of each format, for the tests that need just any of them.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#include "support/firmware.h"

/* The file that was made last. */
extern struct firmware firmware;

void make_esp8266(void); /* for 4 MiB of flash, with eboot and CRC */
void make_esp32(void);   /* for the first ESP32, with descriptor and hash */
void make_factory(void); /* for an ESP32, complete from 0x1000 on */
void make_pico(void);
void make_uf2(void); /* of a Pico */
void make_littlefs(void);
void make_gzip(void);    /* of make_esp8266() */
void make_unknown(void); /* repeated bytes that no format begins with */

#endif
