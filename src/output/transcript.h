/*
 * transcript.h: boards' logs as people read them, on standard output and in a file.
 */
#ifndef ESP_OTA_OUTPUT_TRANSCRIPT_H
#define ESP_OTA_OUTPUT_TRANSCRIPT_H

#include "base/loop.h"
#include "boardlog/line_splitter.h"
#include "esp-ota/error.h"

#include <stdint.h>

struct write_queue;

struct transcript;

enum timestamps { TIMESTAMPS_NONE, TIMESTAMPS_SINCE_START, TIMESTAMPS_WALL };

struct transcript_settings {
    bool to_stdout; /* --monitor without --json */
    bool raw;       /* --raw: lines are written as the boards write them */
    enum timestamps timestamps;
    char *path; /* --log: a file to append to; NULL: none */
};

/* Opens the file. Fails with OTA_E_OUTPUT or OTA_E_INTERNAL. */
enum ota_error transcript_open(struct transcript **transcript,
                               const struct transcript_settings *settings,
                               struct ota_failure *failure);

/* From now on, lines for a reader that pauses wait in this loop (write_queue.h), which must not be
 * freed before transcript_end(). messages is the queue of standard error (diag_queue()). */
void transcript_queue(struct transcript *transcript, struct loop *loop,
                      struct write_queue *messages);

/* A line, or a piece of one, of the log of board (escaped), whose name is put before it when
 * is_named. What the board wrote is made safe to show, unless --raw was given. */
void transcript_add(struct transcript *transcript, const char *board, bool is_named,
                    const struct line *line, int64_t since_start_us);

/* Whether the logs may be read on: what reads the lines has not paused for long (write_queue.h). */
bool transcript_has_room(const struct transcript *transcript);

/* Whether everything could be written; if not, loss says where not, and why: OTA_E_OUTPUT. */
bool transcript_is_complete(const struct transcript *transcript, struct ota_failure *loss);

/* Whether somebody reads on what goes to standard output; who has had enough is no failure. */
bool transcript_is_read(const struct transcript *transcript);

/* Ends the last line, writes what is queued and closes the file. This may be what fails. No further
 * line is written. */
void transcript_end(struct transcript *transcript);

void transcript_free(struct transcript *transcript);

#endif
