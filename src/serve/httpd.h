/*
 * httpd.h: an HTTP server on the loop, with libmicrohttpd: requests without content in,
 * responses from memory out, each at the pace of its client. It knows nothing of boards.
 *
 * Requests are bounded: 8 KiB for the request line and the headers, 15 s until they are complete,
 * no content. So are connections: their number, their number per address, the time without
 * progress (90 s), and the time of one response (an hour). Where connections get scarce, those that
 * neither get a response with a tag nor are a stream are ended, so the caller has to limit the
 * number of such responses; of others, a few that the caller names are let finish, too.
 */
#ifndef ESP_OTA_SERVE_HTTPD_H
#define ESP_OTA_SERVE_HTTPD_H

#include "base/address.h"
#include "base/loop.h"
#include "esp-ota/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct httpd;
struct httpd_request;

/* A certificate with its chain and its key, as PEM text. */
struct httpd_identity {
    const char *certificate, *key;
};

/* Everything must outlive the server, except the identity. */
struct httpd_config {
    struct loop *loop;
    struct address address; /* to listen at; its port may be 0: any */
    unsigned connections_max;
    unsigned connections_per_address;
    const struct httpd_identity *identity; /* NULL: no TLS */
    /* Must answer with httpd_respond() or httpd_respond_stream(). The request is valid during the
     * call. */
    void (*on_request)(struct httpd_request *request, void *userdata);
    /* The end of a connection on which something has come, but no request. */
    void (*on_no_request)(const struct address *address, void *userdata);
    /* Where a response with a tag stands: bytes of its content that the client's TCP has
     * acknowledged. */
    void (*on_progress)(void *tag, size_t bytes, void *userdata);
    /* The end of a response with a tag; is_whole: the client's TCP has acknowledged all of it. */
    void (*on_end)(void *tag, bool is_whole, void *userdata);
    void *userdata;
};

/* Listens. Fails with OTA_E_NO_PORT (the address or port cannot be had), OTA_E_USAGE (the identity
 * is no certificate with its key) or OTA_E_INTERNAL (libmicrohttpd, memory). */
enum ota_error httpd_open(struct httpd **server, const struct httpd_config *config,
                          struct ota_failure *failure);

/* Closes all connections; on_end follows for the responses with a tag. NULL is allowed. */
void httpd_close(struct httpd *server);

uint16_t httpd_port(const struct httpd *server);

/* From now on new connections see this identity; those that are open go on. Fails like
 * httpd_open(), and then nothing changes. */
enum ota_error httpd_reload(struct httpd *server, const struct httpd_identity *identity,
                            struct ota_failure *failure);

/* Calls on_end for all that have ended up to now. It happens by itself, too, but later. It takes
 * two system calls for each that is sent and not acknowledged; so of many requests that are ready
 * at once, only the first one looks. */
void httpd_settle(struct httpd *server);

/* Resets the connection of the response with this tag, and calls on_end. */
void httpd_abort(struct httpd *server, const void *tag);

/* -- requests -- */

const char *httpd_request_method(const struct httpd_request *request);
const char *httpd_request_path(const struct httpd_request *request); /* without %xx and query */
const struct address *httpd_request_address(const struct httpd_request *request);

/* The value of a header; NULL: there is none. */
const char *httpd_request_header(const struct httpd_request *request, const char *name);

typedef void httpd_header_fn(const char *name, const char *value, void *userdata);
void httpd_request_each_header(const struct httpd_request *request, httpd_header_fn *on_header,
                               void *userdata);

/* -- responses -- */

struct httpd_header {
    const char *name, *value;
};

struct httpd_document;

/* Makes a document of a text on the heap, which it owns. NULL if text is NULL, or memory ran out;
 * the text is freed then. */
struct httpd_document *httpd_document_new(char *text);
/* Responses that are still being sent keep it. NULL is allowed. */
void httpd_document_free(struct httpd_document *document);

struct httpd_response {
    unsigned status;
    const struct httpd_header *headers; /* up to one without a name; NULL: none */
    const void *data;
    size_t size;
    bool is_copied; /* data is valid during the call only; otherwise until the end of the server */
    struct httpd_document *document; /* instead of data and size; NULL: none */
    void *tag;                       /* NULL: nobody wants to know how it goes */
    bool is_kept;                    /* let it finish, without a tag, unless many others are */
};

/* Content-Length is always sent, with 304, too; with HEAD it is that of GET. If memory runs out,
 * the connection is closed, and on_end follows. */
void httpd_respond(struct httpd_request *request, const struct httpd_response *response);

/* Answers with a stream of server-sent events, one for each httpd_publish(). Where there are
 * too many streams, answers 503. */
void httpd_respond_stream(struct httpd_request *request);
void httpd_publish(struct httpd *server);

#endif
