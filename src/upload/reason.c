/*
 * reason.c: a table of the messages of boards. The numbers and words are those of the Updater and
 * ArduinoOTA classes of the cores (Updater.cpp of esp8266/Arduino, arduino-esp32 and arduino-pico);
 * the last rows are of single firmwares.
 */
#include "upload/reason.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

static const struct reason {
    unsigned number;   /* n of ERROR[n]; 0: none */
    const char *words; /* case is ignored, as it differs between the cores */
    enum ota_cause cause;
} reasons[] = {
    {1, "Flash Write Failed", OTA_CAUSE_FLASH},
    {2, "Flash Erase Failed", OTA_CAUSE_FLASH},
    {3, "Flash Read Failed", OTA_CAUSE_FLASH},
    {4, "Not Enough Space", OTA_CAUSE_NO_SPACE},
    {5, "Bad Size Given", OTA_CAUSE_BAD_SIZE}, /* 0; on an ESP32 also a size that does not fit */
    {6, "Stream Read Timeout", OTA_CAUSE_TOO_SLOW},
    {7, "MD5", OTA_CAUSE_MD5},
    {8, "Flash config wrong", OTA_CAUSE_FLASH_CONFIG},
    {9, "new Flash config wrong", OTA_CAUSE_NEW_FLASH_CONFIG},
    {10, "Magic Byte", OTA_CAUSE_MAGIC_BYTE},
    {11, "Invalid bootstrapping state", OTA_CAUSE_BOOTSTRAP},
    {12, "Signature Verification Failed", OTA_CAUSE_SIGNATURE},
    {13, "No data supplied", OTA_CAUSE_NO_DATA},
    {14, "Out of memory", OTA_CAUSE_NO_MEMORY},
    {15, "Update already running", OTA_CAUSE_RUNNING},
    {0, "No Error", OTA_CAUSE_UNSAID},
    {0, "Could Not Activate", OTA_CAUSE_NOT_ACTIVATED},
    {0, "Decryption error", OTA_CAUSE_DECRYPTION},
    {0, "Partition Could Not be Found", OTA_CAUSE_NO_PARTITION},
    {0, "No Filesystem", OTA_CAUSE_NO_FILESYSTEM},
    {0, "nofile", OTA_CAUSE_NO_FILESYSTEM},        /* cut short by the first cores of the Pico W */
    {0, "RAM free to stage", OTA_CAUSE_NO_MEMORY}, /* CH32H4 */
    {0, "Upgrade in progress", OTA_CAUSE_RUNNING}, /* ESPurna (ota_web.cpp): until its restart */
    {0, "Update aborted by server", OTA_CAUSE_RUNNING}, /* ESPAsyncHTTPUpdateServer.cpp: the same */
    /* Tasmota's upload page, in English (xdrv_01_9_webserver.ino of 15.5). An ESP32 has the second
     * error for an image that is larger than its partition; older versions have the third one for
     * want of room. */
    {0, "Invalid file signature", OTA_CAUSE_MAGIC_BYTE},
    {0, "larger than real flash size", OTA_CAUSE_NEW_FLASH_CONFIG},
    {0, "buffer miscompare", OTA_CAUSE_NO_SPACE},
    /* WLED from 16 on (wled00/ota_update.cpp, wled_metadata.cpp, wled_server.cpp); 0.15.2 has the
     * check, too (pull request 4999). The first one's words follow each refusal of the check. */
    {0, "Ignore firmware validation", OTA_CAUSE_RELEASE},
    {0, "missing compatibility metadata", OTA_CAUSE_NO_RELEASE},
    {0, "Release check data never arrived", OTA_CAUSE_NO_RELEASE},
    {0, "Cannot update from this version", OTA_CAUSE_STEP},
    {0, "not on local subnet", OTA_CAUSE_OUTSIDE},
};

static const size_t reason_count = sizeof reasons / sizeof *reasons;

/* Returns 0 if the words have no number. WiFiManager's page has that of the ESP8266 core without
 * its words (WiFiManager.cpp, handleUpdateDone()). */
static unsigned parse_error_number(const char *words)
{
    static const struct {
        const char *before;
        char after;
    } marks[] = {{"ERROR[", ']'}, {"OTA Error: ", '\0'}};
    const char *end;
    uint64_t number;

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *found = strstr(words, marks[i].before);

        if (found && parse_decimal(found + strlen(marks[i].before), 999, &number, &end) &&
            *end == marks[i].after)
            return (unsigned)number;
    }
    return 0;
}

/* The last matching row wins, as "new Flash config wrong" contains the words of the row before. */
static enum ota_cause find_words(const char *words)
{
    for (size_t i = reason_count; i > 0; i--)
        if (strcasestr(words, reasons[i - 1].words))
            return reasons[i - 1].cause;
    return OTA_CAUSE_NONE;
}

enum ota_cause reason_cause(const char *words)
{
    unsigned number = parse_error_number(words);

    if (!number)
        return find_words(words);

    for (size_t i = 0; i < reason_count; i++)
        if (reasons[i].number == number)
            return reasons[i].cause;
    return OTA_CAUSE_NONE;
}
