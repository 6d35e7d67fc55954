/* Settings of the page: one table for the parser and the help. */
#include "web_config.h"

#include "web_page.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum setting_kind { SETTING_TEXT, SETTING_FLAG, SETTING_SCHEME };

static const struct setting {
    const char *name;
    const char *help;
    enum setting_kind kind;
    size_t offset;
} settings[] = {
    {"user=NAME", "the user's name (default: the page's, mostly admin)", SETTING_TEXT,
     offsetof(struct web_config, user)},
    {"realm=TEXT", "the realm of a challenge (Login Required)", SETTING_TEXT,
     offsetof(struct web_config, realm)},
    {"auth=SCHEME", "basic, digest (takes Basic as well) or only-digest", SETTING_SCHEME, 0},
    {"path=PATH", "take uploads there", SETTING_TEXT, offsetof(struct web_config, path)},
    {"version=TEXT",
     "the version that the page shows, where it shows one; esp8266: it is an ESPEasy", SETTING_TEXT,
     offsetof(struct web_config, version)},
    {"version-after=TEXT", "the same after an upload and the restart", SETTING_TEXT,
     offsetof(struct web_config, version_after)},
    {"rolls-back", "the firmware before the upload is started again", SETTING_FLAG,
     offsetof(struct web_config, rolls_back)},
    {"language=de", "tasmota: the language of the replies", SETTING_TEXT,
     offsetof(struct web_config, language)},
    {"safeboot", "tasmota: one partition, so an upload is for the recovery firmware", SETTING_FLAG,
     offsetof(struct web_config, has_safeboot)},
    {"ota-url=URL", "tasmota: OtaUrl at first", SETTING_TEXT, offsetof(struct web_config, ota_url)},
    {"hasty", "tasmota: Upgrade takes a tenth of its time", SETTING_FLAG,
     offsetof(struct web_config, is_hasty)},
    {"same-build", "tasmota: tell the same time of build after an upload", SETTING_FLAG,
     offsetof(struct web_config, keeps_build)},
    {"pin=DIGITS", "wled: the settings PIN", SETTING_TEXT, offsetof(struct web_config, pin)},
    {"locked", "wled: the OTA lock is on", SETTING_FLAG, offsetof(struct web_config, is_locked)},
    {"release=NAME", "wled: the release that an image must be of (ESP8266 or ESP32)", SETTING_TEXT,
     offsetof(struct web_config, release)},
    {"stays", "elegantota: built without automatic restart", SETTING_FLAG,
     offsetof(struct web_config, stays)},
    {"md5", "elegantota2: an old core, which compares the MD5", SETTING_FLAG,
     offsetof(struct web_config, checks_md5)},
    {"unchecked", "an older version, which looks at neither Origin nor Referer", SETTING_FLAG,
     offsetof(struct web_config, unchecked)},
};

static size_t setting_length(const char *text)
{
    return strcspn(text, "=");
}

static const struct setting *find_setting(const char *text)
{
    size_t length = setting_length(text);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (setting_length(settings[i].name) == length &&
            strncmp(settings[i].name, text, length) == 0)
            return &settings[i];
    return NULL;
}

static bool apply_setting(struct web_config *config, const struct setting *row, const char *value)
{
    char *at = (char *)config + row->offset;

    switch (row->kind) {
    case SETTING_TEXT:
        memcpy(at, &value, sizeof value);
        return value != NULL;
    case SETTING_FLAG:
        *(bool *)at = true;
        return !value;
    case SETTING_SCHEME:
        config->scheme_given = true;
        return value && auth_find_scheme(value, &config->scheme);
    }
    return false;
}

bool web_config_set(struct web_config *config, const char *setting, char *why, size_t why_size)
{
    const struct setting *row = find_setting(setting);
    const char *value = strchr(setting, '=');

    if (!row)
        snprintf(why, why_size, "there is no setting `%s' (--help lists them)", setting);
    else if (!apply_setting(config, row, value ? value + 1 : NULL))
        snprintf(why, why_size, "`%s' does not read as %s", setting, row->name);
    else
        return true;
    return false;
}

void web_config_complete(struct web_config *config)
{
    const struct page *page = config->page;

    if (!config->user)
        config->user = page->user;
    if (!config->realm)
        config->realm = "Login Required";
    if (!config->scheme_given)
        config->scheme = page->scheme;
    if (!config->version)
        config->version = page->version;
    if (!config->version_after)
        config->version_after = page->version_after;
    config->restart_us = page->restart_us;
}

void web_config_help(void)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        printf("  %-17s %s\n", settings[i].name, settings[i].help);
}
