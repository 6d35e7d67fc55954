/*
 * http_internal.h: the state of a request, and what http_client.c calls of http_wire.c; nobody else
 * includes it.
 */
#ifndef ESP_OTA_HTTP_HTTP_INTERNAL_H
#define ESP_OTA_HTTP_HTTP_INTERNAL_H

#include "http/curl_library.h"
#include "http/http_client.h"
#include "http/request_target.h"

enum {
    HTTP_HEADER_MAX = HTTP_TARGET_MAX + 512,
    HTTP_HEADERS_MAX = 8,
    HTTP_LINES_MAX = 256 * 1024, /* bytes of all header lines of the replies to a request */
};

struct http_client {
    struct loop *loop;
    struct curl_library curl;
    CURLM *multi;
    struct loop_timer timer;
    unsigned open;  /* requests with a handle in multi */
    bool is_broken; /* libcurl ran out of memory in multi, which is not used again */
};

struct http_request {
    struct http_client *client;
    struct http_request_config config;
    struct http_callbacks callbacks;
    struct address address;
    CURL *easy;
    bool is_open;                                  /* counted in the client's open */
    char texts[HTTP_HEADERS_MAX][HTTP_HEADER_MAX]; /* of the headers, but for the authorization */
    struct curl_slist headers[HTTP_HEADERS_MAX];
    size_t header_count;
    struct curl_slist connect_to;
    char error[CURL_ERROR_SIZE];

    int fd;      /* -1: not open */
    ino_t inode; /* of the socket, whose number may be another one's later */
    struct loop_watch watch;
    struct loop_timer tick;
    int64_t start_us;
    int64_t progress_us; /* when something was last acknowledged, or connected */
    int64_t heard_us;    /* when the last part of the reply came */
    int64_t early_us;    /* when a reply came before the body was sent; 0: it did not */
    bool is_connected;
    bool was_told_connected;
    size_t handed;   /* bytes of the body that libcurl has */
    size_t size;     /* bytes of the body */
    size_t taken;    /* bytes of the body that the peer's TCP has acknowledged */
    size_t reported; /* bytes of the file in the last on_progress */
    bool is_sent;
    bool is_acknowledged; /* head and body */
    int lack;             /* errno of what this computer lacked, besides libcurl; 0: nothing */
    enum ota_cause cause; /* see struct http_outcome */
    int shortage;         /* find_shortage() while the connection was there */
    unsigned shortages;   /* crypto_shortages() at the start */
    int socket_error;
    unsigned tls_messages; /* of the TLS handshake that came, and of later ones */
    bool is_flooded;       /* too many of them came, which ended the connection */
    bool is_left;          /* http_wire_leave() */
    bool is_freed;         /* by its owner; the end of the connection frees the memory */
    size_t lines;          /* bytes of the header lines that came, trailers included */
    uint64_t received;     /* bytes, when the connection was closed */
    int64_t silent_us;     /* tcp_silent_us() then */
    struct http_reply reply;
};

/* Tells libcurl all that it has to know of the request. False when memory ran out. */
bool http_wire_prepare(struct http_request *request);

/* Notes whether the connection is there by now. */
void http_wire_note_connection(struct http_request *request);

/* Notes how much of the request has left this host, and has been acknowledged. */
void http_wire_measure(struct http_request *request);

/* Ends the connection of a request that libcurl has been told to forget. Since 8.9, libcurl itself
 * keeps one with TLS for up to two seconds, for the peer's last message, and calls back meanwhile:
 * as long as fd is not -1, the request must stay in memory. */
void http_wire_leave(struct http_request *request);

#endif
