/* Composes replies: each server has its own order of headers. */
#include "board.h"
#include "event.h"
#include "web_page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPLY_HEAD = 4096, CHUNK_ROOM = 64, TEXT_ROOM = 4096 };

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {302, "Found"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {404, "Not Found"},
        {411, "Length Required"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

struct reply_text {
    size_t length;
    char text[REPLY_HEAD];
};

static void append(struct reply_text *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append(struct reply_text *reply, const char *format, ...)
{
    va_list arguments;
    size_t room = sizeof reply->text - reply->length;

    va_start(arguments, format);
    int length = vsnprintf(reply->text + reply->length, room, format, arguments);
    va_end(arguments);
    reply->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void append_type(struct reply_text *reply, const struct answer *answer)
{
    if (answer->type)
        append(reply, "Content-Type: %s\r\n", answer->type);
}

static void append_length(struct reply_text *reply, const struct answer *answer, size_t length)
{
    if (answer->chunked)
        append(reply, "Transfer-Encoding: chunked\r\n");
    else
        append(reply, "Content-Length: %zu\r\n", length);
}

static void append_as_async(struct reply_text *reply, const struct web_client *client,
                            const struct answer *answer, size_t length)
{
    append(reply, "Connection: close\r\n%s%s", answer->headers ? answer->headers : "",
           client->request.is_1_0 ? "" : "Accept-Ranges: none\r\n");
    append_length(reply, answer, length);
    append_type(reply, answer);
}

static void append_as_idf(struct reply_text *reply, const struct answer *answer, size_t length)
{
    append_type(reply, answer);
    append_length(reply, answer, length);
    append(reply, "%s", answer->headers ? answer->headers : "");
}

static void append_as_core(struct reply_text *reply, const struct web_client *client,
                           const struct answer *answer, size_t length)
{
    const struct board *board = client->board;
    bool keeps = client_server(client)->keeps_alive && client->request.keeps_alive;
    char hardware[HEX_ROOM];

    append_type(reply, answer);
    append(reply, "%s", answer->headers ? answer->headers : "");
    if (board->sim->config->web.page->names_server)
        append(reply, "Server: Tasmota/%s (%s)\r\n", page_version(board),
               page_hardware(board, hardware));
    append_length(reply, answer, length);
    append(reply, "Connection: %s\r\n%s", keeps ? "keep-alive" : "close",
           keeps ? "Keep-Alive: timeout=2000\r\n" : "");
}

static void append_headers(struct reply_text *reply, const struct web_client *client,
                           const struct answer *answer, size_t length)
{
    const struct web_server *server = client_server(client);

    if (server->is_async)
        append_as_async(reply, client, answer, length);
    else if (server->serves_one)
        append_as_core(reply, client, answer, length);
    else
        append_as_idf(reply, answer, length);
    append(reply, "\r\n");
}

/* Adds the body at text, which has room; returns its length there. */
static size_t add_body(char *text, const struct answer *answer, size_t length)
{
    size_t used = 0;

    if (answer->chunked)
        used = (size_t)snprintf(text, CHUNK_ROOM, "%zx\r\n", length);
    memcpy(text + used, answer->body, length);
    used += length;
    if (answer->chunked)
        used += (size_t)snprintf(text + used, CHUNK_ROOM / 2, "\r\n0\r\n\r\n");
    return used;
}

void page_answer(struct web_client *client, const struct answer *answer)
{
    struct reply_text head = {.length = 0};
    char escaped[ESCAPED_ROOM];
    size_t length = answer->length > 0 ? answer->length : strlen(answer->body);
    const char *method = client->request.method;
    const struct fault *cut = NULL;

    append(&head, "HTTP/1.%c %d %s\r\n", client->request.is_1_0 ? '0' : '1', answer->status,
           reason_of(answer->status));
    append_headers(&head, client, answer, length);
    char *text = malloc(head.length + length + CHUNK_ROOM);
    if (!text) {
        web_client_close(client, true);
        return;
    }
    memcpy(text, head.text, head.length);
    size_t all = head.length + add_body(text + head.length, answer, length);

    if (strcmp(method, "POST") == 0 && (cut = board_fault(client->board, FAULT_TRUNCATE_REPLY)) &&
        cut->number < all) {
        all = (size_t)cut->number;
        client->fin_after_us = 0;
    }
    board_event(client->board, "response connection=%u status=%d text=%s", client->number,
                answer->status, event_quoted(answer->body, length, escaped));
    web_client_send(client, text, all);
    free(text);
}

void page_say(struct web_client *client, int status, const char *type, const char *headers,
              const char *format, ...)
{
    char body[TEXT_ROOM];
    const struct answer answer = {status, type, headers, body, 0, false};

    va_list arguments;
    va_start(arguments, format);
    vsnprintf(body, sizeof body, format, arguments);
    va_end(arguments);
    page_answer(client, &answer);
}
