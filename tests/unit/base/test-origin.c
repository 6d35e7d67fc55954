/*
 * test-origin.c: whose links and folders decide what a path leads to.
 */
#include "base/origin.h"

#include "base/acl.h"
#include "support/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/posix_acl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ME = 1000, OTHER = 1234 };

static char top[] = "/tmp/test-origin.XXXXXX";

/* All files are this user's, but those of these names. */
static const char *strangers, *roots;
static enum acl_grant list = ACL_GRANTS_GROUP; /* of all that the group may write */

int __real_fstat(int fd, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);
enum acl_grant __wrap_acl_grant(int fd, unsigned permission, uid_t user);

enum acl_grant __wrap_acl_grant(int fd, unsigned permission, uid_t user)
{
    assert_true(fd >= 0);
    assert_int_equal(permission, ACL_WRITE);
    assert_int_equal(user, ME);
    return list;
}

static bool is_named(const char *name, const struct stat *status)
{
    struct stat named;

    return name && lstat(name, &named) == 0 && named.st_ino == status->st_ino &&
           named.st_dev == status->st_dev;
}

int __wrap_fstat(int fd, struct stat *status)
{
    const int result = __real_fstat(fd, status);

    status->st_uid = is_named(strangers, status) ? OTHER : is_named(roots, status) ? 0 : ME;
    status->st_gid = ME;
    return result;
}

/* Each row: whose a name is, and what is said of the path, which begins in a given folder. */
static const struct {
    const char *path;
    size_t given;
    const char *stranger, *root;
    const char *why; /* NULL: nothing */
} rows[] = {
    {"home/.config/file", 4, NULL, NULL, NULL},
    {"home//.config//file", 4, NULL, "home/.config", NULL},
    {"home/.config/file", 0, NULL, NULL, NULL},
    {"home/.config/file", 4, "home", NULL, "the folder home belongs to another user"},
    {"home/.config/file", 4, "home/.config", NULL, "the folder .config belongs to another user"},
    {"home/.config/file", 4, "home/.config/file", NULL, NULL}, /* not judged here */
    {"home/.config/file", 4, ".", NULL, NULL},                 /* above the given folder */
    {"home/.config/file", 0, ".", NULL, "the folder . belongs to another user"},
    {"home/.config/to", 4, NULL, "home/.config/to", NULL},
    {"home/.config/to", 4, "home/.config/to", NULL, "the symbolic link to belongs to another user"},
    {"home/link/to", 4, "home/link", NULL, "the symbolic link link belongs to another user"},
    {"home/link/up", 4, NULL, NULL, NULL},
    {"home/link/up", 4, "home/.config/to", NULL, "the symbolic link to belongs to another user"},
    {"home/.config/out", 4, NULL, NULL, NULL},
    {"home/.config/out", 4, "elsewhere", NULL, "the folder elsewhere belongs to another user"},
    {"home/.config/absolute", 4, NULL, NULL, NULL},
    {"home/.config/absolute", 4, "/", NULL, "the folder / belongs to another user"},
    {"home/.config/absolute", 4, "elsewhere", NULL, "the folder elsewhere belongs to another user"},
    {"home/open/file", 4, NULL, NULL, "other users can write the folder open"},
    {"home/group/file", 4, NULL, NULL, NULL}, /* this user's own group */
    {"home/group/file", 4, NULL, "home/group", "other users can write the folder group"},
    {"home/sticky/file", 4, NULL, NULL, NULL},
    {"home/sticky/to", 4, "home/sticky/to", NULL, "the symbolic link to belongs to another user"},
};

/* It stays the same as long as all others are closed again. */
static int next_descriptor(void)
{
    const int fd = open("/", O_RDONLY | O_CLOEXEC);

    close(fd);
    return fd;
}

static bool ask(const char *path, size_t given, bool may_be_in_any_folder, char *why)
{
    const struct origin origin = {path, given, ME, may_be_in_any_folder};
    struct stat status = {0};

    stat(path, &status);
    memset(why, 0, ORIGIN_TEXT_MAX);
    return origin_is_clear(&origin, &status, why);
}

static void test_owners(void **state)
{
    const int next = next_descriptor();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int any_folder = 0; any_folder < 2; any_folder++) {
            char why[ORIGIN_TEXT_MAX];
            const bool is_bad = rows[i].why && (!any_folder || strstr(rows[i].why, "link "));

            strangers = rows[i].stranger;
            roots = rows[i].root;
            const bool is_clear = ask(rows[i].path, rows[i].given, any_folder, why);
            strangers = roots = NULL;
            if (is_clear == is_bad || strcmp(why, is_bad ? rows[i].why : "") != 0)
                fail_msg("row %zu: %d, \"%s\"", i, is_clear, why);
            if (!is_clear)
                assert_int_equal(errno, 0);
        }
    assert_int_equal(next_descriptor(), next);
}

/* The group of the folder is this user's own, but its list has others. */
static void test_list(void **state)
{
    char why[ORIGIN_TEXT_MAX];

    (void)state;
    list = ACL_GRANTS_OTHERS;
    assert_false(ask("home/group/file", 4, false, why));
    assert_string_equal(why, "other users can write the folder group");
    assert_true(ask("home/group/file", 4, true, why));
    assert_true(ask("home/.config/file", 4, false, why)); /* its mask lets nobody write */
    list = ACL_GRANTS_NOBODY;
    assert_true(ask("home/group/file", 4, false, why));
    list = ACL_GRANTS_GROUP;
}

/* Somebody has put another file there since it was opened. */
static void test_replaced(void **state)
{
    const struct origin origin = {"home/.config/file", 4, ME, false};
    char why[ORIGIN_TEXT_MAX];
    struct stat other;

    (void)state;
    assert_int_equal(stat("home/open/file", &other), 0);
    errno = EIO;
    assert_false(origin_is_clear(&origin, &other, why));
    assert_int_equal(errno, 0);
    assert_string_equal(why, "its path leads to another file by now");
}

static void test_no_way(void **state)
{
    static char long_name[NAME_MAX + 8] = "home/", long_path[PATH_MAX + 1];
    const struct {
        const char *path;
        int error;
    } paths[] = {{"home/missing", ENOENT},  {"home/.config/file/x", ENOTDIR}, {"home/loop", ELOOP},
                 {long_name, ENAMETOOLONG}, {long_path, ENAMETOOLONG},        {"missing/x", ENOENT},
                 {"home/loop/file", ELOOP}};
    const int next = next_descriptor();

    (void)state;
    memset(long_name + 5, 'x', NAME_MAX + 1);
    memset(long_path, '/', PATH_MAX);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char why[ORIGIN_TEXT_MAX];

        assert_false(ask(paths[i].path, i == 5 ? 7 : 4, false, why));
        if (errno != paths[i].error || strcmp(why, strerror(paths[i].error)) != 0)
            fail_msg("path %zu: errno %d, \"%s\"", i, errno, why);
    }
    assert_int_equal(next_descriptor(), next);
}

static void make_folder(const char *name, mode_t mode)
{
    assert_int_equal(mkdir(name, 0700), 0);
    assert_int_equal(chmod(name, mode), 0);
}

static int make_origin_tree(void **state)
{
    char absolute[PATH_MAX];

    (void)state;
    if (!mkdtemp(top) || chdir(top) != 0)
        return -1;
    make_folder("home", 0755);
    make_folder("home/.config", 0755);
    make_folder("home/open", 0777);
    make_folder("home/group", 0775);
    make_folder("home/sticky", 01777);
    make_folder("elsewhere", 0755);
    files_write_text("home/.config/file", "x");
    files_write_text("home/open/file", "x");
    files_write_text("home/group/file", "x");
    files_write_text("home/sticky/file", "x");
    files_write_text("elsewhere/file", "x");
    snprintf(absolute, sizeof absolute, "%s/elsewhere/file", top);
    return symlink("file", "home/.config/to") | symlink("file", "home/sticky/to") |
           symlink(".config", "home/link") | symlink("..//.config/to", "home/.config/up") |
           symlink("../../elsewhere/file", "home/.config/out") |
           symlink(absolute, "home/.config/absolute") | symlink("loop", "home/loop");
}

static int remove_origin_tree(void **state)
{
    static const char *const names[] = {"home/.config/file",
                                        "home/.config/to",
                                        "home/.config/up",
                                        "home/.config/out",
                                        "home/open/file",
                                        "home/group/file",
                                        "home/.config/absolute",
                                        "home/sticky/file",
                                        "home/sticky/to",
                                        "home/link",
                                        "home/loop",
                                        "home/.config",
                                        "home/open",
                                        "home/group",
                                        "home/sticky",
                                        "home",
                                        "elsewhere/file",
                                        "elsewhere"};
    int result = 0;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        result |= remove(names[i]);
    return result | chdir("/") | rmdir(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_no_way),
    };
    return cmocka_run_group_tests(tests, make_origin_tree, remove_origin_tree);
}
