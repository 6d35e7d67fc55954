/* The output of --help. */
#ifndef DEVICE_HELP_H
#define DEVICE_HELP_H

/* Prints all options, faults and steps on stdout. */
void help_print(void);

#endif
