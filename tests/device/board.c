/* The life of a board: its port, its queue of datagrams, the sketch's loop(), restarts. */
#include "board.h"

#include "announce.h"
#include "event.h"
#include "fetcher.h"
#include "handshake.h"
#include "reply.h"
#include "silence.h"
#include "web_page.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { READS_PER_TURN = 64 };

static void loop_round(void *owner);

void board_event(const struct board *board, const char *format, ...)
{
    char address[ADDRESS_TEXT];

    printf("%s ", address_text(&board->address, address));
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

void board_note(const struct board *board, const char *format, ...)
{
    if (!board->sim->config->verbose)
        return;

    char address[ADDRESS_TEXT];
    fprintf(stderr, "%s: ", address_text(&board->address, address));
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

bool board_fault_left(const struct board *board, size_t index)
{
    unsigned times = board->sim->config->faults[index].times;
    return times == 0 || board->fault_uses[index] < times;
}

void board_fault_used(struct board *board, size_t index)
{
    board->fault_uses[index]++;
    const char *order = board->sim->config->faults[index].order;
    char escaped[ESCAPED_ROOM];
    board_event(board, "fault order=%s", event_value(order, strlen(order), escaped));
}

const struct fault *board_fault(struct board *board, enum fault_kind kind)
{
    const struct config *config = board->sim->config;
    for (size_t i = 0; i < config->fault_count; i++) {
        if (config->faults[i].kind == kind && board_fault_left(board, i)) {
            board_fault_used(board, i);
            return &config->faults[i];
        }
    }
    return NULL;
}

void board_after(struct board *board, int64_t delay_us, void (*then)(void *board))
{
    board->state_timer.expired = then;
    timer_start(board->sim->loop, &board->state_timer, delay_us);
}

static bool is_attentive(const struct board *board)
{
    return board->state == BOARD_IDLE || board->state == BOARD_WAITING;
}

/* The sketch calls handle() in a fixed interval, or at once if its loop() does nothing else. */
void board_wait_for_loop(struct board *board)
{
    bool due = board->state == BOARD_ACCEPTED || (is_attentive(board) && board->queue);
    if (!due || board->loop_timer.slot != 0)
        return;

    int64_t beat = board->sim->config->loop_us;
    int64_t delay = beat > 0 ? beat - (now_us() - board->born_us) % beat : 0;
    timer_start(board->sim->loop, &board->loop_timer, delay);
}

static struct datagram *queue_take(struct board *board)
{
    struct datagram *datagram = board->queue;
    board->queue = datagram->next;
    board->queued--;
    return datagram;
}

static void queue_clear(struct board *board)
{
    while (board->queue)
        free(queue_take(board));
}

static void queue_add(struct board *board, const struct address *from, const void *bytes,
                      size_t length)
{
    struct datagram *datagram = NULL;

    if (board->queued < board->sim->config->family.queue)
        datagram = malloc(sizeof *datagram + length);
    if (!datagram) {
        board_note(board, "the queue is full: a datagram is lost");
        return;
    }

    *datagram = (struct datagram){.from = *from, .length = length};
    memcpy(datagram->bytes, bytes, length);

    struct datagram **end = &board->queue;
    while (*end)
        end = &(*end)->next;
    *end = datagram;
    board->queued++;
}

static void read_queue(struct board *board)
{
    const struct config *config = board->sim->config;
    bool one = !config->all_per_loop && config->family.lineage == LINEAGE_ESP32;

    while (board->queue && is_attentive(board)) {
        struct datagram *datagram = queue_take(board);
        handshake_read(board, datagram);
        free(datagram);
        if (one)
            break;
    }
}

/* One call of handle(). An ESP32 first runs an accepted update and then reads. The 8266 family has
 * already read datagrams in a callback of its stack; it discards the rest of a burst. */
static void loop_round(void *owner)
{
    struct board *board = owner;
    bool first_run = board->sim->config->family.lineage == LINEAGE_ESP32;

    if (first_run && board->state == BOARD_ACCEPTED) {
        upload_run(board);
    } else {
        read_queue(board);
        if (!first_run && board->state == BOARD_ACCEPTED) {
            queue_clear(board);
            upload_run(board);
        }
    }
    board_wait_for_loop(board);
}

static void arrived(struct board *board, const struct address *from, const uint8_t *bytes,
                    size_t length)
{
    bool answer = length >= 3 && memcmp(bytes, "200", 3) == 0;

    if (board_fault(board, FAULT_SILENT) ||
        board_fault(board, answer ? FAULT_DROP_ANSWER : FAULT_DROP_INVITATION))
        return;

    if (!answer)
        upload_give_up(board);

    bool busy = board->state == BOARD_ACCEPTED || board->state == BOARD_UPDATING;
    if (busy && board->sim->config->family.lineage == LINEAGE_8266) {
        board_event(board, "dropped bytes=%zu", length);
        return;
    }

    queue_add(board, from, bytes, length);
    if (!answer && board_fault(board, FAULT_DUPLICATE_INVITATION))
        queue_add(board, from, bytes, length);
    board_wait_for_loop(board);
}

static void udp_ready(void *owner, uint32_t events)
{
    struct board *board = owner;
    uint8_t bytes[DATAGRAM_MAX];
    (void)events;

    for (int i = 0; i < READS_PER_TURN && board->udp.fd >= 0; i++) {
        struct address from = {.length = sizeof from.storage};
        ssize_t length = recvfrom(board->udp.fd, bytes, sizeof bytes, MSG_TRUNC,
                                  (struct sockaddr *)&from.storage, &from.length);
        if (length < 0)
            break;
        if ((size_t)length > sizeof bytes)
            board_event(board, "malformed bytes=%zd", length); /* boards drop fragments */
        else
            arrived(board, &from, bytes, (size_t)length);
    }
}

bool board_listen(struct board *board, struct address *address, struct watch *watch, int fd,
                  int backlog)
{
    address->length = sizeof address->storage;
    if (listen(fd, backlog) < 0 ||
        getsockname(fd, (struct sockaddr *)&address->storage, &address->length) < 0 ||
        !watch_add(board->sim->loop, watch, fd, EPOLLIN)) {
        int error = errno;
        close(fd);
        errno = error;
        return false;
    }
    return true;
}

static bool udp_open(struct board *board)
{
    int fd = address_bind(&board->address, SOCK_DGRAM);
    if (fd < 0)
        return false;
    if (!watch_add(board->sim->loop, &board->udp, fd, EPOLLIN)) {
        close(fd);
        return false;
    }
    return true;
}

/* A board with a web page or ESPHome, or one that fetches, does not use ArduinoOTA. */
static bool has_datagrams(const struct board *board)
{
    const struct config *config = board->sim->config;

    return !config->web.page && !config->esphome.wanted && !config->fetch.url;
}

static bool service_open(struct board *board)
{
    if (board->sim->config->fetch.url)
        return true; /* a board that fetches does not listen */
    if (board->sim->config->esphome.wanted)
        return esphome_open(board);
    return has_datagrams(board) ? udp_open(board) : web_open(board);
}

static void service_leave(struct board *board)
{
    web_leave(board);
    esphome_leave(board);
    update_check_leave(board);
}

static void udp_close(struct board *board)
{
    int fd = board->udp.fd;
    watch_remove(board->sim->loop, &board->udp);
    if (fd >= 0)
        close(fd);
    queue_clear(board);
    timer_stop(board->sim->loop, &board->loop_timer);
    board->state = BOARD_OFF;
}

void board_idle(void *owner)
{
    struct board *board = owner;
    if (board_fault(board, FAULT_LEFT_WAITING))
        handshake_leave_waiting(board);
    else
        board->state = BOARD_IDLE;
    board_wait_for_loop(board);
}

/* Its TCP port has the number of its UDP port, or is that of its page or of ESPHome. */
static void leave_network(struct board *board)
{
    udp_close(board);
    upload_leave(board);
    telnet_leave(board);
    service_leave(board);
    board->away = silence_port(&board->address);
}

static void enter_network(struct board *board)
{
    if (board->away >= 0)
        close(board->away);
    board->away = -1;
}

static void back_on_air(void *owner)
{
    enum { RETRY_US = 100000 };
    struct board *board = owner;

    enter_network(board);
    upload_come_back(board);
    fetch_come_back(board);
    if (!service_open(board)) {
        board_note(board, "bind: %s", strerror(errno));
        board_after(board, RETRY_US, back_on_air);
        return;
    }

    board_event(board, "open");
    announce_again(board);
    board->born_us = now_us();
    board_idle(board);
    if (board->sim->config->fetch.url)
        update_check_start(board, 0);
    if (!telnet_open(board))
        board_note(board, "telnet: %s", strerror(errno));
}

/* Boots the installed sketch; a filesystem image does not change it. False if the board no longer
 * starts. */
static bool boot_installed(struct board *board)
{
    const char *dead = board->upload.dead;
    bool is_new = board->upload.installed && board->invitation.command == 0;

    board->upload.installed = false;
    if (is_new && !board->sim->config->web.rolls_back)
        board->telnet.is_new = true;
    if (is_new && board->sim->config->boots && dead)
        board_event(board, "boot result=failed reason=\"%s\"", dead);
    else if (is_new && board->sim->config->boots)
        board_event(board, "boot result=ok");
    return !is_new || !dead;
}

void board_restart(void *owner)
{
    struct board *board = owner;
    leave_network(board);
    board_event(board, "rebooting");
    if (boot_installed(board))
        board_after(board, board->sim->config->reboot_us, back_on_air);
}

void board_counts_success(struct board *board)
{
    struct sim *sim = board->sim;
    sim->successes++;
    if (sim->config->uploads > 0 && sim->successes >= sim->config->uploads)
        loop_stop(sim->loop);
}

static void set_up(struct board *board, struct sim *sim, unsigned index)
{
    *board = (struct board){.sim = sim, .address = sim->config->address, .state = BOARD_OFF};
    address_advance(&board->address, index);

    board->away = -1;
    board->udp = (struct watch){.ready = udp_ready, .owner = board, .fd = -1};
    board->loop_timer = (struct timer){.expired = loop_round, .owner = board};
    board->state_timer = (struct timer){.owner = board};

    for (size_t i = 0; i < LATE_REPLIES; i++) {
        board->late[i].board = board;
        board->late[i].timer = (struct timer){.expired = reply_send_late, .owner = &board->late[i]};
    }

    upload_set_up(board);
    telnet_set_up(board);
    web_set_up(board);
    esphome_set_up(board);
    fetch_set_up(board);
    update_check_set_up(board);
}

/* Real boards are not all switched on at once, so they start one after the other. */
static int64_t first_look_us(const struct board *board)
{
    const struct config *config = board->sim->config;
    const int64_t index = board - board->sim->boards;

    return index * 1000 * config->fetch.every_ms / config->count;
}

static void announce_ready(const struct board *board)
{
    const struct config *config = board->sim->config;
    const struct family *family = &config->family;
    const bool has_page = config->web.page != NULL, fetches = config->fetch.url != NULL;

    board_event(board, "ready family=%s board=%s%s%s%s%s%s", family->name,
                family->board ? family->board : esp_chip_name(config->chip),
                has_page ? " page=" : "", has_page ? config->web.page->name : "",
                config->esphome.wanted ? " esphome" : "", fetches ? " fetcher=" : "",
                fetches ? config->fetch.fetcher->name : "");
}

static void complain_of_port(const char *transport, const char *option,
                             const struct address *address)
{
    char text[ADDRESS_TEXT];
    const int error = errno;

    fprintf(stderr, "esp-ota-sim: cannot listen on %s %s: %s\n", transport,
            address_text(address, text), strerror(error));
    if (error == EADDRINUSE)
        fputs("  Perhaps another simulated board runs: end it, or give another address or port.\n",
              stderr);
    if (error == EACCES)
        fprintf(stderr, "  Only root may use such a low port: give another one, as in %s.\n",
                option);
}

bool board_start(struct board *board, struct sim *sim, unsigned index)
{
    set_up(board, sim, index);
    if (!service_open(board)) {
        complain_of_port(has_datagrams(board) ? "UDP" : "TCP", "-p 8080", &board->address);
        return false;
    }

    struct address bound = {.length = sizeof bound.storage};
    if (has_datagrams(board) &&
        getsockname(board->udp.fd, (struct sockaddr *)&bound.storage, &bound.length) == 0)
        board->address = bound;
    board->born_us = now_us();

    const struct fault *closed = board_fault(board, FAULT_CLOSED);
    if (closed) {
        udp_close(board);
        service_leave(board);
        board_after(board, (int64_t)closed->number * 1000, back_on_air);
    } else {
        board_idle(board);
    }
    if (!closed && !telnet_open(board)) {
        complain_of_port("TCP", "--telnet 2323", &board->telnet.address);
        return false;
    }

    announce_ready(board);
    if (sim->config->fetch.url && !closed)
        update_check_start(board, first_look_us(board));
    return true;
}

void board_free(struct board *board)
{
    upload_abandon(board);
    telnet_abandon(board);
    web_abandon(board);
    esphome_abandon(board);
    update_check_abandon(board);
    enter_network(board);
    udp_close(board);
}
