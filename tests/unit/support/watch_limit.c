/* watch_limit.c: see watch_limit.h. */
#include "support/watch_limit.h"

#include <errno.h>
#include <sys/epoll.h>

bool watch_limit_is_reached;

int __real_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);

int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    if (!watch_limit_is_reached || operation != EPOLL_CTL_ADD || event->events != EPOLLIN)
        return __real_epoll_ctl(epoll, operation, fd, event);
    errno = ENOSPC;
    return -1;
}
