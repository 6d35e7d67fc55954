/*
 * inspect.c: tries the recognizers of all formats in turn, and has the helpers that they share.
 * Inspection is pure: it reads only the bytes that it is given. Only inspect_gzip.c needs memory.
 */
#include "image/inspect_internal.h"

#include <stdarg.h>
#include <stdio.h>

bool view_is_filled(struct view view, size_t offset, size_t length, unsigned char value)
{
    if (!view_has(view, offset, length))
        return false;

    for (size_t i = 0; i < length; i++)
        if (view.data[offset + i] != value)
            return false;
    return true;
}

/* Works through four bits at a time: the table is small, and 16 MiB are fast enough. */
uint32_t inspect_crc32(uint32_t crc, const unsigned char *data, size_t size)
{
    static const uint32_t table[] = {
        0x00000000, 0x04C11DB7, 0x09823B6E, 0x0D4326D9, 0x130476DC, 0x17C56B6B,
        0x1A864DB2, 0x1E475005, 0x2608EDB8, 0x22C9F00F, 0x2F8AD6D6, 0x2B4BCB61,
        0x350C9B64, 0x31CD86D3, 0x3C8EA00A, 0x384FBDBD,
    };

    for (size_t i = 0; i < size; i++) {
        crc = crc << 4 ^ table[crc >> 28 ^ data[i] >> 4];
        crc = crc << 4 ^ table[crc >> 28 ^ (data[i] & 0xF)];
    }
    return crc;
}

void inspect_judge(struct inspection *inspection, enum inspect_integrity integrity,
                   const char *format, ...)
{
    va_list arguments;

    inspection->integrity = integrity;

    va_start(arguments, format);
    vsnprintf(inspection->evidence, sizeof inspection->evidence, format, arguments);
    va_end(arguments);
}

void inspect_set_foreign(struct inspection *inspection, enum inspect_format format,
                         const char *what, const char *remedy)
{
    const char *name = strchr(what, ' ');

    inspection->format = format;
    inspection->remedy = remedy;
    snprintf(inspection->what, sizeof inspection->what, "%s", what);
    snprintf(inspection->name, sizeof inspection->name, "%s", name ? name + 1 : what);
    inspect_judge(inspection, INSPECT_CANNOT_TELL, "it is not firmware");
}

void inspect_set_trailer(struct inspection *inspection, struct view view,
                         enum inspect_trailer trailer)
{
    inspection->trailer = trailer;
    inspection->trailer_size = view.size - inspection->image_size;
    if (trailer == INSPECT_STRAY_BYTES)
        inspect_judge(inspection, INSPECT_CANNOT_TELL, "%zu unknown bytes follow the image",
                      inspection->trailer_size);
}

static void leave_unknown(struct inspection *inspection, struct view view)
{
    snprintf(inspection->name, sizeof inspection->name, "file of an unknown format");
    inspect_judge(inspection, INSPECT_CANNOT_TELL,
                  view_u8(view, 0) == ESP_MAGIC
                      ? "it begins like an Espressif image, but its header fits none"
                      : "its format is not known");
}

/* Formats with a long signature come before those without one. Archives come before images of the
 * Pico's chips: an archive may contain the bytes that are searched for in such an image. */
void inspect_plain(struct inspection *inspection, struct view view)
{
    static bool (*const recognizers[])(struct inspection *, struct view) = {
        inspect_elf,     inspect_uf2,   inspect_filesystem, inspect_esp32_flash,
        inspect_esp8266, inspect_esp32, inspect_foreign,    inspect_pico,
        inspect_blank,   inspect_zlib,  inspect_intel_hex,  inspect_text,
    };

    inspection->image_size = view.size;
    inspect_esphome(inspection, view);
    for (size_t i = 0; i < sizeof recognizers / sizeof *recognizers; i++)
        if (recognizers[i](inspection, view))
            return;
    leave_unknown(inspection, view);
}

void inspect_image(struct inspection *inspection, const unsigned char *data, size_t size)
{
    struct view view = {data, size};

    memset(inspection, 0, sizeof *inspection);
    if (!inspect_gzip(inspection, view))
        inspect_plain(inspection, view);
    inspect_decide(inspection, size);
    inspection->has_vector_table = inspect_has_vector_table(data, size);
    inspection->has_avr_vectors = inspect_has_avr_vectors(data, size);
}

const char *inspect_format_name(enum inspect_format format)
{
    static const char *const names[INSPECT_FORMAT_COUNT] = {
        [INSPECT_UNKNOWN] = "unknown",
        [INSPECT_ESP8266] = "esp8266",
        [INSPECT_ESP32_APPLICATION] = "esp32-application",
        [INSPECT_ESP32_FACTORY] = "esp32-factory",
        [INSPECT_ESP32_BOOT_LOADER] = "esp32-boot-loader",
        [INSPECT_ESP32_PARTITION_TABLE] = "esp32-partition-table",
        [INSPECT_GZIP] = "gzip",
        [INSPECT_PICO] = "pico",
        [INSPECT_UF2] = "uf2",
        [INSPECT_ELF] = "elf",
        [INSPECT_INTEL_HEX] = "intel-hex",
        [INSPECT_LITTLEFS] = "littlefs",
        [INSPECT_SPIFFS] = "spiffs",
        [INSPECT_FAT] = "fat",
        [INSPECT_TEXT] = "text",
        [INSPECT_ARCHIVE] = "archive",
        [INSPECT_PROGRAM] = "program",
        [INSPECT_UPDATE] = "update",
        [INSPECT_DOCUMENT] = "document",
        [INSPECT_FLASH_DATA] = "flash-data",
        [INSPECT_BLANK] = "blank",
    };

    return (unsigned)format < INSPECT_FORMAT_COUNT ? names[format] : "unknown";
}

const char *inspect_integrity_name(enum inspect_integrity integrity)
{
    static const char *const names[INSPECT_INTEGRITY_COUNT] = {
        [INSPECT_CANNOT_TELL] = "cannot-tell",   [INSPECT_VALID] = "valid",
        [INSPECT_TRUNCATED] = "truncated",       [INSPECT_MALFORMED] = "malformed",
        [INSPECT_BAD_CHECKSUM] = "bad-checksum", [INSPECT_BAD_SHA256] = "bad-sha256",
    };

    return (unsigned)integrity < INSPECT_INTEGRITY_COUNT ? names[integrity] : "cannot-tell";
}
