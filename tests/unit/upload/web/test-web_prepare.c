/*
 * test-web_prepare.c: the requests before an upload, and how long a board that restarts is waited
 * for, in virtual time. The test plays the board.
 */
#include "upload/web/web_internal.h"

#include "base/error.h"
#include "base/units.h"
#include "image/image.h"
#include "support/story.h"
#include "support/virtual_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SAFEBOOT "/u4?u4=fct&api=; "
#define STARTS_SAFEBOOT "(the board restarts into its safeboot firmware, which takes the upload) "
#define RESETS                                                                                     \
    "(the board may have kept a part of the upload that broke off; restarting it) /reset; "
#define KEPT                                                                                       \
    "the board may still have the part of the image that came before the upload broke off: "       \
    "nothing more was sent"
#define START "/ota/start?mode=fr&hash=0123; "
#define UPTIME(seconds)                                                                            \
    "{\"brand\":\"WLED\",\"ver\":\"0.14\",\"arch\":\"esp8266\",\"uptime\":" #seconds "}"

enum { REPLIES_MAX = 6, STORY_MAX = 1024 };

static const int64_t NOW_US = SECONDS(1000);
static const int64_t BROKEN_US = NOW_US - SECONDS(10);

/* The story has each path once, however often it is asked for in a row, each note, and the end. */
static struct {
    char story[STORY_MAX];
    bool is_asked, is_over;
    web_reply_fn *on_reply;
    web_lost_fn *on_lost;
    void (*on_timer)(struct web *web);
} world;

void __wrap_web_get(struct web *web, const char *path, web_reply_fn *on_reply,
                    web_lost_fn *on_lost);
void __wrap_web_wait(struct web *web, int64_t delay_us, void (*on_timer)(struct web *web));
void __wrap_web_note(struct web *web, const char *message);
void __wrap_web_finish(struct web *web, const struct ota_failure *failure);
void __wrap_web_fail(struct web *web, enum ota_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void __wrap_web_send_image(struct web *web);
void __wrap_web_find_page(struct web *web);
bool __wrap_web_may_keep_part(const struct web *web);

void __wrap_web_get(struct web *web, const char *path, web_reply_fn *on_reply, web_lost_fn *on_lost)
{
    assert_false(world.is_asked || world.on_timer || world.is_over);
    if (strcmp(path, web->path) != 0)
        story_append(world.story, STORY_MAX, "%s; ", path);
    snprintf(web->path, sizeof web->path, "%s", path);
    world.is_asked = true;
    world.on_reply = on_reply;
    world.on_lost = on_lost;
}

void __wrap_web_wait(struct web *web, int64_t delay_us, void (*on_timer)(struct web *web))
{
    (void)web;
    assert_false(world.is_asked || world.on_timer || world.is_over);
    virtual_time.now_us += delay_us;
    world.on_timer = on_timer;
}

void __wrap_web_note(struct web *web, const char *message)
{
    (void)web;
    story_append(world.story, STORY_MAX, "(%s) ", message);
}

static void end_attempt(const char *how)
{
    assert_false(world.is_asked || world.on_timer || world.is_over);
    world.is_over = true;
    story_append(world.story, STORY_MAX, "after %.0f s: %s",
                 (double)(virtual_time.now_us - NOW_US) / 1e6, how);
}

void __wrap_web_finish(struct web *web, const struct ota_failure *failure)
{
    (void)web;
    end_attempt(failure->message);
}

void __wrap_web_fail(struct web *web, enum ota_error error, const char *format, ...)
{
    struct ota_failure failure;
    va_list arguments;

    (void)web;
    va_start(arguments, format);
    ota_vfail(&failure, error, format, arguments);
    va_end(arguments);
    end_attempt(failure.message);
}

void __wrap_web_send_image(struct web *web)
{
    (void)web;
    end_attempt("the image is sent");
}

void __wrap_web_find_page(struct web *web)
{
    assert_int_equal(web->history.broken_us, 0);
    end_attempt("the page is looked for");
}

bool __wrap_web_may_keep_part(const struct web *web)
{
    (void)web;
    return true;
}

/* A status of 0: there is no reply. */
struct reply {
    unsigned status;
    const char *body;
};

static void play_reply(struct web *web, const struct reply *played)
{
    struct http_reply reply = {.status = played->status};
    const struct http_outcome lost = {.end = HTTP_NOT_CONNECTED};

    world.is_asked = false;
    if (!played->status) {
        if (!world.on_lost || !world.on_lost(web, &lost))
            end_attempt("no reply");
        return;
    }
    assert_true(http_reply_add_body(&reply, played->body, strlen(played->body)));
    world.on_reply(web, &reply);
    http_reply_clear(&reply);
}

static void play_timer(struct web *web)
{
    void (*on_timer)(struct web * web) = world.on_timer;

    world.on_timer = NULL;
    on_timer(web);
}

struct row {
    const char *title;
    const char *chips;
    bool is_broken;                    /* an upload broke off ten seconds ago */
    struct reply replies[REPLIES_MAX]; /* the last one with a body ("" too) comes again and again */
    const char *story;
};

static void play_row(const struct row *row, enum page_id page)
{
    static struct upload_settings settings;
    static struct upload_service service = {.settings = &settings};
    struct image image = {.md5 = "0123"};
    struct web web = {.upload.config.service = &service, .attempt.image = &image};
    size_t step = 0;

    print_message("  %s\n", row->title);
    web.finder.page = &pages[page];
    snprintf(web.finder.facts.chips, sizeof web.finder.facts.chips, "%s", row->chips);
    web.history.broken_us = row->is_broken ? BROKEN_US : 0;
    memset(&world, 0, sizeof world);
    virtual_time_reset(NOW_US);

    web_start_upload(&web);
    while (!world.is_over) {
        if (world.on_timer) {
            play_timer(&web);
            continue;
        }
        play_reply(&web, &row->replies[step]);
        if (step + 1 < REPLIES_MAX && row->replies[step + 1].body)
            step++;
    }
    assert_string_equal(world.story, row->story);
}

static void play_rows(const struct row *rows, size_t count, enum page_id page)
{
    for (size_t i = 0; i < count; i++)
        play_row(&rows[i], page);
}

static const struct row tasmota_rows[] = {
    {"an ESP8266", "esp8266", false, {{200, ""}}, "/up; after 0 s: the image is sent"},
    {"two partitions",
     "esp32",
     false,
     {{200, "none"}, {200, ""}},
     SAFEBOOT "/up; after 0 s: the image is sent"},
    {"an older version",
     "esp32",
     false,
     {{404, ""}, {200, ""}},
     SAFEBOOT "/up; after 0 s: the image is sent"},
    {"safeboot",
     "esp32",
     false,
     {{200, "false"}, {0, ""}, {200, "true"}, {200, ""}},
     SAFEBOOT STARTS_SAFEBOOT "/up; after 5 s: the image is sent"},
    {"safeboot runs already",
     "esp32",
     false,
     {{200, "true"}, {200, ""}},
     SAFEBOOT "/up; after 1 s: the image is sent"},
    {"it does not restart",
     "esp32",
     false,
     {{200, "false"}},
     SAFEBOOT STARTS_SAFEBOOT
     "after 90 s: the board did not start its safeboot firmware within 90 s"},
    {"it does not come back",
     "esp32",
     false,
     {{200, "false"}, {0, ""}},
     SAFEBOOT STARTS_SAFEBOOT "after 90 s: no reply"},
    {"it is not there", "esp32", false, {{0, ""}}, SAFEBOOT "after 0 s: no reply"},
    {"its upload page is refused",
     "esp8266",
     false,
     {{500, "<p>busy</p>"}},
     "/up; after 0 s: the board does not show its upload page: busy"},
    {"its upload page is absent",
     "esp8266",
     false,
     {{404, "Not Found"}},
     "/up; after 0 s: the board has no page of Tasmota: /up has status 404, \"Not Found\""},
};

static void test_tasmota(void **state)
{
    (void)state;
    play_rows(tasmota_rows, sizeof tasmota_rows / sizeof *tasmota_rows, PAGE_TASMOTA);
}

static const struct row elegantota_rows[] = {
    {"free", "", false, {{200, "OK"}}, START "after 0 s: the image is sent"},
    {"busy once",
     "",
     true,
     {{400, "Update already running"}, {200, "OK"}},
     START "(an earlier upload was not finished; starting again) "
           "after 1 s: the image is sent"},
    {"busy",
     "",
     false,
     {{400, "Update already running"}},
     START "(an earlier upload was not finished; starting again) "
           "after 1 s: the board refuses the upload: Update already running"},
    {"it may have a part", "", true, {{200, "OK"}}, START "after 0 s: " KEPT},
};

static void test_elegantota(void **state)
{
    (void)state;
    play_rows(elegantota_rows, sizeof elegantota_rows / sizeof *elegantota_rows, PAGE_ELEGANTOTA);
}

static const struct row wled_rows[] = {
    {"no upload broke off", "esp8266", false, {{0, ""}}, "after 0 s: the image is sent"},
    {"it has restarted",
     "esp8266",
     true,
     {{200, UPTIME(9)}},
     "/json/info; after 0 s: the page is looked for"},
    {"it restarts",
     "esp8266",
     true,
     {{200, UPTIME(10)}, {200, ""}, {200, UPTIME(500)}, {0, ""}, {200, UPTIME(1)}},
     "/json/info; " RESETS "/json/info; after 6 s: the page is looked for"},
    {"it restarts before it replies",
     "esp8266",
     true,
     {{200, UPTIME(10)}, {0, ""}, {200, UPTIME(1)}},
     "/json/info; " RESETS "/json/info; after 2 s: the page is looked for"},
    {"it does not restart",
     "esp8266",
     true,
     {{200, UPTIME(500)}},
     "/json/info; " RESETS "/json/info; after 6 s: " KEPT},
    {"it does not come back",
     "esp8266",
     true,
     {{200, UPTIME(500)}, {0, ""}},
     "/json/info; " RESETS "/json/info; after 60 s: " KEPT},
    {"another page", "esp8266", true, {{200, "{}"}}, "/json/info; after 0 s: " KEPT},
    {"it is not there", "esp8266", true, {{0, ""}}, "/json/info; after 0 s: no reply"},
};

static void test_wled(void **state)
{
    (void)state;
    play_rows(wled_rows, sizeof wled_rows / sizeof *wled_rows, PAGE_WLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tasmota),
        cmocka_unit_test(test_elegantota),
        cmocka_unit_test(test_wled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
