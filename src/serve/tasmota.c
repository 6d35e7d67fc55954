/*
 * tasmota.c: see tasmota.h. What the board does with the server is read from the book, as the board
 * itself tells nothing of it.
 */
#include "base/array.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/json_memory.h"
#include "base/secret.h"
#include "base/units.h"
#include "image/image_fit.h"
#include "net/source.h"
#include "serve/same_board.h"
#include "serve/tasmota_internal.h"
#include "upload/web/page_secrets.h"
#include "upload/web/page_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE_MAX = OTA_MESSAGE_MAX, OLD_SHOWN_MAX = 400 };

static const int64_t FIND_US = SECONDS(10);
static const int64_t LOOK_US = MILLISECONDS(300);
static const int64_t COMMAND_AGAIN_US = MILLISECONDS(500);

/* A board tries four times, with two seconds in between; after this silence it has given up. */
static const int64_t QUIET_US = SECONDS(15);

/* Requests that may prolong the wait after an order: three times a board's tries, as a restart
 * begins them again. A board that asks without end must not keep its slot, so of what it asks for
 * later only the first download does. */
enum { REQUESTS_MAX = 12 };

/* For all downloads after an order: as long as the server lets a single one take (httpd.c). */
static const int64_t DOWNLOADS_US = SECONDS(3600);

/* How long a board gets for its OtaUrl at the end. */
static const int64_t RESTORE_US = SECONDS(30);

static void note(const struct tasmota *tasmota, bool is_important, const char *message)
{
    const struct tasmotas_config *config = &tasmota->all->config;

    config->on_note(tasmota->order.board, is_important, message, config->userdata);
}

/* Hides any part of the password that the board's text repeats. */
static const char *hide_secrets(const struct tasmota *tasmota, const char *text)
{
    const struct page_secrets secrets = {.password = tasmota->order.password,
                                         .authorization = tasmota->authorization,
                                         .echo = &tasmota->echo};

    return page_hide_secrets(&secrets, text);
}

/* The board's former OtaUrl. The password that it may contain is another server's. */
static const char *show_old_url(const struct tasmota *tasmota, char shown[OLD_SHOWN_MAX])
{
    return hide_secrets(tasmota, escape_board(shown, OLD_SHOWN_MAX, tasmota->old_url));
}

/* -- timers -- */

static void on_timer_due(void *userdata)
{
    struct tasmota *tasmota = userdata;

    tasmota->on_timer(tasmota);
}

static void after(struct tasmota *tasmota, int64_t delay_us,
                  void (*on_timer)(struct tasmota *tasmota))
{
    tasmota->on_timer = on_timer;
    loop_timer_start(&tasmota->timer, delay_us);
}

/* -- the end of a board -- */

static void start_next(struct tasmotas *all);

static bool are_all_done(const struct tasmotas *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (!all->list[i]->is_done)
            return false;
    return true;
}

static void note_left_url(const struct tasmota *tasmota)
{
    char old[OLD_SHOWN_MAX], text[NOTE_MAX];

    snprintf(text, sizeof text,
             "its OtaUrl is still %s; to set it back, enter on its console: OtaUrl %s",
             tasmota->url, show_old_url(tasmota, old));
    note(tasmota, true, text);
}

static void report_end(struct tasmota *tasmota)
{
    const struct tasmotas_config *config = &tasmota->all->config;

    tasmota->is_done = true;
    config->on_done(tasmota->order.board, tasmota->phase, &tasmota->outcome, config->userdata);
}

static void go_on(struct tasmotas *all)
{
    start_next(all);
    if (are_all_done(all))
        all->config.on_all_done(all->config.userdata);
}

static void finish(struct tasmota *tasmota)
{
    loop_timer_stop(&tasmota->timer);
    report_end(tasmota);
    go_on(tasmota->all);
}

/* -- the old OtaUrl -- */

static void restore(struct tasmota *tasmota);

static void restore_later(struct tasmota *tasmota)
{
    if (loop_now_us() < tasmota->until_us) {
        after(tasmota, COMMAND_AGAIN_US, restore);
        return;
    }
    note_left_url(tasmota);
    tasmota->has_our_url = false;
    finish(tasmota);
}

static void on_restore_lost(struct tasmota *tasmota, const struct ota_failure *failure)
{
    (void)failure;
    tasmota->phase = tasmota->outcome_phase;
    restore_later(tasmota);
}

static void on_restored(struct tasmota *tasmota, const struct http_reply *reply)
{
    char url[TASMOTA_URL_MAX] = "";

    if (!tasmota_reply_text(url, sizeof url, reply, "OtaUrl") ||
        strcmp(url, tasmota->old_url) != 0) {
        restore_later(tasmota);
        return;
    }
    tasmota->has_our_url = false;
    finish(tasmota);
}

/* The safeboot firmware forgets what it is told. */
static void on_firmware(struct tasmota *tasmota, const struct http_reply *reply)
{
    struct page_facts facts = {0};

    if (!page_facts_add(&facts, &pages[PAGE_TASMOTA], reply) || facts.is_recovery)
        restore_later(tasmota);
    else
        tasmota_ask(tasmota, "OtaUrl", tasmota->old_url, on_restored, on_restore_lost);
}

static void restore(struct tasmota *tasmota)
{
    tasmota_ask(tasmota, "Status", "2", on_firmware, on_restore_lost);
}

/* The outcome is known. */
static void conclude(struct tasmota *tasmota)
{
    tasmota->is_upgrading = false;
    tasmota->outcome_phase = tasmota->phase;
    if (!tasmota->has_our_url) {
        finish(tasmota);
        return;
    }
    tasmota->until_us = loop_now_us() + lesser_us(RESTORE_US, tasmota->all->config.fetch_us);
    restore(tasmota);
}

static void fail_told(struct tasmota *tasmota, enum ota_error error, const char *message)
{
    ota_fail(&tasmota->outcome, error, "%s", message);
    conclude(tasmota);
}

/* Fails for a reply that could not be read, perhaps for lack of memory. */
static void fail_unread(struct tasmota *tasmota, enum ota_error error, const char *message)
{
    if (json_memory_has_run_out()) {
        ota_fail_no_memory(&tasmota->outcome);
        conclude(tasmota);
    } else {
        fail_told(tasmota, error, message);
    }
}

static void on_lost(struct tasmota *tasmota, const struct ota_failure *failure)
{
    tasmota->outcome = *failure;
    conclude(tasmota);
}

/* -- its return -- */

static void watch_board(struct tasmota *tasmota);
static void look_for_return(struct tasmota *tasmota);

static void fail_unreturned(struct tasmota *tasmota, const char *version)
{
    const double seconds = (double)tasmota->all->config.fetch_us / 1e6;
    const char *did = tasmota->order.board->fetched_us ? "took the image" : "has the image's MD5";
    const bool is_same = strcmp(version, tasmota->facts.version) == 0;
    char text[NOTE_MAX];

    version = hide_secrets(tasmota, version);
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
    if (tasmota->is_in_safeboot)
        tasmota->outcome.cause = OTA_CAUSE_RECOVERY;
    conclude(tasmota);
}

static void look_again(struct tasmota *tasmota, const char *version)
{
    if (loop_now_us() >= tasmota->until_us)
        fail_unreturned(tasmota, version);
    else
        after(tasmota, COMMAND_AGAIN_US, look_for_return);
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
    const char *before = tasmota->facts.version;
    const bool is_new = strcmp(facts->version, before) != 0;

    if (is_new && page_facts_fit_image(facts, tasmota->order.image))
        ota_fail(&tasmota->outcome, OTA_OK, "it runs %s now (before: %s)",
                 hide_secrets(tasmota, facts->version), hide_secrets(tasmota, before));
    else if (tasmota->order.board->claims_image)
        ota_fail(&tasmota->outcome, OTA_OK, "it runs %s, and asked with the image's MD5",
                 hide_secrets(tasmota, facts->version));
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
        conclude(tasmota);
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
        after(tasmota, 0, watch_board);
}

/* -- its requests -- */

static void judge_requests(struct tasmota *tasmota)
{
    const struct book_board *board = tasmota->order.board;
    char text[NOTE_MAX];

    if (tasmota->is_late)
        fail_told(tasmota, OTA_E_LOST,
                  "its download was not over an hour after the order, and was ended");
    else if (board->requests == tasmota->requests_before &&
             tasmota->upgrade_lost.error == OTA_E_INTERNAL)
        on_lost(tasmota, &tasmota->upgrade_lost);
    else if (board->requests == tasmota->requests_before)
        fail_told(tasmota, OTA_E_NEVER_ASKED,
                  "it was told to fetch the image, but did not ask for it");
    else if (board->state == BOOK_GIVEN_UP)
        fail_told(tasmota, OTA_E_NOT_RETURNED,
                  "it took the image again and again, but did not install it");
    else if (*board->reason) {
        snprintf(text, sizeof text, "it got nothing: %s", board->reason);
        fail_told(tasmota, board->state == BOOK_REFUSED ? OTA_E_IMAGE : OTA_E_NOT_RETURNED, text);
    } else
        fail_told(tasmota, OTA_E_LOST, "its download broke off");
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
        if (takes_longer)
            tasmota->until_us = now_us + tasmota->all->config.fetch_us;
        after(tasmota, 0, look_for_return);
    } else if (now_us - tasmota->moved_us >= quiet_us &&
               (board->requests != tasmota->requests_before || now_us >= tasmota->until_us)) {
        judge_requests(tasmota);
    } else {
        after(tasmota, LOOK_US, watch_board);
    }
}

/* -- the order -- */

static void note_order(const struct tasmota *tasmota)
{
    const struct page_facts *facts = &tasmota->facts;
    char old[OLD_SHOWN_MAX], text[NOTE_MAX];

    snprintf(text, sizeof text, "told to fetch %s (firmware %s%s%s; its OtaUrl was %s)",
             tasmota->url, hide_secrets(tasmota, facts->version), *facts->hardware ? "; chip " : "",
             hide_secrets(tasmota, facts->hardware),
             *tasmota->old_url ? show_old_url(tasmota, old) : "empty");
    note(tasmota, true, text);
}

static void note_unasked(const struct tasmota *tasmota)
{
    const struct tasmotas_config *config = &tasmota->all->config;
    const char *password = tasmota->order.password;

    if (password && *password && !tasmota->authorization)
        config->on_unasked(tasmota->order.board, config->userdata);
}

static void begin_watch(struct tasmota *tasmota)
{
    note_unasked(tasmota);
    tasmota->moved_us = tasmota->until_us = loop_now_us();
    if (!tasmota->all->is_ending)
        tasmota->until_us += tasmota->all->config.fetch_us;
    watch_board(tasmota);
}

/* A reply that is in none of the expected forms. */
static void fail_reply(struct tasmota *tasmota, const char *command, const struct http_reply *reply)
{
    char body[PAGE_TEXT_MAX], text[NOTE_MAX];

    page_text(body, sizeof body, http_reply_text(reply), reply->body_length);
    snprintf(text, sizeof text, "it did not carry out %s: status %u, \"%s\"", command,
             reply->status, hide_secrets(tasmota, body));
    fail_unread(tasmota, OTA_E_REFUSED, text);
}

static void on_upgrade(struct tasmota *tasmota, const struct http_reply *reply)
{
    char text[2 * TASMOTA_URL_MAX] = "";

    if (!tasmota_reply_text(text, sizeof text, reply, "Upgrade") || !strstr(text, tasmota->url)) {
        fail_reply(tasmota, "Upgrade", reply);
        return;
    }
    note_order(tasmota);
    begin_watch(tasmota);
}

/* The board may have heard the command. */
static void on_upgrade_lost(struct tasmota *tasmota, const struct ota_failure *failure)
{
    tasmota->upgrade_lost = *failure;
    note(tasmota, false, failure->message);
    begin_watch(tasmota);
}

/* It may ask the server before its reply has been read. */
static void order_upgrade(struct tasmota *tasmota)
{
    tasmota->is_upgrading = true;
    tasmota->requests = tasmota->requests_before = tasmota->order.board->requests;
    tasmota->ordered_us = loop_now_us();
    tasmota_ask(tasmota, "Upgrade", "1", on_upgrade, on_upgrade_lost);
}

static void on_url_set(struct tasmota *tasmota, const struct http_reply *reply)
{
    char url[TASMOTA_URL_MAX] = "";

    if (tasmota->all->is_ending)
        fail_told(tasmota, OTA_E_NEVER_ASKED, "it was not told to fetch any more");
    else if (!tasmota_reply_text(url, sizeof url, reply, "OtaUrl") ||
             strcmp(url, tasmota->url) != 0)
        fail_reply(tasmota, "OtaUrl", reply);
    else
        order_upgrade(tasmota);
}

/* The server's address, as this board sees it. */
static bool compose_url(struct tasmota *tasmota)
{
    struct address at = tasmota->all->at;
    char host[HTTP_AUTHORITY_MAX];

    if (!address_is_unicast(&at)) {
        if (!source_toward(&at, &tasmota->address))
            return false;
        address_set_port(&at, address_port(&tasmota->all->at));
    }
    return snprintf(tasmota->url, sizeof tasmota->url, "http://%s/firmware.bin",
                    http_authority(host, &at, NULL, TASMOTA_PORT)) < (int)sizeof tasmota->url;
}

static void on_url(struct tasmota *tasmota, const struct http_reply *reply)
{
    if (!tasmota_reply_text(tasmota->old_url, sizeof tasmota->old_url, reply, "OtaUrl")) {
        fail_reply(tasmota, "OtaUrl", reply);
        return;
    }
    if (!compose_url(tasmota)) {
        fail_told(tasmota, OTA_E_LOCAL,
                  "this computer has no address that the board could fetch from");
        return;
    }

    if (!*tasmota->old_url)
        note(tasmota, true, "its OtaUrl is empty, which no command can set; it will keep ours");
    tasmota->has_our_url = *tasmota->old_url && strcmp(tasmota->old_url, tasmota->url) != 0;
    tasmota_ask(tasmota, "OtaUrl", tasmota->url, on_url_set, on_lost);
}

/* Whether the image is for the chip that the board says it has. */
static bool is_fit(struct tasmota *tasmota)
{
    const struct page_facts *facts = &tasmota->facts;
    const struct image *image = tasmota->order.image;
    char reason[IMAGE_FIT_REASON_MAX];
    struct kind kind = {0};

    memcpy(kind.proven, facts->chips, sizeof kind.proven);
    memcpy(kind.likely, facts->chips, sizeof kind.likely);
    snprintf(kind.clue, sizeof kind.clue, "says that it is \"%s\"",
             hide_secrets(tasmota, facts->hardware));
    if (image_fit_board(reason, image->plain ? image->plain : image, &kind, 0) != IMAGE_FIT_REFUSED)
        return true;
    if (tasmota->all->config.force) {
        note(tasmota, true, reason);
        return true;
    }
    fail_told(tasmota, OTA_E_IMAGE, reason);
    return false;
}

/* Two names of one board are one target. What it is known by is the other one's. */
static void leave_to(struct tasmota *tasmota, struct book_board *same)
{
    const struct tasmotas_config *config = &tasmota->all->config;

    tasmota->is_done = true;
    config->on_same(tasmota->order.board, same, config->userdata);
    go_on(tasmota->all);
}

/* Another board that is listed with this MAC, or has told it; NULL: none. */
static struct book_board *find_listed_mac(const struct tasmota *tasmota, const struct mac *mac)
{
    struct book_board *holder = book_find_mac(tasmota->all->config.book, mac);

    return holder && holder->is_listed && holder != tasmota->order.board ? holder : NULL;
}

static void on_network(struct tasmota *tasmota, const struct http_reply *reply)
{
    const struct tasmotas_config *config = &tasmota->all->config;
    struct book_board *board = tasmota->order.board, *same = NULL;
    struct mac mac;
    const bool has_mac = tasmota_reply_mac(&mac, reply);

    if (!has_mac && json_memory_has_run_out()) {
        fail_unread(tasmota, OTA_E_INTERNAL, "");
        return;
    }
    if (has_mac)
        same = find_listed_mac(tasmota, &mac);
    if (same && (same->is_told || same->state == BOOK_CONFIRMED)) {
        leave_to(tasmota, same);
        return;
    }
    if (same)
        config->on_same(same, board, config->userdata);
    if (has_mac)
        book_set_mac(board, &mac);
    config->on_found(board, config->userdata);
    tasmota_ask(tasmota, "OtaUrl", NULL, on_url, on_lost);
}

static void on_first_status(struct tasmota *tasmota, const struct http_reply *reply)
{
    char place[ADDRESS_TEXT_MAX + 8], text[NOTE_MAX];

    if (!page_facts_add(&tasmota->facts, &pages[PAGE_TASMOTA], reply)) {
        snprintf(text, sizeof text, "%s answers, but does not run Tasmota",
                 address_text_port(place, &tasmota->address));
        fail_unread(tasmota, OTA_E_NO_PAGE, text);
    } else if (is_fit(tasmota)) {
        book_set_home(tasmota->order.board, &tasmota->address);
        tasmota_ask(tasmota, "Status", "5", on_network, on_lost);
    }
}

/* -- where it is -- */

static void ask_first(struct tasmota *tasmota);

/* Tries the next address, unless this one has asked for the password: no other one gets it. */
static void on_first_lost(struct tasmota *tasmota, const struct ota_failure *failure)
{
    const bool has_asked = tasmota->authorization || tasmota->phase != OTA_PHASE_PAGE;

    if (!has_asked && ++tasmota->tried < tasmota->found_count) {
        tasmota->address = (struct address){0}; /* who waits for it may go on */
        ask_first(tasmota);
    } else {
        on_lost(tasmota, failure);
    }
}

/* The board that is asked there, or was, by another name; NULL: none was found there. Another port
 * makes another board, as behind NAT they share an address. */
static const struct tasmota *find_same(const struct tasmota *tasmota, const struct address *address)
{
    const struct tasmotas *all = tasmota->all;

    for (size_t i = 0; i < all->count; i++) {
        const struct tasmota *other = all->list[i];
        const bool is_absent = other->is_done && !*other->facts.version;

        if (other != tasmota && !is_absent && address_equal(&other->address, address) &&
            address_port(&other->address) == address_port(address))
            return other;
    }
    return NULL;
}

/* Asks at the address whose turn it is. While it is not known whether another board is there, or
 * elsewhere, this one waits. */
static void ask_first(struct tasmota *tasmota)
{
    const struct tasmotas_config *config = &tasmota->all->config;
    const struct target *target = tasmota->order.target;
    struct book_board *board = tasmota->order.board;
    struct address address = tasmota->found[tasmota->tried];

    address_set_port(&address, target->port ? target->port : TASMOTA_PORT);
    const struct tasmota *other = find_same(tasmota, &address);
    struct book_board *same =
        other && *other->facts.version
            ? other->order.board
            : same_board_confirmed(config->book, config->names, board, &address);
    if (same) {
        leave_to(tasmota, same);
        return;
    }
    if (other || names_await_confirmed(config->names)) {
        after(tasmota, LOOK_US, ask_first);
        return;
    }

    tasmota->address = board->address = address;
    board->has_address = true;
    http_authority(tasmota->authority, &tasmota->address, NULL, TASMOTA_PORT);
    tasmota_ask(tasmota, "Status", "2", on_first_status, on_first_lost);
}

static void on_resolved(const struct resolution *resolution, const struct ota_failure *failure,
                        void *userdata)
{
    struct tasmota *tasmota = userdata;

    if (failure) {
        tasmota->outcome = *failure;
    } else {
        memcpy(tasmota->found, resolution->addresses, sizeof tasmota->found);
        tasmota->found_count = resolution->count;
        if (resolution->is_cut)
            note(tasmota, false, RESOLVE_CUT_TRIED);
    }

    resolver_free(tasmota->resolver);
    tasmota->resolver = NULL;
    tasmota->phase = failure ? OTA_PHASE_RESOLVE : OTA_PHASE_PAGE;
    if (failure)
        finish(tasmota);
    else
        ask_first(tasmota);
}

static void start(struct tasmota *tasmota)
{
    const struct resolver_config config = {.loop = tasmota->all->config.loop,
                                           .mdns = tasmota->all->config.mdns,
                                           .target = tasmota->order.target,
                                           .services = SERVICES_ARDUINO,
                                           .use = ANNOUNCEMENT_OPTIONAL,
                                           .timeout_us = FIND_US,
                                           .source = &source_any,
                                           .on_done = on_resolved,
                                           .userdata = tasmota};

    tasmota->is_started = true;
    tasmota->phase = OTA_PHASE_RESOLVE;
    tasmota->resolver = resolver_start(&config);
    if (!tasmota->resolver) {
        ota_fail_no_memory(&tasmota->outcome);
        after(tasmota, 0, finish);
    }
}

/* -- all of them -- */

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
        start(tasmota);
    } else if (turn == TURN_STOPPED) {
        tasmota->phase = OTA_PHASE_RESOLVE;
        ota_fail(&tasmota->outcome, OTA_E_NEVER_ASKED,
                 "it was not told to fetch, as the roll-out has stopped");
        report_end(tasmota);
    }
}

static void start_next(struct tasmotas *all)
{
    for (size_t i = 0; i < all->count && !all->is_ending; i++)
        if (!all->list[i]->is_started && !all->list[i]->is_done)
            start_in_turn(all->list[i]);
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

/* Its OtaUrl is the only thing that is left to do. */
static void end_board(struct tasmota *tasmota)
{
    const int64_t now_us = loop_now_us();

    if (tasmota->is_done)
        return;
    if (tasmota->order.board->state == BOOK_FETCHED)
        tasmota->until_us = lesser_us(tasmota->until_us, now_us + RESTORE_US);
    else if (!tasmota->is_started || !tasmota->has_our_url) {
        tasmota->is_done = true;
        loop_timer_stop(&tasmota->timer);
        resolver_free(tasmota->resolver);
        tasmota->resolver = NULL;
        http_request_free(tasmota->request);
        tasmota->request = NULL;
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
            note_left_url(tasmota);
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
