/* The sketch server of JAndrassy's ArduinoOTA: it compares the request's first line and the names
 * of two headers byte by byte, and takes a body without any form. It flushes the body of a request
 * that it rejects before it answers, and says OK to whatever has the announced length. */
#include "board.h"
#include "event.h"
#include "web_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_ROOM = 1024, PAIR_ROOM = 512, SKETCH_REPLY_ROOM = 256, FIN_US = 500000 };

struct literal {
    char first[LINE_ROOM];
    char authorization[LINE_ROOM];
    long length; /* -1: no such header */
};

/* Copies a line without blanks around it, as String::trim() does. */
static void copy_line(char line[LINE_ROOM], const char *from, size_t length)
{
    while (length > 0 && (from[length - 1] == '\r' || from[length - 1] == ' '))
        length--;
    snprintf(line, LINE_ROOM, "%.*s", (int)length, from);
}

static void read_literally(struct literal *literal, const char *head, size_t length)
{
    static const char size[] = "Content-Length: ", secret[] = "Authorization: ";
    const char *end = head + length;
    bool is_first = true;

    *literal = (struct literal){.length = -1};
    while (head < end) {
        char line[LINE_ROOM];
        const char *line_end = memchr(head, '\n', (size_t)(end - head));

        copy_line(line, head, (size_t)((line_end ? line_end : end) - head));
        if (is_first)
            memcpy(literal->first, line, sizeof line);
        else if (strncmp(line, size, strlen(size)) == 0)
            literal->length = strtol(line + strlen(size), NULL, 10);
        else if (strncmp(line, secret, strlen(secret)) == 0)
            snprintf(literal->authorization, LINE_ROOM, "%s", line + strlen(secret));
        is_first = false;
        head = line_end ? line_end + 1 : end;
    }
}

/* There is always a password; it may be empty. */
static bool is_right_password(const struct board *board, const char *authorization)
{
    char pair[PAIR_ROOM], wanted[2 * PAIR_ROOM] = "Basic ";
    int length = snprintf(pair, sizeof pair, "arduino:%s", board->sim->config->web.password);

    base64_text(pair, (size_t)length, wanted + strlen(wanted));
    return strcmp(authorization, wanted) == 0;
}

static void say_sketch(struct web_client *client, int status, const char *text)
{
    char reply[SKETCH_REPLY_ROOM], escaped[ESCAPED_ROOM];
    const struct fault *cut = board_fault(client->board, FAULT_TRUNCATE_REPLY);
    int length = snprintf(reply, sizeof reply,
                          "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-type: text/plain\r\n"
                          "Content-length: %zu\r\n\r\n%s",
                          status, text, strlen(text), text);

    if (cut && client->writes && cut->number < (uint64_t)length) {
        length = (int)cut->number;
        client->fin_after_us = 0;
    }
    board_event(client->board, "response connection=%u status=%d text=%s", client->number, status,
                event_quoted(text, strlen(text), escaped));
    web_client_send(client, reply, (size_t)length);
}

/* Answers when the body has been flushed. */
static bool reject(struct web_client *client, int status, const char *text)
{
    client->reply_status = status;
    client->reply_text = text;
    if (client->request.length > 0)
        return true;
    say_sketch(client, status, text);
    return false;
}

static bool sketch_begins(struct web_client *client)
{
    struct board *board = client->board;
    bool is_esp = strcmp(board->sim->config->family.name, "samd") != 0;
    struct literal literal;

    read_literally(&literal, client->head, client->head_length);
    client->reply_status = 0;
    client->request.length = literal.length > 0 ? (uint64_t)literal.length : 0;
    bool is_data = is_esp && strcmp(literal.first, "POST /data HTTP/1.1") == 0;
    if (!is_data && strcmp(literal.first, "POST /sketch HTTP/1.1") != 0)
        return reject(client, 404, "Not Found");
    if (!is_right_password(board, literal.authorization))
        return reject(client, 401, "Unauthorized");
    if (literal.length <= 0)
        return reject(client, 400, "Bad Request");
    if (!updater_begin(board, (size_t)literal.length, is_data, NULL))
        return reject(client, 500, "Internal Server Error");
    client->has_file = client->writes = true;
    board->web.uploader = client;
    return true;
}

static void sketch_raw(struct web_client *client, const void *bytes, size_t length)
{
    if (client->writes)
        updater_write(client->board, bytes, length, &client->cost_us);
}

static bool sketch_finish(struct web_client *client)
{
    struct board *board = client->board;

    if (client->reply_status) {
        say_sketch(client, client->reply_status, client->reply_text);
        return true;
    }
    client->installed = updater_end(board);
    if (client->installed && page_withholds_reply(client))
        return true;
    if (client->installed)
        board_counts_success(board);
    client->fin_after_us = FIN_US;
    client->restart_after_us = board->sim->config->web.restart_us;
    say_sketch(client, 200, "OK");
    return true;
}

const struct page_hooks sketch_hooks = {
    .begins = sketch_begins, .raw = sketch_raw, .finish = sketch_finish};
