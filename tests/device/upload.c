/* From the accepted invitation to the open back-channel.
 *
 *   8266 family:  prepare, then OK or "ERR: text" and 100 ms of deafness; 100 ms later connect
 *   ESP32:        (OK is said already) prepare; if that fails nothing more, ever; else connect
 *
 * The connection goes to the address that the invitation (ESP32: the answer) came from. It is given
 * up after some seconds. */
#include "upload.h"

#include "board.h"
#include "event.h"
#include "reply.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { DEAF_US = 100000, STRANGER_US = 1000000 };

static void connect_now(void *owner);

void upload_after(struct board *board, int64_t delay_us, void (*then)(void *board))
{
    board->upload.timer.expired = then;
    timer_start(board->sim->loop, &board->upload.timer, delay_us);
}

static const struct address *host_address(const struct board *board)
{
    return board->sim->config->family.lineage == LINEAGE_8266 ? &board->invitation.from
                                                              : &board->answer_from;
}

/* Why the update cannot begin, or NULL. The 8266 family counts in whole sectors. */
static const char *begin_error(const struct board *board)
{
    const struct family *family = &board->sim->config->family;
    size_t size = board->invitation.size;
    size_t room = board->invitation.command == 0 ? family->capacity : family->fs_capacity;

    if (family->needs_filesystem && family->fs_capacity == 0)
        return "No Filesystem";

    bool unsigned_stub =
        family->lineage == LINEAGE_ESP32 && board->sim->config->key && size < ESP32_TRAILER;
    if (size == 0 || unsigned_stub)
        return "ERROR[5]: Bad Size Given\n";
    if (family->lineage == LINEAGE_8266)
        size = (size + SECTOR - 1) / SECTOR * SECTOR;
    return size > room ? "ERROR[4]: Not Enough Space\n" : NULL;
}

static void refuse_invitation(struct board *board, const char *text, size_t length)
{
    char reply[REPLY_TEXT] = "ERR: ";
    size_t room = sizeof reply - 5;
    length = length < room ? length : room;
    memcpy(reply + 5, text, length);
    board->state = BOARD_UPDATING;
    reply_send(board, REPLY_REFUSAL, reply, length + 5);
    board_after(board, DEAF_US, board_idle);
}

static void report_early_failure(struct board *board, const char *reason)
{
    char escaped[ESCAPED_ROOM];
    board_event(board, "upload result=failed bytes=0 reason=%s",
                event_quoted(reason, strcspn(reason, "\n"), escaped));
}

void upload_say_ok(struct board *board)
{
    const struct fault *refuse = board_fault(board, FAULT_REFUSE);
    if (refuse)
        refuse_invitation(board, refuse->text, refuse->text_length);
    else
        reply_send(board, REPLY_OK, "OK", 2);
}

static void plan_connection(struct board *board)
{
    if (board_fault(board, FAULT_NEVER_CONNECT)) {
        board_idle(board);
        return;
    }
    const struct fault *delay = board_fault(board, FAULT_CONNECT_DELAY);
    board_after(board,
                delay ? (int64_t)delay->number * 1000 : board->sim->config->family.connect_us,
                connect_now);
}

static void promise(void *owner)
{
    struct board *board = owner;
    upload_say_ok(board);
    if (board->state_timer.slot == 0) /* else it has refused */
        plan_connection(board);
}

void upload_run(struct board *board)
{
    const struct family *family = &board->sim->config->family;
    const char *error = begin_error(board);

    board->state = BOARD_UPDATING;
    if (family->lineage == LINEAGE_8266 && error) {
        refuse_invitation(board, error, strlen(error));
    } else if (family->lineage == LINEAGE_8266) {
        board_after(board, family->prepare_us, promise);
    } else if (error) {
        report_early_failure(board, error + strlen("ERROR[n]: "));
        board_idle(board);
    } else {
        plan_connection(board);
    }
}

static void bound_window(int fd, int window, int buffer)
{
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    setsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &window, sizeof window);
}

/* A Linux socket is not lwIP. Clamp and buffer are set before the connection, so that the first
 * window and the absent scale follow from them: the kernel doubles the buffer and offers half of
 * it. An eighth more is for what segments cost beside their payload.
 */
void upload_set_window(const struct board *board, int fd)
{
    const struct config *config = board->sim->config;

    if (config->mss > 0)
        setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &config->mss, sizeof config->mss);
    if (config->window > 0)
        bound_window(fd, config->window, config->window * 9 / 8);
    /* lwIP announces free room at once. Here the numbers, sent without delay, announce it. */
    if (config->family.no_delay || config->window > 0) {
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
}

/* Linux tells of room again only when it has doubled, lwIP when a quarter of the window is free.
 * Room for a segment or two makes up for it: with less a sender waits for what lwIP would have
 * said. */
void upload_clamp(const struct board *board, int fd)
{
    const int window = board->sim->config->window;
    if (window > 0)
        bound_window(fd, window, window * 11 / 8);
}

/* Starts a connection to the host from this address. False and errno if it failed at once. */
static bool connect_from(struct board *board, struct address from)
{
    struct upload *upload = &board->upload;
    struct address to = *host_address(board);

    address_set_port(&from, 0);
    address_set_port(&to, board->invitation.port);
    if (board_fault(board, FAULT_WRONG_PORT))
        address_set_port(&to, (uint16_t)(board->invitation.port + 1));
    upload->fd = address_bind(&from, SOCK_STREAM);
    if (upload->fd < 0)
        return false;
    upload_set_window(board, upload->fd);
    if (connect(upload->fd, (const struct sockaddr *)&to.storage, to.length) == 0 ||
        errno == EINPROGRESS)
        return watch_add(board->sim->loop, &upload->watch, upload->fd, EPOLLOUT);
    return false;
}

void upload_close(struct board *board, bool reset)
{
    struct upload *upload = &board->upload;

    timer_stop(board->sim->loop, &upload->timer);
    timer_stop(board->sim->loop, &upload->silence);
    watch_remove(board->sim->loop, &upload->watch);
    if (upload->fd >= 0) {
        const struct linger abort = {.l_onoff = 1, .l_linger = 0};
        if (reset)
            setsockopt(upload->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        close(upload->fd);
    }
    upload->fd = -1;
    esp_image_end(&upload->image);
    signature_end(&upload->signature);
}

static void connection_failed(struct board *board, const char *why)
{
    char reason[160];
    snprintf(reason, sizeof reason, "connect: %s", why);
    upload_close(board, false);
    board->upload.phase = UPLOAD_NONE;
    report_early_failure(board, reason);
    board_after(board, board->sim->config->family.idle_us, board_idle);
}

static void connection_timed_out(void *owner)
{
    connection_failed(owner, strerror(ETIMEDOUT));
}

static int pending_error(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

static void connected(struct board *board)
{
    int error = pending_error(board->upload.fd);
    if (error) {
        connection_failed(board, strerror(error));
        return;
    }

    char peer[ADDRESS_TEXT];
    struct address to = {.length = sizeof to.storage};
    getpeername(board->upload.fd, (struct sockaddr *)&to.storage, &to.length);
    timer_stop(board->sim->loop, &board->upload.timer);
    board_event(board, "connect peer=%s", address_text(&to, peer));
    upload_receive(board);
}

static void connect_board(void *owner)
{
    struct board *board = owner;
    const struct fault *other = board_fault(board, FAULT_CONNECT_FROM);
    board->upload.phase = UPLOAD_CONNECTING;
    if (connect_from(board, other ? other->address : board->address))
        upload_after(board, board->sim->config->family.connecting_us, connection_timed_out);
    else
        connection_failed(board, strerror(errno));
}

static void stranger_done(struct board *board, const char *result, ssize_t bytes)
{
    board_event(board, "stranger result=%s bytes=%zd", result, bytes);
    upload_close(board, false);
    connect_board(board);
}

static void stranger_waited(void *owner)
{
    stranger_done(owner, "open", 0);
}

static void stranger_ready(struct board *board, uint32_t events)
{
    ssize_t length = 0;

    if (events & EPOLLIN) {
        char bytes[SECTOR];
        length = recv(board->upload.fd, bytes, sizeof bytes, 0);
    }
    if (length > 0)
        stranger_done(board, "got-bytes", length);
    else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        stranger_done(board, "closed", 0);
    else
        watch_want(board->sim->loop, &board->upload.watch, EPOLLIN);
}

static void connect_now(void *owner)
{
    struct board *board = owner;
    const struct fault *stranger = board_fault(board, FAULT_STRANGER);
    if (!stranger) {
        connect_board(board);
        return;
    }

    board->upload.phase = UPLOAD_STRANGER;
    if (connect_from(board, stranger->address))
        upload_after(board, STRANGER_US, stranger_waited);
    else
        stranger_done(board, "unreachable", 0);
}

static void on_upload_event(void *owner, uint32_t events)
{
    struct board *board = owner;

    switch (board->upload.phase) {
    case UPLOAD_STRANGER:
        stranger_ready(board, events);
        break;
    case UPLOAD_CONNECTING:
        connected(board);
        break;
    default:
        upload_ready(board, events);
        break;
    }
}

void upload_set_up(struct board *board)
{
    struct upload *upload = &board->upload;
    upload->fd = -1;
    upload->sink.fd = -1;
    upload->watch = (struct watch){.ready = on_upload_event, .owner = board, .fd = -1};
    upload->timer = (struct timer){.owner = board};
    upload->silence = (struct timer){.owner = board};
}

void upload_abandon(struct board *board)
{
    upload_close(board, false);
    sink_close(&board->upload.sink, false);
}
