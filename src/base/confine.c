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
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
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
static const int denied[] = {
    /* other programs */
    SYS_execve,
    SYS_execveat,
    /* other processes: their memory, file descriptors and signals */
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_kill,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
#ifdef SYS_pidfd_send_signal
    SYS_pidfd_send_signal,
#endif
#ifdef SYS_pidfd_getfd
    SYS_pidfd_getfd,
#endif
#ifdef SYS_process_madvise
    SYS_process_madvise,
#endif
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
#ifdef SYS_io_uring_setup
    SYS_io_uring_setup,
#endif
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    /* calls for root, which this process does not need either */
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
#ifdef SYS_move_mount
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsmount,
#endif
#ifdef SYS_mount_setattr
    SYS_mount_setattr,
#endif
    SYS_setns,
    SYS_unshare,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_syslog,
#ifdef SYS_iopl
    SYS_iopl,
    SYS_ioperm,
#endif
};

/* Typing into the terminal on standard error: the shell would run the text. */
static const uint32_t denied_ioctls[] = {TIOCSTI, TIOCLINUX};

enum { INSTRUCTIONS_MAX = 2 * (sizeof denied / sizeof *denied) + 32 };

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

    /* abort() and raise() send signals to the process itself. */
    emit_unless(filter, SYS_tgkill, 4);
    emit_load_argument(filter, 0);
    emit_unless(filter, (uint32_t)getpid(), 1);
    emit_return(filter, true);
    emit_return(filter, false);

    const size_t ioctls = sizeof denied_ioctls / sizeof *denied_ioctls;
    emit_unless(filter, SYS_ioctl, (unsigned char)(1 + 2 * ioctls));
    emit_load_argument(filter, 1);
    for (size_t i = 0; i < ioctls; i++) {
        emit_unless(filter, denied_ioctls[i], 1);
        emit_return(filter, false);
    }
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
