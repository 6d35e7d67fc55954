/*
 * ending_signal.h: the signals that end a process by default and that the program catches, to leave
 * in an orderly way.
 */
#ifndef ESP_OTA_BASE_ENDING_SIGNAL_H
#define ESP_OTA_BASE_ENDING_SIGNAL_H

#include <stdbool.h>

struct sigaction;

/* All that can be caught, but for three groups: those of a crash (such as SIGSEGV), after which
 * nothing can be relied on; SIGPIPE and SIGXFSZ, which become errors of write(2); and SIGUSR1, by
 * which the user asks for the progress. False for a number that is no signal. */
bool ending_signal_includes(int number);

/* "SIGINT"; "a real-time signal"; "a signal" if it is none of these. */
const char *ending_signal_name(int number);

/* Process 1 of a container gets no signal from the kernel that would only end it. If this is that
 * process, gives each of these signals a handler that ends it with status 128 + number. */
void ending_signal_reach_process_1(void);

/* Whether the signal just ends the process: by default, or by the handler above. */
bool ending_signal_is_default(const struct sigaction *action);

#endif
