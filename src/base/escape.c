/*
 * escape.c: makes bytes from outside safe to show on a terminal or in a log. Allocates nothing.
 */
#include "base/escape.h"

#include "base/hex.h"
#include "base/unicode_table.h"
#include "base/user_info.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE_MAX = 12, /* room for one character as shown: a UTF-8 sequence, or "\U000e0041" */
    MARKS_MAX = 4,  /* combining marks on one character; no script needs more */
};

/* Whether a character could move the cursor or rearrange the text around it. */
static bool is_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) ||       /* C0, DEL, C1 */
           c == 0x061C || c == 0x200E || c == 0x200F || /* direction marks */
           (c >= 0x2028 && c <= 0x202E) ||              /* line separators, overrides */
           (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF; /* isolates, byte order mark */
}

static int compare_ranges(const void *key, const void *element)
{
    uint32_t character = *(const uint32_t *)key;
    const struct unicode_range *range = element;

    return character < range->first ? -1 : character > range->last;
}

static bool is_hidden(uint32_t character)
{
    return bsearch(&character, unicode_hidden, unicode_hidden_count, sizeof *unicode_hidden,
                   compare_ranges) != NULL;
}

static bool is_mark(uint32_t character)
{
    return bsearch(&character, unicode_marks, unicode_marks_count, sizeof *unicode_marks,
                   compare_ranges) != NULL;
}

/* The context before a character. */
struct before {
    uint32_t character; /* 0: none, or an escaped one */
    unsigned marks;     /* combining marks drawn onto it */
};

static bool is_vowel(uint32_t c)
{
    return (c >= 0x1160 && c <= 0x11A7) || (c >= 0xD7B0 && c <= 0xD7C6);
}

static bool is_final(uint32_t c)
{
    return (c >= 0x11A8 && c <= 0x11FF) || (c >= 0xD7CB && c <= 0xD7FB);
}

/* Whether a Hangul vowel or final consonant completes the syllable before it. Elsewhere terminals
 * show it as nothing, or over another character. */
static bool completes_syllable(uint32_t before, uint32_t jamo)
{
    bool is_initial =
        (before >= 0x1100 && before <= 0x115E) || (before >= 0xA960 && before <= 0xA97C);
    bool is_open = before >= 0xAC00 && before <= 0xD7A3 && (before - 0xAC00) % 28 == 0;

    return is_vowel(jamo) ? is_initial : is_vowel(before) || is_open;
}

static bool fits_behind(const struct before *before, uint32_t mark)
{
    if (is_vowel(mark) || is_final(mark))
        return completes_syllable(before->character, mark);
    return before->character != 0 && before->marks < MARKS_MAX;
}

/* Whether the character may be shown as it is. */
static bool is_shown(uint32_t character, struct before *before)
{
    bool is_on_other = character >= 0x80 && is_mark(character);

    if (is_harmful(character) || (character >= 0x80 && is_hidden(character)) ||
        (is_on_other && !fits_behind(before, character))) {
        *before = (struct before){0};
        return false;
    }
    before->character = character;
    before->marks = is_on_other ? before->marks + 1 : 0;
    return true;
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

/* Writes the first character of source in its shown form; characters in kept stay as they are.
 * Returns how many bytes of source it covers. */
static size_t next_piece(char piece[PIECE_MAX], const unsigned char *source, size_t length,
                         const char *kept, struct before *before)
{
    uint32_t character = 0;
    size_t size = utf8_decode(&character, source, length);
    const char *short_form = short_escape(character);

    if (size == 0) {
        snprintf(piece, PIECE_MAX, "\\x%02x", source[0]);
        *before = (struct before){0};
        return 1;
    }

    bool shows = is_shown(character, before);
    if (size == 1 && source[0] != '\0' && strchr(kept, source[0])) {
        piece[0] = (char)source[0];
        piece[1] = '\0';
    } else if (short_form) {
        snprintf(piece, PIECE_MAX, "%s", short_form);
    } else if (!shows) {
        snprintf(piece, PIECE_MAX,
                 character < 0x80      ? "\\x%02x"
                 : character < 0x10000 ? "\\u%04x"
                                       : "\\U%08x",
                 (unsigned)character);
    } else {
        memcpy(piece, source, size);
        piece[size] = '\0';
    }
    return size;
}

static const char ellipsis[] = "...";

/* Hides the part of the source that has this length and begins at hidden; NULL: none. */
static char *escape(char *target, size_t capacity, const void *source, size_t length,
                    const char *kept, const struct user_info *hidden)
{
    const unsigned char *bytes = source;
    const unsigned char *hidden_at = hidden && hidden->length > 0 ? bytes + hidden->at : NULL;
    size_t used = 0;
    size_t cut = 0; /* the last place that leaves room for the ellipsis */
    struct before before = {0};

    while (length > 0) {
        char piece[PIECE_MAX];
        size_t consumed;

        if (bytes == hidden_at) {
            snprintf(piece, sizeof piece, "%s", ellipsis);
            consumed = hidden->length;
        } else {
            consumed = next_piece(piece, bytes, length, kept, &before);
        }
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
    const struct user_info hidden = user_info_in_text(source, length);

    return escape(target, capacity, source, length, "", &hidden);
}

char *escape_line(char *target, size_t capacity, const void *source, size_t length)
{
    return escape(target, capacity, source, length, "\t\\", NULL);
}

char *escape_pattern(char *target, size_t capacity, const void *source, size_t length)
{
    const struct user_info hidden = user_info_in_text(source, length);

    return escape(target, capacity, source, length, "\\", &hidden);
}

char *escape_string(char *target, size_t capacity, const char *source)
{
    return escape_text(target, capacity, source, strlen(source));
}

char *escape_board(char *target, size_t capacity, const char *source)
{
    const struct user_info hidden = user_info_in_board(source);

    return escape(target, capacity, source, strlen(source), "", &hidden);
}

/* Whether text is valid UTF-8 and each of its characters is harmless; with is_all_shown, whether
 * each is even shown as it is. */
static bool has_only_safe_characters(const char *text, bool is_all_shown)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = strlen(text);
    struct before before = {0};

    while (length > 0) {
        uint32_t character;
        size_t size = utf8_decode(&character, bytes, length);

        if (size == 0 || (is_all_shown ? !is_shown(character, &before) : is_harmful(character)))
            return false;
        bytes += size;
        length -= size;
    }
    return true;
}

bool escape_is_printable(const char *text)
{
    return has_only_safe_characters(text, true);
}

bool escape_is_harmless(const char *text)
{
    return has_only_safe_characters(text, false);
}

/* The first character of a typed text, and its length there in *size: that of an escape, if it
 * begins with one that may stand for a harmless character. The text is valid UTF-8. */
static uint32_t typed_character(const char *text, size_t *size)
{
    static const char shown_digits[] = "0123456789abcdef"; /* no capitals */
    const size_t count = text[0] != '\\' ? 0 : text[1] == 'u' ? 4 : text[1] == 'U' ? 8 : 0;
    uint32_t character = 0;

    if (text[0] == '\\' && text[1] == '\\') {
        *size = 2;
        return '\\';
    }
    if (count == 0 || strspn(text + 2, shown_digits) < count) {
        *size = utf8_decode(&character, text, strnlen(text, 4));
        return character;
    }
    for (size_t i = 0; i < count; i++)
        character = character << 4 | (uint32_t)hex_value((unsigned char)text[2 + i]);
    *size = 2 + count;
    return character;
}

/* Writes the harmless character that is shown like the beginning of the text, and its size to
 * *count. Returns the length of what is shown; 0: no such character is shown like this. */
static size_t revert_piece(char bytes[PIECE_MAX], size_t *count, const char *text,
                           struct before *before)
{
    char piece[PIECE_MAX];
    size_t size;
    const uint32_t character = typed_character(text, &size);

    if (!utf8_is_character(character) || is_harmful(character))
        return 0;

    *count = utf8_encode(bytes, character);
    next_piece(piece, (const unsigned char *)bytes, *count, "", before);
    return strlen(piece) == size && memcmp(piece, text, size) == 0 ? size : 0;
}

char *escape_revert(char *text)
{
    /* Only a text that is as it would be shown is replaced, so the first pass looks. */
    for (int pass = 0; pass < 2; pass++) {
        struct before before = {0};
        size_t used = 0;

        for (const char *source = text; *source != '\0';) {
            char bytes[PIECE_MAX];
            size_t count;
            const size_t size = revert_piece(bytes, &count, source, &before);

            if (size == 0)
                return text;
            source += size;
            if (pass == 1)
                memcpy(text + used, bytes, count);
            used += count;
        }
        if (pass == 1)
            text[used] = '\0';
    }
    return text;
}
