/*
 * endpoint_failures.h: what went wrong at the endpoints of a board that replied at none of them.
 * Pure.
 */
#ifndef ESP_OTA_UPLOAD_ENDPOINT_FAILURES_H
#define ESP_OTA_UPLOAD_ENDPOINT_FAILURES_H

#include "esp-ota/error.h"
#include "upload/endpoints.h"

#include <stdint.h>

/* Starts as {0}. */
struct endpoint_failures {
    int reasons[ENDPOINTS_MAX]; /* errno of each connection that failed; 0: there was none */
    struct ota_failure later;   /* of the first endpoint that took a connection; OTA_OK: none did */
    size_t later_at;
};

/* Notes the failure at an endpoint. reason: the errno of the connection; 0: there was one, and
 * failure (NULL otherwise) came later. */
void endpoint_failures_add(struct endpoint_failures *failures, size_t endpoint, int reason,
                           const struct ota_failure *failure);

/* Describes all of them, and at least one was noted. The most telling one comes first, and decides
 * the error: one that came after a connection, a refusal, a time-out, and then what has kept this
 * computer from asking. deadline_us: the limit for a connection. Returns the endpoint of that
 * one. */
size_t endpoint_failures_describe(const struct endpoint_failures *failures,
                                  const struct endpoints *endpoints, int64_t deadline_us,
                                  struct ota_failure *failure);

#endif
