/* version.h: what --version prints, for bug reports. */
#ifndef ESP_OTA_CLI_VERSION_H
#define ESP_OTA_CLI_VERSION_H

#include <stdio.h>

/* Prints "esp-ota VERSION", the commit, the linked libraries with their versions, those that are
 * loaded when they are needed, and the protocols. */
void version_print(FILE *stream);

#endif
