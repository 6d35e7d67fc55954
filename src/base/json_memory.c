/*
 * json_memory.c: watches jansson's allocations for failures. jansson 2.14 ignores that the buffer
 * of a string that it reads cannot grow, and then copies from behind its end. So after a failure
 * there is a reserve: the text is read to its end, and the failure is known.
 */
#include "base/json_memory.h"

#include <jansson.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* For a string as long as the longest reply. Memory that is not touched costs nothing. */
enum { RESERVE_SIZE = 1024 * 1024 };

static bool has_run_out, is_reading;
static alignas(max_align_t) unsigned char reserve[RESERVE_SIZE];
static size_t reserve_used, reserve_blocks;

static void *allocate_reserved(size_t size)
{
    const size_t alignment = alignof(max_align_t);
    const size_t rounded = (size + alignment - 1) / alignment * alignment;

    if (rounded < size || rounded > sizeof reserve - reserve_used)
        return NULL;
    void *memory = reserve + reserve_used;
    reserve_used += rounded;
    reserve_blocks++;
    return memory;
}

static void *allocate_watched(size_t size)
{
    void *memory = malloc(size);

    if (memory)
        return memory;
    has_run_out = true;
    return is_reading ? allocate_reserved(size) : NULL;
}

/* The reserve is whole again when nothing of it is in use. */
static void free_watched(void *memory)
{
    const uintptr_t at = (uintptr_t)memory, start = (uintptr_t)reserve;

    if (at < start || at >= start + sizeof reserve)
        free(memory);
    else if (--reserve_blocks == 0)
        reserve_used = 0;
}

void json_memory_watch(void)
{
    json_set_alloc_funcs(allocate_watched, free_watched);
    has_run_out = false;
}

json_t *json_memory_load(const char *text, size_t length, size_t flags, json_error_t *error)
{
    json_set_alloc_funcs(allocate_watched, free_watched);
    is_reading = true;
    json_t *root = json_loadb(text, length, flags, error);
    is_reading = false;
    return root;
}

bool json_memory_has_run_out(void)
{
    return has_run_out;
}
