/*
 * exposure.h: who besides its owner can read a file with a password or a key in it.
 */
#ifndef ESP_OTA_SECRETS_EXPOSURE_H
#define ESP_OTA_SECRETS_EXPOSURE_H

enum exposure { EXPOSED_TO_NOBODY, EXPOSED_TO_GROUP, EXPOSED_TO_ALL };

/* As the permissions of the open file say. What is no regular file (a pipe) is nobody's. */
enum exposure exposure_of(int fd);

/* Warns, on standard error; what is "password" or "key". EXPOSED_TO_NOBODY is no reason to. */
void exposure_warn(enum exposure exposure, const char *path, const char *what);

#endif
