/*
 * config_text.c: feeds libinih line by line. Left alone, libinih splits what is too long for it,
 * cuts the names of sections, joins lines that begin with a blank to the ones before, says nothing
 * of sections without a line, and gives no numbers of lines. So it gets only lines without such
 * doubts.
 */
#include "config/config_text.h"

#include "base/error.h"
#include "base/utf8.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What follows the line of a section, so that libinih calls the handler for it. No line of a file
 * has this byte. */
#define SECTION_BEGINS "\x01"

struct reader {
    const char *name; /* of the file */
    const char *at, *end;
    size_t number;            /* of the last line, from 1 */
    bool is_section_new;      /* the last line began one, and SECTION_BEGINS is to follow */
    bool is_line_unaccounted; /* the handler was not called for the last line */
    config_line_fn *on_line;
    void *userdata;
    struct ota_failure *failure;
    enum ota_error error;
};

__attribute__((format(printf, 2, 3))) static void reject_config_line(struct reader *reader,
                                                                     const char *format, ...)
{
    char why[128];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    reader->error = ota_fail(reader->failure, OTA_E_USAGE, "%s, line %zu: %s", reader->name,
                             reader->number, why);
}

static bool is_blank_byte(char c)
{
    return c == ' ' || c == '\t';
}

/* Moves *line behind blanks and cuts comments and blanks from its end. */
static size_t trim(const char **line, size_t length)
{
    for (; length > 0 && is_blank_byte(**line); length--)
        ++*line;
    for (size_t i = 0; i < length; i++)
        if (((*line)[i] == '#' || (*line)[i] == ';') && (i == 0 || is_blank_byte((*line)[i - 1])))
            length = i;
    while (length > 0 && is_blank_byte((*line)[length - 1]))
        length--;
    return length;
}

static bool has_control_character(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
            return true;
    return false;
}

/* Returns the next line that is not empty and its length; NULL at the end. */
static const char *next_line(struct reader *reader, size_t *length)
{
    while (reader->at < reader->end) {
        const char *line = reader->at;
        const char *end = memchr(line, '\n', (size_t)(reader->end - line));

        *length = (size_t)((end ? end : reader->end) - line);
        reader->at = end ? end + 1 : reader->end;
        reader->number++;
        if (*length > 0 && line[*length - 1] == '\r')
            --*length;
        if (has_control_character(line, *length)) {
            reject_config_line(
                reader, "it has a NUL or another control character, but the file should be text");
            return NULL;
        }
        *length = trim(&line, *length);
        if (*length > 0)
            return line;
    }
    return NULL;
}

/* Whether libinih can take this line as it is. */
static bool check_line(struct reader *reader, const char *line, size_t length, size_t capacity)
{
    if (length >= capacity)
        reject_config_line(reader, "the line is too long (about %zu bytes are possible)", capacity);
    else if (*line == '[' && line[length - 1] != ']')
        reject_config_line(reader, "a section ends with a ]");
    else if (*line == '[' && memchr(line, ']', length - 1))
        reject_config_line(reader, "a section has only one ]");
    else if (*line == '[' && length - 2 > CONFIG_SECTION_LENGTH)
        reject_config_line(reader, "the name of the section is too long (%d bytes are possible)",
                           CONFIG_SECTION_LENGTH);
    return reader->error == OTA_OK;
}

/* Like fgets(), for libinih. */
static char *give_line(char *buffer, int capacity, void *userdata)
{
    struct reader *reader = userdata;
    size_t length;

    if (reader->error != OTA_OK)
        return NULL;
    if (reader->is_section_new) {
        reader->is_section_new = false;
        snprintf(buffer, (size_t)capacity, "%s=", SECTION_BEGINS);
        return buffer;
    }
    if (reader->is_line_unaccounted)
        reject_config_line(reader, "it is neither [SECTION] nor NAME = VALUE");

    const char *line = reader->error == OTA_OK ? next_line(reader, &length) : NULL;
    if (!line || !check_line(reader, line, length, (size_t)capacity))
        return NULL;

    reader->is_section_new = *line == '[';
    reader->is_line_unaccounted = true;
    memcpy(buffer, line, length);
    buffer[length] = '\0';
    return buffer;
}

/* Drops a pair of quotes. libinih's value is on its own buffer, and ends with the line. */
static const char *unquote(char value[INI_MAX_LINE], const char *text)
{
    size_t length = strlen(text);

    if (length < 2 || length >= INI_MAX_LINE || text[0] != '"' || text[length - 1] != '"')
        return text;
    memcpy(value, text + 1, length - 2);
    value[length - 2] = '\0';
    return value;
}

static int on_entry(void *userdata, const char *section, const char *name, const char *value)
{
    struct reader *reader = userdata;
    char plain[INI_MAX_LINE];
    const bool is_section = strcmp(name, SECTION_BEGINS) == 0;
    const struct config_line line = {.number = reader->number,
                                     .section = section,
                                     .name = is_section ? NULL : name,
                                     .value = is_section ? NULL : unquote(plain, value)};

    reader->is_line_unaccounted = false;
    if (reader->error == OTA_OK)
        reader->error = reader->on_line(&line, reader->userdata, reader->failure);
    return reader->error == OTA_OK;
}

enum ota_error config_text_read(const char *name, const char *text, size_t length,
                                config_line_fn *on_line, void *userdata,
                                struct ota_failure *failure)
{
    struct reader reader = {.name = name,
                            .at = text + utf8_mark(text, length),
                            .end = text + length,
                            .on_line = on_line,
                            .userdata = userdata,
                            .failure = failure};

    if (ini_parse_stream(give_line, &reader, on_entry, &reader) == -2)
        return ota_fail_no_memory(failure);
    return reader.error;
}
