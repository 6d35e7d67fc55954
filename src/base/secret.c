/*
 * secret.c: a separate heap for secrets, on pages that the kernel protects. It is simple, since
 * secrets are few, live long, and are freed together. The global state is this heap, and the
 * dumpable flag of the process.
 */
#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A few chunks fit into 64 KiB, the limit for locked memory on older systems. Signing takes up to
 * 13 KB of stack (RSA-2048, OpenSSL 3.0). */
enum { CHUNK_SIZE = 16384, ALIGNMENT = 16, STACK_SIZE = 32768 };

/* The header of each secret. A forked child reads zeros here. */
struct block {
    _Alignas(ALIGNMENT) size_t size; /* in bytes, with this header */
};

/* Filled from its start. Freed space is reused only at the end of the used part. */
struct chunk {
    struct chunk *next;
    unsigned char *pages;
    size_t size;
    size_t used;
    size_t live;       /* how many secrets are in it */
    bool is_inherited; /* the kernel does not wipe it for forked children */
};

static struct chunk *chunks;

static struct chunk *add_chunk(size_t needed)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t wanted = needed > CHUNK_SIZE ? needed : CHUNK_SIZE;
    const size_t size = (wanted + page - 1) / page * page;
    struct chunk *chunk = calloc(1, sizeof *chunk);
    if (!chunk)
        return NULL;

    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        free(chunk);
        return NULL;
    }

    prctl(PR_SET_DUMPABLE, 0);
    const bool is_wiped = madvise(pages, size, MADV_WIPEONFORK) == 0;
    madvise(pages, size, MADV_DONTDUMP);
    mlock(pages, size);
    *chunk =
        (struct chunk){.next = chunks, .pages = pages, .size = size, .is_inherited = !is_wiped};
    chunks = chunk;
    return chunk;
}

static void remove_chunk(struct chunk **link)
{
    struct chunk *chunk = *link;
    *link = chunk->next;
    munmap(chunk->pages, chunk->size);
    free(chunk);
}

void *secret_alloc(size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;

    const size_t needed = sizeof(struct block) + (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct chunk *chunk = chunks;
    while (chunk && chunk->size - chunk->used < needed)
        chunk = chunk->next;
    if (!chunk)
        chunk = add_chunk(needed);
    if (!chunk)
        return NULL;

    struct block *block = (struct block *)(void *)(chunk->pages + chunk->used);
    block->size = needed;
    chunk->used += needed;
    chunk->live++;
    return block + 1;
}

char *secret_copy_part(const char *text, size_t length)
{
    char *copy = secret_alloc(length + 1);
    if (copy)
        memcpy(copy, text, length);
    return copy;
}

char *secret_copy(const char *text)
{
    return secret_copy_part(text, strlen(text));
}

void secret_free(void *secret)
{
    if (!secret)
        return;

    struct block *block = (struct block *)secret - 1;
    unsigned char *at = (unsigned char *)block;
    struct chunk **link = &chunks;
    while (*link && !(at >= (*link)->pages && at < (*link)->pages + (*link)->size))
        link = &(*link)->next;
    if (!*link)
        abort(); /* not from this heap: its size is unknown */

    struct chunk *chunk = *link;
    const size_t size = block->size;
    explicit_bzero(block, size);
    if (at + size == chunk->pages + chunk->used)
        chunk->used -= size;
    if (--chunk->live == 0)
        remove_chunk(link);
}

void secret_forget_all(void)
{
    for (const struct chunk *chunk = chunks; chunk; chunk = chunk->next)
        if (chunk->is_inherited)
            explicit_bzero(chunk->pages, chunk->used);
}

#ifdef __x86_64__
/* Only string functions use the registers from 16 on, which keep the bytes they read last. */
static void cleanse_registers(void)
{
#define CLEANSE(number) "vpxord %zmm" #number ", %zmm" #number ", %zmm" #number "\n\t"
    if (__builtin_cpu_supports("avx512f"))
        __asm__ volatile(CLEANSE(16) CLEANSE(17) CLEANSE(18) CLEANSE(19) CLEANSE(20) CLEANSE(21)
                             CLEANSE(22) CLEANSE(23) CLEANSE(24) CLEANSE(25) CLEANSE(26) CLEANSE(27)
                                 CLEANSE(28) CLEANSE(29) CLEANSE(30) CLEANSE(31));
    if (__builtin_cpu_supports("avx"))
        __asm__ volatile("vzeroall" ::
                             : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                               "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                               "xmm15");
#undef CLEANSE
}
#else
static void cleanse_registers(void)
{
}
#endif

/* Overwrites the real stack, for which AddressSanitizer would use a copy. Its frame is so large on
 * purpose. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wframe-larger-than="
__attribute__((noinline, no_sanitize_address)) static void cleanse_stack(void)
{
    unsigned char below[STACK_SIZE];

    explicit_bzero(below, sizeof below);
}
#pragma GCC diagnostic pop

void secret_cleanse_traces(void)
{
    cleanse_registers();
    cleanse_stack();
}

size_t secret_count(void)
{
    size_t count = 0;
    for (const struct chunk *chunk = chunks; chunk; chunk = chunk->next)
        count += chunk->live;
    return count;
}
