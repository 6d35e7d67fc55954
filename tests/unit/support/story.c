/* story.c: see story.h. */
#include "support/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void story_append(char *story, size_t capacity, const char *format, ...)
{
    size_t length = strlen(story);
    va_list arguments;

    va_start(arguments, format);
    int added = vsnprintf(story + length, capacity - length, format, arguments);
    va_end(arguments);
    assert_true(added >= 0 && (size_t)added < capacity - length);
}
