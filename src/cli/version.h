/* version.h: what --version prints, for bug reports. */
#ifndef ESP_OTA_CLI_VERSION_H
#define ESP_OTA_CLI_VERSION_H

#include <stdio.h>

/* Prints "esp-ota VERSION", the commit, the libraries that are used, those that
 * are loaded for some uses (each is loaded here, so it is known whether it can be), and the
 * protocols. */
void version_print(FILE *stream);

#endif
