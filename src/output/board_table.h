/*
 * board_table.h: prints a list of boards, as a table for people or as fields for programs. All text
 * from the network is escaped.
 */
#ifndef ESP_OTA_OUTPUT_BOARD_TABLE_H
#define ESP_OTA_OUTPUT_BOARD_TABLE_H

#include "discovery/board_list.h"

#include <stdio.h>

/* Prints a table with a heading. Each column is as wide as its longest cell; if the table would be
 * wider than width columns (0: any width will do), names, kinds and versions are shortened and end
 * in "..."; columns are left out if that is not enough. Versions are shown if any board announces
 * one. */
void board_table_print_table(FILE *stream, const struct board_list *boards, size_t width);

/* Prints one line for each board. Its fields are separated by tabs: instance, host, address, port,
 * type, password, protocol, "ambiguous" if several boards share the name, and version. Nothing is
 * shortened. */
void board_table_print_plain(FILE *stream, const struct board_list *boards);

/* Returns how many columns of a terminal UTF-8 text takes up. */
size_t board_table_width(const char *text);

/* Cuts UTF-8 text that takes up more than width columns (at least 3), so that it ends in "...". */
void board_table_shorten(char *text, size_t width);

#endif
