/*
 * console.h: the conversation with an IDE: commands on standard input, replies in JSON on standard
 * output.
 */
#ifndef ESP_OTA_PLUGGABLE_CONSOLE_H
#define ESP_OTA_PLUGGABLE_CONSOLE_H

#include "base/loop.h"
#include "esp-ota/error.h"
#include "pluggable/request.h"

#include <jansson.h>

struct console;

/* Answers a request. Called from the loop, and only for verbs that is_known() accepts; HELLO, QUIT
 * and whatever comes before HELLO are answered by the console itself. */
typedef void console_request_fn(const struct request *request, void *userdata);

struct console_callbacks {
    bool (*is_known)(enum request_verb verb);
    console_request_fn *on_request;
    void *userdata;
};

/* Reads commands until QUIT or the end of the input, which end the loop; so does a failure, which
 * is left in *failure. NULL with *failure when memory runs out, or standard input cannot be
 * watched. */
struct console *console_start(struct loop *loop, const struct console_callbacks *callbacks,
                              struct ota_failure *failure);
void console_free(struct console *console);

/* Reads no further command for now, as the reply to the last one takes time. */
void console_pause(struct console *console);
void console_resume(struct console *console);

/* Each sends one message. event is a constant, text plain or escaped text. */
void console_send_ok(struct console *console, const char *event);
void console_send_error(struct console *console, const char *event, const char *text);

/* Sends this message, made since json_memory_watch(), and releases it; NULL: memory ran out. */
void console_send(struct console *console, json_t *message);

#endif
