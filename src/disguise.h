/*
 * disguise.h: a command line whose values are hidden behind marks. popt parses the marks, so it can
 * neither rewrite a value (it replaces `!#:+` by the next argument) nor keep copies of a password,
 * and a mark leads back to the bytes in argv that have to be wiped. Knows nothing of popt.
 */
#ifndef DISGUISE_H
#define DISGUISE_H

#include <stddef.h>

struct disguise {
    int argc;
    char **original; /* the caller's argv: read and wiped through the marks */
    char **shown;    /* what the parser gets; NULL-terminated */
};

/* Hides every value in argv: an argument that is no option, what follows '=' in a long option, and
 * what follows a letter of letters_with_value in a cluster of short ones. argv must outlive it.
 * Returns -1 when memory ran out. */
int disguise_init(struct disguise *disguise, int argc, char **argv, const char *letters_with_value);
void disguise_free(struct disguise *disguise);

/* A copy of text with every mark in it replaced by the bytes that it stands for; marks may be
 * anywhere in it, as an alias can put text around a value. It is the caller's, in memory that
 * allocate has given; NULL when that gave none. */
char *disguise_reveal(const struct disguise *disguise, const char *text,
                      void *(*allocate)(size_t size));

/* The argument, not copied, in which shown hides a value; shown itself when it hides none. */
const char *disguise_argument(const struct disguise *disguise, const char *shown);

/* Overwrites the bytes in argv behind every mark in text. */
void disguise_wipe(struct disguise *disguise, const char *text);

/* The index in argv of the bytes behind the first mark in text; -1 when text holds no mark. */
int disguise_index(const struct disguise *disguise, const char *text);

#endif
