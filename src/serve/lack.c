/*
 * lack.c: from what became of boards to the cause by which a remedy is found.
 */
#include "serve/lack.h"

enum ota_cause lack_of_board(const struct book_board *board)
{
    if (board->is_settled)
        return OTA_CAUSE_SEVERAL; /* its result has a remedy */
    if (board->state == BOOK_SILENT)
        return OTA_CAUSE_NEVER_ASKED;
    if (board->state == BOOK_REFUSED)
        return board->refusal == OTA_E_UNAUTHORIZED  ? OTA_CAUSE_NO_PASSWORD
               : board->refusal == OTA_E_NEVER_ASKED ? OTA_CAUSE_OTHER_PATH
                                                     : OTA_CAUSE_NO_IMAGE;
    if (!board->has_mac && !board->is_listed)
        return OTA_CAUSE_NO_MAC;
    if (board->state == BOOK_GIVEN_UP)
        return board->is_by_version ? OTA_CAUSE_OTHER_VERSION : OTA_CAUSE_KEEPS_OLD;
    if (board->state == BOOK_FETCHED)
        return *board->reason ? OTA_CAUSE_NO_VERSION : OTA_CAUSE_NOT_BACK;
    return OTA_CAUSE_UNFINISHED;
}

/* A cause of a higher rank hides those below it. */
static int rank_of(enum ota_cause cause)
{
    return cause == OTA_CAUSE_NONE         ? 0
           : cause == OTA_CAUSE_NO_MAC     ? 1
           : cause == OTA_CAUSE_UNFINISHED ? 2
                                           : 3;
}

enum ota_cause lack_of_boards(const struct book *book)
{
    const bool has_confirmed = book_count_state(book, BOOK_CONFIRMED) > 0;
    enum ota_cause common = OTA_CAUSE_NONE;

    for (size_t i = 0; i < book->count; i++) {
        const struct book_board *board = book->boards[i];

        if (board->state == BOOK_CONFIRMED || board->state == BOOK_SKIPPED)
            continue;
        const enum ota_cause cause = lack_of_board(board);
        if (rank_of(cause) > rank_of(common))
            common = cause;
        else if (rank_of(cause) == rank_of(common) && cause != common)
            common = OTA_CAUSE_SEVERAL;
    }
    if (common != OTA_CAUSE_NONE && common != OTA_CAUSE_NEVER_ASKED)
        return common;
    return has_confirmed ? OTA_CAUSE_TOO_FEW_ASKED : OTA_CAUSE_NEVER_ASKED;
}
