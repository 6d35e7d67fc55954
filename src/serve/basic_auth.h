/*
 * basic_auth.h: HTTP's Basic authentication (RFC 7617). Pure.
 */
#ifndef ESP_OTA_SERVE_BASIC_AUTH_H
#define ESP_OTA_SERVE_BASIC_AUTH_H

#include <stdbool.h>

/* Whether the value of an Authorization header (NULL: there is none) has this user and password;
 * user is NULL for any. The time that it takes tells neither where the texts differ, nor how long
 * the user and the password are. What is decoded is cleansed afterwards. */
bool basic_auth_matches(const char *header, const char *user, const char *password);

#endif
