/*
 * shifting-clock.c: for LD_PRELOAD, by test_faults.py and test_web.py: a wall clock that is wrong
 * by CLOCK_SHIFT_S seconds, and jumps between any two readings, by CLOCK_JUMP_S seconds and back
 * again. The monotonic clock is left alone.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long seconds_of(const char *name)
{
    const char *seconds = getenv(name);
    return seconds ? strtol(seconds, NULL, 10) : 0;
}

static long shift(void)
{
    static unsigned readings;
    return seconds_of("CLOCK_SHIFT_S") + (readings++ % 2 ? seconds_of("CLOCK_JUMP_S") : 0);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += shift();
    return (int)result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    *now = (struct timeval){.tv_sec = precise.tv_sec, .tv_usec = precise.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *now)
{
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now)
        *now = precise.tv_sec;
    return precise.tv_sec;
}
