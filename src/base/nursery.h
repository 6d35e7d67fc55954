/*
 * nursery.h: a copy of this process from the time before libraries got secrets. It starts the workers
 * from then on: a copy of this process as it is would have what libcurl, GnuTLS and libcrypto keep on
 * their heaps while they need it.
 */
#ifndef ESP_OTA_BASE_NURSERY_H
#define ESP_OTA_BASE_NURSERY_H

#include <stdbool.h>
#include <sys/types.h>

/* The longest argument of a worker. */
enum { NURSERY_ARGUMENT_MAX = 1023 };

/* What a new process does, with its socket: it never returns. */
typedef void nursery_child_fn(int socket, pid_t parent, void (*run)(int, const char *),
                              const char *argument);

/* Forks it, which calls live() in each process that it starts. When no process is left, it remains
 * closed, and nursery_start() fails. */
void nursery_open(nursery_child_fn *live);

/* Whether it was opened, or should have been. */
bool nursery_is_wanted(void);

/* A new child of this process, which gets a copy of socket. Returns its process ID; -1 and errno
 * when there is none. */
pid_t nursery_start(int socket, void (*run)(int, const char *), const char *argument);

#endif
