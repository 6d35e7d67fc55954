/* The OTA loop runs once a second: three seconds after the command it tries first, and two after
 * each failure again, four times in all. Only a reply that ends in an image, or 304, ends it with a
 * restart. */
#include "web_pull.h"

#include "board.h"
#include "event.h"
#include "web_page.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ATTEMPTS = 4, START_S = 3, AGAIN_S = 2, RESTART_S = 3, SILENCE_S = 8 };
enum { PATH_ROOM = 160, READ_ROOM = 1460, STATUS_UNCHANGED = 304, STATUS_OK = 200 };

static struct pull *pull_of(struct board *board)
{
    return &board->web.pull;
}

static bool pulls_as_esp32(const struct board *board)
{
    return board->sim->config->family.lineage == LINEAGE_ESP32;
}

/* Runs then(board) after some rounds of the OTA loop. */
static void pull_after(struct board *board, unsigned seconds, void (*then)(void *board))
{
    const int64_t second_us = board->sim->config->web.is_hasty ? 100000 : 1000000;

    pull_of(board)->timer.expired = then;
    timer_start(board->sim->loop, &pull_of(board)->timer, (int64_t)seconds * second_us);
}

static void disconnect(struct board *board)
{
    struct pull *pull = pull_of(board);

    watch_remove(board->sim->loop, &pull->watch);
    if (pull->fd >= 0)
        close(pull->fd);
    pull->fd = -1;
}

/* -- how an attempt ends -- */

static void try_pull(void *owner);

static void restart_after_pull(void *owner)
{
    struct board *board = owner;
    struct web *web = &board->web;

    if (*web->pull.next_md5) {
        memcpy(web->pull.sketch_md5, web->pull.next_md5, sizeof web->pull.sketch_md5);
        web->is_safeboot = false;
    }
    board_restart(board);
}

static void end_pull(struct board *board)
{
    struct pull *pull = pull_of(board);

    disconnect(board);
    pull->attempts = 0;
    pull_after(board, RESTART_S, restart_after_pull);
}

static void fail_pull(struct board *board, const char *reason)
{
    char escaped[ESCAPED_ROOM];
    struct pull *pull = pull_of(board);

    disconnect(board);
    timer_stop(board->sim->loop, &pull->timer);
    updater_abort(board, "pull failed");
    pull->attempts--;
    board_event(board, "pull result=failed reason=%s left=%u",
                event_quoted(reason, strlen(reason), escaped), pull->attempts);
    if (pull->attempts > 0)
        pull_after(board, AGAIN_S, try_pull);
}

static void on_silence(void *owner)
{
    fail_pull(owner, "silence");
}

static void await_bytes(struct board *board)
{
    watch_want(board->sim->loop, &pull_of(board)->watch, EPOLLIN);
    pull_after(board, SILENCE_S, on_silence);
}

/* -- the image -- */

/* Of a packed image this is not the MD5 of the sketch that starts; it matches no image then. */
static void finish_image(struct board *board)
{
    struct pull *pull = pull_of(board);

    if (!updater_end(board)) {
        fail_pull(board, board->web.updater.error);
        return;
    }
    memcpy(pull->next_md5, board->invitation.md5, sizeof board->invitation.md5);
    board_event(board, "pull result=ok");
    end_pull(board);
}

static void go_on_reading(void *owner)
{
    struct board *board = owner;

    if (pull_of(board)->left == 0)
        finish_image(board);
    else
        await_bytes(board);
}

static bool has_good_start(const struct board *board, uint8_t first)
{
    return first == 0xe9 || (first == 0x1f && !pulls_as_esp32(board));
}

/* Reads nothing while the flash is written. */
static void write_bytes(struct board *board, const char *bytes, size_t length)
{
    struct pull *pull = pull_of(board);
    int64_t cost_us = 0;

    if (board->upload.received == 0 && !has_good_start(board, (uint8_t)bytes[0])) {
        fail_pull(board, "Verify Bin Header Failed");
        return;
    }
    updater_write(board, bytes, length, &cost_us);
    pull->left -= length;
    if (!board->web.updater.is_running) {
        fail_pull(board, board->web.updater.error);
        return;
    }
    if (upload_next_fault(board) == board->upload.received && upload_faults(board))
        return;

    watch_want(board->sim->loop, &pull->watch, 0);
    pull->timer.expired = go_on_reading;
    timer_start(board->sim->loop, &pull->timer, cost_us);
}

bool pull_apply_fault(struct board *board, const struct fault *fault)
{
    switch (fault->kind) {
    case FAULT_RESET:
    case FAULT_CLOSE:
        fail_pull(board, "connection lost");
        return true;
    case FAULT_STALL:
        watch_want(board->sim->loop, &pull_of(board)->watch, 0);
        timer_stop(board->sim->loop, &pull_of(board)->timer);
        return true;
    case FAULT_CRASH:
        upload_crash(board);
        return true;
    case FAULT_ERROR:
        updater_fail(board, fault->text);
        fail_pull(board, fault->text);
        return true;
    default:
        return false;
    }
}

/* -- the reply -- */

/* The value of a header, which ends with its line; NULL if there is none. */
static const char *find_header(const char *head, const char *name)
{
    const size_t length = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':')
            return line + 3 + length + strspn(line + 3 + length, " ");
    return NULL;
}

static void begin_image(struct board *board)
{
    struct pull *pull = pull_of(board);
    const char *size = find_header(pull->head, "Content-Length");
    const char *md5 = find_header(pull->head, "x-MD5");
    char expected[MD5_ROOM] = "";

    if (!size || !isdigit((unsigned char)*size)) {
        fail_pull(board, "Server Did Not Report Size");
        return;
    }
    if (md5 && strcspn(md5, "\r") == MD5_HEX)
        memcpy(expected, md5, MD5_HEX);
    pull->left = strtoul(size, NULL, 10);
    pull->is_body = true;
    if (!updater_begin(board, pull->left, false, *expected ? expected : NULL))
        fail_pull(board, "Not Enough space");
    else
        await_bytes(board);
}

static void judge_head(struct board *board)
{
    struct pull *pull = pull_of(board);
    const char *status = strchr(pull->head, ' ');
    const int number = status ? (int)strtol(status, NULL, 10) : 0;

    board_event(board, "pull reply=%d", number);
    if (strncmp(pull->head, "HTTP/1.", 7) != 0)
        fail_pull(board, "no HTTP");
    else if (number == STATUS_UNCHANGED)
        end_pull(board);
    else if (number != STATUS_OK)
        fail_pull(board, "Wrong HTTP Code");
    else
        begin_image(board);
}

static void take_head(struct board *board, char byte)
{
    struct pull *pull = pull_of(board);

    pull->head[pull->head_length++] = byte;
    pull->head[pull->head_length] = '\0';
    if (pull->head_length >= 4 && strcmp(pull->head + pull->head_length - 4, "\r\n\r\n") == 0)
        judge_head(board);
    else if (pull->head_length == sizeof pull->head - 1)
        fail_pull(board, "long head");
}

static void read_reply(struct board *board)
{
    struct pull *pull = pull_of(board);
    char bytes[READ_ROOM];
    size_t room = 1;

    if (pull->is_body) {
        const size_t fault = upload_next_fault(board) - board->upload.received;
        room = pull->left < sizeof bytes ? pull->left : sizeof bytes;
        room = room < fault ? room : fault;
    }
    const ssize_t length = recv(pull->fd, bytes, room, 0);
    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0)
        fail_pull(board, "connection lost");
    else if (!pull->is_body)
        take_head(board, bytes[0]);
    else
        write_bytes(board, bytes, (size_t)length);
}

/* -- the request -- */

/* The MAC address with colons, and in upper case. */
static void write_mac(const struct board *board, char text[HEX_ROOM])
{
    char digits[HEX_ROOM];
    size_t length = 0;

    page_mac(board, digits);
    for (size_t i = 0; i < 12; i++) {
        if (i > 0 && i % 2 == 0)
            text[length++] = ':';
        if (digits[i] >= 'a')
            text[length++] = "ABCDEF"[digits[i] - 'a'];
        else
            text[length++] = digits[i];
    }
    text[length] = '\0';
}

/* http://ADDRESS[:PORT]/PATH. False if it is anything else. */
static bool read_url(const char *url, struct address *to, char path[PATH_ROOM])
{
    static const char scheme[] = "http://";
    char host[PULL_URL_ROOM];
    const char *begin = url + sizeof scheme - 1;
    unsigned port = 80;

    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    snprintf(path, PATH_ROOM, "%s", begin + strcspn(begin, "/"));
    snprintf(host, sizeof host, "%.*s", (int)strcspn(begin, "/"), begin);

    char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');
    if (colon && colon > bracket) {
        port = (unsigned)strtoul(colon + 1, NULL, 10);
        *colon = '\0';
    }
    if (bracket)
        *bracket = '\0';
    if (!address_parse(to, host + (bracket != NULL)))
        return false;
    address_set_port(to, (uint16_t)port);
    return true;
}

static void send_request(struct board *board)
{
    const struct config *config = board->sim->config;
    struct pull *pull = pull_of(board);
    char host[ADDRESS_TEXT], mac[HEX_ROOM], path[PATH_ROOM], text[2048];
    const char *family = pulls_as_esp32(board) ? "ESP32" : "ESP8266";
    struct address to;

    read_url(pull->url, &to, path);
    write_mac(board, mac);
    const int length = snprintf(
        text, sizeof text,
        "GET %s%s HTTP/1.0\r\nHost: %s\r\nUser-Agent: %s-http-Update\r\nConnection: close\r\n"
        "x-%s-STA-MAC: %s\r\nx-%s-AP-MAC: %s\r\nx-%s-free-space: %zu\r\nx-%s-sketch-size: "
        "616000\r\n"
        "x-%s-sketch-md5: %s\r\nx-%s-chip-size: 4194304\r\nx-%s-sdk-version: 2.2.2-dev\r\n"
        "x-%s-mode: sketch\r\nx-%s-version: %s(%s)\r\n%s\r\n",
        path, pull->attempts == 1 && !pulls_as_esp32(board) && !strstr(path, ".gz") ? ".gz" : "",
        address_text(&to, host), family, family, mac, family, mac, family, config->family.capacity,
        family, family, pull->sketch_md5, family, family, family, family, page_version(board),
        board->web.is_safeboot ? "safeboot" : "tasmota",
        pulls_as_esp32(board) ? "" : "Content-Length: 0\r\n");

    if (send(pull->fd, text, (size_t)length, MSG_NOSIGNAL) != length)
        fail_pull(board, "connection lost");
    else
        await_bytes(board);
}

static void pull_ready(void *owner, uint32_t events)
{
    struct board *board = owner;
    struct pull *pull = pull_of(board);
    int error = 0;
    socklen_t length = sizeof error;

    if (pull->watch.events & EPOLLOUT) {
        getsockopt(pull->fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error)
            fail_pull(board, strerror(error));
        else
            send_request(board);
    } else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
        read_reply(board);
    }
}

static bool connect_pull(struct board *board, const struct address *to)
{
    struct pull *pull = pull_of(board);
    struct address from = board->address;

    address_set_port(&from, 0);
    pull->fd = address_bind(&from, SOCK_STREAM);
    if (pull->fd < 0)
        return false;
    upload_set_window(board, pull->fd);
    return (connect(pull->fd, (const struct sockaddr *)&to->storage, to->length) == 0 ||
            errno == EINPROGRESS) &&
           watch_add(board->sim->loop, &pull->watch, pull->fd, EPOLLOUT);
}

/* With one partition for the firmware, the recovery firmware fetches the image. */
static bool leaves_it_to_safeboot(struct board *board)
{
    struct web *web = &board->web;

    if (!board->sim->config->web.has_safeboot || web->is_safeboot)
        return false;
    web->is_safeboot = true;
    web->pull.is_inherited = true;
    board_restart(board);
    return true;
}

static void try_pull(void *owner)
{
    struct board *board = owner;
    struct pull *pull = pull_of(board);
    char path[PATH_ROOM], escaped[ESCAPED_ROOM];
    struct address to;

    if (board_fault(board, FAULT_NEVER_CONNECT)) {
        pull->attempts = 0;
        return;
    }
    if (leaves_it_to_safeboot(board))
        return;

    board_event(board, "pull url=%s", event_quoted(pull->url, strlen(pull->url), escaped));
    pull->is_body = false;
    pull->head_length = 0;
    if (!read_url(pull->url, &to, path))
        fail_pull(board, "no such host");
    else if (!connect_pull(board, &to))
        fail_pull(board, strerror(errno));
    else
        pull_after(board, SILENCE_S, on_silence);
}

void pull_upgrade(struct board *board)
{
    pull_of(board)->attempts = ATTEMPTS;
    pull_after(board, START_S, try_pull);
}

/* -- the life of the board -- */

void pull_set_up(struct board *board)
{
    static const char first[] = "http://ota.tasmota.com/tasmota/release/tasmota.bin.gz";
    struct pull *pull = pull_of(board);
    const char *url = board->sim->config->web.ota_url;

    pull->fd = -1;
    pull->watch = (struct watch){.ready = pull_ready, .owner = board, .fd = -1};
    pull->timer = (struct timer){.owner = board};
    snprintf(pull->url, sizeof pull->url, "%s", url ? url : first);
    memcpy(pull->saved_url, pull->url, sizeof pull->url);
    md5_hex("the first sketch", 16, pull->sketch_md5);
}

void pull_come_back(struct board *board)
{
    struct pull *pull = pull_of(board);

    if (pull->is_inherited)
        pull_upgrade(board);
    pull->is_inherited = false;
}

/* The recovery firmware saves no settings. */
void pull_leave(struct board *board)
{
    struct pull *pull = pull_of(board);

    disconnect(board);
    timer_stop(board->sim->loop, &pull->timer);
    pull->attempts = 0;
    pull->next_md5[0] = '\0';
    if (board->web.is_safeboot && !pull->is_inherited)
        memcpy(pull->url, pull->saved_url, sizeof pull->url);
    else
        memcpy(pull->saved_url, pull->url, sizeof pull->url);
}

void pull_abandon(struct board *board)
{
    disconnect(board);
    timer_stop(board->sim->loop, &pull_of(board)->timer);
}
