/* Failures in an upload: ordered faults, and failures of real boards. */
#include "board.h"
#include "silence.h"

#include <string.h>

static bool is_due(const struct board *board, size_t index)
{
    const struct fault *fault = &board->sim->config->faults[index];
    bool fired = (board->upload.fired >> index & 1) != 0;
    return fault->at_byte && !fired && board_fault_left(board, index) &&
           fault->byte >= board->upload.received;
}

size_t upload_next_fault(const struct board *board)
{
    const struct config *config = board->sim->config;
    uint64_t next = SIZE_MAX;
    for (size_t i = 0; i < config->fault_count; i++)
        if (is_due(board, i) && config->faults[i].byte < next)
            next = config->faults[i].byte;
    return (size_t)next;
}

void upload_hold(struct board *board)
{
    timer_stop(board->sim->loop, &board->upload.silence);
    board->upload.phase = UPLOAD_HELD;
    upload_watch(board);
}

static void trickle(void *owner)
{
    enum { SECOND_US = 1000000 };
    struct board *board = owner;
    upload_send(board, "7", 1);
    upload_after(board, SECOND_US, trickle);
}

static void pause_upload(struct board *board, uint64_t ms)
{
    board->upload.phase = UPLOAD_BUSY;
    upload_watch(board);
    upload_after(board, (int64_t)ms * 1000, upload_go_on);
}

/* True if the fault stops or interrupts the upload. */
static bool apply_fault(struct board *board, const struct fault *fault)
{
    struct upload *upload = &board->upload;

    switch (fault->kind) {
    case FAULT_RESET:
        upload_fail(board, "ordered reset", true);
        return true;
    case FAULT_CLOSE:
        upload_fail(board, "ordered close", false);
        return true;
    case FAULT_ERROR:
        upload_refuse(board, fault->text, fault->text_length);
        return true;
    case FAULT_CRASH:
        upload_crash(board);
        return true;
    case FAULT_STALL:
        upload_hold(board);
        return true;
    case FAULT_PAUSE:
        pause_upload(board, fault->number);
        return true;
    case FAULT_TRICKLE:
        upload_hold(board);
        trickle(board);
        return true;
    case FAULT_GARBAGE:
        upload_send(board, fault->text, fault->text_length);
        return false;
    case FAULT_OK_EARLY:
        upload_send(board, "OK", 2);
        return false;
    case FAULT_CORRUPT:
        upload->corrupt = true;
        return false;
    case FAULT_FLOOD:
        upload->flood += fault->number;
        return false;
    default:
        return false;
    }
}

bool upload_faults(struct board *board)
{
    const struct config *config = board->sim->config;

    for (size_t i = 0; i < config->fault_count; i++) {
        if (!is_due(board, i) || config->faults[i].byte != board->upload.received)
            continue;
        board->upload.fired |= UINT32_C(1) << i;
        board_fault_used(board, i);
        const struct fault *fault = &config->faults[i];
        if (config->fetch.url        ? fetch_apply_fault(board, fault)
            : config->esphome.wanted ? esphome_apply_fault(board, fault)
            : config->web.page       ? web_apply_fault(board, fault)
                                     : apply_fault(board, fault))
            return true;
    }
    return false;
}

void upload_crash(struct board *board)
{
    struct upload *upload = &board->upload;
    board_event(board, "crash");
    upload->phase = UPLOAD_HELD;
    upload_report_failure(board, "crash");
    board_restart(board);
}

void upload_leave(struct board *board)
{
    struct upload *upload = &board->upload;
    timer_stop(board->sim->loop, &upload->timer);
    timer_stop(board->sim->loop, &upload->silence);
    watch_remove(board->sim->loop, &upload->watch);
    if (upload->fd >= 0 && !upload->left_behind)
        upload->fd = silence_begin(upload->fd);
    upload->left_behind = true;
}

void upload_come_back(struct board *board)
{
    struct upload *upload = &board->upload;
    silence_end(upload->fd);
    upload->fd = -1;
    upload_close(board, false);
    upload->left_behind = false;
    upload->phase = UPLOAD_NONE;
}

void upload_give_up(struct board *board)
{
    struct upload *upload = &board->upload;

    if (upload->phase != UPLOAD_HELD || upload->left_behind)
        return;
    if (upload->installed) {
        upload_finish(board);
        return;
    }

    upload_fail(board, upload->peer_closed ? "host closed" : "given up", !upload->peer_closed);
    timer_stop(board->sim->loop, &board->state_timer);
    board_idle(board);
}
