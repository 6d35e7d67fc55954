/*
 * test-reason.c: the causes behind the messages of each core.
 */
#include "upload/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
    const char *words;
    enum ota_cause cause;
} rows[] = {
    /* ESP8266, Pico W: only the number counts */
    {"ERROR[1]: Flash Write Failed", OTA_CAUSE_FLASH},
    {"ERROR[2]: Flash Erase Failed", OTA_CAUSE_FLASH},
    {"ERROR[3]: Flash Read Failed", OTA_CAUSE_FLASH},
    {"ERROR[4]: Not Enough Space", OTA_CAUSE_NO_SPACE},
    {"ERROR[5]: Bad Size Given", OTA_CAUSE_BAD_SIZE},
    {"ERROR[6]: Stream Read Timeout", OTA_CAUSE_TOO_SLOW},
    {"ERROR[7]: MD5 verification failed: expected: 00, calculated: 11", OTA_CAUSE_MD5},
    {"ERROR[7]: MD5 Failed: expected:00, calculated:11", OTA_CAUSE_MD5},
    {"ERROR[8]: Flash config wrong: real: 1048576, SDK: 4194304", OTA_CAUSE_FLASH_CONFIG},
    {"ERROR[9]: new Flash config wrong, real size: 1048576", OTA_CAUSE_NEW_FLASH_CONFIG},
    {"ERROR[10]: Magic byte is not 0xE9", OTA_CAUSE_MAGIC_BYTE},
    {"ERROR[10]: Magic byte is wrong, not 0xE9", OTA_CAUSE_MAGIC_BYTE},
    {"ERROR[11]: Invalid bootstrapping state, reset ESP8266 before updating", OTA_CAUSE_BOOTSTRAP},
    {"ERROR[12]: Signature verification failed", OTA_CAUSE_SIGNATURE},
    {"ERROR[13]: No data supplied", OTA_CAUSE_NO_DATA},
    {"ERROR[14]: Out of memory", OTA_CAUSE_NO_MEMORY},
    {"ERROR[15]: Update already running", OTA_CAUSE_RUNNING},
    {"ERROR: Upgrade in progress", OTA_CAUSE_RUNNING}, /* ESPurna */
    {"Update aborted by server.", OTA_CAUSE_RUNNING},  /* ESPAsyncHTTPUpdateServer */
    {"ERROR[0]: No Error", OTA_CAUSE_UNSAID},
    {"Update failed! Reboot device and try again OTA Error: 4",
     OTA_CAUSE_NO_SPACE}, /* WiFiManager */
    {"OTA Error: 4 x", OTA_CAUSE_NONE},
    {"No Filesystem", OTA_CAUSE_NO_FILESYSTEM},
    {"nofile", OTA_CAUSE_NO_FILESYSTEM},
    {"Image is 500000 bytes, only 196608 bytes of RAM free to stage it in", OTA_CAUSE_NO_MEMORY},
    {"600ERROR[4]: ", OTA_CAUSE_NO_SPACE},
    {"ERROR[4]: MD5", OTA_CAUSE_NO_SPACE},
    /* ESP32 */
    {"Flash Write Failed", OTA_CAUSE_FLASH},
    {"Not Enough Space", OTA_CAUSE_NO_SPACE},
    {"Stream Read Timeout", OTA_CAUSE_TOO_SLOW},
    {"MD5 Check Failed", OTA_CAUSE_MD5},
    {"Wrong Magic Byte", OTA_CAUSE_MAGIC_BYTE},
    {"Could Not Activate The Firmware", OTA_CAUSE_NOT_ACTIVATED},
    {"Partition Could Not be Found", OTA_CAUSE_NO_PARTITION},
    {"Signature Verification Failed", OTA_CAUSE_SIGNATURE},
    {"Decryption error", OTA_CAUSE_DECRYPTION},
    {"Bad Size Given", OTA_CAUSE_BAD_SIZE},
    {"No Error", OTA_CAUSE_UNSAID},
    {"OTA Error: Bad Size Given", OTA_CAUSE_BAD_SIZE},
    /* Tasmota */
    {"Upload Failed Not enough space", OTA_CAUSE_NO_SPACE},
    {"Upload Failed Magic byte is not 0xE9", OTA_CAUSE_MAGIC_BYTE},
    {"Upload Failed Invalid file signature", OTA_CAUSE_MAGIC_BYTE},
    {"Upload Failed Program flash size is larger than real flash size", OTA_CAUSE_NEW_FLASH_CONFIG},
    {"Upload Failed Upload buffer miscompare", OTA_CAUSE_NO_SPACE},
    {"Upload Failed Upload failed. Enable logging 3", OTA_CAUSE_NONE},
    /* WLED */
    {"Update failed! Firmware release name mismatch: current='ESP32', uploaded='ESP02'. Enable "
     "'Ignore firmware "
     "validation' to proceed anyway.",
     OTA_CAUSE_RELEASE},
    {"Update failed! This firmware file is missing compatibility metadata. Enable 'Ignore firmware "
     "validation' to "
     "proceed anyway.",
     OTA_CAUSE_NO_RELEASE},
    {"Update failed! Release check data never arrived?", OTA_CAUSE_NO_RELEASE},
    {"Update failed! Cannot update from this version: requires at least 16.1.0, current='16.0.0'. "
     "Enable 'Ignore "
     "firmware validation' to proceed anyway.",
     OTA_CAUSE_STEP},
    /* unknown messages */
    {"", OTA_CAUSE_NONE},
    {"Aborted", OTA_CAUSE_NONE},
    {"ERROR[0]: Not Enough Space", OTA_CAUSE_NO_SPACE}, /* not a valid number, so the words count */
    {"ERROR[99]: Not Enough Space", OTA_CAUSE_NONE},
    {"ERROR[4", OTA_CAUSE_NONE},
    {"ERROR[99999999999999999999999999]: x", OTA_CAUSE_NONE},
    {"ERROR[", OTA_CAUSE_NONE},
    {"(it gave no reason)", OTA_CAUSE_NONE},
};

static void test_reason_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (reason_cause(rows[i].words) != rows[i].cause)
            fail_msg("%s: %d", rows[i].words, (int)reason_cause(rows[i].words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reason_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
