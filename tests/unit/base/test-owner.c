/*
 * test-owner.c: which numbers of users and groups stand for one, by what /proc says.
 */
#include "base/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ALL "         0          0 4294967295\n"
#define ONE "         0          0          1\n"
#define CONTAINER "         0       1000          1\n         1     100000      65536\n"

/* --wrap: the files of /proc; NULL: there is no such file. */
static const struct row {
    const char *title, *uid_map, *gid_map, *overflow;
    uid_t owner;
    gid_t group;
    bool is_known, has_private_group;
} rows[] = {
    {"no namespace", ALL, ALL, "65534\n", 1001, 1001, true, true},
    {"nobody without a namespace", ALL, ALL, "65534\n", 65534, 65534, true, true},
    {"another group", ALL, ALL, "65534\n", 1001, 100, true, false},
    {"root in a namespace", ONE, ONE, "65534\n", 0, 0, true, true},
    {"unknown in a namespace", ONE, ONE, "65534\n", 65534, 65534, false, false},
    {"unknown user, known group", ONE, ALL, "65534\n", 65534, 65534, false, false},
    {"known user, unknown group", ALL, ONE, "65534\n", 65534, 65534, true, false},
    {"the container has a nobody", CONTAINER, CONTAINER, "65534\n", 65534, 65534, false, false},
    {"other users of the container", CONTAINER, CONTAINER, "65534\n", 65533, 65533, true, true},
    {"no map", "", "", "65534\n", 65534, 65534, false, false},
    {"/proc/sys is hidden", ONE, ONE, NULL, 65534, 65534, false, false},
    {"/proc/sys is hidden, nobody", ALL, ALL, NULL, 65534, 65534, true, true},
    {"/proc is hidden", NULL, NULL, NULL, 65534, 65534, false, false},
    {"/proc is hidden, for root", NULL, NULL, NULL, 0, 0, true, true},
    {"another number", ONE, ONE, "60000\n", 60000, 60000, false, false},
    {"another number, nobody", ONE, ONE, "60000\n", 65534, 65534, true, true},
};

static const struct row *now;

int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    const char *text = strcmp(path, "/proc/self/uid_map") == 0               ? now->uid_map
                       : strcmp(path, "/proc/self/gid_map") == 0             ? now->gid_map
                       : strncmp(path, "/proc/sys/kernel/overflow", 25) == 0 ? now->overflow
                                                                             : NULL;
    int ends[2];

    (void)flags;
    errno = ENOENT;
    if (!text || pipe(ends) != 0)
        return -1;
    assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
    close(ends[1]);
    return ends[0];
}

static void test_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct stat status = {.st_uid = rows[i].owner, .st_gid = rows[i].group};

        now = &rows[i];
        if (owner_is_known(now->owner) != now->is_known ||
            owner_is(now->owner, now->owner) != now->is_known ||
            owner_has_private_group(&status) != now->has_private_group)
            fail_msg("%s", now->title);
        assert_false(owner_is(now->owner, now->owner + 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
