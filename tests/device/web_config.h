/* What the command line says about a board's web page. */
#ifndef DEVICE_WEB_CONFIG_H
#define DEVICE_WEB_CONFIG_H

#include "web_auth.h"

#include <stdint.h>

enum { WEB_SECRET = 256, WEB_PORT = 80 };

struct page;

struct web_config {
    const struct page *page; /* NULL: the board has no page, but ArduinoOTA */
    const char *user;
    const char *realm;
    char password[WEB_SECRET];
    bool scheme_given;
    enum auth_scheme scheme;
    bool unchecked;       /* does not look at Origin or Referer */
    bool shows_all;       /* GETs need no password */
    bool denies_early;    /* a 401 to an upload does not wait for its body, and leaves it unread */
    const char *path;     /* to which images are sent; NULL: the page's */
    const char *language; /* of Tasmota: en or de */
    const char *ota_url;  /* Tasmota's OtaUrl; NULL: that of a release */
    bool keeps_build;     /* Tasmota tells the same time of build after an upload */
    bool is_hasty;        /* Tasmota's seconds, where it fetches, are tenths */
    const char *pin;      /* that WLED asks for; NULL: none */
    const char *release;  /* that WLED demands of an image */
    bool is_locked;       /* WLED's OTA lock */
    bool is_fenced;       /* WLED takes uploads from its own network only */
    bool has_safeboot;    /* Tasmota's layout with one partition */
    bool is_unsettled;    /* Tasmota's recovery firmware is not ready at once */
    bool stays;           /* ElegantOTA does not restart the board */
    bool ignores_reset;   /* WLED says that it restarts, and does not */
    bool says_running;    /* an ESP8266 core after 3.1.2: an update that runs is an error */
    bool checks_md5;      /* an old core: AsyncElegantOTA's MD5 is looked at */
    const char *version;  /* that the page shows; after a successful upload the other */
    const char *version_after;
    bool rolls_back;    /* the new firmware is never seen */
    int64_t restart_us; /* from the reply to the restart; -1: the page's */
};

/* Applies a setting NAME or NAME=VALUE, which must outlive the config. On failure writes a sentence
 * without full stop into why. */
bool web_config_set(struct web_config *config, const char *setting, char *why, size_t why_size);

/* Fills what the settings left open, from the page's row. */
void web_config_complete(struct web_config *config);

/* The table of settings, for --help. */
void web_config_help(void);

#endif
