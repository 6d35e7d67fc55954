/*
 * error.h: fills in a struct ota_failure. error.c holds the table of codes behind
 * include/esp-ota/error.h.
 */
#ifndef ESP_OTA_BASE_ERROR_H
#define ESP_OTA_BASE_ERROR_H

#include "esp-ota/error.h"

#include <stdarg.h>

/* Sets code, formatted message (cut to OTA_MESSAGE_MAX) and OTA_CAUSE_NONE, and returns the code,
 * so that a function can end in `return ota_fail(failure, OTA_E_..., "...")`. The caller escapes
 * text from outside. */
enum ota_error ota_fail(struct ota_failure *failure, enum ota_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum ota_error ota_vfail(struct ota_failure *failure, enum ota_error error, const char *format,
                         va_list arguments) __attribute__((format(printf, 3, 0)));

/* Puts this text in front of a failure's message. Its code and its cause stay. */
void ota_prefix(struct ota_failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Fails with OTA_E_INTERNAL, "out of memory". */
enum ota_error ota_fail_no_memory(struct ota_failure *failure);

/* As ota_fail(), for a system call that failed with this errno. If error_is_local(number), it fails
 * with OTA_E_INTERNAL instead, as error would blame somebody else, and with the cause. */
enum ota_error ota_fail_errno(struct ota_failure *failure, enum ota_error error, int number,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Fails with OTA_E_INTERNAL for errno: "cannot wait for events: ...". */
enum ota_error ota_fail_call(struct ota_failure *failure, const char *what);

/* The cause of an OTA_E_OUTPUT, by the errno of the failed call; and strerror() for output, where
 * ETIMEDOUT means that the reader has stopped. */
enum ota_cause error_output_cause(int reason);
const char *error_output_text(int reason);

/* Fails with OTA_E_OUTPUT and its cause, as standard output could not be written for this errno. */
enum ota_error ota_fail_stdout(struct ota_failure *failure, int reason);

/* How a board's TCP connection ended, by the errno that ended it; 0: the board closed it.
 * ETIMEDOUT becomes timed_out, since its meaning depends on what the connection is for. */
const char *error_connection_text(int reason, const char *timed_out);

/* strerror() for a process that could not be started (worker.h). */
const char *error_process_text(int number);

/* Whether this errno means that this computer has run out of a resource: memory, file descriptors,
 * processes (EAGAIN of fork(), ECHILD of nursery_start()), buffers. */
bool error_is_local(int number);

/* Which resource that is; OTA_CAUSE_NONE unless error_is_local(number). */
enum ota_cause error_lack_cause(int number);

/* Why nothing leaves this computer, by the errno of a system call that sends or connects: its
 * firewall, a route that keeps it in, no route. OTA_CAUSE_NONE: another errno. */
enum ota_cause error_way_cause(int number);

/* Whether either is so, or a route or -I does not lead to the board (EINVAL). Then this errno says
 * nothing about the board: neither that it is off, nor that it is silent. */
bool error_is_of_this_computer(int number);

/* If error_is_of_this_computer(number), the failure becomes OTA_E_INTERNAL or OTA_E_LOCAL, with the
 * cause. The message stays. */
void ota_blame_this_computer(struct ota_failure *failure, int number);

/* OTA_E_INTERNAL if error_is_local(number), else error. For a failed system call, where error
 * blames a file, the board or the network. */
enum ota_error error_unless_local(enum ota_error error, int number);

#endif
