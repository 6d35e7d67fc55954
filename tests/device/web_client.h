/* One connection to a board's web server: reads requests, and sends replies as the server does. */
#ifndef DEVICE_WEB_CLIENT_H
#define DEVICE_WEB_CLIENT_H

#include "http_request.h"
#include "loop.h"
#include "multipart.h"

struct board;

enum { HEAD_FIELD = 256, WLED_START = 4608 };

/* A server: that of a core, or an asynchronous one. */
struct web_server {
    const char *name;
    enum form_manner manner;
    bool serves_one; /* one client at a time */
    bool is_async;   /* ESPAsyncWebServer */
    bool keeps_alive;
    bool needs_length;  /* else 411 */
    int64_t silence_us; /* how long it waits for a client's bytes */
    int64_t end_us;     /* how long it waits for the client to close; 0: closes at once */
};

struct answer {
    int status;
    const char *type;    /* NULL: no Content-Type */
    const char *headers; /* further ones, each with its line end; may be NULL */
    const char *body;
    size_t length; /* of the body; 0: it is a text */
    bool chunked;
};

enum client_phase {
    CLIENT_HEAD,
    CLIENT_BODY,
    CLIENT_BUSY,     /* the flash is written, or a fault pauses the board */
    CLIENT_HELD,     /* stays connected until the client goes away */
    CLIENT_REPLYING, /* sends the reply */
    CLIENT_ENDING,   /* waits for the client to close */
    CLIENT_DRAINING, /* has sent FIN, and drops what still comes */
};

struct web_client {
    struct board *board;
    int fd;
    struct watch watch;
    struct timer timer;
    enum client_phase phase;
    bool left_behind; /* by a restart: the board no longer knows of it */
    unsigned number;
    unsigned requests;
    size_t head_length;
    char head[HEAD_ROOM];
    struct http_request request;
    bool is_form;
    struct form form;
    uint64_t body_read;
    uint64_t body_end; /* the length at which an asynchronous server has the whole body */
    int64_t cost_us;
    bool is_allowed; /* the credentials are right */
    bool has_file;   /* the body had a file */
    bool writes;     /* the file goes to the updater */
    bool skips_data; /* the next bytes of the file are lost */
    bool installed;
    bool skips_validation;
    char md5[HEAD_FIELD];   /* a field of the form */
    char plain[HEAD_FIELD]; /* the begin of a body that is no form */
    size_t plain_length;
    uint8_t start[WLED_START]; /* the first bytes of the file */
    size_t start_length;
    int reply_status; /* sketch server: of the reply that follows the body; 0: not decided */
    const char *reply_text;
    int64_t fin_after_us;     /* -1: by the server's own rule */
    int64_t restart_after_us; /* after FIN; -1: no restart */
    char *out;
    size_t out_length, out_sent;
};

const struct web_server *client_server(const struct web_client *client);

/* NULL if memory or timers run out; fd is then still the caller's. */
struct web_client *web_client_start(struct board *board, int fd);

/* Frees the client and leaves its connection alone. */
void web_client_free(struct web_client *client);

/* The board leaves the air: the connection goes silent. */
void web_client_leave_behind(struct web_client *client);

/* Closes the connection (with RST if reset), and frees the client. */
void web_client_close(struct web_client *client, bool reset);

/* Sends these bytes, which are copied, as the reply; then what follows it: FIN, restart. */
void web_client_send(struct web_client *client, const void *bytes, size_t length);

/* Stops the dialogue, and leaves the connection open until the client goes away. */
void web_client_hold(struct web_client *client);

/* Stops reading for a time. */
void web_client_pause(struct web_client *client, int64_t us);

/* Sends no reply; the server closes when it has waited for the client to do so. */
void web_client_say_nothing(struct web_client *client);

/* The reply to a request without the right credentials. */
void web_client_challenge(struct web_client *client);

#endif
