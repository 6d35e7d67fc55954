/*
 * protocol.c: the messages of the ArduinoOTA protocol. Formats values as datagrams, and parses the
 * board's bytes. It accesses no memory but its arguments.
 *
 *     host                                                board
 *      |  "0 <tcp port> <size> <md5>\n"             UDP    |   invitation
 *      | ------------------------------------------------> |
 *      |  "AUTH <nonce>"                            UDP    |   challenge, if there is a password
 *      | <------------------------------------------------ |
 *      |  "200 <cnonce> <response>\n"               UDP    |
 *      | ------------------------------------------------> |
 *      |  "OK"                                      UDP    |
 *      | <------------------------------------------------ |
 *      |  connects to <tcp port>                    TCP    |   back-channel
 *      | <------------------------------------------------ |
 *      |  the image                                 TCP    |
 *      | ------------------------------------------------> |
 *      |  "1460" "1460" ... "OK", or a text         TCP    |
 *      | <------------------------------------------------ |
 */
#include "upload/espota/protocol.h"

#include "base/escape.h"
#include "base/hex.h"

#include <stdio.h>
#include <string.h>

size_t protocol_format_invitation(char target[PROTOCOL_DATAGRAM_MAX], enum ota_command command,
                                  uint16_t port, size_t size, const char *md5)
{
    return (size_t)snprintf(target, PROTOCOL_DATAGRAM_MAX, "%d %u %zu %.*s\n", (int)command,
                            (unsigned)port, size, DIGEST_MD5_HEX, md5);
}

size_t protocol_format_answer(char target[PROTOCOL_DATAGRAM_MAX], const struct auth_answer *answer)
{
    return (size_t)snprintf(target, PROTOCOL_DATAGRAM_MAX, "200 %.*s %.*s\n", DIGEST_SHA256_HEX,
                            answer->cnonce, DIGEST_SHA256_HEX, answer->response);
}

static bool is_padding(char byte)
{
    return byte == '\0' || byte == '\r' || byte == '\n' || byte == ' ';
}

static bool is_word(const char *data, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(data, word, length) == 0;
}

static bool begins_with(const char *data, size_t length, const char *word)
{
    return length >= strlen(word) && memcmp(data, word, strlen(word)) == 0;
}

/* A core for boards with a second processor adds the size (ArduinoOTA.cpp of OS-Q/A52B): "OK 1024",
 * and "OK1024" after a challenge. */
static bool is_acceptance(const char *data, size_t length)
{
    size_t at = strlen("OK");

    if (!begins_with(data, length, "OK"))
        return false;
    while (at < length && (data[at] == ' ' || (data[at] >= '0' && data[at] <= '9')))
        at++;
    return at == length;
}

static bool is_nonce(const char *data, size_t length)
{
    if (length != DIGEST_MD5_HEX && length != DIGEST_SHA256_HEX)
        return false;
    for (size_t i = 0; i < length; i++)
        if (hex_value((unsigned char)data[i]) < 0)
            return false;
    return true;
}

/* Parses the replies that begin with a word. The others are whole words. */
static void parse_prefixed(struct reply *reply, const char *data, size_t length)
{
    static const char auth[] = "AUTH ";
    static const char error[] = "ERR:";
    size_t skipped = 0;

    if (begins_with(data, length, auth) && is_nonce(data + strlen(auth), length - strlen(auth))) {
        length -= strlen(auth);
        reply->type = REPLY_CHALLENGE;
        reply->scheme = length == DIGEST_MD5_HEX ? AUTH_MD5 : AUTH_SHA256;
        memcpy(reply->nonce, data + strlen(auth), length);
        return;
    }

    reply->type = REPLY_GARBAGE;
    if (begins_with(data, length, error)) {
        reply->type = REPLY_ERROR;
        skipped = strlen(error);
        if (length > skipped && data[skipped] == ' ')
            skipped++;
    }

    escape_text(reply->text, sizeof reply->text, data + skipped, length - skipped);
}

void protocol_parse_reply(struct reply *reply, const void *data, size_t length)
{
    const char *text = data;

    memset(reply, 0, sizeof *reply);
    while (length > 0 && is_padding(text[length - 1]))
        length--;

    if (is_acceptance(text, length))
        reply->type = REPLY_OK;
    else if (is_word(text, length, "Authentication Failed"))
        reply->type = REPLY_AUTH_FAILED;
    else
        parse_prefixed(reply, text, length);
}

void backchannel_init(struct backchannel *channel)
{
    memset(channel, 0, sizeof *channel);
    channel->state = BACKCHANNEL_NUMBERS;
}

static enum verdict current_verdict(const struct backchannel *channel)
{
    switch (channel->state) {
    case BACKCHANNEL_OK:
        return VERDICT_OK;
    case BACKCHANNEL_END:
        return VERDICT_ERROR;
    default:
        return VERDICT_PENDING;
    }
}

static bool is_number(char byte)
{
    return (byte >= '0' && byte <= '9') || byte == ' ' || byte == '\t' || byte == '\r' ||
           byte == '\n';
}

static void add_to_text(struct backchannel *channel, char byte)
{
    channel->state = BACKCHANNEL_TEXT;
    if (byte != '\n')
        channel->text[channel->length++] = byte;
    if (byte == '\n' || channel->length == sizeof channel->text)
        channel->state = BACKCHANNEL_END;
}

static void take_reply_byte(struct backchannel *channel, char byte)
{
    switch (channel->state) {
    case BACKCHANNEL_NUMBERS:
        if (byte == 'O')
            channel->state = BACKCHANNEL_O;
        else if (!is_number(byte))
            add_to_text(channel, byte);
        break;

    case BACKCHANNEL_O:
        if (byte == 'K') { /* final: what follows may be lost when the board restarts */
            channel->state = BACKCHANNEL_OK;
            break;
        }
        add_to_text(channel, 'O');
        add_to_text(channel, byte);
        break;

    case BACKCHANNEL_TEXT:
        add_to_text(channel, byte);
        break;

    case BACKCHANNEL_OK:
    case BACKCHANNEL_END:
        break;
    }
}

enum verdict backchannel_feed(struct backchannel *channel, const void *data, size_t length)
{
    const char *bytes = data;

    for (size_t i = 0; i < length && current_verdict(channel) == VERDICT_PENDING; i++)
        take_reply_byte(channel, bytes[i]);
    return current_verdict(channel);
}

enum verdict backchannel_finish(struct backchannel *channel)
{
    if (channel->state == BACKCHANNEL_TEXT)
        channel->state = BACKCHANNEL_END;
    return current_verdict(channel) == VERDICT_PENDING ? VERDICT_LOST : current_verdict(channel);
}

bool backchannel_has_text(const struct backchannel *channel)
{
    return channel->state == BACKCHANNEL_TEXT || channel->state == BACKCHANNEL_END;
}

char *backchannel_reason(const struct backchannel *channel, char *target, size_t capacity)
{
    size_t length = channel->length;

    while (length > 0 && (channel->text[length - 1] == '\r' || channel->text[length - 1] == ' '))
        length--;
    return escape_text(target, capacity, channel->text, length);
}
