/*
 * firmware.c: makes files of each format, with as few bytes as it allows.
 */
#include "support/firmware.h"

#include "crypto/digest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SECTOR = 4096 };

void firmware_clear(struct firmware *firmware)
{
    firmware->size = 0;
}

void firmware_add(struct firmware *firmware, const void *data, size_t size)
{
    assert(size <= sizeof firmware->data - firmware->size);
    memcpy(firmware->data + firmware->size, data, size);
    firmware->size += size;
}

void firmware_fill(struct firmware *firmware, unsigned char value, size_t size)
{
    assert(size <= sizeof firmware->data - firmware->size);
    memset(firmware->data + firmware->size, value, size);
    firmware->size += size;
}

void firmware_add_u32(struct firmware *firmware, uint32_t value)
{
    firmware_fill(firmware, 0, 4);
    firmware_set_u32(firmware, firmware->size - 4, value);
}

void firmware_set_u16(struct firmware *firmware, size_t offset, uint16_t value)
{
    firmware->data[offset] = (unsigned char)value;
    firmware->data[offset + 1] = (unsigned char)(value >> 8);
}

void firmware_set_u32(struct firmware *firmware, size_t offset, uint32_t value)
{
    firmware_set_u16(firmware, offset, (uint16_t)value);
    firmware_set_u16(firmware, offset + 2, (uint16_t)(value >> 16));
}

/* Bytes with a period of 64 KiB, so no two parts are alike. */
static void add_code(struct firmware *firmware, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)(i * 31 + i / 256 * 7 + 3);

        firmware_add(firmware, &byte, 1);
    }
}

static void add_segment(struct firmware *firmware, uint32_t address, size_t size)
{
    firmware_add_u32(firmware, address);
    firmware_add_u32(firmware, (uint32_t)size);
    add_code(firmware, size);
}

/* Walks the segments again, as some have changed since they were added. */
static void add_checksum(struct firmware *firmware, size_t start, size_t header_size)
{
    size_t offset = start + header_size;
    unsigned char sum = 0xEF;

    for (unsigned n = firmware->data[start + 1]; n > 0; n--) {
        size_t size = firmware->data[offset + 4] + 256U * firmware->data[offset + 5] +
                      65536U * firmware->data[offset + 6];

        for (offset += 8; size > 0; size--)
            sum ^= firmware->data[offset++];
    }
    while ((firmware->size - start) % 16 != 15)
        firmware_fill(firmware, 0, 1);
    firmware_add(firmware, &sum, 1);
}

static void add_hash(struct firmware *firmware, size_t start)
{
    char hex[DIGEST_SHA256_HEX + 1];

    if (digest_sha256(hex, firmware->data + start, firmware->size - start) != 0)
        abort();
    for (size_t i = 0; i < 32; i++) {
        const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};

        firmware_fill(firmware, (unsigned char)strtoul(digits, NULL, 16), 1);
    }
}

static void set_descriptor(struct firmware *firmware, size_t offset)
{
    memset(firmware->data + offset, 0, 256);
    firmware_set_u32(firmware, offset, 0xABCD5432);
    firmware_set_u32(firmware, offset + 4, 7);
    memcpy(firmware->data + offset + 16, "1.2.3", 5);
    memcpy(firmware->data + offset + 48, "blink", 5);
    memcpy(firmware->data + offset + 80, "12:34:56", 8);
    memcpy(firmware->data + offset + 96, "Nov 24 2026", 11);
    memcpy(firmware->data + offset + 112, "v5.5.1", 6);
}

static void add_esp32(struct firmware *firmware, const struct firmware_esp32 *make)
{
    static const unsigned char header[24] = {0xE9, 2,    2,    0x2F, 0x84,
                                             0x1C, 0x08, 0x40, 0xEE, [23] = 0};
    size_t start = firmware->size;

    firmware_add(firmware, header, sizeof header);
    firmware_set_u16(firmware, start + 12, make->chip);
    firmware->data[start + 23] = make->has_hash;
    add_segment(firmware, make->address, 260);
    if (make->has_descriptor)
        set_descriptor(firmware, start + 32);
    add_segment(firmware, make->address + 0x200, 100);
    add_checksum(firmware, start, sizeof header);
    if (make->has_hash)
        add_hash(firmware, start);
}

void firmware_make_esp32(struct firmware *firmware, const struct firmware_esp32 *make)
{
    firmware_clear(firmware);
    add_esp32(firmware, make);
}

static void add_partition(struct firmware *firmware, unsigned char type, uint32_t address,
                          const char *label)
{
    const unsigned char magic[] = {0xAA, 0x50, type, 0};
    char name[16] = "";

    snprintf(name, sizeof name, "%s", label);
    firmware_add(firmware, magic, sizeof magic);
    firmware_add_u32(firmware, address);
    firmware_add_u32(firmware, 0x10000);
    firmware_add(firmware, name, sizeof name);
    firmware_add_u32(firmware, 0);
}

static void add_partition_table(struct firmware *firmware, bool has_md5)
{
    size_t start = firmware->size;
    char hex[DIGEST_MD5_HEX + 1];

    add_partition(firmware, 1, 0x9000, "nvs");
    add_partition(firmware, 0, 0x10000, "app0");
    if (has_md5) {
        if (digest_md5(hex, firmware->data + start, firmware->size - start) != 0)
            abort();
        firmware_add(firmware, "\xEB\xEB", 2);
        firmware_fill(firmware, 0xFF, 14);
        for (size_t i = 0; i < 16; i++) {
            const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};

            firmware_fill(firmware, (unsigned char)strtoul(digits, NULL, 16), 1);
        }
    }
    firmware_fill(firmware, 0xFF, 0xC00 - (firmware->size - start));
}

void firmware_make_partition_table(struct firmware *firmware, bool has_md5)
{
    firmware_clear(firmware);
    add_partition_table(firmware, has_md5);
}

void firmware_make_factory(struct firmware *firmware, uint16_t chip, size_t start, bool is_padded)
{
    const struct firmware_esp32 boot_loader = {chip, 0x3FCE0000, .has_hash = true};
    const struct firmware_esp32 application = {chip, 0x3F400020, true, true};
    size_t begin = is_padded ? 0 : start;

    firmware_clear(firmware);
    firmware_fill(firmware, 0xFF, start - begin);
    add_esp32(firmware, &boot_loader);
    firmware_fill(firmware, 0xFF, 0x8000 - begin - firmware->size);
    add_partition_table(firmware, true);
    firmware_fill(firmware, 0xFF, 0x10000 - begin - firmware->size);
    add_esp32(firmware, &application);
}

/* Bit by bit, to differ from the tested implementation. */
static uint32_t crc32_of(const unsigned char *data, size_t size)
{
    uint32_t crc = 0xFFFFFFFF;

    for (size_t i = 0; i < size * 8; i++) {
        bool bit = (data[i / 8] >> (7 - i % 8) & 1) != 0;
        bool top = crc >> 31 != 0;

        crc = crc << 1 ^ (bit != top ? 0x04C11DB7 : 0);
    }
    return crc;
}

/* As the core's elf2bin.py does: size and CRC are 0 in the checksum and in the CRC itself. */
static void set_crc(struct firmware *firmware)
{
    enum { OFFSET = SECTOR + 16 };

    firmware_set_u32(firmware, OFFSET + 4, crc32_of(firmware->data, firmware->size));
    firmware_set_u32(firmware, OFFSET, (uint32_t)firmware->size);
}

static void add_esp8266_header(struct firmware *firmware, unsigned char segments,
                               unsigned char flash, uint32_t entry)
{
    const unsigned char header[] = {0xE9, segments, 2, (unsigned char)(flash << 4)};

    firmware_add(firmware, header, sizeof header);
    firmware_add_u32(firmware, entry);
}

void firmware_make_esp8266(struct firmware *firmware, const struct firmware_esp8266 *make)
{
    size_t start;

    firmware_clear(firmware);
    if (make->has_eboot) {
        add_esp8266_header(firmware, 1, make->flash, 0x4010F29C);
        add_segment(firmware, 0x4010F000, 90);
        add_checksum(firmware, 0, 8);
        firmware_fill(firmware, 0xAA, SECTOR - firmware->size);
    }
    start = firmware->size;
    add_esp8266_header(firmware, 2, make->flash, 0x40100004);
    add_segment(firmware, 0x40201010, make->size);
    if (make->has_crc)
        memset(firmware->data + start + 16, 0, 8);
    add_segment(firmware, 0x3FFE8000, 33);
    add_checksum(firmware, start, 8);
    if (make->has_crc)
        set_crc(firmware);
}

void firmware_sign_esp8266(struct firmware *firmware, size_t key_size)
{
    add_code(firmware, key_size);
    firmware_add_u32(firmware, (uint32_t)key_size);
}

void firmware_make_rp2040(struct firmware *firmware)
{
    firmware_clear(firmware);
    add_code(firmware, 252);
    firmware_add_u32(firmware, crc32_of(firmware->data, firmware->size));
    firmware_add_u32(firmware, 0x20042000);
    firmware_add_u32(firmware, 0x100001F7);
    add_code(firmware, 500);
}

void firmware_make_rp2350(struct firmware *firmware)
{
    firmware_clear(firmware);
    firmware_add_u32(firmware, 0x20082000);
    firmware_add_u32(firmware, 0x1000015D);
    add_code(firmware, 0x130);

    firmware_add_u32(firmware, 0xFFFFDED3);
    firmware_add_u32(firmware, 0x10210142);
    firmware_add_u32(firmware, 0x000001FF);
    firmware_add_u32(firmware, 0);
    firmware_add_u32(firmware, 0xAB123579);
    add_code(firmware, 500);
}

void firmware_make_uf2(struct firmware *firmware, uint32_t family, unsigned blocks)
{
    firmware_clear(firmware);
    for (unsigned i = 0; i < blocks; i++) {
        firmware_add_u32(firmware, 0x0A324655);
        firmware_add_u32(firmware, 0x9E5D5157);
        firmware_add_u32(firmware, 0x2000);
        firmware_add_u32(firmware, 0x10000000 + 256 * i);
        firmware_add_u32(firmware, 256);
        firmware_add_u32(firmware, i);
        firmware_add_u32(firmware, blocks);
        firmware_add_u32(firmware, family);
        add_code(firmware, 476);
        firmware_add_u32(firmware, 0x0AB16F30);
    }
}

void firmware_make_elf(struct firmware *firmware, uint16_t machine)
{
    static const unsigned char identification[16] = {0x7F, 'E', 'L', 'F', 1, 1, 1};

    firmware_clear(firmware);
    firmware_add(firmware, identification, sizeof identification);
    firmware_fill(firmware, 0, 36);
    add_code(firmware, 200);
    firmware_set_u16(firmware, 0x12, machine);
    firmware_set_u32(firmware, 0x20, (uint32_t)firmware->size);
    firmware_set_u16(firmware, 0x2E, 40);
    firmware_set_u16(firmware, 0x30, 3);
    firmware_fill(firmware, 0, 120);
}

void firmware_make_hex(struct firmware *firmware)
{
    static const char text[] = ":020000041000EA\r\n"
                               ":10000000000102030405060708090A0B0C0D0E0F78\r\n"
                               ":04001000DEADBEEFB4\r\n"
                               ":00000001FF\r\n";

    firmware_clear(firmware);
    firmware_add(firmware, text, strlen(text));
}

void firmware_make_littlefs(struct firmware *firmware, size_t block_size, size_t blocks)
{
    firmware_clear(firmware);
    firmware_add_u32(firmware, 1);
    firmware_add(firmware, "\xF0\x0F\xFF\xF7littlefs/\xE0\x00\x10", 16);
    firmware_add_u32(firmware, 0x00020000);
    firmware_add_u32(firmware, (uint32_t)block_size);
    firmware_add_u32(firmware, (uint32_t)blocks);
    firmware_add_u32(firmware, 255);
    firmware_add_u32(firmware, 0x7FFFFFFF);
    firmware_add_u32(firmware, 1022);
    firmware_fill(firmware, 0xFF, block_size * blocks - firmware->size);
}

/* Pages of 256 bytes, as on all these boards: one lookup page suffices for up to 64 KiB. */
void firmware_make_spiffs(struct firmware *firmware, size_t block_size, size_t blocks,
                          bool is_counted)
{
    enum { PAGE = 256 };
    size_t lookup = (block_size / PAGE * 2 + PAGE - 1) / PAGE * PAGE;

    firmware_clear(firmware);
    firmware_fill(firmware, 0xFF, block_size * blocks);
    for (size_t i = 0; i < blocks; i++)
        firmware_set_u16(firmware, i * block_size + lookup - 4,
                         (uint16_t)(0x20140529 ^ PAGE ^ (is_counted ? blocks - i : 0)));
}

void firmware_make_fat(struct firmware *firmware, bool is_leveled)
{
    enum { SECTORS = 8 };
    static const unsigned char head[] = {0xEB, 0xFE, 0x90,    'M', 'S',  'D', 'O', 'S',
                                         '5',  '.',  '0',     0,   0x10, 1,   1,   0,
                                         1,    0,    SECTORS, 0,   0,    0};
    size_t start;

    firmware_clear(firmware);
    firmware_fill(firmware, 0xFF, is_leveled ? SECTOR : 0);
    start = firmware->size;
    firmware_fill(firmware, 0, (size_t)SECTORS * SECTOR);
    memcpy(firmware->data + start, head, 18);
    firmware_set_u16(firmware, start + 17, 512);
    firmware_set_u16(firmware, start + 19, SECTORS);
    firmware->data[start + 21] = 0xF8;
    firmware_set_u16(firmware, start + 510, 0xAA55);
    firmware_fill(firmware, 0xFF, is_leveled ? (size_t)3 * SECTOR : 0);
}

/* With fixed codes every bit of the data matters, except those that fill up the last byte. */
static void open_gzip(z_stream *stream)
{
    enum { WINDOW_BITS_GZIP = 15 + 16, MEMORY_LEVEL = 8 };

    if (deflateInit2(stream, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL,
                     Z_FIXED) != Z_OK)
        abort();
}

static void close_gzip(z_stream *stream, struct firmware *firmware)
{
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        abort();
    firmware->size = sizeof firmware->data - stream->avail_out;
    deflateEnd(stream);
}

void firmware_gzip(struct firmware *firmware)
{
    static struct firmware plain;
    z_stream stream = {.next_in = plain.data,
                       .avail_in = (uInt)firmware->size,
                       .next_out = firmware->data,
                       .avail_out = sizeof firmware->data};

    plain = *firmware;
    open_gzip(&stream);
    close_gzip(&stream, firmware);
}

void firmware_make_bomb(struct firmware *firmware, size_t unpacked_size)
{
    static unsigned char zeros[65536];
    z_stream stream = {.next_out = firmware->data, .avail_out = sizeof firmware->data};

    open_gzip(&stream);
    for (; unpacked_size > 0; unpacked_size -= sizeof zeros) {
        stream.next_in = zeros;
        stream.avail_in = sizeof zeros;
        if (deflate(&stream, Z_NO_FLUSH) != Z_OK || stream.avail_in != 0)
            abort();
    }
    close_gzip(&stream, firmware);
}
