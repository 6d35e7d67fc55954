/*
 * web_settings.h: the settings that only uploads through web pages know.
 */
#ifndef ESP_OTA_UPLOAD_WEB_WEB_SETTINGS_H
#define ESP_OTA_UPLOAD_WEB_WEB_SETTINGS_H

#include <stdbool.h>

struct page;

struct web_settings {
    const struct page *page; /* --page; NULL: the board is asked */
    char *field;             /* --field; NULL: as the page has it */
    char *user;              /* --user; NULL: as the URL or the page has it */
    char *ca_file;           /* --cacert; NULL: the certificates of this computer */
    bool is_insecure;        /* --insecure: any certificate */
};

#endif
