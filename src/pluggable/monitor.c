/*
 * monitor.c: the states of a monitor.
 *
 *   closed --OPEN--> [resolving] --> to the board --> to the IDE --> open
 *     ^                  |               |               |            |
 *     +------------------+--- failure ---+---------------+   CLOSE, port_closed
 *
 * No command is read until OPEN has been answered, which takes 8 s at most.
 */
#include "pluggable/monitor.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/json_memory.h"
#include "base/text.h"
#include "base/units.h"
#include "discovery/resolve.h"
#include "net/source.h"
#include "net/tcp_connect.h"
#include "pluggable/console.h"
#include "pluggable/relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 512 };

/* arduino-cli waits 10 s for the reply to OPEN. */
static const int64_t RESOLVE_US = SECONDS(4);
static const int64_t BOARD_US = SECONDS(3);
static const int64_t IDE_US = SECONDS(1);

static const char PARAMETER[] = "port";

struct monitor {
    struct loop *loop;
    struct console *console;
    struct mdns_client *mdns;
    struct monitor_settings settings;
    uint16_t port;
    char name[TARGET_NAME_MAX]; /* the board's name in OPEN */
    struct target target;       /* the board that the name means */
    struct address ide;
    struct resolver *resolver;
    struct address found[RESOLVE_ADDRESSES_MAX]; /* where the board may be */
    size_t found_count, tried;
    bool is_cut; /* it may be elsewhere, too */
    struct tcp_connect *attempt;
    int board; /* connected, until the relay takes it over; otherwise -1 */
    struct relay *relay;
};

static void close_port(struct monitor *monitor)
{
    resolver_free(monitor->resolver);
    monitor->resolver = NULL;
    tcp_connect_free(monitor->attempt);
    monitor->attempt = NULL;
    if (monitor->board >= 0)
        close(monitor->board);
    monitor->board = -1;
    relay_free(monitor->relay);
    monitor->relay = NULL;
}

/* -- OPEN -- */

static void fail_open(struct monitor *monitor, const char *text)
{
    close_port(monitor);
    console_resume(monitor->console);
    console_send_error(monitor->console, request_event(REQUEST_OPEN), text);
}

static void on_relay_end(const char *reason, void *userdata)
{
    struct monitor *monitor = userdata;
    char text[TEXT_MAX];

    snprintf(text, sizeof text, "%s", reason);
    close_port(monitor);
    json_memory_watch();
    console_send(monitor->console,
                 json_pack("{s:s, s:s}", "eventType", "port_closed", "message", text));
}

static void on_ide_connected(int fd, int reason, void *userdata)
{
    struct monitor *monitor = userdata;
    char text[TEXT_MAX], address[ADDRESS_TEXT_MAX + 8];

    if (fd < 0) {
        snprintf(text, sizeof text, "%s at %s: %s",
                 error_is_local(reason) ? "this computer cannot connect to the IDE"
                                        : "the IDE does not take the connection",
                 address_text_port(address, &monitor->ide), strerror(reason));
        fail_open(monitor, text);
        return;
    }

    tcp_connect_free(monitor->attempt);
    monitor->attempt = NULL;
    monitor->relay = relay_start(monitor->loop, monitor->board, fd, monitor->settings.keeps_colors,
                                 on_relay_end, monitor);
    monitor->board = -1;
    if (!monitor->relay) {
        fail_open(monitor, strerror(errno));
        return;
    }
    console_resume(monitor->console);
    console_send_ok(monitor->console, request_event(REQUEST_OPEN));
}

static void connect_to(struct monitor *monitor, const struct address *address, int64_t deadline_us,
                       tcp_connect_done_fn *on_done)
{
    tcp_connect_free(monitor->attempt);
    monitor->attempt =
        tcp_connect_start(monitor->loop, address, &source_any, deadline_us, on_done, monitor);
    if (!monitor->attempt)
        fail_open(monitor, "out of memory");
}

static void try_next(struct monitor *monitor);

static void on_board_connected(int fd, int reason, void *userdata)
{
    struct monitor *monitor = userdata;
    char text[TEXT_MAX];
    unsigned port = monitor->target.port ? monitor->target.port : monitor->port;

    if (fd >= 0) {
        monitor->board = fd;
        connect_to(monitor, &monitor->ide, IDE_US, on_ide_connected);
        return;
    }

    if (++monitor->tried < monitor->found_count) {
        try_next(monitor);
        return;
    }
    if (reason == ECONNREFUSED)
        snprintf(text, sizeof text,
                 "no log: nothing listens on the board's TCP port %u; the sketch must offer its "
                 "log there, or --monitor=PORT must name another port",
                 port);
    else
        snprintf(text, sizeof text, "no log: %s",
                 reason == ETIMEDOUT ? "the board does not answer" : strerror(reason));
    if (monitor->is_cut)
        text_append(text, sizeof text, "; %s", RESOLVE_CUT_TRIED);
    fail_open(monitor, text);
}

/* The addresses share the time, as the IDE does not wait any longer. */
static void try_next(struct monitor *monitor)
{
    struct address log = monitor->found[monitor->tried];

    address_set_port(&log, monitor->target.port ? monitor->target.port : monitor->port);
    connect_to(monitor, &log, BOARD_US / (int64_t)monitor->found_count, on_board_connected);
}

static void try_board(struct monitor *monitor, const struct address *addresses, size_t count,
                      bool is_cut)
{
    memcpy(monitor->found, addresses, count * sizeof *addresses);
    monitor->found_count = count;
    monitor->is_cut = is_cut;
    monitor->tried = 0;
    try_next(monitor);
}

static void on_resolved(const struct resolution *resolution, const struct ota_failure *failure,
                        void *userdata)
{
    struct monitor *monitor = userdata;
    char name[100], text[sizeof failure->message + sizeof name];

    if (!failure) {
        try_board(monitor, resolution->addresses, resolution->count, resolution->is_cut);
        return;
    }
    snprintf(text, sizeof text, "%s: %s", escape_string(name, sizeof name, monitor->name),
             failure->message);
    fail_open(monitor, text);
}

/* "127.0.0.1:40000" or "[::1]:40000". */
static bool parse_ide(struct address *address, const char *text)
{
    const struct target_schemes none = {0};
    struct ota_failure failure;
    struct target target;

    if (target_parse(&target, text, &none, &failure) != OTA_OK || target.kind != TARGET_ADDRESS ||
        target.port == 0)
        return false;
    *address = target.address;
    address_set_port(address, target.port);
    return true;
}

/* The user's configured names come first. The port of their section is for uploads, not logs. */
static bool find_board(struct monitor *monitor, const char *board, struct ota_failure *failure)
{
    const struct target_schemes none = {0};
    const struct target *known = monitor->settings.find(board, monitor->settings.userdata);

    snprintf(monitor->name, sizeof monitor->name, "%s", board);
    if (!known)
        return target_parse(&monitor->target, board, &none, failure) == OTA_OK;
    monitor->target = *known;
    monitor->target.port = 0;
    return true;
}

static void look_up_board(struct monitor *monitor)
{
    const struct resolver_config config = {.loop = monitor->loop,
                                           .mdns = monitor->mdns,
                                           .target = &monitor->target,
                                           .services = SERVICES_ARDUINO,
                                           .use = ANNOUNCEMENT_OPTIONAL,
                                           .timeout_us = RESOLVE_US,
                                           .source = &source_any,
                                           .on_done = on_resolved,
                                           .userdata = monitor};

    monitor->resolver = resolver_start(&config);
    if (!monitor->resolver)
        fail_open(monitor, strerror(errno));
}

static void open_port(struct monitor *monitor, const char *ide, const char *board)
{
    struct ota_failure failure;

    if (monitor->relay) {
        console_send_error(monitor->console, request_event(REQUEST_OPEN),
                           "a port is already open; send CLOSE first");
        return;
    }
    console_pause(monitor->console);
    if (!parse_ide(&monitor->ide, ide)) {
        fail_open(monitor, "the first argument of OPEN is the IDE's numeric address and TCP port, "
                           "such as 127.0.0.1:40000");
        return;
    }
    if (!find_board(monitor, board, &failure)) {
        fail_open(monitor, failure.message);
        return;
    }

    if (monitor->target.kind == TARGET_ADDRESS)
        try_board(monitor, &monitor->target.address, 1, false);
    else
        look_up_board(monitor);
}

/* -- the other requests -- */

/* The specification calls the list "values". arduino-cli and Arduino's own library for monitors say
 * "value", so it has both names. */
static void describe_port(struct monitor *monitor)
{
    char selected[8];

    snprintf(selected, sizeof selected, "%u", monitor->port);
    json_memory_watch();
    console_send(monitor->console,
                 json_pack("{s:s, s:s, s:{s:s, s:{s:{s:s, s:s, s:[s], s:[s], s:s}}}}", "eventType",
                           request_event(REQUEST_DESCRIBE), "message", "OK", "port_description",
                           "protocol", "network", "configuration_parameters", PARAMETER, "label",
                           "TCP port of the log", "type", "enum", "values", selected, "value",
                           selected, "selected", selected));
}

static void configure_port(struct monitor *monitor, const char *name, const char *value)
{
    char shown[100], text[TEXT_MAX];
    const char *event = request_event(REQUEST_CONFIGURE);

    if (strcmp(name, PARAMETER) != 0) {
        snprintf(text, sizeof text, "invalid parameter: %s",
                 escape_string(shown, sizeof shown, name));
    } else if (!target_parse_port(&monitor->port, value, false)) {
        snprintf(text, sizeof text, "invalid value for parameter %s: %s", PARAMETER,
                 escape_string(shown, sizeof shown, value));
    } else {
        console_send_ok(monitor->console, event);
        return;
    }
    console_send_error(monitor->console, event, text);
}

static void close_for_ide(struct monitor *monitor)
{
    const char *event = request_event(REQUEST_CLOSE);

    if (!monitor->relay) {
        console_send_error(monitor->console, event, "the port is already closed");
        return;
    }

    close_port(monitor);
    console_send_ok(monitor->console, event);
}

static bool is_known(enum request_verb verb)
{
    return verb == REQUEST_DESCRIBE || verb == REQUEST_CONFIGURE || verb == REQUEST_OPEN ||
           verb == REQUEST_CLOSE;
}

static void on_request(const struct request *request, void *userdata)
{
    struct monitor *monitor = userdata;

    if (request->verb == REQUEST_DESCRIBE)
        describe_port(monitor);
    else if (request->verb == REQUEST_CONFIGURE)
        configure_port(monitor, request->first, request->second);
    else if (request->verb == REQUEST_OPEN)
        open_port(monitor, request->first, request->second);
    else
        close_for_ide(monitor);
}

struct monitor *monitor_start(struct loop *loop, const struct monitor_settings *settings,
                              struct ota_failure *failure)
{
    struct monitor *monitor = calloc(1, sizeof *monitor);
    if (!monitor) {
        ota_fail_no_memory(failure);
        return NULL;
    }

    *monitor = (struct monitor){.loop = loop,
                                .settings = *settings,
                                .port = settings->port,
                                .board = -1,
                                .mdns = mdns_client_new(loop)};
    if (!monitor->mdns)
        ota_fail_no_memory(failure);
    else
        monitor->console =
            console_start(loop,
                          &(struct console_callbacks){
                              .is_known = is_known, .on_request = on_request, .userdata = monitor},
                          failure);
    if (monitor->console)
        return monitor;

    monitor_free(monitor);
    return NULL;
}

void monitor_free(struct monitor *monitor)
{
    if (!monitor)
        return;

    close_port(monitor);
    mdns_client_free(monitor->mdns);
    console_free(monitor->console);
    free(monitor);
}
