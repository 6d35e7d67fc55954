/*
 * test-http_client.c: requests after one for which libcurl or libcrypto had no memory, replies that
 * break off, and connections that libcurl keeps.
 */
#include "http/http_internal.h"

#include "crypto/crypto.h"
#include "net/source.h"
#include "support/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/crypto.h>

enum { CROWD = 4, TURNS = 16, LEAST_ALLOCATIONS = 8, MOST_ALLOCATIONS = 500 };

/* A listener that answers no further attempt, and the connections that fill its queue. */
struct busy_board {
    struct address address;
    int listener;
    int queued[CROWD];
};

/* Returns the socket of a new listener, which does not block, and its address. */
static int start_listener(struct address *address)
{
    assert_true(address_parse(address, "127.0.0.1"));
    socklen_t length = address_length(address);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listener, &address->any, length), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, &address->any, &length), 0);
    return listener;
}

static void make_busy_board(struct busy_board *board)
{
    board->listener = start_listener(&board->address);
    const socklen_t length = address_length(&board->address);

    for (int i = 0; i < CROWD; i++) {
        board->queued[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(fcntl(board->queued[i], F_SETFL, O_NONBLOCK), 0);
        (void)connect(board->queued[i], &board->address.any, length);
    }
}

static void end_busy_board(const struct busy_board *board)
{
    for (int i = 0; i < CROWD; i++)
        close(board->queued[i]);
    close(board->listener);
}

struct turns {
    struct loop *loop;
    struct loop_timer timer;
    int left;
};

static void on_turn(void *userdata)
{
    struct turns *turns = userdata;

    if (--turns->left == 0)
        loop_quit(turns->loop);
    else
        loop_timer_start(&turns->timer, 0);
}

static void run_turns(struct loop *loop)
{
    struct turns turns = {.loop = loop, .left = TURNS};

    loop_timer_init(&turns.timer, loop, on_turn, &turns);
    loop_timer_start(&turns.timer, 0);
    assert_int_equal(loop_run(loop), 0);
}

static struct http_request_config ask_for_page(const struct address *address)
{
    return (struct http_request_config){.board = "board",
                                        .source = &source_any,
                                        .address = address,
                                        .authority = "127.0.0.1",
                                        .path = "/",
                                        .connect_us = INT64_C(60000000),
                                        .reply_us = INT64_C(60000000)};
}

static void on_request_done(const struct http_outcome *outcome, void *userdata)
{
    (void)outcome, (void)userdata;
}

static struct http_request *start(struct http_client *client, const struct busy_board *board)
{
    const struct http_request_config config = ask_for_page(&board->address);
    const struct http_callbacks callbacks = {.on_done = on_request_done};
    struct ota_failure failure;

    return http_request_start(client, &config, &callbacks, &failure);
}

/* Returns whether the allocation of that number was reached while libcurl connected. */
static bool connect_without_memory(const struct busy_board *board, int number)
{
    struct ota_failure failure;
    struct loop *loop = loop_new();
    assert_non_null(loop);
    struct http_client *client = http_client_new(loop, &failure);
    assert_non_null(client);

    struct http_request *request = start(client, board);
    assert_non_null(request);
    failing_start(FAILING_ALLOCATION, number, ENOMEM);
    run_turns(loop);
    bool has_failed = failing_stop();
    http_request_free(request);

    request = start(client, board); /* its socket gets the same number */
    assert_non_null(request);
    run_turns(loop);
    http_request_free(request);
    http_client_free(client);
    loop_free(loop);
    return has_failed;
}

static void test_a_later_request(void **state)
{
    (void)state;
    failing_skip_in_valgrind();
    struct busy_board board;
    int number = 0;

    make_busy_board(&board);
    while (connect_without_memory(&board, number))
        assert_true(++number < MOST_ALLOCATIONS);
    assert_true(number >= LEAST_ALLOCATIONS); /* libcurl's are among those that fail */
    end_busy_board(&board);
}

/* libcurl may change errno before it reports that memory ran out. */
static void test_client_without_memory(void **state)
{
    (void)state;
    failing_skip_in_valgrind();
    int number = 0;
    struct loop *loop = loop_new();

    assert_non_null(loop);
    for (bool has_failed = true; has_failed; number++) {
        struct ota_failure failure = {.error = OTA_OK};

        assert_true(number < MOST_ALLOCATIONS);
        failing_start(FAILING_ALLOCATION, number, EMFILE);
        struct http_client *client = http_client_new(loop, &failure);
        has_failed = failing_stop();
        if (!client)
            assert_int_equal(failure.cause, OTA_CAUSE_OUT_OF_MEMORY);
        http_client_free(client);
    }
    assert_true(number > 1);
    loop_free(loop);
}

static void on_tls_request_done(const struct http_outcome *outcome, void *userdata)
{
    struct http_outcome *result = userdata;

    *result = *outcome;
}

/* That libcrypto once had no memory does not explain why a later request fails. */
static void test_tls_after_a_shortage(void **state)
{
    struct crypto crypto;
    struct ota_failure failure;
    struct address address;
    struct http_outcome outcome = {.end = HTTP_REPLIED};
    (void)state;

    assert_int_equal(crypto_open(&crypto), 0); /* libcrypto's memory is ours from now on */
    crypto_close(&crypto);
    failing_start(FAILING_ALLOCATION, 0, ENOMEM);
    assert_null(OPENSSL_malloc(8));
    assert_true(failing_stop());

    const int listener = start_listener(&address);
    struct loop *loop = loop_new();
    struct http_client *client = http_client_new(loop, &failure);
    struct http_request_config config = ask_for_page(&address);
    const struct http_callbacks callbacks = {.on_done = on_tls_request_done, .userdata = &outcome};

    config.is_tls = config.is_insecure = true;
    struct http_request *request = http_request_start(client, &config, &callbacks, &failure);
    assert_non_null(request);

    while (outcome.end == HTTP_REPLIED) {
        run_turns(loop);
        const int connection = accept(listener, NULL, NULL);
        if (connection >= 0)
            close(connection);
    }
    assert_int_not_equal(outcome.end, HTTP_LOCAL);
    http_request_free(request);
    http_client_free(client);
    loop_free(loop);
    close(listener);
}

/* A libcurl with an OpenSSL of its own has no functions for the guard, so nothing is begun. */
static void test_tls_without_its_functions(void **state)
{
    struct address address;
    struct ota_failure failure;
    const int listener = start_listener(&address);
    struct loop *loop = loop_new();
    struct http_client *client = http_client_new(loop, &failure);
    struct http_request_config config = ask_for_page(&address);
    const struct http_callbacks callbacks = {.on_done = on_request_done};

    (void)state;
    assert_non_null(client);
    client->curl.tls = (struct tls_library){0};
    config.is_tls = config.is_insecure = true;
    assert_null(http_request_start(client, &config, &callbacks, &failure));
    assert_int_equal(failure.error, OTA_E_INTERNAL);
    assert_int_equal(failure.cause, OTA_CAUSE_OTHER_TLS);
    assert_non_null(strstr(failure.message, "an OpenSSL of its own"));

    config.is_tls = false;
    struct http_request *request = http_request_start(client, &config, &callbacks, &failure);
    assert_non_null(request);
    http_request_free(request);
    http_client_free(client);
    loop_free(loop);
    close(listener);
}

/* -- this computer's limits -- */

struct limited {
    struct loop *loop;
    enum http_end end;
    int reason;
};

static void on_limited_done(const struct http_outcome *outcome, void *userdata)
{
    struct limited *limited = userdata;

    limited->end = outcome->end;
    limited->reason = outcome->reason;
    loop_quit(limited->loop);
}

/* Neither is the board's fault, nor a lack of memory. */
static void test_limits_of_descriptors(void **state)
{
    static const struct {
        enum failing_call call;
        int error, reason;
    } rows[] = {{FAILING_EPOLL_CTL, ENOSPC, ENFILE}, {FAILING_SOCKET, EMFILE, EMFILE}};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct limited limited = {.loop = loop_new()};
        struct ota_failure failure;
        struct address address;
        const int listener = start_listener(&address);
        const struct http_request_config config = ask_for_page(&address);
        const struct http_callbacks callbacks = {.on_done = on_limited_done, .userdata = &limited};

        assert_non_null(limited.loop);
        struct http_client *client = http_client_new(limited.loop, &failure);
        assert_non_null(client);
        failing_start_for_good(rows[i].call, rows[i].error);
        struct http_request *request = http_request_start(client, &config, &callbacks, &failure);
        assert_non_null(request);
        assert_int_equal(loop_run(limited.loop), 0);
        assert_true(failing_stop());
        assert_int_equal(limited.end, HTTP_LOCAL);
        assert_int_equal(limited.reason, rows[i].reason);
        http_request_free(request);
        http_client_free(client);
        loop_free(limited.loop);
        close(listener);
    }
}

/* -- replies that break off -- */

struct ending {
    struct loop *loop;
    enum http_end end;
    unsigned cut_status;
    bool is_whole;
};

static void on_reply_done(const struct http_outcome *outcome, void *userdata)
{
    struct ending *ending = userdata;

    ending->end = outcome->end;
    ending->cut_status = outcome->cut_status;
    ending->is_whole = outcome->reply && http_reply_is_whole(outcome->reply);
    loop_quit(ending->loop);
}

/* A board that gives these bytes to the one request, and closes the connection, perhaps only after
 * the other side. */
static pid_t start_board(int listener, const char *reply, bool is_last)
{
    const pid_t board = fork();
    char request[4096];
    size_t length = 0;

    if (board != 0)
        return board;
    alarm(60);
    fcntl(listener, F_SETFL, 0);
    const int fd = accept(listener, NULL, NULL);
    while (length < sizeof request && !memmem(request, length, "\r\n\r\n", 4)) {
        const ssize_t got = recv(fd, request + length, sizeof request - length, 0);
        if (got <= 0)
            _exit(1);
        length += (size_t)got;
    }
    const bool is_sent = send(fd, reply, strlen(reply), 0) > 0 || *reply == '\0';
    _exit(!is_sent || (is_last && recv(fd, request, sizeof request, 0) != 0));
}

/* What libcurl was told to do at the end of a connection, and the connection that it keeps. */
static struct kept {
    __typeof__(curl_easy_setopt) *set_option;
    curl_closesocket_callback on_close;
    void *userdata;
    curl_socket_t fd;
} kept;

static int keep_connection(void *userdata, curl_socket_t fd)
{
    kept.userdata = userdata;
    kept.fd = fd;
    return 0;
}

/* A GET has options of three types: numbers, pointers and functions. */
static CURLcode set_keeping(CURL *easy, CURLoption option, ...)
{
    va_list arguments;
    CURLcode code;

    va_start(arguments, option);
    if (option == CURLOPT_CLOSESOCKETFUNCTION) {
        kept.on_close = va_arg(arguments, curl_closesocket_callback);
        code = kept.set_option(easy, option, keep_connection);
        /* NOLINTNEXTLINE(bugprone-branch-clone): the types differ */
    } else if ((int)option < CURLOPTTYPE_OBJECTPOINT) {
        code = kept.set_option(easy, option, va_arg(arguments, long));
    } else {
        code = kept.set_option(easy, option, va_arg(arguments, void *));
    }
    va_end(arguments);
    return code;
}

/* Makes libcurl one that keeps connections beyond their requests, as it does since 8.9 if TLS has
 * not ended for both sides. */
static void keep_connections(struct http_client *client)
{
    kept.set_option = client->curl.easy_setopt;
    kept.fd = -1;
    client->curl.easy_setopt = set_keeping;
}

/* is_kept: libcurl keeps the connection until the board has seen its end. */
static void ask(struct ending *ending, const char *reply, bool is_kept)
{
    struct address address;
    struct ota_failure failure;
    const int listener = start_listener(&address);
    const pid_t board = start_board(listener, reply, is_kept);
    const struct http_request_config config = ask_for_page(&address);
    const struct http_callbacks callbacks = {.on_done = on_reply_done, .userdata = ending};

    assert_true(board > 0);
    *ending = (struct ending){.loop = loop_new()};
    assert_non_null(ending->loop);
    struct http_client *client = http_client_new(ending->loop, &failure);
    assert_non_null(client);
    if (is_kept)
        keep_connections(client);
    struct http_request *request = http_request_start(client, &config, &callbacks, &failure);
    assert_non_null(request);
    assert_int_equal(loop_run(ending->loop), 0);

    int status = 1;
    http_request_free(request);
    assert_int_equal(waitpid(board, &status, 0), board);
    assert_int_equal(status, 0);
    if (is_kept) {
        assert_true(kept.fd >= 0);
        kept.on_close(kept.userdata, kept.fd);
        assert_int_equal(fcntl(kept.fd, F_GETFD), -1);
    }
    http_client_free(client);
    loop_free(ending->loop);
    close(listener);
}

/* Only a whole head makes a reply, whatever libcurl makes of the end of the connection. */
static void test_replies_that_break_off(void **state)
{
    static const struct {
        const char *reply;
        enum http_end end;
        unsigned cut_status;
        bool is_whole;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", HTTP_REPLIED, 0, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", HTTP_REPLIED, 0, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nO", HTTP_REPLIED, 0, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK", HTTP_REPLIED, 0, false},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", HTTP_REPLIED, 0, false},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: x\r\nContent-Length: 2\r\n\r\nOK", HTTP_REPLIED, 0,
         false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 0\r\n\r\nO", HTTP_REPLIED, 0,
         false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nOK", HTTP_REPLIED, 0, false},
        {"HTTP/1.1 204 No Content\r\n\r\n", HTTP_REPLIED, 0, true},
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\nOK", HTTP_REPLIED, 0, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", HTTP_BROKEN, 200, false},
        {"HTTP/1.1 200 OK\r\nContent-Len", HTTP_BROKEN, 200, false},
        {"HTTP/1.1 200 OK\r\n", HTTP_BROKEN, 200, false},
        {"HTTP/1.1 200 OK", HTTP_BROKEN, 0, false},
        {"HTTP/1.1 20", HTTP_BROKEN, 0, false},
        {"HTTP/1.1 500 Internal Server Error\r\nServer: x\r\n", HTTP_BROKEN, 500, false},
        {"HTTP/1.1 100 Continue\r\n\r\n", HTTP_BROKEN, 0, false},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", HTTP_BROKEN, 200, false},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", HTTP_REPLIED, 0, true},
        {"", HTTP_BROKEN, 0, false},
        {"OK, as HTTP/0.9 would have it", HTTP_NOT_HTTP, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ending ending;

        ask(&ending, rows[i].reply, false);
        if (ending.end != rows[i].end || ending.cut_status != rows[i].cut_status ||
            ending.is_whole != rows[i].is_whole)
            fail_msg("row %zu: end %d, status %u, whole %d", i, (int)ending.end, ending.cut_status,
                     ending.is_whole);
    }
}

/* The board sees the end of the connection at once, and what libcurl calls back with is still
 * there. */
static void test_connection_that_libcurl_keeps(void **state)
{
    struct ending ending;

    (void)state;
    ask(&ending, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", true);
    assert_int_equal(ending.end, HTTP_REPLIED);
    assert_true(ending.is_whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_after_a_shortage), /* first, as it sets libcrypto's allocator */
        cmocka_unit_test(test_tls_without_its_functions),
        cmocka_unit_test(test_a_later_request),
        cmocka_unit_test(test_client_without_memory),
        cmocka_unit_test(test_limits_of_descriptors),
        cmocka_unit_test(test_replies_that_break_off),
        cmocka_unit_test(test_connection_that_libcurl_keeps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
