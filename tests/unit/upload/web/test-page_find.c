/*
 * test-page_find.c: boards as tables of replies; which paths are asked, and what is found.
 */
#include "upload/web/page_find.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FORM(name)                                                                                 \
    "<form method='POST' enctype='multipart/form-data'><input type='file' name='" name "'></form>"

#define SPACES "                                                                "

/* One path of a board; every other path has status 404. */
struct route {
    const char *path;
    unsigned status;
    const char *body;
    const char *header; /* Server; "none": Accept-Ranges; of a redirect: Location */
};

struct board {
    const char *title;
    struct route routes[5];
};

static const struct board esp8266 = {"esp8266",
                                     {{"/update", 200, FORM("firmware") FORM("filesystem"), NULL}}};
static const struct board esp32 = {
    "esp32",
    {{"/update", 200, FORM("firmware") "<input type='file' accept='.bin,.image' name='filesystem'>",
      NULL}}};
#define NAMED_FORM(name)                                                                           \
    "<form action=\"?name=" name "\"method=POST><input type=file name=" name "></form>"

static const struct board async_updater = {
    "ESPAsyncHTTPUpdateServer",
    {{"/update", 200, NAMED_FORM("firmware") NAMED_FORM("filesystem"), "none"}}};
static const struct board async_updater_firmware = {"ESPAsyncHTTPUpdateServer without a filesystem",
                                                    {{"/fw", 200, NAMED_FORM("firmware"), NULL}}};
static const struct board async_updater_fork = {
    "a fork of ESPAsyncHTTPUpdateServer",
    {{"/update", 200, FORM("firmware") FORM("filesystem"), "none"}}};
static const struct board elegant2 = {
    "elegant2",
    {{"/update", 200, "<title>ElegantOTA</title>", NULL},
     {"/update/identity", 200, "{\"id\":\"a\",\"hardware\":\"ESP8266\"}", NULL}}};
static const struct board elegant2_core = {
    "elegant2 of the core",
    {{"/update", 200, "<title>ElegantOTA</title>", NULL},
     {"/update/identity", 200, "{\"id\": A1B2C3, \"hardware\": \"ESP8266\"}", NULL}}};
static const struct board elegant3 = {"elegant3",
                                      {{"/update", 200, "<title>ElegantOTA Lite</title>", NULL}}};
static const struct board tasmota = {
    "tasmota", {{"/", 200, "<title>Lamp</title>", "Tasmota/13.3.0 (ESP32-C3)"}}};
static const struct board wled = {
    "wled", {{"/update", 200, "<title>WLED Update</title>" FORM("update"), NULL}}};
static const struct board wled_pin = {
    "wled with PIN",
    {{"/update", 200, "<title>PIN required</title><input type='password' name='PIN'>", NULL},
     {"/json/info", 200, "{\"brand\":\"WLED\",\"ver\":\"0.15\"}", NULL}}};
static const struct board wled_locked = {
    "wled locked",
    {{"/update", 401, "Access Denied", NULL},
     {"/json/info", 200, "{\"brand\":\"WLED\",\"ver\":\"0.15\"}", NULL}}};
static const struct board wled_locked_500 = {
    "older wled locked",
    {{"/update", 500, "<h2>Access Denied</h2>Please unlock OTA in security settings!", NULL},
     {"/json/info", 200, "{\"brand\":\"WLED\",\"ver\":\"0.13\"}", NULL}}};
static const struct board wled_pin_401 = {
    "newer wled with PIN",
    {{"/update", 401, "<title>PIN required</title><input type=password name=PIN>", NULL},
     {"/json/info", 200, "{\"brand\":\"WLED\",\"ver\":\"0.15\"}", NULL}}};
static const struct board other_pin = {
    "PIN of something else",
    {{"/update", 200, "<title>PIN</title><input type='password'>", NULL},
     {"/", 200, "<esp-app>", NULL}}};
static const struct board esphome = {"esphome",
                                     {{"/", 200, "<html><esp-app></esp-app></html>", NULL}}};
static const struct board login = {"login",
                                   {{"/", 200, "<title>ESP32 Login Page</title>", NULL},
                                    {"/serverIndex", 200, FORM("update"), NULL}}};
static const struct board webupdate = {
    "webupdate",
    {{"/", 200,
      "<form method='POST' action='/update' enctype='multipart/form-data'>"
      "<input type='file' name='update'></form>",
      NULL}}};
static const struct board everywhere = {/* OTAWebUpdater 3.x answers any path with its page */
                                        "everywhere",
                                        {{"/update", 200,
                                          FORM("update") "<script>'/update?size='</script>",
                                          NULL}}};
static const struct board wifimanager = {
    "WiFiManager",
    {{"/update", 200,
      "<form method='POST' action='u'><input type='file' name='update'></form>"
      "<a href='http://192.168.4.1/update'>",
      NULL}}};
static const struct board espurna = {
    "espurna",
    {{"/", 200, "<form action='/upgrade'><input type='file' name='filename'></form>", NULL}}};
static const struct board espurna_ui = {
    "espurna's interface",
    {{"/", 200,
      "<title>ESPurna 1.15</title><input name='filename' type='text'>"
      "<input name='upgrade' type='file'><input id='uploader' type='file'>",
      NULL}}};
static const struct board safeboot = {"safeboot",
                                      {{"/update", 302, "", NULL},
                                       {"/chipspecs", 200, "ESP32-S3 (8 MB)", NULL},
                                       {"/", 200, FORM("file"), NULL}}};
static const struct board handmade = {
    "handmade",
    {{"/fw", 200, "<form action='/doit'><input type='file' name='x'></form>", NULL},
     {"/", 200, "<form action='/doit'><input type='file' name='x'></form>", NULL}}};
static const struct board handmade_async = {"handmade async",
                                            {{"/update", 200, FORM("update"), "none"}}};
static const struct board two_inputs = {
    "two inputs",
    {{"/flash", 200,
      "<form action='/flash'><input type=file name=fw></form><form action='/fs'>"
      "<input type=file name=fs></form>",
      NULL}}};
static const struct board says_ok = {
    "says OK",
    {{"/update", 200, "OK", NULL}, {"/chipspecs", 200, "OK", NULL}, {"/", 200, "OK", NULL}}};
static const struct board says_chip = {
    "says a chip",
    {{"/update", 200, "ESP32 (MB)", NULL}, {"/chipspecs", 200, "ESP32 (4 MB) is mine", NULL}}};
static const struct board says_chips[] = {
    {"other chip", {{"/chipspecs", 200, "ESP8266 (4 MB)", NULL}}},
    {"no size", {{"/chipspecs", 200, "ESP32", NULL}}},
    {"no number", {{"/chipspecs", 200, "ESP32 (x MB)", NULL}}},
    {"other unit", {{"/chipspecs", 200, "ESP32 (4 KB)", NULL}}},
    {"long", {{"/chipspecs", 200, "ESP32 (4 MB)" SPACES SPACES SPACES SPACES, NULL}}}};
static const struct board wled_at_root = {"wled at root", {{"/", 200, "<h1>WLED</h1>", NULL}}};
static const struct board idf = {"esp-idf",
                                 {{"/update", 200, "<esp-app></esp-app>" FORM("update"), NULL}}};
static const struct board ota_update = {
    "OTA update", {{"/update", 200, "<h2>OTA Update</h2>" FORM("update"), NULL}}};
static const struct board server_index = {
    "serverIndex", {{"/", 200, "<script>open('/serverIndex')</script>", NULL}}};
static const struct board filename_only = {
    "filename only", {{"/", 200, "<form action='/fw'><input type=file name='filename'>", NULL}}};
static const struct board foreign_form = {
    "form elsewhere",
    {{"/", 200, "<form action='http://example.com/fw'><input type=file name='x'>", NULL}}};
static const struct board router = {"router", {{"/", 200, "<h1>Router</h1>", "nginx/1.2"}}};

static const struct {
    const struct board *board;
    const char *own, *forced, *field;
    int page; /* enum page_id; PAGE_COUNT: none */
    const char *post, *form_field;
    const char *asked; /* the paths in their order */
} rows[] = {
    {&esp8266, "", NULL, NULL, PAGE_ESP8266, "/update", "", "/update "},
    {&esp8266, "/", NULL, NULL, PAGE_ESP8266, "/update", "", "/update "},
    {&esp32, "", NULL, NULL, PAGE_ESP32, "/update", "", "/update "},
    {&async_updater, "", NULL, NULL, PAGE_ASYNC_UPDATER, "/update", "", "/update "},
    {&async_updater_firmware, "/fw", NULL, NULL, PAGE_ASYNC_UPDATER, "/fw", "", "/fw "},
    {&async_updater_fork, "", NULL, NULL, PAGE_ASYNC_UPDATER, "/update", "", "/update "},
    {&elegant2, "", NULL, NULL, PAGE_ELEGANTOTA, "/update", "", "/update /update/identity "},
    {&elegant2_core, "", NULL, NULL, PAGE_ELEGANTOTA, "/update", "", "/update /update/identity "},
    {&elegant3, "", NULL, NULL, PAGE_ELEGANTOTA, "/ota/upload", "", "/update /update/identity "},
    {&tasmota, "", NULL, NULL, PAGE_TASMOTA, "/u2", "", "/update / "},
    {&wled, "", NULL, NULL, PAGE_WLED, "/update", "", "/update "},
    {&wled_pin, "", NULL, NULL, PAGE_WLED, "/update", "", "/update /json/info "},
    {&wled_locked, "", NULL, NULL, PAGE_WLED, "/update", "", "/update /json/info "},
    {&wled_locked_500, "", NULL, NULL, PAGE_WLED, "/update", "", "/update /json/info "},
    {&wled_pin, "", "wled", NULL, PAGE_WLED, "/update", "", "/update "},
    {&other_pin, "", NULL, NULL, PAGE_ESPHOME, "/update", "", "/update /json/info / "},
    {&esphome, "", NULL, NULL, PAGE_ESPHOME, "/update", "", "/update / "},
    {&login, "", NULL, NULL, PAGE_WEBUPDATER, "/update", "", "/update / "},
    {&webupdate, "", NULL, NULL, PAGE_WEBUPDATER, "/update", "update", "/update / "},
    {&wifimanager, "", NULL, NULL, PAGE_WIFIMANAGER, "/u", "", "/update "},
    {&everywhere, "", NULL, NULL, PAGE_WEBUPDATER, "/update", "", "/update "},
    {&espurna, "", NULL, NULL, PAGE_ESPURNA, "/upgrade", "", "/update / "},
    {&espurna_ui, "", NULL, NULL, PAGE_ESPURNA, "/upgrade", "", "/update / "},
    {&safeboot, "", NULL, NULL, PAGE_SAFEBOOT, "/", "", "/update /chipspecs "},
    {&handmade, "", NULL, NULL, PAGE_FORM, "/doit", "x", "/update / "},
    {&handmade, "/fw", NULL, NULL, PAGE_FORM, "/doit", "x", "/fw "},
    {&handmade, "/nothing", NULL, NULL, PAGE_COUNT, "", "", "/nothing "},
    {&handmade_async, "", NULL, NULL, PAGE_ASYNC, "/update", "update", "/update "},
    {&two_inputs, "/flash", NULL, NULL, PAGE_COUNT, "", "", "/flash "},
    {&two_inputs, "/flash", NULL, "fs", PAGE_FORM, "/fs", "fs", "/flash "},
    {&says_ok, "", NULL, NULL, PAGE_COUNT, "", "", "/update / /chipspecs "},
    {&says_chip, "", NULL, NULL, PAGE_COUNT, "", "", "/update / /chipspecs "},
    {&says_chips[0], "", NULL, NULL, PAGE_COUNT, "", "", "/update / /chipspecs "},
    {&says_chips[1], "", NULL, NULL, PAGE_COUNT, "", "", "/update / /chipspecs "},
    {&says_chips[2], "", NULL, NULL, PAGE_COUNT, "", "", "/update / /chipspecs "},
    {&says_chips[3], "", NULL, NULL, PAGE_COUNT, "", "", "/update / /chipspecs "},
    {&says_chips[4], "", NULL, NULL, PAGE_COUNT, "", "", "/update / /chipspecs "},
    {&wled_at_root, "", NULL, NULL, PAGE_COUNT, "", "", "/update / /chipspecs "},
    {&idf, "", NULL, NULL, PAGE_ESPHOME, "/update", "", "/update "},
    {&ota_update, "", NULL, NULL, PAGE_ESPHOME, "/update", "", "/update "},
    {&server_index, "", NULL, NULL, PAGE_WEBUPDATER, "/update", "", "/update / "},
    {&filename_only, "", NULL, NULL, PAGE_FORM, "/fw", "filename", "/update / "},
    {&foreign_form, "", NULL, NULL, PAGE_COUNT, "", "", "/update / /chipspecs "},
    {&router, "", NULL, NULL, PAGE_COUNT, "", "", "/update / /chipspecs "},
    /* --page */
    {&handmade, "/fw", "form", NULL, PAGE_FORM, "/doit", "x", "/fw "},
    {&router, "/post-only", "form", "file", PAGE_FORM, "/post-only", "", "/post-only "},
    {&router, "/post-only", "form", NULL, PAGE_COUNT, "", "", "/post-only "},
    {&router, "", "esp8266", NULL, PAGE_ESP8266, "/update", "", "/update "},
    {&router, "/here", "esp8266", NULL, PAGE_ESP8266, "/here", "", "/here "},
    {&elegant2, "", "elegantota", NULL, PAGE_ELEGANTOTA, "/update", "",
     "/update /update/identity "},
    {&elegant3, "", "elegantota", NULL, PAGE_ELEGANTOTA, "/ota/upload", "",
     "/update /update/identity "},
    {&router, "", "tasmota", NULL, PAGE_TASMOTA, "/u2", "", "/up "},
};

static void reply_as(struct http_reply *reply, const struct board *board, const char *path)
{
    *reply = (struct http_reply){.status = 404, .has_head = true, .has_ended = true};
    for (size_t i = 0; i < 5 && board->routes[i].path; i++) {
        const struct route *route = &board->routes[i];

        if (strcmp(route->path, path) != 0)
            continue;
        reply->status = route->status;
        http_reply_add_body(reply, route->body, strlen(route->body));
        if (route->header && strcmp(route->header, "none") == 0)
            memcpy(reply->accept_ranges, "none", 5);
        else if (route->header && route->status / 100 == 3)
            snprintf(reply->location, sizeof reply->location, "%s", route->header);
        else if (route->header)
            snprintf(reply->server, sizeof reply->server, "%s", route->header);
    }
}

static void run(struct page_finder *finder, const struct board *board, char asked[512])
{
    const char *path;

    *asked = '\0';
    while ((path = page_finder_path(finder))) {
        struct http_reply reply;

        text_append(asked, 512, "%s ", path);
        reply_as(&reply, board, path);
        page_finder_take(finder, &reply);
        http_reply_clear(&reply);
    }
}

static void test_boards(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct page_finder finder;
        char asked[512];

        page_finder_start(&finder, rows[i].forced ? page_table_find(rows[i].forced) : NULL,
                          rows[i].own, rows[i].field);
        run(&finder, rows[i].board, asked);
        const struct page *expected = rows[i].page == PAGE_COUNT ? NULL : &pages[rows[i].page];
        if (finder.page != expected || strcmp(asked, rows[i].asked) != 0)
            fail_msg("%s %s: found %s, asked %s", rows[i].board->title, rows[i].own,
                     finder.page ? finder.page->name : "none", asked);
        assert_string_equal(finder.post, rows[i].post);
        if (finder.page && finder.page->is_generic)
            assert_string_equal(finder.form_field, rows[i].form_field);
    }
}

static void test_details(void **state)
{
    struct page_finder finder;
    char asked[512];

    (void)state;
    page_finder_start(&finder, NULL, "", NULL);
    run(&finder, &elegant2, asked);
    assert_true(finder.is_elegantota_2);
    assert_string_equal(finder.facts.chips, "esp8266");

    page_finder_start(&finder, NULL, "", NULL);
    run(&finder, &wled_pin, asked);
    assert_int_equal(finder.lock, PAGE_PIN);
    page_finder_start(&finder, NULL, "", NULL);
    run(&finder, &wled_pin_401, asked);
    assert_int_equal(finder.lock, PAGE_PIN);
    page_finder_start(&finder, NULL, "", NULL);
    run(&finder, &wled_locked, asked);
    assert_int_equal(finder.lock, PAGE_LOCKED);
    page_finder_start(&finder, &pages[PAGE_WLED], "", NULL);
    run(&finder, &wled_pin, asked);
    assert_int_equal(finder.lock, PAGE_PIN);

    page_finder_start(&finder, NULL, "", NULL);
    run(&finder, &tasmota, asked);
    assert_string_equal(finder.facts.version, "13.3.0");

    page_finder_start(&finder, NULL, "/", NULL);
    run(&finder, &router, asked);
    assert_string_equal(finder.found, "/ has status 200, Server \"nginx/1.2\", \"Router\"");
    assert_int_equal(finder.own_length, strlen("/ has status 200"));
}

/* Of several replies, what tells most, wherever it comes. */
static void test_what_is_told(void **state)
{
    static const struct {
        struct board board;
        const char *found;
        enum ota_cause cause;
    } told[] = {
        {{"", {{"/", 301, "", "https://board/"}}},
         "/ has status 301, Location \"https://board/\"",
         OTA_CAUSE_MOVED},
        {{"", {{"/update", 200, "Hello", NULL}, {"/", 302, "", "//other/"}}},
         "/ has status 302, Location \"//other/\"",
         OTA_CAUSE_MOVED},
        {{"", {{"/update", 301, "", "https://board/"}, {"/", 200, "Hello", NULL}}},
         "/update has status 301, Location \"https://board/\"",
         OTA_CAUSE_MOVED},
        {{"", {{"/update", 301, "", "https://a/"}, {"/", 301, "", "https://b/"}}},
         "/update has status 301, Location \"https://a/\"",
         OTA_CAUSE_MOVED},
        {{"", {{"/", 301, "", "https://board/"}, {"/chipspecs", 503, "", NULL}}},
         "/chipspecs has status 503",
         OTA_CAUSE_BUSY},
        {{"", {{"/", 302, "", "/index.html"}}}, "/update has status 404", OTA_CAUSE_NONE},
        {{"", {{"/update", 302, "", "/"}, {"/", 200, "Hello", NULL}}},
         "/ has status 200, \"Hello\"",
         OTA_CAUSE_NONE},
    };
    (void)state;

    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        struct page_finder finder;
        char asked[512];

        page_finder_start(&finder, NULL, "", NULL);
        run(&finder, &told[i].board, asked);
        assert_null(finder.page);
        assert_string_equal(finder.found, told[i].found);
        assert_int_equal(finder.cause, told[i].cause);
    }
}

/* A part of a page may be that of another one, or lack the other field; what the head or the user
 * says needs no body. The rest is missing in each of these. */
static void test_broken_off(void **state)
{
    (void)state;
    static const struct {
        const char *forced, *field;
        const char *server;
        const char *before; /* the whole reply to the path before; NULL: there is none */
        const char *body;
        bool is_chunked;
        int page; /* negative: none */
    } parts[] = {
        {NULL, NULL, "", NULL, FORM("firmware") FORM("filesystem"), false, -1},
        {NULL, NULL, "", NULL, FORM("file"), true, -1},
        {NULL, NULL, "", NULL, "", false, -1},
        {NULL, NULL, "", "<title>ElegantOTA</title>", "{\"id\":", false, -1},
        {NULL, NULL, "Tasmota/13.3.0 (ESP32-C3)", NULL, "<title>", false, PAGE_TASMOTA},
        {"esp8266", NULL, "", NULL, FORM("firmware"), true, PAGE_ESP8266},
        {"form", NULL, "", NULL, FORM("file"), false, -1},
        {"form", "file", "", NULL, FORM("other"), false, PAGE_FORM},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct http_reply reply = {.status = 200, .has_head = true, .has_ended = true};
        struct page_finder finder;

        page_finder_start(&finder, parts[i].forced ? page_table_find(parts[i].forced) : NULL, "",
                          parts[i].field);
        if (parts[i].before) {
            assert_true(http_reply_add_body(&reply, parts[i].before, strlen(parts[i].before)));
            page_finder_take(&finder, &reply);
            http_reply_clear(&reply);
        }
        snprintf(reply.server, sizeof reply.server, "%s", parts[i].server);
        reply.has_ended = false;
        reply.is_chunked = parts[i].is_chunked;
        reply.has_length = !parts[i].is_chunked;
        reply.content_length = strlen(parts[i].body) + 1;
        assert_true(http_reply_add_body(&reply, parts[i].body, strlen(parts[i].body)));
        page_finder_take(&finder, &reply);
        assert_null(page_finder_path(&finder));
        assert_int_equal(finder.has_broken_off, parts[i].page < 0);
        if (parts[i].page >= 0)
            assert_ptr_equal(finder.page, &pages[parts[i].page]);
        http_reply_clear(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boards),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_what_is_told),
        cmocka_unit_test(test_broken_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
