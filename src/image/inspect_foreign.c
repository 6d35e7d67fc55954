/*
 * inspect_foreign.c: files of other programs, recognized by the signatures of their formats.
 * Firmware without a header may begin with any bytes. Therefore a signature of fewer than four
 * bytes counts only if a second place of the file confirms it.
 */
#include "image/inspect_internal.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t view_u16_big(struct view view, size_t offset)
{
    return (uint32_t)(view_u8(view, offset) << 8 | view_u8(view, offset + 1));
}

static uint32_t view_u32_big(struct view view, size_t offset)
{
    return view_u16_big(view, offset) << 16 | view_u16_big(view, offset + 2);
}

/* The header has a checksum in octal digits; for the sum, these digits count as spaces. */
static bool is_tar(struct view view)
{
    enum { HEADER_SIZE = 512, SUM_OFFSET = 148, SUM_SIZE = 8 };
    unsigned long sum = 0;
    char digits[SUM_SIZE + 1] = "";

    if (!view_has(view, 0, HEADER_SIZE) || view_u8(view, 0) == 0)
        return false;

    for (size_t i = 0; i < HEADER_SIZE; i++) {
        bool is_sum = i >= SUM_OFFSET && i < SUM_OFFSET + SUM_SIZE;

        sum += is_sum ? ' ' : view.data[i];
    }

    memcpy(digits, view.data + SUM_OFFSET, SUM_SIZE);
    return strspn(digits, " 01234567") >= SUM_SIZE - 2 && strtoul(digits, NULL, 8) == sum;
}

static bool is_bzip2(struct view view)
{
    return view_equals(view, 0, "BZh", 3) && (view_equals(view, 4, "\x31\x41\x59\x26\x53\x59", 6) ||
                                              view_equals(view, 4, "\x17\x72\x45\x38\x50\x90", 6));
}

/* Checks the properties (every packer writes the same), the dictionary (2^n or 3 * 2^n bytes), and
 * the size (-1 if unknown). */
static bool is_lzma(struct view view)
{
    uint32_t dictionary = view_u32(view, 1);
    uint32_t rest = dictionary;

    if (view_u8(view, 0) != 0x5D || dictionary < 4096 || !view_has(view, 0, 14))
        return false;

    while (rest % 2 == 0)
        rest /= 2;
    return rest <= 3 && view_u8(view, 13) == 0 &&
           (view_is_filled(view, 5, 8, 0xFF) || view_is_filled(view, 9, 4, 0));
}

static bool is_compress(struct view view)
{
    unsigned flags = view_u8(view, 2);

    return view_equals(view, 0, "\x1F\x9D", 2) && (flags & 0x60) == 0 && (flags & 0x1F) >= 9 &&
           (flags & 0x1F) <= 16 && view_has(view, 0, 16);
}

/* The method ("-lh5-") follows two bytes of lengths. */
static bool is_lzh(struct view view)
{
    unsigned method = view_u8(view, 5);

    return view_equals(view, 2, "-l", 2) && (view_u8(view, 4) == 'h' || view_u8(view, 4) == 'z') &&
           ((method >= '0' && method <= '9') || method == 'd' || method == 's') &&
           view_u8(view, 6) == '-';
}

/* Checks the old binary header: the mode has a file type, and the name ends at its length. */
static bool is_old_cpio(struct view view)
{
    enum { HEADER_SIZE = 26, TYPE_MASK = 0xF000, TYPES_MAX = 0xC000 };
    size_t name_size = view_u16(view, 20);
    unsigned type = view_u16(view, 6) & TYPE_MASK;

    return view_u16(view, 0) == 070707 && type != 0 && type <= TYPES_MAX && name_size > 1 &&
           view_has(view, HEADER_SIZE, name_size) &&
           view_u8(view, HEADER_SIZE + name_size - 1) == 0;
}

static bool is_zstd_skippable(struct view view)
{
    return (view_u32(view, 0) & 0xFFFFFFF0) == 0x184D2A50;
}

static bool is_windows_program(struct view view)
{
    return view_equals(view, 0, "MZ", 2) && view_equals(view, view_u32(view, 0x3C), "PE\0\0", 4);
}

/* Checks the size of the last page, and that the tables lie within the header. */
static bool is_dos_program(struct view view)
{
    size_t pages = view_u16(view, 4);
    size_t header_size = 16 * (size_t)view_u16(view, 8);

    return view_equals(view, 0, "MZ", 2) && view_u16(view, 2) < 512 && pages > 0 &&
           header_size >= 32 && header_size < pages * 512 && view_u16(view, 0x18) >= 0x1C &&
           view_u16(view, 0x18) <= header_size && pages <= view.size / 512 + 1;
}

/* Java's version numbers begin with 45. A fat binary has the number of its architectures here. */
static bool is_java_class(struct view view)
{
    return view_u32_big(view, 0) == 0xCAFEBABE && view_u32_big(view, 4) >= 45;
}

static bool is_mach_o(struct view view)
{
    uint32_t big = view_u32_big(view, 0);
    uint32_t little = view_u32(view, 0);

    return big >> 1 == 0xFEEDFACE >> 1 || little >> 1 == 0xFEEDFACE >> 1 || big == 0xCAFEBABE;
}

static bool is_python_bytecode(struct view view)
{
    return view_equals(view, 1, "\x0D\x0D\x0A", 3) && view_u8(view, 0) != 0 &&
           view_u32(view, 4) <= 3;
}

static bool is_jpeg(struct view view)
{
    return view_equals(view, 0, "\xFF\xD8\xFF", 3) && view_u8(view, 3) >= 0xC0 &&
           view_u8(view, 3) != 0xFF;
}

static bool is_bmp(struct view view)
{
    size_t header_size = view_u32(view, 14);

    return view_equals(view, 0, "BM", 2) && view_is_filled(view, 6, 4, 0) &&
           (header_size == 12 || (header_size >= 40 && header_size <= 124)) &&
           view_u32(view, 10) >= 14 + header_size;
}

/* Checks that the first picture lies within the file. */
static bool is_icon(struct view view)
{
    size_t count = view_u16(view, 4);
    size_t size = view_u32(view, 14);
    size_t offset = view_u32(view, 18);

    return view_equals(view, 0, "\0\0\1\0", 4) && count > 0 && count < 64 &&
           view_u8(view, 9) == 0 && offset >= 6 + 16 * count && size > 0 &&
           view_has(view, offset, size);
}

/* Returns the offset of the next frame of an MP3; 0 if there is no frame at this offset. */
static size_t find_next_mp3_frame(struct view view, size_t offset)
{
    static const unsigned rates[] = {0,   32,  40,  48,  56,  64,  80, 96,
                                     112, 128, 160, 192, 224, 256, 320};
    static const unsigned samplings[] = {44100, 48000, 32000};
    unsigned rate = view_u8(view, offset + 2) >> 4;
    unsigned sampling = view_u8(view, offset + 2) >> 2 & 3;

    if (view_u8(view, offset) != 0xFF || (view_u8(view, offset + 1) & 0xFE) != 0xFA || rate == 0 ||
        rate == 15 || sampling == 3)
        return 0;

    return offset + 144000 * rates[rate] / samplings[sampling] +
           (view_u8(view, offset + 2) >> 1 & 1);
}

static bool is_mp3(struct view view)
{
    size_t second = find_next_mp3_frame(view, 0);

    return view_equals(view, 0, "ID3", 3) ||
           (second != 0 && find_next_mp3_frame(view, second) != 0);
}

static bool is_mp4(struct view view)
{
    return view_equals(view, 4, "ftyp", 4) && view_u32_big(view, 0) >= 8 &&
           view_u32_big(view, 0) <= 512;
}

static bool is_true_type(struct view view)
{
    unsigned tables = view_u16_big(view, 4);

    return view_u32_big(view, 0) == 0x00010000 && tables > 0 && tables < 64 &&
           view_u16_big(view, 6) % 16 == 0 && view_u16_big(view, 6) <= 16 * tables &&
           view_u16_big(view, 6) > 8 * tables;
}

/* A browser sends a form's file to a server between lines of "--boundary". */
static bool is_form_data(struct view view)
{
    enum { FIRST_LINE_MAX = 80 };
    static const char field[] = "\r\nContent-Disposition: form-data;";

    for (size_t i = 3; i < FIRST_LINE_MAX && view_equals(view, 0, "--", 2); i++)
        if (view_equals(view, i, field, sizeof field - 1))
            return true;
    return false;
}

/* A certificate, a key and a PKCS#12 store are one value, as long as the file. */
static bool is_der(struct view view)
{
    return (view_equals(view, 0, "\x30\x82", 2) && view_u16_big(view, 2) == view.size - 4 &&
            view.size > 256) ||
           (view_equals(view, 0, "\x30\x81", 2) && view_u8(view, 2) == view.size - 3);
}

static bool is_iso_9660(struct view view)
{
    return view_equals(view, 0x8001, "CD001", 5);
}

/* The header of an .ota file for OTAUpdate or Arduino's cloud begins with the length and the CRC-32
 * of the rest. Then come the board's USB identifiers (Arduino's vendor is 0x2341) or "3PSE", and
 * later a packed image (ArduinoIoTCloud, extras/tools/bin2ota.py). */
static bool is_arduino_ota(struct view view)
{
    enum { LENGTH_AND_CRC = 8, VENDOR_ARDUINO = 0x2341, HEADER_SIZE = 20 };

    return view.size > HEADER_SIZE && view_u32(view, 0) == view.size - LENGTH_AND_CRC &&
           (view_u16(view, LENGTH_AND_CRC + 2) == VENDOR_ARDUINO ||
            view_equals(view, LENGTH_AND_CRC, "3PSE", 4));
}

/* boot_app0.bin has the number of the application to start, with a CRC; a copy may follow. */
static bool is_ota_data(struct view view)
{
    enum { SECTOR = 4096 };

    return view.size == 2 * (size_t)SECTOR && view_is_filled(view, 4, 20, 0xFF) &&
           view_u32(view, 0) != 0 && view_u32(view, 0) < 0x10000 &&
           view_u32(view, 28) != 0xFFFFFFFF && view_is_filled(view, 32, SECTOR - 32, 0xFF);
}

/* A page begins with its state, its number and its version; erased flash follows up to the CRC. */
static bool is_nvs(struct view view)
{
    enum { SECTOR = 4096 };
    uint32_t state = view_u32(view, 0);

    return view.size % SECTOR == 0 && (state | 7) == 0xFFFFFFFF && state != 0xFFFFFFFF &&
           view_u8(view, 8) >= 0xFE && view_is_filled(view, 9, 19, 0xFF) &&
           view_u32(view, 28) != 0xFFFFFFFF;
}

/* This is esp_init_data_default.bin of Espressif's NONOS SDK. */
static bool is_radio_data(struct view view)
{
    return view.size == 128 && view_u8(view, 0) == 5 &&
           view_equals(view, 2, "\x04\x02\x05\x05\x05\x02\x05", 7);
}

#define UNPACK "unpack it first"
#define BUILD "send the .bin file of the build"
#define LIBRETINY "send the .uf2 file of the build to a board with LibreTiny"
#define CABLE "it is for another place of the flash, which only a cable can write; " BUILD

/* Each row has a signature and its offset, or a function that recognizes the format. */
static const struct foreign {
    enum inspect_format format;
    size_t offset;
    const char *signature;
    size_t length;
    bool (*fits)(struct view view);
    const char *what;
    const char *remedy;
} foreigners[] = {
#define SIGNED_AT(offset, text) offset, text, sizeof(text) - 1, NULL
#define SIGNED(text) SIGNED_AT(0, text)
#define FITS(function) 0, NULL, 0, function
    {INSPECT_ARCHIVE, SIGNED("PK\3\4"), "a zip archive", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("PK\5\6"), "an empty zip archive", BUILD},
    {INSPECT_ARCHIVE, SIGNED("PK\7\x08"), "a part of a zip archive", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("7z\xBC\xAF\x27\x1C"), "a 7z archive", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("Rar!\x1A\7"), "a RAR archive", UNPACK},
    {INSPECT_ARCHIVE,
     SIGNED("\xFD"
            "7zXZ\0"),
     "an xz file", UNPACK},
    {INSPECT_ARCHIVE, FITS(is_bzip2), "a bzip2 file", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("\x28\xB5\x2F\xFD"), "a zstd file", UNPACK},
    {INSPECT_ARCHIVE, FITS(is_zstd_skippable), "a zstd or lz4 file", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("\4\x22\x4D\x18"), "an lz4 file", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("\2\x21\x4C\x18"), "an lz4 file", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("LZIP\1"), "an lzip file", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("\x89LZO\0\r\n\x1A\n"), "an lzop file", UNPACK},
    {INSPECT_ARCHIVE, FITS(is_lzma), "an lzma file", UNPACK},
    {INSPECT_ARCHIVE, FITS(is_compress), "a file of compress (.Z)", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("\x1F\x8B\x08"), "a gzip file", UNPACK},
    {INSPECT_ARCHIVE, FITS(is_tar), "a tar archive", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("!<arch>\ndebian-binary"), "a Debian package", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("!<arch>\n"), "an ar archive (a library)", BUILD},
    {INSPECT_ARCHIVE, SIGNED("!<thin>\n"), "an ar archive (a library)", BUILD},
    {INSPECT_ARCHIVE, SIGNED("\xED\xAB\xEE\xDB"), "an RPM package", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("070701"), "a cpio archive", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("070702"), "a cpio archive", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("070707"), "a cpio archive", UNPACK},
    {INSPECT_ARCHIVE, FITS(is_old_cpio), "a cpio archive", UNPACK},
    {INSPECT_ARCHIVE, FITS(is_lzh), "an LZH archive", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("MSCF\0\0\0\0"), "a cabinet archive", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("xar!"), "a xar archive", UNPACK},
    {INSPECT_ARCHIVE, SIGNED("hsqs"), "a squashfs filesystem", BUILD},
    {INSPECT_ARCHIVE, FITS(is_iso_9660), "a CD image", BUILD},
    {INSPECT_ARCHIVE, SIGNED("PACK\0\0\0\2"), "a git pack file", BUILD},
    {INSPECT_ARCHIVE, SIGNED("# v2 git bundle\n"), "a git bundle", BUILD},
    {INSPECT_ARCHIVE, SIGNED("# v3 git bundle\n"), "a git bundle", BUILD},
    {INSPECT_PROGRAM, FITS(is_windows_program), "a Windows program", BUILD},
    {INSPECT_PROGRAM, FITS(is_dos_program), "a DOS program", BUILD},
    {INSPECT_PROGRAM, FITS(is_java_class), "a Java class file", BUILD},
    {INSPECT_PROGRAM, FITS(is_mach_o), "a Mach-O file (a program for macOS)", BUILD},
    {INSPECT_PROGRAM, SIGNED("\0asm\1\0\0\0"), "a WebAssembly module", BUILD},
    {INSPECT_PROGRAM, SIGNED("\x1BLua"), "a Lua byte code file", BUILD},
    {INSPECT_PROGRAM, FITS(is_python_bytecode), "a Python byte code file", BUILD},
    {INSPECT_PROGRAM, SIGNED("dex\n0"), "an Android program", BUILD},
    {INSPECT_PROGRAM, SIGNED("BC\xC0\xDE"), "an LLVM byte code file", BUILD},
    {INSPECT_PROGRAM, SIGNED("DfuSe\1"), "a DfuSe file for STM32 chips", BUILD},
    {INSPECT_PROGRAM, SIGNED("\x27\5\x19\x56"), "a U-Boot image", BUILD},
    {INSPECT_PROGRAM, SIGNED("\xD0\x0D\xFE\xED"), "a device tree", BUILD},
    {INSPECT_UPDATE, FITS(is_arduino_ota), "an .ota file for OTAUpdate or Arduino's cloud", BUILD},
    {INSPECT_UPDATE, SIGNED("RBL\0"), "a Beken OTA package (.rbl)", LIBRETINY},
    {INSPECT_UPDATE, SIGNED("81958711"), "a Realtek AmebaZ image", LIBRETINY},
    {INSPECT_UPDATE, SIGNED("\x1E\xF1\xEE\x0B"), "a Zigbee OTA file", BUILD},
    {INSPECT_UPDATE, SIGNED("\x1E\xF1\xEE\x1B"), "a Matter OTA file", BUILD},
    {INSPECT_UPDATE, SIGNED("\x3D\xB8\xF3\x96"), "an MCUboot image", BUILD},
    {INSPECT_UPDATE, SIGNED("\xEB\x17\xA6\x03"), "a Silicon Labs GBL file", BUILD},
    {INSPECT_DOCUMENT, SIGNED("\x89PNG\r\n\x1A\n"), "a PNG picture", BUILD},
    {INSPECT_DOCUMENT, FITS(is_jpeg), "a JPEG picture", BUILD},
    {INSPECT_DOCUMENT, SIGNED("GIF87a"), "a GIF picture", BUILD},
    {INSPECT_DOCUMENT, SIGNED("GIF89a"), "a GIF picture", BUILD},
    {INSPECT_DOCUMENT, FITS(is_bmp), "a BMP picture", BUILD},
    {INSPECT_DOCUMENT, SIGNED("II*\0"), "a TIFF picture", BUILD},
    {INSPECT_DOCUMENT, SIGNED("MM\0*"), "a TIFF picture", BUILD},
    {INSPECT_DOCUMENT, SIGNED_AT(8, "WEBPVP8"), "a WebP picture", BUILD},
    {INSPECT_DOCUMENT, FITS(is_icon), "an icon", BUILD},
    {INSPECT_DOCUMENT, SIGNED("8BPS\0\1"), "a Photoshop picture", BUILD},
    {INSPECT_DOCUMENT, SIGNED_AT(8, "WAVEfmt "), "a WAV recording", BUILD},
    {INSPECT_DOCUMENT, SIGNED_AT(8, "AVI LIST"), "an AVI film", BUILD},
    {INSPECT_DOCUMENT, SIGNED("OggS\0"), "an Ogg recording", BUILD},
    {INSPECT_DOCUMENT, SIGNED("fLaC\0"), "a FLAC recording", BUILD},
    {INSPECT_DOCUMENT, SIGNED("MThd\0\0\0\6"), "a MIDI file", BUILD},
    {INSPECT_DOCUMENT, FITS(is_mp3), "an MP3 recording", BUILD},
    {INSPECT_DOCUMENT, FITS(is_mp4), "an MP4 file", BUILD},
    {INSPECT_DOCUMENT, SIGNED("\x1A\x45\xDF\xA3"), "a Matroska film", BUILD},
    {INSPECT_DOCUMENT, SIGNED("wOFF"), "a font", BUILD},
    {INSPECT_DOCUMENT, SIGNED("wOF2"), "a font", BUILD},
    {INSPECT_DOCUMENT, SIGNED("OTTO\0"), "a font", BUILD},
    {INSPECT_DOCUMENT, FITS(is_true_type), "a font", BUILD},
    {INSPECT_DOCUMENT, SIGNED("%PDF-"), "a PDF document", BUILD},
    {INSPECT_DOCUMENT, SIGNED("%!PS"), "a PostScript document", BUILD},
    {INSPECT_DOCUMENT, SIGNED("{\\rtf"), "an RTF document", BUILD},
    {INSPECT_DOCUMENT, SIGNED("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), "an Office document", BUILD},
    {INSPECT_DOCUMENT, SIGNED("SQLite format 3"), "an SQLite database", BUILD},
    {INSPECT_DOCUMENT, SIGNED("\xD4\xC3\xB2\xA1"), "a packet capture", BUILD},
    {INSPECT_DOCUMENT, SIGNED("\xA1\xB2\xC3\xD4"), "a packet capture", BUILD},
    {INSPECT_DOCUMENT, SIGNED("\x0A\x0D\x0D\x0A"), "a packet capture", BUILD},
    {INSPECT_DOCUMENT, SIGNED("Salted__"), "a file encrypted with OpenSSL", "decrypt it first"},
    {INSPECT_DOCUMENT, SIGNED("\xDE\x12\4\x95"), "a message catalogue", BUILD},
    {INSPECT_DOCUMENT, SIGNED("\0\5\x16\7\0\2\0\0"), "a macOS file of attributes (._NAME)",
     "send the file without ._ before its name"},
    {INSPECT_DOCUMENT, SIGNED("L\0\0\0\1\x14\2\0"), "a Windows shortcut (.lnk)",
     "send the file that it points to"},
    {INSPECT_DOCUMENT, SIGNED("bplist00"), "a property list", BUILD},
    {INSPECT_DOCUMENT, FITS(is_form_data), "a browser's upload with its headers",
     "send the file that is in it"},
    {INSPECT_TEXT, SIGNED("HTTP/"), "an HTTP response with its headers", "did the download fail?"},
    {INSPECT_DOCUMENT, FITS(is_der), "a key or a certificate (DER)", BUILD},
    {INSPECT_FLASH_DATA, FITS(is_ota_data), "an ESP32 OTA data partition (boot_app0.bin)", CABLE},
    {INSPECT_FLASH_DATA, FITS(is_nvs), "an ESP32 NVS partition (settings)", CABLE},
    {INSPECT_FLASH_DATA, FITS(is_radio_data), "an ESP8266's radio calibration data", CABLE},
    {INSPECT_FLASH_DATA, SIGNED("PHYINIT"), "an ESP32's radio calibration data", CABLE},
#undef SIGNED_AT
#undef SIGNED
#undef FITS
};

bool inspect_foreign(struct inspection *inspection, struct view view)
{
    for (size_t i = 0; i < sizeof foreigners / sizeof *foreigners; i++) {
        const struct foreign *row = &foreigners[i];
        bool is_match = row->fits ? row->fits(view)
                                  : view_equals(view, row->offset, row->signature, row->length);

        if (is_match) {
            inspect_set_foreign(inspection, row->format, row->what, row->remedy);
            return true;
        }
    }
    return false;
}

bool inspect_blank(struct inspection *inspection, struct view view)
{
    char what[INSPECT_WHAT_MAX];

    if (view.size == 0 || !view_is_filled(view, 0, view.size, view.data[0]))
        return false;
    snprintf(what, sizeof what, "a file of nothing but 0x%02X bytes%s", view.data[0],
             view.data[0] == 0xFF ? " (erased flash)" : "");
    inspect_set_foreign(inspection, INSPECT_BLANK, what, "build it or copy it again");
    return true;
}
