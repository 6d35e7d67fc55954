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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_lines), cmocka_unit_test(test_headers),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_parse),
        cmocka_unit_test(test_broken_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
