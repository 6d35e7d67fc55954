/*
 * http_client.c: libcurl's multi interface on our loop. All limits of time are ours: libcurl's own
 * are neither per phase nor tied to what the peer has acknowledged.
 */
#include "http/http_client.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/units.h"
#include "http/curl_library.h"
#include "net/tcp_tune.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    URL_MAX = 1024,
    HEADERS_MAX = 8,
    UPLOAD_BUFFER = 16 * 1024,  /* libcurl's own; its minimum */
    LINE_MAX_LEAST = 64 * 1024, /* libcurl takes longer header lines, but not of 100 KiB */
    SLOWEST_RATE = 512,         /* bytes per second; slower uploads are given up */
};

static const int64_t TICK_US = MILLISECONDS(100);
static const int64_t STALL_US = SECONDS(30); /* longer than a board erases its flash */
static const int64_t EARLY_US = SECONDS(2);  /* for the rest of a reply that came early */

/* Keeps libcurl from looking up the URL's host: on_curl_open() has the address. */
static const char ANY_ADDRESS[] = "::127.0.0.1:";

struct http_client {
    struct loop *loop;
    struct curl_library curl;
    CURLM *multi;
    struct loop_timer timer;
};

struct http_request {
    struct http_client *client;
    struct http_request_config config;
    struct http_callbacks callbacks;
    struct address address;
    CURL *easy;
    char url[URL_MAX];
    char texts[HEADERS_MAX][URL_MAX]; /* of the headers, but for the authorization */
    struct curl_slist headers[HEADERS_MAX];
    size_t header_count;
    struct curl_slist connect_to;
    char error[CURL_ERROR_SIZE];

    int fd; /* -1: not open */
    struct loop_watch watch;
    struct loop_timer tick;
    int64_t start_us;
    int64_t progress_us; /* when something was last acknowledged, or connected */
    int64_t early_us;    /* when a reply came before the body was sent; 0: it did not */
    bool is_connected;
    bool was_told_connected;
    size_t handed;   /* bytes of the body that libcurl has */
    size_t size;     /* bytes of the body */
    size_t taken;    /* bytes of the body that the peer's TCP has acknowledged */
    size_t reported; /* bytes of the file in the last on_progress */
    bool is_sent;
    bool is_acknowledged; /* head and body */
    bool has_no_memory;
    int socket_error;
    uint64_t received; /* bytes, when the connection was closed */
    struct http_reply reply;
};

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

static void measure_progress(struct http_request *request)
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

static void report_connection(struct http_request *request)
{
    if (!request->is_connected || request->was_told_connected)
        return;
    request->was_told_connected = true;
    if (request->callbacks.on_connected)
        request->callbacks.on_connected(request->callbacks.userdata);
}

static void report_progress(struct http_request *request)
{
    report_connection(request);
    if (!request->config.body)
        return;

    size_t part = multipart_file_part(request->config.body, request->taken);
    if (part <= request->reported)
        return;
    request->reported = part;
    if (request->callbacks.on_progress)
        request->callbacks.on_progress(part, request->callbacks.userdata);
}

static void note_connection(struct http_request *request)
{
    if (request->is_connected || request->fd < 0 || !is_established(request->fd))
        return;
    request->is_connected = true;
    request->progress_us = loop_now_us();
}

/* -- callbacks of libcurl: they only note what they see -- */

static size_t on_curl_header(char *line, size_t size, size_t count, void *userdata)
{
    struct http_request *request = userdata;

    http_reply_add_line(&request->reply, line, size * count);
    if (request->reply.status >= 200 && request->handed < request->size && !request->early_us)
        request->early_us = loop_now_us();
    return size * count;
}

static size_t on_curl_body(char *data, size_t size, size_t count, void *userdata)
{
    struct http_request *request = userdata;

    if (http_reply_add_body(&request->reply, data, size * count))
        return size * count;
    request->has_no_memory = !request->reply.is_cut;
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
    if (fd >= 0 && source_bind(fd, request->config.source, &request->address) < 0) {
        request->socket_error = errno;
        close(fd);
        return CURL_SOCKET_BAD;
    }
    if (fd < 0) {
        request->socket_error = errno;
        return CURL_SOCKET_BAD;
    }
    tcp_send_without_pacing(fd);
    tcp_tune(fd);
    request->fd = fd;
    return fd;
}

/* The peer may have replied before it closed the connection on which libcurl failed to send. Reading
 * also makes the kernel close the connection instead of resetting it; a reset is sent only once, and
 * if it is lost an ESP8266 waits forever. */
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

static int on_curl_close(void *userdata, curl_socket_t fd)
{
    struct http_request *request = userdata;

    if (fd != request->fd) {
        close(fd);
        return 0;
    }
    note_connection(request);
    measure_progress(request);
    loop_watch_stop(&request->watch);
    request->received = tcp_received(fd);
    drain_socket(request);
    if (request->is_connected && request->handed && !request->is_sent)
        tcp_reset_on_close(fd);
    close(fd);
    request->fd = -1;
    return 0;
}

/* -- the end of a request -- */

static void free_easy(struct http_request *request)
{
    struct curl_library *curl = &request->client->curl;

    if (!request->easy)
        return;
    curl->multi_remove_handle(request->client->multi, request->easy);
    curl->easy_cleanup(request->easy);
    request->easy = NULL;
}

/* Closes the connection, so that the last of the reply is read, and reports the end. */
static void finish_request(struct http_request *request, enum http_end end, int reason)
{
    struct http_outcome outcome = {.end = end, .reason = reason, .text = request->error};

    loop_timer_stop(&request->tick);
    free_easy(request);
    report_progress(request);
    request->reply.is_complete = request->reply.is_complete || http_reply_has_all(&request->reply);
    if (request->reply.status >= 200 && end != HTTP_LOCAL)
        outcome.end = HTTP_REPLIED;
    outcome.is_sent = request->is_sent;
    outcome.is_acknowledged = request->is_acknowledged;
    outcome.reply = outcome.end == HTTP_REPLIED ? &request->reply : NULL;
    if (outcome.end == HTTP_REPLIED)
        diag_debug("%s: HTTP status %u, %zu bytes", request->config.board, request->reply.status,
                   request->reply.body_length);
    request->callbacks.on_done(&outcome, request->callbacks.userdata);
}

/* libcurl also says "out of memory" of a header line that is too long for it. */
static bool is_line_too_long(const struct http_request *request, CURLcode code)
{
    return code == CURLE_OUT_OF_MEMORY && !request->reply.body_length &&
           request->received >= LINE_MAX_LEAST;
}

static enum http_end classify_result(const struct http_request *request, CURLcode code, int *reason)
{
    long number = request->socket_error;

    if (!number)
        request->client->curl.easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &number);
    *reason = (int)number;
    if (is_line_too_long(request, code))
        return HTTP_NOT_HTTP;
    if (error_is_local(*reason) || request->has_no_memory || code == CURLE_OUT_OF_MEMORY)
        return HTTP_LOCAL;

    switch (code) {
    case CURLE_OK:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_WRITE_ERROR:
        if (code == CURLE_OK || code == CURLE_GOT_NOTHING)
            *reason = 0;
        return HTTP_BROKEN;
    case CURLE_COULDNT_CONNECT:
        return HTTP_NOT_CONNECTED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
        return HTTP_TLS;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return HTTP_NOT_HTTP;
    default: /* before there is a connection, nothing comes from the peer */
        return request->is_connected ? HTTP_NOT_HTTP : HTTP_LOCAL;
    }
}

static void take_results(struct http_client *client)
{
    CURLMsg *message;
    int left;

    while ((message = client->curl.multi_info_read(client->multi, &left))) {
        struct http_request *request = NULL;
        CURLcode code = message->data.result;
        int reason = 0;

        client->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
        enum http_end end = classify_result(request, code, &reason);
        request->reply.is_complete = code == CURLE_OK;
        if (!*request->error && code != CURLE_OK)
            snprintf(request->error, sizeof request->error, "%s", client->curl.easy_strerror(code));
        if (code != CURLE_OK)
            diag_debug("%s: the HTTP request ended with %d of libcurl", request->config.board,
                       (int)code);
        finish_request(request, end, reason);
    }
}

/* -- the loop -- */

static void on_client_socket(unsigned events, void *userdata)
{
    struct http_request *request = userdata;
    struct http_client *client = request->client;
    int mask = 0, running;

    mask |= events & LOOP_READABLE ? CURL_CSELECT_IN : 0;
    mask |= events & LOOP_WRITABLE ? CURL_CSELECT_OUT : 0;
    mask |= events & LOOP_HUNG_UP ? CURL_CSELECT_IN | CURL_CSELECT_ERR : 0;
    note_connection(request);
    report_connection(request);
    if (request->handed == request->size) /* later, libcurl's farewell may be in the queue */
        measure_progress(request);
    client->curl.multi_socket_action(client->multi, request->fd, mask, &running);
    take_results(client);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socketp)
{
    struct http_client *client = userdata;
    struct http_request *request = NULL;
    unsigned events = 0;
    (void)socketp;

    client->curl.easy_getinfo(easy, CURLINFO_PRIVATE, &request);
    if (!request || fd != request->fd)
        return 0;
    if (what == CURL_POLL_REMOVE) {
        loop_watch_stop(&request->watch);
        return 0;
    }

    events |= (what & CURL_POLL_IN) ? LOOP_READABLE : 0U;
    events |= (what & CURL_POLL_OUT) ? LOOP_WRITABLE : 0U;
    if (request->watch.loop)
        loop_watch_change(&request->watch, events);
    else if (loop_watch_start(&request->watch, client->loop, fd, events, on_client_socket,
                              request) < 0)
        request->has_no_memory = true;
    return 0;
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *userdata)
{
    struct http_client *client = userdata;
    (void)multi;

    if (timeout_ms < 0)
        loop_timer_stop(&client->timer);
    else
        loop_timer_start(&client->timer, MILLISECONDS((int64_t)timeout_ms));
    return 0;
}

static void on_client_timer(void *userdata)
{
    struct http_client *client = userdata;
    int running;

    client->curl.multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_results(client);
}

static int64_t longest_us(const struct http_request *request)
{
    return request->config.reply_us + STALL_US +
           SECONDS((int64_t)(request->size / SLOWEST_RATE + 1));
}

/* Ends the request if a limit has passed, or memory ran out; returns whether it has. */
static bool check_limits(struct http_request *request)
{
    int64_t now_us = loop_now_us();
    int64_t silent_us = now_us - request->progress_us;

    if (request->has_no_memory)
        finish_request(request, HTTP_LOCAL, ENOMEM);
    else if (!request->is_connected && now_us - request->start_us >= request->config.connect_us)
        finish_request(request, HTTP_NOT_CONNECTED, ETIMEDOUT);
    else if (request->early_us && now_us - request->early_us >= EARLY_US)
        finish_request(request, HTTP_REPLIED, 0);
    else if ((request->is_connected &&
              silent_us >= (request->is_acknowledged ? request->config.reply_us : STALL_US)) ||
             now_us - request->start_us >= longest_us(request))
        finish_request(request, HTTP_STALLED, ETIMEDOUT);
    else
        return false;
    return true;
}

static void on_request_tick(void *userdata)
{
    struct http_request *request = userdata;

    note_connection(request);
    measure_progress(request);
    report_progress(request);
    if (!check_limits(request))
        loop_timer_start(&request->tick, TICK_US);
}

/* -- the start of a request -- */

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
    const char *scheme = config->is_tls ? "https" : "http";

    add_header(request, "Host: %s", config->authority);
    add_header(request, "Connection: close");
    if (config->referer)
        add_header(request, "Referer: %s://%s%s", scheme, config->authority, config->referer);
    if (config->referer && config->body)
        add_header(request, "Origin: %s://%s", scheme, config->authority);
    if (config->body) {
        add_header(request, "Expect:");
        add_header(request, "Content-Type: %s%s",
                   *config->body->boundary ? "multipart/form-data; boundary="
                                           : "application/octet-stream",
                   config->body->boundary);
    }
    if (config->authorization) /* the secret itself: no copy of it */
        request->headers[request->header_count++].data = (char *)config->authorization;
    for (size_t i = 0; i + 1 < request->header_count; i++)
        request->headers[i].next = &request->headers[i + 1];
}

#define SET(option, value) (curl->easy_setopt(request->easy, (option), (value)) == CURLE_OK)

static bool set_callbacks(struct http_request *request)
{
    struct curl_library *curl = &request->client->curl;

    return SET(CURLOPT_PRIVATE, request) && SET(CURLOPT_ERRORBUFFER, request->error) &&
           SET(CURLOPT_HEADERFUNCTION, on_curl_header) && SET(CURLOPT_HEADERDATA, request) &&
           SET(CURLOPT_WRITEFUNCTION, on_curl_body) && SET(CURLOPT_WRITEDATA, request) &&
           SET(CURLOPT_OPENSOCKETFUNCTION, on_curl_open) && SET(CURLOPT_OPENSOCKETDATA, request) &&
           SET(CURLOPT_CLOSESOCKETFUNCTION, on_curl_close) && SET(CURLOPT_CLOSESOCKETDATA, request);
}

static bool set_connection(struct http_request *request)
{
    struct curl_library *curl = &request->client->curl;
    const struct http_request_config *config = &request->config;
    long verifies = config->is_insecure ? 0 : 1;

    return SET(CURLOPT_URL, request->url) && SET(CURLOPT_CONNECT_TO, &request->connect_to) &&
           SET(CURLOPT_PROXY, "") && SET(CURLOPT_NOPROXY, "*") && SET(CURLOPT_NOSIGNAL, 1L) &&
           SET(CURLOPT_FRESH_CONNECT, 1L) && SET(CURLOPT_FORBID_REUSE, 1L) &&
           SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_PATH_AS_IS, 1L) &&
           SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(config->connect_us / 1000 + 60000)) &&
           SET(CURLOPT_SSL_VERIFYPEER, verifies) && SET(CURLOPT_SSL_VERIFYHOST, 2 * verifies) &&
           (!config->ca_file || SET(CURLOPT_CAINFO, config->ca_file));
}

static bool set_message(struct http_request *request)
{
    struct curl_library *curl = &request->client->curl;
    bool is_set = SET(CURLOPT_HTTPHEADER, request->headers) &&
                  SET(CURLOPT_USERAGENT, "esp-ota/" ESP_OTA_VERSION) &&
                  SET(CURLOPT_ACCEPT_ENCODING, "gzip");

    if (!request->config.body)
        return is_set && SET(CURLOPT_HTTPGET, 1L);
    return is_set && SET(CURLOPT_POST, 1L) && SET(CURLOPT_READFUNCTION, on_curl_read) &&
           SET(CURLOPT_READDATA, request) &&
           SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size) &&
           SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
}

struct http_request *http_request_start(struct http_client *client,
                                        const struct http_request_config *config,
                                        const struct http_callbacks *callbacks)
{
    struct http_request *request = calloc(1, sizeof *request);

    if (!request)
        return NULL;
    *request = (struct http_request){.client = client,
                                     .config = *config,
                                     .callbacks = *callbacks,
                                     .address = *config->address,
                                     .fd = -1,
                                     .connect_to.data = (char *)ANY_ADDRESS,
                                     .size = config->body ? multipart_size(config->body) : 0};
    request->start_us = request->progress_us = loop_now_us();
    loop_timer_init(&request->tick, client->loop, on_request_tick, request);
    snprintf(request->url, sizeof request->url, "%s://%s%s", config->is_tls ? "https" : "http",
             config->authority, config->path);
    make_headers(request);
    diag_debug("%s: %s %s", config->board, config->body ? "POST" : "GET", request->url);

    request->easy = client->curl.easy_init();
    if (!request->easy || !set_callbacks(request) || !set_connection(request) ||
        !set_message(request) ||
        client->curl.multi_add_handle(client->multi, request->easy) != CURLM_OK) {
        http_request_free(request);
        return NULL;
    }
    loop_timer_start(&request->tick, TICK_US);
    return request;
}

void http_request_free(struct http_request *request)
{
    if (!request)
        return;
    loop_timer_stop(&request->tick);
    free_easy(request);
    http_reply_clear(&request->reply);
    free(request);
}

bool http_request_is_sent(const struct http_request *request)
{
    return request->is_sent;
}

bool http_request_is_acknowledged(const struct http_request *request)
{
    return request->is_acknowledged;
}

/* -- the client -- */

struct http_client *http_client_new(struct loop *loop, struct ota_failure *failure)
{
    struct http_client *client = calloc(1, sizeof *client);

    if (!client) {
        ota_fail_no_memory(failure);
        return NULL;
    }
    client->loop = loop;
    loop_timer_init(&client->timer, loop, on_client_timer, client);

    const char *reason = curl_library_load(&client->curl);
    if (!reason) {
        client->multi = client->curl.multi_init();
        reason = client->multi ? NULL : "out of memory";
    }
    if (reason) {
        ota_fail(failure, OTA_E_INTERNAL, "web pages need libcurl: %s", reason);
        free(client);
        return NULL;
    }
    client->curl.multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    client->curl.multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    client->curl.multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    client->curl.multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    client->curl.multi_cleanup(client->multi);
    loop_timer_stop(&client->timer);
    free(client);
}
