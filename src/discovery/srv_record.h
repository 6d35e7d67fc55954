/*
 * srv_record.h: SRV records (RFC 2782), which give the host and port of a service. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_SRV_RECORD_H
#define ESP_OTA_DISCOVERY_SRV_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses the data of a record. The host becomes text, "kitchen.local", with a backslash before a
 * dot or backslash within a label. Compressed names do not occur here. Returns false, with host and
 * port undefined, if the data are malformed, or the host is empty or does not fit. */
bool srv_record_parse(char *host, size_t capacity, uint16_t *port, const void *data, size_t size);

/* Writes the name of a service's record in the same form: the instance, its type and domain.
 * Returns false if it does not fit. */
bool srv_record_name(char *name, size_t capacity, const char *instance, const char *type,
                     const char *domain);

#endif
