/*
 * test-work_queue.c: one piece of work in each turn of a real loop.
 */
#include "base/work_queue.h"

#include "base/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ERRANDS = 3 };

static struct world {
    struct loop *loop;
    struct work_queue *work_queue;
    struct work_item work_item[ERRANDS];
    struct loop_timer busy; /* another timer that wants a turn each time */
    int again;              /* how many more times item 0 adds itself */
    char story[64];
} world;

static void run_work_item(void *userdata)
{
    struct work_item *work_item = userdata;
    size_t length = strlen(world.story);
    assert_false(work_item->is_queued);
    snprintf(world.story + length, sizeof world.story - length, "%d",
             (int)(work_item - world.work_item));
    if (work_item == &world.work_item[0] && world.again-- > 0)
        work_queue_add(world.work_queue, work_item);
}

static void on_busy(void *userdata)
{
    (void)userdata;
    size_t length = strlen(world.story);
    snprintf(world.story + length, sizeof world.story - length, ".");
    if (length > 10)
        loop_quit(world.loop);
    loop_timer_start(&world.busy, 0);
}

static void begin_work(void)
{
    world = (struct world){.loop = loop_new()};
    assert_non_null(world.loop);
    world.work_queue = work_queue_new(world.loop);
    assert_non_null(world.work_queue);
    for (int i = 0; i < ERRANDS; i++)
        world.work_item[i] =
            (struct work_item){.run = run_work_item, .userdata = &world.work_item[i]};
}

static void assert_story(const char *expected)
{
    loop_timer_init(&world.busy, world.loop, on_busy, NULL);
    loop_timer_start(&world.busy, 0);
    loop_run(world.loop);
    assert_memory_equal(world.story, expected, strlen(expected));
    work_queue_free(world.work_queue);
    loop_free(world.loop);
}

static void test_one_each_turn(void **state)
{
    (void)state;
    begin_work();
    for (int i = ERRANDS - 1; i >= 0; i--)
        work_queue_add(world.work_queue, &world.work_item[i]);
    work_queue_add(world.work_queue, &world.work_item[1]); /* it is queued already */
    assert_story("2.1.0....");
}

static void test_removed(void **state)
{
    (void)state;
    begin_work();
    work_queue_remove(world.work_queue, &world.work_item[2]); /* it is not queued */
    for (int i = 0; i < ERRANDS; i++)
        work_queue_add(world.work_queue, &world.work_item[i]);
    work_queue_remove(world.work_queue, &world.work_item[0]);
    work_queue_remove(world.work_queue, &world.work_item[2]);
    assert_story("1.....");
}

static void test_all_removed(void **state)
{
    (void)state;
    begin_work();
    work_queue_add(world.work_queue, &world.work_item[0]);
    work_queue_remove(world.work_queue, &world.work_item[0]);
    assert_story(".....");
}

static void test_added_by_itself(void **state)
{
    (void)state;
    begin_work();
    world.again = 2;
    work_queue_add(world.work_queue, &world.work_item[0]);
    work_queue_add(world.work_queue, &world.work_item[1]);
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
