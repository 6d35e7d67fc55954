/*
 * protocols.c: the table of all protocols.
 */
#include "upload/protocols.h"

#include <string.h>

const struct upload_protocol *const protocols[] = {
    &espota_protocol,
};

const size_t protocol_count = sizeof protocols / sizeof *protocols;

const struct upload_protocol *protocols_find(const char *name)
{
    for (size_t i = 0; i < protocol_count; i++)
        if (strcmp(protocols[i]->name, name) == 0)
            return protocols[i];
    return NULL;
}
