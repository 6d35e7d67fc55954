/*
 * confine.c: no_new_privs, Landlock and seccomp, as far as the kernel has them.
 *
 * The filter lists the denied system calls instead of the allowed ones: getaddrinfo() runs modules
 * of other projects (nss-mdns, sssd, systemd-resolved, winbind) on present and future C libraries.
 * A list of all their system calls would be incomplete and break name resolution on some computers.
 * A denied call fails with EPERM, an error that its caller has to expect anyway.
 */
#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* -- Landlock: files can be read, and nothing else -- */

/* The kernel's constants, under the version that introduced them; older headers lack the later
 * ones. */
enum {
    READ_FILE = 1 << 2,
    READ_DIRECTORY = 1 << 3,
    OF_VERSION_1 = (1 << 13) - 1,
    REFER = 1 << 13,       /* version 2 */
    TRUNCATE = 1 << 14,    /* version 3 */
    IOCTL_DEV = 1 << 15,   /* version 5: of devices that are opened from now on */
    SCOPE_SIGNAL = 1 << 1, /* version 6 */
    ASK_VERSION = 1 << 0,
};

#ifdef SYS_landlock_create_ruleset
static void make_files_read_only(void)
{
    struct {
        uint64_t files, network, scopes;
    } handled = {.files = OF_VERSION_1 & ~(READ_FILE | READ_DIRECTORY)};
    const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

    if (version >= 2)
        handled.files |= REFER;
    if (version >= 3)
        handled.files |= TRUNCATE;
    if (version >= 5)
        handled.files |= IOCTL_DEV;
    if (version >= 6)
        handled.scopes |= SCOPE_SIGNAL;

    /* Handled rights are denied unless a rule allows them. */
    const long rules = syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0)
        return;
    syscall(SYS_landlock_restrict_self, rules, 0);
    close((int)rules);
}
#else
static void make_files_read_only(void)
{
}
#endif

/* -- seccomp -- */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARM_EABI__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_ARM
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

#ifdef ARCHITECTURE
/* Calls since Linux 5.1 have one number on all of these architectures. Older headers lack the later
 * ones. */
enum {
    CALL_PIDFD_SEND_SIGNAL = 424,
    CALL_IO_URING_SETUP = 425,
    CALL_OPEN_TREE = 428,
    CALL_MOVE_MOUNT = 429,
    CALL_FSOPEN = 430,
    CALL_FSCONFIG = 431,
    CALL_FSMOUNT = 432,
    CALL_FSPICK = 433,
    CALL_PIDFD_GETFD = 438,
    CALL_PROCESS_MADVISE = 440,
    CALL_MOUNT_SETATTR = 442,
    CALL_QUOTACTL_FD = 443,
    CALL_PROCESS_MRELEASE = 448,
    CALL_FCHMODAT2 = 452,
    CALL_SETXATTRAT = 463,
    CALL_REMOVEXATTRAT = 466,
    CALL_OPEN_TREE_ATTR = 467,
    CALL_FILE_SETATTR = 469,
};

static const int denied[] = {
    /* other programs */
    SYS_execve,
    SYS_execveat,
    /* modes, owners, times and attributes of files: Landlock has no rights for these */
    SYS_fchmod,
    SYS_fchmodat,
    CALL_FCHMODAT2,
    SYS_fchown,
    SYS_fchownat,
    SYS_utimensat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    CALL_SETXATTRAT,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_fremovexattr,
    CALL_REMOVEXATTRAT,
    CALL_FILE_SETATTR,
#ifdef SYS_chmod
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
#endif
#ifdef SYS_chown32
    SYS_chown32,
    SYS_lchown32,
    SYS_fchown32,
#endif
#ifdef SYS_utime
    SYS_utime,
#endif
#ifdef SYS_utimes
    SYS_utimes,
    SYS_futimesat,
#endif
#ifdef SYS_utimensat_time64
    SYS_utimensat_time64,
#endif
    /* names and sizes of files, for kernels without Landlock */
    SYS_mkdirat,
    SYS_mknodat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_unlinkat,
#ifdef SYS_renameat
    SYS_renameat,
#endif
    SYS_renameat2,
    SYS_truncate,
#ifdef SYS_truncate64
    SYS_truncate64,
#endif
#ifdef SYS_rename
    SYS_mkdir,
    SYS_rmdir,
    SYS_mknod,
    SYS_link,
    SYS_symlink,
    SYS_unlink,
    SYS_rename,
    SYS_creat,
#endif
    /* other processes: their memory, file descriptors, signals and priority */
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_kill,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    CALL_PIDFD_SEND_SIGNAL,
    CALL_PIDFD_GETFD,
    CALL_PROCESS_MADVISE,
    CALL_PROCESS_MRELEASE,
    SYS_setpriority,
    SYS_ioprio_set,
    SYS_sched_setaffinity,
    SYS_sched_setattr,
    SYS_sched_setparam,
    SYS_sched_setscheduler,
    SYS_migrate_pages,
    SYS_move_pages,
    /* incoming connections; bind() stays, as the C library binds netlink sockets */
    SYS_listen,
#ifdef SYS_accept
    SYS_accept,
#endif
    SYS_accept4,
    /* parts of the kernel with a history of vulnerabilities; io_uring would also bypass this
     * filter */
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    CALL_IO_URING_SETUP,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    /* calls for root, which this process does not need either */
    SYS_mount,
    SYS_umount2,
#ifdef SYS_umount
    SYS_umount,
#endif
    SYS_pivot_root,
    SYS_chroot,
    CALL_OPEN_TREE,
    CALL_OPEN_TREE_ATTR,
    CALL_MOVE_MOUNT,
    CALL_FSOPEN,
    CALL_FSCONFIG,
    CALL_FSMOUNT,
    CALL_FSPICK,
    CALL_MOUNT_SETATTR,
    SYS_quotactl,
    CALL_QUOTACTL_FD,
    SYS_open_by_handle_at,
    SYS_setns,
    SYS_unshare,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_vhangup,
    SYS_settimeofday,
#ifdef SYS_stime
    SYS_stime,
#endif
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
#ifdef SYS_clock_settime64
    SYS_clock_settime64,
    SYS_clock_adjtime64,
#endif
    SYS_sethostname,
    SYS_setdomainname,
    SYS_syslog,
#ifdef SYS_iopl
    SYS_iopl,
    SYS_ioperm,
#endif
};

/* Typing into a terminal: the shell would run the text. Flags of files, for which reading is
 * enough. A signal to the owner of a socket, which may be any process. */
static const uint32_t denied_ioctls[] = {TIOCSTI,
                                         TIOCLINUX,
                                         (uint32_t)FS_IOC_SETFLAGS,
                                         (uint32_t)FS_IOC_SETVERSION,
                                         (uint32_t)FS_IOC_FSSETXATTR,
                                         (uint32_t)FS_IOC_ENABLE_VERITY,
                                         FIOSETOWN,
                                         SIOCSPGRP};
static const uint32_t denied_fcntls[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG};

enum { INSTRUCTIONS_MAX = 2 * (sizeof denied / sizeof *denied) + 64 };

struct filter {
    struct sock_filter instructions[INSTRUCTIONS_MAX];
    unsigned short length;
};

static void emit_instruction(struct filter *filter, struct sock_filter instruction)
{
    filter->instructions[filter->length++] = instruction;
}

static void emit_load(struct filter *filter, size_t offset)
{
    emit_instruction(filter,
                     (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* The lower half of an argument; all architectures above are little-endian. */
static void emit_load_argument(struct filter *filter, size_t number)
{
    emit_load(filter, offsetof(struct seccomp_data, args) + number * sizeof(uint64_t));
}

static void emit_return(struct filter *filter, bool is_allowed)
{
    const uint32_t verdict =
        is_allowed ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA);
    emit_instruction(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* Skips the next instructions unless the loaded word equals value. */
static void emit_unless(struct filter *filter, uint32_t value, unsigned char skipped)
{
    emit_instruction(filter,
                     (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped));
}

/* Allows a call if one of its arguments is among the values, or unless it is. */
static void emit_argument_rule(struct filter *filter, uint32_t call, size_t argument,
                               const uint32_t *values, size_t count, bool is_allowed)
{
    emit_unless(filter, call, (unsigned char)(2 + 2 * count));
    emit_load_argument(filter, argument);
    for (size_t i = 0; i < count; i++) {
        emit_unless(filter, values[i], 1);
        emit_return(filter, is_allowed);
    }
    emit_return(filter, !is_allowed);
}

static void fill_filter(struct filter *filter)
{
    /* In another mode of the processor the numbers mean other calls. Nothing here uses such a
     * mode. */
    emit_load(filter, offsetof(struct seccomp_data, arch));
    emit_instruction(filter,
                     (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
    emit_return(filter, false);
    emit_load(filter, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    const uint32_t x32 = 0x40000000;
    emit_instruction(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, x32, 0, 1));
    emit_return(filter, false);
#endif

    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
        emit_unless(filter, (uint32_t)denied[i], 1);
        emit_return(filter, false);
    }

    /* abort() and raise() send signals to the process itself; getrlimit() asks for its own
     * limits. */
    const uint32_t own_id[] = {(uint32_t)getpid()}, own_ids[] = {0, (uint32_t)getpid()};
    emit_argument_rule(filter, SYS_tgkill, 0, own_id, 1, true);
    emit_argument_rule(filter, SYS_prlimit64, 0, own_ids, 2, true);

    emit_argument_rule(filter, SYS_ioctl, 1, denied_ioctls,
                       sizeof denied_ioctls / sizeof *denied_ioctls, false);
    const size_t fcntls = sizeof denied_fcntls / sizeof *denied_fcntls;
    emit_argument_rule(filter, SYS_fcntl, 1, denied_fcntls, fcntls, false);
#ifdef SYS_fcntl64
    emit_argument_rule(filter, SYS_fcntl64, 1, denied_fcntls, fcntls, false);
#endif
    emit_return(filter, true);
}

static void deny_calls(void)
{
    struct filter filter = {0};

    fill_filter(&filter);
    const struct sock_fprog program = {.len = filter.length, .filter = filter.instructions};
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#else
static void deny_calls(void)
{
}
#endif

void confine_process(void)
{
    /* The two steps below need this, too, if the process has no privileges. */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    make_files_read_only();
    deny_calls();
}
