/*
 * inspect.h: facts about a firmware file, from its bytes alone: its format, its integrity, and the
 * boards that accept it over the air. The caller decides what to do about them.
 */
#ifndef ESP_OTA_IMAGE_INSPECT_H
#define ESP_OTA_IMAGE_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum inspect_format {
    INSPECT_UNKNOWN,
    INSPECT_ESP8266,
    INSPECT_ESP32_APPLICATION,
    INSPECT_ESP32_FACTORY, /* boot loader, partition table and application in one */
    INSPECT_ESP32_BOOT_LOADER,
    INSPECT_ESP32_PARTITION_TABLE,
    INSPECT_GZIP,
    INSPECT_PICO,
    INSPECT_UF2,
    INSPECT_ELF,
    INSPECT_INTEL_HEX,
    INSPECT_LITTLEFS,
    INSPECT_SPIFFS,
    INSPECT_FAT,
    INSPECT_TEXT, /* from here on: not firmware for any of these boards */
    INSPECT_ARCHIVE,
    INSPECT_PROGRAM,  /* for another kind of computer */
    INSPECT_UPDATE,   /* an update file of another system, which its boards may fetch */
    INSPECT_DOCUMENT, /* a picture, a recording, a database, a key */
    INSPECT_FLASH_DATA,
    INSPECT_BLANK, /* one repeated byte */
    INSPECT_FORMAT_COUNT
};

enum inspect_kind { INSPECT_NEITHER, INSPECT_SKETCH, INSPECT_FILESYSTEM };

enum inspect_integrity {
    INSPECT_CANNOT_TELL, /* the format has no check that covers the file */
    INSPECT_VALID,       /* every check of the format passes */
    INSPECT_TRUNCATED,
    INSPECT_MALFORMED, /* a field has a value that is impossible in an intact file */
    INSPECT_BAD_CHECKSUM,
    INSPECT_BAD_SHA256,
    INSPECT_INTEGRITY_COUNT
};

/* The bytes behind the image in its file. */
enum inspect_trailer {
    INSPECT_NO_TRAILER,
    INSPECT_PADDING,
    INSPECT_SIGNATURE_ESP8266,     /* RSA signature, then its length in 4 bytes */
    INSPECT_SIGNATURE_ESP32,       /* RSA or ECDSA signature, zero-padded to 512 bytes */
    INSPECT_SIGNATURE_SECURE_BOOT, /* ESP-IDF's own; the ROM boot loader checks it */
    INSPECT_STRAY_BYTES
};

/* From the best verdict to the worst; they are compared. */
enum inspect_sending {
    INSPECT_SENDABLE,
    INSPECT_DOUBTFUL,
    INSPECT_SERVABLE, /* only for boards that fetch it (--serve), not as an upload */
    INSPECT_IMPOSSIBLE
};

/* The families of boards with an ArduinoOTA service, as bits of a set. */
enum inspect_family {
    INSPECT_FAMILY_ESP8266 = 1,
    INSPECT_FAMILY_ESP32 = 2,
    INSPECT_FAMILY_PICO = 4
};

enum {
    INSPECT_SEGMENTS_MAX = 16, /* the most that a boot loader accepts */
    INSPECT_TEXT_MAX = 132,    /* the longest text of a descriptor (32 bytes), escaped */
    INSPECT_ESPHOME_MAX = 264, /* the longest of ESPHome's texts (64 bytes), escaped */
    INSPECT_SENTENCE_MAX = 320,
    INSPECT_WHAT_MAX = 80
};

struct inspect_segment {
    uint32_t address;
    uint32_t size;
    size_t offset; /* of its data in the file (gzip: in the unpacked data) */
};

/* ESP-IDF's application descriptor, as claimed by the file and escaped for showing. */
struct inspect_application {
    char project[INSPECT_TEXT_MAX];
    char version[INSPECT_TEXT_MAX];
    char date[INSPECT_TEXT_MAX];
    char time[INSPECT_TEXT_MAX];
    char idf[INSPECT_TEXT_MAX];
};

/* What an image with ESPHome says of itself, escaped for display. An empty version means that it
 * has no ESPHome or does not say so; then the other texts are unknown, too. */
struct inspect_esphome {
    char version[INSPECT_ESPHOME_MAX]; /* of ESPHome: "2026.9.0" */
    char project[INSPECT_ESPHOME_MAX]; /* "acme.lamp"; "": its configuration names none */
    char project_version[INSPECT_ESPHOME_MAX];
};

/* Sentences and names are printable. A fact that the format does not have is 0, NULL or "". */
struct inspection {
    enum inspect_format format;
    enum inspect_format inner; /* of unpacked gzip data; the facts below then describe that data */
    enum inspect_kind kind;
    char name[96]; /* "ESP32-C3 application image" */
    /* Set if the content is certainly not firmware: "a web page", and the remedy. The content of a
     * gzip file counts, too. Otherwise "" and NULL. */
    char what[INSPECT_WHAT_MAX];
    const char *remedy;

    int trouble; /* an errno: why the integrity is unknown; memory ran out, or libcrypto failed */
    enum inspect_integrity integrity;
    char evidence[INSPECT_SENTENCE_MAX]; /* "the appended SHA-256 holds" */

    enum inspect_sending sending;
    unsigned families;                  /* the boards that accept it as this kind */
    char verdict[INSPECT_SENTENCE_MAX]; /* "can be sent as ...", or the objection and a remedy */

    size_t image_size;    /* without the trailer */
    size_t hashed_size;   /* of an ESP32's image: without its SHA-256 */
    size_t unpacked_size; /* of a gzip file */
    bool is_too_large;    /* a gzip file: the unpacked data fits no board */
    enum inspect_trailer trailer;
    size_t trailer_size;

    uint16_t chip;      /* the number in the header; ESP32 family only */
    char chip_name[16]; /* "esp8266", "esp32c3", "rp2040"; the number if its name is unknown */
    bool has_entry;
    uint32_t entry;
    size_t segment_count;
    struct inspect_segment segments[INSPECT_SEGMENTS_MAX];
    const char *flash_mode;
    uint32_t flash_size;
    bool has_eboot;    /* ESP8266: the Arduino core's boot loader precedes the sketch */
    uint32_t ota_room; /* ESP8266: bytes of flash_size beside a running sketch of this size */

    uint32_t block_size;         /* of a filesystem */
    uint32_t page_size;          /* SPIFFS */
    uint32_t filesystem_version; /* LittleFS: 0x20001 is 2.1 */

    bool has_vector_table; /* see inspect_has_vector_table(); of the file as it is */
    bool has_avr_vectors;
    bool has_application;
    struct inspect_application application;
    struct inspect_esphome esphome;
};

/* Inspects any bytes, and reads nothing else. Never fails: if there is no memory to unpack a gzip
 * file, or libcrypto computes no hash, trouble and the evidence say so. */
void inspect_image(struct inspection *inspection, const unsigned char *data, size_t size);

/* Whether data begins like a program for a Cortex-M microcontroller other than the Pico's. */
bool inspect_has_vector_table(const unsigned char *data, size_t size);
/* The same for an AVR with 64 KiB of flash or more. */
bool inspect_has_avr_vectors(const unsigned char *data, size_t size);

/* Measures the trailer of an image for an ESP32 whose sketch checks signatures: ECDSA in DER, or
 * RSA-2048, -3072 or -4096, then zeros. Returns the size of the signature; 0 if the bytes do not
 * have the form of one. */
enum { INSPECT_ESP32_TRAILER_SIZE = 512 };
size_t inspect_measure_esp32_signature(const unsigned char trailer[INSPECT_ESP32_TRAILER_SIZE],
                                       bool *is_ec);

/* Returns the kind of signature whose form data has from end on; INSPECT_NO_TRAILER for none. */
enum inspect_trailer inspect_signature_at(const unsigned char *data, size_t size, size_t end);

/* Whether data ends in bytes that have the form of a signature. Their place depends on the end of
 * the image, as the inspection of data found it. */
bool inspect_is_signed(const struct inspection *inspection, const unsigned char *data, size_t size);

/* Returns the longest chip suffix ("s3", "c61": behind "esp32" in a chip's name) with which text
 * begins; NULL if there is none. */
const char *inspect_chip_suffix(const char *text);

/* Stable words for programs, never NULL: "esp32-application", "bad-checksum". */
const char *inspect_format_name(enum inspect_format format);
const char *inspect_integrity_name(enum inspect_integrity integrity);

#endif
