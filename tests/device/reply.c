/* Sends the datagrams of a board, with all faults on the way to the host. */
#include "reply.h"

#include "board.h"
#include "event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DATAGRAM_LIMIT = 65507 };

static const struct address *caller(const struct board *board)
{
    const struct address *invited = &board->invitation.from;
    bool old_port = board->sim->config->family.lineage == LINEAGE_8266 && invited->length > 0;
    return old_port ? invited : &board->answer_from;
}

/* Sends a datagram. Errors lose it, as a radio link does. */
static void send_to(const struct board *board, const struct address *to, const void *bytes,
                    size_t length)
{
    if (board->udp.fd >= 0 && to->length > 0 &&
        sendto(board->udp.fd, bytes, length, 0, (const struct sockaddr *)&to->storage, to->length) <
            0)
        board_note(board, "sendto: %s", strerror(errno));
}

static bool is_dropped(struct board *board, enum reply_kind kind)
{
    return board_fault(board, FAULT_DROP_REPLY) ||
           (kind == REPLY_AUTH && board_fault(board, FAULT_DROP_AUTH)) ||
           (kind == REPLY_OK && board_fault(board, FAULT_DROP_OK));
}

static void send_forged(const struct board *board, const struct address *from)
{
    static const char text[] = "ERR: forged";
    int fd = address_bind(from, SOCK_DGRAM);
    const struct address *to = caller(board);
    if (fd < 0 ||
        sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&to->storage, to->length) < 0)
        board_note(board, "forged reply: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void send_big(const struct board *board, uint64_t wanted)
{
    size_t length = wanted < DATAGRAM_LIMIT ? (size_t)wanted : DATAGRAM_LIMIT;
    char *bytes = malloc(length + 1);
    if (!bytes)
        return;
    memset(bytes, 'A', length);
    send_to(board, caller(board), bytes, length);
    free(bytes);
}

/* Sends the datagrams that arrive before the reply itself. */
static void send_strays(struct board *board)
{
    const struct address *to = caller(board);
    const struct fault *fault;

    if (board_fault(board, FAULT_STALE_AUTH)) {
        char text[5 + HEX_ROOM] = "AUTH ";
        size_t length = board->sim->config->family.challenge_length;
        if (random_hex(text + 5, length))
            send_to(board, to, text, length + 5);
    }
    if (board_fault(board, FAULT_STALE_FAILED))
        send_to(board, to, "Authentication Failed", 21);
    if ((fault = board_fault(board, FAULT_GARBAGE_REPLY)))
        send_to(board, to, fault->text, fault->text_length);
    if ((fault = board_fault(board, FAULT_BIG_REPLY)))
        send_big(board, fault->number);
    if ((fault = board_fault(board, FAULT_FORGED_REPLY)))
        send_forged(board, &fault->address);
}

static bool send_later(struct board *board, int64_t delay_us, const void *text, size_t length)
{
    for (size_t i = 0; i < LATE_REPLIES; i++) {
        struct late_reply *late = &board->late[i];
        if (late->timer.slot != 0 || length > REPLY_ROOM)
            continue;

        late->to = *caller(board);
        late->length = length;
        memcpy(late->text, text, length);
        timer_start(board->sim->loop, &late->timer, delay_us);
        return true;
    }
    return false;
}

void reply_send_late(void *owner)
{
    const struct late_reply *late = owner;
    send_to(late->board, &late->to, late->text, late->length);
}

void reply_send(struct board *board, enum reply_kind kind, const void *text, size_t length)
{
    char escaped[ESCAPED_ROOM];

    send_strays(board);
    if (is_dropped(board, kind))
        return;

    board_event(board, "reply text=%s", event_value(text, length, escaped));
    const struct fault *delay = board_fault(board, FAULT_DELAY_REPLY);
    int copies = board_fault(board, FAULT_DUPLICATE_REPLY) ? 2 : 1;

    for (int i = 0; i < copies; i++)
        if (!delay || !send_later(board, (int64_t)delay->number * 1000, text, length))
            send_to(board, caller(board), text, length);
}
