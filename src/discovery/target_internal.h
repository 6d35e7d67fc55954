/*
 * target_internal.h: what target*.c call of each other.
 */
#ifndef ESP_OTA_DISCOVERY_TARGET_INTERNAL_H
#define ESP_OTA_DISCOVERY_TARGET_INTERNAL_H

#include "discovery/target.h"

#define TARGET_DIGITS "0123456789"
#define TARGET_HOST_CHARACTERS                                                                     \
    TARGET_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_."

enum {
    TARGET_SHOWN_MAX = TARGET_NAME_MAX + 64, /* a text in a message, cut so that the reason fits */
    TARGET_SUFFIX_MAX = TARGET_FULL_MAX - TARGET_NAME_MAX,
};

/* -- target_name.c -- */

/* Fails with OTA_E_USAGE: the text, and why it is no target. */
enum ota_error target_reject(struct ota_failure *failure, const char *text, const char *why);

bool target_consists_of(const char *text, const char *characters);

/* Writes what follows an instance's name where other tools show it in full, such as
 * "._arduino._tcp.local". Returns its length. */
size_t target_service_suffix(char suffix[TARGET_SUFFIX_MAX], enum service service);

/* Removes the service, and a port behind it, from a full name. False: it is none, and stays as it
 * is. */
bool target_split_full_name(struct target *target);

/* Parses a text that has been checked and names one board. */
enum ota_error target_parse_board(struct target *target, const char *text,
                                  struct ota_failure *failure);

/* -- target_mistakes.c -- */

/* Rejects a URL or a path, and suggests the host alone. */
enum ota_error target_reject_but_host(struct ota_failure *failure, const char *text,
                                      const char *what, const char *host, size_t length);

/* Rejects likely mistakes, which would otherwise count as names of instances. */
enum ota_error target_check_mistakes(const char *text, struct ota_failure *failure);

#endif
