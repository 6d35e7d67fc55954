/* The update pages of boards: one row each, and what the rows have in common. */
#ifndef DEVICE_WEB_PAGE_H
#define DEVICE_WEB_PAGE_H

#include "digest.h"
#include "web_auth.h"
#include "web_client.h"
#include "web_config.h"

struct board;

enum server_kind {
    SERVER_OF_CORE, /* ESP8266WebServer, or the ESP32's WebServer */
    SERVER_ASYNC,   /* ESPAsyncWebServer */
    SERVER_OF_IDF,  /* esp_http_server */
    SERVER_SKETCH,  /* JAndrassy's ArduinoOTA */
};

/* What a request must name besides the right credentials. */
enum page_check { CHECK_NOTHING, CHECK_ORIGIN, CHECK_REFERER };

/* A GET's answer that is always the same. */
struct resource {
    const char *path;
    const char *type;
    const char *body;
    bool is_open; /* needs no credentials */
};

struct page {
    const char *name;
    const char *help;
    enum server_kind server;
    enum auth_scheme scheme;
    const char *user;
    enum page_check check;
    const struct resource *resources; /* ended by a row without path; NULL: none */
    const char *upload_path;
    const char *filesystem;   /* the name of the file's field that makes it a filesystem image */
    bool writes_unauthorised; /* looks at the credentials for the reply only */
    bool keeps_running;       /* a broken upload is not ended */
    bool allows_at_file;      /* HTTPUpdateServer: what was found at the last file counts */
    bool succeeds_empty;      /* a POST without a file is answered with the success, and restarts */
    bool restarts_always;     /* also after a failure */
    bool bare_errors;         /* the error's text without its line end */
    bool has_error_numbers;   /* of the ESP8266's updater, without their texts */
    /* What follows a broken upload is added to it. An ESP8266 looks at the first bytes only, and
     * says that the mixture is a success. */
    bool appends;
    bool says_wrong_origin;     /* where there is no password */
    bool challenge_has_headers; /* a 401 to a POST has the headers below, too */
    bool ignores_password;      /* has no credentials of HTTP */
    bool names_server;          /* each reply has Tasmota's header Server */
    const char *headers;        /* of the replies to a POST */
    struct answer success;
    struct answer failure; /* %s in the body: the error */
    int64_t fin_us;        /* from the reply to FIN; -1: by the server's rule */
    int64_t restart_us;    /* from there to the restart */
    uint16_t port;         /* 0: 80 */
    const char *version, *version_after;
    const struct page_hooks *hooks;      /* NULL: none */
    const struct page_service *services; /* as announced; ended by a row without type */
};

/* A service of the announcement. Its records are separated by blanks; in them, %v is the version,
 * %m the MAC address and %b the type of the board. That of ESPHome's API has records of its own. */
struct page_service {
    const char *type;
    const char *record; /* NULL: none */
};

/* Where a page differs; each may be NULL. */
struct page_hooks {
    /* A head has been read. False if it is answered, or the client is gone. */
    bool (*begins)(struct web_client *client);
    void (*field)(struct web_client *client, const char *name, const char *value);
    /* A file begins, and client->writes says whether it may be written. False if the updater is not
     * to begin. */
    bool (*file_begins)(struct web_client *client, const struct form_part *part);
    /* Its next bytes, before they are written. */
    void (*file_data)(struct web_client *client, const void *bytes, size_t length);
    /* It is complete; the update is ended next. */
    void (*file_ends)(struct web_client *client);
    /* The next bytes of a body that is no form: all bodies are taken so. */
    void (*raw)(struct web_client *client, const void *bytes, size_t length);
    /* The request is complete. True if it is answered, or the client is gone. */
    bool (*finish)(struct web_client *client);
};

extern const struct page_hooks espeasy_hooks, elegant_hooks, elegant2_hooks, elegant2_core_hooks,
    webupdater_hooks, tasmota_hooks, wled_hooks, wled_old_hooks, safeboot_hooks, espurna_hooks,
    sketch_hooks, async_updater_hooks;

/* NULL for an unknown name. */
const struct page *page_find(const char *name);
void page_help(void);

const struct web_server *server_of(const struct board *board);

/* Whether the page takes a body as it is, and never as a form. */
bool page_takes_raw(const struct web_client *client);
void page_raw_data(struct web_client *client, const void *bytes, size_t length);

/* A request's head has been read. False if it is answered, or the client is gone. */
bool page_begins(struct web_client *client);

/* The request is complete: answers it. */
void page_finish(struct web_client *client);

/* What is in a form: fields, a file. */
extern const struct form_events page_form_events;

/* The client has gone, or is gone now. */
void page_client_left(struct web_client *client);

/* The version that the board's firmware shows. */
const char *page_version(const struct board *board);

/* The board's MAC address: 12 hexadecimal digits. */
const char *page_mac(const struct board *board, char mac[HEX_ROOM]);

/* The same, as in "5C:CF:7F:00:00:01". */
const char *page_mac_text(const struct board *board, char text[HEX_ROOM]);

/* The name of the chip as Tasmota shows it. */
const char *page_hardware(const struct board *board, char name[HEX_ROOM]);

/* Answers with a text. headers may be NULL. */
void page_say(struct web_client *client, int status, const char *type, const char *headers,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Answers the upload with the row's success or failure; or with the failure's words about a
 * text. */
void page_say_success(struct web_client *client);
void page_say_failure(struct web_client *client);

/* What each verdict of an upload begins with: the faults that keep the client from learning that
 * the image is installed. True if one does. */
bool page_withholds_reply(struct web_client *client);

/* Sends the answer in the form of the board's server, and prints the event. */
void page_answer(struct web_client *client, const struct answer *answer);

#endif
