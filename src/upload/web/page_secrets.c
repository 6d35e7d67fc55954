/* page_secrets.c: see page_secrets.h. */
#include "upload/web/page_secrets.h"

#include <stdint.h>
#include <string.h>

/* The length of words of ours that may stand between texts of the page here, or 0. Their letters
 * would pass for digits between its own (page_facts.c, page_find.c, page_text.c, announced.c,
 * readback.c). */
static size_t own_length(const char *text)
{
    static const char *const own[] = {
        " of ",       " (build ",   ", Server ",        ", Location ",
        ", Refresh ", ", project ", ", configuration ", " now (before: ESPHome "};

    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strncmp(text, own[i], strlen(own[i])) == 0)
            return strlen(own[i]);
    return 0;
}

/* Whether a text completes an echo, as it is or without our words. */
static bool hear(struct echo *echo, const char *text)
{
    bool is_completed = echo_hear(echo, ECHO_CHANNEL, text, strlen(text));

    while (*text) {
        size_t length = 0;

        while (text[length] && !own_length(text + length))
            length++;
        is_completed |= echo_hear(echo, ECHO_WORDS, text, length);
        text += length;
        text += own_length(text);
    }
    return is_completed;
}

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

const char *page_hide_next(const struct page_secrets *secrets, const char *text)
{
    struct echo *echo = secrets->echo;

    if (echo && hear(echo, text))
        echo->is_completed = true;
    return echo && echo->is_completed && *text ? ECHO_NOTE : page_hide_secrets(secrets, text);
}
