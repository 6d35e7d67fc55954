/*
 * test-authority.c: Host headers for addresses of both kinds, names and ports.
 */
#include "http/authority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *address;
    uint16_t port;
    const char *name;
    uint16_t default_port;
    const char *text;
} rows[] = {
    {"10.0.0.7", 80, NULL, 80, "10.0.0.7"},
    {"10.0.0.7", 65280, NULL, 80, "10.0.0.7:65280"},
    {"10.0.0.7", 80, NULL, 443, "10.0.0.7:80"},
    {"fe80::1%lo", 80, NULL, 80, "[fe80::1]"},
    {"fe80::1%lo", 8080, NULL, 80, "[fe80::1]:8080"},
    {"fe80::1%lo", 443, "board.example", 443, "board.example"},
    {"10.0.0.7", 8443, "board.example", 443, "board.example:8443"},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address address;
        char text[HTTP_AUTHORITY_MAX];

        assert_true(address_parse(&address, rows[i].address));
        address_set_port(&address, rows[i].port);
        assert_string_equal(http_authority(text, &address, rows[i].name, rows[i].default_port),
                            rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
