/* Resolves the escapes in texts of the command line. */
#ifndef DEVICE_UNESCAPE_H
#define DEVICE_UNESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* Resolves \n, \r, \t, \0, \a, \e, \\ and \xNN. Appends the result to bytes, of whose room *used
 * are used already. False if it does not fit. */
bool unescape(const char *text, size_t length, char *bytes, size_t room, size_t *used);

#endif
