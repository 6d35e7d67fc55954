/* service.c: the table of services. */
#include "discovery/service.h"

#include <string.h>

struct service_row {
    const char *type;
    const char *title;
    const char *key,
        *value; /* what the TXT record of a board says; NULL: only boards have the type */
    bool tells_port;
};

/* WLED announces the port of its web server twice: as _wled._tcp with its "mac", and as _http._tcp
 * with nothing. Tasmota announces _http._tcp with its "devicetype" only. */
static const struct service_row service_rows[SERVICE_COUNT] = {
    [SERVICE_ARDUINO] = {.type = "_arduino._tcp", .title = "ArduinoOTA", .tells_port = true},
    [SERVICE_WLED] = {.type = "_wled._tcp", .title = "WLED", .tells_port = true},
    [SERVICE_TASMOTA] = {.type = "_http._tcp",
                         .title = "Tasmota",
                         .key = "devicetype",
                         .value = "tasmota",
                         .tells_port = true},
    [SERVICE_ESPHOME] = {.type = "_esphomelib._tcp", .title = "ESPHome"},
};

const char *service_type(enum service service)
{
    return service_rows[service].type;
}

const char *service_title(enum service service)
{
    return service_rows[service].title;
}

bool service_is_shared(enum service service)
{
    return service_rows[service].key;
}

bool service_is_board(enum service service, const AvahiStringList *record)
{
    const struct service_row *row = &service_rows[service];
    char value[64];

    if (!row->key)
        return true;
    return strcmp(txt_record_value(value, sizeof value, record, row->key), row->value) == 0;
}

bool service_tells_port(enum service service)
{
    return service_rows[service].tells_port;
}
