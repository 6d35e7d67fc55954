/* A board reads at the pace of its flash, and a library supports only a part of HTTP: a length, no
 * chunks, no redirect, no "100 Continue". The status and the headers are read as the HTTPClient of
 * the Arduino cores reads them. */
#include "fetch.h"

#include "board.h"
#include "event.h"
#include "fetcher.h"
#include "silence.h"
#include "web_page.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { READ_ROOM = 1460, REQUEST_ROOM = 2048, VALUE_ROOM = 512, PATH_ROOM = 200, HTTP_PORT = 80 };
enum { CHIP_SIZE = 4 << 20 };

static struct fetch *fetch_of(struct board *board)
{
    return &board->fetch;
}

static const struct fetcher *fetcher_of(const struct board *board)
{
    return board->fetch.request.fetcher;
}

static bool is_esp32(const struct board *board)
{
    return board->sim->config->family.lineage == LINEAGE_ESP32;
}

/* -- how it ends -- */

static void disconnect(struct board *board)
{
    struct fetch *fetch = fetch_of(board);

    timer_stop(board->sim->loop, &fetch->timer);
    watch_remove(board->sim->loop, &fetch->watch);
    if (fetch->fd >= 0)
        close(fetch->fd);
    fetch->fd = -1;
}

static void end_fetch(struct board *board, enum fetch_end end, const char *reason)
{
    disconnect(board);
    digest_finish(fetch_of(board)->digest, NULL);
    fetch_of(board)->digest = NULL;
    fetch_of(board)->ended(board, end, reason);
}

/* The bytes written so far are lost, except if the library can continue after them. */
static void fail_fetch(struct board *board, const char *reason, bool can_go_on)
{
    if (!can_go_on || fetcher_of(board)->way != FETCHER_IDF)
        updater_abort(board, reason);
    end_fetch(board, FETCH_FAILED, reason);
}

static void on_silence(void *owner)
{
    fail_fetch(owner, fetch_of(owner)->is_content ? "Stream Read Timeout" : "read Timeout", true);
}

static void await(struct board *board, unsigned limit_ms)
{
    struct fetch *fetch = fetch_of(board);

    if (fetch->watch.fd < 0)
        watch_add(board->sim->loop, &fetch->watch, fetch->fd, EPOLLIN);
    watch_want(board->sim->loop, &fetch->watch, EPOLLIN);
    fetch->timer.expired = on_silence;
    if (limit_ms > 0)
        timer_start(board->sim->loop, &fetch->timer,
                    INT64_C(1000) * limit_ms / fetch->request.hurry);
    else
        timer_stop(board->sim->loop, &fetch->timer);
}

static void await_reply(struct board *board)
{
    await(board, fetcher_of(board)->head_ms);
}

static void await_content(struct board *board)
{
    await(board, fetcher_of(board)->body_ms);
}

/* -- the request -- */

/* False if the URL is anything else. */
static bool read_url(const char *url, struct address *to, char path[PATH_ROOM])
{
    static const char scheme[] = "http://";
    char host[ADDRESS_TEXT];
    const char *begin = url + sizeof scheme - 1;
    unsigned long port = HTTP_PORT;

    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    const size_t length = strcspn(begin, "/");
    if (length >= sizeof host || strlen(begin + length) >= PATH_ROOM)
        return false;
    snprintf(path, PATH_ROOM, "%s", begin[length] ? begin + length : "/");
    snprintf(host, sizeof host, "%.*s", (int)length, begin);

    char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']'), *end = NULL;
    if (colon && colon > bracket) {
        port = strtoul(colon + 1, &end, 10);
        if (end == colon + 1 || *end || port == 0 || port > UINT16_MAX)
            return false;
        *colon = '\0';
    }
    if (bracket)
        *bracket = '\0';
    if (!address_parse(to, host + (bracket != NULL)))
        return false;
    address_set_port(to, (uint16_t)port);
    return true;
}

bool fetch_url_is_good(const char *url)
{
    char path[PATH_ROOM];
    struct address to;

    return strlen(url) < FETCH_URL_ROOM / 2 && read_url(url, &to, path);
}

/* The MAC of an access point has another first byte. */
static void write_mac(const struct board *board, bool is_access_point, char text[VALUE_ROOM])
{
    char mac[HEX_ROOM];

    snprintf(text, VALUE_ROOM, "%s", page_mac_text(board, mac));
    if (is_access_point)
        text[1] = 'E';
}

static void write_host(const struct board *board, char text[VALUE_ROOM])
{
    char path[PATH_ROOM], host[ADDRESS_TEXT];
    struct address to;

    read_url(board->fetch.request.url, &to, path);
    const bool is_short = address_port(&to) == HTTP_PORT;
    snprintf(text, VALUE_ROOM, "%s", is_short ? address_host(&to, host) : address_text(&to, host));
}

static void write_range(const struct fetch_request *request, char text[VALUE_ROOM])
{
    if (request->has_range && request->last == SIZE_MAX)
        snprintf(text, VALUE_ROOM, "bytes=%zu-", request->first);
    else if (request->has_range)
        snprintf(text, VALUE_ROOM, "bytes=%zu-%zu", request->first, request->last);
}

static void write_credentials(const struct board *board, char text[VALUE_ROOM])
{
    const struct fetch *fetch = &board->fetch;
    char pair[VALUE_ROOM / 2];

    if (!fetch->sends_password)
        return;
    const int length =
        snprintf(pair, sizeof pair, "%s:%s", fetch->request.user, fetch->request.password);
    if (length > 0 && (size_t)length < sizeof pair)
        base64_text(pair, (size_t)length, text);
}

/* A fact of the request. */
static void write_of_request(const struct fetch_request *request, char letter,
                             char text[VALUE_ROOM])
{
    char path[PATH_ROOM];
    struct address to;

    switch (letter) {
    case 'M':
        snprintf(text, VALUE_ROOM, "%s", request->purpose == FETCH_SIZE ? "HEAD" : "GET");
        break;
    case 'p':
        read_url(request->url, &to, path);
        snprintf(text, VALUE_ROOM, "%s", path);
        break;
    case 'o':
        snprintf(text, VALUE_ROOM, "%s", request->is_filesystem ? "spiffs" : "sketch");
        break;
    case 'v':
        snprintf(text, VALUE_ROOM, "%s", request->version);
        break;
    case 'r':
        write_range(request, text);
        break;
    default:
        break;
    }
}

/* A fact of the sketch that runs. */
static void write_of_sketch(const struct fetch *fetch, char letter, char text[VALUE_ROOM])
{
    switch (letter) {
    case 's':
        snprintf(text, VALUE_ROOM, "%zu", fetch->running.size);
        break;
    case 'd':
        snprintf(text, VALUE_ROOM, "%s", fetch->running.md5);
        break;
    case 'D':
        for (size_t i = 0; i < sizeof fetch->running.sha256; i++)
            text[i] = (char)toupper((unsigned char)fetch->running.sha256[i]);
        break;
    default:
        break;
    }
}

/* The value of "%" and this letter; "": none. */
static void write_value(const struct board *board, char letter, char text[VALUE_ROOM])
{
    char hex[HEX_ROOM];

    text[0] = '\0';
    switch (letter) {
    case 'h':
        write_host(board, text);
        break;
    case 'a':
        write_credentials(board, text);
        break;
    case 'c':
        page_mac(board, hex);
        snprintf(text, VALUE_ROOM, "%lu", strtoul(hex + 6, NULL, 16));
        break;
    case 'm':
    case 'n':
        write_mac(board, letter == 'n', text);
        break;
    case 'f':
        snprintf(text, VALUE_ROOM, "%zu", board->sim->config->family.capacity);
        break;
    case 'z':
        snprintf(text, VALUE_ROOM, "%d", CHIP_SIZE);
        break;
    default:
        write_of_request(&board->fetch.request, letter, text);
        write_of_sketch(&board->fetch, letter, text);
    }
}

/* Appends the line, unless a value in it is empty. */
static size_t append_line(const struct board *board, const char *line, char *text, size_t length)
{
    const size_t begin = length;
    char value[VALUE_ROOM];

    for (; *line; line++) {
        if (*line != '%') {
            snprintf(text + length, REQUEST_ROOM - length, "%c", *line);
        } else {
            write_value(board, *++line, value);
            if (*value == '\0')
                return begin;
            snprintf(text + length, REQUEST_ROOM - length, "%s", value);
        }
        length += strlen(text + length);
    }
    snprintf(text + length, REQUEST_ROOM - length, "\r\n");
    return length + strlen(text + length);
}

static void send_request(struct board *board)
{
    struct fetch *fetch = fetch_of(board);
    const struct fetcher *fetcher = fetcher_of(board);
    char text[REQUEST_ROOM], range[VALUE_ROOM] = "", escaped[ESCAPED_ROOM];
    const char *url = fetch->request.url;
    size_t length = 0;

    for (const char *const *line = fetch->request.purpose == FETCH_TEXT ? fetcher->side_request
                                                                        : fetcher->request;
         *line; line++)
        length = append_line(board, *line, text, length);
    length = append_line(board, "", text, length);

    write_range(&fetch->request, range);
    board_event(board, "fetch url=%s%s%s%s", event_quoted(url, strlen(url), escaped),
                *range ? " range=" : "", range,
                fetch->request.purpose == FETCH_SIZE ? " method=HEAD" : "");
    fetch->is_content = false;
    fetch->head_length = fetch->text_length = 0;
    if (send(fetch->fd, text, length, MSG_NOSIGNAL) != (ssize_t)length)
        fail_fetch(board, "send header failed", true);
    else
        await_reply(board);
}

/* -- the image -- */

static void judge_image(struct board *board)
{
    struct fetch *fetch = fetch_of(board);
    char sha256[HEX_ROOM] = "";

    digest_finish(fetch->digest, sha256);
    fetch->digest = NULL;
    if (*fetch->sha256 && strcasecmp(fetch->sha256, sha256) != 0)
        updater_fail(board, "SHA256 Check Failed");
    else if (updater_end(board)) {
        end_fetch(board, FETCH_INSTALLED, "");
        return;
    }
    end_fetch(board, FETCH_FAILED, board->web.updater.error);
}

static void end_content(struct board *board)
{
    const struct fetch *fetch = fetch_of(board);

    if (fetch->request.purpose == FETCH_TEXT)
        end_fetch(board, FETCH_TOLD, "");
    else if (board->upload.received < board->invitation.size)
        end_fetch(board, FETCH_PART, "");
    else
        judge_image(board);
}

/* The flash has written the bytes. */
static void go_on(void *owner)
{
    struct board *board = owner;

    if (upload_next_fault(board) == board->upload.received && upload_faults(board))
        return;
    if (fetch_of(board)->left == 0)
        end_content(board);
    else
        await_content(board);
}

static bool has_good_magic(const struct board *board, char first)
{
    const char *beginnings = fetcher_of(board)->beginnings;

    return !beginnings || board->fetch.request.is_filesystem || strchr(beginnings, first) != NULL;
}

/* Sketches with esp_https_ota read the version in an image's first bytes, and close the connection
 * if it is the running one. */
static bool is_running_already(struct board *board, const char *bytes, size_t length)
{
    struct fetch *fetch = fetch_of(board);
    const size_t begin = board->upload.received, room = FETCH_DESCRIPTION;

    if (!fetcher_of(board)->is_shy || begin >= room)
        return false;
    memcpy(fetch->description + begin, bytes, length < room - begin ? length : room - begin);
    return begin + length >= room &&
           memcmp(fetch->description, fetch->running.description, room) == 0;
}

static void take_image(struct board *board, char *bytes, size_t length)
{
    struct fetch *fetch = fetch_of(board);
    int64_t cost_us = 0;

    if (is_running_already(board, bytes, length)) {
        updater_abort(board, "the same version");
        end_fetch(board, FETCH_UNCHANGED, "");
        return;
    }
    if (board->upload.received == 0 && !has_good_magic(board, bytes[0])) {
        fail_fetch(board, "Verify Bin Header Failed", false);
        return;
    }
    if (board->upload.corrupt)
        bytes[0] ^= 0x20;
    board->upload.corrupt = false;
    if (fetch->digest)
        digest_add(fetch->digest, bytes, length);
    updater_write(board, bytes, length, &cost_us);
    fetch->left -= length;
    if (!board->web.updater.is_running) {
        end_fetch(board, FETCH_FAILED, board->web.updater.error);
        return;
    }

    if (cost_us == 0) {
        go_on(board);
        return;
    }
    watch_want(board->sim->loop, &fetch->watch, 0);
    fetch->timer.expired = go_on;
    timer_start(board->sim->loop, &fetch->timer, cost_us);
}

/* -- the reply -- */

/* The value of a header, without blanks around it. False if there is none. */
static bool read_header(const struct fetch *fetch, const char *name, char value[VALUE_ROOM])
{
    const size_t length = strlen(name);

    for (const char *line = strchr(fetch->head, '\n'); line; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        const char *begin = line + length + 1 + strspn(line + length + 1, " \t");
        size_t end = strcspn(begin, "\r\n");
        while (end > 0 && isblank((unsigned char)begin[end - 1]))
            end--;
        snprintf(value, VALUE_ROOM, "%.*s", (int)end, begin);
        return true;
    }
    value[0] = '\0';
    return false;
}

/* Arduino's String::toInt(): 0 for anything but digits. */
static bool read_length(struct fetch *fetch)
{
    char value[VALUE_ROOM];
    const bool is_given = read_header(fetch, "Content-Length", value);

    fetch->left = is_given && isdigit((unsigned char)*value) ? strtoul(value, NULL, 10) : 0;
    return is_given;
}

/* Content-Range must be the requested range. */
static bool has_right_range(const struct fetch *fetch)
{
    const struct fetch_request *request = &fetch->request;
    char value[VALUE_ROOM], expected[VALUE_ROOM];

    if (!read_header(fetch, "Content-Range", value))
        return false;
    snprintf(expected, sizeof expected, "bytes %zu-%zu/%zu", request->first,
             request->first + fetch->left - 1, request->whole);
    return request->whole == 0 ? strncmp(value, expected, strcspn(expected, "/")) == 0
                               : strcmp(value, expected) == 0;
}

/* The reason why the library rejects the content, or NULL. */
static const char *begin_update(struct board *board)
{
    struct fetch *fetch = fetch_of(board);
    const struct fetch_request *request = &fetch->request;
    const struct family *family = &board->sim->config->family;
    const size_t room = request->is_filesystem ? family->fs_capacity : family->capacity;
    const size_t size = request->whole ? request->whole : request->first + fetch->left;
    char md5[VALUE_ROOM] = "";

    if (fetcher_of(board)->reads_digests)
        read_header(fetch, "x-MD5", md5);
    if (*request->md5)
        snprintf(md5, sizeof md5, "%s", request->md5);
    if (board->web.updater.is_running) /* it goes on */
        return NULL;
    if (size > room)
        return "Not Enough space";
    if (*md5 && strlen(md5) != MD5_HEX)
        return "Wrong MD5";
    if (!updater_begin(board, size, request->is_filesystem, *md5 ? md5 : NULL))
        return board->web.updater.error;
    return NULL;
}

static void begin_image(struct board *board)
{
    struct fetch *fetch = fetch_of(board);
    char sha256[VALUE_ROOM] = "";

    if (fetch->request.has_range && fetch->status == 200) {
        end_fetch(board, FETCH_ANEW, "the server sends no ranges");
        return;
    }
    if (fetch->request.has_range && !has_right_range(fetch)) {
        fail_fetch(board, "Content-Range is another one", false);
        return;
    }

    const char *error = begin_update(board);
    if (error) {
        fail_fetch(board, error, false);
        return;
    }
    if (fetcher_of(board)->reads_digests && is_esp32(board) &&
        read_header(fetch, "x-SHA256", sha256))
        fetch->digest = digest_start("SHA256");
    snprintf(fetch->sha256, sizeof fetch->sha256, "%.*s", SHA256_HEX, sha256);
    go_on(board);
}

static void begin_content(struct board *board)
{
    struct fetch *fetch = fetch_of(board);
    const bool has_length = read_length(fetch);

    fetch->is_content = true;
    if (fetch->request.purpose == FETCH_SIZE) {
        fetch->size = fetch->left;
        if (has_length)
            end_fetch(board, FETCH_TOLD, "");
        else
            fail_fetch(board, "Failed to get image length from http response", false);
    } else if (!has_length || fetch->left == 0) {
        fail_fetch(board, "Server Did Not Report Size", false);
    } else if (fetch->request.purpose == FETCH_TEXT) {
        await_content(board);
    } else {
        begin_image(board);
    }
}

/* After the body of the refusal, the library sends its password, on the same connection if that
 * stays open. */
static void log_in(struct board *board)
{
    struct fetch *fetch = fetch_of(board);
    char refusal[VALUE_ROOM];

    if (fetch->sends_password || !fetch->request.password) {
        fail_fetch(board, "Reached max_authorization_retries", false);
        return;
    }
    read_length(fetch);
    if (fetch->left < fetcher_of(board)->login_size) {
        fail_fetch(board, "waits for more of the 401 for ever", false);
        return;
    }
    while (fetch->left > 0) {
        const ssize_t length = recv(fetch->fd, refusal,
                                    fetch->left < sizeof refusal ? fetch->left : sizeof refusal, 0);
        if (length <= 0)
            break;
        fetch->left -= (size_t)length;
    }
    if (fetch->left > 0) {
        fail_fetch(board, "connection lost", false);
        return;
    }
    fetch->sends_password = true;
    send_request(board);
}

static void judge_reply(struct board *board)
{
    struct fetch *fetch = fetch_of(board);
    const char *error = "", *blank = strchr(fetch->head, ' ');

    fetch->status = blank ? (unsigned)strtoul(blank, NULL, 10) : 0;
    board_event(board, "fetch reply=%u", fetch->status);
    if (strncmp(fetch->head, "HTTP/1.", 7) != 0) {
        fail_fetch(board, "no HTTP server", false);
        return;
    }

    switch (fetcher_judge(fetcher_of(board), fetch->status, &error)) {
    case FETCHER_CONTENT:
        begin_content(board);
        break;
    case FETCHER_UNCHANGED:
        end_fetch(board, FETCH_UNCHANGED, "");
        break;
    case FETCHER_LOGIN:
        log_in(board);
        break;
    case FETCHER_AGAIN:
        end_fetch(board, FETCH_ANEW, "the range cannot be satisfied");
        break;
    case FETCHER_ERROR:
        fail_fetch(board, error, false);
        break;
    }
}

/* The length of the head; 0: it is incomplete. */
static size_t find_end_of_head(const char *head)
{
    for (const char *end = strchr(head, '\n'); end; end = strchr(end + 1, '\n')) {
        if (end[1] == '\n')
            return (size_t)(end + 2 - head);
        if (end[1] == '\r' && end[2] == '\n')
            return (size_t)(end + 3 - head);
    }
    return 0;
}

/* Reads no byte after the head. */
static void read_head(struct board *board)
{
    struct fetch *fetch = fetch_of(board);
    const size_t before = fetch->head_length, room = sizeof fetch->head - 1 - before;
    ssize_t length = recv(fetch->fd, fetch->head + before, room, MSG_PEEK);

    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0) {
        fail_fetch(board, "connection lost", true);
        return;
    }
    fetch->head[before + (size_t)length] = '\0';
    const size_t end = find_end_of_head(fetch->head);
    fetch->head_length = end ? end : before + (size_t)length;
    length = recv(fetch->fd, fetch->head + before, fetch->head_length - before, 0);
    fetch->head[fetch->head_length] = '\0';

    if (length < 0)
        fail_fetch(board, "connection lost", true);
    else if (end)
        judge_reply(board);
    else if (fetch->head_length == sizeof fetch->head - 1)
        fail_fetch(board, "too less ram", false);
    else
        await_reply(board);
}

static void take_text(struct board *board, const char *bytes, size_t length)
{
    struct fetch *fetch = fetch_of(board);
    const size_t room = sizeof fetch->text - 1 - fetch->text_length;

    memcpy(fetch->text + fetch->text_length, bytes, length < room ? length : room);
    fetch->text_length += length < room ? length : room;
    fetch->text[fetch->text_length] = '\0';
    fetch->left -= length;
    if (fetch->left == 0)
        end_content(board);
    else
        await_content(board);
}

/* An ESP8266 waits for more even after an orderly end. */
static void lose_content(struct board *board, bool is_orderly)
{
    const struct fetcher *fetcher = fetcher_of(board);

    if (is_orderly && fetcher->way == FETCHER_ARDUINO && !is_esp32(board))
        watch_want(board->sim->loop, &fetch_of(board)->watch, 0);
    else
        fail_fetch(board, "connection lost", true);
}

static void read_content(struct board *board)
{
    struct fetch *fetch = fetch_of(board);
    char bytes[READ_ROOM];
    size_t room = fetch->left < sizeof bytes ? fetch->left : sizeof bytes;

    if (fetch->request.purpose == FETCH_IMAGE) {
        const size_t fault = upload_next_fault(board) - board->upload.received;
        room = fault > 0 && fault < room ? fault : room;
        upload_clamp(board, fetch->fd);
    }
    const ssize_t length = recv(fetch->fd, bytes, room, 0);
    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0)
        lose_content(board, length == 0);
    else if (fetch->request.purpose == FETCH_TEXT)
        take_text(board, bytes, (size_t)length);
    else
        take_image(board, bytes, (size_t)length);
}

/* -- the connection -- */

static void on_connected(struct board *board)
{
    struct fetch *fetch = fetch_of(board);
    int error = 0;
    socklen_t length = sizeof error;

    fetch->is_connecting = false;
    getsockopt(fetch->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error)
        fail_fetch(board, error == ECONNREFUSED ? "connection refused" : strerror(error), true);
    else
        send_request(board);
}

static void fetch_ready(void *owner, uint32_t events)
{
    struct board *board = owner;
    struct fetch *fetch = fetch_of(board);

    if (fetch->is_connecting)
        on_connected(board);
    else if (fetch->watch.events == 0) /* held, or busy: the error will be read later */
        watch_remove(board->sim->loop, &fetch->watch);
    else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP) && fetch->is_content)
        read_content(board);
    else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        read_head(board);
}

static bool connect_fetch(struct board *board, const struct address *to)
{
    struct fetch *fetch = fetch_of(board);
    struct address from = board->address;

    address_set_port(&from, 0);
    fetch->fd = address_bind(&from, SOCK_STREAM);
    if (fetch->fd < 0)
        return false;
    upload_set_window(board, fetch->fd);
    return (connect(fetch->fd, (const struct sockaddr *)&to->storage, to->length) == 0 ||
            errno == EINPROGRESS) &&
           watch_add(board->sim->loop, &fetch->watch, fetch->fd, EPOLLOUT);
}

void fetch_begin(struct board *board)
{
    struct fetch *fetch = fetch_of(board);
    char path[PATH_ROOM];
    struct address to;

    fetch->sends_password = fetch->request.password && !fetcher_of(board)->is_shy;
    fetch->is_connecting = true;
    fetch->is_content = false;
    if (!read_url(fetch->request.url, &to, path)) {
        fail_fetch(board, "no such host", false);
    } else if (!connect_fetch(board, &to)) {
        fail_fetch(board, strerror(errno), true);
    } else {
        fetch->timer.expired = on_silence;
        timer_start(board->sim->loop, &fetch->timer,
                    INT64_C(1000) * fetcher_of(board)->head_ms / fetch->request.hurry);
    }
}

/* -- the life of the board -- */

/* The last hash_size bytes of an ESP32's image are the SHA-256 of those before them. */
static void describe(struct fetch_sketch *sketch, const void *data, size_t length, size_t hash_size)
{
    sketch->size = length;
    if (length >= sizeof sketch->description)
        memcpy(sketch->description, data, sizeof sketch->description);
    md5_hex(data, length, sketch->md5);
    sha256_hex(data, length - hash_size, sketch->sha256);
}

void fetch_set_up(struct board *board)
{
    static const char first[] = "the first sketch";
    struct fetch *fetch = fetch_of(board);

    fetch->fd = -1;
    fetch->watch = (struct watch){.ready = fetch_ready, .owner = board, .fd = -1};
    fetch->timer = (struct timer){.owner = board};
    describe(&fetch->running, first, sizeof first - 1, 0);
}

void fetch_leave(struct board *board)
{
    struct fetch *fetch = fetch_of(board);

    timer_stop(board->sim->loop, &fetch->timer);
    watch_remove(board->sim->loop, &fetch->watch);
    digest_finish(fetch->digest, NULL);
    fetch->digest = NULL;
    if (fetch->fd >= 0 && !fetch->is_left_behind) {
        fetch->fd = silence_begin(fetch->fd);
        fetch->is_left_behind = true;
    }
}

void fetch_come_back(struct board *board)
{
    struct fetch *fetch = fetch_of(board);

    if (fetch->is_left_behind)
        silence_end(fetch->fd);
    if (fetch->is_left_behind)
        fetch->fd = -1;
    fetch->is_left_behind = false;
}

void fetch_abandon(struct board *board)
{
    disconnect(board);
    digest_finish(fetch_of(board)->digest, NULL);
    fetch_of(board)->digest = NULL;
}

/* An ESP32 takes the size of its image from the header. */
void fetch_note_installed(struct board *board)
{
    const struct esp_image *image = &board->upload.image;
    size_t length = 0, hash_size = 0;
    uint8_t *bytes = sink_read(&board->upload.sink, &length);

    if (bytes && is_esp32(board) && image->part == ESP_ENDED) {
        length = image->at < length ? image->at : length;
        hash_size = image->has_hash ? ESP_HASH : 0;
    }
    if (bytes)
        describe(&fetch_of(board)->installed, bytes, length, hash_size);
    free(bytes);
}

void fetch_start_installed(struct board *board)
{
    fetch_of(board)->running = fetch_of(board)->installed;
}

/* -- faults -- */

bool fetch_apply_fault(struct board *board, const struct fault *fault)
{
    const struct linger abort = {.l_onoff = 1, .l_linger = 0};
    struct fetch *fetch = fetch_of(board);

    switch (fault->kind) {
    case FAULT_RESET:
        setsockopt(fetch->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        fail_fetch(board, "ordered reset", true);
        return true;
    case FAULT_CLOSE:
        fail_fetch(board, "ordered close", true);
        return true;
    case FAULT_STALL:
        watch_want(board->sim->loop, &fetch->watch, 0);
        timer_stop(board->sim->loop, &fetch->timer);
        return true;
    case FAULT_PAUSE:
        watch_want(board->sim->loop, &fetch->watch, 0);
        fetch->timer.expired = go_on;
        timer_start(board->sim->loop, &fetch->timer, (int64_t)fault->number * 1000);
        return true;
    case FAULT_CORRUPT:
        board->upload.corrupt = true;
        return false;
    case FAULT_CRASH:
        board->web.updater.is_running = false;
        upload_crash(board);
        return true;
    case FAULT_ERROR:
        updater_fail(board, fault->text);
        end_fetch(board, FETCH_FAILED, board->web.updater.error);
        return true;
    default:
        return false;
    }
}
