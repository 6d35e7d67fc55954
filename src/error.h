/*
 * error.h: fills in a struct ota_failure. The table of codes behind include/esp-ota.h is in
 * error.c.
 */
#ifndef ERROR_H
#define ERROR_H

#include "esp-ota.h"

/* Sets code, formatted message (cut to OTA_MESSAGE_MAX) and OTA_CAUSE_NONE, and returns the code,
 * so that a function can end in `return fail(failure, OTA_E_..., "...")`. The caller escapes what
 * came from outside.
 */
enum ota_error fail(struct ota_failure *failure, enum ota_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
