/*
 * surroundings.h: whether this program runs behind NAT of a kind that people do not think of: in a
 * container, or in WSL. Boards cannot connect there, and multicast DNS does not get in.
 */
#ifndef ESP_OTA_BASE_SURROUNDINGS_H
#define ESP_OTA_BASE_SURROUNDINGS_H

#include <ifaddrs.h>

enum surroundings {
    SURROUNDINGS_PLAIN, /* or unknown */
    SURROUNDINGS_CONTAINER,
    SURROUNDINGS_WSL,
};

/* Judges by the files below root that Docker and Podman make, by the kernel's release
 * ("5.15.90.1-microsoft-standard-WSL2"), and by the interfaces: with an address outside the ranges
 * that such networks have, this computer shares a network with others, as with --network host. */
enum surroundings surroundings_judge(const char *root, const char *release,
                                     const struct ifaddrs *interfaces);

/* The same of this computer; SURROUNDINGS_PLAIN where something cannot be found out. */
enum surroundings surroundings_find(void);

#endif
