/*
 * board_menu.h: lets somebody at a terminal choose among boards.
 */
#ifndef ESP_OTA_CLI_BOARD_MENU_H
#define ESP_OTA_CLI_BOARD_MENU_H

#include "base/loop.h"
#include "discovery/board_list.h"
#include "esp-ota.h"
#include "image/image_fit.h"

struct choice {
    struct board *board;
    bool is_chosen;
    char reason[IMAGE_FIT_REASON_MAX]; /* why it cannot be chosen, printable; "": it can */
};

/* Reads an answer about boards, of which those that can be chosen are numbered from 1: numbers,
 * ranges, names and patterns (board_list.h: board_has_name()), "all"; with commas or spaces in between,
 * as in "1 3-5" or "kitchen, lab-*". A name may contain either. Sets is_chosen of each board. A
 * pattern, or "all", passes over boards that cannot be chosen. Pure. Fails with OTA_E_USAGE; an
 * empty answer chooses nothing, which is a failure, too. */
enum ota_error board_menu_parse(const char *answer, struct choice *choices, size_t count,
                                struct ota_failure *failure);

/* Shows the boards and asks on standard error and standard input, which are a terminal; again when
 * the answer is not understood. SIGUSR1 is answered meanwhile (loop_wait_readable()). Fails with
 * OTA_E_USAGE when nothing is chosen: end of file, an empty line, ten minutes without an answer;
 * with OTA_E_IMAGE when no board can be chosen. */
enum ota_error board_menu_choose(struct loop *loop, struct choice *choices, size_t count,
                                 struct ota_failure *failure);

#endif
