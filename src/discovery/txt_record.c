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

/* The value behind a key of this length, and its own length. */
static const char *find_value(size_t *length, const AvahiStringList *string, size_t key_length)
{
    const char *value = (const char *)string->text + key_length + 1;

    *length = strnlen(value, string->size - key_length - 1);
    if (*length < 2 || value[0] != '"' || value[*length - 1] != '"')
        return value;
    *length -= 2;
    return value + 1;
}

char *txt_record_value(char *target, size_t capacity, const AvahiStringList *record,
                       const char *key)
{
    target[0] = '\0';
    while (record && !has_key(record, key))
        record = record->next;
    if (!record)
        return target;

    size_t length;
    const char *value = find_value(&length, record, strlen(key));
    if (length >= capacity)
        length = capacity - 1;
    memcpy(target, value, length);
    target[length] = '\0';
    return target;
}

/* No core announces a version; sketches add it with MDNS.addServiceTxt(), and have no key in
 * common. ESPHome's version is that of ESPHome, so the project's goes first. */
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

/* The length of a string's key; 0: it has none. */
static size_t measure_key(const AvahiStringList *string)
{
    for (size_t i = 0; i < string->size; i++) {
        if (string->text[i] == '=')
            return i;
        if (string->text[i] < ' ' || string->text[i] > '~')
            return 0;
    }
    return 0;
}

char *txt_record_pairs(char *target, size_t capacity, const AvahiStringList *record)
{
    size_t used = 0, length;

    for (; record; record = record->next) {
        size_t key_length = measure_key(record);
        if (key_length == 0)
            continue;

        const char *value = find_value(&length, record, key_length);
        if (used + key_length + 1 + length + 2 > capacity)
            continue;

        memcpy(target + used, record->text, key_length + 1);
        memcpy(target + used + key_length + 1, value, length);
        used += key_length + 1 + length;
        target[used++] = '\0';
    }
    target[used] = '\0';
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
