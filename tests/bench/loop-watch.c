/*
 * loop-watch.c: a library for LD_PRELOAD by bench_fleet.py. When the program ends, it writes two
 * figures to the file LOOP_WATCH. The first is the longest time between two calls of poll(2), in
 * milliseconds, for which a board may have to wait. The second is the program's peak memory in
 * kilobytes; the figure of wait4(2) would include the process that called exec.
 */
#include <dlfcn.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t returned_us; /* 0: poll(2) has not been called yet */
static int64_t worst_us;

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int poll(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
    static int (*real)(struct pollfd *, nfds_t, int);
    int64_t away_us = returned_us ? now_us() - returned_us : 0;
    if (away_us > worst_us)
        worst_us = away_us;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "poll");
    int result = real(descriptors, count, timeout_ms);
    returned_us = now_us();
    return result;
}

static long peak_memory_kb(void)
{
    char line[128];
    long kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");

    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1)
            break;
    if (status)
        fclose(status);
    return kilobytes;
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("LOOP_WATCH");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "%.1f %ld\n", (double)worst_us / 1000, peak_memory_kb());
    fclose(file);
}
