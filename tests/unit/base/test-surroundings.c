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
    {"run/.containerenv", DEBIAN, {"10.88.0.5"}, SURROUNDINGS_CONTAINER},
    {"run/.containerenv", DEBIAN, {"10.0.2.100"}, SURROUNDINGS_CONTAINER},
    {".dockerenv", DEBIAN, {"172.31.255.2", "172.18.0.3"}, SURROUNDINGS_CONTAINER},
    {".dockerenv", WSL2, {"172.17.0.2"}, SURROUNDINGS_CONTAINER}, /* Docker Desktop */
    {NULL, WSL2, {"172.22.33.44"}, SURROUNDINGS_WSL},
    {NULL, WSL1, {"172.22.33.44"}, SURROUNDINGS_WSL},
    /* --network host, mirrored networking, or a network of its own in the local one */
    {".dockerenv", DEBIAN, {"192.168.1.20", "172.17.0.1"}, SURROUNDINGS_PLAIN},
    {NULL, WSL2, {"192.168.1.20"}, SURROUNDINGS_PLAIN},
    {".dockerenv", DEBIAN, {"172.32.0.2"}, SURROUNDINGS_PLAIN},
    {".dockerenv", DEBIAN, {"172.15.0.2"}, SURROUNDINGS_PLAIN},
    {".dockerenv", DEBIAN, {"10.89.0.2"}, SURROUNDINGS_PLAIN},
    /* not known */
    {".dockerenv", DEBIAN, {"127.0.0.1"}, SURROUNDINGS_PLAIN},
    {".dockerenv", DEBIAN, {NULL}, SURROUNDINGS_PLAIN},
    {NULL, DEBIAN, {"172.17.0.2"}, SURROUNDINGS_PLAIN},
    {"other", DEBIAN, {"172.17.0.2"}, SURROUNDINGS_PLAIN},
};

static void test_judge(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof judge_rows / sizeof *judge_rows; i++) {
        char root[] = "/tmp/test-surroundings-XXXXXX", run[64];
        struct sockaddr_in addresses[ADDRESSES_MAX] = {0};
        /* one that is not in use, and one without an address, count for nothing */
        struct ifaddrs off = {.ifa_addr = (struct sockaddr *)&addresses[ADDRESSES_MAX - 1]};
        struct ifaddrs bare = {.ifa_next = &off, .ifa_flags = IFF_UP | IFF_RUNNING};
        struct ifaddrs list[ADDRESSES_MAX] = {0}, *first = &bare;

        addresses[ADDRESSES_MAX - 1].sin_family = AF_INET;
        for (size_t k = 0; k < ADDRESSES_MAX - 1 && judge_rows[i].addresses[k]; k++) {
            bool is_loopback = strncmp(judge_rows[i].addresses[k], "127", 3) == 0;

            addresses[k].sin_family = AF_INET;
            assert_int_equal(inet_pton(AF_INET, judge_rows[i].addresses[k], &addresses[k].sin_addr),
                             1);
            list[k] = (struct ifaddrs){.ifa_next = first,
                                       .ifa_addr = (struct sockaddr *)&addresses[k],
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_judge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
