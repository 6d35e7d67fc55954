/* Buffers, command lines and the end of one client. Each library keeps other bytes of the input,
 * and has other ends of lines. */
#include "telnet_client.h"

#include "board.h"
#include "event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { REPEAT_US = 500000 };

static enum telnet_flavour flavour_of(const struct telnet_client *client)
{
    return client->board->sim->config->telnet.flavour;
}

void client_close_fd(int fd, bool reset)
{
    const struct linger at_once = {.l_onoff = 1};
    if (reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

void client_forget(struct telnet_client *client)
{
    struct board *board = client->board;
    watch_remove(board->sim->loop, &client->watch);
    timer_stop(board->sim->loop, &client->deaf);
    for (size_t i = 0; i < TELNET_CLIENTS; i++)
        if (board->telnet.clients[i] == client)
            board->telnet.clients[i] = NULL;
    watch_want(board->sim->loop, &board->telnet.listener, EPOLLIN);
    free(client);
}

void client_part(struct telnet_client *client, bool reset, const char *reason)
{
    char peer[ADDRESS_TEXT];
    board_event(client->board, "telnet-closed peer=%s reason=%s", address_text(&client->peer, peer),
                reason);
    client_close_fd(client->fd, reset);
    client_forget(client);
}

bool client_is_served(const struct telnet_client *client)
{
    return client && !client->left_behind;
}

bool client_is_heard(const struct telnet_client *client)
{
    return client_is_served(client) && client->deaf.slot == 0;
}

/* A connection that is broken is noticed by the loop. */
void client_flush(struct telnet_client *client)
{
    size_t sent = 0;

    while (sent < client->out_length) {
        ssize_t n = send(client->fd, client->out + sent, client->out_length - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            sent = client->out_length;
        if (n < 0)
            break;
        sent += (size_t)n;
    }
    client->out_length -= sent;
    memmove(client->out, client->out + sent, client->out_length);
    uint32_t input = client->deaf.slot == 0 ? EPOLLIN : 0;
    watch_want(client->board->sim->loop, &client->watch,
               input | (client->out_length > 0 ? EPOLLOUT : 0));
}

void client_add(struct telnet_client *client, const void *bytes, size_t length)
{
    if (length > sizeof client->out - client->out_length)
        client_flush(client);
    size_t room = sizeof client->out - client->out_length;
    if (length > room)
        length = room;
    memcpy(client->out + client->out_length, bytes, length);
    client->out_length += length;
}

void client_add_text(struct telnet_client *client, const char *text)
{
    client_add(client, text, strlen(text));
}

/* RemoteDebug takes a second command in half a second for a repetition of the first. */
static bool is_repetition(struct telnet_client *client)
{
    int64_t before_us = client->command_us;
    if (flavour_of(client) != TELNET_REMOTEDEBUG)
        return false;
    if (before_us > 0 && now_us() - before_us < REPEAT_US)
        return true;
    client->command_us = now_us();
    return false;
}

/* False if the client is gone. */
static bool obey(struct telnet_client *client)
{
    char text[ESCAPED_ROOM];
    bool quits =
        flavour_of(client) == TELNET_REMOTEDEBUG && client->in_length == 1 && client->in[0] == 'q';

    event_quoted(client->in, client->in_length, text);
    if (is_repetition(client)) {
        board_event(client->board, "telnet-ignored text=%s", text);
        client_add_text(client, "* Too soon after the last command\r\n");
    } else {
        board_event(client->board, "telnet-command text=%s", text);
        client_add_text(client, "* You typed: ");
        client_add(client, client->in, client->in_length);
        client_add_text(client, "\r\n");
    }
    client->in_length = 0;
    client_flush(client);
    if (quits)
        client_part(client, false, "quit");
    return !quits;
}

/* False if the client is gone. */
static bool hear(struct telnet_client *client, char byte)
{
    enum telnet_flavour flavour = flavour_of(client);
    bool end = byte == '\n' || (byte == '\r' && flavour == TELNET_REMOTEDEBUG);
    bool again = client->after_end;

    client->after_end = end;
    if (end) {
        if (flavour == TELNET_STREAM && client->in_length > 0 &&
            client->in[client->in_length - 1] == '\r')
            client->in_length--;
        bool nothing = flavour == TELNET_REMOTEDEBUG && (again || client->in_length == 0);
        return nothing || obey(client);
    }
    bool kept = flavour == TELNET_STREAM || (byte >= ' ' && byte <= '~');
    if (kept && client->in_length < sizeof client->in)
        client->in[client->in_length++] = byte;
    return true;
}

bool client_read(struct telnet_client *client)
{
    char bytes[512];
    ssize_t n = recv(client->fd, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EAGAIN)
        return true;
    if (n <= 0) {
        client_part(client, false, "client");
        return false;
    }

    for (ssize_t i = 0; i < n; i++)
        if (!hear(client, bytes[i]))
            return false;
    return true;
}
