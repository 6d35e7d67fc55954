/* library.c: loads a library, and looks up its functions. */
#include "base/library.h"

#include "base/error.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

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

    while (!library && *sonames)
        library = dlopen(*sonames++, RTLD_NOW | RTLD_LOCAL);
    return library;
}

const char *library_load(void *members, const struct library_function *functions, size_t count,
                         const char *const *sonames)
{
    void *library = NULL;
    if (!are_all_linked(functions, count) && !(library = open_first(sonames)))
        return dlerror();

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

/* dlopen() leaves the errno of the file that it could not open. */
enum ota_error library_fail(struct ota_failure *failure, const char *what, const char *reason)
{
    ota_fail_errno(failure, OTA_E_INTERNAL, errno, "%s: %s", what, reason);
    if (failure->cause == OTA_CAUSE_NONE)
        failure->cause = OTA_CAUSE_NO_LIBRARY;
    return failure->error;
}
