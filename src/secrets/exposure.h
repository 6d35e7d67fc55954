/*
 * exposure.h: tells who besides its owner can read a file with a password or a key.
 */
#ifndef ESP_OTA_SECRETS_EXPOSURE_H
#define ESP_OTA_SECRETS_EXPOSURE_H

enum exposure { EXPOSED_TO_NOBODY, EXPOSED_TO_GROUP, EXPOSED_TO_ALL };

/* Judges by the permissions and the access control list of the open file. A pipe, or another file
 * that is not regular, is EXPOSED_TO_NOBODY. */
enum exposure exposure_of(int fd);

/* Warns on standard error, unless exposure is EXPOSED_TO_NOBODY. what is "password" or "key". */
void exposure_warn(enum exposure exposure, const char *path, const char *what);

#endif
