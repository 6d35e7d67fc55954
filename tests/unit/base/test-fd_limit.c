/*
 * test-fd_limit.c: the soft limit of open files is raised as far as it can be, and where that is
 * too little, there are fewer connections.
 */
#include "base/fd_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/resource.h>

/* --wrap: the limits of the process. */
static struct rlimit limits;
static bool is_unknown, is_fixed;
int __wrap_getrlimit(int resource, struct rlimit *limit);
int __wrap_setrlimit(int resource, const struct rlimit *limit);

int __wrap_getrlimit(int resource, struct rlimit *limit)
{
    assert_int_equal(resource, RLIMIT_NOFILE);
    *limit = limits;
    errno = EPERM;
    return is_unknown ? -1 : 0;
}

int __wrap_setrlimit(int resource, const struct rlimit *limit)
{
    assert_int_equal(resource, RLIMIT_NOFILE);
    errno = EPERM;
    if (is_fixed)
        return -1;
    limits = *limit;
    return 0;
}

static const struct row {
    const char *title;
    rlim_t soft, hard;
    bool is_unknown, is_fixed;
    size_t connections; /* of 4, beside 64 file descriptors */
    rlim_t soft_after;
} rows[] = {
    {"the soft limit is high enough", 72, 1000, .connections = 4, .soft_after = 72},
    {"it is raised no further than needed", 71, 1000, .connections = 4, .soft_after = 72},
    {"the hard limit is just enough", 50, 72, .connections = 4, .soft_after = 72},
    {"the hard limit is too low", 50, 71, .connections = 3, .soft_after = 71},
    {"there is room for a single one", 10, 66, .connections = 1, .soft_after = 66},
    {"there is room for none, and one is tried", 10, 20, .connections = 1, .soft_after = 20},
    {"there is no limit", RLIM_INFINITY, RLIM_INFINITY, .connections = 4,
     .soft_after = RLIM_INFINITY},
    {"a sandbox forbids to raise it", 70, 1000, .is_fixed = true, .connections = 3,
     .soft_after = 70},
    {"the limits are unknown", 10, 20, .is_unknown = true, .connections = 4, .soft_after = 10},
};

static void test_fd_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];

        print_message("%s\n", row->title);
        limits = (struct rlimit){row->soft, row->hard};
        is_unknown = row->is_unknown;
        is_fixed = row->is_fixed;
        assert_int_equal(fd_limit_connections(4, 64), row->connections);
        assert_int_equal(limits.rlim_cur, row->soft_after);
        assert_int_equal(limits.rlim_max, row->hard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fd_limit)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
