/*
 * test-challenge.c: what boards and other servers ask for, and the answers. The Digest values are
 * those of RFC 2069, RFC 7616 and of Python's hashlib.
 */
#include "http/challenge.h"

#include "base/secret.h"
#include "crypto/digest.h"
#include "support/failing.h"

#include <errno.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct auth_answer given; /* by the last answer */
static struct ota_failure failure;

static char *answer_to(const struct challenge *challenge, const char *user, const char *password,
                       const char *method, const char *uri)
{
    const struct challenge_question question = {
        .challenge = challenge, .user = user, .password = password, .method = method, .uri = uri};

    return challenge_answer(&question, &given, &failure);
}

static const char *refused_hash; /* NULL: none */

EVP_MD *__real_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *algorithm, const char *properties);
EVP_MD *__wrap_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *algorithm, const char *properties);

/* As under a policy that no context of our own escapes: only a FIPS provider may have the hash. */
EVP_MD *__wrap_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *algorithm, const char *properties)
{
    const bool is_refused = refused_hash && strcmp(algorithm, refused_hash) == 0;

    return __real_EVP_MD_fetch(context, algorithm, is_refused ? "fips=yes" : properties);
}

static const struct {
    const char *value;
    enum challenge_scheme scheme;
    const char *realm;
    const char *nonce;
    bool has_qop;
} rows[] = {
    /* arduino cores; ESPAsyncWebServer */
    {"Basic realm=\"Login Required\"", CHALLENGE_BASIC, "Login Required", "", false},
    {"Digest realm=\"Login Required\", qop=\"auth\", nonce=\"1a2b\", opaque=\"c3d4\"",
     CHALLENGE_DIGEST_MD5, "Login Required", "1a2b", true},
    /* any case, blanks, no quotes, other lists of qop */
    {"digest  REALM = x ,nonce=y,qop=\"auth-int, auth\"", CHALLENGE_DIGEST_MD5, "x", "y", true},
    {"Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"", CHALLENGE_DIGEST_MD5, "x", "y", false},
    {"Digest realm=\"a \\\"b\\\"\", nonce=\"y\"", CHALLENGE_DIGEST_MD5, "a \"b\"", "y", false},
    {"Digest algorithm=SHA-256, realm=\"x\", nonce=\"y\"", CHALLENGE_DIGEST_SHA256, "x", "y",
     false},
    /* several in one header: the strongest counts */
    {"Basic realm=\"b\", Digest realm=\"d\", nonce=\"n\"", CHALLENGE_DIGEST_MD5, "d", "n", false},
    {"Digest realm=\"d\", nonce=\"n\", Basic realm=\"b\"", CHALLENGE_DIGEST_MD5, "d", "n", false},
    {"NTLM, Basic realm=\"b\"", CHALLENGE_BASIC, "b", "", false},
    /* nothing that can be answered */
    {"Digest realm=\"x\"", CHALLENGE_UNKNOWN, "", "", false},
    {"Digest realm=\"x\", nonce=\"y\", algorithm=MD5-sess", CHALLENGE_UNKNOWN, "x", "y", false},
    {"Negotiate", CHALLENGE_UNKNOWN, "", "", false},
    {"Bearer realm=\"x\"", CHALLENGE_UNKNOWN, "x", "", false},
    {"", CHALLENGE_NONE, "", "", false},
    {"=, =\"", CHALLENGE_NONE, "", "", false},
    {"Digest realm=\"x\", nonce=\"never closed", CHALLENGE_UNKNOWN, "", "", false},
    {"Digest realm=\"x\", nonce=\"ends in a backslash\\", CHALLENGE_UNKNOWN, "", "", false},
    {"Digest nonce=\"y\", realm=\"a\tb\"", CHALLENGE_DIGEST_MD5, "", "y", false},
    {"Digest realm=x, nonce=y, opaque=", CHALLENGE_DIGEST_MD5, "x", "y", false},
    {"Digest realm=x, nonce=y, qop=\"aoth, auth-int\"", CHALLENGE_DIGEST_MD5, "x", "y", false},
    {"Digest realm=x, nonce=y, algorithm=MD5, stale=TRUE", CHALLENGE_DIGEST_MD5, "x", "y", false},
    {"Basic realm=\"b\", algorithm=SHA-256", CHALLENGE_BASIC, "b", "", false},
    {"Basic realm=\"b\", Digest realm=\"d\"", CHALLENGE_BASIC, "b", "", false},
};

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct challenge challenge = {0};

        challenge_add(&challenge, rows[i].value, strlen(rows[i].value));
        if (challenge.scheme != rows[i].scheme)
            fail_msg("%s: scheme %d", rows[i].value, (int)challenge.scheme);
        assert_string_equal(challenge.realm, rows[i].realm);
        assert_string_equal(challenge.nonce, rows[i].nonce);
        assert_int_equal(challenge.has_qop, rows[i].has_qop);
    }
}

/* What is longer than a text may be is left out, and nothing behind a NUL is read. */
static void test_limits_of_texts(void **state)
{
    static const char with_nul[] = "Digest nonce=y\0z, realm=x";
    char value[2 * CHALLENGE_TEXT_MAX + 64];
    struct challenge challenge = {0};
    (void)state;

    challenge_add(&challenge, with_nul, sizeof with_nul - 1);
    assert_int_equal(challenge.scheme, CHALLENGE_DIGEST_MD5);
    assert_string_equal(challenge.nonce, "y");
    assert_string_equal(challenge.realm, "");

    for (int length = CHALLENGE_TEXT_MAX - 2; length <= CHALLENGE_TEXT_MAX; length++) {
        const bool fits = length < CHALLENGE_TEXT_MAX;

        for (int is_quoted = 0; is_quoted < 2; is_quoted++) {
            const char *quote = is_quoted ? "\"" : "";

            challenge = (struct challenge){0};
            snprintf(value, sizeof value, "Digest nonce=%s%0*d%s", quote, length, 1, quote);
            challenge_add(&challenge, value, strlen(value));
            assert_int_equal(challenge.scheme, fits ? CHALLENGE_DIGEST_MD5 : CHALLENGE_UNKNOWN);
            assert_int_equal(strlen(challenge.nonce), fits ? length : 0);
        }
    }
}

static void test_stale(void **state)
{
    static const char old[] = "Digest realm=x, nonce=y, stale=True",
                      other[] = "Digest nonce=y, stale=no";
    struct challenge challenge = {0};
    (void)state;

    challenge_add(&challenge, old, strlen(old));
    assert_true(challenge.is_stale);
    challenge = (struct challenge){0};
    challenge_add(&challenge, other, strlen(other));
    assert_false(challenge.is_stale);
}

static void test_several_headers(void **state)
{
    static const char basic[] = "Basic realm=\"b\"", digest[] = "Digest realm=\"d\", nonce=\"n\"";
    struct challenge challenge = {0};

    (void)state;
    challenge_add(&challenge, digest, strlen(digest));
    challenge_add(&challenge, basic, strlen(basic));
    assert_int_equal(challenge.scheme, CHALLENGE_DIGEST_MD5);
}

static void test_basic(void **state)
{
    const struct challenge challenge = {.scheme = CHALLENGE_BASIC};
    static const char *const pairs[][3] = {
        {"admin", "secret", "Authorization: Basic YWRtaW46c2VjcmV0"},
        {"a", "", "Authorization: Basic YTo="},
        {"ab", "", "Authorization: Basic YWI6"},
        {"a", "b:c", "Authorization: Basic YTpiOmM="},
        {"a", "\xc3\xa4\xff", "Authorization: Basic YTrDpP8="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *answer = answer_to(&challenge, pairs[i][0], pairs[i][1], "GET", "/");

        assert_non_null(answer);
        assert_string_equal(answer, pairs[i][2]);
        assert_true(!*given.cnonce && !*given.response);
        secret_free(answer);
    }
    assert_null(answer_to(&challenge, "a:b", "c", "GET", "/"));
    assert_int_equal(failure.error, OTA_E_USAGE);
    assert_non_null(strstr(failure.message, "the name of the user in the URL cannot be sent"));
}

/* RFC 2069 2.4, as corrected by its erratum: a Digest without qop. */
static void test_digest_without_qop(void **state)
{
    const struct challenge challenge = {.scheme = CHALLENGE_DIGEST_MD5,
                                        .realm = "testrealm@host.com",
                                        .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                                        .opaque = "5ccc069c403ebaf9f0171e9517f40e41",
                                        .has_opaque = true};
    char *answer = answer_to(&challenge, "Mufasa", "CircleOfLife", "GET", "/dir/index.html");

    (void)state;
    assert_non_null(answer);
    assert_string_equal(answer, "Authorization: Digest username=\"Mufasa\", "
                                "realm=\"testrealm@host.com\", "
                                "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
                                "uri=\"/dir/index.html\", "
                                "response=\"1949323746fe6a43ef61f9606e7febea\", "
                                "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
    assert_string_equal(given.response, "1949323746fe6a43ef61f9606e7febea");
    assert_string_equal(given.cnonce, "4945ecf42b1bb868634058a845bedde8"); /* user:realm:password */
    secret_free(answer);
}

/* The client nonce is random, so the response is computed again from it. */
static void check_qop_answer(enum challenge_scheme scheme,
                             int (*hash)(char *, const void *, size_t))
{
    const struct challenge challenge = {
        .scheme = scheme, .realm = "r", .nonce = "n", .has_qop = true};
    char secret[DIGEST_SHA256_HEX + 1], request[DIGEST_SHA256_HEX + 1], text[512];
    char response[DIGEST_SHA256_HEX + 1], cnonce[17] = "", expected[128];
    char *answer = answer_to(&challenge, "u", "p", "POST", "/update");

    assert_non_null(answer);
    const char *found = strstr(answer, "cnonce=\"");
    assert_non_null(found);
    memcpy(cnonce, found + 8, 16);
    assert_int_equal(hash(secret, "u:r:p", 5), 0);
    assert_int_equal(hash(request, "POST:/update", 12), 0);
    snprintf(text, sizeof text, "%s:n:00000001:%s:auth:%s", secret, cnonce, request);
    assert_int_equal(hash(response, text, strlen(text)), 0);
    snprintf(expected, sizeof expected, "response=\"%s\"", response);
    assert_non_null(strstr(answer, expected));
    assert_non_null(strstr(answer, ", qop=auth, nc=00000001, cnonce=\""));
    secret_free(answer);
}

static void test_digest_with_qop(void **state)
{
    (void)state;
    check_qop_answer(CHALLENGE_DIGEST_MD5, digest_md5);
    check_qop_answer(CHALLENGE_DIGEST_SHA256, digest_sha256);
}

/* A server that offers a Digest does not get the password itself, even if that Digest is unknown
 * here. */
static void test_basic_beside_a_digest(void **state)
{
    static const struct {
        const char *value;
        bool can_be_answered;
    } lists[] = {
        {"Basic realm=\"b\"", true},
        {"Basic realm=\"b\", NTLM", true},
        {"Basic realm=\"b\", Digest realm=\"d\", nonce=\"n\"", true},
        {"Basic realm=\"b\", Digest realm=\"d\", nonce=\"n\", algorithm=SHA-512-256", false},
        {"Digest realm=\"d\", nonce=\"n\", algorithm=MD5-sess, Basic realm=\"b\"", false},
        {"Digest realm=\"d\", Basic realm=\"b\"", false},
        {"digest nonce=\"\", Negotiate, basic realm=\"b\"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct challenge challenge = {0};

        challenge_add(&challenge, lists[i].value, strlen(lists[i].value));
        if (challenge_can_be_answered(&challenge) != lists[i].can_be_answered)
            fail_msg("%s", lists[i].value);
    }
}

/* What would end the header, or its quotes, is refused. */
static void test_injection(void **state)
{
    struct challenge challenge = {.scheme = CHALLENGE_DIGEST_MD5, .realm = "r", .nonce = "n"};

    (void)state;
    assert_null(answer_to(&challenge, "a\"b", "c", "GET", "/"));
    assert_null(answer_to(&challenge, "a\r\nb", "c", "GET", "/"));
    assert_null(answer_to(&challenge, "a", "c", "GET", "/\r\nX: y"));
    snprintf(challenge.nonce, sizeof challenge.nonce, "n\r\nX: y");
    assert_null(answer_to(&challenge, "a", "c", "GET", "/"));
    assert_false(challenge_can_be_answered(&challenge));
    challenge = (struct challenge){.scheme = CHALLENGE_UNKNOWN, .nonce = "n"};
    assert_null(answer_to(&challenge, "a", "c", "GET", "/"));
    assert_false(challenge_can_be_answered(&challenge));
    challenge.scheme = CHALLENGE_BASIC;
    assert_true(challenge_can_be_answered(&challenge));
    challenge =
        (struct challenge){.scheme = CHALLENGE_DIGEST_MD5, .realm = "a \"b\"", .nonce = "n"};
    assert_false(challenge_can_be_answered(&challenge));
    assert_int_equal(secret_count(), 0);
}

static void test_users(void **state)
{
    char longest[130];
    (void)state;

    memset(longest, 'u', sizeof longest - 1);
    longest[128] = '\0';
    assert_true(challenge_is_user(longest));
    longest[128] = 'u';
    longest[129] = '\0';
    assert_false(challenge_is_user(longest));
    assert_true(challenge_is_user("me@home"));
    for (size_t i = 0; i < 5; i++)
        assert_false(challenge_is_user(((const char *[]){"", "a:b", "a\\b", "a\x7f", "a\tb"})[i]));
}

/* Too long for an answer: none is given, rather than one that is cut. */
static void test_too_long(void **state)
{
    struct challenge challenge = {.scheme = CHALLENGE_BASIC, .realm = "r", .nonce = "n"};
    char text[5000];
    (void)state;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_null(answer_to(&challenge, "u", text, "GET", "/"));
    challenge.scheme = CHALLENGE_DIGEST_MD5;
    assert_null(answer_to(&challenge, "u", text, "GET", "/"));
    assert_null(answer_to(&challenge, "u", "p", "GET", text));
    assert_string_equal(failure.message, "the answer to the board's challenge would be too long");
    assert_int_equal(secret_count(), 0);
}

/* What libcrypto refuses is not blamed on memory. */
static void test_refused_hash(void **state)
{
    static const struct {
        enum challenge_scheme scheme;
        const char *hash;
        const char *message;
    } refusals[] = {
        {CHALLENGE_DIGEST_MD5, "MD5",
         "cannot compute the answer to the board's challenge (Digest with MD5): libcrypto of this "
         "computer refuses it, as a policy (FIPS) does not allow it or it was built without it"},
        {CHALLENGE_DIGEST_SHA256, "SHA256",
         "cannot compute the answer to the board's challenge (Digest with SHA-256): libcrypto of "
         "this computer refuses it, as a policy (FIPS) does not allow it or it was built without "
         "it"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct challenge challenge = {
            .scheme = refusals[i].scheme, .realm = "r", .nonce = "n"};

        refused_hash = refusals[i].hash;
        assert_null(answer_to(&challenge, "u", "p", "GET", "/"));
        refused_hash = NULL;
        assert_int_equal(failure.error, OTA_E_INTERNAL);
        assert_int_equal(failure.cause, OTA_CAUSE_NONE);
        assert_string_equal(failure.message, refusals[i].message);
    }
    assert_int_equal(secret_count(), 0);
}

/* Each allocation fails, most of them libcrypto's: the answer is whole, or there is none. */
static void test_answer_without_memory(void **state)
{
    const enum challenge_scheme schemes[] = {CHALLENGE_DIGEST_MD5, CHALLENGE_DIGEST_SHA256};
    (void)state;

    failing_skip_in_valgrind();
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        const struct challenge challenge = {.scheme = schemes[i], .realm = "r", .nonce = "n"};
        char *right = answer_to(&challenge, "u", "p", "GET", "/");
        bool has_failed = true;
        int refusals = 0;

        assert_non_null(right);
        for (int after = 0; has_failed; after++) {
            failing_start(FAILING_ALLOCATION, after, ENOMEM);
            char *answer = answer_to(&challenge, "u", "p", "GET", "/");
            has_failed = failing_stop();
            assert_true(answer || has_failed);
            refusals += !answer;
            if (answer)
                assert_string_equal(answer, right);
            else
                assert_int_equal(failure.cause, OTA_CAUSE_OUT_OF_MEMORY);
            secret_free(answer);
        }
        assert_true(refusals >= 2);
        secret_free(right);
    }
    assert_int_equal(secret_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),           cmocka_unit_test(test_several_headers),
        cmocka_unit_test(test_basic),           cmocka_unit_test(test_digest_without_qop),
        cmocka_unit_test(test_digest_with_qop), cmocka_unit_test(test_basic_beside_a_digest),
        cmocka_unit_test(test_injection),       cmocka_unit_test(test_limits_of_texts),
        cmocka_unit_test(test_stale),           cmocka_unit_test(test_users),
        cmocka_unit_test(test_too_long),        cmocka_unit_test(test_answer_without_memory),
        cmocka_unit_test(test_refused_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
