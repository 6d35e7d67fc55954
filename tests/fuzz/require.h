/*
 * require.h: what holds for every input; otherwise the fuzzer has found something.
 */
#ifndef FUZZ_REQUIRE_H
#define FUZZ_REQUIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static inline void require(bool condition)
{
    if (!condition)
        abort();
}

static inline void require_terminated(const char *text, size_t capacity)
{
    require(memchr(text, '\0', capacity));
}

#endif
