/*
 * same_board.h: boards of the list that are one board. What counts is only what a board has shown
 * at its own address in this run, and the name and address that the report of --resume has. Where a
 * name leads today is no proof: its board may be elsewhere.
 *
 * A board that is told to fetch is known by its MAC and by its page: an address and a port, as
 * boards behind NAT share an address. A line without a URL means the board that has its page at
 * Tasmota's port there. In doubt the same image is sent again, and another image is not sent.
 */
#ifndef ESP_OTA_SERVE_SAME_BOARD_H
#define ESP_OTA_SERVE_SAME_BOARD_H

#include "serve/book.h"

/* Another listed board that has confirmed and has its home at this address, the page of this one:
 * the image is there already. NULL: none. */
struct book_board *same_board_confirmed(const struct book *book, const struct book_board *board,
                                        const struct address *address);

/* Another listed board that has confirmed another image, and that may be this one: its last known
 * address is that of this page, and it is not known to be another host. host: this one's on
 * multicast DNS, "": unknown. NULL: there is none. */
struct book_board *same_board_replaced(const struct book *book, const struct book_board *board,
                                       const char *host);

/* A listed board that asks by itself, without a result yet, and is listed with the address of this
 * one, whose page has answered. NULL: there is none. */
struct book_board *same_board_asker(const struct book *book, const struct book_board *board);

/* At the end: the listed board with the MAC that this one's page has told, if it has never asked.
 * NULL: there is none. */
struct book_board *same_board_silent(const struct book *book, const struct book_board *board);

/* Whether the other listed board, which has the MAC that the page of this one has told, has not
 * been seen elsewhere in this run: it is not told there, and has not asked from there. */
bool same_board_is_here(const struct book_board *board, const struct book_board *other);

#endif
