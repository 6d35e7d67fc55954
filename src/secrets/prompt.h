/*
 * prompt.h: asks for a password on the controlling terminal, without echo, while the loop runs.
 */
#ifndef ESP_OTA_SECRETS_PROMPT_H
#define ESP_OTA_SECRETS_PROMPT_H

#include "base/loop.h"
#include <stdint.h>

struct prompt;

/* answer is NULL when the user gave none: an empty line, end of file, a line that cannot be a
 * password (over 1,024 bytes, NUL), the deadline. It is valid during the call. */
typedef void prompt_done_fn(const char *answer, void *userdata);

/* Shows text (made safe by the caller) on /dev/tty and reads a line for at most timeout_us. done is
 * called once, from the loop, after the terminal has been restored. NULL and errno when there is no
 * terminal, another process group has it, or this computer lacks something (error_is_local()).
 * prompt_free() may be called at any time, also from done; it restores the terminal and cleanses
 * what was typed. Messages appear above the prompt (diag_question()), and typed characters are
 * kept. */
struct prompt *prompt_start(struct loop *loop, const char *text, int64_t timeout_us,
                            prompt_done_fn *done, void *userdata);
void prompt_free(struct prompt *prompt);

#endif
