/*
 * tap.c: opens TAP devices in network namespaces.
 *
 * A device belongs to the namespace in which /dev/net/tun was opened, so the process goes there for
 * that moment and comes back. The file descriptor then works in any namespace.
 */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { QUEUE = 1 << 20 }; /* bytes */

static int open_namespace(const char *name_space)
{
    char path[64];
    if (strchr(name_space, '/'))
        return open(name_space, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%s/ns/net", name_space);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* With a limit, the kernel puts each frame into memory of its own. Without one, TCP joins unread
 * segments and counts all of them as unread until the last one is read. Then a closed window would
 * open all at once, unlike that of a board, which opens by the bytes read. */
static int limit_queue(int tap)
{
    int size = QUEUE;
    return ioctl(tap, TUNSETSNDBUF, &size);
}

static int open_device(const char *device)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap < 0)
        return -1;
    if (ioctl(tap, TUNSETIFF, &request) == 0 && limit_queue(tap) == 0)
        return tap;
    int reason = errno;
    close(tap);
    errno = reason;
    return -1;
}

static int open_elsewhere(int home, int there, const char *device, const char **step)
{
    *step = "enter the namespace";
    if (setns(there, CLONE_NEWNET) < 0)
        return -1;
    *step = "create the TAP device";
    int tap = open_device(device);
    int reason = errno;
    if (setns(home, CLONE_NEWNET) < 0) {
        *step = "come back from the namespace";
        reason = errno;
        if (tap >= 0)
            close(tap);
        tap = -1;
    }
    errno = reason;
    return tap;
}

int tap_open(const char *name_space, const char *device, const char **step)
{
    int tap = -1;
    int there = -1;

    *step = "open the own namespace";
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return -1;
    *step = "open the namespace";
    there = open_namespace(name_space);
    if (there >= 0)
        tap = open_elsewhere(home, there, device, step);
    int reason = errno;
    if (there >= 0)
        close(there);
    close(home);
    errno = reason;
    return tap;
}
