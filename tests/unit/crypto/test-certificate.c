/* test-certificate.c: what a file of certificates to trust has to have. */
#include "crypto/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --wrap: malloc() fails from this call on; negative: never. */
static int allocations_left = -1;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left -= allocations_left > 0;
    return __real_malloc(size);
}

#define CERTIFICATE                                                                                \
    "-----BEGIN CERTIFICATE-----\n"                                                                \
    "MIIBbDCCAROgAwIBAgIUceS8D/ml+KpQjV67bzRBVbKX8iMwCgYIKoZIzj0EAwIw\n"                           \
    "DDEKMAgGA1UEAwwBeDAeFw0yNjExMjkyMjM4MjVaFw0zNjExMjYyMjM4MjVaMAwx\n"                           \
    "CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS4GogOTLfkdtfD\n"                           \
    "zKow1ttW6cLKts34mKt1OVd3DfGNBxUNXgH0nM4LCdPPfJ6BoR/vj/VI4lNsBBLq\n"                           \
    "xDCJCqUTo1MwUTAdBgNVHQ4EFgQUTokUSFAP1Ad85+25yt2Ul7tvHucwHwYDVR0j\n"                           \
    "BBgwFoAUTokUSFAP1Ad85+25yt2Ul7tvHucwDwYDVR0TAQH/BAUwAwEB/zAKBggq\n"                           \
    "hkjOPQQDAgNHADBEAiBenvzXxvui5d6A2V9b2SircvEsyt2oF0oiMmh5ZN5oXAIg\n"                           \
    "a8lJ3PzxjSXTCa4Je+5vcnQrC5zhob1OW4dNXytDxqg=\n"                                               \
    "-----END CERTIFICATE-----\n"
#define OTHER "-----BEGIN THING-----\nMIGHAgEA\n-----END THING-----\n"

static enum certificates judge(const char *text)
{
    return certificates_judge(text, strlen(text));
}

static void test_contents(void **state)
{
    static const struct {
        const char *text;
        enum certificates expected;
    } rows[] = {
        {CERTIFICATE, CERTIFICATES_GOOD},
        {"a comment\n" OTHER "\n" CERTIFICATE CERTIFICATE, CERTIFICATES_GOOD},
        {OTHER, CERTIFICATES_NONE},
        {"", CERTIFICATES_NONE},
        {"junk\n", CERTIFICATES_NONE},
        {"-----BEGIN CERTIFICATE-----\n", CERTIFICATES_DAMAGED},
        {"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", CERTIFICATES_DAMAGED},
        {CERTIFICATE "-----BEGIN CERTIFICATE-----\nMIIB", CERTIFICATES_DAMAGED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(judge(rows[i].text), rows[i].expected);

    char cut[sizeof CERTIFICATE];
    memcpy(cut, CERTIFICATE, sizeof cut);
    cut[sizeof cut / 2] = '\0';
    assert_int_equal(judge(cut), CERTIFICATES_DAMAGED);
}

/* The file is not blamed for it. */
static void test_no_memory(void **state)
{
    enum certificates result;
    int allocations = 0;

    (void)state;
    if (getenv("ESP_OTA_VALGRIND"))
        skip(); /* libcrypto leaks when its allocations fail */
    do {
        allocations_left = allocations++;
        result = judge(CERTIFICATE);
        allocations_left = -1;
        assert_true(result == CERTIFICATES_GOOD || result == CERTIFICATES_UNJUDGED);
    } while (result != CERTIFICATES_GOOD);
    assert_true(allocations > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_contents),
                                       cmocka_unit_test(test_no_memory)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
