/*
 * worker.h: runs a function that may block in a child process, at the other end of a socket. This
 * is for library calls without a deadline: the parent never waits for them, and kills the child
 * instead.
 */
#ifndef ESP_OTA_BASE_WORKER_H
#define ESP_OTA_BASE_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

/* The socket keeps message boundaries (SOCK_SEQPACKET). It reads as ended when the child dies. */
struct worker {
    pid_t pid;
    int socket; /* the parent's end: non-blocking */
};

/* Call this before a library gets a secret that it keeps on its own heap. From then on, workers
 * start from a copy of this process as it was at the first call, so they have no secret of a
 * library. If that copy cannot be made or ends, no worker starts any more. */
void worker_keep_clean(void);

/* Forks, and calls run() in the child with its end of the socket (blocking) and its copy of
 * argument, a text or NULL. The child closes all other file descriptors, so it keeps no connection
 * of the parent open, and what its libraries write to the standard streams is lost. It is confined
 * (confine.h), reads zeros in place of secrets (secret.h), ignores the signals that end the
 * program, and dies with its parent. Returns -1 and errno when no process or file descriptor is
 * left. */
int worker_start(struct worker *worker, void (*run)(int socket, const char *argument),
                 const char *argument);

/* Whether a flag that a child has sent is true or false. No other value may be read as a bool. */
bool worker_flag_is_sound(const bool *flag);

/* Kills the child, reaps it, and closes the socket. Does nothing without a child: the worker is all
 * zero, or has ended. */
void worker_end(struct worker *worker);

#endif
