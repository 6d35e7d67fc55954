/*
 * fuzz-txt_record.c: reading any TXT record, with values of any size, never exceeds a string or the
 * target. The input is the record in its form on the wire: strings behind their lengths.
 */
#include "discovery/txt_record.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* Allocates each string separately, so that AddressSanitizer reports a read behind it. */
static AvahiStringList *take_string(const uint8_t **data, size_t *size)
{
    size_t length = **data;

    (*data)++;
    (*size)--;
    if (length > *size)
        length = *size;

    size_t bytes = offsetof(AvahiStringList, text) + length;
    AvahiStringList *string = malloc(bytes < sizeof *string ? sizeof *string : bytes);
    require(string != NULL);

    string->next = NULL;
    string->size = length;
    memcpy(string->text, *data, length);
    *data += length;
    *size -= length;
    return string;
}

/* Strings with a key, up to an empty one, within capacity. */
static void check_pairs(char *target, size_t capacity, const AvahiStringList *record)
{
    const char *pair = txt_record_pairs(target, capacity, record);

    while (*pair) {
        const char *value = strchr(pair, '=');

        require(value && value > pair);
        pair += strlen(pair) + 1;
        require(pair < target + capacity);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AvahiStringList *record = NULL, **end = &record;

    while (size > 0) {
        *end = take_string(&data, &size);
        end = &(*end)->next;
    }

    for (size_t capacity = 1; capacity <= 64; capacity *= 4) {
        char *target = malloc(capacity);
        require(target != NULL);
        require(strlen(txt_record_value(target, capacity, record, "board")) < capacity);
        require(strlen(txt_record_version(target, capacity, record)) < capacity);
        check_pairs(target, capacity, record);
        free(target);
    }
    (void)txt_record_flag(record, "auth_upload");

    while (record) {
        AvahiStringList *next = record->next;
        free(record);
        record = next;
    }
    return 0;
}
