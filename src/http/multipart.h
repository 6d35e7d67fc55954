/*
 * multipart.h: the body of an upload as a web form sends it (multipart/form-data), in the form that
 * every update page accepts. Pure, except that the boundary is random.
 *
 * The rules are those of the boards' positional parsers: plain fields stand before the file, a part
 * has exactly two headers, the file's name comes last and in quotes, and the body ends with a CRLF.
 */
#ifndef ESP_OTA_HTTP_MULTIPART_H
#define ESP_OTA_HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

enum {
    MULTIPART_BOUNDARY_MAX = 24, /* arduino-esp32 before 3.3.8 copies it onto its stack */
    MULTIPART_NAME_MAX = 64,
    MULTIPART_HEAD_MAX = 1024,
};

/* A plain field. Both texts must satisfy multipart_is_name(). */
struct multipart_field {
    const char *name;
    const char *value;
};

/* The file. data is borrowed. */
struct multipart_file {
    const char *field;    /* as multipart_is_name() */
    const char *filename; /* as multipart_is_name() */
    const unsigned char *data;
    size_t size;
};

/* The fields belong to multipart.c, except that file and the lengths may be read. */
struct multipart {
    struct multipart_file file;
    const char *type; /* Content-Type of a body without fields; else unused */
    char boundary[MULTIPART_BOUNDARY_MAX + 1]; /* "": the body is the file alone */
    char head[MULTIPART_HEAD_MAX];             /* what is before the file's bytes */
    size_t head_length;
    char tail[MULTIPART_BOUNDARY_MAX + 16]; /* what is after them */
    size_t tail_length;
};

/* Whether every parser takes the text as the name or the value of a field: printable ASCII without
 * quotes, '=', ';' and backslashes, from 1 to MULTIPART_NAME_MAX bytes. */
bool multipart_is_name(const char *text);

/* Makes a body with these plain fields and the file, with a random boundary that does not occur in
 * the file. Returns 0, or -1 if there is no random number, a text is no name, or the fields do not
 * fit. */
int multipart_make(struct multipart *body, const struct multipart_file *file,
                   const struct multipart_field *fields, size_t count);

/* Makes a body of these bytes alone, which are borrowed, without a boundary. type is its
 * Content-Type, a literal. */
void multipart_make_raw(struct multipart *body, const char *type, const void *data, size_t size);

/* Bytes of the whole body. */
size_t multipart_size(const struct multipart *body);

/* Copies up to capacity bytes of the body from offset on; returns how many. 0 at its end. */
size_t multipart_read(const struct multipart *body, size_t offset, char *target, size_t capacity);

/* How many bytes of the file are among the first `count` bytes of the body. */
size_t multipart_file_part(const struct multipart *body, size_t count);

#endif
