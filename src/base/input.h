/*
 * input.h: reads files named by the user from start to end: regular files, and pipes such as those
 * of <(command). Remembers them, so that no output damages one.
 */
#ifndef ESP_OTA_BASE_INPUT_H
#define ESP_OTA_BASE_INPUT_H

#include "esp-ota/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether path is "-", which stands for standard input. */
bool input_is_standard(const char *path);

/* The path for messages: "standard input" for "-", any other escaped into target. Returns
 * target. */
char *input_show(char *target, size_t capacity, const char *path);

/* Whether the path leads to /dev/null, which is a usual way to say that there is no such file. */
bool input_is_null_device(const char *path);

/* Whether the path is a name of standard input (/dev/stdin), which the caller has closed. */
bool input_is_closed(const char *path);

/* Opens the file without waiting for a writer. Devices are rejected with ENODEV, except the device
 * that is standard input; a closed standard input with EBADF. Returns a file descriptor, which the
 * caller closes, or -1 and errno. */
int input_open(const char *path);

/* Like read(2), but waits for a pipe: 5 s for a writer, then two minutes for data. A blocking
 * standard input has two minutes, too. After that, returns -1 and ETIMEDOUT. Fails with ETXTBSY if
 * standard output or error goes into this file or pipe, unless the file is empty; from then on,
 * what is written to the file is lost. */
ssize_t input_read(int fd, void *buffer, size_t size);

/* Reads until the buffer is full or the file ends; -1 and errno when reading fails. */
ssize_t input_read_all(int fd, void *buffer, size_t capacity);

/* The file is an input of this run, and may be read later. What input_read() has read is one in any
 * case. Returns -1 and errno: ENOMEM, or ETXTBSY as input_read() does. */
int input_remember(const char *path);
void input_forget(void); /* all inputs */

/* To be called before the output file of an option is opened, when all inputs are known: fails with
 * OTA_E_USAGE if path is one of them, by whatever name. */
enum ota_error input_protect(const char *option, const char *path, struct ota_failure *failure);

/* Like input_protect(), and also fails if standard output or error goes into the file. is_appended:
 * the option appends to its file and does not replace it, so both may write to it if the stream
 * appends, too (">>"). After that failure, what is written to the stream is lost, unless the file
 * is empty. */
enum ota_error input_protect_output(const char *option, const char *path, bool is_appended,
                                    struct ota_failure *failure);

/* Like input_protect(), and also fails if standard error goes into the file, for an option whose
 * file may be standard output or a pipe. */
enum ota_error input_protect_from_messages(const char *option, const char *path,
                                           struct ota_failure *failure);

/* Whether both paths lead to the same regular file, which is there. */
bool input_is_same_file(const char *path, const char *other);

/* Like strerror(), with better words for the errors of these functions. */
const char *input_error(int number);

/* Like input_error(), for the errno of an open() of path. The text says so if path has a ~ or $
 * that no shell has expanded, or is a pattern, a URL or a path of Windows. */
const char *input_open_error(const char *path, int number);

#endif
