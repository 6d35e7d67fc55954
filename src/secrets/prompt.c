/*
 * prompt.c: a password prompt on /dev/tty, driven by the loop. It opens the terminal itself, so
 * standard input and output are not touched. It needs no signal handler: the suspend key arrives as
 * an ordinary character, and the terminal is restored before the process stops.
 */
#include "secrets/prompt.h"

#include "base/diag.h"
#include "base/loop.h"
#include "base/secret.h"
#include "base/units.h"
#include "crypto/digest.h"
#include "secrets/password.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum {
    /* Interval of the check whether another program (a shell, after SIGCONT) has switched echo on
     * again. */
    CHECK_US = MILLISECONDS(250),
    /* How long to wait for the SIGHUP of a closed terminal, which comes by way of the shell. It
     * tells more than a missing answer. If it is ignored, it does not come. */
    HANGUP_US = SECONDS(1),
    LINE_SIZE = PASSWORD_MAX + 2, /* one byte more than allowed, and a terminator */
};

struct prompt {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timeout;
    int64_t deadline_us;
    prompt_done_fn *done;
    void *userdata;
    int terminal;
    struct termios original;
    struct termios silent;
    bool is_silent;
    char *text;
    size_t length;
    char *line; /* LINE_SIZE bytes of secret memory */
};

/* Discards typed-ahead input and the rest of an unfinished answer: no part of a password may end up
 * in the shell. TCSAFLUSH would also wait for output, which ^S may hold back. */
static int set_mode(struct prompt *prompt, const struct termios *mode)
{
    int result = tcsetattr(prompt->terminal, TCSANOW, mode);
    tcflush(prompt->terminal, TCIFLUSH);
    return result;
}

static void forget_line(struct prompt *prompt)
{
    digest_cleanse(prompt->line, LINE_SIZE);
    prompt->length = 0;
}

/* Starts the input again: the terminal's driver drops the characters typed so far, so they are
 * dropped here, too. */
static int silence_terminal(struct prompt *prompt)
{
    forget_line(prompt);
    if (set_mode(prompt, &prompt->silent) < 0)
        return -1;
    prompt->is_silent = true;
    diag_status_clear();
    if (diag_put_on(prompt->terminal, prompt->text) < 0)
        return -1;
    diag_question(prompt->text);
    return 0;
}

static void restore_terminal(struct prompt *prompt)
{
    if (!prompt->is_silent)
        return;
    prompt->is_silent = false;
    diag_put_on(prompt->terminal, "\n");
    diag_question(NULL);
    set_mode(prompt, &prompt->original);
}

/* Must be the last step of its caller: the callback may free the prompt. */
static void finish_prompt(struct prompt *prompt, const char *answer)
{
    loop_watch_stop(&prompt->watch);
    loop_timer_stop(&prompt->timeout);
    restore_terminal(prompt);
    prompt->done(answer, prompt->userdata);
}

/* Stops the whole process group, as the terminal's driver would. */
static void suspend_job(struct prompt *prompt)
{
    restore_terminal(prompt);
    kill(0, SIGTSTP);
    silence_terminal(prompt);
}

static void finish_line(struct prompt *prompt)
{
    prompt->line[prompt->length] = '\0';
    bool is_password = prompt->length > 0 && prompt->length <= PASSWORD_MAX &&
                       strlen(prompt->line) == prompt->length;
    finish_prompt(prompt, is_password ? prompt->line : NULL);
}

/* Takes one character; false when the prompt is finished, and perhaps freed. */
static bool take_character(struct prompt *prompt, char character)
{
    if (character == '\n') {
        finish_line(prompt);
        return false;
    }

    if ((cc_t)character == prompt->silent.c_cc[VEOL2] && character != _POSIX_VDISABLE)
        suspend_job(prompt);
    else if (prompt->length <= PASSWORD_MAX)
        prompt->line[prompt->length++] = character;
    return true;
}

static void wait_for_hangup(struct prompt *prompt)
{
    loop_watch_stop(&prompt->watch);
    prompt->deadline_us = loop_now_us() + HANGUP_US;
}

static void on_terminal_readable(unsigned events, void *userdata)
{
    struct prompt *prompt = userdata;
    char typed[256];
    ssize_t got = read(prompt->terminal, typed, sizeof typed);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0 || (got == 0 && (events & LOOP_HUNG_UP))) {
        wait_for_hangup(prompt);
        return;
    }
    if (got == 0) {
        finish_prompt(prompt, NULL);
        return;
    }

    bool goes_on = true;
    for (ssize_t i = 0; i < got && goes_on; i++)
        goes_on = take_character(prompt, typed[i]);
    digest_cleanse(typed, sizeof typed);
}

static void on_prompt_timeout(void *userdata)
{
    struct prompt *prompt = userdata;
    int64_t left_us = prompt->deadline_us - loop_now_us();

    if (left_us <= 0) {
        finish_prompt(prompt, NULL);
        return;
    }

    struct termios now;
    if (tcgetattr(prompt->terminal, &now) == 0 && (now.c_lflag & ECHO) != 0)
        silence_terminal(prompt);
    loop_timer_start(&prompt->timeout, left_us < CHECK_US ? left_us : CHECK_US);
}

/* The usual line editing, whatever mode the terminal was left in, but no echo. The suspend key ends
 * a line instead of raising a signal, so that take_character() sees it. */
static struct termios silent_mode(const struct termios *original)
{
    struct termios mode = *original;
    mode.c_iflag &= ~(tcflag_t)(IGNCR | INLCR);
    mode.c_iflag |= ICRNL;
    mode.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    mode.c_lflag |= ICANON | ISIG | IEXTEN;
    mode.c_cc[VEOL2] = original->c_cc[VSUSP];
    mode.c_cc[VSUSP] = _POSIX_VDISABLE;
    return mode;
}

/* -1 and errno when there is no terminal that this process may use. */
static int open_terminal(struct prompt *prompt)
{
    prompt->terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (prompt->terminal < 0)
        return -1;

    if (tcgetpgrp(prompt->terminal) != getpgrp()) {
        errno = EIO; /* the error of read(2), which would stop the process first */
        return -1;
    }
    if (tcgetattr(prompt->terminal, &prompt->original) < 0)
        return -1;

    prompt->silent = silent_mode(&prompt->original);
    return silence_terminal(prompt);
}

struct prompt *prompt_start(struct loop *loop, const char *text, int64_t timeout_us,
                            prompt_done_fn *done, void *userdata)
{
    struct prompt *prompt = calloc(1, sizeof *prompt);
    if (!prompt)
        return NULL;

    *prompt = (struct prompt){.loop = loop,
                              .deadline_us = loop_now_us() + timeout_us,
                              .done = done,
                              .userdata = userdata,
                              .terminal = -1,
                              .text = strdup(text),
                              .line = secret_alloc(LINE_SIZE)};
    if (!prompt->text || !prompt->line || open_terminal(prompt) < 0)
        goto cleanup;
    if (loop_watch_start(&prompt->watch, loop, prompt->terminal, LOOP_READABLE,
                         on_terminal_readable, prompt) < 0)
        goto cleanup;

    loop_timer_init(&prompt->timeout, loop, on_prompt_timeout, prompt);
    loop_timer_start(&prompt->timeout, timeout_us < CHECK_US ? timeout_us : CHECK_US);
    return prompt;

cleanup:;
    int reason = errno;
    prompt_free(prompt);
    errno = reason;
    return NULL;
}

void prompt_free(struct prompt *prompt)
{
    if (!prompt)
        return;

    loop_watch_stop(&prompt->watch);
    loop_timer_stop(&prompt->timeout);
    restore_terminal(prompt);
    if (prompt->terminal >= 0)
        close(prompt->terminal);
    free(prompt->text);
    secret_free(prompt->line);
    free(prompt);
}
