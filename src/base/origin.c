/*
 * origin.c: see origin.h. Each name of the path is opened with O_PATH, which has no side effects,
 * and links are read instead of followed: the kernel would not say whose they are.
 */
#include "base/origin.h"

#include "base/escape.h"
#include "base/owner.h"
#include "base/same_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINKS_MAX = 40, NAME_SHOWN = 256 }; /* as many links as the kernel follows */

struct walk {
    const struct origin *origin;
    char *why;
    int folder;       /* in which the next name is looked up */
    struct stat last; /* that of the last name which was no link */
    unsigned links;
    char path[PATH_MAX];
    const char *rest; /* in path: the names that are to come */
};

static bool doubt(const struct walk *walk, const char *before, const char *name, const char *after)
{
    char shown[NAME_SHOWN];

    snprintf(walk->why, ORIGIN_TEXT_MAX, "%s %s%s", before,
             escape_string(shown, sizeof shown, name), after);
    errno = 0;
    return false;
}

static bool judge(const struct walk *walk, int fd, const struct stat *status, const char *name)
{
    const uid_t owner = walk->origin->owner;
    const bool is_ours = owner_is(status->st_uid, owner) || owner_is(status->st_uid, 0);

    if (S_ISLNK(status->st_mode))
        return is_ours || doubt(walk, "the symbolic link", name, " belongs to another user");
    if (!S_ISDIR(status->st_mode) || walk->origin->may_be_in_any_folder)
        return true;
    if (!is_ours)
        return doubt(walk, "the folder", name, " belongs to another user");
    return (status->st_mode & S_ISVTX) != 0 || owner_writers(fd, status, owner) == WRITERS_NONE ||
           doubt(walk, "other users can write the folder", name, "");
}

/* Puts the text of a link before the names that are to come. */
static bool insert_link(struct walk *walk, int link)
{
    char text[PATH_MAX];
    const ssize_t length = readlinkat(link, "", text, sizeof text);
    const size_t left = strlen(walk->rest);

    if (length < 0)
        return false;
    if (++walk->links > LINKS_MAX || (size_t)length + left + 2 > sizeof walk->path) {
        errno = walk->links > LINKS_MAX ? ELOOP : ENAMETOOLONG;
        return false;
    }
    memmove(walk->path + length + 1, walk->rest, left + 1);
    memcpy(walk->path, text, (size_t)length);
    walk->path[length] = '/';
    walk->rest = walk->path;
    return true;
}

/* Judges what was opened, and goes on from there: a link stays in its folder. Takes fd, which may
 * be -1. */
static bool go_on(struct walk *walk, int fd, const char *name)
{
    struct stat status;
    bool is_clear = fd >= 0 && fstat(fd, &status) == 0 && judge(walk, fd, &status, name);

    if (is_clear && !S_ISLNK(status.st_mode)) {
        if (walk->folder >= 0)
            close(walk->folder);
        walk->folder = fd;
        walk->last = status;
        return true;
    }
    is_clear = is_clear && insert_link(walk, fd);
    const int reason = errno;
    if (fd >= 0)
        close(fd);
    errno = reason;
    return is_clear;
}

static void skip_slashes(struct walk *walk)
{
    walk->rest += strspn(walk->rest, "/");
}

static bool follow_next_name(struct walk *walk)
{
    const size_t length = strcspn(walk->rest, "/");
    char name[NAME_MAX + 1];

    if (length == 0) { /* a link leads there */
        skip_slashes(walk);
        return go_on(walk, open("/", O_PATH | O_CLOEXEC), "/");
    }
    if (length >= sizeof name) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(name, walk->rest, length);
    name[length] = '\0';
    walk->rest += length;
    skip_slashes(walk);
    return go_on(walk, openat(walk->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), name);
}

/* Enters the given folder. */
static bool start(struct walk *walk)
{
    const char *path = walk->origin->path;
    const bool is_absolute = *path == '/';
    const size_t given = walk->origin->given > 0 ? walk->origin->given : is_absolute;
    char folder[PATH_MAX] = ".";

    if (strlen(path) >= sizeof walk->path) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(walk->path, sizeof walk->path, "%s", path + given);
    walk->rest = walk->path;
    skip_slashes(walk);
    if (given > 0)
        snprintf(folder, sizeof folder, "%.*s", (int)given, path);
    return go_on(walk, open(folder, O_PATH | O_CLOEXEC), folder);
}

bool origin_is_clear(const struct origin *origin, const struct stat *file,
                     char why[ORIGIN_TEXT_MAX])
{
    struct walk walk = {.origin = origin, .why = why, .folder = -1};
    bool is_clear = start(&walk);

    while (is_clear && *walk.rest)
        is_clear = follow_next_name(&walk);
    const int reason = errno;
    if (walk.folder >= 0)
        close(walk.folder);
    errno = reason;
    if (!is_clear && errno)
        snprintf(why, ORIGIN_TEXT_MAX, "%s", strerror(errno));
    return is_clear && (same_file(&walk.last, file) ||
                        doubt(&walk, "its path leads to another file", "", "by now"));
}
