/*
 * httpd.c: libmicrohttpd on the loop. Its epoll descriptor is watched, and its next timeout
 * is a timer; it has no thread.
 *
 *   connection:  on_connection(STARTED) ... on_connection(CLOSED)
 *   request:     on_access() -> config.on_request() -> httpd_respond() ... on_completed()
 */
#include "base/diag.h"
#include "base/error.h"
#include "base/fd_limit.h"
#include "base/library.h"
#include "base/units.h"
#include "net/tcp_tune.h"
#include "serve/httpd_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { REQUEST_SIZE_MAX = 8192, IDLE_S = 90, BACKLOG = 511 };
enum { TLS_RECORD = 4096, DOCUMENT_PIECE = 32768 };
enum { OTHER_FILES = 64 }; /* besides connections, of which a download takes two descriptors */
static const int64_t REQUEST_US = SECONDS(15), RESPONSE_US = SECONDS(3600);

/* -- the daemon on the loop -- */

/* libmicrohttpd ends the process if a connection is still suspended then. */
static void stop_daemon(struct httpd_daemon *daemon)
{
    if (!daemon->mhd)
        return;

    httpd_streams_resume(daemon->server);
    loop_watch_stop(&daemon->watch);
    loop_timer_stop(&daemon->timer);
    daemon->server->http.stop_daemon(daemon->mhd);
    daemon->mhd = NULL;
}

static bool has_connections(const struct httpd_daemon *daemon)
{
    const union MHD_DaemonInfo *info =
        daemon->server->http.get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

    return info && info->num_connections > 0;
}

/* libmicrohttpd also wants to run again at once while a client leaves its TLS handshake unfinished,
 * although it can do nothing for it. What any client sends ends the pause. */
static int64_t pause_us(struct httpd *server, MHD_UNSIGNED_LONG_LONG timeout_ms)
{
    enum { FUTILE_RUNS_MAX = 10, FUTILE_MS = 20 };

    server->futile_runs = server->has_moved || timeout_ms > 0 ? 0 : server->futile_runs + 1;
    if (server->futile_runs > FUTILE_RUNS_MAX)
        timeout_ms = FUTILE_MS;
    return MILLISECONDS((int64_t)timeout_ms);
}

/* libmicrohttpd may have more to do at once, or a connection that times out. If it cannot
 * accept a connection, it stops trying until one is closed, and tries again when it next runs. */
static void run_daemon(struct httpd_daemon *daemon)
{
    const struct httpd_library *http = &daemon->server->http;
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    daemon->server->has_closed = daemon->server->has_moved = daemon->server->has_settled = false;
    http->run(daemon->mhd);
    if (daemon->is_old && !has_connections(daemon))
        stop_daemon(daemon);
    else if (daemon->server->has_closed)
        loop_timer_start(&daemon->timer, 0);
    else if (http->get_timeout(daemon->mhd, &timeout_ms) == MHD_YES)
        loop_timer_start(&daemon->timer, pause_us(daemon->server, timeout_ms));
    else
        loop_timer_stop(&daemon->timer);
}

static void on_daemon_ready(unsigned events, void *userdata)
{
    (void)events;
    run_daemon(userdata);
}

static void on_daemon_timeout(void *userdata)
{
    run_daemon(userdata);
}

void httpd_wake(struct httpd *server)
{
    for (size_t i = 0; i < sizeof server->daemons / sizeof *server->daemons; i++)
        if (server->daemons[i].mhd)
            loop_timer_start(&server->daemons[i].timer, 0);
}

/* -- connections that may be ended -- */

static void add_expendable(struct httpd_connection *connection)
{
    struct httpd *server = connection->server;

    connection->is_expendable = true;
    connection->newer = NULL;
    connection->older = server->newest;
    if (server->newest)
        server->newest->newer = connection;
    else
        server->oldest = connection;
    server->newest = connection;
}

static void remove_expendable(struct httpd_connection *connection)
{
    struct httpd *server = connection->server;

    if (!connection->is_expendable)
        return;
    connection->is_expendable = false;
    *(connection->older ? &connection->older->newer : &server->oldest) = connection->newer;
    *(connection->newer ? &connection->newer->older : &server->newest) = connection->older;
}

/* Strangers that ask for nothing, or read no answer, must not keep boards out: a board asks as soon
 * as it is connected. Where the room gets short, whoever has done nothing for longest goes. What is
 * short is soon asked for again; only answers whose number is limited are let finish. */
static void make_room(struct httpd *server)
{
    const unsigned limit = server->config.connections_max;
    struct httpd_connection *oldest = server->oldest;

    while (oldest && oldest->is_kept)
        oldest = oldest->newer;
    if (server->connection_count <= limit - limit / 4 || !oldest || oldest == server->newest)
        return;
    remove_expendable(oldest);
    shutdown(oldest->fd, SHUT_RDWR);
}

/* Anybody can ask for such responses, from any number of addresses, and read them slowly. */
static bool may_keep(const struct httpd *server, const struct address *address)
{
    const unsigned most = server->config.connections_max / 8 + 1, most_here = most / 4 + 1;
    unsigned kept = 0, kept_here = 0;

    for (const struct httpd_connection *at = server->oldest; at; at = at->newer) {
        kept += at->is_kept;
        kept_here += at->is_kept && address_equal(&at->address, address);
    }
    return kept < most && kept_here < most_here;
}

/* -- connections -- */

/* libmicrohttpd notices that the socket is shut down, and closes the connection. */
static void on_deadline(void *userdata)
{
    const struct httpd_connection *connection = userdata;

    shutdown(connection->fd, SHUT_RDWR);
}

/* NULL: memory ran out, or the peer's address is unknown. Then the request gets no answer. */
static struct httpd_connection *new_connection(struct httpd *server, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        server->http.get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    struct httpd_connection *connection = NULL;

    if (info && getpeername(info->connect_fd, (struct sockaddr *)&peer, &length) == 0)
        connection = calloc(1, sizeof *connection);
    if (!connection)
        return NULL;

    connection->server = server;
    connection->fd = info->connect_fd;
    address_from(&connection->address, (struct sockaddr *)&peer, length);
    loop_timer_init(&connection->deadline, server->config.loop, on_deadline, connection);
    loop_timer_start(&connection->deadline, REQUEST_US);
    server->connection_count++;
    add_expendable(connection);
    make_room(server);
    return connection;
}

static void free_connection(struct httpd_connection *connection)
{
    if (!connection)
        return;

    remove_expendable(connection);
    connection->server->connection_count--;
    loop_timer_stop(&connection->deadline);
    free(connection);
}

/* A browser opens connections in advance, and may not use them. Their end counts as a byte. */
static bool has_sent(const struct httpd_connection *connection)
{
    return tcp_received(connection->fd) > 1;
}

static void on_connection(void *userdata, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct httpd *server = userdata;
    struct httpd_connection *connection = *context;

    server->has_moved = true;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = new_connection(server, mhd);
        return;
    }
    if (connection && !connection->has_asked && !server->is_closing && has_sent(connection))
        server->config.on_no_request(&connection->address, server->config.userdata);
    free_connection(connection);
    *context = NULL;
    server->has_closed = true;
}

static struct httpd_connection *find_connection(const struct httpd *server,
                                                struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        server->http.get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* -- requests -- */

const char *httpd_request_method(const struct httpd_request *request)
{
    return request->method;
}

const char *httpd_request_path(const struct httpd_request *request)
{
    return request->path;
}

const struct address *httpd_request_address(const struct httpd_request *request)
{
    return &request->connection->address;
}

const char *httpd_request_header(const struct httpd_request *request, const char *name)
{
    return request->server->http.lookup_connection_value(request->mhd, MHD_HEADER_KIND, name);
}

struct header_visit {
    httpd_header_fn *on_header;
    void *userdata;
};

static enum MHD_Result visit_header(void *userdata, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    const struct header_visit *visit = userdata;

    (void)kind;
    visit->on_header(name, value ? value : "", visit->userdata);
    return MHD_YES;
}

void httpd_request_each_header(const struct httpd_request *request, httpd_header_fn *on_header,
                               void *userdata)
{
    struct header_visit visit = {on_header, userdata};

    request->server->http.get_connection_values(request->mhd, MHD_HEADER_KIND, visit_header,
                                                &visit);
}

/* A GET of ESP8266httpUpdate has "Content-Length: 0". */
static void look_for_content(const char *name, const char *value, void *userdata)
{
    bool *is_found = userdata;

    if (strcasecmp(name, "Transfer-Encoding") == 0 ||
        (strcasecmp(name, "Content-Length") == 0 && strcmp(value, "0") != 0))
        *is_found = true;
}

static bool has_content(const struct httpd_request *request)
{
    bool is_found = false;

    httpd_request_each_header(request, look_for_content, &is_found);
    return is_found;
}

static void respond_plainly(struct httpd_request *request, unsigned status, const char *text)
{
    static const struct httpd_header headers[] = {
        {"Content-Type", "text/plain; charset=utf-8"}, {"Allow", "GET, HEAD"}, {NULL, NULL}};

    httpd_respond(request,
                  &(struct httpd_response){
                      .status = status, .headers = headers, .data = text, .size = strlen(text)});
}

static bool is_method_known(const char *method)
{
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

static enum MHD_Result cleanse_password(void *userdata, enum MHD_ValueKind kind, const char *name,
                                        const char *value)
{
    (void)userdata;
    (void)kind;
    if (value && strcasecmp(name, "Authorization") == 0)
        explicit_bzero((char *)value, strlen(value)); /* it is in the connection's own buffer */
    return MHD_YES;
}

/* libmicrohttpd calls this when the headers have been read, and again when the content has. An
 * answer to the first call ends the connection, and comes instead of "100 Continue"; so that is
 * what a request with content gets, and one that expects a 100. */
static enum MHD_Result on_access(void *userdata, struct MHD_Connection *mhd, const char *path,
                                 const char *method, const char *version, const char *data,
                                 size_t *data_size, void **context)
{
    struct httpd *server = userdata;
    struct httpd_connection *connection = find_connection(server, mhd);
    struct httpd_request request = {server, connection, mhd, method, path, false, false};

    (void)version;
    (void)data;
    *data_size = 0; /* nothing of the content is of use */
    server->has_moved = true;
    if (!connection)
        return MHD_NO;

    const bool is_first_call = !*context;
    *context = connection;
    connection->has_asked = true;
    loop_timer_start(&connection->deadline, RESPONSE_US);
    if (!is_method_known(method))
        respond_plainly(&request, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are served\n");
    else if (has_content(&request))
        respond_plainly(&request, MHD_HTTP_BAD_REQUEST, "a request has no content here\n");
    else if (is_first_call && !httpd_request_header(&request, "Expect"))
        return MHD_YES;
    else
        server->config.on_request(&request, server->config.userdata);
    if (request.is_limited)
        remove_expendable(connection);
    server->http.get_connection_values(mhd, MHD_HEADER_KIND, cleanse_password, NULL);
    return request.is_answered ? MHD_YES : MHD_NO;
}

static void on_completed(void *userdata, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct httpd *server = userdata;
    struct httpd_connection *connection = *context;

    (void)mhd;
    server->has_moved = true;
    if (!connection)
        return;
    *context = NULL;
    connection->is_kept = false;
    remove_expendable(connection);
    add_expendable(connection);
    loop_timer_start(&connection->deadline, REQUEST_US);
    if (connection->transfer)
        httpd_transfer_done(connection->transfer, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    connection->transfer = NULL;
}

/* -- responses -- */

/* What stays in memory while it is sent piece by piece. */
struct httpd_content {
    struct httpd *server;
    const unsigned char *data;
    size_t size;
    struct httpd_document *document; /* NULL: none */
};

static ssize_t read_content(void *userdata, uint64_t position, char *target, size_t capacity)
{
    const struct httpd_content *content = userdata;
    const size_t left = content->size - (size_t)position;
    const size_t size = left < capacity ? left : capacity;

    memcpy(target, content->data + position, size);
    content->server->has_moved = true;
    return (ssize_t)size;
}

static void free_content(void *userdata)
{
    struct httpd_content *content = userdata;

    httpd_document_free(content->document);
    free(content);
}

/* With TLS, small pieces give small records: an ESP8266 has hardly room for one of 16 KiB. */
static struct MHD_Response *make_response(struct httpd *server, const struct httpd_response *from)
{
    const struct httpd_library *http = &server->http;
    struct httpd_document *document = from->document;
    struct httpd_content *content;

    if (!document && (from->is_copied || from->size == 0 || !server->config.identity))
        return http->create_response_from_buffer(from->size, (void *)from->data,
                                                 from->is_copied ? MHD_RESPMEM_MUST_COPY
                                                                 : MHD_RESPMEM_PERSISTENT);
    content = malloc(sizeof *content);
    if (!content)
        return NULL;
    *content = (struct httpd_content){server, from->data, from->size, document};
    if (document) {
        httpd_document_use(document);
        content->data = (const unsigned char *)document->text;
        content->size = document->size;
    }
    struct MHD_Response *response = http->create_response_from_callback(
        content->size, server->config.identity ? TLS_RECORD : DOCUMENT_PIECE, read_content, content,
        free_content);
    if (!response)
        free_content(content);
    return response;
}

void httpd_respond(struct httpd_request *request, const struct httpd_response *response)
{
    const struct httpd_library *http = &request->server->http;
    struct MHD_Response *mhd_response = make_response(request->server, response);
    struct httpd_transfer *transfer = NULL;
    bool is_complete = mhd_response;

    for (const struct httpd_header *header = response->headers;
         mhd_response && header && header->name; header++)
        is_complete &=
            http->add_response_header(mhd_response, header->name, header->value) == MHD_YES;
    if (is_complete && response->tag) {
        transfer = httpd_transfer_new(request->connection, response->tag, response->size);
        is_complete = transfer;
        if (!transfer)
            diag_warning("a download cannot begin: %s", strerror(errno));
    }
    if (is_complete)
        request->is_answered =
            http->queue_response(request->mhd, response->status, mhd_response) == MHD_YES;
    if (mhd_response)
        http->destroy_response(mhd_response);

    request->is_limited = request->is_answered && transfer;
    if (request->is_answered) {
        request->connection->transfer = transfer;
        request->connection->is_kept =
            response->is_kept && may_keep(request->server, &request->connection->address);
    } else if (transfer) {
        httpd_transfer_done(transfer, false);
    } else if (response->tag) {
        request->server->config.on_end(response->tag, false, request->server->config.userdata);
    }
}

/* -- beginning and end -- */

__attribute__((format(printf, 2, 0))) static void on_http_log(void *userdata, const char *format,
                                                              va_list arguments)
{
    char text[512];

    (void)userdata;
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\n")] = '\0';
    diag_debug("libmicrohttpd: %s", text);
}

static int open_listener(const struct address *address)
{
    const int yes = 1, no = 0;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address->any.sa_family == AF_INET6) /* IPv4 as well, if the address is [::] */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    tcp_send_without_pacing(fd);
    tcp_tune(fd);
    tcp_send_in_bulk(fd);
    if (bind(fd, &address->any, address_length(address)) == 0 && listen(fd, BACKLOG) == 0)
        return fd;

    const int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* For GnuTLS. libmicrohttpd's own, "NORMAL", accepts TLS 1.0 and 1.1, which RFC 8996 forbids. No
 * board needs them: BearSSL, mbedTLS and even axTLS (old cores for the ESP8266) have TLS 1.2. */
static const char TLS_PRIORITIES[] = "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1";

/* libmicrohttpd closes the descriptor that it is given, once it has started. */
static struct MHD_Daemon *start_mhd(struct httpd *server, int listener,
                                    const struct httpd_identity *identity)
{
    const struct httpd_config *config = &server->config;
    const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                           (config->address.any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0) |
                           (identity ? MHD_USE_TLS : 0);
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(identity ? identity->certificate : NULL)},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(identity ? identity->key : NULL)},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL}};

    return server->http.start_daemon(
        flags, 0, NULL, NULL, on_access, server, MHD_OPTION_EXTERNAL_LOGGER, on_http_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)REQUEST_SIZE_MAX, MHD_OPTION_CONNECTION_LIMIT, config->connections_max,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, config->connections_per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_ARRAY, identity ? tls : tls + 3, MHD_OPTION_END);
}

static enum ota_error fail_waiting(struct ota_failure *failure)
{
    return ota_fail_call(failure, "cannot wait for connections");
}

/* libmicrohttpd gives no reason. If this computer lacks something, errno says so. */
static enum ota_error fail_start(int listener, bool has_identity, struct ota_failure *failure)
{
    const int reason = errno;

    close(listener);
    if (error_is_local(reason))
        return ota_fail_errno(failure, OTA_E_INTERNAL, reason, "libmicrohttpd does not start: %s",
                              strerror(reason));
    if (has_identity)
        return ota_fail(failure, OTA_E_USAGE,
                        "the files of --tls-cert and --tls-key are not a certificate and its key");
    return ota_fail(failure, OTA_E_INTERNAL, "libmicrohttpd does not start");
}

/* Starts the daemon that is free, and stops it if it is an old one. */
static enum ota_error start_daemon(struct httpd *server, const struct httpd_identity *identity,
                                   struct httpd_daemon **started, struct ota_failure *failure)
{
    struct httpd_daemon *daemon = &server->daemons[0];
    if (daemon->mhd && !daemon->is_old)
        daemon = &server->daemons[1];

    stop_daemon(daemon);
    const int listener = fcntl(server->listener, F_DUPFD_CLOEXEC, 0);
    if (listener < 0)
        return fail_waiting(failure);

    errno = 0;
    *daemon = (struct httpd_daemon){.server = server, .mhd = start_mhd(server, listener, identity)};
    if (!daemon->mhd)
        return fail_start(listener, identity != NULL, failure);

    const union MHD_DaemonInfo *info =
        server->http.get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    loop_timer_init(&daemon->timer, server->config.loop, on_daemon_timeout, daemon);
    if (!info || loop_watch_start(&daemon->watch, server->config.loop, info->epoll_fd,
                                  LOOP_READABLE, on_daemon_ready, daemon) < 0) {
        stop_daemon(daemon);
        return fail_waiting(failure);
    }
    *started = daemon;
    return OTA_OK;
}

/* Where the kernel has no IPv6, all addresses are all IPv4 ones. */
static void listen_without_v6(struct httpd *server)
{
    struct address *address = &server->config.address;
    const uint16_t port = address_port(address);

    if (errno != EAFNOSUPPORT || address->any.sa_family != AF_INET6 ||
        !IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr) || !address_parse(address, "0.0.0.0"))
        return;
    address_set_port(address, port);
    server->listener = open_listener(address);
}

static enum ota_error fail_listening(struct ota_failure *failure, const struct address *wanted,
                                     int reason)
{
    char shown[ADDRESS_TEXT_MAX + 8];

    ota_fail_errno(failure, OTA_E_NO_PORT, reason, "cannot serve at %s: %s",
                   address_text_port(shown, wanted), strerror(reason));
    if (reason == EADDRINUSE)
        failure->cause = OTA_CAUSE_PORT_IN_USE;
    else if (reason == EACCES)
        failure->cause = OTA_CAUSE_PORT_PRIVILEGED;
    else if (reason == EADDRNOTAVAIL)
        failure->cause = OTA_CAUSE_NOT_OUR_ADDRESS;
    return failure->error;
}

static enum ota_error start_listening(struct httpd *server, struct ota_failure *failure)
{
    const struct address *wanted = &server->config.address;
    struct address bound;

    server->listener = open_listener(wanted);
    if (server->listener < 0)
        listen_without_v6(server);
    if (server->listener < 0)
        return fail_listening(failure, wanted, errno);
    if (!address_of_socket(&bound, server->listener))
        return ota_fail_call(failure, "cannot learn the port");
    server->port = address_port(&bound);
    return OTA_OK;
}

enum ota_error httpd_open(struct httpd **server, const struct httpd_config *config,
                          struct ota_failure *failure)
{
    struct httpd_daemon *daemon;
    const char *reason;

    *server = calloc(1, sizeof **server);
    if (!*server)
        return ota_fail_no_memory(failure);

    (*server)->config = *config;
    (*server)->config.connections_max =
        (unsigned)fd_limit_connections(config->connections_max, OTHER_FILES);
    (*server)->listener = -1;
    loop_timer_init(&(*server)->settle_timer, config->loop, httpd_transfers_on_timer, *server);
    loop_timer_init(&(*server)->refresh_timer, config->loop, httpd_streams_on_timer, *server);
    enum ota_error error = OTA_OK;
    if ((reason = httpd_library_load(&(*server)->http)))
        error =
            library_fail(failure, "--serve needs libmicrohttpd, which cannot be loaded", reason);
    else
        diag_debug("libmicrohttpd %s is loaded", (*server)->http.get_version());
    if (error == OTA_OK)
        error = start_listening(*server, failure);
    if (error == OTA_OK)
        error = start_daemon(*server, config->identity, &daemon, failure);
    if (error != OTA_OK) {
        httpd_close(*server);
        *server = NULL;
    }
    return error;
}

void httpd_close(struct httpd *server)
{
    if (!server)
        return;

    httpd_streams_end(server);
    for (size_t i = 0; i < sizeof server->daemons / sizeof *server->daemons; i++)
        stop_daemon(&server->daemons[i]);
    httpd_transfers_end(server);
    loop_timer_stop(&server->settle_timer);
    loop_timer_stop(&server->refresh_timer);
    if (server->listener >= 0)
        close(server->listener);
    free(server);
}

uint16_t httpd_port(const struct httpd *server)
{
    return server->port;
}

enum ota_error httpd_reload(struct httpd *server, const struct httpd_identity *identity,
                            struct ota_failure *failure)
{
    struct httpd_daemon *daemon = NULL, *other;

    if (start_daemon(server, identity, &daemon, failure) != OTA_OK)
        return failure->error;

    other = daemon == server->daemons ? daemon + 1 : server->daemons;
    const int listener = server->http.quiesce_daemon(other->mhd);
    if (listener >= 0)
        close(listener);
    other->is_old = true;
    run_daemon(other); /* it ends at once if it has no connection */
    return OTA_OK;
}
