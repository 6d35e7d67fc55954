/*
 * lack.h: why boards have not confirmed the image. Pure.
 */
#ifndef ESP_OTA_SERVE_LACK_H
#define ESP_OTA_SERVE_LACK_H

#include "esp-ota/error.h"
#include "serve/book.h"

/* For a board that has not confirmed. */
enum ota_cause lack_of_board(const struct book_board *board);

/* Fewer boards have confirmed than should: what all others have in common. Boards that may only
 * have waited for others count if there is nothing else, and requests without a MAC come last. */
enum ota_cause lack_of_boards(const struct book *book);

#endif
