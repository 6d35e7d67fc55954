/*
 * aliases.h: the aliases of /etc/popt and ~/.popt, for popt.
 */
#ifndef ESP_OTA_CLI_ALIASES_H
#define ESP_OTA_CLI_ALIASES_H

#include "base/string_list.h"

#include <popt.h>

/* Adds the aliases for esp-ota, and a note for each file that exists and is not read: other users
 * can write it, or it cannot be read. Returns -1 when memory ran out. */
int aliases_add(poptContext popt, struct strings *notes);

/* The same for the text of such a file, which is changed. */
int aliases_add_text(poptContext popt, char *text);

#endif
