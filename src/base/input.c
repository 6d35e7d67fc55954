/*
 * input.c: reads files and pipes named by the user, with a deadline for each wait.
 */
#include "base/input.h"

#include "base/array.h"
#include "base/beneath.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/loop.h"
#include "base/same_file.h"
#include "base/stdio_guard.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long to wait for a writer, and for data. Shells open both ends of a pipe at once; the writer
 * may ask a person first. */
enum { PATIENCE_WRITER_MS = 5000, PATIENCE_DATA_MS = 120000 };

enum { PATH_SHOWN = 512 };

bool input_is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

char *input_show(char *target, size_t capacity, const char *path)
{
    return escape_string(target, capacity, input_is_standard(path) ? "standard input" : path);
}

static bool is_device(mode_t mode)
{
    return S_ISCHR(mode) || S_ISBLK(mode);
}

/* If standard input is a terminal, its user may type into /dev/stdin. */
static bool is_standard_input(const struct stat *status)
{
    struct stat standard;

    return fstat(STDIN_FILENO, &standard) == 0 && S_ISCHR(standard.st_mode) &&
           S_ISCHR(status->st_mode) && standard.st_rdev == status->st_rdev;
}

bool input_is_null_device(const char *path)
{
    struct stat status, null;

    return stat(path, &status) == 0 && stat("/dev/null", &null) == 0 && S_ISCHR(status.st_mode) &&
           S_ISCHR(null.st_mode) && status.st_rdev == null.st_rdev;
}

/* By its names on Linux, each of which opens anew what descriptor 0 leads to. */
static bool names_standard_input(const char *path)
{
    return strcmp(path, "/dev/stdin") == 0 || strcmp(path, "/dev/fd/0") == 0 ||
           strcmp(path, "/proc/self/fd/0") == 0;
}

bool input_is_closed(const char *path)
{
    return names_standard_input(path) && stdio_guard_has_no_input();
}

int input_open(const char *path)
{
    struct stat status;
    int fd = -1;

    /* Check first: opening alone has effects on some devices. */
    if (input_is_closed(path))
        errno = EBADF;
    else if (stat(path, &status) == 0 && is_device(status.st_mode) && !is_standard_input(&status))
        errno = ENODEV;
    else
        fd = beneath_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    return fd;
}

/* -- the inputs of this run -- */

struct input_file {
    dev_t device;
    ino_t inode;
};

static struct {
    struct input_file *files;
    size_t count, capacity;
} inputs;

static bool is_input(const struct stat *status)
{
    for (size_t i = 0; i < inputs.count; i++)
        if (inputs.files[i].device == status->st_dev && inputs.files[i].inode == status->st_ino)
            return true;
    return false;
}

static bool goes_into(int fd, const struct stat *file)
{
    const int flags = fcntl(fd, F_GETFL);
    struct stat output;

    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && fstat(fd, &output) == 0 &&
           same_file(&output, file);
}

/* Whether standard output or error goes into the input, as with ">> INPUT". The message that
 * refuses this must not get into a file either. "> INPUT" has emptied the file already. A pipe
 * would never end, as this run holds its other end. */
static bool is_written(const struct stat *input)
{
    const bool is_file = S_ISREG(input->st_mode);
    bool is_output = false;

    if (is_file ? input->st_size == 0 : !S_ISFIFO(input->st_mode))
        return false;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (goes_into(fd, input)) {
            if (is_file)
                stdio_guard_discard(fd);
            is_output = true;
        }
    return is_output;
}

/* Remembers the file if it is a regular one. Returns -1 and errno: ENOMEM, or ETXTBSY if this run
 * writes to it. */
static int remember(const struct stat *status)
{
    if (is_input(status))
        return 0;
    if (is_written(status)) {
        errno = ETXTBSY;
        return -1;
    }
    if (!S_ISREG(status->st_mode))
        return 0;

    struct input_file *files =
        array_grow(inputs.files, inputs.count, &inputs.capacity, sizeof *files);
    if (!files) {
        errno = ENOMEM;
        return -1;
    }
    inputs.files = files;
    inputs.files[inputs.count++] = (struct input_file){status->st_dev, status->st_ino};
    return 0;
}

int input_remember(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? remember(&status) : 0;
}

enum ota_error input_protect(const char *option, const char *path, struct ota_failure *failure)
{
    char shown[PATH_SHOWN];
    struct stat status;

    if (stat(path, &status) < 0 || !is_input(&status))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "%s names an input file, %s; give it another name",
                    option, escape_string(shown, sizeof shown, path));
}

bool input_is_same_file(const char *path, const char *other)
{
    struct stat status, found;

    return stat(path, &status) == 0 && stat(other, &found) == 0 && S_ISREG(status.st_mode) &&
           same_file(&status, &found);
}

static bool appends(int fd)
{
    return (fcntl(fd, F_GETFL) & O_APPEND) != 0;
}

/* Fails if standard error, or standard output if that is first, goes into the file at path. */
static enum ota_error protect_from(int first, const char *option, const char *path,
                                   const struct stat *file, bool is_appended,
                                   struct ota_failure *failure)
{
    char shown[PATH_SHOWN];
    const char *stream = NULL;

    for (int fd = STDERR_FILENO; fd >= first; fd--)
        if (goes_into(fd, file) && !(is_appended && appends(fd))) {
            stream = fd == STDOUT_FILENO ? "output" : "error";
            if (file->st_size > 0) /* what is in it stays as it is */
                stdio_guard_discard(fd);
        }
    if (!stream)
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE,
                    "%s names the file that standard %s goes into, %s; give it another name",
                    option, stream, escape_string(shown, sizeof shown, path));
}

enum ota_error input_protect_output(const char *option, const char *path, bool is_appended,
                                    struct ota_failure *failure)
{
    struct stat status;

    if (input_protect(option, path, failure) != OTA_OK)
        return failure->error;
    if (stat(path, &status) < 0 || !S_ISREG(status.st_mode))
        return OTA_OK;
    return protect_from(STDOUT_FILENO, option, path, &status, is_appended, failure);
}

enum ota_error input_protect_from_messages(const char *option, const char *path,
                                           struct ota_failure *failure)
{
    struct stat status;

    if (input_protect(option, path, failure) != OTA_OK)
        return failure->error;
    if (stat(path, &status) < 0 || is_device(status.st_mode))
        return OTA_OK;
    return protect_from(STDERR_FILENO, option, path, &status, false, failure);
}

void input_forget(void)
{
    free(inputs.files);
    inputs.files = NULL;
    inputs.count = inputs.capacity = 0;
}

/* -- reading -- */

static bool is_pipe(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

static int left_ms(bool has_writer, int64_t start_us)
{
    int64_t patience_ms = has_writer ? PATIENCE_DATA_MS : PATIENCE_WRITER_MS;
    int64_t waited_ms = (loop_now_us() - start_us) / 1000;

    return waited_ms < patience_ms ? (int)(patience_ms - waited_ms) : 0;
}

/* Waits until a blocking file descriptor can be read; read(2) itself would wait without limit.
 * Returns -1 and errno on failure. */
static int await_data(int fd)
{
    int64_t start_us = loop_now_us();
    int flags = fcntl(fd, F_GETFL);
    int ready = flags < 0 || (flags & O_NONBLOCK) != 0;

    while (ready == 0) {
        struct pollfd file = {.fd = fd, .events = POLLIN};
        int timeout_ms = left_ms(true, start_us);

        ready = poll(&file, 1, timeout_ms);
        if (ready < 0 && errno == EINTR)
            ready = 0;
        else if (ready == 0 && timeout_ms == 0) {
            errno = ETIMEDOUT;
            ready = -1;
        }
    }
    return ready < 0 ? -1 : 0;
}

ssize_t input_read(int fd, void *buffer, size_t size)
{
    int64_t start_us = loop_now_us();
    struct stat status;

    if (fstat(fd, &status) < 0 || remember(&status) < 0 || await_data(fd) < 0)
        return -1;

    for (;;) {
        struct pollfd file = {.fd = fd, .events = POLLIN};
        ssize_t got = read(fd, buffer, size);
        /* Without a writer a pipe reads as ended, also before the first writer has come. */
        bool has_writer = got < 0 && errno == EAGAIN;

        if (got < 0 && errno == EINTR)
            continue;
        if (got > 0 || (got < 0 && !has_writer) || (got == 0 && !is_pipe(fd)))
            return got;

        int timeout_ms = left_ms(has_writer, start_us);
        int ready = poll(&file, 1, timeout_ms);
        if (ready < 0 && errno != EINTR)
            return -1;
        if (ready > 0 && !has_writer && (file.revents & POLLIN) == 0)
            return 0; /* a writer has come and gone */
        if (ready == 0 && timeout_ms == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
}

ssize_t input_read_all(int fd, void *buffer, size_t capacity)
{
    size_t length = 0;

    while (length < capacity) {
        ssize_t got = input_read(fd, (char *)buffer + length, capacity - length);

        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

const char *input_error(int number)
{
    switch (number) {
    case ENODEV:
        return "it is a device, not a file";
    case ETIMEDOUT:
        return "nothing was written to it in time";
    case EBADF:
        return "it is closed";
    case ETXTBSY:
        return "the output of this run would be written to it; redirect that to another file";
    case EXDEV:
        return "it is not in the folder of the project file that names it, or below it";
    case ENOSYS: /* of beneath_open() */
        return "/proc is not mounted, which would show whether it is in the folder of the project "
               "file that names it";
    default:
        return strerror(number);
    }
}

/* Whether only what nobody sees of a name, behind it, is in the way: of a script with the line ends
 * of Windows, of quotes. */
static bool exists_without_end(const char *path)
{
    size_t length = strlen(path);
    const size_t whole = length;
    struct stat status;

    while (length > 0 && isspace((unsigned char)path[length - 1]))
        length--;
    char *name = length > 0 && length < whole ? strndup(path, length) : NULL;
    const bool exists = name && stat(name, &status) == 0;
    free(name);
    return exists;
}

const char *input_open_error(const char *path, int number)
{
    if (number == EBADF)
        return "standard input is closed";
    if (number != ENOENT)
        return input_error(number);
    if (exists_without_end(path))
        return "No such file or directory; it exists without the blank or line end behind its name";
    if (strstr(path, "://"))
        return "No such file or directory; a URL is not fetched: download the file first, as with "
               "\"curl -fLO\"";
    if (strpbrk(path, "*?["))
        return "No such file or directory; no shell has replaced the pattern (no file matches, or "
               "it stood in quotes): write the name of the file";
    if (isalpha((unsigned char)path[0]) && path[1] == ':')
        return "No such file or directory; this is a path of Windows, which WSL has below /mnt "
               "(C:\\dir\\file is /mnt/c/dir/file)";
    if (path[0] == '~')
        return "No such file or directory; no shell has replaced the ~ (none does in quotes or "
               "behind '='): write $HOME, or the path in full";
    if (strchr(path, '$'))
        return "No such file or directory; no shell has replaced the $ (none does in single "
               "quotes): write the path in full, or in double quotes on a command line";
    return input_error(number);
}
