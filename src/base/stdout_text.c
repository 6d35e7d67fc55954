/*
 * stdout_text.c: see stdout_text.h.
 */
#include "base/stdout_text.h"

#include "base/stdio_guard.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

bool stdout_text_open(struct stdout_text *text)
{
    *text = (struct stdout_text){0};
    text->stream = open_memstream(&text->bytes, &text->size);
    return text->stream != NULL;
}

int stdout_text_write(struct stdout_text *text, int patience_ms)
{
    if (!text->stream)
        return ENOMEM;

    bool is_whole = !ferror(text->stream);
    is_whole = fclose(text->stream) == 0 && is_whole;
    int error =
        is_whole ? stdio_guard_write(STDOUT_FILENO, text->bytes, text->size, patience_ms) : ENOMEM;

    free(text->bytes);
    *text = (struct stdout_text){0};
    return error;
}
