/*
 * arduino_ota.h: the command line of Arduino's own uploader for boards in a network, arduinoOTA, as
 * arduino-cli and the IDE call it, in the words of this program.
 */
#ifndef ESP_OTA_CLI_ARDUINO_OTA_H
#define ESP_OTA_CLI_ARDUINO_OTA_H

#include "esp-ota/error.h"

#include <stdbool.h>

enum { ARDUINO_OTA_WORDS_MAX = 20 };

struct arduino_ota {
    char *words
        [ARDUINO_OTA_WORDS_MAX]; /* ended by NULL; they point into argv, but for the password */
    int count;
    char *auth; /* the word with the password; see secret.h; NULL: none */
};

/* Whether the program was called by that name. */
bool arduino_ota_is_called(const char *program);

/* Translates argv, and overwrites the password in it. Fails with OTA_E_USAGE or OTA_E_INTERNAL. The
 * caller frees the result in either case, after the last use of the words. */
enum ota_error arduino_ota_translate(struct arduino_ota *result, int argc, char **argv,
                                     struct ota_failure *failure);
void arduino_ota_free(struct arduino_ota *result);

#endif
