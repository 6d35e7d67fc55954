/* The script of a simulated sketch: the steps of its log service. */
#ifndef DEVICE_SCRIPT_H
#define DEVICE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STEPS_MAX = 64, STEP_TEXT = 512 };

enum step_kind {
    STEP_LINE,     /* text as the library's println() would send it */
    STEP_RAW,      /* text and nothing else */
    STEP_PAUSE,    /* number: ms */
    STEP_TICK,     /* a line every number ms, forever */
    STEP_FLOOD,    /* number lines as fast as they are taken; 0: forever */
    STEP_ENDLESS,  /* number bytes without end of line; 0: forever */
    STEP_CLOSE,    /* the connections, with FIN */
    STEP_RESET,    /* the connections, with RST */
    STEP_CRASH,    /* restart without warning */
    STEP_ROLLBACK, /* restart into the firmware from before the upload */
};

struct step {
    enum step_kind kind;
    uint64_t number;
    size_t length;
    char text[STEP_TEXT];
};

struct script {
    size_t count;
    struct step steps[STEPS_MAX];
};

/* Adds the step that the line describes. On failure writes a sentence without full stop into why.
 */
bool script_add(struct script *script, const char *line, char *why, size_t why_size);

/* The table of steps, for --help. */
void script_help(void);

#endif
