/* txt_record.c: reads the values in a TXT record. */
#include "discovery/txt_record.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* A string of a record is bytes with a length, not terminated. */
static bool has_key(const AvahiStringList *string, const char *key)
{
    size_t length = strlen(key);

    return string->size > length && string->text[length] == '=' &&
           strncasecmp((const char *)string->text, key, length) == 0;
}

char *txt_record_value(char *target, size_t capacity, const AvahiStringList *record,
                       const char *key)
{
    target[0] = '\0';
    while (record && !has_key(record, key))
        record = record->next;
    if (!record)
        return target;

    const char *value = (const char *)record->text + strlen(key) + 1;
    size_t length = strnlen(value, record->size - strlen(key) - 1);
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
        value++;
        length -= 2;
    }

    if (length >= capacity)
        length = capacity - 1;
    memcpy(target, value, length);
    target[length] = '\0';
    return target;
}

/* No core announces a version; sketches add it with MDNS.addServiceTxt(), and have no key in common.
 * ESPHome's version is that of ESPHome, so the project's goes first. */
char *txt_record_version(char *target, size_t capacity, const AvahiStringList *record)
{
    static const char *const keys[] = {
        "project_version", "fw_version", "app_version", "firmware_version",
        "version",         "fw",         "sketch"};

    *target = '\0';
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !*target; i++)
        txt_record_value(target, capacity, record, keys[i]);
    return target;
}

enum txt_record_flag txt_record_flag(const AvahiStringList *record, const char *key)
{
    char value[8];

    txt_record_value(value, sizeof value, record, key);
    if (strcasecmp(value, "yes") == 0)
        return TXT_YES;
    return strcasecmp(value, "no") == 0 ? TXT_NO : TXT_UNKNOWN;
}
