/*
 * page_table.h: the update pages that boards serve, one row each. Pure. esp-ota-pages(7) has the
 * same rows for people; test-page_table compares them.
 */
#ifndef ESP_OTA_UPLOAD_WEB_PAGE_TABLE_H
#define ESP_OTA_UPLOAD_WEB_PAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* What has to be done before the upload. */
enum page_start {
    PAGE_START_NONE,
    PAGE_START_ELEGANTOTA, /* v3: GET /ota/start with the image's MD5; v2: a plain field with it */
    PAGE_START_TASMOTA,    /* an ESP32 may have to enter its safeboot firmware; then GET /up */
};

/* What a confirmation proves. */
enum page_proof {
    PAGE_PROOF_BOARD,    /* the board has checked the image and says so */
    PAGE_PROOF_RECEIVED, /* such pages also say so when nothing was written */
};

enum { PAGE_WORDS_MAX = 4, PAGE_EVER = 1000 };

struct page {
    const char *name;         /* as --page and JSON spell it */
    const char *title;        /* for people */
    const char *get;          /* the path of the page, where the board asks for the password */
    const char *post;         /* the path of the upload; NULL: that of the page, or of its form */
    const char *size_query;   /* a query with the image's size: "?size="; NULL: none */
    const char *sketch_query; /* added to the path of the upload; NULL: none */
    const char *sketch_field;
    const char *sketch_filename;
    const char *filesystem_field; /* NULL: the page takes no filesystem image */
    const char *filesystem_filename;
    const char *filesystem_query; /* as sketch_query */
    const char *user;             /* the default user */
    const char *chips;            /* the boards that serve it (image/kind.h); "": any */
    bool is_announced;            /* the firmware's version is in ESPHome's announcement */
    bool takes_uf2;               /* some of these boards take UF2 files */
    const char *packed_chips;     /* those among them that unpack gzip; NULL: none */
    const char *pin_path;         /* for a POST of a PIN of four digits, in JSON; NULL: no PIN */
    enum page_start start;
    enum page_proof proof;
    const char *received_chips; /* the boards among them with PAGE_PROOF_RECEIVED; NULL: none */
    unsigned success_status;    /* a redirect to get that means success; 0: none */
    const char *success[PAGE_WORDS_MAX]; /* words of a reply that mean success */
    const char *failure[PAGE_WORDS_MAX]; /* and those that mean failure; they count first */
    /* The board writes before it looks at the password: a 401 to the upload, or no reply at all,
     * tells nothing. */
    bool writes_first;
    /* The page adds an upload to one that broke off before it. What an ESP8266 or Pico W then
     * starts is the mixture, as it looks at the first bytes only; an ESP32 refuses it. */
    bool appends;
    /* So do versions before this one (PAGE_EVER: all) with most cores: they do not end the updater
     * when an upload breaks off, and begin() of a running one fails without an error. An ESP8266
     * core after 3.1.2 has one (Updater.cpp; esp8266/Arduino, pull request 9104). */
    unsigned may_append_before;
    /* The page drops an upload after one that broke off, and says that it was a success: its
     * handler takes the failure of begin() for an error that the updater would know, too. */
    bool drops_next;
    const char
        *restart_path; /* a GET of it restarts the board, whose facts show that; NULL: none */
    bool is_worded;    /* a complete reply without the words of success means failure */
    /* Any complete reply that does not say otherwise (page_words.h) means success, also a redirect;
     * not JSON, nor the upload page again. */
    bool is_generic;
    /* How long after its reply the board has restarted for sure, in milliseconds. */
    int restart_ms;
};

enum page_id {
    PAGE_ESP8266,
    PAGE_ESP32,
    PAGE_WEBUPDATER,
    PAGE_ELEGANTOTA,
    PAGE_ASYNC_UPDATER,
    PAGE_ASYNC,
    PAGE_TASMOTA,
    PAGE_WLED,
    PAGE_ESPHOME,
    PAGE_ESPURNA,
    PAGE_SAFEBOOT,
    PAGE_WIFIMANAGER,
    PAGE_FORM,
    PAGE_COUNT
};

extern const struct page pages[PAGE_COUNT];

/* NULL if there is none of this name. */
const struct page *page_table_find(const char *name);

/* Whether may_append_before holds for a board that tells this version ("16.0.0 (...)"; "":
 * none). */
bool page_may_append(const struct page *page, const char *version);

/* Writes the names of all: "esp8266, esp32 and form". Returns text. */
const char *page_table_list(char *text, size_t capacity);

#endif
