/*
 * test-outage.c: when this computer could not hear a board, in virtual time. Its link is a value.
 * tests/net/test_online.py takes a real one down.
 */
#include "net/outage.h"
#include "support/virtual_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

enum { TICK_MS = 250 };

static const int64_t START_US = 5000000;

static struct world {
    struct routing_link link;
    int64_t suspended_us; /* in all */
    unsigned looks;
} world;

static struct outage outage;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
void __wrap_routing_find_link(struct routing_link *link, const struct address *address,
                              const struct source *source);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int64_t now_us = virtual_time.now_us + world.suspended_us;

    assert_int_equal(clock, CLOCK_BOOTTIME);
    *now = (struct timespec){.tv_sec = now_us / 1000000, .tv_nsec = now_us % 1000000 * 1000};
    return 0;
}

void __wrap_routing_find_link(struct routing_link *link, const struct address *address,
                              const struct source *source)
{
    char text[ADDRESS_TEXT_MAX];

    assert_string_equal(address_text(text, address), "192.0.2.1");
    assert_true(source_is_any(source));
    world.looks++;
    *link = world.link;
}

static void begin_outage(void)
{
    struct address address;

    virtual_time_reset(START_US);
    world = (struct world){.link = {.interface = 3, .changes = 2}};
    assert_true(address_parse(&address, "192.0.2.1"));
    outage_start(&outage, virtual_time_loop(), &address, &source_any);
}

static void pass_seconds(int seconds)
{
    for (int i = 0; i < seconds * 1000 / TICK_MS; i++)
        virtual_time_fire();
}

static void test_nothing(void **state)
{
    (void)state;
    begin_outage();
    pass_seconds(10);
    assert_int_equal(outage_after(&outage, 0), 0);
    outage_stop(&outage);
    assert_true(virtual_time.due_us < 0);
}

/* The time may be before the start, or between two looks, which a short outage must not escape. */
static void test_link(void **state)
{
    static const struct routing_link links[] = {
        {.interface = 3, .changes = 2, .is_down = true},
        {.interface = 3, .changes = 4}, /* down, and up again */
        {.interface = 7, .changes = 2}, /* the route leads elsewhere now */
        {.interface = 0},               /* no route */
    };
    (void)state;

    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        begin_outage();
        pass_seconds(1);
        world.link = links[i];
        virtual_time.now_us += 1000;
        assert_int_equal(outage_after(&outage, virtual_time.now_us - 1), OUTAGE_LINK);
        assert_int_equal(outage_after(&outage, 0), OUTAGE_LINK);
        pass_seconds(1);
        assert_int_equal(outage_after(&outage, virtual_time.now_us - 1),
                         links[i].is_down ? OUTAGE_LINK : 0);
        assert_int_equal(outage_after(&outage, 0), OUTAGE_LINK);
        outage_stop(&outage);
    }
}

/* An unknown link is that of this computer's own addresses. */
static void test_unknown_link(void **state)
{
    (void)state;
    begin_outage();
    outage_stop(&outage);
    world.link = (struct routing_link){.interface = 0};
    struct address address;
    assert_true(address_parse(&address, "192.0.2.1"));
    outage_start(&outage, virtual_time_loop(), &address, &source_any);
    pass_seconds(1);
    assert_int_equal(outage_after(&outage, 0), 0);
    outage_stop(&outage);
}

/* Before the next tick fires, too: what has arrived is read first. */
static void test_stop(void **state)
{
    static const struct {
        int64_t stopped_us, suspended_us;
        unsigned expected;
    } rows[] = {
        {1300000, 0, OUTAGE_STOP},
        {0, 1300000, OUTAGE_STOP}, /* the clock of the loop stood still */
        {1200000, 0, 0},           /* a busy computer */
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin_outage();
        pass_seconds(1);
        virtual_time.now_us += rows[i].stopped_us;
        world.suspended_us = rows[i].suspended_us;
        int64_t before_us = virtual_time.now_us - 1;
        assert_int_equal(outage_after(&outage, before_us), rows[i].expected);
        pass_seconds(1);
        assert_int_equal(outage_after(&outage, before_us), rows[i].expected);
        assert_int_equal(outage_after(&outage, before_us + 1), 0);
        outage_stop(&outage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_link),
        cmocka_unit_test(test_unknown_link),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
