/*
 * surroundings.c: recognizes containers and WSL by their files, kernel and addresses.
 */
#include "base/surroundings.h"

#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Docker's and WSL's networks (172.16.0.0/12), Podman's (10.88.0.0/16), and slirp4netns' and
 * VirtualBox's (10.0.2.0/24). */
static bool is_in_bridge(const struct sockaddr *source)
{
    static const struct {
        uint32_t network, mask;
    } bridges[] = {{0xAC100000, 0xFFF00000}, {0x0A580000, 0xFFFF0000}, {0x0A000200, 0xFFFFFF00}};
    struct sockaddr_in address;
    uint32_t v4;

    memcpy(&address, source, sizeof address);
    v4 = ntohl(address.sin_addr.s_addr);
    for (size_t i = 0; i < sizeof bridges / sizeof *bridges; i++)
        if ((v4 & bridges[i].mask) == bridges[i].network)
            return true;
    return false;
}

/* Whether there are IPv4 addresses besides loopback's, all of them in such networks. */
static bool has_bridges_only(const struct ifaddrs *interfaces)
{
    size_t count = 0;

    for (const struct ifaddrs *each = interfaces; each; each = each->ifa_next) {
        if (each->ifa_flags & IFF_LOOPBACK || !(each->ifa_flags & IFF_RUNNING) || !each->ifa_addr ||
            each->ifa_addr->sa_family != AF_INET)
            continue;
        if (!is_in_bridge(each->ifa_addr))
            return false;
        count++;
    }
    return count > 0;
}

static bool has_file(const char *root, const char *name)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", root, name);

    return length > 0 && (size_t)length < sizeof path && access(path, F_OK) == 0;
}

enum surroundings surroundings_judge(const char *root, const char *release,
                                     const struct ifaddrs *interfaces)
{
    if (!has_bridges_only(interfaces))
        return SURROUNDINGS_PLAIN;
    if (has_file(root, ".dockerenv") || has_file(root, "run/.containerenv"))
        return SURROUNDINGS_CONTAINER;
    return strstr(release, "microsoft") || strstr(release, "Microsoft") || strstr(release, "WSL")
               ? SURROUNDINGS_WSL
               : SURROUNDINGS_PLAIN;
}

enum surroundings surroundings_find(void)
{
    struct utsname kernel;
    struct ifaddrs *interfaces = NULL;
    enum surroundings found;

    if (uname(&kernel) < 0 || getifaddrs(&interfaces) < 0)
        return SURROUNDINGS_PLAIN;
    found = surroundings_judge("", kernel.release, interfaces);
    freeifaddrs(interfaces);
    return found;
}
