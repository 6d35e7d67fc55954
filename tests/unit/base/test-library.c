/*
 * test-library.c: functions of a library that is loaded when it is needed, and of one that is
 * linked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/library.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

static bool is_memory_scarce;

void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    return is_memory_scarce ? MAP_FAILED
                            : __real_mmap(address, size, protection, flags, fd, offset);
}

struct members {
    int (*absolute)(int);
    size_t (*length)(const char *);
};

/* Of the C library, which is there in any case. */
static const struct library_function looked_up[] = {
    {"abs", offsetof(struct members, absolute), NULL},
    {"strlen", offsetof(struct members, length), NULL},
};
static const char *const c_library[] = {"libnone.so.1", "libc.so.6", NULL};
static const char *const nowhere[] = {"libnone.so.1", "libnone.so.2", NULL};

static void assert_works(const struct members *members)
{
    assert_int_equal(members->absolute(-3), 3);
    assert_int_equal(members->length("four"), 4);
}

static void test_first_that_exists_is_loaded(void **state)
{
    (void)state;
    struct members members = {0};

    assert_null(library_load(&members, looked_up, 2, c_library));
    assert_works(&members);
}

static void test_linked_functions_need_no_library(void **state)
{
    (void)state;
    static const struct library_function linked[] = {
        {"abs", offsetof(struct members, absolute), (void (*)(void))abs},
        {"strlen", offsetof(struct members, length), (void (*)(void))strlen},
    };
    struct members members = {0};

    assert_null(library_load(&members, linked, 2, nowhere));
    assert_works(&members);
}

static void test_missing_library(void **state)
{
    (void)state;
    struct members members = {0};

    const char *reason = library_load(&members, looked_up, 2, nowhere);
    assert_non_null(reason);
    assert_non_null(strstr(reason, "libnone.so.2"));
    assert_null(members.absolute);
}

static void test_why_a_library_cannot_be_loaded(void **state)
{
    (void)state;

    static const enum ota_cause causes[] = {OTA_CAUSE_NO_LIBRARY, OTA_CAUSE_OUT_OF_MEMORY,
                                            OTA_CAUSE_TOO_MANY_FILES};

    for (int i = 0; i < 3; i++) {
        struct ota_failure failure = {.error = OTA_OK};
        struct members members = {0};
        struct rlimit before, none = {0};

        is_memory_scarce = i == 1;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none.rlim_max = before.rlim_max;
        if (i == 2)
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        const char *reason = library_load(&members, looked_up, 2, nowhere);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_non_null(reason);
        library_fail(&failure, "x needs y", reason);
        assert_int_equal(failure.cause, causes[i]);
        assert_non_null(strstr(failure.message, "libnone.so.2"));
    }
    is_memory_scarce = false;
}

static void test_missing_function(void **state)
{
    (void)state;
    static const struct library_function unknown[] = {
        {"no_such_function", offsetof(struct members, absolute), NULL}};
    struct members members = {0};

    const char *reason = library_load(&members, unknown, 1, c_library);
    assert_non_null(reason);
    assert_non_null(strstr(reason, "no_such_function"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_that_exists_is_loaded),
        cmocka_unit_test(test_linked_functions_need_no_library),
        cmocka_unit_test(test_missing_library),
        cmocka_unit_test(test_why_a_library_cannot_be_loaded),
        cmocka_unit_test(test_missing_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
