/* ESPHome's OTA service. It reads exactly what each step needs, and answers with one byte.
 *
 * The order of the steps is that of the device (esphome/components/esphome/ota): magic, features,
 * perhaps Noise, perhaps a password, size, MD5, image. Any failure is a byte from 80 on, and
 * FIN. */
#include "esphome.h"

#include "board.h"
#include "event.h"
#include "silence.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1, CHUNK = 8192, RESTART_US = 110000, FRAME_HEAD = 3 };

enum {
    FEATURE_PACKED = 1,
    FEATURE_SHA256 = 2,
    FEATURE_EXTENDED = 4,
    FEATURE_NOISE = 8,
    FLAG_PACKED = 1,
    FLAG_NOISE = 4,
};

enum {
    SAY_SHA256 = 0x02,
    SAY_MD5 = 0x01,
    SAY_HEADER = 0x40,
    SAY_AUTH = 0x41,
    SAY_PREPARED = 0x42,
    SAY_MD5_TAKEN = 0x43,
    SAY_RECEIVED = 0x44,
    SAY_INSTALLED = 0x45,
    SAY_PACKED = 0x46,
    SAY_CHUNK = 0x47,
    SAY_EXTENDED = 0x48,
    ERROR_MAGIC = 0x80,
    ERROR_PREPARE = 0x81,
    ERROR_AUTH = 0x82,
    ERROR_WRITE = 0x83,
    ERROR_END = 0x84,
    ERROR_TYPE = 0x8E,
    ERROR_ENCRYPTION = 0x94,
};

static const uint8_t MAGIC[] = {0x6C, 0x26, 0xF7, 0x5C, 0x45};

static void take_magic(struct board *board);
static void take_size(struct board *board);
static void client_event(void *owner, uint32_t events);

static const struct esphome_config *config_of(const struct board *board)
{
    return &board->sim->config->esphome;
}

static struct loop *loop_of(const struct board *board)
{
    return board->sim->loop;
}

/* -- the connection -- */

static void watch_client(struct board *board)
{
    struct esphome *esphome = &board->esphome;
    static const uint32_t events[] = {
        [ESPHOME_STEP] = EPOLLIN,    [ESPHOME_DATA] = EPOLLIN,   [ESPHOME_BUSY] = 0,
        [ESPHOME_HELD] = EPOLLRDHUP, [ESPHOME_ENDING] = EPOLLIN, [ESPHOME_FREE] = 0};

    if (esphome->watch.fd >= 0)
        watch_want(loop_of(board), &esphome->watch, events[esphome->state]);
}

/* The device closes, and serves the next client in its queue of one. */
static void close_client(struct board *board, bool reset)
{
    struct esphome *esphome = &board->esphome;
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    watch_remove(loop_of(board), &esphome->watch);
    timer_stop(loop_of(board), &esphome->timer);
    if (reset)
        setsockopt(esphome->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    if (esphome->fd >= 0)
        close(esphome->fd);
    esphome->fd = -1;
    esphome->state = ESPHOME_FREE;
    if (esphome->listener.fd >= 0)
        watch_want(loop_of(board), &esphome->listener, EPOLLIN);
}

static void end_client(struct board *board, const char *reason, bool reset)
{
    updater_abort(board, reason);
    board_event(board, "client result=closed reason=\"%s\"", reason);
    close_client(board, reset);
}

static void send_bytes(struct board *board, const uint8_t *bytes, size_t length)
{
    if (send(board->esphome.fd, bytes, length, MSG_NOSIGNAL) < 0)
        board_note(board, "send: %s", strerror(errno));
}

/* One reply of the protocol, in a frame when encrypted. */
static void say(struct board *board, const void *bytes, size_t length)
{
    struct esphome *esphome = &board->esphome;
    uint8_t frame[FRAME_HEAD + 1 + SHA256_HEX + NOISE_TAG] = {1, 0, (uint8_t)(length + NOISE_TAG)};

    if (!esphome->is_encrypted) {
        send_bytes(board, bytes, length);
        return;
    }
    noise_wrap(&esphome->noise, bytes, length, frame + FRAME_HEAD);
    send_bytes(board, frame, FRAME_HEAD + length + NOISE_TAG);
}

static void say_byte(struct board *board, uint8_t byte)
{
    say(board, &byte, 1);
}

static void refuse(struct board *board, uint8_t byte)
{
    char reason[16];

    say_byte(board, byte);
    snprintf(reason, sizeof reason, "error %02x", byte);
    end_client(board, reason, false);
}

static void client_was_silent(void *owner)
{
    end_client(owner, "time-out", false);
}

static void be_patient(struct board *board, unsigned ms)
{
    board->esphome.timer.expired = client_was_silent;
    timer_start(loop_of(board), &board->esphome.timer, (int64_t)ms * 1000);
}

/* Reads that many bytes, and calls then. */
static void expect(struct board *board, size_t length, void (*then)(struct board *))
{
    struct esphome *esphome = &board->esphome;

    esphome->state = ESPHOME_STEP;
    esphome->want = length;
    esphome->have = esphome->frame = 0;
    esphome->segments = 0;
    esphome->then = then;
    be_patient(board, config_of(board)->read_ms);
    watch_client(board);
}

/* True if an error was ordered for this step, which has been sent then. */
static bool errs(struct board *board, enum esphome_step step)
{
    const uint8_t byte = config_of(board)->error[step];

    if (byte)
        refuse(board, byte);
    return byte != 0;
}

/* -- the steps -- */

static void ask_password(struct board *board);

static void take_handshake(struct board *board)
{
    struct esphome *esphome = &board->esphome;
    const struct esphome_config *config = config_of(board);
    static const char failure[] = "\1\0\x16\1Handshake MAC failure";
    uint8_t prologue[22] = "NoiseOTAInit", reply[FRAME_HEAD + 1 + NOISE_MESSAGE] = {1, 0, 49, 0};
    const uint8_t clear[] = {0, (uint8_t)config->version, esphome->features, SAY_EXTENDED,
                             esphome->flags};

    memcpy(prologue + 12, MAGIC, sizeof MAGIC);
    memcpy(prologue + 17, clear, sizeof clear);
    if (memcmp(esphome->in, "\1\0\x31\0", FRAME_HEAD + 1) != 0 ||
        !noise_respond(&esphome->noise, config->key, prologue, sizeof prologue,
                       esphome->in + FRAME_HEAD + 1, reply + FRAME_HEAD + 1)) {
        send_bytes(board, (const uint8_t *)failure, sizeof failure - 1);
        end_client(board, "handshake", false);
        return;
    }
    send_bytes(board, reply, sizeof reply);
    esphome->is_encrypted = true;
    board_event(board, "encrypted");
    ask_password(board);
}

static void take_features(struct board *board)
{
    struct esphome *esphome = &board->esphome;
    const struct esphome_config *config = config_of(board);
    const uint8_t features = esphome->features = esphome->in[0];
    bool is_encrypted = config->has_key && !config->stays_in_clear && (features & FEATURE_NOISE);

    board_event(board, "features value=%02x", features);
    if (errs(board, ESPHOME_FEATURES))
        return;
    if (config->needs_key && !is_encrypted) {
        refuse(board, ERROR_ENCRYPTION);
        return;
    }

    esphome->is_packed = config->wants_packed && (features & FEATURE_PACKED);
    esphome->flags =
        (uint8_t)((esphome->is_packed ? FLAG_PACKED : 0) | (is_encrypted ? FLAG_NOISE : 0));
    if (config->is_extended && (features & FEATURE_EXTENDED))
        say(board, (const uint8_t[]){SAY_EXTENDED, esphome->flags}, 2);
    else
        say_byte(board, esphome->is_packed ? SAY_PACKED : SAY_HEADER);

    if (is_encrypted)
        expect(board, FRAME_HEAD + 1 + NOISE_MESSAGE, take_handshake);
    else
        ask_password(board);
}

static void take_magic(struct board *board)
{
    const struct esphome_config *config = config_of(board);

    if (errs(board, ESPHOME_MAGIC))
        return;
    if (memcmp(board->esphome.in, MAGIC, sizeof MAGIC) != 0) {
        refuse(board, ERROR_MAGIC);
        return;
    }
    say(board, (const uint8_t[]){config->wrong_byte, (uint8_t)config->version}, 2);
    expect(board, 1, take_features);
}

static void expect_image(struct board *board)
{
    bool is_extended =
        config_of(board)->is_extended && (board->esphome.features & FEATURE_EXTENDED);

    say_byte(board, SAY_AUTH);
    expect(board, is_extended ? 1 : 4, take_size);
}

static void take_answer(struct board *board)
{
    struct esphome *esphome = &board->esphome;
    const struct esphome_config *config = config_of(board);
    char text[WEB_SECRET + 2 * HEX_ROOM], right[HEX_ROOM];

    snprintf(text, sizeof text, "%s%s%s", board->sim->config->web.password, esphome->nonce,
             esphome->cnonce);
    bool done = config->asks_md5 ? md5_hex(text, strlen(text), right)
                                 : sha256_hex(text, strlen(text), right);
    done = done && memcmp(right, esphome->in, esphome->want) == 0;
    board_event(board, "answer result=%s", done ? "right" : "wrong");
    if (errs(board, ESPHOME_ANSWER))
        return;
    if (done)
        expect_image(board);
    else
        refuse(board, ERROR_AUTH);
}

static void take_cnonce(struct board *board)
{
    struct esphome *esphome = &board->esphome;

    memcpy(esphome->cnonce, esphome->in, esphome->want);
    esphome->cnonce[esphome->want] = '\0';
    expect(board, esphome->want, take_answer);
}

/* In the clear at once; encrypted, each byte of the device is in a frame of its own. */
static void challenge_host(struct board *board, uint8_t scheme, size_t digits)
{
    struct esphome *esphome = &board->esphome;
    uint8_t challenge[1 + SHA256_HEX] = {scheme};
    const size_t length = 1 + digits, piece = esphome->is_encrypted ? 1 : length;

    random_hex(esphome->nonce, digits);
    memcpy(challenge + 1, esphome->nonce, digits);
    for (size_t at = 0; at < length; at += piece)
        say(board, challenge + at, piece);
    expect(board, digits, take_cnonce);
}

/* After Noise there is no password, unless that is ordered. */
static void ask_password(struct board *board)
{
    struct esphome *esphome = &board->esphome;
    const struct esphome_config *config = config_of(board);

    if (!board->sim->config->has_password || (esphome->is_encrypted && !config->asks_encrypted)) {
        expect_image(board);
        return;
    }
    if (!config->asks_md5 && !(esphome->features & FEATURE_SHA256)) {
        refuse(board, ERROR_AUTH);
        return;
    }
    if (config->asks_md5)
        challenge_host(board, SAY_MD5, MD5_HEX);
    else
        challenge_host(board, SAY_SHA256, SHA256_HEX);
}

/* The byte for the updater's error. */
static uint8_t error_byte(const struct board *board, uint8_t otherwise)
{
    static const struct {
        const char *words;
        uint8_t byte;
    } rows[] = {{"MD5", 0x8B},          {"bootstrapping", 0x85}, {"new Flash config", 0x87},
                {"Flash config", 0x86}, {"Signature", 0x8D},     {"Partition", 0x8A}};
    const char *text = board->web.updater.error;
    const char *family = board->sim->config->family.name;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcasestr(text, rows[i].words))
            return rows[i].byte;
    if (!strcasestr(text, "Space") && !strcasestr(text, "Size"))
        return otherwise;
    return strncmp(family, "esp32", 5) == 0 ? 0x89 : strcmp(family, "pico") == 0 ? 0x8C : 0x88;
}

static void begin_data(struct board *board)
{
    struct esphome *esphome = &board->esphome;

    esphome->state = ESPHOME_DATA;
    esphome->frame = 0;
    be_patient(board, config_of(board)->data_ms);
    watch_client(board);
}

static void take_md5(struct board *board)
{
    if (errs(board, ESPHOME_MD5))
        return;
    memcpy(board->invitation.md5, board->esphome.in, MD5_HEX);
    board->invitation.md5[MD5_HEX] = '\0';
    say_byte(board, SAY_MD5_TAKEN);
    upload_faults(board); /* those at byte 0 */
    if (board->esphome.state == ESPHOME_STEP)
        begin_data(board);
}

static void flash_prepared(void *owner)
{
    struct board *board = owner;

    say_byte(board, SAY_PREPARED);
    expect(board, MD5_HEX, take_md5);
}

static void take_size(struct board *board)
{
    struct esphome *esphome = &board->esphome;
    const uint8_t *in = esphome->in;

    if (esphome->want == 1) { /* the type comes before it */
        if (in[0] == 0)
            expect(board, 4, take_size);
        else
            refuse(board, ERROR_TYPE);
        return;
    }
    esphome->size = (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 | in[3];
    esphome->acknowledged = 0;
    board_event(board, "size bytes=%zu packed=%d", esphome->size, esphome->is_packed);
    if (errs(board, ESPHOME_SIZE))
        return;
    if (!updater_begin(board, esphome->size, false, "")) {
        refuse(board, error_byte(board, ERROR_PREPARE));
        return;
    }
    esphome->state = ESPHOME_BUSY;
    watch_client(board);
    esphome->timer.expired = flash_prepared;
    timer_start(loop_of(board), &esphome->timer, board->sim->config->family.prepare_us);
}

/* -- the image -- */

static void restart_board(void *owner)
{
    struct board *board = owner;

    board_counts_success(board);
    board_restart(board);
}

/* The device waits for the client's last byte, but does not insist on it. */
static void end_well(struct board *board)
{
    struct esphome *esphome = &board->esphome;

    esphome->state = ESPHOME_ENDING;
    timer_stop(loop_of(board), &esphome->timer);
    timer_start(loop_of(board), &esphome->restart, board->sim->config->family.restart_us);
    watch_client(board);
}

/* True if the verdict is withheld to order. */
static bool withholds_verdict(struct board *board)
{
    if (board_fault(board, FAULT_OK_NEVER)) {
        end_well(board);
        return true;
    }
    bool reset = board_fault(board, FAULT_OK_RESET) != NULL;
    if (!reset && !board_fault(board, FAULT_OK_MISSING))
        return false;
    close_client(board, reset);
    timer_start(loop_of(board), &board->esphome.restart, board->sim->config->family.restart_us);
    return true;
}

static void end_image(struct board *board)
{
    const struct fault *fault = board_fault(board, FAULT_ERROR_END);

    if (fault) {
        refuse(board, (uint8_t)fault->text[0]);
        return;
    }
    say_byte(board, SAY_RECEIVED);
    if (!updater_end(board)) {
        refuse(board, error_byte(board, ERROR_END));
        return;
    }
    if (withholds_verdict(board))
        return;
    say_byte(board, SAY_INSTALLED);
    end_well(board);
}

static void go_on(void *owner)
{
    struct board *board = owner;
    struct esphome *esphome = &board->esphome;
    const size_t received = board->upload.received;
    bool is_all = received == esphome->size;

    while (config_of(board)->version > 1 && (received - esphome->acknowledged >= CHUNK ||
                                             (is_all && esphome->acknowledged < received))) {
        say_byte(board, SAY_CHUNK);
        esphome->acknowledged +=
            received - esphome->acknowledged < CHUNK ? received - esphome->acknowledged : CHUNK;
    }
    if (is_all)
        end_image(board);
    else
        begin_data(board);
}

static void resume_client(void *owner);

static void pause_client(struct board *board, int64_t us)
{
    struct esphome *esphome = &board->esphome;

    esphome->state = ESPHOME_BUSY;
    watch_client(board);
    esphome->timer.expired = resume_client;
    timer_start(loop_of(board), &esphome->timer, us);
}

bool esphome_apply_fault(struct board *board, const struct fault *fault)
{
    struct esphome *esphome = &board->esphome;

    switch (fault->kind) {
    case FAULT_RESET:
        end_client(board, "ordered reset", true);
        return true;
    case FAULT_CLOSE:
        end_client(board, "ordered close", false);
        return true;
    case FAULT_ERROR:
        refuse(board, (uint8_t)fault->text[0]);
        return true;
    case FAULT_GARBAGE:
        say(board, fault->text, fault->text_length < SHA256_HEX ? fault->text_length : SHA256_HEX);
        return false;
    case FAULT_CRASH:
        board_event(board, "crash");
        updater_abort(board, "crash");
        board_restart(board);
        return true;
    case FAULT_STALL:
        esphome->state = ESPHOME_HELD;
        timer_stop(loop_of(board), &esphome->timer);
        watch_client(board);
        return true;
    case FAULT_PAUSE:
        esphome->cost_us += (int64_t)fault->number * 1000;
        return false;
    case FAULT_CORRUPT:
        board->upload.corrupt = true;
        return false;
    default:
        return false;
    }
}

/* Stores a part of the image. False if it was stopped or interrupted. */
static bool store(struct board *board, uint8_t *bytes, size_t length)
{
    struct esphome *esphome = &board->esphome;
    struct upload *upload = &board->upload;

    while (length > 0) {
        size_t until = upload_next_fault(board) - upload->received;
        size_t piece = until > 0 && until < length ? until : length;

        if (upload->corrupt)
            bytes[0] ^= 1;
        upload->corrupt = false;
        updater_write(board, bytes, piece, &esphome->cost_us);
        if (board->web.updater.error[0]) {
            refuse(board, strcasestr(board->web.updater.error, "ecryption")
                              ? ERROR_MAGIC
                              : error_byte(board, ERROR_WRITE));
            return false;
        }
        if (upload_faults(board))
            return false;
        bytes += piece;
        length -= piece;
    }
    return true;
}

/* Takes a part of the image, and what follows it. */
static void take_data(struct board *board, uint8_t *bytes, size_t length)
{
    struct esphome *esphome = &board->esphome;

    if (length > esphome->size - board->upload.received) {
        refuse(board, ERROR_WRITE);
        return;
    }
    esphome->cost_us = 0;
    if (!store(board, bytes, length))
        return;
    if (esphome->cost_us > 0)
        pause_client(board, esphome->cost_us);
    else
        go_on(board);
}

/* -- reading -- */

/* Reads up to length bytes; 0 if there are none now, or the client has gone. */
static size_t read_some(struct board *board, uint8_t *bytes, size_t length)
{
    ssize_t got = recv(board->esphome.fd, bytes, length, 0);

    if (got > 0)
        return (size_t)got;
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        end_client(board, got == 0 ? "host closed" : "host reset", false);
    return 0;
}

/* Reads from the bytes that the socket had at the last read. lwIP opens its window again for each
 * part that is read, Linux only once it has doubled, so reading by frames would keep it small. */
static size_t read_ahead(struct board *board, uint8_t *bytes, size_t length)
{
    struct esphome *esphome = &board->esphome;

    if (esphome->ahead_start == esphome->ahead_end) {
        esphome->ahead_start = 0;
        esphome->ahead_end = read_some(board, esphome->ahead, sizeof esphome->ahead);
    }
    if (length > esphome->ahead_end - esphome->ahead_start)
        length = esphome->ahead_end - esphome->ahead_start;
    memcpy(bytes, esphome->ahead + esphome->ahead_start, length);
    esphome->ahead_start += length;
    return length;
}

/* Reads a part of a frame. Returns the length of its content once it is complete, else 0. */
static size_t read_frame(struct board *board)
{
    struct esphome *esphome = &board->esphome;
    size_t whole = FRAME_HEAD;

    if (esphome->frame >= FRAME_HEAD)
        whole += (size_t)esphome->in[1] << 8 | esphome->in[2];
    if (whole > ESPHOME_IN || (esphome->frame >= 1 && esphome->in[0] != 1)) {
        end_client(board, "no frame", false);
        return 0;
    }
    esphome->frame += (esphome->state == ESPHOME_DATA ? read_ahead : read_some)(
        board, esphome->in + esphome->frame, whole - esphome->frame);
    if (esphome->frame < whole || whole == FRAME_HEAD)
        return 0;

    esphome->frame = 0;
    if (noise_unwrap(&esphome->noise, esphome->in + FRAME_HEAD, whole - FRAME_HEAD) &&
        whole > FRAME_HEAD + NOISE_TAG) {
        memmove(esphome->in, esphome->in + FRAME_HEAD, whole - FRAME_HEAD - NOISE_TAG);
        return whole - FRAME_HEAD - NOISE_TAG;
    }
    end_client(board, "not authentic", false);
    return 0;
}

static void read_step(struct board *board)
{
    struct esphome *esphome = &board->esphome;
    size_t got = esphome->is_encrypted
                     ? read_frame(board)
                     : read_some(board, esphome->in + esphome->have, esphome->want - esphome->have);

    if (got == 0)
        return;
    esphome->have += got;
    esphome->segments++;
    if (esphome->is_encrypted && got != esphome->want) {
        end_client(board, "wrong length of a unit", false);
    } else if (esphome->have == esphome->want) {
        timer_stop(loop_of(board), &esphome->timer);
        if (esphome->segments > 1)
            board_event(board, "parts count=%u", esphome->segments);
        esphome->then(board);
    }
}

static void read_data(struct board *board)
{
    struct esphome *esphome = &board->esphome;
    size_t left = esphome->size - board->upload.received;
    size_t limit = left < ESPHOME_IN ? left : ESPHOME_IN;
    size_t got = esphome->is_encrypted ? read_frame(board) : read_some(board, esphome->in, limit);

    if (got > 0)
        take_data(board, esphome->in, got);
}

static void read_all_data(struct board *board)
{
    const struct esphome *esphome = &board->esphome;

    do
        read_data(board);
    while (esphome->state == ESPHOME_DATA && esphome->ahead_start < esphome->ahead_end);
}

static void resume_client(void *owner)
{
    struct board *board = owner;

    go_on(board);
    if (board->esphome.state == ESPHOME_DATA &&
        board->esphome.ahead_start < board->esphome.ahead_end)
        read_all_data(board);
}

static void client_event(void *owner, uint32_t events)
{
    struct board *board = owner;
    struct esphome *esphome = &board->esphome;

    if (esphome->state == ESPHOME_STEP) {
        read_step(board);
    } else if (esphome->state == ESPHOME_DATA) {
        read_all_data(board);
    } else if (esphome->state == ESPHOME_ENDING) {
        bool has_said = recv(esphome->fd, esphome->in, sizeof esphome->in, 0) > 0;
        if (has_said)
            board_event(board, "acknowledged");
        watch_remove(loop_of(board), &esphome->watch);
    } else if (esphome->state == ESPHOME_HELD && (events & (EPOLLRDHUP | EPOLLHUP))) {
        end_client(board, "host closed", false);
    } else if (events & (EPOLLERR | EPOLLHUP)) {
        watch_remove(loop_of(board), &esphome->watch);
    }
}

/* -- the listener -- */

static void listener_event(void *owner, uint32_t events)
{
    struct board *board = owner;
    struct esphome *esphome = &board->esphome;
    int on = 1;
    (void)events;

    if (esphome->state != ESPHOME_FREE) {
        watch_want(loop_of(board), &esphome->listener, 0);
        return;
    }
    int fd = accept4(esphome->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    upload_clamp(board, fd);
    esphome->fd = fd;
    esphome->is_encrypted = false;
    esphome->ahead_start = esphome->ahead_end = 0;
    watch_want(loop_of(board), &esphome->listener, 0);
    if (!watch_add(loop_of(board), &esphome->watch, fd, EPOLLIN)) {
        close_client(board, false);
        return;
    }
    board_event(board, "client");
    expect(board, sizeof MAGIC, take_magic);
    if (board_fault(board, FAULT_SILENT)) {
        esphome->state = ESPHOME_HELD;
        timer_stop(loop_of(board), &esphome->timer);
        watch_client(board);
    }
}

void esphome_set_up(struct board *board)
{
    struct esphome *esphome = &board->esphome;

    esphome->fd = -1;
    esphome->listener = (struct watch){.ready = listener_event, .owner = board, .fd = -1};
    esphome->watch = (struct watch){.ready = client_event, .owner = board, .fd = -1};
    esphome->timer = (struct timer){.owner = board};
    esphome->restart = (struct timer){.expired = restart_board, .owner = board};
}

bool esphome_open(struct board *board)
{
    struct esphome *esphome = &board->esphome;

    if (esphome->is_left_behind)
        silence_end(esphome->fd);
    esphome->is_left_behind = false;
    esphome->fd = -1;
    esphome->state = ESPHOME_FREE;

    int fd = address_bind(&board->address, SOCK_STREAM);
    if (fd < 0)
        return false;
    upload_set_window(board, fd);
    return board_listen(board, &board->address, &esphome->listener, fd, BACKLOG);
}

static void close_port(struct board *board)
{
    struct esphome *esphome = &board->esphome;
    int fd = esphome->listener.fd;

    watch_remove(loop_of(board), &esphome->listener);
    timer_stop(loop_of(board), &esphome->restart);
    timer_stop(loop_of(board), &esphome->timer);
    if (fd >= 0)
        close(fd);
}

void esphome_leave(struct board *board)
{
    struct esphome *esphome = &board->esphome;

    close_port(board);
    watch_remove(loop_of(board), &esphome->watch);
    if (esphome->fd >= 0 && !esphome->is_left_behind) {
        esphome->fd = silence_begin(esphome->fd);
        esphome->is_left_behind = true;
    }
}

void esphome_abandon(struct board *board)
{
    struct esphome *esphome = &board->esphome;

    close_port(board);
    watch_remove(loop_of(board), &esphome->watch);
    if (esphome->fd >= 0)
        close(esphome->fd);
    esphome->fd = -1;
}
