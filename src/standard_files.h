/*
 * standard_files.h: standard input, output and error exist before anything else is opened.
 */
#ifndef STANDARD_FILES_H
#define STANDARD_FILES_H

/* A caller may have closed descriptors 0 to 2; the next socket would take the number, and a report
 * would go to a board. Each that is closed becomes one on which reading or writing fails as on a
 * closed one. */
void standard_files_secure(void);

#endif
