/*
 * test-book.c: the life of a board, as scripts of what happens to it.
 */
#include "serve/book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#include <stdio.h>

enum { ATTEMPTS = 3, SIZE = 1000 };

static struct fetcher fetcher_with(const char *mac)
{
    struct fetcher fetcher = {.family = INSPECT_FAMILY_ESP8266};
    fetcher.has_mac = mac && mac_parse(&fetcher.mac, mac);
    return fetcher;
}

static struct address address_at(const char *text)
{
    struct address address;
    assert_true(address_parse(&address, text));
    return address;
}

/*
 * One letter for what happens, and behind it what comes of it.
 *   o  asks, and runs another firmware      r  asks, and runs the image
 *   u  asks, and does not say what it runs  d  a download begins
 *   w  it ends, whole                       b  it breaks
 * News: - none, h has it, i is back, f failed, l loops; state: A F T(aken) C G(iven up)
 */
static void play(struct book_board *board, const struct fetcher *fetcher, const char *script)
{
    static const char news_letters[] = {[BOOK_NO_NEWS] = '-',
                                        [BOOK_HAS_IT] = 'h',
                                        [BOOK_IS_BACK] = 'i',
                                        [BOOK_FAILED] = 'f',
                                        [BOOK_LOOPS] = 'l'};
    static const char state_letters[BOOK_STATES] = {
        [BOOK_SILENT] = 'S',  [BOOK_ASKED] = 'A',     [BOOK_REFUSED] = 'R', [BOOK_FETCHING] = 'F',
        [BOOK_FETCHED] = 'T', [BOOK_CONFIRMED] = 'C', [BOOK_GIVEN_UP] = 'G'};
    const struct address address = address_at("192.0.2.1");
    int64_t now_us = 1;

    for (; *script; script += script[3] ? 4 : 3, now_us++) {
        enum book_news news = BOOK_NO_NEWS;
        const enum proof proof = *script == 'r'   ? PROOF_RUNS
                                 : *script == 'o' ? PROOF_OTHER
                                                  : PROOF_NONE;
        if (*script == 'd')
            book_note_start(board, SIZE, now_us);
        else if (*script == 'w' || *script == 'b')
            book_note_end(board, *script == 'w', now_us);
        else
            news = book_note_request(board, fetcher, &address, proof, ATTEMPTS, now_us);

        char seen[4] = {*script, news_letters[news], state_letters[board->state], '\0'};
        char expected[4] = {script[0], script[1], script[2], '\0'};
        assert_string_equal(seen, expected);
    }
}

static void test_lives(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        const char *mac;
    } rows[] = {
        {"o-A d-F w-T riC r-C", "24:0A:C4:00:00:01"},
        {"rhC r-C", "24:0A:C4:00:00:01"},
        /* Broken downloads do not count. */
        {"o-A d-F b-A o-A d-F b-A o-A d-F b-A o-A d-F b-A d-F w-T riC", "24:0A:C4:00:00:01"},
        /* an update loop, and a late end of it */
        {"o-A d-F w-T ofA d-F w-T ofA d-F w-T olG o-G o-G riC r-C", "24:0A:C4:00:00:01"},
        /* Somebody has put another firmware onto it. */
        {"o-A d-F w-T riC o-A d-F w-T ofA d-F w-T riC", "24:0A:C4:00:00:01"},
        /* A restart in mid-download: the old connection breaks later. */
        {"o-A d-F o-F d-F b-F w-T riC", "24:0A:C4:00:00:01"},
        /* No board runs the image while it downloads it. */
        {"o-A d-F r-F w-T riC", "24:0A:C4:00:00:01"},
        {"o-A d-F r-F b-A rhC", "24:0A:C4:00:00:01"},
        /* nothing to go by */
        {"u-A d-F w-T u-T u-T", "24:0A:C4:00:00:01"},
        /* no MAC: neither confirmed nor failed */
        {"o-A d-F w-T o-A d-F w-T o-A d-F w-T o-A r-A", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct book book = {0};
        const struct fetcher fetcher = fetcher_with(rows[i].mac);
        struct book_board *board = book_add(&book, "board");

        assert_non_null(board);
        assert_int_equal(board->state, BOOK_SILENT);
        play(board, &fetcher, rows[i].script);
        book_free(&book);
    }
}

/* A board that is told to fetch says that it runs the image, and is not confirmed by that. */
static void test_told(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        bool claims;
    } rows[] = {{"r-A", true},      {"r-A o-A", false},        {"o-A d-F r-F", false},
                {"r-A d-F", false}, {"o-A d-F w-T r-T", true}, {"o-A d-F w-T ofA", false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct book book = {0};
        const struct fetcher fetcher = fetcher_with("24:0A:C4:00:00:01");
        struct book_board *board = book_add(&book, "board");

        board->is_told = true;
        play(board, &fetcher, rows[i].script);
        assert_int_equal(board->claims_image, rows[i].claims);
        book_free(&book);
    }
}

/* Nor does a request change what its page has shown. */
static void test_told_and_settled(void **state)
{
    static const struct rollout_rules rules = {.downloads_max = 9};
    const struct fetcher fetcher = fetcher_with("24:0A:C4:00:00:01");
    (void)state;

    for (int is_told = 0; is_told <= 1; is_told++) {
        struct book book = {0};
        struct book_board *board = book_add(&book, "board");

        board->is_told = is_told;
        board->is_settled = true;
        book_set_state(board, BOOK_CONFIRMED);
        play(board, &fetcher, is_told ? "o-C u-C r-C" : "o-A u-A rhC o-A");
        assert_int_equal(book_turn(&book, board, &rules, 0), is_told ? TURN_SETTLED : TURN_NOW);
        book_set_state(board, BOOK_GIVEN_UP);
        play(board, &fetcher, is_told ? "o-G r-G" : "o-G rhC");
        assert_int_equal(book_turn(&book, board, &rules, 0), is_told ? TURN_SETTLED : TURN_NOW);
        book_free(&book);
    }
}

/* A request that is turned away shows that somebody asked. It changes nothing for a board that has
 * got an answer. */
static void check_turned_away(void)
{
    struct book book = {0};
    const struct fetcher fetcher = fetcher_with("24:0A:C4:00:00:01");
    struct book_board *board = book_add(&book, "board");

    book_note_refusal(board, OTA_E_UNAUTHORIZED, "no password", 7);
    book_note_refusal(board, OTA_E_NEVER_ASKED, "another path", 8);
    assert_int_equal(board->state, BOOK_REFUSED);
    assert_int_equal(board->refusal, OTA_E_NEVER_ASKED);
    assert_string_equal(board->reason, "another path");
    assert_int_equal(board->requests, 2);
    assert_int_equal(board->asked_us, 8);
    assert_int_equal(book_count_state(&book, BOOK_REFUSED), 1);
    assert_false(board->has_mac || board->has_address || *board->version);

    play(board, &fetcher, "o-A");
    assert_int_equal(board->refusal, OTA_OK);
    book_note_answer(board, &(struct answer){.kind = ANSWER_REFUSED, .reason = "another chip"});
    book_note_refusal(board, OTA_E_UNAUTHORIZED, "no password", 9);
    assert_int_equal(board->refusal, OTA_OK);
    assert_string_equal(board->reason, "another chip");
    assert_int_equal(board->requests, 3);
    play(board, &fetcher, "o-A d-F w-T");
    book_note_refusal(board, OTA_E_UNAUTHORIZED, "no password", 9);
    play(board, &fetcher, "riC");
    book_note_refusal(board, OTA_E_UNAUTHORIZED, "no password", 9);
    assert_int_equal(board->state, BOOK_CONFIRMED);
    book_free(&book);
}

static void test_refusal(void **state)
{
    (void)state;
    struct book book = {0};
    const struct fetcher fetcher = fetcher_with("24:0A:C4:00:00:01");
    struct book_board *board = book_add(&book, "board");

    play(board, &fetcher, "o-A");
    book_note_answer(board, &(struct answer){.kind = ANSWER_REFUSED, .reason = "another chip"});
    assert_int_equal(board->state, BOOK_REFUSED);
    assert_string_equal(board->reason, "another chip");
    play(board, &fetcher, "o-A d-F");
    book_free(&book);
    check_turned_away();
}

/* Who is who. The book has: a listed MAC, a listed address, and one that came by itself. */
static void test_find(void **state)
{
    (void)state;
    static const struct {
        const char *mac, *address;
        int board; /* -1: a new one */
    } rows[] = {
        {"24:0A:C4:00:00:01", "192.0.2.7", 0},
        {"24:0A:C4:00:00:02", "192.0.2.2", 1}, /* listed by address: its MAC is learned */
        {NULL, "192.0.2.2", 1},
        {NULL, "192.0.2.3", 2},
        {"24:0A:C4:00:00:03", "192.0.2.3", -1}, /* another one with the same address */
        {NULL, "192.0.2.7", -1},
        {"24:0A:C4:00:00:09", "192.0.2.9", -1},
    };
    struct book book = {0};
    struct book_board *boards[] = {book_add(&book, "a"), book_add(&book, "b"),
                                   book_add(&book, "c")};

    const struct fetcher first = fetcher_with("24:0a:c4:00:00:01");
    const struct fetcher second = fetcher_with("24:0A:C4:00:00:02");
    const struct address home = address_at("192.0.2.2");

    assert_true(book_list(boards[0], &first.mac));
    assert_true(book_list(boards[1], NULL));
    book_set_home(boards[1], &(struct address){0});
    book_set_home(boards[1], &home); /* the next address of a name */
    boards[2]->address = address_at("192.0.2.3");
    boards[2]->has_address = true;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct fetcher fetcher = fetcher_with(rows[i].mac);
        const struct address address = address_at(rows[i].address);

        assert_ptr_equal(book_find(&book, &fetcher, &address, NULL),
                         rows[i].board < 0 ? NULL : boards[rows[i].board]);
    }

    /* play() has another address. */
    play(boards[1], &second, "o-A");
    const struct fetcher stranger = fetcher_with("24:0A:C4:00:00:03");
    assert_null(book_find(&book, &stranger, &boards[1]->address, NULL));
    assert_ptr_equal(book_find(&book, &stranger, &home, NULL), boards[1]);
    assert_ptr_equal(book_find(&book, &(struct fetcher){0}, &home, NULL), boards[1]);
    assert_ptr_equal(book_find(&book, &first, &home, NULL), boards[0]);
    book_free(&book);
}

/* The counts are kept up to date; a look at each board gives the same ones. */
static void check_counts(const struct book *book)
{
    struct book_counts counts = {.downloads = 0};

    for (size_t i = 0; i < book->count; i++) {
        const struct book_board *board = book->boards[i];

        counts.states[board->state]++;
        counts.canaries[board->state] += board->is_canary;
        counts.downloads += board->downloads;
        if (!board->is_listed && !board->has_mac)
            continue;
        counts.known[board->state]++;
        counts.bytes += (int64_t)board->bytes;
        counts.bytes_total += (int64_t)board->total;
    }
    assert_memory_equal(&book->counts, &counts, sizeof counts);
}

/* Who asks first with a MAC does not get the board that is listed by its address, or its name. */
static void test_squatter(void **state)
{
    (void)state;
    const struct fetcher fetcher = fetcher_with("24:0A:C4:00:00:01");
    const struct address home = address_at("192.0.2.2"), elsewhere = address_at("192.0.2.9");

    for (int is_named = 0; is_named <= 1; is_named++) {
        struct book book = {0};
        struct book_board *listed = book_add(&book, "listed");
        struct book_board *squatter = book_add(&book, "squatter");
        struct rollout_counts counts;

        assert_true(book_list(listed, NULL));
        if (!is_named)
            book_set_home(listed, &home);
        play(squatter, &fetcher, "o-A d-F");
        book_set_canary(squatter);
        assert_ptr_equal(book_find(&book, &fetcher, &elsewhere, NULL), squatter);
        assert_ptr_equal(book_find(&book, &fetcher, &home, is_named ? listed : NULL), listed);

        play(listed, &fetcher, "o-A");
        check_counts(&book);
        assert_true(listed->has_mac && !squatter->has_mac);
        assert_ptr_equal(book_find(&book, &fetcher, &elsewhere, NULL), listed);
        play(squatter, &(struct fetcher){0}, "w-T o-A");
        book_count(&book, &counts);
        assert_int_equal(counts.canaries, 0);
        book_free(&book);
    }
}

/* Two listed boards: what one has told does not make the other's address or MAC its own. */
static void test_both_listed(void **state)
{
    (void)state;
    const struct fetcher first = fetcher_with("24:0A:C4:00:00:01");
    const struct fetcher second = fetcher_with("24:0A:C4:00:00:02");
    const struct address homes[] = {address_at("192.0.2.2"), address_at("192.0.2.3")};
    struct book book = {0};
    struct book_board *boards[] = {book_add(&book, "a"), book_add(&book, "b")};

    for (size_t i = 0; i < COUNT(homes); i++) {
        assert_true(book_list(boards[i], NULL));
        book_set_home(boards[i], &homes[i]);
    }
    play(boards[0], &first, "o-A");
    assert_ptr_equal(book_find(&book, &first, &homes[1], NULL), boards[1]);
    play(boards[1], &first, "o-A");
    assert_true(boards[0]->has_mac && !boards[1]->has_mac);

    /* Behind one address, each is found by its MAC. */
    book_set_home(boards[1], &homes[0]);
    assert_ptr_equal(book_find(&book, &second, &homes[0], NULL), boards[1]);
    play(boards[1], &second, "o-A");
    assert_ptr_equal(book_find(&book, &first, &homes[0], NULL), boards[0]);
    assert_ptr_equal(book_find(&book, &second, &homes[0], NULL), boards[1]);
    book_free(&book);
}

/* The page of a board that is told to fetch says which MAC is its own, whatever was told before. */
static void test_mac_of_page(void **state)
{
    (void)state;
    const struct fetcher first = fetcher_with("24:0A:C4:00:00:01");
    const struct fetcher second = fetcher_with("24:0A:C4:00:00:02");
    const struct address home = address_at("192.0.2.2"), elsewhere = address_at("192.0.2.9");
    struct book book = {0};
    struct book_board *told = book_add(&book, "told"), *listed = book_add(&book, "listed");
    struct book_board *squatter = book_add(&book, "squatter");

    assert_true(book_list(told, NULL) && book_list(listed, NULL));
    play(squatter, &first, "o-A");
    play(told, &second, "o-A");
    book_set_home(told, &home);
    book_set_mac(told, &first.mac);
    check_counts(&book);
    assert_true(told->has_mac && !squatter->has_mac);
    assert_ptr_equal(book_find(&book, &first, &elsewhere, NULL), told);
    assert_null(book_find(&book, &second, &elsewhere, NULL));

    play(listed, &second, "o-A");
    book_set_mac(told, &second.mac);
    assert_ptr_equal(book_find_mac(&book, &second.mac), listed);
    assert_false(told->has_mac);
    book_free(&book);
}

/* Two lines for one board: what one was known by is the other's. */
static void test_joined(void **state)
{
    (void)state;
    const struct fetcher first = fetcher_with("24:0A:C4:00:00:01");
    const struct fetcher second = fetcher_with("24:0A:C4:00:00:02");
    const struct address home = address_at("192.0.2.2"), elsewhere = address_at("192.0.2.9");

    for (int has_mac = 0; has_mac <= 1; has_mac++) {
        struct book book = {0};
        struct book_board *board = book_add(&book, "board"), *same = book_add(&book, "same");

        assert_true(book_list(board, &first.mac) && book_list(same, NULL));
        book_set_home(board, &home);
        if (has_mac)
            book_set_mac(same, &second.mac);
        book_join(board, same);
        book_skip(board);
        check_counts(&book);
        assert_null(book_find(&book, &(struct fetcher){0}, &home, NULL));
        assert_ptr_equal(book_find(&book, &first, &elsewhere, NULL), has_mac ? NULL : same);
        assert_int_equal(same->is_mac_listed, !has_mac);
        assert_ptr_equal(book_find(&book, &second, &elsewhere, NULL), has_mac ? same : NULL);
        book_free(&book);
    }
}

/* A page that has told a listed MAC gets the requests with that MAC which come from its address;
 * the line with the MAC gets all others. */
static void test_page_with_listed_mac(void **state)
{
    (void)state;
    const struct fetcher fetcher = fetcher_with("24:0A:C4:00:00:01");
    const struct address home = address_at("192.0.2.2"), elsewhere = address_at("192.0.2.9");
    struct book book = {0};
    struct book_board *told = book_add(&book, "told"), *asker = book_add(&book, "asker");

    assert_true(book_list(told, NULL) && book_list(asker, &fetcher.mac));
    told->is_told = true;
    book_set_page(told, &home);
    assert_ptr_equal(book_find(&book, &fetcher, &home, NULL), asker);
    book_set_mac(told, &fetcher.mac);
    assert_ptr_equal(book_find(&book, &fetcher, &home, NULL), told);
    assert_ptr_equal(book_find(&book, &fetcher, &elsewhere, NULL), asker);
    book_free(&book);
}

/* While no page has answered at the address of a board that is told, another line comes first. */
static void test_missing_page(void **state)
{
    (void)state;
    const struct fetcher fetcher = fetcher_with("24:0A:C4:00:00:01");
    const struct address home = address_at("192.0.2.2");

    for (int has_asker = 0; has_asker <= 1; has_asker++) {
        struct book book = {0};
        struct book_board *told = book_add(&book, "told"), *named = book_add(&book, "named");
        struct book_board *asker = has_asker ? book_add(&book, "asker") : NULL;

        assert_true(book_list(told, NULL) && book_list(named, NULL));
        told->is_told = true;
        book_set_home(told, &home);
        if (asker) {
            assert_true(book_list(asker, NULL));
            book_set_home(asker, &home);
        }
        assert_ptr_equal(book_find(&book, &fetcher, &home, named), asker ? asker : named);
        if (!asker)
            assert_ptr_equal(book_find(&book, &fetcher, &home, NULL), told);
        book_set_page(told, &home);
        assert_ptr_equal(book_find(&book, &fetcher, &home, named), told);
        book_free(&book);
    }
}

/* Behind one address, a request without more to go by is that of the board which is told. */
static void test_told_at_home(void **state)
{
    (void)state;
    const struct fetcher fetcher = fetcher_with("24:0A:C4:00:00:01");
    const struct address home = address_at("192.0.2.2");

    for (int told = 0; told <= 1; told++) {
        struct book book = {0};
        struct book_board *boards[] = {book_add(&book, "a"), book_add(&book, "b")};

        for (size_t i = 0; i < 2; i++) {
            assert_true(book_list(boards[i], NULL));
            book_set_home(boards[i], &home);
        }
        boards[told]->is_told = true;
        book_set_page(boards[told], &home);
        assert_ptr_equal(book_find(&book, &fetcher, &home, NULL), boards[told]);
        book_set_mac(boards[told], &(struct mac){{0x24, 0x0a, 0xc4, 0, 0, 2}});
        assert_ptr_equal(book_find(&book, &fetcher, &home, NULL), boards[!told]);
        book_free(&book);
    }
}

/* Once a board that was told has its result, another MAC from its address is another board's.
 * Before that, it may be that of the board's other interface. */
static void test_told_and_settled_at_home(void **state)
{
    (void)state;
    const struct fetcher own = fetcher_with("24:0A:C4:00:00:01");
    const struct fetcher other = fetcher_with("24:0A:C4:00:00:02"), none = {0};
    const struct address home = address_at("192.0.2.2");

    for (int has_sibling = 0; has_sibling <= 1; has_sibling++) {
        struct book book = {0};
        struct book_board *told = book_add(&book, "told");
        struct book_board *sibling = has_sibling ? book_add(&book, "sibling") : NULL;

        assert_true(book_list(told, NULL));
        told->is_told = true;
        book_set_page(told, &home);
        if (sibling) {
            assert_true(book_list(sibling, NULL));
            sibling->is_told = true;
            book_set_page(sibling, &home);
            book_set_mac(sibling, &(struct mac){{0x24, 0x0a, 0xc4, 0, 0, 3}});
        }
        told->is_settled = true;
        assert_ptr_equal(book_find(&book, &other, &home, NULL), told); /* its MAC is unknown */
        told->is_settled = false;
        book_set_mac(told, &own.mac);
        assert_ptr_equal(book_find(&book, &other, &home, NULL), told);
        told->is_settled = true;
        assert_ptr_equal(book_find(&book, &other, &home, NULL), sibling);
        assert_ptr_equal(book_find(&book, &own, &home, NULL), told);
        assert_ptr_equal(book_find(&book, &none, &home, NULL), told);
        book_free(&book);
    }
}

/* Another device at a board's address does not count as the board that came back without the
 * image. */
static void test_other_mac_at_home(void **state)
{
    (void)state;
    const struct fetcher first = fetcher_with("24:0A:C4:00:00:01");
    const struct fetcher second = fetcher_with("24:0A:C4:00:00:02");
    struct book book = {0};
    struct book_board *board = book_add(&book, "board");

    assert_true(book_list(board, NULL));
    play(board, &first, "o-A d-F w-T");
    play(board, &second, "o-A");
    play(board, &first, "d-F w-T ofA");
    book_free(&book);
}

static void test_turns(void **state)
{
    (void)state;
    struct book book = {0};
    const struct rollout_rules rules = {.downloads_max = 1, .canaries = 1};
    const struct fetcher first = fetcher_with("24:0A:C4:00:00:01");
    const struct fetcher second = fetcher_with("24:0A:C4:00:00:02");
    struct book_board *canary = book_add(&book, "a"), *other = book_add(&book, "b");

    play(canary, &first, "o-A");
    play(other, &second, "o-A");
    assert_int_equal(book_turn(&book, canary, &rules, 0), TURN_NOW);
    book_set_canary(canary);
    assert_int_equal(book_turn(&book, other, &rules, 0), TURN_CANARIES);
    assert_int_equal(book_turn(&book, NULL, &rules, 0), TURN_CANARIES);
    play(canary, &first, "d-F");
    assert_int_equal(book_turn(&book, canary, &rules, 0), TURN_FULL);
    play(canary, &first, "w-T");
    assert_int_equal(book_turn(&book, canary, &rules, 0), TURN_TAKEN);
    play(canary, &first, "riC");
    assert_int_equal(book_turn(&book, other, &rules, 0), TURN_NOW);
    play(canary, &first, "o-A d-F w-T ofA d-F w-T ofA d-F w-T olG");
    assert_int_equal(book_turn(&book, canary, &rules, 0), TURN_GIVEN_UP);
    assert_int_equal(book_turn(&book, other, &rules, 0), TURN_STOPPED);
    book_free(&book);
}

static void test_counts(void **state)
{
    static const char *const steps[] = {"u-A", "o-A", "d-F", "d-F", "b-F", "w-T",
                                        "ofA", "d-F", "w-T", "riC", "o-A"};
    (void)state;
    struct book book = {0};
    struct book_board *boards[] = {book_add(&book, "listed"), book_add(&book, "told"),
                                   book_add(&book, "browser"), book_add(&book, "quiet")};
    const struct fetcher fetchers[] = {fetcher_with("24:0A:C4:00:00:01"),
                                       fetcher_with("24:0A:C4:00:00:02")};
    const struct answer refusal = {.kind = ANSWER_REFUSED};

    assert_true(book_list(boards[0], NULL));
    check_counts(&book);
    for (size_t i = 0; i < COUNT(steps); i++)
        for (size_t j = 0; j < COUNT(fetchers); j++) {
            play(boards[j], &fetchers[j], steps[i]);
            check_counts(&book);
            if (boards[j]->state == BOOK_FETCHING)
                book_note_progress(boards[j], SIZE / 2);
            check_counts(&book);
        }

    play(boards[2], &(struct fetcher){0}, "u-A");
    check_counts(&book);
    book_note_answer(boards[2], &refusal);
    check_counts(&book);
    book_set_canary(boards[1]);
    check_counts(&book);
    book_set_state(boards[1], BOOK_GIVEN_UP);
    check_counts(&book);
    assert_true(book_list(boards[3], &(struct mac){{2, 0, 0, 0, 0, 1}}));
    check_counts(&book);
    book_free(&book);
}

static void test_limit(void **state)
{
    (void)state;
    struct book book = {0};

    for (size_t i = 0; i < BOOK_COUNT_MAX; i++)
        assert_non_null(book_add(&book, "x"));
    assert_null(book_add(&book, "x"));
    assert_int_equal(book_count_state(&book, BOOK_SILENT), BOOK_COUNT_MAX);
    book_free(&book);
    assert_int_equal(book.count, 0);
}

/* What a board says is harmless where it is shown. */
static void test_escapes(void **state)
{
    (void)state;
    struct book book = {0};
    struct fetcher fetcher = fetcher_with("24:0A:C4:00:00:01");
    struct book_board *board = book_add(&book, "a\x1b[31m");

    fetcher_read_header(&fetcher, "x-ESP8266-version", "1\x1b]0;x\x07");
    play(board, &fetcher, "o-A");
    assert_string_equal(board->name, "a\\x1b[31m");
    assert_string_equal(board->version, "1\\x1b]0;x\\x07");
    book_free(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lives),
                                       cmocka_unit_test(test_told),
                                       cmocka_unit_test(test_told_and_settled),
                                       cmocka_unit_test(test_refusal),
                                       cmocka_unit_test(test_find),
                                       cmocka_unit_test(test_turns),
                                       cmocka_unit_test(test_counts),
                                       cmocka_unit_test(test_limit),
                                       cmocka_unit_test(test_escapes),
                                       cmocka_unit_test(test_squatter),
                                       cmocka_unit_test(test_both_listed),
                                       cmocka_unit_test(test_told_and_settled_at_home),
                                       cmocka_unit_test(test_other_mac_at_home),
                                       cmocka_unit_test(test_mac_of_page),
                                       cmocka_unit_test(test_joined),
                                       cmocka_unit_test(test_told_at_home),
                                       cmocka_unit_test(test_page_with_listed_mac),
                                       cmocka_unit_test(test_missing_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
