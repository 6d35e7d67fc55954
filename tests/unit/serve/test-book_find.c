/*
 * test-book_find.c: random requests against random lists. Each must be the board's that the rules
 * of esp-ota-serve(7), "Many boards", name; the model below states them once more, and keeps
 * nothing but the list and the MACs that its boards have sent.
 */
#include "serve/book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

enum { LINES = 4, MACS = 5, ADDRESSES = 4, LISTS = 2000, REQUESTS = 60, REST = -1, NONE = -1 };

enum kind { BY_MAC, BY_ADDRESS, BY_NAME, KINDS };

struct line {
    enum kind kind;
    int mac, address;   /* what is listed */
    unsigned addresses; /* of the name, as bits */
    int sent_mac;
    struct book_board *board;
};

static uint64_t random_state = 1;

static int random_below(unsigned limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((random_state >> 33) % limit);
}

static struct mac mac_number(int number)
{
    return (struct mac){{0x24, 0x0a, 0xc4, 0, 0, (unsigned char)number}};
}

static struct address address_number(int number)
{
    struct address address;
    char text[32];

    snprintf(text, sizeof text, "192.0.2.%d", number);
    assert_true(address_parse(&address, text));
    return address;
}

/* -- the model -- */

static int find_name(const struct line *lines, int mac, int address)
{
    int found = REST;

    for (int i = 0; i < LINES; i++) {
        if (lines[i].kind != BY_NAME || !(lines[i].addresses >> address & 1))
            continue;
        if (lines[i].sent_mac == NONE)
            return i;
        if (mac == NONE && found == REST)
            found = i;
    }
    return found;
}

static int find_line(const struct line *lines, int mac, int address)
{
    for (int i = 0; i < LINES; i++)
        if (lines[i].kind == BY_MAC && lines[i].mac == mac)
            return i;
    for (int i = 0; i < LINES; i++)
        if (lines[i].kind == BY_ADDRESS && lines[i].address == address)
            return i;
    for (int i = 0; i < LINES; i++)
        if (mac != NONE && lines[i].sent_mac == mac)
            return i;
    return find_name(lines, mac, address);
}

/* A board keeps the first MAC that it sends, if no other line has it. */
static void note_mac(struct line *lines, int i, int mac)
{
    for (int j = 0; j < LINES; j++)
        if (mac == NONE || lines[i].sent_mac != NONE || lines[j].sent_mac == mac)
            return;
    lines[i].sent_mac = mac;
}

/* -- the book -- */

static void draw_line(struct book *book, struct line *line, int number)
{
    const struct mac mac = mac_number(number);
    const struct address address = address_number(number);

    *line = (struct line){.kind = (enum kind)random_below(KINDS),
                          .mac = number,
                          .address = number,
                          .addresses = (unsigned)random_below(1 << ADDRESSES),
                          .sent_mac = NONE,
                          .board = book_add(book, "listed")};
    assert_non_null(line->board);
    assert_true(book_list(line->board, line->kind == BY_MAC ? &mac : NULL));
    if (line->kind == BY_MAC)
        line->sent_mac = number;
    if (line->kind == BY_ADDRESS)
        book_set_home(line->board, &address);
}

/* As names_find() does. */
static struct book_board *named_board(const struct line *lines, int address)
{
    struct book_board *found = NULL;

    for (int i = 0; i < LINES; i++)
        if (lines[i].kind == BY_NAME && (lines[i].addresses >> address & 1) &&
            (!found || (found->has_mac && !lines[i].board->has_mac)))
            found = lines[i].board;
    return found;
}

static int line_of(const struct line *lines, const struct book_board *board)
{
    for (int i = 0; i < LINES; i++)
        if (lines[i].board == board)
            return i;
    return REST;
}

static void ask(struct book *book, struct line *lines)
{
    const int mac = random_below(MACS + 1) - 1, from = random_below(ADDRESSES);
    const struct address address = address_number(from);
    const int expected = find_line(lines, mac, from);
    struct fetcher fetcher = {.has_mac = mac != NONE};

    if (fetcher.has_mac)
        fetcher.mac = mac_number(mac);
    struct book_board *board = book_find(book, &fetcher, &address, named_board(lines, from));
    assert_int_equal(line_of(lines, board), expected);
    if (!board)
        board = book_add(book, "unlisted");
    assert_non_null(board);
    book_note_request(board, &fetcher, &address, PROOF_NONE, 3, 1);
    if (expected != REST)
        note_mac(lines, expected, mac);
    else
        assert_int_equal(board->has_mac, fetcher.has_mac);
}

static void test_random_requests(void **state)
{
    (void)state;
    for (int i = 0; i < LISTS; i++) {
        struct book book = {0};
        struct line lines[LINES];

        for (int j = 0; j < LINES; j++)
            draw_line(&book, &lines[j], j);
        for (int j = 0; j < REQUESTS; j++)
            ask(&book, lines);
        book_free(&book);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_requests)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
