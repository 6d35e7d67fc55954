/*
 * txt_record.h: the values in the TXT record of an announcement. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_TXT_RECORD_H
#define ESP_OTA_DISCOVERY_TXT_RECORD_H

#include <avahi-common/strlst.h>
#include <stddef.h>

enum txt_record_flag { TXT_UNKNOWN, TXT_NO, TXT_YES };

/* Writes the value of key to target and returns it: without the quotes of old cores, cut at a NUL
 * byte and to capacity, always terminated, "" if there is none. It is as it came from the network:
 * escape it before it is shown. Keys are compared without regard to case, and the first one counts
 * (RFC 6763, section 6.4). */
char *txt_record_value(char *target, size_t capacity, const AvahiStringList *record,
                       const char *key);

/* Writes the firmware's version, by the first of the keys that sketches use for it; otherwise the
 * same as txt_record_value(). */
char *txt_record_version(char *target, size_t capacity, const AvahiStringList *record);

/* Copies the strings with a key and a value, "KEY=VALUE", each terminated, with an empty one behind
 * the last. Values are as from txt_record_value(); a string that does not fit is left out, as is
 * one whose key is empty or not printable ASCII. capacity is at least 1. Returns target. */
char *txt_record_pairs(char *target, size_t capacity, const AvahiStringList *record);

/* Reads "yes" or "no", in upper or lower case. Any other value is unknown. */
enum txt_record_flag txt_record_flag(const AvahiStringList *record, const char *key);

#endif
