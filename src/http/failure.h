/*
 * failure.h: what the end of a request means for an upload, in words. Pure. on_done callbacks of
 * http_client.h turn their outcome into a failure here.
 */
#ifndef ESP_OTA_HTTP_FAILURE_H
#define ESP_OTA_HTTP_FAILURE_H

#include "esp-ota/error.h"
#include "http/http_client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long boards get for a connection, and for the reply to an upload. */
extern const int64_t HTTP_CONNECT_US;
extern const int64_t HTTP_RESULT_US;

/* A request that carries no image has ended without a reply. place: where the board is, printable.
 * request: "GET /update", printable. timeout_us: the limit for its reply. was_heard: an earlier
 * request got a reply, so that with TLS its certificate was trusted. */
void http_fail_request(struct ota_failure *failure, const struct http_outcome *outcome,
                       const char *place, const char *request, int64_t timeout_us, bool was_heard);

/* The upload of an image with this many bytes has ended without a reply. OTA_E_UNKNOWN: the board
 * has all of it. Earlier requests got replies. */
void http_fail_upload(struct ota_failure *failure, const struct http_outcome *outcome, size_t size);

#endif
