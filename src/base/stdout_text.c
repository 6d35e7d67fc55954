/*
 * stdout_text.c: see stdout_text.h.
 */
#include "base/stdout_text.h"

#include "base/stdio_guard.h"
#include "base/write_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

bool stdout_text_open(struct stdout_text *text)
{
    text_stream_open(&text->memory);
    text->stream = text->memory.file;
    return text->stream != NULL;
}

/* Whether all that was printed could be kept. */
static bool close_whole(struct stdout_text *text)
{
    return text->stream && text_stream_close(&text->memory);
}

static int release(struct stdout_text *text, int error)
{
    free(text->memory.bytes);
    *text = (struct stdout_text){0};
    return error;
}

int stdout_text_write(struct stdout_text *text, int patience_ms)
{
    int error = close_whole(text) ? stdio_guard_write(STDOUT_FILENO, text->memory.bytes,
                                                      text->memory.size, patience_ms)
                                  : ENOMEM;

    return release(text, error);
}

int stdout_text_put(struct stdout_text *text, struct write_queue *queue)
{
    int error =
        close_whole(text) ? write_queue_put(queue, text->memory.bytes, text->memory.size) : ENOMEM;

    return release(text, error);
}
