/* The back-channel: reading the image, flashing it, answering with numbers.
 *
 * An ESP32 answers each read of up to 1,460 bytes. The 8266 family collects what is there, up to
 * the end of a flash sector, and again as long as more has come meanwhile; only when nothing waits
 * does it send one number for all of it. So a host that never pauses may see no number before the
 * end. */
#include "board.h"
#include "flash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

enum { REPEATS = 3, FLOOD_CHUNK = 16384 };

static bool is_esp32(const struct board *board)
{
    return board->sim->config->family.lineage == LINEAGE_ESP32;
}

void upload_watch(struct board *board)
{
    struct upload *upload = &board->upload;
    uint32_t events = upload->peer_closed ? 0 : EPOLLRDHUP;

    if (upload->phase == UPLOAD_READING && upload->out_length == 0)
        events |= EPOLLIN;
    if (upload->out_length > 0 || upload->flood > 0)
        events |= EPOLLOUT;
    if (upload->watch.fd >= 0)
        watch_want(board->sim->loop, &upload->watch, events);
    else if (upload->phase == UPLOAD_READING)
        watch_add(board->sim->loop, &upload->watch, upload->fd, events);
}

static void flush_channel(struct board *board)
{
    struct upload *upload = &board->upload;
    ssize_t sent = send(upload->fd, upload->out, upload->out_length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        sent = (ssize_t)upload->out_length; /* the peer has gone; the next read finds out */
    if (sent > 0) {
        upload->out_length -= (size_t)sent;
        memmove(upload->out, upload->out + sent, upload->out_length);
    }
}

void upload_send(struct board *board, const void *bytes, size_t length)
{
    struct upload *upload = &board->upload;

    if (upload->peer_closed && !is_esp32(board))
        return; /* to the 8266 family a closed peer is a lost connection */

    size_t room = OUT_ROOM - upload->out_length;
    length = length < room ? length : room;
    memcpy(upload->out + upload->out_length, bytes, length);
    upload->out_length += length;
    flush_channel(board);
    upload_watch(board);
}

static void send_flood(struct board *board)
{
    char digits[FLOOD_CHUNK];
    struct upload *upload = &board->upload;
    size_t length = upload->flood < sizeof digits ? (size_t)upload->flood : sizeof digits;

    memset(digits, '7', length);
    ssize_t sent = send(upload->fd, digits, length, MSG_NOSIGNAL);
    if (sent > 0)
        upload->flood -= (uint64_t)sent;
    else if (errno != EAGAIN)
        upload->flood = 0;
    if (upload->flood == 0 && upload->phase == UPLOAD_ENDING)
        upload_judge(board);
    else
        upload_watch(board);
}

void upload_say_number(struct board *board)
{
    struct upload *upload = &board->upload;
    bool last = upload->received == board->invitation.size;

    if (upload->unsaid == 0 || (upload->no_numbers && !last) || (upload->joined && last))
        return;

    char text[24];
    int length = snprintf(text, sizeof text, "%zu", upload->unsaid);
    upload->last_number = upload->unsaid;
    upload->unsaid = 0;
    if (upload->flood == 0)
        upload_send(board, text, (size_t)length);
}

static void host_was_silent(void *owner)
{
    struct board *board = owner;
    struct upload *upload = &board->upload;

    if (upload->last_number == 0 || upload->repeats == REPEATS) {
        bool surplus = upload->phase == UPLOAD_SURPLUS;
        upload_fail(board, surplus ? "more than announced" : "receive timeout", false);
        return;
    }

    char text[24];
    int length = snprintf(text, sizeof text, "%zu", upload->last_number);
    upload->repeats++;
    upload_send(board, text, (size_t)length);
    timer_start(board->sim->loop, &upload->silence, board->sim->config->family.silence_us);
}

static void resume_reading(struct board *board)
{
    struct upload *upload = &board->upload;
    int64_t silence_us = board->sim->config->family.silence_us;
    upload->phase = UPLOAD_READING;
    upload->silence.expired = host_was_silent;
    if (silence_us > 0)
        timer_start(board->sim->loop, &upload->silence, silence_us);
    upload_watch(board);
}

/* Writes the sector that is full (or the last one). False if the board cannot accept it. */
static bool flash_sector(struct board *board, int64_t *cost_us)
{
    const struct config *config = board->sim->config;
    struct upload *upload = &board->upload;
    bool first = upload->flashed == 0 && board->invitation.command == 0;

    if (first && config->family.magic == MAGIC_FIRST_SECTOR && upload->head[0] != 0xe9)
        return false; /* takes it for an encrypted image, and has no key */

    *cost_us += flash_sector_us(&config->flash, upload->flashed, board->invitation.size);
    size_t left = upload->received - upload->flashed;
    upload->flashed += left < SECTOR ? left : SECTOR;
    return true;
}

bool upload_store(struct board *board, const uint8_t *bytes, size_t length, int64_t *cost_us)
{
    struct upload *upload = &board->upload;

    for (size_t i = 0; i < length && upload->received + i < sizeof upload->head; i++)
        upload->head[upload->received + i] = bytes[i];
    if (!sink_write(&upload->sink, bytes, length))
        board_note(board, "%s: %s", upload->sink.temporary, strerror(errno));
    if (board->sim->config->key)
        signature_add(&upload->signature, bytes, length);
    esp_image_add(&upload->image, bytes, length);
    upload->received += length;
    upload->unsaid += length;

    while (upload->received - upload->flashed > SECTOR)
        if (!flash_sector(board, cost_us))
            return false;
    return upload->received < board->invitation.size || flash_sector(board, cost_us);
}

static size_t read_limit(const struct board *board)
{
    const struct upload *upload = &board->upload;
    size_t limit = board->sim->config->family.read_size;
    size_t left = board->invitation.size - upload->received;
    size_t fault = upload_next_fault(board) - upload->received;

    if (!is_esp32(board) && upload->received % SECTOR != 0)
        limit = SECTOR - upload->received % SECTOR;
    if (!is_esp32(board) && limit > left)
        limit = left;
    return limit < fault ? limit : fault;
}

/* An ESP32 rejects a read beyond the end, and waits for another read until the timeout. */
static void read_too_much(struct board *board)
{
    struct upload *upload = &board->upload;
    upload->phase = UPLOAD_SURPLUS;
    upload->silence.expired = host_was_silent;
    timer_start(board->sim->loop, &upload->silence, board->sim->config->family.silence_us);
    upload_watch(board);
}

/* An ESP32 looks at 16 bytes of a sketch, whether or not they are there. */
static bool is_too_short(const struct board *board)
{
    enum { LOOKED_AT = 16 };
    return is_esp32(board) && board->invitation.command == 0 && board->invitation.size < LOOKED_AT;
}

static void read_image(struct board *board)
{
    uint8_t bytes[SECTOR];
    struct upload *upload = &board->upload;
    /* To an ESP32 a closed peer is gone, whatever it has still to read. */
    bool abandoned = is_esp32(board) && upload->peer_closed;
    ssize_t length = recv(upload->fd, bytes, read_limit(board), abandoned ? MSG_PEEK : 0);

    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0 || abandoned) {
        upload_fail(board, length < 0 ? "connection reset" : "host closed", false);
        return;
    }
    if ((size_t)length > board->invitation.size - upload->received) {
        read_too_much(board);
        return;
    }

    upload_clamp(board, upload->fd);
    timer_stop(board->sim->loop, &upload->silence);
    upload->repeats = 0;
    int64_t cost_us = board->sim->config->flash.read_pause_us;
    if (upload->corrupt) {
        bytes[0] ^= 0x20;
        upload->corrupt = false;
    }

    if (!upload_store(board, bytes, (size_t)length, &cost_us)) {
        static const char text[] = "Decryption error\r\n";
        upload_refuse(board, text, strlen(text));
    } else if (upload->received == board->invitation.size && is_too_short(board)) {
        upload_crash(board);
    } else if (cost_us > 0) {
        upload->phase = UPLOAD_BUSY;
        upload_watch(board);
        upload_after(board, cost_us, upload_go_on);
    } else {
        upload_go_on(board);
    }
}

bool upload_more_waits(const struct board *board)
{
    int waiting = 0;
    return ioctl(board->upload.fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

/* Runs when the received bytes are in flash. */
void upload_go_on(void *owner)
{
    struct board *board = owner;
    struct upload *upload = &board->upload;
    bool last = upload->received == board->invitation.size;
    bool due = upload_next_fault(board) == upload->received;

    if (is_esp32(board) || last || due || !upload_more_waits(board))
        upload_say_number(board);
    if (due && upload_faults(board))
        return;

    if (last)
        upload_judge(board);
    else
        resume_reading(board);
}

static void open_sink(struct board *board)
{
    const struct config *config = board->sim->config;
    char host[ADDRESS_TEXT];
    address_host(&board->address, host);
    if (!sink_open(&board->upload.sink, config->output, host,
                   config->boots || config->fetch.url || config->web.page))
        fprintf(stderr, "esp-ota-sim: %s: %s\n", config->output ? config->output : "MD5",
                errno == ENOTSUP ? "it is no regular file, and is not replaced" : strerror(errno));
}

static void begin_checks(struct board *board)
{
    const struct config *config = board->sim->config;
    esp_image_begin(&board->upload.image, config->chip);
    if (config->key)
        signature_begin(&board->upload.signature, config->key, config->family.lineage);
}

bool upload_begin_image(struct board *board)
{
    struct upload *upload = &board->upload;

    upload->received = upload->flashed = upload->unsaid = upload->last_number = 0;
    upload->fired = 0;
    upload->corrupt = upload->installed = false;
    upload->started_us = now_us();
    open_sink(board);
    begin_checks(board);
    return upload->sink.md5 != NULL;
}

void upload_receive(struct board *board)
{
    struct upload *upload = &board->upload;

    upload->repeats = 0;
    upload->flood = 0;
    upload->out_length = 0;
    upload->peer_closed = false;
    upload->no_numbers = board_fault(board, FAULT_NO_NUMBERS) != NULL;
    upload->joined = board_fault(board, FAULT_OK_JOINED) != NULL;

    if (!upload_begin_image(board)) {
        upload_fail(board, "the image cannot be stored", false);
        return;
    }

    upload->phase = UPLOAD_READING;
    upload_go_on(board);
}

void upload_ready(struct board *board, uint32_t events)
{
    struct upload *upload = &board->upload;
    bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;

    if (broken || (events & EPOLLRDHUP))
        upload->peer_closed = true;
    if (events & EPOLLOUT) {
        if (upload->out_length > 0)
            flush_channel(board);
        else if (upload->flood > 0)
            send_flood(board);
    }

    if (upload->phase == UPLOAD_READING && (broken || (events & EPOLLIN)))
        read_image(board);
    else if (upload->phase == UPLOAD_SURPLUS && upload->peer_closed)
        upload_fail(board, "host closed", false);
    else if (upload->phase == UPLOAD_HELD && upload->peer_closed)
        upload_give_up(board);
    else if (broken) /* cannot be masked; when reading goes on, it will find out */
        watch_remove(board->sim->loop, &upload->watch);
    if (upload->fd >= 0)
        upload_watch(board);
}
