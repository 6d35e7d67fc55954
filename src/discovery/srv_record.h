/*
 * srv_record.h: the data of an SRV record (RFC 2782): on which host and port a service runs. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_SRV_RECORD_H
#define ESP_OTA_DISCOVERY_SRV_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes the host as text, "kitchen.local"; within a label a dot and a backslash get a backslash in
 * front. Names are not compressed here. Returns false, with host and port undefined, when the data
 * are something else, the host is none, or it does not fit. */
bool srv_parse(char *host, size_t capacity, uint16_t *port, const void *data, size_t size);

/* Writes the name of the record of a service: the instance, its type and domain, in that form.
 * Returns false when it does not fit. */
bool srv_name(char *name, size_t capacity, const char *instance, const char *type,
              const char *domain);

#endif
