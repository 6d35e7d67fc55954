/*
 * capture.c: redirects standard output and standard error to temporary files.
 */
#include "support/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int divert(int descriptor, int *file)
{
    char path[] = "/tmp/esp-ota-capture-XXXXXX";
    int saved = dup(descriptor);
    *file = mkstemp(path);
    if (saved < 0 || *file < 0 || unlink(path) < 0 || dup2(*file, descriptor) < 0)
        abort();
    return saved;
}

static void restore_stream(int descriptor, int saved, int file, char *text)
{
    ssize_t got = pread(file, text, CAPTURE_MAX - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    dup2(saved, descriptor);
    close(saved);
    close(file);
}

void capture_begin(struct capture *capture)
{
    fflush(stdout);
    capture->saved_out = divert(STDOUT_FILENO, &capture->out);
    capture->saved_err = divert(STDERR_FILENO, &capture->err);
}

void capture_end(struct capture *capture)
{
    fflush(stdout);
    restore_stream(STDOUT_FILENO, capture->saved_out, capture->out, capture->text_out);
    restore_stream(STDERR_FILENO, capture->saved_err, capture->err, capture->text_err);
}
