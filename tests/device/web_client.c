/* Reads byte by byte but for a file's content, so that nothing is read beyond what the server acts
 * on. One timer is enough: a client is waited for, or made to wait. */
#include "web_client.h"

#include "board.h"
#include "event.h"
#include "silence.h"
#include "web_auth.h"
#include "web_page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    READ_SIZE = 2048,
    READ_ALL = 8192,
    READS_PER_TURN = 512,
    DRAIN_US = 1000000,
    KEEP_ALIVE_US = 2000000
};

static void silent_too_long(void *owner);
static void client_ready(void *owner, uint32_t events);

const struct web_server *client_server(const struct web_client *client)
{
    return server_of(client->board);
}

/* After an entry from the loop: frees a client that was closed meanwhile. */
static void free_if_closed(struct web_client *client)
{
    if (client->fd < 0 && !client->left_behind)
        web_client_free(client);
}

static void watch_client(struct web_client *client, uint32_t events)
{
    struct loop *loop = client->board->sim->loop;
    if (client->watch.fd >= 0)
        watch_want(loop, &client->watch, events);
    else if (events)
        watch_add(loop, &client->watch, client->fd, events);
}

static void client_after(struct web_client *client, int64_t delay_us, void (*then)(void *))
{
    client->timer.expired = then;
    timer_start(client->board->sim->loop, &client->timer, delay_us);
}

static void enter_phase(struct web_client *client, enum client_phase phase)
{
    static const uint32_t events[] = {
        [CLIENT_HEAD] = EPOLLIN,     [CLIENT_BODY] = EPOLLIN,      [CLIENT_BUSY] = 0,
        [CLIENT_HELD] = EPOLLRDHUP,  [CLIENT_REPLYING] = EPOLLOUT, [CLIENT_ENDING] = EPOLLRDHUP,
        [CLIENT_DRAINING] = EPOLLIN,
    };
    client->phase = phase;
    timer_stop(client->board->sim->loop, &client->timer);
    watch_client(client, events[phase]);
}

struct web_client *web_client_start(struct board *board, int fd)
{
    struct web_client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;

    client->board = board;
    client->fd = fd;
    client->number = ++board->web.connections;
    client->watch = (struct watch){.ready = client_ready, .owner = client, .fd = -1};
    client->timer = (struct timer){.owner = client};
    enter_phase(client, CLIENT_HEAD);
    client_after(client, client_server(client)->silence_us, silent_too_long);
    return client;
}

void web_client_free(struct web_client *client)
{
    timer_stop(client->board->sim->loop, &client->timer);
    watch_remove(client->board->sim->loop, &client->watch);
    free(client->out);
    free(client);
}

void web_client_leave_behind(struct web_client *client)
{
    if (client->left_behind)
        return;
    timer_stop(client->board->sim->loop, &client->timer);
    watch_remove(client->board->sim->loop, &client->watch);
    client->fd = silence_begin(client->fd);
    client->left_behind = true;
}

void web_client_close(struct web_client *client, bool reset)
{
    const struct linger abort = {.l_onoff = 1};
    struct board *board = client->board;

    if (client->fd < 0 || client->left_behind)
        return;
    timer_stop(board->sim->loop, &client->timer);
    watch_remove(board->sim->loop, &client->watch);
    if (reset)
        setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    close(client->fd);
    client->fd = -1;
    page_client_left(client);
    web_forget(board, client);
}

static void close_client(void *owner)
{
    struct web_client *client = owner;
    web_client_close(client, false);
    free_if_closed(client);
}

void web_client_hold(struct web_client *client)
{
    enter_phase(client, CLIENT_HELD);
}

/* The reply. */

static void end_and_restart(void *owner)
{
    struct web_client *client = owner;
    web_restart_after(client->board, client->restart_after_us);
    close_client(client);
}

static void await_next_request(struct web_client *client)
{
    client->head_length = 0;
    enter_phase(client, CLIENT_HEAD);
    client_after(client, KEEP_ALIVE_US, silent_too_long);
}

static void replied(struct web_client *client)
{
    const struct web_server *server = client_server(client);
    bool restarts = client->restart_after_us >= 0;

    if (restarts && client->fin_after_us >= 0) {
        enter_phase(client, CLIENT_ENDING);
        client_after(client, client->fin_after_us, end_and_restart);
        return;
    }
    if (restarts)
        web_restart_after(client->board, client->restart_after_us);

    if (client->fin_after_us >= 0) {
        web_client_close(client, false);
    } else if (server->keeps_alive && client->request.keeps_alive) {
        await_next_request(client);
    } else if (server->end_us > 0) {
        enter_phase(client, CLIENT_ENDING);
        client_after(client, server->end_us, close_client);
    } else {
        shutdown(client->fd, SHUT_WR);
        enter_phase(client, CLIENT_DRAINING);
        client_after(client, DRAIN_US, close_client);
    }
}

static void send_out(struct web_client *client)
{
    while (client->out_sent < client->out_length) {
        ssize_t sent = send(client->fd, client->out + client->out_sent,
                            client->out_length - client->out_sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0) {
            web_client_close(client, false);
            return;
        }
        client->out_sent += (size_t)sent;
    }
    replied(client);
}

void web_client_send(struct web_client *client, const void *bytes, size_t length)
{
    free(client->out);
    client->out = malloc(length + 1);
    client->out_length = client->out ? length : 0;
    client->out_sent = 0;
    if (client->out)
        memcpy(client->out, bytes, length);
    enter_phase(client, CLIENT_REPLYING);
    send_out(client);
}

void web_client_say_nothing(struct web_client *client)
{
    enter_phase(client, CLIENT_ENDING);
    client_after(client, client_server(client)->end_us, close_client);
}

void web_client_challenge(struct web_client *client)
{
    char header[HEAD_VALUE];
    const struct web_server *server = client_server(client);
    struct answer answer = {.status = 401, .type = "text/html", .headers = header, .body = ""};

    if (server->is_async)
        answer.type = NULL;
    size_t used = 0;
    const struct page *page = client->board->sim->config->web.page;
    if (page->challenge_has_headers && strcmp(client->request.method, "POST") == 0)
        used = (size_t)snprintf(header, sizeof header, "%s", page->headers);
    if (!server->is_async && !server->serves_one)
        used = (size_t)snprintf(header, sizeof header, "Connection: keep-alive\r\n");
    auth_challenge(client, header + used, sizeof header - used);
    page_answer(client, &answer);
}

/* The request. */

static const char *yes(bool is)
{
    return is ? "yes" : "no";
}

static void say_request(const struct web_client *client, const char *scheme)
{
    const struct http_request *request = &client->request;
    char path[ESCAPED_ROOM], query[ESCAPED_ROOM], host[ESCAPED_ROOM], origin[ESCAPED_ROOM];
    char referer[ESCAPED_ROOM], length[24] = "none";

    if (request->has_length)
        snprintf(length, sizeof length, "%llu", (unsigned long long)request->length);
    board_event(
        client->board,
        "request connection=%u number=%u method=%s path=%s query=%s authorised=%s scheme=%s "
        "length=%s chunked=%s expect=%s close=%s host=%s origin=%s referer=%s",
        client->number, client->requests, request->method,
        event_value(request->path, strlen(request->path), path),
        event_quoted(request->query, strlen(request->query), query), yes(client->is_allowed),
        scheme, length, yes(request->is_chunked), yes(request->expects), yes(!request->keeps_alive),
        event_quoted(request->host, strlen(request->host), host),
        event_quoted(request->origin, strlen(request->origin), origin),
        event_quoted(request->referer, strlen(request->referer), referer));
}

static void begin_body(struct web_client *client)
{
    const struct http_request *request = &client->request;

    client->body_read = 0;
    client->body_end = request->length;
    client->is_form =
        !page_takes_raw(client) && strncmp(request->content_type, "multipart/", 10) == 0;
    if (client->is_form)
        form_begin(&client->form, client_server(client)->manner, request->content_type,
                   &page_form_events, client);
    enter_phase(client, CLIENT_BODY);
}

static void judge_body(struct web_client *client);

static void take_head(struct web_client *client)
{
    const char *scheme = "none";

    client->requests++;
    client->has_file = client->writes = client->installed = client->skips_validation = false;
    client->md5[0] = '\0';
    client->plain_length = client->start_length = 0;
    client->fin_after_us = client->restart_after_us = -1;
    if (!http_request_read(&client->request, client->head, client->head_length)) {
        web_client_close(client, false);
        return;
    }

    client->is_allowed = auth_check(client, &scheme);
    say_request(client, scheme);
    if (!page_begins(client))
        return;

    begin_body(client);
    judge_body(client);
}

static void say_body(const struct web_client *client)
{
    char boundary[ESCAPED_ROOM];
    const struct form *form = &client->form;
    const char *tail = form->state == FORM_DONE && !form->timed_out ? "crlf" : "none";

    board_event(client->board, "body bytes=%llu boundary=%s tail=%s",
                (unsigned long long)client->body_read,
                event_value(form->delimiter + 4, form->delimiter_length - 4, boundary), tail);
}

static bool has_whole_body(const struct web_client *client)
{
    if (client->is_form && client_server(client)->serves_one)
        return client->form.state == FORM_DONE;
    return client->body_read >= client->body_end;
}

/* Replies if the body is complete, else goes on reading. */
static void judge_body(struct web_client *client)
{
    const struct web_server *server = client_server(client);
    bool by_lines = client->is_form && server->serves_one;
    bool posted = strcmp(client->request.method, "POST") == 0;

    if (client->is_form && posted && has_whole_body(client) && client->body_read > 0)
        say_body(client);
    if (by_lines && posted && client->form.state == FORM_BROKEN)
        web_client_close(client, false);
    else if (!posted || has_whole_body(client))
        page_finish(client);
    else if (!by_lines || client->form.state != FORM_FILE)
        client_after(client, server->silence_us, silent_too_long);
}

/* ESPAsyncWebServer believes that after the closing boundary's first hyphen three bytes are
 * left. */
static void correct_length(struct web_client *client)
{
    if (client_server(client)->is_async && client->is_form && client->form.closing_at > 0)
        client->body_end = client->form.closing_at + 3;
}

static bool has_due_fault(const struct web_client *client)
{
    const struct board *board = client->board;
    return board->web.uploader == client && client->writes &&
           upload_next_fault(board) == board->upload.received;
}

static bool is_reading(const struct web_client *client)
{
    return client->fd >= 0 && !client->left_behind &&
           (client->phase == CLIENT_HEAD || client->phase == CLIENT_BODY);
}

/* Runs when what was read is in flash, or after a pause. */
static void go_on(void *owner)
{
    struct web_client *client = owner;

    enter_phase(client, CLIENT_BODY);
    if (!(has_due_fault(client) && upload_faults(client->board)) && is_reading(client))
        judge_body(client);
    free_if_closed(client);
}

void web_client_pause(struct web_client *client, int64_t us)
{
    enter_phase(client, CLIENT_BUSY);
    client_after(client, us, go_on);
}

static void keep_plain(struct web_client *client, const char *bytes, size_t length)
{
    size_t room = sizeof client->plain - 1 - client->plain_length;

    length = length < room ? length : room;
    memcpy(client->plain + client->plain_length, bytes, length);
    client->plain_length += length;
    client->plain[client->plain_length] = '\0';
}

static void take_body(struct web_client *client, const char *bytes, size_t length)
{
    static const char go_ahead[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (client->body_read == 0 && client->request.expects && client_server(client)->is_async)
        (void)send(client->fd, go_ahead, strlen(go_ahead), MSG_NOSIGNAL);
    upload_clamp(client->board, client->fd);
    timer_stop(client->board->sim->loop, &client->timer);
    client->cost_us = 0;
    client->body_read += length;
    if (client->is_form)
        form_feed(&client->form, bytes, length);
    else if (page_takes_raw(client))
        page_raw_data(client, bytes, length);
    else
        keep_plain(client, bytes, length);
    correct_length(client);

    if (!is_reading(client) || (has_due_fault(client) && upload_faults(client->board)))
        return;
    if (client->cost_us > 0)
        web_client_pause(client, client->cost_us);
    else
        judge_body(client);
}

static void take_head_byte(struct web_client *client, char byte)
{
    client->head[client->head_length++] = byte;
    client_after(client, client_server(client)->silence_us, silent_too_long);
    if (client->head_length >= 4 &&
        memcmp(client->head + client->head_length - 4, "\r\n\r\n", 4) == 0)
        take_head(client);
    else if (client->head_length == HEAD_ROOM)
        web_client_close(client, false);
}

/* lwIP opens its window again for each part that is read, Linux only once it has doubled. So parts
 * between which no time passes are read at once; otherwise senders would wait. */
static size_t longest_read(const struct web_client *client)
{
    const struct flash_cost *flash = &client->board->sim->config->flash;
    bool takes_time = flash->sector_erase_us || flash->block_erase_us || flash->write_us;

    return takes_time ? READ_SIZE : READ_ALL;
}

static size_t read_limit(const struct web_client *client)
{
    size_t limit = longest_read(client);
    size_t fault = SIZE_MAX;

    if (client->phase == CLIENT_HEAD || (client->is_form && client->form.state != FORM_FILE))
        return 1;
    if (client->board->web.uploader == client && client->writes)
        fault = upload_next_fault(client->board) - client->board->upload.received;
    if (!(client->is_form && client_server(client)->serves_one) &&
        limit > client->body_end - client->body_read)
        limit = (size_t)(client->body_end - client->body_read);
    return limit < fault ? limit : fault;
}

static void read_client(struct web_client *client)
{
    for (int i = 0; i < READS_PER_TURN && is_reading(client); i++) {
        char bytes[READ_ALL];
        ssize_t length = recv(client->fd, bytes, read_limit(client), 0);

        if (length < 0 && errno == EAGAIN)
            return;
        if (length <= 0)
            web_client_close(client, false);
        else if (client->phase == CLIENT_HEAD)
            take_head_byte(client, bytes[0]);
        else
            take_body(client, bytes, (size_t)length);
    }
}

static void silent_too_long(void *owner)
{
    struct web_client *client = owner;
    bool reads_lines =
        client->phase == CLIENT_BODY && client->is_form && client_server(client)->serves_one;

    if (reads_lines) {
        form_timed_out(&client->form);
        judge_body(client);
    } else {
        web_client_close(client, false);
    }
    free_if_closed(client);
}

static void drain(struct web_client *client)
{
    char bytes[READ_SIZE];
    ssize_t length;

    do
        length = recv(client->fd, bytes, sizeof bytes, 0);
    while (length > 0);
    if (length == 0 || errno != EAGAIN)
        web_client_close(client, false);
}

static void client_ready(void *owner, uint32_t events)
{
    struct web_client *client = owner;
    bool gone = (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0;

    if (is_reading(client))
        read_client(client);
    else if (client->phase == CLIENT_REPLYING)
        send_out(client);
    else if (client->phase == CLIENT_DRAINING)
        drain(client);
    else if (gone && client->phase != CLIENT_BUSY && client->restart_after_us < 0)
        web_client_close(client, false);
    else /* cannot be masked; a timer goes on, and finds it */
        watch_remove(client->board->sim->loop, &client->watch);
    free_if_closed(client);
}
