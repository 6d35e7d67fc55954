/*
 * fd_limit.h: the limit of open files (RLIMIT_NOFILE), for work on many connections at a time.
 */
#ifndef ESP_OTA_BASE_FD_LIMIT_H
#define ESP_OTA_BASE_FD_LIMIT_H

#include <stddef.h>

/* How many connections may be open at a time, of the wanted ones (at least 1): each takes up to two
 * file descriptors, beside the reserved ones. Raises the soft limit if that is needed. At least
 * 1. */
size_t fd_limit_connections(size_t wanted, size_t reserved);

#endif
