/* Settings of ESPHome: one table for the parser and the help. */
#include "esphome_config.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, FLAG, NUMBER, BYTE, KEY };

#define FIELD(name) offsetof(struct esphome_config, name)

static const struct setting {
    const char *name;
    const char *help;
    enum kind kind;
    size_t offset;
} settings[] = {
    {"protocol=N", "version of the protocol, 1 or 2 (2)", NUMBER, FIELD(version)},
    {"extended", "from 2026.5: flags, and the type of an update", FLAG, FIELD(is_extended)},
    {"md5", "before 2025.10: asks for a password by MD5", FLAG, FIELD(asks_md5)},
    {"packed", "asks for a compressed image from whoever can send one", FLAG, FIELD(wants_packed)},
    {"key=BASE64", "from 2026.9: offers encryption with this key (implies extended)", KEY,
     FIELD(key)},
    {"encrypted", "takes encrypted uploads only", FLAG, FIELD(needs_key)},
    {"in-clear", "with key: does not offer the encryption that it is asked for", FLAG,
     FIELD(stays_in_clear)},
    {"read-ms=N", "patience with each step (20000; before 2025.9 1000)", NUMBER, FIELD(read_ms)},
    {"data-ms=N", "patience with the image (90000)", NUMBER, FIELD(data_ms)},
    {"first=HEX", "this byte is the first", BYTE, FIELD(wrong_byte)},
    {"error-magic=HEX", "this byte replies to the greeting", BYTE, FIELD(error[ESPHOME_MAGIC])},
    {"error-features=HEX", "to the features", BYTE, FIELD(error[ESPHOME_FEATURES])},
    {"error-answer=HEX", "to the answer to its challenge", BYTE, FIELD(error[ESPHOME_ANSWER])},
    {"error-size=HEX", "to the size", BYTE, FIELD(error[ESPHOME_SIZE])},
    {"error-md5=HEX", "to the MD5", BYTE, FIELD(error[ESPHOME_MD5])},
    {"release=TEXT", "the version of ESPHome that it announces (2026.9.0)", TEXT, FIELD(release)},
    {"release-after=TEXT", "the same after an upload", TEXT, FIELD(release_after)},
    {"hash=HEX", "the config_hash that it announces", TEXT, FIELD(hash)},
    {"hash-after=HEX", "the same after an upload", TEXT, FIELD(hash_after)},
    {"project=NAME", "the project that it announces", TEXT, FIELD(project)},
    {"project-version=TEXT", "and its version", TEXT, FIELD(project_version)},
    {"project-version-after=TEXT", "the same after an upload", TEXT, FIELD(project_version_after)},
};

static bool read_key(struct esphome_config *config, const char *value)
{
    uint8_t bytes[NOISE_KEY + 1];

    if (!value || strlen(value) != ESPHOME_KEY_TEXT ||
        EVP_DecodeBlock(bytes, (const uint8_t *)value, ESPHOME_KEY_TEXT) != sizeof bytes)
        return false;
    memcpy(config->key, bytes, NOISE_KEY);
    config->has_key = config->is_extended = true;
    return true;
}

static bool apply(struct esphome_config *config, const struct setting *row, const char *value)
{
    char *at = (char *)config + row->offset, *end = NULL;
    unsigned long number = 0;

    if (row->kind == FLAG) {
        *(bool *)at = true;
        return !value;
    }
    if (row->kind == KEY)
        return read_key(config, value);
    if (!value)
        return false;
    if (row->kind == TEXT) {
        memcpy(at, &value, sizeof value);
        return true;
    }
    number = strtoul(value, &end, row->kind == BYTE ? 16 : 10);
    if (row->kind == BYTE)
        *(uint8_t *)at = (uint8_t)number;
    else
        *(unsigned *)(void *)at = (unsigned)number;
    return end != value && !*end && number <= (row->kind == BYTE ? UINT8_MAX : 3600000);
}

bool esphome_config_set(struct esphome_config *config, const char *setting, char *why,
                        size_t why_size)
{
    size_t length = strcspn(setting, "=");
    const char *value = setting[length] ? setting + length + 1 : NULL;

    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        const struct setting *row = &settings[i];
        if (strcspn(row->name, "=") != length || strncmp(row->name, setting, length) != 0)
            continue;
        if (apply(config, row, value))
            return true;
        snprintf(why, why_size, "`%s' does not read as %s", setting, row->name);
        return false;
    }
    snprintf(why, why_size, "there is no setting `%s' (--help lists them)", setting);
    return false;
}

void esphome_config_start(struct esphome_config *config)
{
    *config = (struct esphome_config){
        .version = 2, .read_ms = 20000, .data_ms = 90000, .release = "2026.9.0"};
}

void esphome_config_help(void)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        printf("  %-17s %s\n", settings[i].name, settings[i].help);
}
