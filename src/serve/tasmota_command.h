/*
 * tasmota_command.h: Tasmota's commands over HTTP, and what it says to them. Pure.
 *
 * A command is a GET of /cm?cmnd=NAME%20VALUE; the reply is JSON. Source: Tasmota's CmndOtaUrl(),
 * CmndUpgrade() and CmndStatus().
 */
#ifndef ESP_OTA_SERVE_TASMOTA_COMMAND_H
#define ESP_OTA_SERVE_TASMOTA_COMMAND_H

#include "http/reply.h"
#include "serve/mac.h"

#include <stdbool.h>
#include <stddef.h>

/* Tasmota keeps up to 150 bytes of an OtaUrl; each takes three in a path. */
enum { TASMOTA_URL_MAX = 256, TASMOTA_PATH_MAX = 3 * TASMOTA_URL_MAX + 64 };

enum { TASMOTA_PORT = 80 };

/* Writes the path of a command. value: NULL or "": the command only asks. Returns path. */
char *tasmota_command_path(char path[TASMOTA_PATH_MAX], const char *name, const char *value);

/* Copies the text that a reply has for this command, unescaped as it comes. False if it has none,
 * or if it does not fit. */
bool tasmota_reply_text(char *text, size_t capacity, const struct http_reply *reply,
                        const char *name);

/* Reads the MAC of a reply to Status 5. False if it has none. */
bool tasmota_reply_mac(struct mac *mac, const struct http_reply *reply);

/* Whether a 401 comes from Tasmota, which asks for the password without a challenge. */
bool tasmota_asks_for_password(const struct http_reply *reply);

#endif
