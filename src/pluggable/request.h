/*
 * request.h: the commands of an IDE, by Arduino's pluggable-discovery and pluggable-monitor
 * specifications. Pure.
 */
#ifndef ESP_OTA_PLUGGABLE_REQUEST_H
#define ESP_OTA_PLUGGABLE_REQUEST_H

#include <stddef.h>

enum request_verb {
    REQUEST_MALFORMED, /* an unknown verb, or arguments that do not fit */
    REQUEST_HELLO,
    REQUEST_QUIT,
    /* of a discovery */
    REQUEST_START,
    REQUEST_STOP,
    REQUEST_LIST,
    REQUEST_START_SYNC,
    /* of a monitor */
    REQUEST_DESCRIBE,
    REQUEST_CONFIGURE,
    REQUEST_OPEN,
    REQUEST_CLOSE,
};

/* The arguments point into the line, and are NULL without a meaning for the verb. */
struct request {
    enum request_verb verb;
    const char
        *first; /* CONFIGURE: the parameter; OPEN: the TCP address at which the IDE listens */
    const char *second; /* CONFIGURE: the value; OPEN: the board, whose name may contain spaces */
};

/* Reads a line of length bytes without its end, which becomes text: line[length] must be
 * writable. Verbs have no case, as in Arduino's own tools. */
void request_read(struct request *request, char *line, size_t length);

/* The verb in lower case, as in the field eventType of the reply; "command_error" for
 * REQUEST_MALFORMED. */
const char *request_event(enum request_verb verb);

#endif
