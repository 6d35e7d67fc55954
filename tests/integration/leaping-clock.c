/*
 * leaping-clock.c: for LD_PRELOAD, by test_serve_tasmota.py: a monotonic clock that is ahead by as
 * many seconds as the file CLOCK_LEAP says. Without the file it goes as usual.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long leap(void)
{
    char text[16] = "";
    const char *path = getenv("CLOCK_LEAP");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof text - 1) < 0)
        text[0] = '\0';
    close(fd);
    return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_MONOTONIC)
        now->tv_sec += leap();
    return (int)result;
}
