/* Text of the command line that stands for bytes. */
#ifndef DEVICE_UNESCAPE_H
#define DEVICE_UNESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* Resolves \n, \r, \t, \0, \a, \e, \\ and \xNN. Adds to bytes, which hold *used of room already;
 * false if they do not suffice. */
bool unescape(const char *text, size_t length, char *bytes, size_t room, size_t *used);

#endif
