/* The log service: accepts clients, reads their input, and drops them in a restart. README.md says
 * which library each rule comes from. */
#include "telnet.h"

#include "board.h"
#include "silence.h"
#include "sketch.h"
#include "telnet_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BACKLOG = 16, LINE_ROOM = 640 };

static const struct manner {
    const char *name;
    int64_t deaf_us;
    const char *welcome; /* before it hears */
    const char *menu;    /* when it hears */
    const char *before;  /* a line */
    size_t piece;        /* the most it sends of a line at once */
    const char *reset;   /* after each piece */
} manners[] = {
    [TELNET_STREAM] = {"stream", 0, "", "", "", LINE_ROOM, ""},
    [TELNET_ESPTELNET] = {"esptelnet", 50000, "Welcome to this simulated board\r\n", "", "",
                          LINE_ROOM, ""},
    [TELNET_REMOTEDEBUG] = {"remotedebug", 100000, "",
                            "*** A simulated board's debug log\r\n"
                            "* What it understands:\r\n"
                            "    q  ends the connection\r\n"
                            "    anything else is for the sketch\r\n"
                            "\r\n"
                            "* Type a command, then Enter\r\n",
                            "\x1b[1;32m(D) ", 151, "\x1b[0m"},
};

static const char *const leaves[] = {
    [LEAVE_SILENT] = "silent", [LEAVE_RESET] = "reset", [LEAVE_CLOSE] = "close"};

bool telnet_find_flavour(const char *name, enum telnet_flavour *flavour)
{
    for (unsigned i = 0; i < sizeof manners / sizeof manners[0]; i++) {
        if (strcmp(manners[i].name, name) == 0) {
            *flavour = (enum telnet_flavour)i;
            return true;
        }
    }
    return false;
}

bool telnet_find_leave(const char *name, enum telnet_leave *leave)
{
    for (unsigned i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
        if (strcmp(leaves[i], name) == 0) {
            *leave = (enum telnet_leave)i;
            return true;
        }
    }
    return false;
}

static const struct telnet_config *config_of(const struct board *board)
{
    return &board->sim->config->telnet;
}

static const struct manner *manner_of(const struct board *board)
{
    return &manners[config_of(board)->flavour];
}

void telnet_send(struct board *board, const void *bytes, size_t length)
{
    for (size_t i = 0; i < TELNET_CLIENTS; i++)
        if (client_is_heard(board->telnet.clients[i]))
            client_add(board->telnet.clients[i], bytes, length);
}

void telnet_line(struct board *board, const char *text, size_t length)
{
    const struct manner *manner = manner_of(board);
    char line[LINE_ROOM];
    int end = snprintf(line, sizeof line, "%s", manner->before);
    size_t used = (size_t)end;

    if (length > sizeof line - used - 2)
        length = sizeof line - used - 2;
    memcpy(line + used, text, length);
    memcpy(line + used + length, "\r\n", 2);
    used += length + 2;
    for (size_t at = 0; at < used; at += manner->piece) {
        size_t left = used - at;
        telnet_send(board, line + at, left < manner->piece ? left : manner->piece);
        telnet_send(board, manner->reset, strlen(manner->reset));
    }
}

bool telnet_has_room(const struct board *board)
{
    for (size_t i = 0; i < TELNET_CLIENTS; i++) {
        const struct telnet_client *client = board->telnet.clients[i];
        if (client_is_heard(client) && client->out_length > CLIENT_OUT - TELNET_ROOM)
            return false;
    }
    return true;
}

bool telnet_has_client(const struct board *board)
{
    for (size_t i = 0; i < TELNET_CLIENTS; i++)
        if (client_is_heard(board->telnet.clients[i]))
            return true;
    return false;
}

void telnet_flush(struct board *board)
{
    for (size_t i = 0; i < TELNET_CLIENTS; i++)
        if (client_is_heard(board->telnet.clients[i]))
            client_flush(board->telnet.clients[i]);
}

void telnet_drop(struct board *board, bool reset)
{
    for (size_t i = 0; i < TELNET_CLIENTS; i++)
        if (client_is_served(board->telnet.clients[i]))
            client_part(board->telnet.clients[i], reset, "sketch");
}

static void client_ready(void *owner, uint32_t events)
{
    struct telnet_client *client = owner;
    struct board *board = client->board;

    if (events & (EPOLLERR | EPOLLHUP) && client->deaf.slot != 0) {
        client_part(client, false, "client");
        return;
    }
    if (events & ~(uint32_t)EPOLLOUT && !client_read(client))
        return;

    client_flush(client);
    sketch_go_on(board);
}

/* The sketch was in the library's delay(); the input that came meanwhile is discarded. */
static void deaf_no_more(void *owner)
{
    struct telnet_client *client = owner;
    struct board *board = client->board;
    char bytes[4096];
    size_t discarded = 0;
    ssize_t n;

    while ((n = recv(client->fd, bytes, sizeof bytes, 0)) > 0)
        discarded += (size_t)n;
    if (discarded > 0)
        board_event(board, "telnet-discarded bytes=%zu", discarded);
    if (n == 0) {
        client_part(client, false, "client");
        return;
    }
    client_add_text(client, manner_of(board)->menu);
    client_flush(client);
    sketch_greet(board);
}

static struct telnet_client **free_slot(struct board *board)
{
    for (size_t i = 0; i < TELNET_CLIENTS; i++)
        if (!board->telnet.clients[i])
            return &board->telnet.clients[i];
    return NULL;
}

static struct telnet_client *add_client(struct board *board, int fd, const struct address *peer)
{
    struct telnet_client **slot = free_slot(board);
    struct telnet_client *client = slot ? calloc(1, sizeof *client) : NULL;

    if (!client)
        return NULL;

    *client = (struct telnet_client){.board = board, .fd = fd, .peer = *peer};
    client->watch = (struct watch){.ready = client_ready, .owner = client, .fd = -1};
    client->deaf = (struct timer){.expired = deaf_no_more, .owner = client};
    if (!watch_add(board->sim->loop, &client->watch, fd, EPOLLIN)) {
        free(client);
        return NULL;
    }
    *slot = client;
    return client;
}

static void serve(struct board *board, int fd, const struct address *peer, bool welcome)
{
    const int on = 1;
    char text[ADDRESS_TEXT];
    const struct manner *manner = manner_of(board);
    int64_t deaf_us = config_of(board)->deaf_us;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bool first = !telnet_has_client(board);
    struct telnet_client *client = add_client(board, fd, peer);
    if (!client) {
        close(fd);
        return;
    }
    board_event(board, "telnet-open peer=%s", address_text(peer, text));
    if (welcome)
        client_add_text(client, manner->welcome);
    if (deaf_us < 0)
        deaf_us = manner->deaf_us;
    if (deaf_us > 0)
        timer_start(board->sim->loop, &client->deaf, deaf_us);
    else
        client_add_text(client, manner->menu);
    client_flush(client);
    if (first && deaf_us <= 0)
        sketch_greet(board);
}

/* The only client there is, if there is one. */
static struct telnet_client *only_client(const struct board *board)
{
    for (size_t i = 0; i < TELNET_CLIENTS; i++)
        if (client_is_served(board->telnet.clients[i]))
            return board->telnet.clients[i];
    return NULL;
}

static size_t count_served(const struct board *board)
{
    size_t count = 0;
    for (size_t i = 0; i < TELNET_CLIENTS; i++)
        count += client_is_served(board->telnet.clients[i]);
    return count;
}

/* Where one client is the limit, another connection from its address takes its place: the library
 * believes that it has lost the first. */
static void welcome_or_not(struct board *board, int fd, const struct address *peer)
{
    char text[ADDRESS_TEXT], other[ADDRESS_TEXT];
    struct telnet_client *present = only_client(board);
    if (!present || config_of(board)->flavour == TELNET_STREAM) {
        serve(board, fd, peer, true);
        return;
    }
    if (strcmp(address_host(peer, text), address_host(&present->peer, other)) == 0) {
        client_part(present, false, "replaced");
        serve(board, fd, peer, false);
        return;
    }

    board_event(board, "telnet-refused peer=%s", address_text(peer, text));
    close(fd);
}

/* A stream with all its places taken leaves the next client connected and unattended;
 * client_forget() looks here again. */
static void listener_ready(void *owner, uint32_t events)
{
    struct board *board = owner;
    (void)events;

    if (config_of(board)->flavour == TELNET_STREAM &&
        count_served(board) == TELNET_STREAM_CLIENTS) {
        watch_want(board->sim->loop, &board->telnet.listener, 0);
        return;
    }

    struct address peer = {.length = sizeof peer.storage};
    int fd = accept4(board->telnet.listener.fd, (struct sockaddr *)&peer.storage, &peer.length,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        welcome_or_not(board, fd, &peer);
}

/* The board is back, and has forgotten its former clients. */
static void disown(struct telnet_client *client)
{
    silence_end(client->fd);
    client_forget(client);
}

void telnet_set_up(struct board *board)
{
    struct telnet *telnet = &board->telnet;
    telnet->address = board->address;
    telnet->plug = -1;
    address_set_port(&telnet->address, config_of(board)->port);
    telnet->listener = (struct watch){.ready = listener_ready, .owner = board, .fd = -1};
    telnet->timer = (struct timer){.expired = sketch_go_on, .owner = board};
}

static void unplug_port(struct telnet *telnet)
{
    if (telnet->plug >= 0)
        close(telnet->plug);
    telnet->plug = -1;
}

static bool listen_for_clients(struct board *board)
{
    struct telnet *telnet = &board->telnet;

    unplug_port(telnet);
    int fd = address_bind(&telnet->address, SOCK_STREAM);
    return fd >= 0 && board_listen(board, &telnet->address, &telnet->listener, fd, BACKLOG);
}

bool telnet_open(struct board *board)
{
    if (!config_of(board)->wanted)
        return true;
    if (!listen_for_clients(board))
        return false;

    for (size_t i = 0; i < TELNET_CLIENTS; i++)
        if (board->telnet.clients[i])
            disown(board->telnet.clients[i]);
    board_event(board, "telnet port=%u flavour=%s firmware=%s",
                (unsigned)address_port(&board->telnet.address), manner_of(board)->name,
                board->telnet.is_new ? "new" : "old");
    sketch_start(board);
    return true;
}

static void close_listener(struct board *board)
{
    int fd = board->telnet.listener.fd;
    watch_remove(board->sim->loop, &board->telnet.listener);
    if (fd >= 0)
        close(fd);
    sketch_stop(board);
}

static void leave_behind(struct telnet_client *client)
{
    struct loop *loop = client->board->sim->loop;
    watch_remove(loop, &client->watch);
    timer_stop(loop, &client->deaf);
    client->fd = silence_begin(client->fd);
    client->left_behind = true;
}

void telnet_leave(struct board *board)
{
    enum telnet_leave how = config_of(board)->leave;

    close_listener(board);
    for (size_t i = 0; i < TELNET_CLIENTS; i++) {
        struct telnet_client *client = board->telnet.clients[i];
        if (!client_is_served(client))
            continue;
        if (how == LEAVE_SILENT)
            leave_behind(client);
        else
            client_part(client, how == LEAVE_RESET, "restart");
    }
    if (config_of(board)->wanted && config_of(board)->away_silent)
        board->telnet.plug = silence_port(&board->telnet.address);
}

void telnet_abandon(struct board *board)
{
    close_listener(board);
    unplug_port(&board->telnet);
    for (size_t i = 0; i < TELNET_CLIENTS; i++) {
        if (board->telnet.clients[i]) {
            close(board->telnet.clients[i]->fd);
            client_forget(board->telnet.clients[i]);
        }
    }
}
