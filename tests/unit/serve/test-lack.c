/*
 * test-lack.c: the cause that boards which have not confirmed have in common.
 */
#include "serve/lack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* One letter for each board. */
static void add_board(struct book *book, char letter)
{
    static const char states[] = {
        ['S'] = BOOK_SILENT,  ['A'] = BOOK_ASKED,     ['R'] = BOOK_REFUSED,  ['F'] = BOOK_FETCHING,
        ['T'] = BOOK_FETCHED, ['V'] = BOOK_FETCHED,   ['G'] = BOOK_GIVEN_UP, ['W'] = BOOK_GIVEN_UP,
        ['x'] = BOOK_SKIPPED, ['C'] = BOOK_CONFIRMED, ['n'] = BOOK_FETCHED,  ['t'] = BOOK_GIVEN_UP,
        ['p'] = BOOK_REFUSED, ['u'] = BOOK_REFUSED};
    struct book_board *board = book_add(book, "board");

    assert_non_null(board);
    board->has_mac = letter != 'n';
    board->is_by_version = letter == 'W';
    board->is_settled = letter == 't';
    if (letter == 'p' || letter == 'u')
        board->refusal = letter == 'p' ? OTA_E_UNAUTHORIZED : OTA_E_NEVER_ASKED;
    if (letter == 'V')
        strcpy(board->reason, "it does not say what it runs");
    book_set_state(board, (enum book_state)states[(unsigned char)letter]);
}

static void test_causes(void **state)
{
    (void)state;
    static const struct {
        const char *boards;
        enum ota_cause cause;
    } rows[] = {
        {"", OTA_CAUSE_NEVER_ASKED},     {"S", OTA_CAUSE_NEVER_ASKED},
        {"SxS", OTA_CAUSE_NEVER_ASKED},  {"CC", OTA_CAUSE_TOO_FEW_ASKED},
        {"CS", OTA_CAUSE_TOO_FEW_ASKED}, {"n", OTA_CAUSE_NO_MAC},
        {"nCR", OTA_CAUSE_NO_IMAGE},     {"RR", OTA_CAUSE_NO_IMAGE},
        {"A", OTA_CAUSE_UNFINISHED},     {"FAn", OTA_CAUSE_UNFINISHED},
        {"AGA", OTA_CAUSE_KEEPS_OLD}, /* a canary, and those that wait for it */
        {"GCG", OTA_CAUSE_KEEPS_OLD},    {"W", OTA_CAUSE_OTHER_VERSION},
        {"T", OTA_CAUSE_NOT_BACK},       {"CTA", OTA_CAUSE_NOT_BACK},
        {"V", OTA_CAUSE_NO_VERSION},     {"TV", OTA_CAUSE_SEVERAL},
        {"GRG", OTA_CAUSE_SEVERAL},      {"SG", OTA_CAUSE_SEVERAL},
        {"t", OTA_CAUSE_SEVERAL},        {"pCp", OTA_CAUSE_NO_PASSWORD},
        {"u", OTA_CAUSE_OTHER_PATH},     {"pR", OTA_CAUSE_SEVERAL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct book book = {0};

        for (const char *letter = rows[i].boards; *letter; letter++)
            add_board(&book, *letter);
        print_message("%s\n", rows[i].boards);
        assert_int_equal(lack_of_boards(&book), rows[i].cause);
        book_free(&book);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_causes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
