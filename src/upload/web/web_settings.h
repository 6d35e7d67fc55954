/*
 * web_settings.h: the settings that only uploads through web pages know.
 */
#ifndef ESP_OTA_UPLOAD_WEB_WEB_SETTINGS_H
#define ESP_OTA_UPLOAD_WEB_WEB_SETTINGS_H

#include "upload/upload_settings.h"

#include <stdbool.h>

struct page;

struct web_settings {
    const struct page *page; /* --page; NULL: the board is asked */
    char *field;             /* --field; NULL: as the page has it */
    char *user;              /* --user; NULL: as the URL or the page has it */
    char *ca_file;           /* --cacert; NULL: the certificates of this computer */
    bool is_insecure;        /* --insecure: any certificate */
};

/* The values of --page ("auto" included), --field and --user, and of the same settings in a
 * list. */
bool web_check_page(const char *value, char why[UPLOAD_OWN_WHY_MAX]);
bool web_check_field(const char *value, char why[UPLOAD_OWN_WHY_MAX]);
bool web_check_user(const char *value, char why[UPLOAD_OWN_WHY_MAX]);

#endif
