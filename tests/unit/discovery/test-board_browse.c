/*
 * test-board_browse.c: the end of a search for boards, and its result. The test answers in place of
 * mdns_client.c, in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/diag.h"
#include "base/loop.h"
#include "discovery/board_browse.h"
#include "net/source.h"
#include "support/capture.h"
#include "support/search_wraps.h"
#include "support/virtual_time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t S = 1000000;

static struct world {
    mdns_client_answer_fn *on_answer; /* NULL: no question is pending */
    void *answer_userdata;
    bool refuse_mdns, free_when_done, is_silent, is_further, is_offline;
    unsigned services; /* a set; 0: all */
    size_t canceled, done;
    char plain[128]; /* when there was a plain query, in milliseconds */
    struct board_browse *browse;
    const char *rivals[3]; /* addresses of the board, and of others with its name */
    alive_done_fn *on_alive;
    void *alive_userdata;
    size_t count;
    char first[MDNS_INSTANCE_MAX];
    struct ota_failure failure;
} world;

bool __wrap_mdns_client_has_answered(const struct mdns_client *mdns);
bool __wrap_networks_is_offline(void);

bool __wrap_networks_is_offline(void)
{
    return world.is_offline;
}

/* The real function reads the interfaces of this computer. */
ssize_t __wrap_claims_find_rivals(struct address rivals[CLAIMS_MAX], const struct claims *claims)
{
    ssize_t count = 0;

    (void)claims;
    while (count < 3 && world.rivals[count]) {
        assert_true(address_parse(&rivals[count], world.rivals[count]));
        count++;
    }
    return count;
}

struct alive *__wrap_alive_start(struct loop *loop, const struct address *addresses, size_t count,
                                 const struct source *source, alive_done_fn *done, void *userdata)
{
    (void)loop;
    (void)addresses;
    (void)count;
    (void)source;
    world.on_alive = done;
    world.alive_userdata = userdata;
    return (struct alive *)&world;
}

void __wrap_alive_free(struct alive *alive)
{
    if (alive)
        assert_ptr_equal(alive, &world);
}

void __wrap_plain_query_send(enum service service)
{
    const size_t length = strlen(world.plain);

    assert_int_equal(service, SERVICE_ARDUINO);
    snprintf(world.plain + length, sizeof world.plain - length, "%d ",
             (int)(virtual_time.now_us / 1000));
}

struct mdns_query *__wrap_mdns_client_ask(struct mdns_client *mdns, enum mdns_kind kind,
                                          unsigned services, const char *name,
                                          mdns_client_answer_fn *on_answer, void *userdata)
{
    assert_null(mdns);
    assert_int_equal(kind, MDNS_BOARDS);
    assert_int_equal(services, world.services ? world.services : SERVICES_ALL);
    assert_string_equal(name, "");
    if (world.refuse_mdns)
        return NULL;

    world.on_answer = on_answer;
    world.answer_userdata = userdata;
    return (struct mdns_query *)&world;
}

void __wrap_mdns_client_cancel(struct mdns_query *query)
{
    assert_ptr_equal(query, &world);
    assert_non_null(world.on_answer);
    world.on_answer = NULL;
    world.canceled++;
}

bool __wrap_mdns_client_has_answered(const struct mdns_client *mdns)
{
    assert_null(mdns);
    return !world.is_silent;
}

static void on_browse_done(const struct board_list *boards, const struct ota_failure *failure,
                           void *userdata)
{
    assert_ptr_equal(userdata, &world);

    world.done++;
    world.count = boards->count;
    if (boards->count)
        snprintf(world.first, sizeof world.first, "%s", boards->items[0]->instance);
    if (failure)
        world.failure = *failure;
    if (world.free_when_done) {
        board_browse_free(world.browse);
        world.browse = NULL;
    }
}

static void start_browse(struct world settings)
{
    world = settings;
    virtual_time_reset(0);

    const struct board_browse_config config = {.loop = virtual_time_loop(),
                                               .services = settings.services ? settings.services
                                                                             : SERVICES_ALL,
                                               .timeout_us = 10 * S,
                                               .is_further = settings.is_further,
                                               .source = &source_any,
                                               .on_done = on_browse_done,
                                               .userdata = &world};
    world.browse = board_browse_start(&config);
}

static void stop_browse(void)
{
    board_browse_free(world.browse);
    assert_true(virtual_time.due_us < 0);
    assert_null(world.on_answer);
}

static void send_answer(enum mdns_event event, const char *instance, const char *reason)
{
    struct mdns_answer answer = {.event = event};
    mdns_client_answer_fn *on_answer = world.on_answer;

    snprintf(answer.instance, sizeof answer.instance, "%s", instance);
    snprintf(answer.reason, sizeof answer.reason, "%s", reason);
    assert_non_null(on_answer);
    if (event != MDNS_FOUND)
        world.on_answer = NULL;
    on_answer(&answer, world.answer_userdata);
}

/* Lets all of the time pass. */
static void elapse(void)
{
    for (size_t i = 0; i < 10 && !world.done; i++)
        virtual_time_fire();
    assert_int_equal(virtual_time.now_us, 10 * S);
}

static void test_everything_has_come(void **state)
{
    (void)state;

    start_browse((struct world){0});
    send_answer(MDNS_FOUND, "b", "");
    send_answer(MDNS_FOUND, "a", "");
    send_answer(MDNS_FOUND, "b", "");
    assert_int_equal(world.done, 0);
    send_answer(MDNS_END, "", "");
    assert_int_equal(world.done, 1);
    assert_int_equal(world.count, 2);
    assert_string_equal(world.first, "a");
    assert_int_equal(world.failure.error, OTA_OK);
    stop_browse();
    assert_int_equal(world.canceled, 0);
}

static void test_no_boards(void **state)
{
    (void)state;

    start_browse((struct world){0});
    virtual_time.now_us = 3 * S / 2;
    send_answer(MDNS_END, "", "");
    assert_int_equal(world.done, 1);
    assert_int_equal(world.failure.error, OTA_E_NOT_FOUND);
    assert_string_equal(world.failure.message, "no board announces itself in this network "
                                               "(multicast DNS was asked for 1.5 s)");
    assert_int_equal(world.failure.cause, OTA_CAUSE_NO_BOARDS);
    stop_browse();
}

static void test_no_network(void **state)
{
    (void)state;

    start_browse((struct world){.is_offline = true});
    virtual_time.now_us = S;
    send_answer(MDNS_END, "", "");
    assert_int_equal(world.failure.error, OTA_E_NOT_FOUND);
    assert_int_equal(world.failure.cause, OTA_CAUSE_NO_NETWORK);
    assert_string_equal(world.failure.message,
                        "no board announces itself (multicast DNS was asked for 1.0 s): "
                        "this computer is in no network, as no interface but lo is up and has an "
                        "address");
    stop_browse();
}

static void test_no_boards_with_this_service(void **state)
{
    (void)state;

    start_browse((struct world){.services = SERVICES_ARDUINO});
    virtual_time.now_us = S;
    send_answer(MDNS_END, "", "");
    assert_string_equal(world.failure.message,
                        "no board announces ArduinoOTA or a sketch server in this network "
                        "(multicast DNS was asked for 1.0 s)");
    stop_browse();
}

static void test_browse_deadline(void **state)
{
    (void)state;

    for (int has_board = 0; has_board < 2; has_board++) {
        start_browse((struct world){0});
        if (has_board)
            send_answer(MDNS_FOUND, "a", "");
        elapse();
        assert_int_equal(world.done, 1);
        assert_int_equal(world.count, has_board);
        assert_int_equal(world.failure.error, has_board ? OTA_OK : OTA_E_NOT_FOUND);
        stop_browse();
        assert_int_equal(world.canceled, 1);
    }
}

/* The time is over before avahi-daemon has answered: that is not a network without boards. */
static void test_deadline_before_an_answer(void **state)
{
    (void)state;

    start_browse((struct world){.is_silent = true});
    elapse();
    assert_int_equal(world.done, 1);
    assert_int_equal(world.failure.error, OTA_E_NO_MDNS);
    assert_string_equal(world.failure.message,
                        "cannot look for boards: multicast DNS cannot be asked (avahi-daemon or "
                        "the D-Bus system bus has not answered in 10 s, the limit of -t)");
    stop_browse();
    assert_int_equal(world.canceled, 1);
}

/* As long as a board of this service is known by its name only. */
static void test_plain_query(void **state)
{
    struct mdns_answer answer = {.event = MDNS_FOUND, .instance = "mkr", .host = "mkr.local"};

    (void)state;
    start_browse((struct world){0});
    elapse();
    assert_string_equal(world.plain, "");
    stop_browse();

    start_browse((struct world){0});
    send_answer(MDNS_FOUND, "mkr", "");
    elapse();
    assert_string_equal(world.plain, "500 2000 3500 5000 6500 8000 9500 ");
    stop_browse();

    start_browse((struct world){0});
    send_answer(MDNS_FOUND, "mkr", "");
    virtual_time_fire();
    world.on_answer(&answer, world.answer_userdata);
    elapse();
    assert_string_equal(world.plain, "500 ");
    stop_browse();

    start_browse((struct world){0});
    answer = (struct mdns_answer){.event = MDNS_FOUND, .service = SERVICE_ESPHOME, .instance = "x"};
    world.on_answer(&answer, world.answer_userdata);
    elapse();
    assert_string_equal(world.plain, "");
    stop_browse();
}

/* avahi-daemon cannot remember more boards, so the list may be incomplete. */
static void test_crowd(void **state)
{
    static struct capture capture;
    static const struct {
        size_t count;
        bool is_cut_short;
        bool is_further;
        const char *said;
    } rows[] = {
        {1024, false, false, ""},
        {1024, true, true, ""},
        {1025, true, true, ""},
        {1024, true, false,
         "esp-ota: warning: after 10.0 s not all boards have been heard (-t gives them more "
         "time)\n"},
        {1025, false, false,
         "esp-ota: warning: after 0.000 s 0 of 1025 boards have answered, and more may exist: "
         "avahi-daemon remembers at most 4096 records of a network, which 1024 boards fill; name "
         "boards with --hosts, or split the network\n"},
        {1025, true, false,
         "esp-ota: warning: after 10.0 s 0 of 1025 boards have answered, and more may exist: "
         "avahi-daemon remembers at most 4096 records of a network, which 1024 boards fill; name "
         "boards with --hosts, or split the network\n"},
    };

    (void)state;
    diag_set_level(DIAG_LEVEL_ERROR); /* -q */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_browse((struct world){.is_further = rows[i].is_further});
        for (size_t j = 0; j < rows[i].count; j++) {
            char name[24];
            snprintf(name, sizeof name, "%zu", j);
            send_answer(MDNS_FOUND, name, "");
        }
        capture_begin(&capture);
        if (rows[i].is_cut_short)
            elapse();
        else
            send_answer(MDNS_END, "", "");
        capture_end(&capture);
        assert_string_equal(capture.text_err, rows[i].said);
        assert_int_equal(world.done, 1);
        assert_int_equal(world.count, rows[i].count);
        assert_int_equal(world.failure.error, OTA_OK);
        stop_browse();
    }
    diag_set_level(DIAG_LEVEL_ERROR);
}

/* Under starvation, a board may be among them. */
static void test_unheard(void **state)
{
    static struct capture capture;

    (void)state;
    for (unsigned unheard = 0; unheard < 3; unheard += 2) {
        const struct mdns_answer end = {.event = MDNS_END, .unheard = unheard};

        start_browse((struct world){0});
        send_answer(MDNS_FOUND, "a", "");
        mdns_client_answer_fn *on_answer = world.on_answer;
        world.on_answer = NULL;
        capture_begin(&capture);
        on_answer(&end, world.answer_userdata);
        capture_end(&capture);
        assert_string_equal(capture.text_err,
                            unheard ? "2 of the web servers that announce themselves did not "
                                      "answer; a board with Tasmota that is busy may be missing\n"
                                    : "");
        assert_int_equal(world.failure.error, OTA_OK);
        stop_browse();
    }
}

static void test_unavailable(void **state)
{
    (void)state;

    for (int has_board = 0; has_board < 2; has_board++) {
        start_browse((struct world){0});
        if (has_board)
            send_answer(MDNS_FOUND, "a", "");
        send_answer(MDNS_UNAVAILABLE, "", "no bus");
        assert_int_equal(world.done, 1);
        assert_int_equal(world.count, has_board);
        assert_int_equal(world.failure.error, OTA_E_NO_MDNS);
        assert_non_null(strstr(world.failure.message,
                               has_board ? "some boards may be missing: multicast DNS cannot "
                                           "be asked (no bus)"
                                         : "cannot look for boards: multicast DNS cannot be "
                                           "asked (no bus)"));
        stop_browse();
    }
}

static void test_lack(void **state)
{
    const struct mdns_answer answer = {.event = MDNS_UNAVAILABLE,
                                       .reason = "Resource temporarily unavailable",
                                       .is_local = true,
                                       .lack = OTA_CAUSE_TOO_MANY_PROCESSES};

    (void)state;

    start_browse((struct world){0});
    mdns_client_answer_fn *on_answer = world.on_answer;
    world.on_answer = NULL;
    on_answer(&answer, world.answer_userdata);
    assert_int_equal(world.failure.error, OTA_E_INTERNAL);
    assert_int_equal(world.failure.cause, OTA_CAUSE_TOO_MANY_PROCESSES);
    stop_browse();
}

/* The list shows what is known, but is no success. */
static void test_boards_of_one_name(void **state)
{
    static const struct {
        bool is_alive[3];
        int shortage;
        size_t count;
    } rows[] = {
        {{true, true, false}, 0, 2},
        {{true, false, false}, 0, 1},
        {{true, true, false}, EMFILE, 2},
        {{true, false, false}, EMFILE, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_browse((struct world){.rivals = {"10.0.0.7", "10.0.0.8", "10.0.0.9"}});
        send_answer(MDNS_FOUND, "a", "");
        send_answer(MDNS_END, "", "");
        assert_int_equal(world.done, 0);
        world.on_alive(rows[i].is_alive, rows[i].shortage, world.alive_userdata);
        assert_int_equal(world.done, 1);
        assert_int_equal(world.count, rows[i].count);
        assert_int_equal(world.failure.error, rows[i].shortage ? OTA_E_INTERNAL : OTA_OK);
        if (rows[i].shortage)
            assert_string_equal(world.failure.message,
                                "boards of one name cannot be told apart: Too many open files");
        stop_browse();
    }
}

static void test_freed(void **state)
{
    (void)state;

    start_browse((struct world){0});
    send_answer(MDNS_FOUND, "a", "");
    stop_browse();
    assert_int_equal(world.canceled, 1);
    assert_int_equal(world.done, 0);
    start_browse((struct world){.free_when_done = true});
    send_answer(MDNS_END, "", "");
    assert_null(world.browse);
    start_browse((struct world){.free_when_done = true});
    elapse();
    assert_null(world.browse);
    stop_browse();
}

static void test_browse_no_memory(void **state)
{
    (void)state;
    start_browse((struct world){.refuse_mdns = true});
    assert_null(world.browse);
    stop_browse();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_has_come),
        cmocka_unit_test(test_no_boards),
        cmocka_unit_test(test_no_network),
        cmocka_unit_test(test_no_boards_with_this_service),
        cmocka_unit_test(test_browse_deadline),
        cmocka_unit_test(test_deadline_before_an_answer),
        cmocka_unit_test(test_plain_query),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_unheard),
        cmocka_unit_test(test_unavailable),
        cmocka_unit_test(test_lack),
        cmocka_unit_test(test_boards_of_one_name),
        cmocka_unit_test(test_freed),
        cmocka_unit_test(test_browse_no_memory),
    };

    diag_set_level(DIAG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
