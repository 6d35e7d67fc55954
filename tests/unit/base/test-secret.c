/*
 * test-secret.c: the heap for secrets, and the protection of its pages: read from /proc/self/smaps,
 * and tried with a child and a core dump.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_SIZE = 33, FLAGS_SIZE = 512 };

/* --wrap: an old kernel or a limit may refuse these. */
static bool nothing_can_be_locked, advice_is_unknown, no_pages_left;
int __real_mlock(const void *address, size_t length);
int __wrap_mlock(const void *address, size_t length);
int __real_madvise(void *address, size_t length, int advice);
int __wrap_madvise(void *address, size_t length, int advice);
void *__real_mmap(void *address, size_t length, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *address, size_t length, int protection, int flags, int file, off_t offset);

static int refuse(int error)
{
    errno = error;
    return -1;
}

int __wrap_mlock(const void *address, size_t length)
{
    return nothing_can_be_locked ? refuse(ENOMEM) : __real_mlock(address, length);
}

int __wrap_madvise(void *address, size_t length, int advice)
{
    return advice_is_unknown ? refuse(EINVAL) : __real_madvise(address, length, advice);
}

void *__wrap_mmap(void *address, size_t length, int protection, int flags, int file, off_t offset)
{
    if (no_pages_left) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(address, length, protection, flags, file, offset);
}

/* 32 digits that are nowhere in the file of the program. */
static void make_text(char text[TEXT_SIZE], unsigned seed)
{
    for (int i = 0; i < TEXT_SIZE - 1; i++) {
        seed = seed * 1103515245 + 12345;
        text[i] = (char)('a' + (seed >> 16) % 26);
    }
    text[TEXT_SIZE - 1] = '\0';
}

static void test_secret_pages(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 1025, 16384, 16385, 70000};

    enum { COUNT = sizeof sizes / sizeof *sizes };
    unsigned char *secrets[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        secrets[i] = secret_alloc(sizes[i]);
        assert_non_null(secrets[i]);
        assert_int_equal((uintptr_t)secrets[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(secrets[i][k], 0);
        memset(secrets[i], (int)(i + 1), sizes[i]);
    }
    assert_int_equal(secret_count(), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(secrets[i][k], i + 1);
        secret_free(secrets[i]);
    }
    assert_int_equal(secret_count(), 0);
    assert_null(secret_alloc(SIZE_MAX));
    assert_null(secret_alloc(SIZE_MAX / 2));
    secret_free(NULL);
}

static void test_copies(void **state)
{
    (void)state;
    char *whole = secret_copy("geheim"), *part = secret_copy_part("geheim", 3),
         *empty = secret_copy("");

    assert_string_equal(whole, "geheim");
    assert_string_equal(part, "geh");
    assert_string_equal(empty, "");
    secret_free(whole);
    secret_free(part);
    secret_free(empty);
}

/* Another secret keeps the pages mapped for the test. */
static void test_cleansed_when_freed(void **state)
{
    (void)state;
    char *other = secret_copy("other"), *secret = secret_alloc(20);

    memcpy(secret, "with\0a NUL in it", 16);
    secret_free(secret);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(secret[i], 0);
    char *next = secret_alloc(20);
    assert_ptr_equal(next, secret);
    secret_free(next);
    secret_free(other);
}

/* As many secrets as there may be password files, freed in another order. */
static void test_many_secrets(void **state)
{
    (void)state;

    enum { COUNT = 10000 };
    static char *secrets[COUNT];
    char text[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        secrets[i] = secret_copy(text);
        assert_non_null(secrets[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        int k = (int)((unsigned)i * 7919U % COUNT);
        snprintf(text, sizeof text, "%d", k);
        assert_string_equal(secrets[k], text);
        secret_free(secrets[k]);
    }
    assert_int_equal(secret_count(), 0);
}

static void test_secret_no_memory(void **state)
{
    (void)state;
    no_pages_left = true;
    void *secret = secret_alloc(1);
    no_pages_left = false;
    assert_null(secret);
    assert_int_equal(secret_count(), 0);
}

/* Finds the flags of the pages at address: "rd wr mr mw me ac lo dd wf". */
static void read_flags(char flags[FLAGS_SIZE], const void *address)
{
    char line[FLAGS_SIZE];
    bool is_found = false;
    FILE *file = fopen("/proc/self/smaps", "re");

    assert_non_null(file);
    flags[0] = '\0';
    while (fgets(line, sizeof line, file)) {
        char *dash;
        const unsigned long first = strtoul(line, &dash, 16);
        if (*dash == '-')
            is_found =
                (uintptr_t)address >= first && (uintptr_t)address < strtoul(dash + 1, NULL, 16);
        else if (is_found && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(flags, FLAGS_SIZE, "%s", line);
    }
    fclose(file);
}

static void test_what_the_kernel_was_told(void **state)
{
    char flags[FLAGS_SIZE];
    char *secret = secret_copy("geheim");

    (void)state;
    read_flags(flags, secret);
#ifndef __SANITIZE_ADDRESS__               /* whose mlock() does nothing */
    assert_non_null(strstr(flags, " lo")); /* locked */
#endif
    assert_non_null(strstr(flags, " dd")); /* not dumped */
    assert_non_null(strstr(flags, " wf")); /* wiped on fork */
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);

    secret_free(secret);
}

static void test_limit_of_locked_memory(void **state)
{
    (void)state;
    char flags[FLAGS_SIZE];

    nothing_can_be_locked = true;
    char *secret = secret_copy("geheim");
    nothing_can_be_locked = false;
    assert_string_equal(secret, "geheim");
    read_flags(flags, secret);
    assert_null(strstr(flags, " lo"));
    assert_non_null(strstr(flags, " dd"));
    secret_free(secret);
}

/* Returns what a child reads in place of a secret of its parent; forgets: as worker.c does, the
 * child calls secret_forget_all(). */
static void read_in_child(char text[TEXT_SIZE], const char *secret, bool forgets)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (forgets)
            secret_forget_all();
        _exit(write(ends[1], secret, TEXT_SIZE) != TEXT_SIZE);
    }
    assert_int_equal(read(ends[0], text, TEXT_SIZE), TEXT_SIZE);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(ends[0]);
    close(ends[1]);
}

static void test_children_get_none(void **state)
{
    (void)state;
    static const char zeros[TEXT_SIZE];

    for (int is_old_kernel = 0; is_old_kernel < 2; is_old_kernel++) {
        char text[TEXT_SIZE], seen[TEXT_SIZE];
        make_text(text, (unsigned)getpid());
        advice_is_unknown = is_old_kernel;
        char *secret = secret_copy(text);
        advice_is_unknown = false;
        read_in_child(seen, secret, false);
        assert_memory_equal(seen, is_old_kernel ? text : zeros, TEXT_SIZE);
        read_in_child(seen, secret, true);
        assert_memory_equal(seen, zeros, TEXT_SIZE);
        assert_string_equal(secret, text);
        secret_free(secret);
    }
}

/* -- a core dump -- */

/* Dies with a secret in its pages, and another text on its heap. */
static void dump(const char *directory, const char *hidden, const char *plain, bool is_dumpable)
{
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    char *secret = secret_copy(hidden);
    char *volatile copy = strdup(plain); /* volatile, as compilers leave out what nobody reads */
    if (chdir(directory) != 0 || setrlimit(RLIMIT_CORE, &unlimited) != 0 || !secret || !copy)
        _exit(2);
    if (is_dumpable)
        prctl(PR_SET_DUMPABLE, 1);
    signal(SIGABRT, SIG_DFL);
    abort();
}

static bool contains(const char *path, const char *text)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(file >= 0);
    assert_int_equal(fstat(file, &status), 0);
    size_t size = (size_t)status.st_size;
    void *content = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    assert_true(content != MAP_FAILED);
    bool is_found = memmem(content, size, text, strlen(text)) != NULL;
    munmap(content, size);
    close(file);
    return is_found;
}

/* Returns the status of waitpid(). hidden and plain are also on the stack of the child, which
 * therefore makes them itself. */
static int die(const char *directory, bool is_dumpable)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        char hidden[TEXT_SIZE], plain[TEXT_SIZE];

        make_text(hidden, 1);
        make_text(plain, 2);
        char *secret = secret_copy(hidden);
        explicit_bzero(hidden, sizeof hidden);
        dump(directory, secret, plain, is_dumpable);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return status;
}

static bool find_core(char path[64], const char *directory)
{
    snprintf(path, 64, "%s/core", directory);
    return access(path, F_OK) == 0;
}

/* The process is made dumpable, as only a dump can prove that the secret is left out. If dumps go
 * elsewhere (such as to systemd-coredump), the flag of the pages has to be enough. */
static void test_core_dump(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-secret-XXXXXX", path[64], hidden[TEXT_SIZE], plain[TEXT_SIZE];

    if (getenv("ESP_OTA_VALGRIND"))
        skip(); /* it writes the dump itself, whatever the kernel was told */
    assert_non_null(mkdtemp(directory));
    assert_false(WCOREDUMP(die(directory, false)));
    assert_false(find_core(path, directory));
    bool is_dumped = WCOREDUMP(die(directory, true)) && find_core(path, directory);
    if (is_dumped) {
        make_text(hidden, 1);
        make_text(plain, 2);
        assert_true(contains(path, plain));
        assert_false(contains(path, hidden));
        unlink(path);
    }
    assert_int_equal(rmdir(directory), 0);
    if (!is_dumped)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secret_pages),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_cleansed_when_freed),
        cmocka_unit_test(test_many_secrets),
        cmocka_unit_test(test_secret_no_memory),
        cmocka_unit_test(test_what_the_kernel_was_told),
        cmocka_unit_test(test_limit_of_locked_memory),
        cmocka_unit_test(test_children_get_none),
        cmocka_unit_test(test_core_dump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
