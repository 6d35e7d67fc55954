/* The command line of ota-link. */
#ifndef LINK_OPTIONS_H
#define LINK_OPTIONS_H

#include "lane.h"

struct options {
    struct lane_config lane; /* for both directions; the seed is for the first */
    uint64_t cut_after;      /* segments with data from the host; 0: never */
    const char *device;
    const char *name_spaces[2]; /* host, board */
};

enum options_result { OPTIONS_OK, OPTIONS_HELP, OPTIONS_WRONG };

/* The strings point into argv. OPTIONS_WRONG after a message on stderr. */
enum options_result options_read(struct options *options, int argc, char **argv);

#endif
