/*
 * fuzz-sign.c: any file gets a verdict, and a valid file is no longer valid after any change. Any
 * key file is a key, or is rejected with a printable sentence. Random bytes never make a signature,
 * so the mutator signs with the two keys below, and mutates the decoded content of key files.
 */
#include "base/escape.h"
#include "image/sign.h"
#include "mend_image.h"
#include "require.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity);

/* These keys are no secrets: they sign for this harness only. */
static const char *const keys[] = {
    "-----BEGIN PRIVATE KEY-----\n"
    "MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAMs/wFAgt7Gy4xFr\n"
    "IEmtPgb2N9501G4kgV6FdyRCtHy9u/wUBJX6b74DMc6/m6DoDnZTYXN24vi+iu5u\n"
    "wz67Mtlh3kdXQ/gwKeM3fY0l86foF5bADtZU03Ifpk4nGp+d5w1zWo4DqeLtCx4h\n"
    "FlMSmwGWabaYylxaZyb14tssoOE9AgMBAAECgYEAkPBKZRmfxVGrCY3aPZAUToSg\n"
    "vLuVjWHs+4mzt6D18oqfFpjz2Dv6GYdPqn8LLUiun4TAVsWt//JpQrSr+P0nuYQ/\n"
    "HQWo2TWS6g2YGWdReiAX5jTb2f2c0+JJCtI/bz1/nJq7cIvSpQecsbpMr6VQxQfK\n"
    "RBjdLh66X1kikhfz/cUCQQD8rGLBcC/Ho6hSooTiv8cwNKYolauMzbi1MlniwoF7\n"
    "qxObgYxaDXbhR0juaTxN/ptb2F/18Db5BTHTBJ/OXwujAkEAzezI7JVs7bKE7XzT\n"
    "sNhFm9tj0PjrMDFRiq26EJyJcpT3S00AJ50FGi2kv28kWklgpNmLxkfEBTe+/IZR\n"
    "tA8tnwJBALQsCE9/O9LTtFcYZEF8FwEcyc7uyuEgYLF0MfwsTkBtARJGElq0dyy0\n"
    "tCCtEb9b6lRXujWZENoJBjo+deWmiJkCQFBigWCRSA9V47wNQVnEYw/fSYy2zqBm\n"
    "cC1RedOoN6Np8UsMyOWtzuMUND6idS9le3t+jKifNS7QPxa2nEhMsIMCQQCXJ9FM\n"
    "eaPVR7/b2qOveuP3k0aazVG0L6zDfTd64pu9rrZF+0kek6y+vOeeQwe+b0wUP/hx\n"
    "JMrDjv1oG9MMMmmW\n"
    "-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQga7puQ9AwolYJffwC\n"
    "WKyjt85esjZ8tohxeHzy/eSGcoyhRANCAAQsFi0eoinTgHcZlOFPzHHFXpXZlMEE\n"
    "aDFrTwIw1dm1/ii+kTWdhWtkvGfPNLhSS0yHtveZnZLwLZzFSPeeOYkd\n"
    "-----END PRIVATE KEY-----\n",
};

/* Makes a file with this content, as keys are read from files. Returns its descriptor, which the
 * caller closes. */
static int make_file(char path[64], const void *text, size_t size)
{
    int fd = memfd_create("key", MFD_CLOEXEC);

    require(fd >= 0 && write(fd, text, size) == (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static struct sign_key *load(const void *text, size_t size)
{
    char path[64];
    struct ota_failure failure;
    struct sign_key *key = NULL;
    int fd = make_file(path, text, size);

    if (sign_key_load_public(&key, path, &failure) != OTA_OK)
        require(!key && failure.error == OTA_E_USAGE && escape_is_printable(failure.message));
    close(fd);
    return key;
}

/* -- mutations -- */

static const struct sign_key *private_key(size_t number)
{
    static struct sign_key *loaded[2]; /* loaded only once, as that takes long */

    if (!loaded[number]) {
        char path[64];
        struct ota_failure failure;
        int fd = make_file(path, keys[number], strlen(keys[number]));

        require(sign_key_load_private(&loaded[number], path, NULL, NULL, &failure) == OTA_OK);
        close(fd);
    }
    return loaded[number];
}

/* LeakSanitizer does not search libcrypto's locked heap. Memory with its only pointer there seems
 * to leak. */
static void ignore_leaks(bool ignores)
{
#if __has_feature(address_sanitizer)
    ignores ? __lsan_disable() : __lsan_enable();
#else
    (void)ignores;
#endif
}

/* Replaces the trailer of the image by a signature. Returns the new size; the old one if no board
 * accepts such a signature, or if there is no room for it. */
static size_t sign(uint8_t *data, size_t size, size_t capacity, unsigned seed)
{
    unsigned char trailer[SIGN_TRAILER_MAX];
    size_t trailer_size;
    struct ota_failure failure;
    struct inspection inspection;

    inspect_image(&inspection, data, size);
    size_t image_size = inspection.trailer == INSPECT_NO_TRAILER ? size : inspection.image_size;
    inspect_image(&inspection, data, image_size);

    const struct sign_file file = {"file", data, image_size, &inspection};
    enum ota_error error = sign_make(trailer, &trailer_size, private_key(seed % 2),
                                     (enum sign_hash)(seed / 2 % SIGN_HASH_COUNT), &file, &failure);
    if (error != OTA_OK || trailer_size > capacity - image_size)
        return size;

    memcpy(data + image_size, trailer, trailer_size);
    return image_size + trailer_size;
}

/* Mutates the content of a key file, which is in base64 between a header and a footer. */
static size_t mutate_key(uint8_t *data, size_t size, size_t capacity)
{
    enum { KEY_MAX = 1536, LINE = 48, TEXT_MAX = 4096 };
    static unsigned char der[KEY_MAX + 3];
    static char text[TEXT_MAX];
    char name[40];
    int start = 0, used = 0;
    size_t length = 0;

    snprintf(text, sizeof text, "%.*s", (int)size, (const char *)data);
    if (sscanf(text, "-----BEGIN %30[A-Z ]-----%n", name, &start) != 1 || start == 0)
        return LLVMFuzzerMutate(data, size, capacity);

    for (const char *line = strtok(text + start, "\r\n"); line && line[0] != '-';
         line = strtok(NULL, "\r\n")) {
        size_t characters = strlen(line);
        if (length + characters / 4 * 3 > KEY_MAX)
            break;
        int more = EVP_DecodeBlock(der + length, (const unsigned char *)line, (int)characters);
        if (more < 0)
            break;
        length += (size_t)more;
    }
    length = LLVMFuzzerMutate(der, length, KEY_MAX);

    used = snprintf(text, sizeof text, "-----BEGIN %s-----\n", name);
    for (size_t at = 0; at < length; at += LINE) {
        int count = length - at < LINE ? (int)(length - at) : LINE;
        used += EVP_EncodeBlock((unsigned char *)text + used, der + at, count);
        text[used++] = '\n';
    }
    used += snprintf(text + used, sizeof text - (size_t)used, "-----END %s-----\n", name);
    if ((size_t)used > capacity)
        return LLVMFuzzerMutate(data, size, capacity);

    memcpy(data, text, (size_t)used);
    return (size_t)used;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed)
{
    if (size >= 5 && memcmp(data, "-----", 5) == 0 && seed % 4 != 0)
        return mutate_key(data, size, capacity);

    size = mutate_image(data, size, capacity, seed);
    if (seed & 0x100) {
        ignore_leaks(true);
        size = sign(data, size, capacity, seed >> 9);
        ignore_leaks(false);
    }
    return size;
}

/* -- properties -- */

static enum sign_verdict verify(const struct sign_key *key, const uint8_t *data, size_t size)
{
    struct signature signature;
    struct ota_failure failure;
    struct inspection inspection;
    const struct sign_file file = {"file", data, size, &inspection};

    inspect_image(&inspection, data, size);
    require(sign_verify(&signature, key, &file, &failure) == OTA_OK);
    require(memchr(signature.sentence, '\0', sizeof signature.sentence) != NULL);
    require(*signature.sentence && escape_is_printable(signature.sentence));
    return signature.verdict;
}

static void check_changes(const struct sign_key *key, uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i += size / 16 + 1) {
        data[i] ^= 0x10;
        require(verify(key, data, size) != SIGN_VALID);
        data[i] ^= 0x10;
    }
    require(verify(key, data, size - 1) != SIGN_VALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sign_key *loaded[2]; /* loaded only once, as that takes longest */
    /* The copy has exactly this size, so that AddressSanitizer reports a read behind it. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;

    if (size)
        memcpy(copy, data, size);
    for (size_t i = 0; i < 2; i++) {
        if (!loaded[i])
            loaded[i] = load(keys[i], strlen(keys[i]));
        require(loaded[i] != NULL);
        if (verify(loaded[i], copy, size) == SIGN_VALID)
            check_changes(loaded[i], copy, size);
    }
    if (size >= 5 && memcmp(copy, "-----", 5) == 0)
        sign_key_free(load(copy, size));
    free(copy);
    return 0;
}
