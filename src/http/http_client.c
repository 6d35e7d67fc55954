/*
 * http_client.c: libcurl's multi interface on our loop. All limits of time are ours: libcurl's own
 * are neither per phase nor tied to what the peer has acknowledged.
 */
#include "http/http_internal.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/library.h"
#include "base/units.h"
#include "base/worker.h"
#include "crypto/crypto.h"
#include "net/tcp_tune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_LEAST = 64 * 1024 }; /* libcurl takes longer header lines, but not of 100 KiB */

static const int64_t TICK_US = MILLISECONDS(100);
static const int64_t STALL_US = SECONDS(30); /* longer than a board erases its flash */
static const int64_t EARLY_US = SECONDS(2);  /* for the rest of a reply that came early */
static const int64_t QUIET_US = SECONDS(5);  /* longer than a lost segment takes to come again */

/* A peer without a trusted certificate is not the board. libcurl reads the body only after it has
 * accepted the certificate. */
static bool is_connected_to_board(const struct http_request *request)
{
    return request->is_connected && (!request->config.is_tls || request->handed > 0);
}

static void report_connection(struct http_request *request)
{
    if (!is_connected_to_board(request) || request->was_told_connected)
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

/* -- the end of a request -- */

static void free_easy(struct http_request *request)
{
    struct curl_library *curl = &request->client->curl;

    if (!request->easy)
        return;
    curl->multi_remove_handle(request->client->multi, request->easy);
    http_wire_leave(request);
    curl->easy_cleanup(request->easy);
    request->easy = NULL;
    if (request->is_open)
        request->client->open--;
}

/* Closes the connection, so that the last of the reply is read, and reports the end: a reply, if
 * its head is whole, or what end says. */
static void finish_request(struct http_request *request, enum http_end end, int reason)
{
    struct http_outcome outcome = {.end = end, .reason = reason, .text = request->error};

    loop_timer_stop(&request->tick);
    free_easy(request);
    report_progress(request);
    if (http_reply_is_final(&request->reply) && end != HTTP_LOCAL)
        outcome.end = HTTP_REPLIED;
    else if (end == HTTP_BROKEN || end == HTTP_STALLED)
        outcome.cut_status = request->reply.status >= 200 ? request->reply.status : 0;
    outcome.cause = request->cause;
    outcome.has_begun = request->handed > 0;
    outcome.is_sent = request->is_sent;
    outcome.silent_us = request->is_connected ? request->silent_us : 0;
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

/* When memory runs out, libssl reports only that the handshake or the connection failed. */
static bool has_no_memory_for_tls(const struct http_request *request, CURLcode code)
{
    return code != CURLE_OK && request->config.is_tls && request->reply.status < 200 &&
           crypto_shortages() != request->shortages;
}

/* What libcurl reports of a computer that lacks nothing, and of a reply of acceptable size. */
static enum http_end classify_code(const struct http_request *request, CURLcode code, int *reason)
{
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
    case CURLE_COULDNT_CONNECT: /* without a reason from the network, a system call failed */
        return *reason ? HTTP_NOT_CONNECTED : HTTP_LOCAL;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        return HTTP_TLS;
    case CURLE_PEER_FAILED_VERIFICATION:
        return HTTP_UNTRUSTED;
    case CURLE_SSL_CACERT_BADFILE:
        *reason = request->shortage; /* the number of libcurl is that of an earlier call */
        return HTTP_LOCAL;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return HTTP_NOT_HTTP;
    default: /* before there is a connection, nothing comes from the peer */
        return request->is_connected ? HTTP_NOT_HTTP : HTTP_LOCAL;
    }
}

static enum http_end classify_result(const struct http_request *request, CURLcode code, int *reason)
{
    long number = request->socket_error;

    if (!number)
        request->client->curl.easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &number);
    *reason = request->is_flooded ? 0 : (int)number;
    if (request->is_flooded)
        return HTTP_NOT_HTTP;
    if (is_line_too_long(request, code) || request->lines > HTTP_LINES_MAX)
        return HTTP_NOT_HTTP;
    if (has_no_memory_for_tls(request, code))
        *reason = ENOMEM;
    if (request->lack)
        *reason = request->lack;
    if (error_is_local(*reason) || request->lack || code == CURLE_OUT_OF_MEMORY)
        return HTTP_LOCAL;

    return classify_code(request, code, reason);
}

/* What is more to be known of the end than libcurl's code says. */
static enum ota_cause find_cause(const struct http_request *request, CURLcode code)
{
    long verdict = X509_V_OK;

    if (code == CURLE_SSL_CACERT_BADFILE && !request->shortage)
        return OTA_CAUSE_NO_CERTIFICATES;
    if (code != CURLE_PEER_FAILED_VERIFICATION)
        return OTA_CAUSE_NONE;
    request->client->curl.easy_getinfo(request->easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
    return verdict == X509_V_ERR_CERT_NOT_YET_VALID || verdict == X509_V_ERR_CERT_HAS_EXPIRED
               ? OTA_CAUSE_CERTIFICATE_DATE
               : OTA_CAUSE_NONE;
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
        request->reply.has_ended = code == CURLE_OK;
        if (!*request->error && code != CURLE_OK)
            snprintf(request->error, sizeof request->error, "%s", client->curl.easy_strerror(code));
        if (code != CURLE_OK)
            diag_debug("%s: the HTTP request ended with %d of libcurl", request->config.board,
                       (int)code);
        request->cause = find_cause(request, code);
        finish_request(request, end, reason);
    }
}

/* -- the loop -- */

/* When memory runs out while libcurl records who uses a socket, it keeps an empty record, and
 * divides by zero when it uses that record again. It does so in the next call, or later for another
 * socket of the same number: 7.88 keeps the records of sockets that never connected. So the multi
 * handle is not used any more, and the open requests end, each at its next tick. */
static void call_curl(struct http_client *client, curl_socket_t fd, int mask)
{
    int running;

    if (client->is_broken)
        return;
    client->is_broken =
        client->curl.multi_socket_action(client->multi, fd, mask, &running) == CURLM_OUT_OF_MEMORY;
    take_results(client);
}

static void on_client_socket(unsigned events, void *userdata)
{
    struct http_request *request = userdata;
    struct http_client *client = request->client;
    int mask = 0;

    mask |= events & LOOP_READABLE ? CURL_CSELECT_IN : 0;
    mask |= events & LOOP_WRITABLE ? CURL_CSELECT_OUT : 0;
    mask |= events & LOOP_HUNG_UP ? CURL_CSELECT_IN | CURL_CSELECT_ERR : 0;
    http_wire_note_connection(request);
    report_connection(request);
    if (request->handed == request->size) /* later, libcurl's farewell may be in the queue */
        http_wire_measure(request);
    call_curl(client, request->fd, mask);
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
        request->lack = errno;
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
    call_curl(userdata, CURL_SOCKET_TIMEOUT, 0);
}

/* Many a board restarts without closing the connection, so that a reply without a length never
 * ends. */
static bool has_quiet_reply(const struct http_request *request, int64_t now_us)
{
    const struct http_callbacks *callbacks = &request->callbacks;

    return http_reply_is_final(&request->reply) && request->is_acknowledged &&
           now_us - request->heard_us >= QUIET_US && callbacks->is_enough &&
           callbacks->is_enough(&request->reply, callbacks->userdata);
}

static bool is_stalled(const struct http_request *request, int64_t now_us)
{
    const int64_t silence_us = request->is_acknowledged ? request->config.reply_us : STALL_US;
    const int64_t whole_us = request->config.reply_us + STALL_US + tcp_send_limit_us(request->size);

    if (request->early_us && now_us - request->early_us >= EARLY_US)
        return true;
    if (request->is_connected && now_us - request->progress_us >= silence_us)
        return true;
    return now_us - request->start_us >= whole_us || has_quiet_reply(request, now_us);
}

/* Ends the request if a limit has passed, or this computer lacks something; returns whether it
 * has. */
static bool check_limits(struct http_request *request)
{
    const int64_t now_us = loop_now_us();

    if (request->lack || request->client->is_broken)
        finish_request(request, HTTP_LOCAL, request->lack ? request->lack : ENOMEM);
    else if (!request->is_connected && now_us - request->start_us >= request->config.connect_us)
        finish_request(request, HTTP_NOT_CONNECTED, ETIMEDOUT);
    else if (is_stalled(request, now_us))
        finish_request(request, HTTP_STALLED, ETIMEDOUT);
    else
        return false;
    return true;
}

static void on_request_tick(void *userdata)
{
    struct http_request *request = userdata;

    http_wire_note_connection(request);
    http_wire_measure(request);
    report_progress(request);
    if (!check_limits(request))
        loop_timer_start(&request->tick, TICK_US);
}

static CURLM *make_multi(struct http_client *client)
{
    CURLM *multi = client->curl.multi_init();

    if (!multi)
        return NULL;
    client->curl.multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    client->curl.multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
    client->curl.multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    client->curl.multi_setopt(multi, CURLMOPT_TIMERDATA, client);
    return multi;
}

/* Makes sure of a usable multi handle: replaces one that ran out of memory, once no request uses
 * it. Returns false if there is none yet. */
static bool ensure_multi(struct http_client *client)
{
    if (!client->is_broken)
        return true;
    if (client->open > 0)
        return false;

    client->curl.multi_cleanup(client->multi);
    client->multi = make_multi(client);
    client->is_broken = !client->multi;
    return !client->is_broken;
}

struct http_request *http_request_start(struct http_client *client,
                                        const struct http_request_config *config,
                                        const struct http_callbacks *callbacks,
                                        struct ota_failure *failure)
{
    if (config->is_tls && curl_library_refuses_tls(&client->curl, failure))
        return NULL;

    struct http_request *request = ensure_multi(client) ? calloc(1, sizeof *request) : NULL;
    if (!request) {
        ota_fail_no_memory(failure);
        return NULL;
    }
    *request = (struct http_request){.client = client,
                                     .config = *config,
                                     .callbacks = *callbacks,
                                     .address = *config->address,
                                     .fd = -1,
                                     .reply = {.is_tls = config->is_tls},
                                     .shortages = crypto_shortages(),
                                     .size = config->body ? multipart_size(config->body) : 0};
    request->start_us = request->progress_us = loop_now_us();
    loop_timer_init(&request->tick, client->loop, on_request_tick, request);

    request->easy = client->curl.easy_init();
    if (!request->easy || !http_wire_prepare(request) ||
        client->curl.multi_add_handle(client->multi, request->easy) != CURLM_OK) {
        http_request_free(request);
        ota_fail_no_memory(failure);
        return NULL;
    }
    client->open++;
    request->is_open = true;
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
    if (request->fd >= 0) /* see http_wire_leave() */
        request->is_freed = true;
    else
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

/* Not curl_version(): that makes libldap load its plug-ins, which crashes when memory runs out. */
static void tell_library(const struct curl_library *curl)
{
    const curl_version_info_data *info = curl->version_info(CURLVERSION_NOW);

    diag_debug("libcurl %s (%s) is loaded", info->version,
               info->ssl_version ? info->ssl_version : "without TLS");
}

struct http_client *http_client_new(struct loop *loop, struct ota_failure *failure)
{
    struct http_client *client = crypto_has_default() ? calloc(1, sizeof *client) : NULL;

    if (!client) {
        ota_fail_no_memory(failure);
        return NULL;
    }
    client->loop = loop;
    loop_timer_init(&client->timer, loop, on_client_timer, client);

    worker_keep_clean(); /* libcurl will have passwords and answers on its heap */
    const char *reason = curl_library_load(&client->curl);
    if (!reason) {
        client->multi = make_multi(client);
        if (!client->multi) {
            reason = "out of memory";
            errno = ENOMEM;
        }
    }
    if (reason) {
        library_fail(failure, "web pages need libcurl", reason);
        free(client);
        return NULL;
    }
    tell_library(&client->curl);
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
