/*
 * pty.h: pseudo terminals for tests.
 */
#ifndef SUPPORT_PTY_H
#define SUPPORT_PTY_H

#include "support/requirement.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Returns the master of a new one, whose slave may be opened. Skips the test where this computer
 * has none for this user, as in a chroot without /dev/pts. */
static inline int pty_open_master(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (master >= 0)
        assert_true(grantpt(master) == 0 && unlockpt(master) == 0);
    if (master < 0 || access(ptsname(master), R_OK | W_OK) < 0)
        requirement_skip("pseudo terminals (/dev/ptmx and /dev/pts)");
    return master;
}

#endif
