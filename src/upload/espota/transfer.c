/*
 * transfer.c: sends the image over the back-channel while it reads the board's replies.
 *
 *   host                                board
 *    |<------------- TCP connect --------|
 *    |-- image, as fast as its window -->|
 *    |<-- "1460" "1460" "784" -----------|   bytes per read: ignored when streaming
 *    |<-- "OK" or a reason, then FIN ----|
 *
 * The board's TCP window limits the speed. espota.py waits for a number after each block, which
 * costs a round trip per kilobyte. Lock-step remains as a mode: if a board aborts while data is
 * unread, the connection is reset, and its reason is lost.
 */
#include "upload/espota/transfer.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/loop.h"
#include "base/units.h"
#include "net/outage.h"
#include "net/tcp_tune.h"
#include "upload/espota/protocol.h"
#include "upload/reason.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READS_PER_TURN = 8, /* a flood from one board must not starve the others */
    QUOTED_MAX = 4 * PROTOCOL_TEXT_MAX,
};

static const int64_t TICK_US = MILLISECONDS(100);
static const int64_t STALL_US = SECONDS(15);
static const int64_t TCP_STALL_US = SECONDS(60); /* even if the board sends numbers */
static const int64_t RESULT_US = SECONDS(60);
static const int64_t TEXT_US = SECONDS(2); /* limit for the rest of the board's reason */

struct transfer {
    struct transfer_config config;
    struct transfer_callbacks callbacks;
    int fd;
    struct loop_watch watch;
    struct loop_timer tick;
    struct outage outage;
    struct backchannel channel;
    bool is_echo;        /* the board has repeated an answer */
    size_t written;      /* handed to the kernel */
    size_t allowed;      /* lock-step: how many bytes the board's numbers allow */
    size_t acknowledged; /* acknowledged by the board's TCP */
    size_t reported;     /* the value of the last on_progress */
    int64_t start_us;
    int send_error;      /* errno of a failed send; the recv() after it then reports 0 */
    int64_t progress_us; /* when acknowledged last grew */
    int64_t heard_us;    /* when the board last sent something */
    int64_t text_us;     /* when its reason began; 0: none yet */
    bool is_done;
    struct ota_failure failure;
};

bool transfer_all_sent(const struct transfer *transfer)
{
    return transfer->written == transfer->config.image->size && tcp_unsent(transfer->fd) == 0;
}

bool transfer_all_acknowledged(const struct transfer *transfer)
{
    return transfer->acknowledged == transfer->config.image->size;
}

static void update_progress(struct transfer *transfer)
{
    size_t queued = tcp_unacknowledged(transfer->fd);
    size_t acknowledged =
        transfer->written - (queued < transfer->written ? queued : transfer->written);

    if (acknowledged <= transfer->acknowledged)
        return;

    transfer->acknowledged = acknowledged;
    transfer->progress_us = loop_now_us();
}

/* Ends the transfer. on_done is called later, from the loop: it may free the transfer, which
 * callers still use. */
static void finish_transfer(struct transfer *transfer)
{
    transfer->is_done = true;
    loop_watch_change(&transfer->watch, 0);
    loop_timer_start(&transfer->tick, 0);
}

static void fail_with_reason(struct transfer *transfer)
{
    char reason[QUOTED_MAX];

    backchannel_reason(&transfer->channel, reason, sizeof reason);
    ota_fail(&transfer->failure, OTA_E_BOARD, "the board says: %s",
             transfer->is_echo ? ECHO_NOTE : echo_hide(transfer->config.echo, reason));
    transfer->failure.cause = reason_cause(reason);
}

/* The connection has ended, or is given up, without a complete verdict. */
static void finish_without_verdict(struct transfer *transfer, enum ota_error error,
                                   const char *what)
{
    size_t size = transfer->config.image->size;

    if (backchannel_finish(&transfer->channel) == VERDICT_ERROR)
        fail_with_reason(transfer);
    else if (transfer_all_sent(transfer))
        ota_fail(&transfer->failure, OTA_E_UNKNOWN,
                 "all %zu bytes were sent, but the board's verdict did not come: %s", size, what);
    else
        ota_fail(&transfer->failure, error, "%s after %zu of %zu bytes", what,
                 transfer->acknowledged, size);
    finish_transfer(transfer);
}

static void finish_with_verdict(struct transfer *transfer, enum verdict verdict)
{
    update_progress(transfer);

    if (verdict == VERDICT_ERROR)
        fail_with_reason(transfer);
    else if (transfer_all_acknowledged(transfer))
        transfer->failure.error = OTA_OK;
    else
        ota_fail(&transfer->failure, OTA_E_EARLY_OK,
                 "the board said OK when it had only %zu of %zu bytes", transfer->acknowledged,
                 transfer->config.image->size);
    finish_transfer(transfer);
}

/* The probes have shown that the board was or is absent. */
static void finish_after_silence(struct transfer *transfer, enum ota_cause cause)
{
    char what[160];
    double seconds = (double)tcp_silent_us(transfer->fd) / 1e6;

    if (cause == OTA_CAUSE_RESTARTED)
        snprintf(what, sizeof what,
                 "the board left the network and has restarted: %.1f s later it no longer knew the "
                 "connection",
                 seconds);
    else
        snprintf(what, sizeof what, "the board has not answered for %.0f s", seconds);

    finish_without_verdict(transfer, OTA_E_LOST, what);
    if (transfer->failure.error == OTA_E_UNKNOWN)
        transfer->failure.cause = cause;
}

/* What the end of the connection shows of the board's restart. A silence while this computer's link
 * is down is not the board's, and a reset may have come long before a program that was stopped, or
 * be the answer of a board that has waited for too long. */
static enum ota_cause restart_seen(struct transfer *transfer, int reason)
{
    bool is_reset = reason == ECONNRESET || reason == EPIPE;
    bool is_silent = reason == ETIMEDOUT || reason == EHOSTUNREACH;
    int64_t silent_us = tcp_silent_us(transfer->fd);
    unsigned outages = outage_after(&transfer->outage, loop_now_us() - silent_us);

    if (transfer_all_acknowledged(transfer) && is_silent && !(outages & OUTAGE_LINK))
        return OTA_CAUSE_GONE;
    if (transfer_all_sent(transfer) && is_reset && silent_us >= TCP_AWAY_US && !outages)
        return OTA_CAUSE_RESTARTED;
    return OTA_CAUSE_NONE;
}

static void handle_stream_end(struct transfer *transfer, int reason)
{
    update_progress(transfer);

    const enum ota_cause seen = restart_seen(transfer, reason);
    if (seen != OTA_CAUSE_NONE) {
        finish_after_silence(transfer, seen);
        return;
    }
    finish_without_verdict(transfer, error_unless_local(OTA_E_LOST, reason),
                           error_connection_text(reason, "the board's TCP stopped answering"));
    if (transfer->failure.error == OTA_E_INTERNAL)
        transfer->failure.cause = error_lack_cause(reason);
}

/* Logs the board's message, for debugging; numbers are not logged. */
static void log_words(const struct transfer *transfer, const void *data, size_t length)
{
    char text[QUOTED_MAX];

    escape_text(text, sizeof text, data, length);
    diag_debug("%s: the board says \"%s\"", transfer->config.board,
               transfer->is_echo ? ECHO_NOTE : text);
}

static void take_reply(struct transfer *transfer, const void *data, size_t length)
{
    enum verdict verdict = backchannel_feed(&transfer->channel, data, length);

    transfer->is_echo |= echo_hear(transfer->config.echo, ECHO_CHANNEL, data, length);
    transfer->heard_us = loop_now_us();
    if (verdict != VERDICT_PENDING || backchannel_has_text(&transfer->channel))
        log_words(transfer, data, length);

    if (verdict != VERDICT_PENDING)
        finish_with_verdict(transfer, verdict);
    else if (backchannel_has_text(&transfer->channel) && !transfer->text_us)
        transfer->text_us = transfer->heard_us;
    else if (transfer->config.block && transfer->written == transfer->allowed)
        transfer->allowed += transfer->config.block;
}

/* Returns whether the transfer goes on and no reply is left unread. */
static bool receive_replies(struct transfer *transfer)
{
    char buffer[4096];

    for (int i = 0; i < READS_PER_TURN && !transfer->is_done; i++) {
        ssize_t got = recv(transfer->fd, buffer, sizeof buffer, 0);

        if (got > 0)
            take_reply(transfer, buffer, (size_t)got);
        else if (got < 0 && errno == EAGAIN)
            return true;
        else if (got == 0 || errno != EINTR)
            handle_stream_end(transfer, got == 0 ? transfer->send_error : errno);
    }
    return false;
}

static size_t count_sendable(const struct transfer *transfer)
{
    size_t limit = transfer->config.image->size;

    if (backchannel_has_text(&transfer->channel))
        return 0; /* the board has aborted the upload */
    if (transfer->config.block && transfer->allowed < limit)
        limit = transfer->allowed;
    return limit - transfer->written;
}

/* Everything is read before anything is sent: a reply to bytes that were not sent yet would
 * otherwise be taken for one to the whole image. */
static void read_and_send(struct transfer *transfer)
{
    bool is_all_read = receive_replies(transfer);
    size_t length = count_sendable(transfer);

    if (!is_all_read || length == 0)
        return;

    ssize_t sent =
        send(transfer->fd, transfer->config.image->data + transfer->written, length, MSG_NOSIGNAL);
    if (sent >= 0) {
        transfer->written += (size_t)sent;
        return;
    }
    if (errno == EAGAIN || errno == EINTR)
        return;

    transfer->send_error = errno;
    receive_replies(transfer); /* the board may have sent its reason before the reset */
    if (!transfer->is_done)
        handle_stream_end(transfer, transfer->send_error);
}

static void update_watched_events(struct transfer *transfer)
{
    unsigned events = LOOP_READABLE;

    if (transfer->is_done)
        events = 0;
    else if (count_sendable(transfer) > 0)
        events |= LOOP_WRITABLE;

    loop_watch_change(&transfer->watch, events);
}

static void on_transfer_socket(unsigned events, void *userdata)
{
    struct transfer *transfer = userdata;

    (void)events;
    if (transfer->is_done)
        return;

    read_and_send(transfer);
    update_watched_events(transfer);
}

static void check_deadlines(struct transfer *transfer)
{
    int64_t now_us = loop_now_us();
    int64_t silent_us = now_us - transfer->progress_us;
    int64_t quiet_us = now_us - transfer->heard_us;
    char what[64];

    if (transfer->text_us && now_us - transfer->text_us >= TEXT_US) {
        finish_without_verdict(transfer, OTA_E_LOST, "its message is incomplete");
    } else if (transfer_all_acknowledged(transfer) && silent_us >= RESULT_US) {
        snprintf(what, sizeof what, "the board said nothing more for %.0f s",
                 (double)RESULT_US / 1e6);
        finish_without_verdict(transfer, OTA_E_STALLED, what);
    } else if (!transfer_all_acknowledged(transfer) &&
               ((silent_us >= STALL_US && quiet_us >= STALL_US) || silent_us >= TCP_STALL_US)) {
        finish_without_verdict(transfer, OTA_E_STALLED, "the board stopped taking data");
    } else if (now_us - transfer->start_us >=
               RESULT_US + tcp_send_limit_us(transfer->config.image->size)) {
        snprintf(what, sizeof what, "the board takes less than %d bytes/s", TCP_SLOWEST_RATE);
        finish_without_verdict(transfer, OTA_E_STALLED, what);
    }
}

static void on_transfer_tick(void *userdata)
{
    struct transfer *transfer = userdata;

    if (!transfer->is_done) {
        update_progress(transfer);
        check_deadlines(transfer);
    }

    if (transfer->acknowledged > transfer->reported) {
        transfer->reported = transfer->acknowledged;
        transfer->callbacks.on_progress(transfer->acknowledged, transfer->callbacks.userdata);
    }

    if (transfer->is_done)
        transfer->callbacks.on_done(&transfer->failure, transfer->callbacks.userdata);
    else
        loop_timer_start(&transfer->tick, TICK_US);
}

static void start_outage(struct transfer *transfer)
{
    struct address board = {0};
    socklen_t length = sizeof board;

    getpeername(transfer->fd, &board.any, &length);
    outage_start(&transfer->outage, transfer->config.loop, &board, transfer->config.source);
}

struct transfer *transfer_start(const struct transfer_config *config, int fd,
                                const struct transfer_callbacks *callbacks)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);

    if (!transfer) {
        close(fd);
        return NULL;
    }

    *transfer = (struct transfer){
        .config = *config, .callbacks = *callbacks, .fd = fd, .allowed = config->block};
    transfer->start_us = transfer->progress_us = transfer->heard_us = loop_now_us();
    backchannel_init(&transfer->channel);
    tcp_tune(fd);
    loop_timer_init(&transfer->tick, config->loop, on_transfer_tick, transfer);
    start_outage(transfer);
    if (loop_watch_start(&transfer->watch, config->loop, fd, LOOP_READABLE, on_transfer_socket,
                         transfer) < 0) {
        const int reason = errno;

        transfer_free(transfer);
        errno = reason;
        return NULL;
    }

    loop_timer_start(&transfer->tick, TICK_US);
    read_and_send(transfer);
    update_watched_events(transfer);
    return transfer;
}

/* If data were left unread, the kernel would send a reset instead of a FIN. A reset is sent only
 * once, and if it is lost an ESP8266 waits forever. */
static void drain_socket(int fd)
{
    char buffer[4096];

    for (int i = 0; i < READS_PER_TURN; i++)
        if (recv(fd, buffer, sizeof buffer, 0) <= 0)
            return;
}

/* The kernel goes on sending after close(2). It may hold the rest of an image that was given up. A
 * board that wakes would receive and install it. */
static void discard_unsent(const struct transfer *transfer)
{
    if (transfer->written == transfer->config.image->size && !transfer_all_sent(transfer))
        tcp_reset_on_close(transfer->fd);
}

void transfer_free(struct transfer *transfer)
{
    if (!transfer)
        return;

    loop_watch_stop(&transfer->watch);
    loop_timer_stop(&transfer->tick);
    outage_stop(&transfer->outage);
    drain_socket(transfer->fd);
    discard_unsent(transfer);
    close(transfer->fd);
    free(transfer);
}
