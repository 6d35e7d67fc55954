/*
 * test-source.c: values of -I, with the interface that every computer has. setsockopt(2) fails when
 * a test asks for it.
 */
#include "net/source.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int refused_with; /* errno of setsockopt(2); 0: it succeeds */

int __real_setsockopt(int descriptor, int level, int name, const void *value, socklen_t length);
int __wrap_setsockopt(int descriptor, int level, int name, const void *value, socklen_t length);

int __wrap_setsockopt(int descriptor, int level, int name, const void *value, socklen_t length)
{
    if (refused_with == 0)
        return __real_setsockopt(descriptor, level, name, value, length);
    errno = refused_with;
    return -1;
}

static void test_parse_source(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown; /* shown: NULL: rejected */
    } rows[] = {
        {"127.0.0.7", "127.0.0.7"},
        {"192.0.2.1", NULL}, /* of no host (RFC 5737) */
        {"2001:db8::1", NULL},
        {"::", "::"},
        {"fe80::1", "fe80::1"}, /* its interface is asked for by the caller */
        {"0.0.0.0", "0.0.0.0"},
        {"::1", "::1"},
        {"lo", "lo"},
        {"fe80::1%lo", NULL},
        {"127.255.255.255", NULL}, /* a broadcast address, to which a socket can be bound */
        {"255.255.255.255", NULL},
        {"224.0.0.1", NULL},
        {"ff02::1", NULL},
        {"no-such", NULL},
        {"", NULL},
        {"lo ", NULL},
        {"lo:1", NULL},
        {"a-name-longer-than-interfaces-have", NULL},
        {"1", NULL},
        {"../lo", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char shown[SOURCE_TEXT_MAX];
        struct ota_failure failure = {0};
        struct source source;
        enum ota_error error = source_parse(&source, rows[i].text, &failure);

        assert_int_equal(error, rows[i].shown ? OTA_OK : OTA_E_USAGE);
        if (rows[i].shown)
            assert_string_equal(source_text(shown, &source), rows[i].shown);
        else
            assert_non_null(strstr(failure.message, "lo")); /* what there is */
    }
}

static void test_source_text(void **state)
{
    (void)state;
    char text[SOURCE_TEXT_MAX];
    const struct source odd = {.interface = "a\x1b\x62"};

    assert_string_equal(source_text(text, &source_any), "any address");
    assert_string_equal(source_text(text, &odd), "a\\x1bb");
}

/* The local address of a socket that is bound to the source. */
static int bind_to(const struct source *source, const char *peer_text, char text[ADDRESS_TEXT_MAX])
{
    struct address peer, local = {0};
    socklen_t length;
    int descriptor, rc, reason;

    assert_true(address_parse(&peer, peer_text));
    descriptor = socket(peer.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    rc = source_bind(descriptor, source, &peer);
    reason = errno;
    length = address_length(&peer);
    assert_int_equal(getsockname(descriptor, &local.any, &length), 0);
    address_text(text, &local);
    close(descriptor);
    errno = reason;
    return rc;
}

static void test_bind(void **state)
{
    (void)state;
    const struct source lo = {.interface = "lo"}, gone = {.interface = "no-such"};
    const struct source address = {
        .has_address = true,
        .address.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000007)}};
    char text[ADDRESS_TEXT_MAX];

    assert_int_equal(bind_to(&source_any, "10.0.0.7", text), 0);
    assert_string_equal(text, "0.0.0.0");
    assert_int_equal(bind_to(&address, "127.0.0.1", text), 0);
    assert_string_equal(text, "127.0.0.7");
    assert_int_equal(bind_to(&lo, "127.0.0.9", text), 0);
    assert_string_equal(text, "0.0.0.0"); /* the kernel chooses */
    assert_int_equal(bind_to(&address, "::1", text), -1);
    assert_int_equal(errno, EAFNOSUPPORT);
    assert_int_equal(bind_to(&gone, "127.0.0.9", text), -1);
    assert_int_equal(errno, ENODEV);
}

/* The kernel sends to no other computer from a loopback address, but swallows what is sent there
 * through the loopback interface. */
static void test_loopback_leads_nowhere(void **state)
{
    (void)state;
    const struct source lo = {.interface = "lo"};
    char text[ADDRESS_TEXT_MAX];

    assert_int_equal(bind_to(&lo, "192.0.2.7", text), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(bind_to(&lo, "2001:db8::7", text), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(bind_to(&lo, "127.0.0.1", text), 0);
}

/* In older kernels only root can bind to an interface: its address in the family of the peer is
 * used. */
static void test_not_allowed(void **state)
{
    (void)state;
    const struct source lo = {.interface = "lo"}, none = {.interface = "no-such"};
    char text[ADDRESS_TEXT_MAX];

    refused_with = EPERM;
    assert_int_equal(bind_to(&lo, "10.0.0.7", text), 0);
    assert_string_equal(text, "127.0.0.1");
    assert_int_equal(bind_to(&lo, "fe80::7%lo", text), -1); /* it has no address in this family */
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_int_equal(bind_to(&none, "10.0.0.7", text), -1);
    assert_int_equal(source_bind(-1, &lo, NULL), 0); /* a listener then listens on all addresses */
    refused_with = ENODEV;
    assert_int_equal(bind_to(&lo, "10.0.0.7", text), -1);
    assert_int_equal(errno, ENODEV);
    refused_with = 0;
}

static void test_toward(void **state)
{
    const struct source bound = {
        .has_address = true,
        .address.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000007)}};
    struct address source, peer;
    char text[ADDRESS_TEXT_MAX];
    (void)state;

    assert_true(address_parse(&peer, "127.0.0.9"));
    address_set_port(&peer, 80);
    assert_int_equal(source_toward(&source, &source_any, &peer), 0);
    assert_string_equal(address_text(text, &source), "127.0.0.1");
    assert_int_equal(address_port(&source), 0);
    assert_true(address_parse(&peer, "255.255.255.255")); /* a broadcast has to be asked for */
    address_set_port(&peer, 80);
    assert_int_equal(source_toward(&source, &source_any, &peer), EACCES);
    assert_true(source_is_broadcast(&peer));
    assert_true(address_parse(&peer, "127.0.0.9"));
    assert_false(source_is_broadcast(&peer));
    assert_int_equal(source_toward(&source, &bound, &peer), 0);
    assert_string_equal(address_text(text, &source), "127.0.0.7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_source), cmocka_unit_test(test_source_text),
        cmocka_unit_test(test_bind),         cmocka_unit_test(test_loopback_leads_nowhere),
        cmocka_unit_test(test_not_allowed),  cmocka_unit_test(test_toward)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
