/* The server of the cores serves one client at a time, and the next waits in the listener's queue;
 * the asynchronous ones serve several. */
#include "web.h"

#include "board.h"
#include "silence.h"
#include "web_client.h"
#include "web_page.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BACKLOG = 16 };

static struct web_client **free_slot(struct web *web)
{
    for (size_t i = 0; i < WEB_CLIENTS; i++)
        if (!web->clients[i])
            return &web->clients[i];
    return NULL;
}

static bool is_busy(struct board *board)
{
    struct web *web = &board->web;

    if (!server_of(board)->serves_one)
        return !free_slot(web);
    for (size_t i = 0; i < WEB_CLIENTS; i++)
        if (web->clients[i] && !web->clients[i]->left_behind)
            return true;
    return !free_slot(web);
}

static void watch_listener(struct board *board)
{
    if (board->web.listener.fd >= 0)
        watch_want(board->sim->loop, &board->web.listener, is_busy(board) ? 0 : EPOLLIN);
}

static void listener_ready(void *owner, uint32_t events)
{
    struct board *board = owner;
    struct address peer = {.length = sizeof peer.storage};
    (void)events;

    if (is_busy(board)) {
        watch_listener(board);
        return;
    }

    int fd = accept4(board->web.listener.fd, (struct sockaddr *)&peer.storage, &peer.length,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct web_client *client = fd >= 0 ? web_client_start(board, fd) : NULL;
    if (client)
        *free_slot(&board->web) = client;
    else if (fd >= 0)
        close(fd);
    watch_listener(board);
}

static void restart_now(void *owner)
{
    board_restart(owner);
}

void web_set_up(struct board *board)
{
    board->web.listener = (struct watch){.ready = listener_ready, .owner = board, .fd = -1};
    board->web.restart = (struct timer){.expired = restart_now, .owner = board};
    pull_set_up(board);
}

/* The board is back, and has forgotten its former clients. */
static void disown_clients(struct web *web)
{
    for (size_t i = 0; i < WEB_CLIENTS; i++) {
        if (web->clients[i]) {
            silence_end(web->clients[i]->fd);
            web_client_free(web->clients[i]);
        }
        web->clients[i] = NULL;
    }
}

bool web_open(struct board *board)
{
    disown_clients(&board->web);
    board->web.boots++;

    int fd = address_bind(&board->address, SOCK_STREAM);
    if (fd < 0)
        return false;

    upload_set_window(board, fd);
    if (!board_listen(board, &board->address, &board->web.listener, fd, BACKLOG))
        return false;
    pull_come_back(board);
    return true;
}

static void close_web_listener(struct board *board)
{
    int fd = board->web.listener.fd;
    watch_remove(board->sim->loop, &board->web.listener);
    timer_stop(board->sim->loop, &board->web.restart);
    if (fd >= 0)
        close(fd);
}

void web_leave(struct board *board)
{
    struct web *web = &board->web;

    close_web_listener(board);
    pull_leave(board);
    updater_abort(board, "restart");
    web->updater = (struct updater){0};
    web->uploader = NULL;
    web->was_allowed = web->is_started = web->is_unlocked = false;
    web->error = 0;
    web->pin_us = 0;
    web->nonce[0] = '\0';
    for (size_t i = 0; i < WEB_CLIENTS; i++)
        if (web->clients[i])
            web_client_leave_behind(web->clients[i]);
}

void web_abandon(struct board *board)
{
    struct web *web = &board->web;

    close_web_listener(board);
    pull_abandon(board);
    for (size_t i = 0; i < WEB_CLIENTS; i++) {
        if (web->clients[i]) {
            close(web->clients[i]->fd);
            web_client_free(web->clients[i]);
        }
        web->clients[i] = NULL;
    }
}

void web_forget(struct board *board, const struct web_client *client)
{
    struct web *web = &board->web;

    if (web->uploader == client)
        web->uploader = NULL;
    for (size_t i = 0; i < WEB_CLIENTS; i++)
        if (web->clients[i] == client)
            web->clients[i] = NULL;
    watch_listener(board);
}

void web_restart_after(struct board *board, int64_t delay_us)
{
    timer_start(board->sim->loop, &board->web.restart, delay_us);
}
