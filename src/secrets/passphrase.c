/*
 * passphrase.c: shows the prompt for a key's password and runs a loop until it is answered.
 */
#include "secrets/passphrase.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/secret.h"
#include "base/units.h"
#include "secrets/prompt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_MAX = 256 };
static const int64_t PROMPT_US = SECONDS(110);

struct question {
    struct loop *loop;
    struct prompt *prompt;
    const char *shown;
    char *answer;
    bool is_lost; /* the answer was, as memory ran out */
    int signal_number;
};

static void on_passphrase(const char *answer, void *userdata)
{
    struct question *question = userdata;
    question->answer = answer ? secret_copy(answer) : NULL;
    question->is_lost = answer && !question->answer;
    loop_quit(question->loop);
}

static void on_passphrase_signal(int number, void *userdata)
{
    struct question *question = userdata;
    question->signal_number = number;
    loop_quit(question->loop);
}

static void on_passphrase_status(void *userdata)
{
    const struct question *question = userdata;

    diag_notice("waiting for the password of the key in %.*s", SHOWN_MAX, question->shown);
}

static enum ota_error ask_passphrase(struct question *question, const char *shown,
                                     struct ota_failure *failure)
{
    char text[SHOWN_MAX + 32];

    snprintf(text, sizeof text, "Password of the key in %.*s: ", SHOWN_MAX, shown);
    if (loop_catch_signals(question->loop, on_passphrase_signal, question) < 0 ||
        loop_catch_status(question->loop, on_passphrase_status, question) < 0)
        return ota_fail_call(failure, "cannot catch signals");

    question->shown = shown;
    question->prompt = prompt_start(question->loop, text, PROMPT_US, on_passphrase, question);
    if (!question->prompt && error_is_local(errno))
        return ota_fail_call(failure, "the key's password cannot be asked for");
    if (!question->prompt)
        return ota_fail(
            failure, OTA_E_USAGE,
            "the key in %s is protected by a password, and there is no terminal to ask for "
            "it",
            shown);

    int result = loop_run(question->loop);
    int reason = errno;
    prompt_free(question->prompt);
    if (result < 0)
        return ota_fail_errno(failure, OTA_E_INTERNAL, reason, "cannot wait for events: %s",
                              strerror(reason));
    if (question->is_lost)
        return ota_fail_no_memory(failure);
    if (!question->answer)
        return ota_fail(failure, OTA_E_USAGE, "no password was given for the key in %s", shown);
    return OTA_OK;
}

enum ota_error passphrase_ask(char **password, const char *shown, void *userdata,
                              struct ota_failure *failure)
{
    struct question question = {.loop = loop_new()};

    (void)userdata;
    *password = NULL;
    if (!question.loop)
        return ota_fail_call(failure, "cannot wait for events");

    enum ota_error error = ask_passphrase(&question, shown, failure);
    loop_free(question.loop);
    if (question.signal_number != 0)
        loop_die_of(question.signal_number);

    if (error == OTA_OK)
        *password = question.answer;
    else
        secret_free(question.answer);
    return error;
}
