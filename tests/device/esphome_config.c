/* Settings of ESPHome: one table for the parser and the help. */
#include "esphome_config.h"

#include "setting.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <string.h>

#define FIELD(name) offsetof(struct esphome_config, name)

static bool read_key(void *target, const char *value)
{
    struct esphome_config *config = target;
    uint8_t bytes[NOISE_KEY + 1];

    if (!value || strlen(value) != ESPHOME_KEY_TEXT ||
        EVP_DecodeBlock(bytes, (const uint8_t *)value, ESPHOME_KEY_TEXT) != sizeof bytes)
        return false;
    memcpy(config->key, bytes, NOISE_KEY);
    config->has_key = config->is_extended = true;
    return true;
}

static const struct setting rows[] = {
    {"protocol=N", "version of the protocol, 1 or 2 (2)", SETTING_NUMBER, FIELD(version)},
    {"extended", "from 2026.5: flags, and the type of an update", SETTING_FLAG, FIELD(is_extended)},
    {"md5", "before 2025.10: asks for a password by MD5", SETTING_FLAG, FIELD(asks_md5)},
    {"packed", "asks for a compressed image from whoever can send one", SETTING_FLAG,
     FIELD(wants_packed)},
    {"key=BASE64", "from 2026.9: offers encryption with this key (implies extended)", SETTING_OWN,
     0},
    {"encrypted", "takes encrypted uploads only", SETTING_FLAG, FIELD(needs_key)},
    {"in-clear", "with key: does not offer the encryption that it is asked for", SETTING_FLAG,
     FIELD(stays_in_clear)},
    {"asks-encrypted",
     "with key and a password: asks for it within the encryption, as no device does", SETTING_FLAG,
     FIELD(asks_encrypted)},
    {"read-ms=N", "patience with each step (20000; before 2025.9 1000)", SETTING_NUMBER,
     FIELD(read_ms)},
    {"data-ms=N", "patience with the image (90000)", SETTING_NUMBER, FIELD(data_ms)},
    {"first=HEX", "this byte is the first", SETTING_BYTE, FIELD(wrong_byte)},
    {"error-magic=HEX", "this byte replies to the greeting", SETTING_BYTE,
     FIELD(error[ESPHOME_MAGIC])},
    {"error-features=HEX", "to the features", SETTING_BYTE, FIELD(error[ESPHOME_FEATURES])},
    {"error-answer=HEX", "to the answer to its challenge", SETTING_BYTE,
     FIELD(error[ESPHOME_ANSWER])},
    {"error-size=HEX", "to the size", SETTING_BYTE, FIELD(error[ESPHOME_SIZE])},
    {"error-md5=HEX", "to the MD5", SETTING_BYTE, FIELD(error[ESPHOME_MD5])},
    {"release=TEXT", "the version of ESPHome that it announces (2026.9.0)", SETTING_TEXT,
     FIELD(release)},
    {"release-after=TEXT", "the same after an upload", SETTING_TEXT, FIELD(release_after)},
    {"hash=HEX", "the config_hash that it announces", SETTING_TEXT, FIELD(hash)},
    {"hash-after=HEX", "the same after an upload", SETTING_TEXT, FIELD(hash_after)},
    {"project=NAME", "the project that it announces", SETTING_TEXT, FIELD(project)},
    {"project-version=TEXT", "and its version", SETTING_TEXT, FIELD(project_version)},
    {"project-version-after=TEXT", "the same after an upload", SETTING_TEXT,
     FIELD(project_version_after)},
};

static const struct setting_table table = {
    .rows = rows, .count = sizeof rows / sizeof *rows, .max = 3600000, .read = read_key};

bool esphome_config_set(struct esphome_config *config, const char *setting, char *why,
                        size_t why_size)
{
    return setting_apply(&table, config, setting, why, why_size);
}

void esphome_config_start(struct esphome_config *config)
{
    *config = (struct esphome_config){
        .version = 2, .read_ms = 20000, .data_ms = 90000, .release = "2026.9.0"};
}

void esphome_config_help(void)
{
    setting_help(&table);
}
