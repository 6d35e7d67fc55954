/*
 * board_menu.h: a menu in which a user at a terminal chooses boards.
 */
#ifndef ESP_OTA_CLI_BOARD_MENU_H
#define ESP_OTA_CLI_BOARD_MENU_H

#include "base/loop.h"
#include "discovery/board_list.h"
#include "esp-ota/error.h"
#include "image/image_fit.h"
#include "image/kind.h"

enum { CHOICE_CLUE_MAX = KIND_CLUE_MAX + KIND_CHIPS_MAX + 8 };

struct choice {
    struct board *board;
    bool is_chosen;
    char reason[IMAGE_FIT_REASON_MAX]; /* why the board cannot be chosen, printable; "": it can */
    char clue[CHOICE_CLUE_MAX];        /* of the reason, what differs between boards, or "" */
};

/* Parses an answer and sets is_chosen of each board. An answer consists of numbers, ranges, names,
 * patterns (see board_has_name()), addresses and "all", separated by commas or spaces: "1 3-5",
 * "kitchen, lab-*". A name may contain commas and spaces. Only boards that can be chosen have
 * numbers, counted from 1; patterns and "all" skip the others. Pure. Fails with OTA_E_USAGE, also
 * for an empty answer, or with OTA_E_IMAGE for the name of a board that cannot be chosen. */
enum ota_error board_menu_parse(const char *answer, struct choice *choices, size_t count,
                                struct ota_failure *failure);

/* Shows the boards and asks which ones to choose, until the answer is valid. Standard input and
 * standard error must be a terminal. SIGUSR1 is handled meanwhile (loop_wait_readable()). Fails
 * with OTA_E_USAGE if nothing is chosen (end of file, an empty line, ten minutes without an
 * answer), or with OTA_E_IMAGE if no board can be chosen. */
enum ota_error board_menu_choose(struct loop *loop, struct choice *choices, size_t count,
                                 struct ota_failure *failure);

#endif
