/*
 * nursery.h: a copy of this process from the time before libraries got secrets. From then on, this
 * copy starts the workers. A fork of this process itself would also have the secrets on the heaps
 * of libcurl, GnuTLS and libcrypto.
 */
#ifndef ESP_OTA_BASE_NURSERY_H
#define ESP_OTA_BASE_NURSERY_H

#include <stdbool.h>
#include <sys/types.h>

/* The longest argument of a worker, in bytes. */
enum { NURSERY_ARGUMENT_MAX = 1023 };

/* Runs in the new process, with its socket. Never returns. */
typedef void nursery_child_fn(int socket, pid_t parent, void (*run)(int, const char *),
                              const char *argument);

/* Forks the nursery, which calls live() in each process that it starts. If no process is left for
 * it, nursery_start() fails. */
void nursery_open(nursery_child_fn *live);

/* Whether nursery_open() was called, even if it failed. */
bool nursery_is_wanted(void);

/* Starts a child of this process, which gets a copy of socket. Returns its process ID; -1 and errno
 * on failure: ECHILD from the time on that the nursery was killed or stopped, as a new one would
 * have the secrets. */
pid_t nursery_start(int socket, void (*run)(int, const char *), const char *argument);

/* Kills a child of this process, however it was started, and reaps it. Does nothing if pid is not
 * positive: kill(2) would end the process group, or every process of this user. */
void nursery_end_child(pid_t pid);

#endif
