/*
 * status.h: the statuses of HTTP that both a reply to us and one of ours can have.
 */
#ifndef ESP_OTA_HTTP_STATUS_H
#define ESP_OTA_HTTP_STATUS_H

enum {
    STATUS_OK = 200,
    STATUS_UNAUTHORIZED = 401,
    STATUS_FORBIDDEN = 403,
    STATUS_NOT_FOUND = 404,
    STATUS_INTERNAL = 500,
    STATUS_BUSY = 503,
};

#endif
