/*
 * inspect_chip.c: the chips of the ESP32 family. The numbers are those of ESP-IDF's "App Image
 * Format", the address ranges those of the chips' technical reference manuals ("System and
 * Memory"). For samples before mass production ("beta") both are those of esptool.
 */
#include "image/inspect_internal.h"

#include <stdio.h>

struct range {
    uint32_t start;
    uint32_t end;
};

static const struct chip {
    uint16_t number;
    const char *name;
    const char *title;
    struct range flash[2]; /* the addresses of its mapped flash: data, instructions */
} chips[] = {
    {0, "esp32", "ESP32", {{0x3F400000, 0x3F800000}, {0x400C2000, 0x40C00000}}},
    {2, "esp32s2", "ESP32-S2", {{0x3F000000, 0x3FF80000}, {0x40080000, 0x40800000}}},
    {4, "esp32s3beta2", "ESP32-S3 (beta 2)", {{0x3C000000, 0x3E000000}, {0x42000000, 0x44000000}}},
    {5, "esp32c3", "ESP32-C3", {{0x3C000000, 0x3C800000}, {0x42000000, 0x42800000}}},
    {6, "esp32s3beta3", "ESP32-S3 (beta 3)", {{0x3C000000, 0x3E000000}, {0x42000000, 0x44000000}}},
    {7, "esp32c6beta", "ESP32-C6 (beta)", {{0x3C000000, 0x3C800000}, {0x42000000, 0x42800000}}},
    {9, "esp32s3", "ESP32-S3", {{0x3C000000, 0x3E000000}, {0x42000000, 0x44000000}}},
    {10, "esp32h2beta1", "ESP32-H2 (beta 1)", {{0x3C000000, 0x3C800000}, {0x42000000, 0x42800000}}},
    {12, "esp32c2", "ESP32-C2", {{0x3C000000, 0x3C400000}, {0x42000000, 0x42400000}}},
    {13, "esp32c6", "ESP32-C6", {{0x42000000, 0x43000000}}},
    {14, "esp32h2beta2", "ESP32-H2 (beta 2)", {{0x3C000000, 0x3C800000}, {0x42000000, 0x42800000}}},
    {16, "esp32h2", "ESP32-H2", {{0x42000000, 0x43000000}}},
    {17, "esp32c5beta3", "ESP32-C5 (beta 3)", {{0x41000000, 0x42000000}}},
    {18, "esp32p4", "ESP32-P4", {{0x40000000, 0x4C000000}}},
    {20, "esp32c61", "ESP32-C61", {{0x42000000, 0x44000000}}},
    {23, "esp32c5", "ESP32-C5", {{0x42000000, 0x44000000}}},
    {25, "esp32h21", "ESP32-H21", {{0x42000000, 0x44000000}}},
    {28, "esp32h4", "ESP32-H4", {{0x42000000, 0x44000000}}},
    {31, "esp32e22", "ESP32-E22", {{0x3C000000, 0x40000000}}},
    {32, "esp32s31", "ESP32-S31", {{0x40000000, 0x54000000}}},
};

static const struct chip *find_chip(uint16_t number)
{
    for (size_t i = 0; i < sizeof chips / sizeof *chips; i++)
        if (chips[i].number == number)
            return &chips[i];
    return NULL;
}

const char *inspect_chip_suffix(const char *text)
{
    const char *longest = NULL;

    for (size_t i = 0; i < sizeof chips / sizeof *chips; i++) {
        const char *suffix = chips[i].name + strlen("esp32");
        size_t length = strlen(suffix);

        if (length > 0 && strncmp(text, suffix, length) == 0 &&
            (!longest || length > strlen(longest)))
            longest = suffix;
    }
    return longest;
}

bool chip_is_known(uint16_t chip)
{
    return find_chip(chip) != NULL;
}

bool chip_maps_flash(uint16_t chip, uint32_t address)
{
    const struct chip *found = find_chip(chip);

    if (!found)
        return false;

    for (size_t i = 0; i < sizeof found->flash / sizeof *found->flash; i++)
        if (address >= found->flash[i].start && address < found->flash[i].end)
            return true;
    return false;
}

const char *chip_title(char *text, size_t capacity, uint16_t chip)
{
    const struct chip *found = find_chip(chip);

    if (found)
        snprintf(text, capacity, "%s", found->title);
    else
        snprintf(text, capacity, "ESP32 (unknown chip %u)", chip);
    return text;
}

void inspect_set_chip(struct inspection *inspection, uint16_t chip)
{
    const struct chip *found = find_chip(chip);

    inspection->chip = chip;
    if (found)
        snprintf(inspection->chip_name, sizeof inspection->chip_name, "%s", found->name);
    else
        snprintf(inspection->chip_name, sizeof inspection->chip_name, "%u", chip);
}
