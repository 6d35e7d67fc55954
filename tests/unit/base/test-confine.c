/*
 * test-confine.c: a confined process loses its rights and keeps the needed ones. Each attempt runs
 * in two processes of its own: unconfined, where it must succeed for the test to mean anything, and
 * confined.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/test-confine-XXXXXX";
static char path[sizeof directory + 8];

/* -- attempts: 0, or an errno -- */

static int outcome(long result)
{
    return result < 0 ? errno : 0;
}

static int run_program(void)
{
    char *const arguments[] = {(char *)"true", NULL};
    execv("/bin/true", arguments); /* a success exits with 0, too */
    return errno;
}

static int signal_parent(void)
{
    return outcome(kill(getppid(), 0));
}

static int signal_parents_thread(void)
{
    return outcome(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int read_parents_memory(void)
{
    char byte;
    struct iovec ours = {&byte, 1}, theirs = {path, 1};
    return outcome(process_vm_readv(getppid(), &ours, 1, &theirs, 1, 0));
}

static int open_parents_memory(void)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/mem", (int)getppid());
    return outcome(open(name, O_RDONLY | O_CLOEXEC));
}

static int serve(void)
{
    return outcome(listen(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 1));
}

static int change_root(void)
{
    return outcome(chroot("/"));
}

static int try_write_file(void)
{
    return outcome(open(path, O_WRONLY | O_CLOEXEC));
}

static int make_file(void)
{
    char name[sizeof path + 8];
    snprintf(name, sizeof name, "%s.new", path);
    int result = outcome(open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    unlink(name);
    return result;
}

static int truncate_file(void)
{
    return outcome(truncate(path, 5));
}

static int try_make_directory(void)
{
    char name[sizeof path + 8];
    snprintf(name, sizeof name, "%s.dir", path);
    int result = outcome(mkdir(name, 0700));
    rmdir(name);
    return result;
}

/* The numbers of the call and the request; without a file descriptor the error is ENOTTY or
 * EBADF. */
static int type_into_terminal(void)
{
    return ioctl(open(path, O_RDONLY | O_CLOEXEC), TIOCSTI, "x") < 0 && errno == EPERM ? EPERM : 0;
}

/* Reading rights are enough for the owner. */
static int set_flags(void)
{
    long flags = 0; /* the kernel reads an int, and valgrind what the request says */
    return outcome(ioctl(open(path, O_RDONLY | O_CLOEXEC), FS_IOC_SETFLAGS, &flags));
}

/* The kernel would send SIGIO, or the signal of F_SETSIG. */
static int own_socket_by_parent(void)
{
    return outcome(fcntl(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), F_SETOWN, getppid()));
}

static int own_socket_by_parent_ioctl(void)
{
    int parent = (int)getppid();
    return outcome(ioctl(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), FIOSETOWN, &parent));
}

static int limit_parent(void)
{
    struct rlimit limit = {0};
    prlimit(getppid(), RLIMIT_CORE, NULL, &limit);
    return outcome(prlimit(getppid(), RLIMIT_CORE, &limit, NULL));
}

static int slow_parent(void)
{
    return outcome(setpriority(PRIO_PROCESS, (id_t)getppid(), getpriority(PRIO_PROCESS, 0)));
}

static int ask_own_limit(void)
{
    struct rlimit limit;
    return outcome(getrlimit(RLIMIT_NOFILE, &limit));
}

static int set_own_flags(void)
{
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return outcome(fcntl(descriptor, F_SETFL, O_NONBLOCK)) + outcome(fcntl(descriptor, F_GETFD));
}

static int try_read_file(void)
{
    char text[16] = "";
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    return descriptor >= 0 && read(descriptor, text, sizeof text) == 5 ? 0 : errno;
}

static int try_resolve(void)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM}, *list = NULL;
    int result = getaddrinfo("localhost", NULL, &hints, &list);
    if (result == 0)
        freeaddrinfo(list);
    return result;
}

static int bind_netlink(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return outcome(bind(descriptor, (const struct sockaddr *)&address, sizeof address));
}

static int open_sockets(void)
{
    static const int families[] = {AF_UNIX, AF_INET};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++)
            if (socket(families[i], type | SOCK_CLOEXEC, 0) < 0)
                return errno;
    return 0;
}

static int map_code(void)
{
    int descriptor = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    void *code = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, descriptor, 0);
    return code == MAP_FAILED ? errno : 0;
}

static int raise_signal(void)
{
    signal(SIGUSR1, SIG_IGN);
    return raise(SIGUSR1) == 0 ? 0 : errno;
}

static int start_process(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : waitpid(pid, NULL, 0) == pid ? 0 : errno;
}

/* -- the test -- */

static int attempt(int (*make)(void), bool is_confined)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (is_confined)
            confine_process();
        _exit(make());
    }

    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool has_landlock(void)
{
    return syscall(444 /* landlock_create_ruleset */, NULL, 0, 1) >= 3;
}

/* Some attempts may also fail without confinement: with Yama, or without root. */
static void test_denied(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int (*make)(void);
        int expected;
        bool needs_landlock;
        bool may_fail_free;
    } rows[] = {
        {"run a program", run_program, EPERM, false, false},
        {"signal the parent", signal_parent, EPERM, false, false},
        {"signal a thread of the parent", signal_parents_thread, EPERM, false, false},
        {"read the parent's memory", read_parents_memory, EPERM, false, true},
        {"open the parent's memory", open_parents_memory, EACCES, true, true},
        {"wait for connections", serve, EPERM, false, false},
        {"change the root", change_root, EPERM, false, true},
        {"type into a terminal", type_into_terminal, EPERM, false, false},
        {"write to a file", try_write_file, EACCES, true, false},
        {"make a file", make_file, EACCES, true, false},
        {"truncate a file", truncate_file, EPERM, false, false},
        {"make a directory", try_make_directory, EPERM, false, false},
        {"set the flags of a file", set_flags, EPERM, false, true},
        {"have the parent signalled", own_socket_by_parent, EPERM, false, false},
        {"have the parent signalled by ioctl()", own_socket_by_parent_ioctl, EPERM, false, false},
        {"limit the parent", limit_parent, EPERM, false, false},
        {"slow the parent down", slow_parent, EPERM, false, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].needs_landlock && !has_landlock())
            continue;
        if (rows[i].make == run_program && getenv("ESP_OTA_VALGRIND"))
            continue; /* valgrind ends the process when the kernel denies execve() */

        int confined = attempt(rows[i].make, true);
        int is_free = attempt(rows[i].make, false);
        if (confined != rows[i].expected || (is_free != 0 && !rows[i].may_fail_free))
            fail_msg("%s: %s, free: %s", rows[i].name, strerror(confined), strerror(is_free));
    }
}

/* -- calls that Landlock leaves alone -- */

struct system_call {
    const char *name;
    long number;
    long arguments[5];
};

/* The error, also of a call that this kernel or file system lacks. */
static int attempt_call(const struct system_call *call, bool is_confined)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        const long *given = call->arguments;
        if (is_confined)
            confine_process();
        _exit(outcome(syscall(call->number, given[0], given[1], given[2], given[3], given[4])));
    }

    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void check_denied(const struct system_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int confined = attempt_call(&calls[i], true), is_free = attempt_call(&calls[i], false);
        if (confined != EPERM || is_free == EPERM)
            fail_msg("%s: %s, free: %s", calls[i].name, strerror(confined), strerror(is_free));
    }
}

/* Each changes nothing, or fails in another way, for a process that may do it. */
static void test_attributes_of_files(void **state)
{
    const long file = (long)path, here = AT_FDCWD, attribute = (long)"user.test", text = (long)"x";
    const long opened = open(path, O_RDONLY | O_CLOEXEC);
    const struct system_call rows[] = {
        {"fchmod", SYS_fchmod, {opened, 0600}},
        {"fchmodat", SYS_fchmodat, {here, file, 0600}},
        {"fchmodat2", 452, {here, file, 0600, 0}},
        {"fchown", SYS_fchown, {opened, -1, -1}},
        {"fchownat", SYS_fchownat, {here, file, -1, -1, 0}},
        {"utimensat", SYS_utimensat, {here, file, 0, 0}},
        {"setxattr", SYS_setxattr, {file, attribute, text, 1, 0}},
        {"lsetxattr", SYS_lsetxattr, {file, attribute, text, 1, 0}},
        {"fsetxattr", SYS_fsetxattr, {opened, attribute, text, 1, 0}},
        {"setxattrat", 463, {here, file, 0, attribute, 0}},
        {"removexattr", SYS_removexattr, {file, attribute}},
        {"lremovexattr", SYS_lremovexattr, {file, attribute}},
        {"fremovexattr", SYS_fremovexattr, {opened, attribute}},
        {"removexattrat", 466, {here, file, 0, attribute}},
        {"file_setattr", 469, {here, file, 0, 0, 0}},
        {"linkat", SYS_linkat, {here, file, here, file, 0}},
        {"renameat2", SYS_renameat2, {here, file, here, file, 0}},
        {"unlinkat", SYS_unlinkat, {here, (long)"", 0}},
#ifdef SYS_chmod
        {"chmod", SYS_chmod, {file, 0600}},
        {"chown", SYS_chown, {file, -1, -1}},
        {"lchown", SYS_lchown, {file, -1, -1}},
        {"rename", SYS_rename, {file, file}},
        {"unlink", SYS_unlink, {(long)""}},
#endif
#ifdef SYS_utime
        {"utime", SYS_utime, {file, 0}},
#endif
#ifdef SYS_utimes
        {"utimes", SYS_utimes, {file, 0}},
        {"futimesat", SYS_futimesat, {here, file, 0}},
#endif
    };

    (void)state;
    if (getenv("ESP_OTA_VALGRIND"))
        skip(); /* it answers ENOSYS to calls that it does not know; the kernel never sees them */
    assert_true(opened >= 0);
    check_denied(rows, sizeof rows / sizeof *rows);
    close((int)opened);
}

/* Requests on a descriptor, with arguments that are of no use without confinement either. */
static void test_requests(void **state)
{
    const long opened = open(path, O_RDONLY | O_CLOEXEC);
    const long stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct system_call rows[] = {
        {"FS_IOC_SETVERSION", SYS_ioctl, {opened, FS_IOC_SETVERSION, 0}},
        {"FS_IOC_FSSETXATTR", SYS_ioctl, {opened, FS_IOC_FSSETXATTR, 0}},
        {"FS_IOC_ENABLE_VERITY", SYS_ioctl, {opened, FS_IOC_ENABLE_VERITY, 0}},
        {"TIOCLINUX", SYS_ioctl, {opened, TIOCLINUX, 0}},
        {"SIOCSPGRP", SYS_ioctl, {stream, SIOCSPGRP, 0}},
        {"F_SETOWN_EX", SYS_fcntl, {stream, F_SETOWN_EX, 0}},
        {"F_SETSIG", SYS_fcntl, {stream, F_SETSIG, 0}},
    };

    (void)state;
    if (getenv("ESP_OTA_VALGRIND"))
        skip(); /* it reads what the arguments point to */
    assert_true(opened >= 0 && stream >= 0);
    check_denied(rows, sizeof rows / sizeof *rows);
    close((int)stream);
    close((int)opened);
}

static void test_allowed(void **state)
{
    (void)state;

    static const struct {
        const char *name;
        int (*make)(void);
    } rows[] = {{"read a file", try_read_file},
                {"resolve a name", try_resolve},
                {"bind a netlink socket", bind_netlink},
                {"open sockets", open_sockets},
                {"map code, as dlopen() does", map_code},
                {"send itself a signal", raise_signal},
                {"start a process", start_process},
                {"ask for a limit", ask_own_limit},
                {"set the flags of a socket", set_own_flags}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int confined = attempt(rows[i].make, true);
        if (confined != 0)
            fail_msg("%s: %s", rows[i].name, strerror(confined));
    }
}

static int report_status(void)
{
    char line[128];
    int found = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file)) {
        found += strcmp(line, "NoNewPrivs:\t1\n") == 0;
        found += strcmp(line, "Seccomp:\t2\n") == 0;
    }
    return found;
}

static void test_kernel_says_so(void **state)
{
    (void)state;
    assert_int_equal(attempt(report_status, false), 0);
    assert_int_equal(attempt(report_status, true), 2);
}

static int confine_again(void)
{
    confine_process();
    return try_read_file();
}

static void test_twice(void **state)
{
    (void)state;
    assert_int_equal(attempt(confine_again, true), 0);
}

static int set_up_confined_file(void **state)
{
    (void)state;

    if (!mkdtemp(directory))
        return -1;

    snprintf(path, sizeof path, "%s/file", directory);
    FILE *file = fopen(path, "we");
    if (!file)
        return -1;
    fputs("text\n", file);
    return fclose(file);
}

static int tear_down_confined_file(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_denied),         cmocka_unit_test(test_attributes_of_files),
        cmocka_unit_test(test_requests),       cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_kernel_says_so), cmocka_unit_test(test_twice),
    };
    return cmocka_run_group_tests(tests, set_up_confined_file, tear_down_confined_file);
}
