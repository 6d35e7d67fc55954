/*
 * passphrase.h: asks for the password of a private key on the terminal, and waits for it.
 */
#ifndef ESP_OTA_SECRETS_PASSPHRASE_H
#define ESP_OTA_SECRETS_PASSPHRASE_H

#include "esp-ota.h"

/* A sign_password_fn without userdata. Runs a loop of its own, so call it where there is no other
 * that catches signals; one that arrives meanwhile ends the program as it would have without.
 * Fails with OTA_E_USAGE: there is no terminal, or nobody answers. */
enum ota_error passphrase_ask(char **password, const char *shown, void *userdata,
                              struct ota_failure *failure);

#endif
