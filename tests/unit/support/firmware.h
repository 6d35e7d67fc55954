/*
 * firmware.h: makes small, intact files of every format of the boards and their tools, always the
 * same bytes for the same arguments. It shares no code with the inspection but the SHA-256.
 */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIRMWARE_SIZE_MAX = 512 * 1024 };

struct firmware {
    size_t size;
    unsigned char data[FIRMWARE_SIZE_MAX];
};

void firmware_clear(struct firmware *firmware);
void firmware_add(struct firmware *firmware, const void *data, size_t size);
void firmware_add_u32(struct firmware *firmware, uint32_t value);
void firmware_fill(struct firmware *firmware, unsigned char value, size_t size);
void firmware_set_u16(struct firmware *firmware, size_t offset, uint16_t value);
void firmware_set_u32(struct firmware *firmware, size_t offset, uint32_t value);

/* address: of the first segment, which begins with a descriptor (project "blink") if so wished; the
 * second lies 512 bytes behind. */
struct firmware_esp32 {
    uint16_t chip;
    uint32_t address;
    bool has_descriptor;
    bool has_hash;
};
void firmware_make_esp32(struct firmware *firmware, const struct firmware_esp32 *make);
/* Boot loader at start, table at 0x8000, application at 0x10000, less start; flash before start is
 * left out or erased. */
void firmware_make_factory(struct firmware *firmware, uint16_t chip, size_t start, bool is_padded);
void firmware_make_partition_table(struct firmware *firmware, bool has_md5);

/* flash: the code in the header, 4 for 4 MiB. size: of the code in it. */
struct firmware_esp8266 {
    unsigned char flash;
    bool has_eboot;
    bool has_crc;
    size_t size;
};
void firmware_make_esp8266(struct firmware *firmware, const struct firmware_esp8266 *make);
/* Appends the block of the core's signing tool: not a real signature, but as long as one. */
void firmware_sign_esp8266(struct firmware *firmware, size_t key_size);

void firmware_make_rp2040(struct firmware *firmware);
void firmware_make_rp2350(struct firmware *firmware);
void firmware_make_uf2(struct firmware *firmware, uint32_t family, unsigned blocks);
void firmware_make_elf(struct firmware *firmware, uint16_t machine);
void firmware_make_hex(struct firmware *firmware);
void firmware_make_littlefs(struct firmware *firmware, size_t block_size, size_t blocks);
void firmware_make_spiffs(struct firmware *firmware, size_t block_size, size_t blocks,
                          bool is_counted);
void firmware_make_fat(struct firmware *firmware, bool is_leveled);
/* Compresses the file. */
void firmware_gzip(struct firmware *firmware);
/* A gzip file that unpacks to this many zeros. */
void firmware_make_bomb(struct firmware *firmware, size_t unpacked_size);

#endif
