/* json_memory.c: watches jansson's allocations for failures. */
#include "base/json_memory.h"

#include <jansson.h>
#include <stdlib.h>

static bool has_run_out;

static void *allocate_watched(size_t size)
{
    void *memory = malloc(size);
    has_run_out = has_run_out || !memory;
    return memory;
}

void json_memory_watch(void)
{
    json_set_alloc_funcs(allocate_watched, free);
    has_run_out = false;
}

bool json_memory_has_run_out(void)
{
    return has_run_out;
}
