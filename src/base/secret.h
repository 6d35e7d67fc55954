/*
 * secret.h: memory for passwords and keys, kept from swap, core dumps, debuggers of the same user,
 * and child processes.
 */
#ifndef ESP_OTA_BASE_SECRET_H
#define ESP_OTA_BASE_SECRET_H

#include <stddef.h>

/* Allocates size bytes, zeroed and aligned for any type; NULL when memory ran out. The caller frees
 * them with secret_free(). From the first call on, the process writes no core dump and cannot be
 * traced. The pages are locked (as far as RLIMIT_MEMLOCK allows: otherwise they can be swapped
 * out), left out of dumps, and read as zeros in a forked child. */
void *secret_alloc(size_t size);

/* A terminated copy of text, or of its first length bytes; NULL when memory ran out. */
char *secret_copy(const char *text);
char *secret_copy_part(const char *text, size_t length);

/* Overwrites the whole block and frees it. NULL is allowed. */
void secret_free(void *secret);

/* For a child after fork(): overwrites the secrets that an old kernel has copied into it. */
void secret_forget_all(void);

/* Overwrites the vector registers, and the stack below the caller. String functions leave the bytes
 * they read last in these registers, and the dynamic linker saves the registers on the stack
 * whenever it resolves a function. Library functions leave parts of secrets on the stack, too. */
void secret_cleanse_traces(void);

/* The number of secrets that are not freed yet, for tests. */
size_t secret_count(void);

#endif
