/*
 * mend_image.c: mutates images and repairs their checksums. It shares only the hash functions with
 * src/, and has its own knowledge of the formats.
 */
#include "mend_image.h"

#include "crypto/digest.h"
#include "image/inspect_internal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { UNPACKED_MAX = 16384, SECTOR = 4096, MD5_SIZE = 16, SHA256_SIZE = 32 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity);

/* The bytes of the image, and the room for them. */
struct bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

static uint32_t get_u32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void set_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void set_hash(uint8_t *at, const char *hex, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};

        at[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

/* Appends zeros up to size; returns false if there is no room. */
static bool grow(struct bytes *bytes, size_t size)
{
    if (size > bytes->capacity)
        return false;
    if (size > bytes->size) {
        memset(bytes->data + bytes->size, 0, size - bytes->size);
        bytes->size = size;
    }
    return true;
}

/* Shortens segments to the bytes in the file, and writes the checksum. Returns the image's end; 0
 * if there is no room for it. */
static size_t mend_segments(struct bytes *bytes, size_t start, size_t header_size)
{
    size_t offset = start + header_size;
    uint8_t sum = 0xEF;

    if (!grow(bytes, offset))
        return 0;
    bytes->data[start + 1] %= 17;
    for (unsigned n = bytes->data[start + 1]; n > 0; n--) {
        if (!grow(bytes, offset + 8))
            return 0;
        size_t rest = bytes->size - offset - 8;
        size_t length = get_u32(bytes->data + offset + 4);

        if (length > rest)
            length = rest / n;
        set_u32(bytes->data + offset + 4, (uint32_t)length);
        for (offset += 8; length > 0; length--)
            sum ^= bytes->data[offset++];
    }

    size_t end = offset + 16 - (offset - start) % 16;
    if (!grow(bytes, end))
        return 0;
    bytes->data[end - 1] = sum;
    return end;
}

/* Mends the ESP8266 core's sketch behind its boot loader, and its CRC if it is long enough for
 * one. */
static void mend_sketch(struct bytes *bytes, bool has_crc)
{
    static const uint8_t zeros[8];
    enum { CRC_OFFSET = SECTOR + 16, REST = CRC_OFFSET + 8 };

    if (!grow(bytes, SECTOR + 8))
        return;

    bytes->data[SECTOR] = 0xE9;
    size_t end = mend_segments(bytes, SECTOR, 8);
    if (!has_crc || end <= REST)
        return;

    uint32_t crc = inspect_crc32(0xFFFFFFFF, bytes->data, CRC_OFFSET);
    crc = inspect_crc32(crc, zeros, sizeof zeros);
    set_u32(bytes->data + CRC_OFFSET, (uint32_t)end);
    set_u32(bytes->data + CRC_OFFSET + 4, inspect_crc32(crc, bytes->data + REST, end - REST));
}

/* An image for an ESP8266 has a short header, and its first segment has an address in its
 * memory. */
static void mend_esp(struct bytes *bytes, unsigned seed)
{
    enum { HASH_FLAG = 23, HEADER = 24, ADDRESS = 8, EBOOT = 0x4010F000 };
    char hex[DIGEST_SHA256_HEX + 1];

    if (!grow(bytes, HEADER))
        return;

    uint32_t address = get_u32(bytes->data + ADDRESS);
    if (address >> 16 >= 0x3FFE && address >> 16 < 0x4040) {
        size_t end = mend_segments(bytes, 0, 8);
        if (end != 0 && address == EBOOT)
            mend_sketch(bytes, seed & 1);
        return;
    }

    size_t end = mend_segments(bytes, 0, HEADER);
    if (end != 0 && bytes->data[HASH_FLAG] != 0 && grow(bytes, end + SHA256_SIZE) &&
        digest_sha256(hex, bytes->data, end) == 0)
        set_hash(bytes->data + end, hex, SHA256_SIZE);
}

static void mend_partition_table(struct bytes *bytes)
{
    enum { ENTRY = 32 };
    char hex[DIGEST_MD5_HEX + 1];

    for (size_t at = 0; at + ENTRY <= bytes->size; at += ENTRY)
        if (memcmp(bytes->data + at, "\xEB\xEB", 2) == 0 && digest_md5(hex, bytes->data, at) == 0) {
            set_hash(bytes->data + at + ENTRY - MD5_SIZE, hex, MD5_SIZE);
            return;
        }
}

static void mend_boot_stage(struct bytes *bytes)
{
    enum { CRC_OFFSET = 252 };

    if (bytes->size >= CRC_OFFSET + 4)
        set_u32(bytes->data + CRC_OFFSET, inspect_crc32(0xFFFFFFFF, bytes->data, CRC_OFFSET));
}

static int digit_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Writes the checksum of each line: its last two digits. */
static void mend_intel_hex(struct bytes *bytes)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t at = 0; at < bytes->size; at++) {
        size_t count = 0;
        unsigned sum = 0;

        if (bytes->data[at] != ':')
            continue;

        uint8_t *line = bytes->data + at + 1;
        while (at + 1 + count < bytes->size && digit_value(line[count]) >= 0)
            count++;
        for (size_t i = 0; i + 4 <= count; i += 2)
            sum += (unsigned)(digit_value(line[i]) << 4 | digit_value(line[i + 1]));
        if (count >= 4 && count % 2 == 0) {
            line[count - 2] = (uint8_t)digits[-sum >> 4 & 0xF];
            line[count - 1] = (uint8_t)digits[-sum & 0xF];
        }
    }
}

static void mend(struct bytes *bytes, unsigned seed)
{
    if (bytes->size < 2)
        return;

    if (bytes->data[0] == 0xE9)
        mend_esp(bytes, seed);
    else if (memcmp(bytes->data, "\xAA\x50", 2) == 0)
        mend_partition_table(bytes);
    else if (bytes->data[0] == ':')
        mend_intel_hex(bytes);
    else if (bytes->size >= 264 && get_u32(bytes->data + 256) >> 20 == 0x200)
        mend_boot_stage(bytes);
}

/* Returns the unpacked size; 0 if this is not a gzip file, or if it does not fit. */
static size_t unpack(uint8_t *unpacked, const uint8_t *data, size_t size)
{
    enum { GZIP = 16 + MAX_WBITS };
    z_stream stream = {
        .next_in = (uint8_t *)data, .avail_in = (uInt)size, .avail_out = UNPACKED_MAX};

    stream.next_out = unpacked;
    if (inflateInit2(&stream, GZIP) != Z_OK)
        return 0;

    int result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return result == Z_STREAM_END ? stream.total_out : 0;
}

/* Returns the packed size; 0 if it does not fit. */
static size_t pack(uint8_t *data, size_t capacity, const uint8_t *unpacked, size_t size)
{
    enum { GZIP = 16 + MAX_WBITS, MEMORY = 8 };
    z_stream stream = {
        .next_in = (uint8_t *)unpacked, .avail_in = (uInt)size, .avail_out = (uInt)capacity};

    stream.next_out = data;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;

    int result = deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return result == Z_STREAM_END ? stream.total_out : 0;
}

size_t mutate_image(uint8_t *data, size_t size, size_t capacity, unsigned seed)
{
    static uint8_t unpacked[UNPACKED_MAX];
    struct bytes bytes = {unpacked, 0, sizeof unpacked};

    /* Sometimes the packed bytes themselves are mutated. */
    if (size > 2 && memcmp(data, "\x1f\x8b", 2) == 0 && seed % 8 != 0)
        bytes.size = unpack(unpacked, data, size);
    if (bytes.size > 0) {
        bytes.size = LLVMFuzzerMutate(unpacked, bytes.size, sizeof unpacked);
        if (seed % 4 != 0)
            mend(&bytes, seed >> 4);
        size_t packed = pack(data, capacity, unpacked, bytes.size);
        if (packed > 0)
            return packed;
    }

    bytes = (struct bytes){data, LLVMFuzzerMutate(data, size, capacity), capacity};
    if (seed % 4 != 0)
        mend(&bytes, seed >> 4);
    return bytes.size;
}
