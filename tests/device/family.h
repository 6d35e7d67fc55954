/* The families of boards and their differences: one constant row each. */
#ifndef DEVICE_FAMILY_H
#define DEVICE_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECTOR = 4096, BLOCK = 65536 };

enum lineage {
    LINEAGE_8266, /* ESP8266 and the cores that descend from it: Pico W, CH32H4 */
    LINEAGE_ESP32,
};

enum magic {
    MAGIC_NONE,
    MAGIC_AT_END,       /* 0xE9 or gzip, checked after the whole image */
    MAGIC_FIRST_SECTOR, /* 0xE9, checked when the first 4 KiB are written */
    MAGIC_ENTRY,        /* the entry address of the running sketch, checked after the whole image;
                           there is none here, so only a gzip file fails */
};

struct flash_cost {
    int64_t sector_erase_us;
    int64_t block_erase_us; /* time to erase 64 KiB, where aligned; 0: only sectors are erased */
    int64_t write_us;       /* time to write 4 KiB */
    int64_t read_pause_us;  /* pause of the updater after each read */
};

struct family {
    const char *name;
    const char *board; /* the type that a common board announces; NULL: the name of its chip */
    enum lineage lineage;
    enum magic magic;
    uint16_t port;
    uint8_t challenge_length; /* hex digits of nonce, cnonce and response: 32 MD5, 64 SHA-256 */
    uint8_t integer_digits;   /* a number this long reads as 0 */
    uint8_t queue;            /* maximum number of datagrams that wait for the sketch */
    bool eboot;               /* its boot loader installs the image, on the restart */
    bool never_unpacks;       /* gzip is stored as it is */
    bool needs_filesystem;    /* without one every update is refused */
    bool no_delay;
    size_t read_size; /* most bytes in one read of the back-channel */
    size_t capacity;
    size_t fs_capacity;
    int64_t prepare_us;      /* from accepting to OK */
    int64_t connect_us;      /* from OK to the connection */
    int64_t connecting_us;   /* timeout of the connection */
    int64_t verdict_us;      /* from the last number to OK */
    int64_t close_us;        /* from OK to FIN */
    int64_t restart_us;      /* from FIN to the restart */
    int64_t idle_us;         /* from a failure to listening again */
    int64_t silence_us;      /* longest silence of the host; 0: no limit */
    struct flash_cost flash; /* as measured; used with --flash realistic */
};

/* NULL for an unknown name. */
const struct family *family_find(const char *name);

/* All names, separated by ", ", for messages. */
const char *family_names(void);

#endif
