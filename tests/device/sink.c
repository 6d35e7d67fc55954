/* mkstemp beside the target, then rename. */
#include "sink.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static bool open_file(struct sink *sink, const char *pattern, const char *host)
{
    if (!expand(sink->path, pattern, host))
        return false;
    int length = snprintf(sink->temporary, SINK_PATH, "%.4080s.XXXXXX", sink->path);
    if (length < 0 || length >= SINK_PATH) {
        errno = ENAMETOOLONG;
        return false;
    }
    sink->fd = mkstemp(sink->temporary);
    return sink->fd >= 0;
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

bool sink_write(struct sink *sink, const void *data, size_t length)
{
    if (!md5_add(sink->md5, data, length))
        return false;
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
