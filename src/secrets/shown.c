/* shown.c: see shown.h. */
#include "secrets/shown.h"

#include "base/escape.h"
#include "base/text.h"
#include "base/user_info.h"

#include <stdio.h>
#include <string.h>

const char *shown_word(char shown[SHOWN_WORD_MAX], const char *word, const char *ends)
{
    enum { ROOM_FOR_DOTS = 4 };
    const struct user_info hidden = user_info_in_board(word);
    const size_t length = strcspn(word, ends);
    const bool has_password_before = hidden.length > 0 && hidden.at <= length;

    if (!word[length] || !word[length + 1] || has_password_before)
        return escape_board(shown, SHOWN_WORD_MAX, word);

    escape_text(shown, SHOWN_WORD_MAX - ROOM_FOR_DOTS, word, length + 1);
    text_append(shown, SHOWN_WORD_MAX, "...");
    return shown;
}

/* Base64 of some 32 bytes. */
static bool is_like_key(const char *text)
{
    enum { LEAST = 40, LIMIT = 48 };
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t length = strspn(text, digits);

    return length >= LEAST && length <= LIMIT && text[length + strspn(text + length, "=")] == '\0';
}

const char *shown_path(char shown[SHOWN_WORD_MAX], const char *path, const char *written)
{
    if (strpbrk(written, "/.") && !is_like_key(written))
        return escape_string(shown, SHOWN_WORD_MAX, path);
    snprintf(shown, SHOWN_WORD_MAX, "(its name is not shown: it may be the secret itself)");
    return shown;
}

bool shown_names_secret_file(const char *name)
{
    return strcmp(name, "auth-file") == 0 || strcmp(name, "encryption-key-file") == 0;
}
