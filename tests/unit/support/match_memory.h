/*
 * match_memory.h: lets pcre2_match() run out of memory in unit tests (WRAP pcre2_match_8).
 */
#ifndef MATCH_MEMORY_H
#define MATCH_MEMORY_H

/* There is no memory to match this line; NULL: there is enough for each line. */
extern const char *match_memory_costly_line;

#endif
