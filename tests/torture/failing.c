/*
 * failing.c: a library for LD_PRELOAD by torture.py. It counts calls that may fail, by kind and by
 * process, and lets one of them fail, or all from that one on.
 *
 * Each child has its own counters, as the order of calls in two processes varies. If calls fail for
 * good, they also fail in children that are forked later.
 *
 * Starting a program takes longer than most of its runs, so it is started once and waits in front
 * of main() for requests at the socket FAILING_SERVER. Each run is a fork of it. A request has a
 * file with a struct state, which all processes of the run share. Counting begins with main(), as
 * the program cannot handle failures in the loader and in constructors. Streams of stdio become
 * cookies over read() and write(), as calls of these within the C library cannot be replaced.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <link.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The order of torture.py's KINDS. */
enum kind { MEMORY, FILES, READS, WRITES, SOCKETS, CONNECTIONS, SENDS, RECEIVES, POLLS, FORKS };
enum {
    KIND_COUNT = FORKS + 1,
    PROCESSES_MAX = 4, /* main() and its children; the last number covers all further children */
    ARENA_SIZE = 65536,
    STACKS_MAX = 65536,
    DEPTH_MAX = 96
};

/* Hashes of the functions on a stack. */
struct stack {
    uint64_t in_library; /* from the call up to the program's function that called the library */
    uint64_t in_program; /* the program's functions */
};

/* The order of torture.py's ORDER. */
struct state {
    int64_t kind;     /* kind of the failing call */
    int64_t process;  /* number of the failing process; 0: main() */
    int64_t at;       /* number of the failing call, from 1; 0: none */
    int64_t for_good; /* all later calls fail, too */
    _Atomic int64_t failed;
    _Atomic int64_t children;
    _Atomic int64_t counts[PROCESSES_MAX][KIND_COUNT];
    /* Who allocated memory, call by call; recorded only in runs without a failure. */
    struct stack stacks[PROCESSES_MAX][STACKS_MAX];
};

static struct state *state;
static int process;
static bool fails_for_good; /* children inherit it */

static uintptr_t program_start, program_end;

/* Notes where the program is: it comes first. */
static int find_program(struct dl_phdr_info *info, size_t size, void *userdata)
{
    (void)size, (void)userdata;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            program_start = info->dlpi_addr + part->p_vaddr;
            program_end = program_start + part->p_memsz;
        }
    }
    return 1;
}

static bool is_in_program(const void *caller)
{
    return (uintptr_t)caller >= program_start && (uintptr_t)caller < program_end;
}

/* Returns which function of the program called the library. libcrypto asks for memory through a
 * function of the program, and libcurl calls the program back: then it is further out. */
static int find_caller(void *const *callers, int depth)
{
    int caller = depth, entries = 0;

    for (int i = 0; i < depth && entries < 2; i++) {
        if (is_in_program(callers[i]) && (i == 0 || !is_in_program(callers[i - 1]))) {
            caller = i;
            entries++;
        }
    }
    return caller;
}

static struct stack hash_stack(void)
{
    void *callers[DEPTH_MAX];
    int depth = backtrace(callers, DEPTH_MAX);
    int caller = find_caller(callers, depth);
    struct stack hashes = {14695981039346656037u, 14695981039346656037u};

    for (int i = 0; i < depth; i++) {
        if (i <= caller)
            hashes.in_library = (hashes.in_library ^ (uintptr_t)callers[i]) * 1099511628211u;
        if (is_in_program(callers[i]))
            hashes.in_program = (hashes.in_program ^ (uintptr_t)callers[i]) * 1099511628211u;
    }
    return hashes;
}

/* True if this call must fail; then sets errno. */
static bool fails(enum kind kind, int error)
{
    if (!state)
        return false;

    int64_t number = atomic_fetch_add(&state->counts[process][kind], 1) + 1;
    if (kind == MEMORY && state->at == 0 && number <= STACKS_MAX)
        state->stacks[process][number - 1] = hash_stack();
    if (kind != state->kind)
        return false;

    bool is_due = fails_for_good || (process == state->process && number == state->at);
    if (is_due) {
        fails_for_good = state->for_good;
        atomic_fetch_add(&state->failed, 1);
        errno = error;
    }
    return is_due;
}

/* Finds the function that this library replaces: the C library's, or the sanitizer's. */
static void *find(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (!function)
        abort();
    return function;
}

#define REAL(name)                                                                                 \
    static __typeof__(name) *real;                                                                 \
    if (!real)                                                                                     \
    *(void **)&real = find(#name)

/* -- memory; while find() runs, it comes from an arena -- */

static unsigned char arena[ARENA_SIZE];
static size_t arena_used;
static bool is_finding;

static bool is_in_arena(const void *memory)
{
    const unsigned char *at = memory;
    return at >= arena && at < arena + sizeof arena;
}

static void *arena_alloc(size_t size)
{
    size_t start = (arena_used + 15) / 16 * 16;
    if (size > sizeof arena - start)
        abort();
    arena_used = start + size;
    return arena + start;
}

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);

static void find_memory(void)
{
    is_finding = true;
    *(void **)&real_calloc = find("calloc");
    *(void **)&real_realloc = find("realloc");
    *(void **)&real_free = find("free");
    *(void **)&real_malloc = find("malloc");
    is_finding = false;
}

void *malloc(size_t size)
{
    if (is_finding)
        return arena_alloc(size);
    if (!real_malloc)
        find_memory();
    return fails(MEMORY, ENOMEM) ? NULL : real_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (is_finding)
        return arena_alloc(count * size);
    if (!real_malloc)
        find_memory();
    return fails(MEMORY, ENOMEM) ? NULL : real_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    if (!real_malloc)
        find_memory();
    if (fails(MEMORY, ENOMEM))
        return NULL;
    if (!is_in_arena(memory))
        return real_realloc(memory, size);

    void *moved = real_malloc(size);
    size_t left = (size_t)(arena + sizeof arena - (unsigned char *)memory);
    if (moved)
        memcpy(moved, memory, size < left ? size : left);
    return moved;
}

void *reallocarray(void *memory, size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(memory, count * size);
}

void free(void *memory)
{
    if (!is_in_arena(memory) && real_free)
        real_free(memory);
}

/* These are the sanitizer's own allocations, which do not use malloc(). */
char *strndup(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    char *copy = malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *strdup(const char *text)
{
    return strndup(text, SIZE_MAX);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    REAL(posix_memalign);
    return fails(MEMORY, ENOMEM) ? ENOMEM : real(memory, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    REAL(aligned_alloc);
    return fails(MEMORY, ENOMEM) ? NULL : real(alignment, size);
}

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset)
{
    REAL(mmap);
    return fails(MEMORY, ENOMEM) ? MAP_FAILED
                                 : real(address, size, protection, flags, descriptor, offset);
}

/* -- calls that fail with -1: result, name, parameters, arguments, kind, error -- */

#define FAILING(type, name, parameters, arguments, kind, error)                                    \
    type name parameters                                                                           \
    {                                                                                              \
        REAL(name);                                                                                \
        return fails(kind, error) ? -1 : real arguments;                                           \
    }

FAILING(ssize_t, read, (int fd, void *data, size_t size), (fd, data, size), READS, EIO)
FAILING(ssize_t, getrandom, (void *data, size_t size, unsigned flags), (data, size, flags), READS,
        ENOSYS)
FAILING(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size), WRITES, EIO)
FAILING(int, fsync, (int fd), (fd), WRITES, EIO)
FAILING(int, rename, (const char *from, const char *to), (from, to), WRITES, ENOSPC)
FAILING(int, linkat, (int at, const char *from, int to_at, const char *to, int flags),
        (at, from, to_at, to, flags), WRITES, ENOSPC)
FAILING(int, mkstemp, (char *path), (path), FILES, EMFILE)
FAILING(int, socket, (int domain, int type, int protocol), (domain, type, protocol), SOCKETS,
        EMFILE)
FAILING(int, socketpair, (int domain, int type, int protocol, int pair[2]),
        (domain, type, protocol, pair), SOCKETS, EMFILE)
FAILING(int, pipe2, (int ends[2], int flags), (ends, flags), SOCKETS, EMFILE)
FAILING(int, accept4, (int fd, __SOCKADDR_ARG from, socklen_t *length, int flags),
        (fd, from, length, flags), SOCKETS, EMFILE)
FAILING(int, bind, (int fd, __CONST_SOCKADDR_ARG to, socklen_t length), (fd, to, length),
        CONNECTIONS, ENOBUFS)
FAILING(int, listen, (int fd, int backlog), (fd, backlog), CONNECTIONS, ENOBUFS)
FAILING(int, connect, (int fd, __CONST_SOCKADDR_ARG to, socklen_t length), (fd, to, length),
        CONNECTIONS, ENOBUFS)
FAILING(int, getsockname, (int fd, __SOCKADDR_ARG name, socklen_t *length), (fd, name, length),
        CONNECTIONS, ENOBUFS)
FAILING(int, getpeername, (int fd, __SOCKADDR_ARG name, socklen_t *length), (fd, name, length),
        CONNECTIONS, ENOBUFS)
FAILING(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *length),
        (fd, level, name, value, length), CONNECTIONS, ENOBUFS)
FAILING(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t length),
        (fd, level, name, value, length), CONNECTIONS, ENOBUFS)
FAILING(int, getifaddrs, (struct ifaddrs * *list), (list), CONNECTIONS, ENOMEM)
FAILING(ssize_t, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags),
        SENDS, ENOBUFS)
FAILING(ssize_t, sendto,
        (int fd, const void *data, size_t size, int flags, __CONST_SOCKADDR_ARG to,
         socklen_t length),
        (fd, data, size, flags, to, length), SENDS, ENOBUFS)
FAILING(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags),
        SENDS, ENOBUFS)
FAILING(ssize_t, recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags),
        RECEIVES, ENOMEM)
FAILING(ssize_t, recvfrom,
        (int fd, void *data, size_t size, int flags, __SOCKADDR_ARG from, socklen_t *length),
        (fd, data, size, flags, from, length), RECEIVES, ENOMEM)
FAILING(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags),
        RECEIVES, ENOMEM)
FAILING(int, poll, (struct pollfd * fds, nfds_t count, int ms), (fds, count, ms), POLLS, ENOMEM)
FAILING(int, eventfd, (unsigned count, int flags), (count, flags), FILES, EMFILE)
FAILING(int, epoll_create1, (int flags), (flags), FILES, EMFILE)
FAILING(int, epoll_wait, (int epoll, struct epoll_event *events, int count, int ms),
        (epoll, events, count, ms), POLLS, ENOMEM)

/* The kernel needs memory only for what is added. */
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    REAL(epoll_ctl);
    if (operation == EPOLL_CTL_ADD && fails(POLLS, ENOMEM))
        return -1;
    return real(epoll, operation, fd, event);
}

pid_t fork(void)
{
    REAL(fork);
    if (fails(FORKS, EAGAIN))
        return -1;

    int64_t number = state ? atomic_fetch_add(&state->children, 1) + 1 : 0;
    pid_t pid = real();
    if (pid == 0)
        process = (int)(number < PROCESSES_MAX ? number : PROCESSES_MAX - 1);
    return pid;
}

/* -- files and streams -- */

int open(const char *path, int flags, ...)
{
    REAL(open);
    va_list more;
    va_start(more, flags);
    bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    mode_t mode = makes ? va_arg(more, mode_t) : 0;
    va_end(more);
    return fails(FILES, EMFILE) ? -1 : real(path, flags, mode);
}

/* Only commands that make a descriptor can fail. */
int fcntl(int fd, int command, ...)
{
    REAL(fcntl);
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *); /* an int is passed like a pointer */
    va_end(more);
    if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && fails(FILES, EMFILE))
        return -1;
    return real(fd, command, argument);
}

static int descriptor_of(void *cookie)
{
    return (int)(intptr_t)cookie - 1; /* no cookie is NULL */
}

static ssize_t cookie_read(void *cookie, char *data, size_t size)
{
    return read(descriptor_of(cookie), data, size);
}

static ssize_t cookie_write(void *cookie, const char *data, size_t size)
{
    ssize_t written = write(descriptor_of(cookie), data, size);
    return written < 0 ? 0 : written;
}

static int cookie_seek(void *cookie, off64_t *offset, int whence)
{
    *offset = lseek(descriptor_of(cookie), *offset, whence);
    return *offset < 0 ? -1 : 0;
}

static int cookie_close(void *cookie)
{
    return close(descriptor_of(cookie));
}

static FILE *open_stream(int descriptor, const char *mode)
{
    const cookie_io_functions_t calls = {cookie_read, cookie_write, cookie_seek, cookie_close};
    return fopencookie((void *)((intptr_t)descriptor + 1), mode, calls);
}

FILE *fopen(const char *path, const char *mode)
{
    int access = strchr(mode, '+') ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;
    int create = *mode == 'r' ? 0 : O_CREAT | (*mode == 'a' ? O_APPEND : O_TRUNC);
    int descriptor = open(path, access | create | O_CLOEXEC, 0666);
    FILE *stream = descriptor < 0 ? NULL : open_stream(descriptor, mode);
    if (descriptor >= 0 && !stream)
        close(descriptor);
    return stream;
}

/* -- main() -- */

enum { REQUEST_MAX = 8192, ARGUMENTS_MAX = 64 };

/* What a run consists of: its working directory, a variable of its environment and its arguments,
 * each with a zero at its end; standard input, output and error, and the file with a state. */
struct request {
    char text[REQUEST_MAX];
    size_t size;
    int descriptors[4];
};

static struct request request;
static char *arguments[ARGUMENTS_MAX + 1];
static int (*real_main)(int, char **, char **);

/* Lets the sanitizer, if there is one, read the debug information of all libraries now, and not in
 * each run that leaks. */
static void prepare_symbols(void)
{
    void (*symbolize)(void *, const char *, char *, size_t);
    char text[256];

    *(void **)&symbolize = dlsym(RTLD_DEFAULT, "__sanitizer_symbolize_pc");
    if (symbolize)
        symbolize(find("malloc"), "%f", text, sizeof text);
}

/* Returns false once there is nobody left to ask. */
static bool receive_request(int server)
{
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(sizeof request.descriptors)];
    } control;
    struct iovec text = {request.text, sizeof request.text - 1};
    struct msghdr message = {.msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control};

    ssize_t size = recvmsg(server, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *head = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!head || head->cmsg_len != CMSG_LEN(sizeof request.descriptors))
        return false;

    memcpy(request.descriptors, CMSG_DATA(head), sizeof request.descriptors);
    request.size = (size_t)size;
    return true;
}

/* Returns in each process that is to run main(). Its parent tells the client its process ID, and
 * how it ended. */
static void serve_requests(int server)
{
    while (receive_request(server)) {
        pid_t pid = fork();
        if (pid == 0) {
            close(server);
            return;
        }

        for (size_t i = 0; i < sizeof request.descriptors / sizeof *request.descriptors; i++)
            close(request.descriptors[i]);

        int64_t answer = pid;
        send(server, &answer, sizeof answer, MSG_NOSIGNAL);
        int status = 0;
        waitpid(pid, &status, 0);
        answer = status;
        send(server, &answer, sizeof answer, MSG_NOSIGNAL);
    }
    _exit(0);
}

/* Makes this process the one that was asked for; returns the number of its arguments. */
static int prepare_run(void)
{
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        dup2(request.descriptors[i], i);

    int count = 0;
    const char *directory = request.text;
    char *variable = request.text + strlen(request.text) + 1;
    const char *end = request.text + request.size;
    for (char *at = variable + strlen(variable) + 1; at < end && count < ARGUMENTS_MAX;
         at += strlen(at) + 1)
        arguments[count++] = at;
    if (chdir(directory) < 0 || putenv(variable) != 0)
        abort();
    return count;
}

/* Lets calls be counted from now on. */
static void start_counting(int descriptor)
{
    void *memory = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    FILE *output = open_stream(STDOUT_FILENO, "w");
    if (memory == MAP_FAILED || !output)
        abort();

    for (size_t i = 0; i < sizeof request.descriptors / sizeof *request.descriptors; i++)
        close(request.descriptors[i]);
    stdout = output;
    if (((struct state *)memory)->at == 0)
        hash_stack(); /* the first call loads a library */
    state = memory;
}

static int main_that_may_fail(int argc, char **argv, char **environment)
{
    (void)argc;
    (void)argv;
    const char *server = getenv("FAILING_SERVER");
    if (!server)
        abort();

    dl_iterate_phdr(find_program, NULL);
    prepare_symbols();
    serve_requests(atoi(server));
    int count = prepare_run();
    start_counting(request.descriptors[3]);

    int status = real_main(count, arguments, environment);
    fflush(NULL);
    state = NULL; /* the sanitizer's calls from now on must not fail */
    return status;
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*unload)(void), void *stack);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*unload)(void), void *stack)
{
    REAL(__libc_start_main);
    real_main = main;
    return real(main_that_may_fail, argc, argv, init, fini, unload, stack);
}
