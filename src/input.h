/*
 * input.h: files that people name and that are read from start to end: regular ones, and pipes,
 * such as those of <(command).
 */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <sys/types.h>

/* Opens the file, without waiting for whoever would write to it. Devices are refused (errno:
 * ENODEV), but for the one that is standard input. The caller closes the descriptor; -1 and errno
 * where there is none. */
int input_open(const char *path);

/* Reads as read(2) does, and waits for a pipe: a few seconds for somebody who writes to it, then
 * two minutes for something to be written (errno: ETIMEDOUT). Other descriptors, such as standard
 * input, may be used as well; one that blocks has no deadline. */
ssize_t input_read(int descriptor, void *buffer, size_t size);

/* Reads until the buffer is full or the file ends; -1 and errno when reading fails. */
ssize_t input_read_all(int descriptor, void *buffer, size_t capacity);

/* strerror(), in words that fit an errno of these. */
const char *input_error(int number);

#endif
