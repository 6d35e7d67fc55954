/*
 * aliases.h: the aliases of /etc/popt and ~/.popt, for popt.
 */
#ifndef ESP_OTA_CLI_ALIASES_H
#define ESP_OTA_CLI_ALIASES_H

#include "base/string_list.h"
#include "base/units.h"

#include <popt.h>

/* popt returns this option where it begins with an alias. Its value is the length of what the alias
 * stands for: aliases in aliases multiply, and popt returns neither words without a dash nor
 * aliases that stand for nothing. It has to be in popt's table. An argument cannot have this name,
 * as argv_mask.h hides such bytes. */
#define ALIASES_SIZE "\x01"

/* The value instead, if aliases in it go deeper than ALIASES_LEVELS_MAX, or use each other. popt
 * drops an alias that needs a tenth place of its stack, and says nothing. The command line has the
 * first place, the whole name of an abbreviated option may have the second. */
#define ALIASES_TOO_DEEP "deep"

enum { ALIASES_LEVELS_MAX = 8 }; /* an alias without others in it has one */

enum { ALIASES_SIZE_MAX = MIB }; /* of a file */

/* Of all that they stand for. popt makes room for one word after the other: much more would take
 * seconds. */
enum { ALIASES_WORDS_MAX = 64 * KIB };

/* Adds the aliases for esp-ota, and a note for each file that exists and is not read: other users
 * can write it, or it cannot be read. letters are those of the options that take a value. Returns
 * -1 when memory ran out. */
int aliases_add(poptContext popt, const char *letters, struct strings *notes);

/* The same for the text of such a file, which is changed. */
int aliases_add_text(poptContext popt, const char *letters, char *text);

#endif
