/*
 * test-image_prepare.c: which formats are compressed, left alone and refused, and with which
 * message.
 */
#include "image/image_prepare.h"

#include "crypto/digest.h"
#include "support/capture.h"
#include "support/failing.h"
#include "support/samples.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

static struct capture capture;

/* Beside a running sketch of its size there is no room for it, but for it compressed. */
static void make_full_esp8266(void)
{
    firmware_make_esp8266(
        &firmware, &(struct firmware_esp8266){.flash = 1, .has_eboot = true, .size = 125000});
}

static void make_signed(void)
{
    make_esp8266();
    firmware_sign_esp8266(&firmware, 256);
}

static void make_signed_pico(void)
{
    make_pico();
    firmware_sign_esp8266(&firmware, 256);
}

static void make_signed_unknown(void)
{
    make_unknown();
    firmware_sign_esp8266(&firmware, 512);
}

static void make_signed_filesystem(void)
{
    make_littlefs();
    firmware_sign_esp8266(&firmware, 128);
}

static void make_signed_gzip(void)
{
    make_gzip();
    firmware_sign_esp8266(&firmware, 256);
}

static void make_partition_table(void)
{
    firmware_make_partition_table(&firmware, true);
}

static void make_fat(void)
{
    firmware_make_fat(&firmware, true);
}

static void make_spiffs(void)
{
    firmware_make_spiffs(&firmware, 8192, 8, true);
}

static void make_elf(void)
{
    firmware_make_elf(&firmware, 94);
}

static void make_hex(void)
{
    firmware_make_hex(&firmware);
}

/* No byte comes twice. */
static void make_incompressible(void)
{
    firmware_clear(&firmware);
    for (unsigned i = 0; i < 200; i++)
        firmware_fill(&firmware, (unsigned char)(i * 7 + 3), 1);
}

static struct image *load_image_to_prepare(void)
{
    struct image *image = calloc(1, sizeof *image);

    assert_non_null(image);
    image->path = strdup("build/fw\x1b.bin");
    image->family = IMAGE_ESP8266;
    image->size = image->file_size = firmware.size;
    image->data = malloc(firmware.size);
    assert_true(image->path && image->data);
    memcpy(image->data, firmware.data, firmware.size);
    inspect_image(&image->inspection, image->data, image->size);
    assert_int_equal(digest_md5(image->md5, image->data, image->size), 0);
    snprintf(image->sha256, sizeof image->sha256, "of the file");
    return image;
}

static enum ota_error prepare(struct image **image, const struct prepare_settings *settings,
                              struct ota_failure *failure)
{
    capture_begin(&capture);
    enum ota_error error = image_prepare(image, settings, NULL, failure);
    capture_end(&capture);
    assert_string_equal(capture.text_out, "");
    return error;
}

static void expect_packed(const struct image *image, const struct image *plain)
{
    char md5[DIGEST_MD5_HEX + 1];

    assert_ptr_equal(image->plain, plain);
    assert_true(image->size < plain->size);
    assert_int_equal(image->file_size, plain->size);
    assert_memory_equal(image->data, "\x1F\x8B", 2);
    assert_int_equal(digest_md5(md5, image->data, image->size), 0);
    assert_string_equal(image->md5, md5);
    assert_string_equal(image->sha256, plain->sha256);
    assert_string_equal(image->path, plain->path);
    assert_int_equal(image->family, plain->family);
    assert_null(plain->plain);
    assert_int_equal(plain->size, firmware.size);
}

enum outcome { PACKED, LEFT, REFUSED };

static const struct {
    void (*make)(void);
    enum outcome outcome;
    enum ota_error error;
    const char *says; /* a part of it */
    bool is_signed_file;
} formats_rows[] = {
    {make_esp8266, PACKED, OTA_OK, "build/fw\\x1b.bin is compressed from ", false},
    {make_pico, PACKED, OTA_OK, " is compressed from ", false},
    {make_littlefs, PACKED, OTA_OK, " is compressed from ", false},
    {make_spiffs, PACKED, OTA_OK, " is compressed from ", false},
    {make_unknown, PACKED, OTA_OK, " is compressed from ", false},
    {make_incompressible, LEFT, OTA_OK, "does not get smaller", false},
    {make_gzip, LEFT, OTA_OK, "is compressed already", false},
    {make_signed_gzip, LEFT, OTA_OK, "is compressed already", false},
    {make_gzip, LEFT, OTA_OK, "is compressed already", true},
    {make_signed, REFUSED, OTA_E_USAGE, "sign after compressing", false},
    {make_signed_pico, REFUSED, OTA_E_USAGE, "sign after compressing", false},
    {make_signed_unknown, REFUSED, OTA_E_USAGE, "sign after compressing", false},
    {make_signed_filesystem, REFUSED, OTA_E_USAGE, "sign after compressing", false},
    {make_esp8266, REFUSED, OTA_E_USAGE, "sign after compressing", true},
    {make_esp32, REFUSED, OTA_E_USAGE, "ESP32 boards, which do not unpack", false},
    {make_factory, REFUSED, OTA_E_USAGE, "ESP32 boards, which do not unpack", false},
    {make_partition_table, REFUSED, OTA_E_USAGE, "which do not unpack", false},
    {make_fat, REFUSED, OTA_E_USAGE, "ESP32 boards, which do not unpack", false},
    {make_elf, REFUSED, OTA_E_IMAGE, "the linker's output", false},
    {make_uf2, REFUSED, OTA_E_IMAGE, "USB drive", false},
    {make_hex, REFUSED, OTA_E_IMAGE, "not text", false},
};

static void test_formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof formats_rows / sizeof *formats_rows; i++) {
        const struct prepare_settings settings = {.compress = true};
        struct ota_failure failure = {.error = OTA_OK};
        formats_rows[i].make();
        struct image *plain = load_image_to_prepare(), *image = plain;
        plain->is_signed = formats_rows[i].is_signed_file;
        assert_int_equal(prepare(&image, &settings, &failure), formats_rows[i].error);
        const char *said = formats_rows[i].outcome == REFUSED ? failure.message : capture.text_err;
        if (!strstr(said, formats_rows[i].says))
            fail_msg("row %zu: no \"%s\" in \"%s\"", i, formats_rows[i].says, said);
        assert_null(strstr(capture.text_err, "warning: "));
        if (formats_rows[i].outcome == PACKED) {
            expect_packed(image, plain);
        } else {
            assert_ptr_equal(image, plain);
            assert_null(image->plain);
        }
        image_free(image);
    }
}

/* What is compressed is judged as such a file would be. */
static void test_packed_verdict(void **state)
{
    static const struct {
        void (*make)(void);
        enum inspect_sending sending;
        unsigned families;
        const char *says; /* a part of the verdict */
    } rows[] = {
        {make_esp8266, INSPECT_SENDABLE, INSPECT_FAMILY_ESP8266, "to ESP8266 boards"},
        {make_full_esp8266, INSPECT_SENDABLE, INSPECT_FAMILY_ESP8266, "to ESP8266 boards"},
        {make_littlefs, INSPECT_DOUBTFUL, INSPECT_FAMILY_ESP8266, "ATOMIC_FS_UPDATE"},
        {make_spiffs, INSPECT_DOUBTFUL, INSPECT_FAMILY_ESP8266, "ATOMIC_FS_UPDATE"},
        {make_unknown, INSPECT_DOUBTFUL, INSPECT_FAMILY_ESP8266 | INSPECT_FAMILY_PICO,
         "only ESP8266 and Pico W boards unpack"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct prepare_settings settings = {.compress = true,
                                                  .command = OTA_COMMAND_FILESYSTEM};
        struct ota_failure failure;

        rows[i].make();
        struct image *plain = load_image_to_prepare(), *image = plain;
        const struct inspection before = plain->inspection;
        assert_int_equal(prepare(&image, &settings, &failure), OTA_OK);
        assert_int_equal(image->command, OTA_COMMAND_FILESYSTEM);
        assert_int_equal(image->inspection.sending, rows[i].sending);
        assert_int_equal(image->inspection.families, rows[i].families);
        if (!strstr(image->inspection.verdict, rows[i].says))
            fail_msg("row %zu: \"%s\"", i, image->inspection.verdict);
        assert_memory_equal(&plain->inspection, &before, sizeof before);
        image_free(image);
    }
}

static void test_nothing_to_do(void **state)
{
    const struct prepare_settings settings = {.compress = false};
    struct ota_failure failure;
    (void)state;

    make_signed();
    struct image *image = load_image_to_prepare(), *same = image;
    assert_int_equal(prepare(&image, &settings, &failure), OTA_OK);
    assert_ptr_equal(image, same);
    assert_string_equal(capture.text_err, "");
    image_free(image);
}

static enum ota_error never_ask(char **password, const char *shown, void *userdata,
                                struct ota_failure *failure)
{
    (void)shown;
    (void)userdata;
    (void)failure;
    *password = NULL;
    return OTA_E_INTERNAL;
}

/* A key of its own in each run. */
static struct sign_key *make_key(void)
{
    char path[] = "/tmp/esp-ota-test-prepare-XXXXXX";
    struct ota_failure failure;
    struct sign_key *key;
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    int descriptor = mkstemp(path);
    BIO *file = BIO_new_fd(descriptor, BIO_CLOSE);

    assert_true(descriptor >= 0 && pkey && file);
    assert_int_equal(PEM_write_bio_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL), 1);
    BIO_free(file);
    EVP_PKEY_free(pkey);
    assert_int_equal(sign_key_load_private(&key, path, never_ask, NULL, &failure), OTA_OK);
    unlink(path);
    return key;
}

static void expect_signed(const struct image *image, const struct sign_key *key)
{
    char md5[DIGEST_MD5_HEX + 1];
    struct inspection inspection;
    struct signature signature;
    struct ota_failure failure;
    const struct sign_file file = {"x", image->data, image->size, &inspection};

    inspect_image(&inspection, image->data, image->size);
    assert_int_equal(sign_verify(&signature, key, &file, &failure), OTA_OK);
    assert_string_equal(sign_verdict_name(signature.verdict), "valid");
    assert_int_equal(digest_md5(md5, image->data, image->size), 0);
    assert_string_equal(image->md5, md5);
    assert_int_equal(image->file_size, firmware.size);
    assert_string_equal(image->sha256, "of the file");
}

/* Behind the image to send: compressed, and plain for boards that want this instead. */
static void test_signing(void **state)
{
    static const struct {
        void (*make)(void);
        bool compress;
    } rows[] = {{make_esp8266, false}, {make_esp8266, true}, {make_esp32, false},
                {make_gzip, false},    {make_pico, false},   {make_littlefs, true}};
    struct sign_key *key = make_key();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct prepare_settings settings = {.compress = rows[i].compress};
        struct ota_failure failure;
        rows[i].make();
        struct image *image = load_image_to_prepare();
        capture_begin(&capture);
        enum ota_error error = image_prepare(&image, &settings, key, &failure);
        capture_end(&capture);
        assert_int_equal(error, OTA_OK);
        assert_non_null(strstr(capture.text_err, "build/fw\\x1b.bin is signed\n"));
        expect_signed(image, key);
        assert_int_equal(image->plain != NULL, rows[i].compress);
        if (image->plain)
            expect_signed(image->plain, key);
        image_free(image);
    }
    sign_key_free(key);
}

/* ESP32 boards check signatures unlike the others: a filesystem image for both gets two with an RSA
 * key, unless the port tells which one is needed. */
static void test_signing_for_both(void **state)
{
    static const struct {
        uint16_t port;
        bool is_for_boards;
        enum ota_error error;
        bool is_for_both;
        size_t trailer_size;
    } rows[] = {
        {0, false, OTA_E_USAGE, false, 0},    {0, true, OTA_OK, true, 260},
        {3232, true, OTA_OK, false, 512},     {8266, true, OTA_OK, false, 260},
        {2040, false, OTA_OK, false, 260},    {3232, false, OTA_OK, false, 512},
        {4000, false, OTA_E_USAGE, false, 0}, {4000, true, OTA_OK, true, 260},
    };
    struct sign_key *key = make_key();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct prepare_settings settings = {.port = rows[i].port,
                                                  .is_for_boards = rows[i].is_for_boards};
        struct ota_failure failure;
        make_littlefs();
        struct image *image = load_image_to_prepare();
        capture_begin(&capture);
        enum ota_error error = image_prepare(&image, &settings, key, &failure);
        capture_end(&capture);
        assert_int_equal(error, rows[i].error);
        assert_int_equal(image->size, firmware.size + rows[i].trailer_size);
        assert_int_equal(image->for_esp32 != NULL, rows[i].is_for_both);
        if (error == OTA_OK)
            expect_signed(image, key);
        if (image->for_esp32) {
            assert_int_equal(image->for_esp32->size, firmware.size + 512);
            expect_signed(image->for_esp32, key);
        }
        image_free(image);
    }
    sign_key_free(key);
}

static void test_prepare_signed_already(void **state)
{
    const struct prepare_settings settings = {.compress = false};
    struct sign_key *key = make_key();
    struct ota_failure failure;
    (void)state;

    make_signed();
    struct image *image = load_image_to_prepare();
    assert_int_equal(image_prepare(&image, &settings, key, &failure), OTA_E_IMAGE);
    assert_non_null(strstr(failure.message, "is signed already"));
    assert_int_equal(image->size, firmware.size);
    image_free(image);
    sign_key_free(key);
}

static void test_prepare_no_memory(void **state)
{
    const struct prepare_settings settings = {.compress = true};
    struct ota_failure failure;
    (void)state;

    make_esp8266();
    struct image *image = load_image_to_prepare(), *same = image;
    capture_begin(&capture);
    failing_start_for_good(FAILING_ALLOCATION, ENOMEM);
    enum ota_error error = image_prepare(&image, &settings, NULL, &failure);
    failing_stop();
    capture_end(&capture);
    assert_int_equal(error, OTA_E_INTERNAL);
    assert_int_equal(failure.cause, OTA_CAUSE_OUT_OF_MEMORY);
    assert_ptr_equal(image, same);
    image_free(image);
}

/* Each allocation fails: the image is ready in all of its forms, or that is said. */
static void test_prepare_without_memory(void **state)
{
    static const struct {
        void (*make)(void);
        struct prepare_settings settings;
        bool has_key;
    } rows[] = {
        {make_esp8266, {.compress = true}, false},
        {make_esp8266, {.compress = true}, true},
        {make_littlefs, {.is_for_boards = true}, true},
    };
    (void)state;

    failing_skip_in_valgrind();
    struct sign_key *key = make_key();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool has_failed = true;
        int failures = 0;

        rows[i].make();
        for (int after = 0; has_failed; after += after < 60 ? 1 : 29) { /* later ones are alike */
            struct image *image = load_image_to_prepare();
            struct ota_failure failure = {.error = OTA_OK};

            capture_begin(&capture);
            failing_start(FAILING_ALLOCATION, after, ENOMEM);
            enum ota_error error =
                image_prepare(&image, &rows[i].settings, rows[i].has_key ? key : NULL, &failure);
            has_failed = failing_stop();
            capture_end(&capture);
            if (error == OTA_OK) {
                assert_int_equal(!image->plain, !rows[i].settings.compress);
                assert_int_equal(!image->for_esp32, !rows[i].settings.is_for_boards);
                if (rows[i].has_key)
                    expect_signed(image, key);
            } else {
                assert_true(has_failed);
                assert_int_equal(error, OTA_E_INTERNAL);
                assert_int_equal(failure.error, error);
                assert_int_equal(failure.cause, OTA_CAUSE_OUT_OF_MEMORY);
                failures++;
            }
            image_free(image);
        }
        assert_true(failures >= 3);
    }
    sign_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_packed_verdict),
        cmocka_unit_test(test_signing),
        cmocka_unit_test(test_signing_for_both),
        cmocka_unit_test(test_prepare_signed_already),
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_prepare_without_memory),
        cmocka_unit_test(test_prepare_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
