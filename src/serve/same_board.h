/*
 * same_board.h: boards of the list that are one board. A board that is told to fetch is known by
 * its MAC and by its page: an address and a port, as boards behind NAT share an address. A line
 * without a URL means the board that has its page at Tasmota's port there.
 */
#ifndef ESP_OTA_SERVE_SAME_BOARD_H
#define ESP_OTA_SERVE_SAME_BOARD_H

#include "serve/book.h"
#include "serve/names.h"

/* Another listed board that is at this address, the page of this one, and has confirmed: the image
 * is there already. Before the names in the list were looked up, some are missing. NULL: none. */
struct book_board *same_board_confirmed(const struct book *book, const struct names *names,
                                        const struct book_board *board,
                                        const struct address *address);

/* A listed board that asks by itself, without a result yet, and is this one, whose page has
 * answered. NULL: there is none. */
struct book_board *same_board_asker(const struct book *book, const struct names *names,
                                    const struct book_board *board);

#endif
