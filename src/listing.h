/*
 * listing.h: boards as text, for people and for programs. Everything from outside is escaped.
 */
#ifndef LISTING_H
#define LISTING_H

#include "boards.h"

#include <stdio.h>

/* A table with a heading, in columns that are as wide as they need be; and one line for each board
 * whose fields are separated by tabs: instance, host, address, port, type, password, protocol, and
 * "ambiguous" where several boards share a name. */
void listing_print_table(FILE *stream, const struct boards *boards);
void listing_print_plain(FILE *stream, const struct boards *boards);

/* How many columns of a terminal UTF-8 text takes up. */
size_t listing_width(const char *text);

#endif
