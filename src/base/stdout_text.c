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
    *text = (struct stdout_text){0};
    text->stream = open_memstream(&text->bytes, &text->size);
    return text->stream != NULL;
}

/* Whether all that was printed could be kept. */
static bool close_whole(struct stdout_text *text)
{
    if (!text->stream)
        return false;

    bool is_whole = !ferror(text->stream);
    return fclose(text->stream) == 0 && is_whole;
}

static int release(struct stdout_text *text, int error)
{
    free(text->bytes);
    *text = (struct stdout_text){0};
    return error;
}

int stdout_text_write(struct stdout_text *text, int patience_ms)
{
    int error = close_whole(text)
                    ? stdio_guard_write(STDOUT_FILENO, text->bytes, text->size, patience_ms)
                    : ENOMEM;

    return release(text, error);
}

int stdout_text_put(struct stdout_text *text, struct write_queue *queue)
{
    int error = close_whole(text) ? write_queue_put(queue, text->bytes, text->size) : ENOMEM;

    return release(text, error);
}
