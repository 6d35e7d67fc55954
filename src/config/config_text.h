/*
 * config_text.h: the text of a configuration file: INI, read by libinih. Pure.
 *
 * Lines are [SECTION] or NAME = VALUE. A # or ; at the beginning of a line, or behind white space,
 * makes the rest of it a comment. Of a value in double quotes, the quotes are dropped.
 */
#ifndef ESP_OTA_CONFIG_CONFIG_TEXT_H
#define ESP_OTA_CONFIG_CONFIG_TEXT_H

#include "base/units.h"
#include "esp-ota/error.h"

#include <stddef.h>

enum {
    CONFIG_SIZE_MAX = MIB,      /* bytes of a file */
    CONFIG_SECTION_LENGTH = 48, /* bytes between the brackets: libinih keeps no more */
};

struct config_line {
    size_t number;       /* from 1 */
    const char *section; /* "" before the first one */
    const char *name;    /* NULL: the section begins here */
    const char *value;   /* never NULL with a name */
};

/* Called for each line that is not empty. What it fails with ends the reading. */
typedef enum ota_error config_line_fn(const struct config_line *line, void *userdata,
                                      struct ota_failure *failure);

/* Reads text; name is that of the file, fit to be shown. Fails with OTA_E_USAGE for a line that is
 * malformed, too long for libinih (200 bytes), or has control characters; the message names the
 * file and the line, and repeats nothing of it, as it may be a password. */
enum ota_error config_text_read(const char *name, const char *text, size_t length,
                                config_line_fn *on_line, void *userdata,
                                struct ota_failure *failure);

#endif
