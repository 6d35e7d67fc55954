/*
 * test-page.c: the page for people: every state of a board, and texts from outside.
 */
#include "serve/serve_internal.h"

#include "base/units.h"
#include "support/virtual_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct book book;
static const struct inspection inspection = {.name = "ESP8266 <sketch>"};
static struct offer offer = {.name = "a<b>&\"'\n.bin"};
static struct serve serve;
static char *page;

static int set_up(void **state)
{
    (void)state;
    virtual_time_reset(SECONDS(100000));
    offer.version = NULL;
    offer.forms[OFFER_PACKED] = (struct offer_bytes){.data = NULL};
    offer.forms[OFFER_PLAIN] = (struct offer_bytes){
        .size = 403000, .inspection = &inspection, .md5 = "0123456789abcdef0123456789abcdef"};
    serve = (struct serve){.config = {.offers = &offer, .offer_count = 1, .book = &book}};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(page);
    page = NULL;
    book_free(&book);
    return 0;
}

static void draw(void)
{
    free(page);
    page = serve_page(&serve);
    assert_non_null(page);
}

static void assert_shown(const char *text)
{
    if (!strstr(page, text))
        fail_msg("\"%s\" is not in:\n%s", text, page);
}

static void assert_not_shown(const char *text)
{
    if (strstr(page, text))
        fail_msg("\"%s\" is in:\n%s", text, page);
}

static void test_nobody(void **state)
{
    (void)state;
    draw();
    assert_shown("<h1>a&lt;b&gt;&amp;&quot;&#39;\\n.bin</h1>\n"
                 "<p>ESP8266 &lt;sketch&gt;, 393.6 KiB</p>\n"
                 "<p>MD5 <code>0123456789abcdef0123456789abcdef</code></p>\n");
    assert_shown("<li><strong>0</strong> boards</li>");
    assert_shown("<p>No board has asked yet.</p>");
    assert_not_shown("<table>");
    assert_shown("</main>\n</body>\n</html>\n");
}

static void test_forms(void **state)
{
    (void)state;
    offer.version = "1.2<3";
    offer.forms[OFFER_PACKED] =
        (struct offer_bytes){.data = (const unsigned char *)"", .size = 2048};
    draw();
    assert_shown(", 393.6 KiB, compressed 2.0 KiB, version 1.2&lt;3</p>");
}

static struct book_board *add(const char *name, enum book_state board_state)
{
    struct book_board *board = book_add(&book, name);

    assert_non_null(board);
    book_set_state(board, board_state);
    return board;
}

static void test_states(void **state)
{
    static const struct {
        enum book_state state;
        const char *shown, *count;
    } rows[] = {
        {BOOK_SILENT, "<span class=\"silent\">not asked yet</span>", "not asked yet"},
        {BOOK_ASKED, "<span class=\"asked\">has asked</span>", "waiting"},
        {BOOK_REFUSED, "<span class=\"failed\">refused</span>", "refused"},
        {BOOK_FETCHING, "<span class=\"busy\">downloading</span>", "downloading"},
        {BOOK_FETCHED, "<span class=\"busy\">taken, not back yet</span>", "taken, not back yet"},
        {BOOK_CONFIRMED, "<span class=\"confirmed\">confirmed</span>", "confirmed"},
        {BOOK_GIVEN_UP, "<span class=\"failed\">given up</span>", "given up"},
        {BOOK_SKIPPED, "<span class=\"silent\">skipped</span>", "skipped"},
    };
    char count[64];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct book_board *board = add("b<1>", rows[i].state);

        strcpy(board->reason, "a <reason>");
        draw();
        assert_shown("<li><strong>1</strong> board</li>");
        assert_shown("<tr><th scope=\"row\">b&lt;1&gt;</th>");
        assert_shown(rows[i].shown);
        snprintf(count, sizeof count, ">1</strong> %s</li>", rows[i].count);
        assert_shown(count);
        if (rows[i].state == BOOK_CONFIRMED) /* the reason of an earlier answer */
            assert_not_shown("reason");
        else
            assert_shown("<small>a &lt;reason&gt;</small>");
        if (rows[i].state == BOOK_FETCHING)
            assert_shown("<progress ");
        else
            assert_not_shown("<progress ");
        book_free(&book);
    }
}

static void test_facts(void **state)
{
    struct book_board *board = add("kitchen", BOOK_FETCHING);
    (void)state;

    board->has_address = address_parse(&board->address, "192.0.2.1");
    board->family = INSPECT_FAMILY_ESP8266;
    strcpy(board->version, "<1.0>");
    board->is_canary = true;
    board->failures = 2;
    board->bytes = 100000;
    board->total = 403000;
    draw();
    assert_shown("kitchen<small>192.0.2.1</small></th>");
    assert_shown("data-label=\"Chip\">ESP8266</td><td data-label=\"Version\">&lt;1.0&gt;</td>");
    assert_shown("downloading</span> (canary)");
    assert_shown("<progress aria-label=\"download of kitchen\" max=\"403000\" value=\"100000\">"
                 "</progress><small>97.7 KiB of 393.6 KiB</small>");
    assert_shown("<small>came back without the image: 2</small>");
    assert_shown("data-label=\"Asked\">never</td>");
}

static void test_times(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {{0, "0 s ago"},        {119, "119 s ago"}, {120, "2 min ago"},
                {7199, "119 min ago"}, {7200, "2 h ago"},  {90000, "25 h ago"}};
    struct book_board *board = add("kitchen", BOOK_ASKED);
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        board->asked_us = virtual_time.now_us - SECONDS(rows[i].seconds);
        draw();
        assert_shown(rows[i].text);
    }
    assert_shown("data-label=\"Chip\">unknown</td><td data-label=\"Version\">not told</td>");
}

/* Nothing from elsewhere; without scripts the page reloads by itself. */
static void test_document(void **state)
{
    (void)state;
    draw();
    assert_int_equal(strncmp(page, "<!DOCTYPE html>\n<html lang=\"en\">\n", 33), 0);
    assert_shown("<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>");
    assert_not_shown("http://");
    assert_not_shown("https://");
    assert_null(strstr(SERVE_STYLE, "url("));
    assert_null(strstr(SERVE_SCRIPT, "innerHTML"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_facts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_document, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
