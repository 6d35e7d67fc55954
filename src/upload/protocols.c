/*
 * protocols.c: the table of all protocols, and that of the schemes which mean them.
 */
#include "upload/protocols.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

const struct upload_protocol *const protocols[] = {
    &espota_protocol, &esphome_protocol, &sketch_protocol, &web_protocol, NULL,
};

static const struct target_scheme schemes[] = {
    {.name = "espota", .protocol = &espota_protocol},
    {.name = "esphome", .protocol = &esphome_protocol},
    {.name = "http", .takes_user = true, .takes_path = true, .protocol = &web_protocol},
    {.name = "https",
     .takes_user = true,
     .takes_path = true,
     .protocol = &web_protocol,
     .port = 443,
     .port_source = "the default port of https"},
    {.name = "sketch", .protocol = &sketch_protocol},
};

const struct target_schemes protocol_schemes = {schemes, sizeof schemes / sizeof *schemes};

const struct upload_protocol *protocols_find(const char *name)
{
    for (size_t i = 0; protocols[i]; i++)
        if (strcmp(protocols[i]->name, name) == 0)
            return protocols[i];
    return NULL;
}

const struct upload_protocol *protocols_for(const struct board *board)
{
    for (size_t i = 0; protocols[i]; i++)
        if (protocols[i]->serves(board))
            return protocols[i];
    return NULL;
}

const char *protocols_name_for(const struct board *board)
{
    const struct upload_protocol *protocol = protocols_for(board);

    return protocol ? protocol->name : "other";
}

const char *protocols_list(char *text, size_t capacity)
{
    size_t count = 0;

    while (protocols[count])
        count++;
    *text = '\0';
    for (size_t i = 0; i < count; i++)
        text_append(text, capacity, "%s%s", text_separator(i, count, " and "), protocols[i]->name);
    return text;
}

bool protocols_check_own(enum upload_own_key key, const char *value, char why[UPLOAD_OWN_WHY_MAX])
{
    for (const struct upload_protocol *const *protocol = protocols; *protocol; protocol++)
        if ((*protocol)->own_checks && (*protocol)->own_checks[key])
            return (*protocol)->own_checks[key](value, why);
    snprintf(why, UPLOAD_OWN_WHY_MAX, "means nothing here");
    return false;
}

bool protocols_take_own(const struct upload_protocol *protocol, const struct upload_own *own)
{
    for (size_t i = 0; i < UPLOAD_OWN_COUNT; i++)
        if (own->values[i] && !(protocol->own_checks && protocol->own_checks[i]))
            return false;
    return true;
}
