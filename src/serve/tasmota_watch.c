/*
 * tasmota_watch.c: waits for a board that was told to fetch. What it does with the server is read
 * from the book, as the board itself tells nothing of it; then it is asked which firmware it runs.
 */
#include "serve/tasmota_internal.h"

#include "base/error.h"
#include "base/units.h"
#include "upload/web/page_table.h"

#include <stdio.h>
#include <string.h>

static const int64_t LOOK_US = MILLISECONDS(300);

/* A board tries four times, with two seconds in between; after this silence it has given up. */
static const int64_t QUIET_US = SECONDS(15);

/* Requests that may prolong the wait after an order: three times a board's tries, as a restart
 * begins them again. A board that asks without end must not keep its slot, so of what it asks for
 * later only the first download does. */
enum { REQUESTS_MAX = 12 };

/* For all downloads after an order: as long as the server lets a single one take (httpd.c). */
static const int64_t DOWNLOADS_US = SECONDS(3600);

static void watch_board(struct tasmota *tasmota);
static void look_for_return(struct tasmota *tasmota);

/* -- its return -- */

static void fail_unreturned(struct tasmota *tasmota, const char *version)
{
    const double seconds = (double)(tasmota->until_us - tasmota->taken_us) / 1e6;
    const char *did = tasmota->order.board->fetched_us ? "took the image" : "has the image's MD5";
    const bool is_same = strcmp(version, tasmota->facts.version) == 0;
    const enum ota_cause cause = tasmota->is_in_safeboot ? OTA_CAUSE_RECOVERY
                                 : !*version             ? OTA_CAUSE_NOT_BACK
                                 : is_same               ? OTA_CAUSE_KEEPS_OLD
                                                         : OTA_CAUSE_OTHER_IMAGE;
    char text[TASMOTA_NOTE_MAX];

    version = tasmota_hide_secrets(tasmota, version);
    if (tasmota->is_in_safeboot)
        snprintf(text, sizeof text, "it %s, but is still in its safeboot firmware after %.3g s",
                 did, seconds);
    else if (!*version)
        snprintf(text, sizeof text, "it %s, but does not answer after %.3g s", did, seconds);
    else if (!is_same)
        snprintf(text, sizeof text, "it %s, but runs %s, and the image is another version", did,
                 version);
    else if (tasmota->was_away)
        snprintf(text, sizeof text,
                 "it took the image and restarted, but reports the same firmware as before: %s",
                 version);
    else
        snprintf(text, sizeof text, "it took the image, but still runs %s after %.3g s", version,
                 seconds);
    ota_fail(&tasmota->outcome, OTA_E_NOT_RETURNED, "%s", text);
    tasmota->outcome.cause = cause;
    tasmota_conclude(tasmota);
}

static void look_again(struct tasmota *tasmota, const char *version)
{
    if (loop_now_us() >= tasmota->until_us)
        fail_unreturned(tasmota, version);
    else
        tasmota_wait(tasmota, TASMOTA_AGAIN_US, look_for_return);
}

static void on_return_lost(struct tasmota *tasmota, const struct ota_failure *failure)
{
    (void)failure;
    tasmota->was_away = true;
    look_again(tasmota, "");
}

/* Whether the firmware that it reports is the image; if so, fills in the outcome. A board that has
 * run the image before the order asks with its MD5, and reports nothing new. */
static bool is_proven(struct tasmota *tasmota, const struct page_facts *facts)
{
    const bool is_new = strcmp(facts->version, tasmota->facts.version) != 0;
    const char *now = tasmota_hide_secrets(tasmota, facts->version);

    if (is_new && page_facts_fit_image(facts, tasmota->order.image))
        ota_fail(&tasmota->outcome, OTA_OK, "it runs %s now (before: %s)", now,
                 tasmota_hide_secrets(tasmota, tasmota->facts.version));
    else if (tasmota->order.board->claims_image)
        ota_fail(&tasmota->outcome, OTA_OK, "it runs %s, and asked with the image's MD5", now);
    else
        return false;
    return true;
}

static void on_return(struct tasmota *tasmota, const struct http_reply *reply)
{
    struct page_facts facts = {0};
    const bool is_told = page_facts_add(&facts, &pages[PAGE_TASMOTA], reply);

    tasmota->is_in_safeboot =
        is_told && facts.is_recovery && !page_facts_fit_image(&facts, tasmota->order.image);
    if (!is_told || tasmota->is_in_safeboot) {
        look_again(tasmota, "");
    } else if (is_proven(tasmota, &facts)) {
        tasmota_conclude(tasmota);
    } else if (tasmota->was_away) {
        fail_unreturned(tasmota, facts.version);
    } else {
        look_again(tasmota, facts.version);
    }
}

/* A board that cannot install what it took asks again. */
static void look_for_return(struct tasmota *tasmota)
{
    const struct book_board *board = tasmota->order.board;

    if (board->state == BOOK_FETCHED || board->claims_image)
        tasmota_ask(tasmota, "Status", "2", on_return, on_return_lost);
    else
        tasmota_wait(tasmota, 0, watch_board);
}

/* -- its requests -- */

bool tasmota_has_never_asked(struct tasmota *tasmota)
{
    if (tasmota->order.board->requests != tasmota->requests_before)
        return false;
    if (tasmota->upgrade_lost.error == OTA_E_INTERNAL)
        tasmota->outcome = tasmota->upgrade_lost;
    else
        ota_fail(&tasmota->outcome, OTA_E_NEVER_ASKED,
                 "it was told to fetch the image, but did not ask for it");
    return true;
}

static void judge_requests(struct tasmota *tasmota)
{
    const struct book_board *board = tasmota->order.board;
    char text[TASMOTA_NOTE_MAX];

    if (tasmota->is_late)
        tasmota_fail(tasmota, OTA_E_LOST,
                     "its download was not over an hour after the order, and was ended");
    else if (tasmota_has_never_asked(tasmota))
        tasmota_conclude(tasmota);
    else if (board->state == BOOK_GIVEN_UP)
        tasmota_fail(tasmota, OTA_E_NOT_RETURNED,
                     "it took the image again and again, but did not install it");
    else if (*board->reason) {
        snprintf(text, sizeof text, "it got nothing: %s", board->reason);
        tasmota_fail(tasmota, board->state == BOOK_REFUSED ? OTA_E_IMAGE : OTA_E_NOT_RETURNED,
                     text);
    } else
        tasmota_fail(tasmota, OTA_E_LOST, "its download broke off");
}

/* Whether what the board does now prolongs the wait. */
static bool may_take_longer(struct tasmota *tasmota)
{
    const struct book_board *board = tasmota->order.board;
    const bool has_download = board->state == BOOK_FETCHING || board->state == BOOK_FETCHED;

    if (board->requests - tasmota->requests_before <= REQUESTS_MAX)
        return true;
    if (has_download && !tasmota->last_download_us)
        tasmota->last_download_us = board->started_us;
    return has_download && board->started_us == tasmota->last_download_us;
}

static bool has_moved(struct tasmota *tasmota)
{
    const struct book_board *board = tasmota->order.board;
    const bool has_asked = board->requests != tasmota->requests;

    tasmota->requests = board->requests;
    return has_asked || board->state == BOOK_FETCHING;
}

/* A slow board asks no more often than another one, and would keep its slot for all its tries. */
static void end_late_download(struct tasmota *tasmota)
{
    const struct tasmotas_config *config = &tasmota->all->config;

    if (tasmota->order.board->state != BOOK_FETCHING ||
        loop_now_us() - tasmota->ordered_us < DOWNLOADS_US)
        return;
    tasmota->is_late = true;
    config->on_late(tasmota->order.board, config->userdata);
}

static int64_t return_limit_us(const struct tasmota *tasmota)
{
    const int64_t fetch_us = tasmota->all->config.fetch_us;

    return tasmota->all->is_ending ? lesser_us(TASMOTA_RESTORE_US, fetch_us) : fetch_us;
}

static void watch_board(struct tasmota *tasmota)
{
    const struct book_board *board = tasmota->order.board;
    const int64_t now_us = loop_now_us();
    const int64_t quiet_us = lesser_us(QUIET_US, tasmota->all->config.fetch_us);

    end_late_download(tasmota);
    const bool takes_longer = may_take_longer(tasmota);
    tasmota->phase = OTA_PHASE_TRANSFER;
    if (takes_longer && has_moved(tasmota))
        tasmota->moved_us = now_us;
    if (board->state == BOOK_FETCHED || board->claims_image) {
        tasmota->phase = OTA_PHASE_PROOF;
        tasmota->was_away = tasmota->is_in_safeboot = false;
        if (takes_longer) {
            tasmota->taken_us = now_us;
            tasmota->until_us = now_us + return_limit_us(tasmota);
        }
        tasmota_wait(tasmota, 0, look_for_return);
    } else if (now_us - tasmota->moved_us >= quiet_us &&
               (board->requests != tasmota->requests_before || now_us >= tasmota->until_us)) {
        judge_requests(tasmota);
    } else {
        tasmota_wait(tasmota, LOOK_US, watch_board);
    }
}

static void note_unasked(const struct tasmota *tasmota)
{
    const struct tasmotas_config *config = &tasmota->all->config;
    const char *password = tasmota->order.password;

    if (password && *password && !tasmota->authorization)
        config->on_unasked(tasmota->order.board, config->userdata);
}

void tasmota_watch(struct tasmota *tasmota)
{
    note_unasked(tasmota);
    tasmota->moved_us = tasmota->until_us = loop_now_us();
    if (!tasmota->all->is_ending)
        tasmota->until_us += tasmota->all->config.fetch_us;
    watch_board(tasmota);
}
