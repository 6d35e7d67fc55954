/*
 * test-surroundings.c: containers and WSL, by made-up files, releases and interfaces.
 */
#include "base/surroundings.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define DEBIAN "6.1.0-18-amd64"
#define WSL2 "5.15.90.1-microsoft-standard-WSL2"
#define WSL1 "4.4.0-19041-Microsoft"
#define LINUXKIT "6.10.14-linuxkit"

enum { ADDRESSES_MAX = 3 };

static void make_surroundings(const char *root, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", root, name);
    int descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    close(descriptor);
}

static void clean(const char *root, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", root, name);
    unlink(path);
    snprintf(path, sizeof path, "%s/run", root);
    rmdir(path);
    assert_int_equal(rmdir(root), 0);
}

static const struct {
    const char *file; /* NULL: none */
    const char *release;
    const char *addresses[ADDRESSES_MAX];
    enum surroundings expected;
} judge_rows[] = {
    {".dockerenv", DEBIAN, {"127.0.0.1", "172.17.0.2"}, SURROUNDINGS_CONTAINER},
    {".dockerenv", DEBIAN, {"192.168.16.2/20"}, SURROUNDINGS_CONTAINER}, /* the 16th network */
    {"run/.containerenv", DEBIAN, {"10.88.0.5"}, SURROUNDINGS_CONTAINER},
    {"run/.containerenv", DEBIAN, {"10.89.3.2/24"}, SURROUNDINGS_CONTAINER},
    {"run/.containerenv", DEBIAN, {"10.0.2.100"}, SURROUNDINGS_CONTAINER},
    {".dockerenv", DEBIAN, {"172.31.255.2", "172.18.0.3"}, SURROUNDINGS_CONTAINER},
    /* Docker Desktop, also with --network host; Docker in WSL */
    {".dockerenv", WSL2, {"172.17.0.2"}, SURROUNDINGS_DESKTOP},
    {".dockerenv", LINUXKIT, {"172.17.0.2"}, SURROUNDINGS_DESKTOP},
    {".dockerenv", LINUXKIT, {"192.168.65.3/24", "172.17.0.1"}, SURROUNDINGS_DESKTOP},
    {NULL, WSL2, {"172.22.33.44"}, SURROUNDINGS_WSL},
    {NULL, WSL2, {"192.168.1.20/24"}, SURROUNDINGS_MIRRORED},
    {".dockerenv", WSL2, {"192.168.1.20", "172.17.0.1"}, SURROUNDINGS_MIRRORED},
    {NULL, WSL2, {"127.0.0.1"}, SURROUNDINGS_PLAIN},
    {NULL, WSL1, {"172.22.33.44"}, SURROUNDINGS_WSL1},
    {NULL, WSL1, {"192.168.1.20"}, SURROUNDINGS_WSL1},
    /* --network host, or a network of its own in the local one */
    {".dockerenv", DEBIAN, {"192.168.1.20/24", "172.17.0.1"}, SURROUNDINGS_PLAIN},
    {".dockerenv", DEBIAN, {"192.168.1.20/24"}, SURROUNDINGS_PLAIN},
    {".dockerenv", DEBIAN, {"172.32.0.2"}, SURROUNDINGS_PLAIN},
    {".dockerenv", DEBIAN, {"172.15.0.2"}, SURROUNDINGS_PLAIN},
    {".dockerenv", DEBIAN, {"10.89.0.2/16"}, SURROUNDINGS_PLAIN},
    /* not known */
    {".dockerenv", DEBIAN, {"127.0.0.1"}, SURROUNDINGS_PLAIN},
    {".dockerenv", DEBIAN, {NULL}, SURROUNDINGS_PLAIN},
    {NULL, DEBIAN, {"172.17.0.2"}, SURROUNDINGS_PLAIN},
    {"other", DEBIAN, {"172.17.0.2"}, SURROUNDINGS_PLAIN},
};

/* "10.0.0.7/24"; without the length, the mask is /16. */
static void parse_with_mask(const char *text, struct sockaddr_in *address, struct sockaddr_in *mask)
{
    const char *slash = strchr(text, '/');
    long length = slash ? strtol(slash + 1, NULL, 10) : 16;
    char bare[32];

    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(text, "/"), text);
    assert_int_equal(inet_pton(AF_INET, bare, &address->sin_addr), 1);
    mask->sin_family = AF_INET;
    mask->sin_addr.s_addr = htonl(~(uint32_t)0 << (32 - length));
}

static void test_judge(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof judge_rows / sizeof *judge_rows; i++) {
        char root[] = "/tmp/test-surroundings-XXXXXX", run[64], name[] = "eth0";
        struct sockaddr_in addresses[ADDRESSES_MAX] = {0}, masks[ADDRESSES_MAX] = {0};
        /* one that is not in use, and one without an address, count for nothing */
        struct ifaddrs off = {.ifa_addr = (struct sockaddr *)&addresses[ADDRESSES_MAX - 1]};
        struct ifaddrs bare = {.ifa_next = &off, .ifa_flags = IFF_UP | IFF_RUNNING};
        struct ifaddrs list[ADDRESSES_MAX] = {0}, *first = &bare;

        addresses[ADDRESSES_MAX - 1].sin_family = AF_INET;
        for (size_t k = 0; k < ADDRESSES_MAX - 1 && judge_rows[i].addresses[k]; k++) {
            bool is_loopback = strncmp(judge_rows[i].addresses[k], "127", 3) == 0;

            addresses[k].sin_family = AF_INET;
            parse_with_mask(judge_rows[i].addresses[k], &addresses[k], &masks[k]);
            list[k] = (struct ifaddrs){.ifa_next = first,
                                       .ifa_name = name,
                                       .ifa_addr = (struct sockaddr *)&addresses[k],
                                       .ifa_netmask = (struct sockaddr *)&masks[k],
                                       .ifa_flags =
                                           IFF_UP | IFF_RUNNING | (is_loopback ? IFF_LOOPBACK : 0)};
            first = &list[k];
        }
        assert_non_null(mkdtemp(root));
        snprintf(run, sizeof run, "%s/run", root);
        assert_int_equal(mkdir(run, 0700), 0);
        if (judge_rows[i].file)
            make_surroundings(root, judge_rows[i].file);
        assert_int_equal(surroundings_judge(root, judge_rows[i].release, first),
                         judge_rows[i].expected);
        clean(root, judge_rows[i].file ? judge_rows[i].file : "none");
    }
}

/* A TAP device with the host's address is pasta's in a container, and a VPN's on the host. */
static void test_pasta(void **state)
{
    static const char *const folders[] = {"run", "sys", "sys/class", "sys/class/net",
                                          "sys/class/net/enp3s0"};
    enum { FOLDERS = sizeof folders / sizeof *folders };
    char root[] = "/tmp/test-surroundings-XXXXXX", path[256];
    struct sockaddr_in address = {.sin_family = AF_INET}, mask;
    const struct ifaddrs tap = {.ifa_name = (char[]){"enp3s0"},
                                .ifa_flags = IFF_UP | IFF_RUNNING,
                                .ifa_addr = (struct sockaddr *)&address,
                                .ifa_netmask = (struct sockaddr *)&mask};

    (void)state;
    parse_with_mask("192.168.1.20/24", &address, &mask);
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < FOLDERS; i++) {
        snprintf(path, sizeof path, "%s/%s", root, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    make_surroundings(root, "run/.containerenv");
    assert_int_equal(surroundings_judge(root, DEBIAN, &tap), SURROUNDINGS_PLAIN);
    make_surroundings(root, "sys/class/net/enp3s0/tun_flags");
    assert_int_equal(surroundings_judge(root, DEBIAN, &tap), SURROUNDINGS_CONTAINER);

    snprintf(path, sizeof path, "%s/run/.containerenv", root);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(surroundings_judge(root, DEBIAN, &tap), SURROUNDINGS_PLAIN);

    snprintf(path, sizeof path, "%s/sys/class/net/enp3s0/tun_flags", root);
    assert_int_equal(unlink(path), 0);
    for (size_t i = FOLDERS; i-- > 0;) {
        snprintf(path, sizeof path, "%s/%s", root, folders[i]);
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_judge), cmocka_unit_test(test_pasta)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
