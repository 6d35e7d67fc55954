/* multipart.c: builds the text around a file's bytes; the bytes themselves are never copied. */
#include "http/multipart.h"

#include "base/text.h"
#include "crypto/digest.h"

#include <stdio.h>
#include <string.h>

enum { RANDOM_DIGITS = 16, BOUNDARY_TRIES = 8 };

bool multipart_is_name(const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length > MULTIPART_NAME_MAX)
        return false;
    for (const char *at = text; *at; at++)
        if (*at < 0x20 || *at > 0x7e || strchr("\"=;\\", *at))
            return false;
    return true;
}

/* A boundary that the image contains would end it there. */
static int choose_boundary(struct multipart *body)
{
    char digits[RANDOM_DIGITS + 1];

    for (int i = 0; i < BOUNDARY_TRIES; i++) {
        if (digest_random(digits, RANDOM_DIGITS) != 0)
            return -1;

        snprintf(body->boundary, sizeof body->boundary, "espota%s", digits);
        if (!memmem(body->file.data, body->file.size, body->boundary, strlen(body->boundary)))
            return 0;
    }
    return -1;
}

static bool append_head(struct multipart *body, const struct multipart_field *fields, size_t count)
{
    bool fits = true;

    for (size_t i = 0; i < count; i++) {
        if (!multipart_is_name(fields[i].name) || !multipart_is_name(fields[i].value))
            return false;
        fits =
            fits && text_append(body->head, sizeof body->head,
                                "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n",
                                body->boundary, fields[i].name, fields[i].value);
    }
    return fits && text_append(body->head, sizeof body->head,
                               "--%s\r\nContent-Disposition: form-data; name=\"%s\"; "
                               "filename=\"%s\"\r\nContent-Type: application/octet-stream\r\n\r\n",
                               body->boundary, body->file.field, body->file.filename);
}

int multipart_make(struct multipart *body, const struct multipart_file *file,
                   const struct multipart_field *fields, size_t count)
{
    *body = (struct multipart){.file = *file};
    if (!multipart_is_name(file->field) || !multipart_is_name(file->filename))
        return -1;
    if (choose_boundary(body) != 0 || !append_head(body, fields, count))
        return -1;

    body->head_length = strlen(body->head);
    snprintf(body->tail, sizeof body->tail, "\r\n--%s--\r\n", body->boundary);
    body->tail_length = strlen(body->tail);
    return 0;
}

void multipart_make_raw(struct multipart *body, const char *type, const void *data, size_t size)
{
    *body = (struct multipart){.file = {.data = data, .size = size}, .type = type};
}

size_t multipart_size(const struct multipart *body)
{
    return body->head_length + body->file.size + body->tail_length;
}

size_t multipart_read(const struct multipart *body, size_t offset, char *target, size_t capacity)
{
    const struct {
        const void *data;
        size_t length;
    } parts[] = {{body->head, body->head_length},
                 {body->file.data, body->file.size},
                 {body->tail, body->tail_length}};
    size_t copied = 0;

    for (size_t i = 0; i < sizeof parts / sizeof *parts && copied < capacity; i++) {
        if (offset >= parts[i].length) {
            offset -= parts[i].length;
            continue;
        }

        size_t length = parts[i].length - offset;
        if (length > capacity - copied)
            length = capacity - copied;
        memcpy(target + copied, (const char *)parts[i].data + offset, length);
        copied += length;
        offset = 0;
    }
    return copied;
}

size_t multipart_file_part(const struct multipart *body, size_t count)
{
    if (count <= body->head_length)
        return 0;
    count -= body->head_length;
    return count < body->file.size ? count : body->file.size;
}
