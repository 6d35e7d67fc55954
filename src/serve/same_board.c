/* same_board.c: see same_board.h. */
#include "serve/same_board.h"

#include "serve/tasmota_command.h"

#include <strings.h>

/* The page of a board. */
struct page {
    const struct book_board *board;
    const struct address *address;
    const char *host;
};

typedef bool fit_fn(const struct book_board *other, const struct page *page);

static uint16_t page_port(const struct book_board *board)
{
    return board->port ? board->port : TASMOTA_PORT;
}

static struct book_board *find_listed(const struct book *book, const struct page *page,
                                      fit_fn *fits)
{
    for (size_t i = 0; i < book->count; i++) {
        struct book_board *other = book->boards[i];

        if (other != page->board && other->is_listed &&
            page_port(other) == page_port(page->board) && fits(other, page))
            return other;
    }
    return NULL;
}

static bool is_at_home(const struct book_board *other, const struct page *page)
{
    return other->has_home && address_equal(&other->home, page->address);
}

static bool has_confirmed(const struct book_board *other, const struct page *page)
{
    return other->state == BOOK_CONFIRMED && is_at_home(other, page);
}

struct book_board *same_board_confirmed(const struct book *book, const struct book_board *board,
                                        const struct address *address)
{
    return find_listed(book, &(struct page){board, address, ""}, has_confirmed);
}

/* Whether it is known that the other board is not the one with this page. */
static bool is_another(const struct book_board *other, const struct page *page)
{
    const struct book_board *board = page->board;

    if (other->has_mac && board->has_page_mac)
        return !mac_equal(&other->mac, &board->page_mac);
    return other->host && *other->host && *page->host && strcasecmp(other->host, page->host) != 0;
}

static bool would_be_replaced(const struct book_board *other, const struct page *page)
{
    return other->state == BOOK_CONFIRMED && other->offer != page->board->offer &&
           other->has_address && address_equal(&other->address, page->address) &&
           !is_another(other, page);
}

struct book_board *same_board_replaced(const struct book *book, const struct book_board *board,
                                       const char *host)
{
    return find_listed(book, &(struct page){board, &board->home, host}, would_be_replaced);
}

static bool is_open_asker(const struct book_board *other)
{
    return other->state != BOOK_CONFIRMED && !other->is_told && !other->is_settled;
}

static bool is_open_at_home(const struct book_board *other, const struct page *page)
{
    return is_open_asker(other) && is_at_home(other, page);
}

struct book_board *same_board_asker(const struct book *book, const struct book_board *board)
{
    if (!board->has_page)
        return NULL;
    return find_listed(book, &(struct page){board, &board->home, ""}, is_open_at_home);
}

struct book_board *same_board_silent(const struct book *book, const struct book_board *board)
{
    struct book_board *other = board->has_page_mac ? book_find_mac(book, &board->page_mac) : NULL;

    return other && other->is_listed && is_open_asker(other) && other->requests == 0 ? other : NULL;
}

bool same_board_is_here(const struct book_board *board, const struct book_board *other)
{
    return !other->is_told &&
           (other->requests == 0 || address_equal(&other->address, &board->home));
}
