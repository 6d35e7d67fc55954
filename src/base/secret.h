/*
 * secret.h: memory for passwords and keys, which neither swap, core dumps, debuggers of the same
 * user nor child processes get to see.
 */
#ifndef ESP_OTA_BASE_SECRET_H
#define ESP_OTA_BASE_SECRET_H

#include <stddef.h>

/* size bytes, all zero, aligned for anything; NULL when memory ran out. The caller frees them with
 * secret_free(). From the first call on, the process writes no core dump and cannot be traced. The
 * pages are locked (as far as RLIMIT_MEMLOCK allows: otherwise they can be swapped out), left out
 * of dumps, and read as zeros in a forked child. */
void *secret_alloc(size_t size);

/* A terminated copy of text, or of its first length bytes. */
char *secret_copy(const char *text);
char *secret_copy_part(const char *text, size_t length);

/* Cleanses all of it, whatever its content, and frees it. NULL is allowed. */
void secret_free(void *secret);

/* For a child after fork(): cleanses what the kernel has left there, as old ones do. */
void secret_forget_all(void);

/* Cleanses vector registers, and the stack below the caller: functions for strings leave what they
 * have read last in those, from where the dynamic linker saves it on the stack whenever it looks
 * for a function; and functions of libraries leave parts of secrets there. */
void secret_cleanse_traces(void);

/* How many are not freed, for tests. */
size_t secret_count(void);

#endif
