/* test-mdns_answer.c: records of a worker that something on the network has taken over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discovery/mdns_answer.h"

#include <string.h>

static struct mdns_answer make_answer(void)
{
    struct mdns_answer answer = {.event = MDNS_FOUND, .has_address = true, .port = 8266};

    assert_true(address_parse(&answer.address, "192.0.2.7"));
    return answer;
}

static void test_sound_answers(void **state)
{
    struct mdns_answer answer = make_answer();

    (void)state;
    assert_true(mdns_answer_is_sound(&answer));
    assert_true(address_parse(&answer.address, "fe80::7"));
    assert_true(mdns_answer_is_sound(&answer));
    answer.has_address = false;
    memset(&answer.address, 0, sizeof answer.address);
    assert_true(mdns_answer_is_sound(&answer));
    assert_true(address_parse(&answer.address, "0.0.0.0")); /* announced, but no board's */
    assert_true(mdns_answer_is_sound(&answer));
    memset(answer.instance, 'a', sizeof answer.instance - 1);
    memset(answer.pairs, '=', sizeof answer.pairs - 2);
    assert_true(mdns_answer_is_sound(&answer));
}

/* ports.c takes the value of each. */
static void test_pairs_without_a_value(void **state)
{
    static const char pairs[] = "board=esp32\0auth_upload";
    struct mdns_answer answer = make_answer();

    (void)state;
    memcpy(answer.pairs, pairs, sizeof pairs);
    assert_false(mdns_answer_is_sound(&answer));
    answer.pairs[sizeof pairs - 1] = '=';
    assert_true(mdns_answer_is_sound(&answer));
}

static void test_texts_without_an_end(void **state)
{
    static const struct {
        size_t offset, size;
    } texts[] = {
#define TEXT(field)                                                                                \
    {offsetof(struct mdns_answer, field), sizeof(((struct mdns_answer *)NULL)->field)}
        TEXT(interface),
        TEXT(instance),
        TEXT(host),
        TEXT(type),
        TEXT(version),
        TEXT(reason),
        TEXT(esphome.version),
        TEXT(esphome.platform),
        TEXT(esphome.config_hash),
        TEXT(esphome.project),
        TEXT(esphome.project_version),
        TEXT(pairs),
#undef TEXT
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct mdns_answer answer = make_answer();

        memset((char *)&answer + texts[i].offset, 'a', texts[i].size);
        assert_false(mdns_answer_is_sound(&answer));
    }

    struct mdns_answer answer = make_answer();
    memset(answer.pairs, '=', sizeof answer.pairs - 1); /* no empty string behind it */
    assert_false(mdns_answer_is_sound(&answer));
}

static void test_numbers_without_a_meaning(void **state)
{
    struct mdns_answer answer = make_answer();

    (void)state;
    answer.event = (enum mdns_event)(MDNS_UNAVAILABLE + 1);
    assert_false(mdns_answer_is_sound(&answer));
    answer = make_answer();
    answer.service = SERVICE_COUNT;
    assert_false(mdns_answer_is_sound(&answer));
    answer = make_answer();
    answer.password = (enum txt_record_flag)(TXT_YES + 1);
    assert_false(mdns_answer_is_sound(&answer));
    answer = make_answer();
    answer.lack = OTA_CAUSE_COUNT;
    assert_false(mdns_answer_is_sound(&answer));
}

/* Read as a bool, such a byte could be neither true nor false. */
static void test_flags_of_neither_value(void **state)
{
    static const size_t flags[] = {offsetof(struct mdns_answer, has_address),
                                   offsetof(struct mdns_answer, is_further),
                                   offsetof(struct mdns_answer, is_local)};

    (void)state;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct mdns_answer answer = make_answer();

        for (int value = 0; value <= UINT8_MAX; value++) {
            memset((char *)&answer + flags[i], value, 1);
            assert_int_equal(mdns_answer_is_sound(&answer), value <= 1);
        }
    }
}

static void test_addresses_of_no_board(void **state)
{
    static const char *const table[] = {"0.0.0.0", "255.255.255.255", "224.0.0.251",
                                        "::", "ff02::1"};

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct mdns_answer answer = make_answer();

        assert_true(address_parse(&answer.address, table[i]));
        assert_false(mdns_answer_is_sound(&answer));
    }

    struct mdns_answer answer = make_answer();
    answer.address.any.sa_family = AF_UNIX;
    assert_false(mdns_answer_is_sound(&answer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_answers),
        cmocka_unit_test(test_pairs_without_a_value),
        cmocka_unit_test(test_texts_without_an_end),
        cmocka_unit_test(test_numbers_without_a_meaning),
        cmocka_unit_test(test_flags_of_neither_value),
        cmocka_unit_test(test_addresses_of_no_board),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
