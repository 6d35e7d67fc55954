/*
 * shown.h: words of the user in messages, when they may have a secret in them by mistake. Pure.
 */
#ifndef ESP_OTA_SECRETS_SHOWN_H
#define ESP_OTA_SECRETS_SHOWN_H

#include <stdbool.h>
#include <stddef.h>

enum { SHOWN_WORD_MAX = 192 };

/* What is shown of a word with a value that may be a secret ("auth=PASSWORD", "USER:PASSWORD"):
 * escaped, up to the first of these characters, with "..." for the rest. A password before them
 * ("USER:PASSWORD@HOST") is hidden. */
const char *shown_word(char shown[SHOWN_WORD_MAX], const char *word, const char *ends);

/* What is shown of the name of a secret's file that cannot be opened, as it may be the secret
 * itself ("--auth-file PASSWORD"). It is shown, escaped, if it was written with a slash or a dot in
 * it, and not in the form of an encryption key. written: without the folder that a configuration
 * adds. */
const char *shown_path(char shown[SHOWN_WORD_MAX], const char *path, const char *written);

/* Whether an option or a setting of this name names such a file. */
bool shown_names_secret_file(const char *name);

#endif
