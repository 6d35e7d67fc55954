/*
 * serve_events.c: what happens to a board, as events for the report.
 */
#include "base/diag.h"
#include "base/error.h"
#include "base/text.h"
#include "base/units.h"
#include "http/challenge.h"
#include "image/image.h"
#include "serve/lack.h"
#include "serve/serve_internal.h"

#include <stdio.h>
#include <string.h>

enum { NOTE_MAX = 512, VERSIONS_MAX = 5 * FETCHER_VERSION_MAX + 80 };

/* The most messages of a board in this time. A roll-out takes a few for each; whoever causes more
 * would fill the log. Behind the address of a board without a MAC may be many boards. */
enum { TOLD_MAX = 40, TOLD_OF_ADDRESS_MAX = 400 };
#define TELL_AGAIN_MIN 10
static const int64_t TELL_AGAIN_US = TELL_AGAIN_MIN * SECONDS(60);

/* The most boards without a list entry that are told of in this time: they may be invented. */
enum { STRANGERS_MAX = 500 };

static void tell_counted(struct serve_strangers *strangers)
{
    if (strangers->counted == 1)
        diag_warning("1 board that is in no list was not reported");
    else if (strangers->counted > 1)
        diag_warning("%zu boards that are in no list were not reported", strangers->counted);
    strangers->counted = 0;
}

/* Whether one more board that is in no list may be told of. Otherwise counts it. */
static bool admit_stranger(struct serve_strangers *strangers, int64_t now_us)
{
    if (strangers->told == 0 || now_us - strangers->told_us >= TELL_AGAIN_US) {
        tell_counted(strangers);
        strangers->told = 0;
        strangers->told_us = now_us;
    }
    if (strangers->told < STRANGERS_MAX) {
        strangers->told++;
        return true;
    }

    if (strangers->counted++ == 0)
        diag_warning("%d boards that are in no list have asked; further ones are only counted for "
                     "%d minutes (boards listed with --hosts are always reported)",
                     STRANGERS_MAX, TELL_AGAIN_MIN);
    return false;
}

/* Begins to count the board's messages anew if the time is over. Only this decides whether a board
 * that is in no list is told of, so within that time it takes one place of STRANGERS_MAX. */
static void renew_window(struct serve *serve, struct book_board *board)
{
    const int64_t now_us = loop_now_us();

    if (board->told_us != 0 && now_us - board->told_us < TELL_AGAIN_US)
        return;
    board->is_counted = !board->is_listed && !admit_stranger(&serve->strangers, now_us);
    board->told = 0;
    board->told_us = now_us;
}

/* Whether the event may be told. The last one of a window says that no more will follow. Progress
 * follows another message, and there is much of it: it neither renews the window nor counts. */
static bool may_tell(struct serve *serve, struct book_board *board, struct ota_event *event)
{
    static const char last_words[] =
        "causes too many messages; the next one follows in " NUMBER_TEXT(TELL_AGAIN_MIN) " minutes";
    const unsigned most = board->has_mac || board->is_listed ? TOLD_MAX : TOLD_OF_ADDRESS_MAX;
    const bool is_progress = event->type == OTA_EVENT_PROGRESS;

    if (!is_progress)
        renew_window(serve, board);
    if (board->is_counted || board->told > most)
        return false;
    if (!is_progress && board->told++ == most)
        *event = (struct ota_event){.type = OTA_EVENT_NOTE,
                                    .phase = OTA_PHASE_TRANSFER,
                                    .is_important = true,
                                    .message = last_words};
    return true;
}

/* Completes the event, and hands it on. */
static void emit(struct serve *serve, struct book_board *board, struct ota_event *event)
{
    char address[ADDRESS_TEXT_MAX];

    serve_publish(serve);
    if (!may_tell(serve, board, event))
        return;

    event->board = board->label;
    event->target = board->name;
    event->port = board->port;
    if (!event->image && board->offer)
        event->image = board->offer->image;
    event->protocol = "fetch";
    event->totals = serve_totals(serve);
    if (board->has_address)
        event->address = address_text(address, &board->address);
    serve->config.on_event(event, serve->config.userdata);
}

void serve_note(struct serve *serve, struct book_board *board, bool is_important,
                const char *message)
{
    struct ota_event event = {.type = OTA_EVENT_NOTE,
                              .phase = OTA_PHASE_TRANSFER,
                              .is_important = is_important,
                              .message = message};

    emit(serve, board, &event);
}

void serve_note_basic(struct serve *serve, struct book_board *board)
{
    struct ota_event event = {.type = OTA_EVENT_NOTE,
                              .phase = OTA_PHASE_AUTHENTICATE,
                              .is_important = true,
                              .message = CHALLENGE_BASIC_NOTE,
                              .scheme = "Basic"};

    emit(serve, board, &event);
}

void serve_note_unasked(struct serve *serve, struct book_board *board)
{
    struct ota_event event = {.type = OTA_EVENT_NOTE,
                              .phase = OTA_PHASE_AUTHENTICATE,
                              .is_important = true,
                              .message = "its page did not ask for the password that was given",
                              .password = "not-asked"};

    emit(serve, board, &event);
}

static void emit_skipped(struct serve *serve, struct book_board *board, enum ota_phase phase,
                         enum ota_skip why, const char *message)
{
    struct ota_event event = {
        .type = OTA_EVENT_SKIPPED, .phase = phase, .skip = why, .message = message};

    emit(serve, board, &event);
}

void serve_tell_resumed(struct serve *serve, struct book_board *board, const char *message)
{
    emit_skipped(serve, board, OTA_PHASE_RESOLVE, OTA_SKIP_CONFIRMED, message);
}

void serve_leave_out(struct serve *serve, struct book_board *board, const char *message)
{
    board->is_settled = true;
    board->told = 0; /* there is room for this */
    book_skip(board);
    emit_skipped(serve, board, OTA_PHASE_RESOLVE, OTA_SKIP_DUPLICATE, message);
}

static void emit_result(struct serve *serve, struct book_board *board, enum ota_phase phase,
                        const struct ota_failure *failure)
{
    const bool has_taken = board->fetched_us != 0;
    const int64_t transfer_us = has_taken ? board->fetched_us - board->started_us : 0;
    struct ota_event event = {.type = OTA_EVENT_RESULT,
                              .phase = phase,
                              .chips = "",
                              .bytes = board->bytes,
                              .total = board->total,
                              .elapsed_us =
                                  board->started_us ? loop_now_us() - board->started_us : 0,
                              .transfer_us = transfer_us,
                              .sent_us = transfer_us,
                              .verified = failure->error != OTA_OK ? NULL
                                          : board->is_settled      ? "readback"
                                                                   : "returned",
                              .failure = failure,
                              .exit_status = ota_error_exit_status(failure->error, 0)};

    emit(serve, board, &event);
}

static void tell_return(struct serve *serve, struct book_board *board)
{
    struct ota_failure proof;

    ota_fail(&proof, OTA_OK, "back with it after %.0f s",
             (double)(board->asked_us - board->fetched_us) / 1e6);
    emit_result(serve, board, OTA_PHASE_PROOF, &proof);
    serve->config.on_confirmed(serve->config.userdata);
}

static void tell_possession(struct serve *serve, struct book_board *board)
{
    emit_skipped(serve, board, OTA_PHASE_PROOF, OTA_SKIP_INSTALLED, "runs the image already");
    serve->config.on_confirmed(serve->config.userdata);
}

/* The others wait for good, and nobody hears of them. */
static void tell_stop(struct serve *serve)
{
    const struct book *book = serve->config.book;

    if (serve->has_told_stop || book_turn(book, NULL, &serve->config.rules, 0) != TURN_STOPPED)
        return;
    diag_warning(
        "the roll-out stops here: no further board gets the image (--canary, --max-failures)");
    serve->has_told_stop = true;
}

void serve_tell_news(struct serve *serve, struct book_board *board, enum book_news news)
{
    char text[NOTE_MAX + VERSIONS_MAX], versions[VERSIONS_MAX] = "";

    if (board->is_by_version)
        snprintf(versions, sizeof versions, ", by its version: it reports \"%s\" instead of \"%s\"",
                 board->version, board->offer->version);
    switch (news) {
    case BOOK_NO_NEWS:
        break;
    case BOOK_HAS_IT:
        tell_possession(serve, board);
        break;
    case BOOK_IS_BACK:
        tell_return(serve, board);
        break;
    case BOOK_FAILED:
        snprintf(text, sizeof text, "came back without the image that it took (%u of %u times)%s",
                 board->failures, serve->config.attempts_max, versions);
        serve_note(serve, board, true, text);
        break;
    case BOOK_LOOPS:
        snprintf(text, sizeof text,
                 "took the image %u times and never came back with it%s; it gets nothing more, to "
                 "spare its flash",
                 board->failures, versions);
        serve_note(serve, board, true, text);
        tell_stop(serve);
        break;
    }
}

/* A board that asks every minute is told of once. */
void serve_tell_answer(struct serve *serve, struct book_board *board, const struct answer *answer,
                       const char *old_reason)
{
    char text[NOTE_MAX];

    if (answer->kind == ANSWER_IMAGE || answer->kind == ANSWER_UNCHANGED ||
        answer->kind == ANSWER_VERSION || strcmp(answer->reason, old_reason) == 0)
        return;
    snprintf(text, sizeof text, "gets nothing: %s", answer->reason);
    serve_note(serve, board, answer->kind == ANSWER_REFUSED || board->state == BOOK_FETCHED, text);
}

/* A request that is not believed; once for each download. */
void serve_tell_claim(struct serve *serve, struct book_board *board,
                      struct serve_download *download, const struct address *address)
{
    char text[NOTE_MAX], place[ADDRESS_TEXT_MAX];

    if (!download || download->is_claimed)
        return;
    download->is_claimed = true;
    snprintf(
        text, sizeof text,
        "%s asks with its MAC while it downloads; that is another device, or the board has a new "
        "address",
        address_text(place, address));
    serve_note(serve, board, true, text);
}

/* userdata: the server. */
void serve_tell_lookup(struct book_board *board, const char *text, void *userdata)
{
    serve_note(userdata, board, true, text);
}

void serve_tell_start(struct serve *serve, const struct serve_download *download)
{
    struct ota_event event = {
        .type = OTA_EVENT_START, .phase = OTA_PHASE_TRANSFER, .total = download->size};
    struct ota_event connected = {
        .type = OTA_EVENT_CONNECTED, .phase = OTA_PHASE_TRANSFER, .total = download->size};

    event.image = connected.image = download->image;

    emit(serve, download->board, &event);
    emit(serve, download->board, &connected);
}

void serve_tell_progress(struct serve *serve, const struct serve_download *download)
{
    struct ota_event event = {.type = OTA_EVENT_PROGRESS,
                              .phase = OTA_PHASE_TRANSFER,
                              .bytes = download->board->bytes,
                              .total = download->size,
                              .transfer_us = loop_now_us() - download->started_us};

    emit(serve, download->board, &event);
}

void serve_tell_end(struct serve *serve, const struct serve_download *download, bool is_whole)
{
    struct book_board *board = download->board;
    char text[NOTE_MAX], bytes[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX];

    if (is_whole)
        snprintf(text, sizeof text, "took it in %.1f s",
                 (double)(loop_now_us() - download->started_us) / 1e6);
    else
        snprintf(text, sizeof text, "its download broke off after %s of %s",
                 format_part(bytes, board->bytes, download->size),
                 format_size(total, download->size));
    serve_note(serve, board, true, text);
}

/* -- the end -- */

static void describe_outcome(struct ota_failure *failure, const struct book_board *board)
{
    switch (board->state) {
    case BOOK_SILENT:
        ota_fail(failure, OTA_E_NEVER_ASKED, "%s",
                 board->is_told ? "it was not told to fetch" : "it has not asked for the image");
        failure->cause = board->is_told ? OTA_CAUSE_NOT_TOLD : OTA_CAUSE_NONE;
        break;
    case BOOK_REFUSED:
        ota_fail(failure, board->refusal ? board->refusal : OTA_E_IMAGE, "it got nothing: %s",
                 board->reason);
        break;
    case BOOK_GIVEN_UP:
        ota_fail(failure, OTA_E_NOT_RETURNED, "it took the image %u times and came back without it",
                 board->failures);
        break;
    case BOOK_FETCHED:
        ota_fail(failure, OTA_E_NOT_RETURNED, "%s",
                 *board->reason ? board->reason
                                : "it took the image and has not asked again since");
        break;
    default:
        if (*board->reason)
            ota_fail(failure, OTA_E_NOT_RETURNED, "it got nothing: %s", board->reason);
        else
            ota_fail(failure, OTA_E_LOST, "its download broke off");
    }
    if (failure->error == OTA_E_NOT_RETURNED || board->state == BOOK_REFUSED)
        failure->cause = lack_of_board(board);
}

static void add_outcome(struct serve *serve, enum ota_error error)
{
    const int status = ota_error_exit_status(error, 0);

    if (serve->outcome == OTA_OK) {
        serve->outcome = error;
        serve->exit_status = status;
    } else if (serve->exit_status != status) {
        serve->outcome = OTA_E_MIXED;
        serve->exit_status = ota_error_exit_status(OTA_E_MIXED, 0);
    }
}

static enum ota_phase find_phase(const struct book_board *board)
{
    if (board->refusal == OTA_E_UNAUTHORIZED)
        return OTA_PHASE_AUTHENTICATE;
    return board->fetched_us ? OTA_PHASE_PROOF : OTA_PHASE_TRANSFER;
}

/* Nobody expects a board that is not listed. It is only said if its update is undecided. */
void serve_tell_outcome(struct serve *serve, struct book_board *board)
{
    struct ota_failure failure;

    if (board->state == BOOK_CONFIRMED || board->is_settled)
        return;
    board->told = 0; /* there is room for this */
    describe_outcome(&failure, board);
    if (board->is_listed) {
        add_outcome(serve, failure.error);
        emit_result(serve, board, find_phase(board), &failure);
    } else if (board->has_mac && board->state == BOOK_FETCHED) {
        if (!*board->reason) /* else it has been told that it does not say what it runs */
            serve_note(serve, board, true, "has not been back since it took the image");
    }
}

void serve_tell_strangers(struct serve *serve)
{
    tell_counted(&serve->strangers);
}

/* A board that confirms without having fetched the image has run it before. */
void serve_settle(struct serve *serve, struct book_board *board, enum ota_phase phase,
                  const struct ota_failure *failure)
{
    board->is_settled = true;
    board->told = 0; /* there is room for this */
    book_set_state(board, failure->error == OTA_OK ? BOOK_CONFIRMED : BOOK_GIVEN_UP);
    if (failure->error == OTA_OK && board->fetched_us == 0) {
        tell_possession(serve, board);
        return;
    }
    emit_result(serve, board, phase, failure);
    if (failure->error == OTA_OK) {
        serve->config.on_confirmed(serve->config.userdata);
        return;
    }
    add_outcome(serve, failure->error);
    tell_stop(serve);
}
