/*
 * argv_mask.h: a command line whose values are hidden behind marks. popt parses the marks, so it can
 * neither rewrite a value (it replaces `!#:+` by the next argument) nor keep copies of a password,
 * and a mark leads back to the bytes in argv that have to be wiped. Knows nothing of popt.
 */
#ifndef ESP_OTA_CLI_ARGV_MASK_H
#define ESP_OTA_CLI_ARGV_MASK_H

#include <stddef.h>

struct argv_mask {
    int argc;
    char **original; /* the caller's argv: read and wiped through the marks */
    char **shown;    /* what the parser gets; NULL-terminated */
};

/* Hides every value in argv: an argument that is no option, what follows '=' in a long option, and
 * what follows a letter of letters_with_value in a cluster of short ones. argv must outlive it.
 * Returns -1 when memory ran out. */
int argv_mask_init(struct argv_mask *argv_mask, int argc, char **argv,
                   const char *letters_with_value);
void argv_mask_free(struct argv_mask *argv_mask);

/* A copy of text with every mark in it replaced by the bytes that it stands for; marks may be
 * anywhere in it, as an alias can put text around a value. It is the caller's, in memory that
 * allocate has given; NULL when that gave none. */
char *argv_mask_reveal(const struct argv_mask *argv_mask, const char *text,
                       void *(*allocate)(size_t size));

/* The argument, not copied, in which shown hides a value; shown itself when it hides none. */
const char *argv_mask_argument(const struct argv_mask *argv_mask, const char *shown);

/* Overwrites the bytes in argv behind every mark in text. */
void argv_mask_wipe(struct argv_mask *argv_mask, const char *text);

/* The index in argv of the bytes behind the first mark in text; -1 when text holds no mark. */
int argv_mask_index(const struct argv_mask *argv_mask, const char *text);

#endif
