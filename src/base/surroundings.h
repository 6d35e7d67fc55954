/*
 * surroundings.h: tells whether this program runs in a container or in WSL, behind their NAT.
 * Boards cannot connect to it there, and multicast DNS does not reach it.
 */
#ifndef ESP_OTA_BASE_SURROUNDINGS_H
#define ESP_OTA_BASE_SURROUNDINGS_H

#include <ifaddrs.h>

enum surroundings {
    SURROUNDINGS_PLAIN, /* or unknown */
    SURROUNDINGS_CONTAINER,
    SURROUNDINGS_WSL,
};

/* Judges by the files that Docker and Podman create below root, by the kernel's release
 * ("5.15.90.1-microsoft-standard-WSL2"), and by the interfaces. An address outside the ranges of
 * such networks means that the network is shared, as with --network host. */
enum surroundings surroundings_judge(const char *root, const char *release,
                                     const struct ifaddrs *interfaces);

/* The same for this computer; SURROUNDINGS_PLAIN if a system call fails. */
enum surroundings surroundings_find(void);

#endif
