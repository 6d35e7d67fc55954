/* test-ending_signal.c: asks the kernel which signals end a process. */
#include "base/ending_signal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Numbers between those are the C library's own. */
static bool is_signal(int number)
{
    return number < 32 || (number >= SIGRTMIN && number <= SIGRTMAX);
}

static bool ends_process(int number)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        prctl(PR_SET_DUMPABLE, 0);
        signal(number, SIG_DFL);
        raise(number);
        _exit(0);
    }

    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    if (WIFSTOPPED(status)) {
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    return WIFSIGNALED(status);
}

/* Also one that a later kernel or C library adds. */
static void test_all_that_end_a_process(void **state)
{
    static const int others[] = {SIGKILL, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE,
                                 SIGSEGV, SIGSYS, SIGPIPE, SIGXFSZ, SIGUSR1};

    (void)state;
    if (getenv("ESP_OTA_VALGRIND"))
        skip(); /* it has default actions of its own */
    for (int number = 1; number < NSIG; number++) {
        bool is_other = !is_signal(number);

        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            is_other |= others[i] == number;
        if (ending_signal_includes(number) != (!is_other && ends_process(number)))
            fail_msg("signal %d (%s)", number, strsignal(number));
    }
}

static void test_no_signal(void **state)
{
    static const int numbers[] = {-1, 0, 32, NSIG, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_false(ending_signal_includes(numbers[i]));
}

static void test_names(void **state)
{
    const struct {
        int number;
        const char *name;
    } rows[] = {
        {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"},
        {SIGTERM, "SIGTERM"}, {SIGXCPU, "SIGXCPU"}, {SIGRTMIN, "a real-time signal"},
        {0, "a signal"},      {-1, "a signal"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(ending_signal_name(rows[i].number), rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_end_a_process),
        cmocka_unit_test(test_no_signal),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
