/*
 * tasmotas.c: the boards that are told to fetch, as a roll-out.
 */
#include "serve/tasmota_internal.h"

#include "base/array.h"
#include "base/error.h"
#include "base/secret.h"

#include <stdlib.h>

/* -- whose turn it is -- */

static bool are_all_done(const struct tasmotas *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (!all->list[i]->is_done)
            return false;
    return true;
}

/* Whether this board may be told now; it becomes a canary if one is missing. */
static enum turn take_turn(struct tasmotas *all, struct book_board *board)
{
    struct rollout_counts counts;
    enum turn turn;

    book_count(all->config.book, &counts);
    counts.downloads = 0;
    for (size_t i = 0; i < all->count; i++)
        counts.downloads += all->list[i]->is_started && !all->list[i]->is_done;
    turn = rollout_turn(&all->config.rules, &counts, board->is_canary, true);
    if (turn == TURN_NOW && rollout_needs_canary(&all->config.rules, &counts))
        book_set_canary(board);
    return turn;
}

static void start_in_turn(struct tasmota *tasmota)
{
    const enum turn turn = take_turn(tasmota->all, tasmota->order.board);

    if (turn == TURN_NOW) {
        tasmota_start(tasmota);
    } else if (turn == TURN_STOPPED) {
        tasmota->phase = OTA_PHASE_RESOLVE;
        ota_fail(&tasmota->outcome, OTA_E_NEVER_ASKED,
                 "it was not told to fetch, as the roll-out has stopped");
        tasmota_report_outcome(tasmota);
    }
}

static void start_next(struct tasmotas *all)
{
    for (size_t i = 0; i < all->count && !all->is_ending; i++)
        if (!all->list[i]->is_started && !all->list[i]->is_done)
            start_in_turn(all->list[i]);
}

void tasmotas_go_on(struct tasmotas *all)
{
    if (!all)
        return;
    start_next(all);
    if (are_all_done(all))
        all->config.on_all_done(all->config.userdata);
}

/* -- what tasmota.h declares -- */

static void on_timer_due(void *userdata)
{
    struct tasmota *tasmota = userdata;

    tasmota->on_timer(tasmota);
}

struct tasmotas *tasmotas_new(const struct tasmotas_config *config, struct ota_failure *failure)
{
    struct tasmotas *all = calloc(1, sizeof *all);

    if (!all) {
        ota_fail_no_memory(failure);
        return NULL;
    }
    all->config = *config;
    all->client = http_client_new(config->loop, failure);
    if (all->client)
        return all;
    free(all);
    return NULL;
}

bool tasmotas_add(struct tasmotas *all, const struct tasmota_order *order)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
    void *list = array_grow(all->list, all->count, &all->capacity, sizeof *all->list);
    struct tasmota *tasmota = list ? calloc(1, sizeof *tasmota) : NULL;

    if (list)
        all->list = list;
    if (!tasmota)
        return false;
    tasmota->all = all;
    tasmota->order = *order;
    tasmota->trust.least = order->min_auth;
    loop_timer_init(&tasmota->timer, all->config.loop, on_timer_due, tasmota);
    all->list[all->count++] = tasmota;
    return true;
}

void tasmotas_start(struct tasmotas *all, const struct address *at)
{
    all->at = *at;
    start_next(all);
}

/* For one that needs no OtaUrl back. If it was told, that is said; else its state says enough. */
static void cut_off(struct tasmota *tasmota)
{
    tasmota->is_done = true;
    loop_timer_stop(&tasmota->timer);
    resolver_free(tasmota->resolver);
    tasmota->resolver = NULL;
    http_request_free(tasmota->request);
    tasmota->request = NULL;
    if (tasmota->is_upgrading && tasmota_has_never_asked(tasmota)) {
        tasmota->phase = OTA_PHASE_TRANSFER;
        tasmota_report_outcome(tasmota);
    }
}

/* Its OtaUrl is the only thing that is left to do. What goes on has a request or a timer. */
static void end_board(struct tasmota *tasmota)
{
    const int64_t now_us = loop_now_us();

    if (tasmota->is_done)
        return;
    if (tasmota->is_upgrading && tasmota->order.board->state == BOOK_FETCHED) {
        tasmota->until_us = lesser_us(tasmota->until_us, now_us + TASMOTA_RESTORE_US);
    } else if (!tasmota->has_our_url) {
        cut_off(tasmota);
    } else if (tasmota->is_upgrading) {
        tasmota->moved_us = tasmota->until_us = now_us;
    }
}

bool tasmotas_end(struct tasmotas *all)
{
    if (!all)
        return false;

    all->is_ending = true;
    for (size_t i = 0; i < all->count; i++)
        end_board(all->list[i]);
    return !are_all_done(all);
}

void tasmotas_free(struct tasmotas *all)
{
    if (!all)
        return;

    for (size_t i = 0; i < all->count; i++) {
        struct tasmota *tasmota = all->list[i];

        if (tasmota->has_our_url)
            tasmota_note_left_url(tasmota);
        loop_timer_stop(&tasmota->timer);
        resolver_free(tasmota->resolver);
        http_request_free(tasmota->request);
        secret_free(tasmota->authorization);
        echo_clear(&tasmota->echo);
        free(tasmota);
    }
    http_client_free(all->client);
    free(all->list);
    free(all);
}
