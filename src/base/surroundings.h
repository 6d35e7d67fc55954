/*
 * surroundings.h: tells whether this program runs in a container or in WSL. Behind their NAT,
 * boards cannot connect to it, and multicast DNS does not reach it.
 */
#ifndef ESP_OTA_BASE_SURROUNDINGS_H
#define ESP_OTA_BASE_SURROUNDINGS_H

#include <ifaddrs.h>

enum surroundings {
    SURROUNDINGS_PLAIN,     /* or unknown */
    SURROUNDINGS_CONTAINER, /* with a network of its own, on Linux */
    SURROUNDINGS_DESKTOP,   /* the same in Docker Desktop's virtual machine, or in WSL */
    SURROUNDINGS_WSL,       /* WSL 2 with a network of its own */
    SURROUNDINGS_MIRRORED,  /* WSL 2 with the network of Windows, behind its firewall */
    SURROUNDINGS_WSL1,      /* WSL 1, which has the network of Windows, and no Avahi */
};

/* Judges by the files that Docker and Podman create below root, by the kernel's release
 * ("5.15.90.1-microsoft-standard-WSL2"), and by the interfaces; sysfs below root tells which of
 * them are TAP devices. An address outside the ranges of such networks means that the network is
 * shared, as with --network host. */
enum surroundings surroundings_judge(const char *root, const char *release,
                                     const struct ifaddrs *interfaces);

/* The same for this computer; SURROUNDINGS_PLAIN if a system call fails. */
enum surroundings surroundings_find(void);

#endif
