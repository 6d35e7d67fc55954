/*
 * connection.c: the socket of an exchange. Each step of ours leaves in one segment, as older boards
 * give each of their reads one second. The image is streamed: the board's TCP window is the brake.
 */
#include "upload/esphome/connection.h"

#include "base/error.h"
#include "base/units.h"
#include "net/tcp_tune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READS_PER_TURN = 8,  /* a flood from one board must not starve the others */
    READ_SIZE = 512,     /* boards send single bytes, and challenges of 65 bytes */
    OUTPUT_SIZE = 16384, /* of the image, encrypted or not */
};

static const int64_t TICK_US = MILLISECONDS(100);
static const int64_t STEP_US = SECONDS(20); /* a board gives us as long */

/* As ESPHome's own client waits. A board gives up after 90 s without data, too. */
static const int64_t PREPARE_US = SECONDS(90); /* it may erase a large flash */
static const int64_t STALL_US = SECONDS(90);
static const int64_t RESULT_US = SECONDS(90);

struct connection {
    struct connection_callbacks callbacks;
    struct exchange exchange;
    int fd;
    struct loop_watch watch;
    struct loop_timer tick;
    int64_t answer_us;
    unsigned char output[OUTPUT_SIZE]; /* what waits to be sent, from start to end */
    size_t start, end;
    bool is_ready;       /* the board has asked for the image */
    size_t sent;         /* bytes handed to the kernel since then */
    size_t acknowledged; /* bytes of the content that the board's TCP has */
    size_t reported;     /* the value of the last on_progress */
    int64_t ready_us;    /* when the image was asked for */
    int64_t progress_us; /* when acknowledged last grew, or the step began */
    int send_error;      /* errno of a failed send */
    bool is_done;
    struct ota_failure failure;
};

/* -- facts -- */

const struct exchange *connection_exchange(const struct connection *connection)
{
    return &connection->exchange;
}

static bool is_all_written(const struct connection *connection)
{
    const struct exchange *exchange = &connection->exchange;

    return connection->is_ready && exchange->taken == exchange->content->size &&
           connection->start == connection->end;
}

bool connection_all_sent(const struct connection *connection)
{
    return is_all_written(connection) && tcp_unsent(connection->fd) == 0;
}

bool connection_all_acknowledged(const struct connection *connection)
{
    return connection->is_ready && connection->acknowledged == connection->exchange.content->size;
}

static void update_acknowledged(struct connection *connection)
{
    const size_t queued = tcp_unacknowledged(connection->fd);
    size_t carried;

    if (!connection->is_ready || queued > connection->sent)
        return;
    carried = exchange_carried(&connection->exchange, connection->sent - queued);
    if (carried <= connection->acknowledged)
        return;
    connection->acknowledged = carried;
    connection->progress_us = loop_now_us();
}

/* -- ends -- */

/* on_done is called later, from the loop: it may free the connection, which callers still use. */
static void finish_connection(struct connection *connection)
{
    connection->is_done = true;
    loop_watch_change(&connection->watch, 0);
    loop_timer_start(&connection->tick, 0);
}

/* What the board was to say next, for people. */
static const char *awaited_reply(const struct exchange *exchange)
{
    static const char *const replies[] = {
        [EXCHANGE_GREETING] = "its part of the greeting",
        [EXCHANGE_VERSION] = "the version of its protocol",
        [EXCHANGE_FEATURES] = "its features",
        [EXCHANGE_FLAGS] = "its features",
        [EXCHANGE_HANDSHAKE] = "its part of the encryption's handshake",
        [EXCHANGE_AUTH] = "whether it wants a password",
        [EXCHANGE_NONCE] = "its challenge",
        [EXCHANGE_VERDICT] = "whether the password is right",
        [EXCHANGE_PREPARE] = "that its flash is ready",
        [EXCHANGE_ACCEPT] = "that it takes the image",
        [EXCHANGE_DATA] = "that it has the image",
        [EXCHANGE_RESULT] = "whether the image is good",
        [EXCHANGE_OVER] = "nothing",
    };

    return replies[exchange->step];
}

/* The connection has ended, or is given up, without a verdict. */
static void finish_unheard(struct connection *connection, enum ota_error error, const char *what)
{
    const struct exchange *exchange = &connection->exchange;

    update_acknowledged(connection);
    if (!connection->is_ready)
        ota_fail(&connection->failure, error == OTA_E_INTERNAL ? error : OTA_E_NO_ANSWER,
                 "%s before it said %s", what, awaited_reply(exchange));
    else if (connection_all_sent(connection))
        ota_fail(&connection->failure, OTA_E_UNKNOWN,
                 "all %zu bytes were sent, but the board's verdict did not come: %s",
                 exchange->content->size, what);
    else
        ota_fail(&connection->failure, error, "%s after %zu of %zu bytes", what,
                 connection->acknowledged, exchange->content->size);
    finish_connection(connection);
}

static void finish_stream(struct connection *connection, int reason)
{
    finish_unheard(connection, error_unless_local(OTA_E_LOST, reason),
                   error_connection_text(reason, "the board's TCP stopped answering"));
    if (connection->failure.error == OTA_E_INTERNAL)
        connection->failure.cause = error_lack_cause(reason);
}

/* -- sending -- */

/* Sends what waits. Returns false when the socket takes no more, or has failed. */
static bool flush_output(struct connection *connection)
{
    while (connection->start < connection->end) {
        ssize_t sent = send(connection->fd, connection->output + connection->start,
                            connection->end - connection->start, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            connection->send_error = errno == EAGAIN ? 0 : errno;
            return false;
        }
        connection->start += (size_t)sent;
        connection->sent += connection->is_ready ? (size_t)sent : 0;
    }
    connection->start = connection->end = 0;
    return true;
}

static bool has_unread(const struct connection *connection)
{
    int count = 0;

    return ioctl(connection->fd, FIONREAD, &count) == 0 && count > 0;
}

/* Sends a step of ours, for which the kernel's queue has room. */
static void send_step(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;

    if (exchange->output_length == 0 || exchange->output_length > OUTPUT_SIZE - connection->end)
        return;
    memcpy(connection->output + connection->end, exchange->output, exchange->output_length);
    connection->end += exchange->output_length;
    exchange->output_length = 0;
    exchange->is_early |= has_unread(connection);
    connection->progress_us = loop_now_us();
    flush_output(connection);
}

static void send_data(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;

    while (flush_output(connection)) {
        connection->end =
            exchange_take_data(exchange, connection->output, sizeof connection->output);
        if (connection->end == 0)
            break;
    }
    if (exchange->step == EXCHANGE_OVER && !connection->is_done) {
        connection->failure = exchange->failure;
        finish_connection(connection);
    }
}

/* -- receiving -- */

static void finish_installed(struct connection *connection)
{
    update_acknowledged(connection);
    if (connection_all_acknowledged(connection))
        connection->failure = (struct ota_failure){.error = OTA_OK};
    else
        ota_fail(&connection->failure, OTA_E_EARLY_OK,
                 "the board said OK when it had only %zu of %zu bytes", connection->acknowledged,
                 connection->exchange.content->size);
    finish_connection(connection);
}

static void handle_event(struct connection *connection, enum exchange_event event)
{
    const struct exchange *exchange = &connection->exchange;

    switch (event) {
    case EXCHANGE_NOTHING:
        break;
    case EXCHANGE_INSTALLED:
        finish_installed(connection);
        break;
    case EXCHANGE_NO_PASSWORD:
        connection->callbacks.on_event(event, exchange, connection->callbacks.userdata);
        connection->failure = (struct ota_failure){.error = OTA_E_PASSWORD_NEEDED};
        finish_connection(connection);
        break;
    case EXCHANGE_FAILED:
        if (exchange->failure.error == OTA_E_LOST) {
            finish_unheard(connection, OTA_E_LOST, exchange->failure.message);
        } else {
            connection->failure = exchange->failure;
            finish_connection(connection);
        }
        break;
    case EXCHANGE_READY:
        connection->is_ready = true;
        connection->ready_us = connection->progress_us = loop_now_us();
        connection->callbacks.on_event(event, exchange, connection->callbacks.userdata);
        break;
    default:
        connection->callbacks.on_event(event, exchange, connection->callbacks.userdata);
    }
}

/* An exchange takes bytes as long as its steps can be sent, and there is room for all of them. If
 * not, the bytes would be offered to it for ever, and no timer or signal would be served. */
static void finish_stuck(struct connection *connection)
{
    ota_fail(&connection->failure, OTA_E_INTERNAL,
             "the exchange takes no more of the board's bytes");
    finish_connection(connection);
}

/* The acknowledgement of the verdict does not wait, nor do our steps. */
static void take_bytes(struct connection *connection, const unsigned char *bytes, size_t length)
{
    size_t taken = 0;

    while (taken < length && !connection->is_done) {
        enum exchange_event event;
        const size_t fed =
            exchange_feed(&connection->exchange, &event, bytes + taken, length - taken);

        if (fed == 0) {
            finish_stuck(connection);
            return;
        }
        taken += fed;
        if (event == EXCHANGE_INSTALLED)
            update_acknowledged(connection);
        handle_event(connection, event);
        send_step(connection);
    }
}

/* Returns whether the exchange goes on and nothing is left unread. */
static bool receive_bytes(struct connection *connection)
{
    unsigned char bytes[READ_SIZE];

    for (int i = 0; i < READS_PER_TURN && !connection->is_done; i++) {
        ssize_t got = recv(connection->fd, bytes, sizeof bytes, 0);

        if (got > 0)
            take_bytes(connection, bytes, (size_t)got);
        else if (got < 0 && errno == EAGAIN)
            return !connection->is_done;
        else if (got == 0 || errno != EINTR)
            finish_stream(connection, got == 0 ? connection->send_error : errno);
    }
    return false;
}

/* Everything is read before anything is sent: an error byte may have come before a reset. */
static void read_and_send(struct connection *connection)
{
    if (!receive_bytes(connection))
        return;

    if (connection->is_ready)
        send_data(connection);
    else
        flush_output(connection);
    if (!connection->send_error || connection->is_done)
        return;

    receive_bytes(connection);
    if (!connection->is_done)
        finish_stream(connection, connection->send_error);
}

static void watch_connection(struct connection *connection)
{
    bool has_output = connection->start < connection->end ||
                      (connection->is_ready && !is_all_written(connection));

    if (!connection->is_done)
        loop_watch_change(&connection->watch,
                          has_output ? LOOP_READABLE | LOOP_WRITABLE : LOOP_READABLE);
}

static void on_connection_socket(unsigned events, void *userdata)
{
    struct connection *connection = userdata;

    (void)events;
    if (connection->is_done)
        return;

    read_and_send(connection);
    watch_connection(connection);
}

/* -- deadlines -- */

static int64_t step_limit_us(const struct connection *connection)
{
    const enum exchange_step step = connection->exchange.step;

    if (step == EXCHANGE_GREETING)
        return connection->answer_us;
    return step == EXCHANGE_PREPARE ? PREPARE_US : STEP_US;
}

/* Only what TCP acknowledges counts as progress. A board that acknowledges blocks forever would
 * otherwise have no end. */
static void check_limits(struct connection *connection)
{
    const int64_t now_us = loop_now_us();
    const int64_t waited_us = now_us - connection->progress_us;
    char what[64];

    if (!connection->is_ready) {
        if (waited_us < step_limit_us(connection))
            return;
        snprintf(what, sizeof what, "the board was silent for %.3g s", (double)waited_us / 1e6);
        finish_unheard(connection, OTA_E_NO_ANSWER, what);
    } else if (connection_all_acknowledged(connection)) {
        if (waited_us < RESULT_US)
            return;
        snprintf(what, sizeof what, "the board had the last byte for %.0f s, and gave no verdict",
                 (double)RESULT_US / 1e6);
        finish_unheard(connection, OTA_E_STALLED, what);
    } else if (waited_us >= STALL_US) {
        finish_unheard(connection, OTA_E_STALLED, "the board stopped taking data");
    } else if (now_us - connection->ready_us >=
               RESULT_US + tcp_send_limit_us(connection->exchange.content->size)) {
        snprintf(what, sizeof what, "the board takes less than %d bytes/s", TCP_SLOWEST_RATE);
        finish_unheard(connection, OTA_E_STALLED, what);
    }
}

static void on_connection_tick(void *userdata)
{
    struct connection *connection = userdata;

    if (!connection->is_done) {
        update_acknowledged(connection);
        check_limits(connection);
    }

    if (connection->acknowledged > connection->reported) {
        connection->reported = connection->acknowledged;
        connection->callbacks.on_progress(connection->acknowledged, connection->callbacks.userdata);
    }

    if (connection->is_done)
        connection->callbacks.on_done(&connection->failure, connection->callbacks.userdata);
    else
        loop_timer_start(&connection->tick, TICK_US);
}

/* -- the connection -- */

struct connection *connection_start(struct loop *loop, int fd, const struct exchange_config *config,
                                    int64_t answer_us, const struct connection_callbacks *callbacks)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (!connection) {
        close(fd);
        return NULL;
    }

    connection->callbacks = *callbacks;
    connection->fd = fd;
    connection->answer_us = answer_us;
    exchange_start(&connection->exchange, config);
    tcp_tune(fd);
    loop_timer_init(&connection->tick, loop, on_connection_tick, connection);
    if (loop_watch_start(&connection->watch, loop, fd, LOOP_READABLE, on_connection_socket,
                         connection) < 0) {
        const int reason = errno;

        connection_free(connection);
        errno = reason;
        return NULL;
    }

    loop_timer_start(&connection->tick, TICK_US);
    send_step(connection);
    watch_connection(connection);
    return connection;
}

/* A board would be blocked for up to 90 s by a connection that is not closed. It gets no FIN if
 * data is left unread, and no rest of an image that was given up if the queue is discarded. */
static void close_socket(struct connection *connection)
{
    char buffer[READ_SIZE];

    for (int i = 0; i < READS_PER_TURN; i++)
        if (recv(connection->fd, buffer, sizeof buffer, 0) <= 0)
            break;
    if (is_all_written(connection) && !connection_all_sent(connection))
        tcp_reset_on_close(connection->fd);
    close(connection->fd);
}

void connection_free(struct connection *connection)
{
    if (!connection)
        return;

    loop_watch_stop(&connection->watch);
    loop_timer_stop(&connection->tick);
    close_socket(connection);
    exchange_clear(&connection->exchange);
    free(connection);
}
