/*
 * httpd_transfer.c: how far a response has come. What libmicrohttpd has written is only on its way;
 * what counts is what the client's TCP has acknowledged.
 */
#include "base/units.h"
#include "net/tcp_tune.h"
#include "serve/httpd_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <unistd.h>

/* The progress of many is looked at less often. */
enum { FEW_TRANSFERS = 16 };
static const int64_t PROGRESS_US = MILLISECONDS(250), PROGRESS_OF_MANY_US = SECONDS(1);

static const int64_t SETTLE_US = MILLISECONDS(50), SETTLE_MANY_US = MILLISECONDS(200);
static const int64_t ACKNOWLEDGE_US = SECONDS(90);

enum { TCP_STATE_CLOSED = 7 }; /* TCP_CLOSE of <netinet/tcp.h>, which excludes <linux/tcp.h> */

static bool read_tcp_info(const struct httpd_transfer *transfer, struct tcp_info *info)
{
    socklen_t size = sizeof *info;

    *info = (struct tcp_info){0};
    return getsockopt(transfer->fd, IPPROTO_TCP, TCP_INFO, info, &size) == 0;
}

static void unlink_transfer(struct httpd_transfer *transfer)
{
    struct httpd_transfer **link = &transfer->server->transfers;

    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
}

struct httpd_transfer *httpd_transfer_new(struct httpd_connection *connection, void *tag,
                                          size_t size)
{
    struct httpd *server = connection->server;
    struct httpd_transfer *transfer = malloc(sizeof *transfer);
    struct tcp_info info;
    if (!transfer)
        return NULL;

    *transfer = (struct httpd_transfer){.next = server->transfers,
                                        .server = server,
                                        .connection = connection,
                                        .tag = tag,
                                        .size = size,
                                        .fd = fcntl(connection->fd, F_DUPFD_CLOEXEC, 0)};
    if (transfer->fd < 0) {
        const int reason = errno;
        free(transfer);
        errno = reason;
        return NULL;
    }
    if (read_tcp_info(transfer, &info))
        transfer->acked = info.tcpi_bytes_acked;
    server->transfers = transfer;
    server->transfer_count++;
    if (!server->settle_timer.is_running)
        loop_timer_start(&server->settle_timer, PROGRESS_US);
    return transfer;
}

/* The header of the response counts as well: it is a few hundred bytes too much. */
static void tell_progress(const struct httpd_transfer *transfer)
{
    const struct httpd_config *config = &transfer->server->config;
    struct tcp_info info;

    if (!read_tcp_info(transfer, &info) || info.tcpi_bytes_acked <= transfer->acked)
        return;

    const uint64_t bytes = info.tcpi_bytes_acked - transfer->acked;
    config->on_progress(transfer->tag, bytes < transfer->size ? (size_t)bytes : transfer->size,
                        config->userdata);
}

/* A board that got half an image would wait a minute for the rest after an orderly end of the
 * connection, so the connection is reset. */
static void end_transfer(struct httpd_transfer *transfer, bool is_whole)
{
    struct httpd *server = transfer->server;
    void *tag = transfer->tag;

    if (!is_whole) {
        tell_progress(transfer);
        tcp_reset_on_close(transfer->fd);
    }
    close(transfer->fd);
    unlink_transfer(transfer);
    server->transfer_count--;
    server->sent_count -= transfer->is_sent;
    free(transfer);
    server->config.on_end(tag, is_whole, server->config.userdata);
}

/* What tcpi_bytes_acked will be once all is acknowledged that has been written. The queue is read
 * apart from it, so both are read again if an acknowledgement came in between. */
static uint64_t written_end(const struct httpd_transfer *transfer)
{
    struct tcp_info before, after;
    size_t unacknowledged;

    do {
        read_tcp_info(transfer, &before);
        unacknowledged = tcp_unacknowledged(transfer->fd);
        read_tcp_info(transfer, &after);
    } while (before.tcpi_bytes_acked != after.tcpi_bytes_acked);
    return after.tcpi_bytes_acked + unacknowledged;
}

/* The end of the connection counts as a byte of the queue. After the response, TLS takes leave; a
 * client that has closed the connection resets it then, and that part of the queue stays. A queue
 * that is longer than a byte only needs a close look now and then: the connection may have been
 * reset. */
static void settle_transfer(struct httpd_transfer *transfer, bool is_close_look, bool is_over)
{
    const size_t unacknowledged = tcp_unacknowledged(transfer->fd);
    bool is_closed = false, is_whole = transfer->is_sent && unacknowledged == 0;
    struct tcp_info info;

    if (unacknowledged > 0 && (is_close_look || unacknowledged == 1)) {
        is_closed = !read_tcp_info(transfer, &info) || info.tcpi_state == TCP_STATE_CLOSED;
        is_whole = transfer->is_sent && is_closed && info.tcpi_bytes_acked + 1 >= transfer->end;
    }
    if (is_whole || is_closed || is_over || loop_now_us() >= transfer->timeout_us)
        end_transfer(transfer, is_whole);
}

/* Ends those that have ended. */
static void settle_transfers(struct httpd *server, bool is_close_look)
{
    struct httpd_transfer *next;

    for (struct httpd_transfer *transfer = server->transfers; transfer; transfer = next) {
        next = transfer->next;
        if (transfer->is_sent)
            settle_transfer(transfer, is_close_look, false);
    }
}

void httpd_settle(struct httpd *server)
{
    if (!server->has_settled)
        settle_transfers(server, true);
    server->has_settled = true;
}

void httpd_transfers_on_timer(void *userdata)
{
    struct httpd *server = userdata;
    const int64_t now_us = loop_now_us();
    const bool is_progress_due = now_us >= server->progress_us;
    const bool are_many = server->transfer_count > FEW_TRANSFERS;

    for (const struct httpd_transfer *at = server->transfers; at && is_progress_due; at = at->next)
        tell_progress(at);
    settle_transfers(server, is_progress_due);

    if (is_progress_due)
        server->progress_us = now_us + (are_many ? PROGRESS_OF_MANY_US : PROGRESS_US);
    server->is_settling = server->sent_count > 0;
    if (server->is_settling)
        loop_timer_start(&server->settle_timer, are_many ? SETTLE_MANY_US : SETTLE_US);
    else if (server->transfer_count > 0)
        loop_timer_start(&server->settle_timer, server->progress_us - now_us);
}

void httpd_transfer_done(struct httpd_transfer *transfer, bool is_sent)
{
    struct httpd *server = transfer->server;

    if (!is_sent) {
        end_transfer(transfer, false);
        return;
    }
    transfer->is_sent = true;
    transfer->end = written_end(transfer);
    transfer->connection = NULL;
    server->sent_count++;
    transfer->timeout_us = loop_now_us() + ACKNOWLEDGE_US;
    if (!server->is_settling)
        loop_timer_start(&server->settle_timer, SETTLE_US);
    server->is_settling = true;
}

void httpd_abort(struct httpd *server, const void *tag)
{
    struct httpd_transfer *transfer = server->transfers;

    while (transfer && transfer->tag != tag)
        transfer = transfer->next;
    if (!transfer)
        return;
    if (transfer->connection) { /* libmicrohttpd notices it, as in on_deadline() */
        transfer->connection->transfer = NULL;
        shutdown(transfer->connection->fd, SHUT_RDWR);
    }
    end_transfer(transfer, false);
}

void httpd_transfers_end(struct httpd *server)
{
    struct httpd_transfer *next;

    for (struct httpd_transfer *transfer = server->transfers; transfer; transfer = next) {
        next = transfer->next;
        settle_transfer(transfer, true, true);
    }
}
