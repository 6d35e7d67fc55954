/*
 * test-prompt.c: the password prompt on a real pseudo-terminal. The test is the person at the
 * terminal. A session leader (the shell) runs the job that asks, so job control is real.
 */
#include "base/loop.h"
#include "secrets/prompt.h"
#include "support/pty.h"
#include "support/watch_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT "Password for kitchen: "

enum { DEADLINE_MS = 10000, LONG_US = 60 * 1000000, PASSWORD_LONGEST = 1024 };

/* Variations of the job. */
struct setting {
    bool no_terminal;
    bool no_watches;
    bool in_background;
    bool raw; /* another program left the terminal in raw mode */
    int64_t timeout_us;
};

/* The person's side. */
struct scene {
    int master;
    int reports;  /* lines from the job and the shell */
    int commands; /* "g": start the prompt; "f": free it; "c": continue the stopped job */
    pid_t shell;
    struct termios before;
};

struct job {
    struct loop *loop;
    struct prompt *prompt;
    int commands, reports;
};

static void on_typed_answer(const char *answer, void *userdata)
{
    struct job *job = userdata;
    dprintf(job->reports, answer ? "answer %s\n" : "none\n", answer);
    prompt_free(job->prompt);
    job->prompt = NULL;
    loop_quit(job->loop);
}

static void on_command(unsigned events, void *userdata)
{
    (void)events;
    struct job *job = userdata;
    char command;
    if (read(job->commands, &command, 1) == 1 && command == 'f') {
        prompt_free(job->prompt);
        dprintf(job->reports, "freed\n");
        loop_quit(job->loop);
    }
}

static _Noreturn void run_job(const struct setting *setting, int commands, int reports)
{
    struct job job = {.loop = loop_new(), .commands = commands, .reports = reports};
    struct loop_watch watch = {0};
    char command;

    if (read(commands, &command, 1) != 1)
        _exit(1);

    watch_limit_is_reached = setting->no_watches;
    job.prompt = prompt_start(job.loop, TEXT, setting->timeout_us, on_typed_answer, &job);
    if (!job.prompt) {
        dprintf(reports, "refused %s\n", strerrorname_np(errno));
        _exit(0);
    }
    loop_watch_start(&watch, job.loop, commands, LOOP_READABLE, on_command, &job);
    loop_run(job.loop);
    loop_free(job.loop);
    _exit(0);
}

/* A very small shell: starts one job, reports when it stops, and continues it. */
static _Noreturn void run_shell(const struct setting *setting, const char *terminal_name,
                                int commands, int reports)
{
    setsid();
    signal(SIGTTOU, SIG_IGN);
    signal(SIGHUP, SIG_IGN);

    int terminal = open(terminal_name, O_RDWR | O_NOCTTY);
    if (!setting->no_terminal)
        ioctl(terminal, TIOCSCTTY, 0);

    pid_t job = fork();
    if (job == 0) {
        setpgid(0, 0);
        if (!setting->in_background && !setting->no_terminal)
            tcsetpgrp(terminal, getpid());
        signal(SIGTTOU, SIG_DFL);
        run_job(setting, commands, reports);
    }

    int status;
    while (waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status)) {
        tcsetpgrp(terminal, getpid());
        dprintf(reports, "stopped\n");
        char command;
        if (read(commands, &command, 1) != 1)
            break;
        tcsetpgrp(terminal, job);
        kill(-job, SIGCONT);
    }
    _exit(0);
}

static struct scene begin_prompt(struct setting setting)
{
    struct scene scene;
    int commands[2], reports[2];

    if (setting.timeout_us == 0)
        setting.timeout_us = LONG_US;
    scene.master = pty_open_master();
    assert_int_equal(pipe2(commands, O_CLOEXEC), 0);
    assert_int_equal(pipe2(reports, O_CLOEXEC), 0);
    assert_int_equal(tcgetattr(scene.master, &scene.before), 0);
    if (setting.raw) {
        cfmakeraw(&scene.before);
        assert_int_equal(tcsetattr(scene.master, TCSANOW, &scene.before), 0);
    }
    scene.shell = fork();
    assert_true(scene.shell >= 0);
    if (scene.shell == 0) {
        char name[64];
        ptsname_r(scene.master, name, sizeof name);
        close(scene.master);
        close(commands[1]);
        close(reports[0]);
        run_shell(&setting, name, commands[0], reports[1]);
    }
    close(commands[0]);
    close(reports[1]);
    scene.commands = commands[1];
    scene.reports = reports[0];
    return scene;
}

static void command(const struct scene *scene, char letter)
{
    assert_int_equal(write(scene->commands, &letter, 1), 1);
}

static void type_at_prompt(const struct scene *scene, const char *keys, size_t length)
{
    assert_int_equal(write(scene->master, keys, length), (ssize_t)length);
}

/* Reads up to the end of text and returns all it has read; fails the test if text does not come. */
static const char *expect_from(int descriptor, const char *text, char *seen, size_t capacity)
{
    size_t length = 0;

    seen[0] = '\0';
    while (!strstr(seen, text)) {
        struct pollfd ready = {.fd = descriptor, .events = POLLIN};
        if (poll(&ready, 1, DEADLINE_MS) != 1)
            fail_msg("no '%s' within the deadline, only '%s'", text, seen);
        if (length == capacity - 1 || read(descriptor, seen + length, 1) != 1)
            fail_msg("no '%s' before the end, only '%s'", text, seen);
        seen[++length] = '\0';
    }
    return seen;
}

static void expect_screen(const struct scene *scene, const char *text)
{
    char seen[8192];
    assert_string_equal(expect_from(scene->master, text, seen, sizeof seen), text);
}

static void expect_report(const struct scene *scene, const char *line)
{
    char seen[8192];
    expect_from(scene->reports, line, seen, sizeof seen);
    assert_string_equal(seen, line);
}

static bool echoes(const struct scene *scene)
{
    struct termios now;
    assert_int_equal(tcgetattr(scene->master, &now), 0);
    return (now.c_lflag & ECHO) != 0;
}

static void assert_restored(const struct scene *scene)
{
    struct termios now;
    assert_int_equal(tcgetattr(scene->master, &now), 0);
    assert_int_equal(now.c_iflag, scene->before.c_iflag);
    assert_int_equal(now.c_oflag, scene->before.c_oflag);
    assert_int_equal(now.c_cflag, scene->before.c_cflag);
    assert_int_equal(now.c_lflag, scene->before.c_lflag);
    assert_memory_equal(now.c_cc, scene->before.c_cc, sizeof now.c_cc);
}

static void end_prompt(struct scene *scene)
{
    close(scene->commands);
    close(scene->reports);
    if (scene->master >= 0)
        close(scene->master);
    assert_int_equal(waitpid(scene->shell, NULL, 0), scene->shell);
}

static struct scene ask_on_terminal(struct setting setting)
{
    struct scene scene = begin_prompt(setting);
    command(&scene, 'g');
    expect_screen(&scene, TEXT);
    assert_false(echoes(&scene));
    return scene;
}

static void test_prompt_lines(void **state)
{
    (void)state;
    static const struct {
        const char *keys;
        size_t length;
        const char *report;
    } rows[] = {
#define ROW(keys, report) {keys, sizeof(keys) - 1, report}
        ROW("geheim\n", "answer geheim\n"),
        ROW("geheim\r", "answer geheim\n"),
        ROW("two words \n", "answer two words \n"),
        ROW("p\xc3\xa4ss\n", "answer p\xc3\xa4ss\n"),
        ROW("abX\x7f"
            "c\n",
            "answer abc\n"),
        ROW("wrong\x15right\n", "answer right\n"),
        ROW("half\x04whole\n", "answer halfwhole\n"),
        ROW("\n", "none\n"),
        ROW("\x04", "none\n"),
        ROW("half\x04\x04", "none\n"),
        ROW("a\0b\n", "none\n"),
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene scene = ask_on_terminal((struct setting){0});
        type_at_prompt(&scene, rows[i].keys, rows[i].length);
        expect_screen(&scene, "\r\n"); /* and none of the typed characters */
        expect_report(&scene, rows[i].report);
        assert_restored(&scene);
        end_prompt(&scene);
    }
}

static void test_longest_password(void **state)
{
    (void)state;

    for (size_t extra = 0; extra < 2; extra++) {
        char keys[PASSWORD_LONGEST + 2];
        memset(keys, 'x', sizeof keys);
        keys[PASSWORD_LONGEST + extra] = '\n';
        struct scene scene = ask_on_terminal((struct setting){0});
        type_at_prompt(&scene, keys, PASSWORD_LONGEST + extra + 1);
        char seen[8192];
        expect_from(scene.reports, "\n", seen, sizeof seen);
        if (extra == 0)
            assert_int_equal(strlen(seen), strlen("answer \n") + PASSWORD_LONGEST);
        else
            assert_string_equal(seen, "none\n");
        end_prompt(&scene);
    }
}

static void test_raw_terminal(void **state)
{
    (void)state;
    struct scene scene = ask_on_terminal((struct setting){.raw = true});
    type_at_prompt(&scene, "geheim\r", 7);
    expect_report(&scene, "answer geheim\n");
    assert_restored(&scene);
    end_prompt(&scene);
}

/* Which is no lack of a terminal; the terminal echoes again. */
static void test_no_more_watches(void **state)
{
    (void)state;
    struct scene scene = begin_prompt((struct setting){.no_watches = true});

    command(&scene, 'g');
    expect_report(&scene, "refused ENFILE\n");
    assert_restored(&scene);
    end_prompt(&scene);
}

static void test_typed_ahead_is_discarded(void **state)
{
    (void)state;
    struct scene scene = begin_prompt((struct setting){0});

    type_at_prompt(&scene, "ahead\n", 6);
    expect_screen(&scene, "ahead\r\n");
    command(&scene, 'g');
    expect_screen(&scene, TEXT);
    type_at_prompt(&scene, "real\n", 5);
    expect_report(&scene, "answer real\n");
    end_prompt(&scene);
}

static void test_prompt_deadline(void **state)
{
    (void)state;
    struct scene scene = ask_on_terminal((struct setting){.timeout_us = 300000});

    type_at_prompt(&scene, "unfini", 6);
    expect_report(&scene, "none\n");
    expect_screen(&scene, "\r\n");
    assert_restored(&scene);
    int waiting = -1;
    int slave = open(ptsname(scene.master), O_RDWR | O_NOCTTY);
    assert_int_equal(ioctl(slave, FIONREAD, &waiting), 0);
    assert_int_equal(waiting, 0); /* the shell gets none of it */
    close(slave);
    end_prompt(&scene);
}

static void test_freed_early(void **state)
{
    (void)state;
    struct scene scene = ask_on_terminal((struct setting){0});
    command(&scene, 'f');
    expect_report(&scene, "freed\n");
    expect_screen(&scene, "\r\n");
    assert_restored(&scene);
    end_prompt(&scene);
}

static void test_suspended(void **state)
{
    (void)state;

    if (getenv("ESP_OTA_VALGRIND"))
        skip(); /* the process must not stop during this */
    struct scene scene = ask_on_terminal((struct setting){0});
    type_at_prompt(&scene, "half\x1a", 5);
    expect_report(&scene, "stopped\n");
    expect_screen(&scene, "\r\n");
    assert_restored(&scene);
    command(&scene, 'c');
    expect_screen(&scene, TEXT);
    assert_false(echoes(&scene));
    type_at_prompt(&scene, "whole\n", 6);
    expect_report(&scene, "answer whole\n");
    assert_restored(&scene);
    end_prompt(&scene);
}

/* Switches echo on, as a shell does while the job is stopped with SIGSTOP, which cannot be
 * caught. */
static void test_echo_switched_on(void **state)
{
    (void)state;
    struct scene scene = ask_on_terminal((struct setting){0});

    assert_int_equal(tcsetattr(scene.master, TCSANOW, &scene.before), 0);
    expect_screen(&scene, TEXT);
    assert_false(echoes(&scene));
    type_at_prompt(&scene, "geheim\n", 7);
    expect_report(&scene, "answer geheim\n");
    assert_restored(&scene);
    end_prompt(&scene);
}

static void test_hangup(void **state)
{
    (void)state;
    struct scene scene = ask_on_terminal((struct setting){0});
    close(scene.master);
    scene.master = -1;
    expect_report(&scene, "none\n");
    end_prompt(&scene);
}

static void test_refused_prompt(void **state)
{
    (void)state;

    static const struct {
        struct setting setting;
        const char *report;
    } rows[] = {
        {{.no_terminal = true}, "refused ENXIO\n"},
        {{.in_background = true}, "refused EIO\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene scene = begin_prompt(rows[i].setting);
        command(&scene, 'g');
        expect_report(&scene, rows[i].report);
        assert_restored(&scene);
        end_prompt(&scene);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompt_lines),    cmocka_unit_test(test_longest_password),
        cmocka_unit_test(test_raw_terminal),    cmocka_unit_test(test_typed_ahead_is_discarded),
        cmocka_unit_test(test_prompt_deadline), cmocka_unit_test(test_freed_early),
        cmocka_unit_test(test_suspended),       cmocka_unit_test(test_echo_switched_on),
        cmocka_unit_test(test_hangup),          cmocka_unit_test(test_refused_prompt),
        cmocka_unit_test(test_no_more_watches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
