/*
 * test-tasmota.c: a board that is told to fetch, in virtual time: how long its slot is kept. The
 * test plays the board, its commands included.
 */
#include "serve/tasmota_internal.h"

#include "base/units.h"
#include "net/source.h"
#include "support/resolver_wraps.h"
#include "support/virtual_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLD "http://ota.example/old.bin"

static struct {
    struct book book;
    struct tasmotas *all;
    char url[TASMOTA_URL_MAX]; /* the board's OtaUrl */
    bool is_ordered;
    struct tasmota *asking; /* it waits for the reply to a command */
    char body[2 * TASMOTA_URL_MAX];
    resolver_done_fn *on_resolved;
    void *userdata;
    unsigned ended;     /* downloads, by the server */
    unsigned cut_notes; /* that its name has more addresses */
    bool is_done;
    struct ota_failure outcome;
} world;

struct http_client *__wrap_http_client_new(struct loop *loop, struct ota_failure *failure);
void __wrap_http_client_free(struct http_client *client);
void __wrap_tasmota_ask(struct tasmota *tasmota, const char *name, const char *value,
                        tasmota_reply_fn *on_reply, tasmota_lost_fn *on_lost);

struct resolver *__wrap_resolver_start(struct loop *loop, struct mdns_client *mdns,
                                       const struct target *target, unsigned services,
                                       enum announcement_use use, int64_t timeout_us,
                                       const struct source *source, resolver_done_fn *done,
                                       void *userdata)
{
    (void)mdns;
    (void)target;
    (void)services;
    (void)use;
    (void)timeout_us;
    (void)source;
    assert_ptr_equal(loop, virtual_time_loop());
    world.on_resolved = done;
    world.userdata = userdata;
    return (struct resolver *)&world;
}

void __wrap_resolver_free(struct resolver *resolver)
{
    (void)resolver;
}

struct http_client *__wrap_http_client_new(struct loop *loop, struct ota_failure *failure)
{
    (void)loop;
    (void)failure;
    return (struct http_client *)&world;
}

void __wrap_http_client_free(struct http_client *client)
{
    assert_ptr_equal(client, &world);
}

/* The reply comes later, as from a request. */
void __wrap_tasmota_ask(struct tasmota *tasmota, const char *name, const char *value,
                        tasmota_reply_fn *on_reply, tasmota_lost_fn *on_lost)
{
    assert_null(world.asking);
    world.asking = tasmota;
    tasmota->on_reply = on_reply;
    tasmota->on_lost = on_lost;

    if (strcmp(name, "OtaUrl") == 0) {
        if (value)
            snprintf(world.url, sizeof world.url, "%s", value);
        snprintf(world.body, sizeof world.body, "{\"OtaUrl\":\"%s\"}", world.url);
    } else if (strcmp(name, "Upgrade") == 0) {
        world.is_ordered = true;
        snprintf(world.body, sizeof world.body, "{\"Upgrade\":\"Version 1.0 from %s\"}", world.url);
    } else {
        snprintf(world.body, sizeof world.body, "%s",
                 "{\"StatusFWR\":{\"Version\":\"1.0\",\"Hardware\":\"ESP8266EX\"}}");
    }
}

static void answer_command(void)
{
    struct tasmota *tasmota = world.asking;
    const struct http_reply reply = {.status = 200,
                                     .body = world.body,
                                     .body_length = strlen(world.body),
                                     .has_head = true,
                                     .has_ended = true};

    world.asking = NULL;
    tasmota->on_reply(tasmota, &reply);
}

static void on_note(struct book_board *board, bool is_important, const char *message,
                    void *userdata)
{
    (void)board;
    (void)is_important;
    (void)userdata;
    world.cut_notes += strcmp(message, "its name has more addresses than a board can have; only "
                                       "eight are tried") == 0;
}

static void on_unasked(struct book_board *board, void *userdata)
{
    (void)board;
    (void)userdata;
    fail();
}

static void on_done(struct book_board *board, enum ota_phase phase,
                    const struct ota_failure *failure, void *userdata)
{
    (void)board;
    (void)userdata;
    assert_int_equal(phase, OTA_PHASE_TRANSFER);
    world.outcome = *failure;
}

static void on_all_done(void *userdata)
{
    (void)userdata;
    world.is_done = true;
}

static void on_late(struct book_board *board, void *userdata)
{
    (void)userdata;
    world.ended++;
    book_set_state(board, BOOK_GIVEN_UP);
    book_note_end(board, false, loop_now_us());
}

static struct book_board *tell_board(bool is_cut)
{
    static const struct target target = {.port = 80};
    static const struct image image;
    static struct tasmotas_config config = {.on_note = on_note,
                                            .on_unasked = on_unasked,
                                            .on_done = on_done,
                                            .on_all_done = on_all_done,
                                            .on_late = on_late,
                                            .book = &world.book,
                                            .rules = {.downloads_max = 1},
                                            .reply_us = SECONDS(10),
                                            .fetch_us = SECONDS(90)};
    struct ota_failure failure;
    struct address at;
    struct resolution resolution = {.count = 1, .is_cut = is_cut};

    memset(&world, 0, sizeof world);
    snprintf(world.url, sizeof world.url, "%s", OLD);
    virtual_time_reset(SECONDS(1));
    config.loop = virtual_time_loop();
    struct book_board *board = book_add(&world.book, "lamp");
    assert_non_null(board);
    assert_true(book_list(board, NULL));
    board->is_told = true;

    world.all = tasmotas_new(&config, &failure);
    assert_non_null(world.all);
    assert_true(tasmotas_add(
        world.all, &(struct tasmota_order){.board = board, .target = &target, .image = &image}));
    assert_true(address_parse(&at, "10.0.0.1"));
    address_set_port(&at, 8080);
    tasmotas_start(world.all, &at);
    assert_true(address_parse(&resolution.addresses[0], "10.0.0.7"));
    world.on_resolved(&resolution, NULL, world.userdata);
    while (world.asking)
        answer_command();
    assert_true(world.is_ordered);
    return board;
}

static void ask_for_image(struct book_board *board)
{
    const struct fetcher fetcher = {.wants_packed = false};

    book_note_request(board, &fetcher, &board->home, PROOF_OTHER, 3, loop_now_us());
    book_note_start(board, 600000, loop_now_us());
}

/* It reads so slowly that the server ends each download after an hour, and asks once more. */
static void test_slow_downloads(void **state)
{
    struct book_board *board = tell_board(false);
    const int64_t start_us = loop_now_us();
    (void)state;

    while (!world.is_done) {
        if (board->downloads > 0 && loop_now_us() - board->started_us >= SECONDS(3599))
            book_note_end(board, false, loop_now_us());
        if (board->downloads == 0 && board->state != BOOK_GIVEN_UP)
            ask_for_image(board);
        if (world.asking)
            answer_command();
        else
            virtual_time_fire();
    }

    assert_true(loop_now_us() - start_us < SECONDS(3600 + 60));
    assert_int_equal(world.ended, 1);
    assert_int_equal(world.outcome.error, OTA_E_LOST);
    assert_string_equal(world.outcome.message,
                        "its download was not over an hour after the order, and was ended");
    assert_string_equal(world.url, OLD);
    tasmotas_free(world.all);
    book_free(&world.book);
}

static void test_too_many_addresses(void **state)
{
    (void)state;
    for (int is_cut = 0; is_cut < 2; is_cut++) {
        tell_board(is_cut);
        assert_int_equal(world.cut_notes, is_cut);
        tasmotas_free(world.all);
        book_free(&world.book);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_downloads),
        cmocka_unit_test(test_too_many_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
