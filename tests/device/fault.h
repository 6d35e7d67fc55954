/* Faults to order: what goes wrong, where in the transfer, and how often.
 *
 * An order reads NAME[:ARGUMENT][@BYTE][*TIMES]. */
#ifndef DEVICE_FAULT_H
#define DEVICE_FAULT_H

#include "address.h"

enum { FAULTS_MAX = 32, FAULT_TEXT = 2048 };

enum fault_kind {
    FAULT_DROP_INVITATION,
    FAULT_DROP_ANSWER,
    FAULT_DROP_REPLY,
    FAULT_DROP_AUTH,
    FAULT_DROP_OK,
    FAULT_DUPLICATE_REPLY,
    FAULT_DUPLICATE_INVITATION,
    FAULT_DELAY_REPLY,
    FAULT_STALE_AUTH,
    FAULT_STALE_FAILED,
    FAULT_GARBAGE_REPLY,
    FAULT_BIG_REPLY,
    FAULT_FORGED_REPLY,
    FAULT_LEFT_WAITING,
    FAULT_SILENT,
    FAULT_CLOSED,
    FAULT_REFUSE,
    FAULT_ODD_CHALLENGE,
    FAULT_ENDLESS_CHALLENGE,
    FAULT_ALWAYS_FAIL_AUTH,
    FAULT_NEVER_CONNECT,
    FAULT_CONNECT_FROM,
    FAULT_CONNECT_DELAY,
    FAULT_STRANGER,
    FAULT_WRONG_PORT,
    FAULT_RESET,
    FAULT_CLOSE,
    FAULT_STALL,
    FAULT_PAUSE,
    FAULT_ERROR,
    FAULT_GARBAGE,
    FAULT_TRICKLE,
    FAULT_CORRUPT,
    FAULT_CRASH,
    FAULT_OK_EARLY,
    FAULT_FLOOD,
    FAULT_ERROR_END,
    FAULT_OK_SPLIT,
    FAULT_OK_JOINED,
    FAULT_OK_MISSING,
    FAULT_OK_RESET,
    FAULT_OK_NEVER,
    FAULT_DROP_VERDICT,
    FAULT_NO_NUMBERS,
    FAULT_OLD_CORE,
    FAULT_UPDATE_ERROR,
    FAULT_LATE_401,
    FAULT_TRUNCATE_REPLY,
    FAULT_RAW_REPLY,
};

struct fault {
    enum fault_kind kind;
    bool at_byte;    /* the fault occurs at a position of the upload */
    unsigned times;  /* how often the fault occurs; 0: always */
    uint64_t byte;   /* the position in the upload */
    uint64_t number; /* the argument, if it is a number */
    struct address address;
    size_t text_length;
    char text[FAULT_TEXT]; /* the argument, if it is a text, with its escapes resolved */
    const char *order;     /* the order itself; belongs to the caller */
};

/* Parses an order into fault. On failure writes a sentence without full stop into why. */
bool fault_parse(struct fault *fault, const char *order, char *why, size_t why_size);

/* The table of orders, for --help. */
void fault_help(void);

#endif
