/*
 * spelling.h: how options are written, and how they should have been. Pure.
 */
#ifndef ESP_OTA_CLI_SPELLING_H
#define ESP_OTA_CLI_SPELLING_H

#include <stdbool.h>
#include <stddef.h>

enum { SPELLING_MAX = 160 }; /* size of an argument in a message */

/* The name of an option ends at these bytes, which begin its value (a colon or a blank: by mistake)
 * or a mark of argv_mask.h. */
#define SPELLING_NAME_END "=: \t\x01"

/* Writes the name of the option in argument, without its value, safe to show. Returns buffer. */
const char *spelling_name(char buffer[SPELLING_MAX], const char *argument);

/* Returns the length of an en or em dash at the beginning of text, or 0. Web pages and word
 * processors write these for "-" and "--". */
size_t spelling_long_dash(const char *text);

/* Whether text names a script of Python, left behind by "python -I espota.py". */
bool spelling_is_script(const char *text);

/* If text is an option, perhaps cut short or with the wrong dashes, writes its correct spelling.
 * Otherwise returns false. Text behind an option's letter makes it no option. */
bool spelling_correct(char buffer[SPELLING_MAX], const char *text);

/* If text is another program's name for a long option, behind one dash ("-host"), writes the
 * option. Otherwise returns false. */
bool spelling_translate(char buffer[SPELLING_MAX], const char *text);

#endif
