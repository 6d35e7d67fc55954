/*
 * diag.h: leveled diagnostics and the status line, on standard error. Only diag.c writes there.
 */
#ifndef ESP_OTA_BASE_DIAG_H
#define ESP_OTA_BASE_DIAG_H

#include <stdbool.h>

struct loop;
struct write_queue;

enum diag_level { DIAG_LEVEL_ERROR, DIAG_LEVEL_WARNING, DIAG_LEVEL_INFO, DIAG_LEVEL_DEBUG };

/* Messages above the level are dropped. The default is DIAG_LEVEL_INFO. */
void diag_set_level(enum diag_level level);
bool diag_enabled(enum diag_level level);

/* From now on, messages for a reader that pauses wait in this loop (write_queue.h). Returns their
 * queue, for others that may write to the same pipe. Call diag_end_queue() before the loop is
 * freed: it waits for the reader, as each later message does. */
struct write_queue *diag_queue(struct loop *loop);
void diag_end_queue(void);

/* Write one line each; format has no newline at its end. Errors and warnings are prefixed with
 * "esp-ota: " (and "warning: "), debug lines with the seconds since the start. The arguments must
 * not contain secrets. */
void diag_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void diag_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* For lines that -q must not hide, though they are neither errors nor warnings. */
void diag_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void diag_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void diag_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A transient line at the bottom of the terminal: drawn over the previous one, erased around
 * messages and redrawn after them. Where standard error is no terminal (-r asks for it there), the
 * next line is written over it instead, so that a reader of lines sees no blank one. None is drawn
 * while a question is pending. diag_status_end() leaves the last one standing and moves to the next
 * line; diag_status_clear() erases it; diag_status_forget() leaves it alone, as the caller has
 * moved the cursor on. */
void diag_status(const char *line);
void diag_status_end(void);
void diag_status_clear(void);
void diag_status_forget(void);

/* Writes text to a terminal that the caller has opened: in order with messages, if they are queued
 * for the same one. Returns 0, or -1 and errno if it does not take all of it. */
int diag_put_on(int terminal, const char *text);

/* A pending question, which the caller has written to the terminal: messages move it down. NULL: no
 * question is pending any more, and the cursor is on a new line. text has to last until then. Call
 * diag_question_leave() before, and diag_question_repeat() after, writing to the terminal by other
 * means. */
void diag_question(const char *text);
void diag_question_leave(void);
void diag_question_repeat(void);

#endif
