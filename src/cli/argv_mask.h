/*
 * argv_mask.h: a command line whose values are replaced by marks. popt parses the marks, so it can
 * neither rewrite a value (it replaces `!#:+` by the next argument) nor keep copies of a password.
 * A mark leads back to the bytes in argv, so that they can be wiped.
 */
#ifndef ESP_OTA_CLI_ARGV_MASK_H
#define ESP_OTA_CLI_ARGV_MASK_H

#include <stddef.h>

struct argv_mask {
    int argc;
    char **original; /* the caller's argv, to which the marks refer */
    char **shown;    /* the arguments for the parser; NULL-terminated */
};

/* Hides every value in argv: arguments that are not options, the text after '=' in a long option,
 * and the text after a letter of letters_with_value in a cluster of short options. argv must
 * outlive *argv_mask. Returns -1 if memory runs out. */
int argv_mask_init(struct argv_mask *argv_mask, int argc, char **argv,
                   const char *letters_with_value);
void argv_mask_free(struct argv_mask *argv_mask);

/* Returns a copy of text, in which every mark is replaced by its value. Marks may stand anywhere,
 * as an alias can put text around a value. The copy belongs to the caller and was allocated with
 * allocate(). NULL if memory runs out. */
char *argv_mask_reveal(const struct argv_mask *argv_mask, const char *text,
                       void *(*allocate)(size_t size));

/* Returns the argument that shown was made of, or shown itself if there is no mark in it. It is not
 * a copy. */
const char *argv_mask_argument(const struct argv_mask *argv_mask, const char *shown);

/* Overwrites the value of every mark in text, in argv. */
void argv_mask_wipe(struct argv_mask *argv_mask, const char *text);

/* Returns the index in argv of the value of the first mark in text, or -1 if text has no mark. */
int argv_mask_index(const struct argv_mask *argv_mask, const char *text);

#endif
