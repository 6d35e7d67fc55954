/* library.c: loads a library, and looks up its functions. */
#include "base/library.h"

#include "base/error.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool are_all_linked(const struct library_function *functions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!functions[i].linked)
            return false;
    return true;
}

static void *open_first(const char *const *sonames)
{
    void *library = NULL;

    errno = 0;
    while (!library && *sonames)
        library = dlopen(*sonames++, RTLD_NOW | RTLD_LOCAL);
    return library;
}

/* Returns the errno of what this process lacks, or 0. libcurl and the libraries that it needs take
 * some 16 MiB of address space. */
static int find_lack(void)
{
    enum { PROBE = 32 << 20 };
    void *probe = mmap(NULL, PROBE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const int descriptor = open("/", O_PATH | O_CLOEXEC);
    const int lack = descriptor < 0 ? errno : 0;

    if (descriptor >= 0)
        close(descriptor);
    if (probe == MAP_FAILED)
        return ENOMEM;
    munmap(probe, PROBE);
    return lack;
}

/* Returns dlerror(), with the errno of what lacks. dlopen() leaves none if a library cannot be
 * opened or mapped, nor if there is no such library, so what is scarce is the reason. */
static const char *explain_failure(void)
{
    const int lack = errno == 0 ? find_lack() : errno;
    const char *text = dlerror();

    errno = lack;
    return text;
}

const char *library_load(void *members, const struct library_function *functions, size_t count,
                         const char *const *sonames)
{
    void *library = NULL;
    if (!are_all_linked(functions, count) && !(library = open_first(sonames)))
        return explain_failure();

    for (size_t i = 0; i < count; i++) {
        char *member = (char *)members + functions[i].offset;
        if (functions[i].linked) {
            memcpy(member, &functions[i].linked, sizeof functions[i].linked);
            continue;
        }

        void *function = dlsym(library, functions[i].name);
        if (!function)
            return dlerror();

        /* ISO C has no cast from an object pointer to a function pointer, but POSIX gives both the
         * same representation. */
        memcpy(member, &function, sizeof function);
    }
    return NULL;
}

enum ota_error library_fail(struct ota_failure *failure, const char *what, const char *reason)
{
    ota_fail_errno(failure, OTA_E_INTERNAL, errno, "%s: %s", what, reason);
    if (failure->cause == OTA_CAUSE_NONE)
        failure->cause = OTA_CAUSE_NO_LIBRARY;
    return failure->error;
}
