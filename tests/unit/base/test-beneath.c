/*
 * test-beneath.c: where a path leads when it is opened decides, not where it led before.
 */
#include "base/beneath.h"

#include "support/failing.h"
#include "support/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[] = "/tmp/test-beneath.XXXXXX";

/* readlink() fails with this errno; 0: it works. */
static int readlink_error;

ssize_t __real_readlink(const char *path, char *target, size_t size);
ssize_t __wrap_readlink(const char *path, char *target, size_t size);

ssize_t __wrap_readlink(const char *path, char *target, size_t size)
{
    if (readlink_error == 0)
        return __real_readlink(path, target, size);
    errno = readlink_error;
    return -1;
}

/* A path is added while nothing is there. Each row: what is there when it is opened, and whether it
 * opens. */
static const struct {
    const char *path, *link, *leads_to;
    int error;
} swap_rows[] = {
    {"p/file", NULL, NULL, 0},
    {"p/link", "p/link", "file", 0},
    {"p/link", "p/link", "build/../file", 0},
    {"p/link", "p/link", "../p/file", 0},
    {"p/link", "p/link", "%s/p/file", 0},
    {"p/link", "p/link", "../secret", EXDEV},
    {"p/link", "p/link", "%s/secret", EXDEV},
    {"p/link", "p/link", "/proc/self/root%s/secret", EXDEV},
    {"p/link", "p/link", "/dev/null", EXDEV},
    {"p/link", "p/link", "../pp/file", EXDEV},
    {"p/link", "p/link", "missing", ENOENT},
    {"p/dir/secret", "p/dir", "..", EXDEV},
    {"p/dir/file", "p/dir", "../p", 0},
};

static void test_swapped(void **state)
{
    (void)state;
    for (int is_added = 0; is_added < 2; is_added++) {
        for (size_t i = 0; i < sizeof swap_rows / sizeof *swap_rows; i++) {
            char target[PATH_MAX];
            const int expected = is_added || swap_rows[i].error != EXDEV ? swap_rows[i].error : 0;

            if (is_added)
                assert_int_equal(beneath_add(swap_rows[i].path, "p"), 0);
            if (swap_rows[i].link) {
                snprintf(target, sizeof target, swap_rows[i].leads_to, top);
                assert_int_equal(symlink(target, swap_rows[i].link), 0);
            }

            const int fd = beneath_open(swap_rows[i].path, O_RDONLY | O_CLOEXEC);
            const int reason = fd < 0 ? errno : 0;
            if (reason != expected)
                fail_msg("row %zu: %d, errno %d", i, fd, reason);
            if (fd >= 0)
                close(fd);
            if (swap_rows[i].link)
                assert_int_equal(unlink(swap_rows[i].link), 0);
        }
    }
    beneath_forget();
}

/* A folder that was reached through a link, and the flags of the call. */
static void test_linked_folder(void **state)
{
    char text[8];
    (void)state;

    assert_int_equal(symlink("p", "q"), 0);
    assert_int_equal(beneath_add("q/file", "q/"), 0);
    const int fd = beneath_open("q/file", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(read(fd, text, sizeof text), 1);
    close(fd);
    beneath_forget();
    assert_int_equal(unlink("q"), 0);
}

/* Where the path leads is not known: not even if it stays in the folder. */
static void test_unknown_place(void **state)
{
    static const struct {
        int readlink_error, error;
    } rows[] = {{ENOENT, ENOSYS}, {EACCES, EACCES}, {ENOMEM, ENOMEM}};
    (void)state;

    assert_int_equal(beneath_add("p/file", "p"), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        readlink_error = rows[i].readlink_error;
        const int fd = beneath_open("p/file", O_RDONLY | O_CLOEXEC);
        const int reason = errno;
        readlink_error = 0;
        assert_int_equal(fd, -1);
        assert_int_equal(reason, rows[i].error);
    }
    beneath_forget();
}

static void test_add_without_memory(void **state)
{
    (void)state;
    for (int after = 0; after < 3; after++) {
        failing_start(FAILING_ALLOCATION, after, ENOMEM);
        assert_int_equal(beneath_add("p/file", "p"), -1);
        assert_true(failing_stop());
    }
    assert_int_equal(beneath_add("p/file", "p"), 0);
    failing_start(FAILING_ALLOCATION, 0, ENOMEM); /* it is there already */
    assert_int_equal(beneath_add("p/file", "elsewhere"), 0);
    assert_false(failing_stop());
    beneath_forget();
}

static int make_beneath_tree(void **state)
{
    (void)state;
    if (!mkdtemp(top) || chdir(top) != 0 || mkdir("p", 0700) != 0 || mkdir("pp", 0700) != 0 ||
        mkdir("p/build", 0700) != 0)
        return -1;
    files_write_text("secret", "x");
    files_write_text("p/file", "x");
    files_write_text("pp/file", "x");
    return 0;
}

static int remove_beneath_tree(void **state)
{
    (void)state;
    return remove("p/file") | remove("p/build") | remove("p") | remove("pp/file") | remove("pp") |
           remove("secret") | chdir("/") | rmdir(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_swapped),
        cmocka_unit_test(test_linked_folder),
        cmocka_unit_test(test_unknown_place),
        cmocka_unit_test(test_add_without_memory),
    };
    return cmocka_run_group_tests(tests, make_beneath_tree, remove_beneath_tree);
}
