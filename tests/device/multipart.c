/* A state machine in place of the blocking reads of the real servers: a line is read up to CR, and
 * then all up to LF is dropped. */
#include "multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { OPENING_TRIES = 3 };

static bool begins_with(const char *line, const char *word)
{
    return strncasecmp(line, word, strlen(word)) == 0;
}

/* The boundary is all after the first `=', without quotes; only an asynchronous server ends it at a
 * semicolon. */
static void read_boundary(struct form *form, const char *content_type)
{
    size_t used = (size_t)snprintf(form->delimiter, FORM_DELIMITER, "\r\n--");
    const char *at = strchr(content_type, '=');

    for (at = at ? at + 1 : content_type; *at && used + 1 < FORM_DELIMITER; at++) {
        if (*at == ';' && form->manner == FORM_BY_NAME)
            break;
        if (*at != '"')
            form->delimiter[used++] = *at;
    }
    form->delimiter[used] = '\0';
    form->delimiter_length = used;
}

void form_begin(struct form *form, enum form_manner manner, const char *content_type,
                const struct form_events *events, void *owner)
{
    memset(form, 0, sizeof *form);
    form->manner = manner;
    form->events = events;
    form->owner = owner;
    read_boundary(form, content_type);
}

/* Copies up to one of the end characters, or all. */
static void copy_until(char to[FORM_VALUE], const char *from, const char *ends)
{
    snprintf(to, FORM_VALUE, "%.*s", (int)strcspn(from, ends), from);
}

static void drop_last(char *text)
{
    if (*text)
        text[strlen(text) - 1] = '\0';
}

/* By position. False if there is no `='. */
static bool read_disposition_by_position(struct form_part *part, const char *line)
{
    const char *first = strchr(line, '=');
    if (!first)
        return false;

    const char *name = first[1] ? first + 2 : first + 1;
    const char *second = strchr(name, '=');
    part->is_file = second != NULL;
    if (second) {
        copy_until(part->file, second[1] ? second + 2 : second + 1, "");
        drop_last(part->file);
        copy_until(part->name, name, "\"");
    } else {
        copy_until(part->name, name, "");
        drop_last(part->name);
    }
    return true;
}

/* By name: `; NAME="VALUE"'. */
static bool read_parameter(const char *line, const char *name, char value[FORM_VALUE])
{
    size_t length = strlen(name);

    for (const char *at = strchr(line, ';'); at; at = strchr(at, ';')) {
        at += 1 + strspn(at + 1, " ");
        if (strncasecmp(at, name, length) == 0 && at[length] == '=') {
            at += length + 1;
            at += *at == '"';
            copy_until(value, at, "\"");
            return true;
        }
    }
    return false;
}

static void begin_part(struct form *form)
{
    memset(&form->part, 0, sizeof form->part);
    form->value[0] = '\0';
    form->state = FORM_DISPOSITION;
}

static void note_header(struct form_part *part, const char *line)
{
    size_t used = strlen(part->headers);
    snprintf(part->headers + used, FORM_VALUE - used, "%s%.*s", used ? "," : "",
             (int)strcspn(line, ":"), line);
}

static void begin_content(struct form *form)
{
    form->state = form->part.is_file ? FORM_FILE : FORM_FIELD;
    form->matched = 0;
    if (form->part.is_file)
        form->events->file_begins(form->owner, &form->part);
}

static void take_disposition(struct form *form)
{
    struct form_part *part = &form->part;

    if (*form->line)
        note_header(part, form->line);
    if (!begins_with(form->line, "Content-Disposition"))
        return;

    bool known = true;
    if (form->manner == FORM_BY_NAME) {
        read_parameter(form->line, "name", part->name);
        part->is_file = read_parameter(form->line, "filename", part->file);
    } else {
        known = read_disposition_by_position(part, form->line);
    }
    if (known)
        form->state = FORM_HEADERS;
}

static void take_header(struct form *form)
{
    bool type = begins_with(form->line, "Content-Type");

    if (*form->line && (type || form->manner != FORM_ESP8266))
        note_header(&form->part, form->line);
    if (form->manner == FORM_ESP8266 && type)
        form->state = FORM_BLANK;
    else if (form->manner == FORM_ESP8266 || !*form->line)
        begin_content(form);
}

static void take_field_line(struct form *form)
{
    const char *boundary = form->delimiter + 2;
    size_t length = form->delimiter_length - 2;
    size_t used = strlen(form->value);

    if (strncmp(form->line, boundary, length) != 0) {
        snprintf(form->value + used, sizeof form->value - used, "%s%s", used ? "\n" : "",
                 form->line);
        return;
    }
    bool last = strcmp(form->line + length, "--") == 0;
    form->events->field(form->owner, &form->part, form->value);
    begin_part(form);
    if (last)
        form->state = FORM_DONE;
}

/* An asynchronous server expects the boundary as the first bytes, the others as a line after at
 * most two empty ones. */
static void take_opening(struct form *form)
{
    form->tries++;
    if (!*form->line && form->manner != FORM_BY_NAME && form->tries < OPENING_TRIES)
        return;
    begin_part(form);
    if (strcmp(form->line, form->delimiter + 2) != 0)
        form->state = FORM_BROKEN;
}

static void take_after_file(struct form *form)
{
    bool last = strcmp(form->line, "--") == 0;
    begin_part(form);
    if (last)
        form->state = FORM_DONE;
}

static void take_line(struct form *form)
{
    form->line[form->line_length] = '\0';
    form->line_length = 0;
    form->in_line_end = false;

    switch (form->state) {
    case FORM_OPENING:
        take_opening(form);
        break;
    case FORM_DISPOSITION:
        take_disposition(form);
        break;
    case FORM_HEADERS:
        take_header(form);
        break;
    case FORM_BLANK:
        begin_content(form);
        break;
    case FORM_FIELD:
        take_field_line(form);
        break;
    case FORM_AFTER_FILE:
        take_after_file(form);
        break;
    case FORM_FILE:
    case FORM_DONE:
    case FORM_BROKEN:
        break;
    }
}

static void feed_line(struct form *form, char byte)
{
    if (form->state == FORM_AFTER_FILE && form->line_length == 0 && byte == '-')
        form->closing_at = form->fed;
    if (form->in_line_end && byte == '\n')
        take_line(form);
    else if (byte == '\r')
        form->in_line_end = true;
    else if (!form->in_line_end && form->line_length + 1 < FORM_LINE)
        form->line[form->line_length++] = byte;
}

/* Hands on the file's bytes up to the delimiter. Returns how many bytes it has used. */
static size_t feed_file(struct form *form, const char *bytes, size_t length)
{
    size_t begin = 0; /* bytes before it are handed on, or held back as matched ones */

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == form->delimiter[form->matched]) {
            if (form->matched == 0 && i > begin)
                form->events->file_data(form->owner, bytes + begin, i - begin);
            begin = i + 1;
            if (++form->matched < form->delimiter_length)
                continue;

            form->state = FORM_AFTER_FILE;
            form->events->file_ends(form->owner);
            return i + 1;
        }
        if (form->matched > 0) {
            size_t held = form->matched;
            form->matched = bytes[i] == form->delimiter[0];
            form->events->file_data(form->owner, form->delimiter, held);
            begin = form->matched ? i + 1 : i;
        }
    }
    if (form->matched == 0 && length > begin)
        form->events->file_data(form->owner, bytes + begin, length - begin);
    return length;
}

void form_feed(struct form *form, const char *bytes, size_t length)
{
    size_t used = 0;

    while (used < length && form->state != FORM_DONE && form->state != FORM_BROKEN) {
        size_t part = 1;
        form->fed++;
        if (form->state == FORM_FILE)
            part = feed_file(form, bytes + used, length - used);
        else
            feed_line(form, bytes[used]);
        form->fed += part - 1;
        used += part;
    }
}

void form_timed_out(struct form *form)
{
    form->timed_out = form->state == FORM_AFTER_FILE;
    if (form->in_line_end)
        take_line(form);
    else
        form->in_line_end = true;
}
