/*
 * form.h: finds the upload forms in a page's HTML. Pure. It reads tags only, as hand-made pages are
 * rarely correct HTML.
 */
#ifndef ESP_OTA_UPLOAD_WEB_FORM_H
#define ESP_OTA_UPLOAD_WEB_FORM_H

#include <stdbool.h>
#include <stddef.h>

enum { FORM_TEXT_MAX = 128, FORM_INPUTS_MAX = 4 };

/* One file input, and the form that it is in. Unescaped, but without quotes and control
 * characters. */
struct form_input {
    char name[FORM_TEXT_MAX];   /* "": it has none that can be used */
    char action[FORM_TEXT_MAX]; /* of the form; "": none, "#" or "?": the page itself; ":": it
                                 * cannot be used */
};

/* The file inputs of a page; count may be larger than FORM_INPUTS_MAX, the first ones are kept. */
struct form_inputs {
    struct form_input inputs[FORM_INPUTS_MAX];
    size_t count;
};

void form_find_inputs(struct form_inputs *found, const char *html, size_t length);

/* The page's first file input with this name; NULL if there is none. */
const struct form_input *form_find_input(const struct form_inputs *found, const char *name);

/* Writes to target the URL path to which a form of the page at `path` posts, without "." and "..".
 * Returns false if the action leads to another server, is too long, or has invalid bytes. */
bool form_resolve_action(char target[FORM_TEXT_MAX], const char *path, const char *action);

#endif
