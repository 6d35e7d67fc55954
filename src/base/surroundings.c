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

static bool has_file(const char *root, const char *name)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", root, name);

    return length > 0 && (size_t)length < sizeof path && access(path, F_OK) == 0;
}

/* Whether the address is in a network that one of these programs makes by default. */
static bool is_in_bridge(const struct sockaddr *source, const struct sockaddr *source_mask)
{
    static const struct {
        uint32_t network, mask;
        uint32_t own_mask; /* the netmask that the interface must have; 0: any */
    } bridges[] = {
        {0xAC100000, 0xFFF00000, 0},          /* 172.16.0.0/12: Docker, WSL */
        {0xC0A80000, 0xFFFF0000, 0xFFFFF000}, /* 192.168.0.0/16 in /20: Docker, after those */
        {0xC0A84100, 0xFFFFFF00, 0},          /* 192.168.65.0/24: Docker Desktop's host */
        {0x0A580000, 0xFFFF0000, 0},          /* 10.88.0.0/16: Podman */
        {0x0A590000, 0xFFFF0000, 0xFFFFFF00}, /* 10.89.0.0/16 in /24: Podman's other networks */
        {0x0A000200, 0xFFFFFF00, 0},          /* 10.0.2.0/24: slirp4netns, VirtualBox */
    };
    struct sockaddr_in address, mask = {.sin_addr = {0}};
    uint32_t v4;

    memcpy(&address, source, sizeof address);
    if (source_mask)
        memcpy(&mask, source_mask, sizeof mask);
    v4 = ntohl(address.sin_addr.s_addr);
    for (size_t i = 0; i < sizeof bridges / sizeof *bridges; i++)
        if ((v4 & bridges[i].mask) == bridges[i].network &&
            (!bridges[i].own_mask || ntohl(mask.sin_addr.s_addr) == bridges[i].own_mask))
            return true;
    return false;
}

/* Rootless Podman gives a container the host's own address, on a TAP device (pasta). */
static bool is_tap(const char *root, const char *interface)
{
    char name[IF_NAMESIZE + 32];

    snprintf(name, sizeof name, "sys/class/net/%s/tun_flags", interface);
    return has_file(root, name);
}

struct reach {
    size_t count;  /* IPv4 addresses besides loopback's */
    size_t shared; /* those that other computers may reach */
};

static struct reach find_reach(const char *root, const struct ifaddrs *interfaces,
                               bool is_container)
{
    struct reach reach = {0};

    for (const struct ifaddrs *each = interfaces; each; each = each->ifa_next) {
        if (each->ifa_flags & IFF_LOOPBACK || !(each->ifa_flags & IFF_RUNNING) || !each->ifa_addr ||
            each->ifa_addr->sa_family != AF_INET)
            continue;
        reach.count++;
        reach.shared += !is_in_bridge(each->ifa_addr, each->ifa_netmask) &&
                        !(is_container && is_tap(root, each->ifa_name));
    }
    return reach;
}

enum surroundings surroundings_judge(const char *root, const char *release,
                                     const struct ifaddrs *interfaces)
{
    const bool is_container = has_file(root, ".dockerenv") || has_file(root, "run/.containerenv");
    const bool is_wsl2 = strstr(release, "microsoft") || strstr(release, "WSL2");
    const struct reach reach = find_reach(root, interfaces, is_container);

    if (reach.count == 0)
        return SURROUNDINGS_PLAIN;
    if (is_container && reach.shared == 0)
        return is_wsl2 || strstr(release, "linuxkit") ? SURROUNDINGS_DESKTOP
                                                      : SURROUNDINGS_CONTAINER;
    if (is_wsl2)
        return reach.shared == 0 ? SURROUNDINGS_WSL : SURROUNDINGS_MIRRORED;
    return strstr(release, "Microsoft") ? SURROUNDINGS_WSL1 : SURROUNDINGS_PLAIN;
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
