/*
 * files.c: see files.h.
 */
#include "support/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

void files_write(const char *path, const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    assert_int_equal(close(fd), 0);
}

void files_write_text(const char *path, const char *text)
{
    files_write(path, text, strlen(text));
}

void files_read_text(const char *path, char *text, size_t capacity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    ssize_t got = read(fd, text, capacity - 1);
    assert_true(got >= 0);
    text[got] = '\0';
    assert_int_equal(close(fd), 0);
}
