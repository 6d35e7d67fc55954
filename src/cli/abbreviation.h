/*
 * abbreviation.h: names of long options that are cut short, as Python's argparse takes them in
 * espota.py: "--prog" is --progress. Pure.
 */
#ifndef ESP_OTA_CLI_ABBREVIATION_H
#define ESP_OTA_CLI_ABBREVIATION_H

#include <popt.h>
#include <stddef.h>

enum { ABBREVIATION_LIST_MAX = 512 };

/* Returns the option whose name begins with the length bytes of name. If several do, it is the one
 * that espota.py knows by that abbreviation: an option that espota.py lacks must not break a script
 * written for it. NULL if no name begins like that, or if several do and espota.py does not decide.
 */
const struct poptOption *abbreviation_find(const char *name, size_t length);

/* Lists the names that begin with the length bytes of name, each option once, for a message:
 * "--host-ip or --host-port". Returns how many there are. */
size_t abbreviation_list(char list[ABBREVIATION_LIST_MAX], const char *name, size_t length);

#endif
