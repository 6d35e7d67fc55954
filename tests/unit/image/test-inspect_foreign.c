/*
 * test-inspect_foreign.c: files that are certainly not firmware: text of any kind, files of other
 * programs, one repeated byte. Nothing else is taken for such a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/inspected.h"

#include <stdio.h>
#include <string.h>

struct sample {
    const char *data;
    size_t size;
    const char *name;
};
#define SAMPLE(data, name)                                                                         \
    {                                                                                              \
        data, sizeof(data) - 1, name                                                               \
    }

static void expect_foreign(enum inspect_format format, const char *name)
{
    if (format == INSPECT_UPDATE) {
        expect(format, INSPECT_CANNOT_TELL, INSPECT_SERVABLE, name,
               "can only be served (--serve): ");
        expect_text(inspection.verdict, ". To upload, send the .");
    } else {
        expect(format, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, name,
               "should not be sent: it is a");
        expect_text(inspection.verdict, "not firmware: ");
    }
    assert_int_equal(inspection.kind, INSPECT_NEITHER);
    assert_int_equal(inspection.families, 0);
}

static const struct sample texts[] = {
    SAMPLE("<!DOCTYPE html><html><body>404</body></html>\n", "web page"),
    SAMPLE("\xEF\xBB\xBF\r\n\r\n  <HTML><HEAD><TITLE>x</TITLE>", "web page"),
    SAMPLE("<!-- saved -->\n<html>\n<body>\n", "web page"),
    SAMPLE("<?xml version=\"1.0\"?>\n<!DOCTYPE html>\n<html/>", "web page"),
    SAMPLE("HTTP/1.1 404 Not Found\r\n\r\n<html>", "HTTP response"),
    SAMPLE("<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>", "XML document"),
    SAMPLE("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "SVG picture"),
    SAMPLE("{\"message\":\"Not Found\",\"status\":\"404\"}", "JSON document"),
    SAMPLE("\n[\n  {\"a\": 1},\n  {}\n]\n", "JSON document"),
    SAMPLE("version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"),
    SAMPLE("-----BEGIN CERTIFICATE-----\nMIIB\n", "PEM file"),
    SAMPLE("#!/bin/sh\nexec make\n", "script"),
    SAMPLE("begin 644 firmware.bin\nM_UF2\n", "uuencoded file"),
    SAMPLE("S00F000068656C6C6F202020202000003C\r\nS9030000FC\r\n", "S-record"),
    SAMPLE("00000000: e901 0240 9cf2 1040  ...@...@\n", "hex dump"),
    SAMPLE("00000000  e9 01 02 40 9c f2 10 40  |...@...@|\n", "hex dump"),
    SAMPLE("0000000 000351 001002 171234 040020\n", "hex dump"),
    SAMPLE("e901024000f01040\n00f0104068050000\n", "hexadecimal digits"),
    SAMPLE("0xE9, 0x01, 0x02, 0x40, 0x9C\n", "hexadecimal digits"),
    SAMPLE("6QECQJzyEEAA8BBAaAUAABAQAABQ9RBA\nHEsAQMwkAEA=\n", "base64 text file"),
    SAMPLE("data:application/octet-stream;base64,6QECQA==", "data URL"),
    SAMPLE("#include <Arduino.h>\nvoid setup() {}\n", "text file"),
    SAMPLE("name,value\r\nled,1\r\n", "text file"),
    SAMPLE("---\nwifi:\n  ssid: home\n", "text file"),
    SAMPLE("[env:esp32]\nplatform = espressif32\n", "text file"),
    SAMPLE("12:00:01 \x1B[32mI (31) boot: ok\x1B[0m\r\n", "text file"),
    SAMPLE("Gr\xC3\xBC\xC3\x9F"
           "e aus K\xC3\xB6ln, \xE2\x82\xAC 5\n",
           "text file"),
    SAMPLE("Gr\xFC\xDF"
           "e aus K\xF6ln, Stra\xDF"
           "e 5, sch\xF6n\n",
           "text file"),
    SAMPLE("\xFF\xFEh\0e\0l\0l\0o\0 \0\xAC\x20w\0o\0r\0l\0d\0", "text file"),
    SAMPLE("\xFE\xFF\0<\0h\0t\0m\0l\0>\0\n\0x\0y", "web page"),
    SAMPLE("h\0e\0l\0l\0o\0 \0w\0o\0r\0l\0d\0\n\0", "text file"),
    SAMPLE("\xFF\xFE\0\0h\0\0\0i\0\0\0", "text file"),
    SAMPLE("a whole sentence, then padding\n\0\0\0\0\0\0\0", "text file"),
    SAMPLE("a whole sentence, then padding\n\xFF\xFF\xFF\xFF\xFF\xFF", "text file"),
    SAMPLE("HTTP/1.1 200 OK\r\n\r\n\xE9\1\2\0\x40\0\0\1\0\0\0\0\x10", "HTTP response"),
    SAMPLE(":-) is no record of Intel's", "text file"),
    SAMPLE("404 page not found\n", "server's error message"),
    SAMPLE("503: Service Unavailable\n", "server's error message"),
    /* these only begin like something else */
    SAMPLE("404 404 404 404 404\n", "hexadecimal digits"),
    SAMPLE("4048 boards were updated\n", "text file"),
    SAMPLE("204 boards were updated\n", "text file"),
    SAMPLE("{not JSON}\n", "text file"),
    SAMPLE("{\n", "text file"),
    SAMPLE("[section]\n", "text file"),
    SAMPLE("Sorry\n", "text file"),
    SAMPLE("S1 and S2 are switches\n", "text file"),
    SAMPLE("begin at the beginning\n", "text file"),
    SAMPLE("<3 from me to you\n", "text file"),
    SAMPLE("0000: nothing\n", "text file"),
    SAMPLE("0000: abx\n", "text file"),
    SAMPLE("00000000000000000: ab cd\n", "text file"),
    SAMPLE("a text that ends as on CP/M\n\x1A\x1A", "text file"),
};

static void test_text_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        firmware_clear(&firmware);
        firmware_add(&firmware, texts[i].data, texts[i].size);
        expect_foreign(INSPECT_TEXT, texts[i].name);
    }
}

/* Text in an unknown 8-bit encoding, and a log with a little noise, are recognized if they are long
 * enough. */
static void test_long_text(void **state)
{
    (void)state;

    firmware_clear(&firmware);
    for (int i = 0; i < 60; i++)
        firmware_add(&firmware, "\xCF\xF0\xE8\xE2\xE5\xF2 ", 7); /* in CP1251 */
    expect_foreign(INSPECT_TEXT, "text file");
    firmware_clear(&firmware);
    for (int i = 0; i < 10; i++)
        firmware_add(&firmware, "\xB9\xCC\xBC\xFE\xC9\xFD\x81\x40", 8); /* in GBK */
    expect_foreign(INSPECT_TEXT, "text file");
    firmware_clear(&firmware);
    for (int i = 0; i < 60; i++)
        firmware_add(&firmware, "rst cause:2, boot mode:(3,6)\r\n", 30);
    firmware_set_u32(&firmware, 0, 0x7F001C8E);
    expect_foreign(INSPECT_TEXT, "text file");
}

static const struct {
    enum inspect_format format;
    struct sample sample;
} signature_rows[] = {
    {INSPECT_ARCHIVE, SAMPLE("PK\3\4\x14\0", "zip archive")},
    {INSPECT_ARCHIVE, SAMPLE("7z\xBC\xAF\x27\x1C\0\4", "7z archive")},
    {INSPECT_ARCHIVE, SAMPLE("Rar!\x1A\7\1\0", "RAR archive")},
    {INSPECT_ARCHIVE, SAMPLE("\xFD"
                             "7zXZ\0\0\4",
                             "xz file")},
    {INSPECT_ARCHIVE, SAMPLE("BZh91AY&SY", "bzip2 file")},
    {INSPECT_ARCHIVE, SAMPLE("\x28\xB5\x2F\xFD\4\0", "zstd file")},
    {INSPECT_ARCHIVE, SAMPLE("\4\x22\x4D\x18\x64\x40", "lz4 file")},
    {INSPECT_ARCHIVE, SAMPLE("LZIP\1\x0C", "lzip file")},
    {INSPECT_ARCHIVE, SAMPLE("\x5D\0\0\x80\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0", "lzma file")},
    {INSPECT_ARCHIVE, SAMPLE("\x1F\x9D\x90\1", "file of compress")},
    {INSPECT_ARCHIVE, SAMPLE("!<arch>\ndebian-binary   1", "Debian package")},
    {INSPECT_ARCHIVE, SAMPLE("!<arch>\n/               0", "ar archive")},
    {INSPECT_ARCHIVE, SAMPLE("\x1A\x4D-lh5-\x10\0", "LZH archive")},
    {INSPECT_ARCHIVE,
     SAMPLE("\xC7\x71\1\0\1\0\xA4\x81\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\4\0x\0", "cpio archive")},
    {INSPECT_ARCHIVE, SAMPLE("# v2 git bundle\n\1", "git bundle")},
    {INSPECT_DOCUMENT,
     SAMPLE("--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n\xE9", "browser's upload")},
    {INSPECT_ARCHIVE, SAMPLE("\xED\xAB\xEE\xDB\3\0", "RPM package")},
    {INSPECT_PROGRAM, SAMPLE("\xCA\xFE\xBA\xBE\0\0\0\x34", "Java class file")},
    {INSPECT_PROGRAM, SAMPLE("\xCA\xFE\xBA\xBE\0\0\0\2", "Mach-O file")},
    {INSPECT_PROGRAM, SAMPLE("\xCF\xFA\xED\xFE\7\0\0\1", "Mach-O file")},
    {INSPECT_PROGRAM, SAMPLE("\0asm\1\0\0\0", "WebAssembly module")},
    {INSPECT_UPDATE, SAMPLE("RBL\0\2\3\0\0", "Beken OTA package")},
    {INSPECT_UPDATE, SAMPLE("81958711\0\x40\5\0", "Realtek AmebaZ image")},
    {INSPECT_UPDATE, SAMPLE("\x1E\xF1\xEE\x0B\0\1\x38\0", "Zigbee OTA file")},
    {INSPECT_UPDATE, SAMPLE("\x1E\xF1\xEE\x1B\0\1\x38\0", "Matter OTA file")},
    {INSPECT_UPDATE, SAMPLE("\x3D\xB8\xF3\x96\0\0\0\0\0\2", "MCUboot image")},
    {INSPECT_UPDATE, SAMPLE("\xEB\x17\xA6\3\x08\0\0\0", "Silicon Labs GBL file")},
    {INSPECT_DOCUMENT, SAMPLE("\x89PNG\r\n\x1A\n\0\0\0\x0D", "PNG picture")},
    {INSPECT_DOCUMENT, SAMPLE("\xFF\xD8\xFF\xE0\0\x10JFIF", "JPEG picture")},
    {INSPECT_DOCUMENT, SAMPLE("GIF89a\1\0\1\0", "GIF picture")},
    {INSPECT_DOCUMENT, SAMPLE("RIFF\x24\0\0\0WAVEfmt \x10", "WAV recording")},
    {INSPECT_DOCUMENT, SAMPLE("ID3\3\0\0\0\0", "MP3 recording")},
    {INSPECT_DOCUMENT, SAMPLE("OggS\0\2\0\0", "Ogg recording")},
    {INSPECT_DOCUMENT, SAMPLE("\0\0\0\x18"
                              "ftypmp42",
                              "MP4 file")},
    {INSPECT_DOCUMENT, SAMPLE("%PDF-1.7\n%\xE2\xE3", "PDF document")},
    {INSPECT_DOCUMENT, SAMPLE("SQLite format 3\0\x10", "SQLite database")},
    {INSPECT_DOCUMENT, SAMPLE("\0\5\x16\7\0\2\0\0Mac OS X", "macOS file of attributes")},
    {INSPECT_DOCUMENT, SAMPLE("L\0\0\0\1\x14\2\0\0\0\0\0\xC0", "Windows shortcut")},
    {INSPECT_FLASH_DATA, SAMPLE("PHYINIT\0\1\0\x24", "radio calibration data")},
};

/* Each sample is the beginning of such a file; bytes that are not text follow. */
static void test_signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof signature_rows / sizeof *signature_rows; i++) {
        const struct sample *sample = &signature_rows[i].sample;

        firmware_clear(&firmware);
        firmware_add(&firmware, sample->data, sample->size);
        for (unsigned k = 0; k < 300; k++)
            firmware_fill(&firmware, (unsigned char)(k * 7), 1);
        expect_foreign(signature_rows[i].format, sample->name);

        /* the last byte of the signature counts, too */
        firmware_clear(&firmware);
        firmware_add(&firmware, sample->data, 1);
        for (unsigned k = 0; k < 300; k++)
            firmware_fill(&firmware, (unsigned char)(k * 7), 1);
        inspect_firmware();
        assert_int_equal(inspection.format, INSPECT_UNKNOWN);
    }
}

/* Bytes at an offset in a file. */
struct place {
    size_t offset;
    const char *bytes;
    size_t length;
};
#define AT(offset, bytes)                                                                          \
    {                                                                                              \
        offset, bytes, sizeof(bytes) - 1                                                           \
    }

enum { PLACES_MAX = 10, NOISE = -1 };

/* Short signatures count only if other bytes (good) confirm them; each of the bad ones spoils
 * that. */
static const struct confirmed {
    enum inspect_format format;
    const char *name;
    size_t size;
    int filler;
    struct place good[PLACES_MAX];
    struct place bad[PLACES_MAX];
    bool has_exact_size; /* one more byte spoils it, too */
} confirmed[] = {
    {INSPECT_ARCHIVE,
     "bzip2 file",
     300,
     NOISE,
     {AT(0, "BZh9\x31\x41\x59\x26\x53\x59")},
     {AT(4, "x"), AT(0, "b")},
     false},
    {INSPECT_ARCHIVE,
     "bzip2 file",
     300,
     NOISE,
     {AT(0, "BZh9\x17\x72\x45\x38\x50\x90")},
     {AT(9, "x")},
     false},
    {INSPECT_ARCHIVE,
     "lzma file",
     300,
     NOISE,
     {AT(0, "\x5D\0\0\x80\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0")},
     {AT(0, "\x5C"), AT(1, "\0\1\0\0"), AT(1, "\0\x50\0\0"), AT(5, "\xFE"), AT(13, "\1")},
     false},
    {INSPECT_ARCHIVE,
     "lzma file",
     300,
     NOISE,
     {AT(0, "\x5D\0\0\x60\0\0\x10\0\0\0\0\0\0\0")},
     {AT(12, "\1")},
     false},
    {INSPECT_ARCHIVE,
     "file of compress",
     300,
     NOISE,
     {AT(0, "\x1F\x9D\x90")},
     {AT(1, "\x9E"), AT(2, "\xB0"), AT(2, "\x88"), AT(2, "\x91")},
     false},
    {INSPECT_ARCHIVE,
     "LZH archive",
     300,
     NOISE,
     {AT(2, "-lh5-")},
     {AT(2, "+"), AT(3, "L"), AT(4, "x"), AT(5, "/"), AT(5, ":"), AT(5, "e"), AT(6, "+")},
     false},
    {INSPECT_ARCHIVE, "LZH archive", 300, NOISE, {AT(2, "-lzs-")}, {AT(4, "y")}, false},
    {INSPECT_ARCHIVE, "LZH archive", 300, NOISE, {AT(2, "-lhd-")}, {AT(5, "c")}, false},
    {INSPECT_ARCHIVE,
     "cpio archive",
     300,
     NOISE,
     {AT(0, "\xC7\x71\1\0\1\0\xA4\x81"), AT(20, "\2\0"), AT(27, "\0")},
     {AT(0, "\xC6"), AT(7, "\1"), AT(7, "\xF1"), AT(20, "\1\0"), AT(20, "\0\2"), AT(27, "x")},
     false},
    {INSPECT_ARCHIVE,
     "zstd or lz4 file",
     300,
     NOISE,
     {AT(0, "\x5F\x2A\x4D\x18")},
     {AT(0, "\x60")},
     false},
    {INSPECT_ARCHIVE, "CD image", 0x8100, NOISE, {AT(0x8001, "CD001")}, {AT(0x8005, "2")}, false},
    {INSPECT_PROGRAM,
     "Windows program",
     300,
     1,
     {AT(0, "MZ"), AT(0x3C, "\x80\0\0\0"), AT(0x80, "PE\0\0")},
     {AT(0, "N"), AT(0x80, "X"), AT(0x3C, "\x7F")},
     false},
    {INSPECT_PROGRAM,
     "DOS program",
     600,
     NOISE,
     {AT(0, "MZ\x10\0\1\0"), AT(8, "\2\0"), AT(0x18, "\x1C\0")},
     {AT(0, "N"), AT(2, "\0\2"), AT(4, "\0\0"), AT(4, "\3\0"), AT(8, "\1\0"), AT(8, "\x20\0"),
      AT(0x18, "\x1B"), AT(0x18, "\x21")},
     false},
    /* with the identifiers of an UNO R4 WiFi, and the letters of an ESP32 */
    {INSPECT_UPDATE,
     ".ota file",
     300,
     NOISE,
     {AT(0, "\x24\1\0\0"), AT(8, "\2\x10\x41\x23")},
     {AT(0, "\x23"), AT(10, "\x42"), AT(11, "\x24")},
     true},
    {INSPECT_UPDATE,
     ".ota file",
     300,
     NOISE,
     {AT(0, "\x24\1\0\0"), AT(8, "3PSE")},
     {AT(11, "F")},
     true},
    {INSPECT_PROGRAM,
     "Mach-O file",
     300,
     NOISE,
     {AT(0, "\xFE\xED\xFA\xCE")},
     {AT(3, "\xCC")},
     false},
    {INSPECT_PROGRAM,
     "Mach-O file",
     300,
     NOISE,
     {AT(0, "\xCE\xFA\xED\xFE")},
     {AT(0, "\xCC")},
     false},
    {INSPECT_PROGRAM,
     "Python byte code",
     300,
     NOISE,
     {AT(0, "\xA7\r\r\n\0\0\0\0")},
     {AT(0, "\0"), AT(1, "\n"), AT(4, "\4")},
     false},
    {INSPECT_DOCUMENT,
     "JPEG picture",
     300,
     NOISE,
     {AT(0, "\xFF\xD8\xFF\xE0")},
     {AT(3, "\xBF"), AT(3, "\xFF")},
     false},
    {INSPECT_DOCUMENT,
     "BMP picture",
     300,
     NOISE,
     {AT(0, "BM"), AT(6, "\0\0\0\0\x36\0\0\0\x28\0\0\0")},
     {AT(0, "C"), AT(6, "\1"), AT(10, "\x35"), AT(14, "\x0D"), AT(14, "\x27"), AT(14, "\x7D")},
     false},
    {INSPECT_DOCUMENT,
     "BMP picture",
     300,
     NOISE,
     {AT(0, "BM"), AT(6, "\0\0\0\0\x1A\0\0\0\x0C\0\0\0")},
     {AT(10, "\x19")},
     false},
    {INSPECT_DOCUMENT,
     "icon",
     300,
     NOISE,
     {AT(0, "\0\0\1\0\1\0"), AT(9, "\0"), AT(14, "\x10\0\0\0\x16\0\0\0")},
     {AT(2, "\2"), AT(4, "\0"), AT(4, "\x40"), AT(9, "\1"), AT(14, "\0"), AT(14, "\0\2"),
      AT(18, "\x15")},
     false},
    {INSPECT_DOCUMENT,
     "MP3 recording",
     600,
     NOISE,
     {AT(0, "\xFF\xFB\x90\0"), AT(417, "\xFF\xFB\x90\0")},
     {AT(0, "\xFE"), AT(1, "\xF9"), AT(2, "\0"), AT(2, "\xF0"), AT(2, "\x9C"), AT(2, "\x92"),
      AT(417, "\0")},
     false},
    {INSPECT_DOCUMENT,
     "MP3 recording",
     600,
     NOISE,
     {AT(0, "\xFF\xFB\x92\0"), AT(418, "\xFF\xFB\x90\0")},
     {AT(418, "\0")},
     false},
    {INSPECT_DOCUMENT,
     "MP4 file",
     300,
     NOISE,
     {AT(0, "\0\0\0\x18"
            "ftyp")},
     {AT(2, "\3"), AT(3, "\7"), AT(4, "F")},
     false},
    {INSPECT_DOCUMENT,
     "font",
     300,
     NOISE,
     {AT(0, "\0\1\0\0\0\x0C\0\x80")},
     {AT(1, "\2"), AT(5, "\0"), AT(5, "\x40"), AT(7, "\x81"), AT(7, "\xD0"), AT(7, "\x60")},
     false},
    {INSPECT_DOCUMENT,
     "key or a certificate",
     304,
     NOISE,
     {AT(0, "\x30\x82\x01\x2C")},
     {AT(0, "\x31"), AT(3, "\x2B")},
     true},
    {INSPECT_DOCUMENT,
     "key or a certificate",
     130,
     NOISE,
     {AT(0, "\x30\x81\x7F")},
     {AT(1, "\x80"), AT(2, "\x7E")},
     true},
    {INSPECT_FLASH_DATA,
     "boot_app0.bin",
     8192,
     0xFF,
     {AT(0, "\1\0\0\0"), AT(28, "\x9A\x98\x43\x47")},
     {AT(0, "\0"), AT(2, "\1"), AT(23, "\xFE"), AT(28, "\xFF\xFF\xFF\xFF"), AT(4095, "\xFE")},
     true},
    {INSPECT_FLASH_DATA,
     "NVS partition",
     (size_t)3 * 4096,
     0xFF,
     {AT(0, "\xFE\xFF\xFF\xFF\0\0\0\0\xFE"), AT(28, "\x78\x56\x34\x12")},
     {AT(0, "\xF0"), AT(0, "\xFF"), AT(8, "\xFD"), AT(27, "\xFE"), AT(28, "\xFF\xFF\xFF\xFF")},
     true},
    {INSPECT_FLASH_DATA,
     "radio calibration data",
     128,
     0,
     {AT(0, "\5\0\4\2\5\5\5\2\5")},
     {AT(0, "\4"), AT(8, "\4")},
     true},
};

static void put(const struct place *place)
{
    memcpy(firmware.data + place->offset, place->bytes, place->length);
}

static void make_confirmed(const struct confirmed *row)
{
    firmware_clear(&firmware);
    for (size_t i = 0; i < row->size; i++)
        firmware_fill(&firmware, (unsigned char)(row->filler == NOISE ? (int)i * 7 : row->filler),
                      1);
    for (const struct place *place = row->good; place->bytes != NULL; place++)
        put(place);
}

static void test_confirmed_formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof confirmed / sizeof *confirmed; i++) {
        const struct confirmed *row = &confirmed[i];

        make_confirmed(row);
        expect_foreign(row->format, row->name);
        for (const struct place *place = row->bad; place->bytes != NULL; place++) {
            make_confirmed(row);
            put(place);
            inspect_firmware();
            if (inspection.format != INSPECT_UNKNOWN)
                fail_msg("%s, spoilt at %zu, is taken for format %d", row->name, place->offset,
                         inspection.format);
        }
        if (row->has_exact_size) {
            make_confirmed(row);
            firmware_fill(&firmware, 0x55, 1);
            expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown",
                   "may not work");
        }
    }
}

/* These files are too short for the bytes that would confirm them. */
static void test_too_short(void **state)
{
    static const struct sample samples[] = {
        SAMPLE("\x5D\0\0\x80\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "lzma file"),
        SAMPLE("\x1F\x9D\x90\1\2\3\4\5\6\7\x83\x91\x82\x93\xA4", "file of compress"),
        SAMPLE("\x30\x82\0\x04\x81\x92\xA3\xB4", "key or a certificate"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        firmware_clear(&firmware);
        firmware_add(&firmware, samples[i].data, samples[i].size);
        inspect_firmware();
        assert_int_equal(inspection.format, INSPECT_UNKNOWN);
    }
}

static void test_tar(void **state)
{
    unsigned sum = 8U * ' ';

    (void)state;
    firmware_clear(&firmware);
    firmware_fill(&firmware, 0, 1024);
    memcpy(firmware.data, "firmware.bin", 12);
    memcpy(firmware.data + 124, "00000001000", 11);
    memcpy(firmware.data + 148, "002457", 6);
    firmware.data[155] = ' ';
    for (size_t i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? 0 : firmware.data[i];
    snprintf((char *)firmware.data + 148, 7, "%06o", sum);

    expect_foreign(INSPECT_ARCHIVE, "tar archive");
    firmware.data[3] ^= 1;
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");
}

static void test_blank(void **state)
{
    (void)state;

    firmware_clear(&firmware);
    firmware_fill(&firmware, 0xFF, 65536);
    expect_foreign(INSPECT_BLANK, "file of nothing but 0xFF bytes (erased flash)");
    firmware.data[40000] = 0xFE;
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");
    for (size_t i = 0; i < 2000; i++) /* like the rest of a filesystem */
        firmware.data[i] = 'a';
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");
    firmware_clear(&firmware);
    firmware_fill(&firmware, 0, 16);
    expect_foreign(INSPECT_BLANK, "0x00 bytes");
}

/* Firmware is not taken for something else. */
static void test_firmware_stays_firmware(void **state)
{
    (void)state;

    firmware_make_rp2350(&firmware);
    inspect_firmware();
    assert_int_equal(inspection.sending, INSPECT_SENDABLE);
    firmware_clear(&firmware);
    for (unsigned i = 0; i < 65536; i++) /* all values occur */
        firmware_fill(&firmware, (unsigned char)(i * 41 + i / 256), 1);
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");

    /* nine of ten bytes are text, like in a program with many messages */
    for (unsigned i = 0; i < 65536; i++)
        if (i % 10 != 0)
            firmware.data[i] = 'a';
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_files), cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_signatures), cmocka_unit_test(test_confirmed_formats),
        cmocka_unit_test(test_too_short),  cmocka_unit_test(test_tar),
        cmocka_unit_test(test_blank),      cmocka_unit_test(test_firmware_stays_firmware),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
