/*
 * encryption_key.h: the key of an encrypted upload, from a file or from the environment: base64, as
 * ESPHome's YAML has it.
 */
#ifndef ESP_OTA_SECRETS_ENCRYPTION_KEY_H
#define ESP_OTA_SECRETS_ENCRYPTION_KEY_H

#include "esp-ota/error.h"
#include "secrets/exposure.h"

enum { ENCRYPTION_KEY_SIZE = 32 };

/* Reads the key from the first line of the file ("-": standard input). *key has ENCRYPTION_KEY_SIZE
 * bytes and is the caller's, to be freed with secret_free(). Fails with OTA_E_USAGE; messages do
 * not show what the file holds. *exposure tells who else can read the file. written is for
 * shown_path(). */
enum ota_error encryption_key_from_file(unsigned char **key, const char *path, const char *written,
                                        enum exposure *exposure, struct ota_failure *failure);

/* Takes ESP_OTA_ENCRYPTION_KEY out of the environment and overwrites it there. *key is NULL when
 * the variable is missing or empty, and otherwise to be freed with secret_free(). Fails with
 * OTA_E_USAGE if its value is no key. */
enum ota_error encryption_key_from_environment(unsigned char **key, struct ota_failure *failure);

#endif
