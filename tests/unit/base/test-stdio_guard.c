/*
 * test-stdio_guard.c: file descriptors 0 to 2 closed in every combination. Each combination is
 * tried in a child, which returns its findings as its exit status.
 */
#include "base/stdio_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMBINATIONS = 8, GOOD = 42 };

/* A file descriptor that was closed fails on every use, as if it still were. */
static bool is_dead(int descriptor)
{
    char byte = 0;
    ssize_t done =
        descriptor == STDIN_FILENO ? read(descriptor, &byte, 1) : write(descriptor, &byte, 1);
    return fcntl(descriptor, F_GETFD) >= 0 && done < 0 && errno == EBADF;
}

static bool is_untouched(int descriptor, const struct stat *before)
{
    struct stat now;
    return fstat(descriptor, &now) == 0 && now.st_ino == before->st_ino &&
           now.st_dev == before->st_dev;
}

/* Bit n of closed: the caller has closed descriptor n. Returns the exit status. */
static int secure_and_look(unsigned closed)
{
    int pipes[2];
    struct stat before;

    if (pipe(pipes) < 0 || fstat(pipes[1], &before) < 0)
        return 1;

    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (closed >> i & 1U)
            close(i);
        else if (dup2(pipes[1], i) < 0)
            return 1;
    stdio_guard_secure();
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (closed >> i & 1U ? !is_dead(i) : !is_untouched(i, &before))
            return 2 + i;
    int next = dup(pipes[0]);
    return next > STDERR_FILENO ? GOOD : 1; /* the next open file has a harmless number */
}

static void test_every_combination(void **state)
{
    (void)state;

    for (unsigned closed = 0; closed < COMBINATIONS; closed++) {
        int status = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(secure_and_look(closed));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), GOOD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_combination)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
