/*
 * worker.h: runs a function that may block in a child process, at the other end of a socket. For
 * library calls that cannot be given a deadline: the parent never waits for them, and kills the
 * child instead.
 */
#ifndef ESP_OTA_BASE_WORKER_H
#define ESP_OTA_BASE_WORKER_H

#include <sys/types.h>

/* socket keeps the borders of messages (SOCK_SEQPACKET); it reads as ended when the child dies. */
struct worker {
    pid_t pid;
    int socket; /* the parent's end: non-blocking */
};

/* Forks and calls run there with the child's end (blocking) and argument, which the child sees as
 * it was at this moment. The child holds no other descriptor than standard error, so it keeps no
 * connection of ours open; it is confined (confine.h) and reads zeros where secrets are (secret.h).
 * It ignores the signals that end the program, which are the parent's to judge, and dies with its
 * parent. Returns -1 (errno set) when there is no process or descriptor left. */
int worker_start(struct worker *worker, void (*run)(int socket, const void *argument),
                 const void *argument);

/* Kills the child, reaps it, and closes the socket. */
void worker_end(struct worker *worker);

#endif
