/* The update pages of boards: one row each, and what the rows have in common. */
#ifndef DEVICE_WEB_PAGE_H
#define DEVICE_WEB_PAGE_H

#include "web_auth.h"
#include "web_client.h"
#include "web_config.h"

struct board;

enum server_kind {
    SERVER_OF_CORE, /* ESP8266WebServer, or the ESP32's WebServer */
    SERVER_ASYNC,   /* ESPAsyncWebServer */
    SERVER_OF_IDF,  /* esp_http_server */
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
    const struct resource *resources; /* ended by a row without path */
    const char *upload_path;
    const char *filesystem;   /* the name of the file's field that makes it a filesystem image */
    bool writes_unauthorised; /* looks at the credentials for the reply only */
    bool keeps_running;       /* a broken upload is not ended */
    bool allows_at_file;      /* HTTPUpdateServer: what was found at the last file counts */
    bool succeeds_empty;      /* a POST without a file is answered with the success, and restarts */
    bool restarts_always;     /* also after a failure */
    bool bare_errors;         /* the error's text without its line end */
    const char *headers;      /* of the replies to a POST */
    struct answer success;
    struct answer failure; /* %s in the body: the error */
    int64_t fin_us;        /* from the reply to FIN; -1: by the server's rule */
    int64_t restart_us;    /* from there to the restart */
    const char *version, *version_after;
};

/* NULL for an unknown name. */
const struct page *page_find(const char *name);
void page_help(void);

const struct web_server *server_of(const struct board *board);

/* A request's head has been read. False if it is answered, or the client is gone. */
bool page_begins(struct web_client *client);

/* The request is complete: answers it. */
void page_finish(struct web_client *client);

/* What is in a form: fields, a file. */
extern const struct form_events page_form_events;

/* The client has gone, or is gone now. */
void page_client_left(struct web_client *client);

/* Sends the answer in the form of the board's server, and prints the event. */
void page_answer(struct web_client *client, const struct answer *answer);

#endif
