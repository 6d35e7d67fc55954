/*
 * test-mdns_worker.c: questions to an Avahi that is played by the test (fake_avahi.h): the
 * searches, their limits and lifetimes, the answers, and restarts of the daemon.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discovery/mdns_worker.h"
#include "support/fake_avahi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNNING_MAX = 32, SHARED_MAX = 16, BOARDS_MAX = 8192, LOG_MAX = 4096 };

/* The answers of mdns_worker.c. */
static struct world {
    struct mdns_worker *worker;
    size_t found, seen, ends, unavailable, lost;
    bool is_local;       /* of the last answer that was unavailable */
    enum ota_cause lack; /* likewise */
    int lost_lack;       /* of the loss */
    char log[LOG_MAX];   /* "a seen; a a.local 10.0.0.1 3232 x 0; end; " */
    char reason[MDNS_REASON_MAX], last_reason[MDNS_REASON_MAX];
} world;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
    size_t length = strlen(world.log);

    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world.log + length, sizeof world.log - length, format, arguments);
    va_end(arguments);
}

static void on_worker_answer(uint32_t id, const struct mdns_answer *answer, void *userdata)
{
    char address[ADDRESS_TEXT_MAX] = "-";

    assert_ptr_equal(userdata, &world);
    assert_int_equal(id, 7);
    switch (answer->event) {
    case MDNS_END:
        world.ends++;
        if (answer->unheard)
            note("end, %u unheard; ", answer->unheard);
        else
            note("end; ");
        return;

    case MDNS_UNAVAILABLE:
        world.unavailable++;
        world.is_local = answer->is_local;
        world.lack = answer->lack;
        snprintf(world.last_reason, sizeof world.last_reason, "%s", answer->reason);
        note("unavailable: %s; ", answer->reason);
        return;

    case MDNS_FOUND:
        break;
    }
    world.found++;
    if (!answer->host[0]) {
        world.seen++;
        note("%s seen; ", answer->instance);
        return;
    }
    if (answer->has_address)
        address_text(address, &answer->address);
    note("%s %s %s %u %s %d", answer->instance, answer->host, address, answer->port, answer->type,
         answer->password);
    if (answer->service != SERVICE_ARDUINO)
        note(" by %d", answer->service);
    note("; ");
}

static void on_lost(const char *reason, int lack, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    world.lost++;
    world.lost_lack = lack;
    snprintf(world.reason, sizeof world.reason, "%s", reason);
}

static int set_up_mdns_worker(void **state)
{
    (void)state;
    fake_reset();
    world = (struct world){0};
    world.worker = mdns_worker_new(fake_loop(), on_worker_answer, on_lost, &world, world.reason);
    return world.worker ? 0 : -1;
}

static int tear_down_mdns_worker(void **state)
{
    (void)state;
    mdns_worker_free(world.worker);
    fake_assert_all_freed();
    return 0;
}

static void ask_for_boards(void)
{
    mdns_worker_ask(world.worker, 7, MDNS_BOARDS, SERVICES_ARDUINO, "");
}

/* A question about changes says at once that it watches, and never ends by itself. */
static void test_worker_changes(void **state)
{
    (void)state;

    mdns_worker_ask(world.worker, 7, MDNS_CHANGES, SERVICES_ARDUINO, "");
    assert_string_equal(world.log, " seen; ");
    fake_browse("a");
    fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
    assert_string_equal(world.log, " seen;  seen; ");
    fake_browse("b");
    fake_browser_says(AVAHI_BROWSER_REMOVE);
    assert_int_equal(world.seen, 4);
    assert_int_equal(world.ends, 0);
    fake_browser_says(AVAHI_BROWSER_FAILURE);
    assert_int_equal(world.unavailable, 1);
}

static void test_worker_changes_canceled(void **state)
{
    (void)state;

    mdns_worker_ask(world.worker, 7, MDNS_CHANGES, SERVICES_ARDUINO, "");
    mdns_worker_cancel(world.worker, 7);
    assert_int_equal(world.found, 1);
}

/* Bytes of a host name that Avahi writes in decimal are what a person would type, but for dots,
 * backslashes and control characters. What is no byte stays as it is. */
static void test_escaped_host(void **state)
{
    static const struct {
        const char *told, *host;
    } rows[] = {{"My\\032Lamp", "My Lamp"}, {"K\\195\\188che", "K\303\274che"},
                {"a\\046b", "a\\046b"},     {"a\\092b", "a\\092b"},
                {"a\\007b", "a\\007b"},     {"a\\999b", "a\\999b"},
                {"a\\12", "a\\12"},         {"a\\.b", "a\\.b"}};
    (void)state;

    ask_for_boards();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char expected[128];

        snprintf(expected, sizeof expected, "%s %s.local 10.0.0.1 ", rows[i].told, rows[i].host);
        fake_browse(rows[i].told);
        fake_resolve(rows[i].told, "10.0.0.1", NULL);
        assert_non_null(strstr(world.log, expected));
    }
}

/* Questions about addresses share one survey of all boards. */
static void test_worker_addresses(void **state)
{
    (void)state;

    mdns_worker_ask(world.worker, 7, MDNS_ADDRESS, SERVICES_ARDUINO, "10.0.0.2");
    mdns_worker_ask(world.worker, 7, MDNS_ADDRESS, SERVICES_ARDUINO, "10.0.0.9");
    fake_browse("a");
    fake_browse("b");
    fake_resolve("a", "10.0.0.1", NULL);
    fake_resolve("b", "10.0.0.2", NULL);
    assert_string_equal(world.log, "b b.local 10.0.0.2 3232  0; ");
    mdns_worker_ask(world.worker, 7, MDNS_ADDRESS, SERVICES_ARDUINO, "10.0.0.1");
    assert_string_equal(world.log, "b b.local 10.0.0.2 3232  0; a a.local 10.0.0.1 3232  0; ");
    assert_int_equal(world.ends, 0);
    fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
    assert_int_equal(world.ends, 0);

    /* It knows both services, and each question is about one. */
    fake_browse_type("_esphomelib._tcp", "e");
    fake_resolve("e", "10.0.0.9", NULL);
    mdns_worker_ask(world.worker, 7, MDNS_ADDRESS, SERVICES_ESPHOME, "10.0.0.9");
    assert_int_equal(world.found, 3);
    assert_non_null(strstr(world.log, "e e.local 10.0.0.9"));
    fake_browser_of_says("_esphomelib._tcp", AVAHI_BROWSER_ALL_FOR_NOW);
    assert_int_equal(world.ends, 4);

    /* The survey still answers questions a moment later. */
    mdns_worker_ask(world.worker, 7, MDNS_ADDRESS, SERVICES_ARDUINO, "10.0.0.2");
    assert_int_equal(world.ends, 5);
    assert_int_equal(world.found, 4);
    assert_int_equal(fake.browsers, 2);
    assert_int_equal(fake.resolvers_made, 3);
}

/* An answer comes at once, not only at the end of the survey. */
static void test_further_address(void **state)
{
    (void)state;
    fake.keeps_records = true;
    mdns_worker_ask(world.worker, 7, MDNS_ADDRESS, SERVICES_ARDUINO, "fd00::1");
    fake_browse("a");
    fake_resolve("a", "10.0.0.1", NULL);
    fake_record("a.local", "fd00::1");
    assert_string_equal(world.log, "a a.local fd00::1 3232  0; ");
}

static void test_one_board_announced_four_times(void **state)
{
    (void)state;
    struct AvahiStringList *txt = calloc(1, sizeof *txt + 32);

    assert_non_null(txt);
    txt->size = strlen("board=\"x\"");
    memcpy(txt->text, "board=\"x\"", txt->size);
    ask_for_boards();
    for (int i = 0; i < 4; i++)
        fake_browse("a");
    assert_int_equal(fake.resolvers_made, 1);
    assert_int_equal(fake_running("a")->family, AVAHI_PROTO_UNSPEC);
    fake_browser_says(AVAHI_BROWSER_CACHE_EXHAUSTED);
    fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
    assert_false(fake.browsing);
    assert_int_equal(world.ends, 0);
    fake_resolve("a", "10.0.0.1", txt);
    assert_string_equal(world.log, "a seen; a a.local 10.0.0.1 3232 x 0; end; ");
    free(txt);
}

static AvahiStringList *make_txt(const char *text)
{
    AvahiStringList *txt = calloc(1, sizeof *txt + strlen(text));

    assert_non_null(txt);
    txt->size = strlen(text);
    memcpy(txt->text, text, txt->size);
    return txt;
}

/* Of a type that is not only boards', an instance is reported once it has said that it is one. */
static void test_services(void **state)
{
    AvahiStringList *tasmota = make_txt("devicetype=tasmota");

    (void)state;
    mdns_worker_ask(world.worker, 7, MDNS_BOARDS, SERVICES_ALL, "");
    assert_int_equal(fake.browsing, SERVICE_COUNT);

    fake_browse("a");
    fake_browse_type("_wled._tcp", "b");
    fake_browse_type("_http._tcp", "printer");
    fake_browse_type("_http._tcp", "c");
    assert_string_equal(fake_running("b")->type, "_wled._tcp");
    assert_string_equal(fake_running("c")->type, "_http._tcp");

    fake_resolve("b", "10.0.0.2", NULL);
    fake_resolve("printer", "10.0.0.9", NULL);
    fake_resolve("c", "10.0.0.3", tasmota);
    fake_resolve("a", "10.0.0.1", NULL);
    for (int i = 0; i < SERVICE_COUNT; i++) {
        assert_int_equal(world.ends, 0);
        fake_browser_of_says(service_type((enum service)i), AVAHI_BROWSER_ALL_FOR_NOW);
    }
    assert_string_equal(world.log, "a seen; b seen; b b.local 10.0.0.2 3232  0 by 1; "
                                   "c c.local 10.0.0.3 3232  0 by 2; a a.local 10.0.0.1 3232  0; "
                                   "end; ");
    free(tasmota);
}

/* One name with two services is two instances. */
static void test_services_of_one_name(void **state)
{
    (void)state;
    mdns_worker_ask(world.worker, 7, MDNS_BOARDS, SERVICES_ALL, "");
    fake_browse("a");
    fake_browse_type("_wled._tcp", "a");
    fake_resolve("a", "10.0.0.1", NULL);
    fake_resolve("a", "10.0.0.1", NULL);
    mdns_worker_cancel(world.worker, 7);
    assert_string_equal(world.log, "a seen; a seen; a a.local 10.0.0.1 3232  0; "
                                   "a a.local 10.0.0.1 3232  0 by 1; ");
}

/* What may be no board has two seconds, and never takes the place of boards. */
static void test_shared_service_that_is_silent(void **state)
{
    char name[32];

    (void)state;
    mdns_worker_ask(world.worker, 7, MDNS_BOARDS, SERVICES_ALL, "");
    for (unsigned i = 0; i < 2 * RUNNING_MAX; i++) {
        snprintf(name, sizeof name, "printer-%u", i);
        fake_browse_type("_http._tcp", name);
    }
    assert_int_equal(fake.resolvers_running, SHARED_MAX);
    fake_browse("a");
    assert_non_null(fake_running("a"));
    fake_resolve("a", "10.0.0.1", NULL);

    for (int i = 0; i < SERVICE_COUNT; i++)
        fake_browser_of_says(service_type((enum service)i), AVAHI_BROWSER_ALL_FOR_NOW);
    for (unsigned i = 0; i < 2 * RUNNING_MAX; i++) {
        assert_int_equal(world.ends, 0);
        fake_elapse(2000000);
    }
    assert_string_equal(world.log, "a seen; a a.local 10.0.0.1 3232  0; end, 64 unheard; ");
}

/* One that is no board, and one that Avahi gives up on. A board's service is listed in any case. */
static void test_shared_service_that_fails(void **state)
{
    (void)state;
    mdns_worker_ask(world.worker, 7, MDNS_BOARDS, SERVICES_ALL, "");
    fake_browse_type("_http._tcp", "printer");
    fake_browse_type("_http._tcp", "starved");
    fake_browse("a");
    fake_resolve("printer", "10.0.0.9", NULL);
    fake_resolve("starved", NULL, NULL);
    fake_resolve("a", NULL, NULL);
    for (int i = 0; i < SERVICE_COUNT; i++)
        fake_browser_of_says(service_type((enum service)i), AVAHI_BROWSER_ALL_FOR_NOW);
    assert_string_equal(world.log, "a seen; end, 1 unheard; ");
}

static void test_nobody(void **state)
{
    (void)state;
    ask_for_boards();
    fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
    assert_string_equal(world.log, "end; ");
}

/* Avahi gives one address after the other. */
static void test_families(void **state)
{
    static const struct {
        const char *first, *second; /* second NULL: the resolver fails; "": it is silent */
        const char *log;
    } cases[] = {
        {"10.0.0.1", NULL, "a seen; a a.local 10.0.0.1 3232  0; end; "},
        {"fd00::1", "10.0.0.1", "a seen; a a.local 10.0.0.1 3232  0; end; "},
        {"fd00::1", NULL, "a seen; a a.local fd00::1 3232  0; end; "},
        {"fd00::1", "", "a seen; a a.local fd00::1 3232  0; end; "},
        {"fd00::1", "0.0.0.0", "a seen; a a.local fd00::1 3232  0; end; "},
        {"fd00::1", "224.0.0.1", "a seen; a a.local fd00::1 3232  0; end; "},
        {"ff02::1", "10.0.0.1", "a seen; a a.local 10.0.0.1 3232  0; end; "},
        {"ff02::1", NULL, "a seen; a a.local - 3232  0; end; "},
        {"0.0.0.0", NULL, "a seen; a a.local - 3232  0; end; "},
        {NULL, NULL, "a seen; end; "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool asks_again = cases[i].first && strchr(cases[i].first, ':');

        world.log[0] = '\0';
        ask_for_boards();
        fake_browse("a");
        fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
        fake_resolve("a", cases[i].first, NULL);
        assert_int_equal(fake.resolvers_running, asks_again);
        if (asks_again) {
            assert_int_equal(fake_running("a")->family, AVAHI_PROTO_INET);
            if (cases[i].second && !*cases[i].second)
                fake_elapse(500000);
            else
                fake_resolve("a", cases[i].second, NULL);
        }
        assert_string_equal(world.log, cases[i].log);
        assert_int_equal(fake.resolvers_running, 0);
    }
}

static void test_name_that_cannot_be_resolved(void **state)
{
    (void)state;
    ask_for_boards();
    fake_browse("impossible");
    fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
    assert_string_equal(world.log, "impossible seen; end; ");
}

/* An answer may be missing then, so the question ends as unavailable. */
static void test_worker_no_memory(void **state)
{
    (void)state;
    ask_for_boards();
    fake_browse("impossible");
    fake.error = AVAHI_ERR_NO_MEMORY;
    fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
    assert_string_equal(world.log, "impossible seen; unavailable: out of memory; ");
    assert_true(world.is_local);
    assert_int_equal(world.lack, OTA_CAUSE_OUT_OF_MEMORY);
}

/* A lack of file descriptors is not called one of memory. */
static void test_search_without_descriptors(void **state)
{
    (void)state;
    fake.number = EMFILE;
    ask_for_boards();
    fake_browse("impossible");
    fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
    assert_string_equal(world.log, "impossible seen; unavailable: Too many open files; ");
    assert_true(world.is_local);
    assert_int_equal(world.lack, OTA_CAUSE_TOO_MANY_FILES);
}

static void test_browser_without_descriptors(void **state)
{
    (void)state;
    fake.number = EMFILE;
    fake.refuse_browser = true;
    ask_for_boards();
    assert_int_equal(world.unavailable, 1);
    assert_true(world.is_local);
    assert_int_equal(world.lack, OTA_CAUSE_TOO_MANY_FILES);
}

/* More boards than Avahi may be asked about at a time. Each is announced twice. */
static void meet_crowd(unsigned announced)
{
    char name[32];

    ask_for_boards();
    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < announced; i++) {
            snprintf(name, sizeof name, "board-%u", i);
            fake_browse(name);
        }
    fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
    for (unsigned i = 0; i < BOARDS_MAX; i++) {
        assert_int_equal(world.ends, 0);
        snprintf(name, sizeof name, "board-%u", i);
        fake_resolve(name, "10.0.0.1", NULL);
    }
    assert_int_equal(fake.resolvers_peak, RUNNING_MAX);
    assert_int_equal(fake.resolvers_made, BOARDS_MAX);
    assert_int_equal(fake.resolvers_running, 0);
    assert_int_equal(world.seen, BOARDS_MAX);
    assert_int_equal(world.found, 2 * BOARDS_MAX);
}

static void test_a_crowd(void **state)
{
    (void)state;
    meet_crowd(BOARDS_MAX);
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.unavailable, 0);
}

/* Those that are left out may be the ones that are looked for: the list is not called complete. */
static void test_a_crowd_beyond_the_limit(void **state)
{
    (void)state;
    meet_crowd(BOARDS_MAX + 1);
    assert_int_equal(world.ends, 0);
    assert_int_equal(world.unavailable, 1);
    assert_true(world.is_local);
    assert_int_equal(world.lack, OTA_CAUSE_NONE);
    assert_string_equal(world.last_reason, "more than 8192 services announce themselves");
}

static void test_cancel(void **state)
{
    (void)state;

    ask_for_boards();
    fake_browse("a");
    fake_browse("b");
    fake_resolve("b", "fd00::1", NULL);
    mdns_worker_cancel(world.worker, 7);
    assert_false(fake.browsing);
    assert_int_equal(fake.resolvers_running, 0);
    mdns_worker_cancel(world.worker, 7);
    assert_string_equal(world.log, "a seen; b seen; ");
}

static void test_browser_that_fails(void **state)
{
    (void)state;

    fake.error = AVAHI_ERR_TOO_MANY_OBJECTS;
    ask_for_boards();
    fake_browser_says(AVAHI_BROWSER_FAILURE);
    fake.refuse_browser = true;
    ask_for_boards();
    assert_string_equal(world.log, "unavailable: avahi-daemon: Too many objects; "
                                   "unavailable: avahi-daemon: Too many objects; ");
    assert_int_equal(world.lost, 0);
}

static void test_host_in_both_families(void **state)
{
    (void)state;

    mdns_worker_ask(world.worker, 7, MDNS_HOST, SERVICES_ARDUINO, "a.local");
    assert_int_equal(fake.records_running, 2);
    fake_record("a.local", "10.0.0.1");
    fake_record("a.local", "fd00::1");
    fake_record("a.local", "10.0.0.2");
    fake_records_end();
    assert_string_equal(world.log, " a.local 10.0.0.1 0  0;  a.local fd00::1 0  0; "
                                   " a.local 10.0.0.2 0  0; end; ");
}

/* The host may be asleep, and has five seconds. */
static void test_host_that_is_silent(void **state)
{
    (void)state;
    mdns_worker_ask(world.worker, 7, MDNS_HOST, SERVICES_ARDUINO, "a.local");
    fake_records_end();
    assert_int_equal(fake.records_running, 2);
    fake_elapse(5000000);
    fake_record("a.local", "fd00::1");
    fake_records_end();
    assert_string_equal(world.log, " a.local fd00::1 0  0; end; ");
}

/* Records without the size of an address are ignored. */
static void test_malformed_records(void **state)
{
    (void)state;

    mdns_worker_ask(world.worker, 7, MDNS_HOST, SERVICES_ARDUINO, "a.local");
    for (size_t size = 0; size < 32; size++)
        for (size_t i = 0; i < fake.records_made; i++)
            if (size != (fake.records[i].type == 1 ? 4 : 16))
                fake.records[i].callback(&fake.records[i], 2, AVAHI_PROTO_INET, AVAHI_BROWSER_NEW,
                                         "a.local", 1, fake.records[i].type,
                                         "0123456789abcdef0123456789abcdef", size, 0,
                                         fake.records[i].userdata);
    assert_string_equal(world.log, "");
}

/* A resolver does not report a second board of the same name. */
static void test_namesakes(void **state)
{
    (void)state;

    fake.keeps_records = true;
    mdns_worker_ask(world.worker, 7, MDNS_INSTANCE, SERVICES_ARDUINO, "a");
    fake_resolve("a", "10.0.0.1", NULL);
    fake_resolve("a", "fd00::1", NULL);
    assert_int_equal(fake.records_running, 3);
    fake_record("a.local", "10.0.0.2");
    fake_records_end();
    assert_string_equal(world.log, "a a.local 10.0.0.1 3232  0; a a.local fd00::1 3232  0; "
                                   "a a.local 10.0.0.2 3232  0; end; ");
    world.log[0] = '\0';
    ask_for_boards();
    fake_browse("a");
    fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
    fake_resolve("a", "10.0.0.1", NULL);
    assert_int_equal(fake.records_running, 2);
    fake_record("a.local", "10.0.0.2");
    assert_int_equal(world.ends, 1);
    fake_elapse(400000);
    assert_int_equal(world.ends, 1);
    fake_elapse(400000);
    assert_string_equal(world.log, "a seen; a a.local 10.0.0.1 3232  0; "
                                   "a a.local 10.0.0.2 3232  0; end; ");
}

static void lose_daemon(void)
{
    fake.error = AVAHI_ERR_DISCONNECTED;
    fake_client_says(AVAHI_CLIENT_FAILURE);
}

/* The new daemon is there before the old client has been freed, or comes later. */
static void test_avahi_restart(void **state)
{
    (void)state;

    for (int comes_later = 0; comes_later < 2; comes_later++) {
        world.log[0] = '\0';
        ask_for_boards();
        fake_browse("a");
        fake_browse("b");
        fake_browse("c");
        fake_resolve("a", "10.0.0.1", NULL);
        fake_resolve("c", "fd00::1", NULL);
        lose_daemon();
        assert_int_equal(fake.resolvers_running, 0);
        assert_false(fake.browsing);
        fake.next_state = comes_later ? AVAHI_CLIENT_CONNECTING : AVAHI_CLIENT_S_REGISTERING;
        fake_elapse(0);
        assert_int_equal(fake.browsing, !comes_later);
        if (comes_later)
            fake_client_says(AVAHI_CLIENT_S_REGISTERING);
        fake_client_says(AVAHI_CLIENT_S_RUNNING);
        fake_browse("b");
        fake_browse("a");
        fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
        assert_null(fake_running("a"));
        assert_int_equal(fake_running("b")->family, AVAHI_PROTO_UNSPEC);
        assert_int_equal(fake_running("c")->family, AVAHI_PROTO_UNSPEC);
        fake_resolve("b", "10.0.0.2", NULL);
        fake_resolve("c", "10.0.0.3", NULL);
        assert_string_equal(world.log,
                            "a seen; b seen; c seen; a a.local 10.0.0.1 3232  0; "
                            "b b.local 10.0.0.2 3232  0; c c.local 10.0.0.3 3232  0; end; ");
        assert_int_equal(world.lost, 0);
        fake.next_state = AVAHI_CLIENT_S_RUNNING;
    }
    assert_int_equal(fake.browsers, 4);
}

/* Questions can be asked and canceled while there is no daemon. */
static void test_questions_during_a_restart(void **state)
{
    (void)state;

    ask_for_boards();
    lose_daemon();
    fake.next_state = AVAHI_CLIENT_CONNECTING;
    fake_elapse(0);
    mdns_worker_cancel(world.worker, 7);
    ask_for_boards();
    assert_false(fake.browsing);
    fake_client_says(AVAHI_CLIENT_S_RUNNING);
    fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
    assert_string_equal(world.log, "end; ");
}

/* A call fails before the callback reports that the daemon has gone. */
static void test_question_that_meets_a_restart(void **state)
{
    (void)state;
    fake.error = AVAHI_ERR_DISCONNECTED;
    fake.refuse_browser = true;
    ask_for_boards();
    assert_string_equal(world.log, "");

    lose_daemon();
    fake.refuse_browser = false;
    fake.error = 0;
    fake_elapse(0);
    fake_browse("a");
    fake.error = AVAHI_ERR_DISCONNECTED;
    fake_browse("impossible");
    fake_browse("b");
    fake_browser_says(AVAHI_BROWSER_ALL_FOR_NOW);
    assert_int_equal(world.ends, 0);
    lose_daemon();
    fake.error = 0;
    fake_elapse(0);
    fake_resolve("a", "10.0.0.1", NULL);
    fake_resolve("b", "10.0.0.2", NULL);
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.unavailable + world.lost, 0);
}

static void test_daemon_that_stays_away(void **state)
{
    (void)state;

    ask_for_boards();
    lose_daemon();
    fake.next_state = AVAHI_CLIENT_CONNECTING;
    fake_elapse(0);
    assert_int_equal(world.lost, 0);
    fake_elapse(3000000);
    assert_int_equal(world.lost, 1);
    assert_string_equal(world.reason, "avahi-daemon or the D-Bus system bus has gone");
    assert_string_equal(world.log, "");
}

static void test_bus_that_goes_with_the_daemon(void **state)
{
    (void)state;
    ask_for_boards();
    lose_daemon();
    fake.has_bus = false;
    fake_elapse(0);
    assert_int_equal(world.lost, 1);
    assert_string_equal(world.reason, "the D-Bus system bus cannot be reached");
}

static void test_client_that_fails_for_another_reason(void **state)
{
    (void)state;
    ask_for_boards();
    fake.error = AVAHI_ERR_TOO_MANY_OBJECTS;
    fake_client_says(AVAHI_CLIENT_FAILURE);
    assert_int_equal(world.lost, 1);
    assert_string_equal(world.reason, "avahi-daemon: Too many objects");
}

static void test_nobody_waits_for_a_daemon_without_questions(void **state)
{
    (void)state;
    lose_daemon();
    assert_int_equal(world.lost, 1);
}

static void test_daemon_that_is_not_there(void **state)
{
    (void)state;
    char reason[MDNS_REASON_MAX];

    mdns_worker_free(world.worker);
    fake.next_state = AVAHI_CLIENT_CONNECTING;
    world.worker = mdns_worker_new(fake_loop(), on_worker_answer, on_lost, &world, reason);
    assert_null(world.worker);
    assert_non_null(strstr(reason, "not on the D-Bus system bus"));
    fake.has_bus = false;
    assert_null(mdns_worker_new(fake_loop(), on_worker_answer, on_lost, &world, reason));
    assert_string_equal(reason, "the D-Bus system bus cannot be reached");
}

/* A lack of file descriptors is not called one of memory: at the start, nor after a restart. */
static void test_connection_without_descriptors(void **state)
{
    char reason[MDNS_REASON_MAX];

    (void)state;
    ask_for_boards();
    fake.number = EMFILE;
    lose_daemon();
    fake.has_bus = false;
    fake_elapse(0);
    assert_int_equal(world.lost_lack, EMFILE);

    mdns_worker_free(world.worker);
    world.worker = mdns_worker_new(fake_loop(), on_worker_answer, on_lost, &world, reason);
    assert_null(world.worker);
    assert_int_equal(errno, EMFILE);
    assert_string_equal(reason, "the D-Bus system bus cannot be used: Too many open files");
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, set_up_mdns_worker, tear_down_mdns_worker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_escaped_host),
        TEST(test_worker_addresses),
        TEST(test_worker_changes),
        TEST(test_worker_changes_canceled),
        TEST(test_further_address),
        TEST(test_one_board_announced_four_times),
        TEST(test_services),
        TEST(test_services_of_one_name),
        TEST(test_shared_service_that_is_silent),
        TEST(test_shared_service_that_fails),
        TEST(test_nobody),
        TEST(test_families),
        TEST(test_name_that_cannot_be_resolved),
        TEST(test_worker_no_memory),
        TEST(test_search_without_descriptors),
        TEST(test_browser_without_descriptors),
        TEST(test_connection_without_descriptors),
        TEST(test_a_crowd),
        TEST(test_a_crowd_beyond_the_limit),
        TEST(test_cancel),
        TEST(test_browser_that_fails),
        TEST(test_host_in_both_families),
        TEST(test_host_that_is_silent),
        TEST(test_malformed_records),
        TEST(test_namesakes),
        TEST(test_avahi_restart),
        TEST(test_questions_during_a_restart),
        TEST(test_question_that_meets_a_restart),
        TEST(test_daemon_that_stays_away),
        TEST(test_bus_that_goes_with_the_daemon),
        TEST(test_client_that_fails_for_another_reason),
        TEST(test_nobody_waits_for_a_daemon_without_questions),
        TEST(test_daemon_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
