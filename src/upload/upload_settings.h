/*
 * upload_settings.h: the settings of the uploads of one command, by whatever protocol. Those that
 * only one protocol knows are in a struct of its own, which nobody else looks into.
 */
#ifndef ESP_OTA_UPLOAD_UPLOAD_SETTINGS_H
#define ESP_OTA_UPLOAD_UPLOAD_SETTINGS_H

#include "esp-ota/command.h"
#include "net/source.h"

#include <stdint.h>

struct espota_settings; /* upload/espota/espota_settings.h */
struct web_settings;    /* upload/web/web_settings.h */

/* What a line of --hosts may set for its board instead of the command line. */
enum upload_own_key { UPLOAD_OWN_PAGE, UPLOAD_OWN_FIELD, UPLOAD_OWN_USER, UPLOAD_OWN_COUNT };

struct upload_own {
    char *values[UPLOAD_OWN_COUNT]; /* NULL: not set; else checked by the protocol */
};

enum { UPLOAD_OWN_WHY_MAX = 384 };

/* Whether a protocol takes this value. If not, why goes on with the sentence that the value
 * begins: "is not known; ...". */
typedef bool upload_own_check_fn(const char *value, char why[UPLOAD_OWN_WHY_MAX]);

struct upload_settings {
    enum ota_command command; /* -s */
    struct source source;     /* -I */
    int64_t timeout_us;       /* -t: limit until the board accepts; duration of a search */
    bool force;               /* --force: send an unsuitable image nevertheless */
    bool is_verified;         /* --verify-key: send only bytes that are in the image, as they are */
    /* --expect-version: the upload succeeds only once the board tells a version with this text in
     * it; NULL: none. See upload_service_open(). */
    char *expect_version;
    int64_t expect_version_us; /* --expect-timeout: how long the board may take for that */
    bool awaits_return;        /* --online: the version is left to upload_read_back() */
    const struct espota_settings *espota;
    const struct web_settings *web;
};

#endif
