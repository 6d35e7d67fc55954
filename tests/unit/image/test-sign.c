/*
 * test-sign.c: signatures that sign_make() makes are valid for sign_verify(), with every kind of
 * key, and nothing else is. Keys are generated for each run. test_sign.py tests openssl's own
 * signatures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/secret.h"
#include "image/sign.h"
#include "support/samples.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The keys: NAME and NAME-public in directory. */
enum maker { RSA_1024, RSA_2048, RSA_2048_OTHER, RSA_3072, RSA_4096, EC_P256, EC_P384, MAKERS };
static const struct {
    const char *name;
    size_t bits; /* 0 for an EC key */
    const char *group;
} makers[MAKERS] = {[RSA_1024] = {"rsa-1024", 1024, NULL},    [RSA_2048] = {"rsa-2048", 2048, NULL},
                    [RSA_2048_OTHER] = {"other", 2048, NULL}, [RSA_3072] = {"rsa-3072", 3072, NULL},
                    [RSA_4096] = {"rsa-4096", 4096, NULL},    [EC_P256] = {"p-256", 0, "P-256"},
                    [EC_P384] = {"p-384", 0, "P-384"}};

/* --wrap */
static bool lacks_memory;
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return lacks_memory ? NULL : __real_calloc(count, size);
}

static char directory[] = "/tmp/esp-ota-test-sign-XXXXXX";
static struct ota_failure failure;

static const char *path_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static EVP_PKEY *generate(enum maker maker)
{
    EVP_PKEY *pkey = makers[maker].bits ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", makers[maker].bits)
                                        : EVP_PKEY_Q_keygen(NULL, NULL, "EC", makers[maker].group);
    assert_non_null(pkey);
    return pkey;
}

static void write_key(const char *name, const EVP_PKEY *pkey, bool is_private)
{
    BIO *file = BIO_new_file(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(is_private ? PEM_write_bio_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL)
                                : PEM_write_bio_PUBKEY(file, pkey),
                     1);
    BIO_free(file);
}

/* Writes the key in today's usual form, and in the form of OpenSSL 0.9. */
static void write_protected(EVP_PKEY *pkey)
{
    static const unsigned char password[] = "open sesame";
    BIO *file = BIO_new_file(path_of("protected"), "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_bio_PrivateKey(file, pkey, EVP_aes_256_cbc(), password,
                                              sizeof password - 1, NULL, NULL),
                     1);
    BIO_free(file);

    file = BIO_new_file(path_of("protected-traditional"), "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(file, pkey, EVP_aes_128_cbc(), password,
                                                          sizeof password - 1, NULL, NULL),
                     1);
    BIO_free(file);
}

static int make_keys(void **state)
{
    (void)state;

    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < MAKERS; i++) {
        char public_name[32];
        EVP_PKEY *pkey = generate((enum maker)i);

        snprintf(public_name, sizeof public_name, "%s-public", makers[i].name);
        write_key(makers[i].name, pkey, true);
        write_key(public_name, pkey, false);
        if (i == RSA_2048)
            write_protected(pkey);
        EVP_PKEY_free(pkey);
    }
    return 0;
}

static int remove_keys(void **state)
{
    (void)state;

    char command[128];
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command) == 0 ? 0 : -1; /* NOLINT(cert-env33-c): our own directory */
}

/* userdata: the password to give; NULL for none. */
static enum ota_error give_password(char **password, const char *shown, void *userdata,
                                    struct ota_failure *why)
{
    assert_non_null(strstr(shown, "protected"));
    *password = userdata ? secret_copy(userdata) : NULL;
    *why = (struct ota_failure){.error = OTA_E_USAGE, .message = "nobody answers"};
    return *password ? OTA_OK : OTA_E_USAGE;
}

static struct sign_key *load_private(enum maker maker)
{
    struct sign_key *key;
    if (sign_key_load_private(&key, path_of(makers[maker].name), give_password, NULL, &failure) !=
        OTA_OK)
        fail_msg("%s", failure.message);
    return key;
}

static struct sign_key *load_public(enum maker maker)
{
    char name[32];
    struct sign_key *key;
    snprintf(name, sizeof name, "%s-public", makers[maker].name);
    if (sign_key_load_public(&key, path_of(name), &failure) != OTA_OK)
        fail_msg("%s", failure.message);
    return key;
}

/* Verifies the first size bytes of the firmware. */
static enum ota_error verify(struct signature *signature, const struct sign_key *key, size_t size)
{
    struct inspection inspection;
    const struct sign_file file = {"fw.bin", firmware.data, size, &inspection};

    inspect_image(&inspection, firmware.data, size);
    return sign_verify(signature, key, &file, &failure);
}

static enum sign_verdict verdict_of(const struct sign_key *key, size_t size)
{
    struct signature signature;

    assert_int_equal(verify(&signature, key, size), OTA_OK);
    assert_true(strlen(signature.sentence) > 0);
    return signature.verdict;
}

static enum ota_error sign(const struct sign_key *key, enum sign_hash hash)
{
    unsigned char trailer[SIGN_TRAILER_MAX];
    size_t trailer_size;
    struct inspection inspection;
    const struct sign_file file = {"fw.bin", firmware.data, firmware.size, &inspection};

    inspect_image(&inspection, firmware.data, firmware.size);
    enum ota_error error = sign_make(trailer, &trailer_size, key, hash, &file, &failure);
    if (error == OTA_OK)
        firmware_add(&firmware, trailer, trailer_size);
    return error;
}

static void must_sign(enum maker maker, enum sign_hash hash)
{
    struct sign_key *key = load_private(maker);
    if (sign(key, hash) != OTA_OK)
        fail_msg("%s: %s", makers[maker].name, failure.message);
    sign_key_free(key);
}

static void test_round_trips(void **state)
{
    static const struct {
        void (*make)(void);
        enum maker maker;
        enum sign_hash hash;
        size_t trailer_size;
        const char *sentence;
    } rows[] = {
        {make_esp8266, RSA_1024, SIGN_SHA256, 132, "RSA-1024 PKCS#1 v1.5, SHA-256"},
        {make_esp8266, RSA_2048, SIGN_SHA256, 260, "RSA-2048 PKCS#1 v1.5, SHA-256"},
        {make_gzip, RSA_3072, SIGN_SHA256, 388, "RSA-3072 PKCS#1 v1.5, SHA-256"},
        {make_pico, RSA_2048, SIGN_SHA256, 260, "RSA-2048 PKCS#1 v1.5, SHA-256"},
        {make_pico, RSA_4096, SIGN_SHA256, 516, "RSA-4096 PKCS#1 v1.5, SHA-256"},
        {make_esp32, RSA_2048, SIGN_SHA256, 512, "RSA-2048 PSS, SHA-256"},
        {make_esp32, RSA_3072, SIGN_SHA384, 512, "RSA-3072 PSS, SHA-384"},
        {make_esp32, RSA_4096, SIGN_SHA512, 512, "RSA-4096 PSS, SHA-512"},
        {make_esp32, EC_P256, SIGN_SHA256, 512, "EC P-256, SHA-256"},
        {make_esp32, EC_P256, SIGN_SHA512, 512, "EC P-256, SHA-512"},
        {make_esp32, EC_P384, SIGN_SHA384, 512, "EC P-384, SHA-384"},
        {make_littlefs, EC_P384, SIGN_SHA384, 512, "EC P-384, SHA-384"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct signature signature;
        struct sign_key *key = load_public(rows[i].maker);

        rows[i].make();
        size_t size = firmware.size;
        assert_int_equal(verdict_of(key, size), SIGN_ABSENT);

        must_sign(rows[i].maker, rows[i].hash);
        assert_int_equal(firmware.size - size, rows[i].trailer_size);
        assert_int_equal(verify(&signature, key, firmware.size), OTA_OK);
        assert_non_null(strstr(signature.sentence, rows[i].sentence));
        assert_int_equal(signature.verdict, SIGN_VALID);
        assert_int_equal(signature.hash, rows[i].hash);
        sign_key_free(key);
    }
}

/* Changes every byte of the image, the signature, its padding and its length. With valgrind it
 * changes only some of them, as libcrypto is slow then. */
static void test_changed_bytes(void **state)
{
    static const struct {
        void (*make)(void);
        enum maker maker;
    } rows[] = {{make_gzip, RSA_1024},
                {make_pico, RSA_2048},
                {make_esp32, RSA_2048},
                {make_esp32, EC_P256}};
    const size_t step = getenv("ESP_OTA_VALGRIND") ? 997 : 1;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sign_key *key = load_public(rows[i].maker);

        rows[i].make();
        must_sign(rows[i].maker, SIGN_SHA256);
        for (size_t n = 0; n < firmware.size; n += step) {
            firmware.data[n] ^= (unsigned char)(1 << n % 8);
            if (verdict_of(key, firmware.size) == SIGN_VALID)
                fail_msg("row %zu is valid with byte %zu changed", i, n);
            firmware.data[n] ^= (unsigned char)(1 << n % 8);
        }
        assert_int_equal(verdict_of(key, firmware.size), SIGN_VALID);

        for (size_t size = 0; size < firmware.size; size += step)
            if (verdict_of(key, size) == SIGN_VALID)
                fail_msg("row %zu is valid when cut to %zu bytes", i, size);

        firmware_fill(&firmware, 0, 1);
        assert_int_not_equal(verdict_of(key, firmware.size), SIGN_VALID);
        sign_key_free(key);
    }
}

static void expect_verdict(enum maker signer, void (*make)(void), enum maker verifier,
                           enum sign_verdict verdict, const char *phrase)
{
    struct signature signature;
    struct sign_key *key = load_public(verifier);

    make();
    must_sign(signer, SIGN_SHA256);
    assert_int_equal(verify(&signature, key, firmware.size), OTA_OK);
    assert_int_equal(signature.verdict, verdict);
    assert_non_null(strstr(signature.sentence, phrase));
    sign_key_free(key);
}

static void test_other_keys(void **state)
{
    (void)state;

    expect_verdict(RSA_2048, make_esp8266, RSA_2048_OTHER, SIGN_INVALID,
                   "signed with another RSA-2048 key");
    expect_verdict(RSA_2048, make_esp32, RSA_2048_OTHER, SIGN_INVALID, "another RSA-2048 key");
    expect_verdict(RSA_2048, make_esp8266, RSA_4096, SIGN_WRONG_KEY,
                   "made with an RSA-2048 key, but this is an RSA-4096 key");
    expect_verdict(RSA_4096, make_esp32, RSA_2048, SIGN_WRONG_KEY, "made with an RSA-4096 key");
    expect_verdict(RSA_3072, make_esp32, EC_P256, SIGN_WRONG_KEY, "made with an RSA-3072 key");
    expect_verdict(EC_P256, make_esp32, RSA_2048, SIGN_WRONG_KEY, "made with an EC key");
    expect_verdict(EC_P256, make_esp32, EC_P384, SIGN_INVALID, "another EC P-384 key");
}

static void test_refusals(void **state)
{
    static const struct {
        void (*make)(void);
        enum maker maker;
        enum sign_hash hash;
        enum ota_error error;
        const char *phrase;
    } rows[] = {
        {make_esp8266, EC_P256, SIGN_SHA256, OTA_E_USAGE, "check only RSA signatures"},
        {make_esp8266, RSA_2048, SIGN_SHA384, OTA_E_USAGE, "only signatures over SHA-256"},
        {make_pico, RSA_2048, SIGN_SHA512, OTA_E_USAGE, "only signatures over SHA-256"},
        {make_esp32, RSA_1024, SIGN_SHA256, OTA_E_USAGE, "is an RSA-1024 key"},
        {make_littlefs, RSA_2048, SIGN_SHA256, OTA_E_USAGE, "may be for an ESP32 or not"},
        {make_uf2, RSA_2048, SIGN_SHA256, OTA_E_IMAGE, "no board takes it"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sign_key *key = load_private(rows[i].maker);

        rows[i].make();
        assert_int_equal(sign(key, rows[i].hash), rows[i].error);
        assert_non_null(strstr(failure.message, rows[i].phrase));
        sign_key_free(key);
    }
}

static void test_sign_signed_already(void **state)
{
    static void (*const make[])(void) = {make_esp8266, make_gzip, make_pico, make_esp32};
    struct sign_key *key = load_private(RSA_2048);
    (void)state;

    for (size_t i = 0; i < sizeof make / sizeof *make; i++) {
        make[i]();
        assert_int_equal(sign(key, SIGN_SHA256), OTA_OK);
        assert_int_equal(sign(key, SIGN_SHA256), OTA_E_IMAGE);
        assert_string_equal(failure.message,
                            "fw.bin is signed already; sign the file that it was made of");
    }
    sign_key_free(key);
}

static void test_protected_keys(void **state)
{
    static const char *const names[] = {"protected", "protected-traditional"};
    char right[] = "open sesame", wrong[] = "open barley", empty[] = "";
    struct sign_key *key;
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = path_of(names[i]);
        assert_int_equal(sign_key_load_private(&key, path, give_password, right, &failure), OTA_OK);
        make_esp8266();
        assert_int_equal(sign(key, SIGN_SHA256), OTA_OK);
        sign_key_free(key);

        assert_int_equal(sign_key_load_private(&key, path, give_password, wrong, &failure),
                         OTA_E_USAGE);
        assert_non_null(strstr(failure.message, "the password does not open the key"));
        assert_null(strstr(failure.message, wrong));
        assert_null(key);

        assert_int_equal(sign_key_load_private(&key, path, give_password, empty, &failure),
                         OTA_E_USAGE);
        assert_int_equal(sign_key_load_private(&key, path, give_password, NULL, &failure),
                         OTA_E_USAGE);
        assert_string_equal(failure.message, "nobody answers");
        assert_int_equal(sign_key_load_public(&key, path, &failure), OTA_E_USAGE);
        assert_non_null(strstr(failure.message, "give the public key"));
    }
}

/* Some editors of Windows save a byte order mark in front of the key; libcrypto skips it. */
static void test_byte_order_mark(void **state)
{
    static const bool are_private[] = {true, false};
    struct sign_key *key;
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        BIO *file = BIO_new_file(path_of("marked"), "w");
        EVP_PKEY *pkey = generate(EC_P256);

        assert_int_equal(BIO_puts(file, "\xef\xbb\xbf"), 3);
        assert_int_equal(are_private[i]
                             ? PEM_write_bio_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL)
                             : PEM_write_bio_PUBKEY(file, pkey),
                         1);
        BIO_free(file);
        EVP_PKEY_free(pkey);
        assert_int_equal(are_private[i] ? sign_key_load_private(&key, path_of("marked"),
                                                                give_password, NULL, &failure)
                                        : sign_key_load_public(&key, path_of("marked"), &failure),
                         OTA_OK);
        sign_key_free(key);
    }
    unlink(path_of("marked"));
}

static void test_no_private_key(void **state)
{
    struct sign_key *key;
    (void)state;

    assert_int_equal(
        sign_key_load_private(&key, path_of("rsa-2048-public"), give_password, NULL, &failure),
        OTA_E_USAGE);
    assert_non_null(strstr(failure.message, "holds a public key, and only the private key"));
    assert_int_equal(sign_key_load_private(&key, directory, give_password, NULL, &failure),
                     OTA_E_USAGE);
    assert_non_null(strstr(failure.message, "Is a directory"));
    assert_int_equal(sign_key_load_private(&key, "/no\nwhere", give_password, NULL, &failure),
                     OTA_E_USAGE);
    assert_non_null(strstr(failure.message, "/no\\nwhere"));
}

/* A private key includes the public one, so it can verify. It cannot sign then, as only its public
 * part is kept. */
static void test_private_verifies(void **state)
{
    static const enum maker kinds[] = {EC_P384, RSA_2048};
    struct sign_key *key;
    (void)state;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        make_esp32();
        must_sign(kinds[i], SIGN_SHA256);
        assert_int_equal(sign_key_load_public(&key, path_of(makers[kinds[i]].name), &failure),
                         OTA_OK);
        assert_int_equal(verdict_of(key, firmware.size), SIGN_VALID);

        make_esp32();
        assert_int_equal(sign(key, SIGN_SHA256), OTA_E_INTERNAL);
        sign_key_free(key);
    }
}

static void test_key_names(void **state)
{
    enum sign_hash hash;
    (void)state;

    for (unsigned i = 0; i < SIGN_HASH_COUNT; i++) {
        assert_true(sign_hash_find(&hash, sign_hash_name((enum sign_hash)i)));
        assert_int_equal(hash, i);
    }
    assert_false(sign_hash_find(&hash, "sha1"));
    assert_false(sign_hash_find(&hash, ""));
    assert_string_equal(sign_verdict_name(SIGN_WRONG_KEY), "wrong-key");
}

static void test_key_without_memory(void **state)
{
    struct sign_key *key;
    (void)state;

    lacks_memory = true;
    enum ota_error error = sign_key_load_public(&key, path_of("p-256-public"), &failure);
    lacks_memory = false;
    assert_int_equal(error, OTA_E_INTERNAL);
    assert_string_equal(failure.message, "out of memory");
    assert_null(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),         cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_other_keys),          cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_sign_signed_already), cmocka_unit_test(test_protected_keys),
        cmocka_unit_test(test_byte_order_mark),     cmocka_unit_test(test_no_private_key),
        cmocka_unit_test(test_private_verifies),    cmocka_unit_test(test_key_names),
        cmocka_unit_test(test_key_without_memory),
    };
    return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
