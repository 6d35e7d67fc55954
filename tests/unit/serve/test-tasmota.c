/*
 * test-tasmota.c: a board that is told to fetch, in virtual time: how long its slot is kept, and
 * which firmware proves that it runs the image. The test plays the board, its commands included.
 */
#include "serve/tasmota_internal.h"

#include "base/error.h"
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
    const char *firmware;      /* that the board runs, in JSON */
    bool is_ordered;
    enum ota_phase phase;   /* of the outcome */
    struct tasmota *asking; /* it waits for the reply to a command */
    char body[2 * TASMOTA_URL_MAX];
    resolver_done_fn *on_resolved;
    void *userdata;
    unsigned ended;             /* downloads, by the server */
    unsigned cut_notes;         /* that its name has more addresses */
    unsigned twin_notes;        /* that another board has its MAC */
    struct book_board *left_to; /* the board that is the same one; NULL: none is */
    const char *network;        /* what it says to Status 5 */
    bool is_refused;            /* it must not be told */
    bool is_done;
    struct ota_failure outcome;
} world;

struct http_client *__wrap_http_client_new(struct loop *loop, struct ota_failure *failure);
void __wrap_http_client_free(struct http_client *client);
void __wrap_tasmota_ask(struct tasmota *tasmota, const char *name, const char *value,
                        tasmota_reply_fn *on_reply, tasmota_lost_fn *on_lost);

struct resolver *__wrap_resolver_start(const struct resolver_config *config)
{
    assert_ptr_equal(config->loop, virtual_time_loop());
    world.on_resolved = config->on_done;
    world.userdata = config->userdata;
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
    } else if (strcmp(value, "5") == 0) {
        snprintf(world.body, sizeof world.body, "%s", world.network);
    } else {
        snprintf(world.body, sizeof world.body, "{\"StatusFWR\":{\"Version\":%s}}", world.firmware);
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
    world.twin_notes +=
        strcmp(message, "tells the same MAC as lamp, and is told after that one") == 0;
    world.cut_notes += strcmp(message, "its name has more addresses than a board can have; only "
                                       "8 are tried") == 0;
}

static void on_basic(struct book_board *board, void *userdata)
{
    (void)board;
    (void)userdata;
    fail();
}

static void on_unasked(struct book_board *board, void *userdata)
{
    (void)board;
    (void)userdata;
    fail();
}

static bool on_found(struct book_board *board, const char *host, struct ota_failure *failure,
                     void *userdata)
{
    (void)userdata;
    assert_true(board->has_page);
    assert_string_equal(host, "lamp.local");
    if (world.is_refused)
        ota_fail(failure, OTA_E_AMBIGUOUS, "has the address");
    return !world.is_refused;
}

static void on_same(struct book_board *board, struct book_board *same, void *userdata)
{
    (void)userdata;
    book_join(board, same);
    book_skip(board);
    world.left_to = same;
}

static void on_done(struct book_board *board, enum ota_phase phase,
                    const struct ota_failure *failure, void *userdata)
{
    (void)board;
    (void)userdata;
    world.phase = phase;
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

/* Where the boards are. */
static struct address home(void)
{
    struct address address;

    assert_true(address_parse(&address, "10.0.0.7"));
    return address;
}

/* A board of the book, and its page, which is not asked yet. */
static struct book_board *begin(void)
{
    static const struct target target = {.port = 80};
    static uint8_t data[] = "built at 12:00:00";
    static const struct image image = {.data = data, .size = sizeof data};
    static struct tasmotas_config config = {.on_note = on_note,
                                            .on_basic = on_basic,
                                            .on_unasked = on_unasked,
                                            .on_found = on_found,
                                            .on_same = on_same,
                                            .on_done = on_done,
                                            .on_all_done = on_all_done,
                                            .on_late = on_late,
                                            .book = &world.book,
                                            .rules = {.downloads_max = 1},
                                            .reply_us = SECONDS(10),
                                            .fetch_us = SECONDS(90)};
    struct ota_failure failure;

    memset(&world, 0, sizeof world);
    world.network = "{\"Command\":\"Unknown\"}"; /* an old Tasmota */
    snprintf(world.url, sizeof world.url, "%s", OLD);
    world.firmware = "\"1.0\",\"Hardware\":\"ESP8266EX\"";
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
    return board;
}

static void end(void)
{
    tasmotas_free(world.all);
    book_free(&world.book);
}

static void start(void)
{
    struct address at;

    assert_true(address_parse(&at, "10.0.0.1"));
    address_set_port(&at, 8080);
    tasmotas_start(world.all, &at);
}

static void resolve(bool is_cut)
{
    const struct resolution resolution = {
        .count = 1, .is_cut = is_cut, .addresses = {home()}, .host = "lamp.local"};

    world.on_resolved(&resolution, NULL, world.userdata);
}

/* Asks it, up to the order, unless that does not come. */
static void ask(bool is_cut)
{
    start();
    resolve(is_cut);
    while (world.asking && !world.is_ordered)
        answer_command();
}

static struct book_board *tell_board(bool is_cut)
{
    struct book_board *board = begin();

    ask(is_cut);
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

    answer_command();
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
    assert_int_equal(world.phase, OTA_PHASE_TRANSFER);
    assert_int_equal(world.outcome.error, OTA_E_LOST);
    assert_string_equal(world.outcome.message,
                        "its download was not over an hour after the order, and was ended");
    assert_string_equal(world.url, OLD);
    end();
}

static void run_to_the_end(void)
{
    while (!world.is_done)
        if (world.asking)
            answer_command();
        else
            virtual_time_fire();
}

/* It asks for the image before its reply to the order has been read, or in place of that. */
static void test_asks_before_its_reply(void **state)
{
    (void)state;
    for (int is_lost = 0; is_lost < 2; is_lost++) {
        struct book_board *board = tell_board(false);

        ask_for_image(board);
        book_note_end(board, false, loop_now_us());
        if (is_lost) {
            struct tasmota *tasmota = world.asking;
            const struct ota_failure failure = {.error = OTA_E_LOST};

            world.asking = NULL;
            tasmota->on_lost(tasmota, &failure);
        }
        run_to_the_end();
        assert_int_equal(world.outcome.error, OTA_E_LOST);
        assert_string_equal(world.outcome.message, "its download broke off");
        end();
    }
}

static void take_image(struct book_board *board)
{
    ask_for_image(board);
    book_note_end(board, true, loop_now_us());
}

/* Tells the board, and fetches once it is told. */
static void run_steps(struct book_board *board, int steps)
{
    for (int i = 0; i < steps && !world.is_done; i++)
        if (i == 0) {
            start();
        } else if (i == 1) {
            resolve(false);
        } else if (world.is_ordered && !world.asking && board->state == BOOK_SILENT) {
            take_image(board);
            world.firmware = "\"1.1\"";
        } else if (world.asking) {
            answer_command();
        } else {
            virtual_time_fire();
        }
}

/* The server ends after any step; before it, the board may have fetched by itself. Then the board
 * is done, or it goes on, and is done half a minute later at most. */
static void test_end_after_each_step(void **state)
{
    (void)state;
    for (int has_fetched = 0; has_fetched <= 1; has_fetched++) {
        bool is_over = false;

        for (int steps = 0; !is_over; steps++) {
            struct book_board *board = begin();
            const struct tasmota *tasmota = world.all->list[0];

            run_steps(board, steps);
            is_over = world.is_done;
            if (has_fetched && !is_over)
                take_image(board);
            const int64_t last_us = loop_now_us() + SECONDS(31);
            const bool goes_on = tasmotas_end(world.all);

            assert_int_equal(goes_on, !tasmota->is_done);
            assert_int_equal(goes_on, !is_over && tasmota->has_our_url);
            if (goes_on) {
                assert_true(world.asking || virtual_time.due_us >= 0);
                run_to_the_end();
            }
            assert_true(loop_now_us() <= last_us);
            assert_string_equal(world.url, OLD);
            end();
        }
    }
}

/* The server ends before the reply to the order: the board is not waited for as long as it may
 * take to ask. */
static void test_end_before_its_reply(void **state)
{
    struct book_board *board = tell_board(false);
    const int64_t start_us = loop_now_us();
    (void)board;
    (void)state;

    assert_true(tasmotas_end(world.all));
    run_to_the_end();
    assert_int_equal(world.outcome.error, OTA_E_NEVER_ASKED);
    assert_int_equal(world.outcome.cause, OTA_CAUSE_ONLY_TOLD);
    assert_string_equal(world.url, OLD);
    assert_true(loop_now_us() - start_us < SECONDS(30));
    end();
}

/* The server ends after the order to a board without an OtaUrl, which needs none back: it was told,
 * whether or not its reply has come. */
static void test_end_without_old_url(void **state)
{
    (void)state;
    for (int has_reply = 0; has_reply < 2; has_reply++) {
        begin();
        *world.url = '\0';
        ask(false);
        assert_true(world.is_ordered);
        if (has_reply)
            answer_command();

        assert_false(tasmotas_end(world.all));
        assert_int_equal(world.phase, OTA_PHASE_TRANSFER);
        assert_int_equal(world.outcome.error, OTA_E_NEVER_ASKED);
        assert_int_equal(world.outcome.cause, OTA_CAUSE_ONLY_TOLD);
        end();
    }
}

/* Another line of the list is the same board, by its address or its MAC. If that one has confirmed,
 * this one is not told. A MAC may be a lie, so it counts for no board that was seen elsewhere,
 * unless that demands another image. */
static void test_same_board(void **state)
{
    static const struct {
        bool has_mac, has_home, is_told, has_asked, has_other_image;
        enum book_state state;
        bool is_left, is_other_left;
    } rows[] = {
        {false, true, false, false, false, BOOK_CONFIRMED, true, false},
        {true, false, false, false, false, BOOK_CONFIRMED, true, false},
        {true, false, false, true, false, BOOK_CONFIRMED, false, false},
        {true, false, false, true, true, BOOK_CONFIRMED, true, false},
        {true, false, true, false, false, BOOK_FETCHING, false, false},
        {true, false, true, false, true, BOOK_FETCHING, true, false},
        {true, false, false, false, false, BOOK_SILENT, false, false},
        {true, false, false, true, false, BOOK_FETCHING, false, false},
        {true, false, false, true, true, BOOK_FETCHING, true, false},
        {true, false, false, false, true, BOOK_SILENT, false, true},
        {false, false, false, false, false, BOOK_CONFIRMED, false, false},
    };
    const struct address address = home();
    struct address elsewhere;
    struct mac mac;
    (void)state;

    assert_true(mac_parse(&mac, "5C:CF:7F:00:00:01"));
    assert_true(address_parse(&elsewhere, "10.0.0.8"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct book_board *board = begin(), *other = book_add(&world.book, "other");

        world.network = "{\"StatusNET\":{\"Mac\":\"5C:CF:7F:00:00:01\"}}";
        assert_true(book_list(other, rows[i].has_mac ? &mac : NULL));
        if (rows[i].has_home)
            book_set_home(other, &address);
        other->is_told = rows[i].is_told;
        if (rows[i].has_asked)
            book_note_request(other, &(struct fetcher){.family = 0}, &elsewhere, PROOF_NONE, 3, 1);
        if (rows[i].has_other_image)
            other->offer = (const struct offer *)&world;
        book_set_state(other, rows[i].state);
        ask(false);

        assert_int_equal(world.is_ordered, !rows[i].is_left);
        assert_ptr_equal(world.left_to, rows[i].is_left         ? other
                                        : rows[i].is_other_left ? board
                                                                : NULL);
        assert_int_equal(world.is_done, rows[i].is_left);
        assert_ptr_equal(book_find_mac(&world.book, &mac), rows[i].is_other_left ? board
                                                           : rows[i].has_mac     ? other
                                                           : rows[i].is_left     ? NULL
                                                                                 : board);
        assert_int_equal(board->has_page_mac, !rows[i].is_left);
        end();
    }
}

/* Another line that is told, and has its turn. */
static struct tasmota *add_twin(const char *name)
{
    struct tasmota_order order = world.all->list[0]->order;

    order.board = book_add(&world.book, name);
    assert_true(book_list(order.board, NULL));
    order.board->is_told = true;
    assert_true(tasmotas_add(world.all, &order));
    return world.all->list[world.all->count - 1];
}

static const struct mac twin_mac = {{0x5c, 0xcf, 0x7f, 0, 0, 1}};
static const char twin_network[] = "{\"StatusNET\":{\"Mac\":\"5C:CF:7F:00:00:01\"}}";

/* Two pages tell one MAC: one board at two addresses, or a lie. The second one is told once the
 * first has ended, unless it runs the new firmware then. */
static void test_twins(void **state)
{
    (void)state;
    for (int is_one_board = 0; is_one_board <= 1; is_one_board++) {
        struct book_board *board = begin();
        struct tasmota *first = world.all->list[0];

        add_twin("twin");
        first->is_started = true; /* elsewhere */
        first->rank = world.all->ranks = 1;
        book_set_mac(board, &twin_mac);
        world.all->config.rules.downloads_max = 2;
        world.network = twin_network;
        ask(false);
        for (int i = 0; i < 100; i++)
            virtual_time_fire();
        assert_null(world.asking);
        assert_int_equal(world.twin_notes, 1);

        first->is_done = true;
        if (is_one_board)
            world.firmware = "\"1.1\",\"Hardware\":\"ESP8266EX\"";
        virtual_time_fire();
        answer_command();
        while (world.asking && !world.is_ordered)
            answer_command();
        assert_int_equal(world.is_ordered, !is_one_board);
        assert_ptr_equal(world.left_to, is_one_board ? board : NULL);
        end();
    }
}

/* One that gets its turn only later, or is not asked yet, has this MAC by a request, which may be a
 * lie. Of several the last is waited for, as it waits for those before. */
static void test_waits_only_for_earlier_twins(void **state)
{
    static const struct {
        unsigned ranks[2];
        bool has_page_mac, is_done;
        int awaited; /* -1: none */
    } rows[] = {
        {{0, 0}, false, false, -1}, {{1, 0}, false, false, 0}, {{1, 0}, true, false, 0},
        {{1, 0}, false, true, -1},  {{1, 2}, true, false, 1},  {{2, 1}, true, false, 0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin();
        add_twin("twin");
        struct tasmota *last = add_twin("last");

        for (int k = 0; k < 2; k++) {
            struct tasmota *twin = world.all->list[k];

            twin->is_started = true;
            twin->is_done = rows[i].is_done;
            twin->rank = rows[i].ranks[k];
            world.all->ranks += twin->rank != 0;
            if (rows[i].has_page_mac)
                book_set_mac(twin->order.board, &twin_mac);
            else if (k == 0)
                book_note_request(twin->order.board,
                                  &(struct fetcher){.has_mac = true, .mac = twin_mac},
                                  &(struct address){0}, PROOF_OTHER, 3, loop_now_us());
        }
        world.all->config.rules.downloads_max = 3;
        world.network = twin_network;
        ask(false);
        assert_int_equal(world.is_ordered, rows[i].awaited < 0);
        if (rows[i].awaited >= 0)
            assert_ptr_equal(last->twin, world.all->list[rows[i].awaited]);
        end();
    }
}

/* Such a board has got another image, and the MAC has a line of its own, too. */
static void test_twin_with_another_image(void **state)
{
    (void)state;
    struct book_board *board = begin(), *line = book_add(&world.book, "line");
    struct tasmota *first = world.all->list[0];

    add_twin("twin");
    assert_true(book_list(line, &twin_mac));
    first->is_started = first->is_done = true;
    first->rank = world.all->ranks = 1;
    board->offer = (const struct offer *)&world;
    book_set_mac(board, &twin_mac);
    book_set_state(board, BOOK_CONFIRMED);
    world.network = twin_network;
    ask(false);
    assert_false(world.is_ordered);
    assert_ptr_equal(world.left_to, board);
    end();
}

/* What the board would get would replace another image. */
static void test_refused(void **state)
{
    (void)state;
    begin();
    world.is_refused = true;
    ask(false);
    assert_true(world.is_done && !world.is_ordered);
    assert_int_equal(world.outcome.error, OTA_E_AMBIGUOUS);
    assert_int_equal(world.phase, OTA_PHASE_RESOLVE);
    assert_string_equal(world.url, OLD);
    end();
}

/* What it runs after it took the image. Its old OtaUrl is set unless the recovery firmware runs,
 * which would forget it. */
static void test_firmware_after_image(void **state)
{
    static const struct {
        const char *firmware;
        enum ota_error error;
        enum ota_cause cause;
        const char *message, *url;
    } rows[] = {
        {"\"1.1\",\"BuildDateTime\":\"2026-11-02T12:00:00\"", OTA_OK, OTA_CAUSE_NONE,
         "it runs 1.1 of 2026-11-02T12:00:00 now (before: 1.0)", OLD},
        {"\"1.1\"", OTA_OK, OTA_CAUSE_NONE, "it runs 1.1 now (before: 1.0)", OLD},
        {"\"1.1\",\"BuildDateTime\":\"2026-11-02T12:34:56\"", OTA_E_NOT_RETURNED,
         OTA_CAUSE_OTHER_IMAGE,
         "it took the image, but runs 1.1 of 2026-11-02T12:34:56, and the image is another version",
         OLD},
        {"\"1.1(safeboot)\",\"BuildDateTime\":\"2026-11-02T08:00:00\"", OTA_E_NOT_RETURNED,
         OTA_CAUSE_RECOVERY, "it took the image, but is still in its safeboot firmware after 90 s",
         NULL},
        {"\"1.1(release-safeboot)\"", OTA_E_NOT_RETURNED, OTA_CAUSE_RECOVERY,
         "it took the image, but is still in its safeboot firmware after 90 s", NULL},
        {"\"1.1(release-safeboot)\",\"BuildDateTime\":\"2026-11-02T12:00:00\"", OTA_OK,
         OTA_CAUSE_NONE, "it runs 1.1(release-safeboot) of 2026-11-02T12:00:00 now (before: 1.0)",
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct book_board *board = tell_board(false);

        ask_for_image(board);
        book_note_end(board, true, loop_now_us());
        world.firmware = rows[i].firmware;
        while (!world.is_done)
            if (world.asking)
                answer_command();
            else
                virtual_time_fire();

        assert_int_equal(world.phase, OTA_PHASE_PROOF);
        assert_int_equal(world.outcome.error, rows[i].error);
        assert_int_equal(world.outcome.cause, rows[i].cause);
        assert_string_equal(world.outcome.message, rows[i].message);
        if (rows[i].url)
            assert_string_equal(world.url, rows[i].url);
        else
            assert_string_not_equal(world.url, OLD);
        end();
    }
}

/* The server ends before the board is back. What is said is how long it was waited for. */
static void test_end_before_its_return(void **state)
{
    (void)state;
    struct book_board *board = tell_board(false);

    ask_for_image(board);
    book_note_end(board, true, loop_now_us());
    world.firmware = "\"1.0\",\"Hardware\":\"ESP8266EX\"";
    for (const int64_t start_us = loop_now_us(); loop_now_us() - start_us < SECONDS(40);)
        if (world.asking)
            answer_command();
        else
            virtual_time_fire();
    assert_true(tasmotas_end(world.all));
    run_to_the_end();
    assert_int_equal(world.outcome.error, OTA_E_NOT_RETURNED);
    assert_string_equal(world.outcome.message, "it took the image, but still runs 1.0 after 70 s");
    end();
}

static void test_too_many_addresses(void **state)
{
    (void)state;
    for (int is_cut = 0; is_cut < 2; is_cut++) {
        tell_board(is_cut);
        assert_int_equal(world.cut_notes, is_cut);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_downloads),
        cmocka_unit_test(test_asks_before_its_reply),
        cmocka_unit_test(test_end_before_its_reply),
        cmocka_unit_test(test_end_without_old_url),
        cmocka_unit_test(test_end_after_each_step),
        cmocka_unit_test(test_same_board),
        cmocka_unit_test(test_twins),
        cmocka_unit_test(test_waits_only_for_earlier_twins),
        cmocka_unit_test(test_twin_with_another_image),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_firmware_after_image),
        cmocka_unit_test(test_too_many_addresses),
        cmocka_unit_test(test_end_before_its_return),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
