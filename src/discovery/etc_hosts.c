/*
 * etc_hosts.c: reads /etc/hosts. The C library reads it, too, but also asks other sources. Some of
 * these are slow, and the caller cannot tell which source has answered.
 */
#include "discovery/etc_hosts.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const char PATH[] = "/etc/hosts";

enum { FILE_MAX = 16 << 20 };

/* Finds the next word of a line. *length is 0 if there is none. */
static const char *next_word(const char *line, const char *end, size_t *length)
{
    while (line < end && (*line == ' ' || *line == '\t' || *line == '\r'))
        line++;

    const char *word = line;
    while (line < end && *line != ' ' && *line != '\t' && *line != '\r')
        line++;
    *length = (size_t)(line - word);
    return word;
}

static bool has_name(const char *line, const char *end, const char *name)
{
    size_t length, wanted = strlen(name);

    for (line = next_word(line, end, &length); length > 0;
         line = next_word(line + length, end, &length))
        if (length == wanted && strncasecmp(line, name, length) == 0)
            return true;
    return false;
}

static bool parse_address(struct address *address, const char *word, size_t length)
{
    char text[ADDRESS_TEXT_MAX];

    if (length == 0 || length >= sizeof text || memchr(word, '\0', length))
        return false;

    memcpy(text, word, length);
    text[length] = '\0';
    return address_parse(address, text) && address_is_unicast(address) &&
           !address_lacks_interface(address);
}

size_t etc_hosts_search(struct address *addresses, size_t capacity, const char *name,
                        const char *text, size_t length)
{
    const char *const end = text + length;
    size_t count = 0;

    for (const char *next, *line = text; line < end && count < capacity; line = next) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline ? newline : end;
        const char *comment = memchr(line, '#', (size_t)(line_end - line));

        next = newline ? newline + 1 : end;
        if (comment)
            line_end = comment;

        size_t word_length;
        const char *word = next_word(line, line_end, &word_length);
        struct address address;
        if (has_name(word + word_length, line_end, name) &&
            parse_address(&address, word, word_length) &&
            !address_is_among(addresses, count, &address))
            addresses[count++] = address;
    }
    return count;
}

/* Reads up to size bytes. At an error, the bytes read so far count. */
static size_t read_hosts_file(int fd, char *text, size_t size)
{
    size_t length = 0;
    ssize_t got;

    while (length < size && (got = read(fd, text + length, size - length)) > 0)
        length += (size_t)got;
    return length;
}

ssize_t etc_hosts_find(struct address *addresses, size_t capacity, const char *name)
{
    struct stat status;
    ssize_t count = 0;

    /* Without O_NONBLOCK, this would wait for a FIFO's writer. */
    int fd = open(PATH, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_is_local(errno) ? -1 : 0;

    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        size_t size = status.st_size < FILE_MAX ? (size_t)status.st_size : FILE_MAX;
        char *text = malloc(size);

        count = -1;
        if (text)
            count = (ssize_t)etc_hosts_search(addresses, capacity, name, text,
                                              read_hosts_file(fd, text, size));
        free(text);
    }

    close(fd);
    return count;
}
