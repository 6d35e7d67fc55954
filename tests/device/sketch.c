/* Runs a script. Unless it logs from boot, a sketch pauses while no client is connected, so a
 * test sees every line, whenever it connects. During an upload the sketch stands still, as on a
 * board. */
#include "sketch.h"

#include "board.h"

#include <stdio.h>
#include <string.h>

enum { STEPS_PER_TURN = 256, UPLOAD_POLL_US = 5000, UNHEARD_US = 1000 };

static const struct script *script_of(const struct board *board)
{
    const struct telnet_config *config = &board->sim->config->telnet;
    return board->telnet.is_new && config->after.count > 0 ? &config->after : &config->before;
}

static void after(struct board *board, int64_t delay_us)
{
    timer_start(board->sim->loop, &board->telnet.timer, delay_us);
}

static void next_step(struct board *board)
{
    board->telnet.step++;
    board->telnet.done = 0;
}

static void count_done(struct board *board, uint64_t wanted, uint64_t done)
{
    board->telnet.done += done;
    if (wanted > 0 && board->telnet.done >= wanted)
        next_step(board);
}

/* Logs the step's text, or usual if it has none, and how often it has done so. */
static void say_counted(struct board *board, const struct step *step, const char *usual)
{
    char line[STEP_TEXT + 32];
    const char *text = step->length > 0 ? step->text : usual;
    size_t length = step->length > 0 ? step->length : strlen(usual);
    int end = snprintf(line, sizeof line, "%.*s %llu", (int)length, text,
                       (unsigned long long)board->telnet.done);
    telnet_line(board, line, (size_t)end);
}

/* False if no client is connected: then the next step waits, or a flood would take all CPU time. */
static bool is_heard(struct board *board)
{
    if (telnet_has_client(board))
        return true;
    after(board, UNHEARD_US);
    return false;
}

static bool flood(struct board *board, const struct step *step)
{
    say_counted(board, step, "flood");
    count_done(board, step->number, 1);
    return is_heard(board);
}

static bool endless(struct board *board, const struct step *step)
{
    char bytes[TELNET_ROOM];
    uint64_t left = step->number - board->telnet.done;
    size_t length = step->number > 0 && left < sizeof bytes ? (size_t)left : sizeof bytes;
    memset(bytes, 'x', length);
    telnet_send(board, bytes, length);
    count_done(board, step->number, length);
    return is_heard(board);
}

static bool tick(struct board *board, const struct step *step)
{
    say_counted(board, step, "tick");
    board->telnet.done++;
    after(board, (int64_t)step->number * 1000);
    return false;
}

static bool restart(struct board *board, bool back)
{
    telnet_flush(board);
    board_event(board, back ? "rollback" : "crash");
    if (back)
        board->telnet.is_new = false;
    board_restart(board);
    return false;
}

static bool drop(struct board *board, bool reset)
{
    next_step(board);
    telnet_flush(board);
    telnet_drop(board, reset);
    return true;
}

/* True if the next step may follow at once. */
static bool run_step(struct board *board, const struct step *step)
{
    switch (step->kind) {
    case STEP_LINE:
        telnet_line(board, step->text, step->length);
        next_step(board);
        return true;
    case STEP_RAW:
        telnet_send(board, step->text, step->length);
        next_step(board);
        return true;
    case STEP_PAUSE:
        next_step(board);
        after(board, (int64_t)step->number * 1000);
        return false;
    case STEP_TICK:
        return tick(board, step);
    case STEP_FLOOD:
        return flood(board, step);
    case STEP_ENDLESS:
        return endless(board, step);
    case STEP_CLOSE:
    case STEP_RESET:
        return drop(board, step->kind == STEP_RESET);
    case STEP_CRASH:
    case STEP_ROLLBACK:
        break;
    }
    return restart(board, step->kind == STEP_ROLLBACK);
}

static bool is_finished(const struct board *board)
{
    return board->telnet.step >= script_of(board)->count;
}

/* True if the sketch may run a step now; otherwise an event or a timer calls again. */
static bool may_run(struct board *board)
{
    struct telnet *telnet = &board->telnet;

    if (telnet->ended || telnet->timer.slot != 0 || !telnet_has_room(board))
        return false;
    if (board->state == BOARD_UPDATING) {
        after(board, UPLOAD_POLL_US);
        return false;
    }
    if (!board->sim->config->telnet.at_boot && !telnet_has_client(board))
        return false;
    if (is_finished(board)) {
        telnet->ended = true;
        board_event(board, "log-end");
        return false;
    }
    return true;
}

void sketch_go_on(void *owner)
{
    struct board *board = owner;
    int steps = 0;

    while (steps < STEPS_PER_TURN && may_run(board)) {
        if (!run_step(board, &script_of(board)->steps[board->telnet.step]))
            break;
        steps++;
    }

    bool stuck = !telnet_has_room(board);
    telnet_flush(board);
    if (steps == STEPS_PER_TURN || (stuck && telnet_has_room(board)))
        after(board, 0);
}

void sketch_start(struct board *board)
{
    board->telnet.step = 0;
    board->telnet.done = 0;
    board->telnet.ended = false;
    sketch_go_on(board);
}

void sketch_greet(struct board *board)
{
    if (is_finished(board) && !board->sim->config->telnet.at_boot)
        sketch_start(board);
    else
        sketch_go_on(board);
}

void sketch_stop(struct board *board)
{
    timer_stop(board->sim->loop, &board->telnet.timer);
}
