/*
 * plan_input.c: which files a plan was read from.
 */
#include "fleet/plan.h"

#include "base/input.h"
#include "image/image.h"

#include <sys/stat.h>
#include <unistd.h>

/* "-" is the file that is redirected to standard input, if one is. */
static bool is_file(const char *path, const struct stat *status)
{
    struct stat found;

    if (!path)
        return false;
    int result = input_is_standard(path) ? fstat(STDIN_FILENO, &found) : stat(path, &found);
    return result == 0 && found.st_dev == status->st_dev && found.st_ino == status->st_ino;
}

bool plan_has_read(const struct plan *plan, const struct stat *status)
{
    const struct plan_settings *settings = plan->settings;

    if (is_file(settings->hosts, status) || is_file(settings->file, status) ||
        is_file(settings->resume, status) || is_file(settings->sign, status) ||
        is_file(settings->verify_key, status))
        return true;
    for (size_t i = 0; i < plan->image_count; i++)
        if (is_file(plan->images[i].path, status) || is_file(plan->images[i].image->path, status))
            return true;
    for (size_t i = 0; i < plan->password_count; i++)
        if (is_file(plan->passwords[i].path, status))
            return true;
    for (size_t i = 0; i < plan->key_count; i++)
        if (is_file(plan->keys[i].path, status))
            return true;
    return false;
}
