/*
 * image.c: reads the firmware file into memory, once, and digests and inspects it. A FIFO or a
 * device is rejected at once; only standard input is waited for (input.h).
 */
#include "image/image.h"

#include "base/beneath.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/origin.h"
#include "base/owner.h"
#include "image/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    SHOWN_MAX = 512,          /* for the path in a message: cut, so that the reason still fits */
    STREAM_START = 64 * 1024, /* first buffer for standard input */
};

struct file_status {
    struct stat stat;
    enum writers writers; /* besides its owner */
};

static char *signed_path(const char *path)
{
    size_t size = strlen(path) + sizeof ".signed";
    char *result = malloc(size);

    if (result)
        snprintf(result, size, "%s.signed", path);
    return result;
}

static const char *describe_mode(mode_t mode)
{
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

/* Rejects a path.signed that is not a file: to send path instead would be a guess. */
static enum ota_error check_signed_path(const char *path, struct ota_failure *failure)
{
    char shown[SHOWN_MAX];
    struct stat status;
    int reason = stat(path, &status) == 0 ? 0 : errno;

    if (reason == 0 && S_ISREG(status.st_mode))
        return OTA_OK;

    return ota_fail_errno(failure, OTA_E_IMAGE, reason,
                          "%s cannot be sent in place of the unsigned file: %s%s; remove it",
                          escape_string(shown, sizeof shown, path), reason ? "" : "it is ",
                          reason == ENOENT ? "it is a link to a missing file"
                          : reason         ? strerror(reason)
                                           : describe_mode(status.st_mode));
}

/* Chooses the file to read. As in espota.py, path.signed counts even if path does not exist. */
static enum ota_error choose_path(struct image *image, const char *path, bool may_be_signed,
                                  struct ota_failure *failure)
{
    struct stat status;
    char shown[SHOWN_MAX];

    image->path = signed_path(path);
    if (!image->path)
        return ota_fail_no_memory(failure);

    image->is_signed = may_be_signed && lstat(image->path, &status) == 0;
    if (image->is_signed)
        return check_signed_path(image->path, failure);
    if (may_be_signed && errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG)
        return ota_fail_errno(failure, OTA_E_IMAGE, errno,
                              "cannot look for %s, which would be sent in place of the unsigned "
                              "file: %s",
                              escape_string(shown, sizeof shown, image->path), strerror(errno));

    image->path[strlen(path)] = '\0';
    return OTA_OK;
}

static enum ota_error check_minimum(uintmax_t size, const char *shown, struct ota_failure *failure)
{
    if (size == 0)
        return ota_fail(failure, OTA_E_IMAGE, "%s is empty", shown);

    if (size < IMAGE_SIZE_MIN)
        return ota_fail(
            failure, OTA_E_IMAGE,
            "%s has only %ju bytes: no firmware image is shorter than %d bytes, and boards "
            "can crash on one that is",
            shown, size, IMAGE_SIZE_MIN);
    return OTA_OK;
}

static enum ota_error check_type(mode_t mode, const char *shown, struct ota_failure *failure)
{
    if (S_ISREG(mode))
        return OTA_OK;
    return ota_fail(failure, OTA_E_IMAGE, "%s is %s, not a firmware image%s", shown,
                    describe_mode(mode),
                    S_ISFIFO(mode) ? "; -f - reads one from standard input" : "");
}

static enum ota_error check_file(const struct stat *status, size_t limit, const char *shown,
                                 struct ota_failure *failure)
{
    uintmax_t size = (uintmax_t)status->st_size;

    if (check_type(status->st_mode, shown, failure) != OTA_OK)
        return failure->error;
    if (check_minimum(size, shown, failure) != OTA_OK)
        return failure->error;
    if (size > limit)
        return ota_fail(
            failure, OTA_E_IMAGE,
            "%s has %ju bytes, which is over the limit of %zu bytes (--max-size raises it)", shown,
            size, limit);
    return OTA_OK;
}

/* If a build rewrites the file while it is read, the result is half old and half new. */
static bool has_changed(int fd, const struct stat *before)
{
    struct stat after;

    return fstat(fd, &after) != 0 || after.st_size != before->st_size ||
           after.st_mtim.tv_sec != before->st_mtim.tv_sec ||
           after.st_mtim.tv_nsec != before->st_mtim.tv_nsec;
}

/* Allocates memory with its pages in place. Faulting pages in one by one during read() is up to
 * three times slower, worst of all in virtual machines. If madvise() fails, that is accepted. */
static unsigned char *allocate_pages(size_t size)
{
    void *memory;

    if (posix_memalign(&memory, (size_t)sysconf(_SC_PAGESIZE), size) != 0)
        return NULL;
    madvise(memory, size, MADV_POPULATE_WRITE);
    return memory;
}

/* Returns the whole content of the file, which the caller frees; NULL, with *failure filled in, on
 * an error. shown is the path, for messages. */
static unsigned char *read_file(int fd, struct stat *status, size_t limit, const char *shown,
                                struct ota_failure *failure)
{
    if (fstat(fd, status) != 0) {
        ota_fail_errno(failure, OTA_E_IMAGE, errno, "cannot examine %s: %s", shown,
                       strerror(errno));
        return NULL;
    }
    if (check_file(status, limit, shown, failure) != OTA_OK)
        return NULL;

    /* One byte more than the file has: if read() fills it, the file has grown. */
    size_t size = (size_t)status->st_size;
    unsigned char *data = allocate_pages(size + 1);
    if (!data) {
        ota_fail_errno(failure, OTA_E_INTERNAL, ENOMEM, "out of memory for the %zu bytes of %s",
                       size, shown);
        return NULL;
    }

    ssize_t count = input_read_all(fd, data, size + 1);
    if (count < 0)
        ota_fail_errno(failure, OTA_E_IMAGE, errno, "cannot read %s: %s", shown,
                       input_error(errno));
    else if ((size_t)count != size || has_changed(fd, status))
        ota_fail(failure, OTA_E_IMAGE,
                 "%s changed while it was being read: wait until the build has finished", shown);
    else
        return data;

    free(data);
    return NULL;
}

/* -- standard input -- */

/* Reads standard input to its end into *data, which grows as needed, up to one byte over limit. */
static enum ota_error fill_from_stream(unsigned char **data, size_t *size, size_t limit,
                                       struct ota_failure *failure)
{
    for (size_t capacity = STREAM_START;; capacity *= 2) {
        if (capacity > limit)
            capacity = limit + 1;

        unsigned char *grown = realloc(*data, capacity);
        if (!grown)
            return ota_fail_errno(failure, OTA_E_INTERNAL, ENOMEM,
                                  "out of memory for the image from standard input");
        *data = grown;

        ssize_t count = input_read_all(STDIN_FILENO, grown + *size, capacity - *size);
        if (count < 0)
            return ota_fail_errno(failure, OTA_E_IMAGE, errno, "cannot read standard input: %s",
                                  input_error(errno));

        *size += (size_t)count;
        if (*size > limit)
            return ota_fail(
                failure, OTA_E_IMAGE,
                "standard input has more than the limit of %zu bytes (--max-size raises "
                "it)",
                limit);
        if (*size < capacity)
            return check_minimum(*size, "standard input", failure);
    }
}

static enum ota_error load_stream(struct image *image, size_t limit, struct ota_failure *failure)
{
    image->path = strdup("-");
    if (!image->path)
        return ota_fail_no_memory(failure);
    return fill_from_stream(&image->data, &image->size, limit, failure);
}

/* A damaged image has a family, too, as --force may send it. */
static enum image_family family_of_image(const struct inspection *inspection)
{
    bool is_packed = inspection->format == INSPECT_GZIP;

    switch (is_packed ? inspection->inner : inspection->format) {
    case INSPECT_ESP8266:
        return IMAGE_ESP8266;
    case INSPECT_ESP32_APPLICATION:
    case INSPECT_ESP32_FACTORY:
    case INSPECT_ESP32_BOOT_LOADER:
    case INSPECT_ESP32_PARTITION_TABLE:
    case INSPECT_FAT:
        return IMAGE_ESP32;
    case INSPECT_PICO:
        return IMAGE_PICO;
    default:
        return IMAGE_UNKNOWN;
    }
}

/* Opens nothing but a file: opening alone has effects on some devices, and whoever writes to a FIFO
 * would lose what he wrote. Returns -1 and fills in failure. If there is no file, only is_missing
 * is set instead; if that is NULL, it is a failure, too. */
static int open_file(const char *path, const char *shown, bool *is_missing,
                     struct ota_failure *failure)
{
    struct stat status;

    if (input_is_closed(path)) {
        ota_fail_errno(failure, OTA_E_IMAGE, EBADF, "cannot open %s: %s", shown,
                       input_open_error(path, EBADF));
        return -1;
    }
    if (stat(path, &status) == 0 && check_type(status.st_mode, shown, failure) != OTA_OK)
        return -1;

    int fd = beneath_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT && is_missing)
        *is_missing = true;
    else if (fd < 0)
        ota_fail_errno(failure, OTA_E_IMAGE, errno, "cannot open %s: %s", shown,
                       input_open_error(path, errno));
    return fd;
}

/* -- NAME.signed in place of NAME -- */

/* Rejects a NAME.signed that other users could have written, as it would be sent instead of NAME.
 * plain: the status of NAME; NULL: there is no NAME. */
static enum ota_error check_owner(const struct file_status *file, const struct stat *plain,
                                  const char *shown, struct ota_failure *failure)
{
    const struct stat *status = &file->stat;
    uid_t owner = plain ? plain->st_uid : geteuid();

    if (!owner_is_known(status->st_uid))
        return ota_fail(
            failure, OTA_E_IMAGE,
            "%s is not sent in place of the unsigned file: it belongs to user %ju, as the files of "
            "all users do whom this user namespace does not know; remove it, or send it with -f %s",
            shown, (uintmax_t)status->st_uid, shown);
    if (!owner_is(status->st_uid, owner) && !owner_is(status->st_uid, 0))
        return ota_fail(
            failure, OTA_E_IMAGE,
            "%s is not sent in place of the unsigned file: it belongs to user %ju, not to "
            "%ju; remove it, or send it with -f %s",
            shown, (uintmax_t)status->st_uid, (uintmax_t)owner, shown);
    if (file->writers == WRITERS_ALL)
        return ota_fail(
            failure, OTA_E_IMAGE,
            "%s is not sent in place of the unsigned file: every user of this computer may "
            "change it; chmod o-w it, or send it with -f %s",
            shown, shown);
    if (file->writers == WRITERS_LISTED)
        return ota_fail(failure, OTA_E_IMAGE,
                        "%s is not sent in place of the unsigned file: its access control list "
                        "lets others change it; setfacl -b it, or send it with -f %s",
                        shown, shown);
    if (file->writers == WRITERS_GROUP)
        return ota_fail(failure, OTA_E_IMAGE,
                        "%s is not sent in place of the unsigned file: the users of group %ju may "
                        "change it; chmod g-w it, or send it with -f %s",
                        shown, (uintmax_t)status->st_gid, shown);
    return OTA_OK;
}

static const char *format_time(char *text, size_t capacity, time_t time)
{
    struct tm parts;

    if (localtime_r(&time, &parts) == NULL || strftime(text, capacity, "%F %T", &parts) == 0)
        snprintf(text, capacity, "at %jd", (intmax_t)time);
    return text;
}

/* Rejects a NAME.signed to which a link of another user leads, which would choose what is sent. */
static enum ota_error check_link(const char *path, const struct stat *status,
                                 const struct stat *plain, const char *shown,
                                 struct ota_failure *failure)
{
    const char *slash = strrchr(path, '/');
    const struct origin origin = {
        .path = path,
        .given = slash ? (size_t)(slash - path) + 1 : 0,
        .owner = plain ? plain->st_uid : geteuid(),
        .may_be_in_any_folder = true,
    };
    char why[ORIGIN_TEXT_MAX];

    if (origin_is_clear(&origin, status, why))
        return OTA_OK;
    return ota_fail_errno(failure, OTA_E_IMAGE, errno,
                          "%s is not sent in place of the unsigned file: %s; remove it, or send it "
                          "with -f %s",
                          shown, why, shown);
}

/* NAME.signed: the file, and the link to it if it is one. */
static enum ota_error check_origin(const struct image *image, const struct file_status *file,
                                   const struct stat *plain, struct ota_failure *failure)
{
    char shown[SHOWN_MAX];

    input_show(shown, sizeof shown, image->path);
    if (check_owner(file, plain, shown, failure) != OTA_OK)
        return failure->error;
    return check_link(image->path, &file->stat, plain, shown, failure);
}

/* Examines NAME.signed without NAME: its own format must show where the signature begins. */
static void examine_alone(struct image *image)
{
    if (!inspect_is_signed(&image->inspection, image->data, image->size))
        snprintf(
            image->flaw, sizeof image->flaw,
            "should not be sent: it does not end in a signature as its name says; sign it again");
}

/* Compares NAME.signed with NAME, whose path, bytes and status these are: path, data, plain.
 * Returns false if memory runs out. */
static bool examine_beside(struct image *image, const struct stat *status, const char *path,
                           const unsigned char *data, const struct stat *plain)
{
    char shown[IMAGE_FLAW_MAX / 2], time[32], plain_time[32];
    size_t size = (size_t)plain->st_size;
    ssize_t end = image->size >= size && memcmp(image->data, data, size) == 0
                      ? (ssize_t)size
                      : gzip_matches(image->data, image->size, data, size);
    bool is_older = status->st_mtime < plain->st_mtime;
    if (end < 0)
        return false;

    const char *flaw =
        end == 0 ? "does not begin with the bytes of that file"
        : inspect_signature_at(image->data, image->size, (size_t)end) == INSPECT_NO_TRAILER
            ? "has no signature behind the bytes of that file"
            : NULL;

    escape_string(shown, sizeof shown, path);
    format_time(time, sizeof time, status->st_mtime);
    format_time(plain_time, sizeof plain_time, plain->st_mtime);
    if (is_older)
        snprintf(image->flaw, sizeof image->flaw,
                 "should not be sent: it is older (%s) than %s (%s)%s%s; sign it again", time,
                 shown, plain_time, flaw ? " and " : "", flaw ? flaw : "");
    else if (flaw)
        snprintf(image->flaw, sizeof image->flaw,
                 "should not be sent: it should be %s with a signature, but %s; sign it again",
                 shown, flaw);
    return true;
}

/* file: NAME.signed; path: NAME. */
static enum ota_error examine_signed(struct image *image, const struct file_status *file,
                                     const char *path, size_t limit, struct ota_failure *failure)
{
    char shown[SHOWN_MAX];
    bool is_missing = false;
    int fd = open_file(path, escape_string(shown, sizeof shown, path), &is_missing, failure);

    if (is_missing) {
        examine_alone(image);
        return check_origin(image, file, NULL, failure);
    }
    if (fd < 0)
        return failure->error;

    struct stat plain;
    unsigned char *data = read_file(fd, &plain, limit, shown, failure);
    close(fd);
    if (!data)
        return failure->error;

    const bool is_examined = examine_beside(image, &file->stat, path, data, &plain);
    free(data);
    if (!is_examined)
        return ota_fail_no_memory(failure);
    return check_origin(image, file, &plain, failure);
}

/* Reads NAME or NAME.signed; *file becomes the status of this file. */
static enum ota_error load_file(struct image *image, struct file_status *file, const char *path,
                                bool may_be_signed, size_t limit, struct ota_failure *failure)
{
    if (*path == '\0')
        return ota_fail(failure, OTA_E_IMAGE, "the name of the image file is empty");
    if (choose_path(image, path, may_be_signed, failure) != OTA_OK)
        return failure->error;

    char shown[SHOWN_MAX];
    input_show(shown, sizeof shown, image->path);
    int fd = open_file(image->path, shown, NULL, failure);
    if (fd < 0)
        return failure->error;

    image->data = read_file(fd, &file->stat, limit, shown, failure);
    if (image->data)
        file->writers = owner_writers(fd, &file->stat, file->stat.st_uid);
    close(fd);
    if (!image->data)
        return failure->error;
    image->size = (size_t)file->stat.st_size;
    return OTA_OK;
}

enum ota_error image_inspect(struct inspection *inspection, const struct image *image,
                             struct ota_failure *failure)
{
    char shown[SHOWN_MAX];

    inspect_image(inspection, image->data, image->size);
    if (!inspection->trouble)
        return OTA_OK;
    return ota_fail_errno(failure, OTA_E_INTERNAL, inspection->trouble, "cannot examine %s: %s",
                          input_show(shown, sizeof shown, image->path), inspection->evidence);
}

static enum ota_error load_contents(struct image *image, const char *path, bool may_be_signed,
                                    size_t limit, struct ota_failure *failure)
{
    char shown[SHOWN_MAX];
    struct file_status file = {0};
    enum ota_error error = input_is_standard(path)
                               ? load_stream(image, limit, failure)
                               : load_file(image, &file, path, may_be_signed, limit, failure);

    if (error != OTA_OK)
        return error;

    image->file_size = image->size;
    if (image_inspect(&image->inspection, image, failure) != OTA_OK)
        return failure->error;
    if (image->is_signed && examine_signed(image, &file, path, limit, failure) != OTA_OK)
        return failure->error;

    image->family = family_of_image(&image->inspection);
    if (digest_md5(image->md5, image->data, image->size) != 0)
        return ota_fail_errno(failure, OTA_E_INTERNAL, digest_errno(),
                              "cannot compute the MD5 of %s: %s",
                              input_show(shown, sizeof shown, image->path), digest_error());
    return OTA_OK;
}

enum ota_error image_load(struct image **image, const char *path, bool may_be_signed, size_t limit,
                          struct ota_failure *failure)
{
    *image = NULL;
    struct image *loaded = calloc(1, sizeof *loaded);
    if (!loaded)
        return ota_fail_no_memory(failure);

    if (load_contents(loaded, path, may_be_signed, limit, failure) != OTA_OK) {
        image_free(loaded);
        return failure->error;
    }

    *image = loaded;
    return OTA_OK;
}

bool image_is_compressed(const struct image *image)
{
    return image->plain || image->inspection.format == INSPECT_GZIP;
}

enum ota_error image_add_sha256(struct image *image, struct ota_failure *failure)
{
    char shown[SHOWN_MAX];

    if (digest_sha256(image->sha256, image->data, image->size) == 0)
        return OTA_OK;
    return ota_fail_errno(failure, OTA_E_INTERNAL, digest_errno(),
                          "cannot compute the SHA-256 of %s: %s",
                          input_show(shown, sizeof shown, image->path), digest_error());
}

void image_free(struct image *image)
{
    while (image) {
        struct image *next = image->plain;

        /* Free for_esp32 and its own images first, then the rest of this image's. */
        if (image->for_esp32) {
            struct image *last = image->for_esp32;

            while (last->plain)
                last = last->plain;
            last->plain = next;
            next = image->for_esp32;
        }

        free(image->path);
        free(image->data);
        free(image);
        image = next;
    }
}
