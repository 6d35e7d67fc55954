/* The sink of a received image: always a digest, and a file on request.
 *
 * The file appears under its name only when it is complete; until then the bytes are in a temporary
 * file beside it. It takes the place of a regular file only; /dev/null keeps nothing. */
#ifndef DEVICE_SINK_H
#define DEVICE_SINK_H

#include "digest.h"

enum { SINK_PATH = 4096 };

struct sink {
    struct digest *md5;
    int fd; /* -1: no file */
    char path[SINK_PATH];
    char temporary[SINK_PATH];
};

/* pattern may be NULL (no file, or one without a name if the bytes are wanted); %a in it becomes
 * host. False with errno if the file or the digest cannot be started; the sink is then closed. */
bool sink_open(struct sink *sink, const char *pattern, const char *host, bool wanted);

/* False with errno if the bytes could not be stored. */
bool sink_write(struct sink *sink, const void *data, size_t length);

/* Replaces the stored gzip data by its unpacked form, cut at limit bytes, and sets *length to its
 * size. False if it cannot be unpacked; then nothing changes. The sink must have a file. */
bool sink_unpack(struct sink *sink, size_t limit, size_t *length);

/* All that is stored, for the caller to free; NULL with errno if it cannot be read. */
uint8_t *sink_read(const struct sink *sink, size_t *length);

/* Ends the digest; call once, before sink_close. */
bool sink_digest(struct sink *sink, char hex[HEX_ROOM]);

/* Gives the file its name if keep, else removes it. */
bool sink_close(struct sink *sink, bool keep);

#endif
