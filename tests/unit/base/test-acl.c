/*
 * test-acl.c: whom access control lists let write, as the kernel shows them.
 */
#include "base/acl.h"

#include <endian.h>
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/xattr.h>

#include <cmocka.h>

enum { FD = 7, ME = 1000, OTHER = 1234, NOBODY = -1, ENTRIES = 5 };

/* --wrap: what the calls give: a list, or this reason. */
static struct {
    struct posix_acl_xattr_header header;
    struct posix_acl_xattr_entry entries[ENTRIES];
} list;
static ssize_t list_size;
static int reason;
static bool is_path_only; /* opened with O_PATH */

ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size);
ssize_t __wrap_getxattr(const char *path, const char *name, void *value, size_t size);

static ssize_t give(const char *name, void *value, size_t size)
{
    assert_string_equal(name, "system.posix_acl_access");
    errno = reason;
    if (reason)
        return -1;
    assert_true(size >= sizeof list);
    memcpy(value, &list, sizeof list);
    return list_size;
}

ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size)
{
    assert_int_equal(fd, FD);
    errno = EBADF;
    return is_path_only ? -1 : give(name, value, size);
}

ssize_t __wrap_getxattr(const char *path, const char *name, void *value, size_t size)
{
    assert_true(is_path_only);
    assert_string_equal(path, "/proc/self/fd/7");
    return give(name, value, size);
}

static struct posix_acl_xattr_entry entry(unsigned tag, unsigned permission, int id)
{
    return (struct posix_acl_xattr_entry){htole16((uint16_t)tag), htole16((uint16_t)permission),
                                          htole32((uint32_t)id)};
}

static void make_list(unsigned tag, unsigned permission, int id, unsigned of_group)
{
    list.header.a_version = htole32(POSIX_ACL_XATTR_VERSION);
    list.entries[0] = entry(ACL_USER_OBJ, ACL_READ | ACL_WRITE, NOBODY);
    list.entries[1] = entry(tag, permission, id);
    list.entries[2] = entry(ACL_GROUP_OBJ, of_group, NOBODY);
    list.entries[3] = entry(ACL_MASK, ACL_READ | ACL_WRITE, NOBODY);
    list.entries[4] = entry(ACL_OTHER, ACL_READ, NOBODY);
    list_size = sizeof list;
}

static void test_lists(void **state)
{
    static const struct {
        unsigned tag, permission;
        int id;
        unsigned of_group;
        enum acl_grant grant;
    } rows[] = {
        {ACL_USER, ACL_WRITE, OTHER, ACL_READ, ACL_GRANTS_OTHERS},
        {ACL_USER, ACL_READ | ACL_WRITE, OTHER, ACL_WRITE, ACL_GRANTS_OTHERS},
        {ACL_USER, ACL_READ, OTHER, ACL_READ, ACL_GRANTS_NOBODY},
        {ACL_USER, ACL_READ, OTHER, ACL_WRITE, ACL_GRANTS_GROUP},
        {ACL_USER, ACL_WRITE, ME, ACL_READ, ACL_GRANTS_NOBODY},
        {ACL_USER, ACL_WRITE, 0, ACL_READ, ACL_GRANTS_NOBODY},
        {ACL_GROUP, ACL_WRITE, OTHER, 0, ACL_GRANTS_OTHERS},
        {ACL_GROUP, ACL_WRITE, 0, 0, ACL_GRANTS_OTHERS},
        {ACL_GROUP, ACL_READ, OTHER, 0, ACL_GRANTS_NOBODY},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const size_t row = i / 2;

        is_path_only = i % 2;
        make_list(rows[row].tag, rows[row].permission, rows[row].id, rows[row].of_group);
        if (acl_grant(FD, ACL_WRITE, ME) != rows[row].grant)
            fail_msg("row %zu", row);
    }
    is_path_only = false;
}

/* What the size leaves out is not read. */
static void test_sizes(void **state)
{
    (void)state;
    make_list(ACL_USER, ACL_WRITE, OTHER, ACL_WRITE);
    list_size = 0;
    assert_int_equal(acl_grant(FD, ACL_WRITE, ME), ACL_GRANTS_NOBODY);
    list_size = (ssize_t)(sizeof list.header + 2 * sizeof *list.entries - 1);
    assert_int_equal(acl_grant(FD, ACL_WRITE, ME), ACL_GRANTS_NOBODY);
    list_size++;
    assert_int_equal(acl_grant(FD, ACL_WRITE, ME), ACL_GRANTS_OTHERS);
}

static void test_no_list(void **state)
{
    static const struct {
        int reason;
        enum acl_grant grant;
    } rows[] = {{ENODATA, ACL_GRANTS_GROUP},
                {EOPNOTSUPP, ACL_GRANTS_GROUP},
                {ERANGE, ACL_GRANTS_OTHERS}, /* a longer one */
                {ENOENT, ACL_GRANTS_OTHERS}, /* no /proc */
                {EACCES, ACL_GRANTS_OTHERS}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reason = rows[i].reason;
        is_path_only = reason == ENOENT;
        assert_int_equal(acl_grant(FD, ACL_WRITE, ME), rows[i].grant);
    }
    reason = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_no_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
