/*
 * board_table.h: boards as text, for people and for programs. Everything from outside is escaped.
 */
#ifndef ESP_OTA_OUTPUT_BOARD_TABLE_H
#define ESP_OTA_OUTPUT_BOARD_TABLE_H

#include "discovery/board_list.h"

#include <stdio.h>

/* A table with a heading, in columns that are as wide as they need be; and one line for each board
 * whose fields are separated by tabs: instance, host, address, port, type, password, protocol, and
 * "ambiguous" where several boards share a name. */
void board_table_print_table(FILE *stream, const struct board_list *boards);
void board_table_print_plain(FILE *stream, const struct board_list *boards);

/* How many columns of a terminal UTF-8 text takes up. */
size_t board_table_width(const char *text);

#endif
