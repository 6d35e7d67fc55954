/*
 * http_wire.c: what libcurl is told of a request, and what it and the kernel tell of it.
 *
 * Left alone, libcurl would wait for "100 Continue", use proxies, look names up, and keep
 * connections open.
 */
#include "http/http_internal.h"

#include "base/error.h"
#include "base/loop.h"
#include "http/authority.h"
#include "net/tcp_tune.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { UPLOAD_BUFFER = 16 * 1024 }; /* libcurl's own; its minimum */

/* Keeps libcurl from looking up the URL's host: on_curl_open() has the address. */
static const char ANY_ADDRESS[] = "::127.0.0.1:";

/* -- what the kernel knows -- */

static bool is_established(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
        return false;
    return info.tcpi_state != TCP_SYN_SENT && info.tcpi_state != TCP_CLOSE;
}

/* Bytes of the body that libcurl has handed to the kernel. */
static size_t count_written(const struct http_request *request)
{
    curl_off_t written = 0;

    request->client->curl.easy_getinfo(request->easy, CURLINFO_SIZE_UPLOAD_T, &written);
    return written > 0 ? (size_t)written : 0;
}

void http_wire_measure(struct http_request *request)
{
    if (request->fd < 0 || !request->is_connected)
        return;

    size_t written = count_written(request);
    size_t queued = tcp_unacknowledged(request->fd);
    size_t taken = queued < written ? written - queued : 0;

    if (taken > request->taken) {
        request->taken = taken;
        request->progress_us = loop_now_us();
    }
    if (written == request->size && !request->is_sent)
        request->is_sent = tcp_unsent(request->fd) == 0;
    if (written == request->size && queued == 0 && !request->is_acknowledged) {
        request->is_acknowledged = true;
        request->progress_us = loop_now_us();
    }
}

void http_wire_note_connection(struct http_request *request)
{
    if (request->is_connected || request->fd < 0 || !is_established(request->fd))
        return;
    request->is_connected = true;
    request->progress_us = loop_now_us();
}

/* The number of the socket's file; 0: none is open. */
static ino_t find_inode(int fd)
{
    struct stat status;

    return fd >= 0 && fstat(fd, &status) == 0 ? status.st_ino : 0;
}

/* -- callbacks of libcurl: they only note what they see -- */

/* libcurl keeps each line in memory. It has no limit for trailers, and older versions have none at
 * all. */
static size_t on_curl_header(char *line, size_t size, size_t count, void *userdata)
{
    struct http_request *request = userdata;

    request->heard_us = loop_now_us();
    request->lines += size * count;
    if (request->lines > HTTP_LINES_MAX)
        return 0;
    http_reply_add_line(&request->reply, line, size * count);
    if (request->reply.status >= 200 && request->handed < request->size && !request->early_us)
        request->early_us = loop_now_us();
    return size * count;
}

static size_t on_curl_body(char *data, size_t size, size_t count, void *userdata)
{
    struct http_request *request = userdata;

    request->heard_us = loop_now_us();
    if (http_reply_add_body(&request->reply, data, size * count))
        return size * count;
    request->lack = request->reply.is_cut ? 0 : ENOMEM;
    return 0;
}

/* A board that has replied needs no more of the image. */
static size_t on_curl_read(char *target, size_t size, size_t count, void *userdata)
{
    struct http_request *request = userdata;

    if (request->early_us)
        return CURL_READFUNC_PAUSE;

    size_t length = multipart_read(request->config.body, request->handed, target, size * count);
    request->handed += length;
    return length;
}

/* The address comes from our own lookup, with its scope. */
static curl_socket_t on_curl_open(void *userdata, curlsocktype purpose,
                                  struct curl_sockaddr *address)
{
    struct http_request *request = userdata;
    (void)purpose;

    if (request->fd >= 0)
        return CURL_SOCKET_BAD;

    address->family = request->address.any.sa_family;
    address->addrlen = address_length(&request->address);
    memcpy(&address->addr, &request->address.any, address->addrlen);
    int fd = socket(address->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || source_bind(fd, request->config.source, &request->address) < 0) {
        request->socket_error = errno;
        if (fd >= 0)
            close(fd);
        return CURL_SOCKET_BAD;
    }
    tcp_send_without_pacing(fd);
    tcp_tune(fd);
    request->fd = fd;
    request->inode = find_inode(fd);
    return fd;
}

/* OpenSSL reads on while such messages come: requests for a new handshake, which it ignores while
 * one runs, also before the peer has shown a certificate, and updates of keys. A peer that sends
 * them faster than they are read would hold the loop for ever. */
static void on_tls_message(int is_ours, int version, int type, const void *data, size_t length,
                           SSL *tls, void *userdata)
{
    enum { TLS_MESSAGES_MAX = 100 }; /* of a handshake there are some ten */
    struct http_request *request = userdata;

    (void)version;
    (void)data;
    (void)length;
    (void)tls;
    if (is_ours || type != SSL3_RT_HANDSHAKE || ++request->tls_messages <= TLS_MESSAGES_MAX)
        return;
    request->is_flooded = true;
    if (request->fd >= 0)
        shutdown(request->fd, SHUT_RDWR);
}

/* A new handshake in the midst of an upload would only make libcurl wait for the wrong thing,
 * without a pause. */
static CURLcode on_curl_tls(CURL *easy, void *context, void *userdata)
{
    struct http_request *request = userdata;
    const struct tls_library *tls = &request->client->curl.tls;

    (void)easy;
    tls->CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    tls->CTX_set_msg_callback(context, on_tls_message);
    tls->CTX_ctrl(context, SSL_CTRL_SET_MSG_CALLBACK_ARG, 0, request);
    return CURLE_OK;
}

/* The peer may have replied before it closed the connection on which libcurl failed to send.
 * Reading also makes the kernel close the connection instead of resetting it; a reset is sent only
 * once, and if it is lost an ESP8266 waits forever. */
static void drain_socket(struct http_request *request)
{
    char text[4096];
    size_t length = 0;

    while (length < sizeof text) {
        ssize_t got = recv(request->fd, text + length, sizeof text - length, MSG_DONTWAIT);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    if (request->reply.status == 0 && !request->config.is_tls && length &&
        !http_reply_parse(&request->reply, text, length))
        http_reply_clear(&request->reply);
}

/* Why this process cannot open a file now; 0: it can. libcurl says only that the certificates
 * cannot be read. */
static int find_shortage(void)
{
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int reason = errno;

    if (fd < 0)
        return error_is_local(reason) ? reason : 0;
    close(fd);
    return 0;
}

/* What is to be known of a connection before it is closed. */
static void note_end(struct http_request *request)
{
    http_wire_note_connection(request);
    http_wire_measure(request);
    loop_watch_stop(&request->watch);
    if (request->config.is_tls)
        request->shortage = find_shortage();
    request->received = tcp_received(request->fd);
    request->silent_us = tcp_silent_us(request->fd);
    drain_socket(request);
    if (request->is_connected && request->handed && !request->is_sent)
        tcp_reset_on_close(request->fd);
}

/* If memory ran out, libcurl may have closed the socket without a call. */
void http_wire_leave(struct http_request *request)
{
    if (find_inode(request->fd) != request->inode)
        request->fd = -1;
    if (request->fd < 0)
        return;
    note_end(request);
    shutdown(request->fd, SHUT_RDWR);
    request->is_left = true;
}

static int on_curl_close(void *userdata, curl_socket_t fd)
{
    struct http_request *request = userdata;

    if (fd == request->fd && !request->is_left)
        note_end(request);
    close(fd);
    if (fd != request->fd)
        return 0;
    request->fd = -1;
    if (request->is_freed)
        free(request);
    return 0;
}

/* -- what libcurl is told -- */

static const char *scheme_of(const struct http_request *request)
{
    return request->config.is_tls ? "https" : "http";
}

static void __attribute__((format(printf, 2, 3)))
add_header(struct http_request *request, const char *format, ...)
{
    char *text = request->texts[request->header_count];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof request->texts[0], format, arguments);
    va_end(arguments);
    request->headers[request->header_count++].data = text;
}

/* "Name:" keeps libcurl from sending that header. */
static void make_headers(struct http_request *request)
{
    const struct http_request_config *config = &request->config;
    const char *scheme = scheme_of(request);
    char target[HTTP_TARGET_MAX];

    add_header(request, "Host: %s", config->authority);
    add_header(request, "Connection: close");
    if (config->referer)
        add_header(request, "Referer: %s://%s%s", scheme, config->authority,
                   http_request_target(target, config->referer));
    if (config->referer && config->body)
        add_header(request, "Origin: %s://%s", scheme, config->authority);
    if (config->body) {
        add_header(request, "Expect:");
        add_header(request, "Content-Type: %s%s",
                   *config->body->boundary ? "multipart/form-data; boundary=" : config->body->type,
                   config->body->boundary);
    }
    if (config->authorization) /* the secret itself: no copy of it */
        request->headers[request->header_count++].data = (char *)config->authorization;
    for (size_t i = 0; i + 1 < request->header_count; i++)
        request->headers[i].next = &request->headers[i + 1];
}

/* CURLE_OK, or what libcurl says instead. Codes of several options are combined by |. */
#define SET(option, value) curl->easy_setopt(request->easy, (option), (value))

static unsigned set_callbacks(struct http_request *request)
{
    struct curl_library *curl = &request->client->curl;
    unsigned codes = SET(CURLOPT_PRIVATE, request);

    codes |= SET(CURLOPT_ERRORBUFFER, request->error);
    codes |= SET(CURLOPT_HEADERFUNCTION, on_curl_header);
    codes |= SET(CURLOPT_HEADERDATA, request);
    codes |= SET(CURLOPT_WRITEFUNCTION, on_curl_body);
    codes |= SET(CURLOPT_WRITEDATA, request);
    codes |= SET(CURLOPT_OPENSOCKETFUNCTION, on_curl_open);
    codes |= SET(CURLOPT_OPENSOCKETDATA, request);
    codes |= SET(CURLOPT_CLOSESOCKETFUNCTION, on_curl_close);
    codes |= SET(CURLOPT_CLOSESOCKETDATA, request);
    return codes;
}

/* The path is set apart from the URL: libcurl 7.88 parses the URL twice, and if memory runs out the
 * second time, it sends the request without the query. */
static unsigned set_url(struct http_request *request)
{
    struct curl_library *curl = &request->client->curl;
    char url[HTTP_AUTHORITY_MAX + sizeof "https:///"], target[HTTP_TARGET_MAX];

    snprintf(url, sizeof url, "%s://%s/", scheme_of(request), request->config.authority);
    return SET(CURLOPT_URL, url) |
           SET(CURLOPT_REQUEST_TARGET, http_request_target(target, request->config.path));
}

/* Each request has a connection of its own. No session of TLS is kept for a later one: libcurl 7.88
 * frees the host's name twice if memory runs out while it stores a session. */
static unsigned set_connection(struct http_request *request)
{
    struct curl_library *curl = &request->client->curl;
    const struct http_request_config *config = &request->config;
    long verifies = config->is_insecure ? 0 : 1;
    unsigned codes = SET(CURLOPT_CONNECT_TO, &request->connect_to);

    codes |= SET(CURLOPT_PROXY, "");
    codes |= SET(CURLOPT_NOPROXY, "*");
    codes |= SET(CURLOPT_NOSIGNAL, 1L);
    codes |= SET(CURLOPT_FRESH_CONNECT, 1L);
    codes |= SET(CURLOPT_FORBID_REUSE, 1L);
    codes |= SET(CURLOPT_FOLLOWLOCATION, 0L);
    codes |= SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    codes |= SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(config->connect_us / 1000 + 60000));

    codes |= SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    codes |= SET(CURLOPT_SSL_VERIFYPEER, verifies);
    codes |= SET(CURLOPT_SSL_VERIFYHOST, 2 * verifies);
    if (config->ca_file)
        codes |= SET(CURLOPT_CAINFO, config->ca_file);
    if (config->is_tls) {
        codes |= SET(CURLOPT_SSL_CTX_FUNCTION, on_curl_tls);
        codes |= SET(CURLOPT_SSL_CTX_DATA, request);
    }
    return codes;
}

static unsigned set_message(struct http_request *request)
{
    struct curl_library *curl = &request->client->curl;
    unsigned codes = SET(CURLOPT_HTTPHEADER, request->headers);

    codes |= SET(CURLOPT_USERAGENT, "esp-ota/" ESP_OTA_VERSION);
    codes |= SET(CURLOPT_ACCEPT_ENCODING, "gzip");
    if (!request->config.body)
        return codes | SET(CURLOPT_HTTPGET, 1L);

    codes |= SET(CURLOPT_POST, 1L);
    codes |= SET(CURLOPT_READFUNCTION, on_curl_read);
    codes |= SET(CURLOPT_READDATA, request);
    codes |= SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
    codes |= SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
    return codes;
}

bool http_wire_prepare(struct http_request *request)
{
    request->connect_to.data = (char *)ANY_ADDRESS;
    make_headers(request);
    return (set_url(request) | set_callbacks(request) | set_connection(request) |
            set_message(request)) == CURLE_OK;
}
