/* mkstemp beside the target, then rename. */
#include "sink.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static bool open_file(struct sink *sink, const char *pattern, const char *host)
{
    return expand(sink->path, pattern, host) && open_temporary(sink, sink->path);
}

bool sink_open(struct sink *sink, const char *pattern, const char *host)
{
    sink->fd = -1;
    sink->md5 = md5_start();
    if (sink->md5 && (!pattern || open_file(sink, pattern, host)))
        return true;
    sink_close(sink, false);
    return false;
}

static bool store(struct sink *sink, const void *data, size_t length)
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
    return md5_add(sink->md5, data, length) && store(sink, data, length);
}

static bool unpack(struct sink *to, gzFile from, size_t *length)
{
    char bytes[16384];
    int count = 0;
    *length = 0;
    while ((count = gzread(from, bytes, sizeof bytes)) > 0) {
        if (!store(to, bytes, (size_t)count))
            return false;
        *length += (size_t)count;
    }
    return count == 0;
}

/* Leaves one of the two: kept. */
static void swap(struct sink *kept, struct sink *dropped)
{
    close(dropped->fd);
    unlink(dropped->temporary);
    dropped->fd = kept->fd;
    memcpy(dropped->temporary, kept->temporary, sizeof dropped->temporary);
}

bool sink_unpack(struct sink *sink, size_t *length)
{
    struct sink plain = {.fd = -1};
    gzFile packed = gzopen(sink->temporary, "rb");
    if (!packed)
        return false;
    bool done = open_temporary(&plain, sink->path) && unpack(&plain, packed, length);
    done = gzclose(packed) == Z_OK && done; /* it fails where the end is missing */
    if (done)
        swap(&plain, sink);
    else if (plain.fd >= 0)
        swap(sink, &plain);
    return done;
}

bool sink_digest(struct sink *sink, char hex[HEX_ROOM])
{
    bool done = md5_finish(sink->md5, hex);
    sink->md5 = NULL;
    return done;
}

bool sink_close(struct sink *sink, bool keep)
{
    md5_finish(sink->md5, NULL);
    sink->md5 = NULL;
    if (sink->fd < 0)
        return true;
    bool done = fchmod(sink->fd, 0644) == 0;
    done = close(sink->fd) == 0 && done;
    sink->fd = -1;
    if (keep && done)
        done = rename(sink->temporary, sink->path) == 0;
    if (!keep || !done)
        unlink(sink->temporary);
    return done;
}
