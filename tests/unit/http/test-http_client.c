/*
 * test-http_client.c: requests after one for which libcurl or libcrypto had no memory.
 */
#include "http/http_client.h"

#include "crypto/crypto.h"
#include "support/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
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

static void on_request_done(const struct http_outcome *outcome, void *userdata)
{
    (void)outcome, (void)userdata;
}

static struct http_request *start(struct http_client *client, const struct busy_board *board)
{
    const struct http_request_config config = {.board = "board",
                                               .address = &board->address,
                                               .authority = "127.0.0.1",
                                               .path = "/",
                                               .connect_us = INT64_C(60000000),
                                               .reply_us = INT64_C(60000000)};
    const struct http_callbacks callbacks = {.on_done = on_request_done};

    return http_request_start(client, &config, &callbacks);
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
    const struct http_request_config config = {.board = "board",
                                               .address = &address,
                                               .authority = "127.0.0.1",
                                               .path = "/",
                                               .is_tls = true,
                                               .is_insecure = true,
                                               .connect_us = INT64_C(60000000),
                                               .reply_us = INT64_C(60000000)};
    const struct http_callbacks callbacks = {.on_done = on_tls_request_done, .userdata = &outcome};
    struct http_request *request = http_request_start(client, &config, &callbacks);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_after_a_shortage), /* first, as it sets libcrypto's allocator */
        cmocka_unit_test(test_a_later_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
