/*
 * test-endpoints.c: the order in which the endpoints of a board are tried.
 */
#include "upload/endpoints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct endpoint_port default_ports[] = {{.number = 8266, .source = "a"},
                                                     {.number = 3232, .source = "b"},
                                                     {.number = 2040, .source = "c"}};

static struct endpoints endpoints_with(size_t addresses, size_t ports)
{
    struct endpoints endpoints = {.address_count = addresses, .port_count = ports};
    char text[] = "10.0.0.?";

    for (size_t i = 0; i < addresses; i++) {
        text[sizeof text - 2] = (char)('1' + i);
        assert_true(address_parse(&endpoints.addresses[i], text));
    }
    memcpy(endpoints.ports, default_ports, sizeof default_ports);
    return endpoints;
}

/* course is the sequence of tries: "a1" is the first port of the first address. hosts has a letter
 * for each address: "+" is a host that refuses, "-" is silence. */
static void test_course(void **state)
{
    (void)state;
    static const struct {
        size_t addresses, ports;
        const char *hosts, *course;
    } rows[] = {
        {1, 1, "-", "a1 a1 a1 "},
        {1, 1, "+", "a1 a1 a1 "},
        {2, 1, "--", "a1 b1 a1 b1 "},
        {3, 1, "---", "a1 b1 c1 a1 b1 "},
        {1, 3, "+", "a1 a2 a3 a1 a2 "},
        {1, 3, "-", "a1 a2 a3 a1 a2 "},
        {2, 3, "-+", "a1 b1 b2 b3 a2 a3 a1 "}, /* one resend period is lost with the dead one */
        {2, 3, "+-", "a1 a2 a3 b1 b2 b3 a1 "},
        {2, 3, "--", "a1 b1 a2 b2 a3 b3 a1 "},
        {2, 3, "++", "a1 a2 a3 b1 b2 b3 a1 "},
        {8, 3, "--------", "a1 b1 c1 d1 e1 f1 g1 h1 a2 b2 "},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct endpoints endpoints = endpoints_with(rows[i].addresses, rows[i].ports);
        unsigned tries[ENDPOINTS_MAX] = {0};
        char course[128] = "";
        size_t number = 0;

        while (strlen(course) < strlen(rows[i].course)) {
            size_t host = number / rows[i].ports, length = strlen(course);

            tries[number]++;
            snprintf(course + length, sizeof course - length, "%c%zu ", (char)('a' + host),
                     number % rows[i].ports + 1);
            number = endpoints_next(&endpoints, tries, number, rows[i].hosts[host] == '+');
        }
        assert_string_equal(course, rows[i].course);
    }
}

static void test_endpoint_values(void **state)
{
    (void)state;
    static const char *const texts[] = {"10.0.0.1:8266", "10.0.0.1:3232", "10.0.0.1:2040",
                                        "10.0.0.2:8266", "10.0.0.2:3232", "10.0.0.2:2040"};
    const struct endpoints endpoints = endpoints_with(2, 3);
    char text[ADDRESS_TEXT_MAX + 8];

    assert_int_equal(endpoints_count(&endpoints), COUNT(texts));
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct address address = endpoints_get(&endpoints, i);

        assert_string_equal(address_text_port(text, &address), texts[i]);
        assert_string_equal(endpoints_port_source(&endpoints, i), default_ports[i % 3].source);
    }
}

static void test_endpoint_overlap(void **state)
{
    (void)state;
    const struct endpoints both = endpoints_with(2, 3), none = {0};
    struct endpoints other = endpoints_with(1, 1);

    assert_true(endpoints_overlap(&both, &both));
    other.ports[0].number = 2040;
    assert_true(endpoints_overlap(&both, &other));
    assert_true(endpoints_overlap(&other, &both));
    other.ports[0].number = 8300;
    assert_false(endpoints_overlap(&both, &other));
    assert_true(address_parse(&other.addresses[0], "10.0.0.3"));
    other.ports[0].number = 8266;
    assert_false(endpoints_overlap(&both, &other));
    assert_false(endpoints_overlap(&both, &none));
    assert_false(endpoints_overlap(&none, &both));
}

static void test_endpoint_parts(void **state)
{
    (void)state;
    struct endpoints both = endpoints_with(2, 3), one = endpoints_with(1, 3);
    const struct endpoints none = {0};
    char text[ADDRESS_TEXT_MAX + 8];

    assert_true(endpoints_contain(&both, &both));
    assert_true(endpoints_contain(&both, &one));
    assert_false(endpoints_contain(&one, &both));
    assert_true(endpoints_contain(&one, &none));

    endpoints_narrow(&both, 4);
    assert_int_equal(endpoints_count(&both), 1);
    const struct address left = endpoints_get(&both, 0);
    assert_string_equal(address_text_port(text, &left), "10.0.0.2:3232");
    assert_false(endpoints_overlap(&both, &one));
}

static void test_preference(void **state)
{
    (void)state;
    static const struct {
        const char *preferred;
        uint16_t port;
        const char *addresses[3];
        uint16_t ports[3];
    } rows[] = {
        {"10.0.0.1", 8266, {"10.0.0.1", "10.0.0.2", "10.0.0.3"}, {8266, 3232, 2040}},
        {"10.0.0.2", 3232, {"10.0.0.2", "10.0.0.1", "10.0.0.3"}, {3232, 8266, 2040}},
        {"10.0.0.3", 2040, {"10.0.0.3", "10.0.0.1", "10.0.0.2"}, {2040, 8266, 3232}},
        {"10.0.0.9", 2040, {"10.0.0.1", "10.0.0.2", "10.0.0.3"}, {2040, 8266, 3232}},
        {"10.0.0.3", 8300, {"10.0.0.3", "10.0.0.1", "10.0.0.2"}, {8266, 3232, 2040}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct endpoints endpoints = endpoints_with(3, 3);
        struct address preferred;
        char text[ADDRESS_TEXT_MAX];

        assert_true(address_parse(&preferred, rows[i].preferred));
        address_set_port(&preferred, rows[i].port);
        endpoints_prefer(&endpoints, &preferred);
        assert_int_equal(endpoints_count(&endpoints), 9);
        for (size_t k = 0; k < 3; k++) {
            assert_string_equal(address_text(text, &endpoints.addresses[k]), rows[i].addresses[k]);
            assert_int_equal(endpoints.ports[k].number, rows[i].ports[k]);
        }
    }
}

/* The ports stay; an address that is none of them removes nothing. */
static void test_only_address(void **state)
{
    (void)state;
    static const struct {
        const char *kept;
        size_t count;
        const char *first;
    } rows[] = {{"10.0.0.2", 1, "10.0.0.2"}, {"10.0.0.9", 3, "10.0.0.1"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct endpoints endpoints = endpoints_with(3, 3);
        char text[ADDRESS_TEXT_MAX];
        struct address kept;

        assert_true(address_parse(&kept, rows[i].kept));
        endpoints_keep(&endpoints, &kept);
        assert_int_equal(endpoints.address_count, rows[i].count);
        assert_int_equal(endpoints.port_count, 3);
        assert_string_equal(address_text(text, &endpoints.addresses[0]), rows[i].first);
    }
}

/* The ports do not matter; the order of the addresses stays. */
static void test_others_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *others[2];
        size_t left;
        const char *first;
        bool are_same;
    } rows[] = {
        {{"10.0.0.1", NULL}, 1, "10.0.0.2", false},
        {{"10.0.0.2", NULL}, 1, "10.0.0.1", false},
        {{"10.0.0.9", NULL}, 2, "10.0.0.1", false},
        {{"10.0.0.9", "10.0.0.1"}, 1, "10.0.0.2", false},
        {{"10.0.0.2", "10.0.0.1"}, 0, NULL, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct endpoints endpoints = endpoints_with(2, 2), others = endpoints_with(2, 1);
        char text[ADDRESS_TEXT_MAX];

        others.ports[0].number = 80;
        others.address_count = rows[i].others[1] ? 2 : 1;
        for (size_t k = 0; k < others.address_count; k++)
            assert_true(address_parse(&others.addresses[k], rows[i].others[k]));
        assert_int_equal(endpoints_have_same_addresses(&endpoints, &others), rows[i].are_same);
        assert_int_equal(endpoints_have_same_addresses(&others, &endpoints), rows[i].are_same);
        endpoints_drop_addresses(&endpoints, &others);
        assert_int_equal(endpoints.address_count, rows[i].left);
        assert_int_equal(endpoints.port_count, 2);
        if (rows[i].left)
            assert_string_equal(address_text(text, &endpoints.addresses[0]), rows[i].first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_course),           cmocka_unit_test(test_endpoint_values),
        cmocka_unit_test(test_endpoint_overlap), cmocka_unit_test(test_endpoint_parts),
        cmocka_unit_test(test_preference),       cmocka_unit_test(test_only_address),
        cmocka_unit_test(test_others_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
