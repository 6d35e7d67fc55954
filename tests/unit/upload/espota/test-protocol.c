/*
 * test-protocol.c: formats invitations and answers, parses replies, and parses the back-channel's
 * stream with every segmentation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/vectors.h"
#include "upload/espota/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With lengths, since the datagrams may contain NUL. */
#define BYTES(literal) literal, sizeof(literal) - 1

#define MD5 "0123456789abcdef0123456789abcdef"
#define SHA256 MD5 "fedcba9876543210fedcba9876543210"

static void test_invitation(void **state)
{
    char datagram[PROTOCOL_DATAGRAM_MAX];
    size_t length;

    (void)state;
    length = protocol_format_invitation(datagram, OTA_COMMAND_SKETCH, 10000, 297632, MD5);
    assert_string_equal(datagram, "0 10000 297632 " MD5 "\n");
    assert_int_equal(length, strlen(datagram));
    length = protocol_format_invitation(datagram, OTA_COMMAND_FILESYSTEM, 65535, SIZE_MAX, MD5);
    assert_string_equal(datagram, "100 65535 18446744073709551615 " MD5 "\n");
    assert_int_equal(length, strlen(datagram));
}

static void test_answer(void **state)
{
    char datagram[PROTOCOL_DATAGRAM_MAX];
    struct auth_answer answer = {.cnonce = MD5, .response = "fedcba9876543210fedcba9876543210"};
    size_t length = protocol_format_answer(datagram, &answer);

    (void)state;
    assert_string_equal(datagram, "200 " MD5 " fedcba9876543210fedcba9876543210\n");
    assert_int_equal(length, strlen(datagram));
    memcpy(answer.cnonce, SHA256, sizeof answer.cnonce);
    memcpy(answer.response, SHA256, sizeof answer.response);
    length = protocol_format_answer(datagram, &answer);
    assert_string_equal(datagram, "200 " SHA256 " " SHA256 "\n");
    assert_int_equal(length, strlen(datagram));
}

static const struct {
    const char *data;
    size_t length;
    enum reply_type type;
    const char *text;
} replies[] = {
    {BYTES("OK"), REPLY_OK, ""},
    {BYTES("OK\r\n"), REPLY_OK, ""},
    {BYTES("OK\0"), REPLY_OK, ""},
    {BYTES("OK \0\n \r"), REPLY_OK, ""},
    {BYTES("Authentication Failed"), REPLY_AUTH_FAILED, ""},
    {BYTES("Authentication Failed\r\n"), REPLY_AUTH_FAILED, ""},
    {BYTES("ERR: ERROR[4]: Not Enough Space\n"), REPLY_ERROR, "ERROR[4]: Not Enough Space"},
    {BYTES("ERR: No Filesystem"), REPLY_ERROR, "No Filesystem"},
    {BYTES("ERR: "), REPLY_ERROR, ""},
    {BYTES("ERR:"), REPLY_ERROR, ""},
    {BYTES("ERR:x"), REPLY_ERROR, "x"},
    {BYTES("ERR: a\nb\x1b[2J\xff\0c"), REPLY_ERROR, "a\\nb\\x1b[2J\\xff\\x00c"},
    /* similar to replies of a board, but none */
    {BYTES(""), REPLY_GARBAGE, ""},
    {BYTES("\r\n\0 "), REPLY_GARBAGE, ""},
    {BYTES("O"), REPLY_GARBAGE, "O"},
    {BYTES("ok"), REPLY_GARBAGE, "ok"},
    {BYTES(" OK"), REPLY_GARBAGE, " OK"},
    {BYTES("OK 1024"), REPLY_OK, ""},
    {BYTES("OK1024\n"), REPLY_OK, ""},
    {BYTES("OK 1024 ab"), REPLY_GARBAGE, "OK 1024 ab"},
    {BYTES("O"), REPLY_GARBAGE, "O"},
    {BYTES("OKAY"), REPLY_GARBAGE, "OKAY"},
    {BYTES("OK\t"), REPLY_GARBAGE, "OK\\t"},
    {BYTES("OK\0OK"), REPLY_GARBAGE, "OK\\x00OK"},
    {BYTES("Authentication failed"), REPLY_GARBAGE, "Authentication failed"},
    {BYTES("Authentication Failed!"), REPLY_GARBAGE, "Authentication Failed!"},
    {BYTES("ERR"), REPLY_GARBAGE, "ERR"},
    {BYTES("ERROR: x"), REPLY_GARBAGE, "ERROR: x"},
    {BYTES("AUTH"), REPLY_GARBAGE, "AUTH"},
    {BYTES("AUTH "), REPLY_GARBAGE, "AUTH"},
    {BYTES("AUTH 1234"), REPLY_GARBAGE, "AUTH 1234"},
    {BYTES("AUTH" MD5), REPLY_GARBAGE, "AUTH" MD5},
    {BYTES("AUTH  " MD5), REPLY_GARBAGE, "AUTH  " MD5},
    {BYTES("AUTH " MD5 "0"), REPLY_GARBAGE, "AUTH " MD5 "0"},
    {BYTES("AUTH " SHA256 "0"), REPLY_GARBAGE, "AUTH " SHA256 "0"},
    {BYTES("AUTH 0123456789abcdef0123456789abcdeg"), REPLY_GARBAGE,
     "AUTH 0123456789abcdef0123456789abcdeg"},
    {BYTES("AUTH 0123456789abcdef 123456789abcdef"), REPLY_GARBAGE,
     "AUTH 0123456789abcdef 123456789abcdef"},
    {BYTES("AUTH 0123456789abcde\0"
           "0123456789abcdef"),
     REPLY_GARBAGE, "AUTH 0123456789abcde\\x000123456789abcdef"},
    {BYTES("AUTH 0123456789abcdef0123456789abcde:"), REPLY_GARBAGE,
     "AUTH 0123456789abcdef0123456789abcde:"},
    {BYTES("AUTH 0123456789abcdef0123456789abcde/"), REPLY_GARBAGE,
     "AUTH 0123456789abcdef0123456789abcde/"},
    {BYTES("HTTP/1.1 400 Bad Request"), REPLY_GARBAGE, "HTTP/1.1 400 Bad Request"},
};

/* Parses a copy of exactly this length, so that ASan and valgrind detect a read beyond it. */
static void parse_reply(struct reply *reply, const char *data, size_t length)
{
    char *copy = malloc(length + (length == 0));

    assert_non_null(copy);
    memcpy(copy, data, length);
    memset(reply, 0x5A, sizeof *reply);
    protocol_parse_reply(reply, copy, length);
    free(copy);
}

static void test_replies(void **state)
{
    struct reply reply;

    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        parse_reply(&reply, replies[i].data, replies[i].length);
        if (reply.type != replies[i].type)
            fail_msg("row %zu, \"%s\": type %d", i, replies[i].data, (int)reply.type);
        assert_string_equal(reply.text, replies[i].text);
        assert_string_equal(reply.nonce, "");
    }
}

static void test_challenges(void **state)
{
    struct reply reply;

    (void)state;
    parse_reply(&reply, BYTES("AUTH " MD5));
    assert_int_equal(reply.type, REPLY_CHALLENGE);
    assert_int_equal(reply.scheme, AUTH_MD5);
    assert_string_equal(reply.nonce, MD5);
    assert_string_equal(reply.text, "");

    parse_reply(&reply, BYTES("AUTH " SHA256 "\r\n"));
    assert_int_equal(reply.type, REPLY_CHALLENGE);
    assert_int_equal(reply.scheme, AUTH_SHA256);
    assert_string_equal(reply.nonce, SHA256);

    parse_reply(&reply, BYTES("AUTH 0123456789ABCDEF0123456789abcdef"));
    assert_int_equal(reply.type, REPLY_CHALLENGE);
    assert_string_equal(reply.nonce, "0123456789ABCDEF0123456789abcdef");
}

static void test_huge_replies(void **state)
{
    enum { SIZE = 65507 };
    char *data = malloc(SIZE);
    struct reply reply;

    (void)state;
    assert_non_null(data);
    memset(data, '\n', SIZE);
    parse_reply(&reply, data, SIZE);
    assert_int_equal(reply.type, REPLY_GARBAGE);
    assert_string_equal(reply.text, "");

    memset(data, 'x', SIZE);
    memcpy(data, "ERR: ", 5);
    parse_reply(&reply, data, SIZE);
    assert_int_equal(reply.type, REPLY_ERROR);
    assert_int_equal(strlen(reply.text), PROTOCOL_TEXT_MAX - 1);
    assert_string_equal(reply.text + PROTOCOL_TEXT_MAX - 5, "x...");
    free(data);
}

static const struct {
    const char *data;
    size_t length;
    enum verdict fed;      /* the verdict after the last byte */
    enum verdict finished; /* the verdict if the stream ends there */
    const char *reason;
} streams[] = {
    {BYTES(""), VERDICT_PENDING, VERDICT_LOST, ""},
    {BYTES("1460"), VERDICT_PENDING, VERDICT_LOST, ""},
    {BYTES("14601460784"), VERDICT_PENDING, VERDICT_LOST, ""},
    {BYTES(" 1460\r\n 536\t"), VERDICT_PENDING, VERDICT_LOST, ""},
    {BYTES("O"), VERDICT_PENDING, VERDICT_LOST, ""},
    {BYTES("1460O"), VERDICT_PENDING, VERDICT_LOST, ""},
    {BYTES("OK"), VERDICT_OK, VERDICT_OK, ""},
    {BYTES("992OK"), VERDICT_OK, VERDICT_OK, ""},
    {BYTES("992 OK\r\n"), VERDICT_OK, VERDICT_OK, ""},
    {BYTES("992OKERROR[1]: late\n"), VERDICT_OK, VERDICT_OK, ""},
    {BYTES("OKAY"), VERDICT_OK, VERDICT_OK, ""},
    {BYTES("600ERROR[7]: MD5 verification failed: expected: 0123, calculated: 4567\n"),
     VERDICT_ERROR, VERDICT_ERROR,
     "ERROR[7]: MD5 verification failed: expected: 0123, calculated: 4567"},
    {BYTES("1460Aborted"), VERDICT_PENDING, VERDICT_ERROR, "Aborted"},
    {BYTES("1460Aborted\r"), VERDICT_PENDING, VERDICT_ERROR, "Aborted"},
    {BYTES("1460Aborted \r \r\n"), VERDICT_ERROR, VERDICT_ERROR, "Aborted"},
    {BYTES("Aborted\r\nOK"), VERDICT_ERROR, VERDICT_ERROR, "Aborted"},
    {BYTES("Aborted\nNot Enough Space\n"), VERDICT_ERROR, VERDICT_ERROR, "Aborted"},
    {BYTES("Aborted OK\n"), VERDICT_ERROR, VERDICT_ERROR, "Aborted OK"},
    /* an "O" without a "K" */
    {BYTES("1460Out of memory\n"), VERDICT_ERROR, VERDICT_ERROR, "Out of memory"},
    {BYTES("OO"), VERDICT_PENDING, VERDICT_ERROR, "OO"},
    {BYTES("OOK\n"), VERDICT_ERROR, VERDICT_ERROR, "OOK"},
    {BYTES("O\n"), VERDICT_ERROR, VERDICT_ERROR, "O"},
    {BYTES("O1\n"), VERDICT_ERROR, VERDICT_ERROR, "O1"},
    {BYTES("O K\n"), VERDICT_ERROR, VERDICT_ERROR, "O K"},
    {BYTES("Ok\n"), VERDICT_ERROR, VERDICT_ERROR, "Ok"},
    {BYTES("ok\n"), VERDICT_ERROR, VERDICT_ERROR, "ok"},
    {BYTES("KO\n"), VERDICT_ERROR, VERDICT_ERROR, "KO"},
    {BYTES("0OK0\n"), VERDICT_OK, VERDICT_OK, ""},
    {BYTES("-1OK"), VERDICT_PENDING, VERDICT_ERROR, "-1OK"},
    /* the board's bytes are escaped for the terminal */
    {BYTES("1460\x1b[2J\x07"
           "evil\r\n"),
     VERDICT_ERROR, VERDICT_ERROR, "\\x1b[2J\\x07evil"},
    {BYTES("1460\0\0"), VERDICT_PENDING, VERDICT_ERROR, "\\x00\\x00"},
    {BYTES("1460\xff"), VERDICT_PENDING, VERDICT_ERROR, "\\xff"},
    {BYTES("1460a\rb\\\n"), VERDICT_ERROR, VERDICT_ERROR, "a\\rb\\\\"},
};

static void check_end(struct backchannel *channel, enum verdict fed, enum verdict finished,
                      const char *reason)
{
    char text[4 * PROTOCOL_TEXT_MAX];

    assert_int_equal(backchannel_feed(channel, "", 0), fed);
    assert_int_equal(backchannel_has_text(channel), *reason != '\0');
    assert_int_equal(backchannel_finish(channel), finished);
    assert_int_equal(backchannel_finish(channel), finished);
    assert_ptr_equal(backchannel_reason(channel, text, sizeof text), text);
    assert_string_equal(text, reason);
    if (fed == VERDICT_PENDING)
        return;
    assert_int_equal(backchannel_feed(channel, "OK", 2), finished);
    assert_int_equal(backchannel_feed(channel, "\nx\n", 3), finished);
    assert_string_equal(backchannel_reason(channel, text, sizeof text), reason);
}

static void feed_in_two(const char *data, size_t length, size_t first, enum verdict fed,
                        enum verdict finished, const char *reason)
{
    struct backchannel channel;

    backchannel_init(&channel);
    backchannel_feed(&channel, data, first);
    backchannel_feed(&channel, data + first, length - first);
    check_end(&channel, fed, finished, reason);
}

/* Feeds each stream as a whole, cut at every position, and byte by byte. */
static void check_stream(const char *data, size_t length, enum verdict fed, enum verdict finished,
                         const char *reason)
{
    struct backchannel channel;

    for (size_t first = 0; first <= length; first++)
        feed_in_two(data, length, first, fed, finished, reason);
    backchannel_init(&channel);
    for (size_t i = 0; i < length; i++)
        backchannel_feed(&channel, data + i, 1);
    check_end(&channel, fed, finished, reason);
}

static void test_streams(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        check_stream(streams[i].data, streams[i].length, streams[i].fed, streams[i].finished,
                     streams[i].reason);
}

/* A verdict is known with its last byte. */
static void test_verdict_is_prompt(void **state)
{
    struct backchannel channel;

    (void)state;
    backchannel_init(&channel);
    assert_int_equal(backchannel_feed(&channel, "1460O", 5), VERDICT_PENDING);
    assert_false(backchannel_has_text(&channel));
    assert_int_equal(backchannel_feed(&channel, "K", 1), VERDICT_OK);

    backchannel_init(&channel);
    assert_int_equal(backchannel_feed(&channel, "1460E", 5), VERDICT_PENDING);
    assert_true(backchannel_has_text(&channel));
    assert_int_equal(backchannel_feed(&channel, "RR", 2), VERDICT_PENDING);
    assert_int_equal(backchannel_feed(&channel, "\n", 1), VERDICT_ERROR);
}

/* A text that does not end is complete when the buffer is full. */
static void test_endless_text(void **state)
{
    char expected[PROTOCOL_TEXT_MAX + 1];
    char text[2 * PROTOCOL_TEXT_MAX];
    char block[4096];
    struct backchannel channel;

    (void)state;
    memset(block, 'x', sizeof block);
    memset(expected, 'x', sizeof expected);
    expected[PROTOCOL_TEXT_MAX] = '\0';

    backchannel_init(&channel);
    assert_int_equal(backchannel_feed(&channel, block, PROTOCOL_TEXT_MAX - 1), VERDICT_PENDING);
    assert_int_equal(backchannel_feed(&channel, block, 1), VERDICT_ERROR);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(backchannel_feed(&channel, block, sizeof block), VERDICT_ERROR);
    assert_string_equal(backchannel_reason(&channel, text, sizeof text), expected);
    backchannel_reason(&channel, text, 16);
    assert_string_equal(text, "xxxxxxxxxxxx...");
}

static void test_endless_numbers(void **state)
{
    char block[4096];
    struct backchannel channel;

    (void)state;
    memset(block, '7', sizeof block);
    backchannel_init(&channel);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(backchannel_feed(&channel, block, sizeof block), VERDICT_PENDING);
    assert_int_equal(backchannel_feed(&channel, "OK", 2), VERDICT_OK);
}

/* Undoes the escapes of a recorded stream in place. Returns its length. */
static size_t unescape(char *text)
{
    char *target = text;

    for (const char *c = text; *c != '\0'; c++) {
        unsigned byte = (unsigned char)*c;
        int consumed = 0;

        if (*c == '\\') {
            c++;
            if (*c == 'n' || *c == 'r') {
                byte = *c == 'n' ? '\n' : '\r';
            } else {
                /* NOLINTNEXTLINE(cert-err34-c): two hex digits cannot overflow */
                assert_int_equal(sscanf(c, "x%2x%n", &byte, &consumed), 1);
                c += consumed - 1;
            }
        }
        *target++ = (char)byte;
    }
    return (size_t)(target - text);
}

static void check_recording(char **fields)
{
    char joined[1024];
    size_t length = 0;
    enum verdict fed = VERDICT_PENDING;
    enum verdict finished = VERDICT_LOST;

    for (const char *c = fields[1]; *c != '\0'; c++) {
        if (*c != '|')
            joined[length++] = *c;
        assert_true(length < sizeof joined);
    }
    joined[length] = '\0';
    length = unescape(joined);
    if (strcmp(fields[3], "ok") == 0)
        fed = finished = VERDICT_OK;
    else if (strcmp(fields[3], "error") == 0)
        fed = finished = VERDICT_ERROR;
    else
        assert_true(strcmp(fields[3], "lost") == 0 || strcmp(fields[3], "pending") == 0);
    check_stream(joined, length, fed, finished, fields[4]);
}

static void test_recordings(void **state)
{
    (void)state;
    assert_true(vectors_each("backchannel.tsv", 5, check_recording) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invitation),        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_replies),           cmocka_unit_test(test_challenges),
        cmocka_unit_test(test_huge_replies),      cmocka_unit_test(test_streams),
        cmocka_unit_test(test_verdict_is_prompt), cmocka_unit_test(test_endless_text),
        cmocka_unit_test(test_endless_numbers),   cmocka_unit_test(test_recordings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
