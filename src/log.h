/*
 * log.h: levelled diagnostics and the status line, on standard error. Only log.c writes there.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Messages above the level are dropped. The default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/* One line each, without a newline at the end of format. Errors and warnings are prefixed with
 * "esp-ota: " (and "warning: "), debug lines with the seconds since the start. Never a secret. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What -q must not hide, and yet is neither error nor warning. */
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A transient line at the bottom of the terminal: drawn over the previous one, erased around
 * messages and redrawn after them. Call it only when standard error is a terminal (or -r asks for
 * it). log_status_end() leaves the last one standing and moves to the next line;
 * log_status_clear() erases it; log_status_forget() leaves it to whoever has moved the cursor on.
 */
void log_status(const char *line);
void log_status_end(void);
void log_status_clear(void);
void log_status_forget(void);

#endif
