/*
 * beneath.c: see beneath.h. The file is first held with O_PATH, which has no side effects even on a
 * device or a FIFO. It is then opened through /proc/self/fd if the kernel's name for it is beneath
 * the folder. openat2(RESOLVE_BENEATH) is not used: it refuses absolute links within the folder,
 * and kernels before 5.6 lack it.
 */
#include "base/beneath.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rule {
    char *path, *folder;
};

static void *rules; /* tree of tsearch(3) */

static int compare_rules(const void *a, const void *b)
{
    const struct rule *first = a, *second = b;

    return strcmp(first->path, second->path);
}

static const struct rule *find_rule(const char *path)
{
    const struct rule key = {.path = (char *)path};
    const struct rule *const *found = tfind(&key, &rules, compare_rules);

    return found ? *found : NULL;
}

static void free_rule(void *userdata)
{
    struct rule *rule = userdata;

    free(rule->path);
    free(rule->folder);
    free(rule);
}

int beneath_add(const char *path, const char *folder)
{
    if (find_rule(path))
        return 0;

    struct rule *rule = malloc(sizeof *rule);
    if (!rule)
        return -1;
    *rule = (struct rule){strdup(path), strdup(folder)};
    if (rule->path && rule->folder && tsearch(rule, &rules, compare_rules))
        return 0;

    free_rule(rule);
    return -1;
}

void beneath_forget(void)
{
    tdestroy(rules, free_rule);
    rules = NULL;
}

/* Returns 0 if an open file is beneath the folder, else EXDEV, or the reason why that is not known:
 * ENOSYS without /proc, the errno of a lack of resources. link: its entry in /proc/self/fd. */
static int check_beneath(const char *link, const char *folder)
{
    char real_path[PATH_MAX], real_folder[PATH_MAX];
    const ssize_t length = readlink(link, real_path, sizeof real_path - 1);

    if (length < 0)
        return errno == ENOENT ? ENOSYS : errno;
    if (!realpath(folder, real_folder))
        return error_is_local(errno) ? errno : EXDEV;
    real_path[length] = '\0';

    const size_t size = strlen(real_folder);
    const bool is_beneath = strncmp(real_path, real_folder, size) == 0 &&
                            (real_path[size] == '/' || strcmp(real_folder, "/") == 0);
    return is_beneath ? 0 : EXDEV;
}

int beneath_open(const char *path, int flags)
{
    const struct rule *rule = find_rule(path);
    if (!rule)
        return open(path, flags);

    const int held = open(path, O_PATH | O_CLOEXEC);
    char link[sizeof "/proc/self/fd/" + 3 * sizeof held];
    if (held < 0)
        return -1;

    snprintf(link, sizeof link, "/proc/self/fd/%d", held);
    int reason = check_beneath(link, rule->folder);
    const int fd = reason == 0 ? open(link, flags) : -1;
    if (reason == 0)
        reason = errno;
    close(held);
    errno = reason;
    return fd;
}
