/*
 * test-alive.c: hosts that are alive, by this computer's own TCP: a refusal and a connection show a
 * host, an address without a route does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/loop.h"
#include "net/alive.h"
#include "net/source.h"
#include "support/failing.h"
#include "support/requirement.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct scene {
    struct loop *loop;
    struct alive *alive;
    size_t count, calls;
    int shortage;
    bool is_alive[4];
};

static void on_alive_done(const bool *is_alive, int shortage, void *userdata)
{
    struct scene *scene = userdata;
    scene->calls++;
    scene->shortage = shortage;
    memcpy(scene->is_alive, is_alive, scene->count * sizeof *is_alive);
    alive_free(scene->alive);
    scene->alive = NULL;
    loop_quit(scene->loop);
}

static void ask_alive(struct scene *scene, const char *const *texts, size_t count)
{
    struct address addresses[4];
    for (size_t i = 0; i < count; i++)
        assert_true(address_parse(&addresses[i], texts[i]));
    *scene = (struct scene){.loop = loop_new(), .count = count};
    assert_non_null(scene->loop);
    scene->alive = alive_start(scene->loop, addresses, count, &source_any, on_alive_done, scene);
    assert_non_null(scene->alive);
}

static void test_board_answers(void **state)
{
    static const char *const texts[] = {"127.0.0.1", "fe80::77%lo", "127.77.0.1"};
    struct scene scene;
    (void)state;

    ask_alive(&scene, texts, 3);
    assert_int_equal(loop_run(scene.loop), 0);
    assert_int_equal(scene.calls, 1);
    assert_true(scene.is_alive[0] && scene.is_alive[2]);
    assert_false(scene.is_alive[1]);
    assert_int_equal(scene.shortage, 0);
    loop_free(scene.loop);
}

static void test_free_alive_while_asking(void **state)
{
    static const char *const texts[] = {"127.0.0.1", "127.0.0.2"};
    struct scene scene;
    (void)state;
    ask_alive(&scene, texts, 2);
    alive_free(scene.alive);
    alive_free(NULL);
    assert_int_equal(scene.calls, 0);
    loop_free(scene.loop);
}

/* Ports below 1024 take privileges, and another program may use this one. */
static void test_connection(void **state)
{
    static const char *const texts[] = {"127.77.0.2"};
    struct scene scene;
    struct address address;
    (void)state;

    assert_true(address_parse(&address, texts[0]));
    address_set_port(&address, 9);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, &address.any, address_length(&address)) < 0) {
        close(listener);
        requirement_skip("port 9 needs root");
    }
    assert_int_equal(listen(listener, 1), 0);
    ask_alive(&scene, texts, 1);
    int before = failing_count_open();
    assert_int_equal(loop_run(scene.loop), 0);
    assert_true(scene.is_alive[0]);
    assert_int_equal(failing_count_open(), before - 1); /* the connection is closed */
    loop_free(scene.loop);
    close(listener);
}

/* What this computer lacks shows nothing about the address. */
static void test_shortage(void **state)
{
    static const char *const texts[] = {"127.0.0.1", "127.0.0.2"};
    static const struct {
        enum failing_call call;
        int error;
    } rows[] = {{FAILING_SOCKET, EMFILE}, {FAILING_CONNECT, ENOBUFS}};
    struct scene scene;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        failing_start(rows[i].call, 1, rows[i].error);
        ask_alive(&scene, texts, 2);
        assert_true(failing_stop());
        assert_int_equal(loop_run(scene.loop), 0);
        assert_true(scene.is_alive[0]);
        assert_false(scene.is_alive[1]);
        assert_int_equal(scene.shortage, rows[i].error);
        loop_free(scene.loop);
    }
}

/* All addresses are asked, or none is and nothing is left. */
static void test_alive_no_memory(void **state)
{
    static const char *const texts[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
    struct address addresses[3];
    int made = 0;
    (void)state;

    for (size_t i = 0; i < 3; i++)
        assert_true(address_parse(&addresses[i], texts[i]));
    for (bool has_failed = true; has_failed; made++) {
        struct scene scene = {.loop = loop_new(), .count = 3};
        assert_non_null(scene.loop);
        int before = failing_count_open();
        failing_start(FAILING_ALLOCATION, made, ENOMEM);
        scene.alive =
            alive_start(scene.loop, addresses, scene.count, &source_any, on_alive_done, &scene);
        has_failed = failing_stop();
        assert_int_equal(scene.alive == NULL, has_failed);
        alive_free(scene.alive);
        assert_int_equal(failing_count_open(), before);
        assert_int_equal(scene.calls, 0);
        loop_free(scene.loop);
    }
    assert_true(made > 3); /* at least one for each attempt */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_board_answers),   cmocka_unit_test(test_free_alive_while_asking),
        cmocka_unit_test(test_connection),      cmocka_unit_test(test_shortage),
        cmocka_unit_test(test_alive_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
