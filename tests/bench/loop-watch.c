/*
 * loop-watch.c: a library for LD_PRELOAD by bench_fleet.py. When the program ends, it writes two
 * figures to the file LOOP_WATCH. The first is the worst gap, in milliseconds: the longest time
 * that passed until all boards that were ready had their turn. The second is the program's peak
 * memory in kilobytes; the figure of wait4(2) would include the process that called exec.
 *
 * poll(2), which earlier versions called, returns all that are ready: the gap is the time until the
 * next call. epoll_wait(2) may return fewer, and takes turns among them: the gap is the time of as
 * many calls as all descriptors need, or of as many as left some over.
 */
#include <dlfcn.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

enum { CALLS_MAX = 64 };

static int64_t returned_us[CALLS_MAX]; /* when the latest calls returned, as a ring */
static size_t returned_count;
static size_t full_count; /* of the latest calls: those in a row that may have left some over */
static size_t descriptor_count;
static int64_t worst_us;

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void note_call(int count_max)
{
    size_t calls = (descriptor_count + (size_t)count_max - 1) / (size_t)count_max;

    if (calls > full_count + 1)
        calls = full_count + 1;
    if (calls < 1)
        calls = 1;
    if (returned_count < calls || calls > CALLS_MAX)
        return;
    int64_t gap_us = now_us() - returned_us[(returned_count - calls) % CALLS_MAX];

    if (gap_us > worst_us)
        worst_us = gap_us;
}

static void note_return(bool is_full)
{
    returned_us[returned_count++ % CALLS_MAX] = now_us();
    full_count = is_full ? full_count + 1 : 0;
}

int poll(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
    static int (*real)(struct pollfd *, nfds_t, int);

    note_call((int)(count ? count : 1));
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "poll");
    int result = real(descriptors, count, timeout_ms);

    note_return(false);
    return result;
}

int epoll_wait(int epoll, struct epoll_event *events, int count_max, int timeout_ms)
{
    static int (*real)(int, struct epoll_event *, int, int);

    note_call(count_max);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
    int result = real(epoll, events, count_max, timeout_ms);

    note_return(result == count_max);
    return result;
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    static int (*real)(int, int, int, struct epoll_event *);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "epoll_ctl");
    int result = real(epoll, operation, fd, event);

    if (result == 0 && operation == EPOLL_CTL_ADD)
        descriptor_count++;
    if (result == 0 && operation == EPOLL_CTL_DEL)
        descriptor_count--;
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
