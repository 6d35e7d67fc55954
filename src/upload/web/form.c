/* form.c: a scanner of tags and their attributes. */
#include "upload/web/form.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct scanner {
    const char *at;
    const char *end;
};

struct attribute {
    char name[16];
    char value[FORM_TEXT_MAX];
    bool is_usable; /* the value is complete */
};

/* The action of a form that cannot be used: another server, for form_resolve_action(). */
static const char ELSEWHERE[] = ":";

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '/';
}

/* Whether a request can repeat the text within quotes. */
static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == '"' || text[i] == 0x7f)
            return false;
    return true;
}

/* Copies the bytes from start to end. A text that does not fit or is not plain becomes "": returns
 * false. */
static bool copy_text(char *target, size_t capacity, const char *start, const char *end)
{
    size_t length = (size_t)(end - start);
    bool is_usable = length < capacity && is_plain(start, length);

    if (!is_usable)
        length = 0;
    memcpy(target, start, length);
    target[length] = '\0';
    return is_usable;
}

static bool read_attribute_value(struct scanner *scanner, char value[FORM_TEXT_MAX])
{
    char quote = '\0';

    if (scanner->at < scanner->end && (*scanner->at == '"' || *scanner->at == '\''))
        quote = *scanner->at++;

    const char *start = scanner->at;
    while (scanner->at < scanner->end &&
           (quote ? *scanner->at != quote
                  : *scanner->at != '>' && (!is_blank(*scanner->at) || *scanner->at == '/')))
        scanner->at++;
    bool is_usable = copy_text(value, FORM_TEXT_MAX, start, scanner->at);
    if (quote && scanner->at < scanner->end)
        scanner->at++;
    return is_usable;
}

/* Reads the next attribute of a tag; false at the end of the tag. */
static bool read_attribute(struct scanner *scanner, struct attribute *attribute)
{
    while (scanner->at < scanner->end && is_blank(*scanner->at))
        scanner->at++;
    if (scanner->at == scanner->end || *scanner->at == '>')
        return false;

    const char *start = scanner->at++;
    while (scanner->at < scanner->end && !is_blank(*scanner->at) && *scanner->at != '=' &&
           *scanner->at != '>')
        scanner->at++;
    copy_text(attribute->name, sizeof attribute->name, start, scanner->at);
    attribute->value[0] = '\0';
    attribute->is_usable = true;

    while (scanner->at < scanner->end && is_blank(*scanner->at))
        scanner->at++;
    if (scanner->at == scanner->end || *scanner->at != '=')
        return true;
    scanner->at++;
    while (scanner->at < scanner->end && is_blank(*scanner->at) && *scanner->at != '/')
        scanner->at++;
    attribute->is_usable = read_attribute_value(scanner, attribute->value);
    return true;
}

static bool is_tag(const struct scanner *scanner, const char *name)
{
    size_t length = strlen(name);

    return (size_t)(scanner->end - scanner->at) > length &&
           strncasecmp(scanner->at, name, length) == 0 &&
           (is_blank(scanner->at[length]) || scanner->at[length] == '>');
}

static void read_form(struct scanner *scanner, char action[FORM_TEXT_MAX])
{
    struct attribute attribute;

    action[0] = '\0';
    while (read_attribute(scanner, &attribute))
        if (strcasecmp(attribute.name, "action") == 0)
            snprintf(action, FORM_TEXT_MAX, "%s",
                     attribute.is_usable ? attribute.value : ELSEWHERE);
}

static void read_input(struct scanner *scanner, const char *action, struct form_inputs *found)
{
    struct attribute attribute;
    struct form_input input = {0};
    bool is_file = false;

    while (read_attribute(scanner, &attribute)) {
        if (strcasecmp(attribute.name, "type") == 0)
            is_file = strcasecmp(attribute.value, "file") == 0;
        else if (strcasecmp(attribute.name, "name") == 0)
            memcpy(input.name, attribute.value, sizeof input.name);
    }
    if (!is_file)
        return;

    memcpy(input.action, action, sizeof input.action);
    if (found->count < FORM_INPUTS_MAX)
        found->inputs[found->count] = input;
    found->count++;
}

/* Skips the rest of a comment; one without an end lasts to the end of the page. */
static void skip_comment(struct scanner *scanner)
{
    static const char end[] = "-->";
    const char *found =
        memmem(scanner->at, (size_t)(scanner->end - scanner->at), end, sizeof end - 1);

    scanner->at = found ? found : scanner->end;
}

static bool is_comment(const struct scanner *scanner)
{
    return scanner->end - scanner->at >= 3 && memcmp(scanner->at, "!--", 3) == 0;
}

void form_find_inputs(struct form_inputs *found, const char *html, size_t length)
{
    struct scanner scanner = {html, html + length};
    char action[FORM_TEXT_MAX] = "";

    *found = (struct form_inputs){0};
    while (length && (scanner.at = memchr(scanner.at, '<', (size_t)(scanner.end - scanner.at)))) {
        scanner.at++;
        if (is_comment(&scanner)) {
            skip_comment(&scanner);
        } else if (is_tag(&scanner, "form")) {
            scanner.at += strlen("form");
            read_form(&scanner, action);
        } else if (is_tag(&scanner, "/form")) {
            action[0] = '\0';
        } else if (is_tag(&scanner, "input")) {
            scanner.at += strlen("input");
            read_input(&scanner, action, found);
        }
    }
}

const struct form_input *form_find_input(const struct form_inputs *found, const char *name)
{
    for (size_t i = 0; i < found->count && i < FORM_INPUTS_MAX; i++)
        if (strcmp(found->inputs[i].name, name) == 0)
            return &found->inputs[i];
    return NULL;
}

/* Removes the segments "." and ".." of a path that begins with a slash, as RFC 3986, 5.2.4. */
static void remove_dots(char *path)
{
    char *end = path + strcspn(path, "?#");
    char *to = path;

    for (const char *from = path; from < end;) {
        size_t length = 1 + strcspn(from + 1, "/?#"); /* with the slash before it */
        bool is_last = from + length == end;

        if (length == 3 && memcmp(from, "/..", 3) == 0) {
            while (to > path && *--to != '/')
                ;
        } else if (!(length == 2 && from[1] == '.')) {
            memmove(to, from, length);
            to += length;
            is_last = false;
        }
        from += length;
        if (is_last)
            *to++ = '/';
    }
    memmove(to, end, strlen(end) + 1);
}

/* The path with its dots; false if it does not fit. */
static bool join_paths(char target[FORM_TEXT_MAX], const char *path, const char *action)
{
    size_t folder = strcspn(path, "?#"); /* a query may have slashes, too */

    if (!*action || *action == '#' || strcmp(action, "?") == 0)
        return snprintf(target, FORM_TEXT_MAX, "%s", path) < FORM_TEXT_MAX;
    if (*action == '?')
        return snprintf(target, FORM_TEXT_MAX, "%.*s%s", (int)folder, path, action) < FORM_TEXT_MAX;
    if (*action == '/')
        return snprintf(target, FORM_TEXT_MAX, "%s", action) < FORM_TEXT_MAX;

    while (folder > 0 && path[folder - 1] != '/')
        folder--;
    return snprintf(target, FORM_TEXT_MAX, "%.*s%s", (int)folder, path, action) < FORM_TEXT_MAX;
}

bool form_resolve_action(char target[FORM_TEXT_MAX], const char *path, const char *action)
{
    if (strstr(action, "//") || strchr(action, ':') || !text_is_url_path(action) ||
        !join_paths(target, path, action))
        return false;
    target[strcspn(target, "#")] = '\0'; /* a fragment is not part of a request */
    if (*target == '/')
        remove_dots(target);
    return true;
}
