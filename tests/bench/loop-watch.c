/*
 * loop-watch.c: a library for LD_PRELOAD by bench_fleet.py. When the program ends, it writes two
 * figures to the file LOOP_WATCH. The first is the worst gap, in milliseconds: the longest time
 * that a descriptor may have been ready until its callback was over. The second is the program's
 * peak memory in kilobytes; the figure of wait4(2) would include the process that called exec.
 *
 * The gap of a descriptor begins when it was last known not to be ready, or was handed out. It ends
 * with the call after the one that hands it out. poll(2), which earlier versions called, hands out
 * all that are ready. epoll_wait(2) may leave some over: poll(2) then tells which ones are not
 * ready.
 *
 * With LOOP_WATCH_CPU in the environment, the gap is CPU time of the program, which counts neither
 * other work on the machine nor waiting.
 */
#include <dlfcn.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

enum { FDS_MAX = 1 << 15 };

static int64_t idle_us[FDS_MAX]; /* by descriptor: until when it was not ready; 0: never watched */
static int64_t all_idle_us;      /* until when all those were that were not handed out */
static int64_t oldest_us;        /* when the gaps of those handed out began; 0: none was */
static int64_t worst_us;

/* What epoll watches, in no order. The kernel gets the descriptor in place of the program's
 * data. */
static struct pollfd watched[FDS_MAX];
static size_t watched_count;
static size_t places[FDS_MAX]; /* by descriptor */
static epoll_data_t data[FDS_MAX];

static int64_t now_us(void)
{
    static int is_cpu = -1;
    struct timespec now;

    if (is_cpu < 0)
        is_cpu = getenv("LOOP_WATCH_CPU") != NULL;
    clock_gettime(is_cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void end_gaps(void)
{
    int64_t gap_us = oldest_us ? now_us() - oldest_us : 0;

    if (gap_us > worst_us)
        worst_us = gap_us;
    oldest_us = 0;
}

static void begin_gap(int fd, int64_t returned_us)
{
    int64_t since_us = idle_us[fd] > all_idle_us ? idle_us[fd] : all_idle_us;

    if (since_us && (!oldest_us || since_us < oldest_us))
        oldest_us = since_us;
    idle_us[fd] = returned_us;
}

int poll(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
    static int (*real)(struct pollfd *, nfds_t, int);

    end_gaps();
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "poll");
    int result = real(descriptors, count, 0);
    if (result == 0 && timeout_ms != 0) {
        result = real(descriptors, count, timeout_ms);
        all_idle_us = now_us();
    }

    int64_t returned_us = now_us();
    for (nfds_t i = 0; result > 0 && i < count; i++)
        if (descriptors[i].revents && descriptors[i].fd >= 0)
            begin_gap(descriptors[i].fd, returned_us);
    all_idle_us = returned_us;
    return result;
}

/* Finds out which descriptors are not ready. */
static void probe(void)
{
    static int (*real)(struct pollfd *, nfds_t, int);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "poll");
    int64_t asked_us = now_us();
    real(watched, watched_count, 0);
    for (size_t i = 0; i < watched_count; i++)
        if (!watched[i].revents)
            idle_us[watched[i].fd] = asked_us;
}

int epoll_wait(int epoll, struct epoll_event *events, int count_max, int timeout_ms)
{
    static int (*real)(int, struct epoll_event *, int, int);

    end_gaps();
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
    int result = real(epoll, events, count_max, 0);
    if (result == 0 && timeout_ms != 0) {
        result = real(epoll, events, count_max, timeout_ms);
        all_idle_us = now_us();
    }

    int64_t returned_us = now_us();
    for (int i = 0; i < result; i++) {
        begin_gap(events[i].data.fd, returned_us);
        events[i].data = data[events[i].data.fd];
    }
    if (result == count_max)
        probe();
    else
        all_idle_us = returned_us;
    return result;
}

/* POLLIN and POLLOUT are the same bits as EPOLLIN and EPOLLOUT. */
static void note_interest(int operation, int fd, const struct epoll_event *event)
{
    if (operation == EPOLL_CTL_ADD) {
        places[fd] = watched_count++;
        idle_us[fd] = now_us();
    }

    struct pollfd *place = &watched[places[fd]];
    if (operation != EPOLL_CTL_DEL) {
        *place = (struct pollfd){.fd = fd, .events = (short)event->events};
        data[fd] = event->data;
        return;
    }

    *place = watched[--watched_count];
    places[place->fd] = places[fd];
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    static int (*real)(int, int, int, struct epoll_event *);
    struct epoll_event own = {0};

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "epoll_ctl");
    if (event)
        own = (struct epoll_event){.events = event->events, .data.fd = fd};
    int result = real(epoll, operation, fd, &own);

    if (result == 0)
        note_interest(operation, fd, event);
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
