/*
 * board_error.c: the table of ESPHome's error bytes (esphome/components/ota).
 */
#include "upload/esphome/board_error.h"

#include "base/error.h"

#include <stddef.h>

enum { ERROR_FIRST = 0x80 };

static const struct board_error {
    unsigned char byte;
    enum ota_error error; /* OTA_OK: a refusal, or an error of the upload */
    enum ota_cause cause;
    const char *words;
} board_errors[] = {
    {0x80, OTA_OK, OTA_CAUSE_MAGIC_BYTE,
     "a magic byte is wrong, that of the image or of the greeting"},
    {0x81, OTA_OK, OTA_CAUSE_NO_PREPARATION, "it cannot prepare its flash for the update"},
    {0x82, OTA_E_WRONG_PASSWORD, OTA_CAUSE_PASSWORD_REJECTED, "the password is wrong"},
    {0x83, OTA_OK, OTA_CAUSE_FLASH, "its flash cannot be written"},
    {0x84, OTA_OK, OTA_CAUSE_NOT_ACTIVATED,
     "the image is incomplete or damaged, or for another chip"},
    {0x85, OTA_OK, OTA_CAUSE_BOOTSTRAP, "it needs a reset after the upload over the cable"},
    {0x86, OTA_OK, OTA_CAUSE_FLASH_CONFIG,
     "the running firmware was built for another size of flash"},
    {0x87, OTA_OK, OTA_CAUSE_NEW_FLASH_CONFIG, "the image was built for another size of flash"},
    {0x88, OTA_OK, OTA_CAUSE_NO_SPACE, "the image does not fit into its flash"},
    {0x89, OTA_OK, OTA_CAUSE_NO_SPACE, "the image does not fit into its app partition"},
    {0x8A, OTA_OK, OTA_CAUSE_NO_PARTITION, "it has no partition for an update"},
    {0x8B, OTA_OK, OTA_CAUSE_MD5, "the MD5 of the bytes that arrived is wrong"},
    {0x8C, OTA_OK, OTA_CAUSE_NO_SPACE, "the image does not fit into its flash"},
    {0x8D, OTA_OK, OTA_CAUSE_SIGNATURE, "the image has no signature that it accepts"},
    {0x8E, OTA_OK, OTA_CAUSE_NONE, "it does not take this type of update"},
    {0x8F, OTA_OK, OTA_CAUSE_NONE, "the partition table is not valid"},
    {0x90, OTA_OK, OTA_CAUSE_NONE, "the partition table could not be written"},
    {0x91, OTA_OK, OTA_CAUSE_NONE, "the boot loader is not valid"},
    {0x92, OTA_OK, OTA_CAUSE_NONE, "the boot loader could not be written"},
    {0x93, OTA_OK, OTA_CAUSE_OLDER_VERSION, "the image is older than the running firmware"},
    {0x94, OTA_E_KEY_NEEDED, OTA_CAUSE_NONE, "it takes encrypted uploads only"},
    {0xFF, OTA_OK, OTA_CAUSE_NONE,
     "an unknown error (ESPHome before 2025.10 also reports this after waiting in vain for a "
     "second)"},
};

bool board_error_is(unsigned char byte)
{
    return byte >= ERROR_FIRST;
}

static const struct board_error *find_board_error(unsigned char byte)
{
    for (size_t i = 0; i < sizeof board_errors / sizeof *board_errors; i++)
        if (board_errors[i].byte == byte)
            return &board_errors[i];
    return NULL;
}

void board_error_tell(struct ota_failure *failure, unsigned char byte, bool is_accepted)
{
    const struct board_error *row = find_board_error(byte);
    enum ota_error error = row ? row->error : OTA_OK;

    if (error == OTA_OK)
        error = is_accepted ? OTA_E_BOARD : OTA_E_REFUSED;
    ota_fail(failure, error, "the board says: %s (0x%02X)",
             row ? row->words : "an error that this program does not know", byte);
    failure->cause = row ? row->cause : OTA_CAUSE_NONE;
}
