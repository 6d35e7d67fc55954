/*
 * test-serve_events.c: how much is told of a board, and of boards that are in no list.
 */
#include "serve/serve_internal.h"

#include "base/error.h"
#include "base/units.h"
#include "support/virtual_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { STRANGERS_MAX = 500, TOLD_MAX = 40, PROGRESS_COUNT = 2 * STRANGERS_MAX };
static const int64_t WINDOW_US = SECONDS(600);

static struct book book;
static struct serve serve;
static unsigned notes, results, progresses;

static void on_event(const struct ota_event *event, void *userdata)
{
    (void)userdata;
    notes += event->type == OTA_EVENT_NOTE;
    results += event->type == OTA_EVENT_RESULT;
    progresses += event->type == OTA_EVENT_PROGRESS;
}

static void ignore_confirmation(void *userdata)
{
    (void)userdata;
}

static int set_up(void **state)
{
    (void)state;
    virtual_time_reset(SECONDS(100000));
    notes = results = progresses = 0;
    serve = (struct serve){
        .config = {.book = &book, .on_event = on_event, .on_confirmed = ignore_confirmation}};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    book_free(&book);
    return 0;
}

/* A board that has told its MAC; it is in no list. */
static struct book_board *add_stranger(unsigned number)
{
    static const struct offer offer = {.name = "image"};
    struct fetcher fetcher = {.has_mac = true};
    struct address address;
    char text[32];

    snprintf(text, sizeof text, "24:0A:C4:00:%02X:%02X", number >> 8, number & 0xff);
    assert_true(mac_parse(&fetcher.mac, text));
    assert_true(address_parse(&address, "10.0.0.7"));
    struct book_board *board = book_add(&book, text);
    assert_non_null(board);
    book_note_request(board, &fetcher, &address, PROOF_OTHER, 3, virtual_time.now_us);
    board->offer = &offer;
    return board;
}

static struct book_board *add_listed(void)
{
    struct book_board *board = add_stranger(0xffff);

    assert_true(book_list(board, NULL));
    return board;
}

static bool is_told(struct book_board *board)
{
    const unsigned before = notes;

    serve_note(&serve, board, true, "says something");
    return notes > before;
}

static void take_image(struct book_board *board)
{
    book_note_start(board, 1000, virtual_time.now_us);
    book_note_end(board, true, virtual_time.now_us);
}

static void progress(struct book_board *board)
{
    const struct serve_download download = {.serve = &serve, .board = board, .size = 1000};

    for (unsigned i = 0; i < PROGRESS_COUNT; i++)
        serve_tell_progress(&serve, &download);
}

/* A download that is longer than the window takes the place of one board only. */
static void test_progress_is_free(void **state)
{
    (void)state;
    struct book_board *board = add_stranger(0);

    assert_true(is_told(board));
    virtual_time.now_us += WINDOW_US;
    progress(board);
    assert_int_equal(progresses, PROGRESS_COUNT);
    assert_true(is_told(board));
    for (unsigned i = 1; i < STRANGERS_MAX; i++)
        assert_true(is_told(add_stranger(i)));
    assert_false(is_told(add_stranger(STRANGERS_MAX)));
}

/* Nor does its progress show a board that is only counted. */
static void test_progress_of_counted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < STRANGERS_MAX; i++)
        assert_true(is_told(add_stranger(i)));

    struct book_board *board = add_stranger(STRANGERS_MAX);
    assert_false(is_told(board));
    progress(board);
    virtual_time.now_us += WINDOW_US;
    progress(board);
    assert_int_equal(progresses, 0);
    assert_true(is_told(board));
    progress(board);
    assert_int_equal(progresses, PROGRESS_COUNT);
}

/* Each of as many boards as are told of is told of in the end, too. */
static void test_ends_of_strangers(void **state)
{
    (void)state;
    struct book_board *boards[STRANGERS_MAX + 1];

    for (unsigned i = 0; i <= STRANGERS_MAX; i++) {
        boards[i] = add_stranger(i);
        assert_int_equal(is_told(boards[i]), i < STRANGERS_MAX);
        take_image(boards[i]);
    }

    notes = 0;
    for (unsigned i = 0; i <= STRANGERS_MAX; i++)
        serve_tell_outcome(&serve, boards[i]);
    assert_int_equal(notes, STRANGERS_MAX);
    assert_int_equal(serve.strangers.counted, 1);
}

/* A result is told although the board has caused too many messages. */
static void test_ends_of_talkers(void **state)
{
    (void)state;
    struct book_board *listed = add_listed(), *stranger = add_stranger(0);
    struct ota_failure failure;

    for (unsigned i = 0; i <= TOLD_MAX; i++) /* the last one says that no more follow */
        assert_true(is_told(listed) && is_told(stranger));
    assert_false(is_told(listed) || is_told(stranger));

    take_image(stranger);
    notes = 0;
    serve_tell_outcome(&serve, stranger);
    serve_tell_outcome(&serve, listed);
    assert_int_equal(notes, 1);
    assert_int_equal(results, 1);

    for (unsigned i = 0; i < TOLD_MAX; i++)
        is_told(listed);
    assert_false(is_told(listed));
    ota_fail(&failure, OTA_E_LOST, "its download broke off");
    serve_settle(&serve, listed, OTA_PHASE_TRANSFER, &failure);
    assert_int_equal(results, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_progress_is_free),
        TEST(test_progress_of_counted),
        TEST(test_ends_of_strangers),
        TEST(test_ends_of_talkers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
