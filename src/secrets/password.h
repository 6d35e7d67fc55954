/*
 * password.h: a password, or the text of another secret, from a file or from the environment.
 */
#ifndef ESP_OTA_SECRETS_PASSWORD_H
#define ESP_OTA_SECRETS_PASSWORD_H

#include "esp-ota/error.h"
#include "secrets/exposure.h"

enum { PASSWORD_MAX = 1024 };

/* What a file holds, for messages. */
enum secret_kind { SECRET_PASSWORD, SECRET_ENCRYPTION_KEY };

/* Reads the first line of the file, without its line end and a byte order mark before it. "-" is
 * standard input; the bytes after that line are not consumed. *text is the caller's, to be freed
 * with secret_free(). Fails with OTA_E_USAGE: unreadable, empty, NUL bytes, over PASSWORD_MAX
 * bytes. *exposure tells who else can read the file. written decides whether a message names a file
 * that cannot be opened: shown_path(). */
enum ota_error secret_from_file(char **text, const char *path, const char *written,
                                enum secret_kind kind, enum exposure *exposure,
                                struct ota_failure *failure);

/* Takes a variable out of the environment and overwrites it there. *text is NULL when the variable
 * is missing or empty, and otherwise to be freed with secret_free(). Returns -1 when memory ran
 * out. */
int secret_from_environment(char **text, const char *name);

/* The same for a password, which is in ESP_OTA_AUTH. */
enum ota_error password_from_file(char **password, const char *path, const char *written,
                                  enum exposure *exposure, struct ota_failure *failure);

int password_from_environment(char **password);

#endif
