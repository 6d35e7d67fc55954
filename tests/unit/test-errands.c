/*
 * test-errands.c: one piece of work in each turn of a real loop.
 */
#include "errands.h"

#include "loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ERRANDS = 3 };

static struct world {
    struct loop *loop;
    struct errands *errands;
    struct errand errand[ERRANDS];
    AvahiTimeout *busy; /* something else that wants a turn each time */
    int again;          /* how often errand 0 adds itself once more */
    char story[64];
} world;

static void run(void *userdata)
{
    struct errand *errand = userdata;
    size_t length = strlen(world.story);
    assert_false(errand->is_queued);
    snprintf(world.story + length, sizeof world.story - length, "%d", (int)(errand - world.errand));
    if (errand == &world.errand[0] && world.again-- > 0)
        errands_add(world.errands, errand);
}

static void on_busy(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    (void)userdata;
    size_t length = strlen(world.story);
    snprintf(world.story + length, sizeof world.story - length, ".");
    if (length > 10)
        loop_quit(world.loop);
    loop_arm(loop_poll_api(world.loop), &world.busy, 0, NULL, NULL);
}

static void begin(void)
{
    world = (struct world){.loop = loop_new()};
    assert_non_null(world.loop);
    world.errands = errands_new(loop_poll_api(world.loop));
    assert_non_null(world.errands);
    for (int i = 0; i < ERRANDS; i++)
        world.errand[i] = (struct errand){.run = run, .userdata = &world.errand[i]};
    loop_arm(loop_poll_api(world.loop), &world.busy, 0, on_busy, NULL);
}

static void assert_story(const char *expected)
{
    loop_run(world.loop);
    assert_memory_equal(world.story, expected, strlen(expected));
    errands_free(world.errands);
    loop_free(world.loop);
}

static void test_one_each_turn(void **state)
{
    (void)state;
    begin();
    for (int i = ERRANDS - 1; i >= 0; i--)
        errands_add(world.errands, &world.errand[i]);
    errands_add(world.errands, &world.errand[1]); /* it waits already */
    assert_story("2.1.0....");
}

static void test_removed(void **state)
{
    (void)state;
    begin();
    errands_remove(world.errands, &world.errand[2]); /* it does not wait */
    for (int i = 0; i < ERRANDS; i++)
        errands_add(world.errands, &world.errand[i]);
    errands_remove(world.errands, &world.errand[0]);
    errands_remove(world.errands, &world.errand[2]);
    assert_story("1.....");
}

static void test_all_removed(void **state)
{
    (void)state;
    begin();
    errands_add(world.errands, &world.errand[0]);
    errands_remove(world.errands, &world.errand[0]);
    assert_story(".....");
}

static void test_added_by_itself(void **state)
{
    (void)state;
    begin();
    world.again = 2;
    errands_add(world.errands, &world.errand[0]);
    errands_add(world.errands, &world.errand[1]);
    assert_story("0.1.0.0....");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_each_turn),
        cmocka_unit_test(test_removed),
        cmocka_unit_test(test_all_removed),
        cmocka_unit_test(test_added_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
