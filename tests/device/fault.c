/* One table names every fault; the parser and the help read it. */
#include "fault.h"

#include "unescape.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum argument { ARG_NONE, ARG_NUMBER, ARG_TEXT, ARG_ADDRESS };

struct order {
    const char *name;
    const char *help;
    enum fault_kind kind;
    enum argument argument;
    bool at_byte;
    unsigned times;
};

static const struct order orders[] = {
    {"drop-invitation", "the host's invitation is lost", FAULT_DROP_INVITATION, ARG_NONE, false, 1},
    {"drop-answer", "the host's answer to a challenge is lost", FAULT_DROP_ANSWER, ARG_NONE, false,
     1},
    {"drop-reply", "any reply of the board is lost", FAULT_DROP_REPLY, ARG_NONE, false, 1},
    {"drop-auth", "the board's challenge is lost", FAULT_DROP_AUTH, ARG_NONE, false, 1},
    {"drop-ok", "the board's OK is lost", FAULT_DROP_OK, ARG_NONE, false, 1},
    {"duplicate-reply", "the reply arrives twice", FAULT_DUPLICATE_REPLY, ARG_NONE, false, 1},
    {"duplicate-invitation", "the board sees the invitation twice", FAULT_DUPLICATE_INVITATION,
     ARG_NONE, false, 1},
    {"delay-reply:MS", "the reply is late", FAULT_DELAY_REPLY, ARG_NUMBER, false, 1},
    {"stale-auth", "an old challenge precedes the reply", FAULT_STALE_AUTH, ARG_NONE, false, 1},
    {"stale-failed", "an old `Authentication Failed` precedes the reply", FAULT_STALE_FAILED,
     ARG_NONE, false, 1},
    {"garbage-reply:TEXT", "TEXT precedes the reply", FAULT_GARBAGE_REPLY, ARG_TEXT, false, 1},
    {"big-reply:BYTES", "a datagram of that size precedes the reply", FAULT_BIG_REPLY, ARG_NUMBER,
     false, 1},
    {"forged-reply:ADDR", "a refusal from ADDR precedes the reply", FAULT_FORGED_REPLY, ARG_ADDRESS,
     false, 1},
    {"left-waiting", "starts waiting for an earlier caller's answer", FAULT_LEFT_WAITING, ARG_NONE,
     false, 1},
    {"silent", "never answers (always)", FAULT_SILENT, ARG_NONE, false, 0},
    {"closed:MS", "the UDP port is closed for MS after ready", FAULT_CLOSED, ARG_NUMBER, false, 1},
    {"refuse:TEXT", "`ERR: TEXT` instead of OK", FAULT_REFUSE, ARG_TEXT, false, 1},
    {"odd-challenge:N", "a challenge of N digits", FAULT_ODD_CHALLENGE, ARG_NUMBER, false, 1},
    {"endless-challenge", "each answer gets a challenge (always)", FAULT_ENDLESS_CHALLENGE,
     ARG_NONE, false, 0},
    {"always-fail-auth", "no answer is right (always)", FAULT_ALWAYS_FAIL_AUTH, ARG_NONE, false, 0},
    {"never-connect", "OK, then nothing", FAULT_NEVER_CONNECT, ARG_NONE, false, 0},
    {"connect-from:ADDR", "connects from another address", FAULT_CONNECT_FROM, ARG_ADDRESS, false,
     0},
    {"connect-delay:MS", "connects MS after OK", FAULT_CONNECT_DELAY, ARG_NUMBER, false, 0},
    {"stranger:ADDR", "ADDR connects first", FAULT_STRANGER, ARG_ADDRESS, false, 0},
    {"wrong-port", "connects to the port after the right one", FAULT_WRONG_PORT, ARG_NONE, false,
     0},
    {"reset@BYTE", "sends RST", FAULT_RESET, ARG_NONE, true, 0},
    {"close@BYTE", "sends FIN", FAULT_CLOSE, ARG_NONE, true, 0},
    {"stall@BYTE", "stops reading, stays connected", FAULT_STALL, ARG_NONE, true, 0},
    {"pause:MS@BYTE", "stops reading for MS", FAULT_PAUSE, ARG_NUMBER, true, 0},
    {"error:TEXT@BYTE", "sends TEXT and closes", FAULT_ERROR, ARG_TEXT, true, 0},
    {"garbage:TEXT@BYTE", "sends TEXT and goes on", FAULT_GARBAGE, ARG_TEXT, true, 0},
    {"trickle@BYTE", "stops reading, sends a digit a second forever", FAULT_TRICKLE, ARG_NONE, true,
     0},
    {"corrupt@BYTE", "receives a wrong byte", FAULT_CORRUPT, ARG_NONE, true, 0},
    {"crash@BYTE", "loses power", FAULT_CRASH, ARG_NONE, true, 0},
    {"ok-early@BYTE", "OK before the end, goes on reading", FAULT_OK_EARLY, ARG_NONE, true, 0},
    {"flood:BYTES@BYTE", "sends that many digits", FAULT_FLOOD, ARG_NUMBER, true, 0},
    {"error-end:TEXT", "TEXT after the image instead of OK", FAULT_ERROR_END, ARG_TEXT, false, 0},
    {"ok-split", "sends O, and K 50 ms later", FAULT_OK_SPLIT, ARG_NONE, false, 0},
    {"ok-joined", "the last number and OK in one segment", FAULT_OK_JOINED, ARG_NONE, false, 0},
    {"ok-missing", "installs, FIN without a verdict", FAULT_OK_MISSING, ARG_NONE, false, 0},
    {"ok-reset", "installs, RST without a verdict", FAULT_OK_RESET, ARG_NONE, false, 0},
    {"ok-never", "installs, then silence", FAULT_OK_NEVER, ARG_NONE, false, 0},
    {"drop-verdict", "installs, unheard from the last byte to its restart", FAULT_DROP_VERDICT,
     ARG_NONE, false, 0},
    {"no-numbers", "sends one number, at the end", FAULT_NO_NUMBERS, ARG_NONE, false, 0},
    {"old-core", "unpacks nothing: gzip is a wrong magic byte", FAULT_OLD_CORE, ARG_NONE, false, 0},
    {"update-error:N", "page: the updater's error N after the image", FAULT_UPDATE_ERROR,
     ARG_NUMBER, false, 0},
    {"late-401", "page: installs, and answers 401", FAULT_LATE_401, ARG_NONE, false, 0},
    {"truncate-reply:BYTES", "page: only that much of the reply, then FIN", FAULT_TRUNCATE_REPLY,
     ARG_NUMBER, false, 0},
    {"raw-reply:TEXT", "page: installs, TEXT is the whole reply, then FIN", FAULT_RAW_REPLY,
     ARG_TEXT, false, 0},
};

static size_t name_length(const char *text)
{
    return strcspn(text, ":@*");
}

static const struct order *find_order(const char *text)
{
    size_t length = name_length(text);
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        if (name_length(orders[i].name) == length && strncmp(orders[i].name, text, length) == 0)
            return &orders[i];
    return NULL;
}

static bool parse_number(const char *text, size_t length, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]) || *number > (UINT64_MAX >> 5) / 10)
            return false;
        *number = *number * 10 + (uint64_t)(text[i] - '0');
    }
    return length > 0;
}

/* Removes `<mark><digits>` from the end of text. A TEXT argument may hold the mark elsewhere. */
static bool take_suffix(const char *text, size_t *length, char mark, uint64_t *number)
{
    size_t at = *length;
    while (at > 0 && isdigit((unsigned char)text[at - 1]))
        at--;
    if (at == 0 || at == *length || text[at - 1] != mark ||
        !parse_number(text + at, *length - at, number))
        return false;
    *length = at - 1;
    return true;
}

static bool parse_address(struct fault *fault, const char *text, size_t length)
{
    char copy[ADDRESS_TEXT];
    snprintf(copy, sizeof copy, "%.*s", (int)(length < sizeof copy ? length : 0), text);
    return address_parse(&fault->address, copy);
}

static bool parse_argument(struct fault *fault, enum argument wanted, const char *text,
                           size_t length)
{
    switch (wanted) {
    case ARG_NUMBER:
        return parse_number(text, length, &fault->number);
    case ARG_TEXT:
        return unescape(text, length, fault->text, FAULT_TEXT, &fault->text_length);
    case ARG_ADDRESS:
        return parse_address(fault, text, length);
    case ARG_NONE:
        break;
    }
    return length == 0;
}

bool fault_parse(struct fault *fault, const char *order, char *why, size_t why_size)
{
    const struct order *row = find_order(order);
    if (!row) {
        snprintf(why, why_size, "there is no fault `%s' (--help lists them)", order);
        return false;
    }

    memset(fault, 0, sizeof *fault);
    fault->kind = row->kind;
    fault->at_byte = row->at_byte;
    fault->times = row->times;
    fault->order = order;

    size_t length = strlen(order);
    uint64_t times = 0;
    if (take_suffix(order, &length, '*', &times))
        fault->times = times > 1000000 ? 0 : (unsigned)times;
    if (row->at_byte)
        take_suffix(order, &length, '@', &fault->byte);

    const char *argument = order + name_length(order);
    size_t left = length - (size_t)(argument - order);
    if (left > 0 && *argument == ':' && row->argument != ARG_NONE) {
        argument++;
        left--;
    }
    if (!parse_argument(fault, row->argument, argument, left)) {
        snprintf(why, why_size, "`%s' does not read as %s", order, row->name);
        return false;
    }
    return true;
}

void fault_help(void)
{
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        printf("  %-22s %s\n", orders[i].name, orders[i].help);
}
