/* announced.c: see announced.h. */
#include "upload/announced.h"

#include "base/escape.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

void announced_read(struct announced *announced, const struct esphome_record *record)
{
    struct inspect_esphome *esphome = &announced->esphome;

    escape_string(esphome->version, sizeof esphome->version, record->version);
    escape_string(esphome->project, sizeof esphome->project, record->project);
    escape_string(esphome->project_version, sizeof esphome->project_version,
                  record->project_version);
    escape_string(announced->config_hash, sizeof announced->config_hash, record->config_hash);
}

const char *announced_describe_image(char text[ANNOUNCED_TEXT_MAX],
                                     const struct inspect_esphome *image)
{
    *text = '\0';
    if (*image->version)
        snprintf(text, ANNOUNCED_TEXT_MAX, "ESPHome %s", image->version);
    if (*image->version && *image->project)
        text_append(text, ANNOUNCED_TEXT_MAX, ", project %s %s", image->project,
                    image->project_version);
    return text;
}

const char *announced_describe(char text[ANNOUNCED_TEXT_MAX], const struct announced *announced)
{
    announced_describe_image(text, &announced->esphome);
    if (*text && *announced->config_hash)
        text_append(text, ANNOUNCED_TEXT_MAX, ", configuration %s", announced->config_hash);
    return text;
}

const char *announced_compare(char message[ANNOUNCED_MESSAGE_MAX],
                              const struct esphome_record *board,
                              const struct inspect_esphome *image)
{
    char sent[ANNOUNCED_TEXT_MAX], running[ANNOUNCED_TEXT_MAX];
    struct announced announced;

    announced_read(&announced, board);
    announced_describe_image(sent, image);
    announced_describe(running, &announced);
    snprintf(message, ANNOUNCED_MESSAGE_MAX, "%s%s%s%s%s", *sent ? "the image is " : "", sent,
             *sent && *running ? "; " : "", *running ? "the board announces " : "", running);
    return message;
}

bool announced_is_other_project(const struct announced *announced,
                                const struct inspect_esphome *image)
{
    return *announced->esphome.project && *image->project &&
           strcmp(announced->esphome.project, image->project) != 0;
}

static bool is_same_firmware(const struct inspect_esphome *one, const struct inspect_esphome *other)
{
    return strcmp(one->version, other->version) == 0 && strcmp(one->project, other->project) == 0 &&
           strcmp(one->project_version, other->project_version) == 0;
}

bool announced_fits_image(const struct announced *announced, const struct inspect_esphome *image)
{
    return !*image->version || is_same_firmware(&announced->esphome, image);
}

bool announced_equals(const struct announced *one, const struct announced *other)
{
    return is_same_firmware(&one->esphome, &other->esphome) &&
           strcmp(one->config_hash, other->config_hash) == 0;
}
