/*
 * user_info.h: finds the password in a URL, so that no message shows it. Pure.
 */
#ifndef ESP_OTA_BASE_USER_INFO_H
#define ESP_OTA_BASE_USER_INFO_H

#include <stddef.h>

/* The part of a text to hide; length 0: none. */
struct user_info {
    size_t at, length;
};

/* The password in "SCHEME://USER:PASSWORD@HOST", also with one slash, backslashes or without the
 * colon. A user without a password is hidden, too, as it may be a token ("https://TOKEN@HOST"). The
 * password may have any character in it, a slash, too; so may the path, and then more is hidden
 * than has to be. */
struct user_info user_info_in_text(const void *text, size_t length);

/* Likewise for what may be meant as a board: also the password in "USER:PASSWORD@HOST". */
struct user_info user_info_in_board(const char *text);

#endif
