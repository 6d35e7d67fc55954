/* A TAP device in a network namespace: an Ethernet device whose cable is a file descriptor. */
#ifndef LINK_TAP_H
#define LINK_TAP_H

/* Creates the device in a namespace, a process id or a path such as /run/netns/NAME. Returns its
 * non-blocking file descriptor, or -1 with errno set and the failed step in *step. The device lives
 * as long as the file descriptor. The caller assigns addresses and brings the device up. Needs
 * CAP_SYS_ADMIN. */
int tap_open(const char *name_space, const char *device, const char **step);

#endif
