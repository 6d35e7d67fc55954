/*
 * fuzz-txt_record.c: reading any TXT record, with values of any size, never exceeds a string or the
 * target. The input is the record in its form on the wire: strings behind their lengths.
 */
#include "discovery/esphome_record.h"
#include "discovery/txt_record.h"
#include "require.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

/* The value of key, cut to the size of its field, and nothing behind it. */
static void check_field(const char *field, size_t capacity, const AvahiStringList *record,
                        const char *key)
{
    char whole[UINT8_MAX + 1]; /* a string of a record is not longer */

    require(memchr(field, '\0', capacity) != NULL);
    txt_record_value(whole, sizeof whole, record, key);
    require(strlen(field) == strnlen(whole, capacity - 1));
    require(strncmp(field, whole, strlen(field)) == 0);
}

static void check_esphome(const AvahiStringList *record)
{
    struct esphome_record *esphome = malloc(sizeof *esphome);
    char encryption[2];

    require(esphome != NULL);
    memset(esphome, 'x', sizeof *esphome);
    esphome_record_read(esphome, record);

    check_field(esphome->version, sizeof esphome->version, record, "version");
    check_field(esphome->platform, sizeof esphome->platform, record, "platform");
    check_field(esphome->config_hash, sizeof esphome->config_hash, record, "config_hash");
    check_field(esphome->project, sizeof esphome->project, record, "project_name");
    check_field(esphome->project_version, sizeof esphome->project_version, record,
                "project_version");
    txt_record_value(encryption, sizeof encryption, record, "api_encryption");
    require(esphome->is_encrypted == (*encryption != '\0'));
    free(esphome);
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
    check_esphome(record);

    while (record) {
        AvahiStringList *next = record->next;
        free(record);
        record = next;
    }
    return 0;
}
