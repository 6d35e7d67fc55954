/*
 * escape.c: makes bytes from outside safe to show on a terminal or in a log. It knows nothing about
 * where they come from and allocates nothing.
 */
#include "escape.h"

#include "utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Room for one character as shown: a UTF-8 sequence, or "\u202e". */
enum { PIECE_MAX = 8 };

/* Whether a character could move the cursor or rearrange the text around it. */
static bool is_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) ||       /* C0, DEL, C1 */
           c == 0x061C || c == 0x200E || c == 0x200F || /* direction marks */
           (c >= 0x2028 && c <= 0x202E) ||              /* line separators, overrides */
           (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF; /* isolates, byte order mark */
}

static const char *short_escape(uint32_t character)
{
    switch (character) {
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '\\':
        return "\\\\";
    default:
        return NULL;
    }
}

/* Writes the first character of source, as it is to be shown, and returns how many bytes of source
 * it stands for. Those in kept stay as they are. */
static size_t next_piece(char piece[PIECE_MAX], const unsigned char *source, size_t length,
                         const char *kept)
{
    uint32_t character = 0;
    size_t size = utf8_decode(&character, source, length);
    const char *short_form = short_escape(character);

    if (size == 0) {
        snprintf(piece, PIECE_MAX, "\\x%02x", source[0]);
        return 1;
    }
    if (size == 1 && source[0] != '\0' && strchr(kept, source[0])) {
        piece[0] = (char)source[0];
        piece[1] = '\0';
    } else if (short_form != NULL) {
        snprintf(piece, PIECE_MAX, "%s", short_form);
    } else if (is_harmful(character)) {
        snprintf(piece, PIECE_MAX, character < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)character);
    } else {
        memcpy(piece, source, size);
        piece[size] = '\0';
    }
    return size;
}

static char *escape(char *target, size_t capacity, const void *source, size_t length,
                    const char *kept)
{
    static const char ellipsis[] = "...";
    const unsigned char *bytes = source;
    size_t used = 0;
    size_t cut = 0; /* the last border that leaves room for the ellipsis */

    while (length > 0) {
        char piece[PIECE_MAX];
        size_t consumed = next_piece(piece, bytes, length, kept);
        size_t size = strlen(piece);

        if (used + sizeof ellipsis <= capacity)
            cut = used;
        if (used + size >= capacity) {
            memcpy(target + cut, ellipsis, sizeof ellipsis);
            return target;
        }
        memcpy(target + used, piece, size);
        used += size;
        bytes += consumed;
        length -= consumed;
    }
    target[used] = '\0';
    return target;
}

char *escape_text(char *target, size_t capacity, const void *source, size_t length)
{
    return escape(target, capacity, source, length, "");
}

char *escape_line(char *target, size_t capacity, const void *source, size_t length)
{
    return escape(target, capacity, source, length, "\t\\");
}

char *escape_string(char *target, size_t capacity, const char *source)
{
    return escape_text(target, capacity, source, strlen(source));
}

bool escape_is_printable(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = strlen(text);

    while (length > 0) {
        uint32_t character;
        size_t size = utf8_decode(&character, bytes, length);

        if (size == 0 || is_harmful(character))
            return false;
        bytes += size;
        length -= size;
    }
    return true;
}
