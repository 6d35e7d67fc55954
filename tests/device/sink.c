/* mkstemp beside the target, then rename. */
#include "sink.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <zlib.h>

static bool expand(char path[SINK_PATH], const char *pattern, const char *host)
{
    size_t used = 0;

    for (const char *at = pattern; *at; at++) {
        bool is_host = at[0] == '%' && at[1] == 'a';
        const char *part = is_host ? host : at;
        size_t length = is_host ? strlen(host) : 1;
        if (used + length >= SINK_PATH) {
            errno = ENAMETOOLONG;
            return false;
        }
        memcpy(path + used, part, length);
        used += length;
        at += is_host;
    }
    path[used] = '\0';
    return true;
}

static bool open_temporary(struct sink *sink, const char *path)
{
    int length = snprintf(sink->temporary, SINK_PATH, "%.4080s.XXXXXX", path);
    if (length < 0 || length >= SINK_PATH) {
        errno = ENAMETOOLONG;
        return false;
    }
    sink->fd = mkstemp(sink->temporary);
    return sink->fd >= 0;
}

/* Only a regular file is replaced, the one that symbolic links lead to. The null device is left as
 * it is, and the image has no file then; anything else is refused. */
static bool find_place(struct sink *sink)
{
    struct stat found;
    char place[PATH_MAX];

    if (stat(sink->path, &found) < 0)
        return errno == ENOENT;
    if (S_ISREG(found.st_mode)) {
        if (!realpath(sink->path, place))
            return false;
        snprintf(sink->path, sizeof sink->path, "%s", place);
        return true;
    }
    if (S_ISCHR(found.st_mode) && found.st_rdev == makedev(1, 3)) {
        sink->path[0] = '\0';
        return true;
    }
    errno = S_ISDIR(found.st_mode) ? EISDIR : ENOTSUP;
    return false;
}

static bool open_file(struct sink *sink, const char *pattern, const char *host)
{
    sink->path[0] = sink->temporary[0] = '\0';
    if (pattern && !(expand(sink->path, pattern, host) && find_place(sink)))
        return false;
    if (sink->path[0])
        return open_temporary(sink, sink->path);
    sink->fd = memfd_create("image", MFD_CLOEXEC);
    return sink->fd >= 0;
}

bool sink_open(struct sink *sink, const char *pattern, const char *host, bool wanted)
{
    sink->fd = -1;
    sink->md5 = digest_start("MD5");
    if (sink->md5 && (!(pattern || wanted) || open_file(sink, pattern, host)))
        return true;
    sink_close(sink, false);
    return false;
}

static bool write_to_file(struct sink *sink, const void *data, size_t length)
{
    const uint8_t *at = data;

    while (sink->fd >= 0 && length > 0) {
        ssize_t written = write(sink->fd, at, length);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            at += written;
            length -= (size_t)written;
        }
    }
    return true;
}

bool sink_write(struct sink *sink, const void *data, size_t length)
{
    return digest_add(sink->md5, data, length) && write_to_file(sink, data, length);
}

/* Unpacks the gzip member from begins with, or limit bytes of it. */
static bool unpack_to(struct sink *to, const uint8_t *from, size_t from_length, size_t limit,
                      size_t *length)
{
    enum { GZIP = 16 };
    uint8_t bytes[16384];
    z_stream stream = {.next_in = (uint8_t *)from, .avail_in = (uInt)from_length};
    int status = inflateInit2(&stream, MAX_WBITS + GZIP);

    *length = 0;
    while (status == Z_OK && *length < limit) {
        stream.next_out = bytes;
        stream.avail_out = sizeof bytes;
        status = inflate(&stream, Z_NO_FLUSH);

        size_t count = sizeof bytes - stream.avail_out, room = limit - *length;
        if (!write_to_file(to, bytes, count < room ? count : room))
            status = Z_ERRNO;
        *length += count < room ? count : room;
    }

    inflateEnd(&stream);
    return status == Z_STREAM_END || (status == Z_OK && *length == limit);
}

uint8_t *sink_read(const struct sink *sink, size_t *length)
{
    struct stat facts;

    if (fstat(sink->fd, &facts) < 0)
        return NULL;

    size_t size = (size_t)facts.st_size;
    uint8_t *bytes = malloc(size + 1);
    for (*length = 0; bytes && *length < size;) {
        ssize_t count = pread(sink->fd, bytes + *length, size - *length, (off_t)*length);
        if (count <= 0) {
            free(bytes);
            return NULL;
        }
        *length += (size_t)count;
    }
    return bytes;
}

bool sink_unpack(struct sink *sink, size_t limit, size_t *length)
{
    size_t packed_length = 0;
    struct sink plain = {.fd = -1};
    uint8_t *packed = sink_read(sink, &packed_length);
    bool done = packed && (sink->path[0] ? open_temporary(&plain, sink->path)
                                         : open_file(&plain, NULL, NULL));

    done = done && unpack_to(&plain, packed, packed_length, limit, length);
    free(packed);
    if (plain.fd < 0)
        return false;

    struct sink *dropped = done ? sink : &plain;
    close(dropped->fd);
    if (dropped->temporary[0])
        unlink(dropped->temporary);
    if (done) {
        sink->fd = plain.fd;
        memcpy(sink->temporary, plain.temporary, sizeof sink->temporary);
    }
    return done;
}

bool sink_digest(struct sink *sink, char hex[HEX_ROOM])
{
    bool done = digest_finish(sink->md5, hex);
    sink->md5 = NULL;
    return done;
}

bool sink_close(struct sink *sink, bool keep)
{
    digest_finish(sink->md5, NULL);
    sink->md5 = NULL;
    if (sink->fd < 0)
        return true;

    bool named = sink->path[0] != '\0';
    bool done = !named || fchmod(sink->fd, 0644) == 0;
    done = close(sink->fd) == 0 && done;
    sink->fd = -1;

    if (named && keep && done)
        done = rename(sink->temporary, sink->path) == 0;
    if (named && !(keep && done))
        unlink(sink->temporary);
    return done;
}
