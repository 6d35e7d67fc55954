/*
 * operands.h: the words of a command line that belong to no option. A file is the image, any other
 * word a board: "esp-ota kitchen.local firmware.bin".
 */
#ifndef ESP_OTA_CLI_OPERANDS_H
#define ESP_OTA_CLI_OPERANDS_H

#include "cli/argv_mask.h"
#include "cli/command_line.h"

struct operands {
    struct command_line *line;   /* with all options */
    struct argv_mask *argv_mask; /* the marks in the words */
    int password_at;             /* index in argv of the argument with the password; -1: none */
    const int *value_at;         /* by option: the same for its value */
};

/* Whether a word is the image: a regular file, standard input ("-"), or the name of one: with a
 * slash, or with an ending of firmware. Asks the file system. */
bool operands_is_file(const char *word);

/* Stores the words (marked; NULL: none, else NULL-terminated) in the line, as if -i or -f stood
 * before each. The line's options then must not name boards, or an image, too. Fails with
 * OTA_E_USAGE, or with OTA_E_INTERNAL, and then wipes all further words: they may be a password.
 * Such words are not shown either. */
enum ota_error operands_store(const struct operands *operands, const char *const *words,
                              struct ota_failure *failure);

#endif
