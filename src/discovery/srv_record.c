/* srv_record.c: parses the data of an SRV record, and composes the name of one. */
#include "discovery/srv_record.h"

#include "base/text.h"

#include <string.h>

enum { HEADER_SIZE = 6, PORT_OFFSET = 4, LABEL_MAX = 63 };

/* Appends length bytes as a label. Returns false if they do not fit or contain a NUL. */
static bool append_label(char *text, size_t capacity, const void *label, size_t length)
{
    const char *bytes = label;
    size_t used = strlen(text);

    for (size_t i = 0; i < length; i++) {
        bool is_special = bytes[i] == '.' || bytes[i] == '\\';
        if (bytes[i] == '\0' || used + is_special + 1 >= capacity)
            return false;
        if (is_special)
            text[used++] = '\\';
        text[used++] = bytes[i];
        text[used] = '\0';
    }
    return true;
}

bool srv_record_parse(char *host, size_t capacity, uint16_t *port, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    size_t offset = HEADER_SIZE;

    if (size <= HEADER_SIZE || capacity == 0)
        return false;

    *port = (uint16_t)(bytes[PORT_OFFSET] << 8 | bytes[PORT_OFFSET + 1]);
    host[0] = '\0';
    while (offset < size && bytes[offset] != 0) {
        size_t length = bytes[offset++];
        if (length > LABEL_MAX || length > size - offset)
            return false;
        if ((host[0] && !text_append(host, capacity, ".")) ||
            !append_label(host, capacity, bytes + offset, length))
            return false;
        offset += length;
    }
    return host[0] && offset + 1 == size;
}

bool srv_record_name(char *name, size_t capacity, const char *instance, const char *type,
                     const char *domain)
{
    if (capacity == 0)
        return false;
    name[0] = '\0';
    return append_label(name, capacity, instance, strlen(instance)) &&
           text_append(name, capacity, ".") && text_append(name, capacity, "%s", type) &&
           text_append(name, capacity, ".") && text_append(name, capacity, "%s", domain);
}
