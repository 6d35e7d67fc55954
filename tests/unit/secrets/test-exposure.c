/*
 * test-exposure.c: files of all permissions, with and without an access control list. They have no
 * name, so nothing is left of them.
 */
#include "secrets/exposure.h"

#include <endian.h>
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

enum { NO_ID = -1, SOMEBODY = 12345, ENTRIES = 5 };

static void test_mode(void **state)
{
    static const struct {
        mode_t mode;
        enum exposure exposure;
    } rows[] = {{0600, EXPOSED_TO_NOBODY}, {0620, EXPOSED_TO_NOBODY}, {0640, EXPOSED_TO_GROUP},
                {0644, EXPOSED_TO_ALL},    {0604, EXPOSED_TO_ALL},    {0602, EXPOSED_TO_NOBODY}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FILE *file = tmpfile();
        assert_non_null(file);
        assert_int_equal(fchmod(fileno(file), rows[i].mode), 0);
        assert_int_equal(exposure_of(fileno(file)), rows[i].exposure);
        fclose(file);
    }
}

static struct posix_acl_xattr_entry make_entry(unsigned tag, unsigned permissions, int id)
{
    return (struct posix_acl_xattr_entry){htole16((uint16_t)tag), htole16((uint16_t)permissions),
                                          htole32((uint32_t)id)};
}

/* Returns false if the file system has no such lists. */
static bool set_list(int fd, int user, unsigned of_user, unsigned of_group, unsigned mask)
{
    const struct {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entries[ENTRIES];
    } list = {{htole32(POSIX_ACL_XATTR_VERSION)},
              {make_entry(ACL_USER_OBJ, ACL_READ | ACL_WRITE, NO_ID),
               make_entry(ACL_USER, of_user, user), make_entry(ACL_GROUP_OBJ, of_group, NO_ID),
               make_entry(ACL_MASK, mask, NO_ID), make_entry(ACL_OTHER, 0, NO_ID)}};

    if (fsetxattr(fd, "system.posix_acl_access", &list, sizeof list, 0) == 0)
        return true;
    assert_int_equal(errno, EOPNOTSUPP);
    return false;
}

static void test_list(void **state)
{
    const struct {
        int user;
        unsigned of_user, of_group, mask;
        enum exposure exposure;
    } rows[] = {{(int)geteuid(), ACL_READ, 0, ACL_READ, EXPOSED_TO_NOBODY},
                {(int)geteuid(), ACL_READ, ACL_READ, ACL_READ, EXPOSED_TO_GROUP},
                {SOMEBODY, ACL_READ, 0, ACL_READ, EXPOSED_TO_GROUP},
                {SOMEBODY, ACL_WRITE, 0, ACL_READ, EXPOSED_TO_NOBODY},
                {SOMEBODY, ACL_READ, ACL_READ, ACL_WRITE, EXPOSED_TO_NOBODY}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FILE *file = tmpfile();
        assert_non_null(file);
        const bool has_list =
            set_list(fileno(file), rows[i].user, rows[i].of_user, rows[i].of_group, rows[i].mask);
        const enum exposure exposure = exposure_of(fileno(file));
        fclose(file);
        if (!has_list)
            skip();
        assert_int_equal(exposure, rows[i].exposure);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mode), cmocka_unit_test(test_list)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
