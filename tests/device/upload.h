/* One upload, from the accepted invitation to the verdict, over the back-channel. */
#ifndef DEVICE_UPLOAD_H
#define DEVICE_UPLOAD_H

#include "address.h"
#include "esp_image.h"
#include "loop.h"
#include "signature.h"
#include "sink.h"

struct board;
struct fault;

enum { OUT_ROOM = 4096, UPLOAD_OBJECTION = 160 };

enum upload_phase {
    UPLOAD_NONE,
    UPLOAD_STRANGER, /* connects to the host from another address first */
    UPLOAD_CONNECTING,
    UPLOAD_READING,
    UPLOAD_BUSY,    /* writes the flash or pauses, and does not read meanwhile */
    UPLOAD_SURPLUS, /* has received more than was announced, and reads no more */
    UPLOAD_HELD,    /* stays connected and idle until the host goes away */
    UPLOAD_ENDING,  /* the image is complete */
};

struct upload {
    enum upload_phase phase;
    int fd;
    struct watch watch;
    struct timer timer;
    struct timer silence;
    struct sink sink;
    struct esp_image image;     /* the check that an ESP32 makes */
    struct signature signature; /* the check that a board with a key makes */
    size_t received;
    size_t flashed; /* received bytes that are in flash */
    size_t unsaid;  /* received bytes that no number has acknowledged yet */
    size_t last_number;
    unsigned repeats; /* repetitions of the last number since data came */
    uint32_t fired;   /* faults at a position that have occurred, a bit each */
    uint64_t flood;   /* number of digits still to send */
    bool peer_closed;
    bool no_numbers;
    bool joined;  /* the last number leaves together with OK */
    bool corrupt; /* the next byte will be changed */
    bool installed;
    const char *dead; /* why the installed sketch will not start, or NULL */
    bool left_behind; /* a restart, or a silence before it, has abandoned the connection */
    uint8_t head[2];
    int64_t started_us;
    int64_t restart_by_us;
    size_t out_length;
    char out[OUT_ROOM]; /* bytes that the socket did not take yet */
};

void upload_set_up(struct board *board);

/* Replies OK, or the refusal that a fault orders. */
void upload_say_ok(struct board *board);

/* Runs the accepted update. */
void upload_run(struct board *board);

/* Ends an upload that a fault has stopped. A new invitation shows that its host has gone. */
void upload_give_up(struct board *board);

/* The board is out of reach, or restarts: its connection goes silent. */
void upload_leave(struct board *board);

/* The board is back, and has forgotten the connection. */
void upload_come_back(struct board *board);

/* Drops everything, at the end of the process. */
void upload_abandon(struct board *board);

/* The rest is for the other parts of an upload: channel.c, mishap.c and verdict.c. */

/* Handles events of the open back-channel. */
void upload_ready(struct board *board, uint32_t events);

/* Sends a number if one is due. */
void upload_say_number(struct board *board);

/* Begins to read the image, after the connection was made. */
void upload_receive(struct board *board);

/* Updates the events to wait for; to be called after each change of the phase. */
void upload_watch(struct board *board);

/* Runs then(board) later. */
void upload_after(struct board *board, int64_t delay_us, void (*then)(void *board));

/* Bounds the TCP window again. At the first segment of more than 536 bytes, the kernel measures the
 * overhead of its buffer and drops the earlier bound.
 * Also asks for prompt acknowledgements, as lwIP gives them while data is still unread; by itself
 * Linux would hold them back for 40 ms, and the host would repeat segments in vain. */
void upload_clamp(const struct board *board, int fd);

/* Sets the TCP window, the segment size and the delay of a socket that is not connected yet. */
void upload_set_window(const struct board *board, int fd);

/* Sends bytes to the host. Bytes that the socket does not take are queued, and until they are sent,
 * nothing is read. */
void upload_send(struct board *board, const void *bytes, size_t length);

/* Stops the upload and leaves the connection open. */
void upload_hold(struct board *board);

/* True if there is unread data. */
bool upload_more_waits(const struct board *board);

/* Prepares for an image: its sink and its checks. False if it cannot be stored. */
bool upload_begin_image(struct board *board);

/* Stores received bytes, and adds the time for their sectors to *cost_us. A full sector is flashed
 * when more data comes, the last one of the announced size at once. False if the board's updater
 * does not accept the first sector. */
bool upload_store(struct board *board, const uint8_t *bytes, size_t length, int64_t *cost_us);

/* Checks the complete image, of which MD5 has been calculated. True if the board's core objects to
 * it; text is then the core's, with its end of line. */
bool upload_objects(struct board *board, const char *calculated, char text[UPLOAD_OBJECTION]);

/* Installs the complete image: the file gets its name, and the event is printed. */
void upload_keep(struct board *board, const char *md5);

/* Checks the complete image, and installs or refuses it. */
void upload_judge(struct board *board);

/* Sends text, closes, and reports the failure with that reason. */
void upload_refuse(struct board *board, const void *text, size_t length);

/* Closes the connection (with RST if reset) and reports the failure. The board is idle soon. */
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

/* Applies the faults that are due at this byte. True if one stops or interrupts the upload. */
bool upload_faults(struct board *board);

/* Returns the next position at which a fault is due, or SIZE_MAX. */
size_t upload_next_fault(const struct board *board);

#endif
