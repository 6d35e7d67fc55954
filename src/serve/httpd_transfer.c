/*
 * httpd_transfer.c: how far a response has come. What libmicrohttpd has written is only on its way;
 * what counts is what the client's TCP has acknowledged.
 */
#include "base/units.h"
#include "net/tcp_tune.h"
#include "serve/httpd_internal.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t SETTLE_US = MILLISECONDS(250), SETTLE_SOON_US = MILLISECONDS(50);
static const int64_t ACKNOWLEDGE_US = SECONDS(90);

enum { TCP_STATE_CLOSED = 7 }; /* TCP_CLOSE of <netinet/tcp.h>, which excludes <linux/tcp.h> */

static bool read_tcp_info(const struct httpd_transfer *transfer, struct tcp_info *info)
{
    socklen_t size = sizeof *info;

    *info = (struct tcp_info){0};
    return getsockopt(transfer->fd, IPPROTO_TCP, TCP_INFO, info, &size) == 0;
}

static void link_transfer(struct httpd_transfer *transfer)
{
    struct httpd_transfer **first = &transfer->server->transfers;

    transfer->next = *first;
    transfer->link = first;
    if (transfer->next)
        transfer->next->link = &transfer->next;
    *first = transfer;
}

struct httpd_transfer *httpd_transfer_new(struct httpd_connection *connection, void *tag,
                                          size_t size)
{
    struct httpd *server = connection->server;
    struct httpd_transfer *transfer = malloc(sizeof *transfer);
    struct tcp_info info;
    if (!transfer)
        return NULL;

    *transfer = (struct httpd_transfer){.server = server,
                                        .tag = tag,
                                        .size = size,
                                        .fd = fcntl(connection->fd, F_DUPFD_CLOEXEC, 0)};
    if (transfer->fd < 0) {
        free(transfer);
        return NULL;
    }
    if (read_tcp_info(transfer, &info))
        transfer->acked = info.tcpi_bytes_acked;
    link_transfer(transfer);
    if (!server->settle_timer.is_running)
        loop_timer_start(&server->settle_timer, SETTLE_US);
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
    *transfer->link = transfer->next;
    if (transfer->next)
        transfer->next->link = transfer->link;
    free(transfer);
    server->config.on_end(tag, is_whole, server->config.userdata);
}

static void settle_transfer(struct httpd_transfer *transfer)
{
    struct tcp_info info;
    const bool is_known = read_tcp_info(transfer, &info);
    const size_t unacknowledged = tcp_unacknowledged(transfer->fd); /* the end counts as a byte */
    const bool is_closed = !is_known || info.tcpi_state == TCP_STATE_CLOSED;
    if (unacknowledged == 0 || (is_closed && unacknowledged == 1))
        end_transfer(transfer, true);
    else if (is_closed || loop_now_us() >= transfer->timeout_us)
        end_transfer(transfer, false);
}

void httpd_settle(struct httpd *server)
{
    struct httpd_transfer *next;

    for (struct httpd_transfer *transfer = server->transfers; transfer; transfer = next) {
        next = transfer->next;
        if (transfer->is_sent)
            settle_transfer(transfer);
    }
}

void httpd_transfers_on_timer(void *userdata)
{
    struct httpd *server = userdata;
    bool is_one_sent = false;

    httpd_settle(server);
    for (const struct httpd_transfer *at = server->transfers; at; at = at->next) {
        is_one_sent |= at->is_sent;
        tell_progress(at);
    }
    if (server->transfers)
        loop_timer_start(&server->settle_timer, is_one_sent ? SETTLE_SOON_US : SETTLE_US);
}

void httpd_transfer_done(struct httpd_transfer *transfer, bool is_sent)
{
    struct httpd *server = transfer->server;

    if (!is_sent) {
        end_transfer(transfer, false);
        return;
    }
    transfer->is_sent = true;
    transfer->timeout_us = loop_now_us() + ACKNOWLEDGE_US;
    loop_timer_start(&server->settle_timer, 0);
}

void httpd_transfers_end(struct httpd *server)
{
    httpd_settle(server);
    while (server->transfers)
        end_transfer(server->transfers, false);
}
