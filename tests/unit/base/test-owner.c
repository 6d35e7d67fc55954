/*
 * test-owner.c: which numbers of users and groups stand for one, by what /proc says.
 */
#include "base/owner.h"

#include "base/acl.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/posix_acl.h>
#include <string.h>
#include <unistd.h>

enum { FD = 7, ME = 1001 };

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
static enum acl_grant list = ACL_GRANTS_GROUP;

enum acl_grant __wrap_acl_grant(int fd, unsigned permission, uid_t user);

enum acl_grant __wrap_acl_grant(int fd, unsigned permission, uid_t user)
{
    assert_int_equal(fd, FD);
    assert_int_equal(permission, ACL_WRITE);
    assert_int_equal(user, now == &rows[0] ? ME : now->owner);
    return list;
}

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
        const struct stat status = {
            .st_mode = 0660, .st_uid = rows[i].owner, .st_gid = rows[i].group};

        now = &rows[i];
        const enum writers writers = now->has_private_group ? WRITERS_NONE : WRITERS_GROUP;

        if (owner_is_known(now->owner) != now->is_known ||
            owner_is(now->owner, now->owner) != now->is_known ||
            owner_writers(FD, &status, now->owner) != writers)
            fail_msg("%s", now->title);
        assert_false(owner_is(now->owner, now->owner + 1));
    }
}

static void test_writers(void **state)
{
    static const struct {
        mode_t mode;
        gid_t group;
        enum acl_grant list;
        enum writers writers;
    } files[] = {
        {0644, ME, ACL_GRANTS_OTHERS, WRITERS_NONE}, /* its mask lets nobody write */
        {0664, ME, ACL_GRANTS_OTHERS, WRITERS_LISTED},
        {0664, ME, ACL_GRANTS_GROUP, WRITERS_NONE},
        {0664, ME, ACL_GRANTS_NOBODY, WRITERS_NONE},
        {0664, 100, ACL_GRANTS_OTHERS, WRITERS_LISTED},
        {0664, 100, ACL_GRANTS_GROUP, WRITERS_GROUP},
        {0664, 100, ACL_GRANTS_NOBODY, WRITERS_NONE},
        {0646, ME, ACL_GRANTS_GROUP, WRITERS_ALL},
        {0666, 100, ACL_GRANTS_OTHERS, WRITERS_ALL},
    };

    (void)state;
    now = &rows[0];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const struct stat status = {
            .st_mode = files[i].mode, .st_uid = ME, .st_gid = files[i].group};

        list = files[i].list;
        if (owner_writers(FD, &status, ME) != files[i].writers)
            fail_msg("file %zu", i);
    }
    list = ACL_GRANTS_GROUP;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_writers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
