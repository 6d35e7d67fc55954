/*
 * test-reply.c: heads and bodies as boards send them, and bounds.
 */
#include "http/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add_line(struct http_reply *reply, const char *line)
{
    http_reply_add_line(reply, line, strlen(line));
}

static void test_status_lines(void **state)
{
    static const struct {
        const char *line;
        unsigned status;
    } lines[] = {
        {"HTTP/1.1 200 OK\r\n", 200}, {"HTTP/1.0 401 Unauthorized", 401},
        {"HTTP/1.1 307\r\n", 307},    {"http/1.1  502 Bad Gateway", 502},
        {"HTTP/1.1 20 OK", 0},        {"HTTP/1.1 2000 OK", 0},
        {"HTTP/1.1 099 OK", 0},       {"HTTP/1.1", 0},
        {"Server: HTTP/1.1 200", 0},  {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct http_reply reply = {0};

        add_line(&reply, lines[i].line);
        assert_int_equal(reply.status, lines[i].status);
    }
}

static void test_headers(void **state)
{
    struct http_reply reply = {0};

    (void)state;
    add_line(&reply, "Server: before any status\r\n");
    assert_string_equal(reply.server, "");
    add_line(&reply, "HTTP/1.1 100 Continue\r\n");
    add_line(&reply, "Server: interim\r\n");
    add_line(&reply, "HTTP/1.1 200 OK\r\n");
    assert_string_equal(reply.server, "");
    add_line(&reply, "sErVeR:Tasmota/13.3.0 (ESP8266EX)  \r\n");
    add_line(&reply, "Content-length:  9\r\n");
    add_line(&reply, "WWW-Authenticate: Basic realm=\"b\"\r\n");
    add_line(&reply, "WWW-Authenticate: Digest realm=\"d\", nonce=\"n\"\r\n");
    add_line(&reply, "Connection: close\r\n");
    add_line(&reply, "no colon\r\n");
    assert_string_equal(reply.server, "Tasmota/13.3.0 (ESP8266EX)");
    assert_true(reply.has_length);
    assert_int_equal(reply.content_length, 9);
    assert_int_equal(reply.challenge.scheme, CHALLENGE_DIGEST_MD5);
}

/* What a header asks for is the same in any spelling that somebody may read; what goes on in a
 * folded line may be a Digest. Nothing weaker is answered. */
static void test_spelling_of_challenges(void **state)
{
    static const struct {
        const char *lines[3];
        enum challenge_scheme scheme;
        bool can_be_answered;
    } rows[] = {
        {{"WWW-Authenticate \t: Basic realm=\"b\""}, CHALLENGE_BASIC, true},
        {{"WWW-Authenticate : Digest nonce=n", "WWW-Authenticate: Basic realm=b"},
         CHALLENGE_DIGEST_MD5,
         true},
        {{"WWW-Authenticate: Basic realm=b,\r\n", " Digest nonce=n\r\n"}, CHALLENGE_UNKNOWN, false},
        {{"WWW-Authenticate: Basic realm=b,\n", "\tDigest nonce=n\n"}, CHALLENGE_UNKNOWN, false},
        {{"WWW-Authenticate: Digest nonce=n,\r\n", " algorithm=SHA-256\r\n"},
         CHALLENGE_UNKNOWN,
         false},
        {{"WWW-Authenticate :\r\n", " Digest nonce=n\r\n", "WWW-Authenticate: Basic realm=b\r\n"},
         CHALLENGE_UNKNOWN,
         false},
        {{"WWW-Authenticate: Digest nonce=n,\r\n", " algorithm=SHA-256\r\n",
          "WWW-Authenticate: Digest nonce=n\r\n"},
         CHALLENGE_UNKNOWN,
         false},
        {{"WWW-Authenticate: Digest nonce=n\r\n", "WWW-Authenticate: Digest nonce=n,\r\n",
          " algorithm=SHA-256\r\n"},
         CHALLENGE_UNKNOWN,
         false},
        {{"WWW-Authenticate: Basic realm=b\r\n", "Server: x\r\n", " y: z\r\n"},
         CHALLENGE_BASIC,
         true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {0};

        add_line(&reply, "HTTP/1.1 401 No\r\n");
        for (size_t k = 0; k < 3 && rows[i].lines[k]; k++)
            add_line(&reply, rows[i].lines[k]);
        add_line(&reply, "\r\n");
        assert_true(http_reply_is_final(&reply));
        assert_int_equal(reply.challenge.scheme, rows[i].scheme);
        assert_int_equal(challenge_can_be_answered(&reply.challenge), rows[i].can_be_answered);
    }
}

/* As HTML takes the value apart. */
static void test_refresh(void **state)
{
    static const char *const rows[][2] = {
        {"10", ""},
        {"10;", ""},
        {"0.5 ; ", ""},
        {"5; url=", ""},
        {"0;url=/", "/"},
        {"5; URL=/login", "/login"},
        {"5; url = /", "/"},
        {"5 , Url =/x", "/x"},
        {"5; url= '/x'", "/x"},
        {"5;url=\"/x y\"", "/x y"},
        {"5;url='/x", "'/x"},
        {"5;url='/x'y'", "'/x'y'"},
        {"5;url='", "'"},
        {"0 /x", "/x"},
        {"0, http:x", "http:x"},
        {"0; ../x", "../x"},
        {"0;;url=/x", ";url=/x"},
        {"0;url", "url"},
        {"0;urls=/x", "urls=/x"},
        {"/x", "/x"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {0};
        char line[64];

        snprintf(line, sizeof line, "Refresh: %s\r\n", rows[i][0]);
        add_line(&reply, "HTTP/1.1 200 OK\r\n");
        add_line(&reply, line);
        assert_string_equal(reply.refresh, rows[i][1]);
        assert_false(reply.has_unclear_target);
    }
}

#define LONG "0123456789abcdefghijklmnopqrstuv"

/* A header that somebody else may read in another way decides nothing: neither where the reply
 * leads, nor where it ends. */
static void test_unclear_headers(void **state)
{
    static const struct {
        const char *lines[3];
        bool has_unclear_target, has_unclear_end;
    } rows[] = {
        {{"Location: /\r\n", "Refresh: 5; url=/\r\n", "Server: x\r\n"}, false, false},
        {{"Location: /\r\n", "Location: /\r\n", "LOCATION :/\r\n"}, false, false},
        {{"Location:\r\n", " http://portal.example/x\r\n"}, true, false},
        {{"Location: /\r\n", "\t/portal.example/x\r\n"}, true, false},
        {{"Location : /\n", " \n"}, true, false},
        {{"Refresh: 0;\r\n", " url=/login\r\n"}, true, false},
        {{"Location: http://portal.example/\r\n", "Location: /\r\n"}, true, false},
        {{"Location: /\r\n", "Location:\r\n"}, true, false},
        {{"Location:\r\n", "Location: /\r\n"}, true, false},
        {{"Refresh: 0; url=/login\r\n", "Server: x\r\n", "Refresh: 10\r\n"}, true, false},
        {{"Refresh: 10\r\n", "Refresh: 0; url=/\r\n"}, true, false},
        {{"Refresh: 10; url=/\r\n", "Refresh: 5;URL='/'\r\n"}, false, false},
        {{"Location: /\t/portal.example/\r\n"}, true, false},
        {{"Location: /\r/portal.example/\r\n"}, true, false},
        {{"Refresh: 0; url=/log\tin\r\n"}, true, false},
        {{"Location: /" LONG LONG LONG LONG "\r\n"}, true, false},
        {{"Location: /" LONG LONG LONG "\r\n"}, false, false},
        {{"Server: x\r\n", " Location: http://portal.example/\r\n"}, false, false},
        {{" Location: http://portal.example/\r\n"}, false, false}, /* behind no header */
        {{"Location: /\r\n", "no header\r\n", " /x\r\n"}, false, false},
        {{"Content-Length:\r\n", " 2\r\n"}, false, true},
        {{"Content-Length: 2\r\n", " 3\r\n"}, false, true},
        {{"Transfer-Encoding: chunked\r\n", "\t, gzip\r\n"}, false, true},
        {{"Content-Length: 2\r\n", "Server: x\r\n", " 3\r\n"}, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {0};

        add_line(&reply, "HTTP/1.1 302 Found\r\n");
        for (size_t k = 0; k < 3 && rows[i].lines[k]; k++)
            add_line(&reply, rows[i].lines[k]);
        add_line(&reply, "\r\n");
        assert_true(http_reply_is_final(&reply));
        if (reply.has_unclear_target != rows[i].has_unclear_target ||
            reply.has_unclear_end != rows[i].has_unclear_end)
            fail_msg("row %zu", i);
    }
}

/* A NUL ends what others read. What a 1xx says does not count. */
static void test_unclear_start(void **state)
{
    static const char nul[] = "Location: /\0/portal.example/\r\n";
    struct http_reply reply = {0};

    (void)state;
    add_line(&reply, "HTTP/1.1 103 Early Hints\r\n");
    add_line(&reply, "Location: /\r\n");
    add_line(&reply, " x\r\n");
    assert_true(reply.has_unclear_target);
    add_line(&reply, "HTTP/1.1 302 Found\r\n");
    add_line(&reply, " x\r\n");
    assert_false(reply.has_unclear_target);
    http_reply_add_line(&reply, nul, sizeof nul - 1);
    assert_true(reply.has_unclear_target);
}

static void test_bounds(void **state)
{
    struct http_reply reply = {0};
    char *bytes = calloc(1, HTTP_BODY_MAX);

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 'a', HTTP_BODY_MAX);
    add_line(&reply, "HTTP/1.1 200 OK");
    memcpy(bytes, "Server: ", 8);
    http_reply_add_line(&reply, bytes, 5000);
    assert_int_equal(strlen(reply.server), HTTP_TEXT_MAX - 1);

    assert_true(http_reply_add_body(&reply, bytes, HTTP_BODY_MAX - 1));
    assert_true(http_reply_add_body(&reply, bytes, 1));
    assert_false(reply.is_cut);
    assert_false(http_reply_add_body(&reply, bytes, 1));
    assert_true(reply.is_cut);
    assert_int_equal(reply.body_length, HTTP_BODY_MAX);
    assert_int_equal(strlen(http_reply_text(&reply)), HTTP_BODY_MAX);
    http_reply_clear(&reply);
    assert_string_equal(http_reply_text(&reply), "");
    free(bytes);
}

/* What is read from a connection that broke while it was being sent to. */
static void test_parse(void **state)
{
    static const char whole[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad Request\r\n"
                                "Content-Length: 4\r\n\r\nFAIL";
    struct http_reply reply = {0};

    (void)state;
    assert_true(http_reply_parse(&reply, whole, strlen(whole)));
    assert_int_equal(reply.status, 400);
    assert_string_equal(http_reply_text(&reply), "FAIL");
    assert_true(http_reply_is_whole(&reply));
    assert_false(http_reply_falls_short(&reply));
    add_line(&reply, "HTTP/1.1 200 OK\r\n"); /* a trailer */
    assert_int_equal(reply.status, 400);
    assert_string_equal(http_reply_text(&reply), "FAIL");
    http_reply_clear(&reply);

    for (size_t length = 0; length < strlen(whole) - 4; length++) {
        reply = (struct http_reply){0};
        assert_false(http_reply_parse(&reply, whole, length));
        reply.has_ended = true;
        assert_false(http_reply_is_final(&reply));
        assert_false(http_reply_is_whole(&reply));
        assert_true(http_reply_falls_short(&reply));
        http_reply_clear(&reply);
    }
    reply = (struct http_reply){0};
    assert_true(http_reply_parse(&reply, whole, strlen(whole) - 1));
    assert_false(http_reply_is_whole(&reply));
    assert_true(http_reply_falls_short(&reply));
    http_reply_clear(&reply);
}

static void test_broken_off(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool has_ended, is_cut, has_broken_off;
    } rows[] = {
        {"Content-Length: 2", true, false, false},
        {"Content-Length: 2", false, false, false}, /* all of it came */
        {"Content-Length: 3", false, false, true},
        {"Transfer-Encoding: chunked", true, false, false},
        {"Transfer-Encoding: chunked", false, false, true},
        {"Connection: close", true, false,
         false}, /* the end of the connection is that of the body */
        {"Connection: close", false, false, false},
        {"Content-Length: 99999", false, true, false}, /* by our limit */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {0};
        char text[128];

        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%s\r\n\r\nOK", rows[i].head);
        assert_true(http_reply_parse(&reply, text, strlen(text)));
        reply.has_ended = rows[i].has_ended;
        reply.is_cut = rows[i].is_cut;
        assert_int_equal(http_reply_broke_off(&reply), rows[i].has_broken_off);
        http_reply_clear(&reply);
    }
}

/* What shows that all of a body came. */
static void test_ends(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool is_tls, has_ended; /* as libcurl says */
        bool is_whole, falls_short, may_be_cut;
    } rows[] = {
        {"", false, true, true, false, false},
        {"", false, false, false, false, false},
        {"", true, true, false, false, true}, /* the end of the connection may be anybody's */
        {"", true, false, false, false, true},
        {"Content-Length: 2", false, false, true, false, false},
        {"Content-Length: 2", true, false, true, false, false},
        {"Content-Length: 3", false, true, false, true, true}, /* whatever libcurl says */
        {"Content-Length: 02\r\nContent-Length: 2", true, true, true, false, false},
        {"Content-Length: 3\r\nContent-Length: 2", false, true, false, true, true},
        {"Content-Length: 2, 2", false, true, false, true, true},
        {"Content-Length: -2", false, true, false, true, true},
        {"Content-Length: +2", false, true, false, true, true},
        {"Content-Length: 0x2", false, true, false, true, true},
        {"Content-Length:", false, true, false, true, true},
        {"Content-Length: 4294967296", false, true, false, true, true},
        {"Content-Length: 99999999999999999999", false, false, false, true, true},
        {"Content-Length : 2", false, true, false, true, true},
        {"Transfer-Encoding\t: chunked", false, true, false, true, true},
        {"Content-Type : text/html", false, true, true, false, false},
        {"Transfer-Encoding: Chunked", true, true, true, false, false},
        {"Transfer-Encoding: chunked", true, false, false, true, true},
        {"Transfer-Encoding: chunked\r\nContent-Length: 1", false, false, false, true, true},
        {"Transfer-Encoding: chunked\r\nContent-Length: 9", false, true, true, false, false},
        {"Transfer-Encoding: identity", false, true, false, true, true},
        {"Transfer-Encoding: gzip, chunked", false, true, false, true, true},
        {"Transfer-Encoding:\r\n chunked", false, true, false, true, true},
        {"Content-Encoding: gzip", false, true, false, false, true},
        {"Content-Encoding: gzip\r\nContent-Length: 1", false, false, false, true, true},
        {"Content-Encoding: gzip\r\nContent-Length: 1", true, true, true, false, false},
        {"Content-Encoding: gzip\r\nTransfer-Encoding: chunked", true, true, true, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {.is_tls = rows[i].is_tls};
        char text[256];

        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%s%s\r\nOK", rows[i].head,
                 *rows[i].head ? "\r\n" : "");
        assert_true(http_reply_parse(&reply, text, strlen(text)));
        reply.has_ended = rows[i].has_ended;
        if (http_reply_is_whole(&reply) != rows[i].is_whole ||
            http_reply_falls_short(&reply) != rows[i].falls_short ||
            http_reply_may_be_cut(&reply) != rows[i].may_be_cut)
            fail_msg("row %zu: %s", i, rows[i].head);
        http_reply_clear(&reply);
    }
}

/* Some statuses say more than the head. */
static void test_statuses_without_an_end(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool is_whole;
    } rows[] = {
        {"HTTP/1.1 204 No Content\r\n\r\n", true},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", true},
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 0\r\n\r\n", false},
        {"HTTP/1.1 200 OK\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {.is_tls = true};

        assert_true(http_reply_parse(&reply, rows[i].head, strlen(rows[i].head)));
        reply.has_ended = true;
        assert_int_equal(http_reply_is_whole(&reply), rows[i].is_whole);
        assert_int_equal(http_reply_may_be_cut(&reply), !rows[i].is_whole);
        http_reply_clear(&reply);
    }
}

static void test_nul_in_body(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n";
    struct http_reply reply = {0};

    (void)state;
    assert_true(http_reply_parse(&reply, head, strlen(head)));
    assert_true(http_reply_add_body(&reply, "f\0a\0i\0l", 7));
    assert_false(http_reply_is_whole(&reply));
    assert_true(http_reply_add_body(&reply, "\0", 1));
    assert_true(http_reply_is_whole(&reply));
    assert_string_equal(http_reply_text(&reply), "fail");
    assert_int_equal(reply.body_length, 4);
    http_reply_clear(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_lines),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_spelling_of_challenges),
        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_unclear_headers),
        cmocka_unit_test(test_unclear_start),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_broken_off),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_statuses_without_an_end),
        cmocka_unit_test(test_nul_in_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
