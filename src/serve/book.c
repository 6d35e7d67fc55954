/* book.c: see book.h. */
#include "serve/book.h"

#include "base/array.h"
#include "base/escape.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* step is 1 after a change of the board, and -1 before. */
static void count_board(const struct book_board *board, int step)
{
    struct book_counts *counts = &board->book->counts;

    counts->states[board->state] += step;
    counts->downloads += step * (long)board->downloads;
    if (board->is_canary)
        counts->canaries[board->state] += step;
    if (board->is_listed || board->has_mac) { /* else it is a browser, perhaps */
        counts->known[board->state] += step;
        counts->bytes += step * (int64_t)board->bytes;
        counts->bytes_total += step * (int64_t)board->total;
    }
}

/* For tsearch(3). */
static int compare_macs(const void *a, const void *b)
{
    const struct book_board *first = a, *second = b;

    return memcmp(first->mac.bytes, second->mac.bytes, sizeof first->mac.bytes);
}

void book_free(struct book *book)
{
    for (size_t i = 0; i < book->count; i++) {
        if (book->boards[i]->has_mac)
            tdelete(book->boards[i], &book->by_mac, compare_macs);
        free(book->boards[i]);
    }
    free(book->boards);
    *book = (struct book){0};
}

bool book_is_full(const struct book *book)
{
    return book->count == BOOK_COUNT_MAX;
}

struct book_board *book_add(struct book *book, const char *name)
{
    if (book_is_full(book))
        return NULL;

    struct book_board **boards =
        array_grow(book->boards, book->count, &book->capacity, sizeof(void *));
    if (!boards)
        return NULL;

    book->boards = boards;
    struct book_board *board = calloc(1, sizeof *board);
    if (!board)
        return NULL;
    board->book = book;
    escape_line(board->name, sizeof board->name, name, strlen(name));
    memcpy(board->label, board->name, sizeof board->label);
    book->boards[book->count++] = board;
    count_board(board, 1);
    return board;
}

static bool set_mac(struct book_board *board, const struct mac *mac)
{
    board->mac = *mac;
    board->has_mac = tsearch(board, &board->book->by_mac, compare_macs);
    return board->has_mac;
}

bool book_list(struct book_board *board, const struct mac *mac)
{
    count_board(board, -1);
    board->is_listed = true;
    board->is_mac_listed = mac != NULL;
    const bool is_done = !mac || set_mac(board, mac);
    count_board(board, 1);
    return is_done;
}

struct book_board *book_find_mac(const struct book *book, const struct mac *mac)
{
    const struct book_board key = {.mac = *mac};
    struct book_board *const *found = tfind(&key, &book->by_mac, compare_macs);

    return found ? *found : NULL;
}

void book_set_home(struct book_board *board, const struct address *address)
{
    board->book->homes += !board->has_home;
    board->has_home = board->has_address = true;
    board->home = board->address = *address;
}

void book_set_page(struct book_board *board, const struct address *address)
{
    book_set_home(board, address);
    board->has_page = true;
}

static void unset_mac(struct book_board *board)
{
    if (board->has_mac)
        tdelete(board, &board->book->by_mac, compare_macs);
    board->has_mac = board->is_mac_listed = false;
}

void book_join(struct book_board *board, struct book_board *same)
{
    const bool is_known = board->has_mac, is_mac_listed = board->is_mac_listed;

    board->book->homes -= board->has_home;
    board->has_home = board->has_address = board->has_page_mac = false;
    unset_mac(board);
    if (is_known && !same->has_mac && set_mac(same, &board->mac)) /* else memory ran out */
        same->is_mac_listed = is_mac_listed;
}

void book_skip(struct book_board *board)
{
    count_board(board, -1);
    board->is_canary = false;
    board->state = BOOK_SKIPPED;
    count_board(board, 1);
}

static bool is_home(const struct book_board *board, const struct address *address)
{
    return board->has_home && address_equal(&board->home, address);
}

/* Its page has the last word: no request changes its result, and it gets nothing more. */
static bool is_told_and_settled(const struct book_board *board)
{
    return board->is_told && board->is_settled;
}

/* One that is told to fetch, and at whose address no page has answered, may be elsewhere. */
static bool is_missing(const struct book_board *board)
{
    return board->is_told && !board->has_page;
}

static bool is_more_likely(const struct book_board *board, const struct book_board *other)
{
    if (is_missing(board) != is_missing(other))
        return is_missing(other);
    if (board->has_mac != other->has_mac)
        return other->has_mac;
    return board->is_told && !other->is_told;
}

/* While a board fetches, another MAC than its page's may be that of its other interface. After that
 * it is another board's. */
static bool is_another(const struct book_board *board, const struct fetcher *fetcher)
{
    return is_told_and_settled(board) && board->has_page_mac && fetcher->has_mac &&
           !mac_equal(&board->page_mac, &fetcher->mac);
}

/* Behind one address may be several listed boards. Those whose page is missing come last, before
 * them those that have told another MAC, and those that are told to fetch first. */
static struct book_board *find_at_home(const struct book *book, const struct fetcher *fetcher,
                                       const struct address *address)
{
    struct book_board *found = NULL;

    for (size_t i = 0; i < book->count && book->homes > 0; i++) {
        struct book_board *board = book->boards[i];

        if (is_home(board, address) && !is_another(board, fetcher) &&
            (!found || is_more_likely(board, found)))
            found = board;
    }
    return found;
}

/* The board that is told to fetch and whose page is there, and has told the MAC of the request. */
static struct book_board *find_by_page(const struct book *book, const struct fetcher *fetcher,
                                       const struct address *address)
{
    for (size_t i = 0; i < book->count && book->homes > 0 && fetcher->has_mac; i++) {
        struct book_board *board = book->boards[i];

        if (board->has_page_mac && is_home(board, address) &&
            mac_equal(&board->page_mac, &fetcher->mac))
            return board;
    }
    return NULL;
}

/* One that is in no list and has told no MAC, so its address is all that it is known by. */
static struct book_board *find_by_address(const struct book *book, const struct address *address)
{
    for (size_t i = 0; i < book->count; i++) {
        struct book_board *board = book->boards[i];

        if (!board->is_listed && !board->has_mac && board->has_address &&
            address_equal(&board->address, address))
            return board;
    }
    return NULL;
}

struct book_board *book_find(const struct book *book, const struct fetcher *fetcher,
                             const struct address *address, struct book_board *named)
{
    struct book_board *by_mac = fetcher->has_mac ? book_find_mac(book, &fetcher->mac) : NULL;
    struct book_board *by_page = find_by_page(book, fetcher, address);

    if (by_page)
        return by_page;
    if (by_mac && (by_mac->is_mac_listed || is_home(by_mac, address)))
        return by_mac;
    struct book_board *at_home = find_at_home(book, fetcher, address);
    if (at_home && !is_missing(at_home))
        return at_home;
    if (by_mac && by_mac->is_listed)
        return by_mac;
    if (named && !(named->has_mac && fetcher->has_mac))
        return named;
    if (at_home)
        return at_home;
    return fetcher->has_mac ? by_mac : find_by_address(book, address);
}

/* What was noted under this MAC may be about another device. */
static void forget_mac(struct book_board *board)
{
    count_board(board, -1);
    tdelete(board, &board->book->by_mac, compare_macs);
    board->has_mac = board->is_canary = false;
    board->state = board->downloads > 0 ? BOOK_FETCHING : BOOK_ASKED;
    count_board(board, 1);
}

/* A listed board takes its MAC from one that is in no list, and never from another listed one. */
static void learn_mac(struct book_board *board, const struct mac *mac)
{
    struct book_board *holder = book_find_mac(board->book, mac);

    if (holder && holder->is_listed)
        return;
    if (holder)
        forget_mac(holder);
    set_mac(board, mac); /* without memory, the board stays without one */
}

void book_set_mac(struct book_board *board, const struct mac *mac)
{
    board->has_page_mac = true;
    board->page_mac = *mac;
    unset_mac(board);
    learn_mac(board, mac);
}

static void learn_board(struct book_board *board, const struct fetcher *fetcher,
                        const struct address *address)
{
    if (fetcher->has_mac && !board->has_mac)
        learn_mac(board, &fetcher->mac);
    if (fetcher->has_version)
        escape_string(board->version, sizeof board->version, fetcher->version);
    if (fetcher->family)
        board->family = fetcher->family;
    board->address = *address;
    board->has_address = true;
}

/* The board does not run the image. Without its MAC it may be another one than the one that fetched
 * it: behind NAT, many boards have one address. */
static enum book_news note_other(struct book_board *board, const struct fetcher *fetcher,
                                 unsigned attempts_max)
{
    const bool is_other = fetcher->has_mac && !mac_equal(&fetcher->mac, &board->mac);
    const bool has_failed = board->state == BOOK_FETCHED && board->has_mac && !is_other;

    board->claims_image = false;
    if (board->state == BOOK_CONFIRMED)
        board->failures = 0;
    if (board->state == BOOK_GIVEN_UP || board->state == BOOK_FETCHING)
        return BOOK_NO_NEWS;
    board->state = BOOK_ASKED;
    if (!has_failed)
        return BOOK_NO_NEWS;
    if (++board->failures < attempts_max)
        return BOOK_FAILED;
    board->state = BOOK_GIVEN_UP;
    return BOOK_LOOPS;
}

static enum book_news note_request(struct book_board *board, const struct fetcher *fetcher,
                                   const struct address *address, enum proof proof,
                                   unsigned attempts_max)
{
    const enum book_state before = board->state;
    const bool took_it = board->fetched_us != 0;

    learn_board(board, fetcher, address);
    if (is_told_and_settled(board))
        return BOOK_NO_NEWS;
    if (proof == PROOF_OTHER)
        return note_other(board, fetcher, attempts_max);
    if (proof == PROOF_RUNS && before == BOOK_FETCHING)
        return BOOK_NO_NEWS;
    if (proof == PROOF_RUNS && board->is_told) {
        board->claims_image = true;
    } else if (proof == PROOF_RUNS && board->has_mac) {
        board->state = BOOK_CONFIRMED;
        board->failures = 0;
        return before == BOOK_CONFIRMED ? BOOK_NO_NEWS : took_it ? BOOK_IS_BACK : BOOK_HAS_IT;
    }
    if (before == BOOK_SILENT || before == BOOK_REFUSED)
        board->state = BOOK_ASKED;
    return BOOK_NO_NEWS;
}

enum book_news book_note_request(struct book_board *board, const struct fetcher *fetcher,
                                 const struct address *address, enum proof proof,
                                 unsigned attempts_max, int64_t now_us)
{
    board->requests++;
    board->asked_us = now_us;
    board->refusal = OTA_OK;
    count_board(board, -1);
    const enum book_news news = note_request(board, fetcher, address, proof, attempts_max);
    count_board(board, 1);
    return news;
}

void book_note_answer(struct book_board *board, const struct answer *answer)
{
    memcpy(board->reason, answer->reason, sizeof board->reason);
    if (answer->kind == ANSWER_REFUSED && board->state == BOOK_ASKED)
        book_set_state(board, BOOK_REFUSED);
}

void book_note_refusal(struct book_board *board, enum ota_error refusal, const char *why,
                       int64_t now_us)
{
    if (board->state != BOOK_SILENT && board->refusal == OTA_OK)
        return;
    board->requests++;
    board->asked_us = now_us;
    board->refusal = refusal;
    snprintf(board->reason, sizeof board->reason, "%s", why);
    book_set_state(board, BOOK_REFUSED);
}

void book_note_start(struct book_board *board, size_t total, int64_t now_us)
{
    count_board(board, -1);
    board->downloads++;
    board->state = BOOK_FETCHING;
    board->claims_image = false;
    board->started_us = now_us;
    board->fetched_us = 0;
    board->bytes = 0;
    board->total = total;
    count_board(board, 1);
}

void book_note_progress(struct book_board *board, size_t bytes)
{
    count_board(board, -1);
    board->bytes = bytes;
    count_board(board, 1);
}

void book_note_end(struct book_board *board, bool is_whole, int64_t now_us)
{
    count_board(board, -1);
    board->downloads--;
    if (is_whole) {
        board->bytes = board->total;
        board->fetched_us = now_us;
    }
    if (board->state == BOOK_FETCHING && is_whole)
        board->state = BOOK_FETCHED;
    else if (board->state == BOOK_FETCHING && board->downloads == 0)
        board->state = BOOK_ASKED;
    count_board(board, 1);
}

void book_set_state(struct book_board *board, enum book_state state)
{
    count_board(board, -1);
    board->state = state;
    count_board(board, 1);
}

void book_set_canary(struct book_board *board)
{
    count_board(board, -1);
    board->is_canary = true;
    count_board(board, 1);
}

enum turn book_turn(const struct book *book, const struct book_board *board,
                    const struct rollout_rules *rules, size_t downloads_here)
{
    struct rollout_counts counts;

    if (board && is_told_and_settled(board))
        return TURN_SETTLED;
    if (board && board->state == BOOK_GIVEN_UP)
        return TURN_GIVEN_UP;
    if (board && board->has_mac && board->state == BOOK_FETCHED)
        return TURN_TAKEN;
    book_count(book, &counts);
    counts.downloads_here = downloads_here;
    return rollout_turn(rules, &counts, board && board->is_canary, board && board->has_mac);
}

void book_choose_canary(const struct book *book, struct book_board *board,
                        const struct rollout_rules *rules)
{
    struct rollout_counts counts;

    book_count(book, &counts);
    if (board->has_mac && rollout_needs_canary(rules, &counts))
        book_set_canary(board);
}

void book_count(const struct book *book, struct rollout_counts *counts)
{
    const long *canaries = book->counts.canaries;

    *counts = (struct rollout_counts){.downloads = (size_t)book->counts.downloads,
                                      .failures = book_count_state(book, BOOK_GIVEN_UP),
                                      .canaries_confirmed = (size_t)canaries[BOOK_CONFIRMED],
                                      .canaries_failed = (size_t)canaries[BOOK_GIVEN_UP]};
    for (int state = 0; state < BOOK_STATES; state++)
        counts->canaries += (size_t)canaries[state];
}

size_t book_count_state(const struct book *book, enum book_state state)
{
    return (size_t)book->counts.states[state];
}

const char *book_state_name(enum book_state state)
{
    static const char *const names[BOOK_STATES] = {
        [BOOK_SILENT] = "not asked yet",
        [BOOK_ASKED] = "has asked",
        [BOOK_REFUSED] = "refused",
        [BOOK_FETCHING] = "downloading",
        [BOOK_FETCHED] = "taken, not back yet",
        [BOOK_CONFIRMED] = "confirmed",
        [BOOK_GIVEN_UP] = "given up",
        [BOOK_SKIPPED] = "skipped",
    };
    return names[state];
}
