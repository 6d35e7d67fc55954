/*
 * test-image.c: the choice of the file, rejected files, and files that change while they are read.
 * The linker wraps read(), fstat() and the allocating functions, so that they can misbehave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/gzip.h"
#include "image/image.h"

#include "base/acl.h"
#include "support/files.h"
#include "support/samples.h"
#include "support/vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* The behaviour of the next read(). */
enum mishap { NONE, GROW, SHRINK, REWRITE, EARLY_END, TRICKLE, READ_ERROR };
static struct {
    enum mishap mishap;
    size_t reads, opened;
    int allocations_left;      /* -1: no limit */
    const uid_t *signed_owner; /* pretended owner of fw.bin.signed; NULL: the real one */
    const gid_t *signed_group; /* pretended group of fw.bin.signed; NULL: the real one */
    bool has_acl;              /* their access control lists let others write */
    const char *refused_hash;  /* only a FIPS provider may have it; NULL: none */
} wrapped = {.allocations_left = -1};

static char directory[] = "/tmp/esp-ota-test-image-XXXXXX";
static char path[64];
static unsigned char pattern[4096];

ssize_t __real_read(int fd, void *target, size_t size);
ssize_t __wrap_read(int fd, void *target, size_t size);
enum acl_grant __wrap_acl_grant(int fd, unsigned permission, uid_t user);
int __real_fstat(int fd, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
int __real_beneath_open(const char *name, int flags);
int __wrap_beneath_open(const char *name, int flags);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_inflateInit2_(z_stream *stream, int bits, const char *version, int size);
int __wrap_inflateInit2_(z_stream *stream, int bits, const char *version, int size);
EVP_MD *__real_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *algorithm, const char *properties);
EVP_MD *__wrap_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *algorithm, const char *properties);

EVP_MD *__wrap_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *algorithm, const char *properties)
{
    const bool is_refused = wrapped.refused_hash && strcmp(algorithm, wrapped.refused_hash) == 0;

    return __real_EVP_MD_fetch(context, algorithm, is_refused ? "fips=yes" : properties);
}

static void write_at(off_t offset, const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, size, offset), size);
    close(fd);
}

ssize_t __wrap_read(int fd, void *target, size_t size)
{
    size_t number = wrapped.reads++;

    switch (wrapped.mishap) {
    case GROW:
        if (number == 0)
            write_at(sizeof pattern, "x", 1);
        break;
    case SHRINK:
        if (number == 0)
            assert_int_equal(truncate(path, sizeof pattern - 1), 0);
        break;
    case REWRITE:
        if (number == 0)
            write_at(0, "y", 1);
        break;
    case EARLY_END:
        return 0;
    case TRICKLE:
        if (number % 2 == 0) {
            errno = EINTR;
            return -1;
        }
        return __real_read(fd, target, size < 100 ? size : 100);
    case READ_ERROR:
        errno = EIO;
        return -1;
    case NONE:
        break;
    }
    return __real_read(fd, target, size);
}

int __wrap_beneath_open(const char *name, int flags)
{
    wrapped.opened++;
    return __real_beneath_open(name, flags);
}

static int may_allocate(void)
{
    return wrapped.allocations_left < 0 || wrapped.allocations_left-- > 0;
}

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    return may_allocate() ? __real_posix_memalign(memory, alignment, size) : ENOMEM;
}

void *__wrap_realloc(void *memory, size_t size)
{
    return may_allocate() ? __real_realloc(memory, size) : NULL;
}

char *__wrap_strdup(const char *text)
{
    return may_allocate() ? __real_strdup(text) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

int __wrap_inflateInit2_(z_stream *stream, int bits, const char *version, int size)
{
    return may_allocate() ? __real_inflateInit2_(stream, bits, version, size) : Z_MEM_ERROR;
}

static const char *beside(const char *suffix)
{
    static char name[96];

    snprintf(name, sizeof name, "%s%s", path, suffix);
    return name;
}

enum acl_grant __wrap_acl_grant(int fd, unsigned permission, uid_t user)
{
    (void)fd;
    (void)user;
    assert_int_equal(permission, ACL_WRITE);
    return wrapped.has_acl ? ACL_GRANTS_OTHERS : ACL_GRANTS_GROUP;
}

int __wrap_fstat(int fd, struct stat *status)
{
    struct stat found;
    int result = __real_fstat(fd, status);

    if (result == 0 && stat(beside(".signed"), &found) == 0 && found.st_ino == status->st_ino) {
        if (wrapped.signed_owner)
            status->st_uid = *wrapped.signed_owner;
        if (wrapped.signed_group)
            status->st_gid = *wrapped.signed_group;
    }
    return result;
}

static int make_image_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL || chmod(directory, 0755) != 0)
        return -1;

    snprintf(path, sizeof path, "%s/fw.bin", directory);
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (unsigned char)(i * 7 + i / 256);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

static int set_up_image_folder(void **state)
{
    (void)state;
    wrapped.mishap = NONE;
    wrapped.reads = wrapped.opened = 0;
    wrapped.allocations_left = -1;
    wrapped.signed_owner = NULL;
    wrapped.signed_group = NULL;
    wrapped.has_acl = false;
    files_write(path, pattern, sizeof pattern);
    return 0;
}

static int tear_down_image_folder(void **state)
{
    (void)state;
    if (unlink(path) != 0)
        rmdir(path);
    if (unlink(beside(".signed")) != 0)
        rmdir(beside(".signed"));
    return 0;
}

static void expect_refusal(const char *name, size_t limit, enum ota_error error, const char *why)
{
    struct ota_failure failure = {.error = OTA_OK};
    struct image *image = (struct image *)&failure; /* anything but NULL */

    assert_int_equal(image_load(&image, name, true, limit, &failure), error);
    assert_int_equal(failure.error, error);
    assert_null(image);
    if (error == OTA_E_INTERNAL)
        assert_int_equal(failure.cause, OTA_CAUSE_OUT_OF_MEMORY);
    if (strstr(failure.message, why) == NULL)
        fail_msg("expected \"%s\", got \"%s\"", why, failure.message);
}

static struct image *load_image_file(const char *name)
{
    struct image *image = NULL;
    struct ota_failure failure = {.message = "none"};

    if (image_load(&image, name, true, IMAGE_SIZE_MAX, &failure) != OTA_OK)
        fail_msg("%s", failure.message);
    assert_string_equal(failure.message, "none"); /* a success leaves no failure behind */
    return image;
}

static void test_load_image(void **state)
{
    struct image *image = load_image_file(path);

    (void)state;
    assert_string_equal(image->path, path);
    assert_false(image->is_signed);
    assert_int_equal(image->size, sizeof pattern);
    assert_memory_equal(image->data, pattern, sizeof pattern);
    assert_int_equal(image->family, IMAGE_UNKNOWN);
    image_free(image);
    image_free(NULL);
}

/* A name that is too long with ".signed" behind it is none; any other error may hide a signed
 * file. */
static void test_signed_file_that_cannot_be_seen(void **state)
{
    char loop[128], name[512];

    (void)state;
    snprintf(loop, sizeof loop, "%s/loop", directory);
    snprintf(name, sizeof name, "%s/fw.bin", loop);
    assert_int_equal(symlink("loop", loop), 0);
    expect_refusal(name, IMAGE_SIZE_MAX, OTA_E_IMAGE, "/loop/fw.bin.signed, which would be sent");
    unlink(loop);

    snprintf(name, sizeof name, "%s/%0250d", directory, 0);
    files_write(name, pattern, sizeof pattern);
    image_free(load_image_file(name));
    unlink(name);
}

static int next_fd(void)
{
    int fd = dup(STDOUT_FILENO);

    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static void test_file_is_closed(void **state)
{
    int before = next_fd();

    (void)state;
    image_free(load_image_file(path));
    expect_refusal(path, 100, OTA_E_IMAGE, "over the limit");
    assert_int_equal(next_fd(), before);
}

static void test_digests(void **state)
{
    struct ota_failure failure;
    struct image *image;

    (void)state;
    files_write(path, "The quick brown fox jumps over the lazy dog", 43);
    image = load_image_file(path);
    assert_string_equal(image->md5, "9e107d9d372bb6826bd81d3542a419d6");
    assert_string_equal(image->sha256, "");
    assert_int_equal(image_add_sha256(image, &failure), OTA_OK);
    assert_string_equal(image->sha256,
                        "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592");
    image_free(image);
}

/* A signature in the form for ESP8266 and Pico W boards: bytes of 0xAA, then their number. */
static const unsigned char *signature(void)
{
    static unsigned char bytes[260];

    memset(bytes, 0xAA, sizeof bytes);
    memcpy(bytes + 256, (unsigned char[]){0, 1, 0, 0}, 4);
    return bytes;
}

/* Writes fw.bin.signed: size bytes of data, then signature_size bytes of a signature. */
static void write_signed(const void *data, size_t size, size_t signature_size)
{
    unsigned char content[sizeof pattern + 512];

    memset(content, 0xBB, sizeof content);
    memcpy(content, data, size);
    memcpy(content + size, signature(), signature_size < 260 ? signature_size : 260);
    files_write(beside(".signed"), content, size + signature_size);
}

static const unsigned char *random_bytes(void)
{
    static unsigned char bytes[512];
    unsigned seed = 1;

    for (size_t i = 0; i < sizeof bytes; i++) {
        seed = seed * 1103515245U + 12345U;
        bytes[i] = (unsigned char)(seed >> 16);
    }
    return bytes;
}

/* Writes fw.bin.signed: the bytes of fw.bin, then this signature. */
static void write_signed_with(const unsigned char *signature, size_t signature_size)
{
    unsigned char content[sizeof pattern + 512];

    memcpy(content, pattern, sizeof pattern);
    memcpy(content + sizeof pattern, signature, signature_size);
    files_write(beside(".signed"), content, sizeof pattern + signature_size);
}

static void expect_flaw(const char *flaw)
{
    struct image *image = load_image_file(path);

    assert_true(image->is_signed);

    if (*flaw ? strstr(image->flaw, flaw) == NULL : *image->flaw != '\0')
        fail_msg("expected the flaw \"%s\", got \"%s\"", flaw, image->flaw);
    image_free(image);
}

static void test_signed_file_is_preferred(void **state)
{
    struct image *image;

    (void)state;
    write_signed(pattern, sizeof pattern, 260);
    image = load_image_file(path);
    assert_true(image->is_signed);
    assert_string_equal(image->flaw, "");
    assert_string_equal(image->path, beside(".signed"));
    assert_int_equal(image->size, sizeof pattern + 260);
    image_free(image);

    /* espota.py sends it even if there is no unsigned file */
    assert_int_equal(unlink(path), 0);
    expect_flaw("");

    /* a bad one is reported, and the unsigned file is not sent in its place */
    files_write(path, pattern, sizeof pattern);
    files_write(beside(".signed"), "", 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "fw.bin.signed is empty");
}

static void test_signed_file_is_the_file_with_a_signature(void **state)
{
    unsigned char other[sizeof pattern];

    (void)state;
    memcpy(other, pattern, sizeof other);
    other[sizeof other - 1] ^= 1;
    write_signed(other, sizeof other, 260);
    expect_flaw("fw.bin with a signature, but does not begin with the bytes of that file");
    write_signed(pattern, sizeof pattern - 1, 260);
    expect_flaw("does not begin with the bytes");
    write_signed(pattern, 1000, 260);
    expect_flaw("does not begin with the bytes");
    write_signed(pattern, sizeof pattern, 0);
    expect_flaw("has no signature behind the bytes");
    write_signed(pattern, sizeof pattern, 259);
    expect_flaw("has no signature behind the bytes");
    write_signed(pattern, sizeof pattern, 261);
    expect_flaw("has no signature behind the bytes");
    write_signed(pattern, sizeof pattern, 512);
    expect_flaw("has no signature behind the bytes");
    write_signed_with(random_bytes(), 512); /* like RSA-4096, for an ESP32 */
    expect_flaw("");

    /* without the unsigned file, the length at the end must be that of a signature */
    assert_int_equal(unlink(path), 0);
    write_signed(pattern, sizeof pattern, 260);
    expect_flaw("");
    write_signed(pattern, sizeof pattern, 259);
    expect_flaw("does not end in a signature");
}

static void test_signed_file_is_the_packed_file_with_a_signature(void **state)
{
    unsigned char other[sizeof pattern], *packed;
    size_t size;

    (void)state;
    memcpy(other, pattern, sizeof other);
    other[sizeof other - 1] ^= 1;
    assert_true(gzip_pack(&packed, &size, pattern, sizeof pattern));
    assert_non_null(packed);
    write_signed(packed, size, 260);
    expect_flaw("");
    write_signed(packed, size, 0);
    expect_flaw("has no signature behind the bytes");
    write_signed(packed, size - 1, 260);
    expect_flaw("does not begin with the bytes");
    free(packed);

    assert_true(gzip_pack(&packed, &size, other, sizeof other));
    write_signed(packed, size, 260);
    expect_flaw("does not begin with the bytes");
    free(packed);
}

/* A NAME.signed is not blamed if there is no memory to compare it. */
static void test_signed_file_without_memory(void **state)
{
    enum ota_error error;
    struct ota_failure failure;
    struct image *image;
    unsigned char *packed;
    size_t size;
    int allocations = 0;
    (void)state;

    if (getenv("ESP_OTA_VALGRIND"))
        skip(); /* libcrypto leaks when its allocations fail */
    assert_true(gzip_pack(&packed, &size, pattern, sizeof pattern));
    write_signed(packed, size, 260);
    free(packed);
    expect_flaw(""); /* libcrypto's first allocations must not fail: it would wait for itself */

    do {
        wrapped.allocations_left = allocations++;
        error = image_load(&image, path, true, IMAGE_SIZE_MAX, &failure);
        assert_true(error == OTA_OK || error == OTA_E_INTERNAL);
    } while (error != OTA_OK);

    wrapped.allocations_left = -1;
    assert_string_equal(image->flaw, "");
    image_free(image);
}

static void set_times(const char *name, time_t seconds)
{
    const struct timespec times[] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

    assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

static void test_signed_file_is_not_older(void **state)
{
    (void)state;

    assert_int_equal(setenv("TZ", "UTC", 1), 0);
    write_signed(pattern, sizeof pattern, 260);
    set_times(beside(".signed"), 1000000000);
    set_times(path, 1000000001);
    expect_flaw("older (2001-09-09 01:46:40) than ");
    expect_flaw("fw.bin (2001-09-09 01:46:41); sign it again");
    set_times(path, 1000000000);
    expect_flaw("");

    files_write(path, pattern, 100);
    write_signed(pattern + 1, sizeof pattern - 1, 260);
    set_times(beside(".signed"), 1000000000);
    expect_flaw(" and does not begin with the bytes of that file");
}

static void test_signed_file_of_others(void **state)
{
    uid_t me = geteuid(), another = me + 1;
    gid_t private_group = me, shared_group = me + 1;

    (void)state;
    write_signed(pattern, sizeof pattern, 260);
    assert_int_equal(chmod(beside(".signed"), 0666), 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "every user of this computer may change it");

    assert_int_equal(chmod(beside(".signed"), 0664), 0);
    wrapped.signed_group = &private_group;
    expect_flaw("");
    wrapped.has_acl = true;
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "its access control list lets others");
    assert_int_equal(chmod(beside(".signed"), 0644), 0);
    expect_flaw(""); /* its mask lets nobody write */
    assert_int_equal(chmod(beside(".signed"), 0664), 0);
    wrapped.has_acl = false;
    wrapped.signed_group = &shared_group;
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "may change it; chmod g-w it");
    assert_int_equal(chmod(beside(".signed"), 0644), 0);
    expect_flaw("");

    wrapped.signed_owner = &another;
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "it belongs to user ");
    assert_int_equal(unlink(path), 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "it belongs to user ");
    wrapped.signed_owner = &(uid_t){0};
    expect_flaw("");
}

/* The unsigned file is not sent in its place, unless only that one is wanted. */
static void test_signed_is_not_a_file(void **state)
{
    struct image *image;
    struct ota_failure failure;

    (void)state;
    assert_int_equal(mkfifo(beside(".signed"), 0600), 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE,
                   "of the unsigned file: it is a pipe; remove it");
    assert_int_equal(unlink(beside(".signed")), 0);
    assert_int_equal(symlink("/nowhere/at/all", beside(".signed")), 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "it is a link to a missing file; remove it");
    assert_int_equal(unlink(beside(".signed")), 0);
    assert_int_equal(symlink("fw.bin.signed", beside(".signed")), 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "file: Too many levels of symbolic links");
    assert_int_equal(unlink(beside(".signed")), 0);
    assert_int_equal(symlink("/dev/null", beside(".signed")), 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "it is a device; remove it");
    assert_int_equal(unlink(beside(".signed")), 0);
    assert_int_equal(mkdir(beside(".signed"), 0700), 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "it is a directory; remove it");
    assert_int_equal(wrapped.reads, 0);

    assert_int_equal(image_load(&image, path, false, IMAGE_SIZE_MAX, &failure), OTA_OK);
    assert_false(image->is_signed);
    image_free(image);
}

static void test_sizes(void **state)
{
    struct image *image = NULL;
    struct ota_failure failure;

    (void)state;
    expect_refusal(path, sizeof pattern - 1, OTA_E_IMAGE,
                   "4096 bytes, which is over the limit of 4095 bytes");
    assert_int_equal(image_load(&image, path, true, sizeof pattern, &failure), OTA_OK);
    image_free(image);

    files_write(path, pattern, IMAGE_SIZE_MIN);
    image_free(load_image_file(path));
    files_write(path, pattern, IMAGE_SIZE_MIN - 1);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "only 15 bytes");
    files_write(path, pattern, 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "is empty");

    /* far larger than any memory: rejected by its size, without reading it */
    assert_int_equal(truncate(path, (off_t)1 << 40), 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "1099511627776 bytes");
    assert_int_equal(wrapped.reads, 4);
}

static void test_not_a_regular_file(void **state)
{
    (void)state;
    expect_refusal(directory, IMAGE_SIZE_MAX, OTA_E_IMAGE, "is a directory");
    expect_refusal("/dev/zero", IMAGE_SIZE_MAX, OTA_E_IMAGE, "/dev/zero is a device");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "is a pipe");
    assert_int_equal(wrapped.reads, 0);
    assert_int_equal(wrapped.opened, 0);

    /* NAME, which NAME.signed is compared with */
    files_write(beside(".signed"), pattern, sizeof pattern);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "is a pipe");
    assert_int_equal(wrapped.opened, 1);
    unlink(beside(".signed"));
}

/* Makes the file standard input. Returns the old one, for restore_standard_input(). */
static int redirect(const char *name)
{
    int saved = dup(STDIN_FILENO), fd = open(name, O_RDONLY | O_CLOEXEC);

    assert_true(saved >= 0 && fd >= 0);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    close(fd);
    return saved;
}

static void restore_standard_input(int saved)
{
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static void test_image_from_standard_input(void **state)
{
    static unsigned char content[200000];
    static const size_t sizes[] = {16, 65535, 65536, 65537, 131072, sizeof content};

    (void)state;
    memset(content, 7, sizeof content);
    write_signed(pattern, sizeof pattern, 260);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct image *image = NULL;
        struct ota_failure failure;

        files_write(path, content, sizes[i]);

        int saved = redirect(path);
        assert_int_equal(image_load(&image, "-", true, sizes[i], &failure), OTA_OK);
        assert_string_equal(image->path, "-");
        assert_false(image->is_signed);
        assert_int_equal(image->size, sizes[i]);
        assert_int_equal(image->file_size, sizes[i]);
        assert_memory_equal(image->data, content, sizes[i]);
        assert_int_equal(strlen(image->md5), 32);
        image_free(image);

        /* it was read to its end */
        expect_refusal("-", IMAGE_SIZE_MAX, OTA_E_IMAGE, "standard input is empty");
        restore_standard_input(saved);

        saved = redirect(path);
        expect_refusal("-", sizes[i] - 1, OTA_E_IMAGE, "standard input has more than the limit of");
        restore_standard_input(saved);
    }
}

static void test_standard_input_in_trouble(void **state)
{
    int saved = redirect(path);

    (void)state;
    for (int allocations = 0; allocations < 3; allocations++) {
        wrapped.allocations_left = allocations; /* for the image, its path, its bytes */
        expect_refusal("-", IMAGE_SIZE_MAX, OTA_E_INTERNAL, "out of memory");
    }
    wrapped.allocations_left = -1;

    wrapped.mishap = READ_ERROR;
    expect_refusal("-", IMAGE_SIZE_MAX, OTA_E_IMAGE,
                   "cannot read standard input: Input/output error");

    wrapped.mishap = NONE;
    files_write(path, pattern, IMAGE_SIZE_MIN - 1);
    expect_refusal("-", IMAGE_SIZE_MAX, OTA_E_IMAGE, "standard input has only 15 bytes");
    restore_standard_input(saved);
}

static void test_cannot_be_opened(void **state)
{
    char name[600];

    (void)state;
    expect_refusal(beside("/x"), IMAGE_SIZE_MAX, OTA_E_IMAGE, "cannot open ");
    expect_refusal(beside(".nosuch\n"), IMAGE_SIZE_MAX, OTA_E_IMAGE,
                   "fw.bin.nosuch\\n: No such file or directory");
    expect_refusal("", IMAGE_SIZE_MAX, OTA_E_IMAGE, "is empty");
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    expect_refusal(name, IMAGE_SIZE_MAX, OTA_E_IMAGE, "xxx...: File name too long");
}

static void test_no_permission(void **state)
{
    bool is_root = geteuid() == 0;

    (void)state;
    assert_int_equal(chmod(path, 0), 0);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "Permission denied");
    if (is_root)
        assert_int_equal(seteuid(0), 0);
}

static void test_changes_while_being_read(void **state)
{
    static const enum mishap mishaps[] = {GROW, SHRINK, REWRITE, EARLY_END};
    static const struct timespec long_ago[] = {{.tv_sec = 1}, {.tv_sec = 1}};

    (void)state;
    for (size_t i = 0; i < sizeof mishaps / sizeof *mishaps; i++) {
        files_write(path, pattern, sizeof pattern);
        assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
        wrapped.mishap = mishaps[i];
        wrapped.reads = 0;
        expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "changed while it was being read");
    }
}

static void test_short_and_interrupted_reads(void **state)
{
    struct image *image;

    (void)state;
    wrapped.mishap = TRICKLE;
    image = load_image_file(path);
    assert_int_equal(image->size, sizeof pattern);
    assert_memory_equal(image->data, pattern, sizeof pattern);
    assert_true(wrapped.reads > 2 * sizeof pattern / 100);
    image_free(image);
}

static void test_read_error(void **state)
{
    (void)state;
    wrapped.mishap = READ_ERROR;
    expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_IMAGE, "Input/output error");
}

static void test_image_no_memory(void **state)
{
    (void)state;
    for (int allocations = 0; allocations < 3; allocations++) {
        wrapped.allocations_left = allocations;
        expect_refusal(path, IMAGE_SIZE_MAX, OTA_E_INTERNAL, "out of memory");
    }
    wrapped.allocations_left = -1;
    image_free(load_image_file(path));
}

/* If memory runs out during the inspection, the image is rejected: its integrity is unknown. */
static void test_no_memory_to_examine(void **state)
{
    struct ota_failure failure;
    struct image *image;
    enum ota_error error;
    int allocations = 0;

    (void)state;
    if (getenv("ESP_OTA_VALGRIND"))
        skip(); /* libcrypto leaks when its allocations fail */
    firmware_make_esp32(&firmware, &(struct firmware_esp32){5, 0x3C000020, .has_hash = true});
    files_write(path, firmware.data, firmware.size);

    /* libcrypto's first allocations must not fail: it would wait for itself */
    image_free(load_image_file(path));

    do {
        wrapped.allocations_left = allocations++;
        error = image_load(&image, path, true, IMAGE_SIZE_MAX, &failure);
        assert_true(error == OTA_OK || error == OTA_E_INTERNAL);
        assert_true(error == OTA_OK || failure.cause == OTA_CAUSE_OUT_OF_MEMORY);
    } while (error != OTA_OK);

    wrapped.allocations_left = -1;
    assert_int_equal(image->inspection.integrity, INSPECT_VALID);
    image_free(image);
    assert_true(allocations > 50);
}

/* A hash that libcrypto refuses is no lack of memory, whatever needs it first. */
static void test_refused_hash(void **state)
{
    struct ota_failure failure;
    struct image *image;

    (void)state;
    firmware_make_esp32(&firmware, &(struct firmware_esp32){5, 0x3C000020, .has_hash = true});
    files_write(path, firmware.data, firmware.size);
    for (size_t i = 0; i < 2; i++) {
        wrapped.refused_hash = i == 0 ? "MD5" : "SHA256";
        assert_int_equal(image_load(&image, path, true, IMAGE_SIZE_MAX, &failure), OTA_E_INTERNAL);
        wrapped.refused_hash = NULL;
        assert_int_equal(failure.cause, OTA_CAUSE_NONE);
        assert_non_null(strstr(failure.message, i == 0 ? "cannot compute the MD5 of "
                                                       : "its SHA-256 cannot be computed: "));
        assert_non_null(strstr(failure.message, ": libcrypto of this computer refuses it, "));
    }
}

static void make_damaged_esp32(void)
{
    make_esp32();
    firmware.size--;
}

static void test_image_family(void **state)
{
    static const struct {
        void (*make)(void);
        enum image_family family;
    } rows[] = {
        {make_esp32, IMAGE_ESP32},     {make_damaged_esp32, IMAGE_ESP32},
        {make_esp8266, IMAGE_ESP8266}, {make_gzip, IMAGE_ESP8266},
        {make_pico, IMAGE_PICO},       {make_littlefs, IMAGE_UNKNOWN},
        {make_unknown, IMAGE_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct image *image;

        rows[i].make();
        files_write(path, firmware.data, firmware.size);
        image = load_image_file(path);
        assert_int_equal(image->family, rows[i].family);
        image_free(image);
    }
}

static void test_load_real_images(void **state)
{
    static const struct {
        const char *name;
        enum image_family family;
        size_t size;
        const char *md5;
    } rows[] = {
        {"esp8266.bin", IMAGE_ESP8266, 297632, "1d854ab9553adaf4f77c10399ccaaeb1"},
        {"esp32.bin", IMAGE_ESP32, 1466064, "ad5f51c3fd6ce63ef84eb475c734502e"},
        {"esp32s2.bin", IMAGE_ESP32, 182368, "b95cbb7b5780b3abb5a183b5ce669452"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *name = vectors_image_path(rows[i].name);
        struct image *image;

        if (!name) {
            printf("%s is not there\n", rows[i].name);
            continue;
        }
        image = load_image_file(name);
        assert_int_equal(image->family, rows[i].family);
        assert_int_equal(image->size, rows[i].size);
        assert_string_equal(image->md5, rows[i].md5);
        image_free(image);
    }
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, set_up_image_folder, tear_down_image_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_load_image),
        TEST(test_signed_file_that_cannot_be_seen),
        TEST(test_file_is_closed),
        TEST(test_digests),
        TEST(test_signed_file_is_preferred),
        TEST(test_signed_file_is_the_file_with_a_signature),
        TEST(test_signed_file_is_the_packed_file_with_a_signature),
        TEST(test_signed_file_without_memory),
        TEST(test_signed_file_is_not_older),
        TEST(test_signed_file_of_others),
        TEST(test_signed_is_not_a_file),
        TEST(test_sizes),
        TEST(test_not_a_regular_file),
        TEST(test_image_from_standard_input),
        TEST(test_standard_input_in_trouble),
        TEST(test_cannot_be_opened),
        TEST(test_no_permission),
        TEST(test_changes_while_being_read),
        TEST(test_short_and_interrupted_reads),
        TEST(test_read_error),
        TEST(test_image_no_memory),
        TEST(test_no_memory_to_examine),
        TEST(test_refused_hash),
        TEST(test_image_family),
        TEST(test_load_real_images),
    };

    setenv("TZ", "UTC", 1); /* messages have the time of files */
    return cmocka_run_group_tests(tests, make_image_directory, remove_directory);
}
