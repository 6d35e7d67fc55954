/*
 * board_kind.h: the chip of a board that announces itself, and the way onto it. Pure.
 */
#ifndef ESP_OTA_CLI_BOARD_KIND_H
#define ESP_OTA_CLI_BOARD_KIND_H

#include "discovery/board_match.h"
#include "image/kind.h"

#include <stdbool.h>

/* What the announcement tells of the board's chip. */
struct kind board_kind(const struct board *board);

/* Whether pattern, a value of --board, is the name of the board's chip, perhaps with stars around
 * it and in another spelling: "esp8266*", "ESP32-S3". */
bool board_kind_has_chip(const struct board *board, const char *pattern);

/* What board_match() says of boards. */
extern const struct board_facts board_kind_facts;

#endif
