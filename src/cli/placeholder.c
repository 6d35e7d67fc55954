/*
 * placeholder.c: see placeholder.h. The names are those of Arduino's platform specification
 * ("upload.port.address") and of the variables that PlatformIO passes to upload_command.
 */
#include "cli/placeholder.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct placeholder {
    const char *open;
    const char *name; /* if it ends in '.', the beginning of a name */
    const char *close;
    const char *caller;
};

#define ARDUINO(name)                                                                              \
    {                                                                                              \
        "{", name, "}", "the Arduino IDE or arduino-cli"                                           \
    }
#define PLATFORMIO(name)                                                                           \
    {"$", name, "", "PlatformIO"},                                                                 \
    {                                                                                              \
        "${", name, "}", "PlatformIO"                                                              \
    }

static const struct placeholder placeholders[] = {
    ARDUINO("upload."),          ARDUINO("network."),       ARDUINO("serial."),
    ARDUINO("build."),           ARDUINO("runtime."),       ARDUINO("tools."),
    PLATFORMIO("UPLOAD_FLAGS"),  PLATFORMIO("UPLOAD_PORT"), PLATFORMIO("UPLOAD_SPEED"),
    PLATFORMIO("UPLOADERFLAGS"), PLATFORMIO("SOURCE"),      PLATFORMIO("SOURCES"),
};

/* What follows the beginning of a name: words of letters and digits, between dots. */
static bool is_rest_of_name(const char *text, size_t length)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

    return length > 0 && text[0] != '.' && text[length - 1] != '.' &&
           strspn(text, letters) >= length;
}

static bool is_placeholder(const struct placeholder *row, const char *text)
{
    size_t length = strlen(text), open = strlen(row->open), name = strlen(row->name),
           close = strlen(row->close);

    if (length < open + name + close || strncmp(text, row->open, open) != 0 ||
        strncmp(text + open, row->name, name) != 0 ||
        strcmp(text + length - close, row->close) != 0)
        return false;

    size_t rest = length - open - name - close;
    return row->name[name - 1] == '.' ? is_rest_of_name(text + open + name, rest) : rest == 0;
}

const char *placeholder_caller(const char *text)
{
    for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
        if (is_placeholder(&placeholders[i], text))
            return placeholders[i].caller;
    return NULL;
}
