/*
 * watch_limit.h: the kernel's limit of watches (fs.epoll.max_user_watches). Link with watch_limit.c
 * and WRAP epoll_ctl (CMakeLists.txt).
 */
#ifndef WATCH_LIMIT_H
#define WATCH_LIMIT_H

#include <stdbool.h>

/* While true, no watch for reading can be started; those of connections in the making can. */
extern bool watch_limit_is_reached;

#endif
