/* Announces the boards by multicast DNS as their cores do: a host name with the board's address,
 * and the service _arduino._tcp, or those of the web page. avahi-daemon does so for as long as the
 * program runs. */
#ifndef DEVICE_ANNOUNCE_H
#define DEVICE_ANNOUNCE_H

#include "board.h"

struct announcer;

/* One label of a host name, with room for what makes it unique, such as "-1000-99". */
enum { ANNOUNCED_MAX = 54 };

/* True if name is a valid name of a board: 1 to ANNOUNCED_MAX letters, digits and hyphens. */
bool announce_takes(const char *name);

/* Announces all boards, which have their ports; several are NAME-1, NAME-2... A name that is taken
 * gets a number, as boards do it. Prints the event `announced' when a name is a board's. NULL after
 * a message on stderr. The boards and the loop must outlive the announcer. */
struct announcer *announce_start(struct sim *sim);

/* The board is back: its records tell the version that it has now. */
void announce_again(struct board *board);

/* Withdraws the names. announcer may be NULL. */
void announce_stop(struct announcer *announcer);

#endif
