/* The head of an HTTP request, as a board's server reads it. Knows no sockets. */
#ifndef DEVICE_HTTP_REQUEST_H
#define DEVICE_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEAD_ROOM = 8192, HEAD_VALUE = 1024 };

struct http_request {
    char method[16];
    char path[HEAD_VALUE]; /* without the query */
    char query[HEAD_VALUE];
    char host[HEAD_VALUE];
    char origin[HEAD_VALUE];
    char referer[HEAD_VALUE];
    char authorization[HEAD_VALUE];
    char content_type[HEAD_VALUE];
    bool is_1_0;
    bool keeps_alive; /* the client did not ask for the connection's end */
    bool has_length;
    uint64_t length; /* of the body; 0 without Content-Length */
    bool is_chunked;
    bool expects; /* Expect: 100-continue */
};

/* Reads a complete head, up to and with its empty line. Values that are too long are cut. False if
 * it is no HTTP request. */
bool http_request_read(struct http_request *request, const char *head, size_t length);

/* Copies the value of the query's parameter of this name into value, with %XX and + resolved. False
 * if there is none. */
bool http_request_parameter(const struct http_request *request, const char *name, char *value,
                            size_t room);

#endif
