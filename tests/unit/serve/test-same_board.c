/*
 * test-same_board.c: which lines of the list mean one board.
 */
#include "serve/same_board.h"

#include "serve/offer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct address page;
static const struct mac mac = {{0x24, 0x0a, 0xc4, 0, 0, 1}};
static const struct mac other_mac = {{0x24, 0x0a, 0xc4, 0, 0, 2}};

static struct book_board *add_line(struct book *book, const struct mac *listed)
{
    struct book_board *board = book_add(book, "board");

    assert_non_null(board);
    assert_true(book_list(board, listed));
    return board;
}

/* Which other line is the board's whose page is there: one that has confirmed, one that asks by
 * itself, or none. */
static void test_homes(void **state)
{
    static const struct {
        bool is_home;
        enum book_state state;
        uint16_t port, told_port;
        bool is_told, is_settled;
        bool is_confirmed, is_asker;
    } rows[] = {
        {true, BOOK_SILENT, 0, 0, false, false, false, true},
        {true, BOOK_FETCHED, 0, 80, false, false, false, true},
        {false, BOOK_SILENT, 0, 0, false, false, false, false},
        {true, BOOK_SILENT, 0, 0, true, false, false, false},
        {true, BOOK_GIVEN_UP, 0, 0, false, true, false, false},
        {true, BOOK_GIVEN_UP, 0, 0, false, false, false, true},
        {true, BOOK_CONFIRMED, 0, 0, false, false, true, false},
        {true, BOOK_CONFIRMED, 80, 0, false, false, true, false},
        {true, BOOK_CONFIRMED, 0, 0, true, true, true, false},
        {false, BOOK_CONFIRMED, 0, 0, false, false, false, false},
        /* behind NAT */
        {true, BOOK_SILENT, 0, 8081, false, false, false, false},
        {true, BOOK_CONFIRMED, 8082, 8081, false, false, false, false},
        {true, BOOK_CONFIRMED, 8081, 8081, false, false, true, false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct book book = {0};
        struct book_board *board = add_line(&book, NULL), *other = add_line(&book, NULL);

        board->is_told = true;
        board->port = rows[i].told_port;
        other->port = rows[i].port;
        other->is_told = rows[i].is_told;
        other->is_settled = rows[i].is_settled;
        book_set_state(other, rows[i].state);
        if (rows[i].is_home)
            book_set_home(other, &page);

        assert_ptr_equal(same_board_confirmed(&book, board, &page),
                         rows[i].is_confirmed ? other : NULL);
        book_set_home(board, &page);
        assert_null(same_board_asker(&book, board)); /* its page has not answered */
        book_set_page(board, &page);
        assert_ptr_equal(same_board_asker(&book, board), rows[i].is_asker ? other : NULL);
        book_free(&book);
    }
}

/* The last address that is known of a board which has confirmed gets no other image, unless it is
 * known that another board has it now. */
static void test_replaced(void **state)
{
    static const struct {
        const char *address;
        enum book_state state;
        bool has_other_image;
        const struct mac *mac, *page_mac;
        const char *host, *page_host;
        uint16_t port;
        bool is_replaced;
    } rows[] = {
        {"192.0.2.2", BOOK_CONFIRMED, true, NULL, NULL, "", "", 0, true},
        {"192.0.2.2", BOOK_CONFIRMED, false, NULL, NULL, "", "", 0, false},
        {"192.0.2.3", BOOK_CONFIRMED, true, NULL, NULL, "", "", 0, false},
        {NULL, BOOK_CONFIRMED, true, NULL, NULL, "", "", 0, false},
        {"192.0.2.2", BOOK_SILENT, true, NULL, NULL, "", "", 0, false},
        {"192.0.2.2", BOOK_CONFIRMED, true, NULL, NULL, "", "", 8081, false},
        {"192.0.2.2", BOOK_CONFIRMED, true, &mac, NULL, "", "", 0, true},
        {"192.0.2.2", BOOK_CONFIRMED, true, NULL, &mac, "", "", 0, true},
        {"192.0.2.2", BOOK_CONFIRMED, true, &mac, &other_mac, "", "", 0, false},
        {"192.0.2.2", BOOK_CONFIRMED, true, NULL, NULL, NULL, "b.local", 0, true},
        {"192.0.2.2", BOOK_CONFIRMED, true, NULL, NULL, "a.local", "", 0, true},
        {"192.0.2.2", BOOK_CONFIRMED, true, NULL, NULL, "a.local", "A.local", 0, true},
        {"192.0.2.2", BOOK_CONFIRMED, true, NULL, NULL, "a.local", "b.local", 0, false},
    };
    static const struct offer offers[2];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct book book = {0};
        struct book_board *board = add_line(&book, NULL), *other = add_line(&book, rows[i].mac);

        board->is_told = true;
        board->offer = &offers[0];
        other->offer = &offers[rows[i].has_other_image];
        other->port = rows[i].port;
        other->host = rows[i].host;
        other->has_address = rows[i].address && address_parse(&other->address, rows[i].address);
        book_set_state(other, rows[i].state);
        book_set_page(board, &page);
        if (rows[i].page_mac)
            book_set_mac(board, rows[i].page_mac);
        assert_ptr_equal(same_board_replaced(&book, board, rows[i].page_host),
                         rows[i].is_replaced ? other : NULL);
        book_free(&book);
    }
}

/* A line with the MAC of a page is that board's unless it was seen elsewhere. */
static void test_macs(void **state)
{
    struct address elsewhere;
    (void)state;

    assert_true(address_parse(&elsewhere, "192.0.2.9"));
    for (int asks = 0; asks <= 2; asks++) {
        const struct fetcher fetcher = {.has_mac = true, .mac = mac};
        struct book book = {0};
        struct book_board *board = add_line(&book, NULL), *other = add_line(&book, &mac);

        board->is_told = true;
        assert_null(same_board_silent(&book, board));
        book_set_page(board, &page);
        assert_null(same_board_silent(&book, board));
        if (asks)
            book_note_request(other, &fetcher, asks == 1 ? &page : &elsewhere, PROOF_OTHER, 3, 1);
        book_set_mac(board, &mac);
        assert_ptr_equal(same_board_silent(&book, board), asks ? NULL : other);
        assert_int_equal(same_board_is_here(board, other), asks < 2);
        other->is_told = true;
        assert_null(same_board_silent(&book, board));
        assert_false(same_board_is_here(board, other));
        book_free(&book);
    }
}

/* A stranger at the address of the page is no line. */
static void test_stranger(void **state)
{
    struct book book = {0};
    struct book_board *board = add_line(&book, NULL), *stranger = book_add(&book, "stranger");
    (void)state;

    book_set_page(board, &page);
    stranger->has_home = stranger->has_address = true;
    stranger->home = stranger->address = page;
    stranger->offer = (const struct offer *)&page;
    assert_null(same_board_asker(&book, board));
    book_set_state(stranger, BOOK_CONFIRMED);
    assert_null(same_board_confirmed(&book, board, &page));
    assert_null(same_board_replaced(&book, board, ""));
    book_free(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_homes),
                                       cmocka_unit_test(test_replaced), cmocka_unit_test(test_macs),
                                       cmocka_unit_test(test_stranger)};

    if (!address_parse(&page, "192.0.2.2"))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
