/*
 * prompt.h: asks for a password on the controlling terminal, without echo, while the loop runs.
 */
#ifndef PROMPT_H
#define PROMPT_H

#include <avahi-common/watch.h>
#include <stdint.h>

struct prompt;

/* answer is NULL when the user gave none (end of file, deadline). It is valid during the call. */
typedef void prompt_done_fn(const char *answer, void *userdata);

/* Shows text on /dev/tty and reads a line for at most timeout_us. NULL when there is no terminal
 * (errno says why). prompt_free() may be called at any time, also from done; it restores the
 * terminal and cleanses what was typed. */
struct prompt *prompt_start(const AvahiPoll *poll_api, const char *text, int64_t timeout_us,
                            prompt_done_fn *done, void *userdata);
void prompt_free(struct prompt *prompt);

#endif
