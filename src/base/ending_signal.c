/* ending_signal.c: see ending_signal.h. */
#include "base/ending_signal.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const struct {
    int number;
    const char *name;
} named[] = {
    {SIGHUP, "SIGHUP"},       {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"},     {SIGTERM, "SIGTERM"},
    {SIGUSR2, "SIGUSR2"},     {SIGALRM, "SIGALRM"}, {SIGVTALRM, "SIGVTALRM"}, {SIGPROF, "SIGPROF"},
    {SIGXCPU, "SIGXCPU"},     {SIGPWR, "SIGPWR"},   {SIGIO, "SIGIO"},
#ifdef SIGSTKFLT /* not on MIPS */
    {SIGSTKFLT, "SIGSTKFLT"},
#endif
};

/* NULL: not in the table. */
static const char *find_name(int number)
{
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (named[i].number == number)
            return named[i].name;
    return NULL;
}

static bool is_real_time(int number)
{
    return number >= SIGRTMIN && number <= SIGRTMAX;
}

bool ending_signal_includes(int number)
{
    return find_name(number) || is_real_time(number);
}

const char *ending_signal_name(int number)
{
    const char *name = find_name(number);

    if (name)
        return name;
    return is_real_time(number) ? "a real-time signal" : "a signal";
}

static void end_process(int number)
{
    _exit(128 + number);
}

void ending_signal_reach_process_1(void)
{
    const struct sigaction end = {.sa_handler = end_process};
    struct sigaction old;

    for (int number = 1; number < NSIG && getpid() == 1; number++)
        if (ending_signal_includes(number) && sigaction(number, NULL, &old) == 0 &&
            old.sa_handler == SIG_DFL)
            sigaction(number, &end, NULL);
}

bool ending_signal_is_default(const struct sigaction *action)
{
    return action->sa_handler == SIG_DFL || action->sa_handler == end_process;
}
