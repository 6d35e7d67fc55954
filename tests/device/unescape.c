/* C escapes, resolved. */
#include "unescape.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static char escape_value(char letter)
{
    static const char letters[] = "nrt0ae", values[] = "\n\r\t\0\a\x1b";
    const char *at = strchr(letters, letter);
    if (!at || !letter)
        return letter;
    return values[at - letters];
}

bool unescape(const char *text, size_t length, char *bytes, size_t room, size_t *used)
{
    for (size_t i = 0; i < length; i++) {
        if (*used >= room)
            return false;

        char byte = text[i];
        if (byte == '\\' && i + 1 < length) {
            byte = escape_value(text[++i]);
            if (text[i] == 'x' && i + 2 < length && isxdigit((unsigned char)text[i + 1]) &&
                isxdigit((unsigned char)text[i + 2])) {
                const char digits[] = {text[i + 1], text[i + 2], '\0'};
                byte = (char)strtoul(digits, NULL, 16);
                i += 2;
            }
        }
        bytes[(*used)++] = byte;
    }
    return true;
}
