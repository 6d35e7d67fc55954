/*
 * http_client.h: single HTTP requests on our loop, as boards need them: HTTP/1.1, one request per
 * connection, a body of known length, no redirects, no waiting for "100 Continue", no proxy. The
 * rules are those of esp-ota-pages(7). Only http_client.c, http_wire.c and curl_library.c see
 * libcurl.
 */
#ifndef ESP_OTA_HTTP_HTTP_CLIENT_H
#define ESP_OTA_HTTP_HTTP_CLIENT_H

#include "base/address.h"
#include "base/loop.h"
#include "esp-ota/error.h"
#include "http/multipart.h"
#include "http/reply.h"
#include "net/source.h"

struct http_client;
struct http_request;

/* Loads libcurl. Returns NULL and fills in failure (OTA_E_INTERNAL) without it, or without memory.
 * Free every request before the client. */
struct http_client *http_client_new(struct loop *loop, struct ota_failure *failure);
void http_client_free(struct http_client *client);

/* All strings are borrowed, and only needed during http_request_start(), unless it says otherwise.
 * path and referer are sent as request_target.h writes them; nothing else is checked for line
 * ends. */
struct http_request_config {
    const char *board;             /* name for debug lines, escaped; must outlive the request */
    const struct address *address; /* with port */
    const struct source *source;   /* -I; must outlive the request */
    const char *authority;         /* as in the Host header: "10.0.0.7", "[fe80::1]:8080" */
    bool is_tls;
    bool is_insecure;             /* accepts any certificate */
    const char *ca_file;          /* certificates to trust; NULL: those of the system */
    const char *path;             /* with query: "/update?size=1234" */
    const char *referer;          /* the path of the page that the request comes from; NULL: none */
    const char *authorization;    /* the whole header; NULL: none; must outlive the request */
    const struct multipart *body; /* NULL: a GET; must outlive the request */
    int64_t connect_us;           /* limit for the connection */
    int64_t reply_us;             /* limit for the reply, once the whole request is acknowledged */
};

enum http_end {
    HTTP_REPLIED,       /* there is a reply: its head is whole, its body perhaps not */
    HTTP_LOCAL,         /* this computer failed; text says how */
    HTTP_NOT_CONNECTED, /* no connection; reason is the errno, ETIMEDOUT: the time was over */
    HTTP_TLS,           /* no secure connection: the handshake failed */
    HTTP_UNTRUSTED,     /* no secure connection: the certificate is not trusted */
    HTTP_BROKEN,   /* the connection ended before the end of a head; reason: errno, 0: closed */
    HTTP_STALLED,  /* the peer takes no more data, or does not reply in time */
    HTTP_NOT_HTTP, /* the reply is not one of HTTP/1 */
};

struct http_outcome {
    enum http_end end;
    int reason;
    const char *text;     /* libcurl's; of HTTP_LOCAL, HTTP_TLS and HTTP_UNTRUSTED; unescaped */
    enum ota_cause cause; /* HTTP_LOCAL: OTA_CAUSE_NO_CERTIFICATES, HTTP_UNTRUSTED:
                           * OTA_CAUSE_CERTIFICATE_DATE, or OTA_CAUSE_NONE */
    bool has_begun;       /* libcurl has bytes of the body; with TLS, it trusts the certificate */
    bool is_sent;         /* every byte has left this host */
    bool is_acknowledged; /* the peer's TCP has acknowledged every byte */
    unsigned cut_status;  /* HTTP_BROKEN, HTTP_STALLED: of a head without its end; 0: none began */
    int64_t silent_us;    /* tcp_silent_us() at the end; 0 without a connection */
    struct http_reply *reply; /* HTTP_REPLIED; valid during on_done */
};

struct http_callbacks {
    /* The connection is there; with TLS, when the first bytes of the body are ready to be sent, as
     * the certificate is trusted then. */
    void (*on_connected)(void *userdata);
    /* acknowledged: bytes of the body's file that have reached the peer's TCP. Called at most ten
     * times a second, and before on_done if it has grown. */
    void (*on_progress)(size_t acknowledged, void *userdata);
    /* Whether a reply that has stopped in the middle, or without saying where it ends, says all
     * that is needed: the request ends then. Asked when the whole request is acknowledged and
     * nothing has come for some seconds. NULL: the reply's end is waited for. */
    bool (*is_enough)(const struct http_reply *reply, void *userdata);
    /* Called once, at the end, from the loop; may free the request. */
    void (*on_done)(const struct http_outcome *outcome, void *userdata);
    void *userdata;
};

/* Starts a request. Returns NULL and fills in failure (OTA_E_INTERNAL) when memory ran out, or if
 * libcurl must not be used for https (curl_library.h); other failures come with on_done. */
struct http_request *http_request_start(struct http_client *client,
                                        const struct http_request_config *config,
                                        const struct http_callbacks *callbacks,
                                        struct ota_failure *failure);

/* Closes the connection and frees the request; on_done is not called any more. NULL is allowed. Not
 * allowed in on_progress and on_connected. Data that has not left this host yet is discarded. */
void http_request_free(struct http_request *request);

/* Whether every byte has left this host. If so, the outcome of an interruption is unknown. */
bool http_request_is_sent(const struct http_request *request);
bool http_request_is_acknowledged(const struct http_request *request);

#endif
