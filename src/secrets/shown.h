/*
 * shown.h: words of the user in messages, when they may have a secret in them by mistake. Pure.
 */
#ifndef ESP_OTA_SECRETS_SHOWN_H
#define ESP_OTA_SECRETS_SHOWN_H

#include <stddef.h>

enum { SHOWN_WORD_MAX = 192 };

/* What is shown of a word with a value that may be a secret ("auth=PASSWORD", "USER:PASSWORD"):
 * escaped, up to the first of these characters, with "..." for the rest. */
const char *shown_word(char shown[SHOWN_WORD_MAX], const char *word, const char *ends);

/* What is shown of a URL, or of a board's name, that may have a password in it
 * ("http://USER:PASSWORD@HOST/"): escaped and cut to capacity (32 at least), with "..." for the password. */
const char *shown_url(char *target, size_t capacity, const char *url);

/* What is shown of the name of a secret's file that cannot be opened, as it may be the secret itself
 * ("--auth-file PASSWORD"): a name with a slash or a dot in it, escaped, unless it has the form of an
 * encryption key. */
const char *shown_path(char shown[SHOWN_WORD_MAX], const char *path);

#endif
