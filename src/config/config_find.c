/*
 * config_find.c: finds and opens the configuration files. Only files of this user or of root that
 * nobody else can write are read. What lies beside a project may have come with it, so it must be
 * this user's, and cannot name files outside of its folder.
 */
#include "config/config_find.h"

#include "base/beneath.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/origin.h"
#include "base/owner.h"
#include "base/same_file.h"
#include "config/config_text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN_LENGTH = 512, REASON_MAX = 320 };

static const char PROJECT_NAME[] = ".esp-ota";
static const char SYSTEM_PATH[] = "/etc/esp-ota.conf";

int config_file_set(struct config_file *file, const char *path)
{
    char shown[SHOWN_LENGTH];
    const char *slash = strrchr(path, '/');

    file->path = strdup(path);
    file->folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("./");
    file->shown = strdup(escape_string(shown, sizeof shown, path));
    return file->path && file->folder && file->shown ? 0 : -1;
}

void config_file_free(struct config_file *file)
{
    free(file->path);
    free(file->folder);
    free(file->shown);
    *file = (struct config_file){0};
}

/* -- trust -- */

static bool belongs_to_us(const struct stat *status, bool may_be_roots)
{
    return owner_is(status->st_uid, geteuid()) || (may_be_roots && owner_is(status->st_uid, 0));
}

const char *config_distrust(int fd, const struct stat *status, bool may_be_roots)
{
    if (S_ISLNK(status->st_mode))
        return "it is a symbolic link";
    if (!S_ISREG(status->st_mode))
        return "it is not a regular file";
    if (!owner_is_known(status->st_uid))
        return "it belongs to a user whom this user namespace does not know";
    if (!belongs_to_us(status, may_be_roots))
        return "it belongs to another user";
    if (owner_writers(fd, status, geteuid()) != WRITERS_NONE)
        return "other users can write it (chmod go-w makes it yours alone)";
    return NULL;
}

static bool is_of_another(const struct config_file *file, const struct stat *status)
{
    return S_ISREG(status->st_mode) && !belongs_to_us(status, !file->is_project);
}

/* Whether sudo was called by the user with this ID, in digits. */
static bool has_called_sudo(const char *id)
{
    const char *caller = getenv("SUDO_UID");

    return caller && strcmp(caller, id) == 0;
}

/* What to do about the file of another user. */
static const char *suggest_owner(const struct config_file *file, bool is_sudo)
{
    if (file->is_project)
        return "";
    if (strcmp(file->path, SYSTEM_PATH) == 0)
        return "give it to root, or ";
    return is_sudo ? "sudo -H reads root's, or " : "set HOME to your own folder, or ";
}

/* Why the file is not read, and what to do about it. Returns text. */
static const char *explain(char text[REASON_MAX], const struct config_file *file,
                           const struct stat *status, const char *why)
{
    const bool is_readable = S_ISREG(status->st_mode) || S_ISLNK(status->st_mode);
    char id[24];

    snprintf(id, sizeof id, "%ju", (uintmax_t)status->st_uid); /* a name could take a lookup */
    const bool is_sudo = has_called_sudo(id);
    if (is_of_another(file, status))
        snprintf(text, REASON_MAX,
                 "%s (ID %s%s); %slook at what it says and then read it with --config FILE", why,
                 id, is_sudo ? ", who called sudo" : "", suggest_owner(file, is_sudo));
    else
        snprintf(text, REASON_MAX, "%s%s", why,
                 is_readable ? "; --config reads it nevertheless" : "");
    return text;
}

/* -1: out of memory. */
static int note_distrust(struct strings *notes, const struct config_file *file,
                         const struct stat *status, const char *why)
{
    char reason[REASON_MAX], note[SHOWN_LENGTH + REASON_MAX + 32];

    snprintf(note, sizeof note, "%s is not read: %s", file->shown,
             explain(reason, file, status, why));
    char *copy = strdup(note);
    if (copy && strings_add(notes, copy) == 0)
        return 0;
    free(copy);
    return -1;
}

/* -- places -- */

/* NULL unless it is an absolute path. */
static const char *absolute_variable(const char *value)
{
    return value && *value == '/' ? value : NULL;
}

static bool join(char path[PATH_MAX], const char *folder, const char *name)
{
    const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";

    return snprintf(path, PATH_MAX, "%s%s%s", folder, slash, name) < PATH_MAX;
}

/* Whether no folder above this one belongs to the project. */
static bool is_top(const char *folder, const struct stat *home)
{
    char git[PATH_MAX];
    struct stat status;

    if (strcmp(folder, "/") == 0 || !join(git, folder, ".git") || lstat(git, &status) == 0)
        return true;
    return home && stat(folder, &status) == 0 && same_file(&status, home);
}

/* Stores the path of the next file beside or above the current folder. */
static bool find_project(char path[PATH_MAX])
{
    const char *home = absolute_variable(getenv("HOME"));
    struct stat home_status, status;
    bool has_home = home && stat(home, &home_status) == 0;
    char folder[PATH_MAX];

    if (!getcwd(folder, sizeof folder) || *folder != '/')
        return false;
    for (;;) {
        if (join(path, folder, PROJECT_NAME) && lstat(path, &status) == 0)
            return true;
        if (is_top(folder, has_home ? &home_status : NULL))
            return false;
        char *slash = strrchr(folder, '/');
        slash[slash == folder] = '\0';
    }
}

/* $XDG_CONFIG_HOME/esp-ota/config, else ~/.config/esp-ota/config. Returns the length of the
 * variable's value; 0: there is no such path. */
static size_t find_user(char path[PATH_MAX])
{
    const char *base = absolute_variable(getenv("XDG_CONFIG_HOME"));
    const char *file = base ? "esp-ota/config" : ".config/esp-ota/config";

    base = base ? base : absolute_variable(getenv("HOME"));
    return base && join(path, base, file) ? strlen(base) : 0;
}

static bool exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && !input_is_null_device(path);
}

/* Why the file of a project is not read, with its status; NULL: it can be. */
static const char *distrust_project(const char *path, struct stat *status)
{
    const int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    const char *why =
        fd >= 0 && fstat(fd, status) == 0 ? config_distrust(fd, status, false) : strerror(errno);

    if (fd >= 0)
        close(fd);
    return why;
}

int config_find(struct config_file files[CONFIG_FILES_MAX], struct strings *notes)
{
    char path[PATH_MAX];
    struct stat status = {0};
    int count = 0;

    if (find_project(path) && !input_is_null_device(path)) {
        const char *why = distrust_project(path, &status);
        struct config_file *file = &files[count++];

        file->is_project = true;
        if (config_file_set(file, path) < 0 ||
            (why && note_distrust(notes, file, &status, why) < 0))
            return -1;
        if (why)
            config_file_free(&files[--count]);
    }
    /* A folder that cannot be searched, such as another user's home, counts as one without it. */
    files[count].given = find_user(path);
    if (files[count].given && exists(path) && config_file_set(&files[count++], path) < 0)
        return -1;
    files[count].given = strlen("/etc");
    if (exists(SYSTEM_PATH) && config_file_set(&files[count++], SYSTEM_PATH) < 0)
        return -1;
    return count;
}

/* -- reading -- */

/* Of the file of the user or of the system. */
static enum ota_error check_origin(const struct config_file *file, const struct stat *status,
                                   struct ota_failure *failure)
{
    const struct origin origin = {.path = file->path, .given = file->given, .owner = geteuid()};
    char why[ORIGIN_TEXT_MAX];

    if (origin_is_clear(&origin, status, why))
        return OTA_OK;
    const int reason = errno;
    return ota_fail_errno(failure, OTA_E_USAGE, reason, "cannot read the configuration %s: %s%s",
                          file->shown, why, reason ? "" : "; --config reads it nevertheless");
}

static enum ota_error check_open_file(const struct config_file *file, int fd,
                                      struct ota_failure *failure)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot read the configuration %s: %s",
                              file->shown, strerror(errno));
    const char *why = config_distrust(fd, &status, !file->is_project);
    char reason[REASON_MAX];
    if (why)
        return ota_fail(failure, OTA_E_USAGE, "cannot read the configuration %s: %s", file->shown,
                        explain(reason, file, &status, why));
    return file->is_project ? OTA_OK : check_origin(file, &status, failure);
}

static enum ota_error read_text(const struct config_file *file, int fd, char **text, size_t *length,
                                struct ota_failure *failure)
{
    *text = malloc(CONFIG_SIZE_MAX + 1);
    if (!*text)
        return ota_fail_no_memory(failure);

    ssize_t got = input_read_all(fd, *text, CONFIG_SIZE_MAX + 1);
    if (got < 0)
        return ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot read the configuration %s: %s",
                              file->shown, input_error(errno));
    if (got > CONFIG_SIZE_MAX)
        return ota_fail(failure, OTA_E_USAGE,
                        "%s is longer than %d MiB, too long for a configuration", file->shown,
                        CONFIG_SIZE_MAX / MIB);
    *length = (size_t)got;
    return OTA_OK;
}

enum ota_error config_file_read(const struct config_file *file, bool is_named, char **text,
                                size_t *length, struct ota_failure *failure)
{
    const int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW;
    int fd = file->is_project ? open(file->path, flags) : input_open(file->path);

    *text = NULL;
    if (fd < 0)
        return ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot open the configuration %s: %s",
                              file->shown, input_open_error(file->path, errno));
    enum ota_error error = is_named ? OTA_OK : check_open_file(file, fd, failure);
    if (error == OTA_OK)
        error = read_text(file, fd, text, length, failure);
    close(fd);
    if (error != OTA_OK) {
        free(*text);
        *text = NULL;
    }
    return error;
}

/* -- paths in them -- */

static enum ota_error fail_outside(struct ota_failure *failure)
{
    return ota_fail(failure, OTA_E_USAGE,
                    "is not in the folder of this project file, or below it; only your own "
                    "configuration, or one behind --config, can name it");
}

/* From now on the path opens only beneath the folder of the configuration. Fails if it already
 * leads out of it; a missing file is no failure. The message of OTA_E_USAGE is the end of a
 * sentence. No message has the path, as it may be a password in the place of its file. */
static enum ota_error confine_path(const struct config_file *file, const char *path,
                                   struct ota_failure *failure)
{
    if (beneath_add(path, file->folder) < 0)
        return ota_fail_no_memory(failure);

    const int fd = beneath_open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 && errno == EXDEV)
        return fail_outside(failure);
    if (fd < 0 && error_is_local(errno))
        return ota_fail_errno(failure, OTA_E_INTERNAL, errno,
                              "cannot open a file that the configuration %s names: %s", file->shown,
                              strerror(errno));
    if (fd < 0 && errno != ENOENT)
        return ota_fail(failure, OTA_E_USAGE, "cannot be opened: %s", input_error(errno));
    if (fd >= 0)
        close(fd);
    return OTA_OK;
}

/* Confines what a project file names, and also FILE.signed, which is sent instead of an image if it
 * exists. */
static enum ota_error confine(const struct config_file *file, const char *path, const char *value,
                              struct ota_failure *failure)
{
    char companion[PATH_MAX];

    if (*value == '/' || *value == '~' || strstr(value, "..") ||
        snprintf(companion, sizeof companion, "%s.signed", path) >= PATH_MAX)
        return fail_outside(failure);
    if (confine_path(file, path, failure) != OTA_OK)
        return failure->error;
    return confine_path(file, companion, failure);
}

char *config_file_resolve(const struct config_file *file, const char *value,
                          struct ota_failure *failure)
{
    char path[PATH_MAX];
    const char *home = absolute_variable(getenv("HOME"));
    bool fits;

    if (*value == '/')
        fits = snprintf(path, sizeof path, "%s", value) < PATH_MAX;
    else if (strncmp(value, "~/", 2) == 0 && home)
        fits = join(path, home, value + 2);
    else
        fits = join(path, strcmp(file->folder, "./") == 0 ? "." : file->folder, value);
    if (!fits) {
        ota_fail(failure, OTA_E_USAGE, "is too long for a path");
        return NULL;
    }
    if (file->is_project && confine(file, path, value, failure) != OTA_OK)
        return NULL;

    char *copy = strdup(path);
    if (!copy)
        ota_fail_no_memory(failure);
    return copy;
}
