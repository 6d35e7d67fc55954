/*
 * inspect_esphome.c: what an image with ESPHome tells of itself. The first lines of its log are
 * constants (esphome/core/application.cpp): the version of ESPHome, and the project if there is
 * one. An image whose logger leaves out information messages has neither line, so nothing is known.
 */
#include "image/inspect_internal.h"

#include "base/escape.h"

static const char VERSION_BEGINS[] = "ESPHome version ", VERSION_ENDS[] = " compiled on %s";
static const char PROJECT_BEGINS[] = "Project ", PROJECT_ENDS[] = " version ";

/* A constant's text, without its NUL. */
struct line {
    const char *text;
    size_t length;
};

/* Finds the next constant after *offset that begins with start. Moves *offset past that start. */
static bool find_line(struct line *line, struct view view, size_t *offset, const char *start)
{
    enum { LINE_MAX_LENGTH = 200 };
    const size_t length = strlen(start);
    const unsigned char *found = memmem(view.data + *offset, view.size - *offset, start, length);

    if (!found)
        return false;

    *offset = (size_t)(found - view.data) + length;
    line->text = (const char *)found + length;
    line->length = strnlen(line->text, view.size - *offset < LINE_MAX_LENGTH ? view.size - *offset
                                                                             : LINE_MAX_LENGTH);
    return true;
}

static bool is_complete(const struct line *line, struct view view)
{
    const unsigned char *end = (const unsigned char *)line->text + line->length;

    return end < view.data + view.size && *end == '\0';
}

/* Announcements are read up to this length, so longer texts are compared by their beginning. */
static void copy_text(char target[INSPECT_ESPHOME_MAX], const char *text, size_t length)
{
    enum { ANNOUNCED_LENGTH_MAX = 63 };

    escape_text(target, INSPECT_ESPHOME_MAX, text,
                length < ANNOUNCED_LENGTH_MAX ? length : ANNOUNCED_LENGTH_MAX);
}

static bool find_version(char version[INSPECT_ESPHOME_MAX], struct view view)
{
    const size_t tail = strlen(VERSION_ENDS);
    struct line line;

    for (size_t offset = 0; find_line(&line, view, &offset, VERSION_BEGINS);) {
        if (line.length <= tail || !is_complete(&line, view) ||
            memcmp(line.text + line.length - tail, VERSION_ENDS, tail) != 0)
            continue;
        copy_text(version, line.text, line.length - tail);
        return true;
    }
    return false;
}

/* A project is named AUTHOR.NAME: ESPHome insists on one dot. */
static bool split_project(struct inspect_esphome *esphome, const struct line *line)
{
    const size_t between = strlen(PROJECT_ENDS);
    const char *end = memmem(line->text, line->length, PROJECT_ENDS, between);
    const size_t name = end ? (size_t)(end - line->text) : 0;
    const char *dot = memchr(line->text, '.', name);

    if (!dot || memchr(dot + 1, '.', name - (size_t)(dot + 1 - line->text)) ||
        line->length == name + between)
        return false;

    copy_text(esphome->project, line->text, name);
    copy_text(esphome->project_version, end + between, line->length - name - between);
    return true;
}

void inspect_esphome(struct inspection *inspection, struct view view)
{
    struct inspect_esphome *esphome = &inspection->esphome;
    struct line line;

    if (!find_version(esphome->version, view))
        return;
    for (size_t offset = 0; find_line(&line, view, &offset, PROJECT_BEGINS);)
        if (is_complete(&line, view) && split_project(esphome, &line))
            return;
}
