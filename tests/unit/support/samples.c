/*
 * samples.c: see samples.h.
 */
#include "support/samples.h"

struct firmware firmware;

void make_esp8266(void)
{
    const struct firmware_esp8266 make = {
        .flash = 4, .has_eboot = true, .has_crc = true, .size = 4000};

    firmware_make_esp8266(&firmware, &make);
}

void make_esp32(void)
{
    const struct firmware_esp32 make = {
        .address = 0x3F400020, .has_descriptor = true, .has_hash = true};

    firmware_make_esp32(&firmware, &make);
}

void make_factory(void)
{
    firmware_make_factory(&firmware, 0, 0x1000, false);
}

void make_pico(void)
{
    firmware_make_rp2040(&firmware);
}

void make_uf2(void)
{
    firmware_make_uf2(&firmware, 0xE48BFF56, 4);
}

void make_littlefs(void)
{
    firmware_make_littlefs(&firmware, 4096, 16);
}

void make_gzip(void)
{
    make_esp8266();
    firmware_gzip(&firmware);
}

void make_unknown(void)
{
    firmware_clear(&firmware);
    firmware_fill(&firmware, 0x90, 1000);
    firmware_fill(&firmware, 0, 1);
}
