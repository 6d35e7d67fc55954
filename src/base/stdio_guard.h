/*
 * stdio_guard.h: makes sure that standard input, output and error are open, and writes to terminals
 * and pipes without waiting forever for their readers.
 */
#ifndef ESP_OTA_BASE_STDIO_GUARD_H
#define ESP_OTA_BASE_STDIO_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* A caller may have closed file descriptors 0 to 2. The next socket would get that number, and a
 * report would go to a board. So each closed one is opened in a way that makes reading or writing
 * still fail. A write beyond the file size limit (ulimit -f) also fails from now on, instead of
 * ending the program. */
void stdio_guard_secure(void);

/* Whether the caller had closed standard input, or opened it only for writing to /dev/null. What
 * opens /dev/stdin would get an empty file otherwise. */
bool stdio_guard_has_no_input(void);

/* A signal that does not end the program: while a wait for a reader lasts, it stays pending, and
 * its handler runs afterwards. Otherwise it would end the wait, and output would be lost. */
void stdio_guard_defer(int number);

/* From now on, what is written to fd (standard output or error) is lost. But standard error goes on
 * to standard output if that is a terminal, so that messages are seen. */
void stdio_guard_discard(int fd);

/* How long a program that reads may take nothing, while boards wait, before it counts as
 * stopped. */
enum { STDIO_GUARD_PATIENCE_MS = 60000, STDIO_GUARD_NO_LIMIT = -1 };

/* Waits up to patience_ms until fd takes a write; false if it does not, or a signal comes that is
 * not deferred. A terminal held with Ctrl-S takes none, nor does a pipe with a stopped reader:
 * writing there would block the program, and the board would hang up. A person may hold a terminal
 * as long as they like, but another program may not: for a terminal, only a signal ends the
 * waiting. With STDIO_GUARD_NO_LIMIT, nothing does. True also if a write would fail, so that its
 * error is seen. If false, errno is that of poll(2), or ETIMEDOUT. */
bool stdio_guard_takes(int fd, int patience_ms);

/* After a write that failed with EAGAIN: poll(2) calls a terminal with one free byte ready, and a
 * line's end needs two there. Waits a moment, so that the next try is not made at once. Returns 0,
 * or EINTR for a signal that is not deferred. */
enum { STDIO_GUARD_REST_MS = 50 };
int stdio_guard_rest(void);

/* Writes size bytes; stdio_guard_takes() is asked before each piece. Returns 0 or errno: ETIMEDOUT
 * if fd took nothing for patience_ms, EINTR if a signal came while it took nothing. */
int stdio_guard_write(int fd, const void *data, size_t size, int patience_ms);

#endif
