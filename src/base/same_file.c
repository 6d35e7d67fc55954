/* same_file.c: see same_file.h. */
#include "base/same_file.h"

bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}
