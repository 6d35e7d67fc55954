/*
 * test-handshake.c: the UDP half against a board played by a table: what it answers to the n-th
 * datagram. Resends after seconds are the scenario tests' business (tests/integration).
 */
#include "error.h"
#include "handshake.h"
#include "loop.h"
#include "protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NONCE_MD5 "0123456789abcdef0123456789abcdef"
#define NONCE_SHA NONCE_MD5 NONCE_MD5
#define OTHER_SHA "ffff456789abcdef0123456789abcdef" NONCE_MD5

enum { REPLIES_MAX = 4, DATAGRAMS_MAX = 12, REFUSE_UDP = -1 };

struct script {
    const char *name;
    const char *password;
    bool md5_target;
    const char *replies[DATAGRAMS_MAX][REPLIES_MAX]; /* [n]: to the n-th datagram */
    enum ota_error expected;                         /* OTA_OK: the state ACCEPT was reached */
    enum ota_phase phase;
    const char *phrase;
    const char *scheme; /* of the AUTHENTICATED event; NULL: none */
    unsigned invitations;
};

struct board {
    const struct script *script;
    struct loop *loop;
    const AvahiPoll *api;
    AvahiTimeout *deadline;
    AvahiWatch *watch;
    int descriptor;
    size_t datagrams;
    char received[DATAGRAMS_MAX][256];
    unsigned invitations;
    const char *scheme;
    unsigned notes;
    struct ota_failure failure;
};

static void on_datagram(AvahiWatch *watch, int fd, AvahiWatchEvent event, void *userdata)
{
    (void)watch;
    (void)event;
    struct board *board = userdata;
    struct address peer;
    socklen_t length = sizeof peer;
    assert_true(board->datagrams < DATAGRAMS_MAX);
    size_t n = board->datagrams++;
    ssize_t got =
        recvfrom(fd, board->received[n], sizeof board->received[n] - 1, 0, &peer.any, &length);
    assert_true(got > 0);
    for (size_t i = 0; i < REPLIES_MAX && board->script->replies[n][i]; i++) {
        const char *text = board->script->replies[n][i];
        assert_true(sendto(fd, text, strlen(text), 0, &peer.any, length) >= 0);
    }
}

static void on_event(const struct ota_event *event, void *userdata)
{
    struct board *board = userdata;
    if (event->type == OTA_EVENT_INVITED)
        assert_int_equal(event->attempt, ++board->invitations);
    if (event->type == OTA_EVENT_AUTHENTICATED)
        board->scheme = event->scheme;
    if (event->type == OTA_EVENT_NOTE)
        board->notes++;
}

static void on_failed(const struct ota_failure *failure, void *userdata)
{
    struct board *board = userdata;
    board->failure = *failure;
    loop_quit(board->loop);
}

static void on_deadline(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    struct board *board = userdata;
    loop_quit(board->loop);
}

static struct address bind_board(struct board *board)
{
    struct address address;
    socklen_t length = sizeof(struct sockaddr_in);
    assert_true(address_parse(&address, "127.0.0.1"));
    board->descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(board->descriptor, &address.any, length), 0);
    assert_int_equal(getsockname(board->descriptor, &address.any, &length), 0);
    board->watch =
        board->api->watch_new(board->api, board->descriptor, AVAHI_WATCH_IN, on_datagram, board);
    return address;
}

static struct image image = {
    .family = IMAGE_ESP32, .size = 1000, .md5 = "00112233445566778899aabbccddeeff"};

/* Runs until the handshake fails or waits for the connection. */
static struct board play(const struct script *script, enum ota_phase *phase, uint16_t *tcp_port)
{
    struct board board = {.script = script, .loop = loop_new()};
    struct ota_failure failure;
    board.api = loop_poll_api(board.loop);
    struct listener *listener = listener_open(board.api, NULL, 0, 0, &failure);
    assert_non_null(listener);
    *tcp_port = listener_port(listener);
    const struct session_config config = {.poll_api = board.api,
                                          .listener = listener,
                                          .image = &image,
                                          .board = "board",
                                          .address = bind_board(&board),
                                          .port_source = "as given",
                                          .md5_target = script->md5_target,
                                          .password = script->password,
                                          .accept_timeout_us = 200000};
    const struct handshake_callbacks callbacks = {
        .on_event = on_event, .on_failed = on_failed, .userdata = &board};
    if (!script->replies[0][0] && script->expected == OTA_E_NOT_LISTENING) {
        board.api->watch_free(board.watch);
        close(board.descriptor);
        board.descriptor = -1;
    }
    struct handshake *handshake = handshake_start(&config, &callbacks);
    assert_non_null(handshake);
    loop_arm(board.api, &board.deadline, 600000, on_deadline, &board);
    assert_int_equal(loop_run(board.loop), 0);
    *phase = handshake_phase(handshake);
    handshake_free(handshake);
    listener_close(listener);
    loop_free(board.loop);
    if (board.descriptor >= 0)
        close(board.descriptor);
    return board;
}

#define INVITED OTA_PHASE_INVITE
#define AUTHENTICATING OTA_PHASE_AUTHENTICATE
#define ACCEPTED OTA_PHASE_ACCEPT
#define REJECTED "Authentication Failed"

static const struct script scripts[] = {
    {"accepted at once", NULL, false, {{"OK"}}, OTA_OK, ACCEPTED, "", NULL, 1},
    {"a password that nobody wants", "pw", false, {{"OK"}}, OTA_OK, ACCEPTED, "", NULL, 1},
    {"MD5", "pw", false, {{"AUTH " NONCE_MD5}, {"OK"}}, OTA_OK, ACCEPTED, "", "MD5", 1},
    {"SHA-256", "pw", false, {{"AUTH " NONCE_SHA}, {"OK"}}, OTA_OK, ACCEPTED, "", "SHA-256", 1},
    {"a challenge twice",
     "pw",
     false,
     {{"AUTH " NONCE_SHA, "AUTH " NONCE_SHA}, {"OK"}},
     OTA_OK,
     ACCEPTED,
     "",
     "SHA-256",
     1},
    {"OK twice", "pw", false, {{"AUTH " NONCE_MD5}, {"OK", "OK"}}, OTA_OK, ACCEPTED, "", "MD5", 1},
    {"rubbish before each reply",
     "pw",
     false,
     {{"hello", "AUTH " NONCE_MD5}, {"AUTH 12", "OK"}},
     OTA_OK,
     ACCEPTED,
     "",
     "MD5",
     1},
    {"MD5 hash behind SHA-256, with a new challenge",
     "pw",
     false,
     {{"AUTH " NONCE_SHA}, {REJECTED}, {"AUTH " OTHER_SHA}, {"OK"}},
     OTA_OK,
     ACCEPTED,
     "",
     "SHA-256 (MD5 hash)",
     2},
    {"the rejection arrives twice",
     "pw",
     false,
     {{"AUTH " NONCE_SHA}, {REJECTED, REJECTED}, {"AUTH " OTHER_SHA}, {"OK"}},
     OTA_OK,
     ACCEPTED,
     "",
     "SHA-256 (MD5 hash)",
     2},
    {"-m: MD5 hash first",
     "pw",
     true,
     {{"AUTH " NONCE_SHA}, {"OK"}},
     OTA_OK,
     ACCEPTED,
     "",
     "SHA-256 (MD5 hash)",
     1},
    {"-m: MD5 hash only",
     "pw",
     true,
     {{"AUTH " NONCE_SHA}, {REJECTED}},
     OTA_E_WRONG_PASSWORD,
     AUTHENTICATING,
     "rejected the password",
     NULL,
     1},
    {"wrong password, MD5",
     "pw",
     false,
     {{"AUTH " NONCE_MD5}, {REJECTED}},
     OTA_E_WRONG_PASSWORD,
     AUTHENTICATING,
     "MD5",
     NULL,
     1},
    {"wrong password, SHA-256",
     "pw",
     false,
     {{"AUTH " NONCE_SHA}, {REJECTED}, {"AUTH " OTHER_SHA}, {REJECTED}},
     OTA_E_WRONG_PASSWORD,
     AUTHENTICATING,
     "rejected the password",
     NULL,
     2},
    {"password needed",
     NULL,
     false,
     {{"AUTH " NONCE_MD5}},
     OTA_E_PASSWORD_NEEDED,
     AUTHENTICATING,
     "asks for a password",
     NULL,
     1},
    {"an empty password is none",
     "",
     false,
     {{"AUTH " NONCE_MD5}},
     OTA_E_PASSWORD_NEEDED,
     AUTHENTICATING,
     "asks for a password",
     NULL,
     1},
    {"refused",
     NULL,
     false,
     {{"ERR: ERROR[4]: Not Enough Space\n"}},
     OTA_E_REFUSED,
     INVITED,
     "ERROR[4]: Not Enough Space",
     NULL,
     1},
    {"refused without a word",
     NULL,
     false,
     {{"ERR: "}},
     OTA_E_REFUSED,
     INVITED,
     "no reason",
     NULL,
     1},
    {"refused after the answer",
     "pw",
     false,
     {{"AUTH " NONCE_MD5}, {"ERR: ERROR[4]: Not Enough Space\n"}},
     OTA_E_REFUSED,
     AUTHENTICATING,
     "Not Enough Space",
     NULL,
     1},
    {"endless challenges",
     "pw",
     false,
     {{"AUTH " NONCE_SHA},
      {"AUTH " OTHER_SHA},
      {"AUTH " NONCE_SHA},
      {"AUTH " OTHER_SHA},
      {"AUTH " NONCE_SHA},
      {"AUTH " OTHER_SHA},
      {"AUTH " NONCE_SHA},
      {"AUTH " OTHER_SHA},
      {"AUTH " NONCE_SHA}},
     OTA_E_WRONG_PASSWORD,
     AUTHENTICATING,
     "new challenge",
     NULL,
     1},
    {"silence",
     NULL,
     false,
     {{NULL}},
     OTA_E_NO_ANSWER,
     INVITED,
     "no answer from 127.0.0.1:",
     NULL,
     1},
    {"rubbish only", NULL, false, {{"\x1b[2J"}}, OTA_E_NO_ANSWER, INVITED, "no answer", NULL, 1},
};

static void test_scripts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        const struct script *script = &scripts[i];
        enum ota_phase phase;
        uint16_t port;
        struct board board = play(script, &phase, &port);
        print_message("  %s: %s\n", script->name, board.failure.message);
        assert_int_equal(board.failure.error, script->expected);
        assert_int_equal(phase, script->phase);
        assert_non_null(strstr(board.failure.message, script->phrase));
        assert_int_equal(board.invitations, script->invitations);
        if (script->scheme)
            assert_string_equal(board.scheme, script->scheme);
        else
            assert_null(board.scheme);
        /* Advice for an ESP32 image with MD5, and nothing else. */
        bool advice = board.scheme && strcmp(board.scheme, "MD5") == 0;
        assert_int_equal(board.notes, advice ? 1 : 0);
    }
}

static void test_what_is_sent(void **state)
{
    (void)state;
    enum ota_phase phase;
    uint16_t port;
    char expected[PROTOCOL_DATAGRAM_MAX];
    struct board board = play(&scripts[2], &phase, &port);
    snprintf(expected, sizeof expected, "0 %u 1000 00112233445566778899aabbccddeeff\n", port);
    assert_string_equal(board.received[0], expected);

    char cnonce[DIGEST_MD5_HEX + 1] = "";
    struct auth_answer answer;
    assert_int_equal(sscanf(board.received[1], "200 %32[0-9a-f] ", cnonce), 1);
    assert_int_equal(auth_respond(&answer, AUTH_MD5, "pw", NONCE_MD5, cnonce), 0);
    snprintf(expected, sizeof expected, "200 %s %s\n", cnonce, answer.response);
    assert_string_equal(board.received[1], expected);
}

/* Nothing listens: an ICMP refusal, a notice at once, and the rest of the time for a reboot. */
static void test_refusal_by_icmp(void **state)
{
    (void)state;
    static const struct script script = {
        "nothing listens", NULL, false, {{NULL}}, OTA_E_NOT_LISTENING, INVITED, "", NULL, 1};
    enum ota_phase phase;
    uint16_t port;
    struct board board = play(&script, &phase, &port);
    assert_int_equal(board.failure.error, OTA_E_NOT_LISTENING);
    assert_int_equal(board.notes, 1);
    assert_non_null(strstr(board.failure.message, "nothing listens at 127.0.0.1:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_what_is_sent),
        cmocka_unit_test(test_refusal_by_icmp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
