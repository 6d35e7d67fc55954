/*
 * inspect.h: what a file is, whether it is whole, and which boards take it over the air, as far as
 * its bytes tell. Facts only: whoever asks decides what to do about them.
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
    INSPECT_TEXT, /* this one and those below are no firmware for any of these boards */
    INSPECT_ARCHIVE,
    INSPECT_PROGRAM,  /* for another kind of computer */
    INSPECT_DOCUMENT, /* a picture, a recording, a database, a key */
    INSPECT_FLASH_DATA,
    INSPECT_BLANK, /* one repeated byte */
    INSPECT_FORMAT_COUNT
};

enum inspect_kind { INSPECT_NEITHER, INSPECT_SKETCH, INSPECT_FILESYSTEM };

enum inspect_integrity {
    INSPECT_CANNOT_TELL, /* nothing in the file proves that it is whole */
    INSPECT_VALID,       /* every check that the format has holds */
    INSPECT_TRUNCATED,
    INSPECT_MALFORMED, /* a field that no intact file has */
    INSPECT_BAD_CHECKSUM,
    INSPECT_BAD_SHA256,
    INSPECT_INTEGRITY_COUNT
};

/* What follows the image in its file. */
enum inspect_trailer {
    INSPECT_NO_TRAILER,
    INSPECT_PADDING,
    INSPECT_SIGNATURE_ESP8266,     /* RSA signature and its length: PROTOCOL.md 7 */
    INSPECT_SIGNATURE_ESP32,       /* signature, zero-padded to 512 bytes: PROTOCOL.md 7 */
    INSPECT_SIGNATURE_SECURE_BOOT, /* ESP-IDF's own, which the ROM boot loader checks */
    INSPECT_STRAY_BYTES
};

enum inspect_sending { INSPECT_SENDABLE, INSPECT_DOUBTFUL, INSPECT_IMPOSSIBLE };

/* Boards that have an ArduinoOTA service, as bits of a set. */
enum inspect_family {
    INSPECT_FAMILY_ESP8266 = 1,
    INSPECT_FAMILY_ESP32 = 2,
    INSPECT_FAMILY_PICO = 4
};

enum {
    INSPECT_SEGMENTS_MAX = 16, /* no boot loader takes more */
    INSPECT_TEXT_MAX = 132,    /* the longest text of a descriptor, 32 bytes, once escaped */
    INSPECT_SENTENCE_MAX = 320,
    INSPECT_WHAT_MAX = 80
};

struct inspect_segment {
    uint32_t address;
    uint32_t size;
    size_t offset; /* of its data in the file (gzip: in what it unpacks to) */
};

/* ESP-IDF's application descriptor. All of it is what the file claims, escaped for showing. */
struct inspect_application {
    char project[INSPECT_TEXT_MAX];
    char version[INSPECT_TEXT_MAX];
    char date[INSPECT_TEXT_MAX];
    char time[INSPECT_TEXT_MAX];
    char idf[INSPECT_TEXT_MAX];
    uint32_t secure_version;
};

/* Sentences and names are printable. What a format does not have is 0, NULL or "". */
struct inspection {
    enum inspect_format format;
    enum inspect_format inner; /* what a gzip file unpacks to; all facts below are then of that */
    enum inspect_kind kind;
    char name[96]; /* "ESP32-C3 application image" */
    /* Of what is certainly no firmware, also when packed with gzip: "a web page", and what to do
     * about it; "" and NULL otherwise. */
    char what[INSPECT_WHAT_MAX];
    const char *remedy;

    bool lacks_memory; /* so that it was not found out whether the image is whole */
    enum inspect_integrity integrity;
    char evidence[INSPECT_SENTENCE_MAX]; /* "the appended SHA-256 holds" */

    enum inspect_sending sending;
    unsigned families;                  /* that take it as what kind says */
    char verdict[INSPECT_SENTENCE_MAX]; /* "can be sent as ...", or why not and what to do */

    size_t image_size;    /* without the trailer */
    size_t unpacked_size; /* of a gzip file */
    bool is_too_large;    /* a gzip file: unpacked, no board has room for it */
    enum inspect_trailer trailer;
    size_t trailer_size;

    bool has_chip;
    uint16_t chip;      /* the number in the header: PROTOCOL.md 7 */
    char chip_name[16]; /* "esp8266", "esp32c3", "rp2040"; the number, where no name is known */
    bool has_entry;
    uint32_t entry;
    size_t segment_count;
    struct inspect_segment segments[INSPECT_SEGMENTS_MAX];
    const char *flash_mode;
    uint32_t flash_size;
    bool has_eboot;    /* ESP8266: the Arduino core's boot loader precedes the sketch */
    uint32_t ota_room; /* ESP8266: what flash_size leaves beside a running sketch of this size */

    uint32_t block_size;         /* of a filesystem */
    uint32_t page_size;          /* SPIFFS */
    uint32_t filesystem_version; /* LittleFS: 0x20001 is 2.1 */

    bool has_application;
    struct inspect_application application;
};

/* Never fails: where it cannot find out (no memory to unpack a gzip file), it says so in
 * lacks_memory and the evidence. Takes any bytes, and reads nothing but these. */
void inspect_image(struct inspection *inspection, const unsigned char *data, size_t size);

/* What follows an image for an ESP32 whose sketch checks signatures: ECDSA in DER, or RSA-2048,
 * -3072 or -4096, then zeros. Returns the size of the signature, or 0 if this is none, as far as
 * its form tells. */
enum { INSPECT_ESP32_TRAILER_SIZE = 512 };
size_t inspect_measure_esp32_signature(const unsigned char trailer[INSPECT_ESP32_TRAILER_SIZE],
                                       bool *is_ec);

/* The signature that all of data from end on has the form of; INSPECT_NO_TRAILER for none. */
enum inspect_trailer inspect_signature_at(const unsigned char *data, size_t size, size_t end);

/* Whether data ends in something that has the form of a signature, as far as the inspection of it
 * tells where the image ends. */
bool inspect_is_signed(const struct inspection *inspection, const unsigned char *data, size_t size);

/* What follows "esp32" in the name of a chip ("s3", "c61"): the longest that text begins with; NULL
 * when it begins with none. */
const char *inspect_chip_suffix(const char *text);

/* Stable words for programs, never NULL: "esp32-application", "bad-checksum". */
const char *inspect_format_name(enum inspect_format format);
const char *inspect_integrity_name(enum inspect_integrity integrity);

#endif
