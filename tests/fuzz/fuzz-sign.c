/*
 * fuzz-sign.c: any file gets a verdict, and one that is valid no longer is when any part of it
 * changes; any key file is a key or is refused with a printable sentence. The seeds hold files that
 * the two keys below have signed.
 */
#include "escape.h"
#include "sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = {
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC9Dg6L4edqn14B/1l0Z+qb3oaN\n"
    "cb7ng3ilrbU93zTvvk/J1GFStygc0At3BIaQlxA/VdOHZ+L4nJO05SJd270Fp+su\n"
    "HQ+AFJhp1ts+pIIMGrIfVXYhpTY+/EFdWCYo2wlMmLlId4JCDiYIsGheARwVjG+g\n"
    "k40IV0HtlpNjKv4RMwIDAQAB\n"
    "-----END PUBLIC KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfsNRCG0Mw95Ka4/c/77C8WESLGQC\n"
    "kcykkmtrAF1zFZ0lCZwxbGU0GQX/cjDCBZbexH4H44QyR8PfMM50N197pA==\n"
    "-----END PUBLIC KEY-----\n",
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* As a file, since keys come from files. */
static struct sign_key *load(const void *text, size_t size)
{
    char path[64];
    struct ota_failure failure;
    struct sign_key *key = NULL;
    int descriptor = memfd_create("key", MFD_CLOEXEC);
    require(descriptor >= 0 && write(descriptor, text, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    if (sign_key_load_public(&key, path, &failure) != OTA_OK)
        require(!key && failure.error == OTA_E_USAGE && escape_is_printable(failure.message));
    close(descriptor);
    return key;
}

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
    for (size_t i = 0; i < size; i += size / 64 + 1) {
        data[i] ^= 0x10;
        require(verify(key, data, size) != SIGN_VALID);
        data[i] ^= 0x10;
    }
    require(verify(key, data, size - 1) != SIGN_VALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sign_key *loaded[2]; /* once, as that takes longer than all the rest */
    /* A copy of exactly this size: what is read behind it is found. */
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
