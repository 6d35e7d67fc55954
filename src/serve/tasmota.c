/*
 * tasmota.c: tells a board to fetch: finds it, asks what it is, and orders the upgrade.
 */
#include "serve/tasmota_internal.h"

#include "base/error.h"
#include "base/json_memory.h"
#include "base/units.h"
#include "image/image_fit.h"
#include "net/source.h"
#include "serve/same_board.h"
#include "upload/web/page_table.h"
#include "upload/web/page_text.h"

#include <stdio.h>
#include <string.h>

static const int64_t FIND_US = SECONDS(10);
static const int64_t LOOK_US = MILLISECONDS(300);

/* -- the order -- */

/* Fails for a reply that could not be read, perhaps for lack of memory. */
static void fail_unread(struct tasmota *tasmota, enum ota_error error, const char *message)
{
    if (json_memory_has_run_out()) {
        ota_fail_no_memory(&tasmota->outcome);
        tasmota_conclude(tasmota);
    } else {
        tasmota_fail(tasmota, error, message);
    }
}

static void note_order(struct tasmota *tasmota)
{
    const struct page_facts *facts = &tasmota->facts;
    const char *version = tasmota_hide_secrets(tasmota, facts->version);
    const char *hardware = tasmota_hide_secrets(tasmota, facts->hardware);
    char old[TASMOTA_OLD_SHOWN_MAX], text[TASMOTA_NOTE_MAX];

    snprintf(text, sizeof text, "told to fetch %s (firmware %s%s%s; its OtaUrl was %s)",
             tasmota->url, version, *hardware ? "; chip " : "", hardware,
             *tasmota->old_url ? tasmota_show_old_url(tasmota, old) : "empty");
    tasmota_note(tasmota, true, text);
}

/* A reply that is in none of the expected forms. */
static void fail_reply(struct tasmota *tasmota, const char *command, const struct http_reply *reply)
{
    char body[PAGE_TEXT_MAX], text[TASMOTA_NOTE_MAX];

    page_text(body, sizeof body, http_reply_text(reply), reply->body_length);
    snprintf(text, sizeof text, "it did not carry out %s: status %u, \"%s\"", command,
             reply->status, tasmota_hide_secrets(tasmota, body));
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
    tasmota_watch(tasmota);
}

/* The board may have heard the command. */
static void on_upgrade_lost(struct tasmota *tasmota, const struct ota_failure *failure)
{
    tasmota->upgrade_lost = *failure;
    tasmota_note(tasmota, false, failure->message);
    tasmota_watch(tasmota);
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
        tasmota_fail(tasmota, OTA_E_NEVER_ASKED, "it was not told to fetch any more");
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
        if (source_toward(&at, &source_any, &tasmota->address) != 0)
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
        tasmota_fail(tasmota, OTA_E_LOCAL,
                     "this computer has no address that the board could fetch from");
        return;
    }

    if (!*tasmota->old_url)
        tasmota_note(tasmota, true,
                     "its OtaUrl is empty, which no command can set; it will keep ours");
    tasmota->has_our_url = *tasmota->old_url && strcmp(tasmota->old_url, tasmota->url) != 0;
    tasmota_ask(tasmota, "OtaUrl", tasmota->url, on_url_set, tasmota_fail_lost);
}

/* Whether the image is for the chip that the board says it has. */
static bool is_image_fit(struct tasmota *tasmota)
{
    const struct page_facts *facts = &tasmota->facts;
    const struct image *image = tasmota->order.image;
    char reason[IMAGE_FIT_REASON_MAX];
    struct kind kind = {0};

    memcpy(kind.proven, facts->chips, sizeof kind.proven);
    memcpy(kind.likely, facts->chips, sizeof kind.likely);
    snprintf(kind.clue, sizeof kind.clue, "says that it is \"%s\"",
             tasmota_hide_secrets(tasmota, facts->hardware));
    if (image_fit_board(reason, image->plain ? image->plain : image, &kind, 0) != IMAGE_FIT_REFUSED)
        return true;
    if (tasmota->all->config.force) {
        tasmota_note(tasmota, true, reason);
        return true;
    }
    tasmota_fail(tasmota, OTA_E_IMAGE, reason);
    return false;
}

/* Two names of one board are one target. What it is known by is the other one's. */
static void leave_to_same(struct tasmota *tasmota, struct book_board *same)
{
    const struct tasmotas_config *config = &tasmota->all->config;

    tasmota->is_done = true;
    config->on_same(tasmota->order.board, same, config->userdata);
    tasmotas_go_on(tasmota->all);
}

/* Tells the board to fetch, unless that would replace another image. */
static void begin_order(struct tasmota *tasmota)
{
    const struct tasmotas_config *config = &tasmota->all->config;

    if (config->on_found(tasmota->order.board, tasmota->host, &tasmota->outcome, config->userdata))
        tasmota_ask(tasmota, "OtaUrl", NULL, on_url, tasmota_fail_lost);
    else {
        tasmota->phase = OTA_PHASE_RESOLVE;
        tasmota_conclude(tasmota);
    }
}

/* -- another line with its MAC -- */

/* The other one may be this board at another address. If so, this page tells the new firmware, too;
 * else somebody tells a MAC that is not his, and this board still needs its image. */
static void on_status_after_twin(struct tasmota *tasmota, const struct http_reply *reply)
{
    const struct tasmota *twin = tasmota->twin;
    struct page_facts facts = {0};

    if (!page_facts_add(&facts, &pages[PAGE_TASMOTA], reply)) {
        fail_reply(tasmota, "Status", reply);
    } else if (twin->outcome.error == OTA_OK &&
               strcmp(facts.version, tasmota->facts.version) != 0 &&
               page_facts_fit_image(&facts, tasmota->order.image)) {
        leave_to_same(tasmota, twin->order.board);
    } else {
        tasmota->facts = facts;
        begin_order(tasmota);
    }
}

static void await_twin(struct tasmota *tasmota)
{
    if (tasmota->twin->is_done)
        tasmota_ask(tasmota, "Status", "2", on_status_after_twin, tasmota_fail_lost);
    else
        tasmota_wait(tasmota, LOOK_US, await_twin);
}

static bool has_told_mac(const struct book_board *board, const struct mac *mac)
{
    return (board->has_page_mac && mac_equal(&board->page_mac, mac)) ||
           (board->has_mac && mac_equal(&board->mac, mac));
}

/* The one with this MAC that was the last to be asked for it, before this one. */
static const struct tasmota *find_twin(const struct tasmota *tasmota, const struct mac *mac)
{
    const struct tasmotas *all = tasmota->all;
    const struct tasmota *found = NULL;

    for (size_t i = 0; i < all->count; i++) {
        const struct tasmota *other = all->list[i];

        if (other != tasmota && other->rank > (found ? found->rank : 0) &&
            has_told_mac(other->order.board, mac))
            found = other;
    }
    return found;
}

/* Two at a time would take the server's URL for the old one of the board. Only one that was asked
 * for its MAC before is waited for, so no two can wait for each other. It has its turn already, so
 * it waits for no slot and no canary, and each of its requests and waits has a deadline. */
static bool must_await_twin(const struct tasmota *tasmota)
{
    char text[TASMOTA_NOTE_MAX];

    if (!tasmota->twin || tasmota->twin->is_done)
        return false;
    snprintf(text, sizeof text, "tells the same MAC as %s, and is told after that one",
             tasmota->twin->order.board->label);
    tasmota_note(tasmota, true, text);
    return true;
}

/* Another board that is listed with this MAC, or has told it; NULL: none. */
static struct book_board *find_listed_mac(const struct tasmota *tasmota, const struct mac *mac)
{
    struct book_board *holder = book_find_mac(tasmota->all->config.book, mac);

    return holder && holder->is_listed && holder != tasmota->order.board ? holder : NULL;
}

/* Another line has the MAC that the page has told, which may be a lie: neither board may go without
 * its image because of that, and neither may get two different ones. Returns whether this one is
 * not told now. */
static bool is_left_to(struct tasmota *tasmota, struct book_board *same)
{
    const struct tasmotas_config *config = &tasmota->all->config;
    struct book_board *board = tasmota->order.board;
    const bool is_here = same_board_is_here(board, same);
    const bool is_different = same->offer != board->offer;

    if (is_here && is_different && same->state != BOOK_CONFIRMED) {
        config->on_same(same, board, config->userdata);
        return false;
    }
    if (is_different || (is_here && same->state == BOOK_CONFIRMED)) {
        leave_to_same(tasmota, same);
        return true;
    }
    return false;
}

static void on_network(struct tasmota *tasmota, const struct http_reply *reply)
{
    struct book_board *board = tasmota->order.board, *same;
    struct mac mac;

    tasmota->rank = ++tasmota->all->ranks;
    if (tasmota_reply_mac(&mac, reply)) {
        book_set_mac(board, &mac);
        tasmota->twin = find_twin(tasmota, &mac);
        same = find_listed_mac(tasmota, &mac);
        if ((tasmota->twin && is_left_to(tasmota, tasmota->twin->order.board)) ||
            (same && is_left_to(tasmota, same)))
            return;
    } else if (json_memory_has_run_out()) {
        fail_unread(tasmota, OTA_E_INTERNAL, "");
        return;
    }
    if (must_await_twin(tasmota))
        tasmota_wait(tasmota, LOOK_US, await_twin);
    else
        begin_order(tasmota);
}

static void on_first_status(struct tasmota *tasmota, const struct http_reply *reply)
{
    char place[ADDRESS_TEXT_MAX + 8], text[TASMOTA_NOTE_MAX];

    if (!page_facts_add(&tasmota->facts, &pages[PAGE_TASMOTA], reply)) {
        snprintf(text, sizeof text, "%s answers, but does not run Tasmota",
                 address_text_port(place, &tasmota->address));
        fail_unread(tasmota, OTA_E_NO_PAGE, text);
    } else if (is_image_fit(tasmota)) {
        book_set_page(tasmota->order.board, &tasmota->address);
        tasmota_ask(tasmota, "Status", "5", on_network, tasmota_fail_lost);
    }
}

/* -- where it is -- */

static void ask_at_address(struct tasmota *tasmota);

/* Tries the next address, unless this one has asked for the password: no other one gets it. */
static void on_first_lost(struct tasmota *tasmota, const struct ota_failure *failure)
{
    const bool has_asked = tasmota->authorization || tasmota->phase != OTA_PHASE_PAGE;

    if (!has_asked && ++tasmota->tried < tasmota->found_count) {
        tasmota->address = (struct address){0}; /* who waits for it may go on */
        ask_at_address(tasmota);
    } else {
        tasmota_fail_lost(tasmota, failure);
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
 * elsewhere, this one waits: for the end of the first request to the other one, which itself waits
 * for nobody then. */
static void ask_at_address(struct tasmota *tasmota)
{
    const struct tasmotas_config *config = &tasmota->all->config;
    const struct target *target = tasmota->order.target;
    struct book_board *board = tasmota->order.board;
    struct address address = tasmota->found[tasmota->tried];

    address_set_port(&address, target->port ? target->port : TASMOTA_PORT);
    const struct tasmota *other = find_same(tasmota, &address);
    struct book_board *same = other && *other->facts.version
                                  ? other->order.board
                                  : same_board_confirmed(config->book, board, &address);
    if (same) {
        leave_to_same(tasmota, same);
        return;
    }
    if (other) {
        tasmota_wait(tasmota, LOOK_US, ask_at_address);
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
        snprintf(tasmota->host, sizeof tasmota->host, "%s", resolution->host);
        if (resolution->is_cut)
            tasmota_note(tasmota, false, RESOLVE_CUT_TRIED);
    }

    resolver_free(tasmota->resolver);
    tasmota->resolver = NULL;
    tasmota->phase = failure ? OTA_PHASE_RESOLVE : OTA_PHASE_PAGE;
    if (failure)
        tasmota_finish(tasmota);
    else
        ask_at_address(tasmota);
}

void tasmota_start(struct tasmota *tasmota)
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
        tasmota_wait(tasmota, 0, tasmota_finish);
    }
}
