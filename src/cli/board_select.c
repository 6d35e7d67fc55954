/*
 * board_select.c: from the boards that board_browse.c finds to targets of the plan. Boards that
 * speak another protocol are never among them.
 */
#include "cli/board_select.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/units.h"
#include "cli/board_kind.h"
#include "cli/board_menu.h"
#include "discovery/board_browse.h"
#include "discovery/board_match.h"
#include "output/countdown.h"
#include "upload/upload.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t PAUSE_US = SECONDS(1); /* between two looks of --wait */

enum look {
    LOOK_FIRST,
    LOOK_FOR_OTHERS, /* boards of other services, to say which way they need */
    LOOK_AGAIN,      /* for --wait, which has been said */
};

struct selection {
    struct plan *plan;
    const struct options *options;
    struct loop *loop;
    struct mdns_client *mdns;
    struct board_browse *browse;
    struct loop_timer pause;
    struct loop_timer tick; /* of the countdown of --wait */
    int64_t deadline_us;    /* of --wait */
    enum look look;
    bool is_choosing;
    int64_t start_us;
    enum ota_error error;
    struct ota_failure *search;
    struct ota_failure *failure;
};

/* A target that is an instance is looked up by the services of its protocol. A board with another
 * service is named by its host, and so is any board whose second announcement may come first. */
static enum ota_error add_board(struct selection *selection, const struct board *board)
{
    struct target target = {
        .kind = TARGET_INSTANCE, .service = board->service, .port = selection->options->plan.port};
    bool is_other =
        selection->options->plan.protocol->services != 1U << board->service && board->is_resolved;

    if (board->has_address)
        target.announced = board->address;
    snprintf(target.name, sizeof target.name, "%s", is_other ? board->host : board->instance);
    if (is_other)
        target.kind = TARGET_LOCAL;
    if (is_other && !target.port && service_tells_port(board->service)) {
        target.port = board->port;
        target.has_announced_port = true;
    }
    if (board->is_ambiguous) { /* only its address tells it from the others */
        target.kind = TARGET_ADDRESS;
        target.address = board->address;
        address_text(target.name, &board->address);
    }
    return plan_add(selection->plan, &target, selection->failure);
}

/* Sets why the image is not for this board; "" if it may be, or if --force was given. */
static void describe_misfit(struct choice *choice, const struct plan *plan)
{
    const struct board *board = choice->board;
    const struct kind kind = board_kind(board);
    const uint16_t port = service_tells_port(board->service) ? board->port : 0;
    char chips[KIND_CHIPS_MAX + 8];

    if (plan->settings->force || plan->image_count == 0)
        return;
    if (image_fit_board(choice->reason, plan->images[0].image, &kind,
                        plan->settings->port ? plan->settings->port : port) != IMAGE_FIT_REFUSED)
        *choice->reason = '\0';
    kind_list_chips(chips, sizeof chips, kind.proven);
    snprintf(choice->clue, sizeof choice->clue, "%s%s", kind.clue, chips);
}

static void on_select_tick(void *userdata)
{
    struct selection *selection = userdata;

    countdown_draw("boards", selection->deadline_us - loop_now_us());
    loop_timer_start(&selection->tick, COUNTDOWN_TICK_US);
}

static void end_countdown(struct selection *selection)
{
    loop_timer_stop(&selection->tick);
    if (selection->look == LOOK_AGAIN && report_is_live(&selection->options->report))
        diag_status_clear();
}

static enum ota_error add_chosen(struct selection *selection, const struct board_list *boards)
{
    struct choice *choices = calloc(boards->count, sizeof *choices);

    if (!choices)
        return ota_fail_no_memory(selection->failure);
    for (size_t i = 0; i < boards->count; i++) {
        choices[i].board = boards->items[i];
        describe_misfit(&choices[i], selection->plan);
    }
    end_countdown(selection);
    selection->is_choosing = true;
    enum ota_error error =
        board_menu_choose(selection->loop, choices, boards->count, selection->failure);
    for (size_t i = 0; i < boards->count && error == OTA_OK; i++)
        if (choices[i].is_chosen)
            error = add_board(selection, choices[i].board);
    free(choices);
    return error;
}

/* Without a pattern, somebody means each board that the image is for. A board that would start any
 * image has to say which one it is. */
static bool must_tell_its_chip(const struct options *options)
{
    return options->plan.protocol->is_unchecked && !options->plan.force &&
           !options->patterns.name && !options->patterns.board;
}

static enum ota_error refuse_unknown_chip(const struct selection *selection,
                                          const struct board *board)
{
    char shown[4 * MDNS_INSTANCE_MAX];

    if (*board_kind(board).proven || !must_tell_its_chip(selection->options))
        return OTA_OK;
    return ota_fail(selection->failure, OTA_E_USAGE,
                    "'%s' does not announce its chip, and would start any image; name the boards "
                    "(-i), select them with --match or --board, or give --force",
                    escape_string(shown, sizeof shown, board->instance));
}

static enum ota_error add_all(struct selection *selection, const struct board_list *boards)
{
    enum ota_error error = OTA_OK;

    for (size_t i = 0; i < boards->count && error == OTA_OK; i++)
        error = refuse_unknown_chip(selection, boards->items[i]);
    for (size_t i = 0; i < boards->count && error == OTA_OK; i++)
        error = add_board(selection, boards->items[i]);
    return error;
}

/* Other services are left out at first where no board of theirs can be meant, as asking for them
 * takes longer. */
static unsigned services_to_browse(const struct selection *selection)
{
    return selection->look != LOOK_FOR_OTHERS && selection->options->plan.protocol->is_announced
               ? SERVICES_ARDUINO
               : SERVICES_ALL;
}

static enum ota_error select_found(struct selection *selection, const struct board_list *all)
{
    const struct options *options = selection->options;
    board_filter_fn *serves = options->plan.protocol->serves;
    struct board_list matching;
    char left_out[OTA_MESSAGE_MAX];
    enum ota_error error = board_match(&matching, all, &options->patterns, serves,
                                       &board_kind_facts, selection->failure);

    if (error == OTA_OK && *board_match_left_out(left_out, sizeof left_out, all, &options->patterns,
                                                 serves, &board_kind_facts))
        diag_info("%s", left_out);
    if (error == OTA_OK)
        error = options->chooses ? add_chosen(selection, &matching) : add_all(selection, &matching);
    free(matching.items);
    return error;
}

static void browse_for_others(struct selection *selection)
{
    selection->look = LOOK_FOR_OTHERS;
    loop_timer_start(&selection->pause, 0);
}

static void browse_again(struct selection *selection)
{
    if (selection->look != LOOK_AGAIN)
        diag_info("%s; waiting for boards, %.3g s at most", selection->failure->message,
                  (double)selection->options->fleet.wait_us / 1e6);
    if (selection->look != LOOK_AGAIN && report_is_live(&selection->options->report))
        loop_timer_start(&selection->tick, COUNTDOWN_TICK_US);
    selection->look = LOOK_AGAIN;

    int64_t left_us = selection->deadline_us - loop_now_us();
    loop_timer_start(&selection->pause, left_us < PAUSE_US ? left_us : PAUSE_US);
}

static void end_wait(struct selection *selection)
{
    const struct ota_failure last = *selection->failure;

    ota_fail(selection->failure, last.error, "%s; the %.3g s of --wait are over", last.message,
             (double)selection->options->fleet.wait_us / 1e6);
    selection->failure->cause = last.cause;
    loop_quit(selection->loop);
}

/* A search that failed late may still have found boards: they are used. Nobody has seen them but a
 * person who chooses, and that person has seen the warning. */
static void note_search(struct selection *selection, const struct ota_failure *failure)
{
    selection->search->error = OTA_OK;
    if (!failure)
        return;

    diag_warning("%s", failure->message);
    if (!selection->options->chooses)
        *selection->search = *failure;
}

static void on_browsed(const struct board_list *boards, const struct ota_failure *failure,
                       void *userdata)
{
    struct selection *selection = userdata;
    const struct ota_failure before = *selection->failure;

    if (boards->count > 0) {
        note_search(selection, failure);
        selection->error = select_found(selection, boards);
    } else if (failure) { /* always, as there are no boards */
        *selection->failure = *failure;
        selection->error = failure->error;
    }

    const bool is_missing = selection->error == OTA_E_NOT_FOUND;
    const bool may_come = is_missing || selection->error == OTA_E_NO_MDNS;
    if (is_missing && selection->look == LOOK_AGAIN &&
        (before.cause == OTA_CAUSE_OTHER_PROTOCOL || before.cause == selection->failure->cause))
        *selection->failure = before; /* this time, boards with other protocols were left out */

    if (is_missing && selection->look == LOOK_FIRST &&
        services_to_browse(selection) != SERVICES_ALL)
        browse_for_others(selection);
    else if (may_come && loop_now_us() < selection->deadline_us)
        browse_again(selection);
    else if (may_come && selection->look == LOOK_AGAIN)
        end_wait(selection);
    else
        loop_quit(selection->loop);
}

static void on_status(void *userdata)
{
    const struct selection *selection = userdata;
    const struct options *options = selection->options;
    size_t count = selection->browse ? board_browse_count(selection->browse) : 0;
    int64_t limit_us = options->fleet.wait_us;
    if (selection->look != LOOK_AGAIN && limit_us < options->upload.timeout_us)
        limit_us = options->upload.timeout_us;

    if (selection->is_choosing)
        diag_notice("waiting for a choice among %zu boards", count);
    else
        diag_notice("looking for boards: %zu found so far, after %.1f s of at most %.3g s", count,
                    (double)(loop_now_us() - selection->start_us) / 1e6, (double)limit_us / 1e6);
}

/* --wait also bounds its own searches. */
static void browse_boards(void *userdata)
{
    struct selection *selection = userdata;
    int64_t limit_us = selection->options->upload.timeout_us;
    int64_t left_us = selection->deadline_us - loop_now_us();
    if (selection->look == LOOK_AGAIN && left_us <= 0) {
        end_wait(selection);
        return;
    }

    if (selection->look == LOOK_AGAIN && left_us < limit_us)
        limit_us = left_us;

    const struct board_browse_config config = {.loop = selection->loop,
                                               .mdns = selection->mdns,
                                               .services = services_to_browse(selection),
                                               .timeout_us = limit_us,
                                               .is_further = selection->look != LOOK_FIRST,
                                               .source = &selection->options->upload.source,
                                               .on_done = on_browsed,
                                               .userdata = selection};
    board_browse_free(selection->browse);
    selection->browse = board_browse_start(&config);
    if (selection->browse)
        return;
    selection->error = ota_fail_no_memory(selection->failure);
    loop_quit(selection->loop);
}

enum ota_error board_select(struct plan *plan, const struct options *options, struct loop *loop,
                            struct mdns_client *mdns, struct ota_failure *search,
                            struct ota_failure *failure)
{
    struct selection selection = {.plan = plan,
                                  .options = options,
                                  .loop = loop,
                                  .mdns = mdns,
                                  .deadline_us = loop_now_us() + options->fleet.wait_us,
                                  .start_us = loop_now_us(),
                                  .search = search,
                                  .failure = failure};
    if (loop_catch_status(loop, on_status, &selection) < 0)
        return ota_fail_call(failure, "cannot catch signals");
    loop_timer_init(&selection.pause, loop, browse_boards, &selection);
    loop_timer_init(&selection.tick, loop, on_select_tick, &selection);
    loop_timer_start(&selection.pause, 0);
    if (loop_run(loop) < 0)
        selection.error = ota_fail_call(failure, "cannot wait for events");
    board_browse_free(selection.browse);
    loop_timer_stop(&selection.pause);
    end_countdown(&selection);
    return selection.error;
}
