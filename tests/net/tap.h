/* A TAP device in a network namespace: an Ethernet device whose cable is a file descriptor. */
#ifndef LINK_TAP_H
#define LINK_TAP_H

/* Creates the device in a namespace, a process id or a path such as /run/netns/NAME. Returns its
 * non-blocking descriptor, or -1 with errno set; *step says then what failed. The device lives as
 * long as the descriptor; addresses and "up" are the caller's affair. Needs CAP_SYS_ADMIN. */
int tap_open(const char *name_space, const char *device, const char **step);

#endif
