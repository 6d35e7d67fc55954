/*
 * input.h: files that people name and that are read from start to end: regular ones, and pipes,
 * such as those of <(command).
 */
#ifndef ESP_OTA_BASE_INPUT_H
#define ESP_OTA_BASE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether path is "-", by which options mean standard input. */
bool input_is_standard(const char *path);

/* The path for messages: "standard input" for "-", any other escaped into target (escape.h).
 * Returns target. */
char *input_show(char *target, size_t capacity, const char *path);

/* Opens the file, without waiting for whoever would write to it. Devices are refused (errno:
 * ENODEV), but for the one that is standard input. The caller closes the descriptor; -1 and errno
 * where there is none. */
int input_open(const char *path);

/* Reads as read(2) does, and waits for a pipe: a few seconds for somebody who writes to it, then
 * two minutes for something to be written (errno: ETIMEDOUT). Standard input, which may block, is
 * waited for two minutes. */
ssize_t input_read(int fd, void *buffer, size_t size);

/* Reads until the buffer is full or the file ends; -1 and errno when reading fails. */
ssize_t input_read_all(int fd, void *buffer, size_t capacity);

/* strerror(), in words that fit an errno of these. */
const char *input_error(int number);

/* The same for the errno of an open() of path, also for writing: where path begins with a ~ that no
 * shell has replaced, it says so. */
const char *input_open_error(const char *path, int number);

#endif
