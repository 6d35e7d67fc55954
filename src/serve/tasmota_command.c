/* tasmota_command.c: see tasmota_command.h. */
#include "serve/tasmota_command.h"

#include "base/json_memory.h"
#include "http/status.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static bool is_plain(char c)
{
    return isalnum((unsigned char)c) || strchr("-._~/:", c);
}

char *tasmota_command_path(char path[TASMOTA_PATH_MAX], const char *name, const char *value)
{
    size_t length = (size_t)snprintf(path, TASMOTA_PATH_MAX, "/cm?cmnd=%s", name);

    if (value && *value)
        length += (size_t)snprintf(path + length, TASMOTA_PATH_MAX - length, "%%20");
    for (const char *at = value ? value : ""; *at && length + 4 < TASMOTA_PATH_MAX; at++)
        length += (size_t)snprintf(path + length, TASMOTA_PATH_MAX - length,
                                   is_plain(*at) ? "%c" : "%%%02X", (unsigned char)*at);
    return path;
}

/* Lines of its log that come at the same time follow as further objects. NULL: it is no JSON. */
static json_t *load_reply(const struct http_reply *reply)
{
    return reply->status == STATUS_OK ? json_memory_load(http_reply_text(reply), reply->body_length,
                                                         JSON_DISABLE_EOF_CHECK, NULL)
                                      : NULL;
}

bool tasmota_reply_text(char *text, size_t capacity, const struct http_reply *reply,
                        const char *name)
{
    json_t *root = load_reply(reply);
    const char *value = json_string_value(json_object_get(root, name));
    const bool fits = value && strlen(value) < capacity;

    if (fits)
        memcpy(text, value, strlen(value) + 1);
    json_decref(root);
    return fits;
}

bool tasmota_reply_mac(struct mac *mac, const struct http_reply *reply)
{
    json_t *root = load_reply(reply);
    const char *text =
        json_string_value(json_object_get(json_object_get(root, "StatusNET"), "Mac"));
    const bool has_mac = text && mac_parse(mac, text);

    json_decref(root);
    return has_mac;
}

bool tasmota_asks_for_password(const struct http_reply *reply)
{
    json_t *root = json_memory_load(http_reply_text(reply), reply->body_length, 0, NULL);
    const bool asks = reply->status == STATUS_UNAUTHORIZED && !reply->challenge.has_digest &&
                      json_is_string(json_object_get(root, "WARNING"));

    json_decref(root);
    return asks;
}
