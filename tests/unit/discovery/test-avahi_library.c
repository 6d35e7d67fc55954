/*
 * test-avahi_library.c: addresses as Avahi tells them.
 */
#include "discovery/avahi_library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

static void test_addresses(void **state)
{
    static const struct {
        AvahiProtocol protocol;
        const char *address;
        const char *text; /* NULL: no host has it */
    } rows[] = {
        {AVAHI_PROTO_INET, "192.0.2.7", "192.0.2.7"},
        {AVAHI_PROTO_INET, "224.0.0.251", NULL},
        {AVAHI_PROTO_INET6, "2001:db8::7", "2001:db8::7"},
        {AVAHI_PROTO_INET6, "::", NULL},
        /* libavahi-client leaves an address unset that it cannot read. */
        {AVAHI_PROTO_UNSPEC, "2001:db8::7", NULL},
        {(AvahiProtocol)77, "2001:db8::7", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const bool is_v4 = rows[i].protocol == AVAHI_PROTO_INET;
        AvahiAddress source = {.proto = rows[i].protocol};
        char text[ADDRESS_TEXT_MAX];
        struct address address;

        assert_int_equal(inet_pton(is_v4 ? AF_INET : AF_INET6, rows[i].address, source.data.data),
                         1);
        const bool is_known = avahi_library_to_address(&address, &source, 1);
        if (is_known != (rows[i].text != NULL))
            fail_msg("row %zu", i);
        if (is_known)
            assert_string_equal(address_text(text, &address), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
