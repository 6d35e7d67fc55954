/*
 * test-same_board.c: which lines of the list mean one board. The test plays the names: each is at
 * one address.
 */
#include "serve/same_board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum line { BY_ADDRESS, BY_NAME, NOWHERE };

static struct book_board *named; /* NULL: the list has no name at the address */

struct book_board *__wrap_names_find_fitting(const struct names *names,
                                             const struct address *address, names_fit_fn *fits,
                                             const void *userdata);

struct book_board *__wrap_names_find_fitting(const struct names *names,
                                             const struct address *address, names_fit_fn *fits,
                                             const void *userdata)
{
    (void)names;
    (void)address;
    return named && fits(named, userdata) ? named : NULL;
}

static struct address page;

/* Which other line is the board's whose page is there: one that has confirmed, one that asks by
 * itself, or none. */
static void test_lines(void **state)
{
    static const struct {
        enum line line;
        enum book_state state;
        uint16_t port, told_port;
        bool is_told, is_settled;
        bool is_confirmed, is_asker;
    } rows[] = {
        {BY_ADDRESS, BOOK_SILENT, 0, 0, false, false, false, true},
        {BY_NAME, BOOK_SILENT, 0, 0, false, false, false, true},
        {BY_NAME, BOOK_FETCHED, 0, 80, false, false, false, true},
        {NOWHERE, BOOK_SILENT, 0, 0, false, false, false, false},
        {BY_ADDRESS, BOOK_SILENT, 0, 0, true, false, false, false},
        {BY_ADDRESS, BOOK_GIVEN_UP, 0, 0, false, true, false, false},
        {BY_ADDRESS, BOOK_GIVEN_UP, 0, 0, false, false, false, true},
        {BY_ADDRESS, BOOK_CONFIRMED, 0, 0, false, false, true, false},
        {BY_NAME, BOOK_CONFIRMED, 80, 0, false, false, true, false},
        {BY_ADDRESS, BOOK_CONFIRMED, 0, 0, true, true, true, false},
        {NOWHERE, BOOK_CONFIRMED, 0, 0, false, false, false, false},
        /* behind NAT */
        {BY_ADDRESS, BOOK_SILENT, 0, 8081, false, false, false, false},
        {BY_NAME, BOOK_CONFIRMED, 8082, 8081, false, false, false, false},
        {BY_ADDRESS, BOOK_CONFIRMED, 8081, 8081, false, false, true, false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct book book = {0};
        struct book_board *board = book_add(&book, "told"), *other = book_add(&book, "other");

        assert_true(book_list(board, NULL) && book_list(other, NULL));
        board->is_told = true;
        board->port = rows[i].told_port;
        other->port = rows[i].port;
        other->is_told = rows[i].is_told;
        other->is_settled = rows[i].is_settled;
        book_set_state(other, rows[i].state);
        named = rows[i].line == BY_NAME ? other : NULL;
        if (rows[i].line == BY_ADDRESS)
            book_set_home(other, &page);

        assert_ptr_equal(same_board_confirmed(&book, NULL, board, &page),
                         rows[i].is_confirmed ? other : NULL);
        assert_null(same_board_asker(&book, NULL, board)); /* its page has not answered */
        book_set_home(board, &page);
        assert_ptr_equal(same_board_asker(&book, NULL, board), rows[i].is_asker ? other : NULL);
        book_free(&book);
    }
}

/* A stranger at the address of the page is no line. */
static void test_stranger(void **state)
{
    struct book book = {0};
    struct book_board *board = book_add(&book, "told"), *stranger = book_add(&book, "stranger");
    (void)state;

    named = NULL;
    assert_true(book_list(board, NULL));
    book_set_home(board, &page);
    stranger->has_home = true;
    stranger->home = page;
    assert_null(same_board_asker(&book, NULL, board));
    book_set_state(stranger, BOOK_CONFIRMED);
    assert_null(same_board_confirmed(&book, NULL, board, &page));
    book_free(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines),
                                       cmocka_unit_test(test_stranger)};

    if (!address_parse(&page, "192.0.2.2"))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
