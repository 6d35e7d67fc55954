/*
 * encryption_key.c: decodes a key without a copy of it elsewhere.
 */
#include "secrets/encryption_key.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/input.h"
#include "base/secret.h"
#include "secrets/password.h"

#include <stdio.h>
#include <string.h>

enum { KEY_DIGITS = 43, PATH_SHOWN = 256 }; /* 43 digits and one "=" */

/* Returns false if the text is not the base64 of ENCRYPTION_KEY_SIZE bytes. */
static bool decode_key(unsigned char key[ENCRYPTION_KEY_SIZE], const char *text)
{
    return strlen(text) == KEY_DIGITS + 1 && text[KEY_DIGITS] == '=' &&
           base64_decode(key, ENCRYPTION_KEY_SIZE, text) == ENCRYPTION_KEY_SIZE;
}

/* Decodes the text and frees it. where says whose it is. */
static enum ota_error take_text(unsigned char **key, char *text, const char *where,
                                struct ota_failure *failure)
{
    enum ota_error error = OTA_OK;

    *key = secret_alloc(ENCRYPTION_KEY_SIZE);
    if (!*key) {
        error = ota_fail_no_memory(failure);
    } else if (!decode_key(*key, text)) {
        secret_free(*key);
        *key = NULL;
        error = ota_fail(failure, OTA_E_USAGE,
                         "%s holds no encryption key: one has %d characters and ends in \"=\" "
                         "(base64 of %d bytes)",
                         where, KEY_DIGITS + 1, ENCRYPTION_KEY_SIZE);
    }
    secret_free(text);
    return error;
}

enum ota_error encryption_key_from_file(unsigned char **key, const char *path, const char *written,
                                        enum exposure *exposure, struct ota_failure *failure)
{
    char shown[PATH_SHOWN], where[PATH_SHOWN + 32];
    char *text;

    *key = NULL;
    if (secret_from_file(&text, path, written, SECRET_ENCRYPTION_KEY, exposure, failure) != OTA_OK)
        return failure->error;

    snprintf(where, sizeof where, "the first line of %s", input_show(shown, sizeof shown, path));
    return take_text(key, text, where, failure);
}

enum ota_error encryption_key_from_environment(unsigned char **key, struct ota_failure *failure)
{
    static const char NAME[] = "ESP_OTA_ENCRYPTION_KEY";
    char *text;

    *key = NULL;
    if (secret_from_environment(&text, NAME) < 0)
        return ota_fail_no_memory(failure);
    return text ? take_text(key, text, NAME, failure) : OTA_OK;
}
