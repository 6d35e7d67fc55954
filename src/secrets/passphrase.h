/*
 * passphrase.h: asks for the password of a private key on the terminal, and waits for it.
 */
#ifndef ESP_OTA_SECRETS_PASSPHRASE_H
#define ESP_OTA_SECRETS_PASSPHRASE_H

#include "esp-ota/error.h"

/* A sign_password_fn that ignores userdata. It runs its own loop, so no other loop may catch
 * signals meanwhile. A signal ends the program as it would by default. Fails with OTA_E_USAGE: no
 * terminal, or no answer. */
enum ota_error passphrase_ask(char **password, const char *shown, void *userdata,
                              struct ota_failure *failure);

#endif
