/* page_secrets.c: see page_secrets.h. */
#include "upload/web/page_secrets.h"

#include <stdint.h>
#include <string.h>

bool page_repeats_answer(const struct page_secrets *secrets, const char *text)
{
    static const char basic[] = "Basic ";
    const char *pair = secrets->authorization ? strstr(secrets->authorization, basic) : NULL;

    return (pair && echo_has_words(text, pair + strlen(basic), ECHO_DIGITS)) ||
           echo_hide(secrets->echo, text) != text;
}

const char *page_hide_secrets(const struct page_secrets *secrets, const char *text)
{
    const bool is_password = secrets->password && echo_has_words(text, secrets->password, SIZE_MAX);

    return is_password || page_repeats_answer(secrets, text) ? ECHO_NOTE : text;
}
