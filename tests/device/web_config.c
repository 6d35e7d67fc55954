/* Settings of the page: one table for the parser and the help. */
#include "web_config.h"

#include "setting.h"
#include "web_page.h"

static bool read_scheme(void *target, const char *value)
{
    struct web_config *config = target;

    config->scheme_given = true;
    return value && auth_find_scheme(value, &config->scheme);
}

static const struct setting rows[] = {
    {"user=NAME", "the user's name (default: the page's, mostly admin)", SETTING_TEXT,
     offsetof(struct web_config, user)},
    {"realm=TEXT", "the realm of a challenge (Login Required)", SETTING_TEXT,
     offsetof(struct web_config, realm)},
    {"auth=SCHEME", "basic, digest (takes Basic as well) or only-digest", SETTING_OWN, 0},
    {"open", "only an upload needs the password", SETTING_FLAG,
     offsetof(struct web_config, shows_all)},
    {"denies-early", "401 to an upload before its body, which is left unread", SETTING_FLAG,
     offsetof(struct web_config, denies_early)},
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
    {"unsettled", "tasmota: the recovery firmware loses an upload within 0.9 s of its \"true\"",
     SETTING_FLAG, offsetof(struct web_config, is_unsettled)},
    {"ota-url=URL", "tasmota: OtaUrl at first", SETTING_TEXT, offsetof(struct web_config, ota_url)},
    {"hasty", "tasmota: Upgrade takes a tenth of its time", SETTING_FLAG,
     offsetof(struct web_config, is_hasty)},
    {"same-build", "tasmota: tell the same time of build after an upload", SETTING_FLAG,
     offsetof(struct web_config, keeps_build)},
    {"pin=DIGITS", "wled: the settings PIN", SETTING_TEXT, offsetof(struct web_config, pin)},
    {"locked", "wled: the OTA lock is on", SETTING_FLAG, offsetof(struct web_config, is_locked)},
    {"fenced", "wled: take uploads from its own network only, which no client is in", SETTING_FLAG,
     offsetof(struct web_config, is_fenced)},
    {"ignores-reset", "wled: GET /reset restarts nothing", SETTING_FLAG,
     offsetof(struct web_config, ignores_reset)},
    {"release=NAME", "wled: the release that an image must be of (ESP8266 or ESP32)", SETTING_TEXT,
     offsetof(struct web_config, release)},
    {"stays", "elegantota: built without automatic restart", SETTING_FLAG,
     offsetof(struct web_config, stays)},
    {"md5", "elegantota2: an old core, which compares the MD5", SETTING_FLAG,
     offsetof(struct web_config, checks_md5)},
    {"says-running", "esp8266: a core after 3.1.2, with an error if an update already runs",
     SETTING_FLAG, offsetof(struct web_config, says_running)},
    {"unchecked", "an older version, which looks at neither Origin nor Referer", SETTING_FLAG,
     offsetof(struct web_config, unchecked)},
};

static const struct setting_table table = {
    .rows = rows, .count = sizeof rows / sizeof *rows, .read = read_scheme};

bool web_config_set(struct web_config *config, const char *setting, char *why, size_t why_size)
{
    return setting_apply(&table, config, setting, why, why_size);
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
    setting_help(&table);
}
