/* One upload, from the accepted invitation to the verdict: the back-channel and what is behind it.
 */
#ifndef DEVICE_UPLOAD_H
#define DEVICE_UPLOAD_H

#include "address.h"
#include "esp_image.h"
#include "loop.h"
#include "signature.h"
#include "sink.h"

struct board;
struct fault;

enum { OUT_ROOM = 4096 };

enum upload_phase {
    UPLOAD_NONE,
    UPLOAD_STRANGER, /* somebody else connects first */
    UPLOAD_CONNECTING,
    UPLOAD_READING,
    UPLOAD_BUSY,    /* with the flash, or paused: reads nothing for a time */
    UPLOAD_SURPLUS, /* has got more than was announced: reads nothing more, to the end */
    UPLOAD_HELD,    /* connected and doing nothing, until the host goes away */
    UPLOAD_ENDING,  /* the image is complete */
};

struct upload {
    enum upload_phase phase;
    int fd;
    struct watch watch;
    struct timer timer;
    struct timer silence;
    struct sink sink;
    struct esp_image image;     /* as an ESP32 verifies it */
    struct signature signature; /* as a board with a key does */
    size_t received;
    size_t flashed; /* of these, written */
    size_t unsaid;  /* of these, not yet acknowledged in a number */
    size_t last_number;
    unsigned repeats; /* of the last number since data came */
    uint32_t fired;   /* positional faults of this upload, a bit each */
    uint64_t flood;   /* digits still to send */
    bool peer_closed;
    bool no_numbers;
    bool joined;  /* the last number leaves together with OK */
    bool corrupt; /* the next byte arrives wrong */
    bool installed;
    const char *dead; /* why what is installed will not start, or NULL */
    bool left_behind; /* the connection, by a restart or in a silence before it */
    uint8_t head[2];
    int64_t started_us;
    int64_t restart_by_us;
    size_t out_length;
    char out[OUT_ROOM]; /* what the socket did not take */
};

void upload_set_up(struct board *board);

/* Replies OK (or what a fault makes of it) and goes on accordingly. */
void upload_say_ok(struct board *board);

/* Runs the accepted update. */
void upload_run(struct board *board);

/* An upload that a fault keeps hanging ends when somebody invites again: its host is gone. */
void upload_give_up(struct board *board);

/* The board is out of reach, or restarts: its connection goes silent. */
void upload_leave(struct board *board);

/* The board is back, and knows nothing of the connection. */
void upload_come_back(struct board *board);

/* Drops everything, at the end of the process. */
void upload_abandon(struct board *board);

/* The rest is for the other parts of an upload: channel.c, mishap.c and verdict.c. */

/* Something happened to the open back-channel. */
void upload_ready(struct board *board, uint32_t events);

/* Says a number if one is due. */
void upload_say_number(struct board *board);

/* The connection is up: read the image. */
void upload_receive(struct board *board);

/* What the descriptor is watched for in the present phase; call after each change. */
void upload_watch(struct board *board);

/* Runs then(board) later. */
void upload_after(struct board *board, int64_t delay_us, void (*then)(void *board));

/* Bounds the TCP window again. At the first segment of more than 536 bytes, the kernel measures the
 * overhead of its buffer and drops the earlier bound.
 * Also asks for prompt acknowledgements, as lwIP gives them while data is still unread; by itself
 * Linux would hold them back for 40 ms, and the host would repeat segments in vain. */
void upload_clamp(const struct board *board, int fd);

/* To the host. What the socket does not take waits; meanwhile nothing is read. */
void upload_send(struct board *board, const void *bytes, size_t length);

/* Enters a phase of doing nothing. */
void upload_hold(struct board *board);

/* Whether something has arrived that is not read yet. */
bool upload_more_waits(const struct board *board);

/* The whole image is here. */
void upload_judge(struct board *board);

/* Sends text, closes, and reports the failure with that reason. */
void upload_refuse(struct board *board, const void *text, size_t length);

/* Closes (with RST if reset), reports the failure; soon the board is idle. */
void upload_fail(struct board *board, const char *reason, bool reset);

/* Ends the file of the upload and prints the failure. */
void upload_report_failure(struct board *board, const char *reason);

/* The board loses power. */
void upload_crash(struct board *board);

/* Closes the connection only. */
void upload_close(struct board *board, bool reset);

/* After the connection: restart or, where nothing was installed, idle. */
void upload_finish(void *owner);

/* Goes on with the upload after what was read is written, or after a pause. */
void upload_go_on(void *owner);

/* Runs the faults that are due at this byte. True if the upload does not simply go on. */
bool upload_faults(struct board *board);

/* The next position at which a fault is due, or SIZE_MAX. */
size_t upload_next_fault(const struct board *board);

#endif
