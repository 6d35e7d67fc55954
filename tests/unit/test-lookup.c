/*
 * test-lookup.c: the C library's resolver in its child process. The names are such that neither
 * /etc/hosts nor a network is needed: numeric ones, and impossible ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lookup.h"
#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_US = 20000000 };

/* --wrap=fork: the system has no process left when a test says so. */
static bool no_process_left;
pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t __wrap_fork(void)
{
    if (!no_process_left)
        return __real_fork();
    errno = EAGAIN;
    return -1;
}

struct scene {
    struct loop *loop;
    struct lookup *lookup;
    AvahiTimeout *timeout;
    unsigned done_count;
    bool timed_out;
    bool free_when_done;
    size_t count;
    char addresses[512];
    char why[256];
};

static void on_done(const struct address *addresses, size_t count, const char *why, void *userdata)
{
    struct scene *scene = userdata;
    assert_non_null(why);
    scene->done_count++;
    scene->count = count;
    snprintf(scene->why, sizeof scene->why, "%s", why);
    for (size_t i = 0; i < count; i++) {
        char text[ADDRESS_TEXT_MAX];
        size_t length = strlen(scene->addresses);
        snprintf(scene->addresses + length, sizeof scene->addresses - length, "%s%s",
                 length ? " " : "", address_text(text, &addresses[i]));
    }
    if (scene->free_when_done) {
        lookup_free(scene->lookup);
        scene->lookup = NULL;
    }
    loop_quit(scene->loop);
}

static void on_deadline(AvahiTimeout *timeout, void *userdata)
{
    struct scene *scene = userdata;
    (void)timeout;
    scene->timed_out = true;
    loop_quit(scene->loop);
}

static void run_for(struct scene *scene, int64_t us)
{
    scene->timed_out = false;
    loop_arm(loop_poll_api(scene->loop), &scene->timeout, us, on_deadline, scene);
    assert_int_equal(loop_run(scene->loop), 0);
}

static void start(struct scene *scene, const char *name)
{
    *scene = (struct scene){.loop = loop_new()};
    assert_non_null(scene->loop);
    scene->lookup = lookup_start(loop_poll_api(scene->loop), name, on_done, scene);
    assert_non_null(scene->lookup);
}

static void end(struct scene *scene)
{
    lookup_free(scene->lookup);
    loop_free(scene->loop);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *name, *addresses;
    } table[] = {
        {"127.0.0.1", "127.0.0.1"},      {"192.0.2.77", "192.0.2.77"}, {"::1", "::1"},
        {"::ffff:10.0.0.7", "10.0.0.7"}, {"fe80::7%lo", "fe80::7%lo"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct scene scene;
        start(&scene, table[i].name);
        assert_int_equal(scene.done_count, 0); /* never from within lookup_start() */
        run_for(&scene, DEADLINE_US);
        assert_int_equal(scene.done_count, 1);
        assert_string_equal(scene.addresses, table[i].addresses);
        assert_string_equal(scene.why, "");
        end(&scene);
    }
}

static void test_impossible_names(void **state)
{
    static const char *const table[] = {"", "a..b", "-", "no such host", "fe80::1%nowhere"};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct scene scene;
        start(&scene, table[i]);
        run_for(&scene, DEADLINE_US);
        assert_int_equal(scene.done_count, 1);
        assert_int_equal(scene.count, 0);
        assert_string_not_equal(scene.why, "");
        end(&scene);
    }
}

/* The end of the child, which follows its answer, is not a second answer. */
static void test_done_only_once(void **state)
{
    struct scene scene;
    (void)state;
    start(&scene, "127.0.0.1");
    run_for(&scene, DEADLINE_US);
    run_for(&scene, 50000);
    assert_true(scene.timed_out);
    assert_int_equal(scene.done_count, 1);
    end(&scene);
}

static void test_free_when_done(void **state)
{
    struct scene scene;
    (void)state;
    start(&scene, "127.0.0.1");
    scene.free_when_done = true;
    run_for(&scene, DEADLINE_US);
    assert_int_equal(scene.done_count, 1);
    end(&scene);
}

static void test_free_before(void **state)
{
    struct scene scene;
    (void)state;
    start(&scene, "127.0.0.1");
    lookup_free(scene.lookup);
    scene.lookup = NULL;
    run_for(&scene, 50000);
    assert_int_equal(scene.done_count, 0);
    end(&scene);
}

static void test_no_process_left(void **state)
{
    struct loop *loop = loop_new();
    (void)state;
    no_process_left = true;
    struct lookup *lookup = lookup_start(loop_poll_api(loop), "127.0.0.1", on_done, NULL);
    int error = errno;
    no_process_left = false;
    assert_null(lookup);
    assert_int_equal(error, EAGAIN);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),      cmocka_unit_test(test_impossible_names),
        cmocka_unit_test(test_done_only_once), cmocka_unit_test(test_free_when_done),
        cmocka_unit_test(test_free_before),    cmocka_unit_test(test_no_process_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
