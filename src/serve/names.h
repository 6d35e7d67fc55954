/*
 * names.h: the boards that are listed by name: from which addresses they ask.
 *
 * All names are looked up at the start, and again whenever somebody asks who is not in the book: a
 * board that has been asleep or has a new address is found by then. Until that lookup ends, nobody
 * knows whether the one who asks is a listed board, so it is told to ask again. A board that has
 * told its MAC is known by that, and its name is not looked up any more.
 */
#ifndef ESP_OTA_SERVE_NAMES_H
#define ESP_OTA_SERVE_NAMES_H

#include "base/loop.h"
#include "discovery/mdns_client.h"
#include "discovery/target.h"
#include "serve/book.h"

enum { NAMES_WAITING_MAX = 4096 };

struct names;

/* Called when a name does not resolve, and when it has more addresses than are known of a board;
 * once for each. text is printable. */
typedef void names_note_fn(struct book_board *board, const char *text, void *userdata);

/* loop and mdns must outlive the names. NULL: memory ran out. */
struct names *names_new(struct loop *loop, struct mdns_client *mdns);
void names_free(struct names *names); /* NULL is allowed */

/* Adds a board of the book; board and target must outlive the names. False: memory ran out. */
bool names_add(struct names *names, struct book_board *board, const struct target *target);

/* Looks all names up. */
void names_start(struct names *names, names_note_fn *on_note, void *userdata);

/* The board whose name has this address, for book_find(); of several, one that has told no MAC yet.
 * NULL: there is none. */
struct book_board *names_find(const struct names *names, const struct address *address);

/* Whether one who is not in the book, at this address, may still be a listed board. True at most
 * until all names have been looked up once since it asked first; after NAMES_WAITING_MAX addresses
 * that asked so, further ones do not wait. */
bool names_must_wait(struct names *names, const struct address *address);

#endif
