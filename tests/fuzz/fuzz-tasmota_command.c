/*
 * fuzz-tasmota_command.c: no reply of a board overflows the text that is read from it, a text that
 * was read can be sent back as it is, and a MAC is one that a board can have.
 */
#include "require.h"
#include "serve/tasmota_command.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TASMOTA_URL_MAX], path[TASMOTA_PATH_MAX];
    struct http_reply reply = {.status = 200};
    struct mac mac;

    if (!http_reply_add_body(&reply, data, size))
        return 0;
    if (tasmota_reply_text(text, sizeof text, &reply, "OtaUrl")) {
        require(strlen(text) < sizeof text);
        tasmota_command_path(path, "OtaUrl", text);
        require(strlen(path) >= strlen(text) && !strpbrk(path, " \r\n\"#"));
    }
    if (tasmota_reply_mac(&mac, &reply) && (mac.bytes[0] & 1))
        abort();
    reply.status = 401;
    tasmota_asks_for_password(&reply);
    http_reply_clear(&reply);
    return 0;
}
