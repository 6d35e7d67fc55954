/* Invitation, challenge, answer.
 *
 *   IDLE     "0|100 port size md5"      no password: OK (the 8266 family: once it has prepared)
 *                                       else AUTH nonce -> WAITING
 *   WAITING  "200 cnonce response"      right: OK -> ACCEPTED; wrong: Authentication Failed -> IDLE
 *            "200" and anything else    -> IDLE, silently
 *            whatever else              swallowed -> IDLE, silently: even an invitation
 *
 * Numbers and words are read the way the boards read them: a missing number is 0, a word runs to
 * its terminator, a NUL or the end, and there is no further check of the form. */
#include "handshake.h"

#include "board.h"
#include "event.h"
#include "reply.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

enum { COMMAND_SKETCH = 0, COMMAND_ANSWER = 200 };

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

struct word {
    const char *text;
    size_t length;
};

static int peek(const struct cursor *cursor)
{
    return cursor->at < cursor->end ? *cursor->at : -1;
}

static int take(struct cursor *cursor)
{
    return cursor->at < cursor->end ? *cursor->at++ : -1;
}

/* Too many digits read as 0, with the rest left unread; a number past 31 bits stops there. */
static long take_number(struct cursor *cursor, unsigned max_digits)
{
    int64_t number = 0;

    while (peek(cursor) == ' ')
        take(cursor);
    for (unsigned digits = 0; digits < max_digits; digits++) {
        if (peek(cursor) < '0' || peek(cursor) > '9')
            return number < INT32_MAX ? (long)number : INT32_MAX;
        number = number * 10 + (take(cursor) - '0');
    }
    return 0;
}

static struct word take_word(struct cursor *cursor, char terminator)
{
    struct word word = {(const char *)cursor->at, 0};
    for (int byte = take(cursor); byte > 0 && byte != terminator; byte = take(cursor))
        word.length++;
    return word;
}

static struct word trim(struct word word)
{
    while (word.length > 0 && isspace((unsigned char)word.text[0])) {
        word.text++;
        word.length--;
    }
    while (word.length > 0 && isspace((unsigned char)word.text[word.length - 1]))
        word.length--;
    return word;
}

static void malformed(struct board *board, const struct datagram *datagram)
{
    board_event(board, "malformed bytes=%zu", datagram->length);
}

static void challenge(struct board *board)
{
    size_t length = board->sim->config->family.challenge_length;
    char text[REPLY_TEXT];
    const struct fault *odd = board_fault(board, FAULT_ODD_CHALLENGE);

    if (!random_hex(board->nonce, length))
        return;

    board_event(board, "challenge scheme=%s", length == MD5_HEX ? "md5" : "sha256");
    memcpy(text, "AUTH ", 5);
    if (odd) {
        length = odd->number < REPLY_TEXT - 6 ? (size_t)odd->number : REPLY_TEXT - 6;
        random_hex(text + 5, length);
    } else {
        memcpy(text + 5, board->nonce, length);
    }
    board->state = BOARD_WAITING;
    reply_send(board, REPLY_AUTH, text, length + 5);
}

static void accept_invitation(struct board *board)
{
    board->state = BOARD_ACCEPTED;
    /* The 8266 family promises: it says OK only when the flash is ready. */
    if (board->sim->config->family.lineage == LINEAGE_ESP32)
        upload_say_ok(board);
}

static void read_invitation(struct board *board, const struct datagram *datagram,
                            struct cursor *cursor, long command)
{
    unsigned digits = board->sim->config->family.integer_digits;
    struct invitation *invitation = &board->invitation;

    invitation->from = datagram->from;
    invitation->command = command;
    invitation->port = (uint16_t)take_number(cursor, digits);
    invitation->size = (size_t)take_number(cursor, digits);
    take(cursor);
    struct word md5 = trim(take_word(cursor, '\n'));
    if (md5.length != MD5_HEX) {
        malformed(board, datagram);
        return;
    }

    memcpy(invitation->md5, md5.text, MD5_HEX);
    invitation->md5[MD5_HEX] = '\0';

    char from[ADDRESS_TEXT], escaped[ESCAPED_ROOM];
    board_event(board, "invitation command=%ld port=%u size=%zu md5=%s from=%s", command,
                (unsigned)invitation->port, invitation->size,
                event_value(invitation->md5, MD5_HEX, escaped),
                address_text(&datagram->from, from));
    board->answer_from = datagram->from;
    if (board->sim->config->has_password)
        challenge(board);
    else
        accept_invitation(board);
}

/* Writes the correct answer to the board's challenge. */
static bool right_response(const struct board *board, const char *cnonce, char hex[HEX_ROOM])
{
    enum { SEPARATORS = 2 };
    const struct config *config = board->sim->config;
    char key[HEX_ROOM], text[3 * HEX_ROOM + SEPARATORS];

    if (config->family.challenge_length == MD5_HEX) {
        snprintf(text, sizeof text, "%s:%s:%s", config->secret, board->nonce, cnonce);
        return md5_hex(text, strlen(text), hex);
    }

    snprintf(text, sizeof text, "%s:%s", board->nonce, cnonce);
    if (!pbkdf2_hex(config->secret, text, key))
        return false;
    snprintf(text, sizeof text, "%s:%s:%s", key, board->nonce, cnonce);
    bool done = sha256_hex(text, strlen(text), hex);

    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(text, sizeof text);
    return done;
}

static void judge_answer(void *owner)
{
    struct board *board = owner;
    static const char failed[] = "Authentication Failed";

    if (board_fault(board, FAULT_ENDLESS_CHALLENGE)) {
        challenge(board);
    } else if (board->answer_right && !board_fault(board, FAULT_ALWAYS_FAIL_AUTH)) {
        board_event(board, "answer result=ok");
        accept_invitation(board);
    } else {
        board_event(board, "answer result=failed");
        board->state = BOARD_IDLE;
        reply_send(board, REPLY_FAILED, failed, strlen(failed));
    }
    board_wait_for_loop(board);
}

static void read_answer(struct board *board, const struct datagram *datagram, struct cursor *cursor)
{
    const struct config *config = board->sim->config;
    size_t length = config->family.challenge_length;

    take(cursor);
    struct word cnonce = take_word(cursor, ' ');
    struct word response = take_word(cursor, '\n');
    if (cnonce.length != length || response.length != length) {
        board_event(board, "answer result=malformed");
        board->state = BOARD_IDLE;
        return;
    }

    char text[HEX_ROOM], right[HEX_ROOM];
    memcpy(text, cnonce.text, length);
    text[length] = '\0';
    board->answer_from = datagram->from;
    board->answer_right =
        right_response(board, text, right) && CRYPTO_memcmp(right, response.text, length) == 0;
    OPENSSL_cleanse(right, sizeof right);

    if (config->pbkdf2_us > 0 && length == SHA256_HEX) {
        board->state = BOARD_COMPUTING;
        board_after(board, config->pbkdf2_us, judge_answer);
    } else {
        judge_answer(board);
    }
}

void handshake_read(struct board *board, const struct datagram *datagram)
{
    const struct family *family = &board->sim->config->family;
    struct cursor cursor = {datagram->bytes, datagram->bytes + datagram->length};

    if (datagram->length == 0 && family->lineage == LINEAGE_ESP32) {
        malformed(board, datagram); /* is ignored without a change of state */
        return;
    }

    long command = take_number(&cursor, family->integer_digits);
    if (board->state == BOARD_WAITING) {
        if (command == COMMAND_ANSWER) {
            read_answer(board, datagram, &cursor);
        } else {
            board_event(board, "swallowed");
            board->state = BOARD_IDLE;
        }
    } else if (command == COMMAND_SKETCH || command == board->sim->config->fs_command) {
        read_invitation(board, datagram, &cursor, command);
    } else {
        malformed(board, datagram);
    }
}

void handshake_leave_waiting(struct board *board)
{
    board->state = BOARD_WAITING;
    memset(&board->invitation, 0, sizeof board->invitation);
    random_hex(board->nonce, board->sim->config->family.challenge_length);
}
