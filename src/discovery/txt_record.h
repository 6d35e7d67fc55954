/*
 * txt_record.h: what the TXT record of an announcement says. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_TXT_RECORD_H
#define ESP_OTA_DISCOVERY_TXT_RECORD_H

#include <avahi-common/strlst.h>
#include <stddef.h>

enum txt_record_flag { TXT_UNKNOWN, TXT_NO, TXT_YES };

/* Writes the value of key, without the quotes that old cores put around it and up to a NUL in it,
 * to target: cut to capacity, always terminated, "" when there is none. It is as it came from the
 * network: escape it before it is shown. Keys differ in more than case; the first one counts
 * (RFC 6763, section 6.4). Returns target. */
char *txt_record_value(char *target, size_t capacity, const AvahiStringList *record,
                       const char *key);

/* "yes" or "no", in any case; everything else is unknown. */
enum txt_record_flag txt_record_flag(const AvahiStringList *record, const char *key);

#endif
