/* same_board.c: see same_board.h. */
#include "serve/same_board.h"

#include "serve/tasmota_command.h"

static uint16_t page_port(const struct book_board *board)
{
    return board->port ? board->port : TASMOTA_PORT;
}

static bool may_be_same(const struct book_board *other, const struct book_board *board)
{
    return other != board && other->is_listed && page_port(other) == page_port(board);
}

static bool has_confirmed(const struct book_board *other, const void *board)
{
    return may_be_same(other, board) && other->state == BOOK_CONFIRMED;
}

static bool is_open_asker(const struct book_board *other, const void *board)
{
    return may_be_same(other, board) && other->state != BOOK_CONFIRMED && !other->is_told &&
           !other->is_settled;
}

static struct book_board *find_at(const struct book *book, const struct names *names,
                                  const struct address *address, names_fit_fn *fits,
                                  const struct book_board *board)
{
    for (size_t i = 0; i < book->count; i++) {
        struct book_board *other = book->boards[i];

        if (other->has_home && address_equal(&other->home, address) && fits(other, board))
            return other;
    }
    return names_find_fitting(names, address, fits, board);
}

struct book_board *same_board_confirmed(const struct book *book, const struct names *names,
                                        const struct book_board *board,
                                        const struct address *address)
{
    return find_at(book, names, address, has_confirmed, board);
}

struct book_board *same_board_asker(const struct book *book, const struct names *names,
                                    const struct book_board *board)
{
    return board->has_home ? find_at(book, names, &board->home, is_open_asker, board) : NULL;
}
