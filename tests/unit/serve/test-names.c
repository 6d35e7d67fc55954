/*
 * test-names.c: whom a listed name recognizes, and who waits for a lookup. The test plays the
 * resolver, and decides when each lookup ends.
 */
#include "serve/names.h"

#include "base/error.h"
#include "net/source.h"
#include "support/resolver_wraps.h"
#include "support/virtual_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKUPS_MAX = 64 };

struct resolver {
    resolver_done_fn *done;
    void *userdata;
    struct resolution resolution;
    struct ota_failure failure;
};

static struct resolver *lookups[LOOKUPS_MAX]; /* in the order of their start; NULL: ended */
static size_t lookup_count;
static bool is_out_of_memory;
static unsigned notes;

struct resolver *__wrap_resolver_start(const struct resolver_config *config)
{
    assert_true(source_is_any(config->source));
    assert_false(config->use);
    assert_true(config->timeout_us > 0);
    assert_true(lookup_count < LOOKUPS_MAX);
    if (is_out_of_memory)
        return NULL;

    struct resolver *resolver = malloc(sizeof *resolver);
    assert_non_null(resolver);
    *resolver = (struct resolver){.done = config->on_done, .userdata = config->userdata};
    lookups[lookup_count++] = resolver;
    return resolver;
}

void __wrap_resolver_free(struct resolver *resolver)
{
    for (size_t i = 0; i < lookup_count; i++)
        if (lookups[i] == resolver)
            lookups[i] = NULL;
    if (resolver) /* what it has found goes with it */
        memset(resolver, 0, sizeof *resolver);
    free(resolver);
}

static bool is_cut; /* the name has further addresses */

/* Ends the lookup; text: the address that it finds; NULL: it fails. */
static void end_lookup(size_t number, const char *text)
{
    struct resolver *resolver = lookups[number];

    if (text) {
        resolver->resolution.count = 1;
        resolver->resolution.is_cut = is_cut;
        assert_true(address_parse(&resolver->resolution.addresses[0], text));
        resolver->done(&resolver->resolution, NULL, resolver->userdata);
    } else {
        ota_fail(&resolver->failure, OTA_E_NOT_FOUND, "there is no such board");
        resolver->done(NULL, &resolver->failure, resolver->userdata);
    }
}

static void on_names_note(struct book_board *board, const char *text, void *userdata)
{
    (void)board;
    (void)userdata;
    assert_string_equal(text, is_cut ? "its name has more addresses than a board can have; it is "
                                       "recognized at only 8 of them"
                                     : "cannot be recognized by its name yet: there is no such "
                                       "board");
    notes++;
}

static bool must_wait(struct names *names, const char *text)
{
    struct address address;

    assert_true(address_parse(&address, text));
    return names_must_wait(names, &address);
}

static const struct target nowhere;

static struct names *names_with(struct book_board *boards, size_t count)
{
    struct names *names = names_new(NULL, NULL);

    assert_non_null(names);
    lookup_count = 0;
    notes = 0;
    is_out_of_memory = false;
    virtual_time_reset(1);
    for (size_t i = 0; i < count; i++)
        assert_true(names_add(names, &boards[i], &nowhere));
    names_start(names, on_names_note, NULL);
    return names;
}

static void test_find(void **state)
{
    (void)state;
    struct book_board boards[2] = {{.is_listed = true}, {.is_listed = true}};
    struct names *names = names_with(boards, 2);
    struct address address;

    assert_int_equal(lookup_count, 2);
    end_lookup(1, "192.0.2.2");
    assert_true(address_parse(&address, "192.0.2.1"));
    assert_null(names_find(names, &address));
    end_lookup(0, "192.0.2.1");
    assert_ptr_equal(names_find(names, &address), &boards[0]);
    boards[0].has_mac = true;
    assert_ptr_equal(names_find(names, &address), &boards[0]);
    names_free(names);
}

/* Behind one address, a board that is known by its MAC comes last. */
static void test_namesakes(void **state)
{
    (void)state;
    struct book_board boards[3] = {{.is_listed = true}, {.is_listed = true}, {.is_listed = true}};
    struct names *names = names_with(boards, 3);
    struct address address;

    assert_true(address_parse(&address, "192.0.2.1"));
    for (size_t i = 0; i < 3; i++)
        end_lookup(i, "192.0.2.1");
    boards[0].has_mac = true;
    assert_ptr_equal(names_find(names, &address), &boards[1]);
    boards[1].has_mac = true;
    assert_ptr_equal(names_find(names, &address), &boards[2]);
    boards[2].has_mac = true;
    assert_ptr_equal(names_find(names, &address), &boards[0]);
    names_free(names);
}

/* One that is left out is nobody's name, and is not looked up any more. */
static void test_left_out(void **state)
{
    (void)state;
    struct book_board boards[2] = {{.is_listed = true}, {.is_listed = true}};
    struct names *names = names_with(boards, 2);
    struct address address;

    assert_true(address_parse(&address, "192.0.2.1"));
    end_lookup(0, "192.0.2.1");
    end_lookup(1, "192.0.2.1");
    boards[0].state = BOOK_SKIPPED;
    assert_ptr_equal(names_find(names, &address), &boards[1]);
    boards[1].state = BOOK_SKIPPED;
    assert_null(names_find(names, &address));
    assert_false(must_wait(names, "192.0.2.7"));
    assert_int_equal(lookup_count, 2);
    names_free(names);
}

/* Who asks first waits for a lookup that begins then or later, and for no other. */
static void test_wait(void **state)
{
    (void)state;
    struct book_board board = {.is_listed = true};
    struct names *names = names_with(&board, 1);

    assert_true(must_wait(names, "192.0.2.7"));
    assert_int_equal(lookup_count, 1);
    end_lookup(0, NULL);
    assert_int_equal(lookup_count, 2);
    assert_true(must_wait(names, "192.0.2.7"));
    end_lookup(1, NULL);
    assert_false(must_wait(names, "192.0.2.7"));
    assert_int_equal(lookup_count, 2);
    assert_int_equal(notes, 1);

    assert_true(must_wait(names, "192.0.2.8"));
    assert_int_equal(lookup_count, 3);
    assert_false(must_wait(names, "192.0.2.7"));
    end_lookup(2, NULL);
    assert_false(must_wait(names, "192.0.2.8"));

    virtual_time.now_us +=
        60 * (int64_t)1000000; /* it is still a stranger, and looked for once more */
    assert_false(must_wait(names, "192.0.2.8"));
    assert_int_equal(lookup_count, 4);
    names_free(names);
}

static void test_known_by_mac(void **state)
{
    (void)state;
    struct book_board board = {.is_listed = true};
    struct names *names = names_with(&board, 1);

    board.has_mac = true;
    assert_false(must_wait(names, "192.0.2.7"));
    end_lookup(0, NULL);
    assert_int_equal(lookup_count, 1);
    assert_int_equal(notes, 0);
    names_free(names);
}

/* Whoever asks from another of its addresses is a stranger, so it is said, and once. */
static void test_too_many_addresses(void **state)
{
    (void)state;
    struct book_board board = {.is_listed = true};
    struct names *names = names_with(&board, 1);

    is_cut = true;
    assert_true(must_wait(names, "192.0.2.7"));
    end_lookup(0, "192.0.2.1");
    assert_int_equal(notes, 1);
    end_lookup(1, "192.0.2.1");
    assert_int_equal(notes, 1);
    is_cut = false;
    names_free(names);
}

static void test_bounds(void **state)
{
    (void)state;
    struct book_board boards[20] = {{.is_listed = true}};
    struct names *names = names_with(boards, 20);
    char text[32];

    assert_int_equal(lookup_count, 8); /* at once */
    end_lookup(3, NULL);
    assert_int_equal(lookup_count, 9);
    for (unsigned i = 0; i < NAMES_WAITING_MAX; i++) {
        snprintf(text, sizeof text, "10.0.%u.%u", i / 256, i % 256);
        assert_true(must_wait(names, text));
    }
    assert_false(must_wait(names, "192.0.2.1"));
    assert_true(must_wait(names, "10.0.0.1"));
    names_free(names);
}

/* Nobody waits for lookups that cannot begin. */
static void test_no_memory(void **state)
{
    (void)state;
    struct book_board board = {.is_listed = true};
    struct names *names = names_with(&board, 1);

    end_lookup(0, NULL);
    is_out_of_memory = true;
    assert_false(must_wait(names, "192.0.2.1"));
    names_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),         cmocka_unit_test(test_namesakes),
        cmocka_unit_test(test_left_out),     cmocka_unit_test(test_wait),
        cmocka_unit_test(test_known_by_mac), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_no_memory),    cmocka_unit_test(test_too_many_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
