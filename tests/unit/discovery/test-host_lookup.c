/*
 * test-host_lookup.c: the C library's resolver in its child process. The names need neither
 * /etc/hosts nor a network: they are numeric, impossible, or resolved by the test itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/loop.h"
#include "discovery/host_lookup.h"
#include "support/failing.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_US = 20000000 };

/* --wrap=getaddrinfo: resolves names that begin with "test:". Each letter behind it is an address,
 * and equal letters are the same address. */
int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list);
void __real_freeaddrinfo(struct addrinfo *list);
void __wrap_freeaddrinfo(struct addrinfo *list);

enum { FAKE_MAX = 26 };
static struct addrinfo fake[FAKE_MAX];
static struct sockaddr_in fake_addresses[FAKE_MAX];

int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list)
{
    if (strncmp(name, "test:", 5) != 0)
        return __real_getaddrinfo(name, service, hints, list);
    if (strcmp(name, "test:error") == 0) {
        errno = EMFILE;
        return EAI_SYSTEM;
    }
    if (strcmp(name, "test:memory") == 0)
        return EAI_MEMORY;
    if (strcmp(name, "test:death") == 0)
        _exit(1);

    const char *letters = name + 5;
    for (size_t i = 0; letters[i]; i++) {
        fake_addresses[i].sin_family = letters[i] == '?' ? AF_UNIX : AF_INET;
        fake_addresses[i].sin_addr.s_addr = htonl(0x0A000000U + (uint32_t)(letters[i] - 'a'));
        fake[i] = (struct addrinfo){.ai_addr = (struct sockaddr *)&fake_addresses[i],
                                    .ai_addrlen = sizeof fake_addresses[i],
                                    .ai_next = letters[i + 1] ? &fake[i + 1] : NULL};
    }
    *list = fake;
    return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
    if (list != fake)
        __real_freeaddrinfo(list);
}

struct scene {
    struct loop *loop;
    struct host_lookup *lookup;
    struct loop_timer timeout;
    unsigned done_count;
    bool timed_out;
    bool free_when_done;
    size_t count;
    char addresses[512];
    char why[256];
    bool is_local;
    enum ota_cause lack;
};

static void on_lookup_done(const struct address *addresses, size_t count, const char *why,
                           bool is_local, enum ota_cause lack, void *userdata)
{
    struct scene *scene = userdata;

    assert_non_null(why);
    scene->is_local = is_local;
    scene->lack = lack;
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
        host_lookup_free(scene->lookup);
        scene->lookup = NULL;
    }
    loop_quit(scene->loop);
}

static void on_lookup_deadline(void *userdata)
{
    struct scene *scene = userdata;

    scene->timed_out = true;
    loop_quit(scene->loop);
}

static void run_lookup_for(struct scene *scene, int64_t us)
{
    scene->timed_out = false;
    loop_timer_init(&scene->timeout, scene->loop, on_lookup_deadline, scene);
    loop_timer_start(&scene->timeout, us);
    assert_int_equal(loop_run(scene->loop), 0);
    loop_timer_stop(&scene->timeout);
}

static void start_lookup(struct scene *scene, const char *name)
{
    *scene = (struct scene){.loop = loop_new()};
    assert_non_null(scene->loop);
    scene->lookup = host_lookup_start(scene->loop, name, on_lookup_done, scene);
    assert_non_null(scene->lookup);
}

static void end_lookup(struct scene *scene)
{
    host_lookup_free(scene->lookup);
    loop_free(scene->loop);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_lookup_addresses(void **state)
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

        start_lookup(&scene, table[i].name);
        assert_int_equal(scene.done_count, 0); /* never from within host_lookup_start() */
        run_lookup_for(&scene, DEADLINE_US);
        assert_int_equal(scene.done_count, 1);
        assert_string_equal(scene.addresses, table[i].addresses);
        assert_string_equal(scene.why, "");
        end_lookup(&scene);
    }
}

static void test_impossible_names(void **state)
{
    static const char *const table[] = {"", "a..b", "-", "no such host", "fe80::1%nowhere"};

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct scene scene;

        start_lookup(&scene, table[i]);
        run_lookup_for(&scene, DEADLINE_US);
        assert_int_equal(scene.done_count, 1);
        assert_int_equal(scene.count, 0);
        assert_string_not_equal(scene.why, "");
        assert_false(scene.is_local);
        end_lookup(&scene);
    }
}

static void test_lookup_answers(void **state)
{
    static const struct {
        const char *name, *addresses, *why;
        bool is_local;
        enum ota_cause lack;
    } table[] = {
        {"test:ab", "10.0.0.0 10.0.0.1", "", false, OTA_CAUSE_NONE},
        {"test:abba", "10.0.0.0 10.0.0.1", "", false, OTA_CAUSE_NONE},
        {"test:abcdefghij",
         "10.0.0.0 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 "
         "10.0.0.8 10.0.0.9",
         "", false, OTA_CAUSE_NONE},
        {"test:?b", "10.0.0.1", "", false, OTA_CAUSE_NONE},
        {"test:??", "", "no usable address", false, OTA_CAUSE_NONE},
        {"0.0.0.0", "", "0.0.0.0, which is not the address of one board", false, OTA_CAUSE_NONE},
        {"255.255.255.255", "", "255.255.255.255, which is not the address of one board", false,
         OTA_CAUSE_NONE},
        {"224.0.0.251", "", "224.0.0.251, which is not the address of one board", false,
         OTA_CAUSE_NONE},
        {"::", "", "::, which is not the address of one board", false, OTA_CAUSE_NONE},
        {"fe80::7", "", "fe80::7, which is a link-local address without its interface", false,
         OTA_CAUSE_NONE},
        {"ff02::fb", "", "ff02::fb, which is not the address of one board", false, OTA_CAUSE_NONE},
        {"test:error", "", "Too many open files", true, OTA_CAUSE_TOO_MANY_FILES},
        {"test:memory", "", "Memory allocation failure", true, OTA_CAUSE_OUT_OF_MEMORY},
        {"test:death", "", "the process that asks the system resolver ended unexpectedly", true,
         OTA_CAUSE_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct scene scene;

        start_lookup(&scene, table[i].name);
        run_lookup_for(&scene, DEADLINE_US);
        assert_int_equal(scene.done_count, 1);
        assert_string_equal(scene.addresses, table[i].addresses);
        assert_string_equal(scene.why, table[i].why);
        assert_int_equal(scene.is_local, table[i].is_local);
        assert_int_equal(scene.lack, table[i].lack);
        end_lookup(&scene);
    }
}

/* The end of the child, after its answer, does not count as a second answer. */
static void test_done_only_once(void **state)
{
    struct scene scene;

    (void)state;
    start_lookup(&scene, "127.0.0.1");
    run_lookup_for(&scene, DEADLINE_US);
    run_lookup_for(&scene, 50000);
    assert_true(scene.timed_out);
    assert_int_equal(scene.done_count, 1);
    end_lookup(&scene);
}

static void test_free_lookup_when_done(void **state)
{
    struct scene scene;

    (void)state;
    start_lookup(&scene, "127.0.0.1");
    scene.free_when_done = true;
    run_lookup_for(&scene, DEADLINE_US);
    assert_int_equal(scene.done_count, 1);
    end_lookup(&scene);
}

static void test_free_before(void **state)
{
    struct scene scene;

    (void)state;
    start_lookup(&scene, "127.0.0.1");
    host_lookup_free(scene.lookup);
    scene.lookup = NULL;
    run_lookup_for(&scene, 50000);
    assert_int_equal(scene.done_count, 0);
    end_lookup(&scene);
}

static void test_lookup_no_process(void **state)
{
    struct loop *loop = loop_new();

    (void)state;
    failing_start(FAILING_FORK, 0, EAGAIN);
    struct host_lookup *lookup = host_lookup_start(loop, "127.0.0.1", on_lookup_done, NULL);
    int error = errno;
    failing_stop();
    assert_null(lookup);
    assert_int_equal(error, EAGAIN);
    loop_free(loop);
}

int __wrap_loop_watch_start(struct loop_watch *watch, struct loop *loop, int fd, unsigned events,
                            loop_watch_fn *on_ready, void *userdata);
int __real_loop_watch_start(struct loop_watch *watch, struct loop *loop, int fd, unsigned events,
                            loop_watch_fn *on_ready, void *userdata);

static bool no_watch_left;

int __wrap_loop_watch_start(struct loop_watch *watch, struct loop *loop, int fd, unsigned events,
                            loop_watch_fn *on_ready, void *userdata)
{
    if (!no_watch_left)
        return __real_loop_watch_start(watch, loop, fd, events, on_ready, userdata);

    errno = ENFILE;
    return -1;
}

/* A lookup that cannot start leaves no child, as end_lookup() verifies. */
static void test_lookup_no_memory(void **state)
{
    struct scene scene = {.loop = loop_new()};

    (void)state;
    failing_start(FAILING_ALLOCATION, 0, ENOMEM);
    scene.lookup = host_lookup_start(scene.loop, "127.0.0.1", on_lookup_done, &scene);
    failing_stop();
    assert_null(scene.lookup);
    no_watch_left = true;
    scene.lookup = host_lookup_start(scene.loop, "127.0.0.1", on_lookup_done, &scene);
    no_watch_left = false;
    assert_int_equal(errno, ENFILE);
    assert_null(scene.lookup);
    end_lookup(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup_addresses), cmocka_unit_test(test_impossible_names),
        cmocka_unit_test(test_done_only_once),   cmocka_unit_test(test_free_lookup_when_done),
        cmocka_unit_test(test_free_before),      cmocka_unit_test(test_lookup_no_process),
        cmocka_unit_test(test_lookup_answers),   cmocka_unit_test(test_lookup_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
