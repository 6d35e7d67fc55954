/*
 * inspect_verdict.c: the rules of the boards' update services: the boards that accept a file over
 * the air, and its kind there. It judges by the facts from the other files of inspect*.c.
 */
#include "image/inspect_internal.h"

#include "base/text.h"
#include "base/units.h"

#include <stdarg.h>
#include <stdio.h>

/* Bytes of a block of flash, and of the size from which a filesystem has large ones. */
enum { SECTOR = 4096, LARGE_BLOCK = 8192, LARGE_FROM = 512 * KIB };

/* Keeps the most serious verdict; of equal ones the first. */
__attribute__((format(printf, 3, 4))) static void
set_sending(struct inspection *inspection, enum inspect_sending sending, const char *format, ...)
{
    va_list arguments;

    if (inspection->verdict[0] != '\0' && sending <= inspection->sending)
        return;

    inspection->sending = sending;
    va_start(arguments, format);
    vsnprintf(inspection->verdict, sizeof inspection->verdict, format, arguments);
    va_end(arguments);
}

/* Returns the reason against a format that no board accepts, even if the file is whole; or NULL. */
static const char *describe_objection(const struct inspection *inspection)
{
    const bool is_packed = inspection->format == INSPECT_GZIP;

    switch (is_packed ? inspection->inner : inspection->format) {
    case INSPECT_ESP32_FACTORY:
        return "it holds boot loader, partition table and application in one, and only a cable can "
               "write those: send the application image, usually firmware.bin or NAME.ino.bin";
    case INSPECT_ESP32_BOOT_LOADER:
        return "boot loaders are not updated over the air: send the application image, usually "
               "firmware.bin or NAME.ino.bin";
    case INSPECT_ESP32_PARTITION_TABLE:
        return "partition tables are not updated over the air: send the application image, usually "
               "firmware.bin or NAME.ino.bin";
    case INSPECT_UF2:
        if (!*inspection->chip_name)
            return "UF2 is for the board's USB drive: send the .bin file that was built with it";
        return is_packed ? "boards with LibreTiny do not unpack gzip: send the .uf2 as it is"
                         : NULL;
    case INSPECT_ELF:
        return "it is the linker's output, of which only a part is for the board: send the .bin "
               "file that was built from it";
    case INSPECT_INTEL_HEX:
        return "boards take binary images, not text: send the .bin file that was built with it";
    default:
        return NULL;
    }
}

static const char *describe_damage(enum inspect_integrity integrity)
{
    switch (integrity) {
    case INSPECT_TRUNCATED:
        return "truncated";
    case INSPECT_MALFORMED:
    case INSPECT_BAD_CHECKSUM:
    case INSPECT_BAD_SHA256:
        return "corrupt";
    default:
        return NULL;
    }
}

/* Boards mount filesystems with blocks of one sector. On the ESP8266 core, blocks are larger from
 * LARGE_FROM on (its boards.txt.py). The limit here is lower, as a few sectors of that size can
 * have other uses. */
static unsigned families_by_block(const struct inspection *inspection)
{
    enum { OTHER_USES = 24 * KIB };
    bool is_packed = inspection->format == INSPECT_GZIP;
    size_t size = is_packed ? inspection->unpacked_size : inspection->image_size;

    if (inspection->block_size == LARGE_BLOCK)
        return INSPECT_FAMILY_ESP8266;
    if (inspection->block_size != SECTOR)
        return 0;
    if (size < LARGE_FROM - OTHER_USES)
        return INSPECT_FAMILY_ESP32 | INSPECT_FAMILY_PICO | INSPECT_FAMILY_ESP8266;
    return INSPECT_FAMILY_ESP32 | INSPECT_FAMILY_PICO;
}

/* The LittleFS of the ESP8266 core mounts version 2.0 at most. */
static unsigned families_for_littlefs(const struct inspection *inspection)
{
    enum { VERSION_2_1 = 0x20001 };
    unsigned families = families_by_block(inspection);

    if (inspection->filesystem_version >= VERSION_2_1)
        families &= ~(unsigned)INSPECT_FAMILY_ESP8266;
    return families;
}

static unsigned families_for(const struct inspection *inspection, enum inspect_format format)
{
    switch (format) {
    case INSPECT_ESP8266:
        return INSPECT_FAMILY_ESP8266;
    case INSPECT_ESP32_APPLICATION:
    case INSPECT_FAT:
        return INSPECT_FAMILY_ESP32;
    case INSPECT_PICO:
        return INSPECT_FAMILY_PICO;
    case INSPECT_SPIFFS:
        return families_by_block(inspection) & ~(unsigned)INSPECT_FAMILY_PICO;
    case INSPECT_LITTLEFS:
        return families_for_littlefs(inspection);
    default:
        return 0;
    }
}

/* A signature is only useful to boards that check this form of it. */
static unsigned families_of(const struct inspection *inspection, enum inspect_format format)
{
    unsigned families = families_for(inspection, format);

    if (inspection->trailer == INSPECT_SIGNATURE_ESP8266)
        families &= ~(unsigned)INSPECT_FAMILY_ESP32;
    else if (inspection->trailer == INSPECT_SIGNATURE_ESP32)
        families &= INSPECT_FAMILY_ESP32;
    return families;
}

/* Writes "ESP8266, ESP32 and Pico W". */
static void name_families(char *text, size_t capacity, unsigned families)
{
    static const struct {
        unsigned family;
        const char *name;
    } rows[] = {{INSPECT_FAMILY_ESP8266, "ESP8266"},
                {INSPECT_FAMILY_ESP32, "ESP32"},
                {INSPECT_FAMILY_PICO, "Pico W"}};

    const size_t row_count = sizeof rows / sizeof *rows;
    size_t count = 0, named = 0;

    for (size_t i = 0; i < row_count; i++)
        count += (families & rows[i].family) != 0;

    *text = '\0';
    for (size_t i = 0; i < row_count; i++)
        if (families & rows[i].family)
            text_append(text, capacity, "%s%s", text_separator(named++, count, " and "),
                        rows[i].name);
}

/* ESP32 chips cannot run each other's code, so the verdict has the exact chip. */
static void set_sendable(struct inspection *inspection)
{
    char boards[64];

    if (inspection->format == INSPECT_UF2) {
        set_sending(inspection, INSPECT_SENDABLE,
                    "can be sent as a sketch to such boards with ESPHome (LibreTiny)");
        return;
    }
    if (inspection->format == INSPECT_ESP32_APPLICATION)
        chip_title(boards, sizeof boards, inspection->chip);
    else
        name_families(boards, sizeof boards, inspection->families);

    if (inspection->kind == INSPECT_FILESYSTEM)
        set_sending(inspection, INSPECT_SENDABLE, "can be sent as a filesystem image to %s boards",
                    boards);
    else
        set_sending(inspection, INSPECT_SENDABLE, "can be sent as a sketch to %s boards", boards);
}

static void decide_filesystem(struct inspection *inspection)
{
    enum { PAGE = 256 };

    if (inspection->families == 0)
        set_sending(
            inspection, INSPECT_IMPOSSIBLE,
            "should not be sent: no board mounts it, as its blocks have %u bytes%s; ESP32 and Pico "
            "W boards use %d bytes, ESP8266 boards %d bytes from %d KiB on, and LittleFS 2.0",
            inspection->block_size,
            inspection->format == INSPECT_LITTLEFS && (inspection->filesystem_version & 0xFFFF) != 0
                ? " and its LittleFS is later than 2.0"
                : "",
            SECTOR, LARGE_BLOCK, LARGE_FROM / KIB);
    else if (inspection->page_size != 0 && inspection->page_size != PAGE)
        set_sending(inspection, INSPECT_DOUBTFUL,
                    "may not be mounted: its pages have %u bytes, where the boards' cores have %d",
                    inspection->page_size, PAGE);
}

static bool is_for_esp32_only(enum inspect_format format)
{
    return format == INSPECT_ESP32_APPLICATION || format == INSPECT_FAT;
}

/* eboot reads the unpacked size from the last 4 bytes of the file. The signature is removed before
 * that only if the sketch checks signatures. */
static void decide_gzip(struct inspection *inspection, enum inspect_format content)
{
    if (inspection->trailer == INSPECT_STRAY_BYTES)
        set_sending(inspection, INSPECT_IMPOSSIBLE,
                    "should not be sent: %zu bytes follow the compressed data, in which the board "
                    "would look for their size; compress the image again",
                    inspection->trailer_size);

    if (inspection->is_too_large)
        set_sending(inspection, INSPECT_IMPOSSIBLE, "should not be sent: %s", inspection->evidence);
    if (is_for_esp32_only(content))
        set_sending(
            inspection, INSPECT_IMPOSSIBLE,
            "should not be sent: ESP32 boards do not unpack gzip; send the image uncompressed");

    if (inspection->kind == INSPECT_FILESYSTEM) {
        inspection->families &= INSPECT_FAMILY_ESP8266;
        if (inspection->families == 0)
            set_sending(
                inspection, INSPECT_IMPOSSIBLE,
                "should not be sent: the boards that could mount it do not unpack gzip; send the "
                "image uncompressed");
        set_sending(
            inspection, INSPECT_DOUBTFUL,
            "can be sent as a filesystem image only to ESP8266 boards whose sketch was built "
            "with ATOMIC_FS_UPDATE; others would store it as it is");
    }

    if (content == INSPECT_UNKNOWN) {
        inspection->families = INSPECT_FAMILY_ESP8266 | INSPECT_FAMILY_PICO;
        set_sending(inspection, INSPECT_DOUBTFUL,
                    "may not work: the format inside is unknown, and only ESP8266 and Pico W "
                    "boards unpack gzip");
    }

    if (inspection->trailer == INSPECT_SIGNATURE_ESP8266 &&
        (inspection->families & INSPECT_FAMILY_ESP8266) != 0 &&
        inspection->sending != INSPECT_IMPOSSIBLE)
        set_sending(inspection, INSPECT_IMPOSSIBLE,
                    "should not be sent: it is compressed and signed, and an ESP8266 whose sketch "
                    "checks no signatures would never start again");
}

/* An ESP8266 needs eboot, and room for the update beside the running sketch. */
static void decide_esp8266(struct inspection *inspection, size_t size)
{
    size_t needed = (size + SECTOR - 1) / SECTOR * SECTOR;

    if (!inspection->has_eboot)
        set_sending(
            inspection, INSPECT_IMPOSSIBLE,
            "should not be sent: it was not built for eboot, the boot loader of the Arduino core; "
            "eboot would copy it over itself, and the board would need a cable");
    else if (inspection->flash_size != 0 && needed > inspection->ota_room)
        set_sending(
            inspection, INSPECT_DOUBTFUL,
            "may not fit: it is for a flash of %u bytes, in which a running sketch of the same "
            "size leaves at most %u bytes for it",
            inspection->flash_size, inspection->ota_room);
}

static void decide_sound(struct inspection *inspection, size_t size)
{
    bool is_packed = inspection->format == INSPECT_GZIP;
    enum inspect_format content = is_packed ? inspection->inner : inspection->format;

    inspection->families = families_of(inspection, content);
    if (content == INSPECT_ESP8266)
        decide_esp8266(inspection, size);
    if (inspection->kind == INSPECT_FILESYSTEM && content != INSPECT_FAT)
        decide_filesystem(inspection);

    if (content == INSPECT_ESP32_APPLICATION && !chip_is_known(inspection->chip))
        set_sending(inspection, INSPECT_IMPOSSIBLE,
                    "should not be sent: it is for an unknown ESP32 chip, number %u",
                    inspection->chip);

    if (is_packed)
        decide_gzip(inspection, content);
    else if (content == INSPECT_UNKNOWN)
        set_sending(inspection, INSPECT_DOUBTFUL, "may not work: its format is unknown");
    else if (inspection->trailer == INSPECT_STRAY_BYTES)
        set_sending(inspection, INSPECT_DOUBTFUL,
                    "may not work: %zu unknown bytes follow the image", inspection->trailer_size);

    if (inspection->sending == INSPECT_IMPOSSIBLE)
        inspection->families = 0;
    if (inspection->verdict[0] == '\0')
        set_sendable(inspection);
}

void inspect_decide(struct inspection *inspection, size_t size)
{
    bool is_packed = inspection->format == INSPECT_GZIP;
    const char *objection = describe_objection(inspection);
    const char *damage = describe_damage(inspection->integrity);

    if (inspection->format == INSPECT_UPDATE)
        set_sending(inspection, INSPECT_SERVABLE,
                    "can only be served (--serve): it is %s, which boards fetch. To upload, %s",
                    inspection->what, inspection->remedy);
    else if (inspection->remedy)
        set_sending(inspection, INSPECT_IMPOSSIBLE,
                    "should not be sent: it %s %s, not firmware: %s",
                    is_packed ? "unpacks to" : "is", inspection->what, inspection->remedy);
    else if (objection && damage)
        set_sending(inspection, INSPECT_IMPOSSIBLE,
                    "should not be sent: %s (and it is damaged: %s)", objection,
                    inspection->evidence);
    else if (objection)
        set_sending(inspection, INSPECT_IMPOSSIBLE, "should not be sent: %s", objection);
    else if (damage)
        set_sending(inspection, INSPECT_IMPOSSIBLE,
                    "should not be sent: it is %s (%s); build it or copy it again", damage,
                    inspection->evidence);
    else
        decide_sound(inspection, size);
}
