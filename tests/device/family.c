/* The families and their measured behavior. */
#include "family.h"

#include <string.h>

#define MS(n) ((int64_t)(n)*1000)
#define KIB(n) ((size_t)(n)*1024)

/* clang-format off */
static const struct family families[] = {
    {
        .name = "esp8266", .board = "nodemcuv2", .lineage = LINEAGE_8266,
        .magic = MAGIC_AT_END, .port = 8266,
        .challenge_length = 32, .integer_digits = 16, .queue = 16, .read_size = SECTOR,
        .eboot = true, .capacity = KIB(1024), .fs_capacity = KIB(2024),
        .prepare_us = MS(5), .connect_us = MS(100), .connecting_us = MS(5000), .verdict_us = MS(1000),
        .close_us = MS(1000), .restart_us = MS(1000), .idle_us = MS(10),
        .flash = {MS(40), 0, MS(10), MS(1)},
    },
    {
        .name = "pico", .board = "rpipicow", .lineage = LINEAGE_8266,
        .magic = MAGIC_NONE, .port = 2040,
        .challenge_length = 32, .integer_digits = 16, .queue = 16, .read_size = SECTOR,
        .needs_filesystem = true, .no_delay = true,
        .capacity = KIB(1020), .fs_capacity = KIB(1024),
        .prepare_us = MS(5), .connect_us = MS(100), .connecting_us = MS(5000), .verdict_us = MS(1000),
        .close_us = MS(1000), .restart_us = MS(1000), .idle_us = MS(10),
        .flash = {MS(35), 0, MS(4), MS(1)},
    },
    { /* has no ArduinoOTA of this kind, but a sketch server: --web sketch */
        .name = "samd", .board = "mkrwifi1010", .lineage = LINEAGE_8266,
        .magic = MAGIC_NONE, .port = 65280,
        .challenge_length = 32, .integer_digits = 16, .queue = 16, .read_size = SECTOR,
        .never_unpacks = true, .capacity = KIB(248), .fs_capacity = 0,
        .verdict_us = MS(1000), .close_us = MS(1000), .restart_us = MS(1000), .idle_us = MS(10),
        .flash = {MS(6), 0, MS(25), MS(1)},
    },
    {
        .name = "ch32h4", .board = "ch32h417", .lineage = LINEAGE_8266,
        .magic = MAGIC_ENTRY, .port = 2040,
        .challenge_length = 32, .integer_digits = 16, .queue = 16, .read_size = SECTOR,
        .never_unpacks = true, .no_delay = true,
        .capacity = KIB(480), .fs_capacity = KIB(256),
        .prepare_us = MS(5), .connect_us = MS(100), .connecting_us = MS(5000), .verdict_us = MS(1000),
        .close_us = MS(1000), .restart_us = MS(1000), .idle_us = MS(10),
        .flash = {MS(30), 0, MS(6), MS(1)},
    },
    {
        .name = "esp32", .lineage = LINEAGE_ESP32, .magic = MAGIC_FIRST_SECTOR, .port = 3232,
        .challenge_length = 32, .integer_digits = 15, .queue = 6, .read_size = 1460,
        .capacity = KIB(1280), .fs_capacity = KIB(1408),
        .connecting_us = MS(3000), .restart_us = MS(110), .idle_us = MS(10), .silence_us = MS(1000),
        .flash = {MS(35), MS(200), MS(4), 0},
    },
    {
        .name = "esp32-sha256", .lineage = LINEAGE_ESP32, .magic = MAGIC_FIRST_SECTOR, .port = 3232,
        .challenge_length = 64, .integer_digits = 15, .queue = 6, .read_size = 1460,
        .capacity = KIB(1280), .fs_capacity = KIB(1408),
        .connecting_us = MS(3000), .restart_us = MS(110), .idle_us = MS(10), .silence_us = MS(1000),
        .flash = {MS(35), MS(200), MS(4), 0},
    },
};
/* clang-format on */

const struct family *family_find(const char *name)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (strcmp(families[i].name, name) == 0)
            return &families[i];
    return NULL;
}

const char *family_names(void)
{
    return "esp8266, pico, ch32h4, esp32, esp32-sha256";
}
