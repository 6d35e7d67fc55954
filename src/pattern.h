/*
 * pattern.h: how much work an extended regular expression is, before regcomp(3) sees it.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* With more than this, glibc takes tenths of a second and tens of megabytes for one line. */
enum { PATTERN_COST_MAX = 1000 };

/* How many atoms the expression has once its repetitions are written out, as glibc does: x{3,5}
 * counts five times what x does, and x+ twice. PATTERN_COST_MAX + 1 stands for all that is more, or
 * nested deeper than 32 parentheses. An expression that is none has some cost as well. */
size_t pattern_cost(const char *expression);

/* Whether it has a back-reference (\1 to \9), which POSIX does not know in extended expressions and
 * which takes glibc exponential time. */
bool pattern_has_back_reference(const char *expression);

#endif
